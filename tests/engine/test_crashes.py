"""Crashes: killed, interrupted while it learns, cut before any write, out of disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import filelock
import pytest

import pyshac
from pyshac import Callback, SaveDirectoryError
from pyshac.core.basics import locks, signals
from tests.core.evaluation.slot_runs import is_running
from tests.engine.engine_helpers import ROOT, contents, evaluate, make_engine, restored, run_script


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The directory of the run that was not cut."""
    engine = make_engine(tmp_path_factory.mktemp("whole"))
    engine.fit(skip_cv_checks=True)
    assert len(engine.classifiers) == 2
    return contents(engine.save_dir)


KILLED = """
import os, signal, sys
from tests.engine.engine_helpers import *

def evaluate_or_die(worker_id, parameters, calls=[]):
    calls.append(1)
    if len(calls) == 9:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return evaluate(worker_id, parameters)

make_engine(sys.argv[1], evaluate_or_die).fit(skip_cv_checks=True)
"""


def test_a_process_that_is_killed_leaves_every_score_behind(tmp_path, whole):
    killed = run_script(KILLED, tmp_path)
    assert killed.returncode != 0
    engine = restored(tmp_path)
    assert len(engine.dataset) == 8
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path) == whole


@pytest.mark.parametrize("seconds", [0.002, 0.02])
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that interrupts")
def test_interrupted_while_it_learns(tmp_path, seconds):
    """Ctrl-C between the last score of a batch and the classifier that it leads to."""

    class Alarm(Callback):
        def on_dataset_changed(self, dataset, logs=None):
            signal.setitimer(signal.ITIMER_REAL, seconds)

        def on_epoch_end(self, epoch, logs=None):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def interrupt(*_):
        raise KeyboardInterrupt

    uninterrupted = make_engine(tmp_path / "whole", total_budget=20, num_batches=2)
    uninterrupted.fit()
    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        engine = make_engine(tmp_path / "cut", total_budget=20, num_batches=2)
        # Where training was quicker than the alarm, there is nothing to interrupt.
        with contextlib.suppress(KeyboardInterrupt):
            engine.fit(callbacks=Alarm())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    again = restored(tmp_path / "cut", total_budget=20, num_batches=2)
    again.fit()
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


CRASHES = """
import os, sys
from pathlib import Path
from tests.engine.engine_helpers import *

countdown = None

def crash_before_write(event, arguments):
    global countdown
    is_write = event == "os.rename" or (event == "open" and "+" in (arguments[1] or ""))
    if countdown is None or not is_write:
        return
    countdown -= 1
    if countdown == 0:
        os._exit(9)

sys.addaudithook(crash_before_write)

def run(path, write, seed):
    global countdown
    process = os.fork()
    if process == 0:
        engine = make_engine(path, total_budget=8, num_batches=2)
        if seed is not None:
            engine.save_data()
            engine.set_seed(seed)
        countdown = write
        engine.fit(skip_cv_checks=True)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

root, seed = Path(sys.argv[1]), int(sys.argv[2]) or None
for name, its_seed in ("whole", seed), ("unseeded", None):
    assert run(root / name, 10**9, its_seed) == 0
write = 0
while True:
    write += 1
    path = root / str(write)
    status = run(path, write, seed)
    if status == 0:
        break
    assert status == 9
    engine = make_engine(path, parameters=None, total_budget=8, num_batches=2)
    try:
        engine.restore_data()
    except FileNotFoundError:
        # Nothing was evaluated yet.
        assert not (path / "state.json").exists()
        continue
    engine.fit(skip_cv_checks=True)
    engine.save_data()
    expected = contents(root / "whole")
    if contents(path) != expected:
        # Before the state had the new seed the old one counts, but for sampling by hand.
        assert seed is not None and write <= 3, f"write {write}"
        expected = contents(root / "unseeded")
        expected["datasets/parameters.json"] = contents(path)["datasets/parameters.json"]
    assert contents(path) == expected, f"write {write}"
print(write - 1)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("new_seed", [pytest.param(0, marks=pytest.mark.long), 8])
def test_a_crash_before_any_write_leaves_what_restores(tmp_path, new_seed):
    # A fork of a process with OpenMP threads may hang, whoever opened them.
    result = run_script(CRASHES, tmp_path, new_seed, OMP_NUM_THREADS="1")
    assert result.returncode == 0, result.stderr
    # The first save, two batches of four scores, a save after each, and one classifier.
    assert int(result.stdout) >= 3 + 2 + 8 + 2 * 3 + 1


def test_a_disk_that_is_full_loses_nothing_that_was_saved(tmp_path, whole):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    calls = iter(range(100))

    def fills(worker_id, parameters):
        score = evaluate(worker_id, parameters)
        if next(calls) == 8:
            journal = (tmp_path / "journal.jsonl").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (journal + 10, limits[1]))
        return score

    engine = make_engine(tmp_path, fills)
    try:
        with pytest.raises(OSError, match="File too large"):
            engine.fit(skip_cv_checks=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(restored(tmp_path).dataset) == 8
    # The engine itself still has the ninth score, and can save it when there is room again.
    engine.save_data()
    again = restored(tmp_path)
    assert len(again.dataset) == 9
    again.fit(skip_cv_checks=True)
    assert contents(tmp_path) == whole


TERMINATED = """
import os, sys, time
from pathlib import Path
from pyshac import Callback, SaveDirectoryError
from tests.engine.engine_helpers import *

