"""Conditions: what `when` takes, what it means for single rows, and what it refuses."""

from __future__ import annotations

import json
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from pyshac import (
    INACTIVE,
    AbstractHyperParameter,
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    MultiDiscreteHP,
    MultiUniformHP,
    UniformHP,
)
from pyshac.core.basics import plain_values
from pyshac.core.hyperparameters.conditions.condition import Condition
from tests import strategies
from tests.strategies import typed


def optimizer() -> DiscreteHP:
    return DiscreteHP("optimizer", ["sgd", "rmsprop", "adam"])


def active(child: AbstractHyperParameter, *others: AbstractHyperParameter, **values) -> bool:
    """Whether a parameter is in a sample whose other parameters have some values."""
    space = HyperParameterList([child, *others])
    return INACTIVE not in space.to_row({child.name: child.sample(), **values}, leave_out=True)


class OwnHP(AbstractHyperParameter):
    """A user's own type: one of three words."""

    def sample(self):
        return ["low", "middle", "high"][self.random.randint(3)]

    def encode(self, x):
        return ["low", "middle", "high"].index(x)

    def decode(self, x):
        return ["low", "middle", "high"][int(x)]


class TestWhen:
    def test_one_value(self):
        for value, expected in (("sgd", True), ("adam", False)):
            child = UniformHP("x", 0, 1).when("optimizer", "sgd")
            assert active(child, optimizer(), optimizer=value) is expected

    @pytest.mark.parametrize("bound", [0, 1e-30])
    def test_what_no_logarithm_tells_from_0_is_at_most_that(self, bound):
        child = UniformHP("x", 0, 1).when("p", at_most=bound)
        assert active(child, UniformHP("p", 0, 1, log_encode=True), p=0.0)
        assert not active(child, UniformHP("p", 0, 1, log_encode=True), p=0.5)

    def test_bounds_beyond_floats(self):
        child = UniformHP("x", 0, 1).when("p", at_most=10**400)
        assert active(child, IntegerHP("p", 0, 9), p=9)

    def test_several_values(self):
        for value, expected in (("sgd", True), ("rmsprop", True), ("adam", False)):
            child = UniformHP("x", 0, 1).when("optimizer", ["sgd", "rmsprop"])
            assert active(child, optimizer(), optimizer=value) is expected

    @pytest.mark.parametrize(
        ("bounds", "expected"),
        [
            ({"at_least": 3}, {3, 4}),
            ({"at_most": 2}, {1, 2}),
            ({"at_least": 2, "at_most": 3}, {2, 3}),
            ({"at_least": 2.5}, {3, 4}),
            ({"at_least": -7}, {1, 2, 3, 4}),
            ({"at_most": 99}, {1, 2, 3, 4}),
        ],
    )
    @pytest.mark.parametrize("log", [False, True])
    def test_bounds_of_whole_numbers(self, bounds, expected, log):
        layers = IntegerHP("layers", 1, 4, log=log)
        found = {
            n for n in range(1, 5) if active(UniformHP("x", 0, 1).when("layers", **bounds), layers,
                                             layers=n)
        }  # fmt: skip
        assert found == expected

    @pytest.mark.parametrize(
        "parent",
        [
            UniformHP("rate", 0.01, 1),
            LogUniformHP("rate", 0.01, 1),
            UniformHP("rate", 0, 1, log_encode=True),
        ],
    )
    def test_bounds_of_real_numbers_belong_to_them(self, parent):
        for value, expected in ((0.1, True), (0.0999, False), (0.5, True), (0.50001, False)):
            child = UniformHP("x", 0, 1).when("rate", at_least=0.1, at_most=0.5)
            assert active(child, parent, rate=value) is expected

    def test_bounds_of_choices_go_by_number(self):
        for values in ([16, 64, 256.0], [256.0, 64, 16], [64, 16, 256.0]):
            width = DiscreteHP("width", values)
            found = [
                v for v in values
                if active(UniformHP("x", 0, 1).when("width", at_least=64), width, width=v)
            ]  # fmt: skip
            assert sorted(found) == [64, 256]

    def test_none_and_tuples_are_values(self):
        choice = DiscreteHP("c", [None, (1, 2), 1, True])
        for value in choice.values:
            found = [
                v
                for v in choice.values
                if active(UniformHP("x", 0, 1).when("c", value), choice, c=v)
            ]
            assert list(map(typed, found)) == [typed(value)]

    def test_several_conditions_must_all_hold(self):
        def child():
            return UniformHP("x", 0, 1).when("optimizer", "sgd").when("layers", at_least=3)

        layers = IntegerHP("layers", 1, 4)
        assert active(child(), optimizer(), layers, optimizer="sgd", layers=3)
        assert not active(child(), optimizer(), layers, optimizer="sgd", layers=2)
        assert not active(child(), optimizer(), layers, optimizer="adam", layers=4)

    def test_children_of_inactive_parents_are_inactive_wherever_they_stand(self):
        chain = [
            UniformHP("c", 0, 1).when("b", at_least=0.5),
            UniformHP("b", 0, 1).when("a", at_least=0.5),
            UniformHP("a", 0, 1),
        ]
        space = HyperParameterList(chain)
        assert space.to_row({"a": 0.7, "b": 0.6, "c": 0.1}) == [0.1, 0.6, 0.7]
        assert space.to_row({"a": 0.7, "b": 0.2}) == [INACTIVE, 0.2, 0.7]
        assert space.to_row({"a": 0.2}) == [INACTIVE, INACTIVE, 0.2]

    def test_a_column_of_a_multi_parameter_is_a_parent(self):
        kinds = MultiDiscreteHP("kinds", ["a", "b"], sample_count=2)
        space = HyperParameterList([UniformHP("x", 0, 1).when("kinds_2", "b"), kinds])
        assert space.to_row({"kinds": ["b", "a"]}) == [INACTIVE, "b", "a"]
        assert space.to_row({"kinds": ["a", "b"], "x": 0.5}) == [0.5, "a", "b"]

    def test_multi_parameters_and_own_types_are_conditional(self):
        space = HyperParameterList(
            [
                MultiUniformHP("w", 0, 1, sample_count=2).when("own", "high"),
                OwnHP("own").when("optimizer", "sgd"),
                optimizer(),
            ]
        )
        rows = [space.decode(row) for row in space.draw(200, np.random.SeedSequence(0))]
        for w1, w2, own, name in rows:
            assert (own is INACTIVE) == (name != "sgd")
            assert (w1 is INACTIVE) == (w2 is INACTIVE) == (own != "high")
        assert {row[2] for row in rows} == {"low", "middle", "high", INACTIVE}
        parameters = {name for row in rows for name in space.to_parameters(row)}
        assert parameters == {"w", "own", "optimizer"}

    def test_it_is_part_of_the_text(self):
        text = repr(UniformHP("x", 0, 1).when("o", ["a", "b"]).when("n", at_least=3, at_most=4))
        assert text.endswith(").when('o', ['a', 'b']).when('n', at_least=3, at_most=4)")


