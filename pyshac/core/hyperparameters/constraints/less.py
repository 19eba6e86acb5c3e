"""Less: one parameter is less than another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters.constraints.columns import Columns
from pyshac.core.hyperparameters.constraints.relation import Relation, check_column_name


class Less(Relation):
    """Requires one parameter to be less than another. It also allows inactive parameters.

    Equal values break the constraint.

    Example:
        ```python
        space = [pyshac.IntegerHP("min_depth", 1, 8), pyshac.IntegerHP("max_depth", 1, 8)]
        pyshac.HyperParameterList(space, constraints=[pyshac.Less("min_depth", "max_depth")])
        ```

    Args:
        low: Name of the smaller parameter. For values of lists, use `name_1`, `name_2` and so on.
        high: Name of the larger parameter.

    Raises:
        TypeError: If a name is not a str.
        ValueError: If both names are the same.
    """

    def __init__(self, low: str, high: str) -> None:
        self.low = check_column_name("Less", low)
        self.high = check_column_name("Less", high)
        if low == high:
            raise ValueError(
                f"Less must have two different names, since nothing is less than itself. "
                f"Got {low!r} twice."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        return self.low, self.high

    def check(self, columns: Columns) -> None:
        for name in self.columns:
            columns.check_number("Less", name)

    def holds(self, columns: Columns, encoded: FloatArray) -> BoolArray:
        # Nothing is at least NaN, which stands for what is inactive.
        low, high = (columns.numbers(encoded, name) for name in self.columns)
        return ~(low >= high)

    def get_config(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}

    @classmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> Less:
        return cls(**config)

    def __repr__(self) -> str:
        return f"Less({self.low!r}, {self.high!r})"
