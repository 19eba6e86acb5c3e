"""Workers that close late, start late or not at all, and Ctrl-C meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from pyshac import EvaluationError
from pyshac.core.evaluation import processes, slots
from tests.core.evaluation.slot_runs import (
    PROCESSES,
    collect,
    is_running,
    run,
    scores,
    slot_pool,
    tasks,
)
from tests.engine.engine_helpers import ROOT, restored, run_script

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


# Closing


def leaves_thread(worker_id, p):
    threading.Thread(target=time.sleep, args=(3600,)).start()
    return float(os.getpid())


@pytest.mark.slow
@pytest.mark.parametrize("backend", PROCESSES)
def test_threads_left_behind_are_not_waited_for(backend, caplog):
    began = time.monotonic()
    outcomes = run(leaves_thread, 6, 3, backend)
    assert time.monotonic() - began < 60
    assert "has not closed within 5 s" in caplog.text
    assert not any(is_running(int(score)) for score in scores(outcomes))


@pytest.mark.slow
def test_workers_close_at_the_same_time(monkeypatch):
    monkeypatch.setattr(slots, "CLOSING_SECONDS", 8.0)
    monkeypatch.setattr("pyshac.core.evaluation.slot_pool.CLOSING_SECONDS", 8.0)
    pool = slot_pool(leaves_thread, 6, "multiprocessing")
    with pool:
        list(pool.run(tasks(12)))
        began = time.monotonic()
    # One after the other would take 48 s.
    assert 7 < time.monotonic() - began < 30


@pytest.mark.slow
def test_a_fresh_process_does_not_wait_for_threads_either(monkeypatch):
    monkeypatch.setattr(slots, "CLOSING_SECONDS", 0.5)
    outcomes = run(leaves_thread, 3, 1, fresh_process=True)
    assert len(set(scores(outcomes))) == 3


def test_a_worker_runs_what_is_left_to_do_at_its_end(tmp_path):
    def registers(worker_id, p):
        import atexit

        def ends():
            time.sleep(0.5)
            (tmp_path / "ended").touch()

        atexit.register(ends)
        return p["x"]

    run(registers, 1, 1, "loky")
    assert (tmp_path / "ended").exists()


@pytest.mark.skipif(
    not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK),
    reason="cannot choose the numbers of processes here",
)
def test_a_process_that_got_the_number_of_a_worker_is_left_alone():
    ended = subprocess.Popen(["true"])
    worker = processes.find(ended.pid)
    ended.wait()
    # Start times are told apart by hundredths of a second.
    time.sleep(0.1)
    for _ in range(100):
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(str(ended.pid - 1))
        other = subprocess.Popen(["sleep", "600"])
        if other.pid == ended.pid:
            break
        other.kill()
        other.wait()
    try:
        if other.pid != worker.pid:
            pytest.skip("something else has got the number")
        processes.kill_tree(worker)
        assert processes.wait_until_gone(worker, time.monotonic())
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


# Starting


START = """
import multiprocessing, os, sys
from tests.engine.engine_helpers import make_engine, samples_of, evaluate

def evaluates(worker_id, parameters):
    note = sys.argv[1] + "/died"
    if not os.path.exists(note):
        open(note, "w").close()
        os._exit(1)
    return evaluate(worker_id, parameters)

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[2])
    os.mkdir(sys.argv[1])
    engine = make_engine(
        sys.argv[1] + "/shac", evaluates, backend="multiprocessing", evaluators=2
    )
    engine.fit(skip_cv_checks=True, verbose=0)
    alone = make_engine(sys.argv[1] + "/alone", evaluate)
    alone.fit(skip_cv_checks=True, verbose=0)
    assert samples_of(engine) == samples_of(alone)
    print(len(engine.dataset), multiprocessing.active_children())
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_every_start_method(tmp_path, method):
    script = tmp_path / "start.py"
    script.write_text(START)
    ended = run_script(script, tmp_path / "run", method)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["18", "[]"]


UNGUARDED = """
import multiprocessing, sys
from tests.engine.engine_helpers import make_engine, evaluate

multiprocessing.set_start_method(sys.argv[2], force=True)
engine = make_engine(sys.argv[1], evaluate, backend="multiprocessing", evaluators=2)
engine.fit(verbose=0, retries=1000)
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_script_without_a_guard_is_told_of_it(tmp_path, method):
    script = tmp_path / "unguarded.py"
    script.write_text(UNGUARDED)
    ended = run_script(script, tmp_path / "shac", method)
    assert ended.returncode == 1
    *_, last = ended.stderr.strip().splitlines()
    assert last.startswith("RuntimeError: ")
    assert "__main__" in last
    assert "concurrent_evaluators()" in last


NO_SEMAPHORES = """
import _multiprocessing, sys
from tests.engine.engine_helpers import make_engine, evaluate

