"""Paths from the user: absolute from the moment they are handed over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pyshac.core.basics import files


def absolute_path(name: str, value: Any) -> Path:
    """Returns a path that does not depend on the working directory; `~` is expanded.

    Args:
        name: The argument's name in the error.
        value: The path: a str, or an `os.PathLike` object such as a `Path`.

    Raises:
        FileNotFoundError: If it is relative to a working directory that has been removed.
        TypeError: If the value is not such a path; bytes are not.
        ValueError: If it has a NUL character.
    """
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise TypeError(
            f"{name} must be a path: a str or an os.PathLike object of one. Got {value!r} of type "
            f"{type(value).__name__} instead."
        )
    if "\0" in text:
        raise ValueError(f"{name} must be a path without NUL characters. Got {text!r} instead.")
    path = Path(os.path.expanduser(text))
    with files.naming(path):
        # Unlike os.path.abspath it keeps `..`, which after a symbolic link leads elsewhere.
        return path.absolute()


def output_path(name: str, value: Any) -> Path:
    """Returns the absolute path of a file that is to be written into a folder that is there.

    Args:
        name: The argument's name in the error.
        value: The path of the file.

    Raises:
        FileNotFoundError: If its folder does not exist.
        NotADirectoryError: If there is something else in the folder's place.
        TypeError: If the value is not such a path; bytes are not.
        ValueError: If it has a NUL character.
    """
    path = absolute_path(name, value)
    if path.parent.is_dir():
        return path
    asked = f"{name} must be a file in a folder that exists. Got {str(value)!r} instead, and "
    if path.parent.exists():
        raise NotADirectoryError(f"{asked}{str(path.parent)!r} is not a folder. Choose another.")
    raise FileNotFoundError(
        f"{asked}there is no folder {str(path.parent)!r}. Create it first, or choose another."
    )


def folder_path(name: str, value: Any) -> Path:
    """Returns the absolute path of a folder, which need not exist yet.

    Args:
        name: The argument's name in the error.
        value: The path of the folder.

    Raises:
        FileNotFoundError: If it is relative to a working directory that has been removed.
        NotADirectoryError: If there is something else in its place.
        TypeError: If the value is not such a path; bytes are not.
        ValueError: If it has a NUL character.
    """
    path = absolute_path(name, value)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(
            f"{name} must be a folder, or one that does not exist yet. Got {str(value)!r} instead, "
            "which is a file. Choose another."
        )
    return path


def shown_path(path: str | Path) -> str:
    """Returns a path for displays: without the working directory, if it lies in there."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
