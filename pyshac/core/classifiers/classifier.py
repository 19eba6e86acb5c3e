"""The protocol of a classifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import BoolArray, Float32Array


class Classifier(Protocol):
    """A binary classifier: one link of a cascade."""

    def fit(self, features: Float32Array, labels: npt.ArrayLike) -> Classifier:
        """Trains the classifier from scratch.

        Args:
            features: Shape (n, columns).
            labels: Shape (n,); true for good rows.

        Returns:
            Itself.
        """

    def predict(self, features: Float32Array) -> BoolArray:
        """Returns which rows are good, shape (n,), for features of shape (n, columns)."""

    def compact(self) -> None:
        """Makes a trained classifier predict faster, if possible."""


def predicted(
    predict: Callable[[Float32Array], Any], features: Float32Array, dtype: type
) -> npt.NDArray[Any]:
    """Returns a library's predictions, shape (n,), for features of shape (n, columns).

    Without rows the library is not asked: some raise an error, and XGBoost 3.4 returns shape
    (0, 0).
    """
    if not len(features):
        return np.empty(0, dtype)
    return np.asarray(predict(features), dtype)
