"""Evaluation: hand samples to slots, one lease each, and bring back scores as they arrive.

Deaths of workers, time limits and failures are dealt with here; what a slot is, is in `slots`.
"""

from __future__ import annotations

import heapq
import logging
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from pyshac.core.basics import signals
from pyshac.core.errors import EvaluationError, EvaluationTimeoutError, WorkerDiedError
from pyshac.core.evaluation.executor_slots import ExecutorFailedError, SharedExecutor
from pyshac.core.evaluation.slots import Slot, make_slots
from pyshac.core.evaluation.worker import Evaluator, NotANumberError, Reply, Task, Worker

logger = logging.getLogger("pyshac")

# How often an executor that sends nothing back is looked at.
SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True)
class FailurePolicy:
    """What is done about evaluations that go wrong.

    Attributes:
        timeout: Seconds after which an evaluation is ended, or None.
        retries: How often an evaluation whose worker died is tried again, alone, and one that an
            executor gave up.
        catch: Exception types that make a failed sample instead of stopping the run.
        fresh_process: Whether every evaluation gets a new process.
    """

    timeout: float | None = None
    retries: int = 1
    catch: tuple[type[BaseException], ...] = ()
    fresh_process: bool = False

    def check(self, backend: str | Executor) -> None:
        """Raises if the policy is no policy, or needs processes that `backend` does not have."""
        if self.timeout is not None:
            if isinstance(self.timeout, bool) or not isinstance(self.timeout, (int, float)):
                raise TypeError(f"timeout must be seconds or None. Got {self.timeout!r} instead.")
            if not 0 < self.timeout <= threading.TIMEOUT_MAX:
                raise ValueError(
                    f"timeout must be above 0, and at most {threading.TIMEOUT_MAX:.0f} seconds. "
                    f"Got {self.timeout!r} instead."
                )
        if isinstance(self.retries, bool) or not isinstance(self.retries, int):
            raise TypeError(f"retries must be an int. Got {self.retries!r} instead.")
        if self.retries < 0:
            raise ValueError(f"retries must be at least 0. Got {self.retries} instead.")
        for item in self.catch:
            if not (isinstance(item, type) and issubclass(item, BaseException)):
                raise TypeError(f"catch must hold exception types. Got {item!r} instead.")
        if backend == "threading" and (self.timeout is not None or self.fresh_process):
            raise ValueError(
                "timeout and fresh_process need worker processes, and evaluator_backend is "
                "'threading'. Call parallel_evaluators() first."
            )
        if isinstance(backend, Executor) and self.fresh_process:
            raise ValueError(
                "fresh_process needs worker processes that the engine may end, and those of "
                f"evaluator_backend, {backend!r}, are not its own. Leave fresh_process at False, "
                "or call parallel_evaluators() first."
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one sample.

    Attributes:
        task: The sample.
        worker_id: The slot in which it ran.
        score: Its score; NaN if it failed.
        failure: Why it failed, or None.
    """

    task: Task
    worker_id: int
    score: float
    failure: str | None = None


@dataclass(slots=True)
class _Lease:
    """A slot and the evaluation that holds it."""

    slot: Slot
    task: Task
    future: Future[Any] | None = None
    has_timed_out: bool = False


@dataclass
class _Round:
    """One call of `SlotPool.run`: what waits, what runs, and what stops it."""

    waiting: deque[Task]
    on_start: Callable[[Task, int], None]
    must_stop: Callable[[], bool]
    arrivals: queue.SimpleQueue[tuple[_Lease, Future[Any]]] = field(
        default_factory=queue.SimpleQueue
    )
    free: list[int] = field(default_factory=list)
    running: dict[int, _Lease] = field(default_factory=dict)
    alone: deque[Task] = field(default_factory=deque)
    losses: dict[int, int] = field(default_factory=dict)
    fatal: BaseException | None = None

    def release(self, lease: _Lease) -> None:
        """Frees a slot."""
        del self.running[lease.slot.worker_id]
        # A future holds its lease: let both go without waiting for the garbage collector.
        lease.future = None
        heapq.heappush(self.free, lease.slot.worker_id)

    def count_loss(self, task: Task) -> int:
        """Notes that a sample was lost on its way; returns how often that was so far."""
        self.losses[task.id] = self.losses.get(task.id, 0) + 1
        return self.losses[task.id]


class SlotPool:
    """Slots that stay warm over many batches. A context manager: on leaving, workers are gone.

    Args:
        evaluator: What surrounds each call of the function.
        function: The user's evaluation function.
        number: Number of slots.
        backend: 'loky', 'multiprocessing', 'threading', or the user's executor, which stays up.
        policy: What is done about failures.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        function: Callable[..., Any],
        number: int,
        backend: str | Executor,
        policy: FailurePolicy,
    ) -> None:
        policy.check(backend)
        self._policy = policy
        self._round = _Round(deque(), lambda task, worker_id: None, lambda: True)
        # Where no worker can be ended from here, evaluations are interrupted where they run.
        self._timeout = policy.timeout
        self._shared: SharedExecutor | None = None
        self._slots: list[Slot]
        if isinstance(backend, Executor):
            self._timeout = None
            work = Worker(evaluator, function, policy.catch, policy.timeout)
            self._shared = SharedExecutor(backend, work, number)
            self._slots = [*self._shared.slots]
        else:
            work = Worker(evaluator, function, policy.catch)
            self._slots = make_slots(work, number, backend, policy.fresh_process)

    def __enter__(self) -> SlotPool:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None:
            for slot in self._slots:
                slot.close()
        else:
            # A second Ctrl-C must not leave workers behind.
            with signals.whole():
                for slot in self._slots:
                    slot.end()
        for lease in [*self._round.running.values()]:
            self._round.release(lease)
        if self._shared is not None:
            self._shared.close()

    def run(
        self,
        tasks: Iterable[Task],
        on_start: Callable[[Task, int], None] = lambda task, worker_id: None,
        must_stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[list[Outcome]]:
        """Evaluates samples; yields outcomes, as many at once as have arrived.

        A slot gets its next sample only after its outcome was yielded and the caller came back
        for more. If an evaluation stops the run, those that are running are still brought in.

        Args:
            tasks: The samples, in the order in which they are to start.
            on_start: Told each sample that is about to start, and the number of its slot.
            must_stop: Asked before a sample starts. When it says so, none starts any more; those
                that are running are brought in.

        Raises:
            EvaluationError: If an evaluation raised an exception that is not caught.
            TypeError: If it returned something other than a number.
        """
        round = self._round = _Round(deque(tasks), on_start, must_stop)
        round.free = list(range(len(self._slots)))
        while round.waiting or round.running or round.alone:
            self._dispatch(round)
            if not round.running:
                break
            arrivals = self._arrivals(round)
            settled = [self._settle(round, lease, future) for lease, future in arrivals]
            if outcomes := [outcome for outcome in settled if outcome is not None]:
                yield outcomes
            for lease, _ in arrivals:
                round.release(lease)
        if round.fatal is not None:
            raise round.fatal

    def unclaimed(self) -> list[Outcome]:
        """Returns the scores of evaluations that had ended when `run` was left by an exception.

        Some of them may have been yielded.
        """
        outcomes = []
        for lease in self._round.running.values():
            slot, future = lease.slot, lease.future
            if future is None or not future.done() or slot.is_incomplete(future):
                continue
            if slot.error_of(future) is None:
                reply = slot.read(future)
                if reply.error is None:
                    outcomes.append(self._outcome(lease, reply.score, _failure_of(reply)))
        return outcomes

    def _dispatch(self, round: _Round) -> None:
        """Starts as many evaluations as there are free slots."""
        if round.fatal is not None or round.must_stop():
            return
        while round.waiting and round.free and not round.must_stop():
            self._start(round, round.waiting.popleft())
        if round.alone and not round.waiting and not round.running:
            self._start(round, round.alone.popleft())

    def _start(self, round: _Round, task: Task) -> None:
        """Starts an evaluation in the free slot with the lowest number."""
        slot = self._slots[heapq.heappop(round.free)]
        lease = _Lease(slot, task)
        round.on_start(task, slot.worker_id)
        round.running[slot.worker_id] = lease
        self._submit(round, lease)

    def _submit(self, round: _Round, lease: _Lease) -> None:
        lease.future = lease.slot.submit(lease.task)
        lease.future.add_done_callback(lambda done: round.arrivals.put((lease, done)))

    def _arrivals(self, round: _Round) -> list[tuple[_Lease, Future[Any]]]:
        """Waits for at least one evaluation to end and returns all that have."""
        arrived: list[tuple[_Lease, Future[Any]]] = []
        while not arrived or not round.arrivals.empty():
            lease, future = self._next_arrival(round)
            if lease.slot.is_incomplete(future):
                self._submit(round, lease)
            else:
                arrived.append((lease, future))
        return arrived

    def _next_arrival(self, round: _Round) -> tuple[_Lease, Future[Any]]:
        while True:
            try:
                wait = self._end_overdue(round) if self._shared is None else SECONDS_BETWEEN_LOOKS
                return round.arrivals.get(timeout=wait)
            except queue.Empty:
                if self._shared is not None:
                    self._check_executor(self._shared)

    def _check_executor(self, shared: SharedExecutor) -> None:
        try:
            shared.check()
        except ExecutorFailedError as error:
            raise _out_of_order(error) from error

    def _end_overdue(self, round: _Round) -> float | None:
        """Ends evaluations over the time limit; returns the seconds to the next look."""
        if self._timeout is None:
            return None
        now = time.monotonic()
        wait = self._timeout
        for lease in round.running.values():
            started = lease.slot.started()
            if started is None or lease.has_timed_out:
                continue
            left = started + self._timeout - now
            if left <= 0:
                lease.has_timed_out = True
                lease.slot.end()
            wait = min(wait, max(left, 0.01))
        return wait

    def _settle(self, round: _Round, lease: _Lease, future: Future[Any]) -> Outcome | None:
        """Makes an outcome of a reply; None if there is none yet, or the run stops."""
        reply = self._reply(round, lease, future)
        if reply is None:
            return None
        if reply.error is None:
            return self._outcome(lease, reply.score, _failure_of(reply))
        if reply.is_caught:
            failure = f"{type(reply.error).__name__}: {reply.error}"
            return self._outcome(lease, math.nan, failure)
        if round.fatal is None:
            round.fatal = _fatal(lease, reply)
        return None

    def _outcome(self, lease: _Lease, score: float, failure: str | None) -> Outcome:
        if failure is not None:
            logger.warning("Sample %d failed: %s.", lease.task.id, failure)
        return Outcome(lease.task, lease.slot.worker_id, score, failure)

    def _reply(self, round: _Round, lease: _Lease, future: Future[Any]) -> Reply | None:
        """The worker's reply, or one on behalf of a worker that cannot; None if it is retried."""
        error = lease.slot.error_of(future)
        if error is None:
            return lease.slot.read(future)
        if isinstance(error, CancelledError):
            return self._given_up(round, lease)
        if not isinstance(error, BrokenExecutor):
            return Reply(error=error)
        lease.slot.end()
        if lease.has_timed_out:
            message = f"Sample {lease.task.id} took longer than {self._timeout} s"
            return self._own_reply(EvaluationTimeoutError(message))
        losses = round.count_loss(lease.task)
        message = f"The worker process died while it evaluated sample {lease.task.id}"
        if losses > self._policy.retries:
            return self._own_reply(WorkerDiedError(f"{message} ({losses} times)"))
        logger.warning("%s; trying it again, alone.", message)
        round.alone.append(lease.task)
        return None

    def _given_up(self, round: _Round, lease: _Lease) -> Reply | None:
        """What becomes of a sample that the executor gave up, which is not the sample's fault."""
        losses = round.count_loss(lease.task)
        message = f"The executor gave up sample {lease.task.id}"
        if losses > self._policy.retries:
            return Reply(error=ExecutorFailedError(f"{message} ({losses} times)"))
        logger.warning("%s; trying it again.", message)
        round.waiting.appendleft(lease.task)
        return None

    def _own_reply(self, error: Exception) -> Reply:
        return Reply(error=error, is_caught=isinstance(error, self._policy.catch))


def _failure_of(reply: Reply) -> str | None:
    return "its score is not finite" if math.isnan(reply.score) else None


class _WorkerTraceback(Exception):  # noqa: N818
    """Shows the traceback of another process as the cause of the exception it raised."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


def _out_of_order(error: ExecutorFailedError) -> EvaluationError:
    return EvaluationError(
        f"{str(error).rstrip('.')}. What was scored is saved. Once there is an executor again, "
        "set evaluator_backend to it and call fit(); in a new process call restore_data() first. "
        "Where it breaks time and again, call parallel_evaluators(): a sample whose evaluation "
        "kills its process then fails alone."
    )


def _fatal(lease: _Lease, reply: Reply) -> BaseException:
    """The exception that stops the run because of an evaluation."""
    error, task = reply.error, lease.task
    if isinstance(error, NotANumberError):
        return TypeError(str(error))
    if not isinstance(error, Exception) and error is not None:
        # SystemExit and its kind end the program, wherever they were raised.
        return error
    if isinstance(error, ExecutorFailedError):
        fatal = _out_of_order(error)
        fatal.__cause__ = error
        return fatal
    fatal = EvaluationError(
        f"The evaluation of sample {task.id} in slot {lease.slot.worker_id} raised "
        f"{type(error).__name__}: {error}. Its parameters: {dict(task.parameters)!r}",
        task.id,
        lease.slot.worker_id,
        task.parameters,
    )
    if error is not None and error.__traceback__ is None and reply.traceback:
        error.__cause__ = _WorkerTraceback(reply.traceback)
    fatal.__cause__ = error
    return fatal
