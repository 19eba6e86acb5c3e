"""Backends: the places where evaluations run. Each opens slots there."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Executor, ThreadPoolExecutor
from multiprocessing import resource_tracker
from typing import Any

import cloudpickle

from pyshac.core.basics import locks
from pyshac.core.basics.messages.error_text import describe
from pyshac.core.basics.messages.pickling import culprit, pickling_error
from pyshac.core.basics.optional_packages import require
from pyshac.core.basics.terminals.relay import new_lane
from pyshac.core.basics.terminals.route import Route
from pyshac.core.basics.threads import thread_variables
from pyshac.core.evaluation import processes, worker
from pyshac.core.evaluation.executor_slots import SharedExecutor
from pyshac.core.evaluation.executor_worker import Payload
from pyshac.core.evaluation.failures import FailurePolicy
from pyshac.core.evaluation.processes import Guardian
from pyshac.core.evaluation.slots import (
    InlineSlot,
    ProcessGroup,
    ProcessSlot,
    SlotGroup,
    ThreadSlot,
    WorkerProcess,
)
from pyshac.core.evaluation.worker import Evaluator, TaskRunner

# Loky ends a worker that has grown by 300 MB since its first call, and importing a framework takes
# that much. Slots watch the memory themselves.
_NO_LEAK_CHECK = {"LOKY_MAX_MEMORY_LEAK_SIZE": str(2**60)}


class Backend(ABC):
    """A place where evaluations run.

    Attributes:
        setting: The user's value of `evaluator_backend`.
    """

    def __init__(self, setting: str | Executor) -> None:
        self.setting = setting

    def check(self, policy: FailurePolicy) -> None:
        """Raises `ValueError` if this backend cannot keep a policy."""

    @abstractmethod
    def open(
        self,
        evaluator: Evaluator,
        function: Callable[..., Any],
        number: int,
        policy: FailurePolicy,
    ) -> SlotGroup:
        """Returns slots, whose workers start when they are first used.

        Args:
            evaluator: Wraps each call of the function.
            function: The user's evaluation function.
            number: Number of slots.
            policy: How failures are handled.

        Raises:
            RuntimeError: If there is no such place.
            TypeError: If the evaluation function cannot be sent there.
        """


class ThreadBackend(Backend):
    """Threads of this process; a single slot uses the caller's thread."""

    def check(self, policy: FailurePolicy) -> None:
        if policy.needs_processes:
            raise ValueError(
                "timeout and fresh_process need worker processes, and evaluator_backend is "
                "'threading'. Call parallel_evaluators() first."
            )

    def open(
        self,
        evaluator: Evaluator,
        function: Callable[..., Any],
        number: int,
        policy: FailurePolicy,
    ) -> SlotGroup:
        runner = TaskRunner(evaluator, function, policy.catch)
        if number == 1:
            return SlotGroup([InlineSlot(0, runner)])
        return SlotGroup([ThreadSlot(worker_id, runner) for worker_id in range(number)])


