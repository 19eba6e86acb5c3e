"""Covers: the covers of the cascades of one search space, built as the cascade grows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import Features
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.accepted_share import SMALLEST_SHARE, ShareEstimator
from pyshac.core.sampling.cover import Cover
from pyshac.core.sampling.cover_refinement import least_cost, proposal_cost, reading_cost, refine
from pyshac.core.sampling.margin_bounds import MarginBounds

PILOT_PROPOSALS = 512
# The logarithm of a cover's volume as a share of that of the accepted region: usual values, for
# classifiers that together accept more than this share, which tells too little.
TIGHTNESS = 0.7
CLEAR_SHARE = 0.5


@dataclass(frozen=True)
class _Construction:
    """The state of the construction of a cover.

    Attributes:
        cover: The cover of the region that the classifiers so far accept.
        classifiers: These classifiers.
        volumes: The volume of the cover after each of them, as a share of that of the constraints.
        costs: The total cost after each of them.
    """

    cover: Cover
    classifiers: tuple[BoostedTrees, ...] = ()
    volumes: tuple[float, ...] = ()
    costs: tuple[float, ...] = ()

    def is_promising(self, shares: Sequence[float], plain: float) -> bool:
        """Returns whether going on should cost less than it saves, by extrapolation.

        This must hold for every classifier so far, so that the answer does not depend on when
        they were added.

        Args:
            shares: The share of the prior that the first one, two, ... of all classifiers accept.
            plain: The cost of the proposals that the cover would replace.
        """
        for done, (volume, cost) in enumerate(zip(self.volumes, self.costs, strict=True), 1):
            # As the share shrinks by a power, the volume of the cover shrinks by part of it.
            tightness = TIGHTNESS
            if shares[done - 1] < CLEAR_SHARE:
                tightness = math.log(max(volume, SMALLEST_SHARE)) / math.log(shares[done - 1])
            saving = plain * (1 - shares[-1] ** max(tightness, 0.0))
            if saving < cost / done * (len(shares) - done):
                return False
        return True

    def without_bounds(self) -> _Construction:
        """Returns the construction as it is kept once another one has continued it."""
        return replace(self, cover=self.cover.without_bounds())

    def add(
        self, classifier: BoostedTrees, cover: Cover, volume: float, cost: float
    ) -> _Construction:
        """Returns the construction with one more classifier."""
        return _Construction(
            cover,
            (*self.classifiers, classifier),
            (*self.volumes, volume),
            (*self.costs, cost + (self.costs[-1] if self.costs else 0.0)),
        )


class Covers:
    """The covers of a growing cascade; each new classifier refines the cover before it.

    The cascades, of different lengths, see the same features.

    A cover depends only on the space, the classifiers and the number of proposals that it is to
    replace, so a resumed run builds the same cover.

    Args:
        space: The search space.
        share: Estimates the share of the prior that a cascade accepts.
    """

    def __init__(self, space: HyperParameterList, share: ShareEstimator) -> None:
        self._space = space
        self._share = share
        self._prior = share.prior
        self._bounds: dict[int, tuple[BoostedTrees, MarginBounds]] = {}
        self._chains: dict[int, list[_Construction]] = {}

    def cover(
        self, cascade: Cascade, forgiven: int = 0, num_proposals: float | None = None
    ) -> Cover | None:
        """Returns the cover of the region that a cascade accepts.

        Args:
            cascade: The classifiers.
            forgiven: Number of rejections that are overlooked.
            num_proposals: Number of proposals from the prior that it would replace; None to build
                it at any cost.

        Returns:
            The cover; None if it costs more than it saves, or if a classifier is a user's own,
            whose decisions cannot be bounded.
        """
        classifiers = cascade.trees
        if classifiers is None:
            return None
        trees = [classifier.num_trees for classifier in classifiers]
        plain = math.inf if num_proposals is None else num_proposals * proposal_cost(trees)
        if plain < least_cost(trees):
            return None
        shares = [self._share(cascade.first(count + 1)) for count in range(len(cascade))]
        # Each has one classifier more than the one before it; shorter cascades need covers, too.
        chain = self._chains.setdefault(forgiven, [self._start(forgiven)])
        common = _common(classifiers, chain[-1].classifiers)
        if common < min(len(classifiers), len(chain) - 1):
            # Another cascade. The bounds of all covers but the last are gone.
            common = 0
            chain[:] = [self._start(forgiven)]
        for place in range(len(classifiers) + 1):
            if place > common:
                chain.append(self._continue(chain[-1], cascade))
                chain[-2] = chain[-2].without_bounds()
            if not chain[place].is_promising(shares, plain):
                return None
        return chain[len(classifiers)].cover

    def _start(self, forgiven: int) -> _Construction:
        """Returns the construction without classifiers: the cover of the constraints."""
        cover = self._prior.cover or Cover.everything(self._space.num_columns)
        return _Construction(replace(cover, forgiven=forgiven))

    def _continue(self, built: _Construction, cascade: Cascade) -> _Construction:
        """Refines a cover for the next classifier."""
        part = cascade.first(len(built.classifiers) + 1)
        classifiers = part.trees or []
        bounds = [self._bounds_of(classifier, part.features) for classifier in classifiers]
        cover, spent = refine(built.cover, [*self._prior.bounds, *bounds], self._pilot(part))
        newest, volume = classifiers[-1], cover.volume / self._prior.volume
        return built.add(newest, cover, volume, reading_cost(newest.num_trees) + spent)

    def _pilot(self, cascade: Cascade) -> Callable[[Cover], float]:
        """Returns an estimator of the accepted share of a cover's proposals; never zero."""

        def acceptance(cover: Cover) -> float:
            rows = cover.draw(PILOT_PROPOSALS, self._space, np.random.SeedSequence(0))
            accepted = cascade.accepts(rows, cover.forgiven) & self._space.obeys_relations(rows)
            return max(int(accepted.sum()), 1) / PILOT_PROPOSALS

        return acceptance

    def _bounds_of(self, classifier: BoostedTrees, features: Features) -> MarginBounds:
        if id(classifier) not in self._bounds:
            bounds = MarginBounds(classifier.trees(), self._space, features)
            self._bounds[id(classifier)] = classifier, bounds
        return self._bounds[id(classifier)][1]


def _common(first: Sequence[BoostedTrees], second: Sequence[BoostedTrees]) -> int:
    """Returns the length of the common beginning of two cascades."""
    pairs = zip(first, second, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] is pair[1], pairs))
