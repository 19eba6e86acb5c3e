"""Details: facts about an evaluation besides its parameters and score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from pyshac.core.basics.results.curve import Curve

Extra = bool | int | float | str

# Characters of a stored reason for a failure; `describe` makes about two thousand.
MAX_FAILURE_LENGTH = 2_500
# The reason if an evaluation returned NaN or an infinity.
NOT_FINITE = "its score is not finite"

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Seconds from 1970 to the first and to the last year of a datetime, with room for time zones.
_FIRST, _LAST = -62_135_000_000.0, 253_402_000_000.0


@dataclass(frozen=True, slots=True)
class Details:
    """Facts about an evaluation besides its parameters and score.

    Attributes:
        started: When it started, in seconds since 1970 (UTC); None if not known.
        seconds: Its duration; None if not known.
        slot: The slot in which it ran; None if it had none, or if that is not known.
        failure: The reason for its failure; None if it has a score or was pruned, or if that is not
            known.
        extras: The values that it returned besides its score, by name.
        curve: The scores that it reported; None if it reported none.
    """

    started: float | None = None
    seconds: float | None = None
    slot: int | None = None
    failure: str | None = None
    extras: Mapping[str, Extra] = field(default_factory=dict)
    curve: Curve | None = None

    @property
    def is_pruned(self) -> bool:
        """Whether the evaluation ended early because of its curve."""
        return self.curve is not None and self.curve.is_pruned

    @property
    def num_steps(self) -> int:
        """The last step that the evaluation reported; 0 without a report."""
        return 0 if self.curve is None else self.curve.last_step


UNKNOWN = Details()


def as_datetime(started: float | None) -> datetime | None:
    """Returns seconds since 1970 as a datetime in UTC."""
    return None if started is None else _EPOCH + timedelta(seconds=started)


def is_date(started: float) -> bool:
    """Returns whether seconds since 1970 can be a datetime, in any time zone."""
    return _FIRST <= started <= _LAST


def storable_failure(text: str) -> str:
    """Returns a reason for a failure as text that UTF-8 can hold, cut to its largest length."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:MAX_FAILURE_LENGTH]
