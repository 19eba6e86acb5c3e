"""What fails after the evaluation function has returned costs a warning, and never the score."""

from __future__ import annotations

import math
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pyshac import EvaluationError
from pyshac.core.evaluation.worker import Evaluator
from pyshac.core.evaluation.worker_memory import SETTLING_EVALUATIONS, MemoryWatch
from tests.core.evaluation.slot_runs import BACKENDS, FORKED, run, scores

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


class FailingCleanup(Evaluator):
    """Raises after each evaluation, as a framework does whose device is lost."""

    def __init__(self, error=OSError, seconds=0.0):
        self.error = error
        self.seconds = seconds

    def __call__(self, function, task, worker_id):
        try:
            return function(worker_id, task.parameters)
        finally:
            deadline = time.monotonic() + self.seconds
            while time.monotonic() < deadline:
                pass
            if self.error is not None:
                raise self.error("the device is lost")


class FailingPreparation(Evaluator):
    def prepare(self):
        raise ImportError("no framework")


@pytest.mark.parametrize("error", [OSError, SystemExit])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_clean_up_that_fails_leaves_the_score(backend, error):
    outcomes = run(lambda i, p: p["x"], 3, 1, backend, evaluator=FailingCleanup(error))
    assert scores(outcomes) == [0.0, 1.0, 2.0]


def test_a_clean_up_that_fails_is_logged(caplog):
    run(lambda i, p: p["x"], 1, 1, "threading", evaluator=FailingCleanup())
    expected = (
        "Sample 0 has its score, but cleaning up after it failed: OSError: the device is lost"
    )
    assert expected in caplog.text


@pytest.mark.parametrize("backend", [FORKED, "threading"])
def test_the_error_of_the_function_counts_not_that_of_the_clean_up(backend):
    def raises(worker_id, p):
        raise ValueError("diverged")

    with pytest.raises(EvaluationError, match="raised ValueError: diverged"):
        run(raises, 1, 1, backend, evaluator=FailingCleanup())
    outcomes = run(raises, 1, 1, backend, evaluator=FailingCleanup(), catch=(ValueError,))
    assert outcomes[0].failure == "ValueError: diverged"


def test_a_clean_up_that_takes_too_long_leaves_the_score():
    """Where a time limit interrupts evaluations."""
    with ThreadPoolExecutor(1) as executor:
        slow = FailingCleanup(None, 60.0)
        outcomes = run(lambda i, p: p["x"], 2, 1, executor, evaluator=slow, timeout=0.5)
    assert scores(outcomes) == [0.0, 1.0]


@pytest.mark.parametrize("backend", [FORKED, "threading"])
def test_a_preparation_that_fails_is_left_to_the_evaluation(backend):
    assert scores(run(lambda i, p: p["x"], 2, 1, backend, evaluator=FailingPreparation())) == [0, 1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file descriptors of Linux")
@pytest.mark.parametrize("backend", [FORKED, pytest.param("loky", marks=pytest.mark.slow)])
def test_a_worker_without_free_file_descriptors_still_hands_over_scores(backend):
    def takes_all(worker_id, p):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        try:
            while True:
                os.dup(0)
        except OSError:
            return p["x"]

    outcomes = run(takes_all, SETTLING_EVALUATIONS + 2, 1, backend)
    assert scores(outcomes) == [float(x) for x in range(SETTLING_EVALUATIONS + 2)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file descriptors of Linux")
def test_an_error_is_told_without_free_file_descriptors():
    def takes_all(worker_id, p):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        while True:
            os.dup(0)

    outcomes = run(takes_all, 2, 1, catch=(OSError,))
    assert all(math.isnan(score) for score in scores(outcomes))
    assert "Too many open files" in outcomes[0].failure


def test_memory_that_could_not_be_measured_is_no_measurement():
    watch, other = MemoryWatch(), MemoryWatch()
    for held in (100, 200, 300, 400):
        watch.add(None)
        watch.add(held)
        other.add(held)
    assert (watch.baseline, watch.held, watch.is_due()) == (other.baseline, 400, other.is_due())
