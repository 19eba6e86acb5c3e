"""AcceptedRegion: the part of the search space that a cascade accepts.

Samples are draws from the prior, conditioned on all classifiers accepting them. Proposals are drawn
in blocks from the prior or, where that would take long, from a cover of the region. The cascade
keeps the proposals that it accepts. The size of a block follows from the blocks before it, and each
block has its own random stream, so samples do not depend on the number of generators.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import BoolArray, FloatArray, without_float_errors
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.errors import NothingAcceptedError
from pyshac.core.sampling.block_source import BlockSource
from pyshac.core.sampling.generators import ALONE, Generators
from pyshac.core.sampling.proposal_planner import ProposalPlanner
from pyshac.core.sampling.proposals import Proposals

logger = logging.getLogger("pyshac")

# A draw is hopeless if it has no sample where classifiers that halve would have let this many pass.
HOPELESS_EXPECTED = 1000
MIN_HOPELESS_PROPOSALS = 10**6
FIRST_WARNING_SECONDS = 10.0


@dataclass
class _Progress:
    """The progress of a draw.

    Attributes:
        wanted: Number of samples.
        num_classifiers: Number of classifiers.
        patience: Number of proposals after which fewer samples will do.
        proposed: Number of proposals so far.
        from_prior: Equivalent number of proposals from the prior.
        accepted: Number of accepted proposals.
    """

    wanted: int
    num_classifiers: int
    patience: float
    proposed: int = 0
    from_prior: float = 0.0
    accepted: int = 0
    started: float = field(default_factory=time.monotonic)
    next_warning: float = FIRST_WARNING_SECONDS

    def count(self, proposed: int, accepted: int, volume: float) -> None:
        """Counts a block of proposals that were drawn from a part of the prior."""
        self.proposed += proposed
        self.from_prior += proposed / volume
        self.accepted += accepted

    @property
    def is_over(self) -> bool:
        """Whether there are enough samples, or there is no point in going on."""
        is_hopeless = self.from_prior >= HOPELESS_EXPECTED * 2**self.num_classifiers
        is_hopeless = is_hopeless and self.proposed >= MIN_HOPELESS_PROPOSALS
        is_spent = self.proposed >= self.patience
        return self.accepted >= self.wanted or is_spent or (is_hopeless and not self.accepted)

    @property
    def missing(self) -> float:
        """Number of proposals that the missing samples should take at the acceptance so far."""
        return max(self.wanted - self.accepted, 0) * self.proposed / max(self.accepted, 1)

    def warn(self) -> None:
        """Logs a warning if the draw takes long."""
        seconds = time.monotonic() - self.started
        if seconds >= self.next_warning:
            self.next_warning = 2 * seconds
            logger.warning(
                "Looking for samples for %.0f s: %d classifiers accepted %d of %d proposals.",
                seconds, self.num_classifiers, self.accepted, self.proposed,
            )  # fmt: skip


@dataclass(frozen=True)
class AcceptedRegion:
    """The part of the search space that a cascade accepts.

    Attributes:
        planner: Plans where proposals come from.
        cascade: The classifiers; without any, the region is the whole space.
        relax_checks: After each 2**k proposals without an accepted one, where k is the number of
            classifiers, overlook one more rejection of the next sample, at most k.
        generators: The generators that draw when there is much to draw.
    """

    planner: ProposalPlanner
    cascade: Cascade
    relax_checks: bool = False
    generators: Generators = ALONE

    def first(self, num_classifiers: int) -> AcceptedRegion:
        """Returns the wider region that the first classifiers accept."""
        cascade = self.cascade.first(num_classifiers)
        return AcceptedRegion(self.planner, cascade, self.relax_checks, self.generators)

    @without_float_errors
    def accepts(self, encoded: FloatArray) -> BoolArray:
        """Returns which rows lie in the region, shape (n,), for rows of shape (n, columns)."""
        return self.cascade.accepts(encoded)

    def draw(
        self, n: int, stream: np.random.SeedSequence, patience: float = math.inf
    ) -> FloatArray:
        """Draws samples from the prior, conditioned on lying in the region.

        Args:
            n: Number of samples.
            stream: Random stream; the same stream gives the same samples.
            patience: Number of proposals after which fewer samples, or none, will do.

        Returns:
            Encoded samples, shape (n, columns), or fewer if patience ran out.

        Raises:
            NothingAcceptedError: If the cascade accepts nothing, or so little that nothing was
                found in a thousand times as many proposals as it should take, and patience is
                infinite.
        """
        with np.errstate(all="ignore"):
            space, cascade = self.planner.space, self.cascade
            if not len(cascade):
                return space.draw(n, seeding.child(stream, 0))
            if self.relax_checks:
                return np.stack([self._draw_relaxed(seeding.child(stream, i)) for i in range(n)])
            progress = _Progress(n, len(cascade), patience)
            proposals = self.planner.plan(cascade)
            size = proposals.first_block(n, len(cascade))
            accepted = [np.empty((0, space.num_columns))]
            with BlockSource(cascade, stream, self.generators) as blocks:
                while proposals.volume:
                    accepted.append(blocks.next(proposals, size))
                    progress.count(size, len(accepted[-1]), proposals.volume)
                    if progress.is_over:
                        break
                    progress.warn()
                    proposals, size = self._next_block(progress, proposals, size)
            if progress.accepted < n and math.isinf(patience):
                raise _nothing_accepted(len(cascade), progress.proposed if proposals.volume else 0)
            return np.concatenate(accepted)[:n]

    def _next_block(
        self, progress: _Progress, proposals: Proposals, size: int
    ) -> tuple[Proposals, int]:
        """Returns the source of the next block, and its size."""
        missing = progress.missing
        if size < proposals.largest_block:
            size = int(min(max(1.25 * missing, 512), 8 * size, proposals.largest_block))
        if proposals.cover is None:
            better = self.planner.plan(self.cascade, num_proposals=missing)
            if better.cover is not None:
                return better, better.first_block(progress.wanted, len(self.cascade))
        return proposals, size

    def _draw_relaxed(self, stream: np.random.SeedSequence) -> FloatArray:
        """Draws one sample, shape (columns,); the k-th window overlooks k rejections."""
        for forgiven in range(len(self.cascade)):
            proposals = self.planner.plan(self.cascade, forgiven)
            row = self._first_accepted(proposals, seeding.child(stream, forgiven), forgiven)
            if row is not None:
                return row
        # All rejections are overlooked: the next draw is as good as any.
        return self.planner.space.draw(1, seeding.child(stream, len(self.cascade)))[0]

    def _first_accepted(
        self, proposals: Proposals, stream: np.random.SeedSequence, forgiven: int
    ) -> FloatArray | None:
        """Returns the first accepted row in a window of 2**k proposals from the prior, or None.

        Only the proposals of the window that fall into the cover need to be drawn.
        """
        num_classifiers = len(self.cascade)
        random = np.random.default_rng(seeding.child(stream, 0))
        left = int(random.binomial(2**num_classifiers, proposals.volume))
        block = 1
        while left > 0:
            size = min(left, proposals.largest_block)
            place = seeding.child(stream, block)
            rows = proposals.accepted(self.cascade, size, place, forgiven)
            if len(rows):
                return rows[0]
            left -= size
            block += 1
        logger.info("No sample in 2**%d proposals: overlooking a rejection.", num_classifiers)
        return None


def _nothing_accepted(num_classifiers: int, proposed: int) -> NothingAcceptedError:
    what = f"none of {proposed} proposals" if proposed else "nothing at all"
    return NothingAcceptedError(
        f"The {num_classifiers} classifiers accept {what}. Everything evaluated so far is saved. "
        "Call fit or predict with relax_checks=True, predict with fewer classifiers "
        "(max_classifiers), or search a wider space."
    )
