"""Directories saved by PySHAC 0.2: restored, continued, predicted from, and never unpickled."""

from __future__ import annotations

import copy
import pickle
import shutil
import sys

import numpy as np
import pytest

from pyshac import SHAC, Dataset, SaveDirectoryError
from tests.cascades import features_of
from tests.engine.engine_helpers import (
    FIXTURES,
    branin,
    branin_space,
    contents,
    make_engine,
    restored,
    samples_of,
)

# What the runs were after, and how they were cut: 180 of 200 in batches of 10, 100 in tens.
OBJECTIVES = {"branin": "min", "convnet": "max"}
SIZES = {"branin": 180, "convnet": 100}

opened_pickles: list[str] = []


def note_pickles(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".pkl"):
        opened_pickles.append(arguments[0])


# An audit hook cannot be taken away again: noting every file, it would go on holding their names
# through the tests of other modules, one of which measures what is held.
sys.addaudithook(note_pickles)


def accuracy(worker_id, parameters):
    """Something to go on with where the original objective trained networks."""
    return 0.5 + parameters["h1"] / 200 - abs(parameters["dropout1"] - 0.2)


FUNCTIONS = {"branin": branin, "convnet": accuracy}


@pytest.fixture(params=sorted(SIZES))
def name(request):
    return request.param


@pytest.fixture
def directory(name, tmp_path):
    """A copy of a directory, with a pickle that runs code when it is read."""
    shutil.copytree(FIXTURES / name, tmp_path / name)
    classifiers = tmp_path / name / "classifiers"
    classifiers.mkdir()
    (classifiers / "classifiers.pkl").write_bytes(pickle.dumps(RunsCode(tmp_path / "ran")))
    return tmp_path / name


class RunsCode:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def engine_for(name, directory, budget=None, max_classifiers=2):
    """The directory in batches of ten; by default with few classifiers, which take little time."""
    budget = budget or SIZES[name]
    opened_pickles.clear()
    return restored(
        directory,
        function=FUNCTIONS[name],
        total_budget=budget,
        num_batches=budget // 10,
        objective=OBJECTIVES[name],
        max_classifiers=max_classifiers,
    )


def assert_not_unpickled(directory):
    assert opened_pickles == []
    assert not (directory.parent / "ran").exists()
    assert (directory / "classifiers" / "classifiers.pkl").exists()


def test_the_pickle_of_these_tests_would_run_code(tmp_path):
    pickle.loads(pickle.dumps(RunsCode(tmp_path / "ran"))).close()
    assert (tmp_path / "ran").exists()


def test_restored(name, directory):
    before = contents(directory)
    engine = engine_for(name, directory)
    assert_not_unpickled(directory)
    assert contents(directory) == before
    assert len(engine.dataset) == SIZES[name]
    lines = (directory / "datasets" / "dataset.csv").read_text().splitlines()
    for line, (number, row, score) in zip(lines[1:], samples_of(engine), strict=True):
        assert line.split(",") == [str(number), *map(str, row), str(score)]
    scores = [float(line.split(",")[-1]) for line in lines[1:]]
    assert engine.best_score == (min if OBJECTIVES[name] == "min" else max)(scores)
    assert len(engine.classifiers) == 2
    types = {
        "branin": [float, float],
        "convnet": [int, int, str, str, float, float, str, float],
    }
    assert [type(value) for value in engine.dataset.X[0]] == types[name]


def test_the_cascade_is_trained_again_from_the_dataset(name, directory):
    engine, again = engine_for(name, directory), engine_for(name, directory)
    assert [c.to_bytes() for c in engine.classifiers] == [c.to_bytes() for c in again.classifiers]
    # What the cascade accepts of the samples is better than what it rejects.
    rows = features_of(engine.parameters)(engine.dataset.encoded)
    accepted = np.all([c.predict(rows) for c in engine.classifiers], axis=0)
    scores = engine.dataset.scores * (1 if OBJECTIVES[name] == "max" else -1)
    assert 0 < accepted.sum() < len(rows)
    assert np.median(scores[accepted]) > np.median(scores[~accepted])


