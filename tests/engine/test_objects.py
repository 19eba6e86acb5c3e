"""Searches among objects: functions receive them, and files and pictures have their names."""

from __future__ import annotations

import json
import math
import threading
import time

import numpy as np
import pytest

import pyshac
from pyshac import (
    SHAC,
    Dataset,
    DiscreteHP,
    EvaluationError,
    MultiDiscreteHP,
    OrdinalHP,
    SaveDirectoryError,
    SimplexHP,
    UniformHP,
)
from pyshac.core.hyperparameters.space.parameter_list import HyperParameterList
from pyshac.looking.axes import columns_of
from pyshac.looking.snapshot import take_snapshot
from pyshac.reporting.export import as_json
from pyshac.utils.vis_utils import plot_dataset
from tests.engine.engine_helpers import (
    InterruptedAt,
    InterruptionError,
    contents,
    make_engine,
    raw_contents,
    restored,
)

GRID = np.arange(3)
FUNCTIONS = {"tanh": math.tanh, "sine": np.sin, "grid": GRID}


def square(x):
    return x * x


def space():
    return [
        DiscreteHP("activation", FUNCTIONS),
        MultiDiscreteHP("layers", [square, math.exp, None], sample_count=2),
        OrdinalHP("size", ["S", "M", "L"]),
        SimplexHP("mixture", 3),
        UniformHP("x", 0, 1, step=0.05),
    ]


def is_known(parameters):
    first = any(parameters["activation"] is each for each in FUNCTIONS.values())
    return first and all(each in (square, math.exp, None) for each in parameters["layers"])


def score(worker_id, parameters):
    assert is_known(parameters)
    activation = parameters["activation"]
    value = 1.0 if activation is GRID else float(activation(parameters["x"]))
    return value + sum(each is square for each in parameters["layers"]) - parameters["mixture"][0]


def of_any_process(worker_id, parameters):
    """As `score`, where objects have come in a pickle."""
    activation = parameters["activation"]
    return float(activation.sum() if isinstance(activation, np.ndarray) else activation(0.5))


