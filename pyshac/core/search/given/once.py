"""Once: items that a script gives a search on each run count once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

Mark = Counter[Hashable]


class Once:
    """Counts given items, in total and by this process, to recognise new ones.

    Items that were given before the search was restored are not new, so a script that runs again
    gives nothing twice. A process may itself give equal items.

    Args:
        known: The items so far.
    """

    def __init__(self, known: Iterable[Hashable]) -> None:
        self._known = Counter(known)
        self._own: Counter[Hashable] = Counter()

    def is_new(self, key: Hashable) -> bool:
        """Counts an item of this process; returns whether it is new."""
        self._own[key] += 1
        return self._own[key] > self._known[key]

    def take(self, key: Hashable) -> None:
        """Counts an item that the search accepts."""
        self._known[key] += 1

    def mark(self) -> Mark:
        """Returns the items of this process, for `reset`."""
        return self._own.copy()

    def reset(self, mark: Mark, taken: Iterable[Hashable]) -> None:
        """Forgets the items since a `mark`.

        Args:
            mark: The mark.
            taken: The items that the search has accepted since.
        """
        self._own = mark
        self._known.subtract(taken)
