"""ask and tell: the same run with a loop of one's own."""

from __future__ import annotations

import contextlib
import math
import random
from collections import OrderedDict

import pytest

from pyshac import Callback, DirectoryInUseError, DiscreteHP, EvaluationError
from pyshac.core.run.run import Run
from tests.engine.engine_helpers import (
    InterruptionError,
    contents,
    evaluate,
    make_engine,
    restored,
    samples_of,
)


def finish(engine, n=None, shuffled=None):
    """The plain loop: ask for n samples at a time, tell their scores, perhaps in another order."""
    while samples := engine.ask(n):
        if shuffled is not None:
            shuffled.shuffle(samples)
        engine.tell(samples, [evaluate(0, sample) for sample in samples], skip_cv_checks=True)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The run of fit that every loop has to repeat."""
    engine = make_engine(tmp_path_factory.mktemp("fitted"))
    engine.fit(skip_cv_checks=True)
    assert len(engine.classifiers) == 2
    return engine


@pytest.mark.parametrize(
    "n", [None, 1, 4, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 5, 6, 100))]
)
def test_the_loop_is_the_same_run_as_fit(tmp_path, fitted, n):
    engine = make_engine(tmp_path)
    finish(engine, n)
    assert samples_of(engine) == samples_of(fitted)
    assert contents(tmp_path) == contents(fitted.save_dir)


@pytest.mark.parametrize("seed", range(3))
def test_scores_may_come_in_any_order(tmp_path, fitted, seed):
    engine = make_engine(tmp_path)
    finish(engine, shuffled=random.Random(seed))
    assert contents(tmp_path) == contents(fitted.save_dir)


def test_scores_may_come_one_by_one_and_last_first(tmp_path, fitted):
    engine = make_engine(tmp_path)
    while samples := engine.ask():
        for sample in reversed(samples):
            engine.tell(sample, evaluate(0, sample), skip_cv_checks=True)
    assert contents(tmp_path) == contents(fitted.save_dir)


def test_ask_in_pieces_gives_what_ask_gives_whole(tmp_path):
    whole = make_engine(tmp_path / "whole").ask()
    engine = make_engine(tmp_path / "pieces")
    pieces = [engine.ask(1), engine.ask(3), engine.ask()]
    assert [len(piece) for piece in pieces] == [1, 3, 2]
    assert sum(pieces, []) == whole  # noqa: RUF017
    assert {type(sample) for sample in whole} == {OrderedDict}


def test_asking_between_telling(tmp_path, fitted):
    """A loop that keeps two evaluations under way at any time."""
    engine = make_engine(tmp_path)
    under_way = []
    while len(engine.dataset) < engine.total_budget:
        try:
            under_way += engine.ask(2 - len(under_way))
        except RuntimeError:
            assert under_way
        sample = under_way.pop()
        engine.tell(sample, evaluate(0, sample), skip_cv_checks=True)
    assert contents(tmp_path) == contents(fitted.save_dir)


def test_every_score_is_on_disk_when_tell_returns(tmp_path):
    engine = make_engine(tmp_path)
    for number, sample in enumerate(engine.ask(4), 1):
        engine.tell(sample, evaluate(0, sample))
        assert samples_of(restored(tmp_path)) == samples_of(engine)
        assert len(engine.dataset) == number


def test_fit_evaluates_what_was_asked_for_but_not_told(tmp_path, fitted):
    engine = make_engine(tmp_path)
    samples = engine.ask(4)
    engine.tell(samples[:2], [evaluate(0, sample) for sample in samples[:2]])
    history = engine.fit(skip_cv_checks=True).history
    assert history["device_ids"][0] == [None, None, 0, 0, 0, 0]
    assert samples_of(engine) == samples_of(fitted)
    with pytest.raises(ValueError, match="has a score already"):
        engine.tell(samples[2], 1.0)


def test_the_loop_goes_on_where_fit_was_stopped(tmp_path, fitted):
    calls = iter(range(100))

    def stopped(worker_id, parameters):
        if next(calls) == 8:
            raise InterruptionError
        return evaluate(worker_id, parameters)

    engine = make_engine(tmp_path, stopped)
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    finish(engine)
    assert contents(tmp_path) == contents(fitted.save_dir)


def test_the_loop_goes_on_after_a_batch_that_was_scored_but_not_learnt_from(tmp_path, fitted):
    class Raising(Callback):
        def on_dataset_changed(self, dataset, logs=None):
            raise InterruptionError

    engine = make_engine(tmp_path)
    with pytest.raises(InterruptionError):
        engine.fit(callbacks=Raising())
    again = restored(tmp_path)
    assert len(again.dataset) == 6
    assert again.classifiers == []
    samples = again.ask()
    assert len(samples) == 6
    assert len(again.dataset) == 6


def test_ask_after_a_restart_gives_the_samples_without_a_score(tmp_path, fitted):
    engine = make_engine(tmp_path)
    samples = engine.ask()
    engine.tell([samples[1], samples[4]], [evaluate(0, samples[1]), evaluate(0, samples[4])])
    again = restored(tmp_path)
    assert again.ask() == [samples[0], samples[2], samples[3], samples[5]]


def test_equal_samples_take_their_scores_in_the_order_of_asking(tmp_path):
    engine = make_engine(
        tmp_path,
        parameters=[DiscreteHP("a", [0, 1])],
        total_budget=8,
        num_batches=1,
        method="paper",
    )
    samples = engine.ask()
    assert {sample["a"] for sample in samples} == {0, 1}
    for number, sample in enumerate(samples):
        engine.tell(sample, float(number), skip_cv_checks=True)
    assert [float(number) for number in range(8)] == engine.dataset.Y


def test_values_are_told_apart_by_their_type(tmp_path):
    engine = make_engine(
        tmp_path, parameters=[DiscreteHP("a", [1, 1.0, True])], total_budget=12, num_batches=1
    )
    samples = engine.ask()
    names = {int: "int", float: "float", bool: "bool"}
    assert {type(sample["a"]) for sample in samples} == set(names)
    for kind, score in ((float, 1.0), (bool, 2.0), (int, 3.0)):
        chosen = [sample for sample in samples if type(sample["a"]) is kind]
        engine.tell(chosen, [score] * len(chosen), skip_cv_checks=True)
    for row, score in zip(engine.dataset.X, engine.dataset.Y, strict=True):
        assert score == {float: 1.0, bool: 2.0, int: 3.0}[type(row[0])]


def test_a_failed_sample_is_told_as_nan(tmp_path):
    engine = make_engine(tmp_path)
    samples = engine.ask()
    scores = [evaluate(0, sample) for sample in samples]
    engine.tell(samples, [math.nan, math.inf, *scores[2:]])
    assert [math.isnan(score) for score in engine.dataset.Y] == [True] * 2 + [False] * 4
    assert engine.best_score == min(scores[2:])
    again = restored(tmp_path)
    assert [math.isnan(score) for score in again.dataset.Y] == [True] * 2 + [False] * 4


def test_a_batch_of_which_every_sample_failed(tmp_path):
    engine = make_engine(tmp_path)
    samples = engine.ask()
    with pytest.raises(EvaluationError, match="All 6 evaluations of batch 1 failed"):
        engine.tell(samples, [math.nan] * 6)
    assert len(restored(tmp_path).dataset) == 6
    assert len(engine.ask()) == 6


def test_equal_samples_after_a_batch_that_failed(tmp_path):
    parameters = [DiscreteHP("c", [1, 2])]
    small = {"total_budget": 8, "num_batches": 4, "pace": "pipeline", "method": "paper"}
    engine = make_engine(tmp_path, parameters=parameters, **small)
    first, second = engine.ask(), engine.ask()
    assert sorted(each["c"] for each in first + second) != [1, 1, 2, 2]
    with pytest.raises(EvaluationError, match="All 2 evaluations of batch 1 failed"):
        engine.tell(first, [math.nan] * 2)
    engine.tell(second, [0.5, 0.75])
    assert [pytest.approx(math.nan, nan_ok=True)] * 2 + [0.5, 0.75] == engine.dataset.Y


def test_asking_when_everything_was_asked_for(tmp_path):
    engine = make_engine(tmp_path)
    samples = engine.ask()
    engine.tell(samples[0], 1.0)
    with pytest.raises(RuntimeError, match="5 have no score yet"):
        engine.ask()
    with pytest.raises(RuntimeError, match="5 have no score yet"):
        engine.ask(1)
    assert len(engine.dataset) == 1


def test_asking_when_the_budget_is_spent(tmp_path, fitted):
    assert restored(fitted.save_dir).ask() == []


def test_telling_what_was_not_asked_for(tmp_path):
    engine = make_engine(tmp_path)
    stranger = {"x": 0.0, "kind": 1, "w": [0.5, 0.5]}
    with pytest.raises(ValueError, match=r"No sample .*'x': 0\.0.* was asked for"):
        engine.tell(stranger, 1.0)
    samples = engine.ask(2)
    with pytest.raises(ValueError, match="was asked for"):
        engine.tell([samples[0], stranger], [1.0, 2.0])
    with pytest.raises(ValueError, match="names"):
        engine.tell({"x": 0.0}, 1.0)
    assert len(engine.dataset) == 0


def test_telling_twice(tmp_path):
    engine = make_engine(tmp_path)
    samples = engine.ask()
    with pytest.raises(ValueError, match="score already"):
        engine.tell([samples[0], samples[0]], [1.0, 2.0])
    assert len(engine.dataset) == 0
    engine.tell(samples[0], 1.0)
    with pytest.raises(ValueError, match="score already"):
        engine.tell(samples[0], 2.0)
    assert engine.dataset.Y == [1.0]


@pytest.mark.parametrize("scores", [[], [1.0], [1.0, 2.0, 3.0]])
def test_telling_another_number_of_scores(tmp_path, scores):
    engine = make_engine(tmp_path)
    samples = engine.ask(2)
    with pytest.raises(ValueError, match=f"Got {len(scores)} scores for 2 samples"):
        engine.tell(samples, scores)
    assert len(engine.dataset) == 0


@pytest.mark.parametrize("score", [None, "0.5", True, [1.0, 2.0], set(), 1j, object()])
def test_telling_what_is_no_number(tmp_path, score):
    engine = make_engine(tmp_path)
    samples = engine.ask(2)
    with pytest.raises(TypeError, match=r"score of sample 1, .*'x'.* must be a number"):
        engine.tell(samples, [1.0, score])
    assert len(engine.dataset) == 0
    engine.tell(samples, [1.0, 2.0])
    assert engine.dataset.Y == [1.0, 2.0]


@pytest.mark.parametrize("parameters", [5, None, "x", ["x"], [5]])
def test_telling_what_is_no_sample(tmp_path, parameters):
    engine = make_engine(tmp_path)
    engine.ask()
    for method in (engine.tell, engine.add):
        with pytest.raises(TypeError, match="parameters must be a mapping from names to values"):
            method(parameters, [1.0])


def test_samples_may_come_from_a_generator(tmp_path):
    engine = make_engine(tmp_path)
    samples = engine.ask()
    engine.tell((sample for sample in samples), range(6))
    assert engine.dataset.Y == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_telling_one_score_for_several_samples(tmp_path):
    engine = make_engine(tmp_path)
    with pytest.raises(TypeError, match="scores must be as many as parameters"):
        engine.tell(engine.ask(2), 1.0)


@pytest.mark.parametrize(
    ("n", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)]
)
def test_asking_for_a_number_that_is_none(tmp_path, n, error):
    engine = make_engine(tmp_path)
    with pytest.raises(error, match=r"n must be an int of at least 1\. Got"):
        engine.ask(n)
    assert contents(tmp_path) == {}


def test_telling_nothing(tmp_path):
    engine = make_engine(tmp_path)
    engine.tell([], [])
    assert len(engine.dataset) == 0


def test_two_engines_cannot_share_a_directory(tmp_path):
    engine = make_engine(tmp_path)
    sample = engine.ask(1)[0]
    other = restored(tmp_path)
    engine.tell(sample, 1.0)
    before = contents(tmp_path)
    with pytest.raises(DirectoryInUseError, match="Another engine has written"):
        other.ask()
    assert contents(tmp_path) == before
    other.restore_data()
    assert len(other.ask()) == 5


@contextlib.contextmanager
def full_disk(journal):
    """A disk on which the journal cannot grow, for root, too."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size, hard))
    try:
        with pytest.raises(OSError, match="File too large.*journal"):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_tell_may_be_repeated_after_a_failure_of_the_disk(tmp_path, fitted):
    engine = make_engine(tmp_path)
    while samples := engine.ask():
        for sample in samples:
            with full_disk(tmp_path / "journal.jsonl"):
                engine.tell(sample, evaluate(0, sample), skip_cv_checks=True)
            engine.tell(sample, evaluate(0, sample), skip_cv_checks=True)
    assert samples_of(engine) == samples_of(fitted)
    assert contents(tmp_path) == contents(fitted.save_dir)


