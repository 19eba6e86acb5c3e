"""Datasets as scripts for PySHAC 0.1 to 0.3 use them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pyshac import SHAC, Dataset, DiscreteHP, HyperParameterList, MultiUniformHP, UniformHP
from pyshac.core.errors import SaveDirectoryError
from tests.engine.engine_helpers import contents, make_engine


@pytest.fixture
def space():
    parts = [DiscreteHP("a", [1, 2]), MultiUniformHP("b", 0, 1, sample_count=2)]
    return HyperParameterList([*parts, DiscreteHP("c", ["x", "y", None])], seed=3)


@pytest.fixture
def dataset(space, tmp_path):
    filled = Dataset(space, basedir=tmp_path / "data")
    filled.set_dataset([space.sample() for _ in range(20)], [*range(19), float("nan")])
    return filled


class TestFiles:
    def test_nothing_is_written_until_something_is_saved(self, space, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Dataset(space)
        Dataset(space, "custom")
        assert contents(tmp_path) == {}

    def test_paths_lead_to_folders_that_exist(self, space, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for dataset, folder in ((Dataset(space), "shac"), (Dataset(space, "custom"), "custom")):
            root = tmp_path / folder
            assert dataset.basedir == str(root)
            assert dataset.data_path == str(root / "datasets" / "dataset.csv")
            assert dataset.parameter_path == str(root / "datasets" / "parameters.json")
            assert os.path.isdir(root)

    def test_what_is_saved_comes_back(self, dataset):
        rows, scores = list(dataset.X), dataset.Y[:]
        dataset.save_dataset()
        dataset.clear()
        assert len(dataset) == 0
        dataset.restore_dataset()
        assert (dataset.X, dataset.Y[:-1], len(dataset)) == (rows, scores[:-1], 20)
        for folder in (dataset.basedir, Path(dataset.basedir, "datasets")):
            again = Dataset.load_from_directory(folder)
            assert (again.X, again.basedir) == (rows, dataset.basedir)
        # Restored, it goes on as before.
        dataset.add_sample(rows[0], 1.0)
        assert dataset.ids[-1] == 20
        dataset.save_dataset()
        assert len(Dataset.load_from_directory(dataset.basedir)) == 21

    def test_an_engine_restores_it(self, dataset):
        dataset.save_dataset()
        engine = SHAC(None, 20, 2, save_dir=dataset.basedir)
        engine.restore_data()
        assert engine.dataset.X == dataset.X

    def test_what_cannot_be_saved(self, space, tmp_path):
        with pytest.raises(ValueError, match="has no parameters: set them"):
            Dataset(basedir=tmp_path).save_dataset()
        engine = make_engine(tmp_path / "run")
        engine.fit(verbose=0)
        before = contents(tmp_path / "run")
        with pytest.raises(SaveDirectoryError, match=r"search of an engine, whose save_data\(\)"):
            Dataset(space, tmp_path / "run").save_dataset()
        assert contents(tmp_path / "run") == before

    def test_what_is_not_there(self, space, tmp_path):
        with pytest.raises(FileNotFoundError):
            Dataset(space, tmp_path / "new").restore_dataset()

    @pytest.mark.parametrize("name", ["basedir", "data_path", "parameter_path", "save_dataset"])
    def test_the_dataset_of_an_engine_has_no_files(self, name, tmp_path):
        engine = make_engine(tmp_path)
        for dataset in (engine.dataset, engine.dataset.copy()):
            with pytest.raises(AttributeError, match=r"save_dir of the engine.*save_data\(\)"):
                getattr(dataset, name)()

    def test_nor_are_its_samples_replaced(self, tmp_path):
        engine = make_engine(tmp_path)
        engine.fit(verbose=0)
        before = list(engine.dataset.X)
        with pytest.raises(
            AttributeError, match=r"fit_dataset\(\) learns from samples of your own"
        ):
            engine.dataset.set_dataset(before[:2], [1.0, 2.0])
        with pytest.raises(AttributeError, match=r"restore_data\(\) restores them"):
            engine.dataset.restore_dataset()
        assert before == engine.dataset.X


class TestSamples:
    def test_arrays_lists_and_tuples(self, dataset, space):
        rows = [space.sample() for _ in range(5)]
        texts = np.array([[str(value) for value in row] for row in rows])
        for form in (rows, tuple(rows), np.array(rows, dtype=object), texts):
            dataset.set_dataset(form, np.arange(5.0))
            assert rows == dataset.X
            assert (list(dataset.ids), dataset.Y) == ([*range(5)], [0.0, 1.0, 2.0, 3.0, 4.0])

    @pytest.mark.parametrize(("rows", "scores", "name"), [(None, [1], "X"), ([[1]], None, "Y")])
    def test_others_are_refused(self, dataset, rows, scores, name):
        with pytest.raises(TypeError, match=f"{name} must be a list, tuple or array. Got None"):
            dataset.set_dataset(rows, scores)

    def test_nothing_changes_if_a_row_is_wrong(self, dataset, space):
        before = list(dataset.X)
        with pytest.raises(ValueError, match="of one length. Got 1 and 2"):
            dataset.set_dataset([space.sample()], [1, 2])
        with pytest.raises(ValueError, match="must be one of"):
            dataset.set_dataset([space.sample(), [9, 0.1, 0.1, "x"]], [1, 2])
        assert before == dataset.X

    def test_encoded_and_decoded(self, dataset, space):
        encoded, labels = dataset.encode_dataset()
        assert labels.tolist() == [0.0] * 10 + [1.0] * 9 + [0.0]
        decoded = dataset.decode_dataset()
        assert (decoded.dtype, decoded.shape) == (object, (20, 4))
        assert decoded.tolist() == dataset.X == dataset.decode_dataset(encoded).tolist()

    def test_rows_of_ones_own(self, dataset, space):
        rows = [space.sample() for _ in range(5)]
        encoded, labels = dataset.encode_dataset(rows, [5, 1, 2, 3, 4], "min")
        assert encoded.tolist() == [space.encode(row).tolist() for row in rows]
        assert labels.tolist() == [0.0, 1.0, 1.0, 0.0, 0.0]
        assert np.isnan(dataset.encode_dataset(rows)[1]).all()
        assert dataset.encode_dataset(Y=[*range(20)])[1].sum() == 10
        assert dataset.encode_dataset([])[0].shape == (0, 4)
        with pytest.raises(ValueError, match=r"one score for each of the 5 rows. Got .* \(2,\)"):
            dataset.encode_dataset(rows, [1, 2])

    def test_parameters_of_a_row(self, dataset):
        expected = {"a": 1, "b": [0.2, 0.3], "c": None}
        assert dict(dataset.prepare_parameter([1, 0.2, 0.3, None])) == expected
        assert dict(dataset.prepare_parameter(np.array(["1", "0.2", "0.3", "None"]))) == expected


class TestSpellings:
    @pytest.mark.parametrize(
        ("call", "new"),
        [
            (lambda dataset: dataset.size, "len(dataset)"),
            (lambda dataset: len(dataset.get_parameters()), "parameters"),
        ],
    )
    def test_they_warn(self, dataset, call, new):
        with pytest.warns(DeprecationWarning, match="spelling of PySHAC 0.1 to 0.3") as caught:
            assert call(dataset) in (20, 3)
        assert str(caught[0].message).endswith(f"use {new}.")
        assert caught[0].filename == __file__

    def test_parameters_are_set_on_an_empty_dataset(self, space, dataset):
        empty = Dataset()
        with pytest.warns(DeprecationWarning, match="use parameters"):
            empty.set_parameters([UniformHP("x", 0, 1)])
        assert [parameter.name for parameter in empty.parameters] == ["x"]
        with (
            pytest.warns(DeprecationWarning, match="set_parameters"),
            pytest.raises(ValueError, match="cannot be changed"),
        ):
            dataset.set_parameters(space)
