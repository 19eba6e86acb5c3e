"""Checks of whole numbers that users hand over."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np


def check_int(
    name: str, value: Any, allowed: str = "an int", is_allowed: Callable[[int], bool] | None = None
) -> int:
    """Returns a whole number as an int.

    Args:
        name: What the number is called in the error.
        value: The number.
        allowed: What is allowed, in words.
        is_allowed: Says whether a number is allowed; None if all are.

    Raises:
        TypeError: If the value is no whole number; bools are none.
        ValueError: If it is not allowed.
    """
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be {allowed}. Got {value!r} instead.") from None
    if is_allowed is not None and not is_allowed(number):
        raise ValueError(f"{name} must be {allowed}. Got {number} instead.")
    return number


def check_positive(name: str, value: Any) -> int:
    """Returns a whole number of at least 1 as an int; raises as `check_int` does."""
    return check_int(name, value, "an int of at least 1", lambda number: number >= 1)
