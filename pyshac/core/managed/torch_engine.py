"""TorchSHAC: the engine for evaluation functions that use PyTorch."""

from __future__ import annotations

from pyshac.core.basics.optional_packages import require
from pyshac.core.evaluation.worker import Evaluator
from pyshac.core.managed.managed_engine import ManagedSHAC
from pyshac.core.managed.torch_evaluator import TorchEvaluator


class TorchSHAC(ManagedSHAC):
    """Searches hyperparameters of PyTorch models.

    The engine calls `evaluation_function(worker_id, parameters)`, which returns its score as a
    number. The engine sets no device. With GPU evaluators, no other evaluation of the engine uses
    `torch.device(f"cuda:{worker_id}")` at the same time. If the engine has a seed, it seeds
    `random`, NumPy and PyTorch, on the CPU and all GPUs, before each evaluation.

    See `pyshac.core.managed.managed_engine.ManagedSHAC` for arguments. Methods are the same as for
    every engine.

    Example:
        ```python
        def evaluate(worker_id, parameters):
            return torch.full((3,), parameters["x"]).square().sum()

        space = [UniformHP("x", -5, 5)]
        shac = TorchSHAC(evaluate, space, 100, 10, max_gpu_evaluators=0, objective="min")
        shac.fit()
        ```
    """

    def _check_framework(self) -> None:
        require("TorchSHAC", "torch", "torch")

    def _make_evaluator(self) -> Evaluator:
        return TorchEvaluator(self.uses_gpus)
