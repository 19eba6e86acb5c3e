"""Turns: lets threads that share an engine run one `fit` and one step at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from pyshac.core.basics.locks import CopyableLock
from pyshac.core.engine.loop.loop import AnyLoop, Loop


class Turns:
    """Decides which thread may use the engine. A loop lasts for a whole `fit`, a step for one call.

    Attributes:
        lock: It is held in every step, including the steps of a loop.
        loop: The loop that is running, or None.
    """

    def __init__(self) -> None:
        self.lock = CopyableLock()
        self.loop: Loop | None = None
        self._thread: int | None = None

    @contextlib.contextmanager
    def looping(self, name: str, new_loop: Callable[[], AnyLoop]) -> Iterator[AnyLoop]:
        """Yields a loop that may run inside a `with` block. A second loop is refused at once.

        Args:
            name: The method that the user called.
            new_loop: Returns the loop; called when no other thread is in a step.

        Raises:
            RuntimeError: If a loop is running.
        """
        self._refuse(name)
        loop = None
        try:
            with self.lock:
                self._refuse(name)
                loop = new_loop()
                self.loop, self._thread = loop, threading.get_ident()
            yield loop
        finally:
            if loop is not None and self.loop is loop:
                self.loop = None

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Makes a `with` block wait for the steps of other threads.

        Raises:
            RuntimeError: If a loop is running.
        """
        # At once, rather than after the step of the loop that is running.
        self._refuse(name)
        with self.lock:
            self._refuse(name)
            yield

    @contextlib.contextmanager
    def step_beside_own_loop(self, name: str) -> Iterator[None]:
        """Does the same as `step`, but allows callbacks of the running loop."""
        if self._thread != threading.get_ident():
            self._refuse(name)
        with self.lock:
            yield

    def _refuse(self, name: str) -> None:
        if self.loop is not None:
            raise RuntimeError(
                f"{name} cannot be used while fit() or fit_dataset() runs on the same engine, in "
                "a callback or in another thread. Wait for its end, or call stop() to end it."
            )
