"""The dataset: samples, scores, and their CSV form."""

from __future__ import annotations

import csv
import io
import json
import math
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pyshac.core.basics import files, plain_values, seeding
from pyshac.core.dataset import Dataset, flatten_parameters
from pyshac.core.dataset.formats.csv_file import read_csv
from pyshac.core.dataset.formats.parameters_file import build_space, read_config
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import (
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    MultiDiscreteHP,
    MultiUniformHP,
    UniformHP,
)
from pyshac.core.hyperparameters.space.parameter_list import as_parameter_list
from tests import strategies
from tests.strategies import typed

NAN = math.nan
scores = st.one_of(st.just(NAN), st.floats(allow_nan=False, allow_infinity=False))


def fill(space: HyperParameterList, values: list[float], seed: int = 0) -> Dataset:
    dataset = Dataset(space)
    rows = space.draw(len(values), seeding.stream(seed, seeding.Purpose.DRAW))
    for row, value in zip(rows, values, strict=True):
        dataset.add_sample(space.decode(row), value)
    return dataset


def contents(dataset: Dataset) -> object:
    return typed([[list(row) for row in dataset.X], dataset.Y, dataset.ids])


def write_directory(folder: Path, dataset: Dataset) -> Path:
    """Writes the two files of a save directory that hold a dataset."""
    (folder / "datasets").mkdir()
    config = json.dumps(plain_values.to_json(dataset.parameters.get_config()))
    (folder / "datasets" / "parameters.json").write_text(config, encoding="utf-8")
    path = folder / "datasets" / "dataset.csv"
    path.write_text(dataset.to_csv(), encoding="utf-8", newline="")
    return path


@pytest.fixture
def space() -> HyperParameterList:
    return HyperParameterList(
        [DiscreteHP("d", ["x", 1, None]), IntegerHP("i", 0, 9), MultiUniformHP("u", 0, 1, False, 2)]
    )


@pytest.fixture
def folder(space: HyperParameterList, tmp_path: Path) -> Path:
    write_directory(tmp_path, fill(space, [1.0, NAN, 2.5]))
    return tmp_path


