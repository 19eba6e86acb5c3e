"""What the processes of an executor know of a run, and what they say if they do not."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict

import cloudpickle
import pytest

from pyshac.core import remote
from pyshac.core.worker import Evaluator, Task, Worker, unpack

TASK = Task(3, OrderedDict(x=2.0))


def payload_of(function, **environment):
    worker = Worker(Evaluator(), function)
    return remote.Payload(environment, cloudpickle.dumps(worker))


@pytest.fixture(autouse=True)
def knows_nothing(monkeypatch):
    monkeypatch.setattr(remote, "_known", remote._KnownRuns())


def test_a_process_asks_once():
    payload = payload_of(lambda worker_id, p: p["x"] + worker_id)
    assert remote.evaluate("run", TASK, 5) is None
    assert unpack(remote.evaluate("run", TASK, 5, payload)).score == 7.0
    assert unpack(remote.evaluate("run", TASK, 6)).score == 8.0


def test_the_first_payload_counts():
    """State that a function keeps is one for all threads of a process."""
    for constant in (1.0, 2.0):
        payload = payload_of(lambda worker_id, p, constant=constant: constant)
        assert unpack(remote.evaluate("run", TASK, 0, payload)).score == 1.0


def test_only_the_last_runs_are_kept():
    payload = payload_of(lambda worker_id, p: 1.0)
    for number in range(remote.MAX_KNOWN_RUNS + 1):
        remote.evaluate(f"run {number}", TASK, 0, payload)
        # One that is used is not the oldest.
        assert remote.evaluate("run 0", TASK, 0) is not None
    assert remote.evaluate("run 1", TASK, 0) is None
    assert remote.evaluate("run 2", TASK, 0) is not None


def test_runs_of_this_process_are_kept_until_they_are_forgotten():
    payload = payload_of(lambda worker_id, p: 1.0)
    remote.remember("own", Worker(Evaluator(), lambda worker_id, p: 0.5))
    for number in range(2 * remote.MAX_KNOWN_RUNS):
        remote.evaluate(f"run {number}", TASK, 0, payload)
    assert unpack(remote.evaluate("own", TASK, 0)).score == 0.5
    remote.forget("own")
    assert remote.evaluate("own", TASK, 0) is None
    remote.forget("own")


def test_the_environment_is_set_before_the_function_is_unpickled(monkeypatch):
    monkeypatch.delenv("PYSHAC_TEST", raising=False)

    class Looking:
        def __reduce__(self):
            return os.getenv, ("PYSHAC_TEST",)

    looking = Looking()
    payload = payload_of(lambda worker_id, p: float(looking), PYSHAC_TEST="4")
    try:
        assert unpack(remote.evaluate("run", TASK, 0, payload)).score == 4.0
    finally:
        del os.environ["PYSHAC_TEST"]


def test_a_payload_that_cannot_be_read_is_an_error_of_the_evaluation():
    reply = unpack(remote.evaluate("run", TASK, 0, remote.Payload({}, b"no pickle")))
    assert isinstance(reply.error, pickle.UnpicklingError)
    assert "_load" in reply.traceback


def test_a_reply_that_cannot_be_read_is_an_error():
    assert isinstance(unpack(b"").error, EOFError)