class Refused(_multiprocessing.SemLock):
    def __new__(cls, *args, **options):
        raise OSError(38, "Function not implemented")

if sys.argv[2] == "none":
    del _multiprocessing.SemLock
else:
    _multiprocessing.SemLock = Refused
engine = make_engine(sys.argv[1], evaluate, backend=sys.argv[3])
engine.set_num_parallel_generators(2)
try:
    engine.fit(verbose=0)
except RuntimeError as error:
    print(error)
engine.concurrent_evaluators()
engine.set_num_parallel_evaluators(2)
engine.fit(verbose=0)
print(len(engine.dataset))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", PROCESSES)
@pytest.mark.parametrize("how", ["none", "refused"])
def test_without_semaphores_the_error_names_the_way_out(tmp_path, how, backend):
    ended = run_script(NO_SEMAPHORES, tmp_path / "shac", how, backend)
    assert ended.returncode == 0, ended.stderr
    message, number = ended.stdout.strip().splitlines()
    assert message.startswith("No worker process can be started: ")
    assert "concurrent_evaluators()" in message
    assert number == "18"


DAEMONIC = """
import multiprocessing, sys
from tests.engine.engine_helpers import make_engine, evaluate

def runs(backend):
    engine = make_engine(sys.argv[1], evaluate, backend=backend)
    engine.fit(verbose=0)
    return len(engine.dataset)

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        for backend in ("loky", "multiprocessing"):
            try:
                pool.apply(runs, (backend,))
            except RuntimeError as error:
                print(error)
        print(pool.apply(runs, ("threading",)))
"""


@pytest.mark.slow
def test_a_daemonic_process_is_told_to_use_threads(tmp_path):
    ended = run_script(DAEMONIC, tmp_path / "shac")
    assert ended.returncode == 0, ended.stderr
    first, second, number = ended.stdout.strip().splitlines()
    assert first == second
    assert "daemonic" in first
    assert "concurrent_evaluators()" in first
    assert number == "18"


def test_threads_of_gevent_are_told_of(monkeypatch):
    """A module stands in for its own, which would patch this very process."""
    stand_in = types.ModuleType("gevent.monkey")
    stand_in.is_module_patched = lambda name: name == "threading"
    monkeypatch.setitem(sys.modules, "gevent.monkey", stand_in)
    with pytest.raises(RuntimeError, match=r"gevent has patched.*concurrent_evaluators\(\)"):
        run(lambda worker_id, p: 1.0, backend="loky")


# Ctrl-C


