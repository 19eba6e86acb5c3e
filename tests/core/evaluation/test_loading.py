"""Loading the evaluation function in a worker: no part of an evaluation, and not without end."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor

import pytest

from pyshac import EvaluationError, EvaluationTimeoutError
from pyshac.core.evaluation import time_limit
from pyshac.core.evaluation.worker import Evaluator
from tests.core.evaluation.slot_runs import FORKED, run, scores

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")

# The executor of another program, or one of the engine's own.
PLACES = [FORKED, "processes", pytest.param("loky", marks=pytest.mark.slow)]


@pytest.fixture
def place(backend):
    if backend != "processes":
        yield backend
        return
    with ProcessPoolExecutor(1) as executor:
        yield executor


class SlowToLoad:
    """Stands for a module whose import takes a while."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __reduce__(self):
        return (spend, (self.seconds,))


def spend(seconds):
    """Python code, as imports are."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)
    return seconds


class SlowToPrepare(Evaluator):
    def prepare(self):
        spend(1.5)


@pytest.mark.parametrize("backend", PLACES)
def test_loading_the_function_does_not_count_as_evaluating(place):
    slow = SlowToLoad(1.5)
    outcomes = run(lambda i, p: p["x"] + slow, 2, 1, place, timeout=0.7)
    assert scores(outcomes) == [1.5, 2.5]


@pytest.mark.slow
@pytest.mark.parametrize("backend", PLACES)
def test_importing_a_framework_does_not_count_as_evaluating(place):
    outcomes = run(lambda i, p: p["x"], 2, 1, place, evaluator=SlowToPrepare(), timeout=0.7)
    assert scores(outcomes) == [0.0, 1.0]


@pytest.mark.parametrize("backend", [FORKED, pytest.param("processes", marks=pytest.mark.slow)])
def test_an_evaluation_that_hangs_after_slow_loading_is_ended(place):
    slow = SlowToLoad(1.0)
    with pytest.raises(EvaluationError, match=r"took longer than 0\.5 s"):
        run(lambda i, p: slow and spend(60), 1, 1, place, timeout=0.5)


@pytest.mark.parametrize("backend", [FORKED, pytest.param("processes", marks=pytest.mark.slow)])
def test_loading_that_hangs_stops_the_run(place, monkeypatch):
    """Even if time limits are caught: it would hang for every sample."""
    monkeypatch.setattr(time_limit, "LOADING_SECONDS", 1.0)
    slow = SlowToLoad(60)
    with pytest.raises(EvaluationError, match=r"Loading the .* longer than 1\.0 s") as caught:
        run(lambda i, p: slow, 2, 1, place, timeout=0.1, catch=(EvaluationTimeoutError,))
    assert type(caught.value.__cause__) is EvaluationTimeoutError


def test_the_limit_of_loading_is_generous():
    assert time_limit.loading_limit(None) is None
    assert time_limit.loading_limit(1.0) == 600.0
    assert time_limit.loading_limit(7200.0) == 7200.0
