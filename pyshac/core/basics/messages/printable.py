"""Text of a user or a file, safe to show on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Returns text on one line, with control and other unprintable characters replaced.

    Among these are marks that change the direction of the text around them.
    """
    spaced = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in spaced)
