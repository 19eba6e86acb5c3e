"""Examples and saved searches of the original run and restore here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import pyshac
from tests.earlier.suite import CHECKOUT
from tests.scripts import ONE_THREAD, run_script

SCRIPTS = [
    "branin/branin.py",
    "hartmann6/hardtmann6.py",
    "basic_opt/basic.py",
    "multi_parameter/multi_parameter_sampling.py",
    "basic_dataset/fit_dataset.py",
]

# Total budget, objective, and how many classifiers were saved.
SAVED = {
    "basic_opt/shac": (100, "min", 9),
    "branin/shac - 18 backup": (200, "min", 18),
    "hartmann6/shac - 18 backup": (200, "min", 18),
    "tensorflow/shac": (100, "max", 9),
}


@pytest.fixture
def examples() -> Path:
    if CHECKOUT is None:
        pytest.skip("needs a checkout of the original, named by PYSHAC_ORIGINAL")
    return Path(CHECKOUT) / "examples"


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_example_runs(name, examples, tmp_path):
    script = tmp_path / "copy" / Path(name).name
    shutil.copytree(examples / Path(name).parent, script.parent)
    saved = script.parent / "shac"
    # Without its dataset, it is no saved search.
    if saved.is_dir() and not (saved / "datasets" / "dataset.csv").is_file():
        shutil.rmtree(saved)
    run_script(script, script.parent, MPLBACKEND="Agg", **ONE_THREAD)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAVED)
def test_saved_search_restores(name, examples, tmp_path):
    total_budget, objective, num_classifiers = SAVED[name]
    save_dir = tmp_path / "copy"
    shutil.copytree(examples / name, save_dir)
    engine = pyshac.SHAC(None, total_budget, 5, objective, save_dir=str(save_dir))
    engine.restore_data()
    assert len(engine.classifiers) == num_classifiers
