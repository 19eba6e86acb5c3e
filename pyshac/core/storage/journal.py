"""The journal: the events since the last save, as lines with checksums.

A line consists of eight hexadecimal digits (the CRC-32 of the rest), a space, and a JSON object;
`journal_records` defines the objects.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyshac.core.basics import files
from pyshac.core.errors import SaveDirectoryError

logger = logging.getLogger("pyshac")

# The beginning of a line; a power cut may leave zeros in place of the rest.
_LINE_START = re.compile(rb"[0-9a-f]{8} |[0-9a-f]{0,8}\0*\Z")


def encode_line(record: dict[str, Any]) -> bytes:
    """Returns a record as a line of the journal.

    Raises:
        SaveDirectoryError: If it is too large to be read again.
    """
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    files.check_json_size(text, "A record of the journal")
    data = text.encode("utf-8")
    return b"%08x %s\n" % (zlib.crc32(data), data)


def append_records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Appends records and flushes them to the disk.

    Raises:
        OSError: If that fails. After this or any other exception the journal is as it was before,
            or, if it cannot even be truncated, ends with a torn line.
    """
    data = b"".join(encode_line(record) for record in records)
    with files.naming(path), open(path, "r+b", buffering=0) as file:
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


def read_records(path: Path) -> list[dict[str, Any]]:
    """Returns the journal's records; a torn last line is dropped with a warning.

    Raises:
        SaveDirectoryError: If another line is corrupt; the message names it.
    """
    try:
        data = files.read_bounded(path, files.MAX_CSV_BYTES)
    except FileNotFoundError:
        return []
    lines = data.split(b"\n")
    last = lines.pop()
    # The checksum proves that a line is whole even if its line end is missing or damaged.
    whole = next((line for line in (last, last[:-1]) if _is_whole(line)), None)
    if whole is not None:
        lines.append(whole)
    elif last and not _LINE_START.match(last):
        raise SaveDirectoryError(f"{str(path)!r}, line {len(lines) + 1} is corrupt: no record.")
    elif last:
        logger.warning(
            "%r: dropped the last line, which a crash cut short; its sample is evaluated again.",
            str(path),
        )
    return [_decode_line(line, f"{str(path)!r}, line {n}") for n, line in enumerate(lines, 1)]


def _is_whole(line: bytes) -> bool:
    checksum, _, data = line.partition(b" ")
    return checksum == b"%08x" % zlib.crc32(data)


def _decode_line(line: bytes, source: str) -> dict[str, Any]:
    if not _is_whole(line):
        raise SaveDirectoryError(f"{source} is corrupt: its checksum does not match.")
    data = line.partition(b" ")[2]
    record = files.parse_json(data.decode("utf-8", errors="replace"), source)
    if not isinstance(record, dict):
        raise SaveDirectoryError(f"{source} is corrupt: not a JSON object.")
    return record
