"""Runs the tests of the original PySHAC, as they are, against the PySHAC under test."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scripts import ONE_THREAD, PACKAGE_PARENT

# A checkout of the original, for the tests that need one.
CHECKOUT = os.environ.get("PYSHAC_ORIGINAL")

# What the tests find besides: TensorFlow 1, legacy Keras as `keras`, and how results are told.
PROVIDED = Path(__file__).parent / "provided"

# The rest asks for what was given up on purpose; docs/moving.md names these tests.
LEAST = 85

LIMIT_SECONDS = 1200
# A test that hangs fails by itself, where pytest can end it.
LIMIT_OF_ONE_SECONDS = 240


@dataclass(frozen=True)
class Outcome:
    """How a test ended.

    Attributes:
        name: `file::test`, the file below the checkout.
        reason: Why it failed, in a line; None if it passed.
    """

    name: str
    reason: str | None


def run_suite(checkout: Path, limit_seconds: float = LIMIT_SECONDS) -> list[Outcome]:
    """Runs all tests of a checkout, on a copy.

    Args:
        checkout: A checkout of the original. Only its folder `tests` is used.
        limit_seconds: When the run is ended. Tests that have not ended by then have failed.

    Returns:
        The outcome of each test, in the order of their names.

    Raises:
        FileNotFoundError: If the checkout has no tests.
        RuntimeError: If pytest does not run.
    """
    if not (checkout / "tests").is_dir():
        raise FileNotFoundError(f"There is no folder tests in {checkout}.")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        run = folder / "run"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(checkout / "tests", run / "tests", ignore=ignored)
        _run_pytest(run, folder, limit_seconds)
        return outcomes(tests_of(run), result_lines(folder / "results"))


def _run_pytest(run: Path, folder: Path, limit_seconds: float) -> None:
    """Runs pytest in a folder; whatever its processes have started ends with it."""
    for name in ("results", "pytest.ini"):
        (folder / name).touch()
    command = [
        sys.executable, "-m", "pytest", "-q", "-c", str(folder / "pytest.ini"),
        f"--rootdir={run}", "--import-mode=importlib", "-p", "no:cacheprovider",
        "--continue-on-collection-errors", "-p", "result_lines",
        f"--timeout={LIMIT_OF_ONE_SECONDS}", "tests",
    ]  # fmt: skip
    # The original's tests come before our own `tests`, and Keras 2 before another Keras.
    path = os.pathsep.join(map(str, (run, PROVIDED, PACKAGE_PARENT)))
    environment = {
        **os.environ, **ONE_THREAD, "PYTHONPATH": path, "TF_USE_LEGACY_KERAS": "1",
        "MPLBACKEND": "Agg", "PYSHAC_RESULT_LINES": str(folder / "results"),
    }  # fmt: skip
    environment.pop("PYTEST_ADDOPTS", None)
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(
            command, cwd=run, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(limit_seconds)
        finally:
            _end_group(process.pid)
            process.wait()
    if not (folder / "results").stat().st_size and process.returncode > 0:
        output_text = (folder / "output").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"pytest ended with {process.returncode}:\n{output_text}")


def _end_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def tests_of(folder: Path) -> dict[str, list[str]]:
    """The names of the tests of each file, read without importing it."""
    found: dict[str, list[str]] = {}
    for path in sorted((folder / "tests").rglob("test_*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        functions = [node.name for node in body if isinstance(node, ast.FunctionDef)]
        # Of two functions of one name, Python keeps the second.
        names = dict.fromkeys(name for name in functions if name.startswith("test"))
        found[path.relative_to(folder).as_posix()] = list(names)
    return found


def result_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yields what the plugin wrote; a line that was cut off when the run was ended is none."""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def outcomes(tests: dict[str, list[str]], lines: Iterator[dict[str, Any]]) -> list[Outcome]:
    """Puts together what each test came to.

    Args:
        tests: Names of tests by file, for files that cannot be collected.
        lines: What the plugin wrote.

    Returns:
        The outcomes, in the order of their names.
    """
    collected: dict[str, str | None] = {}
    broken: dict[str, str] = {}
    for line in lines:
        if line["kind"] == "collected":
            collected[line["name"]] = "has not ended"
        elif line["kind"] == "not collected":
            broken[line["name"]] = line["reason"]
        elif line["kind"] == "failed":
            collected[line["name"]] = line["reason"]
        elif collected[line["name"]] == "has not ended":
            collected[line["name"]] = None
    files = {name.partition("::")[0] for name in collected}
    for file, names in tests.items():
        if file not in files:
            reason = broken.get(file, "has not been collected")
            collected.update({f"{file}::{name}": reason for name in names})
    return [Outcome(name, reason) for name, reason in sorted(collected.items())]


def failed_names(results: list[Outcome]) -> list[str]:
    """The names of the tests that failed, without file and parameters, each once."""
    names = [
        result.name.rpartition("::")[2].partition("[")[0] for result in results if result.reason
    ]
    return sorted(set(names))
