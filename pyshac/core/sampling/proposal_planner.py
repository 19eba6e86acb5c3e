"""ProposalPlanner: chooses between proposals from the prior and from a cover."""

from __future__ import annotations

import functools

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.accepted_share import ShareEstimator
from pyshac.core.sampling.covers import Covers
from pyshac.core.sampling.grid import Grid, grid_of
from pyshac.core.sampling.proposals import Proposals

# A cover outlives the draw that it is built for, and need not pay off within it.
PLANNED_SAMPLES = 100


class ProposalPlanner:
    """Plans the sources of proposals for the cascades of one search space.

    Args:
        space: The search space.

    Attributes:
        space: The search space.
        prior: The distribution of samples before any classifier.
        share: Estimates the share of the prior that a cascade accepts.
        latest: The key of the latest draw of candidates, and its samples; None before the first.
    """

    def __init__(self, space: HyperParameterList) -> None:
        self.space = space
        self.share = ShareEstimator(space)
        self.prior = self.share.prior
        self.latest: tuple[tuple[object, ...], FloatArray] | None = None
        self._covers = Covers(space, self.share)

    @functools.cached_property
    def grid(self) -> Grid | None:
        """All points of the space; None if it has no end, or too many."""
        return grid_of(self.space)

    def plan(
        self, cascade: Cascade, forgiven: int = 0, num_proposals: float | None = None
    ) -> Proposals:
        """Returns a source of proposals for a cascade; an empty one if it accepts nothing.

        Args:
            cascade: The classifiers.
            forgiven: Number of rejections that are overlooked.
            num_proposals: Number of proposals from the prior that a cover would replace; None for
                the number that the samples of a few batches should take.
        """
        if len(cascade) <= forgiven:
            return self.proposals
        if num_proposals is None:
            num_proposals = PLANNED_SAMPLES / (self.share(cascade) * self.prior.acceptance)
        cover = self._covers.cover(cascade, forgiven, num_proposals)
        return self.proposals if cover is None else Proposals(self.space, cover)

    @functools.cached_property
    def proposals(self) -> Proposals:
        """The source of proposals for no classifiers."""
        self.prior.require_cover()
        return Proposals(self.space, self.prior.cover)
