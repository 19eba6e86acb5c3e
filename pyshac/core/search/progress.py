"""Progress: the stage of a search, and the counts of its classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyshac.core.basics.messages.printable import printable
from pyshac.core.search.schedule import Schedule

BUDGET_SPENT = "budget spent"
ALL_EVALUATED = "all points evaluated"


@dataclass(frozen=True)
class Progress:
    """The stage of a search, and the counts of its classifiers.

    Attributes:
        schedule: How the budget is split.
        num_complete: Number of samples in closed batches.
        stage_end: Number of samples when the last classifier was trained or refused.
        trained: Number of classifiers in the cascade.
        refused: Number of refused classifiers, by reason.
        ending: Why no further sample is evaluated; empty while the search continues.
    """

    schedule: Schedule
    num_complete: int
    stage_end: int
    trained: int
    refused: Mapping[str, int]
    ending: str = ""

    @property
    def to_come(self) -> int:
        """The maximum number of classifiers that may still join the cascade."""
        return 0 if self.ending else self._num_due(self.schedule.total_budget)

    @property
    def num_stages(self) -> int:
        """The maximum number of stages that the search may have."""
        # A classifier at the very end begins a stage without samples.
        return self.trained + 1 + self._num_due(self.schedule.total_budget - 1)

    def _num_due(self, stop: int) -> int:
        """Returns how many classifiers may join the cascade up to a number of samples."""
        length = self.schedule.per_classifier_budget
        # One classifier makes up for all stages that have none.
        is_missing = self.schedule.is_classifier_due(self.stage_end, self.num_complete)
        due = is_missing + stop // length - self.num_complete // length
        return max(min(due, self.schedule.total_classifiers - self.trained), 0)

    @property
    def stage(self) -> str:
        """The stage in words, counted from 1, or the reason why no stage follows."""
        return self.ending or f"{self.trained + 1} of {self.num_stages}"

    @property
    def num_refused(self) -> int:
        """Number of classifiers that were refused."""
        return sum(self.refused.values())

    @property
    def classifiers(self) -> str:
        """The numbers of trained, refused (with reasons) and possible further classifiers."""
        parts = [f"{self.trained} trained"]
        if self.refused:
            parts.append(f"{self.num_refused} refused ({self._reasons})")
        if self.to_come:
            parts.append(f"up to {self.to_come} to come")
        return ", ".join(parts)

    @property
    def _reasons(self) -> str:
        if len(self.refused) == 1:
            return printable(next(iter(self.refused)))
        return "; ".join(
            f"{number}: {printable(reason)}" for reason, number in self.refused.items()
        )

    @property
    def batches(self) -> str:
        """Number and size of the batches."""
        size, last = self.schedule.batch_size, self.schedule.total_budget % self.schedule.batch_size
        number = self.schedule.num_batches
        batches = f"{number} batch{'es' * (number != 1)} of {size}"
        return f"{batches}, the last of {last}" if last else batches
