"""Selection: which of the samples that the cascade accepts are evaluated.

Accepted samples are draws from the prior, restricted to the region. Several are drawn for each one
that is needed, and of these the one is evaluated that a ranking, of all that was learned so far,
puts first. No sample is evaluated twice unless nothing else is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyshac.core import seeding
from pyshac.core.cascade import as_features
from pyshac.core.classifier import BoostedTrees, Boosting
from pyshac.core.scores import is_among_best

FloatArray = npt.NDArray[np.float64]

# The best half of all samples, the best quarter, and so on, as long as a share has so many.
MIN_BEST_SAMPLES = 5
# One sample in so many looks back.
LOOK_BACK = 10
# Of the whole space so many are drawn in the end to find some that were not evaluated.
LAST_DRAWS = 4096
# Seeing other parts of the samples and of the columns, the trees of a rung disagree where they
# know little, so that their sum changes gently from sample to sample.
RUNG_TREES = Boosting(subsample=0.8, colsample_bytree=0.7)


class Ranking:
    """How promising samples are: the successive halves of the scores, each told by a classifier.

    One classifier tells the best half of all samples so far from the others, one the best quarter,
    and so on. A sample's rank is the sum of their margins.

    Args:
        encoded: Evaluated samples, shape (n, columns).
        scores: Their scores, shape (n,); NaN for failed samples.
        objective: 'max' or 'min'.
        stream: Random stream for the trees.
    """

    def __init__(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: str,
        stream: np.random.SeedSequence,
    ) -> None:
        rows = as_features(encoded)
        self._rungs = [
            BoostedTrees(
                seeding.as_integer(seeding.child(stream, number)), boosting=RUNG_TREES
            ).fit(rows, labels)
            for number, labels in enumerate(_successive_halves(scores, objective))
        ]

    def __call__(self, encoded: FloatArray) -> FloatArray:
        """Returns how promising rows are, shape (n,), for encoded rows of shape (n, columns)."""
        features = as_features(encoded)
        total = np.zeros(len(features))
        for rung in self._rungs:
            total += rung.margin(features)
        return total


def _successive_halves(scores: FloatArray, objective: str) -> Iterator[npt.NDArray[np.bool_]]:
    """Yields which scores are among the best half, the best quarter, and so on."""
    number = int(np.count_nonzero(~np.isnan(scores))) // 2
    while number >= MIN_BEST_SAMPLES:
        labels = is_among_best(scores, number, objective)
        # Where scores are equal, even the best half may hold them all.
        if not labels.all():
            yield labels
        number //= 2


@dataclass(frozen=True)
class Selection:
    """How samples are selected.

    Attributes:
        draw: Draws so many samples (second argument) that the first classifiers (first argument)
            accept, shape (samples, columns); fewer, or none, where so many would take long.
        ranking: Says how promising samples are.
        num_choices: Samples that are drawn for each one that is selected.
    """

    draw: Callable[[int, int], FloatArray]
    ranking: Callable[[FloatArray], FloatArray]
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
        chosen = self._from_region(num_classifiers, n - looking_back, evaluated)
        if looking_back:
            seen = np.concatenate([evaluated, chosen])
            wider = self._from_region(num_classifiers // 2, looking_back, seen)
            chosen = np.concatenate([chosen, wider])
        return chosen

    def _from_region(self, num_classifiers: int, n: int, seen: FloatArray) -> FloatArray:
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
            chosen = np.concatenate([chosen, _best_of_each(new, self.ranking(new), missing)])
            if len(chosen) == n:
                break
        return np.concatenate([chosen, *drawn])[:n]


def _unseen(rows: FloatArray, seen: FloatArray) -> FloatArray:
    """Returns the rows that are not among those seen, each once, in order."""
    known = {row.tobytes() for row in seen}
    new = []
    for row in rows:
        if row.tobytes() not in known:
            known.add(row.tobytes())
            new.append(row)
    return np.array(new).reshape(-1, rows.shape[1])


def _best_of_each(rows: FloatArray, ranks: FloatArray, num_groups: int) -> FloatArray:
    """Deals rows out into groups and returns the best row of each that has any.

    The best of all would lie closer together: whatever the ranking is wrong about, it is wrong
    about for all of them.
    """
    groups = [np.arange(first, len(rows), num_groups) for first in range(num_groups)]
    return rows[[group[np.argmax(ranks[group])] for group in groups if len(group)]]