@pytest.mark.parametrize("num_batches", [5, 10, 20])
@pytest.mark.parametrize("more", [0, 20])
def test_all_classifiers_come_back(name, directory, num_batches, more):
    """The samples tell the stages, whatever the number of batches is."""
    engine = SHAC(None, SIZES[name] + more, num_batches, OBJECTIVES[name], save_dir=directory)
    engine.restore_data()
    # What the search had: all 18, or the nine of a budget that was spent. With a larger budget, the
    # last stage has a classifier, too.
    assert len(engine.classifiers) == {"branin": 18, "convnet": 9 + (more > 0)}[name]
    assert engine._run.search.stage_starts[:3] == [10, 20, 30]
    assert all(classifier.num_trees <= 200 for classifier in engine.classifiers)


def test_a_smaller_batch_and_17_classifiers(tmp_path):
    """The specification: restore a model with a smaller batch size, and then use predict."""
    shutil.copytree(FIXTURES / "branin", tmp_path / "branin")
    engine = SHAC(None, 200, 5, "min", save_dir=tmp_path / "branin")
    engine.restore_data()
    samples = engine.predict(5, num_workers_per_batch=2, max_classfiers=17)
    assert len(samples) == 25
    assert np.mean([branin(0, sample) for sample in samples]) < 0.45
    # Saved, it is a directory like any other.
    engine.save_data()
    again = SHAC(None, 100, 50, "min", save_dir=tmp_path / "branin")
    again.restore_data()
    assert [c.to_bytes() for c in again.classifiers] == [c.to_bytes() for c in engine.classifiers]
    assert len(again.predict(max_classfiers=17)) == 50
    assert "18 trained" in repr(again)


def test_a_smaller_batch_in_a_directory_of_today(tmp_path):
    engine = make_engine(tmp_path, branin, branin_space, 200, 20, method="paper")
    engine.fit(skip_cv_checks=True, verbose=0)
    number = len(engine.classifiers)
    assert number >= 17
    again = SHAC(None, 200, 5, "min", method="paper", save_dir=tmp_path)
    again.restore_data()
    assert len(again.predict(1, max_classfiers=17)) == 5


def test_fewer_classifiers_than_there_were_are_warned_of(name, directory):
    """In the fourth stage no sample is better than the others."""
    path = directory / "datasets" / "dataset.csv"
    lines = path.read_text().splitlines()
    for place in range(31, 41):
        lines[place] = lines[place].rpartition(",")[0] + ",0.25"
    path.write_text("\n".join(lines) + "\n")
    engine = SHAC(None, SIZES[name], 5, OBJECTIVES[name], save_dir=directory)
    number = {"branin": 18, "convnet": 9}[name]
    message = rf"{number - 1} of the {number} classifiers of this search.* stages of 10 samples"
    with pytest.warns(UserWarning, match=message):
        engine.restore_data()
    assert engine._run.search.stage_starts[:4] == [10, 20, 30, 50]


def test_samples_that_no_cascade_drew(tmp_path):
    """As `fit_dataset` leaves them: in whatever order, and told by nothing."""
    shutil.copytree(FIXTURES / "branin", tmp_path / "branin")
    path = tmp_path / "branin" / "datasets" / "dataset.csv"
    rng = np.random.default_rng(4)
    rows = rng.uniform((-5, 0), (10, 15), (190, 2))
    lines = [f"{i},{x},{y},{branin(0, {'h1': x, 'h2': y})}" for i, (x, y) in enumerate(rows)]
    path.write_text("\n".join(["id,h1,h2,scores", *lines]) + "\n")
    engine = SHAC(None, 190, 19, "min", save_dir=tmp_path / "branin")
    engine.restore_data()
    # No length of a stage agrees with them, so the stages are those of a full cascade.
    assert engine._run.search.stage_starts == [*range(10, 190, 10)]
    assert len(engine.predict(num_samples=30, relax_checks=True)) == 30


@pytest.mark.parametrize("rows", [1, 5, 9])
def test_very_few_samples(name, directory, rows):
    path = directory / "datasets" / "dataset.csv"
    path.write_text("\n".join(path.read_text().splitlines()[: rows + 1]) + "\n")
    engine = engine_for(name, directory)
    assert len(engine.dataset) == rows
    engine.fit(lambda worker_id, parameters: 0.5, verbose=0, callbacks=Stopper())
    assert len(engine.dataset) == rows + 10


class Stopper:
    def on_epoch_end(self, epoch, logs=None):
        self.engine.stop()


