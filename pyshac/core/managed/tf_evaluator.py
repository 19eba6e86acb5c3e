"""TensorflowEvaluator: wraps evaluations that use TensorFlow. Workers import this module."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from pyshac.core.evaluation.worker import Task
from pyshac.core.managed.managed_evaluator import ManagedEvaluator
from pyshac.core.managed.seeds import seeded_python, seeded_tensorflow

# Otherwise TensorFlow outside of the managed sessions takes all memory of all GPUs.
GROWING_MEMORY = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}


def unless_set(variables: dict[str, str]) -> dict[str, str]:
    """Returns the environment variables that the user has not set."""
    return {name: value for name, value in variables.items() if name not in os.environ}


@contextlib.contextmanager
def managed_session(seed: int | None) -> Iterator[Any]:
    """Opens a session on a new graph, and closes it at the end of the `with` block.

    Args:
        seed: The graph's seed, or None.
    """
    import tensorflow as tf

    graph = tf.Graph()
    graph.seed = seed
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    session = tf.compat.v1.Session(graph=graph, config=config)
    try:
        yield session
    finally:
        session.close()


@contextlib.contextmanager
def inside(session: Any, on_gpu: bool) -> Iterator[None]:
    """Makes a session and its graph the defaults. Without GPUs, operations run on the CPU."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(session.graph.as_default())
        stack.enter_context(session.as_default())
        if not on_gpu:
            stack.enter_context(session.graph.device("/cpu:0"))
        yield


class TensorflowEvaluator(ManagedEvaluator):
    """Calls the function inside a session with a new graph."""

    def environment(self) -> dict[str, str]:
        return unless_set(GROWING_MEMORY)

    def prepare(self) -> None:
        importlib.import_module("tensorflow")

    def __call__(self, function: Callable[..., Any], task: Task, worker_id: int) -> Any:
        # Before anything is seeded: importing a framework draws random numbers.
        self.prepare()
        try:
            with (
                seeded_python(task.seed),
                seeded_tensorflow(task.seed),
                managed_session(task.seed) as session,
                inside(session, self.on_gpu),
            ):
                return function(session, worker_id, task.parameters)
        finally:
            # Graphs contain reference cycles.
            session = None
            gc.collect()
