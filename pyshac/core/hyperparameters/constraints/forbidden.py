"""Forbidden: a combination of values that samples must not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters.constraints.columns import Columns
from pyshac.core.hyperparameters.constraints.relation import Relation, check_mapping

_EXAMPLE = "Forbidden({'kernel': 'linear', 'gamma': 1.0})"


class Forbidden(Relation):
    """Excludes a combination of values. It allows samples in which one of them is inactive.

    Example:
        ```python
        optimizer = pyshac.DiscreteHP("optimizer", ["sgd", "adam"])
        half = pyshac.DiscreteHP("half", [True, False])
        rule = pyshac.Forbidden({"optimizer": "sgd", "half": True})
        pyshac.HyperParameterList([optimizer, half], constraints=[rule])
        ```

    Args:
        values: The values by parameter name. For values of lists, use `name_1`, `name_2` and so on.

    Raises:
        TypeError: If `values` is not a mapping from names to plain values.
        ValueError: If `values` is empty, or a value cannot be stored.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        given = check_mapping("Forbidden", values, _EXAMPLE)
        self.values = {
            name: plain_values.check_value(value, f"In Forbidden, the value of {name!r}")
            for name, value in given.items()
        }

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.values)

    def check(self, columns: Columns) -> None:
        for name, value in self.values.items():
            columns.check("Forbidden", name)
            if columns.is_built_in(name):
                try:
                    columns.encode(name, value)
                except (TypeError, ValueError) as error:
                    problem = str(error)
                    raise type(error)(f"{self!r} forbids what cannot be: {problem}") from None

    def holds(self, columns: Columns, encoded: FloatArray) -> BoolArray:
        is_forbidden = np.ones(len(encoded), dtype=bool)
        for name, value in self.values.items():
            if columns.is_built_in(name):
                is_forbidden &= encoded[:, columns.place(name)] == columns.encode(name, value)
            else:
                found = columns.values(encoded, name).tolist()
                key = plain_values.identity(value)
                is_forbidden &= [plain_values.identity(each) == key for each in found]
        return ~is_forbidden

    def get_config(self) -> dict[str, Any]:
        return {"values": plain_values.to_json(self.values)}

    @classmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> Forbidden:
        return cls(**{key: plain_values.from_json(value) for key, value in config.items()})

    def __repr__(self) -> str:
        return f"Forbidden({self.values!r})"
