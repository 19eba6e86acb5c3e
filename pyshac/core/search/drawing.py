"""Drawing: the samples to evaluate next, and predictions of them.

A `Situation` contains everything on which a draw depends, so one thread can draw while others add
scores.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.results.curve import Limit
from pyshac.core.basics.seeding import Purpose
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import Features
from pyshac.core.dataset.formats.draws_file import Origin
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.generators import Generators
from pyshac.core.sampling.proposal_planner import ProposalPlanner
from pyshac.core.sampling.region import AcceptedRegion
from pyshac.core.search.batch import Batch
from pyshac.core.search.given.added import Learned
from pyshac.core.search.selector import Selector
from pyshac.core.search.settings import Settings
from pyshac.core.search.shares import Shares
from pyshac.core.selection.selection import Choice, Selection, choose_at_random

logger = logging.getLogger("pyshac")

# Number of successive batches that choose from the same draws.
BATCHES_WITH_SAME_CANDIDATES = 4


@dataclass(frozen=True)
class Situation:
    """Everything on which the next samples depend.

    Attributes:
        settings: The settings of the search.
        entropy: The seed of the search.
        cascade: The current cascade.
        shares: How successful the rankings have been.
        learned: The samples from which rankings learn, in order; those from other sources first.
        running: Encoded samples without a known score, shape (m, columns).
        enqueued: Rows of the queue, which come first.
        start: Number of the first sample.
        number: Number of samples, including those from the queue.
        stage_start: Number of the first sample drawn since the last classifier.
        origin: The origin of a stream's samples; None for others.
        limits: The limits for their curves; None without pruning.
    """

    settings: Settings
    entropy: int
    cascade: Cascade
    shares: Shares
    learned: Learned
    running: FloatArray
    enqueued: Sequence[list[Any]]
    start: int
    number: int
    stage_start: int
    origin: Origin | None = None
    limits: list[Limit] | None = None

    @property
    def has_learned(self) -> bool:
        """Whether rankings have enough data; otherwise samples are plain draws."""
        # A stream waits for the scores of a batch, too: its first samples are drawn all at once.
        size = self.settings.schedule.batch_size
        is_begun = self.learned.num_own > 0 and not self.settings.pace.is_stream
        return is_begun or len(self.learned.scores) >= size

    @property
    def candidates_since(self) -> int:
        """Number of the first sample that is chosen from the same draws.

        A few batches of one stage share draws, since each batch leaves most of them unused. A
        stream needs few draws at a time, so it uses fresh ones.
        """
        if self.settings.pace.is_stream:
            return self.start
        period = BATCHES_WITH_SAME_CANDIDATES * self.settings.schedule.batch_size
        return max(self.start - self.start % period, self.stage_start)


class Drawing:
    """Draws samples of one search space.

    Args:
        space: The search space.
        features: The features that trees see of encoded samples.

    Attributes:
        planner: Plans the sources of proposals.
        lock: Held during each draw from a region, by any caller. Fitted models and plans of one
            draw are kept for the next.
    """

    def __init__(self, space: HyperParameterList, features: Features) -> None:
        self.planner = ProposalPlanner(space)
        self._space = space
        self._selector = Selector(space, features)
        self.lock = CopyableLock()

    def region(
        self, cascade: Cascade, relax_checks: bool, generators: Generators
    ) -> AcceptedRegion:
        """Returns the region that a cascade accepts."""
        return AcceptedRegion(self.planner, cascade, relax_checks, generators)

    def draw(self, situation: Situation, relax_checks: bool, generators: Generators) -> Batch:
        """Returns the next samples: those from the queue, and samples that the cascade accepts.

        Args:
            situation: The state on which they depend.
            relax_checks: Whether to ignore some rejections if too little is accepted.
            generators: The generators that draw.

        Raises:
            NothingAcceptedError: With the published method, if the cascade accepts nothing.
        """
        with self.lock, np.errstate(all="ignore"):
            start, entropy, enqueued = situation.start, situation.entropy, situation.enqueued
            number = situation.number - len(enqueued)
            stream = seeding.stream(entropy, Purpose.DRAW, start)
            region = self.region(situation.cascade, relax_checks, generators)
            first, known = seeding.child(stream, 0), self._known(situation, enqueued)
            if not number:
                choice = Choice(known[:0], [], len(situation.cascade))
            elif situation.settings.method.num_choices == 1:
                choice = choose_at_random(region, number, first)
            elif not situation.has_learned:
                seen = {row.tobytes() for row in known}
                choice = Choice(region.draw_new(number, number, seen, first), [], region.num_checks)
            else:
                climbing = seeding.stream(entropy, Purpose.CLIMB, start)
                place = seeding.stream(entropy, Purpose.DRAW, situation.candidates_since)
                selection = self._selection(situation, climbing)
                choice = selection.select(region, number, known, place)
            rows = choice.rows
            if len(rows) < number and self.planner.grid is None:
                # Nothing else is left of a space whose size is not known.
                rest = self.planner.prior.draw(number - len(rows), seeding.child(stream, 1))
                rows = np.concatenate([rows, rest])
            return self._batch_of(situation, choice, [*enqueued, *map(self._space.decode, rows)])

    def _batch_of(self, situation: Situation, choice: Choice, rows: list[list[Any]]) -> Batch:
        if choice.num_checks < len(situation.cascade):
            logger.info(
                "The %d classifiers accept too few new samples: those of this batch need to pass "
                "%d.", len(situation.cascade), choice.num_checks,
            )  # fmt: skip
        return Batch(
            situation.start,
            rows,
            choice.num_checks,
            choice.chosen_by,
            len(situation.enqueued),
            origin=situation.origin,
            limits=situation.limits,
        )

    def predict(
        self,
        situation: Situation,
        n: int,
        num_classifiers: int,
        number: int,
        relax_checks: bool,
        generators: Generators,
    ) -> list[OrderedDict[str, Any]]:
        """Returns samples that would be evaluated next, the most promising first.

        Args:
            situation: The state on which they depend.
            n: Number of samples.
            num_classifiers: Number of classifiers that accept them, starting with the first.
            number: Number of the prediction. Different numbers give different samples.
            relax_checks: As for `draw`.
            generators: The generators that draw.

        Raises:
            InfeasibleSpaceError: If the constraints allow almost nothing.
            NothingAcceptedError: If the cascade accepts nothing and checks are not relaxed.
        """
        with self.lock, np.errstate(all="ignore"):
            stream = seeding.stream(situation.entropy, Purpose.PREDICT, number)
            rows, known = self._space.draw(0, stream), self._known(situation, [])
            region = self.region(situation.cascade, relax_checks, generators)
            region = region.first(num_classifiers)
            if situation.settings.method.num_choices > 1 and not situation.learned.num_own:
                seen = {row.tobytes() for row in known}
                rows = region.draw_new(n, n, seen, seeding.child(stream, 0))
            elif situation.settings.method.num_choices > 1:
                selection = self._selection(situation, seeding.child(stream, 0))
                rows = selection.predict(region, n, known, seeding.child(stream, 1))
            if len(rows) < n:
                repeated = choose_at_random(region, n - len(rows), seeding.child(stream, 2)).rows
                rows = np.concatenate([rows, repeated])
            return [self._space.to_parameters(self._space.decode(row)) for row in rows]

    def _known(self, situation: Situation, others: Sequence[list[Any]]) -> FloatArray:
        """Returns all samples so far, with or without scores, and other rows, encoded."""
        encoded = [self._space.encode(row) for row in others]
        rows = np.reshape(encoded, (-1, self._space.num_columns))
        return np.concatenate([situation.learned.encoded, situation.running, rows])

    def _selection(self, situation: Situation, place: np.random.SeedSequence) -> Selection:
        return self._selector.selection(
            situation.learned,
            situation.settings,
            situation.entropy,
            situation.shares,
            place,
            situation.running,
        )
