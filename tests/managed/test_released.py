"""What 1.0.0 saved: its directories restore and go on, and the paper's seeded run is the same.

By the default method, later versions choose other samples than 1.0.0 did.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from typing import Any

import numpy as np
import pytest

import pyshac
from tests.engine.engine_helpers import ROOT, raw_contents
from tests.managed.cases import installed
from tests.managed.released import (
    BATCHES,
    BUDGET,
    FOLDER,
    KERNELS,
    RUNS,
    STATE_FIELDS,
    STOPPED_AT,
    score,
    score_in_session,
    score_unit,
    versions,
)
from tests.scripts import PACKAGE_PARENT, run_command

RECORDED = json.loads((FOLDER / "versions.json").read_text())
ENGINES = {
    "serial": ("SHAC", score, []),
    "paper": ("SHAC", score, []),
    "unit": ("SHAC", score_unit, []),
    "torch-stopped": ("TorchSHAC", score, ["torch"]),
    "tensorflow": ("TensorflowSHAC", score_in_session, ["tensorflow"]),
    "keras": ("KerasSHAC", score_in_session, ["keras", "tensorflow"]),
}


def needs(name: str) -> None:
    if not installed(*ENGINES[name][2]):
        pytest.skip(f"needs {ENGINES[name][2]}")


def restore(name: str, save_dir) -> pyshac.SHAC:
    """An engine that knows nothing but a copy of what 1.0.0 saved."""
    shutil.copytree(FOLDER / name, save_dir)
    engine_name, function, _ = ENGINES[name]
    arguments = {} if engine_name == "SHAC" else {"max_gpu_evaluators": 0}
    if name == "paper":
        arguments["method"] = "paper"
    engine = getattr(pyshac, engine_name)(
        function, None, BUDGET, BATCHES, objective="min", save_dir=save_dir, **arguments
    )
    engine.restore_data()
    engine.concurrent_evaluators()
    engine.set_num_parallel_evaluators(1)
    return engine


def test_every_run_has_a_directory():
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == set(RUNS) == set(ENGINES)


@pytest.mark.parametrize("name", ENGINES)
class TestRestoring:
    def test_samples_and_classifiers_are_those_that_were_saved(self, name, tmp_path):
        needs(name)
        engine = restore(name, tmp_path / "run")
        state = json.loads((FOLDER / name / "state.json").read_text())
        assert len(engine.classifiers) == len(state["classifiers"]) == len(state["stage_starts"])
        assert len(engine.dataset) == (STOPPED_AT + 1 if name == "torch-stopped" else BUDGET)
        for row, value in zip(engine.dataset.X, engine.dataset.Y, strict=True):
            function = score_unit if name == "unit" else score
            expected = function(0, engine.parameters.to_parameters(row))
            np.testing.assert_equal(value, expected)

    @pytest.mark.slow
    def test_it_continues_and_predicts(self, name, tmp_path):
        needs(name)
        engine = restore(name, tmp_path / "run")
        engine.fit(skip_cv_checks=True, verbose=0)
        assert len(engine.dataset) == BUDGET
        assert engine.best_score < 0.1
        (sample,) = engine.predict(num_samples=1)
        assert set(sample) == {parameter.name for parameter in engine.parameters}

    def test_a_save_changes_the_format_of_the_state_only(self, name, tmp_path):
        needs(name)
        engine = restore(name, tmp_path / "run")
        before = raw_contents(tmp_path / "run")
        engine.save_data()
        # The scores of an open batch stand in the dataset from the next save on.
        del before["datasets/dataset.csv"]
        if versions()["xgboost"] != RECORDED["xgboost"]:
            # XGBoost writes its version into models, and the state has their checksums.
            before = {
                key: data
                for key, data in before.items()
                if not key.startswith(("classifiers", "state"))
            }
        after = raw_contents(tmp_path / "run")
        assert comparable({key: after[key] for key in before}) == comparable(before)


NEW_IN_JOURNAL = ("num_checks", "chosen_by", "num_enqueued", "started", "seconds")


def comparable(files: dict[str, bytes]) -> dict[str, Any]:
    """The files of a run, of its state and its journal only the fields that 1.0.0 knew.

    Since then a list seeds its parameters in another way, for `sample` alone.
    """
    state = json.loads(files["state.json"]) if "state.json" in files else {}
    left_out = ("format", "parameter_seeds")
    known = {key: state.get(key) for key in STATE_FIELDS if key not in left_out}
    space = re.sub(rb'"seed": \d+', b'"seed": 0', files["datasets/parameters.json"])
    journal = [
        {key: value for key, value in record.items() if key not in NEW_IN_JOURNAL}
        for record in records_of(files.get("journal.jsonl", b""))
    ]
    changed = {"state.json": known, "datasets/parameters.json": space, "journal.jsonl": journal}
    known_files = {key: data for key, data in files.items() if key != "datasets/evaluations.jsonl"}
    return {**known_files, **changed}


def records_of(journal: bytes) -> list[dict[str, Any]]:
    return [json.loads(line.partition(b" ")[2]) for line in journal.splitlines()]


def has_the_kernels() -> bool:
    from numpy._core._multiarray_umath import __cpu_features__

    return sys.platform == "linux" and bool(__cpu_features__.get("AVX2"))


@pytest.mark.slow
def test_by_the_papers_method_the_same_seed_gives_the_same_files(tmp_path):
    if versions() != RECORDED or not has_the_kernels():
        pytest.skip(f"recorded with {RECORDED} and AVX2")
    command = [sys.executable, "-m", "tests.managed.released", str(tmp_path), "paper"]
    path = os.pathsep.join([str(PACKAGE_PARENT), str(ROOT)])
    run_command(command, tmp_path, "paper", **KERNELS, PYTHONPATH=path)
    assert comparable(raw_contents(tmp_path / "paper")) == comparable(
        raw_contents(FOLDER / "paper")
    )


@pytest.mark.slow
def test_an_open_batch_is_evaluated_as_it_was_drawn(tmp_path):
    needs("torch-stopped")
    engine = restore("torch-stopped", tmp_path / "run")
    engine.fit(skip_cv_checks=True, verbose=0)
    # Samples do not depend on the engine, so another directory holds the run that was not stopped.
    lines = (FOLDER / "serial" / "datasets" / "dataset.csv").read_bytes().splitlines()
    drawn = 1 + (STOPPED_AT // (BUDGET // BATCHES) + 1) * (BUDGET // BATCHES)
    assert engine.dataset.to_bytes().splitlines()[:drawn] == lines[:drawn]
    assert (tmp_path / "run" / "journal.jsonl").read_bytes() == b""
