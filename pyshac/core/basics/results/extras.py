"""Extras: the values that an evaluation returns besides its score, in a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyshac.core.basics.checks import check_score, is_failed_computation, one_value
from pyshac.core.basics.messages.error_text import short_repr
from pyshac.core.basics.plain_values import is_storable
from pyshac.core.basics.results.details import Extra

SCORE = "score"
MAX_EXTRAS = 64
# In characters.
MAX_NAME_LENGTH = 100
MAX_TEXT_LENGTH = 1_000
# Ints take at most 64 bits.
INT_LIMIT = 2**63

_ALLOWED = (
    f"Beside the score a result may have up to {MAX_EXTRAS} values: bools, floats, ints of 64 "
    f"bits, and strs of at most {MAX_TEXT_LENGTH} characters that UTF-8 can hold, without NUL. "
    f"Their names are strs of 1 to {MAX_NAME_LENGTH} such characters."
)
# Of the text of a value in an error message.
_SHOWN_LENGTH = 200


def split_result(result: Any, what: str) -> tuple[float, dict[str, Extra]]:
    """Returns the score and the extras of a result.

    Args:
        result: A score, or a mapping with `score` and extras.
        what: The owner of the result, for error messages.

    Returns:
        The score, NaN for a failed sample, and the extras as plain Python values.

    Raises:
        TypeError: If the score is missing or not a number, or an extra has a name or a value that
            is not allowed.
        Exception: If a tensor's computation failed.
    """
    if not isinstance(result, Mapping):
        return check_score(result, what), {}
    try:
        values = dict(result)
    # A mapping of the user's may raise all kinds of exceptions.
    except Exception as error:
        raise TypeError(
            f"The result of {what} is a mapping that cannot be read: {short_repr(error)}."
        ) from error
    if SCORE not in values:
        names = short_repr([*values], _SHOWN_LENGTH)
        raise TypeError(
            f"The result of {what} has no {SCORE!r}, but only {names}. A mapping must have the "
            f"score under {SCORE!r}. {_ALLOWED}"
        )
    score = check_score(values.pop(SCORE), what)
    return score, check_extras(values, what)


def check_extras(values: Mapping[Any, Any], what: str) -> dict[str, Extra]:
    """Returns extras as plain Python values; scalars of NumPy and of frameworks are converted.

    Raises:
        TypeError: If there are too many, or a name or a value is not allowed.
        Exception: If a tensor's computation failed.
    """
    if len(values) > MAX_EXTRAS:
        raise TypeError(f"The result of {what} has {len(values)} extras. {_ALLOWED}")
    extras = {}
    for name, value in values.items():
        if not is_name(name):
            shown = short_repr(name, _SHOWN_LENGTH)
            raise TypeError(f"The result of {what} has a value named {shown}. {_ALLOWED}")
        try:
            extras[str.__str__(name)] = _plain(value)
        # Arrays and tensors of several numbers raise all kinds of exceptions.
        except Exception as error:
            if is_failed_computation(value, error):
                raise
            raise TypeError(
                f"The result of {what} has {short_repr(value, _SHOWN_LENGTH)} of type "
                f"{type(value).__name__} as {name!r}. {_ALLOWED}"
            ) from error
    return extras


def is_name(name: Any) -> bool:
    """Returns whether a name is allowed for an extra."""
    is_text = isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH
    return is_text and is_storable(name) and name != SCORE


def is_extra(value: Any) -> bool:
    """Returns whether a plain Python value is allowed as an extra."""
    if type(value) is int:
        return -INT_LIMIT <= value < INT_LIMIT
    if type(value) is str:
        return len(value) <= MAX_TEXT_LENGTH and is_storable(value)
    return type(value) in (bool, float)


def _plain(value: Any) -> Extra:
    """Returns an extra as a plain Python value; raises an error if it is not allowed."""
    content: Any = one_value(value)
    for kind, convert in ((bool, bool), (int, int), (float, float), (str, str.__str__)):
        if isinstance(content, kind):
            content = convert(content)
            break
    if not is_extra(content):
        raise TypeError("not an extra")
    extra: Extra = content
    return extra
