"""Queue: samples that the user wants to evaluate next."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyshac.core.basics import plain_values, seeding
from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.given.completion import completed
from pyshac.core.search.given.once import Mark, Once

_PURPOSE = seeding.Purpose.ENQUEUE


@dataclass(frozen=True)
class Enqueued:
    """A sample that was enqueued.

    Attributes:
        given: The parameters that the user gave, with lists for multi parameters.
        row: The values of the sample; those that were not given are drawn.
    """

    given: dict[str, Any]
    row: list[Any]

    @classmethod
    def of(cls, names: Container[str], row: list[Any], space: HyperParameterList) -> Enqueued:
        """Returns a sample of a space, given its row and the names of what the user gave."""
        values = space.to_parameters(row, named=True)
        return cls({name: value for name, value in values.items() if name in names}, row)


@dataclass
class Queue:
    """The samples that were enqueued, in order.

    Attributes:
        samples: All of them, including evaluated ones.
        num_taken: Number of samples in closed batches. Those of an open batch come next.
    """

    samples: list[Enqueued] = field(default_factory=list)
    num_taken: int = 0

    def __post_init__(self) -> None:
        self._once = Once(_identity(sample.given) for sample in self.samples)

    @without_float_errors
    def enqueue(
        self, given: Sequence[Mapping[str, Any]], space: HyperParameterList, entropy: int
    ) -> int:
        """Appends samples. Values that are not given are drawn from the prior.

        Samples that were enqueued before the search was restored are not enqueued again; see
        `Once`.

        Args:
            given: Parameters by name, some or all for each sample.
            space: The search space.
            entropy: The seed of the search.

        Returns:
            Number of samples that were appended.

        Raises:
            TypeError: If a value has the wrong type.
            ValueError: If a name is unknown, a value is outside the search space, or given values
                break a constraint. No sample is then appended.
        """
        checked = [_completed(each, space, seeding.stream(entropy, _PURPOSE, 0)) for each in given]
        before = len(self.samples)
        for sample in checked:
            key = _identity(sample.given)
            if self._once.is_new(key):
                self._once.take(key)
                stream = seeding.stream(entropy, _PURPOSE, len(self.samples))
                self.samples.append(_completed(sample.given, space, stream))
        return len(self.samples) - before

    def mark(self) -> tuple[int, Mark]:
        """Returns the present state, for `reset`."""
        return len(self.samples), self._once.mark()

    def reset(self, mark: tuple[int, Mark]) -> None:
        """Removes everything that was enqueued since a `mark`."""
        number, given = mark
        self._once.reset(given, (_identity(sample.given) for sample in self.samples[number:]))
        del self.samples[number:]

    def waiting(self, num_open: int = 0) -> list[list[Any]]:
        """Returns the rows that wait for a batch.

        Args:
            num_open: Number of samples of the queue in an open batch.
        """
        return [sample.row for sample in self.samples[self.num_taken + num_open :]]

    def copy(self) -> Queue:
        """Returns a copy."""
        return Queue([*self.samples], self.num_taken)


def _completed(
    given: Mapping[str, Any], space: HyperParameterList, stream: np.random.SeedSequence
) -> Enqueued:
    return Enqueued.of(given, completed(given, space, stream), space)


def _identity(given: Mapping[str, Any]) -> Any:
    values = ((name, tuple(v) if isinstance(v, list) else v) for name, v in sorted(given.items()))
    return plain_values.identity(tuple(values))
