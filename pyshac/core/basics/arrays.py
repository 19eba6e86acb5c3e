"""Array types, and arithmetic that does not depend on the program's settings of NumPy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
# The precision in which XGBoost compares features.
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


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
