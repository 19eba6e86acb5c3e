"""What cannot be pickled, and where it is."""

from __future__ import annotations

import functools
import threading

import pytest

from pyshac.core.basics.messages.pickling import culprit, dumps_within
from pyshac.core.evaluation.backends import get_backend
from pyshac.core.evaluation.failures import FailurePolicy
from pyshac.core.evaluation.worker import Evaluator
from tests.core.evaluation.slot_runs import PROCESSES

LOCK = threading.Lock()


class Training:
    def __init__(self):
        self.settings = {"guards": [1, threading.Lock()]}

    def evaluate(self, worker_id, parameters):
        return 1.0


def closure():
    guard = threading.Lock()

    def evaluate(worker_id, parameters, default=1):
        return guard

    return evaluate


def with_default(worker_id, parameters, guard=LOCK):
    return 1.0


with_default.__module__ = "__main__"


@pytest.mark.parametrize(
    ("function", "where"),
    [
        (
            Training().evaluate,
            "item 1 of the item 'guards' of the attribute 'settings' of the object of f",
        ),
        (closure(), "the variable 'guard' of f"),
        (functools.partial(closure()), "the variable 'guard' of the function of f"),
        (functools.partial(print, guard=LOCK), "the item 'guard' of the keyword arguments of f"),
        (with_default, "a default argument of f"),
    ],
)
def test_the_innermost_part_is_named(function, where):
    assert culprit(function, "f") == f"{where}, of type lock,"


def test_parts_that_hold_each_other_end_somewhere():
    class Node:
        pass

    first, second = Node(), Node()
    first.next, second.next, first.lock = second, first, threading.Lock()
    assert culprit(first, "f").endswith("of type lock,")


def test_a_pickle_is_not_larger_than_allowed():
    assert dumps_within([1], 1000)
    with pytest.raises(OverflowError):
        dumps_within(bytes(10**6), 1000)


@pytest.mark.parametrize("backend", PROCESSES)
def test_an_exception_type_that_cannot_be_sent_is_refused_by_name(backend):
    lock = threading.Lock()

    class HoldingError(Exception):
        guard = lock

    policy = FailurePolicy(catch=(HoldingError,))
    with pytest.raises(TypeError, match=r"catch must hold exception types that .*HoldingError"):
        get_backend(backend).open(Evaluator(), print, 1, policy)
