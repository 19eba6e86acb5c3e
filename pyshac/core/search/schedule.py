"""How a budget is spent: batches, stages, and when a classifier is due."""

from __future__ import annotations

from dataclasses import dataclass

from pyshac.core.basics.checks import check_positive


@dataclass(frozen=True)
class Schedule:
    """The plan of a run (Kumar et al., arXiv 1805.10255, section 3).

    Args:
        total_budget: N, number of evaluations.
        num_batches: M, number of batches; N must be divisible by it.
        max_classifiers: Highest number of classifiers to train.

    Raises:
        TypeError: If an argument is not an int.
        ValueError: If it is below 1, or N is not divisible by M.
    """

    total_budget: int
    num_batches: int
    max_classifiers: int = 18

    def __post_init__(self) -> None:
        for name in ("total_budget", "num_batches", "max_classifiers"):
            object.__setattr__(self, name, check_positive(name, getattr(self, name)))
        if self.total_budget % self.num_batches:
            raise ValueError(
                "total_budget must be divisible by num_batches, but got "
                f"(total_budget={self.total_budget}, num_batches={self.num_batches})."
            )

    @property
    def num_workers(self) -> int:
        """W, samples in a batch."""
        return self.total_budget // self.num_batches

    @property
    def total_classifiers(self) -> int:
        """K, classifiers in a full cascade."""
        return min(max(self.num_batches - 1, 1), self.max_classifiers)

    @property
    def per_classifier_budget(self) -> int:
        """T_c, new samples for which a classifier is trained."""
        batches = self.total_budget // (self.num_workers * (self.total_classifiers + 1))
        return self.num_workers * max(batches, 1)

    def is_classifier_due(self, before: int, after: int) -> bool:
        """Says whether a stage ends when the number of samples grows from `before` to `after`."""
        return after // self.per_classifier_budget > before // self.per_classifier_budget
