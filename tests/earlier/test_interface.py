"""The public interface of 0.3.5.1 is here, or `docs/moving.md` says what became of it."""

from __future__ import annotations

import pytest

from tests.earlier.interface import differences, grouped
from tests.earlier.moving_page import PAGE, is_listed, listed_names
from tests.earlier.wheel import find_wheel


def test_every_difference_is_listed():
    pytest.importorskip("matplotlib")
    wheel = find_wheel()
    if wheel is None:
        pytest.skip("needs the wheel that python -m tests.earlier.wheel downloads")
    rows = listed_names(PAGE.read_text(encoding="utf-8"))
    unlisted = [
        one for one in differences(wheel) if not is_listed({one.name, one.parameter} - {None}, rows)
    ]
    assert unlisted == [], "\n" + "\n".join(grouped(unlisted))
