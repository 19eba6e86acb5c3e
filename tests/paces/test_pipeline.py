"""Pipelines: batches overlap, and the same seed still gives the same run."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

import pytest

from pyshac import Callback
from tests.engine.engine_helpers import contents, evaluate, restored, run_script
from tests.paces.searches import Dawdling, Events, engine_in, samples_of, tell_all


def pipeline(path, function=evaluate, open_batches=2, **kwargs):
    return engine_in(path, "pipeline", function, open_batches=open_batches, **kwargs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """By the number of open batches, the directory of the run of one slot."""
    found = {}
    for number in (2, 3):
        engine = pipeline(tmp_path_factory.mktemp("whole"), open_batches=number, evaluators=1)
        engine.fit(skip_cv_checks=True, verbose=0)
        assert len(engine.classifiers) == 4
        found[number] = contents(engine.save_dir)
    assert found[2]["datasets/dataset.csv"] != found[3]["datasets/dataset.csv"]
    return found


@pytest.fixture(params=[2, 3])
def open_batches(request):
    return request.param


@pytest.mark.parametrize("slots", [1, 2, 5, 17])
def test_slots_and_the_order_of_ends_do_not_matter(tmp_path, whole, open_batches, slots):
    engine = pipeline(tmp_path, Dawdling(slots), open_batches, evaluators=slots)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert contents(tmp_path) == whole[open_batches]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_processes_do_not_matter(tmp_path, whole, open_batches, backend):
    engine = pipeline(tmp_path, evaluate, open_batches, backend=backend)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert contents(tmp_path) == whole[open_batches]


@pytest.mark.parametrize("seed", range(3))
def test_ask_and_tell_draw_the_same(tmp_path, whole, open_batches, seed):
    engine = pipeline(tmp_path, None, open_batches)
    tell_all(engine, random.Random(seed), n=(None, 1, 6)[seed])
    assert contents(tmp_path) == whole[open_batches]


def test_asked_and_fitted_parts_draw_the_same(tmp_path, whole, open_batches):
    engine = pipeline(tmp_path, evaluate, open_batches)
    first, *others = engine.ask()
    engine.tell(others, [evaluate(0, sample) for sample in others], skip_cv_checks=True)
    engine.fit(skip_cv_checks=True, verbose=0, max_seconds=0.05)
    engine = pipeline(tmp_path, evaluate, open_batches, resume=True)
    tell_all(engine, random.Random(0))
    assert contents(tmp_path) == whole[open_batches]
    assert first == samples_of(engine)[0]


def test_early_scores_do_not_count(tmp_path, open_batches):
    """Of two runs whose later batches score differently, all that was drawn before is equal."""
    rows = []
    for name, late in ("a", 0.0), ("b", 100.0):
        engine = pipeline(tmp_path / name, None, open_batches)
        first = engine.ask()
        second = engine.ask()
        engine.tell(second, [late - each for each in range(8)], skip_cv_checks=True)
        engine.tell(first, [evaluate(0, sample) for sample in first], skip_cv_checks=True)
        if open_batches == 3:
            engine.ask()
        third = engine.ask()
        search = engine._run.search
        assert search.num_complete == 8
        rows.append((third, search.shares, [each.to_bytes() for each in search.cascade]))
    assert rows[0] == rows[1]


@pytest.mark.parametrize("at", [1, 9, 18, 39])
def test_stopped_and_restored(tmp_path, whole, open_batches, at):
    def stop(events, number, *args):
        if number == at:
            events.engine.stop()

    engine = pipeline(tmp_path, Dawdling(at), open_batches)
    engine.fit(skip_cv_checks=True, verbose=0, callbacks=Events("on_sample_end", stop))
    again = restored(tmp_path, pace="pipeline", open_batches=open_batches, total_budget=40,
                     num_batches=5)  # fmt: skip
    again.fit(skip_cv_checks=True, verbose=0)
    assert contents(tmp_path) == whole[open_batches]


def test_stopped_again_and_again_in_the_same_engine(tmp_path, whole, open_batches):
    engine = pipeline(tmp_path, Dawdling(0), open_batches)
    for _ in range(200):
        if len(engine.dataset) == 40:
            break
        engine.fit(skip_cv_checks=True, verbose=0, max_seconds=0.02)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert contents(tmp_path) == whole[open_batches]


class Alarm(Callback):
    """Sends Ctrl-C some time after an event."""

    def __init__(self, event, number, seconds):
        super().__init__()
        self._number = number
        self._seconds = seconds
        setattr(self, event, self._ring)

    def _ring(self, *_):
        self._number -= 1
        if self._number == 0:
            signal.setitimer(signal.ITIMER_REAL, self._seconds)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that interrupts")
@pytest.mark.parametrize("seconds", [0.0005, 0.005])
@pytest.mark.parametrize(
    ("event", "number"), [("on_draw_begin", 3), ("on_classifier_begin", 2), ("on_sample_end", 20)]
)
def test_ctrl_c_while_something_runs_in_the_background(tmp_path, whole, event, number, seconds):
    def interrupt(*_):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        engine = pipeline(tmp_path, Dawdling(number))
        # Where all was over before the alarm, there is nothing to interrupt.
        with contextlib.suppress(KeyboardInterrupt):
            engine.fit(skip_cv_checks=True, verbose=0, callbacks=Alarm(event, number, seconds))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    kept = samples_of(engine)
    again = pipeline(tmp_path, evaluate, resume=True)
    assert samples_of(again) == kept
    again.fit(skip_cv_checks=True, verbose=0)
    assert contents(tmp_path) == whole[2]


KILLED = """
import os, signal, sys, time
from tests.paces.searches import *

def evaluate_or_die(worker_id, parameters, calls=[]):
    calls.append(1)
    if len(calls) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return uneven(worker_id, parameters)

engine = engine_in(sys.argv[1], sys.argv[3], evaluate_or_die)
engine.fit(skip_cv_checks=True, verbose=0)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX systems do")
@pytest.mark.parametrize("call", [2, 21])
def test_killed_and_resumed(tmp_path, whole, call):
    assert run_script(KILLED, tmp_path, call, "pipeline").returncode == -signal.SIGKILL
    engine = pipeline(tmp_path, evaluate, resume=True)
    assert len(engine.dataset) >= call - 4
    engine.fit(skip_cv_checks=True, verbose=0)
    assert contents(tmp_path) == whole[2]


def test_slots_do_not_wait_for_the_last_sample_of_a_batch(tmp_path):
    """The first sample takes as long as all others of its batch and the next one."""
    begun = []

    def function(worker_id, parameters):
        begun.append(parameters["x"])
        if parameters["x"] == begun[0]:
            deadline = time.monotonic() + 30
            while len(begun) < 9 and time.monotonic() < deadline:
                time.sleep(0.001)
            assert len(begun) >= 9
        return evaluate(worker_id, parameters)

    engine = pipeline(tmp_path, function, evaluators=2)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 40
