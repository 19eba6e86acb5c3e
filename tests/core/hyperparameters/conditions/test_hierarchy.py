"""Hierarchy: the conditions of a space, as functions of arrays and of boxes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st
from scipy import stats

from pyshac import DiscreteHP, HyperParameterList, IntegerHP, LogUniformHP, UniformHP
from pyshac.core.hyperparameters.unit_map import GRID, unit_edges
from tests import strategies
from tests.goodness_of_fit import LEVEL, NUM_DRAWS, continuous_p_values


def nested() -> HyperParameterList:
    return HyperParameterList(
        [
            UniformHP("deep", 0, 1).when("rate", at_least=0.1),
            LogUniformHP("rate", 1e-3, 1).when("kind", ["b", "d"]),
            DiscreteHP("kind", list("abcd")).when("layers", at_least=3),
            IntegerHP("layers", 1, 4),
        ]
    )


@settings(deadline=None)
@given(strategies.conditional_spaces(), st.integers(0, 2**32))
def test_arrays_say_what_single_rows_say(space, seed):
    complete = space.draw_complete(10, np.random.SeedSequence(seed))
    active = space.hierarchy.active(complete)
    for row, expected in zip(complete, active, strict=True):
        for number in space.hierarchy.order:
            columns = slice(*_columns_of(space, number))
            masked = np.where(expected, row, np.nan)
            is_active = space.hierarchy.broken(number, masked) is None
            assert (expected[columns] == is_active).all()
    masked = space.hierarchy.deactivate(complete)
    assert np.array_equal(space.hierarchy.active(masked), active)


def _columns_of(space, number):
    widths = [parameter.sample_count or 1 for parameter in space]
    return sum(widths[:number]), sum(widths[: number + 1])


@settings(deadline=None)
@given(strategies.conditional_spaces(), st.integers(0, 2**32), st.floats(0.01, 1))
def test_bounds_allow_what_happens_in_a_box(space, seed, width):
    random = np.random.default_rng(seed)
    low = np.floor(random.random((8, space.num_columns)) / GRID) * GRID
    high = np.minimum(low + np.floor(width / GRID) * GRID, 1.0)
    can_be_active, can_be_inactive = space.hierarchy.bounds(low, high)
    for _ in range(10):
        unit = low + np.floor(random.random(low.shape) * (high - low) / GRID) * GRID
        active = space.hierarchy.active(space.from_unit(np.minimum(unit, high - GRID)))
        assert can_be_active[active].all()
        assert can_be_inactive[~active].all()


def test_bounds_are_sharp_at_the_edges_of_conditions():
    space = nested()
    hierarchy, layers = space.hierarchy, 3
    edges = dict(hierarchy.edges([2]))
    assert edges == {layers: 0.5}
    low, high = np.zeros((2, 4)), np.ones((2, 4))
    high[0, layers] = low[1, layers] = 0.5
    active, inactive = hierarchy.bounds(low, high)
    assert active[:, 2].tolist() == [False, True]
    assert inactive[:, 2].tolist() == [True, False]
    assert active[:, 0].tolist() == [False, True]
    assert inactive[:, 0].tolist() == [True, True]


def test_edges_of_real_numbers_are_exact():
    space = nested()
    (edge,) = (edge for column, edge in space.hierarchy.edges([0]) if column == 1)
    rates = space.column_from_unit(1, np.array([edge - GRID, edge]))
    assert rates[0] < np.log(0.1) <= rates[1]


def test_edges_where_all_or_nothing_lies_below():
    found = unit_edges(lambda unit: unit < np.array([-1.0, 0.25, 2.0]), 3)
    assert found.tolist() == [0.0, 0.25, 1.0]


def test_draws_are_those_of_the_prior_where_active():
    space = nested()
    rows = space.draw(NUM_DRAWS, np.random.SeedSequence(5))
    complete = space.draw_complete(NUM_DRAWS, np.random.SeedSequence(6))
    p_values = []
    for column in range(4):
        ours = rows[~np.isnan(rows[:, column]), column]
        p_values.append(stats.ks_2samp(ours, complete[:, column], method="asymp").pvalue)
    share = np.mean(~np.isnan(rows[:, 0]))
    expected = 0.5 * 0.5 * (1 / 3)
    p_values.append(stats.binomtest(round(share * NUM_DRAWS), NUM_DRAWS, expected).pvalue)
    p_values += continuous_p_values(rows[~np.isnan(rows[:, 0]), 0], stats.uniform())
    assert min(p_values) > LEVEL