class TestCsvRoundTrip:
    @given(strategies.spaces(), st.lists(scores, max_size=4), st.integers(0, 99))
    def test_samples_are_the_same_after_csv(self, space, values, seed):
        dataset = fill(space, values, seed)
        again = Dataset(space)
        for number, row, score in read_csv(dataset.to_csv(), space, "file"):
            again.add_sample(row, score, int(number))
        assert contents(again) == contents(dataset)
        assert (again.encoded == dataset.encoded).all()

    @given(st.data())
    def test_files_hold_any_names_and_values(self, tmp_path_factory, data):
        space = data.draw(strategies.spaces())
        folder = tmp_path_factory.mktemp("run")
        dataset = fill(space, data.draw(st.lists(scores, max_size=3)))
        write_directory(folder, dataset)
        again = Dataset.load_from_directory(folder)
        assert contents(again) == contents(dataset)
        assert repr(again.parameters.get_config()) == repr(space.get_config())

    @pytest.mark.parametrize(
        "text",
        [
            'a,b"c"',
            "two\nlines",
            "a\rb",
            "a\r\nb",
            " blank ",
            "ünï 漢字 😀",
            "=1+1",
            "=cmd|'/C calc'!A0",
        ]
        + ["@SUM(A1)", "-1+2", "\t", "'", '"', '""', "1", "True", "None", "nan", "a;b", "\ufeffx"],
    )
    def test_awkward_names_and_values(self, text):
        space = HyperParameterList(
            [DiscreteHP(text, [text, 0]), MultiDiscreteHP(text + "m", [text])]
        )
        dataset = Dataset(space)
        dataset.add_sample([text, text], 1.0)
        table = list(csv.reader(io.StringIO(dataset.to_csv(), newline="")))
        assert table[0] == ["id", text, text + "m_1", "scores"]
        ((_, row, _),) = read_csv(dataset.to_csv(), space, "file")
        assert typed(row) == typed([text, text])

    def test_text_is_plain_csv(self, space):
        dataset = Dataset(space)
        dataset.add_sample(["x", 3, 0.25, 1.0], 0.1 + 0.2)
        dataset.add_sample([None, 0, 1e-300, 0.5], NAN)
        lines = dataset.to_csv().split("\n")
        assert lines == [
            "id,d,i,u_1,u_2,scores",
            "0,x,3,0.25,1.0,0.30000000000000004",
            "1,null,0,1e-300,0.5,",
            "",
        ]

    def test_csv_can_stop_before_a_sample(self, space):
        dataset = fill(space, [1.0, 2.0, 3.0])
        assert dataset.to_csv(2) == "".join(dataset.to_csv().splitlines(keepends=True)[:3])
        assert dataset.to_csv(0).splitlines() == ["id,d,i,u_1,u_2,scores"]

    @pytest.mark.parametrize("order", [[3, 2, 1, 0], [2, 0, 3, 1], [0, 1, 3, 2]])
    def test_rows_are_read_in_any_order(self, space, tmp_path, order):
        expected = fill(space, [1.0, NAN, 2.5, -0.5])
        path = write_directory(tmp_path, expected)
        header, *lines = path.read_text().splitlines(keepends=True)
        path.write_text(header + "".join(lines[number] for number in order))
        found = Dataset.load_from_directory(tmp_path)
        assert contents(found) == contents(expected)
        assert found.to_csv() == expected.to_csv()
        assert (found.encoded == expected.encoded).all()

    @pytest.mark.parametrize("places", [(0, 0), (0, 2), (2, 2)])
    def test_numbers_that_are_there_twice_are_refused(self, folder, places):
        path = folder / "datasets" / "dataset.csv"
        header, *lines = path.read_text().splitlines(keepends=True)
        first, second = places
        lines.insert(second + 1, lines[first])
        path.write_text(header + "".join(lines))
        with pytest.raises(SaveDirectoryError, match=f"Sample {first} has a score already"):
            Dataset.load_from_directory(folder)

    def test_line_ends_of_windows_and_a_byte_order_mark_are_read(self, folder):
        path = folder / "datasets" / "dataset.csv"
        before = contents(Dataset.load_from_directory(folder))
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        assert contents(Dataset.load_from_directory(folder)) == before

    def test_tables_of_pandas_are_read(self, space, tmp_path):
        pandas = pytest.importorskip("pandas")
        dataset = Dataset(space)
        dataset.add_sample([None, 3, 0.25, 1.0], 0.1)
        dataset.add_sample(["x", 0, 0.5, 0.0], NAN)
        dataset.add_sample([1, 9, 0.125, 0.75], -3.0)
        path = write_directory(tmp_path, dataset)
        pandas.read_csv(path).to_csv(path, index=False)
        assert contents(Dataset.load_from_directory(tmp_path)) == contents(dataset)


