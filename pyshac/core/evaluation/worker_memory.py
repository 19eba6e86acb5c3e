"""Memory of worker processes: how much they hold, and when a worker has to be replaced.

Some frameworks leak memory in every evaluation, and only the end of the process frees it.
"""

from __future__ import annotations

import logging

import psutil

from pyshac.core.basics.messages.error_text import describe

logger = logging.getLogger("pyshac")

# Number of evaluations after which a worker has loaded everything; its baseline is measured then.
SETTLING_EVALUATIONS = 3

# Factor over the baseline at which a worker is replaced.
MAX_RATIO = 1.5

# Smallest growth that is worth a new process.
MIN_GROWTH_BYTES = 128 * 2**20


def held_memory() -> int | None:
    """Returns the resident memory of this process in bytes; None if it cannot be measured."""
    try:
        return int(psutil.Process().memory_info().rss)
    except Exception as error:
        # For example, the evaluation has left no file descriptor free. Its score must not be lost.
        logger.warning("The memory of a worker could not be measured: %s", describe(error))
        return None


class MemoryWatch:
    """Watches the memory of the successive workers of a slot. All figures are in bytes.

    Attributes:
        baseline: Memory of a worker after its first few evaluations; the maximum over all workers
            so far, since a new worker needs that much again. 0 until it is known.
        held: Memory of the present worker after its last evaluation.
    """

    def __init__(self) -> None:
        self.baseline = 0
        self.begin()

    def begin(self) -> None:
        """Starts to watch a new worker."""
        self.held = 0
        self._most = 0
        self._largest_growth = 0
        self._evaluations = 0

    def add(self, held: int | None) -> None:
        """Adds the memory of the worker after an evaluation; None if it is not known."""
        if held is None:
            return
        self._evaluations += 1
        if self._evaluations == SETTLING_EVALUATIONS:
            self.baseline = max(self.baseline, held)
        elif self._evaluations > SETTLING_EVALUATIONS:
            self._largest_growth = max(self._largest_growth, held - self._most)
        self.held = held
        self._most = max(self._most, held)

    @property
    def limit(self) -> int:
        """The most that a worker may hold after an evaluation."""
        return max(int(self.baseline * MAX_RATIO), self.baseline + MIN_GROWTH_BYTES)

    def is_due(self) -> bool:
        """Returns whether one more evaluation may take the worker over the limit."""
        if self._evaluations <= SETTLING_EVALUATIONS:
            return False
        return self.held + self._largest_growth > self.limit
