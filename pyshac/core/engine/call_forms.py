"""The two ways to hand over an evaluation function: first, or later to `fit`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pyshac.core.hyperparameters import HyperParameterList

Result = TypeVar("Result")


def optional_function(
    is_function: Callable[[Sequence[Any], Mapping[str, Any]], bool],
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Lets a method be called with or without its leading evaluation function.

    Args:
        is_function: Says of the positional arguments, of which there is at least one, and of
            those by keyword whether the first stands for the evaluation function. If not, None
            does.

    Returns:
        A decorator; `inspect.signature` shows the form with the function.
    """

    def decorate(method: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Result:
            if "evaluation_function" not in kwargs and args and is_function(args, kwargs):
                return method(self, *args, **kwargs)
            return method(self, kwargs.pop("evaluation_function", None), *args, **kwargs)

        return call

    return decorate


def begins_with_function(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Tells `(function, parameters, N, M)` from `(parameters, N, M)`; both may have None first."""
    if callable(args[0]) or "hyperparameter_list" in kwargs:
        return True
    if len(args) == 1:
        return False
    if args[0] is None and args[1] is None:
        return True
    return isinstance(args[1], (list, tuple, HyperParameterList))


def is_not_flag(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Tells `fit(function)` from `fit(True)`."""
    return not isinstance(args[0], bool)
