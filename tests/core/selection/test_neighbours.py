"""Neighbours: samples that differ from a given one in some columns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pyshac import INACTIVE
from pyshac.core.hyperparameters import (
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    MultiUniformHP,
    UniformHP,
)
from pyshac.core.selection.neighbours import MAX_VALUES, NUM_CHANGES, NUM_NEIGHBOURS, Neighbours
from tests.core.selection.test_climbing import MIXED
from tests.goodness_of_fit import LEVEL


@pytest.fixture
def others():
    return MIXED.draw(500, np.random.SeedSequence(0))


def neighbours_of(row, others, space, seed=0):
    return Neighbours(space)(row, others, np.random.default_rng(seed))


def test_they_lie_in_the_space(others):
    for row in others[:20]:
        neighbours = neighbours_of(row, others, MIXED)
        assert neighbours.shape == (NUM_NEIGHBOURS, 6)
        for neighbour in neighbours:
            assert MIXED.encode(MIXED.decode(neighbour)) == pytest.approx(neighbour)
            assert -5 <= neighbour[0] < 15
        # A column may get the value that it has.
        assert (neighbours != row).any(axis=1).mean() > 0.8


def test_some_differ_in_one_column_some_in_many(others):
    number = (neighbours_of(others[0], others, MIXED) != others[0]).sum(axis=1)
    assert (number == 1).any()
    assert (number >= 3).any()


def test_some_are_near_and_some_are_far():
    space = HyperParameterList([UniformHP("x", 0, 1)])
    row = np.array([0.5])
    distances = np.abs(neighbours_of(row, np.array([[0.0]]), space) - 0.5).ravel()
    assert 0 < distances.min() < 0.01
    assert (distances == 0.5).any()
    assert ((distances > 0.05) & (distances < 0.5)).any()


def test_every_single_change_of_few_values_is_among_them():
    space = HyperParameterList(
        [
            DiscreteHP("kind", ["a", "b", "c"]),
            IntegerHP("layers", -1, 4),
            IntegerHP("width", 1, 8, log=True),
            IntegerHP("many", 0, MAX_VALUES),
            UniformHP("x", 0, 1),
            UniformHP("steps", 0, 0.3, step=0.1),
        ]
    )
    row = np.array(space.encode(["b", 2, 4, 5, 0.25, 0.1]))
    # Others are all alike, so only the single changes give these values.
    found = {tuple(space.decode(each)) for each in neighbours_of(row, row[None], space)}
    changes = {0: ["a", "c"], 1: [-1, 0, 1, 3, 4], 2: [1, 2, 3, 5, 6, 7, 8], 5: [0.0, 0.2, 0.3]}
    for column, values in changes.items():
        for value in values:
            changed = ["b", 2, 4, 5, 0.25, 0.1]
            changed[column] = value
            assert tuple(changed) in found


def test_of_many_single_changes_some_are_taken_by_chance():
    columns = 4 * NUM_CHANGES
    space = HyperParameterList([DiscreteHP(f"c{i}", ["a", "b"]) for i in range(columns)])
    row = np.zeros(columns)
    first, second = (neighbours_of(row, row[None], space, seed) for seed in (0, 1))
    for neighbours in (first, second):
        changes = neighbours[neighbours.any(axis=1)]
        assert len(np.unique(changes, axis=0)) == len(changes) == NUM_CHANGES
        assert (changes.sum(axis=1) == 1).all()
    assert not (first == second).all()


def test_choices_and_own_types_take_values_of_others(others):
    row = others[0]
    theirs = others[1:4]
    for neighbour in neighbours_of(row, theirs, MIXED):
        # Single changes may give a choice any of its values.
        if (neighbour != row).sum() > 1:
            assert neighbour[5] in {row[5], *theirs[:, 5]}


def test_steps_are_small_and_large_and_stay_in_the_unit_interval():
    space = HyperParameterList([MultiUniformHP("w", 0, 1, sample_count=3)])
    row = np.array([0.0, 0.5, np.nextafter(1, 0)])
    neighbours = neighbours_of(row, row[None], space)
    assert ((neighbours >= 0) & (neighbours < 1)).all()
    distances = np.abs(neighbours - row)[neighbours != row]
    assert distances.min() < 0.01 < 0.2 < distances.max()


def test_the_same_random_numbers_give_the_same(others):
    first, second = (neighbours_of(others[0], others, MIXED, 3) for _ in range(2))
    assert (first == second).all()


def test_the_upper_end_of_the_unit_interval_is_left_out():
    class Far(np.random.Generator):
        """Steps so far that they are reflected to the upper end itself."""

        def standard_normal(self, size):
            return np.full(size, 2.0**80)

    space = HyperParameterList([UniformHP("x", 0, 1)])
    generator = Far(np.random.PCG64(0))
    neighbours = Neighbours(space)(np.array([0.5]), np.array([[0.25]]), generator)
    assert set(neighbours.ravel()) == {0.25, np.nextafter(1, 0)}


class TestConditional:
    SPACE = HyperParameterList(
        [
            DiscreteHP("kind", ["a", "b"]),
            UniformHP("a", 0, 1).when("kind", "a"),
            UniformHP("b", 0, 1).when("kind", "b"),
            MultiUniformHP("w", 0, 1, sample_count=2).when("b", at_least=0.5),
        ]
    )

    def test_they_lie_in_the_space(self):
        others = self.SPACE.draw(20, np.random.SeedSequence(0))
        for row in others:
            for neighbour in neighbours_of(row, others, self.SPACE):
                again = self.SPACE.encode(self.SPACE.decode(neighbour))
                assert again.tobytes() == neighbour.tobytes()

    def test_what_becomes_active_takes_values_of_others_where_they_have_any(self):
        row = self.SPACE.encode(["a", 0.25, INACTIVE, INACTIVE, INACTIVE])
        other = self.SPACE.encode(["b", INACTIVE, 0.75, 0.125, 0.375])
        found = neighbours_of(row, other[None], self.SPACE)
        changed = found[found[:, 0] == 1]
        assert len(changed) > 1
        assert (changed[:, 2] == 0.75).all()

    def test_otherwise_draws_of_the_prior(self):
        row = self.SPACE.encode(["a", 0.25, INACTIVE, INACTIVE, INACTIVE])
        found = [
            neighbour[2]
            for seed in range(300)
            for neighbour in neighbours_of(row, row[None], self.SPACE, seed)
            if neighbour[0] == 1
        ]
        assert len(found) >= 300
        assert stats.kstest(found, "uniform").pvalue > LEVEL

    def test_inactive_columns_are_no_single_changes(self):
        space = HyperParameterList(
            [DiscreteHP("kind", ["a", "b"]), IntegerHP("n", 1, 5).when("kind", "b")]
        )
        row = space.encode(["a", INACTIVE])
        found = neighbours_of(row, row[None], space)
        # The one other choice; the rest are copies, since there is nothing else to change.
        assert (found[:, 0] == 1).sum() == 1
