"""Who draws and who evaluates: settings, backends, and slots that are leased."""

from __future__ import annotations

import functools
import itertools
import json
import os
import threading
import time

import joblib
import pytest

from pyshac import SHAC
from tests.engine.engine_helpers import (
    branin_space,
    evaluate,
    make_engine,
    make_space,
    run_script,
    samples_of,
)

BACKENDS = ["loky", "multiprocessing", "threading"]


@pytest.fixture
def engine(tmp_path):
    return SHAC(evaluate, make_space(), 400, 4, save_dir=tmp_path)


# Settings


def test_defaults(engine):
    cores = min(100, joblib.cpu_count())
    assert engine.num_parallel_generators == cores
    assert engine.num_parallel_evaluators == cores
    assert engine.generator_backend == engine.evaluator_backend == "loky"
    assert engine.limit_memory is False


@pytest.mark.parametrize("what", ["generators", "evaluators"])
def test_numbers_can_be_set(engine, what):
    setter, attribute = f"set_num_parallel_{what}", f"num_parallel_{what}"
    getattr(engine, setter)(7)
    assert getattr(engine, attribute) == 7
    setattr(engine, attribute, 20)
    assert getattr(engine, attribute) == 20
    for value, error in [(0, ValueError), (1.5, TypeError), ("2", TypeError)]:
        with pytest.raises(error, match=rf"{attribute} must be None or an int other than 0.* Got"):
            getattr(engine, setter)(value)
        with pytest.raises(error, match=rf"{attribute} must be None or an int other than 0.* Got"):
            setattr(engine, attribute, value)
    assert getattr(engine, attribute) == 20


@pytest.mark.parametrize("what", ["generators", "evaluators"])
def test_none_is_as_many_as_workers_or_cores(tmp_path, what):
    setter, attribute = f"set_num_parallel_{what}", f"num_parallel_{what}"
    cores = joblib.cpu_count()
    for num_workers, expected in [(1, 1), (cores, cores), (cores + 1, cores)]:
        engine = SHAC(evaluate, make_space(), 2 * num_workers, 2, save_dir=tmp_path)
        getattr(engine, setter)(None)
        assert getattr(engine, attribute) == expected


@pytest.mark.parametrize("attribute", ["generator_backend", "evaluator_backend"])
def test_backends_can_be_set(engine, attribute):
    for backend in BACKENDS:
        setattr(engine, attribute, backend)
        assert getattr(engine, attribute) == backend
    for backend in ("", None, "Loky"):
        with pytest.raises(ValueError, match=rf"{attribute} must be one of \['loky'.*Got"):
            setattr(engine, attribute, backend)


def test_helpers_for_backends(engine):
    engine.concurrent_evaluators()
    assert engine.evaluator_backend == "threading"
    engine.parallel_evaluators()
    assert engine.evaluator_backend == "loky"
    assert engine.generator_backend == "loky"


@pytest.mark.parametrize("limit_memory", [False, True])
def test_generators_double_after_ten_epochs(tmp_path, limit_memory):
    engine = make_engine(tmp_path, total_budget=24, num_batches=12, max_classifiers=1)
    engine.set_num_parallel_generators(3)
    engine.limit_memory = limit_memory
    history = engine.fit(skip_cv_checks=True).history
    later = 3 if limit_memory else 6
    assert history["generator_threads"] == [3] * 10 + [later] * 2


# Functions of every kind


