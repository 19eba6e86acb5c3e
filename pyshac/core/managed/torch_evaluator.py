"""TorchEvaluator: wraps evaluations that use PyTorch. Worker processes import this module."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from pyshac.core.evaluation.worker import Task
from pyshac.core.managed.managed_evaluator import ManagedEvaluator
from pyshac.core.managed.seeds import seeded_python, seeded_torch


class TorchEvaluator(ManagedEvaluator):
    """Calls the function. Seeds Python, NumPy and PyTorch first, if the run has a seed."""

    def prepare(self) -> None:
        importlib.import_module("torch")

    def __call__(self, function: Callable[..., Any], task: Task, worker_id: int) -> Any:
        # Before anything is seeded: importing a framework draws random numbers.
        self.prepare()
        with seeded_python(task.seed), seeded_torch(task.seed):
            return function(worker_id, task.parameters)
