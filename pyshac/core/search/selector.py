"""Selector: prepares the selection of samples from everything learned so far."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.seeding import Purpose
from pyshac.core.classifiers.features import Features
from pyshac.core.dataset.objective import Objective
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.given.added import Learned
from pyshac.core.search.method import Method
from pyshac.core.search.settings import Settings
from pyshac.core.search.shares import Shares
from pyshac.core.selection.branches import Branches
from pyshac.core.selection.climbing import Climber
from pyshac.core.selection.neighbours import Neighbours
from pyshac.core.selection.selection import Selection

# Share by which the samples must grow before rankings are fitted again. In between, the Gaussian
# process learns the new scores, but neither its length scales nor the trees change.
SMALLEST_GROWTH = 0.05

if TYPE_CHECKING:
    from pyshac.core.selection.ranking import Ranking
    from pyshac.core.selection.surrogate import Surrogate


class Selector:
    """Prepares selections and keeps the latest rankings.

    Args:
        space: The search space.
        features: The features that trees see of encoded samples.
    """

    def __init__(self, space: HyperParameterList, features: Features) -> None:
        self._space = space
        self._features = features
        self._neighbours, self._branches = Neighbours(space), Branches(space)
        self._latest: tuple[tuple[int, int, int], tuple[Ranking, ...], Surrogate] | None = None

    def selection(
        self,
        learned: Learned,
        settings: Settings,
        entropy: int,
        shares: Shares,
        place: np.random.SeedSequence,
        running: FloatArray,
    ) -> Selection:
        """Returns the selection that has learned from samples.

        Args:
            learned: The samples, at least 1.
            settings: The settings of the search.
            entropy: The seed of the search.
            shares: How successful the rankings have been.
            place: Random stream for climbing.
            running: Encoded samples that are assumed to score as expected, shape (m, columns).
        """
        count = learned.num_own
        method, climber = settings.method, Climber(self._neighbours, np.random.default_rng(place))
        fitted = _last_fit(count, settings.schedule.batch_size)
        key = (entropy, fitted, learned.num_added)
        if self._latest is None or self._latest[0] != key:
            stream = seeding.stream(entropy, Purpose.RANK, fitted)
            known = *learned.first(fitted), settings.objective
            self._latest = (key, *self._learn(*known, method, stream))
        _, rankings, surrogate = self._latest
        surrogate = surrogate.told(*learned.between(fitted, count)).believing(running)
        weights = (shares if method.learns_shares else Shares()).of(len(rankings))
        parts = (method.num_choices, climber, self._branches, len(running))
        return Selection(rankings, weights, surrogate, *parts)

    def _learn(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: Objective,
        method: Method,
        stream: np.random.SeedSequence,
    ) -> tuple[tuple[Ranking, ...], Surrogate]:
        # They need SciPy and XGBoost, which take long to import.
        from pyshac.core.selection.process_rankings import BoundRanking, ImprovementRanking
        from pyshac.core.selection.surrogate import Surrogate
        from pyshac.core.selection.tree_ranking import TreeRanking

        new: dict[str, Callable[[], Ranking]] = {
            "trees": lambda: TreeRanking(encoded, scores, objective, self._features, stream),
            "bound": BoundRanking,
            "improvement": ImprovementRanking,
        }
        surrogate = Surrogate(encoded, scores, objective, self._space)
        return tuple(new[name]() for name in method.rankings), surrogate


def _last_fit(count: int, batch_size: int) -> int:
    """Returns the number of samples to which the current rankings are fitted.

    Rankings are fitted after every batch until a batch adds less than a twentieth to the samples;
    afterwards they are fitted less often.

    Args:
        count: Number of samples so far.
        batch_size: Number of samples in a batch.
    """
    fitted = due = min(batch_size, count)
    while due <= count:
        fitted = due
        growth = max(fitted * SMALLEST_GROWTH, batch_size)
        due = fitted + batch_size * math.ceil(growth / batch_size)
    return fitted
