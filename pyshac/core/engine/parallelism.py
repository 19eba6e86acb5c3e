"""Who draws samples and who evaluates them: numbers and backends, the same for every engine."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from typing import Any

import joblib

from pyshac.core.basics.checks import check_positive
from pyshac.core.evaluation.executor_slots import DASK, check_dask, dask_executor
from pyshac.core.evaluation.slots import BACKENDS
from pyshac.core.sampling.block_source import Generators

logger = logging.getLogger("pyshac")

# From this epoch on proposals are scarce, and twice the generators draw.
LAST_EASY_EPOCH = 10


def _check_generator_backend(backend: Any) -> str:
    if backend not in BACKENDS:
        raise ValueError(
            f"generator_backend must be one of {list(BACKENDS)!r}. Got {backend!r} instead."
        )
    return str(backend)


def _check_evaluator_backend(backend: Any) -> str | Executor:
    if isinstance(backend, Executor):
        return backend
    if backend == DASK:
        check_dask()
    elif backend not in BACKENDS:
        raise ValueError(
            f"evaluator_backend must be one of {[*BACKENDS, DASK]!r}, or a "
            f"concurrent.futures.Executor. Got {backend!r} instead."
        )
    return str(backend)


class Parallelism:
    """Settings of generators and evaluators; base of the engines.

    Args:
        num_workers: W, samples in a batch.

    Attributes:
        limit_memory: Keep the number of generators from doubling after ten epochs.
    """

    def __init__(self, num_workers: int) -> None:
        self._most_useful = num_workers
        self._num_parallel_generators = self._num_parallel_evaluators = self._as_many_as_useful()
        self._generator_backend = "loky"
        self._evaluator_backend: str | Executor = "loky"
        self.limit_memory = False

    def _as_many_as_useful(self) -> int:
        return min(self._most_useful, int(joblib.cpu_count()))

    def _number(self, name: str, n: int | None) -> int:
        if n is not None:
            return check_positive(name, n)
        number = self._as_many_as_useful()
        if number < self._most_useful:
            logger.warning(
                "%s is %d, the number of cores: fewer than the %d samples of a batch.",
                name, number, self._most_useful,
            )  # fmt: skip
        return number

    @property
    def num_parallel_generators(self) -> int:
        """Number of processes or threads that draw samples when there is much to draw.

        Setting it to None takes the number of samples in a batch, at most that of the cores.
        Samples do not depend on it.
        """
        return self._num_parallel_generators

    @num_parallel_generators.setter
    def num_parallel_generators(self, n: int | None) -> None:
        self._num_parallel_generators = self._number("num_parallel_generators", n)

    def set_num_parallel_generators(self, n: int | None) -> None:
        """Sets `num_parallel_generators`.

        Raises:
            TypeError: If `n` is not an int or None.
            ValueError: If it is below 1.
        """
        self.num_parallel_generators = n

    @property
    def num_parallel_evaluators(self) -> int:
        """Number of slots: evaluations that run at once, each with a `worker_id` of its own.

        Setting it to None takes the number of samples in a batch, at most that of the cores.
        """
        return self._num_parallel_evaluators

    @num_parallel_evaluators.setter
    def num_parallel_evaluators(self, n: int | None) -> None:
        self._num_parallel_evaluators = self._number("num_parallel_evaluators", n)

    def set_num_parallel_evaluators(self, n: int | None) -> None:
        """Sets `num_parallel_evaluators`.

        Raises:
            TypeError: If `n` is not an int or None.
            ValueError: If it is below 1.
        """
        self.num_parallel_evaluators = n

    @property
    def generator_backend(self) -> str:
        """What generators are: threads ('threading'), or processes ('loky', 'multiprocessing')."""
        return self._generator_backend

    @generator_backend.setter
    def generator_backend(self, backend: str) -> None:
        self._generator_backend = _check_generator_backend(backend)

    @property
    def evaluator_backend(self) -> str | Executor:
        """Where slots are: 'loky' or 'multiprocessing' processes, 'threading', or elsewhere.

        With 'threading' and one evaluator, evaluations run in the caller's thread, in order.
        Elsewhere is any `concurrent.futures.Executor`, which is not shut down, or 'dask', which
        is that of the Dask client that is current when `fit` is called.
        """
        return self._evaluator_backend

    @evaluator_backend.setter
    def evaluator_backend(self, backend: str | Executor) -> None:
        self._evaluator_backend = _check_evaluator_backend(backend)

    def parallel_evaluators(self) -> None:
        """Evaluates in worker processes: sets `evaluator_backend` to 'loky'."""
        self.evaluator_backend = "loky"

    def concurrent_evaluators(self) -> None:
        """Evaluates in threads of this process: sets `evaluator_backend` to 'threading'."""
        self.evaluator_backend = "threading"

    def _evaluators(self) -> str | Executor:
        """Where slots are now: a backend of our own, or an executor."""
        return dask_executor() if self._evaluator_backend == DASK else self._evaluator_backend

    def _generators(self, epoch: int) -> Generators:
        """The generators of an epoch, counted from 1."""
        double = epoch > LAST_EASY_EPOCH and not self.limit_memory
        return Generators(self._num_parallel_generators * (1 + double), self._generator_backend)
