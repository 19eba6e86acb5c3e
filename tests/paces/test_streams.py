"""Streams: whatever happened on the way, their samples come out again, and are all different."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import threading
import time

import numpy as np
import pytest

import pyshac
from pyshac import SHAC, IntegerHP, NothingAcceptedError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.drawing import Drawing
from tests.curves.searches import engine_in as engine_with_curves, states_of
from tests.engine.engine_helpers import evaluate, run_script
from tests.paces.searches import (
    Dawdling,
    Events,
    are_different,
    conditional_space,
    engine_in,
    grid_space,
    is_replayed,
    nan_for_some,
    on_branches,
    on_grid,
    samples_of,
    tell_all,
    uneven,
)
from tests.paces.test_pipeline import KILLED

BOTH = {"skip_cv_checks": True, "relax_checks": True}


def stream(path, function=uneven, **kwargs):
    return engine_in(path, "stream", function, **kwargs)


def fit(engine, **options):
    """Fits a stream, whose scores may come in in any order.

    In some orders, classifiers of the published method accept nothing together.
    """
    may_end = engine.method == "paper" and not options.get("relax_checks")
    with contextlib.suppress(*[NothingAcceptedError] * may_end):
        engine.fit(verbose=0, **options)
    assert len(engine.dataset) == 40 or (may_end and engine.classifiers)


def check(engine, relax_checks=False):
    """The run's samples are different, and come out again, also in another engine."""
    assert are_different(samples_of(engine))
    assert is_replayed(engine, relax_checks)
    template = engine._settings.template
    given = {} if template is None else {"classifier": template}
    assert is_replayed(SHAC.load(engine.save_dir, **given), relax_checks)


@pytest.mark.parametrize("slots", [1, 3, 17])
def test_comes_out_again(tmp_path, slots):
    engine = stream(tmp_path, Dawdling(slots), evaluators=slots)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 40
    assert len(engine.classifiers) == 4
    check(engine)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_comes_out_again_from_processes(tmp_path, backend):
    engine = stream(tmp_path, backend=backend)
    engine.fit(skip_cv_checks=True, verbose=0)
    check(engine)


@pytest.mark.parametrize("options", [{}, {"relax_checks": True}, BOTH])
@pytest.mark.parametrize("method", ["default", "paper"])
def test_options_of_fit(tmp_path, method, options):
    engine = stream(tmp_path, method=method)
    fit(engine, **options)
    check(engine, options.get("relax_checks", False))


def test_early_stop_and_on(tmp_path):
    engine = stream(tmp_path, lambda worker_id, parameters: 1.0)
    engine.fit(verbose=0, early_stop=True)
    assert 8 <= len(engine.dataset) < 40
    engine.fit(verbose=0)
    assert len(engine.dataset) == 40
    check(engine)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_stopped_restored_and_asked(tmp_path, seed):
    chance = random.Random(seed)
    engine = stream(tmp_path, Dawdling(seed))
    while len(engine.dataset) < 40:
        if chance.random() < 0.3:
            samples = engine.ask(chance.randint(1, 5))
            told = samples[: chance.randint(0, len(samples))]
            scores = [evaluate(0, sample) for sample in told]
            engine.tell(told, scores, skip_cv_checks=True)
        if chance.random() < 0.5:
            engine = stream(tmp_path, Dawdling(seed), resume=True)
        engine.fit(skip_cv_checks=True, verbose=0, max_seconds=chance.uniform(0, 0.2))
    assert is_replayed(engine)
    check(engine)


@pytest.mark.parametrize("seed", range(2))
def test_asked_and_told(tmp_path, seed):
    engine = stream(tmp_path, None)
    tell_all(engine, random.Random(seed))
    assert len(engine.dataset) == 40
    assert engine.ask() == engine.ask(2) == []
    check(engine)


@pytest.mark.slow
def test_budgets_and_sizes_of_batches_may_change(tmp_path):
    engine = stream(tmp_path, total_budget=11, num_batches=None, batch_size=4)
    for budget, size in ((11, 4), (18, 4), (19, 5), (40, 5), (53, 8), (60, 3)):
        engine = stream(
            tmp_path, total_budget=budget, num_batches=None, batch_size=size, resume=True
        )
        engine.fit(skip_cv_checks=True, verbose=0)
        assert len(engine.dataset) == budget
    engine.total_budget = 71
    engine.fit(skip_cv_checks=True, verbose=0, max_seconds=0.02)
    engine.total_budget = 73
    engine.fit(skip_cv_checks=True, verbose=0)
    check(engine)


