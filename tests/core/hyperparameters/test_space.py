"""The search space: rows, columns, names, configs and draws."""

from __future__ import annotations

import json
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from pyshac.core.basics import plain_values, seeding
from pyshac.core.hyperparameters import (
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    MultiDiscreteHP,
    MultiNormalHP,
    MultiUniformHP,
    NormalHP,
    UniformHP,
)
from tests import strategies
from tests.goodness_of_fit import LEVEL
from tests.strategies import typed


def stream(number: int = 0) -> np.random.SeedSequence:
    return seeding.stream(number, seeding.Purpose.DRAW)


class TestContents:
    def test_columns_of_multi_parameters_are_numbered(self, small_space):
        assert small_space.get_parameter_names() == [
            "choice",
            "integer",
            "log_integer",
            "uniform",
            "log_encoded",
            "log_uniform",
            "normal",
            "beta",
            "poisson",
            *("choices_1", "choices_2", "uniforms_1", "uniforms_2", "normals_1", "normals_2"),
        ]
        assert small_space.num_columns == 15
        assert len(small_space) == 12
        assert small_space.is_vectorised
        assert small_space.maps_to_unit.tolist() == [True] * 15

    def test_choices_without_an_order(self):
        space = HyperParameterList(
            [
                UniformHP("x", 0, 1),
                DiscreteHP("kind", ["a", "b"]),
                DiscreteHP("width", [16, 64, 256.0]),
                DiscreteHP("falling", [3, 2, 1]),
                DiscreteHP("mixed up", [1, 3, 2]),
                DiscreteHP("switch", [False, True]),
                MultiDiscreteHP("kinds", ["a", None], sample_count=2),
            ]
        )
        expected = [False, True, False, False, True, True, True, True]
        assert space.is_choice.tolist() == expected

    def test_parameters_are_added_and_removed(self):
        first, second = UniformHP("a", 0, 1), MultiUniformHP("b", 0, 1, sample_count=2)
        space = HyperParameterList()
        space.add_hyper_parameter(first)
        space.add_hyper_parameter(second)
        space.add_hyper_parameter(DiscreteHP("c", [1]))
        assert space.get_parameter_names() == ["a", "b_1", "b_2", "c"]
        space.remove_hyper_parameter("b")
        space.remove_hyper_parameter(first)
        assert space.get_parameter_names() == ["c"]
        assert space.decode(space.encode([1])) == [1]
        space.add_hyper_parameter(second)
        assert list(space) == [space["c"], second]

    def test_removing_what_is_not_there_fails(self):
        space = HyperParameterList([UniformHP("a", 0, 1)])
        with pytest.raises(KeyError, match=r"no hyperparameter 'b' in \['a'\]"):
            space.remove_hyper_parameter("b")
        assert len(space) == 1

    @pytest.mark.parametrize(
        "parameters",
        [
            [UniformHP("a", 0, 1), DiscreteHP("a", [1])],
            [MultiUniformHP("a", 0, 1, sample_count=2), UniformHP("a", 0, 1)],
            [MultiUniformHP("a", 0, 1, sample_count=2), UniformHP("a_2", 0, 1)],
            [UniformHP("a_1", 0, 1), MultiUniformHP("a", 0, 1)],
        ],
    )
    def test_repeated_names_of_columns_are_refused(self, parameters):
        with pytest.raises(ValueError, match=r"Names must be distinct. Got 'a(_\d)?' twice"):
            HyperParameterList(parameters)

    def test_none_is_refused(self):
        with pytest.raises(ValueError, match="must be a hyperparameter. Got None"):
            HyperParameterList([None])
        with pytest.raises(ValueError, match="or its name. Got None"):
            HyperParameterList([UniformHP("a", 0, 1)]).remove_hyper_parameter(None)

    @pytest.mark.parametrize("wrong", ["p", 5, UniformHP])
    def test_items_that_are_no_parameters_are_refused(self, wrong):
        with pytest.raises(TypeError, match="must hold hyperparameters"):
            HyperParameterList([wrong])

    @pytest.mark.parametrize("wrong", [5, UniformHP("a", 0, 1)])
    def test_what_is_no_list_is_refused(self, wrong):
        with pytest.raises(TypeError, match="hyper_parameter_list must be a list of hyperparam"):
            HyperParameterList(wrong)

    def test_too_many_columns_are_refused(self):
        parts = [MultiUniformHP(name, 0, 1, sample_count=60_000) for name in "ab"]
        with pytest.raises(ValueError, match="at most 100000 columns. Got 120000 with 'b'"):
            HyperParameterList(parts)


