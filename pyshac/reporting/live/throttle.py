"""Throttle: keeps the share of a processor that some work may take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

# Of one core, so that a search beside it hardly notices.
SHARE = 0.1


class Throttle:
    """Keeps the share of a processor that some work takes.

    Args:
        clock: Returns the time in seconds.
        processor: Returns the time in seconds that a thread has had a processor.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock, self._processor = clock, processor
        self._free_at = clock()

    @property
    def is_due(self) -> bool:
        """Whether the work may be done now."""
        return self._clock() >= self._free_at

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Measures the work of a `with` block."""
        began = self._processor()
        try:
            yield
        finally:
            # Work that is done before it is due comes on top of what was done before.
            rest = (self._processor() - began) * (1 / SHARE - 1)
            self._free_at = max(self._clock(), self._free_at) + rest
