"""A time limit for code that runs in a thread of a process that must go on: it is interrupted.

The exception arises between two steps of Python code. What waits in compiled code meets it on its
way back.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator


class OverdueError(BaseException):
    """The time is up. No `Exception`, so that few programs take it for one of their own."""


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Interrupts a `with` block of this thread after some time; None to let it be.

    Raises:
        OverdueError: If the block took longer, also where it took no notice.
    """
    if seconds is None:
        yield
        return
    alarm = _Alarm(seconds)
    try:
        alarm.start()
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        alarm.stop()
        if alarm.has_rung and not isinstance(error, OverdueError):
            # What was interrupted made another exception of it.
            raise OverdueError from error
        raise
    finally:
        alarm.stop()
    if alarm.has_rung:
        raise OverdueError


class _Alarm:
    """Raises `OverdueError` once in the thread that made it, unless that stops it before."""

    def __init__(self, seconds: float) -> None:
        self.has_rung = False
        self._thread = ctypes.c_ulong(threading.get_ident())
        self._is_stopped = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def _ring(self) -> None:
        with self._lock:
            if not self._is_stopped:
                self.has_rung = True
                _raise_in(self._thread, ctypes.py_object(OverdueError))

    def stop(self) -> None:
        """After this, nothing is raised any more that has not been raised yet."""
        with self._lock:
            self._is_stopped = True
            if self.has_rung:
                _raise_in(self._thread, None)
        self._timer.cancel()


def _raise_in(thread: ctypes.c_ulong, error: ctypes.py_object[type[OverdueError]] | None) -> None:
    """Lets a thread raise an exception next; None takes back one that it has not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, error)
