"""TensorflowSHAC: the engine for evaluation functions that use TensorFlow sessions."""

from __future__ import annotations

from pyshac.core.basics.optional_packages import require
from pyshac.core.evaluation.worker import Evaluator
from pyshac.core.managed.managed_engine import ManagedSHAC
from pyshac.core.managed.tf_evaluator import TensorflowEvaluator


class TensorflowSHAC(ManagedSHAC):
    """Searches hyperparameters of TensorFlow models that use graphs and sessions.

    The evaluation function is called as `evaluation_function(session, worker_id, parameters)` and
    returns a number. `session` is a `tf.compat.v1.Session` on a graph that is made for this one
    evaluation; all ops of the function belong to it. The session uses soft placement, takes GPU
    memory as it needs it, and is closed when the function returns or raises. Without GPU
    evaluators, ops are on the CPU. With them, the function places its ops: no other evaluation uses
    `tf.device(f"/gpu:{worker_id}")`. If the engine has a seed, `random`, NumPy and TensorFlow (the
    graph's and the global seed) are seeded before each evaluation. Arguments are as for
    `pyshac.core.managed.managed_engine.ManagedSHAC`, methods as for every engine.

    Example:
        ```python
        shac = pyshac.TensorflowSHAC(
            evaluate, space, total_budget=100, num_batches=10, max_gpu_evaluators=0
        )
        shac.fit()
        ```
    """

    def _check_framework(self) -> None:
        require("TensorflowSHAC", "tensorflow", "tensorflow")

    def _make_evaluator(self) -> Evaluator:
        return TensorflowEvaluator(self.uses_gpus)