def functions_of_every_kind():
    offset = 0.25

    def closure(worker_id, parameters):
        return evaluate(worker_id, parameters) + offset

    class Offset:
        def __init__(self, offset):
            self.offset = offset

        def method(self, worker_id, parameters):
            return evaluate(worker_id, parameters) + self.offset

    square = lambda worker_id, parameters: parameters["x"] ** 2  # noqa: E731
    return [evaluate, closure, square, Offset(0.5).method, functools.partial(evaluate)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_functions_of_every_kind(tmp_path, backend):
    """One run a backend, with a nested function that calls functions of all kinds."""
    functions = functions_of_every_kind()

    def nested(worker_id, parameters):
        return sum(function(worker_id, parameters) for function in functions)

    engine = make_engine(
        tmp_path, nested, total_budget=6, num_batches=1, backend=backend, evaluators=1
    )
    # One evaluator in the caller's thread would prove nothing about threads.
    engine.set_num_parallel_evaluators(2 if backend == "threading" else 1)
    engine.fit()
    expected = [nested(0, engine.parameters.to_parameters(row)) for row in engine.dataset.X]
    assert expected == engine.dataset.Y


@pytest.mark.parametrize("kind", range(5))
def test_each_kind_of_function_alone(tmp_path, kind):
    function = functions_of_every_kind()[kind]
    engine = make_engine(
        tmp_path, function, total_budget=2, num_batches=1, backend="multiprocessing"
    )
    engine.fit()
    expected = [function(0, engine.parameters.to_parameters(row)) for row in engine.dataset.X]
    assert expected == engine.dataset.Y


UNGUARDED = """
import pyshac

offset = 3.0

def evaluate(worker_id, parameters):
    return (parameters["x"] - offset) ** 2

shac = pyshac.SHAC(evaluate, [pyshac.UniformHP("x", 0, 5)], 8, 2, "min", save_dir="DIRECTORY")
shac.set_seed(1)
shac.num_parallel_evaluators = 2
shac.fit(skip_cv_checks=True)
print(len(shac.dataset), shac.evaluator_backend)
"""


@pytest.mark.slow
def test_a_script_needs_no_guard(tmp_path):
    """No `if __name__ == "__main__"`: workers do not run the script again."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED.replace("DIRECTORY", (tmp_path / "shac").as_posix()))
    result = run_script(script)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["8", "loky"]


def test_a_function_that_cannot_travel(tmp_path):
    lock = threading.Lock()

    def holds_a_lock(worker_id, parameters):
        with lock:
            return 1.0

    engine = make_engine(tmp_path, holds_a_lock, backend="loky")
    with pytest.raises(TypeError, match=r"cannot be sent.*concurrent_evaluators\(\)") as caught:
        engine.fit()
    assert "since the variable 'lock' of the evaluation function, of type lock," in str(
        caught.value
    )
    assert len(engine.dataset) == 0
    engine.concurrent_evaluators()
    engine.fit()
    assert len(engine.dataset) == 18


def test_only_the_function_travels(tmp_path):
    """A function that holds its engine would take the dataset along; the engine itself never."""
    seen = tmp_path / "modules"

    def looks_around(worker_id, parameters):
        import sys

        loaded = {"pyshac.core.engine", "pyshac.core.dataset", "scipy", "xgboost", "sklearn"}
        seen.write_text(json.dumps(sorted(loaded & set(sys.modules))))
        return 1.0

    engine = make_engine(
        tmp_path / "shac", looks_around, branin_space, 2, 1, backend="loky", evaluators=1
    )
    engine.fit()
    assert json.loads(seen.read_text()) == []


# Slots


def leases(directory):
    return [json.loads(path.read_text()) for path in directory.iterdir()]


@pytest.mark.parametrize("backend", BACKENDS)
def test_worker_ids_are_leased(tmp_path, backend):
    """Of two evaluations that run at once, none holds the number of the other."""
    notes = tmp_path / "notes"
    notes.mkdir()

    def noting(worker_id, parameters):
        began = time.monotonic()
        # Evaluations of different length: slots come free in another order each time.
        time.sleep(0.01 + 0.05 * (parameters["x"] % 1.0))
        note = {
            "worker": worker_id, "process": os.getpid(), "began": began, "ended": time.monotonic(),
        }  # fmt: skip
        (notes / f"{worker_id} {began}.json").write_text(json.dumps(note))
        return parameters["x"]

    engine = make_engine(
        tmp_path / "shac", noting, total_budget=24, num_batches=2, backend=backend, evaluators=3
    )
    history = engine.fit(skip_cv_checks=True).history
    noted = leases(notes)
    assert len(noted) == 24
    assert {note["worker"] for note in noted} == {0, 1, 2}
    assert {worker for batch in history["device_ids"] for worker in batch} == {0, 1, 2}
    for worker in range(3):
        own = sorted((note for note in noted if note["worker"] == worker), key=lambda n: n["began"])
        for one, following in itertools.pairwise(own):
            assert one["ended"] <= following["began"]
    # Something did run at once.
    noted.sort(key=lambda note: note["began"])
    assert any(a["ended"] > b["began"] for a, b in itertools.pairwise(noted))
    # A slot is one process, which stays warm over both batches.
    processes = {(note["worker"], note["process"]) for note in noted}
    assert len(processes) == 3
    if backend == "threading":
        assert {process for _, process in processes} == {os.getpid()}
    else:
        assert len({process for _, process in processes} - {os.getpid()}) == 3


def test_device_ids_say_where_each_sample_ran(tmp_path):
    engine = make_engine(
        tmp_path,
        lambda worker_id, parameters: float(worker_id),
        total_budget=12,
        num_batches=2,
        evaluators=3,
    )
    history = engine.fit().history
    assert history["device_ids"] == [[int(score) for score in b] for b in history["evaluations"]]


def test_more_slots_than_samples(tmp_path):
    engine = make_engine(tmp_path, total_budget=4, num_batches=2, evaluators=16)
    history = engine.fit().history
    assert {worker for batch in history["device_ids"] for worker in batch} <= set(range(16))
    assert len(engine.dataset) == 4


def test_serial_evaluation_runs_in_the_callers_thread_and_in_order(tmp_path):
    seen = []

    def noting(worker_id, parameters):
        seen.append((threading.current_thread(), parameters["x"]))
        return 1.0

    engine = make_engine(tmp_path, noting, total_budget=12, num_batches=2)
    engine.fit()
    assert {thread for thread, _ in seen} == {threading.current_thread()}
    assert [x for _, x in seen] == [row[0] for row in engine.dataset.X]


def test_settings_can_change_between_fits(tmp_path):
    engine = make_engine(tmp_path / "a", total_budget=12, num_batches=2, backend="multiprocessing")
    samples = engine.ask(2)
    engine.tell(samples, [evaluate(0, sample) for sample in samples])
    engine.fit(skip_cv_checks=True)
    other = make_engine(tmp_path / "b", total_budget=12, num_batches=2, evaluators=2)
    other.fit(skip_cv_checks=True)
    assert samples_of(engine) == samples_of(other)


OPENMP = """
import sys
from tests.engine.engine_helpers import *

def uses_openmp(worker_id, parameters):
    import numpy, xgboost
    rows = numpy.random.default_rng(0).random((500, 3))
    data = xgboost.DMatrix(rows, rows[:, 0] > 0.5)
    xgboost.train({"nthread": 2, "verbosity": 0}, data, 2)
    return evaluate(worker_id, parameters)

engine = restored(sys.argv[1], total_budget=36, num_batches=6, backend="multiprocessing")
assert len(engine.classifiers) == 2
engine.fit(uses_openmp, skip_cv_checks=True)
print(len(engine.dataset))
"""


@pytest.mark.slow
def test_forked_workers_may_use_openmp(tmp_path):
    """What the engine trained or loaded leaves no threads behind that a fork could hang on."""
    make_engine(tmp_path).fit(skip_cv_checks=True)
    result = run_script(OPENMP, tmp_path, timeout=30, OMP_NUM_THREADS="2")
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["36"]
