"""Executors of the standard library: leases, failures, time limits, and what travels."""

from __future__ import annotations

import gc
import json
import math
import multiprocessing
import os
import pickle
import sys
import threading
import time
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)

import pytest

from pyshac import Callback, EvaluationError, EvaluationTimeoutError, UniformHP, WorkerDiedError
from pyshac.core.evaluation import executor_worker
from pyshac.core.evaluation.worker import Evaluator
from tests.core.evaluation.slot_runs import run, scores
from tests.engine.engine_helpers import contents, evaluate, make_engine, restored, samples_of
from tests.engine.objectives import Attempts, kill_self, raises_at_two

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


@pytest.fixture(params=["threads", "processes"])
def executor(request):
    make = ThreadPoolExecutor if request.param == "threads" else ProcessPoolExecutor
    with make(2) as executor:
        yield executor


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def attempts(tmp_path):
    (tmp_path / "attempts").mkdir()
    return Attempts(tmp_path / "attempts")


# Runs


def test_a_seeded_run_equals_a_local_one(tmp_path, executor):
    make_engine(tmp_path / "local").fit(skip_cv_checks=True)
    engine = make_engine(tmp_path / "shac", backend=executor, evaluators=3)
    assert engine.evaluator_backend is executor
    history = engine.fit(skip_cv_checks=True).history
    assert contents(tmp_path / "shac") == contents(tmp_path / "local")
    assert {worker for batch in history["device_ids"] for worker in batch} <= {0, 1, 2}


def test_the_executor_stays_up(tmp_path, executor):
    make_engine(tmp_path / "a", backend=executor, evaluators=2).fit()
    with pytest.raises(EvaluationError, match="ZeroDivisionError"):
        make_engine(tmp_path / "b", lambda i, p: 1 / 0, backend=executor).fit()
    assert executor.submit(math.sqrt, 4.0).result() == 2.0


def test_evaluations_that_run_at_once_have_different_numbers(threads):
    """More slots than threads: also what waits in the executor has a number of its own."""
    taken, together = [], threading.Barrier(2, timeout=30)

    def notes(worker_id, p):
        taken.append(worker_id)
        together.wait()
        return float(worker_id)

    outcomes = run(notes, 8, 4, threads)
    assert set(scores(outcomes)) <= {0.0, 1.0, 2.0, 3.0}
    for first, second in zip(taken[::2], taken[1::2], strict=True):
        assert first != second


def test_the_free_slot_with_the_lowest_number_is_next():
    """One evaluation at a time, in 50 slots: the first that comes free is taken again."""
    with ThreadPoolExecutor(1) as executor:
        outcomes = run(lambda worker_id, p: float(worker_id), 60, 50, executor)
    assert scores(outcomes)[:50] == list(range(50))
    assert max(scores(outcomes)[50:]) < 50
    assert scores(outcomes)[50] == 0


def test_threads_share_memory_and_need_no_pickle(threads):
    lock, seen = threading.Lock(), []

    def notes(worker_id, p):
        with lock:
            seen.append(p["x"])
        return 0.0

    run(notes, 4, 2, threads)
    assert sorted(seen) == [0.0, 1.0, 2.0, 3.0]


def test_a_function_that_cannot_travel(tmp_path):
    lock = threading.Lock()

    def holds_a_lock(worker_id, parameters):
        with lock:
            return 1.0

    with ProcessPoolExecutor(1) as executor:
        engine = make_engine(tmp_path, holds_a_lock, backend=executor)
        with pytest.raises(TypeError, match=r"cannot be sent to worker processes"):
            engine.fit()
    assert len(engine.dataset) == 0


# What travels


class Weighing(Executor):
    """Hands tasks on to an executor and weighs them."""

    def __init__(self, executor):
        self._executor = executor
        self.bytes = []

    def submit(self, fn, /, *args, **kwargs):
        self.bytes.append(len(pickle.dumps((fn, args, kwargs))))
        return self._executor.submit(fn, *args, **kwargs)