class TestSamples:
    def test_samples_are_numbered_and_kept_in_order(self, space):
        dataset = Dataset(space)
        dataset.add_sample(["x", 1, 0.1, 0.1], 1.0, 5)
        dataset.add_sample(["x", 2, 0.1, 0.1], 2.0)
        dataset.add_sample(["x", 3, 0.1, 0.1], 3.0, 2)
        assert dataset.ids == [2, 5, 6]
        assert dataset.Y == [3.0, 1.0, 2.0]
        assert dataset.encoded[:, 1].tolist() == [3, 1, 2]
        assert [line.split(",")[0] for line in dataset.to_csv().split()] == ["id", "2", "5", "6"]
        assert len(dataset) == 3

    @given(st.permutations(range(6)), st.integers(0, 6))
    def test_the_order_of_arrival_does_not_matter(self, order, count):
        space = HyperParameterList([IntegerHP("i", 0, 9), DiscreteHP("d", ["ä,", 1, None])])
        rows = [[number, ["ä,", 1, None][number % 3]] for number in range(6)]
        expected, dataset = Dataset(space), Dataset(space)
        for number in range(6):
            expected.add_sample(rows[number], number / 2, number)
            dataset.add_sample(rows[order[number]], order[number] / 2, order[number])
        for each in (expected, dataset):
            each.cut(count)
            assert list(each.X) == rows[:count]
        assert contents(dataset) == contents(expected)
        assert dataset.to_csv() == expected.to_csv()
        assert dataset.encoded.tolist() == expected.encoded.tolist()
        dataset.add_sample([9, "ä,"], 1.0, 7)
        assert dataset.to_csv() == expected.to_csv() + '7,9,"ä,",1.0\n'

    def test_a_sample_costs_little_more_memory_than_its_line(self):
        """What grows with a run: text, numbers of eight bytes, two Python numbers."""
        space = HyperParameterList([UniformHP("x", -5, 5), UniformHP("y", 0, 1)])
        dataset = Dataset(space)
        rows = space.draw(2000, seeding.stream(1, seeding.Purpose.DRAW)).tolist()
        dataset.add_sample(rows[0], 1.0)
        tracemalloc.start()
        for row in rows[1:]:
            dataset.add_sample(row, row[0])
        held = tracemalloc.get_traced_memory()[0] / len(rows)
        tracemalloc.stop()
        # 60 characters, 2 values twice, an id of 28 bytes and a score of 24 with a pointer each,
        # and an eighth more where arrays grow: 190. A list a row would take 150 more.
        assert held < 230

    def test_a_sample_is_a_mapping_or_a_row(self, space):
        dataset = Dataset(space)
        dataset.add_sample({"i": 1, "u": [0.1, 0.2], "d": None}, 1.0)
        dataset.add_sample((None, 1, 0.1, 0.2), 1.0)
        assert typed(dataset.X[0]) == typed(dataset.X[1]) == typed([None, 1, 0.1, 0.2])

    def test_numpy_values_become_what_a_file_gives_back(self, space):
        dataset = Dataset(space)
        dataset.add_sample([np.int64(1), np.int32(3), np.float64(0.5), 1], np.float32(0.5))
        assert typed(dataset.X[0]) == typed([1, 3, 0.5, 1.0])
        assert typed(dataset.Y[0]) == typed(0.5)

    def test_the_callers_row_is_not_kept(self, space):
        row = ["x", 1, 0.1, 0.2]
        dataset = Dataset(space)
        dataset.add_sample(row, 1.0)
        row[0] = "changed"
        assert dataset.X == [["x", 1, 0.1, 0.2]]

    @pytest.mark.parametrize(
        ("row", "score", "number", "error", "message"),
        [
            (["y", 1, 0.1, 0.1], 1.0, None, ValueError, "of 'd' must be one of ['x', 1, None]"),
            ([1.0, 1, 0.1, 0.1], 1.0, None, ValueError, "Got 1.0 instead"),
            (["x", 10, 0.1, 0.1], 1.0, None, ValueError, "of 'i' must be in [0, 9]. Got 10"),
            (["x", 1.0, 0.1, 0.1], 1.0, None, TypeError, "of 'i' must be an int. Got 1.0"),
            (["x", 1, 0.1, 1.1], 1.0, None, ValueError, "of 'u' must be in [0.0, 1.0]. Got 1.1"),
            (["x", 1, 0.1, NAN], 1.0, None, ValueError, "of 'u' must be finite. Got nan"),
            (["x", 1, 0.1], 1.0, None, ValueError, "A row must have 4 values"),
            ({"d": "x", "i": 1}, 1.0, None, ValueError, "names ['d', 'i', 'u']. Got ['d', 'i']"),
            (["x", 1, 0.1, 0.1], "good", None, TypeError, "score of sample 1 must be a number"),
            (
                ["x", 1, 0.1, 0.1],
                None,
                7,
                TypeError,
                "score of sample 7 must be a number. Got None",
            ),
            (["x", 1, 0.1, 0.1], 1.0, 0, ValueError, "Sample 0 has a score already"),
        ],
    )
    def test_a_refused_sample_leaves_the_dataset_as_it_was(
        self, space, row, score, number, error, message
    ):
        dataset = fill(space, [1.0])
        before = contents(dataset), dataset.to_csv(), dataset.encoded.tolist()
        with pytest.raises(error) as caught:
            dataset.add_sample(row, score, number)
        assert type(caught.value) is error
        assert message in str(caught.value)
        assert (contents(dataset), dataset.to_csv(), dataset.encoded.tolist()) == before

    def test_clear_forgets_all(self, space):
        dataset = fill(space, [1.0, 2.0])
        dataset.clear()
        assert (len(dataset), dataset.to_csv()) == (0, "id,d,i,u_1,u_2,scores\n")
        dataset.add_sample(["x", 1, 0.1, 0.1], 1.0)
        assert dataset.ids == [0]

    def test_parameters_are_fixed_once_there_are_samples(self, space):
        dataset = Dataset()
        assert dataset.parameters is None
        with pytest.raises(RuntimeError, match="has no parameters"):
            dataset.add_sample({}, 1.0)
        dataset.parameters = [UniformHP("a", 0, 1)]
        assert isinstance(dataset.parameters, HyperParameterList)
        dataset.parameters = space
        dataset.add_sample(["x", 1, 0.1, 0.1], 1.0)
        with pytest.raises(ValueError, match="holds samples cannot be changed"):
            dataset.parameters = [UniformHP("a", 0, 1)]


