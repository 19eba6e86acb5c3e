"""`fit` with pruning: hopeless evaluations end early, and the search learns from them."""

from __future__ import annotations

import logging
import math
import os
import random
import time

import numpy as np
import pytest

import pyshac
from pyshac import Callback, HalvingPruning, MedianPruning
from tests.curves.searches import (
    STEPS,
    engine_in,
    falling,
    final_of,
    rising,
    rows_of,
    states_of,
)


class Noting(Callback):
    def __init__(self):
        super().__init__()
        self.logs = {}

    def on_sample_end(self, id, score, logs=None):
        self.logs[id] = (score, logs["pruned"], logs["curve"])


@pytest.fixture(
    params=["halving", "median", "forecast", HalvingPruning(eta=2), MedianPruning(grace=3)]
)
def pruning(request):
    return request.param


class TestFit:
    @pytest.mark.parametrize(("objective", "function"), [("max", rising), ("min", falling)])
    def test_hopeless_evaluations_end(self, tmp_path, pruning, objective, function):
        engine = engine_in(tmp_path, function, objective=objective)
        noting = Noting()
        engine.fit(pruning=pruning, verbose=0, callbacks=[noting])
        states = states_of(engine)
        # The first batch knows no curves.
        assert states[:8] == ["complete"] * 8
        assert 2 <= states.count("pruned") <= 32 - 5
        assert "failed" not in states
        for each in engine.evaluations:
            score, is_pruned, curve = noting.logs[each.number]
            assert is_pruned == (each.state == "pruned") == math.isnan(each.score)
            assert curve == each.curve
            assert repr(score) == repr(each.score)
            assert each.failure is None
            assert (each.curve.last_step < STEPS) == is_pruned
        assert engine.best_score == engine.top(1)[0].score
        pruned = [
            final_of(each.parameters) for each in engine.evaluations if each.state == "pruned"
        ]
        best = max(final_of(each.parameters) for each in engine.top(1))
        assert max(pruned) < best

    def test_off_by_default(self, tmp_path):
        engine = engine_in(tmp_path)
        engine.fit(verbose=0)
        assert set(states_of(engine)) == {"complete"}
        assert {each.curve.last_step for each in engine.evaluations} == {STEPS}

    def test_functions_without_reports_are_never_pruned(self, tmp_path):
        engine = engine_in(tmp_path, lambda worker_id, parameters: parameters["x"], 16, 4)
        engine.fit(pruning="halving", verbose=0)
        assert set(states_of(engine)) == {"complete"}
        assert {each.curve for each in engine.evaluations} == {None}

    @pytest.mark.parametrize("rule", ["halving", "median"])
    @pytest.mark.parametrize("sign", [1, -1])
    def test_a_best_so_far_is_never_pruned(self, tmp_path, rule, sign):
        # Every evaluation is better than all before it, but for noise on its way.
        count = [0]

        def function(worker_id, parameters):
            count[0] += 1
            noise = random.Random(count[0])
            for step in range(1, 30):
                pyshac.report(step, sign * (count[0] + noise.random() / 2))
            return sign * count[0]

        engine = engine_in(tmp_path, function, objective="max" if sign > 0 else "min")
        engine.fit(pruning=rule, verbose=0)
        assert set(states_of(engine)) == {"complete"}

    def test_grace(self, tmp_path):
        engine = engine_in(tmp_path)
        engine.fit(pruning=MedianPruning(grace=5), verbose=0)
        pruned = [each.curve for each in engine.evaluations if each.state == "pruned"]
        assert pruned
        assert min(curve.last_step for curve in pruned) == 5

    def test_a_batch_that_is_pruned_as_a_whole_stops_nothing(self, tmp_path):
        def function(worker_id, parameters):
            pyshac.report(1, 0.5)
            if len(engine.dataset) >= 8:
                raise pyshac.Pruned
            return 0.5

        engine = engine_in(tmp_path, function)
        engine.fit(verbose=0)
        assert states_of(engine) == ["complete"] * 8 + ["pruned"] * 32

    def test_a_user_may_swallow_pruned(self, tmp_path):
        def function(worker_id, parameters):
            try:
                return rising(worker_id, parameters)
            except pyshac.Pruned:
                return 0.0

        engine = engine_in(tmp_path, function)
        engine.fit(pruning="median", verbose=0)
        assert set(states_of(engine)) == {"complete"}
        assert 0.0 in engine.dataset.Y

    def test_own_rules_see_the_objective(self, tmp_path):
        class Own:
            def __init__(self):
                self.seen = []

            def limits(self, curves, objective):
                self.seen.append((len(curves), objective.name))
                return {2: math.inf}

        own = Own()
        engine = engine_in(tmp_path, falling, objective="min", budget=24, batches=3)
        engine.fit(pruning=own, verbose=0)
        # Without a score, no rule is asked: the first batch has no limits.
        assert own.seen == [(8, "min"), (16, "min")]

    def test_counts_in_logs_and_summaries(self, tmp_path, caplog):
        engine = engine_in(tmp_path)
        with caplog.at_level(logging.INFO, "pyshac"):
            engine.fit(pruning="median", verbose=0)
        number = states_of(engine).count("pruned")
        assert f"{number} pruned" in caplog.records[-1].message
        batches = [each.message for each in caplog.records if "evaluated, 0" in each.message]
        assert "8 samples evaluated, 0 of them failed; scores" in batches[0]
        assert sum(", 0 of them failed, " in message for message in batches) > 0
        assert f"40 of 40, {number} pruned, in 5 batches" in repr(engine)
        assert "failed" not in repr(engine)
        assert f"40, {number} pruned" in repr(engine.dataset)


