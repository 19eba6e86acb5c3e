"""Labels: names and values of a run as short, harmless text."""

from __future__ import annotations

MAX_LABEL = 28


def printable(text: str) -> str:
    """Returns text on one line, without characters that steer a terminal or are no characters."""
    spaced = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in spaced)


def shorten(text: str, length: int = MAX_LABEL) -> str:
    """Returns printable text, its middle left out if it is longer than `length`."""
    text = printable(text)
    if len(text) <= length:
        return text
    head = (length - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def plain_label(text: str, length: int = MAX_LABEL) -> str:
    """Returns short text that Matplotlib draws as it stands: `$` begins no formula."""
    return shorten(text, length).replace("$", r"\$")


def number_text(number: float, digits: int = 6) -> str:
    """Returns a number with at most so many significant digits."""
    return f"{number:.{digits}g}"
