"""An `EvaluationError` that is also of the type of its cause."""

from __future__ import annotations

import contextlib
import pickle
import types
from collections.abc import Mapping
from typing import Any

from pyshac.core.errors import EvaluationError


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
