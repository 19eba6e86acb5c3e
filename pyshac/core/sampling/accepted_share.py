"""ShareEstimator: the share of the prior that a cascade accepts."""

from __future__ import annotations

from pyshac.core.basics.arrays import Float32Array
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.constraints.prior import Prior

# Draws from the prior; fewer with a user's own types, which are drawn one by one in Python.
PILOT_ROWS = 2**13
PILOT_SCALAR_ROWS = 2**10
# A share is counted while this many rows are left; after that it is extrapolated.
MIN_ROWS = 16
SMALLEST_SHARE = 1e-300


class ShareEstimator:
    """Estimates the share of the prior that cascades accept; deterministic for each cascade.

    The prior is that of samples that obey the constraints. The cascades of one estimator see the
    same features.

    Args:
        space: The search space, whose distributions are the prior.

    Attributes:
        prior: The prior.
    """

    def __init__(self, space: HyperParameterList) -> None:
        self._space = space
        self.prior = Prior(space)
        self._pilot: Float32Array | None = None
        # Each classifier, and the pilot's rows that it and all earlier ones accept.
        self._accepted: list[tuple[Classifier, Float32Array]] = []

    def __call__(self, cascade: Cascade) -> float:
        """Returns the share of the prior that a cascade accepts, above 0.

        Args:
            cascade: The classifiers. Where the pilot is too small to tell, each is assumed to
                accept an equal share of the rows that all earlier ones accept.
        """
        if self._pilot is None:
            num_rows = PILOT_ROWS if self._space.is_vectorised else PILOT_SCALAR_ROWS
            self._pilot = cascade.features(self.prior.pilot(num_rows))
        share, rows = 1.0, self._pilot
        for number, classifier in enumerate(cascade, 1):
            rows = self._accepted_by(classifier, number - 1, rows)
            share = max(len(rows), 1) / max(len(self._pilot), 1)
            if len(rows) < MIN_ROWS:
                return max(share ** (len(cascade) / number), SMALLEST_SHARE)
        return share

    def _accepted_by(self, classifier: Classifier, place: int, rows: Float32Array) -> Float32Array:
        if place >= len(self._accepted) or self._accepted[place][0] is not classifier:
            del self._accepted[place:]
            self._accepted.append((classifier, rows[classifier.predict(rows)]))
        return self._accepted[place][1]
