"""Integers on the unit interval, and their logarithms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray


def index_from_unit(unit: npt.ArrayLike, count: int) -> FloatArray:
    """Returns i for each unit value in [i / count, (i + 1) / count), as a float."""
    unit = np.asarray(unit, dtype=np.float64)
    index: FloatArray = np.clip(np.floor(unit * count), 0, count - 1)
    # The product may round across the edge of an interval.
    index += (unit >= (index + 1) / count) & (index < count - 1)
    index -= unit < index / count
    return index


def smallest_whole(encoded: npt.ArrayLike, is_log: bool) -> FloatArray:
    """Returns the smallest integer whose encoded form is not below each given one.

    Args:
        encoded: Encoded values, of any shape.
        is_log: Whether the encoded form is the natural logarithm instead of the number.
    """
    encoded = np.asarray(encoded, dtype=np.float64)
    if not is_log:
        return np.ceil(encoded)
    with np.errstate(over="ignore", divide="ignore"):
        whole: FloatArray = np.ceil(np.exp(encoded))
        # The exponential may round across a whole number.
        whole -= np.log(np.maximum(whole - 1, 0.0)) >= encoded
        whole += np.log(whole) < encoded
    return whole
