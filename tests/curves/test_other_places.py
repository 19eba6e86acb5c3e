"""Curves from managed engines, and from a Dask cluster."""

from __future__ import annotations

import math
from collections import OrderedDict

import pytest

from pyshac.core.evaluation.worker import Evaluator, Task, TaskRunner
from tests.curves.searches import engine_in, falling, rising, rows_of, space, states_of
from tests.managed.cases import CASES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_managed_engines(case, tmp_path, monkeypatch):
    for package in case.packages:
        pytest.importorskip(package)
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    engine = case.make(
        case.function(falling), space(), 24, 3, objective="min", save_dir=tmp_path / "managed"
    )
    engine.set_seed(7)
    engine.fit(pruning="median", catch=(Exception,), verbose=0)
    plain = engine_in(tmp_path / "plain", falling, 24, 3, objective="min")
    plain.fit(pruning="median", verbose=0)
    assert rows_of(engine) == rows_of(plain)
    assert "pruned" in states_of(engine)


def test_clean_up_that_fails_hides_nothing():
    class Failing(Evaluator):
        def __call__(self, function, task, worker_id):
            try:
                return function(worker_id, task.parameters)
            finally:
                raise RuntimeError("no clean-up")

    task = Task(0, OrderedDict(x=0.5, y=0.5), limits=((3, 9.0),))
    reply = TaskRunner(Failing(), rising)(task, 0)
    assert reply.error is None
    assert reply.curve.is_pruned
    assert math.isnan(reply.score)


def test_a_dask_cluster(tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        engine = engine_in(tmp_path / "dask", backend="dask", evaluators=2)
        engine.fit(pruning="halving", verbose=0)
    plain = engine_in(tmp_path / "plain")
    plain.fit(pruning="halving", verbose=0)
    assert rows_of(engine) == rows_of(plain)
    assert "pruned" in states_of(engine)
