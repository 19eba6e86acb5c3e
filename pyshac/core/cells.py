"""The accepted region as a cover of boxes, so that few proposals are wasted.

Work in the unit cube, where the prior is uniform: a box has its prior probability as its volume.
A box that more classifiers reject for sure than are forgiven holds no accepted point and is
dropped. One that is accepted for sure stays as it is. The rest are split at a threshold of a
classifier that is undecided there, those that hold most of what will be rejected first.
Proposals drawn from the boxes that are left, by their volume, are draws from the prior restricted
to them; the cascade still decides on every one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyshac.core.bounds import GRID, MarginBounds
from pyshac.core.cascade import Cascade
from pyshac.core.classifier import BoostedTrees
from pyshac.core.hyperparameters import HyperParameterList

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

MAX_BOXES = 2**12
MAX_SPLITS_A_ROUND = 2**8

# Costs in the unit of `MarginBounds.cost`, for each tree of a classifier. A proposal from the
# prior meets two classifiers on average.
PROPOSAL_COST = 5
MIN_PROPOSAL_COST = 40
BOUND_COST = 60
READING_COST = 60_000
MIN_READING_COST = 500_000
# A refinement may bound so many boxes, or cost as much as so many samples would from the cover as
# it is, which is about what is drawn from one cover.
MIN_BOXES_BOUNDED = 2000
SAMPLES = 1000
# A cover is good enough when this share of its proposals is accepted, judged by a pilot draw.
GOOD_ACCEPTANCE = 0.15
PILOT_PROPOSALS = 512
# A pilot is drawn whenever the cost has grown so much.
PILOT_GROWTH = 1.25
# A refinement stops when all that is left of its budget would not shrink the cover by this.
SMALLEST_GAIN = 0.1


@dataclass(frozen=True)
class Cover:
    """Boxes of the unit cube, disjoint, that hold every point that a cascade accepts.

    Attributes:
        low: Lower corners, shape (boxes, columns).
        high: Upper corners, which do not belong to the boxes; shape (boxes, columns).
        lower: Lower bounds of the classifiers' margins, shape (boxes, classifiers).
        upper: Upper bounds of the classifiers' margins, shape (boxes, classifiers).
        forgiven: Number of rejections that are overlooked.
    """

    low: FloatArray
    high: FloatArray
    lower: FloatArray
    upper: FloatArray
    forgiven: int = 0

    @classmethod
    def everything(cls, num_columns: int, forgiven: int = 0) -> Cover:
        """Returns the cover of no classifiers: the whole cube."""
        corner, none = np.zeros((1, num_columns)), np.empty((1, 0))
        return cls(corner, corner + 1.0, none, none, forgiven)

    def __len__(self) -> int:
        return len(self.low)

    @property
    def volumes(self) -> FloatArray:
        """The boxes' prior probabilities, shape (boxes,)."""
        return np.prod(self.high - self.low, axis=1)

    @property
    def volume(self) -> float:
        """The prior probability of the cover."""
        return min(float(self.volumes.sum()), 1.0)

    @property
    def is_undecided(self) -> BoolArray:
        """Which boxes may hold accepted and rejected points, shape (boxes,)."""
        return (self.lower <= 0).sum(axis=1) > self.forgiven

    def select(self, boxes: BoolArray | IntArray) -> Cover:
        """Returns the cover of some of the boxes."""
        return Cover(
            self.low[boxes], self.high[boxes], self.lower[boxes], self.upper[boxes], self.forgiven
        )

    def without_rejected(self) -> Cover:
        """Returns the cover without the boxes that are rejected for sure."""
        return self.select((self.upper <= 0).sum(axis=1) <= self.forgiven)

    def join(self, other: Cover) -> Cover:
        """Returns the boxes of both covers."""
        return Cover(
            np.concatenate([self.low, other.low]),
            np.concatenate([self.high, other.high]),
            np.concatenate([self.lower, other.lower]),
            np.concatenate([self.upper, other.upper]),
            self.forgiven,
        )

    def draw(self, n: int, space: HyperParameterList, stream: np.random.SeedSequence) -> FloatArray:
        """Draws rows from the prior, conditioned on lying in the cover.

        Args:
            n: Number of rows.
            space: The search space.
            stream: The random stream to draw from.

        Returns:
            Encoded rows, shape (n, columns).
        """
        random = np.random.default_rng(stream)
        edges = np.cumsum(self.volumes)
        box = np.searchsorted(edges, random.random(n) * edges[-1], side="right")
        box = np.minimum(box, len(self) - 1)
        low, width = self.low[box], self.high[box] - self.low[box]
        steps = np.floor(random.random(low.shape) * (width / GRID))
        unit = low + np.minimum(steps, width / GRID - 1) * GRID
        return space.encode_unit(unit, stream)


