"""What holds for all engines, on all frameworks, with real trainings."""

from __future__ import annotations

import inspect
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyshac import EvaluationError
from tests.managed import trainings
from tests.managed.cases import BY_NAME, CASES, Case, parameters

SEED = 3
TOTAL_BUDGET, NUM_BATCHES = 4, 2
SIGNATURE = [
    "evaluation_function",
    "hyperparameter_list",
    "total_budget",
    "num_batches",
    "max_gpu_evaluators",
    "objective",
    "max_classifiers",
    "max_cpu_evaluators",
    "save_dir",
    "method",
    "classifier",
    "batch_size",
    "resume",
    "start_from",
    "constraints",
    "pace",
    "open_batches",
]

# The quick run shows the suite with the engine that needs no framework.
every_case = pytest.mark.parametrize(
    "case",
    [*parameters([BY_NAME["SHAC"]]), *parameters(CASES[1:], pytest.mark.slow)],
)
# One framework for each engine; the other ones of Keras in the long part.
one_framework = pytest.mark.parametrize(
    "case",
    [
        *parameters([BY_NAME["SHAC"]]),
        *parameters(CASES[1:4], pytest.mark.slow),
        *parameters(CASES[4:], pytest.mark.long),
    ],
)
every_engine = pytest.mark.parametrize("case", parameters(CASES))
managed_engine = pytest.mark.parametrize("case", parameters(CASES[1:]))


@dataclass(frozen=True)
class Finished:
    """A seeded run that was fitted, and what it drew afterwards."""

    engine: Any
    save_dir: Path
    predictions: list[Any]


_finished: dict[str, Finished] = {}


@pytest.fixture(autouse=True)
def environment(request, monkeypatch):
    for name, value in request.getfixturevalue("case").environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def finished(case: Case, environment, tmp_path_factory) -> Finished:
    """One run for all tests of a case, because trainings take their time."""
    if case.name not in _finished:
        save_dir = tmp_path_factory.mktemp("finished")
        engine = case.make(trainings.space(), TOTAL_BUDGET, NUM_BATCHES, save_dir=save_dir)
        with engine.as_deterministic(SEED):
            engine.fit(case.train, skip_cv_checks=True)
            predictions = engine.predict(num_samples=3)
            engine.save_data()
        _finished[case.name] = Finished(engine, save_dir, predictions)
    return _finished[case.name]


@every_case
def test_fit_trains_models(case, finished):
    engine = finished.engine
    assert len(engine.dataset) == TOTAL_BUDGET
    assert len(engine.classifiers) == 1
    # A guess is right in one of ten; the best of six real trainings gets far beyond.
    assert engine.best_score > 0.6
    assert all(0 <= score <= 1 for score in engine.dataset.Y)


