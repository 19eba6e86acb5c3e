"""Processes: kill one with all its descendants, or make one end with its parent."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import psutil

# Between two checks by a worker that its engine still runs.
SECONDS_BETWEEN_LOOKS = 1.0


def kill_tree(process: int) -> None:
    """Kills a process and all its descendants at once; a process that is gone is not an error."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(process)
        # A suspended process starts no others.
        with contextlib.suppress(psutil.Error, OSError):
            root.suspend()
        for each in [*root.children(recursive=True), root]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def end_with(process: int) -> None:
    """Makes this process end, with all its descendants, once its parent is gone.

    Args:
        process: The process id of the parent.
    """
    watch = threading.Thread(target=_watch, args=(process,), name="pyshac-watch", daemon=True)
    watch.start()


def _watch(process: int) -> None:
    while _is_running(process):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    with contextlib.suppress(psutil.Error, OSError):
        for each in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    # Nothing else ends a process in the middle of an evaluation.
    os._exit(1)


def _is_running(parent: int) -> bool:
    # On Windows a process keeps the id of a parent that has ended.
    return os.getppid() == parent if os.name == "posix" else psutil.pid_exists(parent)
