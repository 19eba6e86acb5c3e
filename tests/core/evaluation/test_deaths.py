"""Slots whose workers die or take too long, and Ctrl-C."""

from __future__ import annotations

import contextlib
import itertools
import math
import multiprocessing.connection
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future

import pytest

from pyshac import EvaluationError, EvaluationTimeoutError, WorkerDiedError
from pyshac.core.evaluation.failures import FailurePolicy
from pyshac.core.evaluation.rounds import Round, TaskFeed
from pyshac.core.evaluation.slots import Slot, SlotGroup, ThreadSlot
from pyshac.core.evaluation.worker import Reply
from tests.core.evaluation.slot_runs import (
    FORKED,
    PROCESSES,
    is_running,
    run,
    scores,
    slot_pool,
    tasks,
)
from tests.engine.engine_helpers import ROOT, restored
from tests.engine.objectives import Attempts, kill_self

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


@pytest.fixture
def attempts(tmp_path):
    (tmp_path / "attempts").mkdir()
    return Attempts(tmp_path / "attempts")


# Deaths


@pytest.mark.parametrize(
    ("backend", "slots"), [("loky", 1), ("multiprocessing", 1), ("multiprocessing", 2)]
)
def test_a_worker_that_dies_is_replaced_and_its_sample_tried_again(
    backend, slots, attempts, caplog
):
    def dies_once(worker_id, p):
        if p["x"] == 1 and attempts.next(p["x"]) == 1:
            kill_self()
        return p["x"]

    outcomes = run(dies_once, 5, slots, backend)
    assert scores(outcomes) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert attempts.of(1.0) == 2
    assert "died while it evaluated sample 1; trying it again, alone" in caplog.text


class LargeError(Exception):
    """Whose reply does not fit into a pipe."""


@pytest.mark.parametrize("timeout", [None, 3])
@pytest.mark.parametrize("backend", PROCESSES)
def test_a_worker_that_dies_while_it_replies(backend, timeout, monkeypatch, tmp_path):
    def raises(worker_id, p):
        (tmp_path / "process").write_text(str(os.getpid()))
        raise LargeError("x" * 3_000_000)

    receive = multiprocessing.connection.Connection._recv

    def receive_half(self, size, *args):
        if size > 1_000_000:
            # The worker waits for room in the pipe.
            os.kill(int((tmp_path / "process").read_text()), signal.SIGKILL)
        return receive(self, size, *args)

    monkeypatch.setattr(multiprocessing.connection.Connection, "_recv", receive_half)
    outcomes = run(raises, 1, 1, backend, retries=0, timeout=timeout, catch=(Exception,))
    assert "died while it evaluated sample 0" in outcomes[0].details.failure


def test_what_ended_in_time_is_not_overdue_when_its_turn_comes():
    with slot_pool(dies_at_0, 2, timeout=1.5, retries=0, catch=(Exception,)) as pool:
        outcomes = []
        for arrived in pool.run(tasks(4)):
            outcomes += arrived
            # A callback takes its time, while the other slot has ended.
            time.sleep(1.8)
    failures = {each.task.id: each.details.failure for each in outcomes}
    assert [number for number, failure in failures.items() if failure is not None] == [0]
    assert "died" in failures[0]


def dies_at_0(worker_id, p):
    if p["x"] == 0:
        kill_self()
    return p["x"]


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_worker_that_dies_again_and_again(retries, attempts):
    def dies(worker_id, p):
        if p["x"] == 1:
            attempts.next(p["x"])
            os._exit(3)
        return p["x"]

    times = f"{retries + 1} times" if retries else "once"
    with pytest.raises(EvaluationError, match=rf"sample 1 .*\({times}\)") as caught:
        run(dies, 4, 1, retries=retries)
    assert type(caught.value.__cause__) is WorkerDiedError
    assert caught.value.sample_id == 1
    assert attempts.of(1.0) == retries + 1


def test_all_others_are_evaluated_before_a_death_is_tried_again(attempts):
    """What dies for want of memory is tried alone, when nothing else runs."""

    def dies_once(worker_id, p):
        if p["x"] == 0 and attempts.next(p["x"]) == 1:
            kill_self()
        return p["x"]

    order = []
    pool = slot_pool(dies_once, 2, FORKED)
    with pool:
        for outcomes in pool.run(tasks(6)):
            order += [outcome.task.id for outcome in outcomes]
    assert order[-1] == 0
    assert sorted(order) == list(range(6))


def test_a_death_is_tried_again_before_samples_that_come_later(attempts):
    def dies_once(worker_id, p):
        if p["x"] == 0 and attempts.next(p["x"]) == 1:
            kill_self()
        time.sleep(0.02)
        return p["x"]

    events, later = [], iter(tasks(20)[4:])
    feed = TaskFeed(tasks(4))
    with slot_pool(dies_once, 2, FORKED) as pool:
        for outcomes in pool.run(feed, lambda task, worker_id: events.append(("begins", task.id))):
            for outcome in outcomes:
                events.append(("ends", outcome.task.id))
                feed.add(itertools.islice(later, 2))
    begun = [number for what, number in events if what == "begins"]
    assert sorted(begun) == [0, *range(20)]
    again = len(events) - 1 - events[::-1].index(("begins", 0))
    # Nothing runs beside it, and most have not begun.
    assert events[again + 1] == ("ends", 0)
    ended = [number for what, number in events[:again] if what == "ends"]
    assert sorted(ended) == sorted({number for what, number in events[:again]} - {0})
    assert len(ended) < 12


