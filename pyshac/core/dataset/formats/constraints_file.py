"""`constraints.json`: the constraints of a search space, read as untrusted input.

The file contains relations as data, and functions only by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyshac.core.basics import files
from pyshac.core.basics.messages.printable import printable
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.constraints import (
    Forbidden,
    Less,
    LinearConstraint,
    MissingConstraint,
    Relation,
)
from pyshac.core.hyperparameters.constraints.constrained_list import AnyConstraint

_RELATIONS: dict[str, type[Relation]] = {
    "Forbidden": Forbidden,
    "Less": Less,
    "LinearConstraint": LinearConstraint,
}
_FUNCTION = "Constraint"


def encode_constraints(constraints: Sequence[AnyConstraint]) -> bytes:
    """Returns the content of a `constraints.json`.

    Raises:
        SaveDirectoryError: If it is too large to be read again.
    """
    content = [
        {"type": type(each).__name__, **each.get_config()}
        if isinstance(each, Relation)
        else {"type": _FUNCTION, "name": each.name}
        for each in constraints
    ]
    return files.encode_json(content, "The constraints of the search space")


def read_constraints(
    path: Path, parameters: HyperParameterList, known: Sequence[AnyConstraint] = ()
) -> HyperParameterList:
    """Returns a search space with the constraints of a file, or unchanged without such a file.

    Args:
        path: The file.
        parameters: The parameters.
        known: The user's own constraints. Their functions replace those of the same name.

    Raises:
        SaveDirectoryError: If the file is corrupt, or its constraints do not suit the parameters.
    """
    files.refuse_link(path)
    if not path.exists():
        return parameters
    text = files.decode_text(files.read_bounded(path, files.MAX_JSON_BYTES), path)
    content = files.parse_json(text, repr(str(path)))
    functions = {each.name: each for each in known if not isinstance(each, Relation)}
    try:
        if not isinstance(content, list):
            raise ValueError("not a list")
        constraints = [_constraint(each) for each in content]
        found = [
            functions.get(each.name, each) if isinstance(each, MissingConstraint) else each
            for each in constraints
        ]
        return HyperParameterList(parameters, constraints=found)
    except (TypeError, ValueError, KeyError, ArithmeticError, RuntimeError) as error:
        raise SaveDirectoryError(
            f"{str(path)!r} holds no constraints of the search space: {printable(str(error))}"
        ) from None


def _constraint(entry: Any) -> AnyConstraint:
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise ValueError("an entry has no type")
    config = {key: value for key, value in entry.items() if key != "type"}
    if entry["type"] == _FUNCTION:
        return MissingConstraint(**config)
    if entry["type"] not in _RELATIONS:
        known = [*_RELATIONS, _FUNCTION]
        raise ValueError(f"a type must be one of {known!r}, not {entry['type']!r}")
    return _RELATIONS[entry["type"]].load_from_config(config)
