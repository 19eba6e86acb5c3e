"""The code inside the worker processes of a user's executor.

A task carries the id of the slot pool that sent it. A process that does not know the pool says so
in its reply, and a later task brings the `TaskRunner`. So each process gets it about once, whenever
the process joins.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass

import cloudpickle

from pyshac.core.evaluation.time_limit import (
    OverdueError,
    loading_error,
    loading_limit,
    time_limit,
)
from pyshac.core.evaluation.worker import Reply, Task, TaskRunner, pack

# Number of pools that a process remembers; several engines may share an executor.
MAX_KNOWN_POOLS = 8


@dataclass(frozen=True)
class Payload:
    """Everything that a process needs to evaluate the tasks of a pool.

    Attributes:
        environment: Environment variables, set before anything is unpickled.
        runner: The pickled `TaskRunner`.
        timeout: The time limit of evaluations, or None.
    """

    environment: dict[str, str]
    runner: bytes
    timeout: float | None = None


class _KnownPools:
    """The task runners that this process knows, by the ids of their pools.

    Attributes:
        own: The task runners of engines in this process.
    """

    def __init__(self) -> None:
        self.own: dict[str, TaskRunner] = {}
        self._sent: OrderedDict[str, TaskRunner] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, pool_id: str) -> TaskRunner | None:
        with self._lock:
            if pool_id in self._sent:
                self._sent.move_to_end(pool_id)
            return self.own.get(pool_id) or self._sent.get(pool_id)

    def add(self, pool_id: str, runner: TaskRunner) -> TaskRunner:
        """Adds a runner that was sent; returns the first one if the pool already has one."""
        with self._lock:
            first = self._sent.setdefault(pool_id, runner)
            while len(self._sent) > MAX_KNOWN_POOLS:
                self._sent.popitem(last=False)
            return first


_known = _KnownPools()


def _know_nothing() -> None:
    global _known
    _known = _KnownPools()


# A forked process must set its environment first, and may have inherited a lock that is held.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_know_nothing)


def remember(pool_id: str, runner: TaskRunner) -> None:
    """Makes tasks of a pool that stay in this process use this very runner."""
    _known.own[pool_id] = runner


def forget(pool_id: str) -> None:
    """Reverts `remember`."""
    _known.own.pop(pool_id, None)


def evaluate_for_pool(
    pool_id: str, task: Task, worker_id: int, payload: Payload | None = None
) -> bytes | None:
    """Evaluates a sample in this process.

    Args:
        pool_id: Id of the pool.
        task: The sample.
        worker_id: Its slot.
        payload: The payload, if this process has replied that it does not know the pool.

    Returns:
        The pickled reply; None if the payload is missing.
    """
    try:
        runner = _known.get(pool_id)
        if runner is None:
            if payload is None:
                return None
            runner = _known.add(pool_id, _load(payload))
        reply = runner(task.unpacked(), worker_id)
    except BaseException as error:
        reply = Reply.failed(error)
    return pack(reply)


def _load(payload: Payload) -> TaskRunner:
    os.environ.update(payload.environment)
    limit = loading_limit(payload.timeout)
    try:
        with time_limit(limit):
            runner: TaskRunner = cloudpickle.loads(payload.runner)
            runner.prepare()
    except OverdueError:
        raise loading_error(limit) from None
    return runner
