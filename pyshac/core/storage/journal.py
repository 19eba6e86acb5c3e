"""The journal: the events since the last save, as lines with checksums; see `journal_file`."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyshac.core.basics import files
from pyshac.core.dataset.formats.journal_file import line_checksum

_APPEND_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0) | files.NO_LINKS


def encode_line(record: dict[str, Any]) -> bytes:
    """Returns a record as a line of the journal.

    Raises:
        SaveDirectoryError: If it is too large to be read again.
    """
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    files.check_json_size(text, "A record of the journal")
    data = text.encode("utf-8")
    return b"%s %s\n" % (line_checksum(data), data)


def append_records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Appends records and flushes them to the disk.

    Raises:
        OSError: If that fails. After this or any other exception the journal is as it was before,
            or, if it cannot even be truncated, ends with a torn line.
    """
    data = b"".join(encode_line(record) for record in records)
    with files.naming(path), open(os.open(path, _APPEND_FLAGS), "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            # A disk that fills up takes the part that fits, and only the next write fails.
            while data:
                data = data[file.write(data) :]
            os.fsync(file.fileno())
        except BaseException:
            # The original error is the one to report.
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise


def replace_records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Replaces the content of the journal."""
    files.write_atomically(path, b"".join(encode_line(record) for record in records))
