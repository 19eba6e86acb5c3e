"""The code inside a slot: it runs the user's function, without the engine or the dataset.

Worker processes import this module, so it imports little.
"""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import os
import pickle
import signal
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import cloudpickle

from pyshac.core.basics.messages.error_text import describe, traceback_text
from pyshac.core.basics.messages.pickling import culprit, dumps_within
from pyshac.core.basics.plain_values import copied, is_plain
from pyshac.core.basics.results.curve import Curve, Limit
from pyshac.core.basics.results.details import Extra
from pyshac.core.basics.results.extras import split_result
from pyshac.core.basics.terminals.route import Route
from pyshac.core.errors import EvaluationTimeoutError, Pruned
from pyshac.core.evaluation import processes
from pyshac.core.evaluation.curves.reporter import WITHOUT_REPORTS, reporting
from pyshac.core.evaluation.time_limit import OverdueError, time_limit
from pyshac.core.evaluation.worker_memory import held_memory

logger = logging.getLogger("pyshac")

# The largest pickle of an exception that is sent; others are replaced by their messages.
MAX_ERROR_BYTES = 2**22


@dataclass(frozen=True, slots=True)
class Task:
    """A sample to be evaluated.

    Attributes:
        id: The sample's number.
        parameters: The parameters that the evaluation function receives.
        seed: Seed for frameworks that the evaluation uses; None if the run has no seed.
        pickled: The pickle of the parameters on their way to another process, if they hold objects;
            `parameters` is empty then.
        limits: The limits that its curve must keep, by ascending steps; None if it is never given
            up.
        sign: 1 if higher scores are better, -1 if lower ones are.
    """

    id: int
    parameters: OrderedDict[str, Any]
    seed: int | None = None
    pickled: bytes | None = None
    limits: tuple[Limit, ...] | None = None
    sign: int = 1

    def packed(self) -> Task:
        """Returns the task for another process.

        Objects among the parameters may be all that the evaluation function may be, which tasks
        with the pickles of executors may not.

        Raises:
            TypeError: If an object cannot be pickled.
        """
        if is_plain([*self.parameters.values()]):
            return self
        try:
            data = cloudpickle.dumps(self.parameters)
        except Exception as error:
            where = culprit(dict(self.parameters), "the parameters")
            raise TypeError(
                f"Sample {self.id} cannot be sent to worker processes, since {where} cannot be "
                f"pickled: {describe(error)}. Build it inside the evaluation function, or call "
                "concurrent_evaluators() to stay in this process."
            ) from error
        return replace(self, parameters=OrderedDict(), pickled=data)

    def unpacked(self) -> Task:
        """Returns the task that was packed."""
        if self.pickled is None:
            return self
        return replace(self, parameters=cloudpickle.loads(self.pickled), pickled=None)


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of an evaluation: a score, or an error.

    Attributes:
        score: The score; NaN for a failed sample, and for one that was pruned.
        error: The exception, if there was one.
        is_caught: Whether the exception makes a failed sample instead of stopping the run.
        traceback: Its traceback as text.
        failure: Its type and message as text.
        extras: The values that the evaluation returned beside its score.
        started: When the evaluation function was called (`time.time`); None if it was not.
        seconds: How long it ran, or None.
        curve: The scores that it reported on its way; None if it reported none.
    """

    score: float = float("nan")
    error: BaseException | None = None
    is_caught: bool = False
    traceback: str = ""
    failure: str = ""
    extras: dict[str, Extra] = field(default_factory=dict)
    started: float | None = None
    seconds: float | None = None
    curve: Curve | None = None

    @classmethod
    def failed(cls, error: BaseException, catch: tuple[type[BaseException], ...] = ()) -> Reply:
        """Returns the reply for an exception.

        Args:
            error: The exception.
            catch: Exception types that make a failed sample.
        """
        trace = "" if error.__traceback__ is None else traceback_text(error)
        return cls(math.nan, error, isinstance(error, catch), trace, describe(error))


class NotANumberError(TypeError):
    """The evaluation function returned something that is not a score, nor one with extras."""


class Evaluator:
    """Wraps a call of the evaluation function; managed engines have evaluators of their own."""

    def environment(self) -> dict[str, str]:
        """Returns environment variables that workers need before they import anything."""
        return {}

    def uses_gpus(self) -> bool:
        """Returns whether evaluations run on GPUs.

        An error on a GPU may leave a process in which nothing runs on the GPU any more.
        """
        return False

    def prepare(self) -> None:
        """Imports what evaluations need, which does not count as time of an evaluation."""

    def __call__(self, function: Callable[..., Any], task: Task, worker_id: int) -> Any:
        """Returns the result of the evaluation function.

        If cleaning up after the function raises, the function's own result or error counts.
        """
        return function(worker_id, task.parameters)


class _Call:
    """The evaluation function, which keeps its result or error in case that clean-up fails.

    It measures its time, to which clean-up, and what a managed engine prepares, do not count.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.has_returned = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.started: float | None = None
        self.seconds: float | None = None

    def __call__(self, *arguments: Any) -> Any:
        self.started, begin = time.time(), time.perf_counter()
        try:
            self.result = self._function(*arguments)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.seconds = time.perf_counter() - begin
        self.has_returned = True
        return self.result


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

    def prepare(self) -> None:
        """Does what would otherwise be part of the first evaluation."""
        # The evaluation meets the same error, and reports it.
        with contextlib.suppress(Exception):
            self.evaluator.prepare()

    def __call__(self, task: Task, worker_id: int) -> Reply:
        """Evaluates a sample in the slot `worker_id`."""
        call = _Call(self.function)
        with reporting(task.limits, task.sign) as reporter:
            reply = self._reply_of(call, task, worker_id)
        is_pruned = isinstance(reply.error, Pruned)
        curve = reporter.curve(is_pruned)
        if is_pruned:
            failed = replace(reply, is_caught=True, failure=WITHOUT_REPORTS)
            reply = failed if curve is None else Reply()
        return replace(reply, started=call.started, seconds=call.seconds, curve=curve)

    def _reply_of(self, call: _Call, task: Task, worker_id: int) -> Reply:
        try:
            result = self._evaluate(call, task, worker_id)
        except KeyboardInterrupt:
            raise
        except OverdueError as error:
            overdue = Reply.failed(overdue_error(task, self.timeout), self.catch)
            return replace(overdue, traceback=traceback_text(error))
        except BaseException as error:
            return Reply.failed(error if call.error is None else call.error, self.catch)
        finally:
            # An exception's traceback leads back to this call.
            call.error = None
        try:
            what = f"sample {task.id}, {dict(task.parameters)!r},"
            score, extras = split_result(result, what)
            return Reply(score, extras=extras)
        except TypeError as error:
            return Reply.failed(NotANumberError(str(error)))
        except Exception as error:
            return Reply.failed(error, self.catch)

    def _evaluate(self, call: _Call, task: Task, worker_id: int) -> Any:
        # The function may change its parameters, and others look at the task afterwards.
        own = replace(task, parameters=copied(task.parameters))
        try:
            with time_limit(self.timeout), processes.ending_forks():
                return self.evaluator(call, own, worker_id)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if not call.has_returned:
                raise
            logger.warning(
                "Sample %d has its score, but cleaning up after it failed: %s",
                task.id, describe(error),
            )  # fmt: skip
            return call.result


