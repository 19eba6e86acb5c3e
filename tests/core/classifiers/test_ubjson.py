"""UBJSON: what XGBoost writes comes back, and nothing else is believed."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pyshac.core.classifiers import ubjson
from pyshac.core.classifiers.boosted_trees import BoostedTrees


def length(count: int) -> bytes:
    return struct.pack(">cq", b"L", count)


def equal(left: object, right: object) -> bool:
    if isinstance(left, np.ndarray):
        return (
            isinstance(right, np.ndarray)
            and left.dtype == right.dtype
            and left.tobytes() == right.tobytes()
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return type(left) is type(right) and left == right


VALUES = st.recursive(
    st.one_of(
        st.text(max_size=5),
        st.integers(-(2**63), 2**63 - 1),
        st.lists(st.integers(-100, 100), max_size=5).map(lambda x: np.array(x, np.int32)),
        st.lists(st.floats(width=32), max_size=5).map(lambda x: np.array(x, np.float32)),
        st.lists(st.integers(0, 255), max_size=5).map(lambda x: np.array(x, np.uint8)),
    ),
    lambda items: st.one_of(
        st.lists(items, max_size=4), st.dictionaries(st.text(max_size=5), items, max_size=4)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_encoded_comes_back(value):
    assert equal(ubjson.decode(ubjson.encode(value)), value)


def test_a_model_of_xgboost():
    rows = np.random.default_rng(0).random((40, 3), dtype=np.float32)
    trees = BoostedTrees(0).fit(rows, rows[:, 0] > 0.5)
    model = ubjson.decode(trees.to_bytes())
    assert set(model) == {"learner", "version"}
    first = model["learner"]["gradient_booster"]["model"]["trees"][0]
    assert first["left_children"].dtype == np.int32
    assert first["split_conditions"].dtype == np.float32
    again = BoostedTrees.from_bytes(ubjson.encode(model))
    assert again.to_bytes() == trees.to_bytes()
    assert np.array_equal(again.margin(rows), trees.margin(rows))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Z",
        b"T",
        b"C\x00",
        b"{",
        b"[",
        b"[]",
        b"[#",
        b"[#i\x01",
        b"[$",
        b"[$Z#" + length(1),
        b"[$l#" + length(10**12),
        b"[$l#" + length(-1),
        b"[$l#" + length(2**63 - 1),
        b"[#" + length(10**12),
        b"[#" + length(3) + b"i\x01i\x02",
        b"S" + length(-1),
        b"S" + length(10**15) + b"x",
        b"S" + length(1) + b"\xff",
        b"{" + length(1) + b"a",
        b"{" + length(1) + b"ai\x01",
        b"{" + (length(1) + b"ai\x01") * 2 + b"}",
        b"i",
        b"l\x00\x00",
        b"i\x01i\x01",
        b"[#" + length(1),
        (b"[#" + length(1)) * 5000 + b"i\x01",
        (b"{" + length(1) + b"a") * 5000 + b"i\x01" + b"}" * 5000,
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError):
        ubjson.decode(data)


def test_every_truncation_is_refused():
    data = ubjson.encode({"a": [1, 300, "x"], "b": np.arange(3, dtype=np.int32)})
    for end in range(len(data)):
        with pytest.raises(ValueError):
            ubjson.decode(data[:end])
