"""`KerasSHAC`: what `TensorflowSHAC` does, for models of Keras on any backend that can train."""

from __future__ import annotations

import contextlib
import gc
import importlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pyshac.core.basics.optional_packages import is_installed
from pyshac.core.evaluation.worker import Evaluator, Task
from pyshac.core.managed.base import ManagedSHAC
from pyshac.core.managed.keras_backend import CNTK, KerasChoice, find_keras
from pyshac.core.managed.seeds import seeded_python, seeded_tensorflow, seeded_torch
from pyshac.core.managed.tf_engine import GROWING_MEMORY, inside, managed_session, unless_set

# JAX would else take three quarters of each GPU's memory.
GROWING_MEMORY_OF_JAX = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}

# Keras places models on a GPU that it can see, also where none is meant to be used.
NO_GPU = {"CUDA_VISIBLE_DEVICES": "-1"}


@dataclass(frozen=True)
class KerasEvaluator(Evaluator):
    """Calls the function with what the Keras in use needs around it, and clears its state.

    Attributes:
        choice: The Keras in use.
        on_gpu: Whether models may be on GPUs.
    """

    choice: KerasChoice
    on_gpu: bool

    def environment(self) -> dict[str, str]:
        gpus = {**GROWING_MEMORY, **GROWING_MEMORY_OF_JAX} if self.on_gpu else NO_GPU
        return {**unless_set(gpus), **self.choice.environment()}

    def __call__(self, function: Callable[..., Any], task: Task, worker_id: int) -> Any:
        try:
            with self._surroundings(task.seed) as session:
                return function(session, worker_id, task.parameters)
        finally:
            session = None
            gc.collect()

    def _surroundings(self, seed: int | None) -> contextlib.AbstractContextManager[Any]:
        if self.choice.backend == CNTK:
            return _keras_on_cntk(seed)
        if self.choice.is_legacy:
            return _legacy_keras(seed, self.on_gpu)
        return _keras_3(seed, self.choice.backend)


@contextlib.contextmanager
def _keras_on_cntk(seed: int | None) -> Iterator[None]:
    import keras

    try:
        with seeded_python(seed):
            yield
    finally:
        keras.backend.clear_session()


@contextlib.contextmanager
def _legacy_keras(seed: int | None, on_gpu: bool) -> Iterator[Any]:
    """Gives a managed session that is Keras's session too."""
    import tensorflow as tf

    backend = tf.compat.v1.keras.backend
    try:
        with (
            seeded_python(seed),
            seeded_tensorflow(seed),
            managed_session(seed) as session,
            inside(session, on_gpu),
        ):
            backend.set_session(session)
            yield session
    finally:
        backend.set_session(None)
        # Keras also resets the default graph, which is the thread's: not that of the caller, then.
        thread = threading.Thread(target=backend.clear_session)
        thread.start()
        thread.join()


@contextlib.contextmanager
def _keras_3(seed: int | None, backend: str) -> Iterator[Any]:
    """Gives a managed session that stands by, or None where TensorFlow is not the backend."""
    import keras

    with contextlib.ExitStack() as stack:
        stack.callback(keras.utils.clear_session)
        if seed is not None and is_installed("tensorflow"):
            # Keras seeds TensorFlow even if it is not the backend, for the sake of tf.data.
            importlib.import_module("tensorflow")
            stack.enter_context(seeded_tensorflow(seed))
        stack.enter_context(seeded_python(seed))
        if backend == "torch":
            stack.enter_context(seeded_torch(seed))
        if seed is not None:
            keras.utils.set_random_seed(seed)
        if backend == "tensorflow":
            yield stack.enter_context(managed_session(seed))
        else:
            yield None


class KerasSHAC(ManagedSHAC):
    """Searches hyperparameters of Keras models.

    The evaluation function is called as `evaluation_function(session, worker_id, parameters)` and
    returns a number. What `session` is depends on the Keras in use:

    - Legacy Keras (`TF_USE_LEGACY_KERAS=1`, package `tf_keras`): a `tf.compat.v1.Session` on a
      graph of its own, which is Keras's session too. Models are built and trained in this graph.
    - Keras 3 on TensorFlow: such a session stands by; Keras runs eagerly, outside of its graph.
    - Keras 3 on JAX or PyTorch, and CNTK: None.

    Keras's global state is cleared after each evaluation. If the engine has a seed, `random`, NumPy
    and Keras with its backend are seeded before it. Worker processes use the backend that is in use
    where `fit` is called. Arguments are those of `pyshac.core.managed.base.ManagedSHAC`, methods
    those of every engine.

    Raises:
        ValueError: If Keras's backend is one that cannot train.

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
        return KerasEvaluator(find_keras(), self.uses_gpus)
