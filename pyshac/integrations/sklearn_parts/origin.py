"""Origin: what the search in a directory was begun with, so that it goes on with the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib

from pyshac.core.basics import files
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList

FILE = "search_cv.json"
_MAX_BYTES = 2**22
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")

# Texts and hashes by the names of arguments.
Origin = dict[str, str]


def text_of(value: Any) -> str:
    """Returns the text of an argument, the same in every process as far as it has such a text."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {text_of(item)}' for key, item in value.items())}}}"
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        return str(value.__qualname__)
    try:
        # Estimators abbreviate their texts otherwise.
        text = value.__repr__(N_CHAR_MAX=10**9)
    except TypeError:
        text = repr(value)
    return _ADDRESS.sub("", text)


def text_of_space(parameters: HyperParameterList) -> str:
    """Returns the text of a search space, without the seeds of its parameters."""
    entries = []
    for parameter in parameters:
        config = {key: item for key, item in parameter.get_config().items() if key != "seed"}
        entries.append([type(parameter).__name__, config, *map(str, parameter.conditions)])
    return text_of([*entries, *map(repr, parameters.constraints)])


def hash_of(value: Any) -> str:
    """Returns a hash of data; an empty text if it has none."""
    try:
        return str(joblib.hash(value))
    # What cannot be pickled raises all kinds of exceptions.
    except Exception:
        return ""


def check(path: Path, origin: Origin) -> None:
    """Raises `SaveDirectoryError` if a directory holds a search of another origin.

    Args:
        path: The save directory, which holds a run.
        origin: What the search is to go on with.
    """
    file = path / FILE
    advice = "Pass the original, or choose another save_dir."
    if not file.exists():
        raise SaveDirectoryError(
            f"save_dir {str(path)!r} holds a search that SHACSearchCV did not begin: it has no "
            f"{FILE}. Choose another save_dir."
        )
    text = files.decode_text(files.read_bounded(file, _MAX_BYTES), file)
    saved = files.parse_json(text, str(file))
    if not isinstance(saved, dict):
        raise SaveDirectoryError(f"{str(file)!r} is corrupt. Choose another save_dir.")
    for name, value in origin.items():
        if saved.get(name) == value:
            continue
        details = ""
        if not _is_hash(value) and isinstance(saved.get(name), str):
            details = f": {_cut(saved[name])}, not {_cut(value)}"
        raise SaveDirectoryError(
            f"save_dir {str(path)!r} holds a search that was begun with a different "
            f"{name}{details}. {advice}"
        )


def write(path: Path, origin: Origin) -> None:
    """Writes what a search begins with to its directory."""
    path.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path / FILE, files.encode_json(origin, "The origin of the search"))


def _is_hash(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{32}|", text) is not None


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}..."
