"""`parameters.json`: a search space, read as untrusted input.

The cost of building a search space grows with its numbers of parameters and values, so these are
limited. The user's own parameters replace equal ones of the file and have no such limits.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from pyshac.core.basics import files, plain_values
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import AbstractHyperParameter, HyperParameterList
from pyshac.core.hyperparameters.registry import parameter_of

# Building a space of this size takes a few seconds.
MAX_PARAMETERS = 1000
MAX_VALUES = 2**18
# With the worst arguments each takes a fifth of a second to check.
MAX_DISTRIBUTIONS = 50
# Each row that is read asks all of them, which takes some milliseconds then.
MAX_CONDITIONS = 2000


def read_config(path: Path) -> Any:
    """Returns the JSON of a `parameters.json`.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If it is not JSON, or is too large.
    """
    text = files.decode_text(files.read_bounded(path, files.MAX_JSON_BYTES), path)
    return files.parse_json(text, repr(str(path)))


def build_space(
    content: Any, path: Path, known: HyperParameterList | None = None
) -> HyperParameterList:
    """Builds the search space that the JSON of a `parameters.json` describes.

    Args:
        content: The JSON.
        path: The file, for errors.
        known: The user's own parameters, which replace equal ones.

    Raises:
        SaveDirectoryError: If the JSON does not describe a space, names an unknown type, or may
            take too long to build.
    """
    try:
        return _build(content, known)
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise SaveDirectoryError(f"{str(path)!r} holds no search space: {error}") from None


def _build(content: Any, known: HyperParameterList | None) -> HyperParameterList:
    if not isinstance(content, dict):
        raise ValueError("not an object of parameters")
    ours = {} if known is None else _known_entries(known)
    unknown = {
        name: entry
        for name, entry in content.items()
        if name not in ours or _identity(entry) != ours[name][0]
    }
    _check_costs(unknown)
    return HyperParameterList(
        [
            parameter_of(name, plain_values.from_json(entry))
            if name in unknown
            else _copied(ours[name][1], entry)
            for name, entry in content.items()
        ]
    )


def _known_entries(known: HyperParameterList) -> dict[str, tuple[str, AbstractHyperParameter]]:
    """Returns, by name, each built-in parameter of a user and its identity."""
    config = plain_values.to_json(known.get_config())
    return {
        parameter.name: (str(_identity(config[parameter.name])), parameter)
        for parameter in known
        if parameter.column_kind.is_built_in
    }


def _identity(entry: Any) -> str | None:
    """Returns a text that is equal for parameters that differ only in their seeds."""
    if not (isinstance(entry, list) and len(entry) in (2, 3) and isinstance(entry[1], dict)):
        return None
    # Text distinguishes 1, 1.0 and True, which compare equal.
    arguments = {key: value for key, value in entry[1].items() if key != "seed"}
    return json.dumps([entry[0], arguments, *entry[2:]], sort_keys=True)


def _copied(parameter: AbstractHyperParameter, entry: list[Any]) -> AbstractHyperParameter:
    """Returns a copy of a user's parameter with the seed from the file."""
    copied = copy.deepcopy(parameter)
    copied.set_seed(entry[1].get("seed"))
    return copied


def _count(content: Any) -> int:
    """Returns the number of values in JSON, including those in lists and objects."""
    waiting, count = [content], 0
    while waiting:
        item = waiting.pop()
        count += 1
        if isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
    return count


def _count_distributions(content: dict[str, Any]) -> int:
    configs = [entry[1] for entry in content.values() if isinstance(entry, list) and entry[1:]]
    return sum(isinstance(config, dict) and "distribution" in config for config in configs)


def _count_conditions(content: dict[str, Any]) -> int:
    conditions = [entry[2] for entry in content.values() if isinstance(entry, list) and entry[2:]]
    return sum(len(each) if isinstance(each, list) else 1 for each in conditions)


def _check_costs(content: dict[str, Any]) -> None:
    """Raises `ValueError` if parameters that only the file contains would take long to build."""
    num_values = _count(content)
    for number, limit, what in (
        (len(content), MAX_PARAMETERS, "parameters"),
        (num_values, MAX_VALUES, "values"),
        (_count_distributions(content), MAX_DISTRIBUTIONS, "distributions"),
        (_count_conditions(content), MAX_CONDITIONS, "conditions"),
    ):
        if number > limit:
            raise ValueError(
                f"{number} {what} are more than the {limit} that are taken from a file. Hand over "
                "the search space yourself: as hyperparameter_list of the engine that restores, "
                "or as parameters of Dataset.load_from_directory. Plots and reports take that "
                "engine or dataset instead of the directory."
            )
