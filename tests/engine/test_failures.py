"""What fit makes of evaluations that fail, of workers that die, and of whole batches."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pyshac import EvaluationError, SaveDirectoryError
from tests.engine.engine_helpers import make_engine, restored
from tests.engine.objectives import Attempts, kill_self

FORKED = "multiprocessing"

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


@pytest.fixture
def attempts(tmp_path):
    (tmp_path / "attempts").mkdir()
    return Attempts(tmp_path / "attempts")


def test_fit_catches(tmp_path):
    engine = make_engine(
        tmp_path, lambda i, p: raises_for(p["x"] > 0), total_budget=12, num_batches=2
    )
    engine.fit(catch=ValueError)
    failed = [score != score for score in engine.dataset.Y]
    assert failed == [row[0] > 0 for row in engine.dataset.X]
    assert 0 < sum(failed) < 12
    # Failed samples are saved as such, and never the best.
    assert [score != score for score in restored(tmp_path).dataset.Y] == failed
    assert engine.best_score == 1.0


def raises_for(condition):
    if condition:
        raise ValueError("a bad one")
    return 1.0


def test_failed_samples_are_not_good(tmp_path):
    """Of a batch with failures, the better half of the others is good, and no failure is."""

    def fails_on_the_right(worker_id, parameters):
        return math.nan if parameters["x"] > 1 else -parameters["x"]

    engine = make_engine(
        tmp_path, fails_on_the_right, total_budget=40, num_batches=2, objective="min"
    )
    engine.fit(skip_cv_checks=True)
    # Towards x = 1 the score gets better; beyond there are only failures.
    assert len(engine.classifiers) == 1
    x = [sample["x"] for sample in engine.predict(num_samples=200)]
    assert sum(value > 1.5 for value in x) < 20
    assert sum(-3 < value < 1.5 for value in x) > 150


def test_a_masked_mean_is_a_failed_sample(tmp_path):
    """It holds 0.0, which would be the best of these scores."""

    def diverges_on_the_right(worker_id, parameters):
        losses = [math.nan if parameters["x"] > 1 else 1.0 + abs(parameters["x"])]
        return np.ma.masked_invalid(losses).mean()

    engine = make_engine(
        tmp_path, diverges_on_the_right, total_budget=20, num_batches=2, objective="min"
    )
    engine.fit(skip_cv_checks=True)
    assert any(math.isnan(score) for score in engine.dataset.Y)
    assert engine.best_score >= 1.0
    assert engine.best_parameters["x"] <= 1


def test_masked_scores_that_are_told_are_failed_samples(tmp_path):
    engine = make_engine(tmp_path)
    samples = engine.ask(3)
    engine.tell(samples[:2], np.ma.array([1.0, 2.0], mask=[False, True]))
    engine.tell(samples[2], np.ma.masked)
    assert engine.dataset.Y[0] == 1.0
    assert all(math.isnan(score) for score in engine.dataset.Y[1:])
    assert [score == score for score in restored(tmp_path).dataset.Y] == [True, False, False]


@pytest.mark.parametrize("failure", [math.nan, ValueError])
def test_a_batch_that_fails_as_a_whole_stops_the_run(tmp_path, failure):
    broken = True

    def fails(worker_id, parameters):
        if not broken:
            return parameters["x"]
        if failure is ValueError:
            raise ValueError
        return failure

    engine = make_engine(tmp_path, fails, total_budget=12, num_batches=3)
    with pytest.raises(EvaluationError, match="All 4 evaluations of batch 1 failed") as caught:
        engine.fit(catch=ValueError)
    assert caught.value.sample_id is None
    assert len(restored(tmp_path, total_budget=12, num_batches=3).dataset) == 4
    # Whatever was wrong is mended: the next batch is evaluated.
    broken = False
    engine.fit(catch=ValueError)
    assert len(engine.dataset) == 12
    assert engine.best_score == min(engine.dataset.Y[4:])


def test_a_batch_of_one_may_fail(tmp_path):
    engine = make_engine(tmp_path, lambda i, p: math.nan, total_budget=3, num_batches=3)
    engine.fit()
    assert len(engine.dataset) == 3
    assert engine.best_score is None
    assert engine.best_parameters is None


def test_a_worker_that_is_killed_does_not_change_the_run(tmp_path, attempts):
    def dies_once(worker_id, parameters):
        if attempts.next("all") == 6:
            kill_self()
        return parameters["x"]

    engine = make_engine(
        tmp_path / "a", dies_once, total_budget=12, num_batches=2, backend=FORKED, evaluators=2
    )
    engine.fit(skip_cv_checks=True)
    other = make_engine(tmp_path / "b", lambda i, p: p["x"], total_budget=12, num_batches=2)
    other.fit(skip_cv_checks=True)
    assert engine.dataset.X == other.dataset.X
    assert engine.dataset.Y == other.dataset.Y


def test_results_before_a_death_that_stops_the_run_are_saved(tmp_path, attempts):
    def dies(worker_id, parameters):
        if attempts.next("all") >= 6:
            kill_self()
        return parameters["x"]

    engine = make_engine(tmp_path / "shac", dies, total_budget=12, num_batches=2, backend=FORKED)
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True, retries=0)
    again = restored(tmp_path / "shac", total_budget=12, num_batches=2)
    assert len(again.dataset) == 5


def test_save_directory_errors_come_before_any_evaluation(tmp_path):
    make_engine(tmp_path).save_data()
    calls = []
    engine = make_engine(tmp_path, lambda i, p: calls.append(1))
    with pytest.raises(SaveDirectoryError):
        engine.fit()
    assert calls == []
