"""TensorflowSHAC: the engine for evaluation functions that use TensorFlow sessions."""

from __future__ import annotations

from pyshac.core.basics.optional_packages import require
from pyshac.core.evaluation.worker import Evaluator
from pyshac.core.managed.managed_engine import ManagedSHAC
from pyshac.core.managed.tf_evaluator import TensorflowEvaluator


class TensorflowSHAC(ManagedSHAC):
    """Searches hyperparameters of TensorFlow models that use graphs and sessions.

    The engine calls `evaluation_function(session, worker_id, parameters)`, which returns its score
    as a number. `session` is a `tf.compat.v1.Session` with a new graph for each evaluation. All
    operations of the function belong to this graph. The session uses soft placement and takes GPU
    memory as it needs it. It closes when the function returns or raises.

    Without GPU evaluators, operations are on the CPU. With them, the function places its
    operations: no other evaluation of the engine uses `tf.device(f"/gpu:{worker_id}")` at the same
    time. If the engine has a seed, it seeds `random`, NumPy and TensorFlow (the graph and the
    global seed) before each evaluation.

    See `pyshac.core.managed.managed_engine.ManagedSHAC` for arguments. Methods are the same as for
    every engine.

    Example:
        ```python
        def evaluate(session, worker_id, parameters):
            return session.run(tf.square(parameters["x"]))

        space = [UniformHP("x", -5, 5)]
        shac = TensorflowSHAC(evaluate, space, 100, 10, max_gpu_evaluators=0, objective="min")
        shac.fit()
        ```
    """

    def _check_framework(self) -> None:
        require("TensorflowSHAC", "tensorflow", "tensorflow")

    def _make_evaluator(self) -> Evaluator:
        return TensorflowEvaluator(self.uses_gpus)
