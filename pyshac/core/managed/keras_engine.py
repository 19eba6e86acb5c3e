"""KerasSHAC: the engine for Keras models, with any backend that can train."""

from __future__ import annotations

from pyshac.core.evaluation.worker import Evaluator
from pyshac.core.managed.keras_backend import find_keras
from pyshac.core.managed.keras_evaluator import KerasEvaluator
from pyshac.core.managed.managed_engine import ManagedSHAC


class KerasSHAC(ManagedSHAC):
    """Searches hyperparameters of Keras models.

    The engine calls `evaluation_function(session, worker_id, parameters)`, which returns its score
    as a number. The type of `session` depends on the Keras in use:

    - Legacy Keras (`TF_USE_LEGACY_KERAS=1`, package `tf_keras`): a `tf.compat.v1.Session` with a
      new graph. It is also Keras's session, so models are built and trained in this graph.
    - Keras 3 on TensorFlow: such a session, too. Keras runs eagerly, outside its graph.
    - Keras 3 on JAX or PyTorch, and CNTK: None.

    The engine clears Keras's global state after each evaluation. If the engine has a seed, it seeds
    `random`, NumPy and Keras with its backend before each evaluation. Worker processes use the
    backend of the process that calls `fit`.

    See `pyshac.core.managed.managed_engine.ManagedSHAC` for arguments. Methods are the same as for
    every engine.

    Raises:
        ValueError: If Keras's backend cannot train.

    Example:
        ```python
        def evaluate(session, worker_id, parameters):
            layers = keras.layers.Dense(parameters["units"], "relu"), keras.layers.Dense(1)
            model = keras.Sequential(layers)
            model.compile("adam", "mse")
            return model.fit(x, y, epochs=5, verbose=0).history["loss"][-1]

        x, y = np.random.rand(64, 4), np.random.rand(64, 1)
        space = [IntegerHP("units", 4, 64)]
        shac = KerasSHAC(evaluate, space, 40, 4, max_gpu_evaluators=0, objective="min")
        shac.fit()
        ```
    """

    def _check_framework(self) -> None:
        find_keras()

    def _make_evaluator(self) -> Evaluator:
        return KerasEvaluator(self.uses_gpus, find_keras(), self._require_run().is_seeded)
