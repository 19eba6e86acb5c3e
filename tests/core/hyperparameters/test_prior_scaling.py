"""What classifiers see: each column on the scale of its prior, in single precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from scipy import stats

from pyshac.core.classifiers.features import UNSCALED
from pyshac.core.hyperparameters import (
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    MultiNormalHP,
    MultiUniformHP,
    NormalHP,
    UniformHP,
)
from pyshac.core.hyperparameters.space.prior_scaling import PriorScaling
from tests.cascades import features_of
from tests.extreme_ranges import extreme_parameters
from tests.strategies import continuous, stepped


def scaled(parameter, *values):
    """The scaled form of values of one parameter."""
    space = HyperParameterList([parameter])
    rows = np.array([space.encode([value]) for value in values])
    return PriorScaling(space)(0, rows[:, 0]).tolist()


def draws(parameter, n=1000):
    """Encoded draws from the prior, and what classifiers see of them."""
    space = HyperParameterList([parameter])
    rows = space.draw(n, np.random.SeedSequence(1))
    return rows[:, 0], features_of(space)(rows)[:, 0]


@pytest.mark.parametrize(
    ("parameter", "values", "expected"),
    [
        (UniformHP("p", -5, 10), (-5, 2.5, 10), (0, 0.5, 1)),
        (UniformHP("p", 1e9, 1e9 + 10), (1e9, 1e9 + 2.5, 1e9 + 10), (0, 0.25, 1)),
        (UniformHP("p", 1, 100, log_encode=True), (1, 10, 100), (0, 0.5, 1)),
        (LogUniformHP("p", 1e-300, 1e300), (1e-300, 1, 1e300), (0, 0.5, 1)),
        (NormalHP("p", 1e9, 2), (1e9 - 2, 1e9, 1e9 + 6), (-1, 0, 3)),
        (IntegerHP("p", 2**30, 2**30 + 4), (2**30, 2**30 + 1, 2**30 + 4), (0, 0.25, 1)),
        (IntegerHP("p", 1, 100, log=True), (1, 10, 100), (0, 0.5, 1)),
        (DiscreteHP("p", ["a", "b", None]), ("a", "b", None), (0, 1, 2)),
        (DistributionHP("p", stats.expon(5)), (5, 5 + np.log(2)), (0, 0.5)),
        (DistributionHP("p", stats.randint(7, 11)), (7, 8, 10), (0, 0.25, 0.75)),
        (
            DistributionHP("p", stats.loguniform(1, 16), log_encode=True),
            (2, 4, 8),
            (0, 0.5, 1),
        ),
    ],
)
def test_known_values(parameter, values, expected):
    assert scaled(parameter, *values) == pytest.approx(expected, abs=1e-12)


def test_every_column_of_a_multi_parameter_is_scaled():
    space = HyperParameterList(
        [MultiUniformHP("u", 2, 4, sample_count=2), MultiNormalHP("n", 5, 10, sample_count=2)]
    )
    row = space.encode([2.0, 3.0, 5.0, 25.0])
    assert features_of(space)(row[None]).tolist() == [[0, 0.5, 0, 2]]


@pytest.mark.parametrize(
    "parameter", [UniformHP("p", 0, 1), IntegerHP("p", 0, 1), DiscreteHP("p", list("abc"))]
)
def test_what_has_the_scale_of_its_prior_stays_bit_for_bit(parameter):
    encoded, features = draws(parameter)
    np.testing.assert_array_equal(features, UNSCALED.column(0, encoded))


@pytest.mark.parametrize("parameter", extreme_parameters(), ids=lambda parameter: parameter.name)
def test_draws_are_told_apart_in_extreme_ranges(parameter):
    encoded, features = draws(parameter)
    assert np.isfinite(features).all()
    # Of 1,000 draws from a unit interval, three in a hundred runs have two that single precision
    # does not tell apart.
    assert len(np.unique(features)) >= len(np.unique(encoded)) - 2
    assert np.abs(features).max() < 100


@given(st.one_of(continuous(), stepped()), st.randoms())
def test_larger_values_never_have_smaller_features(parameter, random):
    space = HyperParameterList([parameter])
    unit = np.sort([random.random() for _ in range(200)])
    features = features_of(space)(space.from_unit(unit[:, None]))[:, 0]
    assert (np.diff(features) >= 0).all()


@given(
    st.floats(-1e6, 1e6).filter(lambda origin: abs(origin) > 1e-3),
    st.floats(1e-3, 1e9),
    st.sampled_from(["uniform", "normal", "cauchy"]),
)
def test_an_affine_image_has_the_same_features_to_rounding(origin, unit, kind):
    plain, image = {
        "uniform": (UniformHP("p", 0, 1), UniformHP("p", origin, origin + unit)),
        "normal": (NormalHP("p", 0, 1), NormalHP("p", origin, unit)),
        "cauchy": (
            DistributionHP("p", stats.cauchy()),
            DistributionHP("p", stats.cauchy(origin, unit)),
        ),
    }[kind]
    assume(origin + unit > origin)
    # The values themselves are rounded to a multiple of 2**-53 of their size.
    rounding = 2.0**-22 + 8 * 2.0**-52 * abs(origin) / unit
    np.testing.assert_allclose(draws(image)[1], draws(plain)[1], rtol=rounding, atol=rounding)


def test_a_column_without_an_extent_in_its_logarithm_is_no_error():
    low = 1e15
    encoded, features = draws(UniformHP("p", low, np.nextafter(low, 2 * low), log_encode=True))
    assert len(np.unique(encoded)) == 1
    assert (features == 0).all()
