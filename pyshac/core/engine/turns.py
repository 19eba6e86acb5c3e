"""Turns: one `fit` at a time, and one step at a time, of the threads that share an engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pyshac.core.basics.locks import CopyableLock
from pyshac.core.engine.fit_loop import FitLoop


class Turns:
    """Whose turn it is. A loop lasts for a whole `fit`, a step for one call such as `ask`.

    Attributes:
        lock: Held in every step, also in the steps of a loop.
        loop: The loop that is running, or None.
    """

    def __init__(self) -> None:
        self.lock = CopyableLock()
        self.loop: FitLoop | None = None

    @contextlib.contextmanager
    def looping(self, name: str, loop: FitLoop) -> Iterator[None]:
        """Runs a loop inside a `with` block; a second one is refused at once.

        Args:
            name: The method that the user called.
            loop: The loop.

        Raises:
            RuntimeError: If a loop is running.
        """
        self._refuse(name)
        try:
            with self.lock:
                self._refuse(name)
                self.loop = loop
            yield
        finally:
            if self.loop is loop:
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

    def _refuse(self, name: str) -> None:
        if self.loop is not None:
            raise RuntimeError(
                f"{name} cannot be used while fit() or fit_dataset() runs on the same engine, in "
                "a callback or in another thread. Wait for its end, or call stop() to end it."
            )
