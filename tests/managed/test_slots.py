"""Slots under stress: leases, deaths, failures of every kind, and where runs are started from."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import random
import signal
import threading
import time
from collections import OrderedDict

import pytest

from pyshac import SHAC, EvaluationError, EvaluationTimeoutError, UniformHP, WorkerDiedError
from pyshac.core.basics.threads import thread_variables
from pyshac.core.evaluation.worker import Task
from tests.core.evaluation.slot_runs import slot_pool
from tests.scripts import PACKAGE_PARENT, run_script

LONG = pytest.mark.long
PROCESSES = ["loky", "multiprocessing"]


def tasks(number):
    return [Task(i, OrderedDict(x=float(i))) for i in range(number)]


def make_pool(function, number, backend, **policy):
    return slot_pool(function, number, backend, **policy)


def wall_of_rounds(durations, slots):
    """How long evaluations take if each round waits for the longest of its evaluations."""
    return sum(max(durations[i : i + slots]) for i in range(0, len(durations), slots))


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend",
    ["loky", pytest.param("threading", marks=LONG), pytest.param("multiprocessing", marks=LONG)],
)
def test_leases_never_overlap_and_no_slot_idles(backend, tmp_path):
    number, slots = 200, 3
    random_lengths = random.Random(1)
    # Most are short, a few are long: those who wait for the long ones lose most of the time.
    durations = [random_lengths.choice([0.01, 0.02, 0.03, 0.4]) for _ in range(number)]

    def hold(worker_id, parameters):
        begin = time.monotonic()
        time.sleep(durations[int(parameters["x"])])
        lease = [worker_id, begin, time.monotonic()]
        (tmp_path / f"{int(parameters['x'])}.json").write_text(json.dumps(lease))
        return parameters["x"]

    with make_pool(hold, slots, backend) as pool:
        list(pool.run(tasks(slots)))  # the workers start
        outcomes = [outcome for some in pool.run(tasks(number)) for outcome in some]

    assert sorted(outcome.score for outcome in outcomes) == list(range(number))
    leases = [json.loads((tmp_path / f"{i}.json").read_text()) for i in range(number)]
    assert {outcome.worker_id for outcome in outcomes} == set(range(slots))
    for slot in range(slots):
        held = sorted((begin, end) for worker_id, begin, end in leases if worker_id == slot)
        assert len(held) > number / slots / 2
        for before, after in itertools.pairwise(held):
            assert before[1] <= after[0]
    # With no time lost at all it would be the mean load; nearer to that than to rounds that wait.
    wall = max(end for _, _, end in leases) - min(begin for _, begin, _ in leases)
    assert wall < (sum(durations) / slots + wall_of_rounds(durations, slots)) / 2


@pytest.mark.slow
def test_workers_killed_at_random_lose_no_evaluation(tmp_path):
    def evaluate(worker_id, parameters):
        pid_file = tmp_path / f"pid-{worker_id}"
        pid_file.write_text(str(os.getpid()))
        time.sleep(0.1)
        pid_file.unlink()
        return parameters["x"] ** 2

    engine = SHAC(evaluate, [UniformHP("x", 0, 1)], 60, 6, save_dir=tmp_path / "run")
    engine.set_seed(2)
    engine.set_num_parallel_evaluators(2)
    killed, is_over = [], threading.Event()
    chance = random.Random(3)

    def kill_now_and_then():
        while not is_over.wait(chance.uniform(0.1, 0.8)):
            with contextlib.suppress(OSError, ValueError, IndexError):
                pid = int(chance.choice(list(tmp_path.glob("pid-*"))).read_text())
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        # However unlucky one sample is: all these kills could hit it.
        engine.fit(skip_cv_checks=True, retries=1000)
    finally:
        is_over.set()
        killer.join()
    assert len(set(killed)) >= 5
    assert list(engine.dataset.ids) == list(range(60))
    assert list(engine.dataset.Y) == [row[0] ** 2 for row in engine.dataset.X]


def test_a_worker_that_dies_while_idle_is_replaced():
    with make_pool(lambda worker_id, parameters: os.getpid(), 1, "loky") as pool:
        [[first]] = pool.run(tasks(1))
        os.kill(int(first.score), signal.SIGKILL)
        # Its death may be noticed while it should evaluate.
        [second] = itertools.chain(*pool.run(tasks(1)))
    assert second.failure is None
    assert second.score != first.score


def exhaust_memory():
    import resource

    limit = 4 * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return len(bytearray(2 * limit))


# What goes wrong, the exception that tells of it, and what `fit` needs for it.
FAILURES = {
    "times out": (lambda: time.sleep(60), EvaluationTimeoutError, {"timeout": 1.0}),
    "raises": (lambda: [].pop(), IndexError, {}),
    "runs out of memory": (exhaust_memory, MemoryError, {}),
    "is killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), WorkerDiedError, {"retries": 0}),
    "dies twice": (lambda: os._exit(1), WorkerDiedError, {"retries": 1}),
}
BAD_SAMPLE = 2


def failing(failure, tmp_path, backend="loky"):
    """An engine whose evaluation of one sample fails, in the given way."""

    def evaluate(worker_id, parameters):
        if parameters["x"] == bad:
            return failure()
        return parameters["x"]

    engine = SHAC(evaluate, [UniformHP("x", 0, 1)], 6, 1, save_dir=tmp_path)
    engine.set_seed(4)
    bad = engine.ask()[BAD_SAMPLE]["x"]
    engine.evaluator_backend = backend
    engine.set_num_parallel_evaluators(2)
    return engine


def expected(engine):
    """The scores of an engine of `failing`, had it failed nowhere but at the bad sample."""
    ids = engine.dataset.ids
    return [
        math.nan if number == BAD_SAMPLE else row[0]
        for number, row in zip(ids, engine.dataset.X, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("backend", PROCESSES)
@pytest.mark.parametrize("name", FAILURES)
def test_a_caught_failure_is_a_failed_sample(name, backend, tmp_path):
    failure, error, options = FAILURES[name]
    engine = failing(failure, tmp_path, backend)
    engine.fit(catch=error, **options)
    assert list(engine.dataset.ids) == list(range(6))
    assert list(engine.dataset.Y) == pytest.approx(expected(engine), nan_ok=True, abs=0)
    assert math.isnan(engine.dataset.Y[BAD_SAMPLE])


@pytest.mark.slow
@pytest.mark.parametrize("backend", PROCESSES)
@pytest.mark.parametrize("name", FAILURES)
def test_any_other_failure_stops_the_run(name, backend, tmp_path):
    failure, error, options = FAILURES[name]
    engine = failing(failure, tmp_path, backend)
    with pytest.raises(EvaluationError, match=f"sample {BAD_SAMPLE} .*'x'") as info:
        engine.fit(catch=ZeroDivisionError, **options)
    assert isinstance(info.value.__cause__, error)
    assert info.value.sample_id == BAD_SAMPLE
    # What was running was brought in, and saved.
    saved = SHAC(None, 6, 1, save_dir=tmp_path)
    saved.restore_data()
    assert len(saved.dataset) >= 2
    assert BAD_SAMPLE not in saved.dataset.ids
    assert list(saved.dataset.Y) == expected(saved)


@pytest.mark.parametrize(
    ("backend", "score"),
    [("threading", math.nan), ("threading", math.inf), ("threading", -math.inf),
     *((backend, math.inf) for backend in PROCESSES)],
)  # fmt: skip
def test_a_score_that_is_not_finite_is_a_failed_sample(score, backend, tmp_path):
    engine = failing(lambda: score, tmp_path, backend)
    engine.fit()
    assert list(engine.dataset.Y) == pytest.approx(expected(engine), nan_ok=True, abs=0)


@pytest.mark.parametrize("backend", PROCESSES)
def test_worker_processes_stay_warm_and_are_gone_afterwards(backend, tmp_path):
    def evaluate(worker_id, parameters):
        with open(tmp_path / "pids", "a") as file:
            file.write(f"{os.getpid()}\n")
        return 1.0

    engine = SHAC(evaluate, [UniformHP("x", 0, 1)], 12, 3, save_dir=tmp_path / "run")
    engine.set_num_parallel_evaluators(2)
    engine.evaluator_backend = backend
    engine.fit(skip_cv_checks=True)
    pids = {int(line) for line in (tmp_path / "pids").read_text().split()}
    assert 1 <= len(pids) <= 2
    for pid in pids:
        assert pid != os.getpid()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("backend", PROCESSES)
def test_fresh_processes(backend):
    with make_pool(lambda w, p: os.getpid(), 1, backend, fresh_process=True) as pool:
        outcomes = [outcome for some in pool.run(tasks(3)) for outcome in some]
    assert len({outcome.score for outcome in outcomes}) == 3


@pytest.mark.parametrize("backend", PROCESSES)
@pytest.mark.slow
def test_threads_are_limited_to_a_share_of_the_cores(backend, monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 6)
    for name in thread_variables({}, 1):
        monkeypatch.delenv(name, raising=False)

    def threads(worker_id, parameters):
        return int(os.environ["OMP_NUM_THREADS"])

    with make_pool(threads, 2, backend) as pool:
        assert [outcome.score for some in pool.run(tasks(2)) for outcome in some] == [3, 3]
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    with make_pool(threads, 2, backend) as pool:
        assert [outcome.score for some in pool.run(tasks(2)) for outcome in some] == [5, 5]


def test_serial_evaluation_is_in_order_in_the_thread_of_the_caller(tmp_path):
    calls = []

    def evaluate(worker_id, parameters):
        calls.append((worker_id, os.getpid(), threading.get_ident(), parameters["x"]))
        return 0.0

    engine = SHAC(evaluate, [UniformHP("x", 0, 1)], 6, 2, save_dir=tmp_path)
    engine.set_num_parallel_evaluators(1)
    engine.concurrent_evaluators()
    engine.fit(skip_cv_checks=True)
    here = (0, os.getpid(), threading.get_ident())
    assert calls == [(*here, row[0]) for row in engine.dataset.X]


SCRIPT = """
from pyshac import SHAC, UniformHP

