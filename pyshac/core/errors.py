"""The library's own exceptions. Bad arguments are plain `ValueError` and `TypeError`."""

from __future__ import annotations

import contextlib
import pickle
import types
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


def evaluation_error(
    message: str,
    sample_id: int | None,
    worker_id: int | None,
    parameters: Mapping[str, Any] | None,
    cause: BaseException | None,
) -> EvaluationError:
    """Returns an `EvaluationError` that is also of its cause's type, if Python allows that.

    Args:
        message: The message.
        sample_id: See `EvaluationError`, as for the next two.
        worker_id: The slot.
        parameters: The parameters of the sample.
        cause: The exception that the evaluation function raised; None if it is lost.
    """
    arguments = message, sample_id, worker_id, parameters
    error = EvaluationError(*arguments)
    if _has_another_type(cause):
        # A user's exception may refuse to be derived from, or to be made.
        with contextlib.suppress(Exception):
            error = _of_both_types(cause, *arguments)
    error.__cause__ = cause
    return error


def _has_another_type(cause: BaseException | None) -> bool:
    # Generators, through which the error may pass, turn a StopIteration into something else.
    is_plain = isinstance(cause, Exception) and not isinstance(
        cause, (StopIteration, StopAsyncIteration)
    )
    return is_plain and not issubclass(EvaluationError, type(cause))


def _of_both_types(
    cause: Any,
    message: str,
    sample_id: int | None,
    worker_id: int | None,
    parameters: Mapping[str, Any] | None,
) -> EvaluationError:
    kind = type(cause)
    bases = (kind,) if issubclass(kind, EvaluationError) else (EvaluationError, kind)
    both: Any = type(EvaluationError.__name__, bases, _BOTH)
    error = _new(both, kind)
    error.args = (message,)
    _copy_attributes(cause, error)
    vars(error).update(sample_id=sample_id, worker_id=worker_id, parameters=parameters)
    if isinstance(error, SyntaxError):
        # Tracebacks show it instead of the message.
        error.msg = message
    return error


def _new(both: Any, kind: Any) -> EvaluationError:
    """Returns an instance of a type derived from `EvaluationError` and another exception type."""
    error: EvaluationError
    try:
        error = both.__new__(both)
    except TypeError:
        # Python takes the constructor of `RuntimeError`, which is not the right one for `OSError`.
        error = kind.__new__(both)
    return error


def _copy_attributes(source: BaseException, target: BaseException) -> None:
    """Copies what an exception carries, such as `errno` or a user's own attributes."""
    vars(target).update(vars(source))
    kinds = types.MemberDescriptorType, types.GetSetDescriptorType
    for cls in type(source).__mro__:
        parts = {} if cls is BaseException else vars(cls)
        for name in [name for name, part in parts.items() if isinstance(part, kinds)]:
            if not name.startswith("__"):
                with contextlib.suppress(Exception):
                    setattr(target, name, getattr(source, name))


def _reduced(error: EvaluationError) -> tuple[Any, ...]:
    """Returns what pickling needs to make an error of both types again."""
    arguments = error.args[0], error.sample_id, error.worker_id, error.parameters
    notes = {name: part for name, part in vars(error).items() if name == "__notes__"}
    return evaluation_error, (*arguments, _if_picklable(error.__cause__)), notes


def _if_picklable(error: BaseException | None) -> BaseException | None:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return None
    return error


# What an error of both types has of its own, whatever the other type says.
_BOTH: dict[str, Any] = {
    "__module__": EvaluationError.__module__,
    "__doc__": EvaluationError.__doc__,
    "__str__": BaseException.__str__,
    "__repr__": BaseException.__repr__,
    "__setattr__": BaseException.__setattr__,
    "__reduce__": _reduced,
}


class WorkerDiedError(RuntimeError):
    """The process of a slot ended in the middle of an evaluation (killed, out of memory, crash)."""


class EvaluationTimeoutError(TimeoutError):
    """An evaluation took longer than the `timeout` given to `fit` and was ended."""


class NothingAcceptedError(RuntimeError):
    """The cascade of classifiers accepts no sample that could be found."""


class SaveDirectoryError(ValueError):
    """A save directory cannot be used: it is corrupt, foreign, of another search, or in use.

    The message names the file and the cause. Nothing in the directory was changed.
    """


class DirectoryInUseError(SaveDirectoryError):
    """Another engine is writing to the save directory."""
