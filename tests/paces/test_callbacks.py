"""What callbacks are told at each pace, and what their errors, and others, leave behind."""

from __future__ import annotations

import math
import threading
import time

import pytest

from pyshac import Callback, EvaluationError, SaveDirectoryError
from tests.engine.engine_helpers import evaluate
from tests.paces.searches import (
    PACES,
    Dawdling,
    Events,
    are_different,
    check_events,
    engine_in,
    is_replayed,
    samples_of,
    uneven,
)


@pytest.fixture(params=PACES)
def pace(request):
    return request.param


def check_history(history, epochs):
    """Each list has an entry for each epoch."""
    assert history.epochs == epochs
    lengths = {k: len(v) for k, v in history.history.items() if k != "begin_run_index"}
    assert set(lengths.values()) == {len(epochs)}, lengths
    assert len(lengths) == 8


def check_end(engine):
    """All samples have scores, and come out again."""
    assert engine._run.search.num_complete == len(engine.dataset) == 40
    assert are_different(samples_of(engine))
    if engine.pace == "stream":
        assert is_replayed(engine)


@pytest.mark.parametrize("slots", [1, 5])
def test_events_of_a_run(tmp_path, pace, slots):
    events = Events()
    engine = engine_in(tmp_path, pace, evaluators=slots)
    history = engine.fit(skip_cv_checks=True, verbose=0, callbacks=events)
    check_events(events.events)
    assert events.events[0][0] == "on_train_begin"
    assert events.events[-1][0] == "on_train_end"
    assert events.numbers("on_epoch_begin") == events.numbers("on_epoch_end") == [1, 2, 3, 4, 5]
    assert events.numbers("on_classifier_end") == [1, 2, 3, 4]
    assert events.numbers("on_draw_begin") == events.numbers("on_draw_end")
    assert {*events.numbers("on_draw_begin")} == {1, 2, 3, 4, 5}
    assert sorted(events.numbers("on_sample_end")) == list(range(40))
    check_history(history, [1, 2, 3, 4, 5])
    scores = [score for batch in history.history["evaluations"] for score in batch]
    assert scores == engine.dataset.Y
    assert [x for batch in history.history["parameters"] for x in batch] == samples_of(engine)
    check_end(engine)


@pytest.mark.parametrize(
    "event",
    [
        "on_sample_end", "on_sample_begin", "on_draw_begin", "on_draw_end", "on_classifier_begin",
        "on_epoch_end", "on_evaluation_begin",
    ],
)  # fmt: skip
def test_a_callback_may_stop_the_run_and_fit_goes_on(tmp_path, pace, event):
    def stop(events, *args):
        events.engine.stop()

    engine = engine_in(tmp_path, pace, evaluators=8)
    epochs = []
    for _ in range(100):
        events = Events(event, stop)
        history = engine.fit(skip_cv_checks=True, verbose=0, callbacks=events)
        check_events(events.events)
        if history.epochs:
            check_history(history, history.epochs)
        epochs += history.epochs
        if event in ("on_draw_begin", "on_sample_begin", "on_evaluation_begin"):
            # Nothing would ever be evaluated.
            break
        if len(engine.dataset) == 40:
            break
    epochs += engine.fit(skip_cv_checks=True, verbose=0).epochs
    assert epochs == [1, 2, 3, 4, 5]
    check_end(engine)


class BadCallbackError(Exception):
    pass


@pytest.mark.parametrize(
    "event",
    [
        "on_sample_end", "on_sample_begin", "on_draw_begin", "on_draw_end", "on_classifier_begin",
        "on_classifier_end", "on_epoch_begin", "on_epoch_end", "on_evaluation_ended",
    ],
)  # fmt: skip
def test_errors_of_callbacks_lose_no_scores(tmp_path, pace, event):
    count = []

    def fail(events, *args):
        count.append(1)
        if len(count) == 2:
            raise BadCallbackError(event)

    ended = []

    def function(worker_id, parameters):
        score = uneven(worker_id, parameters)
        ended.append(parameters["x"])
        return score

    engine = engine_in(tmp_path, pace, function)
    events = Events(event, fail)
    with pytest.raises(BadCallbackError):
        engine.fit(skip_cv_checks=True, verbose=0, callbacks=events)
    assert events.names()[-1] == "on_train_error"
    assert sorted(row[0] for row in engine.dataset.X) == sorted(ended)
    again = engine_in(tmp_path, pace, resume=True)
    assert again.dataset.X == engine.dataset.X
    again.fit(skip_cv_checks=True, verbose=0)
    check_end(again)
    assert not {*ended} - {row[0] for row in again.dataset.X}


def test_errors_of_evaluations_lose_no_scores_of_others(tmp_path, pace):
    count, ended = [], []

    def function(worker_id, parameters):
        count.append(1)
        if len(count) == 13:
            raise OSError("no connection")
        score = uneven(worker_id, parameters)
        ended.append(parameters["x"])
        return score

    engine = engine_in(tmp_path, pace, function)
    with pytest.raises(EvaluationError, match="no connection"):
        engine.fit(skip_cv_checks=True, verbose=0)
    assert sorted(row[0] for row in engine.dataset.X) == sorted(ended)
    engine.fit(skip_cv_checks=True, verbose=0)
    check_end(engine)


