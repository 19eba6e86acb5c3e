"""Searches in studies: exported, mirrored while they run, and started from."""

from __future__ import annotations

import logging
import math
import multiprocessing
import warnings

import pytest

optuna = pytest.importorskip("optuna", reason="needs optuna")

from optuna.distributions import FloatDistribution  # noqa: E402
from optuna.trial import TrialState  # noqa: E402

from pyshac import SHAC, Callback, Pruned, UniformHP, report  # noqa: E402
from pyshac.cli import main  # noqa: E402
from pyshac.integrations.optuna import OptunaMirror, export_study  # noqa: E402
from tests.integrations.optuna_study.searches import (  # noqa: E402
    engine_in,
    evaluate,
    killed_in_the_middle,
    space,
)

pytestmark = pytest.mark.filterwarnings("ignore:A batch has")
STATES = {"complete": "COMPLETE", "failed": "FAIL", "pruned": "PRUNED"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        engine = engine_in(tmp_path_factory.mktemp("search") / "run")
    engine.fit(evaluate, catch=ValueError, verbose=0)
    return engine


@pytest.fixture
def address():
    return optuna.storages.InMemoryStorage()


@pytest.fixture
def database(tmp_path):
    return f"sqlite:///{tmp_path / 'study.db'}"


def trials_of(address, name="run"):
    return optuna.load_study(study_name=name, storage=address).trials


def agrees(engine, trials):
    """Checks that trials are the evaluations of an engine."""
    trials = sorted(trials, key=lambda trial: trial.system_attrs["pyshac:number"])
    assert len(trials) == len(engine.evaluations)
    for trial, evaluation in zip(trials, engine.evaluations, strict=True):
        assert trial.state.name == STATES[evaluation.state]
        assert trial.params["x"] == evaluation.parameters["x"]
        if evaluation.state == "complete":
            assert trial.value == evaluation.score


class TestExport:
    def test_all_that_is_known(self, finished, database):
        assert export_study(finished, database, "run") == (40, 40)
        trials = trials_of(database)
        agrees(finished, trials)
        first, evaluation = trials[0], finished.evaluations[0]
        started = evaluation.started.astimezone().replace(tzinfo=None)
        assert first.datetime_start == started
        assert first.duration.total_seconds() == pytest.approx(evaluation.seconds, abs=1e-5)
        assert first.user_attrs == {"slot": 0, "bound": "inf", "extra_slot": 3, "note": "é"}
        assert {trial.params["same"] for trial in trials} == {
            "1", "1.0", "true", "null", "[1, 2]",
        }  # fmt: skip
        assert {trial.params["call"] for trial in trials} == {"sqrt", "exp"}
        assert {"k_1", "k_2", "k_3", "share_1", "share_3"} < first.params.keys()
        assert all(("momentum" in t.params) == (t.params["n"] >= 10) for t in trials)
        assert first.distributions["drop"] == FloatDistribution(0, 0.5, step=0.05)
        assert first.distributions["rate"].log
        failed = [trial for trial in trials if trial.state == TrialState.FAIL]
        assert failed
        assert "too large" in failed[0].user_attrs["failure"]

    def test_a_second_export_adds_what_is_new(self, tmp_path, address):
        engine = engine_in(tmp_path / "run", 40, 4)
        engine.fit(evaluate, catch=ValueError, max_seconds=1e-9, verbose=0)
        done = len(engine.evaluations)
        assert export_study(tmp_path / "run", address, "run") == (done, done)
        engine.fit(evaluate, catch=ValueError, verbose=0)
        assert export_study(tmp_path / "run", address, "run") == (40 - done, 40)
        assert export_study(tmp_path / "run", address, "run") == (0, 40)
        agrees(engine, trials_of(address))

    def test_curves(self, tmp_path, address):
        def curved(worker_id, parameters):
            for step in range(1, 10):
                report(step, parameters["x"] * step)
                if step == 4 and parameters["x"] < 0.5:
                    raise Pruned
            return parameters["x"]

        engine = SHAC(None, [UniformHP("x", 0, 1)], 40, 4, save_dir=tmp_path / "run")
        engine.concurrent_evaluators()
        engine.fit(curved, verbose=0)
        assert {each.state for each in engine.evaluations} == {"complete", "pruned"}
        export_study(engine, address, "run")
        trials = trials_of(address)
        agrees(engine, trials)
        for trial, each in zip(trials, engine.evaluations, strict=True):
            assert [*trial.intermediate_values.items()] == [
                *zip(each.curve.steps, each.curve.scores, strict=True)
            ]

    def test_a_study_of_another_search(self, finished, tmp_path, address):
        export_study(finished, address, "run")
        other = engine_in(tmp_path / "other", 10, 1)
        other.set_seed(2)
        other.fit(evaluate, catch=ValueError, verbose=0)
        with pytest.raises(ValueError, match="study_name must be.*has another sample"):
            export_study(other, address, "run")
        assert len(trials_of(address)) == 40

    @pytest.mark.parametrize(
        ("storage", "name", "error", "message"),
        [
            ("study.db", "s", ValueError, "address of a database.*Got 'study.db'"),
            ("sqlite:////nowhere/at/all.db", "s", ValueError, "It cannot be opened"),
            ("nothing://x", "s", ValueError, "It cannot be opened"),
            (None, "s", TypeError, "storage must be.*Got None"),
            ("sqlite://", "", ValueError, "study_name must not be empty"),
            ("sqlite://", 3, TypeError, "study_name must be a str"),
        ],
    )
    def test_misuse(self, finished, storage, name, error, message):
        with pytest.raises(error, match=message):
            export_study(finished, storage, name)

    def test_a_study_with_another_direction(self, finished, address):
        optuna.create_study(storage=address, study_name="run", direction="minimize")
        with pytest.raises(ValueError, match="direction 'maximize'.*has 'minimize'"):
            export_study(finished, address, "run")


class TestCommand:
    def test_export(self, finished, database, capsys):
        arguments = ["export", finished.save_dir, "--to", "optuna", "--storage", database]
        assert main(arguments) == 0
        assert "Study 'run': 40 evaluations added, 40 in all." in capsys.readouterr().out
        assert main([*arguments, "--study-name", "other"]) == 0
        agrees(finished, trials_of(database, "other"))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--to", "optuna"], "needs --storage"),
            (["--to", "optuna", "--storage", "sqlite://", "-o", "a.csv"], "--output is for"),
            (["--storage", "sqlite://"], "are for --to optuna"),
            (["--study-name", "s"], "are for --to optuna"),
        ],
    )
    def test_wrong_usage(self, finished, arguments, message, capsys):
        with pytest.raises(SystemExit):
            main(["export", finished.save_dir, *arguments])
        assert message in capsys.readouterr().err

    def test_errors_are_one_line(self, finished, capsys):
        assert main(["export", finished.save_dir, "--to", "optuna", "--storage", "a.db"]) == 1
        assert capsys.readouterr().err.startswith("pyshac: error: storage must be")


