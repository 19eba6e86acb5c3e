"""Labels: names and values as short text that is safe to print."""

from __future__ import annotations

import datetime

from pyshac.core.basics.messages.printable import printable

MAX_LABEL = 28


def shorten(text: str, length: int = MAX_LABEL) -> str:
    """Returns printable text; the middle is cut if it is longer than `length`."""
    text = printable(text)
    if len(text) <= length:
        return text
    head = (length - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def plain_label(text: str, length: int = MAX_LABEL) -> str:
    """Returns short text for Matplotlib, in which `$` does not start a formula."""
    return shorten(text, length).replace("$", r"\$")


def number_text(number: float, digits: int = 6) -> str:
    """Returns a number as text with a limited number of significant digits."""
    return f"{number:.{digits}g}"


def seconds_text(seconds: float) -> str:
    """Returns a duration as text: milliseconds, seconds, or hours, minutes and seconds."""
    if seconds < 0.1:
        return f"{number_text(1000 * seconds, 3)} ms"
    if seconds < 60:
        return f"{number_text(seconds, 3)} s"
    return str(datetime.timedelta(seconds=round(seconds)))
