"""Tests of draws against what they should be.

All draws have fixed seeds, so a test always passes or always fails. `LEVEL` was set before any of
them ran: of ten thousand correct tests one would fail. With 100,000 draws a bin of probability
0.1 has a standard deviation of one hundredth of itself, so an error of a twentieth fails.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

LEVEL = 1e-4
NUM_DRAWS = 100_000


def chi_square(counts: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """The p value of counts under given probabilities, which must add up to one.

    Bins in which fewer than 10 counts are expected are taken together.
    """
    counts, probabilities = np.asarray(counts), np.asarray(probabilities, dtype=float)
    assert np.isclose(probabilities.sum(), 1.0, atol=1e-9)
    expected = probabilities * counts.sum()
    is_rare = expected < 10
    if is_rare.any():
        counts = np.append(counts[~is_rare], counts[is_rare].sum())
        expected = np.append(expected[~is_rare], expected[is_rare].sum())
    if expected[-1] == 0:
        assert counts[-1] == 0
        counts, expected = counts[:-1], expected[:-1]
    return float(stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue)


def count(values: npt.ArrayLike, support: Sequence[float]) -> npt.NDArray[np.int64]:
    """How often each number of an ascending support occurs; all values must be in it."""
    support = np.asarray(support, dtype=float)
    places = np.searchsorted(support, values)
    assert (support[np.minimum(places, len(support) - 1)] == values).all()
    return np.bincount(places, minlength=len(support))


def continuous_p_values(values: npt.ArrayLike, distribution: object) -> tuple[float, float]:
    """The p values of the Kolmogorov-Smirnov and the 50-bin chi-square test of draws."""
    probabilities = distribution.cdf(values)  # type: ignore[attr-defined]
    histogram, _ = np.histogram(probabilities, bins=50, range=(0, 1))
    return float(stats.kstest(probabilities, "uniform").pvalue), chi_square(
        histogram, np.full(50, 0.02)
    )


def same_distribution(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """The p value of two samples of numbers under the claim that they have one distribution.

    Few different numbers are compared as counts, many by the Kolmogorov-Smirnov test.
    """
    values = np.unique(np.concatenate([first, second]))
    if len(values) == 1:
        return 1.0
    if len(values) > 50:
        return float(stats.ks_2samp(first, second, method="asymp").pvalue)
    table = np.stack([count(first, values), count(second, values)])
    return float(stats.chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue)


def assert_same_rows(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> None:
    """Compares two samples of rows, shape (n, columns), in which NaN stands for what is inactive.

    Each column is compared, where it is inactive, and the sums and differences of each pair. The
    level is divided by the number of comparisons (Bonferroni).
    """
    columns = [column[~np.isnan(column)] for column in np.concatenate([first, second]).T]
    scale = np.array([(np.std(column) if len(column) else 0.0) or 1.0 for column in columns])
    both = [rows / scale for rows in (first, second)]
    pairs = []
    for one in range(first.shape[1]):
        pairs.append([np.isnan(rows[:, one]).astype(float) for rows in both])
        pairs.append([rows[:, one] for rows in both])
        for other in range(one):
            pairs += [[rows[:, one] + sign * rows[:, other] for rows in both] for sign in (-1, 1)]
    known = [[each[~np.isnan(each)] for each in pair] for pair in pairs]
    # Parameters of different branches are never there together.
    p_values = [same_distribution(*pair) for pair in known if all(map(len, pair))]
    assert min(p_values) * len(p_values) > LEVEL
