"""Evaluation: a record of one evaluation, for users."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyshac.core.basics.results.curve import Curve
from pyshac.core.basics.results.details import Details, Extra, as_datetime

COMPLETE, FAILED, PRUNED = "complete", "failed", "pruned"
STATES = (COMPLETE, FAILED, PRUNED)


@dataclass(frozen=True)
class Evaluation:
    """A record of one evaluation. Unknown attributes are None.

    The times and slots of evaluations from earlier releases of PySHAC are unknown.

    Attributes:
        number: The sample's number.
        parameters: Its parameters, a plain dict in the order of the search space.
        score: Its score; NaN if it failed or was pruned.
        state: 'complete', 'failed' or 'pruned'.
        failure: The reason why it failed, or None.
        started: Its start in UTC.
        seconds: Its duration in seconds.
        slot: The slot in which it ran; None for samples from `ask`.
        extras: The values that it returned in addition to its score, by name.
        curve: The scores that it reported while it ran; None if it reported none.
    """

    number: int
    parameters: dict[str, Any]
    score: float
    state: str = COMPLETE
    failure: str | None = None
    started: datetime | None = None
    seconds: float | None = None
    slot: int | None = None
    extras: dict[str, Extra] = field(default_factory=dict)
    curve: Curve | None = None

    @classmethod
    def of(
        cls, number: int, parameters: dict[str, Any], score: float, details: Details
    ) -> Evaluation:
        """Returns the record for a sample, its score and its details."""
        return cls(
            number,
            dict(parameters),
            score,
            state_of(score, details.is_pruned),
            details.failure,
            as_datetime(details.started),
            details.seconds,
            details.slot,
            dict(details.extras),
            details.curve,
        )


def state_of(score: float, is_pruned: bool) -> str:
    """Returns the state of an evaluation, given its score, which is NaN if there is none."""
    if not math.isnan(score):
        return COMPLETE
    return PRUNED if is_pruned else FAILED


class FoundParameters(OrderedDict[str, Any]):
    """Parameters that print like a dict and pickle as an `OrderedDict`."""

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> Any:
        return OrderedDict, ([*self.items()],)