def test_the_function_travels_once_to_each_process(tmp_path):
    large = os.urandom(1_000_000)

    def holds_much(worker_id, parameters):
        time.sleep(0.005)
        return parameters["x"] + 0.0 * len(large)

    with ProcessPoolExecutor(2) as executor:
        weighing = Weighing(executor)
        make_engine(
            tmp_path, holds_much, total_budget=60, num_batches=3, backend=weighing, evaluators=4
        ).fit(skip_cv_checks=True)
    with_function = [weight for weight in weighing.bytes if weight > 1_000_000]
    without = [weight for weight in weighing.bytes if weight <= 1_000_000]
    # Four slots may ask before the first answer; after that both processes know.
    assert 2 <= len(with_function) <= 4
    assert len(without) >= 60
    # Name of the run, number, seed, four values and their names.
    assert max(without) < 600


def test_the_engine_stays_at_home(tmp_path):
    seen = tmp_path / "modules"

    def looks_around(worker_id, parameters):
        loaded = {"pyshac.core.engine", "pyshac.core.dataset", "scipy", "xgboost", "sklearn"}
        seen.write_text(json.dumps(sorted(loaded & set(sys.modules))))
        return 1.0

    # A forked process has all modules of its parent.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        make_engine(
            tmp_path / "shac", looks_around, total_budget=2, num_batches=1, backend=executor
        ).fit()
    assert json.loads(seen.read_text()) == []


def test_a_forked_process_has_its_own_environment_and_function():
    """It inherits what threads of this process use, and must not take that for its own."""

    class Noting(Evaluator):
        def environment(self):
            return {"PYSHAC_TEST": "set"}

    def looks(worker_id, p):
        return float(os.environ.get("PYSHAC_TEST") == "set")

    with ProcessPoolExecutor(1) as executor:
        assert scores(run(looks, 3, 1, executor, Noting())) == [1.0, 1.0, 1.0]
    assert "PYSHAC_TEST" not in os.environ


def test_a_fit_that_is_refused_leaves_no_function_behind(tmp_path, threads):
    engine = make_engine(tmp_path)
    engine.evaluator_backend = threads
    gc.disable()
    try:
        with pytest.raises(TypeError, match="callback"):
            engine.fit(callbacks=3)
        assert executor_worker._known.own == {}
    finally:
        gc.enable()


def test_many_engines_share_an_executor(threads):
    """Nothing of an engine in the same process is dropped, however many there are."""
    results = []

    def one(number):
        results.append(scores(run(lambda i, p: p["x"] + number, 5, 2, threads)))

    runs = [
        threading.Thread(target=one, args=(n,)) for n in range(executor_worker.MAX_KNOWN_POOLS + 4)
    ]
    for each in runs:
        each.start()
    for each in runs:
        each.join(60)
    expected = [[float(x + n) for x in range(5)] for n in range(len(runs))]
    assert sorted(results) == expected
    assert executor_worker._known.own == {}


# Failures


def test_an_exception_stops_the_run_and_says_where(executor):
    with pytest.raises(EvaluationError, match=r"sample 2 in slot \d raised ValueError: diverged"):
        run(raises_at_two, 5, 1, executor)


def test_exceptions_that_are_caught_are_failed_samples(executor):
    outcomes = run(raises_at_two, 4, 2, executor, catch=(ValueError,))
    assert [math.isnan(score) for score in scores(outcomes)] == [False, False, True, False]