def overdue_error(task: Task, timeout: float | None) -> EvaluationTimeoutError:
    """Returns the error of an evaluation that exceeded its time limit."""
    return EvaluationTimeoutError(f"Sample {task.id} took longer than {timeout} s")


_payload: bytes = b""
_runner: TaskRunner | None = None


def start(
    payload: bytes,
    environment: Mapping[str, str],
    limit_loaded: bool,
    engine: int,
    route: Route | None = None,
) -> None:
    """Prepares a worker process.

    Args:
        payload: The pickled `TaskRunner`.
        environment: Environment variables to set.
        limit_loaded: Whether to limit the threads of numerical libraries that are loaded already.
        engine: Process id of the engine; the worker ends with it.
        route: The way of its output if the engine shows a bar in the same terminal.
    """
    global _payload, _runner
    if route is not None:
        route.enter()
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
    if limit_loaded:
        from pyshac.core.basics.threads import limit_loaded_libraries

        limit_loaded_libraries()


def process_id() -> int:
    """Returns the worker's process id, which shows that the worker has started."""
    return os.getpid()


def load() -> None:
    """Loads the evaluation function and what it needs before the first evaluation begins."""
    # The evaluation meets the same error, and reports it.
    with contextlib.suppress(BaseException):
        _loaded()


def _loaded() -> TaskRunner:
    global _runner
    if _runner is None:
        runner: TaskRunner = cloudpickle.loads(_payload)
        runner.prepare()
        _runner = runner
    return _runner


def evaluate(task: Task, worker_id: int) -> tuple[bytes, int | None]:
    """Evaluates a sample here; returns the packed reply and the process's memory in bytes."""
    try:
        runner = _loaded()
        reply = runner(task.unpacked(), worker_id)
    except BaseException as error:
        # No signal raises KeyboardInterrupt in a worker: it is the function's own.
        reply = Reply.failed(error)
    packed = pack(reply)
    # An exception's traceback keeps everything alive that the evaluation held.
    del reply
    return packed, held_memory()


def pack(reply: Reply) -> bytes:
    """Pickles a reply, whatever its exception is: that is a pickle of its own inside.

    So the score, and whether an exception is caught, arrive even if the exception does not.
    """
    error = None if reply.error is None else _pickled(reply.error)
    return pickle.dumps((replace(reply, error=None), reply.error is None, error))


def unpack(data: bytes) -> Reply:
    """Returns a reply that was packed; an exception that does not exist here gets a stand-in."""
    try:
        reply: Reply
        reply, is_score, pickled = pickle.loads(data)
    except Exception as error:
        return Reply.failed(error)
    return reply if is_score else replace(reply, error=_unpickled(pickled, reply.failure))


def _pickled(error: BaseException) -> bytes | None:
    """Returns the pickle of an exception; None if it has none, or none that can be read."""
    try:
        data = dumps_within(error, MAX_ERROR_BYTES)
        return data if isinstance(cloudpickle.loads(data), BaseException) else None
    except BaseException:
        return None


def _unpickled(pickled: bytes | None, failure: str) -> BaseException:
    error: Any = None
    if pickled is not None:
        # Its module may exist only where it was raised, or behave in another way here.
        with contextlib.suppress(Exception, SystemExit):
            error = cloudpickle.loads(pickled)
    return error if isinstance(error, BaseException) else RuntimeError(failure)
