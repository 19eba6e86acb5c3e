"""Evaluation: a record of one evaluation, for users to look up."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyshac.core.basics.results.details import Details, Extra, as_datetime

COMPLETE, FAILED = "complete", "failed"
STATES = (COMPLETE, FAILED)


@dataclass(frozen=True)
class Evaluation:
    """A record of one evaluation. What is not known of it is None.

    A search that an earlier PySHAC began knows neither times nor slots of its first evaluations.

    Attributes:
        number: The sample's number.
        parameters: Its parameters, a plain dict in the order of the search space.
        score: Its score; NaN if it failed.
        state: 'complete' or 'failed'.
        failure: The reason for its failure, or None.
        started: When it started, in UTC.
        seconds: Its duration.
        slot: The slot in which it ran; None for samples of `ask`.
        extras: The values that it returned beside its score, by name.
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

    @classmethod
    def of(
        cls, number: int, parameters: dict[str, Any], score: float, details: Details
    ) -> Evaluation:
        """Returns the record of a sample, its score and its details."""
        return cls(
            number,
            dict(parameters),
            score,
            state_of(score),
            details.failure,
            as_datetime(details.started),
            details.seconds,
            details.slot,
            dict(details.extras),
        )


def state_of(score: float) -> str:
    """Returns the state of an evaluation with a score, NaN if it failed."""
    return FAILED if math.isnan(score) else COMPLETE


class FoundParameters(OrderedDict[str, Any]):
    """Parameters that print as a dict does; their pickle is that of an `OrderedDict`."""

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> Any:
        return OrderedDict, ([*self.items()],)
