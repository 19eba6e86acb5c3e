"""Plain values: their texts, their JSON, and what they may be."""

from __future__ import annotations

import json
import math
from collections import Counter, OrderedDict

import numpy as np
import pytest
from hypothesis import given

from pyshac.core.basics import plain_values
from tests import strategies
from tests.strategies import typed


class TestTexts:
    @given(strategies.plain_values)
    def test_a_value_is_the_same_after_text(self, value):
        assert typed(plain_values.from_text(plain_values.to_text(value))) == typed(value)

    @given(strategies.plain_values, strategies.plain_values)
    def test_different_values_have_different_texts(self, first, second):
        is_same = plain_values.identity(first) == plain_values.identity(second)
        if typed(first) == typed(second) or not is_same:
            assert (plain_values.to_text(first) == plain_values.to_text(second)) is is_same

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("adam", "adam"),
            (1, "1"),
            (1.0, "1.0"),
            ("1", '"1"'),
            (True, "true"),
            ("true", '"true"'),
            ("True", "True"),
            (None, "null"),
            ("", '""'),
            (" ", " "),
            ((3, 3), "[3, 3]"),
            ("[3, 3]", '"[3, 3]"'),
            (("1", (None,)), '["1", [null]]'),
            (math.inf, "Infinity"),
            ("é, 漢", "é, 漢"),
        ],
    )
    def test_texts_are_readable(self, value, text):
        assert plain_values.to_text(value) == text
        assert typed(plain_values.from_text(text)) == typed(value)

    @pytest.mark.parametrize("text", ["01", "1_0", "0x1", "nope", "{", "[" * 100_000])
    def test_what_is_no_json_stands_for_itself(self, text):
        assert plain_values.from_text(text) == text
        assert plain_values.to_text(text) == text

    def test_numbers_keep_every_digit(self):
        for value in (0.1 + 0.2, 5e-324, -1.7976931348623157e308, 2**200, -(2**63)):
            assert plain_values.from_text(plain_values.to_text(value)) == value


class TestJson:
    @given(strategies.plain_values)
    def test_a_value_is_the_same_after_json(self, value):
        text = json.dumps(plain_values.to_json(value))
        assert typed(plain_values.from_json(json.loads(text))) == typed(value)

    def test_lists_and_dicts_around_values_stay_what_they_are(self):
        config = {"values": [(1, (2,)), [1], None], "nested": {"a": ((),)}}
        again = plain_values.from_json(json.loads(json.dumps(plain_values.to_json(config))))
        assert again == config
        assert typed(again["values"]) == typed(config["values"])


class TestIdentity:
    @given(strategies.plain_values, strategies.plain_values)
    def test_equal_for_equal_values_of_equal_types_only(self, first, second):
        def signless(value):
            return repr(typed(value)).replace("'-0.0'", "'0.0'")

        same = plain_values.identity(first) == plain_values.identity(second)
        assert same == (signless(first) == signless(second))
        if same:
            assert hash(plain_values.identity(first)) == hash(plain_values.identity(second))

    def test_five_lookalikes_are_five_values(self):
        assert len({plain_values.identity(value) for value in (1, 1.0, "1", True, None)}) == 5
        assert len({plain_values.identity((value,)) for value in (1, 1.0, "1", True, None)}) == 5


class TestCheck:
    @given(strategies.plain_values)
    def test_plain_values_are_returned_as_they_are(self, value):
        assert typed(plain_values.check_value(value, "x")) == typed(value)

    @pytest.mark.parametrize(
        ("value", "result"),
        [
            (np.int64(3), 3),
            (np.float64(0.5), 0.5),
            (np.bool_(True), True),
            (np.str_("a"), "a"),
            ([1, [np.int8(2), "x"]], (1, (2, "x"))),
            ((np.float32(0.5),), (0.5,)),
        ],
    )
    def test_numpy_scalars_and_lists_become_plain(self, value, result):
        assert typed(plain_values.check_value(value, "x")) == typed(result)

    @pytest.mark.parametrize(
        ("value", "error", "message"),
        [
            (object, TypeError, "The thing must be None, bool, int, float, str or tuples"),
            ({"a": 1}, TypeError, "Got {'a': 1} of type dict"),
            (b"x", TypeError, "of type bytes"),
            ((1, {2}), TypeError, "Got {2} of type set"),
            (np.zeros(2), TypeError, "of type ndarray"),
            (math.nan, ValueError, "The thing must not be NaN"),
            (np.float32("nan"), ValueError, "The thing must not be NaN"),
            (("a", math.nan), ValueError, "The thing must not be NaN"),
            ("a\0b", ValueError, "The thing must be text that a UTF-8 CSV file can hold"),
            ("\udc80", ValueError, "Got '\\udc80' instead"),
            ("x" * 70_000, ValueError, "(70000 characters)"),
        ],
    )
    def test_other_values_are_refused(self, value, error, message):
        with pytest.raises(error) as caught:
            plain_values.check_value(value, "The thing")
        assert message in str(caught.value)
        assert len(str(caught.value)) < 400

    def test_subclasses_of_plain_types_are_refused(self):
        class Name(str):
            pass

        with pytest.raises(TypeError, match="of type Name"):
            plain_values.check_value(Name("a"), "x")


def test_copies_are_of_lists_and_dicts_alone():
    odd = Counter("aab")
    value = OrderedDict(a=[1, {"b": [2]}], c=odd, d=(3,))
    copied = plain_values.copied(value)
    assert type(copied) is OrderedDict
    assert copied == value
    assert copied["a"] is not value["a"]
    assert copied["a"][1]["b"] is not value["a"][1]["b"]
    assert copied["c"] is odd


def test_what_is_plain():
    assert plain_values.is_plain([1, ("a", None), [True, 2.5]])
    assert not plain_values.is_plain([1, (len,)])
    assert not plain_values.is_plain(np.float64(1))
    assert not plain_values.is_plain({"a": 1})