class TestRefused:
    @pytest.mark.parametrize(
        ("condition", "message"),
        [
            ({"parent": "nobody", "values": 1}, "Got 'nobody'. There are"),
            ({"parent": "optimizer", "values": "sdg"}, r"one of \['sgd', 'rmsprop', 'adam'\]"),
            ({"parent": "optimizer", "at_least": "sgd"}, "needs an order"),
            ({"parent": "layers", "values": 9}, r"must be in \[1, 4\]"),
            ({"parent": "layers", "at_least": 5}, r"its range is \[1.0, 4.0\]"),
            ({"parent": "layers", "at_least": 3, "at_most": 2}, "never holds"),
            ({"parent": "layers", "at_least": 2.2, "at_most": 2.8}, "never holds"),
            ({"parent": "rate", "values": 0.5}, "use at_least or at_most"),
            ({"parent": "width", "at_most": 8}, "never holds: the values are"),
            ({"parent": "own", "at_least": "low"}, "a type of your own"),
            ({"parent": "w", "values": 0.1}, r"Name one of the columns \['w_1', 'w_2'\]"),
            ({"parent": "x", "values": 0.1}, "x"),
        ],
    )
    def test_conditions_that_cannot_be_met(self, condition, message):
        with pytest.raises(ValueError, match=message):
            HyperParameterList(
                [
                    UniformHP("x", 0, 1).when(**condition),
                    optimizer(),
                    IntegerHP("layers", 1, 4),
                    UniformHP("rate", 0, 1),
                    DiscreteHP("width", [16, 64]),
                    OwnHP("own"),
                    MultiUniformHP("w", 0, 1, sample_count=2),
                ]
            )

    @pytest.mark.parametrize(
        ("condition", "error", "message"),
        [
            ({"parent": "layers", "values": "3"}, TypeError, "must be an int"),
            ({"parent": "layers", "at_least": "3"}, TypeError, "must have numbers as bounds"),
        ],
    )
    def test_values_of_other_types(self, condition, error, message):
        with pytest.raises(error, match=message):
            HyperParameterList([UniformHP("x", 0, 1).when(**condition), IntegerHP("layers", 1, 4)])

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"parent": 3, "values": 1}, TypeError, "must name its parent"),
            ({"parent": "o", "values": []}, ValueError, "at least one value"),
            ({"parent": "o", "values": 1, "at_least": 2}, ValueError, "not both"),
            ({"parent": "o", "values": object()}, TypeError, "must be None, bool, int"),
            ({"parent": "o", "at_least": float("nan")}, ValueError, "must not be NaN"),
        ],
    )
    def test_arguments_that_are_no_condition(self, arguments, error, message):
        with pytest.raises(error, match=message):
            UniformHP("x", 0, 1).when(**arguments)

    def test_circles(self):
        with pytest.raises(ValueError, match=r"circle. Got one among \['a', 'b'\]"):
            HyperParameterList(
                [
                    UniformHP("free", 0, 1),
                    UniformHP("a", 0, 1).when("b", at_least=0.5),
                    UniformHP("b", 0, 1).when("a", at_least=0.5),
                ]
            )

    @pytest.mark.parametrize(
        "contradicting",
        [
            [UniformHP("x", 0, 1).when("optimizer", "sgd").when("optimizer", "adam")],
            [UniformHP("x", 0, 1).when("n", at_least=4).when("n", at_most=2)],
            [
                UniformHP("y", 0, 1).when("optimizer", "sgd"),
                UniformHP("x", 0, 1).when("y", at_least=0.5).when("optimizer", ["rmsprop", "adam"]),
            ],
        ],
    )
    def test_conditions_that_exclude_one_another(self, contradicting):
        with pytest.raises(ValueError, match="'x' can never be active: .* list the values in one"):
            HyperParameterList([*contradicting, optimizer(), IntegerHP("n", 1, 6)])

    def test_conditions_that_overlap(self):
        child = UniformHP("x", 0, 1).when("n", at_least=2).when("n", at_most=4).when("n", [4, 5])
        assert active(child, IntegerHP("n", 1, 6), n=4)

    def test_a_tuple_is_not_a_list_of_values(self):
        with pytest.raises(ValueError, match="A tuple is one value: list several"):
            HyperParameterList(
                [UniformHP("x", 0, 1).when("optimizer", ("sgd", "adam")), optimizer()]
            )

    def test_the_parent_of_another_cannot_be_removed(self):
        space = HyperParameterList([optimizer(), UniformHP("x", 0, 1).when("optimizer", "sgd")])
        with pytest.raises(ValueError, match="must name a parameter"):
            space.remove_hyper_parameter("optimizer")
        assert len(space) == 2
        space.remove_hyper_parameter("x")
        space.remove_hyper_parameter("optimizer")

    def test_parents_may_be_added_later(self):
        space = HyperParameterList()
        space.add_hyper_parameter(UniformHP("x", 0, 1).when("optimizer", "sgd"))
        with pytest.raises(ValueError, match="Got 'optimizer'"):
            space.sample()
        space.add_hyper_parameter(optimizer())
        assert len(space.sample()) == 2

    def test_samples_that_contradict_a_condition(self):
        space = HyperParameterList([UniformHP("x", 0, 1).when("optimizer", "sgd"), optimizer()])
        with pytest.raises(ValueError, match="'x' must be left out, since it is only active where"):
            space.to_row({"x": 0.1, "optimizer": "adam"})
        with pytest.raises(ValueError, match="'x' must have a value where 'optimizer' is 'sgd'"):
            space.to_row({"optimizer": "sgd"})
        with pytest.raises(ValueError, match="'x' must be left out"):
            space.encode([0.1, "adam"])
        with pytest.raises(ValueError, match="'x' must have a value"):
            space.encode([INACTIVE, "sgd"])
        with pytest.raises(ValueError, match="column 'x': must be empty"):
            space.row_from_text(["0.5", "adam"])
        with pytest.raises(ValueError, match="column 'x'"):
            space.row_from_text(["", "sgd"])

    def test_parameters_that_are_always_active_have_a_value(self):
        space = HyperParameterList([UniformHP("x", 0, 1)])
        with pytest.raises(TypeError):
            space.encode([INACTIVE])


