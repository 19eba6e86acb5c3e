"""Paths from the user: absolute at once, or refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyshac.core.basics.paths import absolute_path, output_path, shown_path


def test_a_relative_path_is_of_the_working_directory_of_now(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = absolute_path("save_dir", "study")
    monkeypatch.chdir("/")
    assert path == tmp_path / "study"
    assert absolute_path("save_dir", tmp_path / "x") == tmp_path / "x"
    assert absolute_path("save_dir", str(tmp_path / "x")) == tmp_path / "x"


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert absolute_path("save_dir", "~/study") == tmp_path / "study"
    assert absolute_path("save_dir", Path("~") / "study") == tmp_path / "study"


def test_the_parent_of_a_link_is_not_guessed(tmp_path, monkeypatch):
    (tmp_path / "far" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "inner")
    monkeypatch.chdir(tmp_path)
    assert absolute_path("save_dir", "link/../x").resolve() == tmp_path.resolve() / "far" / "x"


@pytest.mark.parametrize("value", [None, b"study", 3, ["study"], os.DirEntry])
def test_other_types_are_told_by_the_name_of_the_argument(value):
    with pytest.raises(TypeError, match=r"^save_dir must be a path: a str or an os\.PathLike"):
        absolute_path("save_dir", value)


def test_a_path_like_object_of_bytes_is_refused():
    class Bytes:
        def __fspath__(self):
            return b"study"

    with pytest.raises(TypeError, match="^to_file must be a path"):
        absolute_path("to_file", Bytes())


def test_a_nul_character_is_refused():
    with pytest.raises(ValueError, match="^to_file must be a path without NUL characters"):
        absolute_path("to_file", "a\0b")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the working directory")
def test_a_working_directory_that_is_gone_is_told(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert absolute_path("save_dir", tmp_path) == tmp_path
    with pytest.raises(FileNotFoundError, match="study"):
        absolute_path("save_dir", "study")


def test_a_file_needs_a_folder_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert output_path("to_file", "x.html") == tmp_path / "x.html"
    with pytest.raises(FileNotFoundError, match="^to_file must be .* no folder .*typo"):
        output_path("to_file", "typo/x.html")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="^to_file must be .*file' is not a folder"):
        output_path("to_file", "file/x.html")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_displays_leave_out_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "study") == "study"
    assert shown_path(str(tmp_path / "a" / "b")) == str(Path("a") / "b")
    assert shown_path(tmp_path.parent / "study") == str(tmp_path.parent / "study")
