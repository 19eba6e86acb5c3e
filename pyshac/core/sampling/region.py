"""AcceptedRegion: the part of the search space that a cascade accepts.

Samples are draws from the prior, conditioned on all classifiers accepting them. Proposals are drawn
in blocks from the prior or, where that would take long, from a cover of the region. The cascade
keeps the proposals that it accepts. The size of a block follows from the blocks before it, and each
block has its own random stream, so samples do not depend on the number of generators.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import BoolArray, FloatArray, without_float_errors
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.errors import NothingAcceptedError
from pyshac.core.sampling.block_source import BlockSource
from pyshac.core.sampling.constraints.prior import nothing_allowed
from pyshac.core.sampling.generators import ALONE, Generators
from pyshac.core.sampling.proposal_planner import ProposalPlanner
from pyshac.core.sampling.proposals import Proposals, accepts

logger = logging.getLogger("pyshac")

# A region is given up, where there is something else to draw from, after this many proposals for
# each accepted one; after fewer with a user's own types or classifiers, which are slow.
MAX_FRUITLESS = 2**23
MAX_FRUITLESS_SLOW = 2**18
# Otherwise a draw is hopeless if it has no sample where classifiers that halve would have let this
# many pass.
HOPELESS_EXPECTED = 1000
MIN_HOPELESS_PROPOSALS = 10**6
# A block has this many times as many proposals as the missing samples should take, and at least so
# many: up to a few hundred, another block costs more than superfluous rows do.
MARGIN = 1.2
MIN_BLOCK = 256
# Number of proposals after which few new samples will do.
PATIENCE = 2**13
# How often samples are drawn again where too few are new, each time this many times as many.
NUM_REDRAWS = 3
REDRAW_FACTOR = 8
# Number of draws from the whole space, as a last resort, to find samples that have not been seen.
LAST_DRAWS = 4096
FIRST_WARNING_SECONDS = 10.0


@dataclass(frozen=True)
class Limits:
    """When a draw ends with fewer samples than wanted.

    Attributes:
        patience: Number of proposals after which `enough` samples will do.
        enough: Number of samples.
        fruitless: Number of proposals, for each accepted one, after which any number of samples
            will do.
    """

    patience: float
    enough: int
    fruitless: float

    def are_reached(self, proposed: int, accepted: int) -> bool:
        """Returns whether a draw ends.

        Args:
            proposed: Number of proposals so far.
            accepted: Number of accepted proposals.
        """
        is_fruitless = proposed >= self.fruitless * max(accepted, 1)
        return is_fruitless or (proposed >= self.patience and accepted >= self.enough)


@dataclass
class _Progress:
    """The progress of a draw.

    Attributes:
        wanted: Number of samples.
        num_classifiers: Number of classifiers.
        limits: When fewer samples will do.
        proposed: Number of proposals so far.
        from_prior: Equivalent number of proposals from the prior.
        accepted: Number of accepted proposals.
    """

    wanted: int
    num_classifiers: int
    limits: Limits | None
    proposed: int = 0
    from_prior: float = 0.0
    accepted: int = 0
    started: float = field(default_factory=time.monotonic)
    next_warning: float = FIRST_WARNING_SECONDS

    def count(self, proposed: int, accepted: int, volume: float) -> None:
        """Counts a block of proposals.

        Args:
            proposed: Number of proposals.
            accepted: Number of those that were accepted.
            volume: The prior probability of where they were drawn from, as a share of that of all
                that obeys the constraints; above 1 where much does not.
        """
        self.proposed += proposed
        self.from_prior += proposed / volume
        self.accepted += accepted

    @property
    def is_over(self) -> bool:
        """Whether there are enough samples, or there is no point in going on."""
        if self.accepted >= self.wanted:
            return True
        if self.limits is not None:
            return self.limits.are_reached(self.proposed, self.accepted)
        is_hopeless = self.from_prior >= HOPELESS_EXPECTED * 2**self.num_classifiers
        return is_hopeless and self.proposed >= MIN_HOPELESS_PROPOSALS and not self.accepted

    @property
    def missing(self) -> float:
        """Number of proposals that should still be drawn, at the acceptance so far."""
        each = self.proposed / max(self.accepted, 1)
        return self.worthwhile((self.wanted - self.accepted) * each, each)

    def worthwhile(self, number: float, each: float) -> float:
        """Returns a number of proposals, or fewer if fewer samples will do.

        Args:
            number: Number of proposals that all missing samples should take.
            each: Number of proposals that one sample should take.
        """
        if self.limits is None:
            return number
        patience = self.limits.patience - self.proposed
        return min(number, max(patience, (self.limits.enough - self.accepted) * each))

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
        relax_checks: Whether a wider region overlooks one more rejection by any classifier, rather
            than all rejections by the newest one.
        generators: The generators that draw when there is much to draw.
        forgiven: Number of rejections that are overlooked.
    """

    planner: ProposalPlanner
    cascade: Cascade
    relax_checks: bool = False
    generators: Generators = ALONE
    forgiven: int = 0

    def first(self, num_classifiers: int) -> AcceptedRegion:
        """Returns the wider region that the first classifiers accept."""
        return replace(self, cascade=self.cascade.first(num_classifiers))

    @property
    def num_checks(self) -> int:
        """Number of classifiers that accept a sample of the region, at least."""
        return len(self.cascade) - self.forgiven

    def wider(self) -> AcceptedRegion:
        """Returns the region that one check fewer leaves, with `num_checks` above 0."""
        if self.relax_checks:
            return replace(self, forgiven=self.forgiven + 1)
        return self.first(len(self.cascade) - 1)

    @without_float_errors
    def accepts(self, encoded: FloatArray) -> BoolArray:
        """Returns which rows lie in the region, shape (n,), for rows of shape (n, columns)."""
        return accepts(self.planner.space, self.cascade, encoded, self.forgiven)

    def limits(self, patience: float, enough: int) -> Limits:
        """Returns limits for a draw where there is a wider region to draw from."""
        space = self.planner.space
        is_quick = space.is_vectorised and self.cascade.trees is not None
        # Functions are asked about what relations allow, which is little of a cover.
        is_quick = is_quick and not (space.has_slow_constraints and not self.planner.prior.cover)
        fruitless = MAX_FRUITLESS if is_quick else MAX_FRUITLESS_SLOW
        return Limits(patience, enough, fruitless)

    def draw_new(
        self, n: int, enough: int, seen: set[bytes], stream: np.random.SeedSequence
    ) -> FloatArray:
        """Draws different samples that have not been seen.

        Args:
            n: Number of samples.
            enough: Number of samples that will do where they are hard to find.
            seen: Encoded rows that have been seen, as bytes.
            stream: Random stream; the same stream gives the same samples.

        Returns:
            Encoded samples, shape (n, columns). They are fewer than `enough` only if the region
            has no more, or large draws have found no more.
        """
        grid = self.planner.grid
        if grid is not None:
            is_new = grid.unseen(seen)
            is_new[is_new] = self.accepts(grid.points[is_new])
            return grid.draw(is_new, n, stream)
        number = n if self.num_checks else max(n, LAST_DRAWS)
        limits, latest = self.limits(PATIENCE, enough), self.planner.latest
        key = (stream.entropy, stream.spawn_key, number, enough, self.forgiven, *self.cascade)
        if latest is None or latest[0] != key:
            latest = self.planner.latest = key, self.draw(number, stream, limits)
        new = _unseen(latest[1], seen)
        for attempt in range(NUM_REDRAWS):
            if len(new) >= enough:
                break
            # Batches that share candidates have left too few, or most samples have been seen.
            factor = REDRAW_FACTOR**attempt
            place = seeding.child(stream, attempt, len(seen))
            limits = self.limits(factor * PATIENCE, enough - len(new))
            more = self.draw(factor * n, place, limits)
            new = _unseen(np.concatenate([new, more]), seen)
        return new[:n]

    def draw(
        self, n: int, stream: np.random.SeedSequence, limits: Limits | None = None
    ) -> FloatArray:
        """Draws samples from the prior, conditioned on lying in the region.

        Args:
            n: Number of samples.
            stream: Random stream; the same stream gives the same samples.
            limits: When fewer samples, or none, will do.

        Returns:
            Encoded samples, shape (n, columns), or fewer if the limits were reached.

        Raises:
            NothingAcceptedError: If the cascade accepts nothing, or so little that nothing was
                found in a thousand times as many proposals as it should take, and there are no
                limits.
            InfeasibleSpaceError: If the constraints allow next to nothing.
        """
        with np.errstate(all="ignore"):
            space, cascade = self.planner.space, self.cascade
            if not self.num_checks and not space.constraints:
                return space.draw(n, seeding.child(stream, 0))
            if not self.num_checks and limits is None:
                return self.planner.prior.draw(n, seeding.child(stream, 0))
            progress = _Progress(n, len(cascade), limits)
            proposals = self.planner.plan(cascade, self.forgiven)
            size = self._first_block(progress, proposals)
            accepted = [np.empty((0, space.num_columns))]
            with BlockSource(cascade, self.forgiven, stream, self.generators) as blocks:
                while proposals.volume:
                    accepted.append(blocks.next(proposals, size))
                    share = proposals.volume / self.planner.prior.share
                    progress.count(size, len(accepted[-1]), share)
                    if progress.is_over:
                        break
                    progress.warn()
                    proposals, size = self._next_block(progress, proposals, size)
            is_given_up = limits is None or progress.proposed >= limits.fruitless
            if not self.num_checks and n and not progress.accepted and is_given_up:
                raise nothing_allowed(space, 0, progress.proposed)
            if progress.accepted < n and limits is None:
                raise _nothing_accepted(len(cascade), progress.proposed if proposals.volume else 0)
            return np.concatenate(accepted)[:n]

    def _first_block(self, progress: _Progress, proposals: Proposals) -> int:
        """Returns the size of the first block from a source."""
        share = self.planner.share(self.cascade) * self.planner.prior.share
        each = MARGIN * proposals.volume / share
        size = max(progress.worthwhile(progress.wanted * each, each), MIN_BLOCK)
        return int(min(size, proposals.largest_block))

    def _next_block(
        self, progress: _Progress, proposals: Proposals, size: int
    ) -> tuple[Proposals, int]:
        """Returns the source of the next block, and its size."""
        missing = progress.missing
        if size < proposals.largest_block:
            size = int(min(max(MARGIN * missing, MIN_BLOCK), 8 * size, proposals.largest_block))
        if proposals is self.planner.proposals:
            better = self.planner.plan(self.cascade, self.forgiven, missing)
            if better is not proposals:
                return better, self._first_block(progress, better)
        return proposals, size


def _unseen(rows: FloatArray, seen: set[bytes]) -> FloatArray:
    """Returns the rows that are not among those seen, each once, in order."""
    new = {row.tobytes(): row for row in rows if row.tobytes() not in seen}
    return np.array([*new.values()]).reshape(-1, rows.shape[1])


def _nothing_accepted(num_classifiers: int, proposed: int) -> NothingAcceptedError:
    what = f"none of {proposed} proposals" if proposed else "nothing at all"
    return NothingAcceptedError(
        f"The {num_classifiers} classifiers accept {what}. Everything evaluated so far is saved. "
        "Call fit or predict with relax_checks=True, predict with fewer classifiers "
        "(max_classifiers), or search a wider space."
    )
