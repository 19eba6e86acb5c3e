"""Pickles of the user's objects: of limited size, and errors that name what cannot be pickled."""

from __future__ import annotations

import dis
import io
import itertools
import types
from collections.abc import Iterator
from typing import Any

import cloudpickle

# Depth, and number of parts of each object, of the search for the culprit.
MAX_DEPTH = 5
MAX_PARTS = 200
# A part whose pickle is larger counts as one that can be pickled.
MAX_TRIED_BYTES = 2**26


def dumps_within(value: Any, max_bytes: int) -> bytes:
    """Pickles an object.

    Raises:
        OverflowError: If the pickle is larger than `max_bytes`.
        BaseException: Whatever pickling the object raises.
    """
    file = _LimitedFile(max_bytes)
    cloudpickle.dump(value, file)
    return file.getvalue()


class _LimitedFile(io.BytesIO):
    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._left = max_bytes

    def write(self, data: Any) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise OverflowError("The pickle is too large.")
        return super().write(data)


def pickling_error(value: Any) -> Exception | None:
    """Returns the error of pickling an object; None if it can be pickled, as far as was tried."""
    try:
        dumps_within(value, MAX_TRIED_BYTES)
    except OverflowError:
        return None
    except Exception as error:
        return error
    return None


def culprit(value: Any, name: str) -> str:
    """Returns where the innermost part is that keeps an object from being pickled, in words.

    Args:
        value: An object that cannot be pickled.
        name: Its name.
    """
    names, part = _path(value, {id(value)}, MAX_DEPTH) or ([], value)
    return f"{' of '.join([*names, name])}, of type {type(part).__name__},"


def _path(value: Any, seen: set[int], depth: int) -> tuple[list[str], Any] | None:
    """Returns the names that lead to the innermost bad part, that first, and the part.

    Returns:
        None if all bad parts only lead back to what has been seen.
    """
    parts = itertools.islice(_parts(value), MAX_PARTS)
    bad = [(name, part) for name, part in parts if pickling_error(part) is not None]
    if not bad or not depth:
        return [], value
    for name, part in bad:
        if id(part) in seen:
            continue
        seen.add(id(part))
        found = _path(part, seen, depth - 1)
        if found is not None:
            return [*found[0], name], found[1]
    return None


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yields the parts of an object that are pickled with it, with their names."""
    if isinstance(value, types.MethodType):
        yield "the object", value.__self__
    elif isinstance(value, types.FunctionType):
        yield from _variables(value)
    elif isinstance(value, dict):
        yield from ((f"the item {key!r}", item) for key, item in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"item {number}", item) for number, item in enumerate(value))
    else:
        yield from _attributes(value)


def _variables(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yields the variables that a function uses, and its default arguments."""
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield f"the variable {name!r}", cell.cell_contents
        except ValueError:
            continue
    for name in _global_names(code):
        if name in function.__globals__:
            yield f"the global variable {name!r}", function.__globals__[name]
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    yield from (("a default argument", default) for default in defaults)


def _global_names(code: types.CodeType) -> Iterator[str]:
    """Yields the names of global variables; `co_names` has those of attributes, too."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            yield instruction.argval


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(value, "func") and hasattr(value, "args"):
        # A functools.partial, whose parts are no attributes of its own dictionary.
        yield "the function", value.func
        yield "the arguments", value.args
        yield "the keyword arguments", value.keywords
    attributes = getattr(value, "__dict__", {})
    yield from ((f"the attribute {name!r}", part) for name, part in [*attributes.items()])
    for name in getattr(type(value), "__slots__", ()):
        if hasattr(value, name):
            yield f"the attribute {name!r}", getattr(value, name)
