"""Gaussian processes: which values are to be expected at new points, and how surely."""

from __future__ import annotations

import contextlib
import copy
import functools

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize
from threadpoolctl import ThreadpoolController

from pyshac.core.basics.arrays import FloatArray

# Priors of the logarithms, mean and standard deviation. With those of the length scales, that grow
# with the number of columns, most columns matter little until samples say otherwise: Hvarfner,
# Hellsten and Nardi, arXiv 2402.02229, section 5, for points in the unit cube.
SCALE_PRIOR = (2**0.5, 3**0.5)
VARIANCE_PRIOR = (0.0, 1.0)
NOISE_PRIOR = (-4.0, 1.0)
# From where, and within which bounds, the logarithms of the best are looked for.
START = {"scale": 0.5, "variance": 1.0, "noise": 0.05}
SCALE_BOUNDS = (-4.0, 6.0)
VARIANCE_BOUNDS = (-3.0, 3.0)
NOISE_BOUNDS = (-9.0, 1.0)
MAX_STEPS = 100
# So many points are predicted at once, which keeps matrices small.
MAX_ROWS = 2**12


class GaussianProcess:
    """A Gaussian process with a length scale for each column, fitted to points and their values.

    Its kernel is Matérn's with nu = 5/2; length scales, variance and noise are the most probable
    ones (Rasmussen and Williams, 2006, equations 4.17, 5.8 and 5.9).

    Args:
        points: Shape (n, features), each feature with a range of 1 or so.
        columns: The column that each feature belongs to, shape (features,), counted from 0. The
            features of a column share a length scale.
        values: Shape (n,), with a mean of 0 and a variance of 1 or so.
    """

    def __init__(
        self, points: FloatArray, columns: npt.NDArray[np.int_], values: FloatArray
    ) -> None:
        self._points, self._columns, self._values = points, columns, values
        num_columns = columns.max() + 1
        means = [SCALE_PRIOR[0] + np.log(num_columns) / 2] * num_columns
        self._prior_means = np.array([*means, VARIANCE_PRIOR[0], NOISE_PRIOR[0]])
        widths = [SCALE_PRIOR[1]] * num_columns
        self._prior_widths = np.array([*widths, VARIANCE_PRIOR[1], NOISE_PRIOR[1]])
        start = [START["scale"] * num_columns**0.5] * num_columns
        with _one_thread():
            self._logarithms = optimize.minimize(
                self.loss,
                np.log([*start, START["variance"], START["noise"]]),
                jac=True,
                method="L-BFGS-B",
                bounds=[SCALE_BOUNDS] * num_columns + [VARIANCE_BOUNDS, NOISE_BOUNDS],
                options={"maxiter": MAX_STEPS},
            ).x
        self._solve()

    def _solve(self) -> None:
        with _one_thread():
            covariance = _matern(*self._distances(self._logarithms, self._points))
            self._root = linalg.cholesky(_with_noise(covariance, self._logarithms), lower=True)
            self._weights = linalg.cho_solve((self._root, True), self._values)

    def believing(self, points: FloatArray) -> GaussianProcess:
        """Returns the process as it would be if points, shape (m, features), had what it expects.

        It expects the same everywhere, and is surer near them: the kriging believer of Ginsbourger,
        Le Riche and Carraro, 2010, section 4.
        """
        process = copy.copy(self)
        process._points = np.concatenate([self._points, points])
        process._values = np.concatenate([self._values, self.predict(points)[0]])
        process._solve()
        return process

    def loss(self, logarithms: FloatArray) -> tuple[float, FloatArray]:
        """Returns the negative logarithm of a posterior density, but for a constant.

        Args:
            logarithms: Those of the length scales, the variance and the noise's variance.

        Returns:
            The value and its gradient, shape (columns + 2,).
        """
        distances, decay = self._distances(logarithms, self._points)
        covariance = _matern(distances, decay)
        # Times a column's scaled squared distance: the derivative by its length scale's logarithm.
        slope = 5 / 3 * (1 + distances) * decay
        root = linalg.cholesky(_with_noise(covariance, logarithms), lower=True)
        weights = linalg.cho_solve((root, True), self._values)
        inverse = linalg.cho_solve((root, True), np.eye(len(weights)))
        steepness = (inverse - np.outer(weights, weights)) / 2
        deviations = (logarithms - self._prior_means) / self._prior_widths
        value = self._values @ weights / 2 + np.log(np.diag(root)).sum() + (deviations**2).sum() / 2
        gradient = np.array(
            [
                *self._sum_of_distances(steepness * slope, logarithms),
                (steepness * covariance).sum(),
                np.trace(steepness) * np.exp(logarithms[-1]),
            ]
        )
        return float(value), gradient + deviations / self._prior_widths

    def _sum_of_distances(self, factors: FloatArray, logarithms: FloatArray) -> FloatArray:
        """Sums factors times squared distances, scaled, over all pairs; one sum a column."""
        points = self._points
        sums = 2 * (factors.sum(axis=1) @ points**2 - (points * (factors @ points)).sum(axis=0))
        of_columns = np.zeros(len(logarithms) - 2)
        np.add.at(of_columns, self._columns, sums)
        return of_columns * np.exp(-2 * logarithms[:-2])

    def _distances(
        self, logarithms: FloatArray, others: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Returns the scaled distances of points from others, and how the variance decays."""
        scales = np.exp(logarithms[:-2])[self._columns]
        ours, theirs = self._points / scales, others / scales
        squares = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1) - 2 * ours @ theirs.T
        distances = np.sqrt(5 * np.maximum(squares, 0.0))
        return distances, np.exp(logarithms[-2] - distances)

    def predict(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns the expected values at points and their standard deviations, without noise.

        Args:
            points: Shape (m, features).

        Returns:
            Two arrays of shape (m,).
        """
        expected, variance = np.empty(len(points)), np.empty(len(points))
        with _one_thread():
            for start in range(0, len(points), MAX_ROWS):
                block = slice(start, start + MAX_ROWS)
                covariance = _matern(*self._distances(self._logarithms, points[block]))
                explained = linalg.solve_triangular(self._root, covariance, lower=True)
                expected[block] = self._weights @ covariance
                variance[block] = np.exp(self._logarithms[-2]) - (explained**2).sum(axis=0)
        return expected, np.sqrt(np.maximum(variance, 0.0))


def _matern(distances: FloatArray, decay: FloatArray) -> FloatArray:
    """Returns covariances, of Matérn's kernel with nu = 5/2."""
    return (1 + distances + distances**2 / 3) * decay


def _with_noise(covariance: FloatArray, logarithms: FloatArray) -> FloatArray:
    return covariance + np.exp(logarithms[-1]) * np.eye(len(covariance))


@functools.cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def _one_thread() -> contextlib.AbstractContextManager[None]:
    """Several threads take longer with matrices this small, and round otherwise than one does."""
    return _controller().limit(limits=1, user_api="blas")
