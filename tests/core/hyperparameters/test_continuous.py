"""Real numbers: uniform, log-uniform, normal, and the distributions of scipy.stats."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from pyshac.core.basics import plain_values, seeding
from pyshac.core.hyperparameters import (
    DistributionHP,
    HyperParameterList,
    LogUniformHP,
    NormalHP,
    UniformHP,
)
from tests import strategies
from tests.core.hyperparameters.refusals import assert_refused
from tests.goodness_of_fit import LEVEL, NUM_DRAWS, chi_square, continuous_p_values, count
from tests.strategies import typed

# Parameters, the distribution of their values, and whether encoded values are logarithms.
EXACT = [
    (UniformHP("p", -1, 3), stats.uniform(-1, 4), False),
    (UniformHP("p", 1e6, 1e6 + 1), stats.uniform(1e6, 1), False),
    (UniformHP("p", 0.5, 8, log_encode=True), stats.uniform(0.5, 7.5), True),
    (LogUniformHP("p", 1e-5, 1e-1), stats.loguniform(1e-5, 1e-1), True),
    (NormalHP("p", -3, 0.1), stats.norm(-3, 0.1), False),
    (DistributionHP("p", stats.beta(2, 5)), stats.beta(2, 5), False),
    (DistributionHP("p", stats.truncnorm(-1, 2)), stats.truncnorm(-1, 2), False),
    (DistributionHP("p", stats.gamma(2.5, loc=1), log_encode=True), stats.gamma(2.5, loc=1), True),
]
EXACT_IDS = [repr(parameter) for parameter, _, _ in EXACT]
EXACT_STEPS = [
    (stats.poisson(3), False),
    (stats.randint(-3, 9), False),
    (stats.binom(10, 0.3), False),
    (stats.geom(0.3), True),
]
EXACT_STEPS_IDS = [distribution.dist.name for distribution, _ in EXACT_STEPS]


def draw_column(parameter: object) -> np.ndarray:
    stream = seeding.stream(21, seeding.Purpose.DRAW)
    return HyperParameterList([parameter]).draw(NUM_DRAWS, stream)[:, 0]


class TestRoundTrips:
    @given(strategies.continuous(), st.lists(strategies.units, min_size=1, max_size=20))
    def test_a_drawn_value_is_the_same_after_every_round_trip(self, parameter, units):
        for encoded in parameter.from_unit(np.array(units)):
            value = parameter.decode(encoded)
            assert type(value) is float
            assert typed(parameter.from_text(parameter.to_text(value))) == typed(value)
            assert parameter.encode(value) == pytest.approx(encoded, rel=1e-12, abs=1e-12)
            again = parameter.decode(parameter.encode(value))
            if parameter.log_encode:
                assert again == pytest.approx(value, rel=1e-12)
            else:
                assert again == value

    @given(strategies.continuous())
    def test_config_survives_json(self, parameter):
        config = json.loads(json.dumps(plain_values.to_json(parameter.get_config())))
        again = type(parameter).load_from_config(plain_values.from_json(config))
        assert repr(again.get_config()) == repr(parameter.get_config())
        assert repr(again) == repr(parameter)
        unit = np.linspace(0.0005, 0.9995, 50)
        assert (again.from_unit(unit) == parameter.from_unit(unit)).all()

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_any_float_survives_its_text(self, value):
        parameter = DistributionHP("p", stats.norm(0, 1))
        assert typed(parameter.from_text(parameter.to_text(value))) == typed(value)

    def test_config_with_arguments_by_keyword(self):
        parameter = DistributionHP("p", stats.beta(a=np.float64(2), b=np.int64(5), scale=3))
        config = json.loads(json.dumps(parameter.get_config()))
        assert config["kwds"] == {"a": 2.0, "b": 5, "scale": 3}
        again = DistributionHP.load_from_config(config)
        assert again.distribution.mean() == parameter.distribution.mean()


class TestUnitInterval:
    @given(strategies.continuous(), st.lists(st.floats(1e-3, 1 - 1e-3), min_size=1, max_size=20))
    def test_both_maps_are_each_others_reverse(self, parameter, units):
        # The narrowest ranges of these tests are 1e-6 of their bounds wide: 1e-16 / 1e-6 in the
        # unit interval, and a few digits for the functions of SciPy.
        units = np.array(units)
        encoded = parameter.from_unit(units)
        assert parameter.to_unit(encoded) == pytest.approx(units, rel=0, abs=1e-7)
        again = parameter.from_unit(parameter.to_unit(encoded))
        spread = abs(np.diff(parameter.from_unit(np.array([0.01, 0.99]))))
        assert again == pytest.approx(encoded, rel=1e-7, abs=1e-5 * float(spread[0]))

    @given(strategies.continuous(), st.lists(strategies.units, min_size=2, max_size=20))
    def test_both_maps_are_monotonic_and_keep_the_shape(self, parameter, units):
        encoded = parameter.from_unit(np.sort(units))
        assert (np.diff(encoded) >= 0).all()
        unit = parameter.to_unit(encoded)
        # Neighbouring floats may come out of SciPy's functions in the wrong order, by a digit.
        assert (np.diff(unit) >= -1e-14).all()
        assert ((unit >= 0) & (unit <= 1)).all()
        square = np.array(units)[:, None] * np.ones(3)
        assert parameter.from_unit(square).shape == parameter.to_unit(square).shape == square.shape

    @given(strategies.continuous(), st.sampled_from([0.0, 2.0**-53, 0.5, 1 - 2.0**-53]))
    def test_draws_are_finite_and_in_range(self, parameter, unit):
        encoded = float(parameter.from_unit(unit))
        assert math.isfinite(encoded)
        value = parameter.decode(encoded)
        assert parameter.low <= value <= parameter.high
        assert math.isfinite(parameter.encode(value))

    def test_uniform_draws_reach_both_ends_of_the_range(self):
        parameter = UniformHP("p", -1, 3)
        assert parameter.from_unit(0.0) == -1
        assert parameter.from_unit(1 - 2.0**-53) == pytest.approx(3, rel=1e-15)

    def test_log_encoding_shows_logarithms_of_uniform_draws(self):
        parameter = UniformHP("p", 1, 3, log_encode=True)
        assert parameter.from_unit(0.5) == pytest.approx(math.log(2))
        assert parameter.encode(2) == math.log(2)
        assert parameter.decode(math.log(2)) == pytest.approx(2)

    def test_the_middle_of_log_uniform_draws_is_the_geometric_mean(self):
        parameter = LogUniformHP("p", 1e-4, 1)
        assert parameter.decode(parameter.from_unit(0.5)) == pytest.approx(1e-2)


class TestDraws:
    @pytest.mark.parametrize(("parameter", "distribution", "is_log"), EXACT, ids=EXACT_IDS)
    def test_columns_follow_the_distribution(self, parameter, distribution, is_log):
        encoded = draw_column(parameter)
        values = np.exp(encoded) if is_log else encoded
        assert min(continuous_p_values(values, distribution)) > LEVEL

    @pytest.mark.parametrize(("distribution", "is_log"), EXACT_STEPS, ids=EXACT_STEPS_IDS)
    def test_columns_of_discrete_distributions_follow_the_mass(self, distribution, is_log):
        low, high = distribution.support()
        support = np.arange(low, min(high, distribution.ppf(1 - 1e-15)) + 1)
        encoded = draw_column(DistributionHP("p", distribution, is_log))
        counts = count(encoded, np.log(support) if is_log else support)
        assert chi_square(counts, distribution.pmf(support)) > LEVEL

    @pytest.mark.parametrize(("parameter", "distribution", "is_log"), EXACT, ids=EXACT_IDS)
    def test_sample_draws_from_the_same_distribution(self, parameter, distribution, is_log):
        parameter.set_seed(4)
        values = [parameter.sample() for _ in range(1000)]
        assert min(continuous_p_values(values, distribution)) > LEVEL

    def test_samples_of_discrete_distributions_are_ints(self):
        parameter = DistributionHP("p", stats.geom(0.3), log_encode=True, seed=1)
        assert {type(parameter.sample()) for _ in range(20)} == {int}

    def test_a_seed_repeats_samples(self):
        parameter = NormalHP("p", 0, 1, seed=5)
        first = [parameter.sample() for _ in range(5)]
        assert NormalHP("p", 0, 1, seed=5).sample() == first[0]
        parameter.set_seed(5)
        assert [parameter.sample() for _ in range(5)] == first
        assert NormalHP("p", 0, 1).sample() != NormalHP("p", 0, 1).sample()


INF, NAN = math.inf, math.nan
BAD_ARGUMENTS = [
    (lambda: UniformHP("p", 1, 0), ValueError, "`min_value <= max_value` must hold for 'p'"),
    (lambda: UniformHP("p", 2**53, 2**53 + 1), ValueError, "which are both 9007199254740992.0"),
    (lambda: LogUniformHP("p", 2**53, 2**53 + 1), ValueError, "must be equal or differ as floats"),
    (lambda: UniformHP("p", 2, 1), ValueError, "(min_value=2.0, max_value=1.0)"),
    (lambda: UniformHP("p", NAN, 1), ValueError, "min_value of 'p' must be finite. Got nan"),
    (lambda: UniformHP("p", 0, NAN), ValueError, "max_value of 'p' must be finite. Got nan"),
    (lambda: UniformHP("p", -INF, 1), ValueError, "min_value of 'p' must be finite. Got -inf"),
    (lambda: UniformHP("p", 0, INF), ValueError, "max_value of 'p' must be finite. Got inf"),
    (lambda: UniformHP("p", 0, 10**400), ValueError, "max_value of 'p' must be finite. Got inf"),
    (
        lambda: UniformHP("p", -1e308, 1e308),
        ValueError,
        "`max_value - min_value` of 'p' must be fin",
    ),
    (lambda: UniformHP("p", "0", 1), TypeError, "min_value of 'p' must be a number. Got '0'"),
    (lambda: UniformHP("p", None, 1), ValueError, "min_value of 'p' must be a number. Got None"),
    (lambda: UniformHP("p", 0, True), TypeError, "max_value of 'p' must be a number. Got True"),
    (lambda: UniformHP("p", 0, 1j), TypeError, "max_value of 'p' must be a number. Got 1j"),
    (lambda: UniformHP("p", 0, [1]), TypeError, "max_value of 'p' must be a number. Got [1]"),
    (lambda: UniformHP("p", -1, 1, True), ValueError, "must be at least 0 and max_value above 0"),
    (lambda: UniformHP("p", 0, 0, True), ValueError, "(min_value=0.0, max_value=0.0)"),
    (lambda: NormalHP("p", None, 1), ValueError, "mean of 'p' must be a number. Got None"),
    (lambda: LogUniformHP("p", 0, 1), ValueError, "min_value of 'p' must be above 0"),
    (lambda: LogUniformHP("p", -1, 1), ValueError, "for a logarithm. Got -1.0"),
    (lambda: LogUniformHP("p", 2, 1), ValueError, "(min_value=2.0, max_value=1.0)"),
    (lambda: LogUniformHP("p", 1, INF), ValueError, "max_value of 'p' must be finite. Got inf"),
    (
        lambda: LogUniformHP("p", 1e15, np.nextafter(1e15, 2e15)),
        ValueError,
        "min_value and max_value of 'p' must differ in their logarithms",
    ),
    (lambda: NormalHP("p", 0, 0), ValueError, "std of 'p' must be above 0. Got 0.0"),
    (lambda: NormalHP("p", 0, -1), ValueError, "std of 'p' must be above 0. Got -1.0"),
    (lambda: NormalHP("p", 0, NAN), ValueError, "std of 'p' must be finite. Got nan"),
    (lambda: NormalHP("p", INF, 1), ValueError, "mean of 'p' must be finite. Got inf"),
    (lambda: NormalHP("p", "0", 1), TypeError, "mean of 'p' must be a number. Got '0'"),
    (lambda: NormalHP("p", 0, 1e308), ValueError, "(mean=0.0, std=1e+308)"),
    (lambda: DistributionHP("p", stats.norm), TypeError, "distribution of 'p' must be a frozen"),
    (lambda: DistributionHP("p", "norm"), TypeError, "Got 'norm' instead"),
    (lambda: DistributionHP("p", None), TypeError, "Got None instead"),
    (lambda: DistributionHP("p", stats.norm([0, 1], 1)), TypeError, "scipy.stats.norm([0, 1], 1)"),
    (lambda: DistributionHP("p", stats.norm(0, -1)), ValueError, "scipy.stats.norm(0, -1)"),
    (lambda: DistributionHP("p", stats.beta(a=-1, b=1)), ValueError, "scipy.stats.beta(a=-1, b=1)"),
    (lambda: DistributionHP("p", stats.poisson(3, loc=0.5)), ValueError, "must have whole numbers"),
    (lambda: DistributionHP("p", stats.norm(), True), ValueError, "'p' must be above 0"),
    (lambda: DistributionHP("p", stats.poisson(3), True), ValueError, "'p' must be above 0"),
    (lambda: DistributionHP("", stats.norm()), ValueError, "name of a hyperparameter must not be"),
    (lambda: UniformHP("p", 0, 1).encode(1.5), ValueError, "of 'p' must be in [0.0, 1.0]. Got 1.5"),
    (
        lambda: UniformHP("p", 0, 1).encode(NAN),
        ValueError,
        "A value of 'p' must be finite. Got nan",
    ),
    (
        lambda: UniformHP("p", 0, 1).encode("x"),
        TypeError,
        "A value of 'p' must be a number. Got 'x'",
    ),
    (
        lambda: NormalHP("p", 0, 1).encode(-INF),
        ValueError,
        "A value of 'p' must be finite. Got -inf",
    ),
    (
        lambda: DistributionHP("p", stats.poisson(3)).encode(2.5),
        ValueError,
        "A value of 'p' must be a whole number. Got 2.5",
    ),
    (
        lambda: DistributionHP("p", stats.beta(2, 5)).encode(-0.1),
        ValueError,
        "in [0.0, 1.0]. Got -0.1",
    ),
    (lambda: UniformHP("p", 0, 1).from_text("x"), ValueError, "'x'"),
    (lambda: UniformHP("p", 0, 1).from_text("2"), ValueError, "[0.0, 1.0]. Got 2.0"),
    (
        lambda: DistributionHP.load_from_config(
            {"name": "p", "distribution": "system", "args": [], "kwds": {}, "log_encode": False}
        ),
        ValueError,
        "scipy.stats has no distribution 'system'",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_ARGUMENTS, ids=range(len(BAD_ARGUMENTS)))
def test_bad_arguments_are_named(call, error, message):
    assert_refused(call, error, message)


def test_numpy_numbers_become_pythons():
    parameter = UniformHP("p", np.float32(0), np.int64(2))
    assert typed(parameter.get_config()["max_value"]) == typed(2.0)
    assert typed(parameter.encode(np.float64(0.5))) == typed(0.5)
