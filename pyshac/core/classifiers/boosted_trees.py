"""The library's own classifier: gradient-boosted trees."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import signals
from pyshac.core.basics.arrays import BoolArray, Float32Array
from pyshac.core.classifiers.tree_models import (
    Tree,
    load_model,
    merge_equal_shapes,
    read_trees,
    with_raised_margin,
)

if TYPE_CHECKING:
    import xgboost

PARAMETERS: dict[str, Any] = {
    "objective": "binary:logistic",
    "tree_method": "exact",
    "max_depth": 6,
    "base_score": 0.5,
    # With few rows one thread is fastest. It is also reproducible, and leaves no thread pool behind
    # on which a forked process could hang.
    "nthread": 1,
    "verbosity": 0,
    "disable_default_eval_metric": True,
}
# XGBoost keeps the margins of the largest prediction, for each model and thread.
MAX_PREDICTED_ROWS = 2**13


@dataclass(frozen=True)
class Boosting:
    """How trees are trained; the names are XGBoost's.

    Attributes:
        num_trees: Number of trees.
        learning_rate: Factor that shrinks each tree's output.
        min_child_weight: Minimum sum of hessians in a leaf. XGBoost's default of 1 never splits
            seven samples or fewer, since each sample starts with a hessian of 1/4.
        subsample: Fraction of the rows on which each tree is trained.
        colsample_bytree: Fraction of the columns on which each tree is trained.
    """

    num_trees: int = 25
    learning_rate: float = 0.3
    min_child_weight: float = 0.0
    subsample: float = 1.0
    colsample_bytree: float = 1.0

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters for `xgboost.Booster`."""
        options = asdict(self)
        del options["num_trees"]
        return {**PARAMETERS, **options}


class BoostedTrees:
    """A binary classifier of gradient-boosted trees (XGBoost).

    Args:
        seed: Seed of the trees.
        booster: An `xgboost.Booster` that is already trained, or None.
        boosting: Settings of `fit`.

    Attributes:
        booster: The trained `xgboost.Booster`, or None.
    """

    def __init__(
        self,
        seed: int = 0,
        booster: xgboost.Booster | None = None,
        boosting: Boosting = Boosting(),
    ) -> None:
        self.seed = seed
        self.booster = booster
        self._boosting = boosting

    def fit(self, features: Float32Array, labels: npt.ArrayLike) -> BoostedTrees:
        """Trains the trees from scratch; see `Classifier.fit`."""
        signals.import_whole("xgboost")
        import xgboost

        data = xgboost.DMatrix(features, np.asarray(labels, dtype=np.float32), nthread=1)
        booster = xgboost.Booster({**self._boosting.parameters, "seed": self.seed}, [data])
        # The loop of xgboost.train without its callbacks takes half the time.
        for iteration in range(self._boosting.num_trees):
            booster.update(data, iteration)
        self.booster = booster
        return self

    def raise_margin(self, by: float) -> None:
        """Adds a constant to the margin, so that more rows are good."""
        self.booster = with_raised_margin(self.trained(), by)

    def compact(self) -> None:
        """Merges trees of equal shape. The margin changes only by rounding."""
        self.booster = merge_equal_shapes(self.trained())

    def drop_training_data(self) -> None:
        """Drops data that XGBoost keeps for further training. The margin does not change."""
        self.booster = load_model(self.to_bytes())

    def margin(self, features: Float32Array) -> Float32Array:
        """Returns the log-odds, shape (n,), that each row of shape (n, columns) is good.

        Raises:
            RuntimeError: If the trees are not trained.
        """
        return self.margins(features)[:, 0]

    def margins(self, features: Float32Array) -> Float32Array:
        """Returns the log-odds of each label, shape (n, labels), for rows of shape (n, columns)."""
        booster, blocks = self.trained(), []
        for start in range(0, len(features), MAX_PREDICTED_ROWS):
            block = features[start : start + MAX_PREDICTED_ROWS]
            margin = booster.inplace_predict(block, predict_type="margin")
            blocks.append(margin.reshape(len(block), -1))
        return np.concatenate(blocks) if blocks else np.empty((0, 1), dtype=np.float32)

    def predict(self, features: Float32Array) -> BoolArray:
        """Returns which rows are good, shape (n,), for features of shape (n, columns)."""
        return self.margin(features) > 0

    def to_bytes(self) -> bytes:
        """Returns the trained trees in XGBoost's UBJSON format."""
        return bytes(self.trained().save_raw("ubj"))

    @property
    def num_trees(self) -> int:
        """Number of trees; `compact` may lower it."""
        return int(self.trained().num_boosted_rounds())

    def trees(self) -> list[Tree]:
        """Returns the trained trees."""
        return read_trees(self.trained())

    def trained(self) -> xgboost.Booster:
        """Returns the `xgboost.Booster`; raises `RuntimeError` if it is not trained."""
        if self.booster is None:
            raise RuntimeError("The trees are not trained: call fit first.")
        return self.booster

    @classmethod
    def from_bytes(cls, data: bytes) -> BoostedTrees:
        """Returns the trees that `to_bytes` wrote.

        Raises:
            ValueError: If the bytes are not an XGBoost model.
        """
        signals.import_whole("xgboost")
        import xgboost

        try:
            booster = load_model(data)
        except xgboost.core.XGBoostError as error:
            raise ValueError(f"not an XGBoost model: {str(error).splitlines()[0]}") from None
        return cls(booster=booster)