class TestViews:
    def test_get_dataset_keeps_types(self, space):
        dataset = Dataset(space)
        dataset.add_sample([None, 1, 0.5, 0.25], 1.0)
        dataset.add_sample(["x", 2, 0.5, 0.25], NAN)
        rows, values = dataset.get_dataset()
        assert rows.shape == (2, 4)
        assert typed(rows.tolist()) == typed(list(dataset.X))
        assert values.tolist()[0] == 1.0
        assert np.isnan(values[1])

    def test_tuples_stay_tuples(self):
        dataset = Dataset([DiscreteHP("a", [(1, 2), (3, 4)])])
        dataset.add_sample([(3, 4)], 1.0)
        assert dataset.get_dataset()[0][0, 0] == (3, 4)

    def test_encode_dataset_labels_the_better_half(self, space):
        dataset = fill(space, [1.0, 5.0, NAN, 3.0, 9.0])
        encoded, labels = dataset.encode_dataset()
        assert (encoded == dataset.encoded).all()
        assert (labels.dtype, labels.tolist()) == (np.float64, [0, 1, 0, 0, 1])
        assert dataset.encode_dataset(objective="min")[1].tolist() == [1, 0, 0, 1, 0]
        with pytest.warns(DeprecationWarning, match=r"use encode_dataset\(objective=objective"):
            assert dataset.encode_dataset("min")[1].tolist() == [1, 0, 0, 1, 0]
        with pytest.raises(ValueError, match="objective must be 'max' or 'min'. Got 'best'"):
            dataset.encode_dataset(objective="best")

    @pytest.mark.parametrize(
        ("values", "highest", "lowest"),
        [
            ([1, 3, 2], 1, 0),
            ([2, 2, 2], 0, 0),
            ([NAN, -1, -2], 1, 2),
            ([NAN], None, None),
            ([], None, None),
        ],
    )
    def test_the_first_best_sample(self, space, values, highest, lowest):
        dataset = fill(space, values)
        for objective, best in (("max", highest), ("min", lowest)):
            if best is None:
                assert dataset.get_best_parameters(objective) is None
                assert dataset.get_best_score(objective) is None
            else:
                expected = space.to_parameters(dataset.X[best])
                assert dataset.get_best_parameters(objective) == expected
                assert dataset.get_best_score(objective) == values[best]

    @pytest.mark.parametrize("method", ["get_best_parameters", "get_best_score"])
    def test_other_objectives_are_refused(self, space, method):
        with pytest.raises(ValueError, match="objective must be 'max' or 'min'. Got 'median'"):
            getattr(fill(space, [1.0]), method)("median")