class TestColumnsWithOtherNames:
    @pytest.fixture
    def path(self, tmp_path):
        shutil.copytree(FIXTURES / "branin", tmp_path / "branin")
        return tmp_path / "branin" / "datasets" / "dataset.csv"

    def rename(self, path, header):
        path.write_text(path.read_text().replace("id,h1,h2,scores", header, 1))

    def test_they_are_taken_by_their_places(self, path):
        before = engine_for("branin", path.parents[1])
        self.rename(path, "id,h0,h1,scores")
        message = r"has the columns \['h0', 'h1'\], but .* parameters \['h1', 'h2'\]. Columns"
        with pytest.warns(UserWarning, match=message):
            engine = engine_for("branin", path.parents[1])
        assert samples_of(engine) == samples_of(before)
        with pytest.warns(UserWarning, match=message):
            assert Dataset.load_from_directory(path.parents[1]).X == before.dataset.X
        engine.save_data()
        assert path.read_text().startswith("id,h1,h2,scores\n")

    @pytest.mark.parametrize(
        "header", ["id,h2,h1,scores", "id,h1,h3,h4,scores", "id,h1,scores", "n,a,b,scores",
                   "id,a,b,loss", "id,a,a,scores"],
    )  # fmt: skip
    def test_unless_they_cannot_be_the_same(self, path, header):
        self.rename(path, header)
        with pytest.raises(SaveDirectoryError, match="expected the columns"):
            engine_for("branin", path.parents[1])

    def test_unless_a_value_does_not_fit(self, path):
        self.rename(path, "id,a,b,scores")
        lines = path.read_text().splitlines()
        lines[3] = "2,11.0,1.0,3.0"
        path.write_text("\n".join(lines) + "\n")
        with (
            pytest.warns(UserWarning, match="by their places"),
            pytest.raises(SaveDirectoryError, match="line 4, column 'h1'"),
        ):
            engine_for("branin", path.parents[1])


class TestObjectives:
    def finished(self, folder):
        engine = make_engine(folder, branin, branin_space)
        engine.fit(verbose=0)
        return engine

    def test_the_default_gives_way_to_the_saved_one(self, tmp_path, caplog):
        first = self.finished(tmp_path)
        engine = SHAC(branin, branin_space(), 24, 4, save_dir=tmp_path)
        engine.restore_data()
        engine.restore_data()
        told = [record.getMessage() for record in caplog.records if "objective" in record.msg]
        assert len(told) == 1
        assert told[0].startswith(f"{str(tmp_path)!r} holds a search with objective 'min'")
        assert (engine.objective, engine.best_score) == ("min", first.best_score)
        engine.concurrent_evaluators()
        engine.fit(verbose=0)
        assert engine.best_score <= first.best_score

    def test_the_samples_of_an_earlier_search_tell_it(self, tmp_path, caplog):
        shutil.copytree(FIXTURES / "branin", tmp_path / "branin")
        engine = SHAC(None, 200, 5, save_dir=tmp_path / "branin")
        engine.restore_data()
        assert (engine.objective, len(engine.classifiers)) == ("min", 18)
        assert engine.best_score < 0.4
        assert "does not say its objective, but its samples do: it is 'min'" in caplog.text

    def test_unless_they_agree_with_the_default(self, tmp_path, caplog):
        shutil.copytree(FIXTURES / "convnet", tmp_path / "convnet")
        engine = SHAC(None, 100, 5, save_dir=tmp_path / "convnet")
        engine.restore_data()
        assert (engine.objective, len(engine.classifiers)) == ("max", 9)
        assert "objective" not in caplog.text

    def test_a_handle_takes_it_too(self, tmp_path):
        self.finished(tmp_path)
        engine = SHAC(None, 24, 4, save_dir=tmp_path)
        for again in (pickle.loads(pickle.dumps(engine)), copy.copy(engine)):
            again.restore_data()
            assert again.objective == "min"

    def test_another_one_is_refused(self, tmp_path):
        make_engine(tmp_path, branin, branin_space, objective="max").fit(verbose=0)
        with pytest.raises(SaveDirectoryError, match="objective 'max', not 'min'"):
            restored(tmp_path)


def test_predicted_from(name, directory):
    engine = engine_for(name, directory)
    samples = engine.predict(num_samples=6)
    rows = np.array(
        [engine.parameters.encode(engine.parameters.to_row(sample)) for sample in samples]
    )
    rows = features_of(engine.parameters)(rows)
    assert all(classifier.predict(rows).all() for classifier in engine.classifiers)
    assert_not_unpickled(directory)


