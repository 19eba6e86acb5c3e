"""Runs the quick tests with other versions of the dependencies than constraints.txt has.

python -m tests.dependencies newest|lowest [PYTHON ...]

`newest` takes the newest version of everything that each Python gets, and by default each Python
from 3.10 on that is found; `lowest` takes the lowest versions that requirements.txt allows, and by
default the oldest Python, since these versions have no wheels for later ones. Every environment is
a new one, and is removed afterwards.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements.txt"
MINORS = range(10, 30)


def lowest() -> list[str]:
    """The lower bounds of requirements.txt, as constraints."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").split()
    return [re.sub(r"^([\w-]+)>=([\d.]+)$", r"\1==\2", line) for line in lines]


def pythons() -> Iterator[str]:
    """Yields an interpreter of each version that is installed, the oldest first."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in MINORS:
        name = f"python3.{minor}"
        of_pyenv = sorted(map(str, pyenv.glob(f"3.{minor}.*/bin/python")))
        found = [path for path in [shutil.which(name), *of_pyenv] if path and _runs(path)]
        yield from found[:1]


def _runs(python: str) -> bool:
    # The shims of pyenv are there for versions that are not chosen, too.
    return subprocess.run([python, "-c", "import venv"], capture_output=True).returncode == 0


def run_tests(python: str, constraints: list[str]) -> bool:
    """Returns whether the quick tests pass with an interpreter, in an environment of their own."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", f"{folder}/venv"], check=True)
        own = Path(folder, "venv", "Scripts" if os.name == "nt" else "bin", "python")
        limits = Path(folder, "constraints.txt")
        limits.write_text("\n".join(constraints), encoding="utf-8")
        for command in (
            ["pip", "install", "-q", "-c", limits, f"{ROOT}[test]"],
            ["pip", "freeze"],
            ["pytest", "-q", "-n", "auto", "-m", "not slow"],
        ):
            print(f"{python}: {' '.join(map(str, command))}", flush=True)
            if subprocess.run([own, "-m", *command], cwd=ROOT).returncode:
                return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.dependencies")
    parser.add_argument("versions", choices=["newest", "lowest"])
    parser.add_argument("python", nargs="*", help="interpreters")
    options = parser.parse_args()
    found = options.python or [*pythons()]
    if options.versions == "lowest":
        found = options.python or found[:1]
    constraints = lowest() if options.versions == "lowest" else []
    results = {python: run_tests(python, constraints) for python in found}
    for python, has_passed in results.items():
        print(f"{python}, {options.versions} versions: {'passed' if has_passed else 'FAILED'}")
    return 0 if results and all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