def test_a_score_in_memory_cannot_be_told_otherwise(tmp_path):
    engine = make_engine(tmp_path)
    sample = engine.ask(1)[0]
    with full_disk(tmp_path / "journal.jsonl"):
        engine.tell(sample, 1.0)
    with pytest.raises(ValueError, match=r"has the score 1.0 already. Got 2.0"):
        engine.tell(sample, 2.0)
    # Without a second `tell`, too, the score is there, and its sample is not asked for again.
    assert sample not in engine.ask()
    assert restored(tmp_path).dataset.Y == [1.0]


@pytest.mark.parametrize("skip_cv_checks", [True, False])
def test_ask_after_a_crash_checks_as_tell_was_told_to(tmp_path, monkeypatch, skip_cv_checks):
    """The crash comes between the last score of a batch and its classifier."""
    options = {"skip_cv_checks": skip_cv_checks}
    whole, engine = make_engine(tmp_path / "whole"), make_engine(tmp_path / "shac")
    for run in (whole, engine):
        # Scores from which a classifier comes out that cross validation refuses.
        run.tell(run.ask(5), [0.0, 0.0, 0.0, 1.0, 1.0], **options)
    (last,) = engine.ask()
    monkeypatch.setattr(Run, "close_batch", raise_interruption)
    with pytest.raises(InterruptionError):
        engine.tell(last, 1.0, **options)
    monkeypatch.undo()
    again = restored(tmp_path / "shac")
    (last,) = whole.ask()
    whole.tell(last, 1.0, **options)
    assert whole.ask() == again.ask()
    assert contents(tmp_path / "shac") == contents(tmp_path / "whole")
    assert len(again.classifiers) == int(skip_cv_checks)


def raise_interruption(*arguments):
    raise InterruptionError
