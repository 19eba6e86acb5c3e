"""`evaluations.jsonl`: what is written comes back, and what is wrong is refused."""

from __future__ import annotations

import json
import math

import pytest

from pyshac import SaveDirectoryError
from pyshac.core.basics.results.details import UNKNOWN, Details
from pyshac.core.dataset.formats.evaluations_file import MAX_LINE_BYTES, details_line, read_details

FULL = Details(
    1.75e9, 0.25, 3, "ValueError: \x00 'é'\n",
    {"i": 1, "f": 1.0, "b": True, "s": "1", "nan": math.nan, "low": -math.inf, "é\n": "\u2028"},
)  # fmt: skip


def read_back(path, data):
    path.write_bytes(data)
    return list(read_details(path))


def exactly(details):
    values = [(name, type(value), repr(value)) for name, value in details.extras.items()]
    return details.started, details.seconds, details.slot, details.failure, values


@pytest.mark.parametrize("details", [UNKNOWN, FULL, Details(extras={"x": -0.0})], ids=str)
def test_what_is_written_comes_back(tmp_path, details):
    line = details_line(7, details)
    ((number, found),) = read_back(tmp_path / "file", line)
    assert number == 7
    assert exactly(found) == exactly(details)
    # A crash may leave the file of a later save, whose first lines must be those of the earlier.
    assert details_line(number, found) == line


def test_lines_are_json_that_any_program_reads():
    def refuse(constant):
        raise ValueError(constant)

    record = json.loads(details_line(7, FULL), parse_constant=refuse)
    assert list(record) == ["id", "slot", "started", "seconds", "failure", "extras"]
    assert json.loads(details_line(7, UNKNOWN)) == {"id": 7}


def test_the_longest_line(tmp_path):
    extras = {"\x01" * 98 + f"{number:02}": "\x01" * 1_000 for number in range(64)}
    details = Details(-1.2345678901234567e10, 1e-300, 2**63 - 1, "\x01" * 2_500, extras)
    line = details_line(2**63 - 1, details)
    assert len(line) <= MAX_LINE_BYTES
    assert read_back(tmp_path / "file", line) == [(2**63 - 1, details)]


def test_only_the_first_bytes_are_read(tmp_path):
    first, second = details_line(0, FULL), details_line(1, UNKNOWN)
    path = tmp_path / "file"
    path.write_bytes(first + second + b"rubbish")
    assert [number for number, _ in read_details(path, len(first))] == [0]
    assert [number for number, _ in read_details(path, len(first + second))] == [0, 1]
    with pytest.raises(SaveDirectoryError, match="line 3 is corrupt: it has no end"):
        list(read_details(path))


@pytest.mark.parametrize(
    "record",
    [
        [], 1, None, {}, {"id": None}, {"id": True}, {"id": -1}, {"id": 1.0}, {"id": 2**63},
        {"id": 0, "other": 1}, {"id": 0, "slot": -1}, {"id": 0, "slot": 1.0},
        {"id": 0, "slot": True}, {"id": 0, "slot": 2**63}, {"id": 0, "started": 1},
        {"id": 0, "started": 1e300}, {"id": 0, "started": math.nan}, {"id": 0, "started": "now"},
        {"id": 0, "seconds": -1.0}, {"id": 0, "seconds": math.inf}, {"id": 0, "seconds": 1},
        {"id": 0, "failure": 1}, {"id": 0, "failure": "x" * 2501}, {"id": 0, "failure": "\ud800"},
        {"id": 0, "extras": []}, {"id": 0, "extras": None}, {"id": 0, "extras": {"": 1}},
        {"id": 0, "extras": {"score": 1}}, {"id": 0, "extras": {"x": None}},
        {"id": 0, "extras": {"x": [1]}}, {"id": 0, "extras": {"x": {}}},
        {"id": 0, "extras": {"x": {"__float__": "1"}}},
        {"id": 0, "extras": {"x": {"__float__": ["nan"]}}},
        {"id": 0, "extras": {"x": 2**63}}, {"id": 0, "extras": {"x": "x" * 1001}},
        {"id": 0, "extras": {str(number): 1 for number in range(65)}},
    ],
    ids=lambda record: repr(record)[:60],
)  # fmt: skip
def test_what_was_never_written(tmp_path, record):
    with pytest.raises(SaveDirectoryError, match="line 1 is corrupt"):
        read_back(tmp_path / "file", json.dumps(record).encode() + b"\n")


@pytest.mark.parametrize("data", [b"\n", b"{\n", b"\xff\n", b"[" * 1000 + b"\n", b"NaN\n"])
def test_what_is_no_json(tmp_path, data):
    with pytest.raises(SaveDirectoryError, match="line 1"):
        read_back(tmp_path / "file", data)


def test_a_line_that_never_ends(tmp_path):
    with pytest.raises(SaveDirectoryError, match="line 1 is corrupt: it is too long"):
        read_back(tmp_path / "file", b" " * (MAX_LINE_BYTES + 2))
