"""ColumnKind: the meaning of the encoded numbers of a column."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.types.steps import Steps

# Origin and unit.
Scale = tuple[float, float]


@dataclass(frozen=True)
class ColumnKind:
    """The meaning of the encoded numbers of a column.

    Attributes:
        is_built_in: Whether the library knows the distribution, so that it can map the unit
            interval to the column. If not, it knows nothing else either.
        choices: The values of a choice, by index; None for numbers.
        is_ordered: Whether the order of the encoded numbers is meaningful.
        is_whole: Whether the values are integers.
        is_log: Whether a value is encoded as its natural logarithm.
        low: The user's lower bound of the values, or minus infinity.
        high: The user's upper bound of the values, or infinity.
        scale: Origin and unit of the scale on which classifiers see the encoded numbers; None if
            they see cumulative probabilities.
        steps: The values, if their distances are equal; otherwise None.
        is_relative: Whether a value is encoded as its fraction of what earlier columns leave.
    """

    is_built_in: bool = True
    choices: tuple[Any, ...] | None = None
    is_ordered: bool = True
    is_whole: bool = False
    is_log: bool = False
    low: float = -math.inf
    high: float = math.inf
    scale: Scale | None = (0.0, 1.0)
    steps: Steps | None = None
    is_relative: bool = False

    @property
    def is_unordered_choice(self) -> bool:
        """Whether the column holds choices without a meaningful order."""
        return self.choices is not None and not self.is_ordered

    @property
    def is_separate(self) -> bool:
        """Whether each value has part of the unit interval, as for choices, steps and integers."""
        return self.choices is not None or self.steps is not None or self.is_whole

    @property
    def num_values(self) -> float:
        """Number of values of choices, steps and bounded integers; otherwise infinity."""
        if self.choices is not None:
            return len(self.choices)
        if self.steps is not None:
            return self.steps.count
        return self.high - self.low + 1 if self.is_whole else math.inf

    def all_values(self) -> FloatArray:
        """Returns the encoded values, ascending, shape (num_values,), if that is finite."""
        if self.choices is not None:
            return np.arange(len(self.choices), dtype=np.float64)
        if self.steps is not None:
            return self.steps.all()
        values = np.arange(self.low, self.high + 1)
        return np.log(values) if self.is_log else values


def scale_between(low: float, high: float) -> Scale:
    """Returns the scale on which two encoded numbers are 0 and 1."""
    return low, (high - low) or 1.0


# The kind of a user's own types.
UNKNOWN = ColumnKind(is_built_in=False)