def test_a_pool_that_breaks_leaves_the_run_resumable(tmp_path, attempts):
    def dies_once(worker_id, parameters):
        if attempts.next("all") == 20:
            kill_self()
        time.sleep(0.01)
        return evaluate(worker_id, parameters)

    make_engine(tmp_path / "local", total_budget=36, num_batches=3).fit(skip_cv_checks=True)
    engine = make_engine(tmp_path / "shac", dies_once, total_budget=36, num_batches=3, evaluators=2)
    with ProcessPoolExecutor(2) as executor:
        engine.evaluator_backend = executor
        with pytest.raises(EvaluationError, match=r"BrokenProcessPool.*call fit\(\)") as caught:
            engine.fit(skip_cv_checks=True)
    assert isinstance(caught.value.__cause__.__cause__, BrokenExecutor)
    # Of the twenty that had begun, the one that died and at most one beside it are missing.
    assert 18 <= len(engine.dataset) < 36
    again = restored(tmp_path / "shac", total_budget=36, num_batches=3, evaluators=2)
    assert samples_of(again) == samples_of(engine)
    with ProcessPoolExecutor(2) as executor:
        again.evaluator_backend = executor
        again.fit(dies_once, skip_cv_checks=True)
    assert contents(tmp_path / "shac") == contents(tmp_path / "local")


def test_of_a_pool_that_breaks_no_sample_is_blamed(tmp_path):
    def dies_at_the_top(worker_id, parameters):
        if parameters["x"] > 3.5:
            kill_self()
        return evaluate(worker_id, parameters)

    engine = make_engine(tmp_path, dies_at_the_top, total_budget=40, num_batches=2, evaluators=4)
    with ProcessPoolExecutor(4) as executor:
        engine.evaluator_backend = executor
        with pytest.raises(EvaluationError, match=r"call parallel_evaluators\(\)"):
            engine.fit(skip_cv_checks=True, retries=0, catch=WorkerDiedError)
    assert not any(map(math.isnan, engine.dataset.Y))
    engine.parallel_evaluators()
    engine.fit(skip_cv_checks=True, retries=0, catch=WorkerDiedError)
    values = [row[0] for row, score in zip(engine.dataset.X, engine.dataset.Y, strict=True)
              if math.isnan(score)]  # fmt: skip
    assert values
    assert min(values) > 3.5


def test_an_executor_that_was_shut_down(tmp_path):
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    engine = make_engine(tmp_path, backend=executor, evaluators=2)
    with pytest.raises(EvaluationError, match=r"takes no evaluations: RuntimeError: cannot sched"):
        engine.fit()
    assert len(engine.dataset) == 0


class Unreliable(ThreadPoolExecutor):
    """Loses some samples when they come for the first time, or always."""

    def __init__(self, lost, error=None, always=False):
        super().__init__(2)
        self._lost, self._error, self._always = set(lost), error, always
        self.order = []

    def submit(self, fn, /, *args):
        number = args[1].id
        self.order.append(number)
        if number not in self._lost:
            return super().submit(fn, *args)
        if not self._always:
            self._lost.remove(number)
        future = Future()
        if self._error is None:
            future.cancel()
        else:
            future.set_exception(self._error)
        return future


def test_what_an_executor_gives_up_is_tried_again_at_once(caplog):
    with Unreliable({1, 3}) as executor:
        outcomes = run(lambda i, p: p["x"], 6, 1, executor)
        assert scores(outcomes) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        assert executor.order == [0, 1, 1, 2, 3, 3, 4, 5]
    assert "The executor gave up sample 1; trying it again" in caplog.text


@pytest.mark.parametrize("retries", [0, 2])
def test_what_an_executor_always_gives_up_stops_the_run(retries):
    """That is no failure of the sample, so it cannot be caught."""
    times = f"{retries + 1} times" if retries else "once"
    with (
        Unreliable({2}, always=True) as executor,
        pytest.raises(EvaluationError, match=rf"gave up sample 2 \({times}\)"),
    ):
        run(lambda i, p: p["x"], 4, 1, executor, retries=retries, catch=(Exception,))
    assert executor.order.count(2) == retries + 1


