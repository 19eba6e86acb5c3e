"""Schedule: how a budget is split into batches and stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyshac.core.basics.checks import check_positive


@dataclass(frozen=True)
class Schedule:
    """How a budget is spent (Kumar et al., arXiv 1805.10255, section 3).

    Args:
        total_budget: N, number of evaluations.
        num_batches: M, number of batches; N must be divisible by it.
        max_classifiers: Largest number of classifiers to train.

    Raises:
        TypeError: If an argument is not a whole number.
        ValueError: If it is below 1, or N is not divisible by M.
    """

    total_budget: int
    num_batches: int
    max_classifiers: int = 18

    def __post_init__(self) -> None:
        for name in ("total_budget", "num_batches", "max_classifiers"):
            object.__setattr__(self, name, check_positive(name, _as_int(getattr(self, name))))
        if self.total_budget % self.num_batches:
            raise ValueError(
                "total_budget must be divisible by num_batches, but got "
                f"(total_budget={self.total_budget}, num_batches={self.num_batches})."
            )

    @property
    def batch_size(self) -> int:
        """W, number of samples in a batch."""
        return self.total_budget // self.num_batches

    @property
    def total_classifiers(self) -> int:
        """K, number of classifiers in a full cascade."""
        return min(max(self.num_batches - 1, 1), self.max_classifiers)

    @property
    def per_classifier_budget(self) -> int:
        """T_c, number of samples in a stage."""
        batches = self.total_budget // (self.batch_size * (self.total_classifiers + 1))
        return self.batch_size * max(batches, 1)

    def is_classifier_due(self, before: int, after: int) -> bool:
        """Returns whether a stage ends as the number of samples grows from `before` to `after`."""
        return after // self.per_classifier_budget > before // self.per_classifier_budget


def _as_int(number: Any) -> Any:
    """Returns a whole float, such as 100.0 or 1e2, as an int, and anything else as it is."""
    return int(number) if isinstance(number, float) and number.is_integer() else number
