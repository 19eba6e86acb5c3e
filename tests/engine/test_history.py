"""The history that fit returns, and the callbacks it tells."""

from __future__ import annotations

import copy
import csv
import pickle

import pytest

from pyshac import Callback, CSVLogger, History, ProgressBar
from tests.engine.engine_helpers import (
    HISTORY_KEYS,
    InterruptedAt,
    InterruptionError,
    evaluate,
    make_engine,
    restored,
)


class Recorder(Callback):
    """Notes the name of everything it is told, and what came with it."""

    def __init__(self):
        super().__init__()
        self.events = []

    def _note(self, name, *values):
        # Logs grow while an epoch goes on: keep what they are now.
        kept = [dict(value) if isinstance(value, dict) else value for value in values]
        self.events.append((name, *kept))

    def on_train_begin(self, logs=None):
        self._note("train begin", logs)

    def on_train_end(self, logs=None):
        self._note("train end", logs)

    def on_epoch_begin(self, epoch, logs=None):
        self._note("epoch begin", epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._note("epoch end", epoch, logs)

    def on_evaluation_begin(self, params, logs=None):
        self._note("evaluation begin", params, logs)

    def on_evaluation_ended(self, evaluations, logs=None):
        self._note("evaluation ended", evaluations, logs)

    def on_dataset_changed(self, dataset, logs=None):
        self._note("dataset changed", len(dataset), logs)

    @property
    def names(self):
        return [name for name, *_ in self.events]


ONE_EPOCH = [
    "epoch begin",
    "evaluation begin",
    "evaluation ended",
    "dataset changed",
    "epoch end",
]


def test_history_has_one_entry_an_epoch(tmp_path):
    engine = make_engine(tmp_path)
    result = engine.fit(skip_cv_checks=True)
    assert type(result) is History
    assert type(result.history) is dict
    assert set(result.history) == HISTORY_KEYS
    assert result.history["begin_run_index"] == 0
    assert result.epochs == [1, 2, 3]
    for key in HISTORY_KEYS - {"begin_run_index"}:
        assert type(result.history[key]) is list
        assert len(result.history[key]) == 3

    history = result.history
    rows = [list(parameters.values()) for batch in history["parameters"] for parameters in batch]
    assert [[x, kind, *w] for x, kind, w in rows] == engine.dataset.X
    assert [score for batch in history["evaluations"] for score in batch] == engine.dataset.Y
    assert history["device_ids"] == [[0] * 6] * 3
    assert history["dataset_index"] == [0, 6, 12]
    assert history["cascade_in_force"] == [0, 1, 2]
    assert history["model"] == [*engine.classifiers, None]
    assert history["generator_threads"] == [1, 1, 1]
    assert history["per_classifier_budget"] == [6, 6, 6]


def test_history_of_a_run_that_is_continued(tmp_path):
    engine = make_engine(tmp_path, InterruptedAt(9))
    with pytest.raises(RuntimeError):
        engine.fit(skip_cv_checks=True)
    result = restored(tmp_path).fit(skip_cv_checks=True)
    assert result.history["begin_run_index"] == 8
    assert result.epochs == [2, 3]
    # The epoch that was cut is there as a whole, with what was evaluated before.
    assert [len(batch) for batch in result.history["evaluations"]] == [6, 6]
    assert result.history["device_ids"] == [[0] * 6, [0] * 6]


def test_history_of_a_failed_run_ends_with_its_last_whole_epoch(tmp_path):
    history = History()
    engine = make_engine(tmp_path, InterruptedAt(9))
    with pytest.raises(RuntimeError):
        engine.fit(callbacks=[history])
    assert history.epochs == [1]
    assert len(history.history["evaluations"]) == 1


def test_a_history_of_the_users_own_is_the_one_returned(tmp_path):
    mine = History()
    engine = make_engine(tmp_path, total_budget=6, num_batches=1)
    assert engine.fit(callbacks=[mine]) is mine
    assert len(mine.history["evaluations"]) == 1


@pytest.mark.parametrize("wrap", [lambda callback: callback, lambda callback: [callback], iter])
def test_callbacks_may_be_one_or_several(tmp_path, wrap):
    recorder = Recorder()
    callbacks = wrap([recorder]) if wrap is iter else wrap(recorder)
    make_engine(tmp_path, total_budget=6, num_batches=1).fit(callbacks=callbacks)
    assert recorder.names == ["train begin", *ONE_EPOCH, "train end"]


def test_callbacks_are_told_in_order(tmp_path):
    recorder = Recorder()
    engine = make_engine(tmp_path)
    result = engine.fit(skip_cv_checks=True, callbacks=[recorder])
    assert recorder.engine is engine
    assert recorder.names == ["train begin", *ONE_EPOCH * 3, "train end"]

    events = recorder.events[1:6]
    assert recorder.events[0] == ("train begin", {"begin_run_index": 0})
    assert events[0] == (
        "epoch begin",
        1,
        {"generator_threads": 1, "per_classifier_budget": 6},
    )
    assert events[1][1] == result.history["parameters"][0]
    assert set(events[1][2]) >= {"parameters", "generator_threads"}
    assert events[2][1] == result.history["evaluations"][0]
    assert set(events[2][2]) >= {"evaluations", "device_ids", "dataset_index"}
    assert events[3][1] == 6
    assert events[4][1] == 1
    assert set(events[4][2]) == HISTORY_KEYS - {"begin_run_index"}
    assert recorder.events[-1] == ("train end", result.history)


def test_several_callbacks_are_told_in_the_order_of_the_list(tmp_path):
    told = []

    class Named(Callback):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def on_epoch_end(self, epoch, logs=None):
            told.append((self.name, epoch))

    callbacks = [Named("a"), Named("b")]
    make_engine(tmp_path, total_budget=12, num_batches=2).fit(callbacks=callbacks)
    assert told == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert [callback.name for callback in callbacks] == ["a", "b"]


def test_the_epoch_is_saved_before_its_end_is_told(tmp_path):
    seen = []

    class Restoring(Callback):
        def on_epoch_end(self, epoch, logs=None):
            again = restored(tmp_path)
            seen.append((epoch, len(again.dataset), len(again.classifiers)))

    make_engine(tmp_path).fit(skip_cv_checks=True, callbacks=Restoring())
    assert seen == [(1, 6, 1), (2, 12, 2), (3, 18, 2)]


def test_spent_budget_tells_begin_and_end(tmp_path):
    make_engine(tmp_path, total_budget=6, num_batches=1).fit()
    recorder = Recorder()
    engine = restored(tmp_path, total_budget=6, num_batches=1)
    result = engine.fit(callbacks=[recorder])
    assert recorder.names == ["train begin", "train end"]
    assert result.history["begin_run_index"] == 6
    assert result.epochs == []


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    engine = make_engine(tmp_path_factory.mktemp("whole"))
    engine.fit(skip_cv_checks=True)
    return engine


@pytest.mark.parametrize(
    "event",
    [
        "on_train_begin",
        pytest.param("on_epoch_begin", marks=pytest.mark.slow),
        pytest.param("on_draw_begin", marks=pytest.mark.slow),
        pytest.param("on_draw_end", marks=pytest.mark.slow),
        pytest.param("on_evaluation_begin", marks=pytest.mark.slow),
        "on_sample_begin",
        pytest.param("on_sample_end", marks=pytest.mark.slow),
        "on_evaluation_ended",
        pytest.param("on_dataset_changed", marks=pytest.mark.slow),
        pytest.param("on_classifier_begin", marks=pytest.mark.slow),
        "on_classifier_end",
        "on_epoch_end",
        pytest.param("on_train_end", marks=pytest.mark.slow),
    ],
)
def test_a_callback_that_raises_stops_the_run_and_loses_nothing(tmp_path, event, uninterrupted):
    class Raising(Callback):
        def __init__(self):
            super().__init__()
            self.told = 0

        def raise_the_second_time(self, *args, **kwargs):
            self.told += 1
            if self.told == 2 or "train" in event:
                raise InterruptionError(event)

    callback = Raising()
    setattr(callback, event, callback.raise_the_second_time)
    engine = make_engine(tmp_path / "cut")
    with pytest.raises(InterruptionError, match=event):
        engine.fit(skip_cv_checks=True, callbacks=callback)

    before_evaluation = ["on_epoch_begin", "on_draw_begin", "on_draw_end", "on_evaluation_begin"]
    # The sample that is about to start when a callback raises does not start.
    evaluated = {"on_train_end": 18, "on_sample_begin": 1, "on_sample_end": 2}
    evaluated |= dict.fromkeys(before_evaluation, 6)
    if event != "on_train_begin":
        again = restored(tmp_path / "cut")
        assert len(again.dataset) == evaluated.get(event, 12)
        again.fit(skip_cv_checks=True)
        assert again.dataset.X == uninterrupted.dataset.X
    # The engine whose run was cut can go on as well, unless the directory was taken over.
    other = make_engine(tmp_path / "same")
    callback.told = 0
    with pytest.raises(InterruptionError):
        other.fit(skip_cv_checks=True, callbacks=callback)
    other.fit(skip_cv_checks=True)
    assert other.dataset.X == uninterrupted.dataset.X


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    engine = make_engine(tmp_path / "shac")
    history = engine.fit(skip_cv_checks=True, callbacks=[CSVLogger(path)]).history
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["epoch"] for line in lines] == ["1", "2", "3"]
    assert set(lines[0]) == {"epoch", *HISTORY_KEYS} - {"begin_run_index", "model"}
    for line, scores in zip(lines, history["evaluations"], strict=True):
        assert line["evaluations"] == str(scores)
        assert line["device_ids"] == "[0, 0, 0, 0, 0, 0]"


