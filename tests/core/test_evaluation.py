"""Slots: one lease each, failures of every kind, deaths, time limits, and what stops a run."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import OrderedDict
from pathlib import Path

import joblib
import pytest

from pyshac import (
    EvaluationError,
    EvaluationTimeoutError,
    SaveDirectoryError,
    WorkerDiedError,
)
from pyshac.core.evaluation import FailurePolicy, SlotPool
from pyshac.core.slots import make_slots
from pyshac.core.worker import Evaluator, Task, Worker
from tests.engine.engine_helpers import ROOT, make_engine, restored
from tests.engine.objectives import Attempts, BadLearningRateError, kill_self, raises_at_two

PROCESSES = ["loky", "multiprocessing"]
BACKENDS = [*PROCESSES, "threading"]
# Forked workers start at once: what does not depend on the backend is tested with them.
FORKED = "multiprocessing"

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


def tasks(number):
    return [Task(index, OrderedDict(x=float(index))) for index in range(number)]


def run(function, number=4, slots=1, backend=FORKED, evaluator=None, **policy):
    """Evaluates x = 0, 1, ... and returns the outcomes by number of their sample."""
    pool = SlotPool(evaluator or Evaluator(), function, slots, backend, FailurePolicy(**policy))
    with pool:
        outcomes = [outcome for arrived in pool.run(tasks(number)) for outcome in arrived]
    assert len({outcome.task.id for outcome in outcomes}) == len(outcomes)
    return {outcome.task.id: outcome for outcome in outcomes}


def collect(pool, number, done):
    """Evaluates samples and adds the outcomes to `done`, as far as it gets."""
    with pool:
        for outcomes in pool.run(tasks(number)):
            done += outcomes


def scores(outcomes):
    return [outcomes[number].score for number in sorted(outcomes)]


@pytest.fixture
def attempts(tmp_path):
    (tmp_path / "attempts").mkdir()
    return Attempts(tmp_path / "attempts")


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

    pool = SlotPool(Evaluator(), noting, 1, "threading", FailurePolicy())
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
    pool = SlotPool(
        Evaluator(), lambda i, p: score if p["x"] == 2 else 1.0, 1, backend, FailurePolicy()
    )
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
    pool = SlotPool(Evaluator(), raises_at_two, 1, backend, FailurePolicy())
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
    pool = SlotPool(Evaluator(), raises, 3, "threading", FailurePolicy())
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


# Deaths


@pytest.mark.parametrize(
    ("backend", "slots"), [("loky", 1), ("multiprocessing", 1), ("multiprocessing", 2)]
)
def test_a_worker_that_dies_is_replaced_and_its_sample_tried_again(
    backend, slots, attempts, caplog
):
    def dies_once(worker_id, p):
        if p["x"] == 1 and attempts.next(p["x"]) == 1:
            kill_self()
        return p["x"]

    outcomes = run(dies_once, 5, slots, backend)
    assert scores(outcomes) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert attempts.of(1.0) == 2
    assert "died while it evaluated sample 1; trying it again, alone" in caplog.text


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_worker_that_dies_again_and_again(retries, attempts):
    def dies(worker_id, p):
        if p["x"] == 1:
            attempts.next(p["x"])
            os._exit(3)
        return p["x"]

    with pytest.raises(EvaluationError, match=rf"sample 1 .*\({retries + 1} times\)") as caught:
        run(dies, 4, 1, retries=retries)
    assert type(caught.value.__cause__) is WorkerDiedError
    assert caught.value.sample_id == 1
    assert attempts.of(1.0) == retries + 1


def test_all_others_are_evaluated_before_a_death_is_tried_again(attempts):
    """What dies for want of memory is tried alone, when nothing else runs."""

    def dies_once(worker_id, p):
        if p["x"] == 0 and attempts.next(p["x"]) == 1:
            kill_self()
        return p["x"]

    order = []
    pool = SlotPool(Evaluator(), dies_once, 2, FORKED, FailurePolicy())
    with pool:
        for outcomes in pool.run(tasks(6)):
            order += [outcome.task.id for outcome in outcomes]
    assert order[-1] == 0
    assert sorted(order) == list(range(6))


def test_deaths_can_be_caught(attempts):
    def dies(worker_id, p):
        if p["x"] == 1:
            kill_self()
        return p["x"]

    outcomes = run(dies, 3, 1, retries=0, catch=(WorkerDiedError,))
    assert [math.isnan(score) for score in scores(outcomes)] == [False, True, False]
    assert "died while it evaluated sample 1" in outcomes[1].failure


def test_the_other_slots_go_on_when_one_dies():
    def dies(worker_id, p):
        if p["x"] == 0:
            kill_self()
        time.sleep(0.02)
        return float(os.getpid())

    outcomes = run(dies, 8, 2, retries=0, catch=(WorkerDiedError,))
    processes = {o.worker_id: set() for o in outcomes.values()}
    for outcome in outcomes.values():
        if not math.isnan(outcome.score):
            processes[outcome.worker_id].add(outcome.score)
    # The slot that did not die kept its process.
    assert len(processes[1]) == 1


# Time limits


@pytest.mark.parametrize("backend", PROCESSES)
def test_a_time_limit_ends_an_evaluation(backend):
    def hangs(worker_id, p):
        if p["x"] == 1:
            time.sleep(600)
        return p["x"]

    began = time.monotonic()
    with pytest.raises(EvaluationError, match=r"sample 1 .*took longer than 0\.3 s") as caught:
        run(hangs, 3, 1, backend, timeout=0.3)
    assert type(caught.value.__cause__) is EvaluationTimeoutError
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert time.monotonic() - began < 120


@pytest.mark.parametrize("error", [EvaluationTimeoutError, TimeoutError])
def test_a_time_limit_can_make_failed_samples(error):
    def hangs(worker_id, p):
        if p["x"] % 2:
            time.sleep(600)
        return p["x"]

    outcomes = run(hangs, 4, 2, timeout=0.3, catch=(error,))
    assert [math.isnan(score) for score in scores(outcomes)] == [False, True, False, True]
    assert "took longer than 0.3 s" in outcomes[1].failure


def test_what_is_over_the_limit_is_not_retried(attempts):
    def hangs(worker_id, p):
        attempts.next(p["x"])
        time.sleep(600)

    run(hangs, 1, 1, timeout=0.2, retries=5, catch=(TimeoutError,))
    assert attempts.of(0.0) == 1


def test_the_limit_counts_from_the_start_of_an_evaluation():
    """Waiting for a slot, and for its process to start, is not evaluating."""
    began = time.monotonic()
    outcomes = run(lambda i, p: time.sleep(0.25) or p["x"], 6, 2, timeout=0.6)
    assert time.monotonic() - began > 0.6
    assert scores(outcomes) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


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


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # A process that has ended but was not waited for still has a number.
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_threads_are_shared_out(monkeypatch):
    """As many threads for each worker as there are cores for it, unless the user has decided."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "7")

    def threads(worker_id, p):
        return float(os.environ["OMP_NUM_THREADS"]) + 100 * float(os.environ["MKL_NUM_THREADS"])

    expected = max(1, joblib.cpu_count() // 2)
    for backend in PROCESSES:
        assert scores(run(threads, 1, 2, backend)) == [700.0 + expected]
    assert "OMP_NUM_THREADS" not in os.environ


def test_the_evaluator_surrounds_the_function():
    class Doubling(Evaluator):
        def __call__(self, function, task, worker_id):
            return 2 * function(worker_id, task.parameters) + 100 * task.id

    assert scores(run(lambda i, p: p["x"] + 0.5, 3, evaluator=Doubling())) == [1.0, 103.0, 205.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_slots_are_numbered_from_zero_and_start_nothing_yet(backend):
    worker = Worker(Evaluator(), lambda worker_id, p: 1.0)
    slots = make_slots(worker, 3, backend, fresh_process=False)
    assert [slot.worker_id for slot in slots] == [0, 1, 2]
    assert [slot.started() for slot in slots] == [None] * 3
    for slot in slots:
        slot.close()


# What fit makes of it


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


CTRL_C = """
import sys, time
from pathlib import Path
from pyshac import SHAC, UniformHP

notes = Path(sys.argv[2])

def waits(worker_id, parameters):
    import os
    (notes / str(os.getpid())).touch()
    if len(list(notes.glob("done-*"))) >= 3:
        time.sleep(600)
    (notes / f"done-{parameters['x']}").touch()
    return parameters["x"]

engine = SHAC(waits, [UniformHP("x", 0, 1)], 8, 1, save_dir=sys.argv[1])
engine.num_parallel_evaluators = 2
engine.evaluator_backend = sys.argv[3]
engine.fit()
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", PROCESSES)
def test_ctrl_c_leaves_at_once_and_loses_nothing(tmp_path, backend):
    """As a terminal does it: the signal reaches the engine and all of its workers."""
    notes = tmp_path / "notes"
    notes.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", CTRL_C, str(tmp_path / "shac"), str(notes), backend],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        journal = tmp_path / "shac" / "journal.jsonl"
        deadline = time.monotonic() + 60
        while not journal.exists() or journal.read_bytes().count(b'"score"') < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # Both slots are busy for ten minutes now, unless something ends them.
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    engine = restored(tmp_path / "shac", total_budget=8, num_batches=1, objective="max")
    done = len(list(notes.glob("done-*")))
    assert len(engine.dataset) == done
    workers = [int(path.name) for path in notes.iterdir() if path.name.isdigit()]
    deadline = time.monotonic() + 30
    while any(map(is_running, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_save_directory_errors_come_before_any_evaluation(tmp_path):
    make_engine(tmp_path).save_data()
    calls = []
    engine = make_engine(tmp_path, lambda i, p: calls.append(1))
    with pytest.raises(SaveDirectoryError):
        engine.fit()
    assert calls == []
