"""Curves and limits on disk: saved with the search, restored, and read as untrusted input."""

from __future__ import annotations

import json
import math
import shutil
import warnings

import pytest

import pyshac
from pyshac import Curve, Dataset, SaveDirectoryError
from pyshac.core.basics import files
from pyshac.core.basics.results.curve import MAX_POINTS
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset.formats import curves_file
from pyshac.core.dataset.formats.curves_file import curve_line, read_curves
from pyshac.core.storage.journal import encode_line
from pyshac.core.storage.state_file import checksum
from tests.curves.searches import engine_in, rising, rows_of, space, states_of
from tests.engine.engine_helpers import run_script

FILE = "datasets/curves.jsonl"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    engine = engine_in(tmp_path_factory.mktemp("finished"))
    engine.fit(pruning="median", verbose=0)
    assert "pruned" in states_of(engine)
    return engine


@pytest.fixture
def copy_of(finished, tmp_path):
    path = tmp_path / "copy"
    shutil.copytree(finished.save_dir, path)
    return path


def open_batch(path):
    """An engine in the middle of its second batch, of which three samples are pruned or done."""
    engine = engine_in(path)
    samples = engine.ask(pruning="median")
    engine.tell(samples, [pyshac.evaluate(rising, sample) for sample in samples])
    samples = engine.ask(pruning="median")
    engine.tell(samples[:3], [pyshac.evaluate(rising, sample) for sample in samples[:3]])
    return engine


def rewrite_state(root, **changes):
    """Changes the state of a directory, whose checksums fit its files afterwards."""
    path = root / "state.json"
    state = json.loads(path.read_text())
    data = (root / FILE).read_bytes()
    state |= {"curves_bytes": len(data), "curves_sha256": files.digest(data), **changes}
    del state["sha256"]
    path.write_text(json.dumps({**state, "sha256": checksum(state)}))


class TestSaved:
    def test_everything_comes_back(self, finished, copy_of):
        for found in (
            engine_in(copy_of, resume=True).dataset,
            pyshac.SHAC.load(copy_of).dataset,
            Dataset.load_from_directory(copy_of),
        ):
            assert [found.details[place] for place in range(40)] == [
                finished.dataset.details[place] for place in range(40)
            ]
            assert found.details.curves.are_pruned.sum() == states_of(finished).count("pruned")

    def test_the_score_of_a_pruned_sample_is_empty(self, finished):
        lines = finished.dataset.to_csv().splitlines()[1:]
        empty = [line.endswith(",") for line in lines]
        assert empty == [state == "pruned" for state in states_of(finished)]

    def test_a_search_without_curves_is_written_as_before(self, tmp_path):
        engine = engine_in(tmp_path, lambda worker_id, parameters: parameters["x"], 16, 2)
        engine.fit(verbose=0)
        assert not (tmp_path / FILE).exists()
        state = json.loads((tmp_path / "state.json").read_text())
        assert not any(name.startswith("curves") for name in state)

    def test_the_journal_of_an_open_batch(self, tmp_path):
        engine = open_batch(tmp_path)
        text = (tmp_path / "journal.jsonl").read_text()
        assert text.count('"curve":') == 3
        assert text.count('"limits":[[1,') == 1
        for found in (engine_in(tmp_path, resume=True), pyshac.SHAC.load(tmp_path)):
            assert rows_of(found) == rows_of(engine)
        assert len(Dataset.load_from_directory(tmp_path).evaluations) == 11
        # A save in the middle of a batch writes what the journal had again.
        engine.save_data()
        assert rows_of(engine_in(tmp_path, resume=True)) == rows_of(engine)
        assert (
            pyshac.SHAC.load(tmp_path)._run.search.open.first.limits
            == engine._run.search.open.first.limits
        )

    def test_datasets_save_them_too(self, tmp_path):
        dataset = Dataset(space(), basedir=tmp_path)
        curve = Curve((0, 7), (math.nan, 0.5))
        dataset.add_sample([0.5, 0.5], 1.0, details=Details(curve=curve))
        dataset.add_sample([0.25, 0.5], 2.0)
        dataset.save_dataset()
        found = Dataset.load_from_directory(tmp_path)
        assert repr([found.details[place].curve for place in (0, 1)]) == repr([curve, None])
        dataset.clear()
        dataset.add_sample([0.5, 0.5], 1.0)
        dataset.save_dataset()
        assert not (tmp_path / FILE).exists()

    def test_the_longest_curves(self, tmp_path):
        steps = tuple(range(2**63 - MAX_POINTS, 2**63))
        curve = Curve(steps, (-1.2345678901234567e-300,) * MAX_POINTS, is_pruned=True)
        line = curve_line(2**63 - 1, curve)
        assert len(line) <= curves_file.MAX_LINE_BYTES
        path = tmp_path / "curves.jsonl"
        path.write_bytes(line)
        assert [*read_curves(path)] == [(2**63 - 1, curve)]


