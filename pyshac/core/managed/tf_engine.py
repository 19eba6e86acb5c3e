"""`TensorflowSHAC`: a graph and a session of its own for every evaluation."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pyshac.core.basics.optional_packages import require
from pyshac.core.evaluation.worker import Evaluator, Task
from pyshac.core.managed.base import ManagedSHAC
from pyshac.core.managed.seeds import seeded_python, seeded_tensorflow

# TensorFlow outside of the managed sessions would else take all memory of all GPUs.
GROWING_MEMORY = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}


def unless_set(variables: dict[str, str]) -> dict[str, str]:
    """Returns those environment variables that the user has not set."""
    return {name: value for name, value in variables.items() if name not in os.environ}


@contextlib.contextmanager
def managed_session(seed: int | None) -> Iterator[Any]:
    """Opens a session on a new graph; closes it at the end of the `with` block.

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
    """Makes a session and its graph the default ones; without GPUs, ops are on the CPU."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(session.graph.as_default())
        stack.enter_context(session.as_default())
        if not on_gpu:
            stack.enter_context(session.graph.device("/cpu:0"))
        yield


@dataclass(frozen=True)
class TensorflowEvaluator(Evaluator):
    """Calls the function inside a session on a graph of its own.

    Attributes:
        on_gpu: Whether ops may be on GPUs.
    """

    on_gpu: bool

    def environment(self) -> dict[str, str]:
        return unless_set(GROWING_MEMORY)

    def __call__(self, function: Callable[..., Any], task: Task, worker_id: int) -> Any:
        importlib.import_module("tensorflow")
        try:
            with (
                seeded_python(task.seed),
                seeded_tensorflow(task.seed),
                managed_session(task.seed) as session,
                inside(session, self.on_gpu),
            ):
                return function(session, worker_id, task.parameters)
        finally:
            # Graphs refer to themselves.
            session = None
            gc.collect()


class TensorflowSHAC(ManagedSHAC):
    """Searches hyperparameters of TensorFlow models that use graphs and sessions.

    The evaluation function is called as `evaluation_function(session, worker_id, parameters)` and
    returns a number. `session` is a `tf.compat.v1.Session` on a graph that is made for this one
    evaluation; all ops of the function belong to it. It places softly, takes GPU memory as it
    needs it, and is closed when the function returns or raises. Without GPU evaluators, ops are on
    the CPU; with them, their placement is up to the function: no other evaluation uses
    `tf.device(f"/gpu:{worker_id}")`. If the engine has a seed, `random`, NumPy and TensorFlow (the
    graph's and the global seed) are seeded before each evaluation. Arguments are those of
    `pyshac.core.managed.base.ManagedSHAC`, methods those of every engine.

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