@pytest.mark.parametrize("append", [False, True])
def test_csv_logger_of_a_continued_run(tmp_path, append):
    path = tmp_path / "log.csv"
    engine = make_engine(tmp_path / "shac", InterruptedAt(13))
    with pytest.raises(RuntimeError):
        engine.fit(skip_cv_checks=True, callbacks=[CSVLogger(path, separator=";")])
    again = restored(tmp_path / "shac", function=evaluate)
    again.fit(skip_cv_checks=True, callbacks=[CSVLogger(path, separator=";", append=append)])
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file, delimiter=";"))
    assert lines[0][0] == "epoch"
    assert [line[0] for line in lines[1:]] == (["1", "2", "3"] if append else ["3"])


def test_callbacks_must_be_callbacks(tmp_path):
    engine = make_engine(tmp_path)
    with pytest.raises(TypeError, match="callbacks must hold callbacks"):
        engine.fit(callbacks=[lambda: None])
    assert len(engine.dataset) == 0


def test_history_keeps_what_a_callback_makes_of_parameters(tmp_path):
    class Notes(Callback):
        def on_evaluation_ended(self, evaluations, logs=None):
            logs["parameters"][1]["note"] = "slow"

    batches = (
        make_engine(tmp_path).fit(skip_cv_checks=True, callbacks=Notes()).history["parameters"]
    )
    assert [[sample.get("note") for sample in batch[:3]] for batch in batches] == (
        [[None, "slow", None]] * 3
    )


