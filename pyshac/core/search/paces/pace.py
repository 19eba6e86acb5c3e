"""Pace: how many batches are open at once, and when the next samples are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyshac.core.basics.checks import check_int

BATCH, PIPELINE, STREAM = "batch", "pipeline", "stream"
PACES = (BATCH, PIPELINE, STREAM)
# Number of open batches of a pipeline unless the user says another.
OPEN_BATCHES = 2


@dataclass(frozen=True)
class Pace:
    """How many batches are open at once, and when the next samples are drawn.

    Attributes:
        name: One of three. 'batch': a batch is drawn when all earlier scores have arrived.
            'pipeline': batches overlap at fixed points, so samples still depend only on the seed.
            'stream': a sample is drawn when a slot needs it, from all scores so far.
        open_batches: The maximum number of batches that are open at once, except for a stream.
    """

    name: str = BATCH
    open_batches: int = 1

    @property
    def is_stream(self) -> bool:
        """Whether samples are drawn from all scores so far."""
        return self.name == STREAM


BATCH_PACE = Pace()


def get_pace(name: Any, open_batches: Any = None) -> Pace:
    """Returns the pace with a name.

    Args:
        name: 'batch', 'pipeline' or 'stream'.
        open_batches: The maximum number of open batches of a pipeline; None for two.

    Raises:
        TypeError: If `open_batches` is not an int.
        ValueError: If the name is unknown, or the pace cannot have so many open batches.
    """
    if not isinstance(name, str) or name not in PACES:
        raise ValueError(f"pace must be one of {list(PACES)!r}. Got {name!r} instead.")
    if name != PIPELINE:
        if open_batches is not None:
            raise ValueError(
                f"open_batches belongs to pace={PIPELINE!r}. Got {open_batches!r} with "
                f"pace={name!r}: leave it out, or take the other pace."
            )
        return Pace(name)
    if open_batches is None:
        return Pace(name, OPEN_BATCHES)
    allowed = f"None or an int of at least 2; one open batch is pace={BATCH!r}"
    return Pace(name, check_int("open_batches", open_batches, allowed, lambda n: n >= 2))
