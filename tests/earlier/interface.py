"""What of the public interface of PySHAC 0.3.5.1 is missing here, or has changed.

python -m tests.earlier.interface

prints it.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyshac.core.engine import call_forms
from tests.earlier.published import Entry, Parameter, own_attributes, published_interface
from tests.earlier.wheel import find_wheel

_MISSING = object()


@dataclass(frozen=True)
class Difference:
    """Something that a script can notice.

    Attributes:
        path: Dotted path of what differs.
        text: How it differs.
        parameter: Name of the parameter, if it is about one.
    """

    path: str
    text: str
    parameter: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    def __str__(self) -> str:
        about = "" if self.parameter is None else f"parameter {self.parameter} "
        return f"{self.path}: {about}{self.text}"


def differences(wheel: Path, package: str = "pyshac") -> list[Difference]:
    """Compares what a wheel offers with what can be imported here.

    Args:
        wheel: The wheel.
        package: Name of the package in it, and here.

    Returns:
        The differences in the order of their paths. What is missing is named itself, not what
        it held. Whatever is accepted in addition is no difference.
    """
    found: list[Difference] = []
    missing: set[str] = set()
    for path, entry in sorted(published_interface(wheel, package).items()):
        parent = path.rpartition(".")[0]
        if parent in missing:
            missing.add(path)
            continue
        present = _present(path, entry)
        if present is _MISSING:
            missing.add(path)
            found.append(Difference(path, "is missing"))
        else:
            found.extend(_compare(path, entry, present))
    return found


def _present(path: str, entry: Entry) -> Any:
    """What stands at a path here; for an attribute that only instances have, None."""
    parent, _, name = path.rpartition(".")
    if entry.kind == "module":
        return _module(path)
    holder = _module(parent)
    if holder is _MISSING:
        module, _, class_name = parent.rpartition(".")
        holder = getattr(_module(module), class_name)
        static = inspect.getattr_static(holder, name, _MISSING)
        # As a property, it says more than the value it would have on an instance.
        if isinstance(static, (property, functools.cached_property)):
            return static
        if static is _MISSING and name in _instance_attributes(holder):
            return None
    return getattr(holder, name, _MISSING)


def _module(path: str) -> Any:
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        # Another one that it needs is an error here.
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise
        return _MISSING


@functools.cache
def _instance_attributes(holder: type) -> frozenset[str]:
    """Names that instances of a class have, as far as its source and annotations say so."""
    names: set[str] = set()
    for base in holder.__mro__[:-1]:
        names.update(inspect.get_annotations(base))
        try:
            source = inspect.getsource(base)
        except (OSError, TypeError):
            continue
        names |= own_attributes(textwrap.dedent(source))
    return frozenset(names)


def _compare(path: str, entry: Entry, present: Any) -> Iterator[Difference]:
    if entry.kind == "class" and not isinstance(present, type):
        yield Difference(path, "is no class")
    elif entry.kind in ("class", "function", "method"):
        if not callable(present):
            yield Difference(path, "cannot be called")
        elif entry.parameters is not None:
            yield from _compare_parameters(path, entry, present)
    elif entry.kind in ("property", "attribute"):
        if inspect.isroutine(present):
            yield Difference(path, "is a method")
        elif entry.is_settable and not _can_be_set(present):
            yield Difference(path, "cannot be set")


def _can_be_set(present: Any) -> bool:
    return not isinstance(present, property) or present.fset is not None


def _compare_parameters(path: str, entry: Entry, present: Any) -> Iterator[Difference]:
    function = present.__init__ if entry.kind == "class" else present
    try:
        taken = list(inspect.signature(function).parameters.values())
    except ValueError:
        return
    if entry.kind != "function" and not inspect.ismethod(function):
        is_static = entry.kind == "method" and _is_static(path)
        taken = taken if is_static else taken[1:]
    spellings = dict(_spellings(function))
    forms = [taken, taken[1:]] if _has_two_forms(function) else [taken]
    results = [list(_parameter_differences(path, entry, form, spellings)) for form in forms]
    yield from min(results, key=len)


def _is_static(path: str) -> bool:
    class_path, _, name = path.rpartition(".")
    module, _, class_name = class_path.rpartition(".")
    holder = getattr(importlib.import_module(module), class_name)
    return isinstance(inspect.getattr_static(holder, name), staticmethod)


def _chain(function: Any) -> Iterator[Any]:
    """Yields a function and those that it wraps."""
    while function is not None:
        yield function
        function = getattr(function, "__wrapped__", None)


def _spellings(function: Any) -> Iterator[tuple[str, str]]:
    """Yields names of parameters that are accepted besides, and what they stand for."""
    for one in _chain(function):
        yield from getattr(one, "second_spellings", {}).items()


def _has_two_forms(function: Any) -> bool:
    """Whether the leading evaluation function can be left out."""
    codes = [getattr(one, "__code__", None) for one in _chain(function)]
    return any(
        code is not None
        and code.co_filename == call_forms.__file__
        and "is_function" in code.co_freevars
        for code in codes
    )


def _parameter_differences(
    path: str, entry: Entry, taken: list[inspect.Parameter], spellings: dict[str, str]
) -> Iterator[Difference]:
    own = {p.name: p for p in taken if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    places = [p.name for p in taken if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    asked = entry.parameters or ()
    names = [p.name if p.name in own else spellings.get(p.name) for p in asked]
    renamed = set()
    for place, (parameter, name) in enumerate(zip(asked, names, strict=True)):
        there = places[place] if place < len(places) and parameter.is_positional else None
        if name not in own:
            if there is None or there in names:
                yield Difference(path, "is missing", parameter.name)
                continue
            renamed.add(there)
            yield Difference(path, f"is called {there}", parameter.name)
            name = there
        elif parameter.is_positional and there != name:
            yield Difference(path, "has another place", parameter.name)
        if text := _default_difference(parameter, own[name]):
            yield Difference(path, text, parameter.name)
    for name in own.keys() - set(names) - renamed:
        if own[name].default is inspect.Parameter.empty:
            yield Difference(path, "is new and required", name)


def _default_difference(parameter: Parameter, own: inspect.Parameter) -> str | None:
    if parameter.default is None:
        return None
    if own.default is own.empty:
        return f"has no default, before {parameter.default}"
    default = ast.literal_eval(parameter.default)
    if type(default) is type(own.default) and default == own.default:
        return None
    return f"has the default {own.default!r}, before {parameter.default}"


def grouped(found: list[Difference]) -> list[str]:
    """One line for each difference that several classes share, such as all engines."""
    paths: dict[tuple[str, str | None, str], list[str]] = {}
    for one in found:
        paths.setdefault((one.name, one.parameter, one.text), []).append(one.path)
    lines = [str(Difference(group[0], text, parameter))
             for (_, parameter, text), group in paths.items()]  # fmt: skip
    counts = [len(group) - 1 for group in paths.values()]
    return [
        f"{line}; also in {count} more" if count else line
        for line, count in zip(lines, counts, strict=True)
    ]


def main() -> int:
    wheel = find_wheel()
    if wheel is None:
        print("There is no wheel. Run python -m tests.earlier.wheel.", file=sys.stderr)
        return 1
    print(*grouped(differences(wheel)), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
