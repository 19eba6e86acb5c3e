"""The code inside a slot: it runs the user's function, without the engine or the dataset.

Worker processes import this module, so it imports little.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cloudpickle

from pyshac.core.basics.checks import check_score
from pyshac.core.errors import EvaluationTimeoutError
from pyshac.core.evaluation import processes
from pyshac.core.evaluation.time_limit import OverdueError, time_limit
from pyshac.core.evaluation.worker_memory import held_memory


@dataclass(frozen=True, slots=True)
class Task:
    """A sample to be evaluated.

    Attributes:
        id: The sample's number.
        parameters: The parameters that the evaluation function receives.
        seed: Seed for frameworks that the evaluation uses; None if the run has no seed.
    """

    id: int
    parameters: OrderedDict[str, Any]
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of an evaluation: a score, or an error.

    Attributes:
        score: The score; NaN for a failed sample.
        error: The exception, if there was one.
        is_caught: Whether the exception makes a failed sample instead of stopping the run.
        traceback: Its traceback as text.
    """

    score: float = float("nan")
    error: BaseException | None = None
    is_caught: bool = False
    traceback: str = ""


class NotANumberError(TypeError):
    """The evaluation function returned something that is not a score."""


class Evaluator:
    """Wraps a call of the evaluation function; managed engines have evaluators of their own."""

    def environment(self) -> dict[str, str]:
        """Returns environment variables that workers need before they import anything."""
        return {}

    def __call__(self, function: Callable[..., Any], task: Task, worker_id: int) -> Any:
        """Returns the result of the evaluation function."""
        return function(worker_id, task.parameters)


@dataclass(frozen=True)
class TaskRunner:
    """Runs tasks, and turns results and exceptions into replies. It is sent to worker processes.

    Attributes:
        evaluator: Wraps the call.
        function: The user's evaluation function.
        catch: Exception types that make failed samples.
        timeout: Seconds after which an evaluation is interrupted, or None; for slots whose process
            must not be ended.
    """

    evaluator: Evaluator
    function: Callable[..., Any]
    catch: tuple[type[BaseException], ...] = ()
    timeout: float | None = None

    def __call__(self, task: Task, worker_id: int) -> Reply:
        """Evaluates a sample in the slot `worker_id`."""
        try:
            with time_limit(self.timeout), processes.ending_forks():
                score = self.evaluator(self.function, task, worker_id)
        except KeyboardInterrupt:
            raise
        except OverdueError:
            return self._reply(overdue_error(task, self.timeout))
        except BaseException as error:
            return self._reply(error)
        try:
            return Reply(check_score(score, f"sample {task.id}, {dict(task.parameters)!r},"))
        except TypeError as error:
            return Reply(error=NotANumberError(str(error)))

    def _reply(self, error: BaseException) -> Reply:
        """Returns the reply for an exception that is being handled."""
        is_caught = isinstance(error, self.catch)
        return Reply(error=error, is_caught=is_caught, traceback=traceback.format_exc())


def overdue_error(task: Task, timeout: float | None) -> EvaluationTimeoutError:
    """Returns the error of an evaluation that exceeded its time limit."""
    return EvaluationTimeoutError(f"Sample {task.id} took longer than {timeout} s")


_payload: bytes = b""
_runner: TaskRunner | None = None


def start(
    payload: bytes, environment: Mapping[str, str], num_threads: int | None, engine: int
) -> None:
    """Prepares a worker process.

    Args:
        payload: The pickled `TaskRunner`.
        environment: Environment variables to set.
        num_threads: Number of threads of numerical libraries that are loaded already; None for no
            limit.
        engine: Process id of the engine; the worker ends with it.
    """
    global _payload, _runner
    _payload, _runner = payload, None
    # Ctrl-C reaches every process of the terminal, but the engine decides which of them end. A
    # forked worker has inherited the engine's handler of SIGTERM.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Loky makes its own start method the default, with which nothing but loky can start processes.
    if multiprocessing.get_start_method() not in multiprocessing.get_all_start_methods():
        multiprocessing.set_start_method(None, force=True)
    processes.take_along_descendants()
    processes.end_with(engine)
    os.environ.update(environment)
    if num_threads is not None:
        from threadpoolctl import threadpool_limits

        threadpool_limits(num_threads)


def process_id() -> int:
    """Returns the worker's process id, which shows that the worker has started."""
    return os.getpid()


def evaluate(task: Task, worker_id: int) -> tuple[bytes, int]:
    """Evaluates a sample here; returns the pickled reply and the process's memory in bytes."""
    global _runner
    try:
        if _runner is None:
            _runner = cloudpickle.loads(_payload)
        reply = _runner(task, worker_id)
    except Exception as error:
        reply = Reply(error=error, traceback=traceback.format_exc())
    packed = pack(reply)
    # An exception's traceback keeps everything alive that the evaluation held.
    del reply
    return packed, held_memory()


def pack(reply: Reply) -> bytes:
    """Pickles a reply; an exception that cannot be pickled is replaced by its message."""
    try:
        data: bytes = cloudpickle.dumps(reply)
        cloudpickle.loads(data)
    except Exception:
        stand_in = RuntimeError(f"{type(reply.error).__name__}: {reply.error}")
        data = cloudpickle.dumps(
            Reply(error=stand_in, is_caught=reply.is_caught, traceback=reply.traceback)
        )
    return data


def unpack(data: bytes) -> Reply:
    """Unpickles a reply; one that cannot be unpickled here becomes an error."""
    try:
        reply: Reply = cloudpickle.loads(data)
    except Exception as error:
        return Reply(error=error)
    return reply