class TestReadCsv:
    HEADER = "id,d,i,u_1,u_2,scores\n"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "",
                "line 1: expected the columns ['id', 'd', 'i', 'u_1', 'u_2', 'scores']; missing",
            ),
            ("id,d,i,u_1,scores\n", "missing ['u_2'], unexpected []"),
            ("id,d,i,u_1,u_2,extra,scores\n", "missing [], unexpected ['extra']"),
            ("id,d,i,u_1,u_two,scores\n", "missing ['u_2'], unexpected ['u_two']"),
            ("id,i,d,u_1,u_2,scores\n", "another order"),
            ("id,d,i,u_1,u_2,u_2,scores\n", "another order"),
            ("0,x,1,0.1,0.1,1\n", "missing ['id', 'd', 'i', 'u_1', 'u_2', 'scores']"),
            (HEADER + "0,x,1,0.1,1\n", "'file', line 2: expected 6 cells, got 5"),
            (HEADER + "0,x,1,0.1,0.1,1,2\n", "'file', line 2: expected 6 cells, got 7"),
            (
                HEADER + "0,x,1,0.1,0.1,1\n1,y,1,0.1,0.1,1\n",
                "line 3, column 'd': A value of 'd' must",
            ),
            (
                HEADER + "0,x,10,0.1,0.1,1\n",
                "line 2, column 'i': A value of 'i' must be in [0, 9]. Got",
            ),
            (
                HEADER + "0,x,1.5,0.1,0.1,1\n",
                "line 2, column 'i': A value of 'i' must be a whole num",
            ),
            (
                HEADER + "0,x,1,0.1,1.5,1\n",
                "line 2, column 'u_2': A value of 'u' must be in [0.0, 1.0]",
            ),
            (HEADER + "0,x,1,0.1,,1\n", "line 2, column 'u_2'"),
            (
                HEADER + "0,x,1,nan,0.1,1\n",
                "line 2, column 'u_1': A value of 'u' must be finite. Got nan",
            ),
            (
                HEADER + "0,x,1,0.1,0.1,good\n",
                "line 2, column 'scores': expected a number, got 'good'",
            ),
            (HEADER + '0,x,1,0.1,0.1,"1\n', "'file', line 2: unexpected end of data"),
            (HEADER + '0,"x"y,1,0.1,0.1,1\n', "'file', line 2: "),
        ],
        ids=range(18),
    )
    def test_what_is_wrong_is_named_with_its_line(self, space, text, message):
        with pytest.raises(ValueError) as caught:
            list(read_csv(text, space, "file"))
        assert type(caught.value) is ValueError
        assert message in str(caught.value)

    def test_lines_are_counted_as_an_editor_does(self):
        space = HyperParameterList([DiscreteHP("a", ["two\nlines", "b"])])
        text = 'id,a,scores\n0,"two\nlines",1\n1,c,1\n'
        with pytest.raises(ValueError, match="line 4, column 'a'"):
            list(read_csv(text, space, "file"))

    @pytest.mark.parametrize(
        ("text", "score"), [("", NAN), ("nan", NAN), ("-1e5", -1e5), (" 2 ", 2.0)]
    )
    def test_scores(self, space, text, score):
        ((_, _, found),) = read_csv(self.HEADER + f"0,x,1,0.1,0.1,{text}\n", space, "file")
        assert found == score or (math.isnan(found) and math.isnan(score))


