"""Selection: the choice of the accepted draws that are evaluated.

Accepted samples are draws from the prior, restricted to the region. For each sample that is needed,
several *candidates* are drawn, and a ranking chooses the most promising one. Several rankings take
turns. No sample is evaluated twice unless nothing else is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.sampling.region import AcceptedRegion
from pyshac.core.selection.climbing import Climber
from pyshac.core.selection.ranking import Ranking

# One sample in this many looks back.
LOOK_BACK = 10
# Number of draws from the whole space, as a last resort, to find samples not yet evaluated.
LAST_DRAWS = 4096
# Proposals after which a draw of candidates ends, with fewer of them.
PATIENCE = 2**13


@dataclass(frozen=True)
class Selection:
    """Chooses the samples to be evaluated next.

    Attributes:
        rankings: How promising samples are; they take turns in choosing.
        num_choices: Number of candidates for each sample.
        climber: Improves the candidate that was chosen.
    """

    rankings: Sequence[Ranking]
    num_choices: int
    climber: Climber

    def select(
        self, region: AcceptedRegion, n: int, evaluated: FloatArray, stream: np.random.SeedSequence
    ) -> FloatArray:
        """Returns the n samples to be evaluated next.

        One in ten comes from the region that the first half of the classifiers accept, so that
        samples that later classifiers wrongly rule out can still be found. Where a region holds
        too few new samples, or they are hard to find, the rest come from the region of one
        classifier fewer, and so on.

        Args:
            region: The region that the cascade in force accepts.
            n: Number of samples.
            evaluated: Encoded samples that were evaluated, shape (m, columns).
            stream: Random stream.

        Returns:
            Encoded samples, shape (n, columns).
        """
        num_classifiers = len(region.cascade)
        seen = {row.tobytes() for row in evaluated}
        chosen, looking_back = evaluated[:0], n // LOOK_BACK
        for first_depth, stop in ((num_classifiers, n - looking_back), (num_classifiers // 2, n)):
            # Rankings also take turns over batches of one. Samples that look back start anew.
            turn = len(evaluated) - len(chosen)
            drawn = []
            for depth, least in [*((k, 0) for k in range(first_depth, -1, -1)), (0, LAST_DRAWS)]:
                missing = stop - len(chosen)
                if not missing:
                    break
                wider, place = region.first(depth), seeding.child(stream, num_classifiers - depth)
                drawn.append(wider.draw(max(self.num_choices * missing, least), place, PATIENCE))
                candidates = _unseen(drawn[-1], seen)[: self.num_choices * missing]
                for start, ranking in self._best_of_each(candidates, missing, turn + len(chosen)):
                    believing = ranking.believing(chosen, start)
                    best = self._improved(start, wider, believing, drawn[-1], seen)
                    chosen = np.concatenate([chosen, best])
                    seen.update(row.tobytes() for row in best)
            chosen = np.concatenate([chosen, *drawn])[:stop]
        return chosen

    def _best_of_each(
        self, candidates: FloatArray, num_groups: int, turn: int
    ) -> list[tuple[FloatArray, Ranking]]:
        """Splits candidates into groups, and returns the best one of each group that has any.

        The best of all candidates would lie closer together, and a ranking that is wrong about one
        of them would be wrong about all.

        Args:
            candidates: Encoded samples, shape (n, columns).
            num_groups: Number of groups.
            turn: Number of the first group's turn.

        Returns:
            Candidates, shape (columns,), and the rankings that chose them.
        """
        group_of = np.arange(len(candidates)) % num_groups
        ranking_of = (turn + group_of) % len(self.rankings)
        ranks = np.empty(len(candidates))
        for number, ranking in enumerate(self.rankings):
            is_its_turn = ranking_of == number
            ranks[is_its_turn] = ranking(candidates[is_its_turn])
        groups = [np.arange(first, len(candidates), num_groups) for first in range(num_groups)]
        best = [group[np.argmax(ranks[group])] for group in groups if len(group)]
        return [(candidates[number], self.rankings[ranking_of[number]]) for number in best]

    def _improved(
        self,
        start: FloatArray,
        region: AcceptedRegion,
        ranking: Ranking,
        others: FloatArray,
        seen: set[bytes],
    ) -> FloatArray:
        """Returns an improved sample as a row; no row if another sample was improved to it."""

        def is_allowed(rows: FloatArray) -> BoolArray:
            is_new = [row.tobytes() not in seen for row in rows]
            return region.accepts(rows) & np.array(is_new, dtype=bool)

        if start.tobytes() in seen:
            return start[None][:0]
        return self.climber.climb(start, others, ranking, is_allowed)[None]


def _unseen(rows: FloatArray, seen: set[bytes]) -> FloatArray:
    """Returns the rows that are not among those seen, each once, in order."""
    new = {row.tobytes(): row for row in rows if row.tobytes() not in seen}
    return np.array([*new.values()]).reshape(-1, rows.shape[1])
