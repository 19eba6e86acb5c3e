"""Accepted samples: draws from the prior on condition that the whole cascade accepts them.

Proposals are drawn in blocks, from the prior or, where that would take long, from a cover of the
accepted region, and the cascade keeps what it accepts. Block number b of a draw has a random
stream of its own, and how large blocks are follows from the blocks before, so the samples are the
same however many processes draw.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.errors import NothingAcceptedError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.accepted_share import Acceptance
from pyshac.core.sampling.block_source import ALONE, Generators, _BlockSource
from pyshac.core.sampling.covers import Covers
from pyshac.core.sampling.proposals import Proposals

logger = logging.getLogger("pyshac")


# A cover is kept from draw to draw: it need not pay for itself in the first.
PLANNED_SAMPLES = 100
# Where even the worst halving of the space would have let this many through, nothing will come.
HOPELESS_EXPECTED = 1000
MIN_HOPELESS_PROPOSALS = 10**6
FIRST_WARNING_SECONDS = 10.0


@dataclass
class _Progress:
    """How a draw is going: what it has proposed, and how long it has been looking."""

    num_classifiers: int
    started: float = field(default_factory=time.monotonic)
    proposed: int = 0
    from_prior: float = 0.0
    accepted: int = 0
    next_warning: float = FIRST_WARNING_SECONDS

    def count(self, proposed: int, accepted: int, volume: float) -> None:
        """Notes a block of proposals, drawn from a cover of some volume."""
        self.proposed += proposed
        self.from_prior += proposed / volume
        self.accepted += accepted
        if self.seconds >= self.next_warning:
            self.next_warning = 2 * self.seconds
            logger.warning(
                "Looking for samples for %.0f s: %d classifiers accepted %d of %d proposals.",
                self.seconds, self.num_classifiers, self.accepted, self.proposed,
            )  # fmt: skip
        is_hopeless = self.from_prior >= HOPELESS_EXPECTED * 2**self.num_classifiers
        if not self.accepted and is_hopeless and self.proposed >= MIN_HOPELESS_PROPOSALS:
            raise nothing_accepted(self.num_classifiers, f"none of {self.proposed} proposals")

    def missing(self, n: int) -> float:
        """The proposals that the samples still missing should take, going by those so far."""
        return max(n - self.accepted, 0) * self.proposed / max(self.accepted, 1)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def nothing_accepted(num_classifiers: int, what: str) -> NothingAcceptedError:
    """Returns the error of a cascade that accepts nothing, with what can be done about it."""
    return NothingAcceptedError(
        f"The {num_classifiers} classifiers accept {what}. Everything evaluated so far is saved. "
        "Call fit or predict with relax_checks=True, predict with fewer classifiers "
        "(max_classifiers), or search a wider space."
    )


class Sampler:
    """Draws accepted samples of one search space.

    Args:
        space: The search space, whose distributions are the prior.
    """

    def __init__(self, space: HyperParameterList) -> None:
        self._space = space
        self._acceptance = Acceptance(space)
        self._covers = Covers(space)

    def draw(
        self,
        cascade: Cascade,
        n: int,
        stream: np.random.SeedSequence,
        relax_checks: bool = False,
        generators: Generators = ALONE,
        patience: float = math.inf,
    ) -> FloatArray:
        """Draws samples from the prior, conditioned on the cascade accepting them.

        Args:
            cascade: The classifiers; with none of them, every draw is accepted.
            n: Number of samples.
            stream: Random stream; the same stream gives the same samples.
            relax_checks: After 2**k proposals without an accepted one, k the number of
                classifiers, overlook one more rejection for the sample that is looked for, at
                most k.
            generators: Who helps when there is much to draw.
            patience: Number of proposals after which fewer samples will do.

        Returns:
            Encoded samples, shape (n, columns), or fewer where patience ended.

        Raises:
            NothingAcceptedError: If the cascade accepts nothing, or so little that nothing was
                found in a thousand times as many proposals as it should take.
        """
        if not len(cascade):
            return self._space.draw(n, seeding.child(stream, 0))
        if relax_checks:
            samples = [
                self._draw_relaxed(cascade, seeding.child(stream, number)) for number in range(n)
            ]
            return np.stack(samples)
        accepted: list[FloatArray] = []
        found, proposed = 0, 0
        for rows, size in self._accepted_blocks(cascade, n, stream, generators):
            accepted.append(rows)
            found += len(rows)
            proposed += size
            if found >= n or proposed >= patience:
                break
        return np.concatenate(accepted)[:n]

    def _accepted_blocks(
        self,
        cascade: Cascade,
        n: int,
        stream: np.random.SeedSequence,
        generators: Generators,
    ) -> Iterator[tuple[FloatArray, int]]:
        """Yields each block's accepted rows, and the number of its proposals, endlessly."""
        progress = _Progress(len(cascade))
        proposals = self.proposals(cascade)
        size = _first_size(n, cascade, proposals)
        with _BlockSource(cascade, stream, generators) as blocks:
            while True:
                rows = blocks.next(proposals, size)
                yield rows, size
                progress.count(size, len(rows), proposals.volume)
                missing = progress.missing(n)
                if size < proposals.largest_block:
                    size = int(min(max(1.25 * missing, 512), 8 * size, proposals.largest_block))
                if proposals.cover is None:
                    better = self._proposals(cascade, missing)
                    if better.cover is not None:
                        proposals, size = better, _first_size(n, cascade, better)

    def proposals(self, cascade: Cascade) -> Proposals:
        """Returns what proposals for a few batches are to be drawn from.

        Raises:
            NothingAcceptedError: If it turns out that the cascade accepts nothing.
        """
        return self._proposals(cascade, self._planned_proposals(cascade))

    def _planned_proposals(self, cascade: Cascade) -> float:
        """What samples for a few batches should take from the prior."""
        return PLANNED_SAMPLES / self._acceptance(cascade)

    def _proposals(self, cascade: Cascade, num_proposals: float) -> Proposals:
        """Returns what proposals are to be drawn from, if so many from the prior would do."""
        cover = self._covers.cover(cascade, num_proposals=num_proposals)
        if cover is not None and not len(cover):
            raise nothing_accepted(len(cascade), "nothing at all")
        return Proposals(self._space, cover)

    def _draw_relaxed(self, cascade: Cascade, stream: np.random.SeedSequence) -> FloatArray:
        """Draws one sample; the k-th window of 2**k proposals overlooks k rejections."""
        for forgiven in range(len(cascade)):
            cover = self._covers.cover(cascade, forgiven, self._planned_proposals(cascade))
            window = seeding.child(stream, forgiven)
            row = _first_accepted(Proposals(self._space, cover), cascade, window, forgiven)
            if row is not None:
                return row
        # Every rejection is overlooked: the next draw is as good as any.
        return self._space.draw(1, seeding.child(stream, len(cascade)))[0]


def _first_size(n: int, cascade: Cascade, proposals: Proposals) -> int:
    """Less than should bring all samples if each classifier halves the space: it may do better."""
    expected = n * 2.0 ** len(cascade) * proposals.volume
    # Up to some thousand rows, another block costs more than a few rows too many.
    size = max(0.4 * expected, min(0.8 * expected, 4096), 2 * n, 256)
    return int(min(size, proposals.largest_block))


def _first_accepted(
    proposals: Proposals, cascade: Cascade, stream: np.random.SeedSequence, forgiven: int
) -> FloatArray | None:
    """The first accepted row among 2**k proposals from the prior; None if there is none.

    Of the proposals from the prior only those that fall into the cover need to be drawn.
    """
    random = np.random.default_rng(seeding.child(stream, 0))
    left = int(random.binomial(2 ** len(cascade), proposals.volume))
    block = 1
    while left > 0:
        size = min(left, proposals.largest_block)
        rows = proposals.accepted(cascade, size, seeding.child(stream, block), forgiven)
        if len(rows):
            return rows[0]
        left -= size
        block += 1
    logger.info("No sample in 2**%d proposals: overlooking a rejection.", len(cascade))
    return None
