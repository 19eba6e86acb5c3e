"""OpenBatches: the batches whose samples are being evaluated, in the order of their numbers."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from pyshac.core.search.batch import Batch


class OpenBatches:
    """The batches whose samples are being evaluated, in the order of their numbers.

    Args:
        batches: The batches, each of which follows the previous one.
    """

    def __init__(self, batches: Iterable[Batch] = ()) -> None:
        self._batches = [*batches]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._batches)

    @property
    def first(self) -> Batch | None:
        """The oldest batch, or None."""
        return self._batches[0] if self._batches else None

    @property
    def stop(self) -> int:
        """Number of the first sample after all of them; 0 if none is open."""
        return self._batches[-1].ids.stop if self._batches else 0

    @property
    def pending(self) -> list[int]:
        """The numbers of the samples that have no score yet."""
        return [number for batch in self._batches for number in batch.pending]

    @property
    def num_enqueued(self) -> int:
        """Number of samples from the queue."""
        return sum(batch.num_enqueued for batch in self._batches)

    def drawn(self, start: int, size: int) -> list[list[Batch]]:
        """Returns the parts of each batch of a stream that is completely drawn.

        Args:
            start: Number of the first sample of the oldest batch.
            size: The batch size.
        """
        drawn: list[list[Batch]] = []
        parts: list[Batch] = []
        for part in self._batches:
            parts.append(part)
            if part.ids.stop - start >= size:
                drawn.append(parts)
                start, parts = part.ids.stop, []
        return drawn

    def of(self, number: int) -> Batch:
        """Returns the batch of a sample.

        Raises:
            KeyError: If no batch contains it.
        """
        place = bisect.bisect_right([batch.start for batch in self._batches], number) - 1
        if place < 0 or number not in self._batches[place].ids:
            raise KeyError(number)
        return self._batches[place]

    def __contains__(self, number: int) -> bool:
        try:
            self.of(number)
        except KeyError:
            return False
        return True

    def row(self, number: int) -> list[Any]:
        """Returns the values of a sample by its number."""
        return self.of(number).row(number)

    def has_score(self, number: int) -> bool:
        """Returns whether a sample has a score, by its number."""
        return number in self.of(number).worker_ids

    def append(self, batch: Batch) -> None:
        """Appends a batch, which follows the last one."""
        self._batches.append(batch)

    def close(self, number: int) -> None:
        """Removes the oldest batches."""
        del self._batches[:number]

    def copy(self) -> OpenBatches:
        """Returns a copy."""
        return OpenBatches(
            replace(batch, worker_ids={**batch.worker_ids}) for batch in self._batches
        )
