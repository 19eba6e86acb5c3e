"""Texts of exceptions and of other objects of the user's, of limited length.

Such objects run code of the user's when they are turned into text. It may raise, or return
megabytes.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

# Characters; a longer text loses its middle.
MAX_MESSAGE_LENGTH = 2_000
MAX_TRACEBACK_LENGTH = 20_000


def describe(error: BaseException) -> str:
    """Returns the type and the message of an exception."""
    return f"{type(error).__name__}: {_text(str, error, MAX_MESSAGE_LENGTH)}"


def short_repr(value: Any, length: int = MAX_MESSAGE_LENGTH) -> str:
    """Returns the `repr` of an object, cut to a number of characters."""
    return _text(repr, value, length)


def traceback_text(error: BaseException) -> str:
    """Returns the traceback of an exception, with its causes."""

    def as_text(shown: BaseException) -> str:
        return "".join(traceback.format_exception(type(shown), shown, shown.__traceback__))

    return _text(as_text, error, MAX_TRACEBACK_LENGTH)


def _text(as_text: Callable[[Any], str], value: Any, length: int) -> str:
    try:
        text = as_text(value)
        return text if len(text) <= length else _without_middle(text, length)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"<{type(value).__name__} without a text: {type(error).__name__}>"


def _without_middle(text: str, length: int) -> str:
    half = length // 2
    return f"{text[:half]} ... ({len(text)} characters) ... {text[-half:]}"