def test_an_executor_that_survives_the_death_of_a_worker():
    """As Dask does: the sample that was there is tried again alone, when all others are done."""
    with Unreliable({1}, BrokenExecutor("a worker died")) as executor:
        outcomes = run(lambda i, p: p["x"], 6, 2, executor)
    assert scores(outcomes) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert executor.order == [0, 1, 2, 3, 4, 5, 1]


def test_an_error_of_the_executor_itself_stops_the_run():
    with (
        Unreliable({1}, ModuleNotFoundError("no module named pyshac")) as executor,
        pytest.raises(EvaluationError, match="ModuleNotFoundError: no module named pyshac"),
    ):
        run(lambda i, p: p["x"], 3, 1, executor)


# Time limits


def hangs_at_one(worker_id, parameters):
    """In Python code, as a training loop does."""
    while parameters["x"] == 1:
        time.sleep(0.005)
    return parameters["x"]


def test_a_time_limit_interrupts_an_evaluation(executor):
    with pytest.raises(EvaluationError, match=r"Sample 1 took longer than 0\.2 s") as caught:
        run(hangs_at_one, 3, 1, executor, timeout=0.2, retries=3)
    assert type(caught.value.__cause__) is EvaluationTimeoutError


def test_a_time_limit_can_make_failed_samples(executor):
    outcomes = run(hangs_at_one, 4, 2, executor, timeout=0.2, catch=(TimeoutError,))
    assert [math.isnan(score) for score in scores(outcomes)] == [False, True, False, False]
    assert outcomes[1].failure == "EvaluationTimeoutError: Sample 1 took longer than 0.2 s"


def test_waiting_in_the_executor_does_not_count(threads):
    """Eight slots and two threads: the last evaluations wait for longer than the limit."""
    outcomes = run(lambda i, p: time.sleep(0.2) or p["x"], 8, 8, threads, timeout=0.6)
    assert scores(outcomes) == [float(x) for x in range(8)]


def test_fresh_processes_are_refused(tmp_path, threads):
    engine = make_engine(tmp_path, backend=threads)
    with pytest.raises(ValueError, match=r"fresh_process needs worker processes that the engine"):
        engine.fit(fresh_process=True)
    assert len(engine.dataset) == 0


# Interruptions


def test_an_interruption_cancels_what_waits(tmp_path):
    """As Ctrl-C does: what runs ends, what waits in the executor never starts."""
    began, may_end = [], threading.Event()

    def notes(worker_id, parameters):
        began.append(parameters["x"])
        if len(began) > 2:
            assert may_end.wait(30)
        return parameters["x"]

    class Interrupting(Callback):
        def on_sample_end(self, id, score, logs=None):
            if id == 1:
                raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as executor:
        engine = make_engine(
            tmp_path, notes, total_budget=12, num_batches=1, backend=executor, evaluators=6
        )
        with pytest.raises(KeyboardInterrupt):
            engine.fit(callbacks=Interrupting())
        may_end.set()
        # After the two that ended, at most the one that ran.
        executor.submit(int).result()
        assert len(began) <= 3
        assert len(engine.dataset) >= 2
        engine.fit()
    assert len(engine.dataset) == 12


# Settings


def test_what_is_no_executor_is_refused(tmp_path):
    engine = make_engine(tmp_path)
    for backend in ("Dask", "", None, ThreadPoolExecutor, 3):
        with pytest.raises(ValueError, match=r"evaluator_backend must be one of .*'dask'\], or a"):
            engine.evaluator_backend = backend
    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(ValueError, match="generator_backend must be one of"):
            engine.generator_backend = executor
        engine.evaluator_backend = executor
        engine.parallel_evaluators()
    assert engine.evaluator_backend == "loky"


def test_without_dask_the_engine_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("pyshac.core.basics.optional_packages.is_installed", lambda package: False)
    engine = make_engine(tmp_path, parameters=[UniformHP("x", 0, 1)])
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'pyshac\[dask\]'"):
        engine.evaluator_backend = "dask"
