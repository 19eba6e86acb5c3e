"""What the processes of an executor know of a run, and what they say if they do not."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict

import cloudpickle
import pytest

from pyshac.core.evaluation import executor_worker
from pyshac.core.evaluation.worker import Evaluator, Task, TaskRunner, unpack

TASK = Task(3, OrderedDict(x=2.0))


def payload_of(function, **environment):
    worker = TaskRunner(Evaluator(), function)
    return executor_worker.Payload(environment, cloudpickle.dumps(worker))


@pytest.fixture(autouse=True)
def knows_nothing(monkeypatch):
    monkeypatch.setattr(executor_worker, "_known", executor_worker._KnownPools())


def test_a_process_asks_once():
    payload = payload_of(lambda worker_id, p: p["x"] + worker_id)
    assert executor_worker.evaluate_for_pool("run", TASK, 5) is None
    assert unpack(executor_worker.evaluate_for_pool("run", TASK, 5, payload)).score == 7.0
    assert unpack(executor_worker.evaluate_for_pool("run", TASK, 6)).score == 8.0


def test_the_first_payload_counts():
    """State that a function keeps is one for all threads of a process."""
    for constant in (1.0, 2.0):
        payload = payload_of(lambda worker_id, p, constant=constant: constant)
        assert unpack(executor_worker.evaluate_for_pool("run", TASK, 0, payload)).score == 1.0


def test_only_the_last_runs_are_kept():
    payload = payload_of(lambda worker_id, p: 1.0)
    for number in range(executor_worker.MAX_KNOWN_POOLS + 1):
        executor_worker.evaluate_for_pool(f"run {number}", TASK, 0, payload)
        # One that is used is not the oldest.
        assert executor_worker.evaluate_for_pool("run 0", TASK, 0) is not None
    assert executor_worker.evaluate_for_pool("run 1", TASK, 0) is None
    assert executor_worker.evaluate_for_pool("run 2", TASK, 0) is not None


def test_runs_of_this_process_are_kept_until_they_are_forgotten():
    payload = payload_of(lambda worker_id, p: 1.0)
    executor_worker.remember("own", TaskRunner(Evaluator(), lambda worker_id, p: 0.5))
    for number in range(2 * executor_worker.MAX_KNOWN_POOLS):
        executor_worker.evaluate_for_pool(f"run {number}", TASK, 0, payload)
    assert unpack(executor_worker.evaluate_for_pool("own", TASK, 0)).score == 0.5
    executor_worker.forget("own")
    assert executor_worker.evaluate_for_pool("own", TASK, 0) is None
    executor_worker.forget("own")


def test_the_environment_is_set_before_the_function_is_unpickled(monkeypatch):
    monkeypatch.delenv("PYSHAC_TEST", raising=False)

    class Looking:
        def __reduce__(self):
            return os.getenv, ("PYSHAC_TEST",)

    looking = Looking()
    payload = payload_of(lambda worker_id, p: float(looking), PYSHAC_TEST="4")
    try:
        assert unpack(executor_worker.evaluate_for_pool("run", TASK, 0, payload)).score == 4.0
    finally:
        del os.environ["PYSHAC_TEST"]


def test_a_payload_that_cannot_be_read_is_an_error_of_the_evaluation():
    reply = unpack(
        executor_worker.evaluate_for_pool("run", TASK, 0, executor_worker.Payload({}, b"no pickle"))
    )
    assert isinstance(reply.error, pickle.UnpicklingError)
    assert "_load" in reply.traceback


def test_a_reply_that_cannot_be_read_is_an_error():
    assert isinstance(unpack(b"").error, EOFError)
