"""Slots in the executor of somebody else: a pool of the standard library, a cluster, an MPI job.

The slots share the executor. It is the user's: nothing here starts or ends it.
"""

from __future__ import annotations

import importlib
import sys
import uuid
import weakref
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from pyshac.core.basics.optional_packages import require
from pyshac.core.evaluation import executor_worker
from pyshac.core.evaluation.slots import Slot, pickle_worker
from pyshac.core.evaluation.worker import Reply, Task, Worker, unpack

# Stands for the executor of the current Dask client.
DASK = "dask"


class ExecutorFailedError(RuntimeError):
    """An executor gives evaluations up, or takes none: it is broken, was shut down, or is away."""


def check_dask() -> None:
    """Raises `ModuleNotFoundError` if Dask's scheduler is not installed; imports nothing."""
    require("evaluator_backend = 'dask'", "distributed", "dask")


def dask_executor() -> Executor:
    """Returns the executor of the current Dask client.

    Raises:
        RuntimeError: If there is none.
    """
    distributed = importlib.import_module("distributed")
    try:
        executor: Executor = distributed.get_client().get_executor()
    except ValueError as error:
        raise RuntimeError(
            "evaluator_backend is 'dask', and there is no Dask client: make one before fit(), "
            "such as client = distributed.Client('tcp://scheduler:8786')."
        ) from error
    return executor


class SharedExecutor:
    """The executor in which a run is evaluated, as its slots see it.

    Args:
        executor: Where tasks go.
        work: What they are evaluated by. It travels to each process once; threads of this process
            use it as it is.
        number: Number of slots.

    Attributes:
        executor: The executor.
        slots: The slots, numbered from 0.
        num_lacking: How many processes have said that they do not know the run yet.
        close: Called when no more tasks will be sent; the executor stays up.

    Raises:
        TypeError: If the evaluation function cannot be sent to another process.
    """

    def __init__(self, executor: Executor, work: Worker, number: int) -> None:
        self.executor = executor
        self.slots = [ExecutorSlot(worker_id, self) for worker_id in range(number)]
        self._run = uuid.uuid4().hex
        executor_worker.remember(self._run, work)
        # Also where no evaluation ever starts.
        self.close = weakref.finalize(self, executor_worker.forget, self._run)
        self.num_lacking = 0
        self._payload: executor_worker.Payload | None = None
        if not isinstance(executor, ThreadPoolExecutor):
            self._payload = executor_worker.Payload(
                work.evaluator.environment(), pickle_worker(work)
            )

    @property
    def is_gone(self) -> bool:
        """Whether it is certain that nothing comes back any more.

        A Dask client that has lost its scheduler looks for it for a while and takes tasks
        meanwhile. If it gives up, these never end.
        """
        return getattr(self._dask_client, "status", None) == "closed"

    @property
    def connection(self) -> object | None:
        """The client's connection to the scheduler in Dask; None elsewhere, or if it has none."""
        return getattr(self._dask_client, "scheduler_comm", None)

    @property
    def _dask_client(self) -> object | None:
        return getattr(self.executor, "_client", None)

    def check(self) -> None:
        """Gives up what does not come back.

        A client of Dask that finds a scheduler again gives up what the old one had, but not all.

        Raises:
            ExecutorFailedError: If nothing comes back any more.
        """
        if self.is_gone:
            raise ExecutorFailedError(f"{self.executor!r} has lost its cluster")
        connection = self.connection
        if connection is not None:
            for slot in self.slots:
                slot.give_up(connection)

    def send(self, task: Task, worker_id: int) -> Future[bytes | None]:
        """Hands a task to the executor; the future ends at once if it does not take it."""
        # What is sent with every sample is the sample. Which process gets it is not known.
        extra: tuple[executor_worker.Payload | None, ...] = ()
        if self.num_lacking:
            self.num_lacking -= 1
            extra = (self._payload,)
        try:
            return self.executor.submit(
                executor_worker.evaluate, self._run, task, worker_id, *extra
            )
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
        self._sent = self._shared.send(task, self.worker_id)
        return self._sent

    def give_up(self, connection: object) -> None:
        """Gives up an evaluation that was sent over another connection, now lost."""
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
            # All that ran in the pool ends so, and nobody knows which of them it was.
            message = f"{self._shared.executor!r} broke: {type(error).__name__}: {error}"
            return _caused(ExecutorFailedError(message), error)
        killed_worker = getattr(sys.modules.get("distributed"), "KilledWorker", ())
        if isinstance(error, killed_worker):
            return _caused(BrokenExecutor(str(error)), error)
        return error

    def read(self, future: Future[bytes | None]) -> Reply:
        # A cluster keeps results for as long as somebody holds their future.
        self._sent = None
        return unpack(future.result() or b"")

    def end(self) -> None:
        sent, self._sent = self._sent, None
        if sent is not None and not self._shared.is_gone:
            # One that runs already goes on to its end, which nobody waits for.
            sent.cancel()


def _caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error
