"""Rows kept as columns read just as the lists that went in."""

from __future__ import annotations

import copy
import pickle
import sys
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pyshac.core.callbacks.samples import Samples
from pyshac.core.dataset.rows import Column, Rows
from tests import strategies
from tests.strategies import typed

# Columns of one type and of several; the limits of what an array of ints holds.
numbers = st.sampled_from([2**63, 2**63 - 1, -(2**63), -(2**63) - 1, -0.0, 0.0, float("inf")])
values = st.one_of(strategies.scalars, st.floats(allow_nan=False), st.integers(), numbers)


def tables(width):
    row = st.lists(values, min_size=width, max_size=width)
    places = st.integers(0, 100)
    return st.lists(st.tuples(places, row), max_size=8)


def filled(inserts):
    """The rows, and the list of lists that they have to be."""
    rows, expected = Rows(), []
    for place, row in inserts:
        place = min(place, len(expected))
        rows.insert(place, row)
        expected.insert(place, row)
    return rows, expected


@given(tables(3))
def test_rows_read_like_the_list_that_they_are(inserts):
    rows, expected = filled(inserts)
    assert typed(list(rows)) == typed(expected)
    assert typed(rows[1:]) == typed(expected[1:])
    assert typed([rows[place] for place in range(-len(rows), len(rows))]) == typed(expected * 2)
    assert len(rows) == len(expected)
    assert rows == expected
    assert expected == rows
    assert repr(rows) == repr(expected)


@given(tables(2), st.integers(0, 9), st.randoms())
def test_rows_are_cut_and_sorted(inserts, count, random):
    rows, expected = filled(inserts)
    order = list(range(len(expected)))
    random.shuffle(order)
    rows.sort(np.array(order, dtype=np.int64))
    expected = [expected[place] for place in order]
    assert typed(list(rows)) == typed(expected)
    rows.cut(count)
    assert typed(list(rows)) == typed(expected[:count])
    rows.insert(0, [1.5, "a"])
    assert typed(list(rows)) == typed([[1.5, "a"], *expected[:count]])


def test_they_are_joined_to_lists():
    rows, _ = filled([(0, [1, 2]), (1, [3, 4])])
    samples = Samples(SAMPLES)
    assert rows + [[5, 6]] == [[1, 2], [3, 4], [5, 6]]
    assert [[5, 6]] + rows == [[5, 6], [1, 2], [3, 4]]
    assert rows + rows == [[1, 2], [3, 4]] * 2
    assert [] + samples == SAMPLES


def test_other_libraries_take_them_for_lists():
    pandas = pytest.importorskip("pandas")
    rows, expected = filled([(0, [1, "a"]), (1, [3, "b"])])
    assert np.array(rows, dtype=object).tolist() == expected
    assert pandas.DataFrame(rows).to_numpy().tolist() == expected
    frame = pandas.DataFrame(Samples(SAMPLES))
    assert frame.to_dict("records") == SAMPLES
    assert pickle.loads(pickle.dumps(rows)) == rows
    assert copy.deepcopy(Samples(SAMPLES)) == SAMPLES


def test_rows_differ():
    rows, _ = filled([(0, [1, 2])])
    for other in ([[1, 3]], [], [[1, 2], [1, 2]], [1, 2], None, ((1, 2),)):
        assert rows != other
    with pytest.raises(IndexError):
        rows[1]
    with pytest.raises(TypeError, match="unhashable"):
        hash(rows)


def test_rows_cannot_be_changed_through_what_they_return():
    rows, _ = filled([(0, [1.5, "a"])])
    rows[0][0] = 7
    assert rows == [[1.5, "a"]]


SAMPLES = [
    OrderedDict(a=0.5, w=[1, 2], kind="x", pair=(3, 3), none=None),
    OrderedDict(a=1.5, w=[3, 4], kind="y", pair=(1, 1), none=None),
]


def test_samples_read_like_the_list_that_they_are():
    samples = Samples(SAMPLES)
    assert list(samples) == SAMPLES
    assert [type(sample) for sample in samples] == [OrderedDict] * 2
    assert samples == SAMPLES
    assert SAMPLES == samples  # noqa: SIM300
    assert Samples(SAMPLES) == samples
    assert samples != SAMPLES[:1]
    assert (samples[-1], samples[:1], len(samples)) == (SAMPLES[1], SAMPLES[:1], 2)
    assert repr(samples) == repr(SAMPLES)
    assert list(Samples([])) == []


def test_numbers_take_eight_bytes_each():
    rows = Rows()
    for number in range(10_000):
        rows.insert(number, [number + 0.5, 2**40 + number, "text"])
    # Arrays grow by an eighth at a time.
    held = sum(sys.getsizeof(column._values) for column in rows._columns)
    assert held < 10_000 * 3 * 8 * 1.2


@given(st.lists(st.tuples(st.integers(0, 100), values), max_size=8), st.data())
def test_a_column_reads_like_a_list(inserts, data):
    column, expected = Column(), []
    for place, value in inserts:
        place = min(place, len(expected))
        column.insert(place, value)
        expected.insert(place, value)
    order = data.draw(st.permutations(range(len(expected))))
    column.sort(np.array(order, dtype=np.int64))
    expected = [expected[place] for place in order]
    assert typed(list(column)) == typed(expected)
    assert typed(column[1:-1]) == typed(expected[1:-1])
    column.cut(3)
    assert typed(list(column)) == typed(expected[:3])


def test_a_column_of_numbers_is_an_array_to_numpy():
    column = Column()
    for number in range(3):
        column.insert(number, 2**53 + number)
    found = np.array(column)
    assert found.dtype == np.int64
    assert found.tolist() == [2**53, 2**53 + 1, 2**53 + 2]


@pytest.mark.parametrize(
    "second",
    [{"b": 1, "a": 2}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": [1, 2], "b": 2}],
)
def test_samples_that_are_not_alike_are_refused(second):
    with pytest.raises(ValueError, match="Samples must be alike"):
        Samples([{"a": 1, "b": 2}, second])
