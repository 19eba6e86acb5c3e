"""Threads of PyTorch and NumPy inside evaluations: those that the user asks for, else a share."""

from __future__ import annotations

import json
import sys

import pytest

from pyshac.core.basics.threads import thread_variables
from tests.managed.cases import installed
from tests.scripts import run_command

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed("torch"), reason="needs torch"),
]

SCRIPT = """
import json, multiprocessing, os, sys
import joblib
import numpy
import torch
from pyshac import SHAC, TorchSHAC, UniformHP

joblib.cpu_count = lambda: 4

def threads(worker_id, parameters):
    import json, os, torch, numpy
    from threadpoolctl import threadpool_info
    numbers = {each["internal_api"]: each["num_threads"] for each in threadpool_info()}
    variables = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    found = {"torch": torch.get_num_threads(), **numbers, **variables}
    if os.environ.get("MKL_NUM_THREADS") != os.environ.get("OMP_NUM_THREADS"):
        found["has_mkl"] = torch.backends.mkl.is_available()
    with open("found", "a") as file:
        file.write(json.dumps(found) + "\\n")
    return 1.0

if __name__ == "__main__":
    engine, backend, method, fresh = sys.argv[1:]
    multiprocessing.set_start_method(method)
    torch.set_num_threads(7)
    arguments = [0] if engine == "TorchSHAC" else []
    kind = {"SHAC": SHAC, "TorchSHAC": TorchSHAC}[engine]
    shac = kind(threads, [UniformHP("x", 0, 1)], 4, 2, *arguments, save_dir="run")
    shac.set_num_parallel_evaluators(2)
    shac.evaluator_backend = backend
    shac.fit(skip_cv_checks=True, verbose=0, fresh_process=bool(fresh))
    assert len(shac.dataset) == 4
"""

PLACES = [
    ("loky", "fork", ""),
    ("loky", "fork", "fresh"),
    ("multiprocessing", "fork", ""),
    ("multiprocessing", "fork", "fresh"),
    ("multiprocessing", "spawn", ""),
]


@pytest.fixture
def found_in(tmp_path, monkeypatch):
    """What each of four evaluations finds, in workers of two slots on four cores."""
    for name in thread_variables({}, 1):
        monkeypatch.delenv(name, raising=False)

    def run(engine, place, **variables):
        script = tmp_path / "threads.py"
        script.write_text(SCRIPT, encoding="utf-8")
        command = [sys.executable, str(script), engine, *place]
        run_command(command, tmp_path, "the script", **variables)
        lines = (tmp_path / "found").read_text().splitlines()
        assert len(lines) == 4
        return [json.loads(line) for line in lines]

    return run


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_a_worker_has_the_threads_that_the_user_asks_for(place, found_in):
    for found in found_in("SHAC", place, OMP_NUM_THREADS="1"):
        assert set(found.values()) == {1, "1"}, found


@pytest.mark.parametrize("place", [PLACES[1], PLACES[2]], ids="-".join)
def test_so_has_one_of_a_managed_engine(place, found_in):
    for found in found_in("TorchSHAC", place, OMP_NUM_THREADS="1"):
        assert set(found.values()) == {1, "1"}, found


@pytest.mark.parametrize("place", [PLACES[0], PLACES[2], PLACES[4]], ids="-".join)
def test_it_has_its_share_if_the_user_does_not_say(place, found_in):
    for found in found_in("SHAC", place):
        assert (found["OMP_NUM_THREADS"], found["MKL_NUM_THREADS"]) == ("2", "2")
        # A library may find that the machine has fewer cores.
        numbers = [number for number in found.values() if isinstance(number, int)]
        assert set(numbers) <= {1, 2}, found


@pytest.mark.parametrize("place", [PLACES[0], PLACES[2]], ids="-".join)
def test_each_variable_that_is_set_keeps_its_value(place, found_in):
    for found in found_in("SHAC", place, OMP_NUM_THREADS="2", MKL_NUM_THREADS="1"):
        assert (found["OMP_NUM_THREADS"], found["MKL_NUM_THREADS"]) == ("2", "1")
        assert found["torch"] == 1 or not found["has_mkl"]
        assert found["openblas"] <= 2