class TestCorrupted:
    GOOD = '{"id":0,"steps":[1,2],"scores":[0.5,null]}\n'

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ("{", "is not valid JSON"),
            ("[]\n", "not an object of a curve"),
            ('{"steps":[1],"scores":[0.5]}\n', "sample None is none"),
            ('{"id":true,"steps":[1],"scores":[0.5]}\n', "sample True is none"),
            ('{"id":1}\n', "sample 1 has no valid curve"),
            ('{"id":1,"steps":[1],"scores":[0.5],"more":1}\n', "sample 1 has no valid curve"),
            ('{"id":1,"steps":[],"scores":[]}\n', "1 to 10000 steps"),
            ('{"id":1,"steps":[1,2],"scores":[0.5]}\n', "1 to 10000 steps"),
            ('{"id":1,"steps":[2,2],"scores":[0.5,0.5]}\n', "sample 1: steps must ascend"),
            ('{"id":1,"steps":[-1],"scores":[0.5]}\n', "steps must ascend"),
            ('{"id":1,"steps":[1.0],"scores":[0.5]}\n', "steps must be a tuple of ints"),
            ('{"id":1,"steps":[true],"scores":[0.5]}\n', "steps must be a tuple of ints"),
            ('{"id":1,"steps":[9223372036854775808],"scores":[0.5]}\n', "steps must ascend"),
            ('{"id":1,"steps":1,"scores":[0.5]}\n', "no valid 'steps'"),
            ('{"id":1,"steps":[1],"scores":["a"]}\n', "no valid 'scores'"),
            ('{"id":1,"steps":[1],"scores":[Infinity]}\n', "no valid 'scores'"),
            ('{"id":1,"steps":[1],"scores":[1]}\n', "no valid 'scores'"),
            ('{"id":1,"steps":[1],"scores":[0.5],"pruned":false}\n', "or 'pruned'"),
            ('{"id":1,"steps":[1],"scores":[0.5]}', "has no end"),
            (f'{{"id":1,"steps":[1],"scores":[0.5{"0" * 600_000}]}}\n', "it is too long"),
            (f'{{"id":1,"steps":{[*range(10_001)]},"scores":{[0.5] * 10_001}}}\n',
             "1 to 10000 steps"),
        ],
    )  # fmt: skip
    def test_every_field_is_checked(self, copy_of, line, problem):
        if line == "{":
            line += "\n"
        (copy_of / FILE).write_text(self.GOOD + line)
        rewrite_state(copy_of)
        for read in (pyshac.SHAC.load, Dataset.load_from_directory):
            with pytest.raises(SaveDirectoryError, match=f"curves.jsonl'.* line.*{problem}"):
                read(copy_of)

    def test_a_pruned_sample_with_a_score(self, finished, copy_of):
        number = states_of(finished).index("complete")
        line = f'{{"id":{number},"steps":[1],"scores":[0.5],"pruned":true}}\n'
        (copy_of / FILE).write_text(line)
        rewrite_state(copy_of)
        for read in (pyshac.SHAC.load, Dataset.load_from_directory):
            with pytest.raises(SaveDirectoryError, match=f"sample {number} was pruned, and has a"):
                read(copy_of)

    def test_another_checksum_a_missing_file_and_a_link(self, copy_of):
        path = copy_of / FILE
        data = path.read_bytes()
        path.write_bytes(data.replace(b"0", b"1", 1))
        with pytest.raises(SaveDirectoryError, match="checksum does not match"):
            pyshac.SHAC.load(copy_of)
        path.unlink()
        with pytest.raises(SaveDirectoryError, match="curves.jsonl' is missing"):
            pyshac.SHAC.load(copy_of)
        (copy_of / "elsewhere").write_bytes(data)
        path.symlink_to(copy_of / "elsewhere")
        for read in (pyshac.SHAC.load, Dataset.load_from_directory):
            with pytest.raises(SaveDirectoryError, match="symbolic link"):
                read(copy_of)

    @pytest.mark.parametrize("name", ["curves_bytes", "curves_sha256"])
    @pytest.mark.parametrize("value", [-1, None, [], 1.5])
    def test_states(self, copy_of, name, value):
        rewrite_state(copy_of, **{name: value})
        with pytest.raises(SaveDirectoryError, match=name):
            pyshac.SHAC.load(copy_of)

    @pytest.mark.parametrize(
        "limits",
        ["a", [1], [[1]], [[1, "a"]], [[1, None]], [[1.0, 2.0]], [[-1, 2.0]], [[True, 2.0]],
         [[2, 1.0], [1, 1.0]], [[1, 1.0], [1, 2.0]], [[1, 1]], [[2**63, 1.0]]],
    )  # fmt: skip
    def test_limits_in_the_journal(self, tmp_path, limits):
        open_batch(tmp_path)
        path = tmp_path / "journal.jsonl"
        first, *rest = path.read_bytes().splitlines(keepends=True)
        record = {**json.loads(first.partition(b" ")[2]), "limits": limits}
        path.write_bytes(b"".join([encode_line(record), *rest]))
        for read in (pyshac.SHAC.load, Dataset.load_from_directory):
            with pytest.raises(SaveDirectoryError, match="line 1 is corrupt: batch 8 has no valid"):
                read(tmp_path)

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"curve": None}, "no valid curve"),
            ({"curve": {"steps": [1], "scores": [0.5], "id": 8}}, "no valid curve"),
            ({"curve": {"steps": [1], "scores": [0.5], "pruned": True}, "score": 1.0},
             "sample 8 was pruned, and has a score"),
        ],
    )  # fmt: skip
    def test_curves_in_the_journal(self, tmp_path, change, problem):
        open_batch(tmp_path)
        path = tmp_path / "journal.jsonl"
        first, second, *rest = path.read_bytes().splitlines(keepends=True)
        record = {**json.loads(second.partition(b" ")[2]), **change}
        path.write_bytes(b"".join([first, encode_line(record), *rest]))
        with pytest.raises(SaveDirectoryError, match=f"line 2 is corrupt: .*{problem}"):
            pyshac.SHAC.load(tmp_path)


SCRIPT = """
import os, sys
import pyshac
from tests.curves.searches import engine_in, rising
def function(worker_id, parameters):
    if len(engine.dataset) == int(sys.argv[2]):
        os._exit(9)
    return rising(worker_id, parameters)
engine = engine_in(sys.argv[1], function, resume=True)
engine.fit(pruning="median", verbose=0)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_it_had_not_been(finished, tmp_path):
    for number in (5, 13, 21, 34):
        assert run_script(SCRIPT, tmp_path, number).returncode == 9
    restored = engine_in(tmp_path, resume=True)
    assert len(restored.dataset) == 34
    restored.fit(pruning="median", verbose=0)
    assert rows_of(restored) == rows_of(finished)


def test_another_space_removes_curves_that_are_left_out(tmp_path):
    engine = engine_in(tmp_path, budget=8, batches=1)
    engine.fit(verbose=0)
    other = pyshac.HyperParameterList([pyshac.UniformHP("z", 0.0, 1.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        moved = pyshac.SHAC(rising, other, 8, 1, save_dir=tmp_path, resume=True)
    moved.save_data()
    assert not (tmp_path / FILE).exists()
    assert (tmp_path / "former-1" / FILE).exists()
