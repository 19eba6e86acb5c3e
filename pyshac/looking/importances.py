"""Importances: how much each parameter contributes to the classifiers of a cascade."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray, without_float_errors
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.looking.axes import columns_of
from pyshac.looking.snapshot import Snapshot, take_snapshot


def gain_shares(snapshot: Snapshot) -> FloatArray:
    """Returns each parameter's share of each classifier's gain, shape (classifiers, parameters).

    A classifier that accepts everything has no gain, so its shares are 0.

    Raises:
        ValueError: If there is no classifier, or the classifiers are a user's own.
    """
    if len(snapshot.cascade) and not snapshot.trees:
        raise ValueError(
            "The classifiers are of your own kind: importances are known of the library's only."
        )
    if not snapshot.trees:
        raise ValueError(
            "There is no classifier, so nothing is known of importances: they need an engine or a "
            "save directory, and a search that has finished its first stage."
        )
    names = [parameter.name for parameter in snapshot.space]
    owners = np.array([names.index(column.parameter.name) for column in columns_of(snapshot)])
    shares = np.zeros((len(snapshot.trees), len(names)))
    for place, classifier in enumerate(snapshot.trees):
        gains = _total_gains(classifier, len(owners))
        shares[place] = np.bincount(owners, gains / (gains.sum() or 1), minlength=len(names))
    return shares


def _total_gains(classifier: BoostedTrees, num_columns: int) -> FloatArray:
    """Returns the total gain of a classifier's splits in each column, shape (columns,)."""
    gains = np.zeros(num_columns)
    if classifier.booster is not None:
        scores = classifier.booster.get_score(importance_type="total_gain")
        for name, gain in scores.items():
            gains[int(name.removeprefix("f"))] = gain
    return gains


@without_float_errors
def parameter_importances(source: Any) -> OrderedDict[str, float]:
    """Returns how much each parameter helps the classifiers to recognise the better half.

    A parameter's importance in one classifier is the gain of its splits, divided by the gain of all
    splits. The gain is the reduction of the loss, as XGBoost defines it. The columns of a multi
    parameter are added up. The result is the mean over all classifiers except those that accept
    everything.

    Importances describe the classifiers, not the parameters:

    - They show neither the direction nor the size of an effect on the score.
    - Correlated parameters share their importance.
    - Real numbers offer more splits than a choice between two values.
    - With few samples, chance plays a part.
    - A parameter that the first classifiers have settled no longer counts in later ones.
    - A split on a conditional parameter also separates samples that have it from those that do not,
      so part of its importance may be due to its condition.

    Example:
        ```python
        from pyshac.utils.vis_utils import parameter_importances

        for name, share in parameter_importances("shac").items():
            print(f"{name}: {share:.2f}")
        ```

    Args:
        source: An engine, or the path of a save directory.

    Returns:
        Shares by parameter name, the largest first. They add up to 1, or all are 0 if every
        classifier
            accepts everything.

    Raises:
        TypeError: If `source` has another type.
        ValueError: If there is no classifier, or the classifiers are a user's own.
    """
    snapshot = take_snapshot(source)
    shares = gain_shares(snapshot)
    means = shares.sum(axis=0) / max(int(shares.any(axis=1).sum()), 1)
    names = [parameter.name for parameter in snapshot.space]
    order = np.argsort(-means, kind="stable")
    return OrderedDict((names[place], float(means[place])) for place in order)
