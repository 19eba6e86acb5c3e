"""Once: what a script gives a search each time that it runs counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

Mark = Counter[Hashable]


class Once:
    """Counts what was given, in all and by this process, to tell what is new.

    What was given before the search was restored is not new, so a script that runs again gives
    nothing twice. A process may give equal things itself.

    Args:
        known: What was given so far.
    """

    def __init__(self, known: Iterable[Hashable]) -> None:
        self._known = Counter(known)
        self._own: Counter[Hashable] = Counter()

    def is_new(self, key: Hashable) -> bool:
        """Counts what this process gives; returns whether it is new."""
        self._own[key] += 1
        return self._own[key] > self._known[key]

    def take(self, key: Hashable) -> None:
        """Counts what the search takes."""
        self._known[key] += 1

    def mark(self) -> Mark:
        """Returns what this process has given, for `reset`."""
        return self._own.copy()

    def reset(self, mark: Mark, taken: Iterable[Hashable]) -> None:
        """Forgets what was given since a `mark`.

        Args:
            mark: The mark.
            taken: What the search has taken since.
        """
        self._own = mark
        self._known.subtract(taken)