class Seen(Callback):
    """Notes the states of the trials whenever a sample has begun."""

    def __init__(self, address):
        super().__init__()
        self.address, self.running = address, []

    def on_sample_begin(self, id, logs=None):
        states = [trial.state for trial in trials_of(self.address)]
        self.running.append(states.count(TrialState.RUNNING))


class TestMirror:
    def test_a_run(self, tmp_path, address):
        engine, seen = engine_in(tmp_path / "run", 20, 2), Seen(address)
        engine.fit(evaluate, catch=ValueError, callbacks=[OptunaMirror(address), seen], verbose=0)
        agrees(engine, trials_of(address))
        assert seen.running == [1] * 20

    @pytest.mark.slow
    def test_a_run_that_is_killed_and_resumed(self, tmp_path, database):
        context = multiprocessing.get_context("spawn")
        worker = context.Process(target=killed_in_the_middle, args=(tmp_path / "run", database))
        worker.start()
        worker.join()
        assert worker.exitcode < 0
        states = [trial.state for trial in trials_of(database)]
        assert states.count(TrialState.RUNNING) == 1
        assert len(states) == 14
        engine = engine_in(tmp_path / "run", resume=True)
        engine.fit(evaluate, catch=ValueError, callbacks=[OptunaMirror(database)], verbose=0)
        trials = trials_of(database)
        agrees(engine, trials)
        assert len(trials) == 40

    def test_an_evaluation_that_raises(self, tmp_path, address):
        engine = engine_in(tmp_path / "run", 20, 2)
        with pytest.raises(Exception, match="too large"):
            engine.fit(evaluate, callbacks=[OptunaMirror(address)], verbose=0)
        assert TrialState.RUNNING not in [trial.state for trial in trials_of(address)]
        engine.fit(evaluate, catch=ValueError, callbacks=[OptunaMirror(address)], verbose=0)
        counted = [t for t in trials_of(address) if t.system_attrs["pyshac:number"] >= 0]
        agrees(engine, counted)

    def test_a_storage_that_fails_does_not_end_the_search(self, tmp_path, address, caplog):
        class Deletes(Callback):
            def on_sample_end(self, id, score, logs=None):
                if id == 3:
                    optuna.delete_study(study_name="run", storage=address)

        engine = engine_in(tmp_path / "run", 10, 1)
        engine.fit(
            evaluate, catch=ValueError, callbacks=[OptunaMirror(address), Deletes()], verbose=0
        )
        assert len(engine.evaluations) == 10
        assert caplog.text.count("Optuna's study could not be written") == 1

    def test_a_trial_that_somebody_ends(self, tmp_path, address):
        class Ends(Callback):
            def on_sample_begin(self, id, logs=None):
                study = optuna.load_study(study_name="run", storage=address)
                if id == 3:
                    study.tell(study.trials[-1].number, state=TrialState.FAIL)

        engine = engine_in(tmp_path / "run", 10, 1)
        engine.fit(evaluate, catch=ValueError, callbacks=[OptunaMirror(address), Ends()], verbose=0)
        assert len(trials_of(address)) == 11

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            (("study.db",), ValueError, "storage must be.*Got 'study.db'"),
            ((None,), TypeError, "storage must be.*Got None"),
            (("sqlite://", 3), TypeError, "study_name must be a str. Got 3"),
            (("sqlite://", ""), ValueError, "study_name must not be empty"),
        ],
    )
    def test_misuse_is_refused_before_there_is_a_search(self, arguments, error, message):
        with pytest.raises(error, match=message):
            OptunaMirror(*arguments)

    def test_a_bad_storage_ends_the_run_before_it_begins(self, tmp_path):
        engine = engine_in(tmp_path / "run", 10, 1)
        mirror = OptunaMirror("sqlite:////nowhere/at/all.db")
        with pytest.raises(ValueError, match="storage must be.*cannot be opened"):
            engine.fit(evaluate, callbacks=[mirror], verbose=0)
        assert not engine.evaluations


