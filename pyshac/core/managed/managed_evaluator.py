"""ManagedEvaluator: the base class of evaluators that may use GPUs. Workers import this module."""

from __future__ import annotations

from dataclasses import dataclass

from pyshac.core.evaluation.worker import Evaluator


@dataclass(frozen=True)
class ManagedEvaluator(Evaluator):
    """An evaluator of a managed engine.

    Attributes:
        on_gpu: Whether evaluations may run on GPUs.
    """

    on_gpu: bool

    def uses_gpus(self) -> bool:
        return self.on_gpu
