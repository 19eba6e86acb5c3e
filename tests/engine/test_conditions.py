"""Engines whose parameters exist only where others have certain values."""

from __future__ import annotations

import csv
import json
import math
import shutil

import numpy as np
import pytest

from pyshac import (
    INACTIVE,
    SHAC,
    AbstractHyperParameter,
    Dataset,
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    MultiUniformHP,
    SaveDirectoryError,
    UniformHP,
    set_custom_parameter_class,
)
from tests.engine.engine_helpers import (
    InterruptedAt,
    InterruptionError,
    contents,
    make_engine,
    restored,
    samples_of,
)


class WordHP(AbstractHyperParameter):
    """A user's own type: one of two words."""

    def sample(self):
        return ["low", "high"][self.random.randint(2)]

    def encode(self, x):
        return ["low", "high"].index(x)

    def decode(self, x):
        return ["low", "high"][int(x)]


set_custom_parameter_class(WordHP)


def space() -> HyperParameterList:
    """Branches, layers, a multi parameter and a user's own type, children before parents."""
    return HyperParameterList(
        [
            UniformHP("momentum", 0.0, 1.0).when("optimizer", "sgd"),
            MultiUniformHP("betas", 0.0, 1.0, sample_count=2).when("optimizer", "adam"),
            DiscreteHP("optimizer", ["sgd", "adam", None]),
            IntegerHP("layers", 1, 3),
            *(IntegerHP(f"width_of_{n}", 8, 64, log=True).when("layers", at_least=n)
              for n in (2, 3)),
            WordHP("word").when("width_of_2", at_least=20),
        ]
    )  # fmt: skip


def evaluate_all(worker_id, parameters):
    optimizer, layers = parameters["optimizer"], parameters["layers"]
    assert ("momentum" in parameters) == (optimizer == "sgd")
    assert ("betas" in parameters) == (optimizer == "adam")
    widths = [parameters[f"width_of_{n}"] for n in range(2, layers + 1)]
    assert len(parameters) == 2 + (optimizer is not None) + len(widths) + ("word" in parameters)
    score = {"sgd": 0.0, "adam": 0.2, None: 0.5}[optimizer]
    score += (parameters.get("momentum", 0.3) - 0.3) ** 2
    score += sum((beta - 0.7) ** 2 for beta in parameters.get("betas", ()))
    return score + sum(abs(math.log(width / 20)) for width in widths) / layers


