"""Parallelism: the numbers and kinds of generators and evaluators."""

from __future__ import annotations

import copy
from concurrent.futures import Executor

from pyshac.core.basics.checks import check_int
from pyshac.core.basics.messages.warning import warn
from pyshac.core.evaluation.backends import Backend, get_backend
from pyshac.core.sampling.generators import Generators, check_generator_backend

# After this batch few proposals are accepted, and twice as many generators draw.
LAST_EASY_BATCH = 10


class Parallelism:
    """The numbers and kinds of generators and evaluators.

    Args:
        batch_size: W, the number of samples in a batch.

    Attributes:
        num_generators: The number of processes or threads that draw when there is much to draw.
        num_evaluators: The number of slots.
        generator_backend: 'loky', 'multiprocessing' or 'threading'.
        backend: Where the slots are.
        limit_memory: Whether the number of generators stays the same after ten batches, instead of
            doubling.
    """

    def __init__(self, batch_size: int) -> None:
        self._batch_size = batch_size
        self.num_generators = self.num_evaluators = self._most_useful()
        self.generator_backend = "loky"
        self.backend: Backend = get_backend("loky")
        self.limit_memory = False

    def _most_useful(self) -> int:
        return min(self._batch_size, num_cores())

    def warn_of_few_cores(self) -> None:
        """Warns if a batch has more samples than there are cores."""
        number = self._most_useful()
        if number < self._batch_size:
            warn(
                f"A batch has {self._batch_size} samples, more than the {number} cores here. By "
                f"default, {number} of them are drawn or evaluated at once. To change that, call "
                "set_num_parallel_generators(n) and set_num_parallel_evaluators(n)."
            )

    def _number(self, name: str, n: int | None) -> int:
        if n is None:
            self.warn_of_few_cores()
            return self._most_useful()
        allowed = "None or an int other than 0: -1 for all cores, -2 for all but one and so on"
        number = check_int(name, n, allowed, lambda number: number != 0)
        return number if number > 0 else max(num_cores() + 1 + number, 1)

    def set_num_generators(self, n: int | None) -> None:
        """Sets the number of generators; see `Overview.num_parallel_evaluators`."""
        self.num_generators = self._number("num_parallel_generators", n)

    def set_num_evaluators(self, n: int | None) -> None:
        """Sets the number of slots; see `Overview.num_parallel_evaluators`."""
        self.num_evaluators = self._number("num_parallel_evaluators", n)

    def set_generator_backend(self, backend: str) -> None:
        """Sets the kind of generators; raises `ValueError` if the kind does not exist."""
        self.generator_backend = check_generator_backend(backend)

    def set_evaluator_backend(self, backend: str | Executor) -> None:
        """Sets where the slots are; see `get_backend`."""
        self.backend = get_backend(backend)

    def without_executor(self) -> Parallelism:
        """Returns a copy for another process, in which a user's executor does not exist."""
        parallelism = copy.copy(self)
        if not isinstance(self.backend.setting, str):
            parallelism.backend = get_backend("loky")
        return parallelism

    def generators(self, batch_number: int) -> Generators:
        """Returns the generators of a batch.

        Args:
            batch_number: The number of the batch, from 1.
        """
        double = batch_number > LAST_EASY_BATCH and not self.limit_memory
        return Generators(self.num_generators * (1 + double), self.generator_backend)


def num_cores() -> int:
    """Returns the number of cores that this process may use."""
    import joblib

    return int(joblib.cpu_count())
