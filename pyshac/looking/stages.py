"""Stages: how many classifiers had been trained when each sample of a search was drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyshac.core.basics.arrays import IntArray


def stages_of(numbers: Sequence[int], starts: Sequence[int]) -> IntArray:
    """Returns how many classifiers had been trained when each sample was drawn, shape (n,)."""
    stages: IntArray = np.searchsorted(np.array(starts, dtype=np.int64), numbers, side="right")
    return stages
