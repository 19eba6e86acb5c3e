"""Runs as people live with them, on every engine: begun, continued, given samples, looked at."""

from __future__ import annotations

import pytest

from tests.managed import trainings
from tests.managed.cases import BY_NAME, CASES, Case, parameters

KNOWN = {"units": 16, "learning_rate": 0.01}

every_engine = pytest.mark.parametrize(
    "case",
    [
        *parameters([BY_NAME["SHAC"]]),
        *parameters(CASES[1:4], pytest.mark.slow),
        *parameters(CASES[4:], pytest.mark.long),
    ],
)


@pytest.fixture(autouse=True)
def environment(request, monkeypatch):
    case = request.node.callspec.params["case"] if hasattr(request.node, "callspec") else None
    for name, value in (case.environment if case else {}).items():
        monkeypatch.setenv(name, value)


class Script:
    """A user's script: what it does is the same each time."""

    def __init__(self, case: Case, save_dir) -> None:
        self.case = case
        self.save_dir = save_dir

    def run(self, function, total_budget: int = 4, **options):
        engine = self.case.make(
            trainings.space(), total_budget, batch_size=3, save_dir=self.save_dir, resume=True
        )
        engine.set_seed(3)
        engine.enqueue({"units": 32})
        engine.add(KNOWN, 0.5)
        engine.fit(function, verbose=0, **options)
        return engine


@every_engine
def test_a_script_is_interrupted_continued_and_given_more(case, tmp_path):
    def raise_third(worker_id, parameters):
        if len(list(tmp_path.glob("evaluated-*"))) == 2:
            raise KeyError("no more")
        (tmp_path / f"evaluated-{parameters['learning_rate']}").touch()
        return 0.25

    script = Script(case, tmp_path / "shac")
    with pytest.raises(KeyError):
        script.run(case.function(raise_third))
    engine = script.run(case.train)
    assert len(engine.dataset) == 4
    assert engine.dataset.Y[:2] == [0.25, 0.25]
    assert engine.dataset.X[0][0] == 32
    # A real training; a guess is right in one of ten.
    assert engine.best_score > 0.25
    more = script.run(case.function(lambda worker_id, parameters: 0.125), total_budget=6)
    assert len(more.dataset) == 6
    assert list(more.dataset.Y)[4:] == [0.125, 0.125]
    assert (tmp_path / "shac" / "datasets" / "added.csv").read_text().count("\n") == 2


@every_engine
def test_a_run_is_loaded_by_its_directory_alone(case, tmp_path):
    made = Script(case, tmp_path).run(case.function(lambda worker_id, parameters: 0.5))
    engine = case.engine_class.load(tmp_path)
    assert type(engine) is case.engine_class
    assert (engine.total_budget, engine.num_workers) == (4, 3)
    assert list(engine.dataset.X) == list(made.dataset.X)
    engine.total_budget = 5
    engine.set_num_parallel_evaluators(1)
    engine.fit(case.function(lambda worker_id, parameters: 0.75), verbose=0)
    assert engine.best_score == 0.75


@every_engine
def test_a_limit_of_time(case, tmp_path):
    def slow(worker_id, parameters):
        import time

        time.sleep(0.3)
        return 0.5

    script = Script(case, tmp_path)
    # The worker's start is part of it, and its first evaluation may come too late.
    engine = script.run(case.function(slow), total_budget=300, max_seconds=1.0)
    assert len(engine.dataset) < 30
    assert script.run(case.function(slow), total_budget=300, max_seconds=20).dataset.Y[0] == 0.5


def test_managed_engines_ask_for_the_number_of_gpus(tmp_path):
    import pyshac

    with pytest.raises(TypeError, match=r"max_gpu_evaluators must be .* Got None"):
        pyshac.TorchSHAC(trainings.space(), total_budget=4, batch_size=2, save_dir=tmp_path)


@every_engine
@pytest.mark.parametrize("pace", ["pipeline", "stream"])
def test_batches_overlap_and_a_load_goes_on_at_their_pace(case, pace, tmp_path):
    def evaluate(worker_id, parameters):
        return parameters["learning_rate"]

    engine = case.make(trainings.space(), 4, batch_size=2, save_dir=tmp_path, pace=pace)
    engine.set_seed(3)
    engine.fit(case.function(evaluate), verbose=0, skip_cv_checks=True)
    assert len(engine.dataset) == 4
    loaded = case.engine_class.load(tmp_path)
    assert loaded.pace == engine.pace == pace
    loaded.total_budget = 6
    loaded.fit(case.function(evaluate), verbose=0, skip_cv_checks=True)
    assert len(loaded.dataset) == 6
    assert loaded.dataset.X[:4] == engine.dataset.X
