"""ManagedSHAC: the base class of engines that manage a framework around each evaluation."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, overload

from pyshac.core.basics.checks import check_int
from pyshac.core.engine import _SHAC
from pyshac.core.engine.call_forms import (
    Constraints,
    EvaluationFunction,
    SavePath,
    SearchSource,
    SearchSpace,
    begins_with_function,
    optional_function,
)


class ManagedSHAC(_SHAC):
    """An engine that manages a framework around each evaluation.

    Args:
        evaluation_function: The function to optimise. You may omit it, even by position, and pass
            it to `fit`.
        hyperparameter_list: The search space, a list of hyperparameters or a `HyperParameterList`.
            None if it comes from the save directory.
        total_budget: N, the number of evaluations.
        num_batches: M, the number of batches. It must divide N. None if `batch_size` is given.
        max_gpu_evaluators: The number of GPUs, and of evaluations that run at once. Each has its
            own `worker_id` in `[0, max_gpu_evaluators)`. 0 evaluates on the CPU.
        objective: 'max' or 'min'.
        max_classifiers: The largest number of classifiers; 18 in the paper.
        max_cpu_evaluators: The number of evaluations that run at once without GPU evaluators; -1
            for the number of cores. Each needs memory for a model.
        save_dir: The directory in which the search is saved; None for 'shac'.
        method: 'default', or 'paper' for the published procedure.
        classifier: A classifier with scikit-learn's interface, instead of the built-in one.
        batch_size: W, the number of samples in a batch, instead of `num_batches`.
        resume: Whether to continue the run in `save_dir`, if there is one.
        start_from: The directory of another search, or a study of Optuna. The search learns from
            its evaluations.
        constraints: Relations such as `Less`, or functions, that hold for every sample.
        pace: 'batch', 'pipeline' or 'stream': whether slots wait for the slowest evaluation of a
            batch.
        open_batches: The largest number of open batches in a pipeline; None for 2.

    Raises:
        ModuleNotFoundError: If the framework is not installed.
        TypeError: If an argument has the wrong type.
        ValueError: If an argument has a value that is not allowed.
    """

    @overload
    def __init__(
        self, evaluation_function: EvaluationFunction | None,
        hyperparameter_list: SearchSpace | None, total_budget: int, num_batches: int | None = None,
        max_gpu_evaluators: int = ..., objective: str = "max", max_classifiers: int = 18,
        max_cpu_evaluators: int = 1, save_dir: SavePath | None = "shac",
        *, method: str = "default", classifier: Any = None, batch_size: int | None = None,
        resume: bool = False, start_from: SearchSource | None = None,
        constraints: Constraints | None = None, pace: str = "batch",
        open_batches: int | None = None,
    ) -> None: ...  # fmt: skip
    @overload
    def __init__(
        self, hyperparameter_list: SearchSpace | None, total_budget: int,
        num_batches: int | None = None,
        max_gpu_evaluators: int = ..., objective: str = "max", max_classifiers: int = 18,
        max_cpu_evaluators: int = 1, save_dir: SavePath | None = "shac",
        *, method: str = "default", classifier: Any = None, batch_size: int | None = None,
        resume: bool = False, start_from: SearchSource | None = None,
        constraints: Constraints | None = None, pace: str = "batch",
        open_batches: int | None = None,
        evaluation_function: EvaluationFunction | None = None,
    ) -> None: ...  # fmt: skip
    @optional_function(begins_with_function)
    def __init__(
        self,
        evaluation_function: EvaluationFunction | None,
        hyperparameter_list: SearchSpace | None,
        total_budget: int,
        num_batches: int | None = None,
        max_gpu_evaluators: int | None = None,
        objective: str = "max",
        max_classifiers: int = 18,
        max_cpu_evaluators: int = 1,
        save_dir: SavePath | None = "shac",
        *,
        method: str = "default",
        classifier: Any = None,
        batch_size: int | None = None,
        resume: bool = False,
        start_from: SearchSource | None = None,
        constraints: Constraints | None = None,
        pace: str = "batch",
        open_batches: int | None = None,
    ) -> None:
        self._max_gpu_evaluators = _check_gpu_evaluators(max_gpu_evaluators)
        self._max_cpu_evaluators = _check_cpu_evaluators(max_cpu_evaluators)
        self._check_framework()
        super().__init__(
            evaluation_function=evaluation_function,
            hyperparameter_list=hyperparameter_list,
            total_budget=total_budget,
            num_batches=num_batches,
            objective=objective,
            max_classifiers=max_classifiers,
            save_dir=save_dir,
            method=method,
            classifier=classifier,
            batch_size=batch_size,
            resume=resume,
            start_from=start_from,
            constraints=constraints,
            pace=pace,
            open_batches=open_batches,
        )
        if self.uses_gpus:
            self.set_num_parallel_evaluators(self._max_gpu_evaluators)
            self.limit_memory = True
        else:
            self.set_num_parallel_evaluators(self._max_cpu_evaluators)

    @classmethod
    def _options_of_load(cls) -> dict[str, Any]:
        return {"max_gpu_evaluators": 0}

    @abstractmethod
    def _check_framework(self) -> None:
        """Raises an error if the framework cannot be used here; imports nothing."""

    @property
    def max_gpu_evaluators(self) -> int:
        """The number of GPUs that evaluations use; 0 if they run on the CPU."""
        return self._max_gpu_evaluators

    @property
    def max_cpu_evaluators(self) -> int:
        """The number of evaluations at once without GPU evaluators; -1 for the number of cores."""
        return self._max_cpu_evaluators

    @property
    def uses_gpus(self) -> bool:
        """Whether evaluations run on GPUs."""
        return self._max_gpu_evaluators > 0


def _check_gpu_evaluators(value: Any) -> int:
    if value is None:
        raise TypeError(
            "max_gpu_evaluators must be an int of at least 0: the number of GPUs, or 0 to evaluate "
            "on the CPU. Got None instead."
        )
    return check_int("max_gpu_evaluators", value, "an int of at least 0", lambda n: n >= 0)


def _check_cpu_evaluators(value: Any) -> int:
    allowed = "an int of at least 1, or -1 for every core"
    return check_int("max_cpu_evaluators", value, allowed, lambda n: n >= 1 or n == -1)