class TestTotalSteps:
    def test_nothing_starts_after_so_many_steps(self, tmp_path):
        engine = engine_in(tmp_path)
        engine.fit(total_steps=30, verbose=0)
        assert len(engine.dataset) == 4
        engine.fit(total_steps=36, verbose=0)
        assert len(engine.dataset) == 4
        engine.fit(total_steps=90, pruning="halving", verbose=0)
        steps = sum(each.curve.last_step for each in engine.evaluations)
        assert 90 <= steps < 90 + STEPS
        assert len(engine.dataset) >= 10

    @pytest.mark.parametrize(("value", "error"), [(0, ValueError), (1.5, TypeError)])
    def test_misuse(self, tmp_path, value, error):
        with pytest.raises(error, match="total_steps must be an int of at least 1"):
            engine_in(tmp_path).fit(total_steps=value)

    def test_misuse_of_pruning(self, tmp_path):
        for call in (engine_in(tmp_path).fit, engine_in(tmp_path).ask):
            with pytest.raises(ValueError, match="pruning must be None, one of"):
                call(pruning="hyperband")


class TestSameSeedSameRun:
    @pytest.mark.slow
    @pytest.mark.parametrize("backend", ["threading", "loky"])
    def test_whichever_evaluation_ends_first(self, tmp_path, pruning, backend):
        rows = []
        for number, slots in enumerate((1, 3)):
            engine = engine_in(tmp_path / str(number), uneven, backend=backend, evaluators=slots)
            engine.fit(pruning=pruning, verbose=0)
            rows.append(rows_of(engine))
        assert rows[0] == rows[1]
        assert "pruned" in states_of(engine)

    def test_stopped_and_resumed(self, tmp_path, pruning):
        engine = engine_in(tmp_path / "whole")
        engine.fit(pruning=pruning, verbose=0)
        again = engine_in(tmp_path / "parts")
        for steps in (50, 120, 200, 10**9):
            again.fit(pruning=pruning, total_steps=steps, verbose=0)
            again = engine_in(tmp_path / "parts", resume=True)
        assert rows_of(again) == rows_of(engine)


def uneven(worker_id, parameters):
    """Takes longer for some samples than for others, whatever their slot."""
    time.sleep(int(parameters["x"] * 1e6) % 5 / 200)
    return rising(worker_id, parameters)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_places_of_evaluations(tmp_path, backend):
    engine = engine_in(tmp_path, backend=backend, evaluators=2)
    engine.fit(pruning="median", verbose=0)
    assert states_of(engine).count("pruned") >= 2
    assert "failed" not in states_of(engine)


def test_numbers_of_numpy_as_scores(tmp_path):
    def function(worker_id, parameters):
        pyshac.report(np.int32(1), np.float32(0.5))
        return parameters["x"]

    engine = engine_in(tmp_path, function, 4, 1)
    engine.fit(verbose=0)
    assert engine.evaluations[0].curve == pyshac.Curve((1,), (0.5,))
    assert os.path.exists(tmp_path / "datasets" / "curves.jsonl")
