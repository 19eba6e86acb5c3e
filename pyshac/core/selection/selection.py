"""Selection: chooses which of the accepted draws are evaluated.

Accepted samples are draws from the prior, restricted to the region. For each required sample,
several *candidates* are drawn, and a ranking chooses the most promising one. Several rankings share
the samples. No sample is evaluated twice unless no others are left.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import BoolArray, FloatArray, IntArray
from pyshac.core.sampling.region import AcceptedRegion
from pyshac.core.selection.branches import Branch, Branches, in_branch
from pyshac.core.selection.climbing import Climber

if TYPE_CHECKING:
    from pyshac.core.selection.ranking import Ranking
    from pyshac.core.selection.surrogate import Surrogate

# Largest number of samples of a batch that are improved, which takes most of its time.
MAX_IMPROVED = 1000
# Largest number of climbing steps, shared by the samples that are running, and the fewest that one
# may take. Where many run at once, new ones are due so often that slots would wait for long climbs.
STEPS_OF_RUNNING = 3072
LEAST_STEPS = 3
# Multiples of it fill the unit interval evenly.
GOLDEN_RATIO = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Choice:
    """Samples that were chosen.

    Attributes:
        rows: Encoded samples, shape (n, columns).
        chosen_by: Number of the ranking that chose each sample.
        num_checks: Minimum number of classifiers that accept each sample.
    """

    rows: FloatArray
    chosen_by: list[int]
    num_checks: int


@dataclass(frozen=True)
class Selection:
    """Chooses samples of a region.

    Attributes:
        rankings: How promising samples are.
        shares: The fraction of the samples that each ranking chooses, shape (rankings,).
        surrogate: The Gaussian process for the rankings.
        num_choices: Number of candidates for each sample.
        climber: Improves the chosen candidate.
        branches: Which branches of a conditional space are due.
        num_running: Number of samples without a known score.
    """

    rankings: Sequence[Ranking]
    shares: FloatArray
    surrogate: Surrogate
    num_choices: int
    climber: Climber
    branches: Branches
    num_running: int = 0

    def select(
        self,
        region: AcceptedRegion,
        n: int,
        evaluated: FloatArray,
        stream: np.random.SeedSequence,
        may_widen: bool = True,
    ) -> Choice:
        """Returns the samples to evaluate next.

        If the region has too few new samples, or they cannot be found, the others come from the
        region of one check fewer, and so on.

        Args:
            region: The region that the current cascade accepts.
            n: Number of samples.
            evaluated: Encoded samples that were evaluated, shape (m, columns).
            stream: Random stream.
            may_widen: Whether samples may come from wider regions.

        Returns:
            The samples; fewer than n if no others are found.
        """
        seen = {row.tobytes() for row in evaluated}
        chosen: list[FloatArray] = []
        chosen_by: list[int] = []
        surrogate = self.surrogate
        for attempt in itertools.count():
            missing, turn = n - len(chosen), len(evaluated) + len(chosen)
            place = seeding.child(stream, attempt)
            candidates = region.draw_new(self.num_choices * missing, missing, seen, place)
            known = np.concatenate([evaluated, np.reshape(chosen, (-1, evaluated.shape[1]))])
            due = self.branches.due(known, missing)
            for start, number, branch in self._best_of_each(candidates, due, turn, surrogate):
                if start.tobytes() in seen:
                    # Another sample was improved to it.
                    continue
                row = start
                if len(chosen) < MAX_IMPROVED:
                    rank = functools.partial(self.rankings[number], surrogate=surrogate.near(row))
                    steps = min(self.rankings[number].num_steps, self._max_steps)
                    is_allowed = _new_in(region, seen, branch)
                    row = self.climber.climb(row, candidates, rank, steps, is_allowed)
                seen.add(row.tobytes())
                chosen.append(row)
                chosen_by.append(number)
                surrogate = surrogate.believing(row[None])
            # Candidates that were not chosen, as others were improved to them, are drawn again.
            is_exhausted = len(chosen) == n - missing + len(candidates)
            if len(chosen) == n or (is_exhausted and not (may_widen and region.num_checks)):
                break
            if is_exhausted:
                region = region.wider()
        rows = np.array(chosen).reshape(-1, evaluated.shape[1])
        return Choice(rows, chosen_by, region.num_checks)

    @property
    def _max_steps(self) -> int:
        """Maximum number of climbing steps of a sample."""
        return max(STEPS_OF_RUNNING // max(self.num_running, 1), LEAST_STEPS)

    def predict(
        self, region: AcceptedRegion, n: int, evaluated: FloatArray, stream: np.random.SeedSequence
    ) -> FloatArray:
        """Returns the samples that would be evaluated next, the most promising first.

        If there are too few new samples, evaluated ones follow.

        Args:
            region: The region that the samples come from.
            n: Number of samples.
            evaluated: Encoded samples that were evaluated, shape (m, columns).
            stream: Random stream.

        Returns:
            Distinct encoded samples, shape (n, columns), or fewer if no others are found.
        """
        may_widen = region.relax_checks
        rows = evaluated[:0]
        for attempt, known in enumerate((evaluated, evaluated[:0])):
            if missing := n - len(rows):
                place = seeding.child(stream, attempt)
                seen = np.concatenate([known, rows])
                more = self.select(region, missing, seen, place, may_widen).rows
                rows = np.concatenate([rows, more])
        return rows[np.argsort(-self._standing(rows), kind="stable")]

    def _standing(self, rows: FloatArray) -> FloatArray:
        """Returns the combined position of rows in all rankings, shape (n,), weighted by shares."""
        standing = np.zeros(len(rows))
        for share, ranking in zip(self.shares, self.rankings, strict=True):
            standing += share * np.argsort(np.argsort(ranking(rows, self.surrogate)))
        return standing

    def _best_of_each(
        self,
        candidates: FloatArray,
        due: Sequence[Branch | None],
        turn: int,
        surrogate: Surrogate,
    ) -> list[tuple[FloatArray, int, Branch | None]]:
        """Splits candidates into groups, and returns the best one of each non-empty group.

        The overall best candidates would be closer together. A ranking that is wrong about one of
        them would then be wrong about all.

        Args:
            candidates: Encoded samples, shape (n, columns).
            due: The branch that the best candidate of each group must be in, if any candidate is.
            turn: Number of the first required sample.
            surrogate: The Gaussian process.

        Returns:
            Candidates, shape (columns,), the numbers of the rankings that chose them, and the
            branches that they must be in.
        """
        num_groups = len(due)
        group_of = np.arange(len(candidates)) % num_groups
        ranking_of = self._rankings_of_groups(num_groups, turn)
        ranks = np.empty(len(candidates))
        for number, ranking in enumerate(self.rankings):
            is_its_own = ranking_of[group_of] == number
            ranks[is_its_own] = ranking(candidates[is_its_own], surrogate)
        groups = [np.arange(first, len(candidates), num_groups) for first in range(num_groups)]
        found: list[tuple[FloatArray, int, Branch | None]] = []
        for group, number, branch in zip(groups, ranking_of, due, strict=True):
            inside = group[in_branch(candidates[group], branch)]
            if not len(inside):
                inside, branch = group, None
            if len(inside):
                found.append((candidates[inside[np.argmax(ranks[inside])]], int(number), branch))
        return found

    def _rankings_of_groups(self, num_groups: int, turn: int) -> IntArray:
        """Returns the ranking that chooses from each group, shape (num_groups,).

        Rankings choose in proportion to their shares, within a batch and over batches of one
        sample.
        """
        places = ((np.arange(num_groups) + 0.5) / num_groups + GOLDEN_RATIO * turn) % 1.0
        ends = np.cumsum(self.shares)[:-1]
        return np.searchsorted(ends, places, side="right")


def choose_at_random(region: AcceptedRegion, n: int, stream: np.random.SeedSequence) -> Choice:
    """Returns accepted draws in the order in which they are drawn.

    If checks are relaxed, samples that cannot be found come from wider regions.

    Args:
        region: The region that the current cascade accepts.
        n: Number of samples.
        stream: Random stream.

    Raises:
        NothingAcceptedError: If the region is empty and checks are not relaxed.
    """
    if not region.relax_checks:
        return Choice(region.draw(n, stream), [], region.num_checks)
    rows = region.draw(n, stream, region.limits(math.inf, n))
    if len(rows) == n or not region.num_checks:
        return Choice(rows, [], region.num_checks)
    others = choose_at_random(region.wider(), n - len(rows), seeding.child(stream, 0))
    return Choice(np.concatenate([rows, others.rows]), [], others.num_checks)


def _new_in(
    region: AcceptedRegion, seen: set[bytes], branch: Branch | None
) -> Callable[[FloatArray], BoolArray]:
    """Returns a function that returns which rows are new and in a region and a branch."""

    def is_allowed(rows: FloatArray) -> BoolArray:
        is_new = [row.tobytes() not in seen for row in rows]
        return in_branch(rows, branch) & region.accepts(rows) & np.array(is_new, dtype=bool)

    return is_allowed
