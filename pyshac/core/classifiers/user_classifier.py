"""Other classifiers than the library's own: anything used as in scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from pyshac.core.basics.arrays import BoolArray, Float32Array


class Estimator:
    """A user's own classifier in a cascade.

    Args:
        template: A scikit-learn classifier; it is copied, not changed.
        seed: Taken for every `random_state` that it has.

    Attributes:
        estimator: The copy that is trained.
    """

    def __init__(self, template: Any, seed: int) -> None:
        self.estimator = clone(template)
        names = [name for name in template.get_params() if name.split("__")[-1] == "random_state"]
        self.estimator.set_params(**dict.fromkeys(names, seed))

    def fit(self, features: Float32Array, labels: npt.ArrayLike) -> Estimator:
        """Trains it anew on features of shape (n, columns) and labels of shape (n,)."""
        self.estimator.fit(features, np.asarray(labels, dtype=bool))
        return self

    def predict(self, features: Float32Array) -> BoolArray:
        """Says which rows are good: shape (n,) for features of shape (n, columns)."""
        return np.asarray(self.estimator.predict(features), dtype=bool)

    def compact(self) -> None:
        """Does nothing: it is as fast as it is."""


def check_template(template: Any) -> Any:
    """Returns a user's classifier, or None; raises if it cannot be used as in scikit-learn."""
    methods = ("fit", "predict", "get_params", "set_params")
    is_usable = all(callable(getattr(template, name, None)) for name in methods)
    if template is not None and (isinstance(template, type) or not is_usable):
        raise TypeError(
            "classifier must be a classifier as in scikit-learn, with fit, predict, get_params and "
            f"set_params, such as RandomForestClassifier(), or None. Got {template!r} instead."
        )
    return template


def name_of(template: Any) -> str:
    """Returns the name under which a save directory knows a classifier; '' for the library's."""
    return "" if template is None else type(template).__name__
