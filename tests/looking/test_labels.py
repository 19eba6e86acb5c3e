"""Names and values of a run as labels."""

import pytest
from hypothesis import given

from pyshac.core.basics.messages.printable import printable
from pyshac.looking.labels import number_text, plain_label, seconds_text, shorten
from tests.strategies import awkward_texts, texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adam", "adam"),
        (" two\n lines\t", "two lines"),
        ("\x1b[31mred\x07", "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}"),
        ("a\u202eb", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("漢字 😀 é", "漢字 😀 é"),
    ],
)
def test_text_becomes_one_printable_line(text, expected):
    assert printable(text) == expected


@given(texts | awkward_texts)
def test_whatever_the_text_it_can_be_printed_and_fits(text):
    assert printable(text).isprintable()
    assert len(shorten(text * 9, 12)) <= 12


def test_the_ends_of_long_text_remain():
    assert shorten("a long name of a parameter", 12) == "a long …eter"
    assert shorten("just so long", 12) == "just so long"


def test_dollars_begin_no_formula():
    assert plain_label("$x$ and $y") == r"\$x\$ and \$y"


def test_numbers_are_short():
    assert number_text(0.12345678) == "0.123457"
    assert number_text(1e-7, 3) == "1e-07"
    assert number_text(20.0) == "20"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "0 ms"), (1.4e-5, "0.014 ms"), (0.0675, "67.5 ms"), (2.0061, "2.01 s"),
     (59.9, "59.9 s"), (7231.6, "2:00:32"), (90_000.0, "1 day, 1:00:00")],
)  # fmt: skip
def test_durations_have_the_unit_that_suits_them(seconds, expected):
    assert seconds_text(seconds) == expected
