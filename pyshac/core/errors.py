"""The library's own exceptions. Bad arguments raise plain `ValueError` and `TypeError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class EvaluationError(RuntimeError):
    """An evaluation failed and stopped the run. Everything that finished before it is saved.

    `__cause__` is the exception that the evaluation function raised, with the worker's traceback.
    Where Python allows it, the error also has the type and attributes of that exception. So `except
    MemoryError` around `fit` catches it. For an exception group, only `__cause__` has it.

    Attributes:
        sample_id: The number of the sample in the run, or None if the error concerns several.
        worker_id: The slot in which it ran, or None.
        parameters: Its parameters, or None.
    """

    def __init__(
        self,
        message: str,
        sample_id: int | None = None,
        worker_id: int | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.sample_id = sample_id
        self.worker_id = worker_id
        self.parameters = parameters


class WorkerDiedError(RuntimeError):
    """The process of a slot ended during an evaluation: killed, out of memory or crashed."""


class EvaluationTimeoutError(TimeoutError):
    """An evaluation exceeded the `timeout` of `fit` and was ended."""


class Pruned(Exception):  # noqa: N818
    """An evaluation ends early because its curve is hopeless.

    `report` raises it in an evaluation function, which must not catch it. A function that judges
    its own curve may also raise it, after at least one report.
    """


class NothingAcceptedError(RuntimeError):
    """No sample was found that the cascade of classifiers accepts."""


class InfeasibleSpaceError(NothingAcceptedError):
    """No sample was found that the constraints of the search space allow."""


class ConstraintError(RuntimeError):
    """A constraint that is a function raised an exception, which is the `__cause__`."""


class SaveDirectoryError(ValueError):
    """A save directory cannot be used: it is corrupt, foreign, of another search, or in use.

    It is also raised if a saved search needs functions or objects that no file holds; pass them to
    the constructor again. The message names the cause. Nothing in the directory has changed.
    """


class DirectoryInUseError(SaveDirectoryError):
    """Another engine is writing to the save directory."""
