"""`mpi4py.futures` on Open MPI: a script and its workers are the ranks of one job."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from tests.distributed.launch import communicate
from tests.engine.engine_helpers import ROOT, contents, make_engine
from tests.managed.cases import installed

pytestmark = pytest.mark.slow

# Beside the interpreter if it came with a wheel, or else that of the system.
MPIEXEC = shutil.which("mpiexec", path=os.path.dirname(sys.executable)) or shutil.which("mpiexec")

SCRIPT = """
import sys, time
from mpi4py.futures import MPIPoolExecutor
from tests.engine.engine_helpers import evaluate, make_engine

# What workers have for arguments is their own.
ranks = sys.argv[2]

def takes_some_time(worker_id, parameters):
    from mpi4py import MPI
    with open(ranks, "a") as file:
        file.write(f"{MPI.COMM_WORLD.Get_rank()}\\n")
    time.sleep(0.02)
    return evaluate(worker_id, parameters)

if __name__ == "__main__":
    with MPIPoolExecutor() as executor:
        engine = make_engine(sys.argv[1], takes_some_time, backend=executor, evaluators=3)
        engine.fit(skip_cv_checks=True)
        print("evaluated", len(engine.dataset), executor.submit(int, "7").result())
"""


@pytest.mark.skipif(
    MPIEXEC is None or not installed("mpi4py"), reason="needs mpi4py and mpiexec on the PATH"
)
def test_a_job_of_four_ranks(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    ranks = tmp_path / "ranks"
    command = [MPIEXEC, "--oversubscribe", "-n", "4", sys.executable, "-m", "mpi4py.futures"]
    command += [tmp_path / "script.py", tmp_path / "shac", ranks]
    environment = {
        "PYTHONPATH": str(ROOT),
        # Ranks that wait leave the cores to those that work.
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    }
    output = communicate(command, tmp_path, **environment)
    assert "evaluated 18 7" in output
    # Rank 0 runs the search, all others evaluate.
    assert set(ranks.read_text().split()) == {"1", "2", "3"}
    make_engine(tmp_path / "local").fit(skip_cv_checks=True)
    assert contents(tmp_path / "shac") == contents(tmp_path / "local")
