"""The plan of the package, and what the code makes of it: imports, floors and sizes.

python -m tests.house [FOLDER]
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pyshac"

# Which folder may import which; each may import itself, the errors and the version, too. A folder
# stands above all that it may import.
PLAN: dict[str, set[str]] = {
    "core/basics": set(),
    "core/hyperparameters": {"core/basics"},
    "core/classifiers": {"core/basics"},
    "core/evaluation": {"core/basics"},
    "core/dataset": {"core/basics", "core/hyperparameters"},
    "core/sampling": {"core/basics", "core/hyperparameters", "core/classifiers"},
    "core/selection": {
        "core/basics", "core/hyperparameters", "core/classifiers", "core/dataset", "core/sampling",
    },
    "core/search": {
        "core/basics", "core/hyperparameters", "core/classifiers", "core/dataset", "core/sampling",
        "core/selection",
    },
    "core/callbacks": {"core/basics", "core/dataset"},
    "core/storage": {
        "core/basics", "core/hyperparameters", "core/classifiers", "core/dataset", "core/search",
    },
    "core/run": {
        "core/basics", "core/hyperparameters", "core/classifiers", "core/dataset", "core/sampling",
        "core/search", "core/storage",
    },
    "core/engine": {
        "core/basics", "core/hyperparameters", "core/classifiers", "core/dataset", "core/sampling",
        "core/search", "core/evaluation", "core/callbacks", "core/storage", "core/run",
    },
    "core/managed": {"core/basics", "core/evaluation", "core/engine"},
    "managed": {"core/basics", "core/evaluation", "core/managed"},
    "looking": {
        "core/basics", "core/hyperparameters", "core/classifiers", "core/dataset", "core/search",
        "core/storage",
    },
    "plots": {"core/basics", "core/dataset", "looking"},
    "reporting": {"core/basics", "core/dataset", "core/evaluation", "looking", "plots"},
    "integrations": {
        "core/basics", "core/hyperparameters", "core/dataset", "core/search", "core/callbacks",
        "core/storage", "core/run", "core/engine", "looking",
    },
    # Aliases of earlier releases.
    "config": {"core/callbacks", "core/dataset", "core/hyperparameters"},
    "utils": {"looking", "plots"},
}  # fmt: skip
# Files beside the folders: the face of the package, which knows where all names live, its command
# line, and what everybody may import.
OPEN = {"core/errors.py", "version.py"}
FACES = {"__init__.py", "__main__.py", "cli.py", "core/__init__.py"}
# Of `search`, disk and plots know data only: the algorithm stands beside them, not below.
DATA_OF_SEARCH = {
    "core/search/batch.py", "core/search/given/added.py", "core/search/given/once.py",
    "core/search/given/queue.py", "core/search/method.py", "core/search/progress.py",
    "core/search/paces/open_batches.py", "core/search/paces/pace.py", "core/search/schedule.py",
    "core/search/shares.py",
}  # fmt: skip


class House:
    """The files of a package, and which of them import which.

    Args:
        root: The folder of the package.
    """

    def __init__(self, root: Path = PACKAGE) -> None:
        self.root = root
        self.files = {
            path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
            for path in sorted(root.rglob("*.py"))
        }

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """The files that each file imports, anywhere in it."""
        return {
            name: {found for module in _modules(tree) if (found := self._file_of(module))} - {name}
            for name, tree in self.files.items()
        }

    def _file_of(self, module: str) -> str | None:
        """The file of a dotted name, or of the module that has the name."""
        parts = module.split(".")
        if parts[0] != self.root.name:
            return None
        while parts:
            path = "/".join(parts[1:])
            for name in (f"{path}.py", f"{path}/__init__.py".lstrip("/")):
                if name in self.files:
                    return name
            parts.pop()
        return None

    @cached_property
    def floors(self) -> dict[str, int]:
        """The floor of each file, from 0: one above the highest of those that it imports.

        Files of a circle have none, nor have those above them.
        """
        floors: dict[str, int] = {}
        below = {name: set(imported) for name, imported in self.imports.items()}
        while ready := [n for n, i in below.items() if n not in floors and i <= floors.keys()]:
            for name in ready:
                floors[name] = 1 + max((floors[other] for other in below[name]), default=-1)
        return floors

    def functions(self) -> Iterator[tuple[str, int]]:
        """Yields every function's place and its number of lines, without its docstring."""
        for name, tree in self.files.items():
            for node in ast.walk(tree):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    body = node.body[1:] if ast.get_docstring(node) else node.body
                    length = node.end_lineno - body[0].lineno + 1 if body else 0
                    yield f"{name}:{node.lineno} {node.name}", length


def folder_of(name: str) -> str:
    """The folder of the plan to which a file belongs, empty if it stands beside them."""
    parts = name.split("/")
    depth = 2 if parts[0] == "core" else 1
    return "/".join(parts[:depth]) if len(parts) > depth else ""


def breaches(house: House) -> list[str]:
    """What the plan does not allow, a line each."""
    found = []
    for name, imported in house.imports.items():
        folder = folder_of(name)
        if not folder and name not in OPEN | FACES:
            found.append(f"{name} stands beside the folders of the plan")
        if not folder:
            continue
        if folder not in PLAN:
            found.append(f"{folder} is not in the plan")
            continue
        for other in sorted(imported - OPEN):
            if folder_of(other) not in PLAN[folder] | {folder}:
                found.append(f"{name} imports {other}")
            is_algorithm = folder_of(other) == "core/search" and other not in DATA_OF_SEARCH
            if folder in ("core/storage", "looking") and is_algorithm:
                found.append(f"{name} imports {other}")
    return found


def _modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def main(arguments: list[str]) -> None:
    house = House(Path(arguments[0]) if arguments else PACKAGE)
    sizes = Counter(Path(name).parent.as_posix() for name in house.files)
    lines = {name: len((house.root / name).read_text().splitlines()) for name in house.files}
    print(
        f"{len(house.files)} files in {len(sizes)} folders, the largest with {max(sizes.values())}"
    )
    print(f"longest file: {max((count, name) for name, count in lines.items())}")
    functions = list(house.functions())
    print(f"{len(functions)} functions, the longest: {max((n, f) for f, n in functions)}")
    for floor in range(max(house.floors.values()) + 1):
        names = sorted(name for name, found in house.floors.items() if found == floor)
        print(f"floor {floor}: {', '.join(names)}")
    without = sorted(house.files.keys() - house.floors.keys())
    print(f"without a floor: {', '.join(without) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1:])
