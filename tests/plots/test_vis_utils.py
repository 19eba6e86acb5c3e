"""The one place where users find all plots."""

import inspect
import subprocess
import sys

import pytest

from pyshac.utils import vis_utils

PLOTS = sorted(name for name in vis_utils.__all__ if name.startswith("plot_"))


@pytest.mark.parametrize("name", [name for name in PLOTS if name != "plot_slices"])
def test_every_plot_takes_axes_and_gives_them_back(name):
    signature = inspect.signature(getattr(vis_utils, name))
    parameter = signature.parameters["ax"]
    assert (parameter.kind, parameter.default) == (inspect.Parameter.KEYWORD_ONLY, None)
    assert signature.return_annotation == "Axes"


def test_plots_of_earlier_versions_keep_their_arguments():
    names = list(inspect.signature(vis_utils.plot_dataset).parameters)
    assert names[:5] == ["dataset", "to_file", "title", "eval_label", "trend_deg"]


@pytest.mark.slow
def test_importing_the_plots_does_not_load_matplotlib():
    code = "import pyshac.utils.vis_utils, sys; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.slow
def test_without_matplotlib_the_error_says_what_to_install():
    code = """
import sys
sys.modules["matplotlib"] = sys.modules["matplotlib.figure"] = None
from pyshac import Dataset, UniformHP
from pyshac.utils.vis_utils import plot_best_so_far
dataset = Dataset([UniformHP("x", 0, 1)])
dataset.add_sample([0.5], 1.0)
try:
    plot_best_so_far(dataset)
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'pyshac[plot]'" in done.stdout
