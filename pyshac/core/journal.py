"""The journal: what happened since the last save, one checksummed line at a time.

A line is eight hexadecimal digits (the CRC-32 of the rest), a blank, and a JSON object: either
`{"batch": first number, "rows": [[value, ...], ...]}` when a batch was drawn, or
`{"id": number, "score": score or null, "worker": slot or null}` when a sample was scored.
"""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyshac.core import files
from pyshac.core.errors import SaveDirectoryError

logger = logging.getLogger("pyshac")


def encode_line(record: dict[str, Any]) -> bytes:
    """Returns a record as a line of the journal."""
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    data = text.encode("utf-8")
    return b"%08x %s\n" % (zlib.crc32(data), data)


def append(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Adds records at the end and flushes them to the disk.

    Raises:
        OSError: If that fails, and whatever else interrupts it; the journal is as it was before.
    """
    data = b"".join(encode_line(record) for record in records)
    with open(path, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            # A disk that fills up takes what fits and only complains the next time.
            while data:
                data = data[file.write(data) :]
            os.fsync(file.fileno())
        except BaseException:
            file.truncate(size)
            raise


def replace(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Replaces the whole journal by these records."""
    files.write_atomically(path, b"".join(encode_line(record) for record in records))


def read(path: Path) -> list[dict[str, Any]]:
    """Returns the journal's records; a torn last line is dropped with a warning.

    Raises:
        SaveDirectoryError: If another line is corrupt; the message names it.
    """
    try:
        data = files.read_bounded(path, files.MAX_CSV_BYTES)
    except FileNotFoundError:
        return []
    lines = data.split(b"\n")
    torn = lines.pop()
    records = [_decode_line(line, f"{str(path)!r}, line {n}") for n, line in enumerate(lines, 1)]
    if torn:
        logger.warning(
            "%s: dropped the last line, which a crash cut short; its sample is evaluated again.",
            path,
        )
    return records


def _decode_line(line: bytes, source: str) -> dict[str, Any]:
    checksum, _, data = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(data):
        raise SaveDirectoryError(f"{source} is corrupt: its checksum does not match.")
    record = files.parse_json(data.decode("utf-8", errors="replace"), source)
    if not isinstance(record, dict):
        raise SaveDirectoryError(f"{source} is corrupt: not a JSON object.")
    return record
