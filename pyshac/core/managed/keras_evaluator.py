"""KerasEvaluator: wraps evaluations that use Keras. Worker processes import this module."""

from __future__ import annotations

import contextlib
import gc
import importlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pyshac.core.basics.optional_packages import is_installed
from pyshac.core.evaluation.worker import Task
from pyshac.core.managed.keras_backend import CNTK, KerasChoice
from pyshac.core.managed.managed_evaluator import ManagedEvaluator
from pyshac.core.managed.seeds import seeded_python, seeded_tensorflow, seeded_torch
from pyshac.core.managed.tf_evaluator import GROWING_MEMORY, inside, managed_session, unless_set

# Otherwise JAX takes three quarters of each GPU's memory.
GROWING_MEMORY_OF_JAX = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}

# Keras places models on any GPU that it can see, even if none is to be used.
NO_GPU = {"CUDA_VISIBLE_DEVICES": "-1"}


@dataclass(frozen=True)
class KerasEvaluator(ManagedEvaluator):
    """Calls the function in the context that the Keras in use needs, and clears Keras's state.

    Attributes:
        choice: The Keras in use.
        is_seeded: Whether the run has a seed.
    """

    choice: KerasChoice
    is_seeded: bool

    def environment(self) -> dict[str, str]:
        gpus = {**GROWING_MEMORY, **GROWING_MEMORY_OF_JAX} if self.on_gpu else NO_GPU
        return {**unless_set(gpus), **self.choice.environment()}

    def prepare(self) -> None:
        if self.choice.is_legacy and self.choice.backend != CNTK:
            _legacy_backend()
        else:
            importlib.import_module("keras")
            if self.is_seeded and not self.choice.is_legacy and is_installed("tensorflow"):
                # Keras seeds TensorFlow even if it is not the backend, because of tf.data.
                importlib.import_module("tensorflow")

    def __call__(self, function: Callable[..., Any], task: Task, worker_id: int) -> Any:
        # Before anything is seeded: importing a framework draws random numbers.
        self.prepare()
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


def _legacy_backend() -> Any:
    import tensorflow as tf

    # TensorFlow imports Keras when it is first used.
    return tf.compat.v1.keras.backend


@contextlib.contextmanager
def _legacy_keras(seed: int | None, on_gpu: bool) -> Iterator[Any]:
    """Yields a managed session that is also Keras's session."""
    backend = _legacy_backend()
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
        # Keras also resets the thread's default graph, which must not be the caller's.
        thread = threading.Thread(target=backend.clear_session)
        thread.start()
        thread.join()


@contextlib.contextmanager
def _keras_3(seed: int | None, backend: str) -> Iterator[Any]:
    """Yields a managed session, or None if TensorFlow is not the backend."""
    import keras

    with contextlib.ExitStack() as stack:
        stack.callback(keras.utils.clear_session)
        if seed is not None and is_installed("tensorflow"):
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
