"""Checks of plain values from the user: flags, whole numbers, times and scores."""

from __future__ import annotations

import math
import numbers
import operator
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from pyshac.core.basics.messages.error_text import short_repr

# Of the text of a score in an error message.
_SHOWN_LENGTH = 200


def check_flag(name: str, value: Any) -> bool:
    """Returns a bool, also one of NumPy, as a bool; raises `TypeError` for anything else."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False. Got {value!r} instead.")
    return bool(value)


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


def check_seconds(name: str, value: Any) -> float | None:
    """Returns a time in seconds, or None for no limit.

    Args:
        name: Its name in the error.
        value: The time.

    Raises:
        TypeError: If it is not a number.
        ValueError: If it is not above 0, or longer than a thread can wait.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be seconds or None. Got {value!r} instead.")
    seconds = float(value)
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise ValueError(
            f"{name} must be above 0, and at most {threading.TIMEOUT_MAX:.0f} seconds. "
            f"Got {value!r} instead."
        )
    return seconds


def check_score(score: Any, what: str) -> float:
    """Returns a score as a float; NaN marks a failed sample.

    Infinities, numbers beyond the range of a float and masked values of NumPy become NaN.

    Args:
        score: A number, or an array or tensor that holds one. Numbers are whatever Python converts
            to a float without parsing: text, bytes, bools and dates are none.
        what: The owner of the score, to name it in the error.

    Raises:
        TypeError: If it is not a number.
        Exception: If a tensor's computation failed.
    """
    try:
        number = to_float(one_value(score))
    # Arrays and tensors of several numbers raise all kinds of exceptions.
    except Exception as error:
        if is_failed_computation(score, error):
            raise
        raise TypeError(
            f"The score of {what} must be a number. Got {short_repr(score, _SHOWN_LENGTH)} of type "
            f"{type(score).__name__} instead. A score is one int or float; NaN marks a failed "
            "evaluation."
        ) from error
    return number if math.isfinite(number) else math.nan


def is_failed_computation(value: Any, error: Exception) -> bool:
    """Returns whether an error of reading a value is that of its computation.

    GPUs compute while the program goes on, so an error there is raised when a result is read.

    Args:
        value: The value.
        error: What reading it as one number has raised.
    """
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(error, (NotImplementedError, TypeError, ValueError)):
        return False
    try:
        return math.prod(shape) == 1
    except Exception:
        return False


def to_float(number: Any) -> float:
    """Returns a number as a float, infinity if it is beyond the range of floats.

    Raises:
        TypeError: If it is not a number; text, bytes and bools are not.
    """
    is_number = hasattr(number, "__float__") or hasattr(number, "__index__")
    if not is_number or isinstance(number, (str, bytes, bool, np.bool_)):
        raise TypeError("not a number")
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def one_value(value: Any) -> Any:
    """Returns the one value that an array or tensor holds, and anything else as it is."""
    if not hasattr(value, "item") and hasattr(value, "numpy"):
        # A tensor or variable of TensorFlow.
        value = value.numpy()
    if isinstance(value, np.ndarray) and value.size == 1 and np.all(getattr(value, "mask", False)):
        return math.nan
    if getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M"):
        # Their nanoseconds are ints.
        raise TypeError("a date or duration")
    item = getattr(value, "item", None)
    return item() if callable(item) else value
