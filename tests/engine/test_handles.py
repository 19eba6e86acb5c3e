"""Copies of engines: handles on their save directories, without samples."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import pytest

from pyshac import SHAC, UniformHP
from tests.engine.engine_helpers import evaluate, make_engine, samples_of

COPIES = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda engine: pickle.loads(pickle.dumps(engine)),
    "cloudpickle": lambda engine: pickle.loads(cloudpickle.dumps(engine)),
}


class Study:
    """The commonest way to write a class around a search."""

    def __init__(self, save_dir, backend):
        self.shac = SHAC(self.evaluate, [UniformHP("x", 0.0, 1.0)], 8, 2, "min", save_dir=save_dir)
        self.shac.evaluator_backend = backend
        self.shac.set_num_parallel_evaluators(2)

    def evaluate(self, worker_id, parameters):
        assert self.shac.total_budget == 8
        return parameters["x"]


@pytest.mark.parametrize(
    "backend", ["loky", "threading", pytest.param("multiprocessing", marks=pytest.mark.slow)]
)
def test_a_class_may_keep_the_engine_that_evaluates_its_method(tmp_path, backend):
    study = Study(tmp_path, backend)
    study.shac.fit(skip_cv_checks=True)
    assert len(study.shac.dataset) == 8


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_a_handle_on_the_directory(tmp_path, how):
    engine = make_engine(tmp_path, total_budget=12, num_batches=2, method="paper")
    engine.fit(skip_cv_checks=True)
    handle = COPIES[how](engine)
    assert (type(handle), handle.save_dir) == (SHAC, engine.save_dir)
    assert (handle.total_budget, handle.objective, handle.method) == (12, "min", "paper")
    assert handle.evaluator_backend == "threading"
    assert handle.num_parallel_evaluators == 1
    assert len(handle.dataset) == 0
    with pytest.raises(RuntimeError, match="no hyperparameters.*restore_data"):
        handle.fit(evaluate)
    handle.restore_data()
    assert samples_of(handle) == samples_of(engine)
    # The engine itself has not noticed.
    assert len(engine.dataset) == 12


def test_samples_do_not_travel_with_a_handle(tmp_path):
    engine = make_engine(tmp_path, total_budget=6, num_batches=1)
    before = len(pickle.dumps(engine))
    engine.fit(skip_cv_checks=True)
    assert len(pickle.dumps(engine)) == before


def test_an_executor_stays_where_it_is(tmp_path):
    engine = make_engine(tmp_path)
    with ThreadPoolExecutor(1) as executor:
        engine.evaluator_backend = executor
        assert pickle.loads(pickle.dumps(engine)).evaluator_backend == "loky"
        assert engine.evaluator_backend is executor


def test_a_dataset_can_be_copied(tmp_path):
    engine = make_engine(tmp_path)
    engine.fit(skip_cv_checks=True)
    for how in (copy.deepcopy, lambda dataset: pickle.loads(pickle.dumps(dataset))):
        copied = how(engine.dataset)
        copied.add_sample([1.0, "1", 0.0, 0.0], 0.5)
        assert (len(copied), len(engine.dataset)) == (19, 18)