class ProcessBackend(Backend):
    """Worker processes, one for each slot."""

    def open(
        self,
        evaluator: Evaluator,
        function: Callable[..., Any],
        number: int,
        policy: FailurePolicy,
    ) -> SlotGroup:
        import joblib

        _check_processes()
        payload = _pickled(TaskRunner(evaluator, function, policy.catch))
        share = max(1, joblib.cpu_count() // number)
        environment = {**thread_variables(os.environ, share), **evaluator.environment()}
        guardian = Guardian()

        def start() -> WorkerProcess:
            lane = new_lane()
            route = None if lane is None else lane.route
            started = WorkerProcess(
                lambda: self._new_executor(payload, environment, route), guardian
            )
            if lane is not None:
                started.ready.add_done_callback(lambda ready: lane.release())
            return started

        renewal = policy.fresh_process, evaluator.uses_gpus()
        slots = [ProcessSlot(number, start, *renewal) for number in range(number)]
        return ProcessGroup(slots, policy.timeout, guardian)

    @abstractmethod
    def _new_executor(
        self, payload: bytes, environment: dict[str, str], route: Route | None
    ) -> Executor:
        """Returns an executor with one worker process, prepared by `worker.start`."""


class LokyBackend(ProcessBackend):
    """Worker processes of loky, which start as new programs."""

    def _new_executor(
        self, payload: bytes, environment: dict[str, str], route: Route | None
    ) -> Executor:
        import loky
        from loky.backend import resource_tracker as loky_tracker

        processes.start_tracker(loky_tracker.ensure_running)
        processes.start_tracker(resource_tracker.ensure_running)
        executor: Executor = loky.ProcessPoolExecutor(
            1,
            env={**environment, **_NO_LEAK_CHECK},
            initializer=worker.start,
            initargs=(payload, {}, False, os.getpid(), route),
        )
        return executor


class MultiprocessingBackend(ProcessBackend):
    """Worker processes of the standard library, by its default start method."""

    def _new_executor(
        self, payload: bytes, environment: dict[str, str], route: Route | None
    ) -> Executor:
        if multiprocessing.get_start_method() == "fork":
            locks.await_calls()
        else:
            processes.start_tracker(resource_tracker.ensure_running)
        # A forked worker has loaded its libraries already, so variables come too late for them.
        return futures.ProcessPoolExecutor(
            1, initializer=worker.start, initargs=(payload, environment, True, os.getpid(), route)
        )


class SharedBackend(Backend):
    """An executor that is not the engine's own."""

    def check(self, policy: FailurePolicy) -> None:
        if policy.fresh_process:
            raise ValueError(
                "fresh_process needs worker processes that the engine may end, and those of "
                f"evaluator_backend, {self.setting!r}, are not its own. Leave fresh_process at "
                "False, or call parallel_evaluators() first."
            )

    def open(
        self,
        evaluator: Evaluator,
        function: Callable[..., Any],
        number: int,
        policy: FailurePolicy,
    ) -> SlotGroup:
        executor = self._executor()
        # No worker can be ended from here, so evaluations are interrupted where they run.
        runner = TaskRunner(evaluator, function, policy.catch, policy.timeout)
        payload = None
        if not isinstance(executor, ThreadPoolExecutor):
            payload = Payload(evaluator.environment(), _pickled(runner), policy.timeout)
        return SharedExecutor(executor, runner, payload, number)

    @abstractmethod
    def _executor(self) -> Executor:
        """Returns the executor in which slots are opened."""


class ExecutorBackend(SharedBackend):
    """A user's executor."""

    setting: Executor

    def _executor(self) -> Executor:
        return self.setting


class DaskBackend(SharedBackend):
    """The executor of the Dask client that is current when the slots are opened.

    Raises:
        ModuleNotFoundError: If Dask's scheduler is not installed.
    """

    def __init__(self, setting: str) -> None:
        super().__init__(setting)
        require("evaluator_backend = 'dask'", "distributed", "dask")

    def _executor(self) -> Executor:
        distributed = importlib.import_module("distributed")
        try:
            executor: Executor = distributed.get_client().get_executor()
        except ValueError as error:
            raise RuntimeError(
                "evaluator_backend is 'dask', and there is no Dask client: make one before fit(), "
                "such as client = distributed.Client('tcp://scheduler:8786')."
            ) from error
        return executor


_BACKENDS: dict[str, type[Backend]] = {
    "loky": LokyBackend,
    "multiprocessing": MultiprocessingBackend,
    "threading": ThreadBackend,
    "dask": DaskBackend,
}


def get_backend(setting: Any) -> Backend:
    """Returns the backend that a user's setting names.

    Raises:
        ModuleNotFoundError: If it needs a package that is not installed.
        ValueError: If it is neither an executor nor the name of a backend.
    """
    if isinstance(setting, Executor):
        return ExecutorBackend(setting)
    if not isinstance(setting, str) or setting not in _BACKENDS:
        raise ValueError(
            f"evaluator_backend must be one of {list(_BACKENDS)!r}, or a "
            f"concurrent.futures.Executor. Got {setting!r} instead."
        )
    return _BACKENDS[setting](setting)


def _check_processes() -> None:
    """Raises `RuntimeError` if this process must not start worker processes."""
    threads = "call concurrent_evaluators() to evaluate in threads of this process"
    process = multiprocessing.current_process()
    if getattr(process, "_inheriting", False):
        raise RuntimeError(
            "A worker process has imported the main module, which starts a run. Put what starts it "
            f'under `if __name__ == "__main__":`, or {threads}.'
        )
    if process.daemon:
        raise RuntimeError(
            "This process is daemonic, as the workers of multiprocessing.Pool are, and must not "
            f"start worker processes. Start it with daemon=False, or {threads}."
        )
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        raise RuntimeError(
            f"gevent has patched threads, with which worker processes do not work: {threads}."
        )


def _pickled(runner: TaskRunner) -> bytes:
    try:
        data: bytes = cloudpickle.dumps(runner)
    except Exception as error:
        for each in runner.catch:
            if pickling_error(each) is not None:
                raise TypeError(
                    f"catch must hold exception types that can be sent to worker processes. Got "
                    f"{each!r}: {describe(error)}. Define it in a module, or name a base class."
                ) from error
        where = culprit(runner.function, "the evaluation function")
        raise TypeError(
            f"The evaluation function cannot be sent to worker processes, since {where} cannot be "
            f"pickled: {describe(error)}. Build what it holds inside the function, or call "
            "concurrent_evaluators() to stay in this process."
        ) from error
    return data
