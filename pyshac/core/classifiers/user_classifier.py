"""A user's own classifiers: anything with scikit-learn's interface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import BoolArray, Float32Array

# What a user's classifier sees of an inactive parameter: few take missing values, and fewer a whole
# column of them. Scaled values of bounded numbers, and numbers of choices, are not negative.
INACTIVE_FEATURE = -1.0


class UserClassifier:
    """A user's classifier in a cascade.

    It sees -1 for the missing values of inactive parameters.

    Args:
        template: A scikit-learn classifier, which is cloned and not changed.
        seed: The value for each of its `random_state` parameters.

    Attributes:
        estimator: The clone that is trained.
    """

    def __init__(self, template: Any, seed: int) -> None:
        from sklearn.base import clone

        self.estimator = clone(template)
        names = [name for name in template.get_params() if name.split("__")[-1] == "random_state"]
        self.estimator.set_params(**dict.fromkeys(names, seed))

    def fit(self, features: Float32Array, labels: npt.ArrayLike) -> UserClassifier:
        """Trains the clone from scratch; see `Classifier.fit`."""
        self.estimator.fit(_filled(features), np.asarray(labels, dtype=bool))
        return self

    def margin(self, features: Float32Array) -> Float32Array:
        """Returns 1 for good rows and -1 for others, shape (n,); see `Classifier.margin`."""
        return np.where(self.predict(features), 1, -1).astype(np.float32)

    def predict(self, features: Float32Array) -> BoolArray:
        """Returns which rows are good, shape (n,), for features of shape (n, columns)."""
        # Some estimators raise an error without rows.
        found = self.estimator.predict(_filled(features)) if len(features) else ()
        return np.asarray(found, dtype=bool)

    def compact(self) -> None:
        """Does nothing."""


def _filled(features: Float32Array) -> Float32Array:
    return np.nan_to_num(features, nan=INACTIVE_FEATURE)


def check_template(template: Any) -> Any:
    """Returns a copy of a user's classifier that later changes do not affect, or None.

    Raises:
        TypeError: If it lacks scikit-learn's interface, or cannot be cloned.
    """
    methods = ("fit", "predict", "get_params", "set_params")
    is_usable = all(callable(getattr(template, name, None)) for name in methods)
    if template is not None and (isinstance(template, type) or not is_usable):
        raise TypeError(
            "classifier must be a classifier as in scikit-learn, with fit, predict, get_params and "
            f"set_params, such as RandomForestClassifier(), or None. Got {template!r} instead."
        )
    if template is None:
        return None
    from sklearn.base import clone

    try:
        return clone(template)
    except Exception as error:
        raise TypeError(
            f"classifier must be a classifier that sklearn.base.clone can copy. Got {template!r} "
            f"instead: {error}"
        ) from error


def name_of(template: Any) -> str:
    """Returns a classifier's name in the save directory; '' for the library's own."""
    return "" if template is None else type(template).__name__
