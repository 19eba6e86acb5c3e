"""Constraint: a function of a sample's values that decides whether the sample is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.errors import ConstraintError, SaveDirectoryError
from pyshac.core.hyperparameters.constraints.columns import Columns

_ALLOWED = "return True for samples that are allowed, and False for others"


class Constraint:
    """A function of a sample's values that decides whether the sample is allowed.

    Files do not store the function; pass it again to restore a search. It must return the same
    result for the same values. Prefer relations such as `Less` where they suffice. They are saved,
    and draws remain fast even if almost nothing is allowed.

    Example:
        ```python
        space = [pyshac.IntegerHP("heads", 1, 16), pyshac.IntegerHP("width", 16, 512)]
        divides = pyshac.Constraint(lambda found: found["width"] % found["heads"] == 0, "divides")
        pyshac.HyperParameterList(space, constraints=[divides])
        ```

    Args:
        function: It receives a dictionary from parameter names to values, without inactive
            parameters, and returns a bool.
        name: Name in messages and files; by default, the function's own name.
        vectorized: Whether the function receives arrays instead and returns n bools. The arrays
            have shape (n,), or (n, k) for lists. Inactive values are NaN, or None for choices.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the name is empty, or files cannot hold it.
    """

    def __init__(
        self, function: Callable[..., Any], name: str | None = None, vectorized: bool = False
    ) -> None:
        if not callable(function):
            raise TypeError(
                "A constraint must be a function of a dictionary of values, such as "
                f"lambda p: p['low'] < p['high']. Got {function!r} instead."
            )
        if not isinstance(vectorized, bool):
            raise TypeError(f"vectorized must be True or False. Got {vectorized!r} instead.")
        self.function = function
        self.vectorized = vectorized
        self.name = _own_name(function) if name is None else _check_name(name)

    @property
    def identity(self) -> str:
        """A text that identifies the constraint. Constraints with one name are considered equal."""
        return self.name

    def __repr__(self) -> str:
        return f"Constraint({self.name!r})"

    def holds(self, columns: Columns, encoded: FloatArray) -> BoolArray:
        """Returns which encoded samples of shape (n, columns) are allowed, shape (n,).

        Raises:
            ConstraintError: If the function raises an exception.
            TypeError: If the function returns anything except bools.
            ValueError: If a vectorised function returns the wrong number of bools.
        """
        if self.vectorized:
            return self._of_arrays(columns.all_values(encoded), len(encoded))
        return np.array([*map(self._of_one, columns.parameters(encoded))], dtype=bool)

    def _of_one(self, parameters: dict[str, Any]) -> bool:
        try:
            result = self.function(parameters)
        except Exception as error:
            self._refuse(error, f" for {parameters!r}")
        if not isinstance(result, (bool, np.bool_)):
            raise TypeError(
                f"The constraint {self.name!r} must {_ALLOWED}. Got {result!r} for {parameters!r} "
                "instead."
            )
        return bool(result)

    def _of_arrays(self, values: dict[str, npt.NDArray[Any]], number: int) -> BoolArray:
        if not number:
            return np.ones(0, dtype=bool)
        try:
            result = np.asarray(self.function(values))
        except Exception as error:
            self._refuse(error, f", which was called with arrays of {number} values")
        if result.dtype != bool:
            raise TypeError(
                f"The constraint {self.name!r} must return an array of bools, True for samples "
                f"that are allowed. Got {result!r} instead."
            )
        if result.shape != (number,):
            raise ValueError(
                f"The constraint {self.name!r} must return one bool for each of {number} samples, "
                f"since it is vectorized. Got an array of shape {result.shape} instead."
            )
        return result

    def _refuse(self, error: Exception, where: str) -> NoReturn:
        hint = ""
        if isinstance(error, KeyError):
            hint = (
                ". Parameters that are inactive are left out: ask for them by parameters.get(name)"
            )
        raise ConstraintError(
            f"The constraint {self.name!r} raised {type(error).__name__}: {error}{where}{hint}."
        ) from error


class MissingConstraint:
    """A constraint whose function is missing: files store only its name.

    Args:
        name: Its name.
    """

    def __init__(self, name: str) -> None:
        self.name = _check_name(name)

    @property
    def identity(self) -> str:
        """The same text as that of the constraint."""
        return self.name

    def __repr__(self) -> str:
        return f"MissingConstraint({self.name!r})"

    def holds(self, columns: Columns, encoded: FloatArray) -> BoolArray:
        """Raises `SaveDirectoryError`."""
        raise self.refusal()

    def refusal(self) -> SaveDirectoryError:
        """Returns the error for the missing function."""
        return SaveDirectoryError(
            f"The constraint {self.name!r} is a function, which no file holds: hand it over, as "
            "constraints=[...]."
        )


def _own_name(function: Callable[..., Any]) -> str:
    """Returns a function's own name; empty if it has no name that files can hold."""
    name = getattr(function, "__name__", "")
    is_usable = isinstance(name, str) and plain_values.is_storable(name)
    return name if is_usable and not name.startswith("<") else ""


def _check_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"The name of a constraint must be a str. Got {name!r} instead.")
    if not name or not plain_values.is_storable(name):
        raise ValueError(
            "The name of a constraint must be text that a UTF-8 file can hold, neither empty nor "
            f"too long. Got {plain_values.shorten(name)} instead."
        )
    return name
