"""Looking up evaluations of a dataset: records, the best of them, and data frames."""

from __future__ import annotations

import copy
import math
import pickle
import sys
from collections import OrderedDict
from datetime import datetime, timezone

import numpy as np
import pytest

from pyshac import Dataset, DiscreteHP, Evaluation, UniformHP
from pyshac.core.basics.results.details import Details

SPACE = [UniformHP("x", 0, 1), DiscreteHP("kind", ["a", "b"])]


def details_of(number):
    return Details(1.75e9 + number, number / 2, number % 2, None, {"loss": float(number)})


@pytest.fixture
def dataset():
    dataset = Dataset(SPACE)
    for number, score in ((4, 0.5), (0, 0.25), (2, math.nan), (1, 0.5), (3, -1.0)):
        dataset.add_sample([number / 8, "a"], score, number, details_of(number))
    return dataset


def losses(dataset):
    return [found.extras["loss"] for found in dataset.evaluations]


class TestRecords:
    def test_they_come_in_order(self, dataset):
        assert [found.number for found in dataset.evaluations] == [0, 1, 2, 3, 4]
        assert losses(dataset) == [0.0, 1.0, 2.0, 3.0, 4.0]

    def test_what_they_hold(self, dataset):
        first = dataset.evaluations[1]
        assert first == Evaluation(
            1, {"x": 0.125, "kind": "a"}, 0.5, "complete", None,
            datetime.fromtimestamp(1.75e9 + 1, timezone.utc), 0.5, 1, {"loss": 1.0},
        )  # fmt: skip
        assert type(first.parameters) is dict
        assert type(first.extras) is dict
        failed = dataset.evaluations[2]
        assert (failed.state, math.isnan(failed.score)) == ("failed", True)

    def test_they_are_copies(self, dataset):
        found = dataset.evaluations[0]
        found.extras["loss"] = found.parameters["x"] = 9.0
        assert dataset.evaluations[0].extras == {"loss": 0.0}
        assert dataset.evaluations[0].parameters["x"] == 0.0
        with pytest.raises(AttributeError):
            found.score = 1.0

    def test_what_is_not_known_is_none(self):
        dataset = Dataset(SPACE)
        dataset.add_sample([0.5, "b"], {"score": 0.5, "note": "x"})
        (found,) = dataset.evaluations
        assert (found.started, found.seconds, found.slot, found.failure) == (None,) * 4
        assert found.extras == {"note": "x"}
        with pytest.raises(TypeError, match="sample 1 has None of type NoneType as 'note'"):
            dataset.add_sample([0.5, "b"], {"score": 0.5, "note": None})

    def test_an_empty_dataset(self):
        assert Dataset(SPACE).evaluations == Dataset(SPACE).top() == Dataset().top() == []


class TestTop:
    def test_the_best_come_first_and_failed_ones_never(self, dataset):
        assert [found.number for found in dataset.top()] == [1, 4, 0, 3]
        assert [found.number for found in dataset.top(2)] == [1, 4]
        assert [found.number for found in dataset.top(99, objective="min")] == [3, 0, 1, 4]

    @pytest.mark.parametrize("n", [0, -1])
    def test_numbers_out_of_range(self, dataset, n):
        with pytest.raises(ValueError, match=f"n must be an int of at least 1. Got {n}"):
            dataset.top(n)

    @pytest.mark.parametrize("n", ["2", 2.0, None, True])
    def test_what_is_no_number(self, dataset, n):
        with pytest.raises(TypeError, match="n must be an int of at least 1"):
            dataset.top(n)

    def test_a_numpy_int(self, dataset):
        assert len(dataset.top(np.int64(1))) == 1

    def test_another_objective(self, dataset):
        with pytest.raises(ValueError, match="objective must be"):
            dataset.top(1, "best")


class TestBestParameters:
    def test_they_print_as_a_dict(self, dataset):
        best = dataset.get_best_parameters()
        assert isinstance(best, OrderedDict)
        assert repr(best) == str(best) == "{'x': 0.125, 'kind': 'a'}"
        best.move_to_end("x")
        assert repr(best) == "{'kind': 'a', 'x': 0.125}"

    def test_their_pickle_needs_nothing_of_ours(self, dataset):
        best = dataset.get_best_parameters()
        assert b"pyshac" not in pickle.dumps(best)
        for same in (pickle.loads(pickle.dumps(best)), copy.copy(best), copy.deepcopy(best)):
            assert same == best
            assert isinstance(same, OrderedDict)