class Silent(Slot):
    """A slot whose worker sends nothing back."""

    def submit(self, task):
        self.future = Future()
        return self.future


class GivingUp(SlotGroup):
    """Slots, the first of which is given up by a check."""

    seconds_between_checks = 0.1

    def check(self):
        if not self.slots[0].future.done():
            self.slots[0].future.set_exception(TimeoutError("no reply"))


def test_slots_are_checked_while_others_are_busy():
    quick = ThreadSlot(1, lambda task, worker_id: time.sleep(0.01) or Reply(1.0))
    feed, ended = TaskFeed(tasks(300)), []
    group = GivingUp([Silent(0), quick])
    outcomes = Round(group, FailurePolicy(), feed, lambda *_: None, lambda: False).outcomes()
    with pytest.raises(EvaluationError, match="TimeoutError: no reply"):
        ended.extend(itertools.chain.from_iterable(outcomes))
    quick.end()
    assert 0 < len(ended) < 200


def test_deaths_can_be_caught(attempts):
    def dies(worker_id, p):
        if p["x"] == 1:
            kill_self()
        return p["x"]

    outcomes = run(dies, 3, 1, retries=0, catch=(WorkerDiedError,))
    assert [math.isnan(score) for score in scores(outcomes)] == [False, True, False]
    assert "died while it evaluated sample 1" in outcomes[1].failure


def test_the_other_slots_go_on_when_one_dies():
    def dies(worker_id, p):
        if p["x"] == 0:
            kill_self()
        time.sleep(0.02)
        return float(os.getpid())

    outcomes = run(dies, 8, 2, retries=0, catch=(WorkerDiedError,))
    processes = {o.worker_id: set() for o in outcomes.values()}
    for outcome in outcomes.values():
        if not math.isnan(outcome.score):
            processes[outcome.worker_id].add(outcome.score)
    # The slot that did not die kept its process.
    assert len(processes[1]) == 1


# Time limits


@pytest.mark.parametrize("backend", PROCESSES)
def test_a_time_limit_ends_an_evaluation(backend):
    def hangs(worker_id, p):
        if p["x"] == 1:
            time.sleep(600)
        return p["x"]

    began = time.monotonic()
    with pytest.raises(EvaluationError, match=r"sample 1 .*took longer than 0\.3 s") as caught:
        run(hangs, 3, 1, backend, timeout=0.3)
    assert type(caught.value.__cause__) is EvaluationTimeoutError
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert time.monotonic() - began < 120


@pytest.mark.parametrize("error", [EvaluationTimeoutError, TimeoutError])
def test_a_time_limit_can_make_failed_samples(error):
    def hangs(worker_id, p):
        if p["x"] % 2:
            time.sleep(600)
        return p["x"]

    outcomes = run(hangs, 4, 2, timeout=0.3, catch=(error,))
    assert [math.isnan(score) for score in scores(outcomes)] == [False, True, False, True]
    assert "took longer than 0.3 s" in outcomes[1].failure


def test_what_is_over_the_limit_is_not_retried(attempts):
    def hangs(worker_id, p):
        attempts.next(p["x"])
        time.sleep(600)

    run(hangs, 1, 1, timeout=0.2, retries=5, catch=(TimeoutError,))
    assert attempts.of(0.0) == 1


def test_the_limit_counts_from_the_start_of_an_evaluation():
    """Waiting for a slot, and for its process to start, is not evaluating."""
    began = time.monotonic()
    outcomes = run(lambda i, p: time.sleep(0.25) or p["x"], 6, 2, timeout=0.6)
    assert time.monotonic() - began > 0.6
    assert scores(outcomes) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


# Ctrl-C


CTRL_C = """
import sys, time
from pathlib import Path
from pyshac import SHAC, UniformHP

notes = Path(sys.argv[2])

def waits(worker_id, parameters):
    import os
    (notes / str(os.getpid())).touch()
    if len(list(notes.glob("done-*"))) >= 3:
        time.sleep(600)
    (notes / f"done-{parameters['x']}").touch()
    return parameters["x"]

engine = SHAC(waits, [UniformHP("x", 0, 1)], 8, 1, save_dir=sys.argv[1])
engine.num_parallel_evaluators = 2
engine.evaluator_backend = sys.argv[3]
engine.fit()
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", PROCESSES)
def test_ctrl_c_leaves_at_once_and_loses_nothing(tmp_path, backend):
    """As a terminal does it: the signal reaches the engine and all of its workers."""
    notes = tmp_path / "notes"
    notes.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", CTRL_C, str(tmp_path / "shac"), str(notes), backend],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        journal = tmp_path / "shac" / "journal.jsonl"
        deadline = time.monotonic() + 60
        while not journal.exists() or journal.read_bytes().count(b'"score"') < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # Both slots are busy for ten minutes now, unless something ends them.
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    engine = restored(tmp_path / "shac", total_budget=8, num_batches=1, objective="max")
    done = len(list(notes.glob("done-*")))
    assert len(engine.dataset) == done
    workers = [int(path.name) for path in notes.iterdir() if path.name.isdigit()]
    deadline = time.monotonic() + 30
    while any(map(is_running, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
