"""Gone: an attribute of PySHAC 0.1 to 0.3 that no longer exists."""

from __future__ import annotations

from typing import Any, NoReturn


class Gone:
    """An attribute that no longer exists; reading it raises an `AttributeError` with a hint.

    Args:
        hint: What there is instead, as a clause.
    """

    def __init__(self, hint: str) -> None:
        self._hint = hint
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> NoReturn:
        raise AttributeError(f"{self._name} is gone since PySHAC 0.3: {self._hint}.")
