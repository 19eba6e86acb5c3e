"""Runs scikit-learn's own tests of RandomizedSearchCV, as they are, with SHACSearchCV in its place.

python -m tests.integrations.sklearn_suite PATH

PATH is scikit-learn's `test_search.py`, or the folder of a scikit-learn that has it. Each test that
fails is printed with its reason, and at the end how many pass. It exits with 1 if others fail than
those of EXPECTED, or one of these passes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests.scripts import ONE_THREAD, PACKAGE_PARENT

INSIDE = Path("model_selection") / "tests" / "test_search.py"
LIMIT_SECONDS = 540

# The tests that fail, each with the reason: they test what RandomizedSearchCV draws.
EXPECTED = {
    "test_search_cv_results_rank_tie_breaking": (
        "it expects 1 and 1.001 of the values 1, 1.001, 0.001 to be drawn first"
    ),
    "test_search_with_2d_array": "it expects the first three draws of random_state=0",
}

# Before the tests are imported, their import finds the class in the other's place. Some tests take
# NumPy's global state, which must be the same in each run.
PLUGIN = """
import numpy
import pytest
import sklearn.model_selection
from pyshac.integrations.sklearn import SHACSearchCV

sklearn.model_selection.RandomizedSearchCV = SHACSearchCV


@pytest.fixture(autouse=True)
def seeded():
    numpy.random.seed(0)
"""


def find(path: Path) -> Path:
    """Returns the file of the tests.

    Raises:
        FileNotFoundError: If there is none.
    """
    for file in (path, path / INSIDE, path / "sklearn" / INSIDE):
        if file.is_file():
            return file
    raise FileNotFoundError(f"There is no {INSIDE} in {path}.")


def run_suite(path: Path) -> dict[str, str | None]:
    """Runs the tests in a copy.

    Args:
        path: The file of the tests.

    Returns:
        Why each test failed, in a line, by name; None if it passed. Skipped ones are left out.

    Raises:
        RuntimeError: If pytest does not run.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy(path, folder / "test_search.py")
        (folder / "in_its_place.py").write_text(PLUGIN, encoding="utf-8")
        (folder / "pytest.ini").touch()
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "in_its_place", "-p", "sklearn.conftest",
            "-p", "no:cacheprovider", "--junitxml=results.xml", "test_search.py",
        ]  # fmt: skip
        places = os.pathsep.join((temporary, str(PACKAGE_PARENT)))
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": places}
        environment.pop("PYTEST_ADDOPTS", None)
        result = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True,
            timeout=LIMIT_SECONDS, check=False,
        )  # fmt: skip
        if not (folder / "results.xml").exists():
            raise RuntimeError(f"pytest ended with {result.returncode}:\n{result.stdout}")
        return _outcomes(folder / "results.xml")


def _outcomes(path: Path) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for case in ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag: child for child in case}
        problem = kinds.get("failure", kinds.get("error"))
        if "skipped" not in kinds:
            message = None if problem is None else problem.get("message", "")
            found[case.get("name", "")] = message and " ".join(message.split())[:300]
    return found


def surprises(outcomes: dict[str, str | None]) -> list[str]:
    """Returns what is not as EXPECTED says, a line each."""
    failed = {name for name, reason in outcomes.items() if reason is not None}
    lines = [f"{name} fails: {outcomes[name]}" for name in sorted(failed - EXPECTED.keys())]
    passed = (EXPECTED.keys() & outcomes.keys()) - failed
    return lines + [f"{name} passes, although EXPECTED has it" for name in sorted(passed)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.integrations.sklearn_suite")
    parser.add_argument("path", type=Path, help="test_search.py, or the folder of scikit-learn")
    outcomes = run_suite(find(parser.parse_args().path))
    for name, reason in outcomes.items():
        if reason is not None:
            print(f"{name}  {reason}\n    {EXPECTED.get(name, 'not expected')}")
    failed = sum(reason is not None for reason in outcomes.values())
    print(f"{len(outcomes) - failed} of {len(outcomes)} pass")
    found = surprises(outcomes)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