def make(path, function=evaluate_all, **options) -> SHAC:
    options.setdefault("parameters", space)
    options.setdefault("total_budget", 40)
    options.setdefault("num_batches", 8)
    return make_engine(path, function, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole")
    make(path).fit(verbose=0, skip_cv_checks=True)
    return path


def interrupted(call):
    class Function(InterruptedAt):
        def __call__(self, worker_id, parameters):
            super().__call__(worker_id, {"x": 0.0, "kind": 1, "w": [0.0, 0.0], **parameters})
            return evaluate_all(worker_id, parameters)

    return Function(call)


class TestRuns:
    @pytest.mark.parametrize("backend", ["threading", "loky"])
    def test_functions_get_active_parameters_only(self, tmp_path, backend):
        engine = make(tmp_path, backend=backend, evaluators=2)
        engine.fit(verbose=0, skip_cv_checks=True)
        assert len(engine.classifiers) == 7
        assert not np.isnan(engine.dataset.Y).any()

    @pytest.mark.parametrize("options", [{"method": "paper"}, {"generators": 3}])
    def test_the_same_seed_gives_the_same_run(self, tmp_path, options):
        generators = options.pop("generators", 1)
        for name in "ab":
            engine = make(tmp_path / name, **options)
            engine.set_num_parallel_generators(generators if name == "a" else 1)
            engine.fit(verbose=0, skip_cv_checks=True)
        assert contents(tmp_path / "a") == contents(tmp_path / "b")

    def test_all_samples_pass_the_cascade_in_force(self, whole):
        engine = restored(whole, function=evaluate_all, total_budget=40, num_batches=8)
        encoded = engine.dataset.encoded
        for number, start in enumerate(range(5, 40, 5)):
            cascade = engine._run.search.cascade.first(number + 1)
            assert cascade.accepts(encoded[start : start + 5]).all()

    def test_ask_and_tell(self, tmp_path, whole):
        engine = make(tmp_path)
        while samples := (engine.ask() if len(engine.dataset) < 40 else []):
            scores = [evaluate_all(0, sample) for sample in samples]
            engine.tell(samples[::-1], scores[::-1], skip_cv_checks=True)
        known = Dataset.load_from_directory(whole)
        assert engine.dataset.X == known.X

    def test_tell_needs_what_was_asked(self, tmp_path):
        engine = make(tmp_path)
        sample = next(each for each in engine.ask() if "momentum" not in each)
        with pytest.raises(ValueError, match="'momentum' must be left out"):
            engine.tell({**sample, "momentum": 0.5}, 1.0)

    def test_predictions_obey(self, whole):
        engine = restored(whole, function=evaluate_all, total_budget=40, num_batches=8)
        for sample in engine.predict(num_samples=20):
            evaluate_all(0, sample)

    def test_a_finite_space_ends_when_all_its_samples_are_known(self, tmp_path):
        finite = [
            DiscreteHP("kind", ["a", "b"]),
            IntegerHP("n", 1, 3).when("kind", "a"),
        ]
        engine = make(tmp_path, lambda _, p: p.get("n", 0), parameters=lambda: finite)
        engine.fit(verbose=0)
        assert len(engine.dataset) == 4
        assert {tuple(row) for row in engine.dataset.X} == {
            ("a", 1), ("a", 2), ("a", 3), ("b", INACTIVE),
        }  # fmt: skip


class TestDisk:
    def test_inactive_cells_are_empty(self, whole):
        with (whole / "datasets" / "dataset.csv").open() as file:
            rows = [*csv.DictReader(file)]
        assert {(row["optimizer"], row["momentum"] == "") for row in rows} == {
            ("sgd", False), ("adam", True), ("null", True),
        }  # fmt: skip
        assert {row["betas_1"] == "" for row in rows if row["optimizer"] != "adam"} == {True}
        entry = json.loads((whole / "datasets" / "parameters.json").read_text())["momentum"]
        assert entry[2] == [{"parent": "optimizer", "values": ["sgd"]}]

    @pytest.mark.parametrize("call", [1, 4, 8, 23, 40])
    def test_an_interrupted_run_goes_on_as_if_nothing_had_been(self, tmp_path, whole, call):
        with pytest.raises(InterruptionError):
            make(tmp_path, interrupted(call)).fit(verbose=0, skip_cv_checks=True)
        engine = make(tmp_path, resume=True)
        assert len(engine.dataset) == call - 1
        engine.fit(verbose=0, skip_cv_checks=True)
        assert contents(tmp_path) == contents(whole)

    def test_it_is_loaded_without_parameters(self, whole):
        engine = SHAC.load(whole, evaluate_all)
        assert [each.conditions for each in engine.parameters] == [
            each.conditions for each in space()
        ]
        assert samples_of(engine) == samples_of(make(whole, resume=True))
        best = engine.top(1)[0].parameters
        assert dict(best) == dict(engine.dataset.get_best_parameters("min"))
        evaluate_all(0, best)

    def test_a_dataset_goes_to_disk_and_back(self, tmp_path, whole):
        dataset = Dataset.load_from_directory(whole)
        own = Dataset(space(), tmp_path)
        own.set_dataset(list(dataset.X), dataset.Y)
        own.save_dataset()
        again = Dataset.load_from_directory(tmp_path)
        assert again.X == dataset.X
        assert np.array_equal(again.encoded, dataset.encoded, equal_nan=True)

    def test_fit_dataset_takes_such_files(self, tmp_path, whole):
        engine = make(tmp_path, total_budget=40, num_batches=8)
        engine.fit_dataset(whole / "datasets" / "dataset.csv", skip_cv_checks=True, verbose=0)
        known = Dataset.load_from_directory(whole).X
        assert sorted(map(repr, engine.dataset.X)) == sorted(map(repr, known))

    @pytest.mark.parametrize(
        ("momentum", "optimizer", "message"),
        [("0.5", "adam", "'momentum': must be empty"), ("", "sgd", "column 'momentum'")],
    )
    def test_files_that_contradict_a_condition(self, tmp_path, whole, momentum, optimizer, message):
        shutil.copytree(whole, tmp_path / "copy")
        path = tmp_path / "copy" / "datasets" / "dataset.csv"
        header = path.read_text().splitlines()[0]
        path.write_text(f"{header}\n0,{momentum},,,{optimizer},1,,,,0.5\n")
        with pytest.raises(SaveDirectoryError, match=f"line 2, .*{message}"):
            Dataset.load_from_directory(tmp_path / "copy")

    def test_the_space_of_another_condition_is_another_space(self, tmp_path, whole):
        shutil.copytree(whole, tmp_path / "copy")
        other = space()
        other["momentum"].conditions = ()
        engine = make(tmp_path / "copy", parameters=HyperParameterList(other))
        with pytest.raises(SaveDirectoryError, match=r"\['momentum'\] differ"):
            engine.restore_data()


class TestGivenSamples:
    def test_enqueued_and_added(self, tmp_path):
        engine = make(tmp_path)
        given = {"optimizer": "adam", "betas": [0.5, 0.25], "layers": 1}
        assert engine.enqueue(given) == 1
        assert engine.add({"optimizer": None, "layers": 1}, 0.5) == 1
        assert dict(engine.ask()[0]) == given
        again = restored(tmp_path, function=evaluate_all, total_budget=40, num_batches=8)
        assert dict(again.ask()[0]) == given
        assert again._run.search.added.dataset.X[0] == [
            INACTIVE, INACTIVE, INACTIVE, None, 1, INACTIVE, INACTIVE, INACTIVE,
        ]  # fmt: skip

    def test_missing_values_of_a_data_frame_are_no_values(self, tmp_path, whole):
        pytest.importorskip("pandas")
        frame = Dataset.load_from_directory(whole).to_dataframe()
        names = ["momentum", "optimizer", "layers", "width_of_2", "width_of_3", "word"]
        record = frame[frame["optimizer"] == "sgd"][names].to_dict("records")[0]
        assert record["layers"] < 3
        engine = make(tmp_path)
        assert engine.add(record, 0.5) == engine.enqueue(record) == 1

    @pytest.mark.parametrize("mark", ["", " ", "NaN", "<NA>", "null"])
    def test_marks_of_missing_values_in_files(self, tmp_path, whole, mark):
        shutil.copytree(whole, tmp_path / "copy")
        path = tmp_path / "copy" / "datasets" / "dataset.csv"
        header = path.read_text().splitlines()[0]
        path.write_text(f"{header}\n" + f"0,0.5,{mark},{mark},sgd,1,{mark},{mark},{mark},0.5\n")
        (tmp_path / "copy" / "state.json").unlink()
        (tmp_path / "copy" / "journal.jsonl").unlink()
        row = Dataset.load_from_directory(tmp_path / "copy").X[0]
        assert row == [0.5, INACTIVE, INACTIVE, "sgd", 1, INACTIVE, INACTIVE, INACTIVE]

    @pytest.mark.parametrize("call", ["add", "enqueue"])
    def test_samples_that_contradict_a_condition(self, tmp_path, call):
        engine = make(tmp_path)
        sample = {"optimizer": "adam", "betas": [0.5, 0.25], "layers": 1, "momentum": 0.5}
        scores = (1.0,) if call == "add" else ()
        with pytest.raises(ValueError, match="'momentum'"):
            getattr(engine, call)(sample, *scores)

    def test_a_flattened_search_is_a_start(self, tmp_path):
        flat = space()
        for parameter in flat:
            parameter.conditions = ()
        flat = HyperParameterList(flat)

        def score(worker_id, parameters):
            row = space().to_row(parameters, leave_out=True)
            return evaluate_all(worker_id, space().to_parameters(row))

        make(tmp_path / "flat", score, parameters=flat).fit(verbose=0)
        engine = make(tmp_path / "new", start_from=tmp_path / "flat")
        added = engine._run.search.added.dataset
        assert len(added) == 40
        for row in added.X:
            assert (row[0] is INACTIVE) == (row[3] != "sgd")

    def test_a_run_goes_on_in_a_space_with_another_branch(self, tmp_path, whole):
        shutil.copytree(whole, tmp_path / "copy")
        parameters = [
            DiscreteHP("optimizer", ["sgd", "adam", None, "lion"]) if each.name == "optimizer"
            else each for each in space()
        ]  # fmt: skip
        parameters.append(UniformHP("decay", 0, 1).when("optimizer", "lion"))
        engine = make(
            tmp_path / "copy", None, parameters=HyperParameterList(parameters), resume=True
        )
        assert len(engine.dataset) == 40
        assert all(row[-1] is INACTIVE for row in engine.dataset.X)

    def test_a_run_goes_on_where_a_parameter_has_become_conditional(self, tmp_path):
        old = [DiscreteHP("kind", ["a", "b"]), UniformHP("x", 0.0, 1.0)]
        make(tmp_path, lambda _, p: p["x"], parameters=lambda: old).fit(verbose=0)
        new = [DiscreteHP("kind", ["a", "b"]), UniformHP("x", 0.0, 1.0).when("kind", "a")]
        engine = make(tmp_path, lambda _, p: p.get("x", 2.0), parameters=lambda: new, resume=True,
                      total_budget=50, num_batches=10)  # fmt: skip
        assert len(engine.dataset) == 40
        engine.fit(verbose=0)
        assert len(engine.dataset) == 50
        assert {(row[0], row[1] is INACTIVE) for row in engine.dataset.X} == {
            ("a", False), ("b", True),
        }  # fmt: skip


def test_a_users_classifier_needs_no_missing_values(tmp_path):
    from sklearn.linear_model import LogisticRegression

    engine = make(tmp_path, classifier=LogisticRegression())
    engine.fit(verbose=0, skip_cv_checks=True)
    assert len(engine.classifiers) > 3
    again = restored(tmp_path, function=evaluate_all, total_budget=40, num_batches=8,
                     classifier=LogisticRegression())  # fmt: skip
    assert len(again.classifiers) == len(engine.classifiers)
