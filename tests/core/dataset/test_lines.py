"""Lines that are compressed read like lines that are not."""

from __future__ import annotations

import random
import sys

import numpy as np
from hypothesis import given, strategies as st

from pyshac.core.dataset.formats import lines as module
from pyshac.core.dataset.formats.lines import Lines

texts = st.binary(max_size=6)
changes = st.one_of(
    st.tuples(st.just("insert"), st.integers(0, 30), texts),
    st.tuples(st.just("append"), st.just(0), texts),
    st.tuples(st.just("cut"), st.integers(0, 30), st.none()),
    st.tuples(st.just("sort"), st.integers(0, 2**32), st.none()),
    st.tuples(st.just("pack"), st.just(0), st.none()),
)


@given(st.lists(changes, max_size=30))
def test_any_changes_leave_the_lines_of_a_list(steps):
    lines, expected = Lines(), []
    for what, number, text in steps:
        if what == "insert":
            place = min(number, len(expected))
            lines.insert(place, text)
            expected.insert(place, text)
        elif what == "append":
            lines.insert(len(expected), text)
            expected.append(text)
        elif what == "cut":
            lines.cut(number)
            del expected[number:]
        elif what == "sort":
            order = random.Random(number).sample(range(len(expected)), len(expected))
            lines.sort(np.array(order, dtype=np.int64))
            expected = [expected[place] for place in order]
        else:
            pack_all(lines)
    assert len(lines) == len(expected)
    assert b"".join(lines.texts()) == b"".join(expected)
    for count in range(len(expected) + 1):
        assert lines.size(count) == sum(map(len, expected[:count]))


def pack_all(lines):
    """Compresses even few lines."""
    before, module.PACKED_LINES = module.PACKED_LINES, 1
    try:
        lines.pack()
    finally:
        module.PACKED_LINES = before


def test_few_lines_are_not_compressed():
    lines = Lines()
    lines.insert(0, b"text")
    lines.pack()
    assert not lines._parts.packed


def test_compressed_lines_of_random_numbers_take_half_the_memory():
    lines, chance = Lines(), random.Random(0)
    for number in range(2000):
        lines.insert(number, f"{number},{chance.random()!r},{chance.random()!r}\n".encode())
        if number % 1000 == 999:
            lines.pack()
    parts = lines._parts
    held = sum(sys.getsizeof(part) for pack in parts.packed for part in pack)
    assert held + sys.getsizeof(parts.text) < 0.55 * lines.size(2000)
