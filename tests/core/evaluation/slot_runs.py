"""What the tests of slots share: samples x = 0, 1, ... and what becomes of them."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

from pyshac.core.evaluation.backends import get_backend
from pyshac.core.evaluation.failures import FailurePolicy
from pyshac.core.evaluation.slot_pool import SlotPool
from pyshac.core.evaluation.worker import Evaluator, Task

PROCESSES = ["loky", "multiprocessing"]
BACKENDS = [*PROCESSES, "threading"]
# Forked workers start at once: what does not depend on the backend is tested with them.
FORKED = "multiprocessing"


def tasks(number):
    return [Task(index, OrderedDict(x=float(index))) for index in range(number)]


def slot_pool(function, slots=1, backend=FORKED, evaluator=None, **policy):
    """A pool of slots."""
    evaluator = evaluator or Evaluator()
    return SlotPool(evaluator, function, slots, get_backend(backend), FailurePolicy(**policy))


def run(function, number=4, slots=1, backend=FORKED, evaluator=None, **policy):
    """Evaluates x = 0, 1, ... and returns the outcomes by number of their sample."""
    with slot_pool(function, slots, backend, evaluator, **policy) as pool:
        outcomes = [outcome for arrived in pool.run(tasks(number)) for outcome in arrived]
    assert len({outcome.task.id for outcome in outcomes}) == len(outcomes)
    return {outcome.task.id: outcome for outcome in outcomes}


def collect(pool, number, done):
    """Evaluates samples and adds the outcomes to `done`, as far as it gets."""
    with pool:
        for outcomes in pool.run(tasks(number)):
            done += outcomes


def scores(outcomes):
    return [outcomes[number].score for number in sorted(outcomes)]


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # A process that has ended but was not waited for still has a number.
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
