"""The journal: lines that are whole or not there."""

from __future__ import annotations

import json
import logging
import math
import os
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pyshac.core.basics import plain_values
from pyshac.core.dataset.formats import journal_file
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.storage import journal
from tests import strategies
from tests.core.basics.test_files import files_limited_to
from tests.strategies import typed

RECORDS: list[dict[str, Any]] = [
    {"batch": 0, "rows": [[1, "two\nlines", None], [math.inf, "é", True]]},
    {"id": 0, "score": 0.1 + 0.2, "worker": 0},
    {"id": 1, "score": None, "worker": None},
]


@pytest.fixture
def path(tmp_path):
    journal.replace_records(tmp_path / "journal.jsonl", RECORDS)
    return tmp_path / "journal.jsonl"


def test_records_are_the_same_after_the_file(path):
    assert typed(journal_file.read_records(path)) == typed(RECORDS)
    journal.append_records(path, RECORDS[1:])
    assert typed(journal_file.read_records(path)) == typed(RECORDS + RECORDS[1:])
    journal.append_records(path, [])
    journal.replace_records(path, RECORDS[:1])
    assert typed(journal_file.read_records(path)) == typed(RECORDS[:1])
    journal.replace_records(path, [])
    assert path.read_bytes() == b""
    assert journal_file.read_records(path) == []


@given(st.lists(st.lists(strategies.plain_values, max_size=3), max_size=3))
def test_rows_of_any_values_are_the_same_after_the_file(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("run") / "journal.jsonl"
    journal.replace_records(path, [])
    journal.append_records(path, [{"batch": 0, "rows": plain_values.to_json(rows)}])
    (record,) = journal_file.read_records(path)
    assert typed(plain_values.from_json(record["rows"])) == typed(rows)


def test_a_line_is_a_checksum_and_json(path):
    for line, record in zip(path.read_bytes().splitlines(), RECORDS, strict=True):
        assert len(line.split(b" ", 1)[0]) == 8
        assert json.loads(line.split(b" ", 1)[1]) == record


def test_a_journal_that_is_not_there_is_empty(tmp_path):
    assert journal_file.read_records(tmp_path / "journal.jsonl") == []


def test_appending_needs_a_journal(tmp_path):
    with pytest.raises(FileNotFoundError):
        journal.append_records(tmp_path / "journal.jsonl", RECORDS)
    assert list(tmp_path.iterdir()) == []


def test_a_last_line_cut_short_anywhere_is_dropped_with_a_warning(path, caplog):
    data = path.read_bytes()
    start = len(data) - len(journal.encode_line(RECORDS[-1]))
    for end in range(start + 1, len(data) - 1):
        path.write_bytes(data[:end])
        caplog.clear()
        with caplog.at_level(logging.WARNING, "pyshac"):
            assert typed(journal_file.read_records(path)) == typed(RECORDS[:-1])
        assert "dropped the last line, which a crash cut short" in caplog.text
        assert str(path) in caplog.text
    path.write_bytes(data[:start])
    caplog.clear()
    assert len(journal_file.read_records(path)) == len(RECORDS) - 1
    assert caplog.text == ""


@pytest.mark.parametrize("end", [b"", b"\0", b"x", b"\x0b"])
def test_a_last_line_that_lacks_but_its_end_is_whole(path, end, caplog):
    path.write_bytes(path.read_bytes()[:-1] + end)
    assert typed(journal_file.read_records(path)) == typed(RECORDS)
    assert caplog.text == ""


def test_zeros_after_a_torn_line_are_dropped_with_it(path, caplog):
    """What a file system may leave after a power cut: the new length, but not the new content."""
    data = path.read_bytes()
    path.write_bytes(data[:-20] + b"\0" * 20)
    assert typed(journal_file.read_records(path)) == typed(RECORDS[:-1])
    path.write_bytes(data + b"\0" * 500)
    assert typed(journal_file.read_records(path)) == typed(RECORDS)
    assert caplog.text.count("dropped the last line") == 2


def test_any_changed_byte_is_found_and_its_line_named(path):
    data = path.read_bytes()
    for place in range(len(data) - 1):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        line = data[:place].count(b"\n") + 1
        with pytest.raises(SaveDirectoryError, match=f"line {line} is corrupt"):
            journal_file.read_records(path)
        assert path.stat().st_size == len(data)


def test_a_line_with_a_checksum_but_no_object_is_refused(path):
    path.write_bytes(journal.encode_line([1]))  # type: ignore[arg-type]
    with pytest.raises(SaveDirectoryError, match="line 1 is corrupt: not a JSON object"):
        journal_file.read_records(path)


@pytest.mark.parametrize("room", [0, 1, 20])
def test_a_disk_that_fills_up_leaves_the_journal_as_it_was(path, room):
    before = path.read_bytes()
    with files_limited_to(len(before) + room), pytest.raises(OSError):
        journal.append_records(path, RECORDS)
    assert path.read_bytes() == before
    journal.append_records(path, RECORDS)
    assert typed(journal_file.read_records(path)) == typed(RECORDS * 2)


def test_a_record_that_is_no_json_leaves_the_journal_as_it_was(path):
    before = path.read_bytes()
    with pytest.raises(TypeError):
        journal.append_records(path, [RECORDS[0], {"id": object()}])
    assert path.read_bytes() == before


def test_of_zeros_only_one_is_kept(path):
    """A sparse file has no end of them, and takes no room."""
    data = path.read_bytes()
    with open(path, "r+b") as file:
        file.truncate(2**26)
    with open(path, "rb") as file:
        assert sum(map(len, journal_file._lines(file))) == len(data) + 2**6
    assert typed(journal_file.read_records(path)) == typed(RECORDS)
    with open(path, "ab") as file:
        file.write(b"x")
    with pytest.raises(SaveDirectoryError, match="line 4 is corrupt: no record"):
        journal_file.read_records(path)
    path.write_bytes(data[:9] + b"\0" * 5000 + b"\n" + data)
    with pytest.raises(SaveDirectoryError, match="line 1 is corrupt: its checksum"):
        journal_file.read_records(path)


def test_a_journal_of_more_than_its_limit_is_refused(path):
    size = path.stat().st_size
    assert len(journal_file.read_records(path, size)) == 3
    with pytest.raises(SaveDirectoryError, match=f"is larger than {size - 1} bytes"):
        journal_file.read_records(path, size - 1)


@pytest.mark.skipif(os.name == "nt", reason="links need a permission there")
def test_a_link_is_not_written_through(path, tmp_path):
    outside = path.rename(tmp_path / "outside")
    path.symlink_to(outside)
    before = outside.read_bytes()
    with pytest.raises(OSError, match=r"journal\.jsonl"):
        journal.append_records(path, RECORDS[1:])
    assert outside.read_bytes() == before
