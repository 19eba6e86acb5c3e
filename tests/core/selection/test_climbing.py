"""Climbing: samples that are improved step by step."""

from __future__ import annotations

import numpy as np
import pytest

from pyshac.core.hyperparameters import (
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    NormalHP,
    UniformHP,
)
from pyshac.core.selection.climbing import NUM_NEIGHBOURS, Climber
from tests.core.selection.test_feature_map import OwnHP

MIXED = HyperParameterList(
    [
        UniformHP("x", -5, 15),
        LogUniformHP("rate", 1e-4, 1),
        IntegerHP("layers", 1, 8),
        NormalHP("z", 3, 2),
        DiscreteHP("kind", ["a", "b", "c"]),
        OwnHP("own"),
    ]
)


class Quadratic:
    """Highest at one sample, by distances in the unit cube; choices count as they are."""

    def __init__(self, space, best, num_steps):
        self._to_unit, self._best, self.num_steps = space.to_unit_where_possible, best, num_steps

    def __call__(self, rows):
        return -((self._to_unit(rows) - self._to_unit(self._best[None])) ** 2).sum(axis=1)


@pytest.fixture
def others():
    return MIXED.draw(500, np.random.SeedSequence(0))


def climber(seed=0, space=MIXED):
    return Climber(space, np.random.default_rng(seed))


def everything(rows):
    return np.ones(len(rows), dtype=bool)


def test_it_gets_near_the_best_of_a_mixed_space(others):
    best = others[0].copy()
    best[:2] = [7.123, 0.0123]
    ranking = Quadratic(MIXED, best, 60)
    found = climber().climb(others[1], others, ranking, everything)
    assert found[2] == best[2]
    assert found[4:].tolist() == best[4:].tolist()
    assert ranking(found[None])[0] > -1e-4


def test_what_is_not_allowed_is_not_found(others):
    ranking = Quadratic(MIXED, others[0], 30)
    start = others[1]
    found = climber().climb(start, others, ranking, lambda rows: rows[:, 0] == start[0])
    assert found[0] == start[0]
    assert ranking(found[None]) > ranking(start[None])
    nothing = climber().climb(start, others, ranking, lambda rows: rows[:, 0] > 99)
    assert (nothing == start).all()


def test_without_steps_it_stays(others):
    start = others[1]
    found = climber().climb(start, others, Quadratic(MIXED, others[0], 0), everything)
    assert (found == start).all()


def test_the_same_random_numbers_lead_to_the_same_sample(others):
    first, second = (
        climber(7).climb(others[1], others, Quadratic(MIXED, others[0], 5), everything)
        for _ in range(2)
    )
    assert (first == second).all()


def test_neighbours_lie_in_the_space(others):
    for row in others[:20]:
        neighbours = climber().neighbours(row, others)
        assert neighbours.shape == (NUM_NEIGHBOURS, 6)
        for neighbour in neighbours:
            assert MIXED.encode(MIXED.decode(neighbour)) == pytest.approx(neighbour)
            assert -5 <= neighbour[0] < 15
        # A column may get the value that it has.
        assert (neighbours != row).any(axis=1).mean() > 0.8


def test_some_neighbours_differ_in_one_column_some_in_many(others):
    number = (climber().neighbours(others[0], others) != others[0]).sum(axis=1)
    assert (number == 1).any()
    assert (number >= 3).any()


def test_some_neighbours_are_near_and_some_are_far():
    space = HyperParameterList([UniformHP("x", 0, 1)])
    row = np.array([0.5])
    distances = np.abs(climber(0, space).neighbours(row, np.array([[0.0]])) - 0.5).ravel()
    assert 0 < distances.min() < 0.01
    assert (distances == 0.5).any()
    assert ((distances > 0.05) & (distances < 0.5)).any()
