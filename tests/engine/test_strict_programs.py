"""Searches in programs that made NumPy's errors, or all warnings, exceptions."""

from __future__ import annotations

import pytest

from tests.engine.engine_helpers import run_script

# Scores from 1e-290 to 1e200 make whatever can underflow do so.
SEARCH = """
import sys
import warnings
import numpy as np

path, backend, method = sys.argv[1:]
np.seterr(all="raise")
warnings.simplefilter("error")
# Of machines with few cores.
warnings.filterwarnings("ignore", "A batch has")

import scipy.stats
import pyshac
from pyshac import (
    SHAC, DistributionHP, DiscreteHP, IntegerHP, LogUniformHP, MultiUniformHP, NormalHP, UniformHP,
)
from pyshac.utils.vis_utils import parameter_importances

def space():
    return [
        UniformHP("x", -5.0, 5.0), LogUniformHP("rate", 1e-300, 1.0), NormalHP("n", 0.0, 1.0),
        IntegerHP("i", 1, 10), DiscreteHP("kind", ["a", "b"]),
        MultiUniformHP("w", 0.0, 1e-300, sample_count=2),
        DistributionHP("g", scipy.stats.gamma(2.0)),
    ]

def evaluate(worker_id, parameters):
    x = parameters["x"]
    return x * 10.0 ** (40 * x) * (1.0 if x > 0 else 1e-90)

def main():
    engine = SHAC(evaluate, space(), 80, 4, save_dir=path, method=method, max_classifiers=4)
    engine.set_seed(1)
    engine.evaluator_backend = backend
    engine.num_parallel_evaluators = 1 if backend == "threading" else 2
    filters, state = [*warnings.filters], np.geterr()
    engine.fit(skip_cv_checks=True)
    assert len(engine.dataset) == 80 and len(engine.classifiers) >= 2
    assert len(engine.predict(num_samples=3)) == 3
    repr(engine)
    if backend == "threading":
        look_and_continue(engine)
    assert (filters, state) == ([*warnings.filters], np.geterr())
    print("done")

def look_and_continue(engine):
    again = SHAC(None, None, 80, 4, save_dir=path, method=method, max_classifiers=4)
    again.restore_data()
    pyshac.write_report(path, path + "/report.html")
    parameter_importances(path)
    # A loop of the program's own, and a dataset of another search.
    asking = SHAC(space(), 20, 2, save_dir=path + "-asked")
    while asked := asking.ask():
        asking.tell(asked, [evaluate(0, each) for each in asked])
    with open(path + ".csv", "w") as file:
        file.write(again.dataset.to_csv())
    learning = SHAC(space(), 80, 4, save_dir=path + "-learnt", method=method)
    learning.fit_dataset(path + ".csv", skip_cv_checks=True)

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(
    ("backend", "method"),
    [
        pytest.param("threading", "default", marks=pytest.mark.slow),
        pytest.param("threading", "paper", marks=pytest.mark.slow),
        pytest.param("loky", "default", marks=pytest.mark.slow),
        pytest.param("multiprocessing", "default", marks=pytest.mark.slow),
    ],
)
def test_a_search_is_not_harmed_and_leaves_the_settings_alone(
    tmp_path, backend, method, monkeypatch
):
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    result = run_script(SEARCH, tmp_path / "shac", backend, method)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "done\n"
