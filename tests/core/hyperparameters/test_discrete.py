"""Choices among values and ranges of integers."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pyshac.core.basics import plain_values, seeding
from pyshac.core.hyperparameters import DiscreteHP, DistributionHP, HyperParameterList, IntegerHP
from tests import strategies
from tests.core.hyperparameters.refusals import assert_refused
from tests.goodness_of_fit import LEVEL, NUM_DRAWS, chi_square, count
from tests.strategies import typed

LOOKALIKES = [
    1,
    1.0,
    "1",
    True,
    None,
    0,
    0.0,
    False,
    "",
    "None",
    "True",
    "null",
    "true",
    (1,),
    "[1]",
]


def draw_column(parameter: Any, n: int = NUM_DRAWS) -> np.ndarray:
    stream = seeding.stream(20, seeding.Purpose.DRAW)
    return HyperParameterList([parameter]).draw(n, stream)[:, 0]


class TestRoundTrips:
    @given(strategies.value_lists)
    def test_choice_values_keep_their_type(self, values):
        parameter = DiscreteHP("p", values)
        for index, value in enumerate(values):
            assert parameter.encode(value) == index
            assert typed(parameter.decode(index)) == typed(value)
            assert typed(parameter.from_text(parameter.to_text(value))) == typed(value)

    def test_lookalikes_are_different_values(self):
        parameter = DiscreteHP("p", LOOKALIKES)
        assert [parameter.encode(value) for value in LOOKALIKES] == list(range(len(LOOKALIKES)))
        texts = [parameter.to_text(value) for value in LOOKALIKES]
        assert len(set(texts)) == len(texts)
        assert [typed(parameter.from_text(text)) for text in texts] == list(map(typed, LOOKALIKES))

    @given(strategies.stepped())
    def test_config_survives_json(self, parameter):
        config = json.loads(json.dumps(plain_values.to_json(parameter.get_config())))
        again = type(parameter).load_from_config(plain_values.from_json(config))
        assert repr(again.get_config()) == repr(parameter.get_config())
        assert repr(again) == repr(parameter)
        unit = np.linspace(0.0005, 0.9995, 50)
        assert (again.from_unit(unit) == parameter.from_unit(unit)).all()

    @given(strategies.stepped(), st.lists(strategies.units, min_size=1, max_size=20))
    def test_a_drawn_value_is_the_same_after_every_round_trip(self, parameter, units):
        for encoded in parameter.from_unit(np.array(units)):
            value = parameter.decode(encoded)
            assert parameter.encode(value) == encoded
            assert typed(parameter.decode(parameter.encode(value))) == typed(value)
            assert typed(parameter.from_text(parameter.to_text(value))) == typed(value)

    @given(strategies.integers(), st.data())
    def test_every_integer_of_a_range_is_its_own(self, parameter, data):
        value = data.draw(st.integers(parameter.min_value, parameter.max_value))
        assert typed(parameter.decode(parameter.encode(value))) == typed(value)
        assert parameter.from_unit(parameter.to_unit(parameter.encode(value))) == pytest.approx(
            parameter.encode(value), rel=0, abs=0
        )

    @given(st.integers(2**46 - 10**6, 2**46))
    def test_integers_up_to_the_bound_survive_their_logarithm(self, value):
        parameter = IntegerHP("p", 1, 2**46, log=True)
        assert parameter.decode(parameter.encode(value)) == value


class TestUnitInterval:
    @given(strategies.stepped(), st.lists(strategies.units, min_size=1, max_size=20))
    def test_encoded_values_come_back_exactly(self, parameter, units):
        encoded = parameter.from_unit(np.array(units))
        assert (parameter.from_unit(parameter.to_unit(encoded)) == encoded).all()

    @given(strategies.stepped(), strategies.units, st.data())
    def test_a_draw_lies_below_a_threshold_if_its_unit_value_lies_below_that_of_the_threshold(
        self, parameter, unit, data
    ):
        # Further up, the distribution functions of SciPy give several whole numbers the same value.
        highest = 1 - 1e-12 if isinstance(parameter, DistributionHP) else 1 - 2.0**-53
        encoded = float(parameter.from_unit(data.draw(strategies.units)))
        threshold = encoded + data.draw(st.sampled_from([0.0, 1e-9, -1e-9, 0.5, -0.5, 3, 1e20]))
        for edge in (threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf)):
            boundary = float(parameter.to_unit(edge))
            for near in (unit, boundary, np.nextafter(boundary, 0.0), np.nextafter(boundary, 1.0)):
                if 2.0**-53 <= near <= highest:
                    assert (parameter.from_unit(near) < edge) == (near < boundary)

    @given(strategies.stepped(), st.lists(strategies.units, min_size=2, max_size=20))
    def test_both_maps_are_monotonic_and_keep_the_shape(self, parameter, units):
        encoded = parameter.from_unit(np.sort(units))
        assert (np.diff(encoded) >= 0).all()
        unit = parameter.to_unit(encoded)
        assert (np.diff(unit) >= 0).all()
        assert ((unit >= 0) & (unit <= 1)).all()
        square = np.array(units)[:, None] * np.ones(3)
        assert parameter.from_unit(square).shape == parameter.to_unit(square).shape == square.shape

    @pytest.mark.parametrize("num_values", [*range(1, 120), 1000, 12345])
    def test_cells_end_just_where_the_next_begins(self, num_values):
        edges = np.arange(num_values) / num_values
        for parameter in (
            DiscreteHP("p", range(num_values)),
            *([IntegerHP("p", 0, num_values - 1)] if num_values > 1 else []),
        ):
            assert (parameter.from_unit(edges) == np.arange(num_values)).all()
            below = parameter.from_unit(np.nextafter(edges[1:], 0))
            assert (below == np.arange(num_values - 1)).all()

    @pytest.mark.parametrize(("low", "high"), [(1, 2), (1, 5000), (999, 3000), (10**9, 10**9 + 99)])
    def test_cells_of_log_integers_do_so_too(self, low, high):
        parameter = IntegerHP("p", low, high, log=True)
        values = np.arange(low, high + 1)
        edges = parameter.to_unit(np.log(values))
        assert (parameter.from_unit(edges) == np.log(values)).all()
        assert (parameter.from_unit(np.nextafter(edges[1:], 0)) == np.log(values[:-1])).all()

    @given(strategies.integers(), st.sampled_from([0.0, 1 - 2.0**-53]))
    def test_the_ends_of_the_interval_are_the_ends_of_the_range(self, parameter, unit):
        value = parameter.decode(parameter.from_unit(unit))
        assert value == (parameter.max_value if unit else parameter.min_value)


class TestDraws:
    @pytest.mark.parametrize("num_values", [1, 2, 7, 30])
    def test_choices_are_equally_likely(self, num_values):
        counts = count(draw_column(DiscreteHP("p", list(range(num_values)))), range(num_values))
        if num_values == 1:
            assert counts.tolist() == [NUM_DRAWS]
        else:
            assert chi_square(counts, np.full(num_values, 1 / num_values)) > LEVEL

    @pytest.mark.parametrize(("low", "high"), [(0, 1), (-2, 4), (10**9, 10**9 + 40)])
    def test_integers_are_equally_likely(self, low, high):
        values = np.arange(low, high + 1)
        counts = count(draw_column(IntegerHP("p", low, high)), values)
        assert chi_square(counts, np.full(len(values), 1 / len(values))) > LEVEL

    @pytest.mark.parametrize(("low", "high"), [(1, 2), (1, 100), (7, 5000)])
    def test_log_integers_are_rounded_log_uniform_numbers(self, low, high):
        values = np.arange(low, high + 1)
        probabilities = np.log((values + 0.5) / (values - 0.5)) / math.log(
            (high + 0.5) / (low - 0.5)
        )
        counts = count(draw_column(IntegerHP("p", low, high, log=True)), np.log(values))
        assert chi_square(counts, probabilities) > LEVEL

    @pytest.mark.parametrize(
        "parameter",
        [DiscreteHP("p", [1, "1", None, True]), IntegerHP("p", 1, 4, log=False)],
        ids=repr,
    )
    def test_sample_draws_from_the_same_distribution(self, parameter):
        parameter.set_seed(3)
        first = int(parameter.from_unit(0.0))
        encoded = [parameter.encode(parameter.sample()) for _ in range(5000)]
        counts = count(encoded, range(first, first + 4))
        assert chi_square(counts, np.full(4, 0.25)) > LEVEL

    @pytest.mark.parametrize("parameter", [DiscreteHP("p", range(99)), IntegerHP("p", 0, 99)])
    def test_a_seed_repeats_samples(self, parameter):
        parameter.set_seed(5)
        first = [parameter.sample() for _ in range(20)]
        parameter.set_seed(5)
        assert [parameter.sample() for _ in range(20)] == first
        parameter.set_seed(6)
        assert [parameter.sample() for _ in range(20)] != first


class TestReadableTexts:
    @pytest.mark.parametrize(
        ("values", "text", "value"),
        [
            ([True, False], "True", True),
            ([True, False], "FALSE", False),
            ([None, 1], "None", None),
            ([None, 1], "", None),
            ([1, 2], "1.0", 1),
            ([1.0, 2.0], "1", 1.0),
            ([(3, 3)], "(3, 3)", (3, 3)),
            (["adam", "sgd"], "adam", "adam"),
            (["1", "2"], "1", "1"),
        ],
    )
    def test_tables_of_other_programs_are_understood(self, values, text, value):
        assert typed(DiscreteHP("p", values).from_text(text)) == typed(value)

    @pytest.mark.parametrize(
        ("values", "text"), [([1, 1.0, "x"], "1.00"), ([None, ""], "nothing"), ([True, 1], "yes")]
    )
    def test_other_texts_are_refused(self, values, text):
        with pytest.raises(ValueError, match=f"of 'p' must be one of .* Got '{text}' instead"):
            DiscreteHP("p", values).from_text(text)

    def test_a_text_of_two_values_names_the_one_that_writes_it(self):
        parameter = DiscreteHP("p", ["None", None, 1.0, 1])
        assert parameter.from_text("None") == "None"
        assert typed(parameter.from_text("1")) == typed(1)
        assert typed(parameter.from_text("1.0")) == typed(1.0)

    @pytest.mark.parametrize(("text", "value"), [("3", 3), ("3.0", 3), ("-2", -2)])
    def test_integers_may_look_like_floats(self, text, value):
        assert typed(IntegerHP("p", -5, 5).from_text(text)) == typed(value)

    @pytest.mark.parametrize("text", ["2.5", "nan", "inf", "6", "-6", "x", ""])
    def test_texts_of_no_integer_in_range_are_refused(self, text):
        with pytest.raises(ValueError):
            IntegerHP("p", -5, 5).from_text(text)


class TestNumPyValues:
    def test_values_become_pythons(self):
        parameter = DiscreteHP("p", np.array([1, 2]))
        assert [typed(value) for value in parameter.values] == [typed(1), typed(2)]
        assert parameter.encode(np.int64(2)) == 1

    def test_lists_count_as_tuples(self):
        parameter = DiscreteHP("p", [[3, 3], [5, 5]])
        assert parameter.values == ((3, 3), (5, 5))
        assert parameter.encode([5, 5]) == parameter.encode((5, 5)) == 1

    def test_integers_may_be_numpys(self):
        parameter = IntegerHP("p", np.int32(1), np.int64(5))
        assert typed(parameter.min_value) == typed(1)
        assert parameter.encode(np.int64(3)) == 3.0


BAD_ARGUMENTS = [
    (lambda: DiscreteHP("p", []), ValueError, "values of 'p' must not be empty"),
    (lambda: DiscreteHP("p", [1, 2, 1]), ValueError, "values of 'p' must be distinct. Got 1 twice"),
    (lambda: DiscreteHP("p", ["a", "a"]), ValueError, "Got 'a' twice"),
    (lambda: DiscreteHP("p", [0.0, -0.0]), ValueError, "Got -0.0 twice"),
    (lambda: DiscreteHP("p", [math.nan]), ValueError, "values of 'p' must not be NaN"),
    (lambda: DiscreteHP("p", [(1, math.nan)]), ValueError, "values of 'p' must not be NaN"),
    (lambda: DiscreteHP("p", ["\0"]), ValueError, "values of 'p' must be text"),
    (lambda: DiscreteHP("p", ["\ud800"]), ValueError, "values of 'p' must be text"),
    (lambda: DiscreteHP("p", ["x" * 2**16]), ValueError, "(65536 characters)"),
    (
        lambda: DiscreteHP("p", "abc"),
        TypeError,
        "values of 'p' must be a list of values. Got 'abc'",
    ),
    (lambda: DiscreteHP("p", {}), ValueError, "values of 'p' must not be empty"),
    (lambda: DiscreteHP("p", {1, 2}), TypeError, "values of 'p' must be a list of values. Got {1"),
    (lambda: DiscreteHP("p", 5), TypeError, "values of 'p' must be a list of values. Got 5"),
    (lambda: DiscreteHP("p", None), ValueError, "values of 'p' must be a list of values. Got None"),
    (lambda: DiscreteHP("p", [object()]), TypeError, "values of 'p' must be None, bool, int, floa"),
    (lambda: DiscreteHP("p", [{1, 2}]), TypeError, "Got {1, 2} of type set"),
    (lambda: IntegerHP("p", 5, 4), ValueError, "`min_value <= max_value` must hold for 'p'"),
    (lambda: IntegerHP("p", 5, 4), ValueError, "(min_value=5, max_value=4)"),
    (lambda: IntegerHP("p", 1.0, 4), TypeError, "min_value of 'p' must be an int. Got 1.0"),
    (lambda: IntegerHP("p", 1, "4"), TypeError, "max_value of 'p' must be an int. Got '4'"),
    (lambda: IntegerHP("p", True, 4), TypeError, "min_value of 'p' must be an int. Got True"),
    (lambda: IntegerHP("p", math.nan, 4), TypeError, "min_value of 'p' must be an int. Got nan"),
    (lambda: IntegerHP("p", 0, 4, log=True), ValueError, "min_value of 'p' must be above 0"),
    (lambda: IntegerHP("p", -3, 4, log=True), ValueError, "Got -3 instead"),
    (lambda: IntegerHP("p", 0, 2**52 + 1), ValueError, "must lie within 2**52 of 0"),
    (lambda: IntegerHP("p", 1, 2**46 + 1, log=True), ValueError, "must lie within 2**46 of 0"),
    (lambda: DiscreteHP("", [1]), ValueError, "name of a hyperparameter must not be empty"),
    (lambda: DiscreteHP(3, [1]), TypeError, "name of a hyperparameter must be a str. Got 3"),
    (lambda: DiscreteHP(None, [1]), ValueError, "must not be None: give it a str"),
    (lambda: DiscreteHP("id", [1]), ValueError, "must not be 'id'"),
    (lambda: DiscreteHP("scores", [1]), ValueError, "must not be 'scores'"),
    (lambda: DiscreteHP("a\0", [1]), ValueError, "without NUL characters"),
    (lambda: DiscreteHP("x" * 2**16, [1]), ValueError, "not too long"),
    (lambda: DiscreteHP("p", [1], seed=-1), ValueError, "seed must be a non-negative int or None"),
    (lambda: DiscreteHP("p", [1], seed=1.5), TypeError, "or None. Got 1.5"),
    (lambda: DiscreteHP("p", [1], seed=True), TypeError, "or None. Got True"),
    (lambda: DiscreteHP("p", [1, 2]).encode(3), ValueError, "of 'p' must be one of [1, 2]. Got 3"),
    (lambda: DiscreteHP("p", [1, 2]).encode(1.0), ValueError, "Got 1.0 instead"),
    (lambda: DiscreteHP("p", [1, 2]).encode(True), ValueError, "Got True instead"),
    (lambda: DiscreteHP("p", [1, 2]).encode("1"), ValueError, "Got '1' instead"),
    (
        lambda: DiscreteHP("p", [1, 2]).encode(object),
        TypeError,
        "A value of 'p' must be None, bool",
    ),
    (lambda: DiscreteHP("p", [1, 2]).decode(2), ValueError, "of 'p' must be in [0, 1]. Got 2"),
    (lambda: DiscreteHP("p", [1, 2]).decode(-1), ValueError, "of 'p' must be in [0, 1]. Got -1"),
    (lambda: IntegerHP("p", 1, 4).encode(5), ValueError, "A value of 'p' must be in [1, 4]. Got 5"),
    (lambda: IntegerHP("p", 1, 4).encode(2.0), TypeError, "A value of 'p' must be an int. Got 2.0"),
    (
        lambda: IntegerHP("p", 1, 4).encode(True),
        TypeError,
        "A value of 'p' must be an int. Got True",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_ARGUMENTS, ids=range(len(BAD_ARGUMENTS)))
def test_bad_arguments_are_named(call, error, message):
    assert_refused(call, error, message)
