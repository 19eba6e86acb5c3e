"""SHAC: the engine for plain functions."""

from __future__ import annotations

from pyshac.core.engine.abstract_engine import _SHAC
from pyshac.core.evaluation.worker import Evaluator


class SHAC(_SHAC):
    """Finds good hyperparameters by Successive Halving and Classification.

    The evaluation function is called as `evaluation_function(worker_id, parameters)` and returns
    a number. See `pyshac.core.engine._SHAC` for arguments, attributes and errors.

    Example:
        ```python
        space = [pyshac.UniformHP("x", -5, 5), pyshac.DiscreteHP("kind", ["a", "b"])]
        shac = pyshac.SHAC(evaluate, space, total_budget=100, num_batches=10, objective="min")
        shac.fit()
        print(shac.best_score, shac.best_parameters)
        ```
    """

    def _make_evaluator(self) -> Evaluator:
        return Evaluator()
