"""Objects as choices, their names, and choices whose order counts."""

from __future__ import annotations

import copy
import enum
import functools
import json
import math
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
import pytest

from pyshac.core.basics import plain_values
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import (
    DiscreteHP,
    HyperParameterList,
    MultiDiscreteHP,
    OrdinalHP,
    UniformHP,
)
from pyshac.core.hyperparameters.space.frozen import frozen_copy
from pyshac.core.hyperparameters.types.objects import require_objects
from tests.strategies import typed


class Color(enum.Enum):
    """An enum."""

    RED = 1
    BLUE = 2


class Outer:
    """A class that holds another one."""

    class Inner:
        """The other one."""

    @classmethod
    def make(cls):
        return cls()

    def method(self):
        return 1


@dataclass
class Config:
    """A value with a repr of its own."""

    width: int
    names: set[str] = field(default_factory=set)


class Silent:
    """A value that cannot be shown."""

    def __repr__(self):
        raise RuntimeError("not shown")


def double(x):
    return 2 * x


VALUES = {"double": double, "array": np.arange(3), "none": None, "list": [1, {"a": 2}]}


class TestNamed:
    def test_samples_have_names_and_functions_receive_objects(self):
        parameter = DiscreteHP("p", VALUES)
        assert parameter.values == ("double", "array", "none", "list")
        assert parameter.column_kind.choices == parameter.values
        assert not parameter.is_ordered
        space = HyperParameterList([parameter, UniformHP("x", 0, 1)])
        row = space.decode([1, 0.5])
        assert row == ["array", 0.5]
        assert space.to_parameters(row)["p"] is VALUES["array"]
        assert space.to_parameters(row, named=True) == {"p": "array", "x": 0.5}

    @pytest.mark.parametrize("name", VALUES)
    def test_a_sample_is_found_by_object_and_by_name(self, name):
        space = HyperParameterList([DiscreteHP("p", VALUES)])
        assert space.to_row({"p": VALUES[name]}) == [name]
        assert space.to_row({"p": name}) == [name]
        assert space.to_stored_row({"p": VALUES[name]}) == [name]

    def test_equal_objects_of_one_type_are_the_same(self):
        parameter = DiscreteHP("p", {"one": 1, "yes": True, "real": 1.0, "list": [1, 2]})
        assert [parameter.from_object(value) for value in (1, True, 1.0, [1, 2])] == [
            "one", "yes", "real", "list",
        ]  # fmt: skip

    def test_what_is_a_name_and_an_object_is_the_object(self):
        parameter = DiscreteHP("p", {"a": "b", "b": "a"})
        assert parameter.from_object("a") == "b"
        space = HyperParameterList([parameter])
        assert space.to_row({"p": "a"}) == ["b"]
        assert space.to_row({"p": "a"}, named=True) == ["a"]

    @pytest.mark.parametrize("wrong", [object(), "nobody", np.ones(2), 5, double(1)])
    def test_others_are_refused(self, wrong):
        space = HyperParameterList([DiscreteHP("p", VALUES)])
        message = r"must be one of \['double', .*, or the object that one of them names"
        with pytest.raises(ValueError, match=message):
            space.to_row({"p": wrong})

    def test_lists_of_them(self):
        parameter = MultiDiscreteHP("p", {"double": double, "array": VALUES["array"]}, 3)
        space = HyperParameterList([parameter])
        row = ["array", "double", "array"]
        received = space.to_parameters(row)["p"]
        assert all(value is VALUES[name] for value, name in zip(received, row, strict=True))
        assert space.to_row({"p": received}) == row
        assert space.to_row({"p": ["array", double, "array"]}) == row

    def test_copies_have_the_same_objects(self):
        space = HyperParameterList([DiscreteHP("p", VALUES), MultiDiscreteHP("m", VALUES, 2)])
        for again in (copy.deepcopy(space), frozen_copy(space)):
            assert again["p"] is not space["p"]
            for name, value in VALUES.items():
                assert again["p"].to_object(name) is value
                assert again["m"].to_object([name])[0] is value


class TestConfig:
    @pytest.mark.parametrize(
        "parameter", [DiscreteHP("p", VALUES), MultiDiscreteHP("p", VALUES), OrdinalHP("p", VALUES)]
    )
    def test_a_file_has_names_only(self, parameter):
        config = json.loads(json.dumps(plain_values.to_json(parameter.get_config())))
        assert config["values"] == [*VALUES]
        assert config["objects"] is True
        again = type(parameter).load_from_config(plain_values.from_json(config))
        assert again.lacks_objects
        assert not parameter.lacks_objects
        assert again.get_config() == parameter.get_config()
        assert again.column_kind == parameter.column_kind

    def test_of_plain_values_it_is_as_before(self):
        config = DiscreteHP("p", [1, "a", (2, None)]).get_config()
        assert config == {"name": "p", "seed": None, "values": [1, "a", (2, None)]}

    def test_names_alone_are_good_for_looking_only(self):
        space = HyperParameterList([UniformHP("x", 0, 1), DiscreteHP("p", VALUES)])
        require_objects(space)
        again = HyperParameterList.load_from_config(space.get_config())
        assert again.to_parameters([0.5, "array"]) == {"x": 0.5, "p": "array"}
        assert again.to_row({"x": 0.5, "p": "array"}) == [0.5, "array"]
        with pytest.raises(ValueError, match="must be one of"):
            again.to_row({"x": 0.5, "p": VALUES["array"]})
        with pytest.raises(
            SaveDirectoryError, match="values of 'p' are objects, which no file hol"
        ):
            require_objects(again)

    @pytest.mark.parametrize("values", [{"a": 1}, [{"a": 1}], "ab", None, [[float("nan")]]])
    @pytest.mark.parametrize("objects", [True, False])
    def test_a_file_cannot_bring_objects(self, values, objects):
        config = {"p": ["DiscreteHP", {"name": "p", "values": values, "objects": objects}]}
        with pytest.raises(ValueError, match="'p' has no config of a hyperparameter"):
            HyperParameterList.load_from_config(config)


