"""The two forms of a call: with the evaluation function as the first argument, or without it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pyshac.core.basics.checks import check_int
from pyshac.core.callbacks import Callback
from pyshac.core.evaluation.curves.anywhere import EvaluationResult
from pyshac.core.hyperparameters import AbstractHyperParameter, Constraint, HyperParameterList
from pyshac.core.hyperparameters.constraints import Relation
from pyshac.core.search.schedule import Schedule

Returned = TypeVar("Returned")

EvaluationFunction = Callable[..., Any]
# A score, a mapping with `score` and extras, or what `pyshac.evaluate` returns.
Result = float | Mapping[str, Any] | EvaluationResult
SearchSpace = HyperParameterList | Sequence[AbstractHyperParameter]
SavePath = str | os.PathLike[str]
# The directory of another search, or an object in which another project keeps one.
SearchSource = SavePath | Any
Constraints = Iterable[Constraint | Relation | Callable[..., Any]]
# Objects with methods of a callback are taken, too; type checkers ask for the base class.
Callbacks = Iterable[Callback] | Callback
ExceptionTypes = type[BaseException] | Iterable[type[BaseException]]


def optional_function(
    is_function: Callable[[Sequence[Any], Mapping[str, Any]], bool],
) -> Callable[[Callable[..., Returned]], Callable[..., Returned]]:
    """Makes the evaluation function, the first argument of a method, optional.

    Args:
        is_function: Returns whether the first positional argument is the evaluation function. It
            receives all positional arguments, at least one, and the keyword arguments. If it
            returns False, the function is None.

    Returns:
        A decorator; `inspect.signature` shows the form with the function.
    """

    def decorate(method: Callable[..., Returned]) -> Callable[..., Returned]:
        @functools.wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Returned:
            if args and callable(args[0]) and "evaluation_function" in kwargs:
                raise TypeError(
                    "There must be one evaluation function, but it was given by position and as "
                    "evaluation_function."
                )
            if "evaluation_function" not in kwargs and args and is_function(args, kwargs):
                return method(self, *args, **kwargs)
            return method(self, kwargs.pop("evaluation_function", None), *args, **kwargs)

        return call

    return decorate


def begins_with_function(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Distinguishes `(function, space, N, M)` from `(space, N, M)`; either may begin with None."""
    if callable(args[0]) or "hyperparameter_list" in kwargs:
        return True
    if len(args) == 1:
        return False
    if args[0] is None and args[1] is None:
        return True
    return isinstance(args[1], (list, tuple, HyperParameterList))


def is_not_flag(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Distinguishes `fit(function)` from `fit(True)`."""
    return not isinstance(args[0], bool)


def check_function(function: Any) -> EvaluationFunction | None:
    """Returns an evaluation function or None; raises `TypeError` for anything else."""
    if function is not None and not callable(function):
        raise TypeError(f"evaluation_function must be callable or None. Got {function!r} instead.")
    return function


def schedule_of(
    total_budget: int, num_batches: int | None, batch_size: int | None, max_classifiers: int
) -> Schedule:
    """Returns the schedule for a number of batches, or for a batch size."""
    if num_batches is None and batch_size is not None:
        return Schedule(total_budget, batch_size, max_classifiers)
    if num_batches is not None and batch_size is None:
        return Schedule.in_batches(total_budget, num_batches, max_classifiers)
    if num_batches is None:
        raise TypeError(
            "num_batches must be an int of at least 1, or batch_size must be one in its place. Got "
            "None for both."
        )
    raise TypeError(
        "num_batches and batch_size must not be given both. Got "
        f"(num_batches={num_batches!r}, batch_size={batch_size!r})."
    )


def as_types(catch: ExceptionTypes) -> tuple[type[BaseException], ...]:
    """Returns one or several exception types as a tuple."""
    if isinstance(catch, Iterable) and not isinstance(catch, str):
        return tuple(catch)
    # `FailurePolicy` refuses anything else.
    return (catch,)


def check_count(first: int | None, second: int | None, available: int) -> int:
    """Returns the number of classifiers to use, from either spelling of the argument."""
    if first is not None and second is not None and first != second:
        raise ValueError(
            "max_classfiers and max_classifiers are two spellings of one argument, but got "
            f"({first!r}, {second!r})."
        )
    count = second if first is None else first
    if count is None:
        return available
    allowed = f"None or an int in [0, {available}], the number of classifiers there are"
    name = "max_classifiers" if first is None else "max_classfiers"
    return check_int(name, count, allowed, lambda number: 0 <= number <= available)