class TestStartFrom:
    @pytest.fixture
    def study(self, finished, address):
        export_study(finished, address, "run")
        return optuna.load_study(study_name="run", storage=address)

    def test_all_of_the_same_space(self, study, finished, tmp_path):
        engine = engine_in(tmp_path / "new", start_from=study)
        rows = [finished.dataset.X[place] for place in range(40)]
        assert [*engine._run.search.added.dataset.X] == rows
        engine.fit(evaluate, catch=ValueError, verbose=0)
        saved = (tmp_path / "new" / "datasets" / "added.csv").read_text().splitlines()
        assert len(saved) == 41

    def test_the_same_script_again(self, study, tmp_path):
        engine_in(tmp_path / "new", start_from=study).save_data()
        again = engine_in(tmp_path / "new", start_from=study, resume=True)
        assert len(again._run.search.added) == 40
        study.add_trial(study.trials[0])
        study.enqueue_trial({"x": 1.0})
        study.ask()
        grown = engine_in(tmp_path / "new", start_from=study, resume=True)
        assert len(grown._run.search.added) == 41

    def test_a_narrower_space_that_lacks_parameters(self, study, tmp_path, caplog):
        with caplog.at_level(logging.WARNING):
            engine = SHAC(
                None, [UniformHP("x", 0, 2)], 10, 1, save_dir=tmp_path / "n", start_from=study
            )
        number = sum(0 <= trial.params["x"] <= 2 for trial in study.trials)
        assert len(engine._run.search.added) == number
        assert f"{number} of 40 evaluations lie in the search space" in caplog.text

    def test_a_study_of_optuna_itself(self, tmp_path):
        def objective(trial):
            x = trial.suggest_int("x", 0, 4)
            for step in range(1, 6):
                trial.report(x - step / 10, step)
                if x > 3 and step > 2:
                    raise optuna.TrialPruned
            return x if x else math.nan

        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
        study.optimize(objective, n_trials=30)
        engine = SHAC(
            None, [UniformHP("x", 0, 5)], 10, 1, "min", save_dir=tmp_path / "n", start_from=study
        )
        added = engine._run.search.added.dataset
        assert {*map(type, (row[0] for row in added.X))} == {float}
        by_value = {row[0]: score for row, score in zip(added.X, added.Y, strict=True)}
        # Those that were pruned count as the worst of all that got further.
        assert by_value[4.0] == by_value[3.0] == 3.0
        assert math.isnan(by_value[0.0])

    def test_another_direction(self, study, tmp_path):
        with pytest.raises(ValueError, match="objective 'min'. Got the study 'run' with"):
            engine_in(tmp_path / "new", objective="min", start_from=study)

    def test_several_objectives(self, tmp_path):
        study = optuna.create_study(directions=["minimize"] * 2)
        with pytest.raises(ValueError, match="start_from must be a study with one objective"):
            engine_in(tmp_path / "new", start_from=study)

    @pytest.mark.parametrize("source", [3, {"x": 1}, optuna.samplers.RandomSampler(0)])
    def test_something_else(self, source, tmp_path):
        with pytest.raises(TypeError, match="start_from must be the path of a save directory, or"):
            engine_in(tmp_path / "new", start_from=source)

    def test_a_study_without_trials(self, tmp_path):
        study = optuna.create_study(direction="maximize")
        engine = SHAC(None, space(), 10, 1, save_dir=tmp_path / "new", start_from=study)
        assert len(engine._run.search.added) == 0