class TestTexts:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (double, "double"),
            (Outer, "Outer"),
            (Outer.Inner, "Outer.Inner"),
            (Outer.make, "Outer.make"),
            (math.tanh, "tanh"),
            (np.tanh, "tanh"),
            (len, "len"),
            (Color.RED, "Color.RED"),
            (np.arange(3), "array([0, 1, 2])"),
            (np.arange(3.0), "array([0.0, 1.0, 2.0])"),
            ({"a": 1, "b": [double, None]}, "{'a': 1, 'b': [double, None]}"),
            ((double, 3), "(double, 3)"),
            (PurePosixPath("a"), "PurePosixPath('a')"),
            (1 + 2j, "(1+2j)"),
            (Color, "Color"),
        ],
    )  # fmt: skip
    def test_objects_in_a_list_have_them_as_names(self, value, text):
        parameter = DiscreteHP("p", [value, "other"])
        assert parameter.values == (text, "other")
        assert parameter.to_object(text) is value
        assert parameter.from_object(value) == text

    def test_plain_values_beside_them_stay_what_they_are(self):
        parameter = DiscreteHP("p", [double, 1, 1.0, "1", None, [3, 4], np.float64(2)])
        values = ("double", 1, 1.0, "1", None, (3, 4), 2.0)
        assert typed(parameter.values) == typed(values)
        assert typed(tuple(map(parameter.to_object, values[1:]))) == typed(values[1:])
        space = HyperParameterList([parameter])
        assert typed(space.to_stored_row({"p": [3, 4]})) == typed([(3, 4)])

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (lambda x: x, "a lambda has no name of its own"),
            (functools.partial(double, 2), "its repr has an address in memory"),
            (Outer(), "its repr has an address in memory"),
            (Outer().method, "it is a method of an object"),
            ([].append, "it is a method of an object"),
            ({1, 2}, "the order of a set differs between processes"),
            (Config(3, {"a:b", "c"}), "the order of a set differs between processes"),
            ([frozenset("ab"), double], "the order of a set differs between processes"),
            (np.arange(5000), "its text is longer than 1000 characters"),
            (Silent(), "its repr fails"),
        ],
        ids=range(10),
    )
    def test_objects_without_one_need_names(self, value, reason):
        with pytest.raises(TypeError, match=reason) as caught:
            DiscreteHP("p", [value, 3])
        assert "Give the values names: {'a': ..., 'b': ...}" in str(caught.value)
        assert DiscreteHP("p", {"a": value}).to_object("a") is value

    def test_functions_inside_functions_need_names(self):
        def local():
            return 1

        with pytest.raises(TypeError, match="it is defined inside a function"):
            DiscreteHP("p", [local])

    @pytest.mark.parametrize(
        "values",
        [[math.tanh, np.tanh], ["double", double], [double, double], [{1: 2}, {1: 2}]],
    )
    def test_texts_must_be_distinct(self, values):
        with pytest.raises(ValueError, match=r"must have distinct texts.*Give the values names"):
            DiscreteHP("p", values)

    def test_names_are_text_that_files_can_hold(self):
        with pytest.raises(TypeError, match=r"names of the values of 'p' must be str.*Got 3"):
            DiscreteHP("p", {3: double})
        with pytest.raises(ValueError, match="without NUL"):
            DiscreteHP("p", {"\0": double})


class TestOrder:
    @pytest.mark.parametrize("values", [["S", "M", "L"], [3, 1, 2], {"a": double, "b": Outer}])
    def test_it_counts_whatever_the_values_are(self, values):
        parameter = OrdinalHP("size", values)
        assert parameter.is_ordered
        assert parameter.column_kind.is_ordered
        assert not HyperParameterList([parameter]).is_choice.any()
        assert not DiscreteHP("size", values).is_ordered

    def test_otherwise_it_is_a_choice(self):
        parameter = OrdinalHP("size", ["S", "M", "L"])
        assert isinstance(parameter, DiscreteHP)
        assert [parameter.encode(value) for value in "SML"] == [0, 1, 2]
        again = HyperParameterList.load_from_config(HyperParameterList([parameter]).get_config())
        assert type(again["size"]) is OrdinalHP
