"""The protocol of a classifier."""

from __future__ import annotations

from typing import Protocol

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

    def margin(self, features: Float32Array) -> Float32Array:
        """Returns numbers that are positive for good rows, shape (n,); features as in `predict`."""

    def predict(self, features: Float32Array) -> BoolArray:
        """Returns which rows are good, shape (n,), for features of shape (n, columns)."""

    def compact(self) -> None:
        """Makes a trained classifier predict faster, if possible."""
