"""Slots: the places where evaluations run, one at a time in each.

A slot runs its evaluations in the caller's thread, in a thread of its own, or in a worker process
of its own, which can die or be ended without affecting the other slots.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    InvalidStateError,
)
from typing import Any

from pyshac.core.basics import signals
from pyshac.core.evaluation import processes, worker
from pyshac.core.evaluation.processes import Guardian
from pyshac.core.evaluation.time_limit import loading_limit
from pyshac.core.evaluation.worker import Reply, Task, TaskRunner
from pyshac.core.evaluation.worker_memory import MemoryWatch

logger = logging.getLogger("pyshac")

# Time that a worker may take to close, such as for the handlers of `atexit`, before it is killed.
CLOSING_SECONDS = 5.0
# Time in which a worker that was killed is gone, unless the system keeps it, and in which its
# executor notices that.
_KILLED_SECONDS = 5.0
_NOTICING_SECONDS = 2.0


class Slot(ABC):
    """A place where evaluations run.

    Attributes:
        worker_id: Its number.
        can_end: Whether `end` also ends an evaluation.
    """

    can_end = True

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
        """Returns when the evaluation started (`time.monotonic`).

        None if its worker has not loaded the evaluation function yet.
        """
        return None

    @property
    def is_up(self) -> bool:
        """Whether its worker is up; True if it has none of its own."""
        return True

    def overdue_at(self, timeout: float | None) -> float | None:
        """Returns when the evaluation will have exceeded its time limit (`time.monotonic`).

        Args:
            timeout: The time limit; None for no limit.
        """
        started = self.started()
        return None if started is None or timeout is None else started + timeout

    def end(self) -> None:
        """Ends a worker at once, even in an evaluation; `submit` starts another process."""

    def end_if_gone(self) -> None:
        """Ends an evaluation whose worker has ended without a reply; called now and then."""

    def leave(self) -> None:
        """Asks an idle worker to end; does not wait for it."""

    def wait(self, deadline: float) -> None:
        """Waits until a worker that was asked to end is gone.

        Args:
            deadline: When to give up a worker that can be ended (`time.monotonic`).
        """


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


class ProcessGroup(SlotGroup):
    """Slots with worker processes of their own.

    Args:
        slots: The slots.
        timeout: As for `SlotGroup`.
        guardian: Ends their workers if this process is killed.
    """

    seconds_between_checks = 1.0

    def __init__(self, slots: Sequence[Slot], timeout: float | None, guardian: Guardian) -> None:
        super().__init__(slots, timeout)
        self._guardian = guardian

    def check(self) -> None:
        for slot in self.slots:
            slot.end_if_gone()

    def close(self) -> None:
        self._guardian.close()
        # This forgets the processes that have ended, which keep semaphores alive.
        multiprocessing.active_children()


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
    """Evaluates in a thread of its own, which cannot be ended from outside.

    Unlike an executor's threads, it does not keep the program from ending.
    """

    can_end = False

    def __init__(self, worker_id: int, runner: TaskRunner) -> None:
        super().__init__(worker_id)
        self._runner = runner
        self._tasks: queue.SimpleQueue[tuple[Future[Reply], Task] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, task: Task) -> Future[Reply]:
        if self._thread is None:
            name = f"pyshac-slot-{self.worker_id}"
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._thread.start()
        future: Future[Reply] = Future()
        self._tasks.put((future, task))
        return future

    def _work(self) -> None:
        while (item := self._tasks.get()) is not None:
            future, task = item
            try:
                future.set_result(self._runner(task, self.worker_id))
            except BaseException as error:
                future.set_exception(error)
            del future, task, item

    def end(self) -> None:
        self.leave()

    def leave(self) -> None:
        self._tasks.put(None)

    def wait(self, deadline: float) -> None:
        if self._thread is not None:
            self._thread.join()


class WorkerProcess:
    """A worker process, which is held from its start, and the executor that feeds it.

    Args:
        new_executor: Returns an executor with one worker process.
        guardian: Ends the worker if this process is killed.

    Attributes:
        executor: The executor.
        ready: A future that is done when the worker is up.
        loaded: A future that is done when the worker has loaded the evaluation function.

    Raises:
        RuntimeError: If no process can be started.
    """

    def __init__(self, new_executor: Callable[[], Executor], guardian: Guardian) -> None:
        try:
            self.executor = new_executor()
            self.ready = self.executor.submit(worker.process_id)
            self.loaded = self.submit(worker.load)
        except (OSError, EOFError, ImportError, NotImplementedError) as error:
            raise RuntimeError(
                f"No worker process can be started: {type(error).__name__}: {error}. "
                "Call concurrent_evaluators() to evaluate in threads of this process."
            ) from error
        # One that has ended already may not be among them any more.
        numbers = [*self.executor._processes]  # type: ignore[attr-defined]
        self._process = processes.find(numbers[0]) if numbers else None
        if self._process is not None:
            guardian.watch(self._process)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Submits a call; the future has failed already if the worker has died."""
        try:
            return self.executor.submit(function, *arguments)
        except BrokenExecutor as error:
            died: Future[Any] = Future()
            died.set_exception(error)
            return died

    def leave(self) -> None:
        """Asks the worker to end after its evaluation."""
        self.executor.shutdown(wait=False)

    def wait(self, deadline: float) -> bool:
        """Returns whether the worker is gone before a `time.monotonic`."""
        return self._process is None or processes.wait_until_gone(self._process, deadline)

    @property
    def is_gone(self) -> bool:
        """Whether the worker has ended."""
        return self._process is not None and not processes.is_alive(self._process)

    def kill(self) -> None:
        """Ends the worker and all that it has started; returns when it is gone."""
        # The thread that serves the executor ends with the worker, and keeps semaphores until then.
        thread = getattr(self.executor, "_executor_manager_thread", None)
        replies = getattr(self.executor, "_result_queue", None)
        if self._process is not None:
            processes.kill_tree(self._process)
        self.executor.shutdown(wait=False)
        if thread is not None:
            thread.join(_NOTICING_SECONDS)
            if thread.is_alive() and (writer := getattr(replies, "_writer", None)) is not None:
                # The worker ended in the middle of a reply: the thread waits for the rest of it, as
                # long as anybody could write it.
                with contextlib.suppress(OSError):
                    writer.close()
        self.wait(time.monotonic() + _KILLED_SECONDS)
        if thread is not None:
            thread.join(_KILLED_SECONDS)


