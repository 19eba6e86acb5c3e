"""Refinement of a cover for one more classifier, or for constraints.

A box that more classifiers certainly reject than are forgiven contains no accepted point and is
dropped. A box that is certainly accepted is kept. The others are split at a threshold of a
classifier that is undecided there, starting with the boxes of the largest expected rejected volume.
The cascade still decides on every proposal from the remaining boxes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from pyshac.core.basics.arrays import FloatArray, IntArray
from pyshac.core.sampling.cover import Cover

MAX_BOXES = 2**12
MAX_SPLITS_A_ROUND = 2**8
# Costs per tree of a classifier, in the unit of `MarginBounds.cost`. A proposal from the prior
# meets two classifiers on average.
PROPOSAL_COST = 5
MIN_PROPOSAL_COST = 40
BOUND_COST = 60
READING_COST = 60_000
MIN_READING_COST = 500_000
# A refinement may bound this many boxes, or cost as much as this many samples from the present
# cover, which is about the number that is drawn from one cover.
MIN_BOXES_BOUNDED = 2000
SAMPLES = 1000
# A cover is good enough once this share of a pilot draw from it is accepted.
GOOD_ACCEPTANCE = 0.15
# A pilot is drawn each time the cost has grown by this factor.
PILOT_GROWTH = 1.25
# A refinement stops if the rest of its budget would shrink the log volume by less than this.
SMALLEST_GAIN = 0.1


class Bounds(Protocol):
    """Bounds on a margin, which is above 0 where a classifier, or a constraint, accepts.

    Attributes:
        num_trees: Number of trees of a classifier; 0 for a constraint.
        cost: Rough number of operations for bounding one box.
    """

    num_trees: int
    cost: int

    def __call__(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns lower and upper bounds of the margin, shape (n,), over boxes of (n, columns)."""

    def best_split(self, low: FloatArray, high: FloatArray) -> tuple[IntArray, FloatArray]:
        """Returns the column and the edge at which to split each box; column -1 if it has none."""


def refine(
    cover: Cover, bounds: Sequence[Bounds], acceptance: Callable[[Cover], float]
) -> tuple[Cover, float]:
    """Returns the cover of a cascade with one more classifier, and the cost of building it.

    Args:
        cover: The cover without the last classifier.
        bounds: Bounds on each margin, of constraints and classifiers.
        acceptance: Estimates the accepted share of a cover's proposals.
    """
    # The cover of constraints may have half as many boxes.
    max_boxes = 2 * MAX_BOXES if cover.num_constraints else MAX_BOXES
    cover = cover.bounded(*bounds[-1](cover.low, cover.high)).without_rejected()
    num_trees = [bound.num_trees for bound in bounds if bound.num_trees]
    least = budget = _least_budget(num_trees[-1])
    spent, start, next_pilot = 0.0, cover.volume, least / 10
    while spent < budget and len(cover) < max_boxes:
        cover, cost = _split(cover, _worst_boxes(cover), bounds)
        if not cost:
            break
        spent += cost
        if spent > next_pilot and len(cover):
            next_pilot = spent * PILOT_GROWTH
            accepted = acceptance(cover)
            if accepted > GOOD_ACCEPTANCE:
                break
            budget = max(least, SAMPLES / accepted * proposal_cost(num_trees))
            rate = math.log(start / max(cover.volume, 1e-300)) / spent
            if rate * (budget - spent) < SMALLEST_GAIN:
                break
    return cover, spent


def refine_for_constraints(
    cover: Cover, bounds: Sequence[Bounds], is_good: Callable[[Cover], bool], max_boxes: int
) -> Cover:
    """Returns a cover of the part of a box that constraints allow; an empty one if it has none.

    Args:
        cover: The box.
        bounds: Bounds on the margin of each constraint.
        is_good: Returns whether a cover need not be refined.
        max_boxes: Number of boxes that are enough.
    """
    cover = replace(cover, num_constraints=len(bounds))
    for bound in bounds:
        cover = cover.bounded(*bound(cover.low, cover.high))
    cover = cover.without_rejected()
    next_check = 0
    while len(cover) < max_boxes:
        if len(cover) >= next_check:
            if not len(cover) or is_good(cover):
                break
            next_check = 2 * len(cover)
        cover, cost = _split(cover, _worst_boxes(cover), bounds)
        if not cost:
            break
    return cover


def proposal_cost(num_trees: list[int]) -> float:
    """Returns the cost of drawing a proposal from the prior and classifying it."""
    return MIN_PROPOSAL_COST + PROPOSAL_COST * float(np.mean(num_trees))


def least_cost(num_trees: list[int]) -> float:
    """Returns the minimum cost of a good cover."""
    return sum(_least_budget(number) + reading_cost(number) for number in num_trees)


def _least_budget(num_trees: int) -> float:
    return float(MIN_BOXES_BOUNDED * BOUND_COST * num_trees)


def reading_cost(num_trees: int) -> float:
    """Returns the cost of reading the trees of a classifier."""
    return float(max(READING_COST * num_trees, MIN_READING_COST))


def _worst_boxes(cover: Cover) -> IntArray:
    """Returns undecided boxes of the largest expected rejected volume, at most 1/4 of all."""
    undecided = np.flatnonzero(cover.is_undecided)
    number = min(len(undecided), MAX_SPLITS_A_ROUND, max(1, len(cover) // 4))
    if number == 0:
        return undecided
    chance = _acceptance(cover)[undecided].min(axis=1)
    rejected = cover.volumes[undecided] * (1 - chance)
    return undecided[np.argpartition(-rejected, number - 1)[:number]]


def _acceptance(cover: Cover) -> FloatArray:
    """Returns estimates of each margin's accepted share of each box; 1 where decided."""
    is_open = (cover.lower <= 0) & (cover.upper > 0)
    span = np.where(is_open, cover.upper - cover.lower, 1.0)
    return np.where(is_open, cover.upper / span, 1.0)


def _split(cover: Cover, boxes: IntArray, bounds: Sequence[Bounds]) -> tuple[Cover, float]:
    """Splits boxes in two and drops rejected halves; returns the cover and the cost.

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
            (halves.lower[:, number] <= 0) & (halves.upper[:, number] > 0) & ~halves.is_rejected
        )
        if len(open_boxes):
            low, high = halves.low[open_boxes], halves.high[open_boxes]
            lower, upper = bounds[number](low, high)
            halves.lower[open_boxes, number], halves.upper[open_boxes, number] = lower, upper
            cost += len(open_boxes) * bounds[number].cost
    rest = np.ones(len(cover), dtype=bool)
    rest[boxes] = False
    return cover.select(rest).join(halves.without_rejected()), float(cost)


def _best_splits(cover: Cover, bounds: Sequence[Bounds]) -> tuple[IntArray, FloatArray]:
    """Returns the column and the edge at which to split each box; column -1 if it has no split.

    It is the best one for the classifier, or the constraint, that is most likely to reject.
    """
    column = np.full(len(cover), -1)
    edge = np.zeros(len(cover))
    chance = _acceptance(cover)
    for number in np.argsort(chance, axis=1).T:
        unsplit = column < 0
        for one in np.unique(number[unsplit]):
            boxes = np.flatnonzero(unsplit & (number == one) & (chance[:, one] < 1))
            found_column, found_edge = bounds[one].best_split(cover.low[boxes], cover.high[boxes])
            column[boxes], edge[boxes] = found_column, found_edge
        if not (column < 0).any():
            break
    return column, edge
