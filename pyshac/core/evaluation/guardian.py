"""The guardian: a process that ends the workers of an engine that was killed.

A worker watches its engine itself, but cannot while it is stopped, or while compiled code holds the
interpreter. The guardian is in a session of its own, so that no signal to the engine's group or
terminal reaches it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from pyshac.core.evaluation import processes

# Between two checks that the engine still runs.
SECONDS_BETWEEN_LOOKS = 0.2
# Loky's resource tracker removes semaphores of a killed engine, unless it was killed with it.
SECONDS_FOR_TRACKER = 3.0
SHARED_MEMORY = Path("/dev/shm")
_PROGRAM = "from pyshac.core.evaluation import guardian; guardian.main()"


class Guardian:
    """The engine's side: starts the guardian with the first worker, and tells it of each."""

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


def _start() -> subprocess.Popen[bytes] | None:
    with contextlib.suppress(OSError):
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(os.getpid())],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )
    return None


def main() -> None:
    """What the guardian does: it waits for its parent to end, and then ends the workers."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    engine = int(sys.argv[1])
    workers: list[psutil.Process] = []
    told = b""
    while os.getppid() == engine:
        readable, _, _ = select.select([0], [], [], SECONDS_BETWEEN_LOOKS)
        if readable:
            data = os.read(0, 4096)
            if not data:
                # The engine's side was closed before this process was killed.
                time.sleep(SECONDS_BETWEEN_LOOKS)
            *lines, told = (told + data).split(b"\n")
            known = [each for each in workers if processes.is_alive(each)]
            new = map(processes.find, map(int, lines))
            workers = [*known, *(each for each in new if each is not None)]
    ended = {engine}
    for worker in workers:
        ended.update(each.pid for each in processes.kill_tree(worker))
    sweep(ended)


def sweep(numbers: set[int]) -> None:
    """Removes the semaphores of loky whose processes have ended, if nobody else does."""
    deadline = time.monotonic() + SECONDS_FOR_TRACKER
    while (left := _semaphores(numbers)) and time.monotonic() < deadline:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    for path in left:
        with contextlib.suppress(OSError):
            path.unlink()


def _semaphores(numbers: set[int]) -> list[Path]:
    # A number may belong to another process by now.
    found = {number: processes.find(number) for number in numbers}
    gone = [number for number, each in found.items() if not (each and processes.is_alive(each))]
    return [path for number in gone for path in SHARED_MEMORY.glob(f"sem.loky-{number}-*")]
