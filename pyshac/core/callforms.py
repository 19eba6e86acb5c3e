"""The two ways to hand over an evaluation function: first, or later to `fit`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any


def optional_function(is_function: Callable[[Sequence[Any]], bool]) -> Callable[[Any], Any]:
    """Lets a method be called with or without its leading evaluation function.

    Args:
        is_function: Says of the positional arguments, of which there is at least one, whether
            the first stands for the evaluation function. If not, None does.

    Returns:
        A decorator; `inspect.signature` shows the form with the function.
    """

    def decorate(method: Any) -> Any:
        @functools.wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if "evaluation_function" not in kwargs and args and is_function(args):
                return method(self, *args, **kwargs)
            return method(self, kwargs.pop("evaluation_function", None), *args, **kwargs)

        return call

    return decorate


def begins_with_function(args: Sequence[Any]) -> bool:
    """Tells `(function, parameters, N, M)` from `(parameters, N, M)`; both may have None first."""
    if args[0] is None:
        return len(args) > 1 and not isinstance(args[1], int)
    return callable(args[0])


def is_not_flag(args: Sequence[Any]) -> bool:
    """Tells `fit(function)` from `fit(True)`."""
    return not isinstance(args[0], bool)
