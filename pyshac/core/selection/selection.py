"""Selection: which of the samples that the cascade accepts are evaluated.

Accepted samples are draws from the prior, restricted to the region. Several are drawn for each one
that is needed, and of these the one is evaluated that a ranking puts first. Where there are several
rankings, they take turns. No sample is evaluated twice unless nothing else is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.selection.climbing import Climber
from pyshac.core.selection.ranking import Ranking

# One sample in so many looks back.
LOOK_BACK = 10
# Of the whole space so many are drawn in the end to find some that were not evaluated.
LAST_DRAWS = 4096


@dataclass(frozen=True)
class Selection:
    """How samples are selected.

    Attributes:
        draw: Draws so many samples (second argument) that the first classifiers (first argument)
            accept, shape (samples, columns); fewer, or none, where so many would take long.
        accepts: Says which samples (second argument) the first classifiers accept.
        rankings: Say how promising samples are; the first chooses one sample, the second the next,
            and so on.
        num_choices: Samples that are drawn for each one that is selected.
        climber: Improves the sample that was chosen.
    """

    draw: Callable[[int, int], FloatArray]
    accepts: Callable[[int, FloatArray], BoolArray]
    rankings: Sequence[Ranking]
    num_choices: int
    climber: Climber

    def select(self, num_classifiers: int, n: int, evaluated: FloatArray) -> FloatArray:
        """Returns the n samples to be evaluated next.

        One in ten comes from the region that the first half of the classifiers accept: what a later
        one wrongly ruled out can still be found.

        Args:
            num_classifiers: Number of classifiers.
            n: Number of samples.
            evaluated: Encoded samples that were evaluated, shape (m, columns).

        Returns:
            Encoded samples, shape (n, columns).
        """
        looking_back = n // LOOK_BACK
        seen = {row.tobytes() for row in evaluated}
        # In batches of one, too, rankings take turns.
        turn = len(evaluated)
        chosen = self._from_region(num_classifiers, n - looking_back, evaluated[:0], seen, turn)
        if looking_back:
            chosen = self._from_region(num_classifiers // 2, looking_back, chosen, seen, turn)
        return chosen

    def _from_region(
        self, num_classifiers: int, n: int, chosen: FloatArray, seen: set[bytes], turn: int
    ) -> FloatArray:
        """Returns chosen samples and n more promising ones that the first classifiers accept.

        Where the region holds too few samples that were not seen before, or they are hard to find,
        the rest come from the region of one classifier less, and so on.

        Args:
            num_classifiers: Number of classifiers.
            n: Number of samples.
            chosen: Encoded samples that are in the same batch, shape (m, columns).
            seen: Samples that were evaluated or chosen, as bytes; those chosen here are added.
            turn: Number of the ranking whose turn it is, counted on and on.

        Returns:
            Encoded samples, shape (m + n, columns).
        """
        stop = len(chosen) + n
        drawn = []
        rounds = [(depth, 0) for depth in range(num_classifiers, -1, -1)]
        for depth, least in [*rounds, (0, LAST_DRAWS)]:
            missing = stop - len(chosen)
            choices = self.num_choices * missing
            drawn.append(self.draw(depth, max(choices, least)))
            new = _unseen(drawn[-1], seen)[:choices]
            for start, ranking in self._best_of_each(new, missing, turn + n - missing):
                best = self._improved(start, depth, ranking.believing(chosen), drawn[-1], seen)
                chosen = np.concatenate([chosen, best])
                seen.update(row.tobytes() for row in best)
            if len(chosen) == stop:
                break
        return np.concatenate([chosen, *drawn])[:stop]

    def _best_of_each(
        self, rows: FloatArray, num_groups: int, turn: int
    ) -> list[tuple[FloatArray, Ranking]]:
        """Deals rows out into groups, and returns the best row of each that has any.

        The best of all would lie closer together: whatever a ranking is wrong about, it is wrong
        about for all of them.

        Args:
            rows: Rows to choose from, shape (n, columns).
            num_groups: Number of groups.
            turn: Number of the ranking whose turn it is, counted on and on.

        Returns:
            Rows, shape (columns,), and the rankings that chose them.
        """
        group_of = np.arange(len(rows)) % num_groups
        ranking_of = (turn + group_of) % len(self.rankings)
        ranks = np.empty(len(rows))
        for number, ranking in enumerate(self.rankings):
            is_its_turn = ranking_of == number
            ranks[is_its_turn] = ranking(rows[is_its_turn])
        groups = [np.arange(first, len(rows), num_groups) for first in range(num_groups)]
        best = [group[np.argmax(ranks[group])] for group in groups if len(group)]
        return [(rows[number], self.rankings[ranking_of[number]]) for number in best]

    def _improved(
        self, start: FloatArray, depth: int, ranking: Ranking, others: FloatArray, seen: set[bytes]
    ) -> FloatArray:
        """Returns a row that was improved as far as it can be, or none if it was seen meanwhile."""

        def is_allowed(rows: FloatArray) -> BoolArray:
            is_new = [row.tobytes() not in seen for row in rows]
            return self.accepts(depth, rows) & np.array(is_new, dtype=bool)

        # Another one, improved, may have become this one.
        if start.tobytes() in seen:
            return start[None][:0]
        return self.climber.climb(start, others, ranking, is_allowed)[None]


def _unseen(rows: FloatArray, seen: set[bytes]) -> FloatArray:
    """Returns the rows that are not among those seen, each once, in order."""
    new = {row.tobytes(): row for row in rows if row.tobytes() not in seen}
    return np.array([*new.values()]).reshape(-1, rows.shape[1])
