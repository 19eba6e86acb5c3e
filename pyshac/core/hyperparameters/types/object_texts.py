"""Texts of objects that are the same in every process. Files use them as names."""

from __future__ import annotations

import enum
import re
import types
from typing import Any

import numpy as np

from pyshac.core.basics.plain_values import INACTIVE

MAX_LENGTH = 1000

_SCALARS = (type(None), bool, int, float, str)
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_SET = re.compile(r"\{[^{}:]+\}|set\(")


def text_of(value: Any) -> str:
    """Returns a text of an object that is the same in every process.

    The text of a function or class is its qualified name, and that of an enum member is like
    `Color.RED`. The texts of arrays, dicts, lists and tuples show all their contents. Other objects
    have their `repr`.

    Raises:
        ValueError: If there is no such text; the message gives the reason.
    """
    text = _text(value)
    if len(text) > MAX_LENGTH:
        raise ValueError(f"its text is longer than {MAX_LENGTH} characters")
    return text


def _text(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) in _SCALARS:
        return repr(value)
    if value is INACTIVE:
        raise ValueError("it stands for the value of an inactive parameter")
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, (set, frozenset)):
        raise ValueError("the order of a set differs between processes")
    if isinstance(value, np.ndarray):
        return f"array({_text(value.tolist())})"
    if type(value) in (list, tuple):
        ends = "[]" if type(value) is list else "()"
        return f"{ends[0]}{', '.join(map(_text, value))}{ends[1]}"
    if isinstance(value, dict):
        items = ", ".join(f"{_text(key)}: {_text(item)}" for key, item in value.items())
        return f"{{{items}}}"
    if isinstance(value, (type, types.FunctionType, types.MethodType, np.ufunc)):
        return _qualified_name(value)
    if isinstance(value, types.BuiltinFunctionType):
        return _name_of_builtin(value)
    return _checked_repr(value)


def _qualified_name(value: Any) -> str:
    if isinstance(value, types.MethodType) and not isinstance(value.__self__, type):
        raise ValueError("it is a method of an object")
    name = str(getattr(value, "__qualname__", value.__name__))
    if "<lambda>" in name:
        raise ValueError("a lambda has no name of its own")
    if "<locals>" in name:
        raise ValueError("it is defined inside a function")
    return name


def _name_of_builtin(value: types.BuiltinFunctionType) -> str:
    if not isinstance(value.__self__, (type, types.ModuleType, type(None))):
        raise ValueError("it is a method of an object")
    return value.__name__


def _checked_repr(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        raise ValueError("its repr fails") from None
    bare = _QUOTED.sub("''", text)
    for is_met, reason in (
        (_ADDRESS.search(text), "its repr has an address in memory"),
        ("..." in bare, "its repr is abbreviated"),
        (_SET.search(bare), "the order of a set differs between processes"),
    ):
        if is_met:
            raise ValueError(reason)
    return text
