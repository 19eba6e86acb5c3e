"""Batch: the samples that are being evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Batch:
    """The samples that are being evaluated.

    Attributes:
        start: Number of the first sample.
        rows: The samples' values, in order.
        worker_ids: The slot in which each finished sample ran, by number; None outside slots.
    """

    start: int
    rows: list[list[Any]]
    worker_ids: dict[int, int | None] = field(default_factory=dict)

    @property
    def ids(self) -> range:
        """The numbers of its samples."""
        return range(self.start, self.start + len(self.rows))

    @property
    def pending(self) -> list[int]:
        """The numbers of the samples that have no score yet."""
        return [number for number in self.ids if number not in self.worker_ids]

    def row(self, number: int) -> list[Any]:
        """The values of a sample, given its number."""
        return self.rows[number - self.start]