def test_an_error_that_comes_with_the_end_of_a_draw(tmp_path, pace):
    """Both happen while a callback takes its time."""

    def fails(worker_id, parameters):
        raise OSError("no connection")

    class Slow(Callback):
        def on_sample_begin(self, id, logs=None):
            time.sleep(0.3)

    def fit():
        try:
            engine.fit(verbose=0, callbacks=Slow())
        except EvaluationError as error:
            errors.append(error)

    errors = []
    engine = engine_in(tmp_path, pace, fails, total_budget=8, num_batches=4, evaluators=2)
    thread = threading.Thread(target=fit, daemon=True)
    thread.start()
    thread.join(60)
    assert len(errors) == 1


def test_an_exit_in_a_callback_waits_for_what_runs(tmp_path, pace):
    class Exits(Callback):
        def on_sample_end(self, id, score, logs=None):
            raise SystemExit(3)

    def function(worker_id, parameters):
        calls.append(parameters["x"])
        time.sleep(0.3 if len(calls) > 1 else 0)
        return evaluate(worker_id, parameters)

    calls = []
    engine = engine_in(tmp_path, pace, function)
    with pytest.raises(SystemExit):
        engine.fit(skip_cv_checks=True, verbose=0, callbacks=Exits())
    assert len(engine.dataset) == len(calls) == 3
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == len(calls) == 40


def test_early_stop(tmp_path, pace):
    engine = engine_in(tmp_path, pace, lambda worker_id, parameters: 1.0)
    events = Events()
    history = engine.fit(verbose=0, early_stop=True, callbacks=events)
    check_events(events.events)
    check_history(history, history.epochs)
    assert history.epochs[0] == 1
    assert len(engine.dataset) < 40
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 40


def test_a_batch_that_failed_as_a_whole_ends_the_run(tmp_path, pace):
    count = []

    def function(worker_id, parameters):
        count.append(1)
        return math.nan if len(count) <= 8 else evaluate(worker_id, parameters)

    engine = engine_in(tmp_path, pace, function, evaluators=1)
    with pytest.raises(EvaluationError, match="All 8 evaluations of batch 1 failed"):
        engine.fit(skip_cv_checks=True, verbose=0)
    assert engine._run.search.num_complete == 8
    engine.fit(skip_cv_checks=True, verbose=0)
    check_end(engine)


def test_errors_of_draws_and_classifiers_end_the_run(tmp_path, pace, monkeypatch):
    ensemble = pytest.importorskip("sklearn.ensemble")

    class Refusing(ensemble.RandomForestClassifier):
        is_broken = True

        def fit(self, *args, **kwargs):
            if Refusing.is_broken:
                raise BadCallbackError("not today")
            return super().fit(*args, **kwargs)

    forest = Refusing(n_estimators=3, random_state=0)
    engine = engine_in(tmp_path, pace, classifier=forest)
    with pytest.raises(BadCallbackError):
        engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) >= 8
    Refusing.is_broken = False
    engine.fit(skip_cv_checks=True, verbose=0)
    check_end(engine)

    def refuse(*args):
        raise BadCallbackError("not now")

    engine = engine_in(tmp_path / "draws", pace)
    engine.fit(skip_cv_checks=True, verbose=0, max_seconds=0.05)
    with monkeypatch.context() as patch:
        patch.setattr(engine._run.search.drawing, "draw", refuse)
        with pytest.raises(BadCallbackError):
            engine.fit(skip_cv_checks=True, verbose=0)
    engine.fit(skip_cv_checks=True, verbose=0)
    check_end(engine)


def test_a_disk_that_fails_for_a_moment(tmp_path, pace, monkeypatch):
    engine = engine_in(tmp_path, pace)
    directory, count = engine._run.directory, []
    append = directory.append_scores

    def fail(*args):
        count.append(1)
        if len(count) == 5:
            directory.must_save = directory.has_failed = True
            raise OSError("no space")
        append(*args)

    monkeypatch.setattr(directory, "append_scores", fail)
    with pytest.raises((OSError, SaveDirectoryError), match="no space"):
        engine.fit(skip_cv_checks=True, verbose=0)
    engine.fit(skip_cv_checks=True, verbose=0)
    check_end(engine)
    assert samples_of(engine_in(tmp_path, pace, resume=True)) == samples_of(engine)


def test_stop_from_another_thread(tmp_path, pace):
    engine = engine_in(tmp_path, pace, Dawdling(0))

    def stop():
        while len(engine.dataset) < 11:
            time.sleep(0.001)
        engine.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    engine.fit(skip_cv_checks=True, verbose=0)
    thread.join()
    assert 11 <= len(engine.dataset) < 40
    engine.fit(skip_cv_checks=True, verbose=0)
    check_end(engine)


def test_what_others_may_not_do_meanwhile(tmp_path, pace):
    def misuse(events, *args):
        for call in (
            events.engine.ask,
            lambda: events.engine.enqueue({"x": 1.0}),
            lambda: setattr(events.engine, "total_budget", 50),
            events.engine.restore_data,
        ):
            with pytest.raises(RuntimeError, match="cannot be used while"):
                call()
        assert len(events.engine.predict(num_samples=1)) == 1

    engine = engine_in(tmp_path, pace)
    engine.fit(skip_cv_checks=True, verbose=0, callbacks=Events("on_classifier_begin", misuse))
    check_end(engine)
