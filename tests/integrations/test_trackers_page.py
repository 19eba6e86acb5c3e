"""The code of docs/trackers.md, run from top to bottom."""

from __future__ import annotations

import pytest

from tests.integrations.tracked import has_all_of_mlflow
from tests.managed.cases import installed
from tests.scripts import run_script
from tests.test_docs import ROOT, script_of

PRELUDE = """
import warnings
from pyshac import SHAC, UniformHP

warnings.simplefilter("ignore")


def evaluate(worker_id, parameters):
    return parameters["x"]


shac = SHAC(evaluate, [UniformHP("x", 0, 1)], 4, 2, save_dir="shac")
shac.concurrent_evaluators()
"""


@pytest.mark.slow
def test_the_code_of_the_page_runs(tmp_path):
    if not (has_all_of_mlflow() and installed("tensorboard", "wandb")):
        pytest.skip("needs mlflow, tensorboard and wandb")
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    code = script_of(ROOT / "docs" / "trackers.md", "py")
    assert code.count("http://127.0.0.1:5000") == 1
    script = tmp_path / "trackers.py"
    script.write_text(PRELUDE + code.replace("http://127.0.0.1:5000", store), encoding="utf-8")
    run_script(script, tmp_path, MLFLOW_TRACKING_URI=store, WANDB_MODE="offline")

    assert (tmp_path / "logs" / "search-1" / "evaluation-3").is_dir()
    assert [*tmp_path.glob("wandb/offline-run-*/*.wandb")]
