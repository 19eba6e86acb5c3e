"""Arguments that had other names in PySHAC 0.1 to 0.3."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from pyshac.core.basics.messages.warning import warn_of_spelling

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def renamed_arguments(
    **new_names: str,
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Lets a function take keyword arguments by the names that they had in PySHAC 0.1 to 0.3.

    Args:
        new_names: The present name of each earlier one.

    Returns:
        A decorator.
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @functools.wraps(function)
        def renamed(*args: Any, **kwargs: Any) -> Result:
            for old in new_names.keys() & kwargs.keys():
                new = new_names[old]
                if new in kwargs:
                    raise TypeError(
                        f"{function.__name__}() takes {old} and {new} as two spellings of one "
                        f"argument, but got both: leave {old} out."
                    )
                warn_of_spelling(f"{function.__name__}({old}=...)", f"{new}=...")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        renamed.second_spellings = new_names  # type: ignore[attr-defined]
        return cast("Callable[Arguments, Result]", renamed)

    return decorate