@pytest.mark.parametrize("evaluators", [1, 2])
def test_nobody_sees_the_changes_that_another_makes_to_parameters(tmp_path, evaluators):
    """Neither an evaluation in this process nor a callback changes what others get."""
    seen = []

    def spoils(worker_id, parameters):
        score = evaluate(worker_id, parameters)
        parameters.pop("x")
        parameters["w"].append("a model")
        return score

    class Spoiling(Callback):
        def on_evaluation_begin(self, params, logs=None):
            params.pop()
            params[0]["w"].clear()

        def on_sample_begin(self, id, logs=None):
            logs["parameters"].clear()

        def on_sample_end(self, id, score, logs=None):
            logs["parameters"]["w"].clear()
            logs["failure"] = "none"

        def on_evaluation_ended(self, evaluations, logs=None):
            evaluations.sort()
            evaluations.pop()

    class Watching(Callback):
        def note(self, *args):
            seen.append(args[-1])

        on_sample_begin = on_sample_end = note

    engine = make_engine(tmp_path / "spoilt", spoils, evaluators=evaluators)
    history = engine.fit(skip_cv_checks=True, callbacks=[Spoiling(), Watching()]).history
    other = make_engine(tmp_path / "whole", evaluators=evaluators)
    whole = other.fit(skip_cv_checks=True).history
    assert history["parameters"] == whole["parameters"]
    assert history["evaluations"] == whole["evaluations"]
    assert engine.dataset.X == other.dataset.X
    assert len(seen) == 36
    for logs in seen:
        assert list(logs["parameters"]) == ["x", "kind", "w"]
        assert len(logs["parameters"]["w"]) == 2
        assert logs.get("failure") is None


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_callbacks_can_be_copied_without_their_engine(tmp_path, copied):
    engine = make_engine(tmp_path / "shac")
    callbacks = [ProgressBar(), CSVLogger(tmp_path / "log.csv")]
    history = engine.fit(skip_cv_checks=True, callbacks=callbacks)
    again = copied(history)
    assert again.engine is None
    assert history.engine is engine
    assert again.epochs == history.epochs
    for key in HISTORY_KEYS - {"model"}:
        assert again.history[key] == history.history[key]
    bar, logger = map(copied, callbacks)
    assert (bar.engine, logger.filename) == (None, str(tmp_path / "log.csv"))
    other = make_engine(tmp_path / "other", total_budget=6, num_batches=1)
    other.fit(callbacks=[bar, logger, again])
    assert again.epochs == [1]
