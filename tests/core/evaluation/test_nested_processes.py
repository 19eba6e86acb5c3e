"""Evaluations that start processes: in every way, and none is left afterwards."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time

import pytest

from tests.core.evaluation.slot_runs import PROCESSES, is_running, run, scores, tasks
from tests.engine.engine_helpers import run_script

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")

METHODS = [method for method in ("fork", "spawn", "forkserver")
           if method in multiprocessing.get_all_start_methods()]  # fmt: skip


def by_process(worker_id, p):
    child = multiprocessing.Process(target=abs, args=(1,))
    child.start()
    child.join()
    return float(child.exitcode == 0)


def by_contexts(worker_id, p):
    children = [multiprocessing.get_context(method).Process(target=abs, args=(1,))
                for method in METHODS]  # fmt: skip
    for child in children:
        child.start()
        child.join()
    return float(all(child.exitcode == 0 for child in children))


def by_pool(worker_id, p):
    with multiprocessing.Pool(2) as pool:
        return float(pool.map(abs, [-1, -2]) == [1, 2])


def by_executor(worker_id, p):
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2) as executor:
        return float([*executor.map(abs, [-1, -2])] == [1, 2])


def by_joblib(worker_id, p):
    from joblib import Parallel, delayed

    return float(Parallel(n_jobs=2)(delayed(abs)(x) for x in [-1, -2]) == [1, 2])


def by_data_loader(worker_id, p):
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(torch.ones(8)), 2, num_workers=2)
    return float(sum(batch.sum() for (batch,) in loader) == 8)


@pytest.mark.parametrize("backend", PROCESSES)
@pytest.mark.parametrize(
    "function",
    [
        by_process,
        by_pool,
        by_executor,
        *(
            pytest.param(function, marks=pytest.mark.slow)
            for function in (by_contexts, by_joblib, by_data_loader)
        ),
    ],
    ids=lambda function: function.__name__,
)
def test_evaluations_start_processes(function, backend):
    if function is by_data_loader:
        pytest.importorskip("torch")
    assert scores(run(function, 2, 1, backend)) == [1.0, 1.0]


def leaves_executor(worker_id, p):
    import builtins
    from concurrent.futures import ProcessPoolExecutor

    builtins.left_behind = executor = ProcessPoolExecutor(2)
    return float(sum(executor.map(abs, [-1, 2])))


def leaves_joblib(worker_id, p):
    return 3 * by_joblib(worker_id, p)


def leaves_subprocess(worker_id, p):
    sleeps = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return float(sleeps.pid)


@pytest.mark.parametrize("backend", PROCESSES)
@pytest.mark.parametrize("fresh", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "function", [leaves_executor, pytest.param(leaves_joblib, marks=pytest.mark.slow)]
)
def test_processes_that_are_left_behind_delay_nothing(function, backend, fresh):
    """Both kinds are waited for at the regular end of a process, the second for 300 s."""
    began = time.monotonic()
    assert scores(run(function, 2, 1, backend, fresh_process=fresh)) == [3.0, 3.0]
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("backend", PROCESSES)
@pytest.mark.parametrize("fresh", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_processes_of_evaluations_end_with_their_worker(backend, fresh):
    left = [
        int(score) for score in scores(run(leaves_subprocess, 2, 1, backend, fresh_process=fresh))
    ]
    deadline = time.monotonic() + 30
    while any(map(is_running, left)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


FORKS = {
    "returns": lambda: 5.0,
    "exits": lambda: sys.exit(3),
    "exits in words": lambda: sys.exit("done"),
    "raises": lambda: 1 / 0,
    "is interrupted": lambda: exec("raise KeyboardInterrupt"),
}
STATUS = {"returns": 0, "exits": 3}


FORK_LOCK = threading.Lock()


def fork_lock():
    import tests.core.evaluation.test_nested_processes as here

    return here.FORK_LOCK


@pytest.mark.parametrize(
    ("backend", "slots"),
    [
        pytest.param("loky", 1, marks=pytest.mark.slow),
        ("multiprocessing", 1),
        ("threading", 1),
        ("threading", 2),
    ],
)
@pytest.mark.parametrize("name", FORKS)
def test_a_forked_child_replies_for_nobody(name, backend, slots):
    """However it leaves the function, only the process that was asked to evaluates goes on."""
    leave = FORKS[name]

    def forks(worker_id, p):
        # Locks of files do not let two threads fork at the same time.
        with fork_lock():
            child = os.fork()
        if child == 0:
            return leave()
        return float(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    assert scores(run(forks, 3, slots, backend)) == [STATUS.get(name, 1)] * 3


FORKS_INLINE = """
import os, sys
from tests.engine.engine_helpers import make_engine, samples_of, restored

def forks(worker_id, parameters):
    if os.fork() == 0:
        sys.stdout.write("child\\n")
        sys.exit()
    os.wait()
    return parameters["x"]

engine = make_engine(sys.argv[1], forks, total_budget=6, num_batches=2)
engine.fit(verbose=0)
assert samples_of(restored(sys.argv[1], total_budget=6, num_batches=2)) == samples_of(engine)
print("parent")
"""


@pytest.mark.slow
def test_a_forked_child_does_not_go_on_with_the_run(tmp_path):
    ended = run_script(FORKS_INLINE, tmp_path / "shac")
    assert ended.returncode == 0, ended.stderr
    # What it printed is not lost.
    assert ended.stdout.split() == [*["child"] * 6, "parent"]


def test_a_time_limit_in_a_child_is_not_its_parents():
    """In a slot that interrupts the evaluation, rather than end its process."""
    from concurrent.futures import ThreadPoolExecutor

    from pyshac.core.evaluation.backends import get_backend
    from pyshac.core.evaluation.failures import FailurePolicy
    from pyshac.core.evaluation.slot_pool import SlotPool
    from pyshac.core.evaluation.worker import Evaluator

    def forks(worker_id, p):
        child = os.fork()
        if child == 0:
            return 5.0
        return float(os.waitpid(child, 0)[1])

    with ThreadPoolExecutor(1) as executor:
        policy = FailurePolicy(timeout=60)
        with SlotPool(Evaluator(), forks, 1, get_backend(executor), policy) as pool:
            outcomes = [outcome for some in pool.run(tasks(2)) for outcome in some]
    assert [outcome.score for outcome in outcomes] == [0.0, 0.0]
