"""Memory of worker processes: how much they hold, and when that is too much.

Some frameworks keep memory after every evaluation that nothing inside the process gives back. Only
the end of the process does.
"""

from __future__ import annotations

import psutil

# A worker's memory is measured by what it held after so many evaluations: all is loaded by then.
SETTLING_EVALUATIONS = 3

# How many times that a worker may hold before it is replaced.
MAX_RATIO = 1.5

# Growth below this is not worth a new process.
MIN_GROWTH_BYTES = 128 * 2**20


def held_memory() -> int:
    """Returns the resident memory of this process in bytes."""
    return int(psutil.Process().memory_info().rss)


class MemoryWatch:
    """Watches what the workers of one slot hold, one worker after the other.

    Attributes:
        baseline: What a worker held after its first few evaluations; the most of all workers so
            far, since a new worker is no help against what its first evaluations need. 0 until
            it is known.
        held: What the present worker held after its last evaluation.
    """

    def __init__(self) -> None:
        self.baseline = 0
        self.begin()

    def begin(self) -> None:
        """Takes note of a new worker."""
        self.held = 0
        self._most = 0
        self._largest_growth = 0
        self._evaluations = 0

    def add(self, held: int) -> None:
        """Takes in what the worker holds after an evaluation."""
        self._evaluations += 1
        if self._evaluations == SETTLING_EVALUATIONS:
            self.baseline = max(self.baseline, held)
        elif self._evaluations > SETTLING_EVALUATIONS:
            self._largest_growth = max(self._largest_growth, held - self._most)
        self.held = held
        self._most = max(self._most, held)

    @property
    def limit(self) -> int:
        """What a worker may hold after an evaluation."""
        return max(int(self.baseline * MAX_RATIO), self.baseline + MIN_GROWTH_BYTES)

    def is_due(self) -> bool:
        """Says whether one more evaluation could take the worker over the limit."""
        if self._evaluations <= SETTLING_EVALUATIONS:
            return False
        return self.held + self._largest_growth > self.limit
