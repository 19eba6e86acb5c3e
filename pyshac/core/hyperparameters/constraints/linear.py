"""LinearConstraint: bounds on a weighted sum of parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters.constraints.columns import Columns
from pyshac.core.hyperparameters.constraints.relation import Relation, check_mapping
from pyshac.core.hyperparameters.number_checks import finite

_EXAMPLE = "LinearConstraint({'a': 1, 'b': 2}, at_most=10)"
# 0.1 + 0.2 is above 0.3 as floats go; whole numbers are told apart up to a trillion.
_ROUNDING = 2.0**-40


class LinearConstraint(Relation):
    """Bounds a weighted sum of parameters. Inactive parameters count as 0.

    The sum may equal a bound. It may also exceed a bound by a rounding error: 1e-12 of the sizes of
    its terms.

    Example:
        ```python
        space = [pyshac.UniformHP("x", 0, 1), pyshac.UniformHP("y", 0, 1)]
        limit = pyshac.LinearConstraint({"x": 1, "y": 2}, at_most=1.5)
        pyshac.HyperParameterList(space, constraints=[limit])
        ```

    Args:
        coefficients: The weights by parameter name. For values of lists, use `name_1`, `name_2` and
            so on.
        at_most: Upper bound of the sum, or None.
        at_least: Lower bound of the sum, or None.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If there is no name or no bound, a number is not finite, a weight is 0, or
            `at_most < at_least`.
    """

    def __init__(
        self,
        coefficients: Mapping[str, float],
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        given = check_mapping("LinearConstraint", coefficients, _EXAMPLE)
        self.coefficients = {
            name: _finite(f"the weight of {name!r}", v) for name, v in given.items()
        }
        for name, weight in self.coefficients.items():
            if weight == 0:
                raise ValueError(
                    f"The weight of {name!r} in a LinearConstraint must not be 0: leave it out."
                )
        self.at_most = None if at_most is None else _finite("at_most", at_most)
        self.at_least = None if at_least is None else _finite("at_least", at_least)
        if self.at_most is None and self.at_least is None:
            raise ValueError(
                f"LinearConstraint needs at_most, at_least or both, such as {_EXAMPLE}."
            )
        if self.upper < self.lower:
            raise ValueError(
                "at_most of a LinearConstraint must not be below at_least. "
                f"Got (at_most={at_most!r}, at_least={at_least!r})."
            )

    @property
    def upper(self) -> float:
        """Upper bound of the sum, or infinity."""
        return math.inf if self.at_most is None else self.at_most

    @property
    def lower(self) -> float:
        """Lower bound of the sum, or minus infinity."""
        return -math.inf if self.at_least is None else self.at_least

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.coefficients)

    def check(self, columns: Columns) -> None:
        for name in self.coefficients:
            columns.check_number("LinearConstraint", name)

    def holds(self, columns: Columns, encoded: FloatArray) -> BoolArray:
        total, size = np.zeros(len(encoded)), np.zeros(len(encoded))
        for name, weight in self.coefficients.items():
            values = columns.numbers(encoded, name)
            term = weight * np.where(np.isnan(values), 0.0, values)
            total, size = total + term, size + np.abs(term)
        tolerance = self.tolerance(size)
        return (total - self.upper <= tolerance) & (self.lower - total <= tolerance)

    def tolerance(self, size: FloatArray) -> FloatArray:
        """Returns how far sums may exceed a bound, given the sums of their terms' sizes."""
        bounds = [abs(each) for each in (self.at_most, self.at_least) if each is not None]
        return np.where(np.isfinite(size), _ROUNDING * (size + max(bounds)), 0.0)

    def get_config(self) -> dict[str, Any]:
        return {
            "coefficients": dict(self.coefficients),
            "at_most": self.at_most,
            "at_least": self.at_least,
        }

    @classmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> LinearConstraint:
        return cls(**config)

    def __repr__(self) -> str:
        bounds = [("at_most", self.at_most), ("at_least", self.at_least)]
        given = [f"{name}={bound!r}" for name, bound in bounds if bound is not None]
        return f"LinearConstraint({', '.join([repr(self.coefficients), *given])})"


def _finite(what: str, value: Any) -> float:
    return finite(f"In a LinearConstraint, {what}", value)