offset = 2.0

class Objective:
    def __call__(self, worker_id, parameters):
        return parameters["x"] + offset

shac = SHAC(Objective(), [UniformHP("x", 0, 1)], 4, 2, save_dir="by-object")
shac.set_num_parallel_evaluators(2)
shac.fit(skip_cv_checks=True)
assert len(shac.dataset) == 4 and min(shac.dataset.Y) >= 2

def outer(scale):
    def middle():
        def evaluate(worker_id, parameters):
            return scale * parameters["x"] + offset
        shac = SHAC(evaluate, [UniformHP("x", 0, 1)], 4, 2, save_dir="nested")
        shac.set_num_parallel_evaluators(2)
        shac.fit(skip_cv_checks=True)
        return shac.dataset
    return middle()

dataset = outer(10)
assert dataset.Y == [10 * row[0] + 2 for row in dataset.X]
print("evaluated", len(dataset))
"""


@pytest.mark.slow
def test_runs_from_a_script_without_a_guard(tmp_path):
    script = tmp_path / "plain.py"
    script.write_text(SCRIPT, encoding="utf-8")
    assert run_script(script, tmp_path).split() == ["evaluated", "4"]


@pytest.mark.slow
def test_runs_from_a_notebook(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE_PARENT))
    cells = [nbformat.v4.new_code_cell(part) for part in SCRIPT.split("\n\n")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=120,
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    # A progress bar stands beside it.
    (printed,) = [out for out in notebook.cells[-1].outputs if out.get("name") == "stdout"]
    assert printed.text.split() == ["evaluated", "4"]
