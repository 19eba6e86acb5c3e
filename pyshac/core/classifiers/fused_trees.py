"""FusedTrees: several classifiers in one model, for few rows.

For a hundred rows, calling XGBoost takes longer than its prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pyshac.core.basics.arrays import Float32Array, IntArray
from pyshac.core.classifiers.tree_models import side_by_side

if TYPE_CHECKING:
    from pyshac.core.classifiers.boosted_trees import BoostedTrees


class FusedTrees:
    """Classifiers whose margins are predicted at once.

    Args:
        classifiers: Trained classifiers, at least one.
    """

    def __init__(self, classifiers: Sequence[BoostedTrees]) -> None:
        self._number = len(classifiers)
        self._booster = side_by_side([classifier.trained() for classifier in classifiers])

    def __len__(self) -> int:
        return self._number

    def rejections(self, features: Float32Array) -> IntArray:
        """Returns how many classifiers reject each row, shape (n,); features as for `predict`."""
        margins = self._booster.inplace_predict(features, predict_type="margin")
        return np.count_nonzero(margins.reshape(len(features), -1) <= 0, axis=1)
