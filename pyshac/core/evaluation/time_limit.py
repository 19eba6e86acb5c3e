"""A time limit for code whose process must not be ended: an exception interrupts it.

The exception is raised between two bytecode instructions. Compiled code is interrupted only when it
returns.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator

from pyshac.core.errors import EvaluationTimeoutError

# Unpickling the evaluation function and importing its modules may take this long, even if the time
# limit of evaluations is lower.
LOADING_SECONDS = 600.0


class OverdueError(BaseException):
    """The time is up. Not an `Exception`, so that few programs catch it by accident."""


def loading_limit(timeout: float | None) -> float | None:
    """Returns the seconds that a worker may take to load the evaluation function.

    Args:
        timeout: The time limit of evaluations; without one, loading has none either.
    """
    return None if timeout is None else max(timeout, LOADING_SECONDS)


def loading_error(limit: float | None) -> EvaluationTimeoutError:
    """Returns the error of a worker that exceeded this limit."""
    return EvaluationTimeoutError(
        f"Loading the evaluation function in a worker took longer than {limit} s, with the modules "
        "that it imports. Look for an import that waits for something"
    )


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
