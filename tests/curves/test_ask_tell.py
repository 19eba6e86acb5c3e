"""`ask` with pruning, `pyshac.evaluate` anywhere, and `tell` with what it returns."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cloudpickle
import numpy as np
import pytest

import pyshac
from pyshac import Curve, EvaluationResult
from pyshac.core.basics.results.details import Details
from pyshac.core.evaluation.curves.anywhere import AskedParameters
from tests.curves import functions
from tests.curves.searches import engine_in, rising, rows_of, states_of


def asked(**values):
    """Parameters of which x = 1 is pruned at step 4, and x = 2 is not."""
    parameters = AskedParameters(values)
    parameters.limits = ((4, 0.6),)
    return parameters


class TestEvaluate:
    def test_as_a_slot_would(self):
        result = pyshac.evaluate(functions.climbing, asked(x=2.0), 3)
        assert result.score == 2.0
        assert result.curve.last_step == 10
        assert {*result.extras} == {"process"}
        assert result.details.seconds >= 0
        assert not result.is_pruned

    def test_a_hopeless_one(self):
        result = pyshac.evaluate(functions.climbing, asked(x=1.0))
        assert math.isnan(result.score)
        assert result.curve == Curve((1, 2, 3, 4), (0.1, 0.2, 0.3, 0.4), is_pruned=True)
        assert result.is_pruned
        assert result.details.failure is None

    def test_without_limits(self):
        result = pyshac.evaluate(functions.climbing, {"x": 1.0})
        assert (result.score, result.is_pruned) == (1.0, False)

    def test_the_function_gets_parameters_of_its_own(self):
        def function(worker_id, parameters):
            assert (worker_id, type(parameters)) == (5, OrderedDict)
            parameters["w"].append(9.0)
            return len(parameters.pop("w"))

        parameters = asked(w=[1.0, 2.0])
        assert pyshac.evaluate(function, parameters, 5).score == 3
        assert parameters == {"w": [1.0, 2.0]}

    def test_failures(self):
        result = pyshac.evaluate(functions.diverging, {"x": 1.0})
        assert result.details.failure == "its score is not finite"
        assert result.curve.last_step == 2
        result = pyshac.evaluate(functions.giving_up, {"x": 1.0})
        assert result.details.failure == "it raised Pruned before its first report"
        with pytest.raises(ValueError, match="no memory"):
            pyshac.evaluate(functions.failing, {"x": 1.0})

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ((3, {"x": 1.0}), TypeError, "function must be callable. Got 3"),
            ((functions.climbing, [1.0]), TypeError, "parameters must be one of the samples"),
            ((functions.climbing, {"x": 1.0}, -1), ValueError, "worker_id must be an int"),
            ((lambda *_: "good", {"x": 1.0}), TypeError, "must be a number. Got 'good'"),
            ((lambda *_: {"loss": 1}, {"x": 1.0}), TypeError, "has no 'score'"),
        ],
    )
    def test_misuse(self, arguments, error, message):
        with pytest.raises(error, match=message):
            pyshac.evaluate(*arguments)


class TestAskedParameters:
    @pytest.mark.parametrize(
        "copied",
        [copy.copy, copy.deepcopy, AskedParameters.copy,
         lambda sample: pickle.loads(pickle.dumps(sample)),
         lambda sample: pickle.loads(pickle.dumps(sample, 2)),
         lambda sample: cloudpickle.loads(cloudpickle.dumps(sample))],
    )  # fmt: skip
    def test_copies_keep_the_limits(self, copied):
        sample = asked(x=1.0, y=[2])
        sample.sign = -1
        found = copied(sample)
        assert type(found) is AskedParameters
        assert (found.limits, found.sign) == (((4, 0.6),), -1)
        assert found == sample == {"x": 1.0, "y": [2]}
        assert repr(found) == "{'x': 1.0, 'y': [2]}"
        assert list(found) == ["x", "y"]

    def test_plain_without_pruning(self, tmp_path):
        assert {type(sample) for sample in engine_in(tmp_path).ask()} == {OrderedDict}

    def test_limits_of_the_batch(self, tmp_path):
        engine = engine_in(tmp_path)
        samples = engine.ask(pruning="median")
        assert [(type(sample), sample.limits) for sample in samples] == [(AskedParameters, ())] * 8
        engine.tell(samples, [pyshac.evaluate(rising, sample) for sample in samples])
        samples = engine.ask(3, pruning="median")
        assert [step for step, _ in samples[0].limits] == [*range(1, 9)]
        # Those who ask for the rest of the batch get its limits, whatever they say.
        assert engine.ask()[0].limits == samples[0].limits


class TestTell:
    @pytest.mark.slow
    def test_a_search_in_other_processes(self, tmp_path):
        engine = engine_in(tmp_path / "asked")
        with ProcessPoolExecutor(2, get_context("spawn")) as executor:
            while samples := engine.ask(pruning="halving"):
                futures = [executor.submit(pyshac.evaluate, rising, sample) for sample in samples]
                for sample, future in [*zip(samples, futures, strict=True)][::-1]:
                    engine.tell(sample, future.result())
        fitted = engine_in(tmp_path / "fitted")
        fitted.fit(pruning="halving", verbose=0)
        assert rows_of(engine) == rows_of(fitted)
        assert "pruned" in states_of(engine)

    def test_what_was_told_is_restored(self, tmp_path):
        engine = engine_in(tmp_path)
        samples = engine.ask(pruning="median")
        engine.tell(samples, [pyshac.evaluate(rising, sample) for sample in samples])
        samples = engine.ask(pruning="median")
        engine.tell(samples[:5], [pyshac.evaluate(rising, sample) for sample in samples[:5]])
        restored = engine_in(tmp_path, resume=True)
        assert rows_of(restored) == rows_of(engine)
        assert restored.ask()[0].limits == samples[0].limits
        assert restored.evaluations[9].slot is None

    def test_scores_and_results_side_by_side(self, tmp_path):
        engine = engine_in(tmp_path, budget=4, batches=1)
        samples = engine.ask()
        curve = Curve((3,), (0.25,), is_pruned=True)
        pruned = EvaluationResult(math.nan, Details(curve=curve))
        engine.tell(samples[:3], [0.5, pruned, {"score": 0.75, "epochs": 3}])
        engine.tell(samples[3], math.nan)
        assert states_of(engine) == ["complete", "pruned", "complete", "failed"]
        assert engine.evaluations[1].curve == curve

    def test_a_pruned_result_with_a_score(self):
        details = Details(curve=Curve((3,), (0.25,), is_pruned=True))
        with pytest.raises(ValueError, match="score must be NaN for an evaluation that was pruned"):
            EvaluationResult(0.5, details)

    @pytest.mark.parametrize(
        ("score", "stored"), [(math.inf, math.nan), (7, 7.0), (np.float32(0.5), 0.5)]
    )
    def test_a_result_that_was_changed(self, tmp_path, score, stored):
        engine = engine_in(tmp_path)
        sample = engine.ask()[0]
        result = dataclasses.replace(pyshac.evaluate(rising, sample), score=score)
        engine.tell(sample, result)
        for known in (engine, engine_in(tmp_path, resume=True)):
            assert [pytest.approx(stored, nan_ok=True)] == known.dataset.Y

    @pytest.mark.parametrize("score", [None, True, "0.5"])
    def test_a_result_without_a_number(self, score):
        with pytest.raises(TypeError, match="The score of an evaluation must be a number"):
            EvaluationResult(score, Details())

    def test_one_result_for_several_samples(self, tmp_path):
        engine = engine_in(tmp_path)
        samples = engine.ask()
        with pytest.raises(TypeError, match="scores must be as many as parameters"):
            engine.tell(samples, pyshac.evaluate(rising, samples[0]))
