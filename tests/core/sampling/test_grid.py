"""Grid: all points of a small finite search space."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from pyshac.core.hyperparameters import (
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    MultiDiscreteHP,
    NormalHP,
    OrdinalHP,
    UniformHP,
)
from pyshac.core.sampling import grid as grid_module
from pyshac.core.sampling.grid import grid_of
from tests.cascades import cascade_of, plainly_accepts, region
from tests.core.selection.test_feature_map import OwnHP
from tests.goodness_of_fit import LEVEL, chi_square

MIXED = HyperParameterList(
    [
        DiscreteHP("kind", ["a", None, 2.5]),
        IntegerHP("layers", -2, 1),
        IntegerHP("width", 1, 5, log=True),
        MultiDiscreteHP("flags", [True, False], sample_count=2),
    ]
)
STEPPED = HyperParameterList(
    [
        UniformHP("x", -0.1, 0.35, step=0.05),
        IntegerHP("i", 3, 40, step=8),
        OrdinalHP("size", ["S", "M", "L"]),
    ]
)
SKEWED = HyperParameterList([IntegerHP("width", 1, 12, log=True), DiscreteHP("kind", ["a", "b"])])


def draw(grid, n, seed=0, which=None):
    which = np.ones(len(grid), dtype=bool) if which is None else which
    return grid.draw(which, n, np.random.SeedSequence(seed))


class TestPoints:
    def test_they_are_all_combinations(self):
        decoded = {tuple(MIXED.decode(point)) for point in grid_of(MIXED).points}
        expected = itertools.product(
            ["a", None, 2.5], range(-2, 2), range(1, 6), [True, False], [True, False]
        )
        assert decoded == set(expected)
        assert len(grid_of(MIXED)) == len(grid_of(MIXED).points) == 3 * 4 * 5 * 4

    @pytest.mark.parametrize(
        ("distribution", "values"),
        [
            (stats.randint(1, 1000), range(1, 1000)),
            (stats.randint(-3, 4), range(-3, 4)),
            (stats.bernoulli(0.3), range(2)),
            (stats.zipfian(1.1, 500), range(1, 501)),
        ],
    )
    def test_they_are_the_values_of_a_finite_distribution(self, distribution, values):
        parameter = DistributionHP("x", distribution)
        points = grid_of(HyperParameterList([parameter])).points
        assert [parameter.decode(point) for point in points.ravel()] == [*values]
        # Draws are known again by their bytes.
        drawn = parameter.from_unit(np.random.default_rng(0).random(10_000))
        assert {*drawn.tolist()} <= {*points.ravel().tolist()}

    def test_they_are_those_that_a_distribution_can_draw(self):
        grid = grid_of(HyperParameterList([DistributionHP("x", stats.binom(1000, 0.5))]))
        assert len(grid) < 300
        assert len(draw(grid, len(grid))) == len(grid)

    @pytest.mark.parametrize("distribution", [stats.poisson(3), stats.randint(0, 1001)])
    def test_others_have_no_grid(self, distribution):
        assert grid_of(HyperParameterList([DistributionHP("x", distribution)])) is None

    @pytest.mark.parametrize("space", [MIXED, SKEWED, STEPPED, HyperParameterList(
        [IntegerHP("i", 1, 50_000, log=True)])],
        ids=["mixed", "skewed", "stepped", "long"])  # fmt: skip
    def test_each_is_to_the_last_bit_as_samples_are_encoded(self, space):
        points = grid_of(space).points
        again = np.array([space.encode(space.decode(point)) for point in points])
        assert again.tobytes() == points.tobytes()
        drawn = space.draw(2000, np.random.SeedSequence(0))
        assert {row.tobytes() for row in drawn} <= {point.tobytes() for point in points}

    def test_steps_are_points(self):
        decoded = {tuple(STEPPED.decode(point)) for point in grid_of(STEPPED).points}
        numbers = [-0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35]
        assert decoded == {*itertools.product(numbers, [3, 11, 19, 27, 35], "SML")}

    def test_a_single_one(self):
        grid = grid_of(HyperParameterList([DiscreteHP("a", ["x"]), IntegerHP("i", 3, 3)]))
        assert grid.points.tolist() == [[0.0, 3.0]]
        assert draw(grid, 5).tolist() == [[0.0, 3.0]]

    def test_which_were_not_seen(self):
        grid = grid_of(MIXED)
        assert grid.unseen(set()).all()
        seen = {grid.points[number].tobytes() for number in (0, 7, 100)} | {b"other"}
        assert np.flatnonzero(~grid.unseen(seen)).tolist() == [0, 7, 100]


@pytest.mark.parametrize(
    "parameter", [UniformHP("u", 0, 1), NormalHP("n", 0, 1), OwnHP("own"), IntegerHP("i", 0, 10**9)]
)
def test_spaces_without_an_end_have_none(parameter):
    assert grid_of(HyperParameterList([DiscreteHP("a", [1, 2]), parameter])) is None


def test_spaces_of_too_many_points_have_none(monkeypatch):
    monkeypatch.setattr(grid_module, "MAX_POINTS", 240)
    assert len(grid_of(MIXED)) == 240
    monkeypatch.setattr(grid_module, "MAX_POINTS", 239)
    assert grid_of(MIXED) is None


class TestDraws:
    def test_no_point_comes_twice_and_all_come(self):
        grid = grid_of(MIXED)
        rows = draw(grid, 999)
        assert len(rows) == len(np.unique(rows, axis=0)) == len(grid)

    def test_only_points_that_are_asked_for(self):
        grid = grid_of(MIXED)
        which = grid.points[:, 0] == 1
        rows = draw(grid, 10, 0, which)
        assert len(rows) == 10
        assert (rows[:, 0] == 1).all()
        assert len(draw(grid, 999, 0, which)) == which.sum()
        assert draw(grid, 3, 0, ~grid.unseen(set())).shape == (0, 5)

    def test_the_stream_decides(self):
        grid = grid_of(MIXED)
        assert (draw(grid, 20, 1) == draw(grid, 20, 1)).all()
        assert not (draw(grid, 20, 1) == draw(grid, 20, 2)).all()
        # Asked for more, it gives the same ones first.
        assert (draw(grid, 20, 1)[:5] == draw(grid, 5, 1)).all()

    def test_the_first_follows_the_prior(self):
        grid = grid_of(SKEWED)
        priors = self.priors(grid)
        firsts = [point_number(grid, draw(grid, 1, seed)[0]) for seed in range(4000)]
        assert chi_square(np.bincount(firsts, minlength=len(grid)), priors) > LEVEL

    def test_the_second_follows_the_prior_of_the_others(self):
        grid = grid_of(SKEWED)
        priors = self.priors(grid)
        seconds = [point_number(grid, draw(grid, 2, seed)[1]) for seed in range(4000)]
        # The sum over all firsts: p_i * p_j / (1 - p_i).
        pairs = priors[:, None] * priors / (1 - priors[:, None])
        np.fill_diagonal(pairs, 0)
        assert chi_square(np.bincount(seconds, minlength=len(grid)), pairs.sum(axis=0)) > LEVEL

    def test_of_some_points_the_first_follows_the_prior_of_these(self):
        grid = grid_of(SKEWED)
        which = grid.points[:, 0] > math.log(3.5)
        priors = np.where(which, self.priors(grid), 0)
        firsts = [point_number(grid, draw(grid, 1, seed, which)[0]) for seed in range(4000)]
        counts = np.bincount(firsts, minlength=len(grid))
        assert not counts[~which].any()
        assert chi_square(counts[which], priors[which] / priors.sum()) > LEVEL

    @staticmethod
    def priors(grid):
        """By many draws of the space itself."""
        rows = SKEWED.draw(400_000, np.random.SeedSequence(9))
        places = {point.tobytes(): number for number, point in enumerate(grid.points)}
        counts = np.zeros(len(grid))
        values, times = np.unique(rows, axis=0, return_counts=True)
        for value, number in zip(values, times, strict=True):
            counts[places[value.tobytes()]] = number
        return counts / counts.sum()


def point_number(grid, row):
    return int(np.flatnonzero((grid.points == row).all(axis=1))[0])


class TestInRegions:
    @pytest.fixture
    def cascade(self):
        return cascade_of(MIXED, lambda r: r[:, 0] < 1.5, lambda r: r[:, 1] > -1.5, num_rows=2000)

    def test_all_accepted_points_are_found_and_no_others(self, cascade):
        accepted = plainly_accepts(cascade, grid_of(MIXED).points)
        assert 0 < accepted.sum() < 240
        rows = region(MIXED, cascade).draw_new(999, 1, set(), np.random.SeedSequence(1))
        assert {r.tobytes() for r in rows} == {r.tobytes() for r in grid_of(MIXED).points[accepted]}
        assert len(rows) == accepted.sum()

    def test_but_for_those_that_were_seen(self, cascade):
        of_all = region(MIXED, cascade).draw_new(999, 1, set(), np.random.SeedSequence(1))
        seen = {row.tobytes() for row in of_all[::2]}
        rows = region(MIXED, cascade).draw_new(999, 1, seen, np.random.SeedSequence(1))
        assert {row.tobytes() for row in rows} == {row.tobytes() for row in of_all[1::2]}

    def test_a_wider_region_has_more(self, cascade):
        accepted = region(MIXED, cascade, relax_checks=True)
        wider = accepted.wider().draw_new(999, 1, set(), np.random.SeedSequence(1))
        forgiven = plainly_accepts(cascade, grid_of(MIXED).points, forgiven=1)
        assert len(wider) == forgiven.sum()
        everything = accepted.wider().wider().draw_new(999, 1, set(), np.random.SeedSequence(1))
        assert len(everything) == 240


def test_its_prior_is_that_of_draws_of_the_space():
    # A whole number has the part of the unit interval that rounds to it.
    grid = grid_of(HyperParameterList([IntegerHP("i", 1, 12, log=True)]))
    draws = HyperParameterList([IntegerHP("i", 1, 12, log=True)]).draw(
        200_000, np.random.SeedSequence(3)
    )
    counts = np.bincount(np.rint(np.exp(draws[:, 0])).astype(int), minlength=13)[1:]
    priors = np.exp(grid._log_priors)
    assert priors.sum() == pytest.approx(1)
    assert stats.chisquare(counts, priors * 200_000).pvalue > LEVEL
