"""Log lines of evaluations in worker processes, set up as the FAQ says."""

from __future__ import annotations

import pytest

from tests.engine.engine_helpers import run_script

LOGGING = """
import logging
import sys
from pyshac import SHAC, UniformHP

def evaluate(worker_id, parameters):
    logging.basicConfig(level="INFO", format="%(process)d %(name)s: %(message)s")
    logging.getLogger("function").info("slot %d evaluates", worker_id)
    return parameters["x"]

if __name__ == "__main__":
    engine = SHAC(evaluate, [UniformHP("x", 0.0, 1.0)], 6, 2, save_dir=sys.argv[1])
    engine.evaluator_backend = sys.argv[2]
    engine.num_parallel_evaluators = 1
    engine.fit(skip_cv_checks=True, verbose=0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_each_line_is_shown_once(tmp_path, backend):
    result = run_script(LOGGING, tmp_path / "shac", backend)
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stderr.splitlines() if "slot 0 evaluates" in line]
    assert len(lines) == 6
    # One process for all of them.
    assert len(set(lines)) == 1
