"""Jobs: calls that run beside the loop of `fit`, such as draws, while evaluations continue."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from pyshac.core.basics import locks

Returned = TypeVar("Returned")


class Job(Generic[Returned]):
    """Runs one call at a time, in its own thread or at once.

    Args:
        name: The name of the thread; None to run calls at once, in the caller's thread.
        wake: Called in the thread when a call has ended.
    """

    def __init__(self, name: str | None, wake: Callable[[], None]) -> None:
        self._executor = None if name is None else ThreadPoolExecutor(1, name)
        self._wake = wake
        self._future: Future[Returned] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a call has begun and its result was not taken yet."""
        return self._future is not None

    @property
    def is_done(self) -> bool:
        """Whether a result is available."""
        return self._future is not None and self._future.done()

    def start(self, call: Callable[[], Returned]) -> None:
        """Begins a call. No other call may be running."""
        if self._executor is None:
            future: Future[Returned] = Future()
            future.set_result(call())
            self._future = future
        else:
            self._future = self._executor.submit(call)
            locks.note_call(self._future)
            self._future.add_done_callback(lambda _: self._wake())

    def take(self) -> Returned:
        """Returns the result of a finished call, or raises its error."""
        future, self._future = self._future, None
        if future is None:
            raise RuntimeError("No call was started.")
        return future.result()

    def close(self) -> None:
        """Waits for a running call, whose result is no longer needed."""
        if self._executor is not None:
            self._executor.shutdown()