def slow(worker_id, parameters):
    time.sleep(0.5)
    return parameters["x"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    engine = make_engine(tmp_path_factory.mktemp("objects") / "shac", score, space())
    engine.fit(skip_cv_checks=True, verbose=0)
    return engine


class TestLooking:
    def test_files_have_names(self, finished):
        files = raw_contents(finished.save_dir)
        config = json.loads(files["datasets/parameters.json"])
        assert config["activation"][1]["values"] == ["tanh", "sine", "grid"]
        assert config["activation"][1]["objects"] is True
        assert config["layers"][1]["values"] == ["square", "exp", None]
        assert "objects" not in config["size"][1]
        names = {row[0] for row in finished.dataset.X}
        assert names <= {"tanh", "sine", "grid"}
        for name in names:
            assert f",{name},".encode() in files["datasets/dataset.csv"]

    def test_the_engine_gives_objects(self, finished):
        assert is_known(finished.best_parameters)
        assert all(is_known(each.parameters) for each in finished.evaluations)
        assert is_known(finished.top(1)[0].parameters)
        assert score(0, finished.best_parameters) == finished.best_score

    def test_summaries_tables_and_exports_show_names(self, finished, tmp_path):
        row = finished.dataset.X[finished.dataset.ids.index(finished.top(1)[0].number)]
        assert f"activation={row[0]!r}" in repr(finished)
        assert f"activation={row[0]!r}" in repr(finished.dataset)
        frame = finished.dataset.to_dataframe()
        assert [*frame["activation"]] == [each[0] for each in finished.dataset.X]
        assert list(frame["activation"].cat.categories) == ["tanh", "sine", "grid"]
        exported = json.loads(as_json(take_snapshot(finished)))["evaluations"]
        assert [each["parameters"]["layers"] for each in exported] == [
            each[1:3] for each in finished.dataset.X
        ]
        pyshac.write_report(finished, tmp_path / "report.html")
        assert f"<dd>{row[0]}</dd>" in (tmp_path / "report.html").read_text(encoding="utf-8")

    def test_axes_of_shares_say_that_they_are_of_the_rest(self, finished):
        labels = [column.label for column in columns_of(take_snapshot(finished))]
        assert labels[4:] == [*(f"mixture_{n} (of the rest)" for n in (1, 2, 3)), "x"]

    def test_a_directory_alone_can_be_looked_at(self, finished):
        before = contents(finished.save_dir)
        engine = SHAC.load(finished.save_dir)
        assert engine.best_score == finished.best_score
        assert engine.best_parameters["activation"] in FUNCTIONS
        assert engine.top(3)[2].parameters["layers"][0] in ("square", "exp", None)
        assert "activation=" in repr(engine)
        dataset = Dataset.load_from_directory(finished.save_dir)
        assert dataset.X == finished.dataset.X
        plot_dataset(finished.save_dir)
        assert contents(finished.save_dir) == before

    def test_a_dataset_with_the_parameters_gives_objects(self, finished):
        dataset = Dataset.load_from_directory(finished.save_dir, space())
        assert is_known(dataset.get_best_parameters())


class TestGoingOn:
    @pytest.mark.parametrize(
        "call",
        [
            lambda engine: engine.ask(),
            lambda engine: engine.predict(num_samples=1),
            lambda engine: engine.fit(score, verbose=0),
            lambda engine: engine.fit_dataset("any.csv", verbose=0),
        ],
        ids=["ask", "predict", "fit", "fit_dataset"],
    )
    def test_names_alone_are_not_enough(self, finished, call):
        engine = SHAC.load(finished.save_dir, total_budget=30)
        message = "values of 'activation' are objects, which no file holds: hand the parameters ove"
        with pytest.raises(SaveDirectoryError, match=message):
            call(engine)

    def test_load_takes_the_parameters(self, finished):
        engine = SHAC.load(finished.save_dir, score, hyperparameter_list=space())
        assert engine.dataset.X == finished.dataset.X
        assert all(map(is_known, engine.predict(num_samples=5)))

    @pytest.mark.parametrize("way", ["resume", "restore", "load"])
    def test_a_run_that_was_cut_goes_on_as_if_it_never_was(self, finished, tmp_path, way):
        path = tmp_path / "cut"
        engine = make_engine(path, InterruptedAt(9, score), space())
        with pytest.raises(EvaluationError) as caught:
            engine.fit(skip_cv_checks=True, verbose=0)
        assert isinstance(caught.value, InterruptionError)
        if way == "load":
            again = SHAC.load(path, score, hyperparameter_list=space())
            again.evaluator_backend = "threading"
        else:
            again = make_engine(path, score, space(), seed=None, resume=way == "resume")
        if way == "restore":
            again.restore_data()
        again.fit(skip_cv_checks=True, verbose=0)
        assert contents(path) == contents(finished.save_dir)

    def test_another_choice_takes_the_evaluations_over(self, finished, tmp_path):
        path = tmp_path / "shac"
        engine = make_engine(path, score, space())
        engine.fit(skip_cv_checks=True, verbose=0)
        wider = [DiscreteHP("activation", {**FUNCTIONS, "exp": math.exp}), *space()[1:]]
        again = make_engine(path, score, wider, 24, 4, resume=True)
        assert again.dataset.X == engine.dataset.X
        assert any(is_known(each) for each in again.predict(num_samples=5))

    def test_starting_from_another_search(self, finished, tmp_path):
        engine = make_engine(tmp_path, score, space(), start_from=finished.save_dir)
        assert len(engine._run.search.added) == len(finished.dataset)
        assert all(map(is_known, engine.ask()))

    def test_a_dataset_of_names_trains(self, finished, tmp_path):
        engine = make_engine(tmp_path, score, space())
        path = f"{finished.save_dir}/datasets/dataset.csv"
        history = engine.fit_dataset(path, skip_cv_checks=True, verbose=0)
        assert is_known(history.history["parameters"][0][0])
        assert all(map(is_known, engine.predict(num_samples=3)))


class TestGiven:
    def test_told_by_object_or_by_name(self, tmp_path):
        engine = make_engine(tmp_path, None, space())
        samples = engine.ask()
        assert all(map(is_known, samples))
        names = [engine.parameters.to_parameters(engine.parameters.to_row(each), named=True)
                 for each in samples]  # fmt: skip
        engine.tell(samples[:3], [1.0, 2.0, 3.0])
        engine.tell(names[3:], [4.0, 5.0, 6.0], skip_cv_checks=True)
        assert [*engine.dataset.Y] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        with pytest.raises(ValueError, match="A value of 'activation' must be one of"):
            engine.tell({**engine.ask()[0], "activation": math.cosh}, 1.0)

    def test_enqueued_once(self, tmp_path):
        given = [{"activation": np.sin, "layers": [None, square]}, {"activation": "grid"}]
        engine = make_engine(tmp_path, score, space())
        assert engine.enqueue(given) == 2
        engine.fit(skip_cv_checks=True, verbose=0)
        assert engine.dataset.X[0][:3] == ["sine", None, "square"]
        assert engine.dataset.X[1][0] == "grid"
        again = make_engine(tmp_path, score, space(), 24, 4, seed=None, resume=True)
        assert again.enqueue([given[0], {"activation": GRID}]) == 0
        state = json.loads(raw_contents(tmp_path)["state.json"])
        assert state["enqueued"][1][0] == {"activation": "grid"}

    def test_added(self, tmp_path):
        engine = make_engine(tmp_path, score, space())
        sample = {
            "activation": math.tanh, "layers": [square, None], "size": "M",
            "mixture": [0.25, 0.25, 0.5], "x": 3 * 0.05,
        }  # fmt: skip
        assert engine.add(sample, 0.5) == 1
        with pytest.raises(ValueError, match="shares of 'mixture' must sum to one"):
            engine.add({**sample, "mixture": [0.25, 0.25, 0.25]}, 0.5)
        engine.save_data()
        again = make_engine(tmp_path, score, space(), seed=None, resume=True)
        assert again.add({**sample, "activation": "tanh", "x": 0.15}, 0.5) == 0

    def test_datasets_take_objects(self):
        dataset = Dataset(HyperParameterList(space()[:1]), None)
        dataset.add_sample({"activation": GRID}, 0.5)
        dataset.add_sample(["sine"], 1.0)
        assert dataset.X == [["grid"], ["sine"]]
        assert dataset.evaluations[0].parameters["activation"] is GRID


class TestProcesses:
    @pytest.mark.slow
    @pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
    def test_objects_reach_them(self, tmp_path, backend):
        def local(x):
            return 2 * x

        choices = {**FUNCTIONS, "local": local, "lambda": lambda x: x}
        parameters = [DiscreteHP("activation", choices), UniformHP("x", 0, 1)]
        engine = make_engine(tmp_path, of_any_process, parameters, backend=backend, evaluators=2)
        engine.fit(skip_cv_checks=True, verbose=0)
        scores = {
            row[0]: score for row, score in zip(engine.dataset.X, engine.dataset.Y, strict=True)
        }
        expected = {
            "tanh": math.tanh(0.5), "sine": math.sin(0.5), "grid": 3.0, "local": 1.0, "lambda": 0.5,
        }  # fmt: skip
        assert scores == {name: pytest.approx(expected[name]) for name in scores}
        assert len(scores) > 2

    @pytest.mark.slow
    def test_what_cannot_be_sent_there_is_named(self, tmp_path):
        parameters = [DiscreteHP("lock", {"one": threading.Lock()}), UniformHP("x", 0, 1)]
        engine = make_engine(tmp_path, of_any_process, parameters, backend="loky")
        message = "Sample 0 cannot be sent to worker processes, since the item 'lock' of the parame"
        with pytest.raises(TypeError, match=message):
            engine.fit(verbose=0)
        engine.concurrent_evaluators()
        engine.fit(lambda worker_id, parameters: parameters["lock"].locked() + 1.0, verbose=0)
        assert len(engine.dataset) == 18

    @pytest.mark.parametrize("pace", ["batch", "pipeline", "stream"])
    def test_evaluations_beside_what_cannot_be_sent_keep_their_scores(self, tmp_path, pace):
        parameters = [DiscreteHP("held", {"lock": threading.Lock(), "nothing": None}),
                      UniformHP("x", 0, 1)]  # fmt: skip
        engine = make_engine(tmp_path, slow, parameters, backend="multiprocessing", evaluators=4,
                             pace=pace)  # fmt: skip
        for name in ("nothing", "nothing", "lock", "nothing"):
            engine.enqueue({"held": name, "x": 0.5})
        with pytest.raises(TypeError, match="Sample 2 cannot be sent to worker processes"):
            engine.fit(verbose=0)
        assert engine.dataset.Y == [0.5, 0.5]
        assert restored(tmp_path, pace=pace).dataset.Y == [0.5, 0.5]
