"""Accepted samples: draws from the prior on condition that the whole cascade accepts them.

Proposals are drawn from the prior in blocks and the cascade keeps what it accepts. Block number b
of a draw has a random stream of its own, and which sizes blocks have follows from the blocks
before, so the samples are the same however many processes draw.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from pyshac.core import seeding
from pyshac.core.cascade import Cascade
from pyshac.core.errors import NothingAcceptedError
from pyshac.core.hyperparameters import HyperParameterList

FloatArray = npt.NDArray[np.float64]

logger = logging.getLogger("pyshac")

# Numbers in a block: large enough that XGBoost is busy, small enough for caches and memory.
MAX_BLOCK_NUMBERS = 2**20
MAX_BLOCK_ROWS = 2**18
# A user's own types are drawn one by one in Python.
MAX_SCALAR_ROWS = 2**12
# Where even the worst halving of the space would have let this many through, nothing will come.
HOPELESS_EXPECTED = 1000
MIN_HOPELESS_PROPOSALS = 10**7
SECONDS_ALONE = 1.0
FIRST_WARNING_SECONDS = 10.0


@dataclass(frozen=True)
class Generators:
    """Who draws proposals when there is much to draw.

    Attributes:
        number: Number of processes or threads.
        backend: 'loky', 'multiprocessing' or 'threading'.
    """

    number: int = 1
    backend: str = "threading"


@dataclass
class _Search:
    """How a draw is going: what it has proposed, and how long it has been looking."""

    num_classifiers: int
    started: float = field(default_factory=time.monotonic)
    proposed: int = 0
    accepted: int = 0
    next_warning: float = FIRST_WARNING_SECONDS

    def count(self, proposed: int, accepted: int) -> None:
        self.proposed += proposed
        self.accepted += accepted
        self._warn()
        hopeless = max(MIN_HOPELESS_PROPOSALS, HOPELESS_EXPECTED * 2**self.num_classifiers)
        if not self.accepted and self.proposed >= hopeless:
            raise NothingAcceptedError(
                f"The {self.num_classifiers} classifiers accepted none of {self.proposed} "
                "proposals. Everything evaluated so far is saved. Call fit or predict with "
                "relax_checks=True, predict with fewer classifiers (max_classifiers), or search "
                "a wider space."
            )

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def _warn(self) -> None:
        if self.seconds < self.next_warning:
            return
        self.next_warning = 2 * self.seconds
        logger.warning(
            "Looking for samples for %.0f s: %d classifiers accepted %d of %d proposals.",
            self.seconds, self.num_classifiers, self.accepted, self.proposed,
        )  # fmt: skip


def draw_accepted(
    space: HyperParameterList,
    cascade: Cascade,
    n: int,
    stream: np.random.SeedSequence,
    relax_checks: bool = False,
    generators: Generators = Generators(),  # noqa: B008
) -> FloatArray:
    """Draws samples from the prior, conditioned on the cascade accepting them.

    Args:
        space: The search space, whose distributions are the prior.
        cascade: The classifiers; with none of them, every draw is accepted.
        n: Number of samples.
        stream: Random stream; the same stream gives the same samples.
        relax_checks: After 2**k proposals without an accepted one, k the number of classifiers,
            overlook one more rejection for the sample that is looked for, at most k.
        generators: Who helps when there is much to draw.

    Returns:
        Encoded samples, shape (n, columns).

    Raises:
        NothingAcceptedError: If so many proposals were rejected that nothing will be accepted.
    """
    if not len(cascade):
        return space.draw(n, seeding.child(stream, 0))
    if relax_checks:
        return _draw_relaxed(space, cascade, n, stream)
    accepted = []
    found = 0
    for rows in _accepted_blocks(space, cascade, n, stream, generators):
        accepted.append(rows)
        found += len(rows)
        if found >= n:
            break
    return np.concatenate(accepted)[:n]


def _accepted_blocks(
    space: HyperParameterList,
    cascade: Cascade,
    n: int,
    stream: np.random.SeedSequence,
    generators: Generators,
) -> Iterator[FloatArray]:
    """Yields the accepted rows of block after block, without end."""
    search = _Search(len(cascade))
    largest = _largest_block(space)
    size = min(max(64, 2 * n), largest)
    block = 0
    while size < largest or generators.number == 1 or search.seconds < SECONDS_ALONE:
        rows = _propose(space, cascade, size, seeding.child(stream, block))
        yield rows
        search.count(size, len(rows))
        block += 1
        size = _next_size(search, n, size, largest)
    with Parallel(generators.number, backend=generators.backend) as parallel:
        while True:
            blocks = range(block, block + generators.number)
            for rows in parallel(
                delayed(_propose)(space, cascade, size, seeding.child(stream, b)) for b in blocks
            ):
                yield rows
                search.count(size, len(rows))
            block = blocks.stop


def _next_size(search: _Search, n: int, size: int, largest: int) -> int:
    """The size that should bring the samples still missing; once the largest, always so."""
    if size == largest:
        return largest
    missing = max(n - search.accepted, 1)
    expected = missing * search.proposed / max(search.accepted, 1)
    return int(min(max(1.5 * expected, size), 8 * size, largest))


def _largest_block(space: HyperParameterList) -> int:
    if not space.is_vectorised:
        return MAX_SCALAR_ROWS
    return max(1, min(MAX_BLOCK_ROWS, MAX_BLOCK_NUMBERS // max(space.num_columns, 1)))


def _propose(
    space: HyperParameterList, cascade: Cascade, size: int, stream: np.random.SeedSequence
) -> FloatArray:
    """Draws one block of proposals and returns those that the cascade accepts."""
    rows = space.draw(size, stream)
    return rows[cascade.accepts(rows)]


def _draw_relaxed(
    space: HyperParameterList, cascade: Cascade, n: int, stream: np.random.SeedSequence
) -> FloatArray:
    samples = [
        _draw_one_relaxed(space, cascade, seeding.child(stream, number)) for number in range(n)
    ]
    return np.stack(samples)


def _draw_one_relaxed(
    space: HyperParameterList, cascade: Cascade, stream: np.random.SeedSequence
) -> npt.NDArray[np.float64]:
    """Draws one sample; the k-th window of 2**k proposals overlooks k rejections."""
    window = 2 ** len(cascade)
    size = min(window, _largest_block(space))
    block = 0
    for forgiven in range(len(cascade)):
        for _ in range(window // size):
            rows = space.draw(size, seeding.child(stream, block))
            accepted = np.flatnonzero(cascade.accepts(rows, forgiven))
            if len(accepted):
                return rows[accepted[0]]
            block += 1
        logger.info("No sample in %d proposals: overlooking %d rejections.", window, forgiven + 1)
    # Every rejection is overlooked: the next draw is as good as any.
    return space.draw(1, seeding.child(stream, block))[0]
