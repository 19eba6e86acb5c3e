"""Slots: one lease each, scores, exceptions, and the processes in which they run."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

import joblib
import pytest

from pyshac import EvaluationError
from pyshac.core.basics.threads import thread_variables
from pyshac.core.evaluation.backends import get_backend
from pyshac.core.evaluation.failures import FailurePolicy
from pyshac.core.evaluation.worker import Evaluator
from tests.core.evaluation.slot_runs import (
    BACKENDS,
    FORKED,
    PROCESSES,
    collect,
    is_running,
    run,
    scores,
    slot_pool,
    tasks,
)
from tests.engine.objectives import BadLearningRateError, raises_at_two

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


# Scores


@pytest.mark.parametrize(
    ("backend", "slots"),
    [
        ("loky", 2),
        ("multiprocessing", 1),
        ("multiprocessing", 2),
        ("threading", 1),
        ("threading", 2),
    ],
)
def test_every_sample_is_evaluated_once(backend, slots):
    outcomes = run(lambda worker_id, p: p["x"] ** 2, 5, slots, backend)
    assert scores(outcomes) == [0.0, 1.0, 4.0, 9.0, 16.0]
    assert {outcome.worker_id for outcome in outcomes.values()} <= set(range(slots))
    assert all(outcome.failure is None for outcome in outcomes.values())


def test_no_samples():
    assert run(lambda worker_id, p: 1.0, 0) == {}


def test_outcomes_arrive_one_by_one():
    """Each score is handed over before its slot gets another sample."""
    started = []

    def noting(worker_id, p):
        started.append(p["x"])
        return p["x"]

    pool = slot_pool(noting, 1, "threading")
    with pool:
        for number, outcomes in enumerate(pool.run(tasks(4))):
            assert [outcome.task.id for outcome in outcomes] == [number]
            assert len(started) == number + 1


def test_a_free_slot_does_not_wait_for_the_others():
    """One long evaluation in slot 0, while slot 1 goes through all the rest."""
    others_done = threading.Event()
    done = []

    def waits(worker_id, p):
        if p["x"] == 0:
            assert others_done.wait(30)
        else:
            done.append(p["x"])
            if len(done) == 5:
                others_done.set()
        return float(worker_id)

    outcomes = run(waits, 6, 2, "threading")
    assert scores(outcomes) == [0.0] + [1.0] * 5


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("backend", [FORKED, "threading"])
def test_scores_that_are_not_finite_are_failed_samples(backend, score, caplog):
    outcomes = run(lambda worker_id, p: score if p["x"] == 1 else 1.0, 3, 1, backend)
    assert [math.isnan(value) for value in scores(outcomes)] == [False, True, False]
    assert outcomes[1].failure == "its score is not finite"
    assert "Sample 1 failed: its score is not finite" in caplog.text


@pytest.mark.parametrize("backend", [FORKED, "threading"])
@pytest.mark.parametrize("score", [None, "1.0", True, [1.0], 1j])
def test_scores_that_are_no_numbers_stop_the_run(backend, score):
    done = []
    pool = slot_pool(lambda i, p: score if p["x"] == 2 else 1.0, 1, backend)
    with pytest.raises(TypeError, match=r"score of sample 2, \{'x': 2\.0\}, must be a number"):
        collect(pool, 4, done)
    assert [outcome.task.id for outcome in done] == [0, 1]


def test_no_number_is_not_caught():
    """A function without a return statement is a mistake, not a failed sample."""
    with pytest.raises(TypeError, match="must be a number. Got None"):
        run(lambda worker_id, p: None, catch=(Exception,))


# Exceptions


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_exception_stops_the_run_and_says_where(backend):
    done = []
    pool = slot_pool(raises_at_two, 1, backend)
    with pytest.raises(EvaluationError) as caught:
        collect(pool, 5, done)
    assert [outcome.task.id for outcome in done] == [0, 1]
    error = caught.value
    assert str(error) == (
        "The evaluation of sample 2 in slot 0 raised ValueError: diverged. "
        "Its parameters: {'x': 2.0}"
    )
    assert (error.sample_id, error.worker_id, error.parameters) == (2, 0, {"x": 2.0})
    assert type(error.__cause__) is ValueError
    assert str(error.__cause__) == "diverged"
    # The traceback of the worker leads to the line that raised.
    text = "".join(traceback.format_exception(error))
    assert "raises_at_two" in text
    assert 'raise ValueError("diverged")' in text


def test_evaluations_that_are_running_are_still_brought_in():
    may_end = threading.Event()

    def raises(worker_id, p):
        if p["x"] == 0:
            may_end.set()
            raise ValueError
        assert may_end.wait(30)
        time.sleep(0.05)
        return p["x"]

    done = []
    pool = slot_pool(raises, 3, "threading")
    with pytest.raises(EvaluationError):
        collect(pool, 20, done)
    assert {outcome.task.id for outcome in done} >= {1, 2}
    assert len(done) < 19


@pytest.mark.parametrize("backend", [FORKED, "threading"])
def test_exceptions_that_are_caught_are_failed_samples(backend, caplog):
    outcomes = run(raises_at_two, 4, 1, backend, catch=(ValueError,))
    assert [math.isnan(score) for score in scores(outcomes)] == [False, False, True, False]
    assert outcomes[2].failure == "ValueError: diverged"
    assert "Sample 2 failed: ValueError: diverged" in caplog.text


def test_subclasses_are_caught_and_others_are_not():
    def raises(worker_id, p):
        raise BadLearningRateError("0.5") if p["x"] == 1 else KeyError("missing")

    with pytest.raises(EvaluationError, match="raised KeyError: 'missing'"):
        run(raises, catch=(ValueError,))
    assert math.isnan(run(raises, 2, catch=(ValueError, KeyError))[1].score)


def test_an_exception_that_cannot_travel():
    class UnpicklableError(Exception):
        def __init__(self, message, lock):
            super().__init__(message)
            self.lock = lock

    def raises(worker_id, p):
        raise UnpicklableError("holds a lock", threading.Lock())

    with pytest.raises(EvaluationError, match="UnpicklableError: holds a lock"):
        run(raises)
    outcomes = run(raises, 1, catch=(UnpicklableError,))
    assert "UnpicklableError: holds a lock" in outcomes[0].failure


@pytest.mark.parametrize(
    ("backend", "slots"),
    [("loky", 1), ("multiprocessing", 2), ("threading", 1), ("threading", 2)],
)
def test_sys_exit_ends_the_program(backend, slots):
    def exits(worker_id, p):
        if p["x"] == 1:
            sys.exit("enough")
        return 1.0

    with pytest.raises(SystemExit, match="enough"):
        run(exits, 4, slots, backend)


@pytest.mark.parametrize("backend", [FORKED, "threading"])
@pytest.mark.parametrize("slots", [1, 2])
def test_keyboard_interrupt_from_an_evaluation(backend, slots):
    def interrupted(worker_id, p):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted, 4, slots, backend)


def test_sys_exit_can_be_caught():
    def exits(worker_id, p):
        sys.exit(3)

    outcomes = run(exits, 2, catch=(SystemExit,))
    assert all(math.isnan(score) for score in scores(outcomes))


# Processes


def test_processes_stay_warm_unless_fresh_ones_are_asked_for():
    def process(worker_id, p):
        return float(os.getpid())

    warm = run(process, 4, 2)
    for worker_id in range(2):
        assert len({o.score for o in warm.values() if o.worker_id == worker_id}) == 1
    fresh = run(process, 4, 2, fresh_process=True)
    assert len(set(scores(fresh))) == 4
    assert float(os.getpid()) not in {*scores(warm), *scores(fresh)}


def test_state_lasts_in_a_warm_process_only():
    def counts(worker_id, p):
        import builtins

        builtins.calls = getattr(builtins, "calls", 0) + 1
        return float(builtins.calls)

    assert scores(run(counts, 3)) == [1.0, 2.0, 3.0]
    assert scores(run(counts, 3, fresh_process=True)) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("backend", "raises"),
    [("loky", True), ("multiprocessing", True), ("multiprocessing", False)],
)
def test_workers_are_gone_afterwards(backend, raises, tmp_path):
    def noting(worker_id, p):
        (tmp_path / str(os.getpid())).touch()
        if raises and p["x"] == 2:
            raise ValueError
        return p["x"]

    if raises:
        with pytest.raises(EvaluationError):
            run(noting, 4, 2, backend)
    else:
        run(noting, 4, 2, backend)
    processes = [int(path.name) for path in tmp_path.iterdir()]
    assert processes
    deadline = time.monotonic() + 30
    while any(map(is_running, processes)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_threads_are_shared_out(monkeypatch):
    """As many threads for each worker as there are cores for it, unless the user has decided."""
    for name in thread_variables({}, 1):
        monkeypatch.delenv(name, raising=False)

    def threads(worker_id, p):
        return float(os.environ["OMP_NUM_THREADS"]) + 100 * float(os.environ["MKL_NUM_THREADS"])

    share = max(1, joblib.cpu_count() // 2)
    for backend in PROCESSES:
        assert scores(run(threads, 1, 2, backend)) == [101 * share]
    assert "OMP_NUM_THREADS" not in os.environ
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    for backend in PROCESSES:
        assert scores(run(threads, 1, 2, backend)) == [707.0]
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    for backend in PROCESSES:
        assert scores(run(lambda *_: float(os.environ["NUMBA_NUM_THREADS"]), 1, 2, backend)) == [3]


def test_an_executor_keeps_its_threads(monkeypatch):
    names = list(thread_variables({}, 1))
    for name in names:
        monkeypatch.delenv(name, raising=False)
    with ProcessPoolExecutor(1) as executor:
        found = run(lambda *_: sum(name in os.environ for name in names), 1, 1, executor)
    assert scores(found) == [0]


def test_the_evaluator_surrounds_the_function():
    class Doubling(Evaluator):
        def __call__(self, function, task, worker_id):
            return 2 * function(worker_id, task.parameters) + 100 * task.id

    assert scores(run(lambda i, p: p["x"] + 0.5, 3, evaluator=Doubling())) == [1.0, 103.0, 205.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_slots_are_numbered_from_zero_and_start_nothing_yet(backend):
    function = lambda worker_id, p: 1.0  # noqa: E731
    slots = get_backend(backend).open(Evaluator(), function, 3, FailurePolicy()).slots
    assert [slot.worker_id for slot in slots] == [0, 1, 2]
    assert [slot.started() for slot in slots] == [None] * 3
    for slot in slots:
        slot.end()
