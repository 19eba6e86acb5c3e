"""Processes: they end with all that they have started, and workers end with their engine.

A process is held as a `psutil.Process`, by its number and the time at which it started: the number
alone may belong to another process by now.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import util
from pathlib import Path

import psutil

# Between two checks by a worker that its engine still runs, and by the guardian.
SECONDS_BETWEEN_LOOKS = 1.0
_GUARDIAN_SECONDS = 0.2
_INPUT_BYTES = 2**16
# Loky's resource tracker removes semaphores of a killed engine, unless it was killed with it.
_TRACKER_SECONDS = 3.0
_SHARED_MEMORY = Path("/dev/shm")
_GUARDIAN_PROGRAM = "from pyshac.core.evaluation import processes; processes.guard()"
# Between two checks that a process is gone.
_SECONDS_BETWEEN_CHECKS = 0.005


def find(number: int) -> psutil.Process | None:
    """Returns the process that has a number now, or None."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(number)
    return None


def is_alive(process: psutil.Process) -> bool:
    """Returns whether a process runs; one that has ended may keep its number for a while."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def wait_until_gone(process: psutil.Process, deadline: float) -> bool:
    """Returns whether a process is gone, and its number free, before a `time.monotonic`."""
    while process.is_running():
        if time.monotonic() > deadline:
            return False
        time.sleep(_SECONDS_BETWEEN_CHECKS)
    return True


def kill_tree(root: psutil.Process) -> list[psutil.Process]:
    """Kills a process and its descendants at once; one that is gone is not an error.

    Returns:
        The processes that were killed.
    """
    # A suspended process starts no others.
    tree = [root]
    _suspend(root)
    while new := [each for each in _descendants(root) if each not in tree]:
        for each in new:
            _suspend(each)
        tree += new
    for each in reversed(tree):
        _kill(each)
    return tree


def kill_descendants() -> None:
    """Kills all that this process has started, and what those have started."""
    # This process is about to end; a handler of these deaths may raise an exception.
    with contextlib.suppress(AttributeError, ValueError):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for each in _descendants(psutil.Process()):
        _kill(each)


def _descendants(root: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error, OSError):
        return [each for each in root.children(recursive=True) if not _is_tracker(each)]
    return []


def _is_tracker(process: psutil.Process) -> bool:
    """Returns whether a process is a resource tracker.

    One removes what the other processes of its tree leave in shared memory, and then ends.
    """
    with contextlib.suppress(psutil.Error, OSError):
        return any("resource_tracker import main" in word for word in process.cmdline())
    return False


def start_tracker(ensure_running: Callable[[], None]) -> None:
    """Starts a resource tracker, unless it runs, so that no hangup ends it before its work."""
    if os.name != "posix":
        ensure_running()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    try:
        ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _suspend(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error, OSError):
        process.suspend()


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error, OSError):
        process.kill()


def take_along_descendants() -> None:
    """Makes the regular end of this process, of `multiprocessing`, kill all that it has started.

    It would wait for them otherwise.
    """
    # The last of the finalizers that run before it waits: those of pools end their own processes.
    util.Finalize(None, kill_descendants, exitpriority=0)


def end_with(engine: int) -> None:
    """Makes this process end, with all that it has started, once its engine is gone.

    Args:
        engine: The process id of the engine, which need not be the parent.
    """
    watch = threading.Thread(target=_watch, args=(engine,), name="pyshac-watch", daemon=True)
    watch.start()


def _watch(engine: int) -> None:
    process = find(engine)
    # While it is the parent, no other process has its number. Windows keeps the number for ever.
    while (os.name == "posix" and os.getppid() == engine) or (process and is_alive(process)):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    kill_descendants()
    # Nothing else ends a process in the middle of an evaluation.
    os._exit(1)


class Guardian:
    """A process that ends the workers of an engine that was killed.

    A worker watches its engine itself, but cannot while it is stopped, or while compiled code holds
    the interpreter. The guardian has a session of its own, so that no signal to the engine's group
    or terminal reaches it. It starts with the first worker.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, worker: psutil.Process) -> None:
        """Makes a worker end, with all that it has started, when this process does."""
        if self._process is None and _can_start():
            self._process = _start()
        if self._process is not None and self._process.stdin is not None:
            # Without a guardian, workers still watch their engine.
            with contextlib.suppress(OSError):
                self._process.stdin.write(b"%d\n" % worker.pid)

    def close(self) -> None:
        """Ends the guardian, when all workers are gone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()


def _can_start() -> bool:
    # The executable of a frozen program is the program itself.
    return os.name == "posix" and bool(sys.executable) and not getattr(sys, "frozen", False)


def _search_path() -> list[str]:
    # Python ignores what is no text.
    return [each for each in sys.path if each and isinstance(each, str)]


def _start() -> subprocess.Popen[bytes] | None:
    with contextlib.suppress(OSError):
        return subprocess.Popen(
            [sys.executable, "-c", _GUARDIAN_PROGRAM, str(os.getpid())],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(_search_path())},
            start_new_session=True,
        )
    return None


def guard() -> None:
    """The guardian's side: it waits for its parent to end, and then ends the workers."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    engine = int(sys.argv[1])
    workers: list[psutil.Process] = []
    told, is_left = b"", False
    # What the engine wrote last is read after its end.
    while not is_left:
        is_left = os.getppid() != engine
        *lines, told = (told + _read_input(0 if is_left else _GUARDIAN_SECONDS)).split(b"\n")
        if lines:
            known = [each for each in workers if is_alive(each)]
            new = map(find, map(int, lines))
            workers = [*known, *(each for each in new if each is not None)]
    ended = {engine}
    for worker in workers:
        ended.update(each.pid for each in kill_tree(worker))
    _sweep(ended)


def _read_input(seconds: float) -> bytes:
    """Returns what arrives at standard input within some time."""
    readable, _, _ = select.select([0], [], [], seconds)
    data = os.read(0, _INPUT_BYTES) if readable else b""
    if readable and not data:
        # The engine's side was closed before this process was killed.
        time.sleep(seconds)
    return data


def _sweep(numbers: set[int]) -> None:
    """Removes the semaphores of loky whose processes have ended, if nobody else does."""
    deadline = time.monotonic() + _TRACKER_SECONDS
    while (left := _semaphores(numbers)) and time.monotonic() < deadline:
        time.sleep(_GUARDIAN_SECONDS)
    for path in left:
        with contextlib.suppress(OSError):
            path.unlink()


def _semaphores(numbers: set[int]) -> list[Path]:
    # A number may belong to another process by now.
    found = {number: find(number) for number in numbers}
    gone = [number for number, each in found.items() if not (each and is_alive(each))]
    return [path for number in gone for path in _SHARED_MEMORY.glob(f"sem.loky-{number}-*")]


@contextlib.contextmanager
def ending_forks() -> Iterator[None]:
    """Ends a process that is forked inside the block where it would leave the block.

    Nothing of the engine or of a worker may run in it as well.
    """
    process, status = os.getpid(), 0
    try:
        yield
    except BaseException as error:
        if os.getpid() == process:
            raise
        status = _exit_status(error)
    if os.getpid() != process:
        _flush()
        os._exit(status)


def _exit_status(error: BaseException) -> int:
    """Returns the status with which Python ends for an exception; prints its traceback or text."""
    if not isinstance(error, SystemExit):
        with contextlib.suppress(Exception):
            traceback.print_exception(error)
        return 1
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    with contextlib.suppress(Exception):
        sys.stderr.write(f"{error.code}\n")
    return 1


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
