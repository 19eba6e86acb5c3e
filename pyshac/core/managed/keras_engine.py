"""KerasSHAC: the engine for models of Keras, on any backend that can train."""

from __future__ import annotations

from pyshac.core.evaluation.worker import Evaluator
from pyshac.core.managed.keras_backend import find_keras
from pyshac.core.managed.keras_evaluator import KerasEvaluator
from pyshac.core.managed.managed_engine import ManagedSHAC


class KerasSHAC(ManagedSHAC):
    """Searches hyperparameters of Keras models.

    The evaluation function is called as `evaluation_function(session, worker_id, parameters)` and
    returns a number. The type of `session` depends on the Keras in use:

    - Legacy Keras (`TF_USE_LEGACY_KERAS=1`, package `tf_keras`): a `tf.compat.v1.Session` on a
      graph of its own, which is also Keras's session. Models are built and trained in this graph.
    - Keras 3 on TensorFlow: the same kind of session; Keras runs eagerly, outside its graph.
    - Keras 3 on JAX or PyTorch, and CNTK: None.

    Keras's global state is cleared after each evaluation. If the engine has a seed, `random`, NumPy
    and Keras with its backend are seeded before it. Worker processes use the backend that is in use
    where `fit` is called. Arguments are as for
    `pyshac.core.managed.managed_engine.ManagedSHAC`, methods as for every engine.

    Raises:
        ValueError: If Keras's backend cannot train.

    Example:
        ```python
        shac = pyshac.KerasSHAC(
            evaluate, space, total_budget=100, num_batches=10, max_gpu_evaluators=0
        )
        shac.fit()
        ```
    """

    def _check_framework(self) -> None:
        find_keras()

    def _make_evaluator(self) -> Evaluator:
        return KerasEvaluator(find_keras(), self.uses_gpus, self._require_run().is_seeded)