class TestLoad:
    def test_nothing_there(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            Dataset.load_from_directory(tmp_path)

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("parameters.json", "{", "parameters.json' is not valid JSON"),
            ("parameters.json", "[1]", "parameters.json' holds no search space"),
            ("parameters.json", '{"d": 5}', "parameters.json' holds no search space: 'd' has no"),
            ("parameters.json", '{"d": ["Nobody", {}]}', "no hyperparameter type 'Nobody'"),
            ("parameters.json", '{"d": ["UniformHP", {"name": "d"}]}', "holds no search space"),
            ("parameters.json", "[" * 100_000, "parameters.json' is not valid JSON"),
            ("dataset.csv", "", "dataset.csv', line 1: expected the columns"),
            (
                "dataset.csv",
                "id,d,i,u_1,u_2,scores\n0,z,1,0.1,0.1,1\n",
                "dataset.csv', line 2, column 'd'",
            ),
            (
                "dataset.csv",
                "id,d,i,u_1,u_2,scores\nx,x,1,0.1,0.1,1\n",
                "'id': expected a whole number",
            ),
            ("dataset.csv", "id,d,i,u_1,u_2,scores\n-1,x,1,0.1,0.1,1\n", "got '-1'"),
            ("dataset.csv", "id,d,i,u_1,u_2,scores\n²,x,1,0.1,0.1,1\n", "got '²'"),
            (
                "dataset.csv",
                "id,d,i,u_1,u_2,scores\n" + "0,x,1,0.1,0.1,1\n" * 2,
                "Sample 0 has a score",
            ),
        ],
        ids=range(12),
    )
    def test_corrupt_files_are_named_and_left_alone(self, folder, name, text, message):
        path = folder / "datasets" / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SaveDirectoryError) as caught:
            Dataset.load_from_directory(folder)
        assert message in str(caught.value)
        assert path.read_text(encoding="utf-8") == text
        assert len(list((folder / "datasets").iterdir())) == 2

    @pytest.mark.parametrize("name", ["parameters.json", "dataset.csv"])
    def test_bytes_that_are_no_text_are_named(self, folder, name):
        (folder / "datasets" / name).write_bytes(b"\xff\xfe\x00")
        with pytest.raises(SaveDirectoryError, match=f"{name}' is not UTF-8 text"):
            Dataset.load_from_directory(folder)

    def test_a_file_cut_short_is_named(self, folder):
        path = folder / "datasets" / "dataset.csv"
        path.write_bytes(path.read_bytes()[:-30])
        with pytest.raises(SaveDirectoryError, match="dataset.csv', line"):
            Dataset.load_from_directory(folder)

    def test_a_file_beyond_the_limit_is_refused(self, folder, monkeypatch):
        monkeypatch.setattr(files, "MAX_CSV_BYTES", 20)
        with pytest.raises(SaveDirectoryError, match="dataset.csv' is larger than 20 bytes"):
            Dataset.load_from_directory(folder)

    def test_nothing_in_a_config_can_run_code(self, tmp_path):
        path = tmp_path / "parameters.json"
        for name in ("os.system", "DistributionHP"):
            arguments = {"name": "a", "distribution": "os", "args": ["true"], "kwds": {}}
            path.write_text(json.dumps({"a": [name, {**arguments, "log_encode": False}]}))
            with pytest.raises(SaveDirectoryError, match="holds no search space"):
                build_space(read_config(path), path)


def test_flatten_parameters():
    sample = {"a": 1, "b": [0.5, 0.25], "c": (3, 3), "d": None}
    assert flatten_parameters(sample) == [1, 0.5, 0.25, (3, 3), None]
    assert flatten_parameters(list(sample.values())) == [1, 0.5, 0.25, (3, 3), None]
    assert flatten_parameters({}) == []


def test_flattened_parameters_are_the_row(space):
    row = space.decode(space.draw(1, seeding.stream(1, seeding.Purpose.DRAW))[0])
    assert flatten_parameters(space.to_parameters(row)) == row


@pytest.mark.parametrize("wrong", [5, "ab", {"a": 1}, UniformHP("a", 0, 1)])
def test_what_is_no_list_of_parameters_is_refused(wrong):
    with pytest.raises(TypeError, match="hyperparameter_list must be a list of hyperparameters"):
        as_parameter_list(wrong)


def test_numbers_may_be_read_while_samples_are_added():
    """NumPy looks at a column directly, and no column grows while somebody does."""
    dataset = Dataset([UniformHP("x", 0.0, 1.0)])
    is_over = threading.Event()

    def read():
        while not is_over.is_set():
            numbers = np.asarray(dataset.ids)
            assert (numbers == np.arange(len(numbers))).all()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(5000):
            dataset.add_sample([0.5], 0.0, number)
    finally:
        is_over.set()
        reader.join()
    assert len(dataset) == len(dataset.X) == len(dataset.Y) == 5000