class TestConfigs:
    def test_without_conditions_they_are_as_ever(self):
        assert UniformHP("x", 0, 1).conditions == ()
        config = HyperParameterList([UniformHP("x", 0, 1)]).get_config()
        assert [len(entry) for entry in config.values()] == [2]

    def test_conditions_are_readable(self):
        space = HyperParameterList(
            [UniformHP("x", 0, 1).when("optimizer", "sgd").when("n", at_least=2), optimizer(),
             IntegerHP("n", 1, 3)]
        )  # fmt: skip
        assert space.get_config()["x"][2] == [
            {"parent": "optimizer", "values": ["sgd"]},
            {"parent": "n", "at_least": 2},
        ]

    @given(strategies.conditional_spaces())
    def test_they_come_back_from_json(self, space):
        config = json.loads(json.dumps(plain_values.to_json(space.get_config())))
        read = HyperParameterList.load_from_config(plain_values.from_json(config))
        assert [each.conditions for each in read] == [each.conditions for each in space]
        assert repr(read) == repr(space)

    @pytest.mark.parametrize(
        "conditions",
        [
            {},
            3,
            [3],
            [{"parent": "optimizer"}],
            [{"values": ["sgd"]}],
            [{"parent": "optimizer", "values": "sgd"}],
            [{"parent": "optimizer", "values": ["sgd"], "surplus": 1}],
            [{"parent": "optimizer", "values": [{"a": 1}]}],
            [{"parent": 3, "values": ["sgd"]}],
            [{"parent": "optimizer", "values": []}],
        ],
    )
    def test_what_is_no_condition(self, conditions):
        config = HyperParameterList([UniformHP("x", 0, 1), optimizer()]).get_config()
        config["x"].append(conditions)
        with pytest.raises(ValueError, match="'x' has no config of a hyperparameter"):
            HyperParameterList.load_from_config(config)

    def test_a_condition_knows_its_words(self):
        assert str(Condition("n", None, 2, 3)) == "'n' is at least 2 and at most 3"
        assert str(Condition("o", ("a", None))) == "'o' is 'a' or None"


