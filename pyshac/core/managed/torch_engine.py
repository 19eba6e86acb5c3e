"""TorchSHAC: the engine for evaluation functions that use PyTorch."""

from __future__ import annotations

from pyshac.core.basics.optional_packages import require
from pyshac.core.evaluation.worker import Evaluator
from pyshac.core.managed.managed_engine import ManagedSHAC
from pyshac.core.managed.torch_evaluator import TorchEvaluator


class TorchSHAC(ManagedSHAC):
    """Searches hyperparameters of PyTorch models.

    The evaluation function is called as `evaluation_function(worker_id, parameters)` and returns
    a number. The engine sets no device: with GPU evaluators, no other evaluation uses
    `torch.device(f"cuda:{worker_id}")`. If the engine has a seed, `random`, NumPy and PyTorch (on
    the CPU and all GPUs) are seeded before each evaluation. Arguments are as for
    `pyshac.core.managed.managed_engine.ManagedSHAC`, methods as for every engine.

    Example:
        ```python
        shac = pyshac.TorchSHAC(
            evaluate, space, total_budget=100, num_batches=10, max_gpu_evaluators=4
        )
        shac.fit()
        ```
    """

    def _check_framework(self) -> None:
        require("TorchSHAC", "torch", "torch")

    def _make_evaluator(self) -> Evaluator:
        return TorchEvaluator()
