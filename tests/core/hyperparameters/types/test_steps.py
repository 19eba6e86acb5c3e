"""Numbers at equal distances, on a logarithmic scale, and several of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pyshac.core.basics import seeding
from pyshac.core.hyperparameters import (
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    MultiIntegerHP,
    MultiLogUniformHP,
    MultiUniformHP,
    UniformHP,
)
from pyshac.core.hyperparameters.types.steps import Steps
from tests import strategies
from tests.core.hyperparameters.refusals import assert_refused
from tests.goodness_of_fit import LEVEL, NUM_DRAWS, chi_square, count
from tests.strategies import typed


def draws(*parameters, n=NUM_DRAWS):
    stream = seeding.stream(22, seeding.Purpose.DRAW)
    return HyperParameterList(parameters).draw(n, stream)


class TestValues:
    def test_they_are_those_that_a_person_writes(self):
        values = UniformHP("p", 0, 0.4, step=0.05).column_kind.all_values()
        assert values.tolist() == [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]
        assert IntegerHP("p", 0, 65, step=16).column_kind.all_values().tolist() == [
            0, 16, 32, 48, 64,
        ]  # fmt: skip

    @given(strategies.decimals())
    def test_each_is_the_float_next_to_the_decimal_number(self, arguments):
        low, high, step = (Decimal(repr(number)) for number in arguments)
        parameter = UniformHP("p", *arguments[:2], step=arguments[2])
        number = int((high - low) / step) + 1
        expected = [float(Fraction(low + k * step)) for k in range(number)]
        assert parameter.column_kind.num_values == number
        assert parameter.column_kind.all_values().tolist() == expected
        assert [parameter.decode(value) for value in expected] == expected
        assert [parameter.from_text(repr(value)) for value in expected] == expected

    @given(strategies.steps())
    def test_the_unit_interval_gives_every_value_back(self, parameter):
        values = parameter.column_kind.all_values()
        edges = parameter.to_unit(values)
        assert (parameter.from_unit(edges) == values).all()
        assert (edges == np.arange(len(values)) / len(values)).all()
        assert (parameter.from_unit(np.nextafter(edges[1:], 0)) == values[:-1]).all()

    @pytest.mark.parametrize(
        ("low", "high", "step"),
        [
            (0, 1, 1 / 3),
            (1e-30, 3e-30, 1e-31),
            (-1e308, 0.7e308, 1e307),
            (1e15, 1e15 + 4096, 32),
            (0.1 + 0.2, 1, 0.1),
            (5, 5, 2),
            (0.1, 0.3, 0.2),
        ],
    )
    def test_unusual_ones_come_back_too(self, low, high, step):
        kind = UniformHP("p", low, high, step=step).column_kind
        values, steps = kind.all_values(), kind.steps
        assert (np.diff(values) > 0).all()
        assert (steps.from_unit(steps.to_unit(values)) == values).all()
        assert [steps.matching(float(value)) for value in values] == values.tolist()
        assert np.isnan(steps.from_unit([np.nan])).all()

    def test_rounding_of_sums_is_forgiven(self):
        parameter = UniformHP("p", 0, 1, step=0.05)
        assert 3 * 0.05 != 0.15
        assert parameter.encode(3 * 0.05) == 0.15
        assert parameter.to_text(3 * 0.05) == "0.15"
        space = HyperParameterList([parameter])
        assert space.to_stored_row({"p": 3 * 0.05}) == [0.15]

    @given(st.integers(-50, 50), st.integers(1, 20), st.integers(0, 30), st.data())
    def test_which_hold_others(self, first, step, last, data):
        outer = Steps(first, step, 1, last + 1)
        inner = Steps(*(data.draw(st.integers(*ends)) for ends in ((-50, 50), (1, 40))), 1,
                      data.draw(st.integers(1, 5)))  # fmt: skip
        assert outer.contain(inner) == ({*inner.all()} <= {*outer.all()})
        assert outer.contain(outer)


class TestDraws:
    @pytest.mark.parametrize(
        "parameter",
        [
            UniformHP("p", 0, 1, step=0.05),
            UniformHP("p", -0.3, 1, step=0.25),
            IntegerHP("p", 3, 100, step=8),
        ],
        ids=repr,
    )
    def test_all_values_are_equally_likely(self, parameter):
        values = parameter.column_kind.all_values()
        counts = count(draws(parameter)[:, 0], values)
        assert chi_square(counts, np.full(len(values), 1 / len(values))) > LEVEL
        parameter.set_seed(3)
        counts = count([parameter.encode(parameter.sample()) for _ in range(5000)], values)
        assert chi_square(counts, np.full(len(values), 1 / len(values))) > LEVEL

    def test_log_is_another_spelling(self):
        one, other = UniformHP("p", 1e-4, 10, log=True), LogUniformHP("p", 1e-4, 10)
        assert one.column_kind == other.column_kind
        assert (draws(one, n=100) == draws(other, n=100)).all()
        one.set_seed(4)
        other.set_seed(4)
        assert [one.sample() for _ in range(5)] == [other.sample() for _ in range(5)]
        assert one.encode(0.5) == other.encode(0.5)

    @pytest.mark.parametrize(
        ("multi", "single"),
        [
            (MultiIntegerHP("p", 1, 50, sample_count=3), IntegerHP("p", 1, 50)),
            (MultiIntegerHP("p", 1, 50, 3, log=True), IntegerHP("p", 1, 50, log=True)),
            (MultiIntegerHP("p", 0, 50, 3, step=5), IntegerHP("p", 0, 50, step=5)),
            (MultiUniformHP("p", 0, 1, sample_count=3, step=0.1), UniformHP("p", 0, 1, step=0.1)),
            (MultiUniformHP("p", 1, 2, sample_count=3, log=True), UniformHP("p", 1, 2, log=True)),
            (MultiLogUniformHP("p", 1, 9, 3), LogUniformHP("p", 1, 9)),
        ],
        ids=repr,
    )
    def test_multi_parameters_are_several_single_ones(self, multi, single):
        assert multi.sample_count == 3
        assert multi.column_kind == single.column_kind
        unit = np.linspace(0, 1, 31)[:-1].reshape(10, 3)
        assert (multi.unit_map.from_unit(unit) == single.from_unit(unit)).all()


class TestConfig:
    @pytest.mark.parametrize(
        ("parameter", "arguments"),
        [
            (UniformHP("p", 0, 1), {"min_value": 0.0, "max_value": 1.0, "log_encode": False}),
            (IntegerHP("p", 0, 1), {"min_value": 0, "max_value": 1, "log": False}),
        ],
    )
    def test_it_has_new_arguments_only_where_they_are_used(self, parameter, arguments):
        assert parameter.get_config() == {"name": "p", "seed": None, **arguments}

    @pytest.mark.parametrize(
        "parameter",
        [
            UniformHP("p", 0, 0.98, step=0.05),
            UniformHP("p", 1, 2, log=True),
            IntegerHP("p", 0, 9, step=4),
            MultiIntegerHP("p", 0, 9, sample_count=2, step=4),
            MultiUniformHP("p", 0, 0.98, sample_count=2, step=0.05),
        ],
        ids=repr,
    )
    def test_it_gives_the_parameter_back(self, parameter):
        again = type(parameter).load_from_config(parameter.get_config())
        assert typed([*again.get_config().items()]) == typed([*parameter.get_config().items()])
        assert again.column_kind == parameter.column_kind


BAD_ARGUMENTS = [
    (lambda: UniformHP("p", 0, 1, step=0), ValueError, "step of 'p' must be above 0"),
    (lambda: UniformHP("p", 0, 1, step=-0.1), ValueError, "step=-0.1"),
    (lambda: UniformHP("p", 0, 1, step=1.5), ValueError, "at most max_value - min_value"),
    (lambda: UniformHP("p", 0, 1e9, step=1e-9), ValueError, "at least 1.42109e-05"),
    (lambda: UniformHP("p", 0, 1, step="0.1"), TypeError, "step of 'p' must be a number"),
    (lambda: UniformHP("p", 0, 1, step=float("nan")), ValueError, "step of 'p' must be finite"),
    (lambda: UniformHP("p", 1, 2, step=0.1, log=True), ValueError, "left out with log=True"),
    (lambda: UniformHP("p", 1, 2, True, step=0.1), ValueError, "left out with log_encode=True"),
    (lambda: UniformHP("p", 0, 2, log=True), ValueError, "must be above 0 for a logarithm"),
    (lambda: UniformHP("p", 0, 1, step=0.05).encode(0.07), ValueError, "the nearest is 0.05"),
    (lambda: UniformHP("p", 0, 1, step=0.05).encode(1.05), ValueError, "in [0.0, 1.0], at steps"),
    (lambda: UniformHP("p", 0, 1, step=0.3).encode(1.0), ValueError, "the nearest is 0.9"),
    (lambda: IntegerHP("p", 0, 9, step=0), ValueError, "step of 'p' must be at least 1"),
    (lambda: IntegerHP("p", 0, 9, step=10), ValueError, "step=10"),
    (lambda: IntegerHP("p", 0, 9, step=2.0), TypeError, "step of 'p' must be an int. Got 2.0"),
    (lambda: IntegerHP("p", 1, 9, True, step=2), ValueError, "left out with log=True"),
    (lambda: IntegerHP("p", 1, 9, step=4).encode(3), ValueError, "1 plus a multiple of 4. Got 3"),
    (lambda: IntegerHP("p", 1, 8, step=4).from_text("9"), ValueError, "in [1, 8]"),
    (lambda: MultiLogUniformHP("p", 0, 1), ValueError, "must be above 0 for a logarithm"),
    (lambda: MultiIntegerHP("p", 0, 1, sample_count=0), ValueError, "sample_count of 'p'"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_ARGUMENTS, ids=range(len(BAD_ARGUMENTS)))
def test_bad_arguments_are_named(call, error, message):
    assert_refused(call, error, message)
