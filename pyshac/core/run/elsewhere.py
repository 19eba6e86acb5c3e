"""Elsewhere: evaluations that another project keeps, from which a search may start."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset.curves.bounded_scores import bounded_scores
from pyshac.core.dataset.curves.curves_table import CurveEnds
from pyshac.core.dataset.objective import get_objective
from pyshac.core.hyperparameters import HyperParameterList

# The module that reads objects of a package: its `read(source, space)` returns an `Elsewhere`. It
# is imported only for such an object, because it imports the package.
READERS = {"optuna": "pyshac.integrations.optuna_parts.reading"}


@dataclass(frozen=True)
class Evaluated:
    """An evaluation from elsewhere.

    Attributes:
        parameters: Values by name, of objects their names.
        score: Its score; NaN if it failed or was pruned.
        details: What else is known of it.
    """

    parameters: dict[str, Any]
    score: float
    details: Details


@dataclass(frozen=True)
class Elsewhere:
    """Evaluations from elsewhere.

    Attributes:
        name: What keeps them, for messages.
        objective: 'max' or 'min'.
        evaluations: The evaluations.
    """

    name: str
    objective: str
    evaluations: Sequence[Evaluated]

    def scores(self) -> FloatArray:
        """Returns the scores, shape (n,); those that were pruned have bounds."""
        curves = [each.details.curve for each in self.evaluations]
        ends = CurveEnds(
            np.array([-1 if each is None else each.last_step for each in curves], dtype=np.int64),
            np.array([np.nan if each is None else each.scores[-1] for each in curves]),
            np.array([each is not None and each.is_pruned for each in curves], dtype=bool),
        )
        scores = np.array([each.score for each in self.evaluations], dtype=np.float64)
        return bounded_scores(scores, ends, get_objective(self.objective))


def evaluations_of(source: Any, space: HyperParameterList) -> Elsewhere | None:
    """Returns the evaluations that an object of another project keeps; None if it keeps none.

    Args:
        source: The object, such as a study of Optuna.
        space: The search space for which they are read.
    """
    packages = [kind.__module__.partition(".")[0] for kind in type(source).__mro__]
    module = next((READERS[package] for package in packages if package in READERS), None)
    if module is None:
        return None
    found: Elsewhere | None = importlib.import_module(module).read(source, space)
    return found
