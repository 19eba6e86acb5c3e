"""Checks of the numbers that describe a hyperparameter."""

from __future__ import annotations

import math
from typing import Any

from pyshac.core.basics.checks import to_float


def check_finite(owner: str, argument: str, value: Any) -> float:
    """Returns a finite number as a float; errors refer to it as `argument` of `owner`."""
    if value is None:
        raise ValueError(f"{argument} of {owner!r} must be a number. Got None instead.")
    return finite(f"{argument} of {owner!r}", value)


def finite(what: str, value: Any) -> float:
    """Returns a finite number as a float; raises `TypeError` or `ValueError` for anything else."""
    try:
        number = to_float(value)
    # A value's own conversion raises all kinds of exceptions.
    except Exception:
        raise TypeError(f"{what} must be a number. Got {value!r} instead.") from None
    if not math.isfinite(number):
        raise ValueError(f"{what} must be finite. Got {number!r} instead.")
    return number


def check_range(owner: str, low: float, high: float) -> None:
    """Raises unless `low <= high` and `high - low` is finite."""
    if not low <= high:
        raise ValueError(
            f"`min_value <= max_value` must hold for {owner!r}, but got "
            f"(min_value={low!r}, max_value={high!r})."
        )
    if not math.isfinite(float(high) - float(low)):
        raise ValueError(
            f"`max_value - min_value` of {owner!r} must be finite, but got "
            f"(min_value={low!r}, max_value={high!r})."
        )


def check_bounds(owner: str, min_value: Any, max_value: Any) -> tuple[float, float]:
    """Returns the bounds of a range of real numbers as floats.

    Raises:
        TypeError: If a bound is not a number.
        ValueError: If it is None or not finite, `min_value > max_value`, their difference is not
            finite, or different bounds are the same float.
    """
    low = check_finite(owner, "min_value", min_value)
    high = check_finite(owner, "max_value", max_value)
    check_range(owner, low, high)
    if low == high and min_value != max_value:
        raise ValueError(
            f"min_value and max_value of {owner!r} must be equal or differ as floats, but got "
            f"(min_value={min_value!r}, max_value={max_value!r}), which are both {low!r}."
        )
    return low, high


def check_log(owner: str, low: float) -> None:
    """Raises unless all values from `low` upwards have a logarithm."""
    if low <= 0:
        raise ValueError(
            f"min_value of {owner!r} must be above 0 for a logarithm. Got {low!r} instead."
        )


def check_log_encode(owner: str, low: float, high: float) -> None:
    """Raises unless values between two bounds can be encoded as logarithms."""
    if low < 0 or high <= 0:
        raise ValueError(
            f"With log_encode, min_value of {owner!r} must be at least 0 and max_value above 0, "
            f"but got (min_value={low!r}, max_value={high!r})."
        )
