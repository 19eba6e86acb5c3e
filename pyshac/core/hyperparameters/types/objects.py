"""Objects as choices. Files contain their names instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from pyshac.core.basics import plain_values
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.types.object_texts import text_of

# The most characters of an object in an error.
MAX_SHOWN = 200
_PROPOSAL = "{'a': ..., 'b': ...} in place of the list"


class Objects:
    """The objects of a choice by name. A copy is the same object, so its objects stay identical.

    Args:
        names: Distinct plain values.
        objects: The object for each name.
    """

    def __init__(self, names: Iterable[Any], objects: Iterable[Any]) -> None:
        self._pairs = tuple(zip(names, objects, strict=True))
        self._by_name = {plain_values.identity(name): item for name, item in self._pairs}

    def __deepcopy__(self, memo: Any) -> Objects:
        return self

    def of(self, name: Any) -> Any:
        """Returns the object with a name."""
        return self._by_name[plain_values.identity(name)]

    def name_of(self, given: Any) -> Any:
        """Returns the name of an object. It compares by identity first, then by equality.

        Raises:
            KeyError: If it is none of the objects.
        """
        for is_same in (_is, _equals):
            for name, item in self._pairs:
                if is_same(item, given):
                    return name
        raise KeyError(given)


def _is(item: Any, given: Any) -> bool:
    return item is given


def _equals(item: Any, given: Any) -> bool:
    # 1, 1.0 and True are different choices.
    if type(item) is not type(given):
        return False
    try:
        equal = item == given
    # Comparisons of arrays, or of what holds them, have no single answer.
    except Exception:
        return False
    return isinstance(equal, (bool, np.bool_)) and bool(equal)


def read_values(owner: str, values: Any) -> tuple[tuple[Any, ...], Objects | None]:
    """Returns the values of a choice as plain values, and the objects that they name.

    Args:
        owner: The parameter's name, for errors.
        values: Plain values and objects, or a mapping from names to objects.

    Returns:
        The plain values and the objects; None in place of the objects if all values are plain.

    Raises:
        TypeError: If `values` is neither a list nor a mapping, a name is not a str, or an object
            without a name has no text that is the same in every process.
        ValueError: If `values` is None, a file cannot hold a value, or an object has the same text
            as another value.
    """
    if values is None:
        raise ValueError(f"values of {owner!r} must be a list of values. Got None instead.")
    if isinstance(values, Mapping):
        names = tuple(_check_name(owner, name) for name in values)
        return names, Objects(names, values.values())
    # The order of a set of strings differs between processes.
    if isinstance(values, (str, bytes, Set)) or not isinstance(values, Iterable):
        raise TypeError(f"values of {owner!r} must be a list of values. Got {values!r} instead.")
    items = [*values]
    read = [_plain_or_text(owner, item) for item in items]
    names = tuple(name for name, _ in read)
    are_texts = [is_text for _, is_text in read]
    if not any(are_texts):
        return names, None
    _check_distinct(owner, names, items, are_texts)
    pairs = zip(read, items, strict=True)
    received = [item if is_text else name for (name, is_text), item in pairs]
    return names, Objects(names, received)


def require_objects(parameters: Iterable[AbstractHyperParameter]) -> None:
    """Raises `SaveDirectoryError` if the objects of a parameter are missing."""
    for parameter in parameters:
        if parameter.lacks_objects:
            raise SaveDirectoryError(
                f"The values of {parameter.name!r} are objects, which no file holds: hand the "
                "parameters over, as hyperparameter_list=..., to go on with the search."
            )


def _check_name(owner: str, name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(
            f"The names of the values of {owner!r} must be str, as in {{'a': ..., 'b': ...}}. Got "
            f"{name!r} instead."
        )
    checked: str = plain_values.check_value(str(name), f"A name of a value of {owner!r}")
    return checked


def _plain_or_text(owner: str, value: Any) -> tuple[Any, bool]:
    """Returns a plain value or the text of an object, and whether it is such a text."""
    what = f"values of {owner!r}"
    try:
        return plain_values.check_value(value, what), False
    except ValueError:
        raise
    # An object's own repr, in the message, raises all kinds of exceptions.
    except Exception:
        pass
    try:
        text = text_of(value)
    except ValueError as error:
        raise TypeError(
            f"{what} must be None, bool, int, float, str, tuples of these, or objects whose text "
            f"is the same in every process. Got {_shown(value)} of type {type(value).__name__} "
            f"instead: {error}. Give the values names: {_PROPOSAL}."
        ) from None
    return plain_values.check_value(text, what), True


def _check_distinct(
    owner: str, names: tuple[Any, ...], items: list[Any], are_texts: list[bool]
) -> None:
    """Raises `ValueError` if another value has the same text as an object."""
    known: dict[Any, Any] = {}
    for name, item, is_text in zip(names, items, are_texts, strict=True):
        key = plain_values.identity(name)
        if key in known and (is_text or known[key][1]):
            raise ValueError(
                f"values of {owner!r} must have distinct texts. Got {_shown(known[key][0])} "
                f"and {_shown(item)}, both {name!r}. Give the values names: {_PROPOSAL}."
            )
        known[key] = item, is_text


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        return "an object"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