class TestRows:
    @given(strategies.spaces(), st.integers(0, 2**32))
    def test_drawn_rows_are_the_same_after_every_round_trip(self, space, seed):
        for encoded in space.draw(3, stream(seed)):
            row = space.decode(encoded)
            assert space.encode(row) == pytest.approx(encoded, rel=1e-12, abs=1e-12)
            assert typed(space.row_from_text(space.row_to_text(row))) == typed(row)
            assert typed(space.to_row(space.to_parameters(row))) == typed(row)
            journal = json.loads(json.dumps(plain_values.to_json(row)))
            assert typed(plain_values.from_json(journal)) == typed(row)

    def test_an_evaluation_function_receives_lists_for_multi_parameters(self, small_space):
        row = small_space.decode(small_space.draw(1, stream())[0])
        parameters = small_space.to_parameters(row)
        assert type(parameters) is OrderedDict
        assert list(parameters) == [parameter.name for parameter in small_space]
        assert parameters["choices"] == row[9:11]
        assert parameters["normals"] == row[13:]
        assert [type(parameters[name]) for name in ("integer", "uniform", "poisson")] == [
            int,
            float,
            int,
        ]

    def test_parameters_may_come_in_any_order(self, small_space):
        row = small_space.decode(small_space.draw(1, stream())[0])
        parameters = dict(reversed(small_space.to_parameters(row).items()))
        assert typed(small_space.to_row(parameters)) == typed(row)

    @pytest.mark.parametrize(
        "parameters", [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 2}]
    )
    def test_parameters_with_other_names_are_refused(self, parameters):
        space = HyperParameterList([IntegerHP("a", 0, 9), IntegerHP("b", 0, 9)])
        with pytest.raises(ValueError, match=r"must have the names \['a', 'b'\]. Got \["):
            space.to_row(parameters)

    @pytest.mark.parametrize("row", [[], [1], [1, 2, 3]])
    def test_rows_of_another_length_are_refused(self, row):
        space = HyperParameterList([IntegerHP("a", 0, 9), IntegerHP("b", 0, 9)])
        message = rf"must have 2 values, one for each of \['a', 'b'\]. Got {len(row)} instead"
        for method in (space.encode, space.decode, space.to_parameters):
            with pytest.raises(ValueError, match=message):
                method(row)

    def test_texts_of_no_value_name_their_column(self):
        space = HyperParameterList([IntegerHP("a", 0, 9), MultiDiscreteHP("b", ["x"], 2)])
        with pytest.raises(ValueError, match="column 'a': .*'seven'"):
            space.row_from_text(["seven", "x", "x"])
        with pytest.raises(ValueError, match="column 'b_2': .*Got 'y' instead"):
            space.row_from_text(["7", "x", "y"])


class TestConfig:
    @given(strategies.spaces())
    def test_config_survives_json(self, space):
        config = json.loads(json.dumps(plain_values.to_json(space.get_config())))
        again = HyperParameterList.load_from_config(plain_values.from_json(config))
        assert repr(again.get_config()) == repr(space.get_config())
        assert repr(again) == repr(space)
        assert again.get_parameter_names() == space.get_parameter_names()
        assert (again.draw(5, stream()) == space.draw(5, stream())).all()

    def test_config_names_type_and_arguments(self):
        space = HyperParameterList([LogUniformHP("a", 1, 2, seed=3)])
        config = {"name": "a", "seed": 3, "min_value": 1.0, "max_value": 2.0}
        assert space.get_config() == {"a": ["LogUniformContinuousHyperParameter", config]}

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ({"a": ["Unknown", {}]}, "'a' has no config.* no hyperparameter type 'Unknown'"),
            ({"a": [["list"], {}]}, "'a' has no config"),
            ({"a": ["UniformHP", {"name": "a"}]}, "'a' has no config.*min_value"),
            ({"a": ["UniformHP", {"name": "a", "min_value": 1, "max_value": 0}]}, "min_value"),
            ({"a": ["UniformHP", {"name": "a", "min_value": 0, "max_value": 1, "x": 1}]}, "'x'"),
            ({"a": ["UniformHP", 5]}, "'a' has no config"),
            ({"a": ["UniformHP"]}, "'a' has no config"),
            ({"a": 5}, "'a' has no config"),
            ({"a": ["NormalHP", {"name": "b", "mean": 0, "std": 1}]}, "'a' has the config of 'b'"),
            ({"a": ["DistributionHP", {"name": "a"}]}, "'a' has no config.*'distribution'"),
        ],
    )
    def test_what_is_no_config_is_refused(self, config, message):
        with pytest.raises(ValueError, match=message):
            HyperParameterList.load_from_config(config)