class ProcessSlot(Slot):
    """Evaluates in a worker process of its own, which stays warm between evaluations.

    A worker whose memory has grown too far is replaced before the next evaluation.

    Args:
        worker_id: The slot's number.
        start: Starts a worker process.
        fresh_process: Whether every evaluation gets a new process.
        fresh_after_error: Whether the evaluation after one that raised gets a new process.
    """

    def __init__(
        self,
        worker_id: int,
        start: Callable[[], WorkerProcess],
        fresh_process: bool,
        fresh_after_error: bool,
    ) -> None:
        super().__init__(worker_id)
        self._new_worker = start
        self._fresh_process = fresh_process
        self._fresh_after_error = fresh_after_error
        self._has_raised = False
        self._future: Future[tuple[bytes, int | None]] = Future()
        self._seems_gone = False
        self._worker: WorkerProcess | None = None
        self._is_up = False
        self._starting_since = self._submitted = 0.0
        self._loaded_at: float | None = None
        self._memory = MemoryWatch()

    def submit(self, task: Task) -> Future[tuple[bytes, int | None]]:
        task = task.packed()
        if self._fresh_process or (self._fresh_after_error and self._has_raised):
            self._close()
        elif self._memory.is_due():
            logger.info(
                "Slot %d: its worker holds %.0f MB, after its first evaluations it was %.0f MB. A "
                "new one takes its place.",
                self.worker_id, self._memory.held / 1e6, self._memory.baseline / 1e6,
            )  # fmt: skip
            self._close()
        executor = (self._worker or self._start()).executor
        self._submitted = time.monotonic()
        try:
            future = executor.submit(worker.evaluate, task, self.worker_id)
        except BrokenExecutor:
            # The worker died while it was idle.
            self.end()
            future = self._start().submit(worker.evaluate, task, self.worker_id)
        self._future, self._seems_gone = _followed(future), False
        return self._future

    def read(self, future: Future[tuple[bytes, int | None]]) -> Reply:
        data, held = future.result()
        self._memory.add(held)
        reply = worker.unpack(data)
        self._has_raised = reply.error is not None
        return reply

    def _start(self) -> WorkerProcess:
        # A worker whose start is interrupted would be nobody's.
        with signals.whole():
            self._worker = started = self._new_worker()
        self._memory.begin()
        self._has_raised = self._is_up = False
        self._loaded_at = None
        self._starting_since = time.monotonic()
        started.ready.add_done_callback(lambda ready: self._note_up(started, ready))
        started.loaded.add_done_callback(lambda loaded: self._note_loaded(started, loaded))
        return started

    def _note_up(self, started: WorkerProcess, ready: Future[int]) -> None:
        # A worker that was ended may report after the next one has been started.
        if started is self._worker and self.error_of(ready) is None:
            self._is_up = True

    def _note_loaded(self, started: WorkerProcess, loaded: Future[None]) -> None:
        if started is self._worker and self.error_of(loaded) is None:
            self._loaded_at = time.monotonic()

    @property
    def is_up(self) -> bool:
        return self._is_up

    def started(self) -> float | None:
        return None if self._loaded_at is None else max(self._submitted, self._loaded_at)

    def overdue_at(self, timeout: float | None) -> float | None:
        limit = loading_limit(timeout)
        if self._loaded_at is None and limit is not None:
            return self._starting_since + limit
        return super().overdue_at(timeout)

    def end(self) -> None:
        ended, self._worker = self._worker, None
        if ended is not None:
            ended.kill()
            _settle(self._future, None, BrokenExecutor("The worker process has ended."))

    def end_if_gone(self) -> None:
        # The executor does not notice it if the worker ended in the middle of its reply. If it
        # does, it has until the second call.
        held = self._worker
        is_gone = held is not None and not self._future.done() and held.is_gone
        if is_gone and self._seems_gone:
            self.end()
        self._seems_gone = is_gone

    def leave(self) -> None:
        if self._worker is not None:
            self._worker.leave()

    def wait(self, deadline: float) -> None:
        if self._worker is None:
            return
        if not self._worker.wait(deadline):
            logger.warning(
                "Slot %d: its worker has not closed within %.0f s, perhaps for a thread that an "
                "evaluation has left behind. It is killed.",
                self.worker_id, CLOSING_SECONDS,
            )  # fmt: skip
            self._worker.kill()
        self._worker = None

    def _close(self) -> None:
        self.leave()
        self.wait(time.monotonic() + CLOSING_SECONDS)


def _followed(future: Future[Any]) -> Future[Any]:
    """Returns a future that ends with another one, unless it is ended before."""
    follower: Future[Any] = Future()

    def follow(ended: Future[Any]) -> None:
        error = CancelledError() if ended.cancelled() else ended.exception()
        _settle(follower, None if error is not None else ended.result(), error)

    future.add_done_callback(follow)
    return follower


def _settle(future: Future[Any], result: Any, error: BaseException | None) -> None:
    """Ends a future, unless it has ended."""
    with contextlib.suppress(InvalidStateError):
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
