"""Random streams: an independent stream for each purpose and place in a run."""

from __future__ import annotations

import enum
import operator

import numpy as np

from pyshac.core.basics.checks import check_int


class Purpose(enum.IntEnum):
    """The purpose of a stream. The numbers are part of every seeded run: never renumber them."""

    DRAW = 0
    PREDICT = 1
    TRAIN = 2
    EVALUATE = 3
    RANK = 5
    CLIMB = 6
    ENQUEUE = 7


def check_seed(seed: int | None) -> int | None:
    """Returns a seed as an int, or None; raises as `check_int` does."""
    if seed is None:
        return None
    return check_int("seed", seed, "a non-negative int or None", lambda number: number >= 0)


def fresh_entropy() -> int:
    """Returns 128 bits from the operating system, for a run without a seed."""
    entropy = np.random.SeedSequence().entropy
    return operator.index(entropy)  # type: ignore[arg-type]


def stream(entropy: int, purpose: Purpose, *place: int) -> np.random.SeedSequence:
    """Returns the stream of a purpose at a place in the run that `entropy` seeds."""
    return np.random.SeedSequence(entropy, spawn_key=(int(purpose), *place))


def child(parent: np.random.SeedSequence, *place: int) -> np.random.SeedSequence:
    """Returns the child of a stream at a place; unlike `spawn`, it leaves the parent as it is."""
    return np.random.SeedSequence(parent.entropy, spawn_key=(*parent.spawn_key, *place))


def random_state(seed: int | None) -> np.random.RandomState:
    """Returns NumPy's random state for a seed; None for a fresh one."""
    if seed is not None and seed < 2**32:
        return np.random.RandomState(seed)
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))


def as_integer(sequence: np.random.SeedSequence) -> int:
    """Returns a 31-bit number from a stream, for code that takes an integer as its seed."""
    return int(sequence.generate_state(1, np.uint32)[0] >> 1)
