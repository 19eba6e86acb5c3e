"""The notebooks of the examples: they run as they are, and are stored as they came out."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from tests.scripts import ONE_THREAD, PACKAGE_PARENT, TIMEOUT_SECONDS

FOLDER = Path(__file__).parents[1] / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# What a notebook needs beyond what tests have.
PACKAGES = {"pytorch": "torch"}
MAX_BYTES = 500_000
# Where somebody's files are, and how long something took.
PRIVATE = re.compile(r"/home/|/root|/tmp/|/Users/|[A-Z]:\\\\|\d(?:it|s)/(?:it|s)\b|%\|")

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def kinds(outputs):
    """The forms in which a cell shows something, in order; text of one stream counts once."""
    shown = [sorted(output.get("data", {})) or output["output_type"] for output in outputs]
    return [kind for number, kind in enumerate(shown) if kind not in shown[:number]]


def test_all_notebooks_are_found():
    assert [path.stem for path in NOTEBOOKS] == ["looking_at_a_search", "pytorch", "quickstart"]


@each
def test_notebook_is_stored_as_it_came_out(path):
    cells = code_cells(path)
    outputs = [output for cell in cells for output in cell["outputs"]]

    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert "error" not in [output["output_type"] for output in outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2


@each
def test_notebook_is_small_and_tells_nothing_of_where_it_ran(path):
    text = path.read_text(encoding="utf-8")
    without_pictures = re.sub(r'"image/png": "[^"]*"', "", text)

    assert len(text) < MAX_BYTES
    assert PRIVATE.findall(without_pictures) == []
    assert all(not cell["metadata"] for cell in code_cells(path))


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        # What it shows, the page of the documentation on it shows, too.
        pytest.param(path, marks=pytest.mark.long) if path.stem == "looking_at_a_search" else path
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
)
def test_notebook_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    package = PACKAGES.get(path.stem)
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}")
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    # Whether there are fewer cores than samples in a batch is a matter of the machine.
    quiet = {"PYTHONWARNINGS": "ignore:A batch has:UserWarning"}
    for name, value in {"PYTHONPATH": str(PACKAGE_PARENT), **ONE_THREAD, **quiet}.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}

    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=TIMEOUT_SECONDS, resources=resources
    ).execute()

    ran = [kinds(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]
    assert ran == [kinds(cell["outputs"]) for cell in code_cells(path)]
