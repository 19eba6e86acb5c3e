"""Slots: the places where evaluations run, one at a time in each.

A slot runs its evaluations in the caller's thread, in a thread of its own, or in a worker process
of its own, which can die or be ended without affecting the other slots.
"""

from __future__ import annotations

import contextlib
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any

from pyshac.core.evaluation import processes, worker
from pyshac.core.evaluation.time_limit import loading_limit
from pyshac.core.evaluation.worker import Reply, Task, TaskRunner
from pyshac.core.evaluation.worker_memory import MemoryWatch

logger = logging.getLogger("pyshac")

# Time that a worker process may take to start before it is given up.
MAX_STARTING_SECONDS = 30.0


class Slot(ABC):
    """A place where evaluations run.

    Attributes:
        worker_id: Its number.
    """

    def __init__(self, worker_id: int) -> None:
        self.worker_id = worker_id

    @abstractmethod
    def submit(self, task: Task) -> Future[Any]:
        """Starts an evaluation; the slot must be free, or its last one incomplete."""

    def is_incomplete(self, future: Future[Any]) -> bool:
        """Returns whether the worker asks for the task to be submitted again."""
        return False

    def error_of(self, future: Future[Any]) -> BaseException | None:
        """Returns the error that kept an evaluation from replying, or None.

        It is a `BrokenExecutor` if the worker died, a `CancelledError` if the task was given up.
        """
        return CancelledError() if future.cancelled() else future.exception()

    def read(self, future: Future[Any]) -> Reply:
        """Returns the reply of an evaluation that has ended without such an error."""
        reply: Reply = future.result()
        return reply

    def started(self) -> float | None:
        """Returns when the evaluation started (`time.monotonic`); None if its worker is not up."""
        return None

    def overdue_at(self, timeout: float | None) -> float | None:
        """Returns when the evaluation will have exceeded its time limit (`time.monotonic`).

        Args:
            timeout: The time limit; None for no limit.
        """
        started = self.started()
        return None if started is None or timeout is None else started + timeout

    def end(self) -> None:
        """Ends a worker at once, even in an evaluation; `submit` starts another process."""

    def close(self) -> None:
        """Ends the worker after its evaluation; returns when it is gone."""


class SlotGroup:
    """The slots of a pool.

    Args:
        slots: The slots, numbered from 0.
        timeout: Seconds after which the pool ends a worker in the middle of an evaluation; None
            for no limit, or for a limit that is enforced inside the slots.

    Attributes:
        slots: The slots.
        timeout: As above.
        seconds_between_checks: Seconds between calls of `check`; None if it need not be called.
    """

    seconds_between_checks: float | None = None

    def __init__(self, slots: Sequence[Slot], timeout: float | None = None) -> None:
        self.slots = slots
        self.timeout = timeout

    def check(self) -> None:
        """Gives up evaluations that will not come back.

        Raises:
            ExecutorFailedError: If no evaluation will come back any more.
        """

    def close(self) -> None:
        """Called when the slots have been closed or ended."""


class InlineSlot(Slot):
    """Evaluates in the caller's thread: `submit` returns when the evaluation has ended."""

    def __init__(self, worker_id: int, runner: TaskRunner) -> None:
        super().__init__(worker_id)
        self._runner = runner

    def submit(self, task: Task) -> Future[Reply]:
        future: Future[Reply] = Future()
        future.set_result(self._runner(task, self.worker_id))
        return future


class ThreadSlot(Slot):
    """Evaluates in a thread of its own, which cannot be ended from outside."""

    def __init__(self, worker_id: int, runner: TaskRunner) -> None:
        super().__init__(worker_id)
        self._runner = runner
        self._executor = futures.ThreadPoolExecutor(1, f"pyshac-slot-{worker_id}")

    def submit(self, task: Task) -> Future[Reply]:
        return self._executor.submit(self._runner, task, self.worker_id)

    def end(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        self._executor.shutdown(wait=True)


class ProcessSlot(Slot):
    """Evaluates in a worker process of its own, which stays warm between evaluations.

    A worker whose memory has grown too far is replaced before the next evaluation.

    Args:
        worker_id: The slot's number.
        new_executor: Returns an executor with one worker process.
        fresh_process: Whether every evaluation gets a new process.
    """

    def __init__(
        self, worker_id: int, new_executor: Callable[[], Executor], fresh_process: bool
    ) -> None:
        super().__init__(worker_id)
        self._new_executor = new_executor
        self._fresh_process = fresh_process
        self._executor: Executor | None = None
        self._ready: Future[int] | None = None
        self._loaded: Future[None] | None = None
        self._starting_since = 0.0
        self._submitted = 0.0
        self._ready_at: float | None = None
        self._memory = MemoryWatch()

    def submit(self, task: Task) -> Future[tuple[bytes, int | None]]:
        if self._fresh_process:
            self.close()
        elif self._memory.is_due():
            logger.info(
                "Slot %d: its worker holds %.0f MB, after its first evaluations it was %.0f MB. A "
                "new one takes its place.",
                self.worker_id, self._memory.held / 1e6, self._memory.baseline / 1e6,
            )  # fmt: skip
            self.close()
        executor = self._executor or self._start()
        self._submitted = time.monotonic()
        try:
            return executor.submit(worker.evaluate, task, self.worker_id)
        except BrokenExecutor:
            # The worker died while it was idle.
            self.end()
            return self._start().submit(worker.evaluate, task, self.worker_id)

    def read(self, future: Future[tuple[bytes, int | None]]) -> Reply:
        data, held = future.result()
        self._memory.add(held)
        return worker.unpack(data)

    def _start(self) -> Executor:
        self._executor = executor = self._new_executor()
        self._memory.begin()
        self._starting_since, self._ready_at = time.monotonic(), None
        self._ready = executor.submit(worker.process_id)
        self._loaded = executor.submit(worker.load)
        self._loaded.add_done_callback(self._note_loaded)
        return executor

    def _note_loaded(self, loaded: Future[None]) -> None:
        # A worker that was ended may report after the next one has been started.
        if loaded is self._loaded and self.error_of(loaded) is None:
            self._ready_at = time.monotonic()

    def started(self) -> float | None:
        return None if self._ready_at is None else max(self._submitted, self._ready_at)

    def overdue_at(self, timeout: float | None) -> float | None:
        limit = loading_limit(timeout)
        if self._ready_at is None and limit is not None:
            return self._starting_since + limit
        return super().overdue_at(timeout)

    def end(self) -> None:
        executor, self._executor = self._executor, None
        if executor is None:
            return
        # A worker that is still starting would go on to evaluate: wait until its id is known.
        with contextlib.suppress(BrokenExecutor, futures.TimeoutError):
            if self._ready is not None:
                processes.kill_tree(self._ready.result(MAX_STARTING_SECONDS))
        executor.shutdown(wait=False)

    def close(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True)
