"""Failures of evaluations: how they are handled and reported."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from pyshac.core.basics.checks import check_flag, check_int, check_seconds
from pyshac.core.basics.messages.both_types import evaluation_error
from pyshac.core.errors import EvaluationError
from pyshac.core.evaluation.worker import NotANumberError, Reply, Task


class ExecutorFailedError(RuntimeError):
    """A user's executor is broken, was shut down or is gone: it loses tasks, or takes none."""


@dataclass(frozen=True)
class FailurePolicy:
    """How failures of evaluations are handled.

    Attributes:
        timeout: Seconds after which an evaluation is ended, or None.
        retries: Number of times that an evaluation is retried: alone if its worker died, or if its
            executor gave it up.
        catch: Exception types that make a failed sample instead of stopping the run.
        fresh_process: Whether every evaluation gets a new process.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If it has a value that is not allowed.
    """

    timeout: float | None = None
    retries: int = 1
    catch: tuple[type[BaseException], ...] = ()
    fresh_process: bool = False

    def __post_init__(self) -> None:
        check_seconds("timeout", self.timeout)
        check_flag("fresh_process", self.fresh_process)
        check_int("retries", self.retries, "an int of at least 0", lambda number: number >= 0)
        for item in self.catch:
            if not (isinstance(item, type) and issubclass(item, BaseException)):
                raise TypeError(f"catch must hold exception types. Got {item!r} instead.")

    @property
    def needs_processes(self) -> bool:
        """Whether the policy can only be kept if evaluations run in processes."""
        return self.timeout is not None or self.fresh_process


class _WorkerTraceback(Exception):  # noqa: N818
    """The traceback of another process, shown as the cause of the exception that it raised."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


def executor_error(error: ExecutorFailedError) -> EvaluationError:
    """Returns the error that stops a run because of its executor."""
    fatal = EvaluationError(
        f"{str(error).rstrip('.')}. All scores are saved. Once there is an executor again, "
        "set evaluator_backend to it and call fit(); in a new process call restore_data() first. "
        "Where it breaks time and again, call parallel_evaluators(): a sample whose evaluation "
        "kills its process then fails alone."
    )
    fatal.__cause__ = error
    return fatal


def no_start_error(number: int) -> RuntimeError:
    """Returns the error that stops a run because its workers end while they start."""
    return RuntimeError(
        f"{number} worker processes in a row have ended before they were up; their output shows "
        'why. If the main module starts the run, put that under `if __name__ == "__main__":`, '
        "because worker processes may import it. Or call concurrent_evaluators() to evaluate in "
        "threads of this process. All scores are saved."
    )


def stopping_error(task: Task, worker_id: int, reply: Reply) -> BaseException:
    """Returns the exception that stops a run because of an evaluation."""
    error = reply.error
    if isinstance(error, NotANumberError):
        return TypeError(str(error))
    if not isinstance(error, (Exception, GeneratorExit, type(None))):
        # SystemExit and its kind end the program, wherever they were raised.
        return error
    if isinstance(error, ExecutorFailedError):
        return executor_error(error)
    if error is not None and error.__traceback__ is None and reply.traceback:
        # An exception of the user's may refuse attributes.
        with contextlib.suppress(Exception):
            error.__cause__ = _WorkerTraceback(reply.traceback)
    failure = (reply.failure or "").removesuffix(".")
    return evaluation_error(
        f"The evaluation of sample {task.id} in slot {worker_id} raised {failure}. "
        f"Its parameters: {dict(task.parameters)!r}",
        task.id,
        worker_id,
        task.parameters,
        error,
    )
