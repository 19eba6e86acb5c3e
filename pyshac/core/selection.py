"""Selection: which of the samples that the cascade accepts are evaluated.

Accepted samples are draws from the prior, restricted to the region. Several are drawn for each one
that is needed, and of these the one is evaluated that a ranking puts first. Where there are several
rankings, they take turns. No sample is evaluated twice unless nothing else is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyshac.core.ranking import Ranking

FloatArray = npt.NDArray[np.float64]

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
        rankings: Say how promising samples are; the first chooses one sample, the second the next,
            and so on.
        num_choices: Samples that are drawn for each one that is selected.
    """

    draw: Callable[[int, int], FloatArray]
    rankings: Sequence[Ranking]
    num_choices: int

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
        # In batches of one, too, rankings take turns.
        turn = len(evaluated)
        chosen = self._from_region(num_classifiers, n - looking_back, evaluated, turn)
        if looking_back:
            seen = np.concatenate([evaluated, chosen])
            wider = self._from_region(num_classifiers // 2, looking_back, seen, turn)
            chosen = np.concatenate([chosen, wider])
        return chosen

    def _from_region(self, num_classifiers: int, n: int, seen: FloatArray, turn: int) -> FloatArray:
        """Returns promising samples that the first classifiers accept, shape (n, columns).

        Where the region holds too few samples that were not seen before, or they are hard to find,
        the rest come from the region of one classifier less, and so on.
        """
        chosen = seen[:0]
        drawn = []
        rounds = [(depth, 0) for depth in range(num_classifiers, -1, -1)]
        for depth, least in [*rounds, (0, LAST_DRAWS)]:
            missing = n - len(chosen)
            choices = self.num_choices * missing
            drawn.append(self.draw(depth, max(choices, least)))
            new = _unseen(drawn[-1], np.concatenate([seen, chosen]))[:choices]
            best = self._best_of_each(new, missing, turn + len(chosen))
            chosen = np.concatenate([chosen, best])
            if len(chosen) == n:
                break
        return np.concatenate([chosen, *drawn])[:n]

    def _best_of_each(self, rows: FloatArray, num_groups: int, turn: int) -> FloatArray:
        """Deals rows out into groups and returns the best row of each that has any.

        The best of all would lie closer together: whatever a ranking is wrong about, it is wrong
        about for all of them.

        Args:
            rows: Rows to choose from, shape (n, columns).
            num_groups: Number of groups.
            turn: Number of the ranking whose turn it is, counted on and on.

        Returns:
            The chosen rows, shape (num_groups, columns) or less.
        """
        group_of = np.arange(len(rows)) % num_groups
        ranking_of = (turn + group_of) % len(self.rankings)
        ranks = np.empty(len(rows))
        for number, ranking in enumerate(self.rankings):
            is_its_turn = ranking_of == number
            ranks[is_its_turn] = ranking(rows[is_its_turn])
        groups = [np.arange(first, len(rows), num_groups) for first in range(num_groups)]
        return rows[[group[np.argmax(ranks[group])] for group in groups if len(group)]]


def _unseen(rows: FloatArray, seen: FloatArray) -> FloatArray:
    """Returns the rows that are not among those seen, each once, in order."""
    known = {row.tobytes() for row in seen}
    new = []
    for row in rows:
        if row.tobytes() not in known:
            known.add(row.tobytes())
            new.append(row)
    return np.array(new).reshape(-1, rows.shape[1])