notes, evaluators = Path(sys.argv[2]), int(sys.argv[4])

def waits(worker_id, parameters):
    import os
    (notes / f"worker-{os.getpid()}").touch()
    if len(list(notes.glob("done-*"))) >= 8:
        (notes / f"waiting-{worker_id}").touch()
        time.sleep(600)
    (notes / f"done-{parameters['x']!r}").touch()
    return evaluate(worker_id, parameters)

class Told(Callback):
    def on_train_error(self, error, logs=None):
        print(type(error).__name__, flush=True)

engine = make_engine(sys.argv[1], waits, backend=sys.argv[3], evaluators=evaluators)
try:
    engine.fit(skip_cv_checks=True, callbacks=Told())
finally:
    print("never")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX systems")
@pytest.mark.parametrize(
    ("name", "backend", "evaluators"),
    [
        ("SIGTERM", "threading", 1),
        ("SIGTERM", "loky", 2),
        ("SIGTERM", "multiprocessing", 2),
        ("SIGHUP", "loky", 2),
    ],
)
def test_sigterm_saves_ends_the_workers_and_then_the_process(
    tmp_path, whole, name, backend, evaluators
):
    """What `kill`, a shutdown, a container or a queueing system sends, or a terminal in the end."""
    number = getattr(signal, name)
    notes = tmp_path / "notes"
    notes.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", TERMINATED, tmp_path / "shac", notes, backend, str(evaluators)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while len(list(notes.glob("waiting-*"))) < evaluators:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == -number
    assert output == "TerminatedError\n"
    workers = [int(path.name.partition("-")[2]) for path in notes.glob("worker-*")]
    # They were killed; a busy machine takes its time.
    deadline = time.monotonic() + 10
    while any(map(is_running, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    engine = restored(tmp_path / "shac")
    assert len(engine.dataset) == len(list(notes.glob("done-*")))
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path / "shac") == whole


LEFT_IN_A_TERMINAL = """
import sys, time
from pathlib import Path
from tests.engine.engine_helpers import *

def waits(worker_id, parameters, done=[]):
    done.append(worker_id)
    if len(done) == 9:
        Path(sys.argv[2]).touch()
        time.sleep(600)
    return evaluate(worker_id, parameters)

make_engine(sys.argv[1], waits).fit(skip_cv_checks=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="terminals are a matter of POSIX systems")
def test_a_terminal_that_is_closed_leaves_all_that_was_evaluated(tmp_path, whole):
    """The system sends SIGHUP, and nothing can be written to the terminal any more."""
    import pty

    process, terminal = pty.fork()
    if not process:
        arguments = [sys.executable, "-c", LEFT_IN_A_TERMINAL, tmp_path / "shac", tmp_path / "note"]
        os.execve(sys.executable, arguments, {**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 60
    while not (tmp_path / "note").exists():
        assert time.monotonic() < deadline
        os.set_blocking(terminal, False)
        with contextlib.suppress(BlockingIOError):
            os.read(terminal, 2**16)
        time.sleep(0.05)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGHUP
    engine = restored(tmp_path / "shac")
    assert len(engine.dataset) == 8
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path / "shac") == whole


IGNORES = """
import os, signal, sys
from tests.engine.engine_helpers import *

calls = []
signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))

def sends(worker_id, parameters):
    os.kill(os.getpid(), signal.SIGTERM)
    return evaluate(worker_id, parameters)

engine = make_engine(sys.argv[1], sends)
engine.fit()
assert calls == [signal.SIGTERM] * 18, calls
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX systems")
def test_a_handler_of_the_program_is_what_sigterm_calls(tmp_path):
    ended = run_script(IGNORES, tmp_path)
    assert ended.returncode == 0, ended.stderr


CORE = str(Path(pyshac.__file__).parent / "core")
# With what the library is in while it takes and releases locks.
AROUND_LOCKS = (CORE, contextlib.__file__, str(Path(filelock.__file__).parent))