@pytest.mark.parametrize(
    "max_classifiers", [2, pytest.param(18, marks=pytest.mark.slow, id="full cascade")]
)
def test_continued(name, directory, max_classifiers):
    size = SIZES[name]
    before = samples_of(engine_for(name, directory))
    engine = engine_for(name, directory, size + 20, max_classifiers)
    history = engine.fit()
    assert_not_unpickled(directory)
    assert len(engine.dataset) == size + 20
    assert samples_of(engine)[:size] == before
    assert history.history["begin_run_index"] == size
    assert history.epochs == [size // 10 + 1, size // 10 + 2]
    # From now on it is a directory like any other.
    again = engine_for(name, directory, size + 20, max_classifiers)
    assert_not_unpickled(directory)
    assert samples_of(again) == samples_of(engine)
    assert [c.to_bytes() for c in again.classifiers] == [c.to_bytes() for c in engine.classifiers]


def test_continued_across_a_crash(name, directory):
    """The first score of a continued run is on disk as any other."""
    size = SIZES[name]
    engine = engine_for(name, directory, budget=size + 10)
    samples = engine.ask()
    engine.tell(samples[0], 0.5)
    again = engine_for(name, directory, budget=size + 10)
    assert len(again.dataset) == size + 1
    assert again.ask() == samples[1:]


def test_continued_in_a_space_of_ones_own(tmp_path):
    shutil.copytree(FIXTURES / "branin", tmp_path / "branin")
    engine = make_engine(tmp_path / "branin", branin, branin_space, 180, 18, max_classifiers=1)
    engine.restore_data()
    assert len(engine.dataset) == 180
    other = make_engine(tmp_path / "branin", branin, total_budget=180, num_batches=18)
    with pytest.raises(SaveDirectoryError, match="another space"):
        other.restore_data()


def test_the_form_of_earlier_releases(tmp_path):
    """SHAC(None, N, M), restore_data(), predict()."""
    shutil.copytree(FIXTURES / "branin", tmp_path / "branin")
    engine = SHAC(None, 180, 18, "min", 3, save_dir=str(tmp_path / "branin"))
    engine.restore_data()
    samples = engine.predict(max_classfiers=3)
    assert len(samples) == 18
    # Three halvings of the space leave values far below the 54.3 of its mean.
    assert np.mean([branin(0, sample) for sample in samples]) < 27


@pytest.mark.parametrize("file", ["dataset.csv", "parameters.json"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.97])
def test_truncated(name, directory, file, share):
    path = directory / "datasets" / file
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    before = contents(directory)
    with pytest.raises(SaveDirectoryError) as caught:
        engine_for(name, directory)
    assert_not_unpickled(directory)
    assert str(path) in str(caught.value)
    assert contents(directory) == before


def test_truncated_in_the_last_number(name, directory):
    """The score of the last sample, a few digits short, is still a number."""
    path = directory / "datasets" / "dataset.csv"
    path.write_bytes(path.read_bytes().rstrip()[:-2])
    with pytest.raises(SaveDirectoryError, match="cut short") as caught:
        engine_for(name, directory)
    assert str(path) in str(caught.value)


def test_missing_parameters(name, directory):
    path = directory / "datasets" / "parameters.json"
    path.unlink()
    with pytest.raises(SaveDirectoryError, match="is missing") as caught:
        engine_for(name, directory)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        (1, "99", "column 'h1'"),
        (0, "7", "Sample 7 has a score already"),
        (0, "999", "ids must be 0, 1, 2 and so on"),
        (0, "x", "column 'id'"),
        (-1, "a", "column 'scores'"),
    ],
)
def test_values_outside_the_space(name, directory, column, text, message):
    path = directory / "datasets" / "dataset.csv"
    lines = path.read_text().splitlines()
    cells = lines[5].split(",")
    cells[column] = text
    path.write_text("\n".join([*lines[:5], ",".join(cells), *lines[6:]]) + "\n")
    with pytest.raises(SaveDirectoryError, match=message) as caught:
        engine_for(name, directory)
    assert str(path) in str(caught.value)


def test_a_fresh_engine_does_not_overwrite_it(tmp_path):
    shutil.copytree(FIXTURES / "branin", tmp_path / "branin")
    before = contents(tmp_path / "branin")
    engine = make_engine(tmp_path / "branin", branin, branin_space)
    with pytest.raises(SaveDirectoryError, match="holds another run already"):
        engine.fit()
    assert contents(tmp_path / "branin") == before
