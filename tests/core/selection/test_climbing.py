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
from pyshac.core.selection.climbing import NUM_CHECKED, Climber
from pyshac.core.selection.neighbours import Neighbours
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


def towards(best, space=MIXED):
    """Ranks by distances from one sample in the unit cube; choices count as they are."""

    def rank(rows):
        distances = space.to_unit_where_possible(rows) - space.to_unit_where_possible(best[None])
        return -(distances**2).sum(axis=1)

    return rank


@pytest.fixture
def others():
    return MIXED.draw(500, np.random.SeedSequence(0))


def climber(seed=0, space=MIXED):
    return Climber(Neighbours(space), np.random.default_rng(seed))


def everything(rows):
    return np.ones(len(rows), dtype=bool)


def test_it_gets_near_the_best_of_a_mixed_space(others):
    best = others[0].copy()
    best[:2] = [7.123, 0.0123]
    rank = towards(best)
    found = climber().climb(others[1], others, rank, 60, everything)
    assert found[2] == best[2]
    assert found[4:].tolist() == best[4:].tolist()
    assert rank(found[None])[0] > -1e-4


def test_what_is_not_allowed_is_not_found(others):
    rank, start = towards(others[0]), others[1]
    found = climber().climb(start, others, rank, 30, lambda rows: rows[:, 0] == start[0])
    assert found[0] == start[0]
    assert rank(found[None]) > rank(start[None])
    nothing = climber().climb(start, others, rank, 30, lambda rows: rows[:, 0] > 99)
    assert (nothing == start).all()


def test_a_few_samples_at_a_time_are_asked_about_the_best_first(others):
    rank, asked = towards(others[0]), []

    def refuse(rows):
        asked.append(rows)
        return np.zeros(len(rows), dtype=bool)

    climber().climb(others[1], others, rank, 5, refuse)
    assert max(map(len, asked)) <= NUM_CHECKED
    ranks = rank(np.concatenate(asked))
    assert len(ranks) > NUM_CHECKED
    assert (np.diff(ranks) <= 0).all()
    assert ranks.min() > rank(others[1:2])[0]


def test_without_steps_it_stays(others):
    start = others[1]
    found = climber().climb(start, others, towards(others[0]), 0, everything)
    assert (found == start).all()


def test_the_same_random_numbers_lead_to_the_same_sample(others):
    first, second = (
        climber(7).climb(others[1], others, towards(others[0]), 5, everything) for _ in range(2)
    )
    assert (first == second).all()
