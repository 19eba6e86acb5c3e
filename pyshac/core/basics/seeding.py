"""Random streams: one independent stream for each purpose and place in a run."""

from __future__ import annotations

import enum
import operator

import numpy as np


class Purpose(enum.IntEnum):
    """What a stream is for. The numbers are part of every seeded run: never renumber them."""

    DRAW = 0
    PREDICT = 1
    TRAIN = 2
    EVALUATE = 3
    PARAMETERS = 4
    RANK = 5
    CLIMB = 6


def check_seed(seed: int | None) -> int | None:
    """Returns `seed` as a Python int, or None; raises if it can seed nothing."""
    if seed is None:
        return None
    if isinstance(seed, bool):
        raise TypeError(f"seed must be a non-negative int or None. Got {seed!r} instead.")
    try:
        number = operator.index(seed)
    except TypeError:
        raise TypeError(f"seed must be a non-negative int or None. Got {seed!r} instead.") from None
    if number < 0:
        raise ValueError(f"seed must be a non-negative int or None. Got {number} instead.")
    return number


def fresh_entropy() -> int:
    """Returns 128 bits from the operating system, for a run without a seed."""
    entropy = np.random.SeedSequence().entropy
    return operator.index(entropy)  # type: ignore[arg-type]


def stream(entropy: int, purpose: Purpose, *place: int) -> np.random.SeedSequence:
    """Returns the random stream of one purpose at one place of the run seeded by `entropy`."""
    return np.random.SeedSequence(entropy, spawn_key=(int(purpose), *place))


def child(parent: np.random.SeedSequence, *place: int) -> np.random.SeedSequence:
    """Returns the child of a stream at `place`, without counting it as `spawn` would."""
    return np.random.SeedSequence(parent.entropy, spawn_key=(*parent.spawn_key, *place))


def as_integer(sequence: np.random.SeedSequence) -> int:
    """Returns one 31-bit number of a stream, for code that is seeded by a plain integer."""
    return int(sequence.generate_state(1, np.uint32)[0] >> 1)