@dataclass(frozen=True)
class _Construction:
    """How far the cover of a cascade is built.

    Attributes:
        cover: The cover of what the classifiers so far accept.
        classifiers: These classifiers.
        volumes: The cover's volume after each of them.
        costs: What it took up to each of them.
    """

    cover: Cover
    classifiers: tuple[BoostedTrees, ...] = ()
    volumes: tuple[float, ...] = ()
    costs: tuple[float, ...] = ()

    def is_promising(self, num_classifiers: int, plain: float) -> bool:
        """Says whether going on should cost less than it saves, if all goes on as it began.

        All classifiers so far have to agree, so that the answer is the same whether they were
        added now or earlier.
        """
        for done, (volume, cost) in enumerate(zip(self.volumes, self.costs, strict=True), 1):
            saving = plain * (1 - volume ** (num_classifiers / done))
            if saving < cost / done * (num_classifiers - done):
                return False
        return True

    def add(self, classifier: BoostedTrees, cover: Cover, cost: float) -> _Construction:
        """Returns the construction with one more classifier."""
        return _Construction(
            cover,
            (*self.classifiers, classifier),
            (*self.volumes, cover.volume),
            (*self.costs, cost + (self.costs[-1] if self.costs else 0.0)),
        )


class Covers:
    """The covers of a growing cascade; a new classifier refines the cover there was before.

    A cover depends on nothing but the space, the classifiers and the number of proposals that it
    is to replace, so a resumed run finds the same.

    Args:
        space: The search space.
    """

    def __init__(self, space: HyperParameterList) -> None:
        self._space = space
        self._bounds: dict[int, tuple[BoostedTrees, MarginBounds]] = {}
        self._chains: dict[int, list[_Construction]] = {}

    def cover(
        self, cascade: Cascade, forgiven: int = 0, num_proposals: float | None = None
    ) -> Cover | None:
        """Returns the cover of what a cascade accepts when rejections are overlooked.

        Args:
            cascade: The classifiers.
            forgiven: Number of rejections that are overlooked.
            num_proposals: Number of proposals from the prior that it would replace; None if it
                is to be built whatever it costs.

        Returns:
            The cover; None if it should cost more than it saves, or this turned out on the way, or
            if a classifier is a user's own: nothing is known of how it decides.
        """
        classifiers = cascade.trees
        if classifiers is None:
            return None
        trees = [classifier.num_trees for classifier in classifiers]
        plain = math.inf if num_proposals is None else num_proposals * _proposal_cost(trees)
        if plain < _least_cost(trees):
            return None
        # Each with one classifier more than the one before: shorter cascades are asked for, too.
        chain = self._chains.setdefault(
            forgiven, [_Construction(Cover.everything(self._space.num_columns, forgiven))]
        )
        common = _common(classifiers, chain[-1].classifiers)
        for place in range(len(classifiers) + 1):
            if place > common:
                del chain[place:]
                chain.append(self._continue(chain[-1], classifiers))
            if not chain[place].is_promising(len(classifiers), plain):
                return None
        return chain[len(classifiers)].cover

    def _continue(self, built: _Construction, classifiers: list[BoostedTrees]) -> _Construction:
        """Refines a cover for the next classifier."""
        part = classifiers[: len(built.classifiers) + 1]
        bounds = [self._bounds_of(classifier) for classifier in part]
        cover, spent = refine(built.cover, bounds, self._pilot(Cascade(part)))
        return built.add(part[-1], cover, _reading_cost(part[-1].num_trees) + spent)

    def _pilot(self, cascade: Cascade) -> Callable[[Cover], float]:
        """Returns what estimates the accepted share of a cover's proposals, never as zero."""

        def acceptance(cover: Cover) -> float:
            rows = cover.draw(PILOT_PROPOSALS, self._space, np.random.SeedSequence(0))
            accepted = int(cascade.accepts(rows, cover.forgiven).sum())
            return max(accepted, 1) / PILOT_PROPOSALS

        return acceptance

    def _bounds_of(self, classifier: BoostedTrees) -> MarginBounds:
        if id(classifier) not in self._bounds:
            bounds = MarginBounds(classifier.trees(), self._space)
            self._bounds[id(classifier)] = classifier, bounds
        return self._bounds[id(classifier)][1]


def _common(first: Sequence[BoostedTrees], second: Sequence[BoostedTrees]) -> int:
    """Returns how many classifiers two cascades have in common, from the first one on."""
    pairs = zip(first, second, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] is pair[1], pairs))


def refine(
    cover: Cover, bounds: list[MarginBounds], acceptance: Callable[[Cover], float]
) -> tuple[Cover, float]:
    """Returns the cover of a cascade with one more classifier, and what it took to find it.

    Args:
        cover: The cover without the last classifier.
        bounds: What bounds the margin of each classifier.
        acceptance: Estimates the accepted share of a cover's proposals.
    """
    lower, upper = bounds[-1](cover.low, cover.high)
    cover = Cover(
        cover.low,
        cover.high,
        np.column_stack([cover.lower, lower]),
        np.column_stack([cover.upper, upper]),
        cover.forgiven,
    ).without_rejected()
    num_trees = [bound.num_trees for bound in bounds]
    least = budget = _least_budget(num_trees[-1])
    spent, start, next_pilot = 0.0, cover.volume, least / 10
    while spent < budget and len(cover) < MAX_BOXES:
        boxes = _worst_boxes(cover)
        if not len(boxes):
            break
        cover, cost = _split(cover, boxes, bounds)
        if not cost:
            break
        spent += cost
        if spent > next_pilot and len(cover):
            next_pilot = spent * PILOT_GROWTH
            accepted = acceptance(cover)
            if accepted > GOOD_ACCEPTANCE:
                break
            budget = max(least, SAMPLES / accepted * _proposal_cost(num_trees))
            rate = math.log(start / max(cover.volume, 1e-300)) / spent
            if rate * (budget - spent) < SMALLEST_GAIN:
                break
    return cover, spent


