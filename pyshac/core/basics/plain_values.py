"""Plain values, the values of hyperparameters, and their exact form in text and JSON files.

A plain value is None, a bool, an int, a float, a str, or a tuple of plain values. Its text is its
JSON form; a str that is not valid JSON is its own text. `INACTIVE` stands in a row for the value
that an inactive parameter does not have; its text is empty.
"""

from __future__ import annotations

import enum
import json
import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np

MAX_TEXT_LENGTH = 2**16
# The csv module does not read longer cells. Text of the length above takes up to twice as much.
MAX_CELL_LENGTH = 2**17
_TUPLE = "__tuple__"
_INACTIVE = "__inactive__"
_SCALARS = (bool, int, float, str)


class Inactive(enum.Enum):
    """The type of `INACTIVE`."""

    INACTIVE = "inactive"

    def __repr__(self) -> str:
        return "INACTIVE"

    def __str__(self) -> str:
        return ""


# In a row, in place of the value of a parameter whose condition does not hold.
INACTIVE = Inactive.INACTIVE


def check_value(value: Any, what: str) -> Any:
    """Returns `value` as a plain value; NumPy scalars become Python values.

    Args:
        value: Any object; lists count as tuples.
        what: The value's description in errors.

    Raises:
        TypeError: If the value is not plain.
        ValueError: If it is NaN, which equals nothing, text that UTF-8 cannot hold, or too long.
    """
    checked = _as_plain(value, what)
    # Numbers cannot be as long, and text has been checked.
    if isinstance(checked, tuple):
        check_text(to_text(checked), what)
    return checked


def check_text(text: str, what: str) -> str:
    """Returns the text of a value; raises `ValueError` if no cell of a CSV file can hold it."""
    if len(text) > MAX_CELL_LENGTH:
        raise ValueError(
            f"{what} must take at most {MAX_CELL_LENGTH} characters as text. Got {shorten(text)} "
            "instead; name large values by short strings and look them up."
        )
    if not _is_encodable(text):
        raise ValueError(
            f"{what} must be text that a UTF-8 CSV file can hold, without NUL characters. "
            f"Got {shorten(text)} instead."
        )
    return text


def _as_plain(value: Any, what: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return tuple(_as_plain(item, what) for item in value)
    if value is not None and type(value) not in _SCALARS:
        raise TypeError(
            f"{what} must be None, bool, int, float, str or tuples of these. Got {value!r} of type "
            f"{type(value).__name__} instead; name such objects by strings and look them up."
        )
    if isinstance(value, float) and math.isnan(value):
        raise ValueError(f"{what} must not be NaN.")
    if isinstance(value, str) and not is_storable(value):
        raise ValueError(
            f"{what} must be text that a UTF-8 CSV file can hold, without NUL characters and not "
            f"too long. Got {shorten(value)} instead."
        )
    return value


def is_plain(value: Any) -> bool:
    """Returns whether a value is plain, or a list of plain values."""
    if type(value) in (list, tuple):
        return all(map(is_plain, value))
    return value is None or type(value) in _SCALARS


def is_storable(text: str) -> bool:
    """Returns whether a UTF-8 CSV file can hold a text: no surrogates, no NUL, not too long."""
    return _is_encodable(text) and len(text) < MAX_TEXT_LENGTH


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def shorten(text: str) -> str:
    """Returns a text in quotes, cut to a length that suits an error message."""
    return repr(text) if len(text) <= 80 else f"{text[:80]!r}... ({len(text)} characters)"


def identity(value: Any) -> Any:
    """Returns a hashable key, equal for plain values of equal value and type."""
    if isinstance(value, tuple):
        return (tuple, tuple(identity(item) for item in value))
    return (type(value), value)


def copied(value: Any) -> Any:
    """Returns a copy of lists and dicts, such as parameters, but not of what else they hold."""
    if type(value) in (dict, OrderedDict):
        return type(value)((key, copied(item)) for key, item in value.items())
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def to_json(value: Any) -> Any:
    """Returns `value` with its tuples marked, since JSON would turn them into lists."""
    if value is INACTIVE:
        return {_INACTIVE: True}
    if isinstance(value, tuple):
        return {_TUPLE: [to_json(item) for item in value]}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return value


def from_json(value: Any) -> Any:
    """Returns the value that `to_json` converted."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if isinstance(value, dict):
        if set(value) == {_TUPLE}:
            return tuple(from_json(item) for item in value[_TUPLE])
        if set(value) == {_INACTIVE}:
            return INACTIVE
        return {key: from_json(item) for key, item in value.items()}
    return value


def to_text(value: Any) -> str:
    """Returns the exact text of a plain value: `adam`, `1`, `1.0`, `"1"`, `true`, `null`, `[3]`."""
    if isinstance(value, str) and not _is_json(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def from_text(text: str) -> Any:
    """Returns the plain value that `to_text` wrote; text that is not JSON is its own value."""
    try:
        return _tuples(json.loads(text))
    except (ValueError, RecursionError):
        return text


def other_texts(value: Any) -> Iterable[str]:
    """Yields the other texts that people and pandas write for a plain value."""
    yield str(value)
    if value is None:
        yield ""
    elif isinstance(value, bool):
        yield str(value).upper()
    elif isinstance(value, int):
        yield f"{value}.0"
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))


def _is_json(text: str) -> bool:
    # Other programs write an empty cell for a missing value, so the empty str is quoted, too.
    if not text:
        return True
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value
