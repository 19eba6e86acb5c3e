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
        batch_size: W, number of samples in a batch; the last batch may have fewer.
        max_classifiers: Maximum number of classifiers to train.

    Raises:
        TypeError: If an argument is not an integer.
        ValueError: If an argument is below 1.
    """

    total_budget: int
    batch_size: int
    max_classifiers: int = 18

    def __post_init__(self) -> None:
        for name in ("total_budget", "batch_size", "max_classifiers"):
            object.__setattr__(self, name, check_positive(name, _as_int(getattr(self, name))))

    @classmethod
    def in_batches(cls, total_budget: int, num_batches: int, max_classifiers: int = 18) -> Schedule:
        """Returns the schedule with a number of batches, all of one size.

        Raises:
            TypeError: If an argument is not an integer.
            ValueError: If an argument is below 1, or N is not divisible by M; the message proposes
                other values.
        """
        total = check_positive("total_budget", _as_int(total_budget))
        number = check_positive("num_batches", _as_int(num_batches))
        if total % number:
            lower = total - total % number
            budgets = " or ".join(str(each) for each in (lower, lower + number) if each)
            raise ValueError(
                "total_budget must be divisible by num_batches, but got "
                f"(total_budget={total}, num_batches={number}). Take total_budget={budgets}, or "
                f"batch_size={total // number + 1} instead of num_batches, whose last batch "
                "may be shorter."
            )
        return cls(total, total // number, max_classifiers)

    @property
    def num_batches(self) -> int:
        """M, number of batches."""
        return -(-self.total_budget // self.batch_size)

    def end_of_batch(self, start: int) -> int:
        """Returns the number of the first sample after a batch, given that of its first sample."""
        return min(start + self.batch_size, self.total_budget)

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
    """Returns an integral float, such as 100.0 or 1e2, as an int, and anything else unchanged."""
    return int(number) if isinstance(number, float) and number.is_integer() else number