@one_framework
@pytest.mark.slow
def test_same_seed_same_scores(case, finished, tmp_path):
    engine = case.make(trainings.space(), TOTAL_BUDGET // NUM_BATCHES, 1, save_dir=tmp_path)
    with engine.as_deterministic(SEED):
        # Neither does it matter what a process has evaluated before.
        engine.fit(case.train, fresh_process=True)
    first_batch = slice(0, TOTAL_BUDGET // NUM_BATCHES)
    assert list(engine.dataset.X) == finished.engine.dataset.X[first_batch]
    assert list(engine.dataset.Y) == finished.engine.dataset.Y[first_batch]


@every_case
def test_saved_runs_are_restored(case, finished):
    engine = case.make(None, TOTAL_BUDGET, NUM_BATCHES, save_dir=finished.save_dir)
    engine.restore_data()
    assert engine.dataset.X == finished.engine.dataset.X
    assert engine.dataset.Y == finished.engine.dataset.Y
    assert engine.best_parameters == finished.engine.best_parameters
    assert len(engine.classifiers) == 1
    assert engine.predict(num_samples=3) == finished.predictions


@every_case
def test_more_than_a_score(case, tmp_path):
    def evaluate(worker_id, parameters):
        units = parameters["units"]
        beside = {"units": np.int64(units), "note": "ünits", "big": units > 9}
        return {"score": np.float32(0.5), **beside}

    engine = case.make(trainings.space(), TOTAL_BUDGET, NUM_BATCHES, save_dir=tmp_path)
    engine.fit(case.function(evaluate), skip_cv_checks=True)
    again = case.make(None, TOTAL_BUDGET, NUM_BATCHES, save_dir=tmp_path)
    again.restore_data()
    assert again.evaluations == engine.evaluations
    for found in again.evaluations:
        units = found.parameters["units"]
        assert found.extras == {"units": units, "note": "ünits", "big": units > 9}
        assert (found.score, found.state, found.slot) == (0.5, "complete", 0)
        assert 0 <= found.seconds < 60
        assert abs(time.time() - found.started.timestamp()) < 600
    assert [found.number for found in again.top(2)] == [0, 1]


@one_framework
def test_restored_runs_go_on_until_one_raises(case, finished, tmp_path):
    def fail_later(worker_id, parameters):
        number = len(list(tmp_path.glob("evaluated-*")))
        (tmp_path / f"evaluated-{number}").touch()
        if number == 2:
            raise KeyError("no such layer")
        return 0.5

    engine = case.make(None, TOTAL_BUDGET * 2, NUM_BATCHES * 2, save_dir=finished.save_dir)
    engine.restore_data()
    engine.save_dir = tmp_path / "continued"
    message = rf"sample {TOTAL_BUDGET + 2} in slot 0 raised KeyError.*'units'"
    with pytest.raises(EvaluationError, match=message) as info:
        engine.fit(case.function(fail_later), skip_cv_checks=True)
    assert isinstance(info.value.__cause__, KeyError)
    # As text, or in the exception itself where something in the worker lets tracebacks travel.
    assert "in fail_later" in "".join(traceback.format_exception(info.value))

    saved = case.make(None, TOTAL_BUDGET * 2, NUM_BATCHES * 2, save_dir=engine.save_dir)
    saved.restore_data()
    assert list(saved.dataset.Y) == [*finished.engine.dataset.Y, 0.5, 0.5]


@every_engine
def test_both_call_forms(case, tmp_path):
    function, space = case.function(lambda worker_id, parameters: 1.0), trainings.space()
    gpus = () if case.engine == "SHAC" else (0,)
    arguments = {"total_budget": 8, "num_batches": 4, "save_dir": tmp_path, **case.arguments}
    engine_class = case.engine_class
    with_function = [
        engine_class(function, space, 8, 4, *gpus, "min", save_dir=tmp_path),
        engine_class(function, space, objective="min", **arguments),
        engine_class(space, 8, 4, *gpus, "min", evaluation_function=function, save_dir=tmp_path),
    ]
    without = [
        engine_class(space, 8, 4, *gpus, "min", 18, save_dir=tmp_path),
        engine_class(None, space, 8, 4, *gpus, "min", save_dir=tmp_path),
        engine_class(hyperparameter_list=space, objective="min", **arguments),
    ]
    for engine in with_function + without:
        assert engine.parameters.get_parameter_names() == ["units", "learning_rate"]
        assert (engine.total_budget, engine.num_batches, engine.objective) == (8, 4, "min")
    for engine in without:
        with pytest.raises(RuntimeError, match="evaluation function"):
            engine.fit()
    engine = engine_class(None, None, 8, 4, *gpus, save_dir=tmp_path)
    assert engine.parameters is None


@managed_engine
def test_signature(case):
    signature = inspect.signature(case.engine_class).parameters
    assert list(signature) == SIGNATURE
    defaults = {name: p.default for name, p in signature.items() if p.default is not p.empty}
    assert defaults == {
        "num_batches": None,
        # It must be given all the same.
        "max_gpu_evaluators": None,
        "objective": "max",
        "max_classifiers": 18,
        "max_cpu_evaluators": 1,
        "save_dir": "shac",
        "method": "default",
        "classifier": None,
        "batch_size": None,
        "resume": False,
        "start_from": None,
        "constraints": None,
        "pace": "batch",
        "open_batches": None,
    }
    keyword_only = [name for name, p in signature.items() if p.kind is p.KEYWORD_ONLY]
    keywords = ["method", "classifier", "batch_size", "resume", "start_from", "constraints"]
    keywords += ["pace", "open_batches"]
    assert keyword_only == keywords


@managed_engine
def test_numbers_of_evaluators(case, tmp_path, monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 6)

    def make(gpus, cpus=1):
        return case.engine_class(
            trainings.space(), 20, 2, gpus, max_cpu_evaluators=cpus, save_dir=tmp_path
        )

    assert make(0).num_parallel_evaluators == 1
    assert make(0, 3).num_parallel_evaluators == 3
    assert make(0, -1).num_parallel_evaluators == 6
    assert not make(0, 3).limit_memory
    # As many as there are GPUs, however many cores or samples there are.
    assert make(16, 3).num_parallel_evaluators == 16
    assert make(1, -1).num_parallel_evaluators == 1
    assert make(1).limit_memory
    assert (make(4, 3).max_gpu_evaluators, make(4, 3).max_cpu_evaluators) == (4, 3)


@managed_engine
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"max_gpu_evaluators": -1}, ValueError, "max_gpu_evaluators .* Got -1"),
        ({"max_gpu_evaluators": 1.5}, TypeError, "max_gpu_evaluators .* Got 1.5"),
        ({"max_gpu_evaluators": True}, TypeError, "max_gpu_evaluators .* Got True"),
        ({"max_gpu_evaluators": None}, TypeError, "max_gpu_evaluators .* Got None"),
        ({"max_cpu_evaluators": 0}, ValueError, "max_cpu_evaluators .* Got 0"),
        ({"max_cpu_evaluators": -2}, ValueError, "max_cpu_evaluators .* Got -2"),
        ({"max_cpu_evaluators": "2"}, TypeError, "max_cpu_evaluators .* Got '2'"),
        ({"objective": "best"}, ValueError, "objective .* 'best'"),
        ({"num_batches": 7}, ValueError, "20.*7|7.*20"),
    ],
)
def test_bad_arguments_are_named(case, arguments, error, message, tmp_path):
    good = {"total_budget": 20, "num_batches": 2, "max_gpu_evaluators": 0, "save_dir": tmp_path}
    with pytest.raises(error, match=message):
        case.engine_class(trainings.space(), **{**good, **arguments})