def wait_until_gone(numbers):
    deadline = time.monotonic() + 30
    while any(map(is_running, numbers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def start_script(source, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", source, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def ended_afterwards(process):
    with process:
        try:
            yield process
        finally:
            # What has ended by itself has left its trackers, which are to clean up.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


SLOW_START = """
import os, sys, time
command = " ".join(sys.orig_argv)
if "popen_loky" in command or "spawn_main" in command:
    with open(os.environ["NOTE"], "a") as file:
        file.write(f"{os.getpid()}\\n")
    if "INTERRUPT" in os.environ:
        os.kill(os.getppid(), 2)
    time.sleep(3600)
"""

STARTS_SLOWLY = """
import multiprocessing, sys
from tests.engine.engine_helpers import make_engine, evaluate

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    engine = make_engine(sys.argv[1], evaluate, backend=sys.argv[2], evaluators=4)
    engine.fit(verbose=0)
"""


def started_slowly(tmp_path, backend, **environment):
    """Starts a run whose workers do not get beyond their start; also returns where they are."""
    site, note = tmp_path / "site", tmp_path / "note"
    site.mkdir()
    note.touch()
    (site / "sitecustomize.py").write_text(SLOW_START)
    script = tmp_path / "starts.py"
    script.write_text(STARTS_SLOWLY)
    path = os.pathsep.join([str(site), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, script, tmp_path / "shac", backend],
        env={**os.environ, "PYTHONPATH": path, "NOTE": str(note), **environment},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return process, note


@pytest.mark.slow
@pytest.mark.parametrize("backend", PROCESSES)
def test_ctrl_c_does_not_wait_for_workers_that_start(tmp_path, backend):
    process, note = started_slowly(tmp_path, backend)
    with ended_afterwards(process):
        deadline = time.monotonic() + 60
        while len(note.read_text().split()) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert time.monotonic() - began < 25
    assert errors.strip().splitlines()[-1].startswith("KeyboardInterrupt: Interrupted: ")
    workers = [int(number) for number in note.read_text().split()]
    assert len(workers) == 4
    wait_until_gone(workers)


@pytest.mark.slow
@pytest.mark.parametrize("backend", PROCESSES)
def test_ctrl_c_in_the_middle_of_a_start(tmp_path, backend):
    process, note = started_slowly(tmp_path, backend, INTERRUPT="1")
    with ended_afterwards(process):
        _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    wait_until_gone([int(number) for number in note.read_text().split()])


THREADS = """
import sys, time
from pathlib import Path
from tests.engine.engine_helpers import make_engine

notes = Path(sys.argv[1])

def waits(worker_id, parameters):
    (notes / f"begun-{parameters['x']}").touch()
    while not (notes / "go").exists():
        time.sleep(0.01)
    return parameters["x"]

engine = make_engine(notes / "shac", waits, total_budget=12, num_batches=1, evaluators=3)
engine.fit(verbose=0)
"""


@pytest.fixture
def interrupted(tmp_path):
    """A run with three evaluations in threads, after the first Ctrl-C."""
    with ended_afterwards(start_script(THREADS, tmp_path)) as process:
        deadline = time.monotonic() + 60
        while len([*tmp_path.glob("begun-*")]) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        line = process.stderr.readline()
        assert "Waiting for 3 running evaluations" in line
        yield process


@pytest.mark.slow
def test_ctrl_c_waits_for_threads_and_saves_their_scores(interrupted, tmp_path):
    time.sleep(0.2)
    assert interrupted.poll() is None
    (tmp_path / "go").touch()
    _, errors = interrupted.communicate(timeout=60)
    assert errors.strip().splitlines()[-1].startswith("KeyboardInterrupt: Interrupted: ")
    engine = restored(tmp_path / "shac", total_budget=12, num_batches=1)
    assert len(engine.dataset) == 3
    assert len([*tmp_path.glob("begun-*")]) == 3


@pytest.mark.slow
def test_a_second_ctrl_c_leaves_at_once(interrupted, tmp_path):
    interrupted.send_signal(signal.SIGINT)
    _, errors = interrupted.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    engine = restored(tmp_path / "shac", total_budget=12, num_batches=1)
    assert len(engine.dataset) == 0


def test_an_error_in_a_thread_still_brings_in_the_others():
    def raises(worker_id, p):
        if p["x"] == 0:
            raise ValueError
        time.sleep(0.2)
        return p["x"]

    done = []
    with pytest.raises(EvaluationError):
        collect(slot_pool(raises, 3, "threading"), 9, done)
    assert {outcome.task.id for outcome in done} >= {1, 2}


# Hangups


HANGUP = """
import sys, time
from pathlib import Path
from tests.engine.engine_helpers import make_engine

def waits(worker_id, parameters):
    import os
    Path(sys.argv[1], f"{os.getpid()}.worker").touch()
    time.sleep(600)

engine = make_engine(sys.argv[1] + "/shac", waits, backend="loky", evaluators=2)
engine.fit(verbose=0)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="semaphores are not files here")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_a_signal_to_the_whole_group_leaves_no_files(tmp_path, number):
    with ended_afterwards(start_script(HANGUP, tmp_path)) as process:
        deadline = time.monotonic() + 60
        while len(workers := [*tmp_path.glob("*.worker")]) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        numbers = [process.pid, *(int(path.stem) for path in workers)]
        assert [*Path("/dev/shm").glob(f"sem.loky-{process.pid}-*")]
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while any(map(is_running, numbers)) or [
        path for each in numbers for path in Path("/dev/shm").glob(f"sem.loky-{each}-*")
    ]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


DIES_AT_ONCE = """
import multiprocessing, os
from pyshac.core.evaluation import worker
from tests.engine.engine_helpers import *

worker.start = lambda *arguments: os._exit(3)
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    for number in range(10):
        engine = make_engine(f"shac-{number}", backend="multiprocessing", evaluators=2)
        try:
            engine.fit(verbose=0)
        except Exception as error:
            print(type(error).__name__, "start" in str(error))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="no processes are forked here")
def test_workers_that_die_before_they_get_a_task_are_told_of(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"import os; os.chdir({str(tmp_path)!r})\n{DIES_AT_ONCE}")
    done = run_script(script)
    assert set(done.stdout.splitlines()) == {"RuntimeError True"}, done.stdout + done.stderr


def test_paths_that_are_no_texts_do_not_keep_workers_from_starting(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, Path("elsewhere")])
    assert scores(run(returns_x, 2, backend="loky")) == [0.0, 1.0]


def returns_x(worker_id, parameters):
    return parameters["x"]
