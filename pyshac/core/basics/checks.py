"""Checks of numbers from the user: whole numbers and scores."""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from pyshac.core.basics.error_text import short_repr


def check_int(
    name: str, value: Any, allowed: str = "an int", is_allowed: Callable[[int], bool] | None = None
) -> int:
    """Returns a whole number as an int.

    Args:
        name: The number's name in the error.
        value: The number: an int, or an integer of NumPy.
        allowed: Description of the allowed numbers.
        is_allowed: Returns whether a number is allowed; None if all are.

    Raises:
        TypeError: If the value is not a whole number; bools are not.
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


def check_score(score: Any, what: str) -> float:
    """Returns a score as a float; infinities become NaN, which marks a failed sample.

    Args:
        score: A number, or an array or tensor that holds one.
        what: The owner of the score, to name it in the error.

    Raises:
        TypeError: If it is not a number.
    """
    number, content = None, score
    # Arrays and tensors of several numbers raise all kinds of exceptions.
    with contextlib.suppress(Exception):
        content = score.item()
    if not isinstance(content, (str, bytes, bool, np.bool_, type(None))):
        with contextlib.suppress(Exception):
            number = float(content) if not isinstance(content, int) else _from_int(content)
    if number is None:
        raise TypeError(
            f"The score of {what} must be a number. Got {short_repr(score)} of type "
            f"{type(score).__name__} instead."
        )
    return number if math.isfinite(number) else math.nan


def _from_int(score: int) -> float:
    try:
        return float(score)
    except OverflowError:
        return math.inf
