"""What a stream was drawn from, corrupted: errors name the line, and nothing crashes."""

from __future__ import annotations

import json
import shutil
import zlib
from pathlib import Path

import pytest

from pyshac import SHAC, SaveDirectoryError
from pyshac.core.basics import files
from pyshac.core.storage.state_file import checksum
from tests.engine.engine_helpers import evaluate
from tests.paces.searches import engine_in, is_replayed

HOSTILE = [None, True, -1, 2**63, 10**30, 1.5, "1", [], {}, [[]]]
COUNTS = ["complete", "added", "budget", "batch_size"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A stream with a closed batch, and parts of the next one, with and without scores."""
    path = tmp_path_factory.mktemp("stream")
    engine = engine_in(path, "stream", None)
    engine.add({"x": 1.0, "kind": "1", "w": [0.5, 0.5]}, 1.0)
    samples = [sample for n in (3, 4, 4) for sample in engine.ask(n)]
    engine.tell(samples[:9], [evaluate(0, sample) for sample in samples[:9]])
    engine.ask(3)
    assert len(engine._run.search.open) == 2
    assert engine._run.search.num_complete == 8
    return path


@pytest.fixture
def directory(made, tmp_path):
    shutil.copytree(made, tmp_path / "shac")
    return tmp_path / "shac"


def change_draws(directory, place, change):
    """Changes a line of the draws, with checksums that match."""
    path, state_path = directory / "datasets" / "draws.jsonl", directory / "state.json"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    records[place] = change(records[place])
    data = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    path.write_bytes(data)
    state = json.loads(state_path.read_text())
    del state["sha256"]
    state |= {"draws_bytes": len(data), "draws_sha256": files.digest(data)}
    state_path.write_text(json.dumps({**state, "sha256": checksum(state)}))


def change_journal(directory, change):
    """Changes the last record of drawn samples in the journal; returns its line's number."""
    path = directory / "journal.jsonl"
    records = [json.loads(line.partition(" ")[2]) for line in path.read_text().splitlines()]
    place = max(place for place, record in enumerate(records) if "batch" in record)
    records[place] = change(records[place])
    lines = []
    for record in records:
        data = json.dumps(record).encode()
        lines.append(b"%08x %s\n" % (zlib.crc32(data), data))
    path.write_bytes(b"".join(lines))
    return place + 1


def test_unchanged_it_is_restored(directory):
    change_draws(directory, 1, lambda record: record)
    change_journal(directory, lambda record: record)
    assert is_replayed(SHAC.load(directory))


def refuse(directory, message):
    with pytest.raises(SaveDirectoryError, match=message):
        SHAC.load(directory)


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize("key", ["draw", "size", "enqueued", "since", "closed", *COUNTS])
def test_no_valid_value_in_the_draws(directory, key, value):
    if (key, value) == ("since", []):
        value = [7, 7]
    change_draws(directory, 1, lambda record: {**record, key: value})
    refuse(directory, "draws.jsonl', line 2 is corrupt")


@pytest.mark.parametrize("key", ["draw", "size", "enqueued", "since", "closed", *COUNTS])
def test_values_that_are_missing_in_the_draws(directory, key):
    change_draws(directory, 1, lambda record: {k: v for k, v in record.items() if k != key})
    refuse(directory, "draws.jsonl', line 2 is corrupt")


@pytest.mark.parametrize("record", [None, [], 1, "x", {}, {"draw": 0}])
def test_other_json_in_the_draws(directory, record):
    change_draws(directory, 0, lambda _: record)
    refuse(directory, "draws.jsonl', line 1 is corrupt")


@pytest.mark.parametrize(
    "change",
    [
        {"draw": 2}, {"draw": 5}, {"size": 2**40}, {"enqueued": 100}, {"since": [3]},
        {"since": [2**62]}, {"since": [0, 0]}, {"complete": 4}, {"added": 2}, {"budget": 4},
        {"budget": 0}, {"batch_size": 0}, {"closed": [3, 8]}, {"closed": [40]},
        {"closed": [40, 0]}, {"closed": [40, 8, 1]},
    ],
    ids=str,
)  # fmt: skip
def test_values_that_contradict_the_run(directory, change):
    change_draws(directory, 1, lambda record: {**record, **change})
    refuse(directory, r"draws.jsonl', line [23] is corrupt")


@pytest.mark.parametrize("value", [*HOSTILE, 2**62], ids=repr)
@pytest.mark.parametrize("key", ["since", *COUNTS])
def test_no_valid_value_in_the_journal(directory, key, value):
    if (key, value) == ("since", []) or (key, value) in [("budget", 2**62), ("batch_size", 2**62)]:
        pytest.skip("is valid")
    line = change_journal(directory, lambda record: {**record, key: value})
    refuse(directory, f"journal.jsonl', line {line} is corrupt")


@pytest.mark.parametrize("key", COUNTS)
def test_values_that_are_missing_in_the_journal(directory, key):
    line = change_journal(directory, lambda r: {k: v for k, v in r.items() if k != key})
    refuse(directory, f"journal.jsonl', line {line} is corrupt")


def test_scores_that_do_not_exist_or_count_twice(directory):
    change_journal(directory, lambda record: {**record, "since": [10]})
    refuse(directory, "journal.jsonl' is corrupt: samples were drawn from unknown scores")
    change_journal(directory, lambda record: {**record, "since": [0, 0]})
    refuse(directory, "journal.jsonl' is corrupt: samples were drawn from unknown scores")


@pytest.mark.parametrize("data", [b"", b"\0" * 50, b"{}\n", b"\xff\n"])
def test_files_that_do_not_match_their_checksum(directory, data):
    path = directory / "datasets" / "draws.jsonl"
    path.write_bytes(data)
    refuse(directory, "draws.jsonl' is corrupt")
    path.unlink()
    refuse(directory, "draws.jsonl' is missing")


def test_deep_json(directory):
    change_draws(directory, 0, lambda record: record)
    path = Path(directory / "datasets" / "draws.jsonl")
    data = b"[" * 100_000 + b"\n"
    path.write_bytes(data)
    state = json.loads((directory / "state.json").read_text())
    del state["sha256"]
    state |= {"draws_bytes": len(data), "draws_sha256": files.digest(data)}
    (directory / "state.json").write_text(json.dumps({**state, "sha256": checksum(state)}))
    refuse(directory, "draws.jsonl', line 1")
