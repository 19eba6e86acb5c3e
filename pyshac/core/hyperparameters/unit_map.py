"""UnitMap: a map between the unit interval and encoded values."""

from __future__ import annotations

from typing import Protocol

import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray


class UnitMap(Protocol):
    """A map between the unit interval, on which a prior is uniform, and encoded values."""

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        """Maps values in [0, 1), uniform under the prior, to encoded values of the same shape."""

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        """Returns the prior probability of a draw below each encoded value, of the same shape.

        This is the lower end of the part of the unit interval that maps to the value, so
        `from_unit(to_unit(encoded))` gives a discrete value back exactly.
        """
