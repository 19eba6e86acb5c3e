"""What runs in the worker processes of an executor that the user made.

A task carries the name of its run. A process that does not know the run yet says so, and gets the
evaluation function with its next task: it travels once to each process, whenever that may join.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections import OrderedDict
from dataclasses import dataclass

import cloudpickle

from pyshac.core.evaluation.worker import Reply, Task, Worker, pack

# Runs of which a process keeps what it was sent: several engines may share an executor.
MAX_KNOWN_RUNS = 8


@dataclass(frozen=True)
class Payload:
    """What a process has to know of a run.

    Attributes:
        environment: Environment variables, set before anything is unpickled.
        worker: The pickled `Worker`.
    """

    environment: dict[str, str]
    worker: bytes


class _KnownRuns:
    """The workers that this process knows, by the names of their runs.

    Attributes:
        own: Those of engines in this process.
    """

    def __init__(self) -> None:
        self.own: dict[str, Worker] = {}
        self._sent: OrderedDict[str, Worker] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, run: str) -> Worker | None:
        with self._lock:
            if run in self._sent:
                self._sent.move_to_end(run)
            return self.own.get(run) or self._sent.get(run)

    def add(self, run: str, worker: Worker) -> Worker:
        """Takes in a worker that was sent; returns that which came first, if there are two."""
        with self._lock:
            first = self._sent.setdefault(run, worker)
            while len(self._sent) > MAX_KNOWN_RUNS:
                self._sent.popitem(last=False)
            return first


_known = _KnownRuns()


def _know_nothing() -> None:
    global _known
    _known = _KnownRuns()


# A forked process has an environment to set before it begins, and perhaps a lock that nobody opens.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_know_nothing)


def remember(run: str, worker: Worker) -> None:
    """Lets tasks of a run that stay in this process use this very worker."""
    _known.own[run] = worker


def forget(run: str) -> None:
    """Takes `remember` back."""
    _known.own.pop(run, None)


def evaluate(run: str, task: Task, worker_id: int, payload: Payload | None = None) -> bytes | None:
    """Evaluates one sample in this process.

    Args:
        run: Name of the run.
        task: The sample.
        worker_id: Its slot.
        payload: What this process has to know, if it said that it does not.

    Returns:
        The pickled reply; None if the payload is missing.
    """
    try:
        worker = _known.get(run)
        if worker is None:
            if payload is None:
                return None
            worker = _known.add(run, _load(payload))
        reply = worker(task, worker_id)
    except Exception as error:
        reply = Reply(error=error, traceback=traceback.format_exc())
    return pack(reply)


def _load(payload: Payload) -> Worker:
    os.environ.update(payload.environment)
    worker: Worker = cloudpickle.loads(payload.worker)
    return worker
