"""How a save directory is read and written: whole files or nothing, never more than expected."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyshac.core.errors import SaveDirectoryError

MAX_JSON_BYTES = 2**26
MAX_CSV_BYTES = 2**31
MAX_JSON_DEPTH = 64
TEMPORARY_PREFIX = ".writing-"


def digest(data: bytes) -> str:
    """Returns the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces a file so that a reader sees the old or the new content, even after a power cut.

    Raises:
        OSError: If it cannot be written; the old content is untouched.
    """
    mode = _mode_of(path)
    descriptor, temporary = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_directory(path.parent)


def remove_temporaries(folder: Path) -> None:
    """Removes what writers that were killed left in a folder; nobody may be writing there."""
    for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
        path.unlink(missing_ok=True)


def _mode_of(path: Path) -> int:
    """The mode of a file that is there, else the one that a plain `open` would give it."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def sync_directory(path: Path) -> None:
    """Flushes a directory's entries to the disk, where the system lets a directory be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bounded(path: Path, limit: int) -> bytes:
    """Returns a regular file's content.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If it is no regular file, or larger than `limit` bytes.
    """
    with _open_regular(path) as file:
        data: bytes = file.read(limit + 1)
    if len(data) > limit:
        raise SaveDirectoryError(
            f"{str(path)!r} is larger than {limit} bytes: not a file of a search."
        )
    return data


@contextlib.contextmanager
def _open_regular(path: Path) -> Iterator[Any]:
    if path.exists() and not path.is_file():
        raise SaveDirectoryError(f"{str(path)!r} is not a regular file.")
    with open(path, "rb") as file:
        yield file


def decode_text(data: bytes, path: Path) -> str:
    """Returns UTF-8 bytes of a file as text; a byte order mark at the start is dropped."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SaveDirectoryError(f"{str(path)!r} is not UTF-8 text: {error}.") from None


def parse_json(text: str, source: str) -> Any:
    """Returns parsed JSON of a bounded depth.

    Raises:
        SaveDirectoryError: If it is not JSON, or nested too deeply.
    """
    try:
        value = json.loads(text)
        _check_depth(value, MAX_JSON_DEPTH)
    except (ValueError, RecursionError) as error:
        raise SaveDirectoryError(f"{source} is not valid JSON: {error}.") from None
    return value


def _check_depth(value: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError(f"nested more than {MAX_JSON_DEPTH} levels deep")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    for item in value:
        _check_depth(item, depth - 1)