class TestInactive:
    def test_there_is_one(self):
        assert pickle.loads(pickle.dumps(INACTIVE)) is INACTIVE
        assert repr(INACTIVE) == "INACTIVE"
        assert plain_values.from_json(json.loads(json.dumps(plain_values.to_json(INACTIVE)))) is (
            INACTIVE
        )

    def test_no_parameter_can_have_it(self):
        with pytest.raises(TypeError):
            DiscreteHP("x", [1, INACTIVE])


@settings(deadline=None)
@given(strategies.conditional_spaces(), st.integers(0, 2**32))
def test_every_draw_survives_every_form(space, seed):
    for encoded in space.draw(20, np.random.SeedSequence(seed)):
        row = space.decode(encoded)
        assert np.array_equal(space.encode(row), encoded, equal_nan=True) or _is_near(
            space, row, encoded
        )
        texts = space.row_to_text(row)
        assert typed(space.row_from_text(texts)) == typed(row)
        assert [text == "" for text in texts] >= [value is INACTIVE for value in row]
        parameters = space.to_parameters(row)
        assert isinstance(parameters, OrderedDict)
        assert typed(space.to_row(parameters)) == typed(row)
        assert typed(plain_values.from_json(plain_values.to_json(row))) == typed(row)


def _is_near(space, row, encoded):
    return space.encode(row) == pytest.approx(encoded, rel=1e-9, nan_ok=True)