class TestSeeds:
    def parts(self) -> list[UniformHP]:
        return [UniformHP("a", 0, 1, seed=1), UniformHP("b", 0, 1, seed=1)]

    def test_a_seed_gives_each_parameter_a_stream_of_its_own(self):
        rows = [HyperParameterList(self.parts(), seed=7).sample() for _ in range(2)]
        assert rows[0] == rows[1]
        assert rows[0][0] != rows[0][1]
        assert HyperParameterList(self.parts(), seed=8).sample() != rows[0]

    def test_without_a_seed_parameters_keep_theirs(self):
        row = HyperParameterList(self.parts()).sample()
        assert row == [UniformHP("a", 0, 1, seed=1).sample()] * 2

    def test_parameters_added_later_are_seeded_too(self):
        space = HyperParameterList(seed=7)
        for part in self.parts():
            space.add_hyper_parameter(part)
        assert space.sample() == HyperParameterList(self.parts(), seed=7).sample()

    def test_set_seed_repeats_samples_and_none_takes_fresh_ones(self):
        space = HyperParameterList(self.parts(), seed=7)
        first = [space.sample() for _ in range(3)]
        space.set_seed(7)
        assert [space.sample() for _ in range(3)] == first
        space.set_seed(None)
        assert space.seed is None
        assert space.sample() not in first

    @pytest.mark.parametrize(
        ("seed", "error"), [(-1, ValueError), (0.5, TypeError), ("1", TypeError)]
    )
    def test_what_is_no_seed_is_refused(self, seed, error):
        with pytest.raises(error, match=f"seed must be a non-negative int or None. Got {seed!r}"):
            HyperParameterList(self.parts(), seed=seed)


class TestDraws:
    def test_draws_depend_on_the_stream_only(self, small_space):
        np.random.seed(0)
        rows = small_space.draw(50, stream(3))
        small_space.sample()
        state = np.random.get_state()[1].copy()
        again = small_space.draw(50, stream(3))
        assert (rows == again).all()
        assert (np.random.get_state()[1] == state).all()
        assert not (rows == small_space.draw(50, stream(4))).any(axis=1).all()

    def test_draws_are_the_unit_cube_mapped_to_encoded_values(self, small_space):
        unit = np.random.default_rng(stream(5)).random((100, 15))
        rows = small_space.draw(100, stream(5))
        assert (rows == small_space.from_unit(unit)).all()
        for column in range(15):
            assert (small_space.column_from_unit(column, unit[:, column]) == rows[:, column]).all()

    def test_encoded_rows_come_back_from_the_unit_cube(self, small_space):
        rows = small_space.draw(1000, stream(6))
        again = small_space.from_unit(small_space.to_unit(rows))
        stepped = [0, 1, 2, 8, 9, 10]
        assert (again[:, stepped] == rows[:, stepped]).all()
        assert again == pytest.approx(rows, rel=1e-9, abs=1e-9)

    def test_columns_are_independent(self, small_space):
        rows = small_space.draw(20_000, stream(8))
        correlation = stats.spearmanr(rows).statistic[np.triu_indices(15, 1)]
        # Of rank correlations of independent columns, sqrt(n) times one is standard normal.
        largest = np.abs(correlation).max() * np.sqrt(len(rows))
        assert 2 * stats.norm.sf(largest) * len(correlation) > LEVEL

    def test_an_empty_draw_has_the_columns(self, small_space):
        assert small_space.draw(0, stream()).shape == (0, 15)

    def test_scalar_samples_lie_in_the_space(self, small_space):
        small_space.set_seed(1)
        rows = [small_space.sample() for _ in range(20)]
        assert np.isfinite([small_space.encode(row) for row in rows]).all()

    def test_every_value_of_normal_columns_is_finite(self):
        space = HyperParameterList([NormalHP("a", 0, 1), MultiNormalHP("b", 0, 1, 2)])
        ends = np.array([[0.0, 0.0, 0.0], [1 - 2.0**-53] * 3])
        assert np.isfinite(space.from_unit(ends)).all()