def test_a_budget_that_shrinks_below_what_was_drawn(tmp_path):
    engine = stream(tmp_path, None)
    samples = engine.ask(10)
    engine.tell(samples[:5], [evaluate(0, sample) for sample in samples[:5]])
    engine.total_budget = 7
    engine.fit(uneven, verbose=0)
    assert len(engine.dataset) == 7
    assert engine.ask(3) == []
    engine.total_budget = 30
    engine.fit(uneven, verbose=0)
    assert len(engine.dataset) == 30
    check(engine)


def test_given_samples(tmp_path):
    engine = stream(tmp_path)
    for part in range(4):
        engine.enqueue([{"x": part + each / 8} for each in range(3)])
        known = [{"x": part - 2.5, "kind": "1", "w": [each / 4, 0.0]} for each in range(3)]
        engine.add(known, [3.5 + each for each in range(3)])
        engine.fit(skip_cv_checks=True, verbose=0, max_seconds=0.05)
        engine = stream(tmp_path, resume=True)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert {0.0, 0.125, 3.25} <= {sample["x"] for sample in samples_of(engine)}
    check(engine)


def test_failed_samples(tmp_path):
    engine = stream(tmp_path, nan_for_some)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert any(map(math.isnan, engine.dataset.Y))
    check(engine)


def test_branches_and_constraints(tmp_path):
    engine = stream(tmp_path, on_branches, parameters=conditional_space)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert all(sample["x"] + sample["v"] <= 4 for sample in samples_of(engine))
    check(engine)


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("added", [False, True])
def test_a_small_space_is_used_up_and_the_search_ends(tmp_path, slots, added):
    grid = {"parameters": grid_space, "total_budget": 100, "num_batches": 10}
    engine = stream(tmp_path, on_grid, evaluators=slots, **grid)
    if added:
        engine.add({"x": 3, "kind": "0", "w": 2}, 3.0)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 60 - added
    check(engine)
    assert engine.ask() == engine.ask(4) == []
    engine = stream(tmp_path, on_grid, resume=True, **grid)
    engine.fit(verbose=0)
    assert len(engine.dataset) == 60 - added


def test_a_small_space_is_used_up_by_asking(tmp_path):
    grid = {"parameters": grid_space, "total_budget": 100, "num_batches": 10}
    engine = stream(tmp_path, None, **grid)
    samples = [sample for _ in range(100) for sample in engine.ask(7)]
    assert len(samples) == 60
    assert are_different(samples)
    random.Random(0).shuffle(samples)
    engine.tell(samples, [on_grid(0, sample) for sample in samples])
    assert engine.ask(1) == []
    check(engine)


def test_samples_of_the_user_when_nothing_else_is_left(tmp_path):
    space = [IntegerHP("x", 0, 6)]
    engine = stream(
        tmp_path, lambda worker_id, sample: sample["x"], parameters=space, total_budget=20,
        evaluators=1,
    )  # fmt: skip
    engine.fit(verbose=0)
    assert len(engine.dataset) == 7
    engine.enqueue({"x": 3})
    engine.fit(verbose=0)
    assert len(engine.dataset) == 8
    assert is_replayed(engine)


def test_the_papers_method_draws_a_small_space_again(tmp_path):
    grid = {"parameters": grid_space, "total_budget": 100, "num_batches": 10}
    engine = stream(tmp_path, on_grid, method="paper", **grid)
    engine.fit(verbose=0, relax_checks=True)
    assert len(engine.dataset) == 100
    assert is_replayed(engine, relax_checks=True)


def test_a_classifier_of_the_users_own(tmp_path):
    ensemble = pytest.importorskip("sklearn.ensemble")
    forest = ensemble.RandomForestClassifier(n_estimators=5, random_state=1)
    engine = stream(tmp_path, classifier=forest)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert engine.classifiers
    check(engine)
    again = stream(tmp_path, classifier=forest, total_budget=56, num_batches=7, resume=True)
    again.fit(skip_cv_checks=True, verbose=0)
    check(again)


def rising_unevenly(worker_id, parameters):
    score = parameters["x"] * (1 - parameters["x"]) + parameters["y"] / 10
    for step in range(1, 10):
        time.sleep(int(parameters["x"] * 1e6) % 3 / 2000)
        pyshac.report(step, score * (1 - 0.5**step))
    return score