def _proposal_cost(num_trees: list[int]) -> float:
    """The cost of drawing a proposal from the prior and classifying it."""
    return MIN_PROPOSAL_COST + PROPOSAL_COST * float(np.mean(num_trees))


def _least_cost(num_trees: list[int]) -> float:
    """What a good cover should cost at least."""
    return sum(_least_budget(number) + _reading_cost(number) for number in num_trees)


def _least_budget(num_trees: int) -> float:
    return float(MIN_BOXES_BOUNDED * BOUND_COST * num_trees)


def _reading_cost(num_trees: int) -> float:
    return float(max(READING_COST * num_trees, MIN_READING_COST))


def _worst_boxes(cover: Cover) -> IntArray:
    """The undecided boxes that hold most of what the cascade will reject; a quarter of all."""
    undecided = np.flatnonzero(cover.is_undecided)
    number = min(len(undecided), MAX_SPLITS_A_ROUND, max(1, len(cover) // 4))
    if number == 0:
        return undecided
    chance = _acceptance(cover)[undecided].min(axis=1)
    rejected = cover.volumes[undecided] * (1 - chance)
    return undecided[np.argpartition(-rejected, number - 1)[:number]]


def _acceptance(cover: Cover) -> FloatArray:
    """A guess at each classifier's acceptance in each undecided box, from its bounds; else 1."""
    is_open = (cover.lower <= 0) & (cover.upper > 0)
    span = np.where(is_open, cover.upper - cover.lower, 1.0)
    return np.where(is_open, cover.upper / span, 1.0)


def _split(cover: Cover, boxes: IntArray, bounds: list[MarginBounds]) -> tuple[Cover, float]:
    """Splits boxes in two and drops what is rejected; returns the cover and the cost.

    The cost is 0 if none of the boxes can be split.
    """
    column, edge = _best_splits(cover.select(boxes), bounds)
    can_split = np.flatnonzero(column >= 0)
    boxes, column, edge = boxes[can_split], column[can_split], edge[can_split]
    if not len(boxes):
        return cover, 0.0
    left, right = cover.select(boxes), cover.select(boxes)
    each = np.arange(len(boxes))
    left.high[each, column] = edge
    right.low[each, column] = edge
    halves = left.join(right)
    cost = 0
    for number in reversed(range(len(bounds))):
        open_boxes = np.flatnonzero(
            (halves.lower[:, number] <= 0)
            & (halves.upper[:, number] > 0)
            & ((halves.upper <= 0).sum(axis=1) <= cover.forgiven)
        )
        if len(open_boxes):
            low, high = halves.low[open_boxes], halves.high[open_boxes]
            lower, upper = bounds[number](low, high)
            halves.lower[open_boxes, number], halves.upper[open_boxes, number] = lower, upper
            cost += len(open_boxes) * bounds[number].cost
    rest = np.ones(len(cover), dtype=bool)
    rest[boxes] = False
    return cover.select(rest).join(halves.without_rejected()), float(cost)


def _best_splits(cover: Cover, bounds: list[MarginBounds]) -> tuple[IntArray, FloatArray]:
    """Returns column and edge at which to split each box; column -1 where there is no split.

    The split is the one across which the classifier that is most likely to reject changes most.
    """
    column = np.full(len(cover), -1)
    edge = np.zeros(len(cover))
    chance = _acceptance(cover)
    for number in np.argsort(chance, axis=1).T:
        unsplit = column < 0
        for one in np.unique(number[unsplit]):
            boxes = np.flatnonzero(unsplit & (number == one) & (chance[:, one] < 1))
            found_column, found_edge = _best_split_of(cover.select(boxes), bounds[one])
            column[boxes], edge[boxes] = found_column, found_edge
        if not (column < 0).any():
            break
    return column, edge


def _best_split_of(cover: Cover, bounds: MarginBounds) -> tuple[IntArray, FloatArray]:
    """The best split of each box for one classifier, as `_best_splits` returns it."""
    splits = bounds.splits
    is_inside = (cover.low[:, splits.column] < splits.edge) & (
        splits.edge < cover.high[:, splits.column]
    )
    weight = np.where(is_inside, splits.weight, 0.0)
    best = np.argmax(weight, axis=1)
    has_split = weight[np.arange(len(cover)), best] > 0
    return np.where(has_split, splits.column[best], -1), splits.edge[best]
