"""Shares that sum to one."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from pyshac.core.basics import seeding
from pyshac.core.hyperparameters import HyperParameterList, SimplexHP, UniformHP
from tests import strategies
from tests.core.hyperparameters.refusals import assert_refused
from tests.goodness_of_fit import LEVEL, NUM_DRAWS, continuous_p_values, same_distribution


def stream(number=23):
    return seeding.stream(number, seeding.Purpose.DRAW)


def shares_of(parameter, n=NUM_DRAWS):
    """Draws of a parameter, shape (n, shares)."""
    encoded = HyperParameterList([parameter]).draw(n, stream())
    return np.array([parameter.decode(row) for row in encoded])


class TestDraws:
    @pytest.mark.parametrize("weights", [[1] * 5, [1, 2, 1], [0.3, 1, 4], [50, 1]])
    def test_each_share_has_a_beta_distribution(self, weights):
        shares = shares_of(SimplexHP("p", len(weights), weights))
        for share, weight in zip(shares.T, weights, strict=True):
            expected = stats.beta(weight, sum(weights) - weight)
            assert min(continuous_p_values(share, expected)) > LEVEL

    @pytest.mark.parametrize("weights", [[1] * 4, [1, 2, 0.5]])
    def test_pairs_are_those_of_a_dirichlet_distribution(self, weights):
        shares = shares_of(SimplexHP("p", len(weights), weights))
        expected = np.random.default_rng(5).dirichlet(weights, NUM_DRAWS)
        for first, second in ((0, 1), (0, -1), (1, -1)):
            for of_both in (np.add, np.subtract, np.minimum):
                one = of_both(shares[:, first], shares[:, second])
                other = of_both(expected[:, first], expected[:, second])
                assert same_distribution(one, other) > LEVEL

    def test_without_weights_they_are_one_each(self):
        one, other = SimplexHP("p", 4), SimplexHP("p", 4, [1, 1, 1, 1])
        assert (shares_of(one, 50) == shares_of(other, 50)).all()

    def test_sample_draws_from_the_same_distribution(self):
        parameter = SimplexHP("p", 3, [1, 2, 1], seed=4)
        middle = [parameter.sample()[1] for _ in range(2000)]
        assert min(continuous_p_values(middle, stats.beta(2, 2))) > LEVEL
        parameter.set_seed(4)
        assert parameter.sample()[1] == middle[0]


class TestRoundTrips:
    @given(strategies.simplexes(), st.integers(0, 2**32))
    def test_shares_sum_to_one_and_encode_as_they_were_drawn(self, parameter, seed):
        space = HyperParameterList([parameter])
        for encoded in space.draw(5, stream(seed)):
            row = space.decode(encoded)
            assert {type(share) for share in row} == {float}
            assert sum(row) == pytest.approx(1, rel=0, abs=1e-15 * len(row))
            assert all(0 <= share <= 1 for share in row)
            assert space.encode(row) == pytest.approx(encoded, rel=1e-12, abs=1e-12)
            assert space.row_from_text(space.row_to_text(row)) == row

    @given(strategies.simplexes(), st.lists(st.floats(1e-3, 1 - 1e-3), min_size=2, max_size=20))
    def test_both_maps_are_monotonic_and_each_others_reverse(self, parameter, units):
        units = np.sort(units)
        space = HyperParameterList([parameter])
        for column in range(parameter.sample_count - 1):
            encoded = space.column_from_unit(column, units)
            assert (np.diff(encoded) >= 0).all()
            assert space.column_to_unit(column, encoded) == pytest.approx(units, rel=0, abs=1e-9)
        assert (space.column_from_unit(parameter.sample_count - 1, units) == 1).all()

    @pytest.mark.parametrize("weights", [None, [1, 2, 1], [1, 1, 3], [0.01, 5, 1e6]])
    def test_neighbouring_unit_values_keep_their_order(self, weights):
        parameter = SimplexHP("p", 3, weights)
        space = HyperParameterList([UniformHP("x", 0, 1), parameter])
        for start in (0.0, 1e-9, 0.3, 0.7, 1 - 2.0**-40):
            units = np.minimum(start + np.arange(2000) * 2.0**-53, 1 - 2.0**-53)
            for column in (1, 2):
                encoded = space.column_from_unit(column, units)
                # SciPy's quantiles of neighbouring floats may come in the wrong order, by a digit.
                assert (np.diff(encoded) >= -1e-15).all()
                assert np.isfinite(encoded).all()
                assert ((encoded >= 0) & (encoded <= 1)).all()

    def test_what_others_leave_nothing_of_is_the_mean(self):
        parameter = SimplexHP("p", 3, [1, 2, 1])
        assert parameter.encode([1, 0, 0]) == [1.0, 2 / 3, 1.0]
        assert parameter.decode([1.0, 2 / 3, 1.0]) == [1.0, 0.0, 0.0]
        assert parameter.encode([0, 0, 1]) == [0.0, 0.0, 1.0]

    @given(strategies.simplexes())
    def test_config_survives_json(self, parameter):
        config = json.loads(json.dumps(parameter.get_config()))
        again = SimplexHP.load_from_config(config)
        assert again.get_config() == parameter.get_config()
        assert (shares_of(again, 5) == shares_of(parameter, 5)).all()
        assert ("weights" in config) == (parameter.weights is not None)


BAD_ARGUMENTS = [
    (lambda: SimplexHP("p", 1), ValueError, "sample_count of 'p' must be at least 2. Got 1"),
    (lambda: SimplexHP("p", 2.0), TypeError, "sample_count of 'p' must be an int"),
    (lambda: SimplexHP("p", 100_001), ValueError, "must be in [1, 100000]"),
    (lambda: SimplexHP("p", 2, [1, 1, 1]), ValueError, "must be 2 numbers, one for each share"),
    (lambda: SimplexHP("p", 2, [1, 0]), ValueError, "in [0.001, 1e+06]. Got [1.0, 0.0]"),
    (lambda: SimplexHP("p", 2, [1, "a"]), TypeError, "A weight of 'p' must be a number"),
    (lambda: SimplexHP("p", 2, "ab"), TypeError, "weights of 'p' must be a list of numbers"),
    (lambda: SimplexHP("p", 2, 3), TypeError, "Got 3 instead"),
    (lambda: SimplexHP("p", 2).encode([0.5, 0.4]), ValueError, "must sum to one, within 2e-06"),
    (lambda: SimplexHP("p", 2).encode([1.5, -0.5]), ValueError, "must be in [0, 1]. Got 1.5"),
    (lambda: SimplexHP("p", 2).encode([1.0]), ValueError, "must have 2 items"),
    (lambda: SimplexHP("p", 2).encode(1.0), TypeError, "must be a list. Got 1.0"),
    (lambda: SimplexHP("p", 2).from_text("1.5"), ValueError, "must be in [0, 1]. Got 1.5"),
    (lambda: SimplexHP("p", 2).from_text("nan"), ValueError, "must be finite"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_ARGUMENTS, ids=range(len(BAD_ARGUMENTS)))
def test_bad_arguments_are_named(call, error, message):
    assert_refused(call, error, message)


@pytest.mark.parametrize("weights", [{1: 3, 2: 4}, {1, 2}])
def test_weights_need_an_order(weights):
    with pytest.raises(TypeError, match="must be a list of numbers"):
        SimplexHP("s", 2, weights)
