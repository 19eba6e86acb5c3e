"""Checks of the numbers that describe a hyperparameter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def check_finite(owner: str, argument: str, value: Any) -> float:
    """Returns a finite number as a float; the error names it as `argument` of `owner`."""
    try:
        number = math.nan if isinstance(value, (str, bytes, bool, np.bool_)) else float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number) and not isinstance(value, (float, np.floating)):
        raise TypeError(f"{argument} of {owner!r} must be a number. Got {value!r} instead.")
    if not math.isfinite(number):
        raise ValueError(f"{argument} of {owner!r} must be finite. Got {number!r} instead.")
    return number


def check_range(owner: str, low: float, high: float) -> None:
    """Raises unless `low < high` and `high - low` is finite."""
    if not low < high:
        raise ValueError(
            f"`min_value < max_value` must hold for {owner!r}, but got "
            f"(min_value={low!r}, max_value={high!r})."
        )
    if not math.isfinite(float(high) - float(low)):
        raise ValueError(
            f"`max_value - min_value` of {owner!r} must be finite, but got "
            f"(min_value={low!r}, max_value={high!r})."
        )


def check_log(owner: str, low: float) -> None:
    """Raises unless all values from `low` on have a logarithm."""
    if low <= 0:
        raise ValueError(
            f"min_value of {owner!r} must be above 0 for a logarithm. Got {low!r} instead."
        )