@pytest.mark.parametrize("pruning", ["halving", "median"])
def test_pruned_samples(tmp_path, pruning):
    engine = engine_with_curves(tmp_path, rising_unevenly, pace="stream", evaluators=3)
    engine.fit(skip_cv_checks=True, verbose=0, pruning=pruning, total_steps=150)
    engine = engine_with_curves(tmp_path, rising_unevenly, pace="stream", evaluators=2, resume=True)
    engine.fit(skip_cv_checks=True, verbose=0, pruning=pruning)
    assert states_of(engine).count("pruned") >= 2
    assert "failed" not in states_of(engine)
    check(engine)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX systems do")
@pytest.mark.parametrize("call", [2, 21])
def test_killed_and_resumed(tmp_path, call):
    assert run_script(KILLED, tmp_path, call, "stream").returncode == -signal.SIGKILL
    engine = stream(tmp_path, resume=True)
    assert len(engine.dataset) >= call - 4
    assert is_replayed(engine)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 40
    check(engine)


@pytest.mark.parametrize(
    ("parameters", "function"),
    [(None, uneven), (conditional_space, on_branches), (grid_space, on_grid)],
)
@pytest.mark.parametrize("method", ["default", "paper"])
def test_the_cascade_in_force_accepts_each_sample(
    tmp_path, monkeypatch, method, parameters, function
):
    accepted = []
    draw = Drawing.draw

    def checked(self, situation, *args):
        batch = draw(self, situation, *args)
        own = batch.rows[batch.num_enqueued :]
        rows = np.reshape([self._space.encode(row) for row in own], (-1, self._space.num_columns))
        accepted.append((batch.num_checks, len(situation.cascade)))
        first = situation.cascade.first(batch.num_checks)
        assert batch.num_checks == len(situation.cascade) or parameters is grid_space
        assert first.accepts(rows).all()
        return batch

    monkeypatch.setattr(Drawing, "draw", checked)
    given = {} if parameters is None else {"parameters": parameters}
    engine = stream(tmp_path, function, method=method, **given)
    fit(engine, skip_cv_checks=True)
    assert accepted[-1][1] >= (2 if len(engine.dataset) == 40 else 1)


def test_slots_never_wait_while_others_evaluate(tmp_path):
    """All but one slot go through the whole budget while one is busy with its first sample."""
    count = []

    def function(worker_id, parameters):
        count.append(1)
        if len(count) == 2:
            deadline = time.monotonic() + 30
            while len(count) < 40 and time.monotonic() < deadline:
                time.sleep(0.002)
            assert len(count) == 40
        return evaluate(worker_id, parameters)

    engine = stream(tmp_path, function)
    engine.fit(skip_cv_checks=True, verbose=0)
    # Nothing was closed, hence no classifier, until the slow sample ended.
    assert len(engine.dataset) == 40
    check(engine)


@pytest.mark.slow
def test_replays_and_predictions_while_it_runs(tmp_path):
    engine = stream(tmp_path, Dawdling(1))
    errors, counts = [], []

    def watch():
        try:
            while engine._turns.loop is not None and len(counts) < 5:
                counts.append(len(engine.replay()))
                assert len(engine.predict(num_samples=2)) == 2
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=watch)
    engine.fit(
        skip_cv_checks=True, verbose=0,
        callbacks=Events("on_train_begin", lambda *_: thread.start()),
    )  # fmt: skip
    thread.join()
    assert not errors
    assert counts
    check(engine)


def test_predictions_change_no_samples(tmp_path):
    def run(path, predicts):
        engine = stream(path, None)
        for _ in range(20):
            if predicts:
                engine.predict(num_samples=1)
            samples = engine.ask(2)
            engine.tell(samples, [evaluate(0, sample) for sample in samples])
        return samples_of(engine)

    assert run(tmp_path / "a", False) == run(tmp_path / "b", True)


def test_one_space_may_serve_several_streams(tmp_path):
    space = HyperParameterList(list(conditional_space()))
    engines = [stream(tmp_path / name, on_branches, parameters=space) for name in "ab"]
    threads = [threading.Thread(target=each.fit, kwargs={"verbose": 0}) for each in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        assert len(engine.dataset) == 40
        check(engine)
