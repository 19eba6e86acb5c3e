"""Results of evaluations: a score, or a mapping with a score and extras."""

from __future__ import annotations

import enum
import math
from collections import OrderedDict, UserDict
from datetime import datetime, timezone

import numpy as np
import pytest

from pyshac.core.basics.results.details import (
    MAX_FAILURE_LENGTH,
    as_datetime,
    is_date,
    storable_failure,
)
from pyshac.core.basics.results.extras import split_result


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


def extras_of(**values):
    return split_result({"score": 1, **values}, "sample 3")[1]


@pytest.mark.parametrize("result", [0.5, np.float32(0.5), np.array([0.5])])
def test_a_score_alone(result):
    assert split_result(result, "sample 3") == (0.5, {})


@pytest.mark.parametrize("mapping", [dict, OrderedDict, UserDict])
def test_any_mapping(mapping):
    result = mapping({"loss": 2, "score": np.float64(0.5), "note": "x"})
    assert split_result(result, "sample 3") == (0.5, {"loss": 2, "note": "x"})
    assert "score" in result


@pytest.mark.parametrize("score", [math.nan, math.inf, np.float64("nan")])
def test_a_failed_evaluation_keeps_its_extras(score):
    found, extras = split_result({"score": score, "epochs": 2}, "sample 3")
    assert math.isnan(found)
    assert extras == {"epochs": 2}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True), (np.bool_(False), False), (3, 3), (np.int64(-3), -3), (np.uint8(7), 7),
        (2**63 - 1, 2**63 - 1), (-(2**63), -(2**63)), (0.1, 0.1), (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5), (np.array(2.5), 2.5), (np.array([4]), 4), (math.inf, math.inf),
        ("", ""), ("é\n", "é\n"), (np.str_("x"), "x"), (Colour.RED, "red"), (Level.LOW, 1),
        ("x" * 1000, "x" * 1000),
    ],
    ids=repr,
)  # fmt: skip
def test_values_become_plain(value, expected):
    found = extras_of(value=value)["value"]
    assert (type(found), found) == (type(expected), expected)


def test_nan_is_a_value():
    assert math.isnan(extras_of(value=np.float32("nan"))["value"])


@pytest.mark.parametrize(
    "value",
    [
        None, [1, 2], (), {}, {"a": 1}, b"x", 1j, object(), 2**63, -(2**63) - 1, np.arange(3),
        np.datetime64("2020-01-01"), "x" * 1001, "\0", "\ud800", datetime(2020, 1, 1),
    ],
    ids=lambda value: repr(value)[:20].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_other_values(value):
    with pytest.raises(TypeError, match=r"sample 3 has .* as 'value'.*up to 64 values: bools"):
        extras_of(value=value)


@pytest.mark.parametrize("name", ["", "x" * 101, 3, None, ("a",), "\0", "\ud800", b"loss"])
def test_other_names(name):
    with pytest.raises(TypeError, match="sample 3 has a value named .*1 to 100 such characters"):
        split_result({"score": 1, name: 2}, "sample 3")


def test_too_many():
    assert len(extras_of(**{f"n{number}": number for number in range(64)})) == 64
    with pytest.raises(TypeError, match="sample 3 has 65 extras"):
        extras_of(**{f"n{number}": number for number in range(65)})


def test_no_score():
    with pytest.raises(TypeError, match=r"sample 3 has no 'score', but only \['accuracy'\]"):
        split_result({"accuracy": 0.5}, "sample 3")
    with pytest.raises(TypeError, match="score of sample 3 must be a number. Got 'high'"):
        split_result({"score": "high", "loss": 1}, "sample 3")


def test_a_mapping_that_cannot_be_read():
    class Broken(UserDict):
        def keys(self):
            raise OSError("gone")

        __iter__ = keys

    with pytest.raises(TypeError, match="sample 3 is a mapping that cannot be read"):
        split_result(Broken(score=1), "sample 3")


def test_dates():
    assert as_datetime(None) is None
    assert as_datetime(1.5) == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=timezone.utc)
    for limit in (-62_135_000_000.0, 253_402_000_000.0):
        assert is_date(limit)
        assert as_datetime(limit).tzinfo is timezone.utc
    assert not any(map(is_date, (math.nan, math.inf, -math.inf, 1e12, -1e12)))


def test_reasons_can_be_stored():
    text = storable_failure("\ud800 " + "x" * 10_000)
    assert len(text) == MAX_FAILURE_LENGTH
    assert text.startswith("\\ud800 x")
    assert text.encode("utf-8")
