"""Parameters that draw several values at once."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from pyshac.core.basics import plain_values, seeding
from pyshac.core.hyperparameters import (
    DiscreteHP,
    HyperParameterList,
    MultiDiscreteHP,
    MultiNormalHP,
    MultiNormlHP,
    MultiUniformHP,
    NormalHP,
    UniformHP,
)
from tests import strategies
from tests.core.hyperparameters.refusals import assert_refused
from tests.goodness_of_fit import LEVEL, NUM_DRAWS, chi_square, continuous_p_values
from tests.strategies import typed


class TestRoundTrips:
    @given(strategies.multis())
    def test_samples_are_the_same_after_every_round_trip(self, parameter):
        parameter.set_seed(1)
        value = parameter.sample()
        assert type(value) is list
        assert len(value) == parameter.sample_count
        texts = [parameter.to_text(item) for item in value]
        assert [typed(parameter.from_text(text)) for text in texts] == [typed(x) for x in value]
        encoded = parameter.encode(value)
        assert encoded == [parameter.element.encode(item) for item in value]
        again = parameter.decode(encoded)
        if isinstance(parameter, MultiDiscreteHP):
            assert typed(again) == typed(value)
        else:
            assert again == pytest.approx(value, rel=1e-12)

    @given(strategies.multis())
    def test_config_survives_json(self, parameter):
        parameter.set_seed(9)
        config = json.loads(json.dumps(plain_values.to_json(parameter.get_config())))
        again = type(parameter).load_from_config(plain_values.from_json(config))
        assert repr(again.get_config()) == repr(parameter.get_config())
        assert repr(again) == repr(parameter)
        parameter.set_seed(9)
        assert typed(again.sample()) == typed(parameter.sample())

    @pytest.mark.parametrize(
        ("multi", "single"),
        [
            (MultiDiscreteHP("p", [1, "1"], 3), DiscreteHP("p", [1, "1"])),
            (MultiUniformHP("p", 1, 2, True, 3), UniformHP("p", 1, 2, True)),
            (MultiNormalHP("p", 1, 2, 3), NormalHP("p", 1, 2)),
        ],
    )
    def test_each_value_is_drawn_like_a_single_one(self, multi, single):
        multi.set_seed(2)
        single.set_seed(2)
        assert multi.sample() == [single.sample() for _ in range(3)]


class TestDraws:
    def draw(self, parameter: object) -> np.ndarray:
        stream = seeding.stream(22, seeding.Purpose.DRAW)
        return HyperParameterList([parameter]).draw(NUM_DRAWS, stream)

    def test_choices_are_equally_likely_and_independent(self):
        columns = self.draw(MultiDiscreteHP("p", ["a", 1, None], sample_count=3))
        cells = (columns @ [1, 3, 9]).astype(int)
        assert chi_square(np.bincount(cells, minlength=27), np.full(27, 1 / 27)) > LEVEL

    @pytest.mark.parametrize(
        ("parameter", "distribution"),
        [
            (MultiUniformHP("p", -1, 3, sample_count=3), stats.uniform(-1, 4)),
            (MultiNormalHP("p", 2, 0.5, sample_count=3), stats.norm(2, 0.5)),
        ],
        ids=["uniform", "normal"],
    )
    def test_columns_follow_the_distribution_and_are_independent(self, parameter, distribution):
        columns = self.draw(parameter)
        for column in columns.T:
            assert min(continuous_p_values(column, distribution)) > LEVEL
        cells = np.floor(5 * distribution.cdf(columns)).astype(int) @ [1, 5, 25]
        assert chi_square(np.bincount(cells, minlength=125), np.full(125, 1 / 125)) > LEVEL


BAD_ARGUMENTS = [
    (lambda: MultiDiscreteHP("p", [1, 2], 0), ValueError, "sample_count of 'p' must be in [1, 100"),
    (lambda: MultiUniformHP("p", 0, 1, sample_count=-1), ValueError, "Got -1 instead"),
    (lambda: MultiNormalHP("p", 0, 1, 10**9), ValueError, "Got 1000000000 instead"),
    (
        lambda: MultiNormalHP("p", 0, 1, 1.5),
        TypeError,
        "sample_count of 'p' must be an int. Got 1.5",
    ),
    (lambda: MultiDiscreteHP("p", [1], "2"), TypeError, "must be an int. Got '2'"),
    (lambda: MultiDiscreteHP("p", [1], True), TypeError, "must be an int. Got True"),
    (lambda: MultiDiscreteHP("p", []), ValueError, "values of 'p' must not be empty"),
    (lambda: MultiDiscreteHP("p", [1, 1], 2), ValueError, "values of 'p' must be distinct"),
    (lambda: MultiUniformHP("p", 1, 0, sample_count=2), ValueError, "`min_value <= max_value`"),
    (lambda: MultiUniformHP("p", -1, 1, True, 2), ValueError, "of 'p' must be at least 0"),
    (lambda: MultiNormalHP("p", 0, -1, 2), ValueError, "std of 'p' must be above 0"),
    (lambda: MultiNormalHP("", 0, 1, 2), ValueError, "name of a hyperparameter must not be empty"),
    (
        lambda: MultiUniformHP("p", 0, 1, sample_count=2).encode([1]),
        ValueError,
        "must have 2 items",
    ),
    (lambda: MultiUniformHP("p", 0, 1).encode(0.5), TypeError, "of 'p' must be a list. Got 0.5"),
    (lambda: MultiDiscreteHP("p", ["a"], 1).encode("a"), TypeError, "must be a list. Got 'a'"),
    (lambda: MultiUniformHP("p", 0, 1).encode([2]), ValueError, "of 'p' must be in [0.0, 1.0]"),
    (lambda: MultiDiscreteHP("p", [1], 2).decode([0]), ValueError, "must have 2 items. Got [0]"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_ARGUMENTS, ids=range(len(BAD_ARGUMENTS)))
def test_bad_arguments_are_named(call, error, message):
    assert_refused(call, error, message)


def test_the_old_misspelling_is_the_same_type():
    assert MultiNormlHP is MultiNormalHP
