"""Leniency: the threshold of a classifier that rejects only clear cases.

A cascade never restores a region that it has cut off, so a cut that is too bold ruins the search.
"""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import Float32Array

# Leniency, in units of the margin, for one sample; it shrinks with the root of their number.
SLACK = 3.0
# Share of the good samples that a classifier may reject.
MISSED_SHARE = 0.1
# A classifier rejects at most this share of what the classifiers before it accept.
LARGEST_CUT = 0.5
# Draws with equal margins are cut off together or not at all; sums of trees in single precision
# differ by less.
ROUNDING = 1e-3


def lenient_threshold(good: Float32Array, num_samples: int, region: Float32Array) -> float:
    """Returns the margin, at most 0, above which a classifier accepts.

    Good samples outside a classifier's training set show the size of its errors. Their number
    matters as well.

    Args:
        good: Margins of good samples from classifiers trained without them, shape (n,).
        num_samples: Number of samples in the classifier's training set.
        region: Its margins of draws from the region so far, shape (m,), with m >= 1.
    """
    lowest = float(np.quantile(good, MISSED_SHARE, method="lower"))
    threshold = min(lowest, 0.0) - SLACK / num_samples**0.5
    half = float(np.quantile(region, LARGEST_CUT, method="lower"))
    return min(threshold, half - ROUNDING)
