"""FixedAttributes: attributes that could be set in PySHAC 0.1 to 0.3, and can only be read now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class FixedAttributes:
    """Gives a hint where an attribute cannot be set."""

    # What to do instead, as a clause, by the name of the attribute.
    _FIXED: ClassVar[Mapping[str, str]] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except AttributeError as error:
            if name not in self._FIXED:
                raise
            hint = f"{name} of {type(self).__name__} cannot be set: {self._FIXED[name]}."
            raise AttributeError(hint) from error
