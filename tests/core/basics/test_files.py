"""Files: replaced whole or not at all, and never read further than expected."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyshac.core.basics import files
from pyshac.core.errors import SaveDirectoryError


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Lets this process write no file longer than `size` bytes, like a disk that is full."""
    resource = pytest.importorskip("resource", reason="no limits on the size of files here")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class TestWriteAtomically:
    def test_content_is_written_and_replaced(self, tmp_path):
        path = tmp_path / "file"
        for data in (b"first, longer", b"second", b""):
            files.write_atomically(path, data)
            assert path.read_bytes() == data
        assert list(tmp_path.iterdir()) == [path]

    def test_a_failed_write_leaves_the_old_content_and_nothing_else(self, tmp_path):
        path = tmp_path / "file"
        files.write_atomically(path, b"old")
        with files_limited_to(1000), pytest.raises(OSError):
            files.write_atomically(path, b"new" * 1000)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_a_folder_that_is_not_there_fails(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            files.write_atomically(tmp_path / "no" / "file", b"x")

    @pytest.mark.skipif(os.name == "nt", reason="modes are a matter of POSIX systems")
    def test_modes_are_those_of_plain_files(self, tmp_path):
        path, plain = tmp_path / "file", tmp_path / "plain"
        plain.write_bytes(b"")
        files.write_atomically(path, b"x")
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
        path.chmod(0o640)
        files.write_atomically(path, b"y")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640

    @pytest.mark.skipif(os.name == "nt", reason="modes are a matter of POSIX systems")
    def test_no_other_thread_sees_another_umask(self, tmp_path):
        ended = threading.Event()

        def writes():
            while not ended.is_set():
                files.write_atomically(tmp_path / "file", b"x")
                (tmp_path / "file").unlink()

        writer = threading.Thread(target=writes)
        before = os.umask(0o077)
        writer.start()
        try:
            for number in range(2000):
                (tmp_path / f"{number % 10}").unlink(missing_ok=True)
                (tmp_path / f"{number % 10}").touch()
                assert stat.S_IMODE((tmp_path / f"{number % 10}").stat().st_mode) == 0o600
        finally:
            ended.set()
            writer.join()
            os.umask(before)

    @pytest.mark.skipif(os.name == "nt", reason="modes are a matter of POSIX systems")
    def test_what_is_private_is_so_from_its_first_byte(self, tmp_path, monkeypatch):
        path = tmp_path / "file"
        path.touch(mode=0o600)
        modes, sync = set(), os.fsync

        def looks(descriptor):
            modes.add(stat.S_IMODE(os.fstat(descriptor).st_mode))
            sync(descriptor)

        monkeypatch.setattr(files.os, "fsync", looks)
        monkeypatch.setattr(files, "sync_directory", lambda path: None)
        files.write_atomically(path, b"secret")
        assert modes == {0o600}


class TestReadBounded:
    def test_up_to_the_limit_and_not_beyond(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(b"12345")
        assert files.read_bounded(path, 5) == b"12345"
        with pytest.raises(SaveDirectoryError, match="file' is larger than 4 bytes"):
            files.read_bounded(path, 4)

    def test_nothing_there(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            files.read_bounded(tmp_path / "file", 5)

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(SaveDirectoryError, match="is not a regular file"):
            files.read_bounded(tmp_path, 5)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_a_pipe_is_no_file_and_is_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(SaveDirectoryError, match="pipe' is not a regular file"):
            files.read_bounded(tmp_path / "pipe", 5)


class TestDecodeText:
    def test_utf_8_with_and_without_a_byte_order_mark(self, tmp_path):
        assert files.decode_text("é漢".encode(), tmp_path) == "é漢"
        assert files.decode_text("é漢".encode("utf-8-sig"), tmp_path) == "é漢"

    def test_other_bytes_name_the_file(self):
        with pytest.raises(SaveDirectoryError, match="'some/file' is not UTF-8 text"):
            files.decode_text(b"\xe9", Path("some/file"))


class TestParseJson:
    def test_any_json_of_some_depth(self):
        value = {"a": [1, 1.5, None, {"b": ["x"]}]}
        assert files.parse_json(json.dumps(value), "it") == value
        assert files.parse_json("[" * 60 + "]" * 60, "it")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "{'a': 1}",
            "[1,]",
            "nope",
            "1" * 5000,
            "[" * 65 + "]" * 65,
            '{"a":' * 65 + "1" + "}" * 65,
        ]
        + ["[" * 100_000 + "]" * 100_000],
        ids=range(9),
    )
    def test_the_rest_names_its_source(self, text):
        with pytest.raises(SaveDirectoryError, match="^Line 3 is not valid JSON: "):
            files.parse_json(text, "Line 3")


def test_digest_is_sha_256():
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert files.digest(b"") == empty
    assert files.digest(b"x") != empty
