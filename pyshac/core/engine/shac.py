"""SHAC: the engine for ordinary evaluation functions."""

from __future__ import annotations

from pyshac.core.engine.abstract_engine import _SHAC
from pyshac.core.evaluation.worker import Evaluator


class SHAC(_SHAC):
    """Finds good hyperparameters by Successive Halving and Classification.

    The engine calls `evaluation_function(worker_id, parameters)`. `worker_id` is the number of the
    slot, and `parameters` is an `OrderedDict` of values by name. The function returns its score as
    a number, or a mapping with `score` and further values.

    See `pyshac.core.engine._SHAC` for arguments and errors.

    Example:
        ```python
        from pyshac import SHAC, UniformHP

        def evaluate(worker_id, parameters):
            return (parameters["x"] - 2) ** 2

        shac = SHAC(evaluate, [UniformHP("x", -5, 5)], 100, 10, objective="min")
        shac.fit()
        print(shac.best_score, shac.best_parameters)
        ```
    """

    def _make_evaluator(self) -> Evaluator:
        return Evaluator()