@settings(deadline=None)
@given(strategies.conditional_spaces(), st.integers(0, 2**32))
def test_single_samples_obey_as_draws_do(space, seed):
    space.set_seed(seed)
    for _ in range(5):
        row = space.sample()
        assert np.isnan(space.encode(row)).tolist() == [value is INACTIVE for value in row]


def test_a_distribution_of_scipy_is_a_parent():
    from scipy import stats

    space = HyperParameterList(
        [UniformHP("x", 0, 1).when("b", at_least=0.25), DistributionHP("b", stats.beta(2, 3))]
    )
    rows = space.draw(2000, np.random.SeedSequence(0))
    assert np.array_equal(np.isnan(rows[:, 0]), rows[:, 1] < 0.25)


def test_bounds_beyond_all_floats():
    child = UniformHP("x", 0, 1).when("n", at_least=-(10**400), at_most=10**400)
    assert not HyperParameterList([IntegerHP("n", 1, 3), child]).hierarchy.is_trivial
    with pytest.raises(ValueError, match="never holds: its range"):
        HyperParameterList([IntegerHP("n", 1, 3), UniformHP("x", 0, 1).when("n", at_least=10**400)])


@pytest.mark.parametrize(
    "parent",
    [IntegerHP("n", 0, 2**52, step=2), UniformHP("n", 0, 1e5, step=1e-6)],
)
def test_bounds_among_more_steps_than_memory_holds(parent):
    child = UniformHP("x", 0, 1).when("n", at_least=5)
    assert not HyperParameterList([parent, child]).hierarchy.is_trivial


def test_bounds_between_two_steps():
    child = UniformHP("x", 0, 1).when("n", at_least=5, at_most=5)
    with pytest.raises(ValueError, match="never holds: its range"):
        HyperParameterList([IntegerHP("n", 0, 10, step=2), child])


def test_an_active_parameter_without_a_text():
    space = HyperParameterList([DiscreteHP("k", ["a", "b"]), UniformHP("x", 0, 1).when("k", "a")])
    with pytest.raises(ValueError, match="column 'x': 'x' must have a value where 'k' is 'a'"):
        space.row_from_text(["a", ""])
    with pytest.raises(ValueError, match="column 'x': could not convert"):
        space.row_from_text(["a", "?"])


def test_a_parent_that_is_removed_is_named():
    space = HyperParameterList([DiscreteHP("k", ["a", "b"]), UniformHP("x", 0, 1).when("k", "a")])
    with pytest.raises(ValueError, match=r"'k' cannot be removed\. A condition of 'x'"):
        space.remove_hyper_parameter("k")
    assert space.get_parameter_names() == ["k", "x"]