def places_of(run, interrupted_at=None, files=CORE):
    """Calls `run`, with Ctrl-C at one of its places in some files; returns their number.

    They are the beginnings of functions and the ends of their calls of functions in C, where the
    interpreter handles signals. It handles none at any line: an exception that came between the
    block of a `with` statement and the call of `__exit__` would leave a lock locked.
    """
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(files):
            count += 1
            if count == interrupted_at:
                os.kill(os.getpid(), signal.SIGINT)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def is_interrupted(run, place, files=CORE):
    """Calls `run` with Ctrl-C at one of its places; returns whether it has so many."""
    try:
        places_of(run, place, files)
    except KeyboardInterrupt:
        return True
    return False


@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX systems")
@pytest.mark.parametrize(
    "step",
    [997, pytest.param(251, marks=pytest.mark.slow), pytest.param(47, marks=pytest.mark.long)],
)
@pytest.mark.parametrize(
    ("pace", "num_batches"), [("batch", 2), pytest.param("pipeline", 3, marks=pytest.mark.slow)]
)
def test_ctrl_c_anywhere_tears_nothing(tmp_path, pace, num_batches, step):
    """The engine goes on from memory as another one does from the disk."""
    small = {"total_budget": 3 * num_batches, "num_batches": num_batches, "pace": pace}
    uninterrupted = make_engine(tmp_path / "whole", **small)
    uninterrupted.fit(skip_cv_checks=True)
    assert uninterrupted.classifiers
    expected = contents(tmp_path / "whole")
    place, came = 1, True
    while came:
        path = tmp_path / str(place)
        engine = make_engine(path, **small)
        came = is_interrupted(partial(engine.fit, skip_cv_checks=True), place)
        assert not any(lock._is_owned() for lock in locks._locks), f"place {place}"
        if place // step % 2 and (path / "state.json").exists():
            engine = restored(path, **small)
        engine.fit(skip_cv_checks=True)
        assert contents(path) == expected, f"place {place}"
        shutil.rmtree(path)
        place += step
    # The first was interrupted, and the run has more than a few places.
    assert place > max(1 + step, 1000)


@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX systems")
@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["save_data", "fit"])
# Of files, between their opening and the block that closes them.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_anywhere_leaves_nothing_held(tmp_path, name, step):
    """Neither the save directory, nor a lock, nor a handler of signals."""
    engine = make_engine(tmp_path, total_budget=6, num_batches=2)
    engine.fit(skip_cv_checks=True, verbose=0)
    before = [signal.getsignal(each) for each in (signal.SIGINT, *signals.ENDING)]
    place = 1
    while is_interrupted(getattr(engine, name), place, AROUND_LOCKS):
        assert not engine._directory._lock._lock.is_locked, f"place {place}"
        assert not any(lock._is_owned() for lock in locks._locks), f"place {place}"
        after = [signal.getsignal(each) for each in (signal.SIGINT, *signals.ENDING)]
        assert after == before, f"place {place}"
        assert not signals._displaced, f"place {place}"
        place += step
    assert place > 500


HALF_IMPORTED = """
import os, signal, sys, threading
from tests.engine.engine_helpers import make_engine

def interrupt_import():
    while "sklearn.utils" not in sys.modules:
        pass
    os.kill(os.getpid(), signal.SIGINT)

engine = make_engine(sys.argv[1], total_budget=24, num_batches=2)
threading.Thread(target=interrupt_import, daemon=True).start()
try:
    engine.fit(verbose=0)
except KeyboardInterrupt:
    print("interrupted", "sklearn.model_selection" in sys.modules)
engine.fit(verbose=0)
print(len(engine.dataset))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX systems")
@pytest.mark.slow
def test_ctrl_c_during_an_import_lets_it_end(tmp_path):
    """Half of a package of compiled modules would make every later `fit` of the process fail."""
    ended = run_script(HALF_IMPORTED, tmp_path)
    assert ended.stdout.split() == ["interrupted", "True", "24"], ended.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX systems")
@pytest.mark.parametrize("last", [20, pytest.param(400, marks=pytest.mark.slow)])
def test_ctrl_c_at_the_end_of_restoring_overwrites_nothing(tmp_path, last):
    small = {"total_budget": 6, "num_batches": 2}
    make_engine(tmp_path, **small).fit(skip_cv_checks=True)
    expected = contents(tmp_path)
    # The first engine fills caches.
    _, total = (places_of(make_engine(tmp_path, **small).restore_data) for _ in range(2))
    for place in range(total - last, total):
        engine = make_engine(tmp_path, **small)
        assert is_interrupted(engine.restore_data, place), f"place {place} of {total}"
        # Either the engine has the run, or it refuses to write over it.
        with contextlib.suppress(SaveDirectoryError):
            engine.save_data()
        assert contents(tmp_path) == expected, f"place {place} of {total}"
