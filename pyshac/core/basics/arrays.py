"""Array types, and arithmetic that does not depend on the program's settings of NumPy."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
# The precision in which XGBoost compares features.
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Whole numbers beyond this need not be floats, nor do all of them fit into 64 bits.
_LARGEST_WHOLE = 2**53

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


First = TypeVar("First", bound=np.generic)
Second = TypeVar("Second", bound=np.generic)


def in_parts(
    function: Callable[[FloatArray, FloatArray], tuple[npt.NDArray[First], npt.NDArray[Second]]],
    size: int,
    low: FloatArray,
    high: FloatArray,
) -> tuple[npt.NDArray[First], npt.NDArray[Second]]:
    """Calls a function for so many rows at a time, which bounds its tables, and joins the results.

    Args:
        function: Takes and returns two arrays of as many rows.
        size: The largest number of rows of a call.
        low: Shape (n, columns).
        high: Of the same shape.
    """
    parts = [slice(start, start + size) for start in range(0, max(len(low), 1), size)]
    firsts, seconds = zip(*(function(low[part], high[part]) for part in parts), strict=True)
    return np.concatenate(firsts), np.concatenate(seconds)


def without_float_errors(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Makes a function calculate with infinities, NaN and tiny numbers as IEEE 754 defines.

    A program may have told NumPy to raise exceptions for them, or made warnings errors. On the way
    from `ask` to the draws, functions have a `with` block instead, which adds no calls.
    """

    @functools.wraps(function)
    def quiet(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return quiet


def as_array(values: Sequence[Any]) -> npt.NDArray[Any]:
    """Returns values as an array, shape (n,): bools, ints or floats of one type, or objects."""
    kinds = {type(value) for value in values}
    is_safe = kinds != {int} or all(abs(value) <= _LARGEST_WHOLE for value in values)
    if len(kinds) == 1 and kinds <= {bool, int, float} and is_safe:
        return np.array(values)
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array


def exponentials(values: FloatArray) -> FloatArray:
    """Returns what `math.exp` returns for each value; NumPy's may differ in the last digit."""
    flat = np.asarray(values, dtype=np.float64).ravel().tolist()
    return np.fromiter(map(math.exp, flat), np.float64, len(flat)).reshape(np.shape(values))
