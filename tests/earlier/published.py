"""Reads the public interface of a wheel from its source; nothing of it is imported."""

from __future__ import annotations

import ast
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Parameter:
    """A parameter of a callable.

    Attributes:
        name: Its name.
        is_positional: Whether it can be given by position.
        default: Its default as source text, None if it has none.
    """

    name: str
    is_positional: bool
    default: str | None


@dataclass(frozen=True)
class Entry:
    """A part of an interface.

    Attributes:
        kind: 'module', 'function', 'class', 'value', 'method', 'property' or 'attribute'. An
            attribute is one of instances, a value is any other name of a module or a class.
        parameters: What a function, method or class takes, without `self` and without `*` and
            `**`; None if nothing in the package says so.
        is_settable: Whether it is a property with a setter, or an attribute.
    """

    kind: str
    parameters: tuple[Parameter, ...] | None = None
    is_settable: bool = False


def published_interface(wheel: Path, package: str = "pyshac") -> dict[str, Entry]:
    """Returns the public interface of a package in a wheel.

    Args:
        wheel: The wheel.
        package: Name of the package.

    Returns:
        Its entries by dotted path. A class has what it inherits within the package, too.
    """
    modules = dict(_modules(wheel, package))
    classes = {
        f"{name}.{node.name}": (modules[name], node)
        for name in modules
        for node in modules[name].statements
        if isinstance(node, ast.ClassDef)
    }
    found: dict[str, Entry] = {}
    for module in modules.values():
        found[module.name] = Entry("module")
        found.update(_names_of(module, modules))
    for path, (_, node) in classes.items():
        if not node.name.startswith("_"):
            found.update(_class_entries(path, classes))
    return found


class _Module:
    """A module: its name, its statements, and what its imported names stand for."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.statements = list(_reached(ast.parse(source).body))
        self.imports: dict[str, str] = {}
        for node in self.statements:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname is not None:
                        self.imports[alias.asname] = alias.name
            elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def meaning(self, expression: ast.expr) -> str:
        """The dotted path that a name stands for in this module."""
        head, dot, rest = ast.unparse(expression).partition(".")
        return self.imports.get(head, f"{self.name}.{head}") + dot + rest


def _modules(wheel: Path, package: str) -> Iterator[tuple[str, _Module]]:
    with zipfile.ZipFile(wheel) as archive:
        for file in sorted(archive.namelist()):
            if file.startswith(f"{package}/") and file.endswith(".py"):
                name = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
                yield name, _Module(name, archive.read(file).decode("utf-8"))


def _reached(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields statements, and those that blocks hold, but not those for when something fails."""
    for statement in statements:
        if isinstance(statement, (ast.If, ast.Try)):
            yield from _reached(statement.body)
        else:
            yield statement


def _assigned(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yields what a statement assigns to."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        targets = [statement.target]
    for target in targets:
        yield from target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _names_of(module: _Module, modules: dict[str, _Module]) -> dict[str, Entry]:
    """The functions and values of a module, and what it imports other than modules."""
    roots = {module.name.partition(".")[0], *sys.stdlib_module_names}
    found: dict[str, Entry] = {}
    for node in module.statements:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = Entry("function", _parameters(node.args))
        elif isinstance(node, ast.ImportFrom):
            for name in [alias.asname or alias.name for alias in node.names]:
                meaning = module.imports.get(name, "")
                if meaning.partition(".")[0] in roots and meaning not in modules:
                    found[name] = Entry("value")
        for target in _assigned(node):
            if isinstance(target, ast.Name):
                found[target.id] = Entry("value")
    return {f"{module.name}.{name}": found[name] for name in found if _is_public(name)}


def _parameters(arguments: ast.arguments, skip: int = 0) -> tuple[Parameter, ...]:
    places = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(places) - len(arguments.defaults)) + list(arguments.defaults)
    positional = [
        Parameter(place.arg, True, None if default is None else ast.unparse(default))
        for place, default in zip(places, defaults, strict=True)
    ]
    by_keyword = [
        Parameter(place.arg, False, None if default is None else ast.unparse(default))
        for place, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return (*positional[skip:], *by_keyword)


Classes = dict[str, tuple[_Module, ast.ClassDef]]


def _class_entries(path: str, classes: Classes) -> dict[str, Entry]:
    members: dict[str, Entry] = {}
    for base in reversed(list(_bases(path, classes))):
        members.update(_members(classes[base][1]))
    constructor = members.pop("__init__", Entry("method"))
    found = {path: Entry("class", constructor.parameters)}
    found.update({f"{path}.{name}": entry for name, entry in members.items()})
    return found


def _bases(path: str, classes: Classes) -> Iterator[str]:
    """Yields a class and its bases within the package, the nearest first."""
    if path in classes:
        yield path
        module, node = classes[path]
        for base in node.bases:
            yield from _bases(module.meaning(base), classes)


# Those that every object has.
_EVERYWHERE = {"__str__", "__repr__", "__eq__", "__ne__", "__hash__"}


def _members(node: ast.ClassDef) -> dict[str, Entry]:
    """What a class itself defines in public, with its special methods."""
    found: dict[str, Entry] = {}
    for statement in node.body:
        for target in _assigned(statement):
            if isinstance(target, ast.Name):
                found[target.id] = Entry("value")
        if isinstance(statement, ast.FunctionDef):
            decorators = [ast.unparse(decorator) for decorator in statement.decorator_list]
            found[statement.name] = _method(statement, decorators)
            for name in _own_attributes(statement):
                found.setdefault(name, Entry("attribute", is_settable=True))
    special = {name for name in found if name.startswith("__") and name.endswith("__")}
    return {
        name: entry
        for name, entry in found.items()
        if _is_public(name) or name in special - _EVERYWHERE
    }


def _method(function: ast.FunctionDef, decorators: list[str]) -> Entry:
    if "property" in decorators:
        return Entry("property")
    if f"{function.name}.setter" in decorators:
        return Entry("property", is_settable=True)
    return Entry("method", _parameters(function.args, skip="staticmethod" not in decorators))


def _own_attributes(function: ast.FunctionDef) -> Iterator[str]:
    """Yields the attributes of its first argument that a method assigns to."""
    own = function.args.args[0].arg if function.args.args else None
    statements = [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
    for target in [target for statement in statements for target in _assigned(statement)]:
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) == own:
            yield target.attr


def own_attributes(source: str) -> set[str]:
    """The attributes that the methods of a class assign to instances, given its source."""
    (node,) = ast.parse(source).body
    functions = node.body if isinstance(node, ast.ClassDef) else []
    return {
        name
        for function in functions
        if isinstance(function, ast.FunctionDef)
        for name in _own_attributes(function)
    }
