"""Warnings that point to the user's own line of code."""

from __future__ import annotations

import contextlib
import sys
import warnings


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warns with the place of the call that led into this package, as Python shows it.

    Args:
        message: The message.
        category: The kind of warning.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_own(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    # Where standard error is closed, or no stream, there is nobody to warn.
    with contextlib.suppress(ValueError, AttributeError):
        warnings.warn(message, category, stacklevel=level + 1)


def warn_of_spelling(old: str, new: str) -> None:
    """Warns that a spelling of PySHAC 0.1 to 0.3 has another one today."""
    warn(f"{old} is the spelling of PySHAC 0.1 to 0.3; use {new}.", DeprecationWarning)


def _is_own(module: str) -> bool:
    # `as_deterministic` is entered by contextlib.
    return module.partition(".")[0] in ("pyshac", "contextlib")
