"""Rounds: samples in the slots.

A sample waits, gets a slot, and leaves it with an outcome. Deaths of workers, time limits and
failures are handled here.
"""

from __future__ import annotations

import heapq
import logging
import math
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass
from typing import Any

from pyshac.core.basics.messages.printable import printable
from pyshac.core.basics.results.details import NOT_FINITE, Details, storable_failure
from pyshac.core.errors import WorkerDiedError
from pyshac.core.evaluation.failures import (
    ExecutorFailedError,
    FailurePolicy,
    executor_error,
    no_start_error,
    stopping_error,
)
from pyshac.core.evaluation.slots import Slot, SlotGroup
from pyshac.core.evaluation.time_limit import loading_error, loading_limit
from pyshac.core.evaluation.worker import Reply, Task, overdue_error

logger = logging.getLogger("pyshac")

MIN_WAIT_SECONDS = 0.01
# Number of workers in a row that end before they are up, after which no more are started.
MAX_FAILED_STARTS = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a sample.

    Attributes:
        task: The sample.
        worker_id: The slot in which it ran.
        score: Its score; NaN if it failed or was pruned.
        details: What else is known of it, with the reason if it failed.
    """

    task: Task
    worker_id: int
    score: float
    details: Details

    @property
    def failure(self) -> str | None:
        """The reason for the failure, or None."""
        return self.details.failure


@dataclass(slots=True)
class _Lease:
    """A slot, and the evaluation that occupies it since a `time.monotonic`."""

    slot: Slot
    task: Task
    future: Future[Any] | None = None
    has_timed_out: bool = False
    since: float = 0.0

    def times_of(self, reply: Reply) -> tuple[float, float]:
        """Returns when the evaluation started (`time.time`), and its seconds.

        Of one whose worker could not measure them, they are those that it has occupied the slot.
        """
        if reply.started is not None and reply.seconds is not None:
            return reply.started, reply.seconds
        seconds = time.monotonic() - max(self.since, self.slot.started() or 0.0)
        return time.time() - seconds, max(seconds, 0.0)


class TaskFeed:
    """The samples that wait for slots, in the order in which they start.

    Args:
        tasks: The first of them.

    Attributes:
        waiting: Those that have not started.
        is_open: Whether to wait for more of them when nothing runs; see `Round.wake`.
    """

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self.waiting = deque(tasks)
        self.is_open = False

    def add(self, tasks: Iterable[Task]) -> None:
        """Appends samples; only the thread that takes the outcomes may call it."""
        self.waiting.extend(tasks)


class Round:
    """Samples in the slots.

    Args:
        group: The slots, all of them free.
        policy: How failures are handled.
        feed: The samples.
        on_start: Called with each sample that is about to start, and the number of its slot.
        must_stop: Called before a sample starts; once it returns true, no more samples start.
    """

    def __init__(
        self,
        group: SlotGroup,
        policy: FailurePolicy,
        feed: TaskFeed,
        on_start: Callable[[Task, int], None],
        must_stop: Callable[[], bool],
    ) -> None:
        self._group = group
        self._policy = policy
        self._on_start = on_start
        self._must_stop = must_stop
        self._feed, self._waiting = feed, feed.waiting
        # Samples whose worker died: each runs alone, so that it is known which one kills workers.
        self._suspects: set[int] = set()
        self._running: dict[int, _Lease] = {}
        self._free = list(range(len(group.slots)))
        self._arrivals: queue.SimpleQueue[tuple[_Lease, Future[Any]] | None] = queue.SimpleQueue()
        self._losses: dict[int, int] = {}
        self._failed_starts = 0
        self._checked_at = time.monotonic()
        self._fatal: BaseException | None = None

    def outcomes(self) -> Iterator[list[Outcome]]:
        """Evaluates the samples; yields outcomes, as many at once as have arrived.

        There may be none, such as after `wake`. A slot gets its next sample only after the caller
        has come back for more. If an evaluation stops the run, the outcomes of running evaluations
        are still yielded.

        Raises:
            EvaluationError: If an evaluation raised an exception that is not caught.
            TypeError: If it returned something other than a number.
        """
        while self._waiting or self._running or self._feed.is_open:
            self._dispatch()
            if not self._running and not self._feed.is_open:
                break
            arrivals = self._next_arrivals()
            settled = [self._settle(lease, future) for lease, future in arrivals]
            # Also if there are none: `wake` may have come with what arrived.
            yield [outcome for outcome in settled if outcome is not None]
            for lease, _ in arrivals:
                self._release(lease)
        if self._fatal is not None:
            raise self._fatal

    def wake(self) -> None:
        """Lets `outcomes` come back to its caller, who may have more samples; for any thread."""
        self._arrivals.put(None)

    def ended(self) -> list[Outcome]:
        """Returns the scores of evaluations that have ended and still occupy their slots.

        They may not have been handed over when an exception left `outcomes`.
        """
        outcomes = []
        for lease in self._running.values():
            slot, future = lease.slot, lease.future
            if future is None or not future.done() or slot.is_incomplete(future):
                continue
            if slot.error_of(future) is None:
                reply = slot.read(future)
                if reply.error is None:
                    outcomes.append(_scored(lease, reply))
        return outcomes

    def outlast(self) -> None:
        """Waits for the evaluations that cannot be ended."""
        leases = self._running.values()
        futures = [each.future for each in leases if each.future and not each.slot.can_end]
        if any(not future.done() for future in futures):
            logger.warning(
                "Waiting for %d running evaluations: threads cannot be ended. Their scores are "
                "saved; Ctrl-C leaves at once, without them.",
                sum(not future.done() for future in futures),
            )
        wait(futures)

    def abandon(self) -> None:
        """Lets go of the evaluations that still occupy slots."""
        for lease in [*self._running.values()]:
            self._release(lease)

    def _dispatch(self) -> None:
        """Starts as many evaluations as there are free slots."""
        while self._waiting and self._free and self._may_start and self._is_next_allowed:
            self._start(self._waiting.popleft())

    @property
    def _is_next_allowed(self) -> bool:
        """Whether the next sample may start beside those that run."""
        if not self._suspects or not self._running:
            return True
        ids = [self._waiting[0].id, *(lease.task.id for lease in self._running.values())]
        return self._suspects.isdisjoint(ids)

    @property
    def _may_start(self) -> bool:
        return self._fatal is None and not self._must_stop()

    def _start(self, task: Task) -> None:
        """Starts an evaluation in the free slot with the lowest number."""
        slot = self._group.slots[heapq.heappop(self._free)]
        lease = _Lease(slot, task)
        self._on_start(task, slot.worker_id)
        if self._must_stop():
            # Who was told of the start has stopped the run.
            self._waiting.appendleft(task)
            heapq.heappush(self._free, slot.worker_id)
            return
        self._running[slot.worker_id] = lease
        try:
            self._submit(lease)
        except Exception as error:
            # Such as for a sample that cannot be sent. What runs elsewhere still has its outcome.
            self._fatal = error
            self._release(lease)
            self._waiting.appendleft(task)

    def _submit(self, lease: _Lease) -> None:
        lease.since = time.monotonic()
        lease.future = lease.slot.submit(lease.task)
        lease.future.add_done_callback(lambda done: self._arrivals.put((lease, done)))

    def _release(self, lease: _Lease) -> None:
        """Frees a slot."""
        del self._running[lease.slot.worker_id]
        # The future refers to its lease: break the cycle, so that both are freed at once.
        lease.future = None
        heapq.heappush(self._free, lease.slot.worker_id)

    def _next_arrivals(self) -> list[tuple[_Lease, Future[Any]]]:
        """Waits for an evaluation to end, or for `wake`; returns all that have ended."""
        arrived: list[tuple[_Lease, Future[Any]]] = []
        is_woken = False
        while not (arrived or is_woken) or not self._arrivals.empty():
            self._check_slots()
            try:
                arrival = self._arrivals.get(timeout=self._end_overdue())
            except queue.Empty:
                continue
            if arrival is None:
                is_woken = True
                continue
            lease, future = arrival
            if lease.slot.is_incomplete(future):
                self._submit(lease)
            else:
                arrived.append((lease, future))
        return arrived

    def _check_slots(self) -> None:
        """Checks the slots if that is due, however many evaluations end meanwhile."""
        between, now = self._group.seconds_between_checks, time.monotonic()
        if between is None or now < self._checked_at + between:
            return
        self._checked_at = now
        try:
            self._group.check()
        except ExecutorFailedError as error:
            raise executor_error(error) from None

    def _end_overdue(self) -> float | None:
        """Ends evaluations over the time limit; returns the seconds to the next check."""
        timeout, between = self._group.timeout, self._group.seconds_between_checks
        if timeout is None:
            return between
        now, seconds = time.monotonic(), min(timeout, between or timeout)
        for lease in self._running.values():
            overdue_at = lease.slot.overdue_at(timeout)
            has_ended = lease.future is not None and lease.future.done()
            if overdue_at is None or lease.has_timed_out or has_ended:
                # One that has ended waits for its turn here, such as during a slow callback.
                continue
            left = overdue_at - now
            if left <= 0:
                lease.has_timed_out = True
                lease.slot.end()
            seconds = min(seconds, max(left, MIN_WAIT_SECONDS))
        return seconds

    def _settle(self, lease: _Lease, future: Future[Any]) -> Outcome | None:
        """Returns the outcome of a reply; None if there is none yet, or the run stops."""
        reply = self._reply(lease, future)
        if reply is None:
            return None
        self._suspects.discard(lease.task.id)
        if reply.error is None:
            return _scored(lease, reply)
        if reply.is_caught:
            return _outcome(lease, reply, reply.failure)
        if self._fatal is None:
            self._fatal = stopping_error(lease.task, lease.slot.worker_id, reply)
        return None

    def _reply(self, lease: _Lease, future: Future[Any]) -> Reply | None:
        """Returns the worker's reply, or one on its behalf; None if the sample is retried."""
        error = lease.slot.error_of(future)
        if error is None:
            self._failed_starts = 0
            return lease.slot.read(future)
        if isinstance(error, CancelledError):
            return self._retry_given_up(lease)
        if not isinstance(error, BrokenExecutor):
            return Reply.failed(error)
        lease.slot.end()
        if not lease.slot.is_up:
            self._start_again(lease)
            return None
        if lease.has_timed_out:
            if lease.slot.started() is None:
                return Reply.failed(loading_error(loading_limit(self._group.timeout)))
            return self._reply_for(overdue_error(lease.task, self._group.timeout))
        return self._retry_killed(lease)

    def _start_again(self, lease: _Lease) -> None:
        """Lets a sample wait for another worker, since its own has ended before it was up."""
        self._failed_starts += 1
        if self._failed_starts < MAX_FAILED_STARTS:
            logger.warning(
                "The worker process of slot %d ended while it started.", lease.slot.worker_id
            )
            self._waiting.appendleft(lease.task)
        elif self._fatal is None:
            self._fatal = no_start_error(self._failed_starts)

    def _retry_killed(self, lease: _Lease) -> Reply | None:
        """Retries a sample whose worker died, alone."""
        losses = self._count_loss(lease.task)
        message = f"The worker process died while it evaluated sample {lease.task.id}"
        if losses > self._policy.retries:
            return self._reply_for(WorkerDiedError(f"{message} ({_times(losses)})"))
        logger.warning("%s; trying it again, alone.", message)
        # Those that wait come first: it may be the one that kills more than its worker.
        self._suspects.add(lease.task.id)
        self._waiting.append(lease.task)
        return None

    def _retry_given_up(self, lease: _Lease) -> Reply | None:
        """Retries a sample that the executor gave up, through no fault of the sample."""
        losses = self._count_loss(lease.task)
        message = f"The executor gave up sample {lease.task.id}"
        if losses > self._policy.retries:
            return Reply.failed(ExecutorFailedError(f"{message} ({_times(losses)})"))
        logger.warning("%s; trying it again.", message)
        self._waiting.appendleft(lease.task)
        return None

    def _count_loss(self, task: Task) -> int:
        """Counts a loss of a sample on its way; returns its number of losses so far."""
        self._losses[task.id] = self._losses.get(task.id, 0) + 1
        return self._losses[task.id]

    def _reply_for(self, error: Exception) -> Reply:
        return Reply.failed(error, self._policy.catch)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _scored(lease: _Lease, reply: Reply) -> Outcome:
    if reply.curve is not None and reply.curve.is_pruned:
        logger.debug("Sample %d was pruned after step %d.", lease.task.id, reply.curve.last_step)
        return _outcome(lease, reply, None)
    return _outcome(lease, reply, NOT_FINITE if math.isnan(reply.score) else None)


def _outcome(lease: _Lease, reply: Reply, failure: str | None) -> Outcome:
    if failure is not None:
        logger.warning("Sample %d failed: %s.", lease.task.id, printable(failure))
        failure = storable_failure(failure)
    worker_id, (started, seconds) = lease.slot.worker_id, lease.times_of(reply)
    times = round(started, 6), round(seconds, 6)
    details = Details(*times, worker_id, failure, reply.extras, reply.curve)
    return Outcome(lease.task, worker_id, reply.score, details)
