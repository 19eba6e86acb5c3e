"""The notebooks of the examples: they run as they are, and are stored as they came out."""

import importlib.util
import json
import re
import sys
import time
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


# What may have come before a plot, and must not change how often it is shown.
SURROUNDINGS = {
    "nothing": "",
    "inline": "%matplotlib inline",
    "pyplot": "import matplotlib.pyplot",
    "svg": "%matplotlib inline\n%config InlineBackend.figure_formats = ['svg']",
}
SETUP = """
import sys
from pyshac import Dataset, UniformHP
from pyshac.utils.vis_utils import *

dataset = Dataset([UniformHP("x", 0, 1), UniformHP("y", 0, 1)])
for number in range(6):
    dataset.add_sample([number / 6, 0.5], number)
"""
NO_TRACES = """
import matplotlib
from IPython import get_ipython

pyplot = sys.modules.get("matplotlib.pyplot")
assert bool(pyplot) == HAS_PYPLOT, pyplot
assert pyplot is None or not pyplot.get_fignums()
png = get_ipython().display_formatter.formatters["image/png"]
assert not [kind for kind in [*png.type_printers, *png.deferred_printers] if "pyshac" in str(kind)]
"""
# Cells, and how many pictures each must show.
CELLS = [
    ("plot_best_so_far(dataset)", 1),
    ("plot_dataset(dataset)", 1),
    ("plot_slice(dataset, 'x')", 1),
    ("plot_parallel_coordinates(dataset)", 1),
    ("plot_slices(dataset)", 1),
    ("plot_slices(dataset)[1]", 1),
    ("plot_scores_by_stage(dataset).figure", 1),
    ("ax = plot_scores_by_stage(dataset)", 0),
    ("plot_best_so_far(dataset, ax=ax)", 1),
    ("plot_best_so_far(dataset, ax=ax)\nNone", 0),
]
OF_PYPLOT = [
    ("import matplotlib.pyplot as plt\nplot_best_so_far(dataset, ax=plt.subplots()[1])", 1),
    ("plt.figure()\nplt.plot([1, 2])\nplot_best_so_far(dataset);", 1),
]


def pictures(outputs):
    """The outputs that hold a picture."""
    return [o for o in outputs if any(kind.startswith("image/") for kind in o.get("data", {}))]


@pytest.mark.slow
@pytest.mark.parametrize("before", SURROUNDINGS)
def test_a_plot_shows_itself_once_as_the_value_of_a_cell(before, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE_PARENT))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    no_traces = f"HAS_PYPLOT = {before != 'nothing'}\n{NO_TRACES}"
    cells = [(SURROUNDINGS[before], 0), (SETUP, 0), *CELLS, (no_traces, 0), *OF_PYPLOT]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c, _ in cells])
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=TIMEOUT_SECONDS, resources=resources
    ).execute()

    shown = [len(pictures(cell.outputs)) for cell in notebook.cells]
    assert dict(zip([c for c, _ in cells], shown, strict=True)) == dict(cells)


SEARCH_CELL = """
import time
from pyshac import SHAC, UniformHP

def evaluate(worker_id, parameters):
    time.sleep(0.1)
    return parameters["x"]

shac = SHAC(evaluate, [UniformHP("x", 0, 1)], total_budget=BUDGET, batch_size=4, resume=True)
shac.set_num_parallel_evaluators(2)
shac.fit(verbose=0)
print(len(shac.dataset), "evaluations")
"""


def run_cell(client, code, interrupt=lambda: None):
    """Runs code in a kernel; returns what it printed, and the text of its error, if any."""
    client.execute(code)
    printed, error = "", ""
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT_SECONDS)
        kind, content = message["msg_type"], message["content"]
        printed += content.get("text", "") if kind == "stream" else ""
        error += content["evalue"] if kind == "error" else ""
        if kind == "execute_input":
            interrupt()
        if kind == "status" and content["execution_state"] == "idle" and (printed or error):
            return printed, error


@pytest.mark.slow
def test_a_cell_that_is_interrupted_and_run_again_goes_on(tmp_path, monkeypatch):
    manager = pytest.importorskip("jupyter_client.manager")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE_PARENT))
    monkeypatch.setenv("PYTHONWARNINGS", "ignore:A batch has:UserWarning")
    kernel, client = manager.start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    journal = tmp_path / "shac" / "journal.jsonl"

    def interrupt():
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not journal.exists() or b'"id"' not in journal.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kernel.interrupt_kernel()

    try:
        cell = SEARCH_CELL.replace("BUDGET", "60")
        _, error = run_cell(client, cell, interrupt)
        assert "of 60 evaluations are saved in 'shac'" in error
        assert "resume=True" in error
        # The cell as it is, with the engine of before still alive; and with a larger budget.
        assert run_cell(client, cell) == ("60 evaluations\n", "")
        assert run_cell(client, cell) == ("60 evaluations\n", "")
        assert run_cell(client, SEARCH_CELL.replace("BUDGET", "64")) == ("64 evaluations\n", "")
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


PRINTING_CELL = """
import time
from pyshac import SHAC, UniformHP

def evaluate(worker_id, parameters):
    print("printed by a worker", flush=True)
    return parameters["x"]

SHAC(evaluate, [UniformHP("x", 0, 1)], total_budget=4, num_batches=2).fit(verbose=0)
time.sleep(1)  # for what is still on its way
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a kernel there does not capture workers")
def test_what_workers_print_appears_in_the_cell(tmp_path, monkeypatch):
    manager = pytest.importorskip("jupyter_client.manager")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE_PARENT))
    # Kernels do not capture the output of other processes where this is set.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    kernel, client = manager.start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        printed, error = run_cell(client, PRINTING_CELL)
        assert not error
        assert "printed by a worker" in printed
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
