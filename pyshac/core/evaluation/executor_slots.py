"""Slots in a user's executor: a pool of the standard library, a cluster, an MPI job.

The slots share the executor. It is the user's: nothing here starts it or shuts it down.
"""

from __future__ import annotations

import sys
import uuid
import weakref
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from concurrent.futures.process import BrokenProcessPool

from pyshac.core.evaluation import executor_worker
from pyshac.core.evaluation.failures import ExecutorFailedError
from pyshac.core.evaluation.slots import Slot, SlotGroup
from pyshac.core.evaluation.worker import Reply, Task, TaskRunner, unpack

# Between two checks of an executor that sends nothing back.
SECONDS_BETWEEN_CHECKS = 1.0


class SharedExecutor(SlotGroup):
    """A user's executor, and the slots in it.

    Args:
        executor: The executor.
        runner: The task runner, which threads of this process use as it is.
        payload: The payload for other processes, sent on request; None if the executor has
            threads of this process only.
        number: Number of slots.

    Attributes:
        executor: The executor.
        num_lacking: Number of processes that have replied that they do not know the pool yet.
    """

    slots: Sequence[ExecutorSlot]
    seconds_between_checks = SECONDS_BETWEEN_CHECKS

    def __init__(
        self,
        executor: Executor,
        runner: TaskRunner,
        payload: executor_worker.Payload | None,
        number: int,
    ) -> None:
        super().__init__([ExecutorSlot(worker_id, self) for worker_id in range(number)])
        self.executor = executor
        self.num_lacking = 0
        self._payload = payload
        self._pool_id = uuid.uuid4().hex
        executor_worker.remember(self._pool_id, runner)
        # The pool is forgotten even if no evaluation ever starts.
        self._forget = weakref.finalize(self, executor_worker.forget, self._pool_id)

    @property
    def is_gone(self) -> bool:
        """Whether it is certain that no further result will come back.

        A Dask client that has lost its scheduler looks for it for a while, and takes tasks
        meanwhile. If it gives up, these tasks never end.
        """
        return getattr(self._dask_client, "status", None) == "closed"

    @property
    def connection(self) -> object | None:
        """A Dask client's connection to its scheduler; None if there is none."""
        return getattr(self._dask_client, "scheduler_comm", None)

    @property
    def _dask_client(self) -> object | None:
        return getattr(self.executor, "_client", None)

    def check(self) -> None:
        # A Dask client that finds a scheduler again gives up only some of the old one's tasks.
        if self.is_gone:
            raise ExecutorFailedError(f"{self.executor!r} has lost its cluster")
        connection = self.connection
        if connection is not None:
            for slot in self.slots:
                slot.give_up(connection)

    def close(self) -> None:
        self._forget()

    def send(self, task: Task, worker_id: int) -> Future[bytes | None]:
        """Submits a task; the future fails at once if the executor does not take it."""
        # A task carries the payload only on request: nobody knows which process gets the task.
        extra: tuple[executor_worker.Payload | None, ...] = ()
        if self.num_lacking:
            self.num_lacking -= 1
            extra = (self._payload,)
        evaluate = executor_worker.evaluate_for_pool
        try:
            return self.executor.submit(evaluate, self._pool_id, task, worker_id, *extra)
        except Exception as error:
            message = f"{self.executor!r} takes no evaluations: {type(error).__name__}: {error}"
            refused: Future[bytes | None] = Future()
            refused.set_exception(_caused(ExecutorFailedError(message), error))
            return refused


class ExecutorSlot(Slot):
    """Evaluates somewhere in an executor that it shares with other slots."""

    def __init__(self, worker_id: int, shared: SharedExecutor) -> None:
        super().__init__(worker_id)
        self._shared = shared
        self._sent: Future[bytes | None] | None = None
        self._connection: object | None = None

    def submit(self, task: Task) -> Future[bytes | None]:
        self._connection = self._shared.connection
        self._sent = self._shared.send(task.packed(), self.worker_id)
        return self._sent

    def give_up(self, connection: object) -> None:
        """Gives up an evaluation that was sent over another connection, which is now lost."""
        if self._sent is not None and self._connection not in (None, connection):
            self._sent.cancel()

    def is_incomplete(self, future: Future[bytes | None]) -> bool:
        if self.error_of(future) is not None or future.result() is not None:
            return False
        self._shared.num_lacking += 1
        return True

    def error_of(self, future: Future[bytes | None]) -> BaseException | None:
        error = super().error_of(future)
        if isinstance(error, BrokenProcessPool):
            # All tasks of the pool fail with this error, and nobody knows which of them caused it.
            message = f"{self._shared.executor!r} broke: {type(error).__name__}: {error}"
            return _caused(ExecutorFailedError(message), error)
        killed_worker = getattr(sys.modules.get("distributed"), "KilledWorker", ())
        if isinstance(error, killed_worker):
            return _caused(BrokenExecutor(str(error)), error)
        return error

    def read(self, future: Future[bytes | None]) -> Reply:
        # A cluster keeps a result for as long as somebody holds its future.
        self._sent = None
        return unpack(future.result() or b"")

    def end(self) -> None:
        sent, self._sent = self._sent, None
        if sent is not None and not self._shared.is_gone:
            # A running evaluation goes on to its end, and nobody waits for it.
            sent.cancel()


def _caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error
