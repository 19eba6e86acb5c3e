"""A time limit for code whose process must not be ended: an exception interrupts it.

The exception is raised between two bytecode instructions. Compiled code is interrupted only when it
returns.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator


class OverdueError(BaseException):
    """The time is up. Not an `Exception`, so that few programs catch it by accident."""


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Interrupts a `with` block of this thread after some time.

    Args:
        seconds: The time; None for no limit.

    Raises:
        OverdueError: If the block took longer, even if it swallowed the interruption.
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
            # The interrupted code has turned it into another exception.
            raise OverdueError from error
        raise
    finally:
        alarm.stop()
    if alarm.has_rung:
        raise OverdueError


class _Alarm:
    """Raises `OverdueError` once in the thread that created it, unless it is stopped before."""

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
        """Prevents an exception that has not been raised yet."""
        with self._lock:
            self._is_stopped = True
            if self.has_rung:
                _raise_in(self._thread, None)
        self._timer.cancel()


def _raise_in(thread: ctypes.c_ulong, error: ctypes.py_object[type[OverdueError]] | None) -> None:
    """Makes a thread raise an exception next; None revokes one that it has not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, error)
