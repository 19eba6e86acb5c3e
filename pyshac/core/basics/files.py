"""Files: atomic writes, and reads that trust neither size nor content."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from pyshac.core.errors import SaveDirectoryError

MAX_JSON_BYTES = 2**24
MAX_CSV_BYTES = 2**31
MAX_JSON_DEPTH = 64
# JSON with this many values takes a few hundred megabytes of memory.
MAX_JSON_VALUES = 2**23
TEMPORARY_PREFIX = ".writing-"

_READ_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    # Without it, opening a named pipe waits for the other end.
    | getattr(os, "O_NONBLOCK", 0)
)
# Without it, opening a symbolic link opens the file behind it.
NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_TEMPORARY_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | NO_LINKS
# Errors of file systems that cannot change modes or flush a directory, such as FAT and CIFS.
_NOT_SUPPORTED = (errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_CHUNK_BYTES = 2**20


def digest(data: bytes | memoryview) -> str:
    """Returns the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Makes errors of the operating system name `path`; a full disk's error names no file."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        if error.filename2 is not None:
            # The temporary file that was to be renamed to the path.
            del error.filename2
        raise


def make_folder(path: Path) -> None:
    """Creates a folder and its missing parents, and flushes their entries to the disk.

    Raises:
        OSError: If it cannot be created.
        SaveDirectoryError: If it is a symbolic link.
    """
    refuse_link(path)
    missing = [path, *path.parents]
    missing = missing[: next((n for n, folder in enumerate(missing) if folder.exists()), 0)]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_directory(folder.parent)


def refuse_link(path: Path) -> None:
    """Raises `SaveDirectoryError` if `path` is a symbolic link."""
    if path.is_symlink():
        raise SaveDirectoryError(
            f"{str(path)!r} is a symbolic link, and none is followed inside a save directory."
        )


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces a file so that a reader sees the old or the new content, even after a power cut.

    Raises:
        OSError: If it cannot be written. The old content is untouched, unless only flushing the
            folder failed: then a reader sees the old or the new content.
    """
    with naming(path):
        mode = _mode_of(path)
        temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
        # The system applies the umask: whoever asks for it changes it for all threads.
        descriptor = os.open(temporary, _TEMPORARY_FLAGS, 0o666 if mode is None else mode)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if mode is not None and stat.S_IMODE(os.stat(temporary).st_mode) != mode:
                with _unless_not_supported():
                    os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        sync_directory(path.parent)


def temporaries_in(folder: Path) -> list[Path]:
    """Returns the temporary files in a folder."""
    found = folder.glob(f"{TEMPORARY_PREFIX}*")
    return [path for path in found if path.is_symlink() or path.is_file()]


def remove_temporaries(folder: Path) -> None:
    """Removes temporary files of killed writers from a folder to which nobody else writes."""
    for path in temporaries_in(folder):
        path.unlink(missing_ok=True)


def _mode_of(path: Path) -> int | None:
    """Returns the mode of an existing file; None if there is none."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_mode & 0o777 if stat.S_ISREG(status.st_mode) else None


@contextlib.contextmanager
def _unless_not_supported() -> Iterator[None]:
    """Overlooks that the file system does not support an operation."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise


def sync_directory(path: Path) -> None:
    """Flushes a directory's entries to the disk, if the system can do that.

    Raises:
        OSError: If that fails.
    """
    if not hasattr(os, "O_DIRECTORY"):
        return
    with naming(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with _unless_not_supported():
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_bounded(path: Path, limit: int) -> bytes:
    """Returns a regular file's content.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If it is not a regular file, or larger than `limit` bytes.
    """
    with open_bounded(path, limit) as file:
        data: bytes = file.read(os.fstat(file.fileno()).st_size)
    return data


@contextlib.contextmanager
def open_bounded(path: Path, limit: int) -> Iterator[BinaryIO]:
    """Opens a regular file for reading; raises as `read_bounded` does."""
    # Windows cannot open folders.
    if path.is_dir():
        raise SaveDirectoryError(f"{str(path)!r} is not a regular file.")
    with naming(path), open(os.open(path, _READ_FLAGS), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SaveDirectoryError(f"{str(path)!r} is not a regular file.")
        if status.st_size > limit:
            raise SaveDirectoryError(
                f"{str(path)!r} is larger than {limit} bytes: not a file of a search."
            )
        yield file


@contextlib.contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Opens a UTF-8 table for reading; a byte order mark at its start is dropped.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If it is not a regular file, is too large, or proves not to be UTF-8
            when it is read.
    """
    with open_bounded(path, MAX_CSV_BYTES) as file:
        try:
            yield io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        except UnicodeDecodeError as error:
            raise SaveDirectoryError(
                f"{str(path)!r} is not UTF-8 text: {error}. A spreadsheet saves such a file as "
                "'CSV UTF-8'."
            ) from None


def check_end(path: Path) -> None:
    """Raises `SaveDirectoryError` if a file's last line is not terminated."""
    with open_bounded(path, MAX_CSV_BYTES) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        if file.read(1) != b"\n":
            raise SaveDirectoryError(f"{str(path)!r} was cut short: its last line has no end.")


def digest_of_start(path: Path, length: int) -> str:
    """Returns the SHA-256 of the first `length` bytes of a file, as `digest` does.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If it is not a regular file, or too large.
    """
    checksum = hashlib.sha256()
    with open_bounded(path, MAX_CSV_BYTES) as file:
        while length > 0 and (chunk := file.read(min(length, _CHUNK_BYTES))):
            checksum.update(chunk)
            length -= len(chunk)
    return checksum.hexdigest()


def decode_text(data: bytes, path: Path) -> str:
    """Decodes the UTF-8 bytes of a file; a byte order mark at the start is dropped."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SaveDirectoryError(f"{str(path)!r} is not UTF-8 text: {error}.") from None


def parse_json(text: str, source: str) -> Any:
    """Parses JSON of a bounded size and depth.

    Raises:
        SaveDirectoryError: If it is not JSON, has too many values, or is nested too deeply.
    """
    check_json_size(text, source)
    try:
        value = json.loads(text)
        _check_depth(value, MAX_JSON_DEPTH)
    except (ValueError, RecursionError) as error:
        raise SaveDirectoryError(f"{source} is not valid JSON: {error}.") from None
    return value


def encode_json(content: Any, what: str) -> bytes:
    """Returns the content of a JSON file.

    Raises:
        SaveDirectoryError: If it is too large to be read again.
    """
    text = json.dumps(content, indent=4, ensure_ascii=False)
    check_json_size(text, what)
    data = text.encode("utf-8")
    if len(data) > MAX_JSON_BYTES:
        raise SaveDirectoryError(
            f"{what} takes {len(data)} bytes as JSON; at most {MAX_JSON_BYTES} can be saved."
        )
    return data


def check_json_size(text: str, source: str) -> None:
    """Raises `SaveDirectoryError` if JSON text may hold too many values.

    A value of two characters can take a hundred bytes of memory.
    """
    # One of these precedes every value and every key but the first.
    count = sum(map(text.count, ",:[{"))
    if count > MAX_JSON_VALUES:
        raise SaveDirectoryError(
            f"{source} has up to {count} values, more than the {MAX_JSON_VALUES} that a file of a "
            "search may hold."
        )


def _check_depth(value: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError(f"nested more than {MAX_JSON_DEPTH} levels deep")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    for item in value:
        _check_depth(item, depth - 1)
