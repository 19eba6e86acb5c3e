"""Checks of whole numbers and scores."""

from __future__ import annotations

import math
from array import array
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pyshac.core.basics.checks import check_int, check_positive, check_score
from tests.strategies import typed

NAN, INF = math.nan, math.inf


class Number:
    """Its conversion to a float gives what it was made of, or raises it."""

    def __init__(self, content):
        self.content = content

    def __repr__(self):
        return f"Number({self.content!r})"

    def __float__(self):
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


class NumericText(str):
    """A text with a conversion of its own."""

    def __float__(self):
        return 0.5


class Unreadable:
    """Like an array of a device that was lost: nothing works, its text neither."""

    def item(self):
        raise RuntimeError("device lost")

    __repr__ = item


class TestCheckInt:
    @pytest.mark.parametrize("number", [3, np.int64(3), np.uint8(3), np.array(3)], ids=repr)
    def test_whatever_is_a_whole_number_becomes_an_int(self, number):
        assert typed(check_int("n", number)) == typed(3)

    @pytest.mark.parametrize("number", [True, np.True_, 3.0, "3", None, [3]], ids=repr)
    def test_other_things_are_refused_with_what_came(self, number):
        with pytest.raises(TypeError) as caught:
            check_positive("n", number)
        assert str(caught.value) == f"n must be an int of at least 1. Got {number!r} instead."

    def test_a_number_that_is_not_allowed_is_a_wrong_value(self):
        with pytest.raises(ValueError, match="n must be an int of at least 1. Got 0 instead."):
            check_positive("n", np.int64(0))


class TestCheckScore:
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_finite_floats_are_kept(self, score):
        assert typed(check_score(score, "sample 1")) == typed(score)

    @pytest.mark.parametrize(
        ("score", "result"),
        [
            (3, 3.0),
            (Fraction(1, 4), 0.25),
            (Decimal("0.5"), 0.5),
            (np.float32(0.5), 0.5),
            (np.int64(2), 2.0),
            (np.array(0.5), 0.5),
            (np.array([0.5]), 0.5),
            (np.array([[0.5]]), 0.5),
            (np.longdouble("0.5"), 0.5),
            (np.array([0.5], dtype=object), 0.5),
            (np.ma.array([0.5]), 0.5),
            (Number(0.5), 0.5),
        ],
        ids=repr,
    )
    def test_whatever_holds_one_number_is_a_score(self, score, result):
        assert typed(check_score(score, "sample 1")) == typed(result)

    @pytest.mark.parametrize(
        "score",
        [NAN, INF, -INF, np.float64("nan"), np.float16("inf"), np.longdouble("1e4000")]
        + [10**400, -(10**400), Fraction(10**400), Decimal("1e400"), Decimal("NaN")],
        ids=repr,
    )
    def test_what_is_not_finite_stands_for_a_failed_sample(self, score):
        assert math.isnan(check_score(score, "sample 1"))

    @pytest.mark.parametrize(
        "score",
        [np.ma.masked, np.ma.masked_invalid([NAN]).mean(), np.ma.array(1.5, mask=True)]
        + [np.ma.array([[1.5]], mask=True)],
        ids=repr,
    )
    def test_so_does_what_is_masked(self, score):
        assert math.isnan(check_score(score, "sample 1"))

    @pytest.mark.parametrize(
        "score",
        [None, "0.5", b"0.5", True, np.True_, [0.5], (0.5,), {"score": 1}, 1j, np.zeros(2), object]
        + [np.array("0.5"), np.array([]), np.array(True), np.array([None])]
        + [bytearray(b"0.5"), memoryview(b"5"), array("b", b"5"), NumericText("0.5"), [], {}]
        + [np.str_("0.5"), np.bytes_(b"5"), np.void(b"5"), np.complex64(1), np.array([1j])]
        + [np.array((1.0,), dtype=[("a", float)]), np.array([["0.5"]], dtype=object)]
        + [np.datetime64("2020-01-01", "ns"), np.timedelta64(5, "ns"), np.timedelta64(5, "s")]
        + [np.array(["2020-01-01"], dtype="M8[ns]"), np.array(5, dtype="m8[ns]")]
        + [datetime.now(), timedelta(1), np.ma.array([1.0, 2.0], mask=[True, True]), (0.5, 0.9)]
        + [np.datetime64("NaT", "s"), Number("0.5"), Number(None), Number(ValueError())],
        ids=lambda score: type(score).__name__,
    )
    def test_other_things_are_refused_with_the_sample_and_what_came_back(self, score):
        with pytest.raises(TypeError) as caught:
            check_score(score, "sample 7")
        assert "The score of sample 7 must be a number." in str(caught.value)
        assert f"Got {score!r} of type {type(score).__name__}" in str(caught.value)
        assert "NaN marks a failed evaluation." in str(caught.value)

    def test_one_that_cannot_be_shown_is_refused_with_the_reason(self):
        with pytest.raises(TypeError, match="without a text: RuntimeError"):
            check_score(Unreadable(), "sample 7")

    def test_a_long_one_is_cut_in_the_message(self):
        with pytest.raises(TypeError) as caught:
            check_score("x" * 10**6, "sample 7")
        assert len(str(caught.value)) < 500