class TestDetailsFollowTheirSamples:
    def test_copies(self, dataset):
        copied = dataset.copy()
        dataset.add_sample([0.5, "a"], 1.0, 9, details_of(9))
        assert losses(copied) == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert losses(dataset)[-1] == 9.0

    def test_cutting(self, dataset):
        dataset.cut(2)
        assert losses(dataset) == [0.0, 1.0]
        assert dataset.details.to_bytes().count(b"\n") == 2

    def test_clearing(self, dataset):
        dataset.clear()
        assert (dataset.evaluations, dataset.details.to_bytes()) == ([], b"")

    def test_saving(self, dataset, tmp_path):
        own = Dataset(SPACE, basedir=tmp_path)
        own._take_over(dataset)
        own._basedir = tmp_path
        own.save_dataset()
        again = Dataset.load_from_directory(tmp_path)
        assert repr(again.evaluations) == repr(dataset.evaluations)

    def test_a_dataset_file_in_another_order(self, dataset, tmp_path):
        self.test_saving(dataset, tmp_path)
        path = tmp_path / "datasets" / "dataset.csv"
        header, *lines = path.read_text().splitlines(keepends=True)
        path.write_text(header + "".join(lines[::-1]))
        again = Dataset.load_from_directory(tmp_path)
        assert repr(again.evaluations) == repr(dataset.evaluations)

    def test_samples_of_which_the_file_knows_nothing(self, dataset, tmp_path):
        self.test_saving(dataset, tmp_path)
        path = tmp_path / "datasets" / "evaluations.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[1:]) + '{"id":77,"seconds":1.0}\n')
        first, second, *_ = Dataset.load_from_directory(tmp_path).evaluations
        assert (first.seconds, second.seconds) == (None, 0.5)
        path.unlink()
        found = Dataset.load_from_directory(tmp_path).evaluations
        assert [each.extras for each in found] == [{}] * 5


def test_an_evaluation_takes_little_memory():
    table = Dataset(SPACE).details
    for number in range(20_000):
        table.insert(number, number, Details(1.75e9 + number / 7, number / 3, number % 8))
        table.pack()
    columns = table._rows._columns
    packed = sum(len(part.text) + len(part.lengths) for part in table._lines._parts.packed)
    values = sum(sys.getsizeof(column._values) for column in columns)
    assert (values + packed) / 20_000 < 110


class TestDataFrames:
    @pytest.fixture(autouse=True)
    def pandas(self):
        return pytest.importorskip("pandas")

    def test_columns_in_order(self, dataset):
        frame = dataset.to_dataframe()
        assert list(frame.columns) == [
            "x", "kind", "scores", "state", "started", "seconds", "slot", "failure", "loss",
        ]  # fmt: skip
        assert frame["state"].tolist() == ["complete", "complete", "failed", *["complete"] * 2]
        assert list(frame["state"].cat.categories) == ["complete", "failed", "pruned"]
        assert frame["started"][1].to_pydatetime() == dataset.evaluations[1].started
        assert str(frame["started"].dtype) == "datetime64[us, UTC]"
        assert (str(frame["slot"].dtype), frame["slot"].tolist()) == ("Int64", [0, 1, 0, 1, 0])
        assert frame["seconds"].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
        assert frame["loss"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]

    def test_what_is_not_known(self):
        dataset = Dataset(SPACE)
        dataset.add_sample([0.5, "b"], 1.0)
        frame = dataset.to_dataframe()
        names = ["started", "seconds", "slot", "failure"]
        assert frame[names].isna().all(axis=None)
        assert [str(frame[name].dtype) for name in names] == [
            "datetime64[us, UTC]", "float64", "Int64", "object",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("values", "dtype"),
        [
            ([1, 2, 3], "int64"), ([1, None, 3], "float64"), ([1, 2.5, None], "float64"),
            ([0.5, math.nan, 1.0], "float64"), ([True, False, True], "bool"),
            ([True, None, False], "object"), (["a", "b", None], "object"),
            ([2**60 + 1, None, 1], "object"), ([1, "a", True], "object"),
        ],
        ids=repr,
    )  # fmt: skip
    def test_types_of_extras(self, values, dtype):
        dataset = Dataset(SPACE)
        for value in values:
            extras = {} if value is None else {"extra": value}
            dataset.add_sample([0.5, "a"], {"score": 1, **extras})
        column = dataset.to_dataframe()["extra"]
        assert str(column.dtype) == dtype
        for found, value in zip(column.tolist(), values, strict=True):
            assert found == value or (found != found or found is None)

    def test_names_that_are_taken(self):
        dataset = Dataset([UniformHP("slot", 0, 1), UniformHP("extra_x", 0, 1)])
        result = {"score": 1, "x": 1, "seconds": 2, "scores": 3, "slot": 4, "extra_slot": 5}
        dataset.add_sample([0.5, 0.25], result, 0, Details(slot=7))
        frame = dataset.to_dataframe()
        assert list(frame.columns) == [
            "slot", "extra_x", "scores", "state", "started", "seconds", "extra_slot", "failure",
            "x", "extra_seconds", "extra_scores", "extra_extra_slot", "extra_extra_extra_slot",
        ]  # fmt: skip
        assert frame.iloc[0]["extra_slot"] == 7
        assert frame.iloc[0]["extra_extra_slot"] == 4
        assert frame.iloc[0]["extra_extra_extra_slot"] == 5
