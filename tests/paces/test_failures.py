"""Failures of evaluations and of the places where they run, at each pace."""

from __future__ import annotations

import concurrent.futures
import math
import os
import time

import pytest

from pyshac import EvaluationError
from tests.engine.engine_helpers import evaluate
from tests.engine.objectives import Attempts, kill_self
from tests.paces.searches import PACES, engine_in, is_replayed, samples_of, uneven

pytestmark = pytest.mark.slow


@pytest.fixture(params=PACES)
def pace(request):
    return request.param


class Troubled:
    """`evaluate`, but every sixth sample meets with trouble, which depends on its values alone."""

    def __init__(self, trouble, folder):
        self.trouble = trouble
        self.attempts = Attempts(folder)

    def __call__(self, worker_id, parameters):
        number = int(abs(parameters["x"]) * 1e6) % 6
        attempt = self.attempts.next(parameters["x"])
        if number == 0 and self.trouble == "dies once" and attempt == 1:
            kill_self()
        if number == 0 and self.trouble == "hangs":
            time.sleep(60)
        if number == 0 and self.trouble == "raises":
            raise OSError("no connection")
        return evaluate(worker_id, parameters)


def check_end(engine):
    assert engine._run.search.num_complete == len(engine.dataset) == 24
    if engine.pace == "stream":
        assert is_replayed(engine)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_workers_that_die(tmp_path, pace, backend):
    small = {"total_budget": 24, "num_batches": 3, "backend": backend}
    (tmp_path / "notes").mkdir()
    function = Troubled("dies once", tmp_path / "notes")
    engine = engine_in(tmp_path / "shac", pace, function, **small)
    engine.fit(skip_cv_checks=True, verbose=0, retries=5)
    assert not any(map(math.isnan, engine.dataset.Y))
    check_end(engine)


@pytest.mark.parametrize(
    ("trouble", "options"),
    [
        ("hangs", {"timeout": 0.5, "catch": TimeoutError}),
        ("raises", {"catch": OSError}),
        ("raises", {"catch": OSError, "fresh_process": True}),
    ],
)
def test_failures_that_are_caught(tmp_path, pace, trouble, options):
    (tmp_path / "notes").mkdir()
    small = {"total_budget": 24, "num_batches": 3, "backend": "multiprocessing"}
    function = Troubled(trouble, tmp_path / "notes")
    engine = engine_in(tmp_path / "shac", pace, function, **small)
    engine.fit(skip_cv_checks=True, verbose=0, **options)
    expected = [int(abs(sample["x"]) * 1e6) % 6 == 0 for sample in samples_of(engine)]
    assert [math.isnan(score) for score in engine.dataset.Y] == expected
    check_end(engine)


class Breaking(concurrent.futures.ThreadPoolExecutor):
    """Takes no more calls after the first ones."""

    left = 15

    def submit(self, *args, **kwargs):
        self.left -= 1
        if self.left < 0:
            raise concurrent.futures.BrokenExecutor("no slots left")
        return super().submit(*args, **kwargs)


def test_an_executor_that_breaks(tmp_path, pace):
    small = {"total_budget": 24, "num_batches": 3}
    with Breaking(3) as executor:
        engine = engine_in(tmp_path, pace, uneven, backend=executor, **small)
        with pytest.raises((EvaluationError, RuntimeError)):
            engine.fit(skip_cv_checks=True, verbose=0)
    assert 6 <= len(engine.dataset) <= 15
    again = engine_in(tmp_path, pace, uneven, resume=True, **small)
    assert samples_of(again) == samples_of(engine)
    again.fit(skip_cv_checks=True, verbose=0)
    check_end(again)


def test_a_cluster_of_dask(tmp_path, pace):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(**options, processes=os.name != "posix") as client:
        small = {"total_budget": 24, "num_batches": 3, "evaluators": 2}
        engine = engine_in(tmp_path, pace, uneven, backend=client.get_executor(), **small)
        engine.fit(skip_cv_checks=True, verbose=0)
    check_end(engine)
