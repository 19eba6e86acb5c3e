"""Gaussian process regression: the expected value at a point, and its standard deviation.

Equation numbers refer to Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006.

| name       | symbol              | meaning                                        | shape    |
|------------|---------------------|------------------------------------------------|----------|
| points     | X                   | training inputs, in the unit cube or near it   | (n, d)   |
| values     | y                   | training targets, mean 0 and variance 1        | (n,)     |
| columns    |                     | column that each feature belongs to            | (d,)     |
| logarithms | theta               | log of length scales, variance, noise variance | (c + 2,) |
| distances  | sqrt(5) r / l       | scaled distances of points                     | (n, m)   |
| decay      | s^2 exp(-distances) | factor of the kernel                           | (n, m)   |
| covariance | K, K(X, X*)         | kernel without noise                           | (n, m)   |
| root       | L                   | Cholesky factor of K + noise variance * I      | (n, n)   |
| weights    | alpha               | (K + noise variance * I)^-1 y                  | (n,)     |

d is the number of features, c of columns, n of training points, m of other points.
"""

from __future__ import annotations

import copy
import math
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.basics.threads import one_thread

# Mean and standard deviation of the normal priors of the logarithms. The prior of the length scales
# grows with the number of columns, so that most columns matter little until samples show otherwise
# (Hvarfner, Hellsten and Nardi, arXiv 2402.02229, section 5, for points in the unit cube).
SCALE_PRIOR = (2**0.5, 3**0.5)
# Standard deviation of the logarithms of alike length scales around their own mean.
ALIKE_WIDTH = 1.0
VARIANCE_PRIOR = (0.0, 1.0)
NOISE_PRIOR = (-4.0, 1.0)
# Start of the optimisation, and the bounds of the logarithms.
START = {"scale": 0.5, "variance": 1.0, "noise": 0.05}
SCALE_BOUNDS = (-4.0, 6.0)
VARIANCE_BOUNDS = (-3.0, 3.0)
NOISE_BOUNDS = (-9.0, 1.0)
MAX_STEPS = 100
# Number of points that the logarithms are fitted to.
MAX_FITTED = 128
# Number of points that are predicted at once, which bounds the size of matrices.
MAX_ROWS = 2**12


