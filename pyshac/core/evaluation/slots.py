"""Slots: the places where evaluations run, one at a time in each.

A slot runs its evaluations in the caller's thread, in a thread of its own, or in a worker process
of its own, which can die or be ended without the other slots.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any

import cloudpickle
import joblib
import loky

from pyshac.core.evaluation import processes, worker
from pyshac.core.evaluation.worker import Reply, Task, Worker
from pyshac.core.evaluation.worker_memory import MemoryWatch

logger = logging.getLogger("pyshac")

BACKENDS = ("loky", "multiprocessing", "threading")

# What a worker process may take to start before it is given up.
MAX_STARTING_SECONDS = 30.0

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)

# Loky ends a worker that has grown by 300 MB since its first call, which is what importing a
# framework takes. Slots have a watch of their own.
_NO_LEAK_CHECK = {"LOKY_MAX_MEMORY_LEAK_SIZE": str(2**60)}


class Slot(ABC):
    """One place where evaluations run.

    Attributes:
        worker_id: Its number.
    """

    def __init__(self, worker_id: int) -> None:
        self.worker_id = worker_id

    @abstractmethod
    def submit(self, task: Task) -> Future[Any]:
        """Starts an evaluation; the slot must be free, or its last one incomplete."""

    def is_incomplete(self, future: Future[Any]) -> bool:
        """Says whether what has come back asks for the task to be submitted once more."""
        return False

    def error_of(self, future: Future[Any]) -> BaseException | None:
        """Returns what kept an evaluation from replying, or None.

        That is a `BrokenExecutor` if its worker died, and a `CancelledError` if it was given up.
        """
        return CancelledError() if future.cancelled() else future.exception()

    def read(self, future: Future[Any]) -> Reply:
        """Returns the reply of an evaluation that has ended without such an error."""
        reply: Reply = future.result()
        return reply

    def started(self) -> float | None:
        """Returns when the evaluation started (`time.monotonic`), None if its worker is not up."""
        return None

    def end(self) -> None:
        """Ends the worker at once, in the middle of an evaluation; `submit` starts another."""

    def close(self) -> None:
        """Ends the worker after its evaluation; returns when it is gone."""


class InlineSlot(Slot):
    """Evaluates in the caller's thread: `submit` returns when the evaluation has ended."""

    def __init__(self, worker_id: int, work: Worker) -> None:
        super().__init__(worker_id)
        self._work = work

    def submit(self, task: Task) -> Future[Reply]:
        future: Future[Reply] = Future()
        future.set_result(self._work(task, self.worker_id))
        return future


class ThreadSlot(Slot):
    """Evaluates in a thread of its own, which nobody can end from outside."""

    def __init__(self, worker_id: int, work: Worker) -> None:
        super().__init__(worker_id)
        self._work = work
        self._executor = futures.ThreadPoolExecutor(1, f"pyshac-slot-{worker_id}")

    def submit(self, task: Task) -> Future[Reply]:
        return self._executor.submit(self._work, task, self.worker_id)

    def end(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        self._executor.shutdown(wait=True)


class ProcessSlot(Slot):
    """Evaluates in a worker process of its own, which stays warm between evaluations.

    A worker that has grown too far is replaced before the next evaluation.

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
        self._submitted = 0.0
        self._ready_at: float | None = None
        self._memory = MemoryWatch()

    def submit(self, task: Task) -> Future[tuple[bytes, int]]:
        if self._fresh_process:
            self.close()
        elif self._memory.is_due():
            logger.info(
                "Slot %d: its worker process holds %.0f MB, %.0f MB after its first evaluations. "
                "A new one takes its place.",
                self.worker_id, self._memory.held / 1e6, self._memory.baseline / 1e6,
            )  # fmt: skip
            self.close()
        executor = self._executor or self._start()
        self._submitted = time.monotonic()
        try:
            return executor.submit(worker.evaluate, task, self.worker_id)
        except BrokenExecutor:
            # The worker died while it had nothing to do.
            self.end()
            return self._start().submit(worker.evaluate, task, self.worker_id)

    def read(self, future: Future[tuple[bytes, int]]) -> Reply:
        data, held = future.result()
        self._memory.add(held)
        return worker.unpack(data)

    def _start(self) -> Executor:
        self._executor = executor = self._new_executor()
        self._memory.begin()
        self._ready_at = None
        self._ready = executor.submit(worker.process_id)
        self._ready.add_done_callback(self._note_ready)
        return executor

    def _note_ready(self, ready: Future[int]) -> None:
        # A worker that was ended may report after the next one has been started.
        if ready is self._ready:
            self._ready_at = time.monotonic()

    def started(self) -> float | None:
        return None if self._ready_at is None else max(self._submitted, self._ready_at)

    def end(self) -> None:
        executor, self._executor = self._executor, None
        if executor is None:
            return
        self._kill()
        executor.shutdown(wait=False)

    def _kill(self) -> None:
        # A worker that is still starting would go on to the evaluation: wait until it has a number.
        with contextlib.suppress(BrokenExecutor, futures.TimeoutError):
            if self._ready is not None:
                processes.kill_tree(self._ready.result(MAX_STARTING_SECONDS))

    def close(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True)


def make_slots(work: Worker, number: int, backend: str, fresh_process: bool) -> list[Slot]:
    """Returns slots numbered from 0, whose workers start when they are first used.

    Args:
        work: What they run.
        number: Number of slots.
        backend: 'loky', 'multiprocessing' or 'threading'; one thread is the caller's own.
        fresh_process: Whether every evaluation gets a new process.

    Raises:
        TypeError: If the evaluation function cannot be sent to a worker process.
    """
    if backend == "threading":
        if number == 1:
            return [InlineSlot(0, work)]
        return [ThreadSlot(worker_id, work) for worker_id in range(number)]
    new_executor = _executor_factory(work, number, backend)
    return [ProcessSlot(worker_id, new_executor, fresh_process) for worker_id in range(number)]


def pickle_worker(work: Worker) -> bytes:
    """Returns what a process needs to evaluate.

    Raises:
        TypeError: If the evaluation function cannot be sent there.
    """
    try:
        payload: bytes = cloudpickle.dumps(work)
    except Exception as error:
        raise TypeError(
            f"The evaluation function cannot be sent to worker processes: {error}. Build what it "
            "holds inside the function, or call concurrent_evaluators() to stay in this process."
        ) from error
    return payload


def _executor_factory(work: Worker, number: int, backend: str) -> Callable[[], Executor]:
    payload = pickle_worker(work)
    num_threads = max(1, joblib.cpu_count() // number)
    limits = {name: str(num_threads) for name in _THREAD_VARIABLES if name not in os.environ}
    environment = {**limits, **work.evaluator.environment()}

    def loky_executor() -> Executor:
        executor: Executor = loky.ProcessPoolExecutor(
            1,
            env={**environment, **_NO_LEAK_CHECK},
            initializer=worker.start,
            initargs=(payload, {}, None, os.getpid()),
        )
        return executor

    def standard_executor() -> Executor:
        # A forked worker has its libraries loaded already, so the environment comes too late.
        limit = num_threads if "OMP_NUM_THREADS" in limits else None
        return futures.ProcessPoolExecutor(
            1, initializer=worker.start, initargs=(payload, environment, limit, os.getpid())
        )

    return loky_executor if backend == "loky" else standard_executor
