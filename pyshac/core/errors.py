"""The library's own exceptions. Bad arguments are plain `ValueError` and `TypeError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class EvaluationError(RuntimeError):
    """An evaluation went wrong and stopped the run. Everything finished before it is saved.

    The exception that the evaluation function raised, with the worker's own traceback, is the
    `__cause__`. The error is also of that exception's type, wherever Python allows it, and has its
    attributes: `except MemoryError` around `fit` catches it. Exception groups are only the cause.

    Attributes:
        sample_id: Number of the sample in the run, or None if no single sample is to blame.
        worker_id: Slot in which it ran, or None.
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
    """The process of a slot ended in the middle of an evaluation (killed, out of memory, crash)."""


class EvaluationTimeoutError(TimeoutError):
    """An evaluation took longer than the `timeout` given to `fit` and was ended."""


class Pruned(Exception):  # noqa: N818
    """An evaluation is given up, since its curve is hopeless.

    `report` raises it in an evaluation function, which lets it through. A function that judges its
    curve itself may raise it, too, after at least one report.
    """


class NothingAcceptedError(RuntimeError):
    """The cascade of classifiers accepts no sample that could be found."""


class InfeasibleSpaceError(NothingAcceptedError):
    """The constraints of the search space allow no sample that could be found."""


class ConstraintError(RuntimeError):
    """A constraint, a function of the user's, raised an exception, which is the `__cause__`."""


class SaveDirectoryError(ValueError):
    """A save directory cannot be used: it is corrupt, foreign, of another search, or in use.

    The message names the file and the cause. Nothing in the directory was changed.
    """


class DirectoryInUseError(SaveDirectoryError):
    """Another engine is writing to the save directory."""