class GaussianProcess:
    """A Gaussian process with a length scale for each column.

    The kernel is Matérn's with nu = 5/2 (4.17). Length scales, variance and noise variance maximise
    the posterior density.

    Args:
        points: Shape (n, d), each feature with a range of about 1.
        columns: The column that each feature belongs to, shape (d,), counted from 0. The features
            of a column share a length scale.
        values: Shape (n,), with a mean of 0 and a variance of about 1.
        is_alike: Columns of similar relevance, shape (c,); None for none. A column with little
            evidence takes the length scales of the others.
        num_active: Mean number of columns in which a point has values; None for all.
    """

    def __init__(
        self,
        points: FloatArray,
        columns: npt.NDArray[np.int_],
        values: FloatArray,
        is_alike: BoolArray | None = None,
        num_active: float | None = None,
    ) -> None:
        self._columns = columns
        # The logarithms need fewer points than predictions do, and their cost grows with the cube.
        stride = math.ceil(len(points) / MAX_FITTED)
        self._points, self._values = points[::stride], values[::stride]
        num_columns = columns.max() + 1
        num_active = num_columns if num_active is None else num_active
        alike = np.zeros(num_columns, dtype=bool) if is_alike is None else is_alike
        self._is_alike = np.append(alike, [False, False])
        means = [SCALE_PRIOR[0] + np.log(num_active) / 2] * num_columns
        self._prior_means = np.array([*means, VARIANCE_PRIOR[0], NOISE_PRIOR[0]])
        widths = np.where(alike, ALIKE_WIDTH, SCALE_PRIOR[1])
        self._prior_widths = np.array([*widths, VARIANCE_PRIOR[1], NOISE_PRIOR[1]])
        start = [START["scale"] * num_active**0.5] * num_columns
        with _one_thread():
            self._logarithms = optimize.minimize(
                self.loss,
                np.log([*start, START["variance"], START["noise"]]),
                jac=True,
                method="L-BFGS-B",
                bounds=[SCALE_BOUNDS] * num_columns + [VARIANCE_BOUNDS, NOISE_BOUNDS],
                options={"maxiter": MAX_STEPS},
            ).x
        self._points, self._values = points, values
        self._solve()

    def _solve(self) -> None:
        """Factorises the covariance of the training points."""
        with _one_thread():
            covariance = _matern(*self._distances(self._logarithms, self._points))
            # Algorithm 2.1, lines 2 and 3.
            self._root = linalg.cholesky(_with_noise(covariance, self._logarithms), lower=True)
            self._weights = linalg.cho_solve((self._root, True), self._values)

    def believing(self, points: FloatArray) -> GaussianProcess:
        """Returns the process with further points whose values are its own expectations.

        Its expected values do not change anywhere, but its deviations are smaller near the points:
        the kriging believer of Ginsbourger, Le Riche and Carraro, 2010, section 4.

        Args:
            points: Shape (m, d).
        """
        # What turns out as expected moves no expected value.
        return self._extended(points, np.concatenate([self._weights, np.zeros(len(points))]))

    def told(self, points: FloatArray, values: FloatArray) -> GaussianProcess:
        """Returns the process with further training points and unchanged logarithms.

        Args:
            points: Shape (m, d).
            values: Shape (m,).
        """
        process = self._extended(points, self._weights)
        process._values = np.concatenate([self._values, values])
        with _one_thread():
            process._weights = linalg.cho_solve((process._root, True), process._values)
        return process

    def _extended(self, points: FloatArray, weights: FloatArray) -> GaussianProcess:
        """Returns the process with further rows of the Cholesky factor and new weights."""
        process, n = copy.copy(self), len(self._root)
        process._points, process._weights = np.concatenate([self._points, points]), weights
        with _one_thread():
            covariance = _matern(*process._distances(self._logarithms, points))
            old = linalg.solve_triangular(self._root, covariance[:n], lower=True)
            rest = _with_noise(covariance[n:], self._logarithms) - old.T @ old
            process._root = np.zeros((n + len(points), n + len(points)), order="F")
            process._root[:n, :n] = self._root
            process._root[n:, :n] = old.T
            process._root[n:, n:] = linalg.cholesky(rest, lower=True)
        return process

    def nearest_first(self, point: FloatArray, points: FloatArray) -> npt.NDArray[np.intp]:
        """Returns the indices of points, sorted by distance from a point in length scales.

        Args:
            point: Shape (d,).
            points: Shape (m, d).

        Returns:
            Shape (m,).
        """
        scales = np.exp(self._logarithms[:-2])[self._columns]
        return np.argsort((((points - point) / scales) ** 2).sum(axis=1), kind="stable")

    def loss(self, logarithms: FloatArray) -> tuple[float, FloatArray]:
        """Returns the negative log posterior density, up to a constant.

        Args:
            logarithms: Logs of length scales, variance and noise variance, shape (c + 2,).

        Returns:
            The value and its gradient, shape (c + 2,).
        """
        distances, decay = self._distances(logarithms, self._points)
        covariance = _matern(distances, decay)
        # Times a column's scaled squared distance: the derivative with respect to its log scale.
        slope = 5 / 3 * (1 + distances) * decay
        root = linalg.cholesky(_with_noise(covariance, logarithms), lower=True)
        weights = linalg.cho_solve((root, True), self._values)
        inverse = linalg.cho_solve((root, True), np.eye(len(weights)))
        steepness = (inverse - np.outer(weights, weights)) / 2  # The factor in (5.9), negated.
        means, deviation_of_mean = self._means(logarithms)
        deviations = (logarithms - means) / self._prior_widths
        value = (
            self._values @ weights / 2 + np.log(np.diag(root)).sum()  # (5.8)
            + (deviations**2).sum() / 2 + deviation_of_mean**2 / 2
        )  # fmt: skip
        gradient = np.array(
            [
                *self._sum_of_distances(steepness * slope, logarithms),  # (5.9)
                (steepness * covariance).sum(),
                np.trace(steepness) * np.exp(logarithms[-1]),
            ]
        )
        return float(value), gradient + deviations / self._prior_widths

    def _means(self, logarithms: FloatArray) -> tuple[FloatArray, float]:
        """Returns the means of the priors, and how far the mean of the alike ones is from its own.

        That one takes its most likely value, at which its derivative is 0.
        """
        if not self._is_alike.any():
            return self._prior_means, 0.0
        scales, (center, width) = logarithms[self._is_alike], (self._prior_means[0], SCALE_PRIOR[1])
        weight = (width / ALIKE_WIDTH) ** 2
        mean = (weight * scales.sum() + center) / (weight * len(scales) + 1)
        return np.where(self._is_alike, mean, self._prior_means), (mean - center) / width

    def _sum_of_distances(self, factors: FloatArray, logarithms: FloatArray) -> FloatArray:
        """Sums factors times scaled squared distances over all pairs; one sum per column."""
        points = self._points
        sums = 2 * (factors.sum(axis=1) @ points**2 - (points * (factors @ points)).sum(axis=0))
        of_columns = np.zeros(len(logarithms) - 2)
        np.add.at(of_columns, self._columns, sums)
        return of_columns * np.exp(-2 * logarithms[:-2])

    def _distances(
        self, logarithms: FloatArray, others: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Returns the scaled distances of the training points from others, and the decay."""
        scales = np.exp(logarithms[:-2])[self._columns]
        ours, theirs = self._points / scales, others / scales
        squares = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1) - 2 * ours @ theirs.T
        distances = np.sqrt(5 * np.maximum(squares, 0.0))
        return distances, np.exp(logarithms[-2] - distances)

    def expected(self, points: FloatArray) -> FloatArray:
        """Returns the expected values at points, shape (m,), for shape (m, d); see `predict`."""
        with _one_thread():
            covariance = _matern(*self._distances(self._logarithms, points))
            return np.asarray(self._weights @ covariance)  # (2.25)

    def predict(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns the expected values at points and their standard deviations, without noise.

        Args:
            points: Shape (m, d).

        Returns:
            Two arrays of shape (m,).
        """
        expected, variance = np.empty(len(points)), np.empty(len(points))
        with _one_thread():
            for start in range(0, len(points), MAX_ROWS):
                block = slice(start, start + MAX_ROWS)
                covariance = _matern(*self._distances(self._logarithms, points[block]))
                explained = linalg.solve_triangular(self._root, covariance, lower=True)
                reduction = (explained**2).sum(axis=0)
                expected[block] = self._weights @ covariance  # (2.25)
                variance[block] = np.exp(self._logarithms[-2]) - reduction  # (2.26)
        return expected, np.sqrt(np.maximum(variance, 0.0))


def _matern(distances: FloatArray, decay: FloatArray) -> FloatArray:
    """Returns covariances by Matérn's kernel with nu = 5/2."""
    return (1 + distances + distances**2 / 3) * decay  # (4.17)


def _with_noise(covariance: FloatArray, logarithms: FloatArray) -> FloatArray:
    return covariance + np.exp(logarithms[-1]) * np.eye(len(covariance))


def _one_thread() -> AbstractContextManager[None]:
    """Limits BLAS to one thread: with several, small matrices take longer and round differently."""
    return one_thread("blas")
