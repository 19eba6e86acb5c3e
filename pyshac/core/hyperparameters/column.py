"""ColumnHyperParameter: the base class of built-in types with one column.

They work on whole columns. `from_unit` maps the unit interval [0, 1), on which their prior is
uniform, to encoded values by the quantile function. `to_unit` maps encoded values back by the
cumulative distribution function.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray, as_array
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.unit_map import UnitMap


class ColumnHyperParameter(AbstractHyperParameter):
    """A built-in type with one column that is drawn by inverse transform sampling."""

    @property
    @abstractmethod
    def column_kind(self) -> ColumnKind:
        """The kind of its column."""

    @property
    def unit_map(self) -> UnitMap:
        return self

    @abstractmethod
    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        """See `UnitMap.from_unit`."""

    @abstractmethod
    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        """See `UnitMap.to_unit`."""

    def draw(self, random: np.random.RandomState, n: int) -> list[Any]:
        """Draws n values for `sample`. Searches draw whole columns with `from_unit`."""
        return [self.decode(encoded) for encoded in self.from_unit(random.random_sample(n))]

    def sample(self) -> Any:
        return self.draw(self.random, 1)[0]

    def decode_many(self, encoded: FloatArray) -> npt.NDArray[Any]:
        """See `AbstractHyperParameter.decode_many`; any shape is possible."""
        return as_array([self.decode(x) for x in encoded.ravel().tolist()]).reshape(encoded.shape)
