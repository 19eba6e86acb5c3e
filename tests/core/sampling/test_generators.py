"""Processes that draw, and the end of the process that uses them."""

from __future__ import annotations

import pytest

from tests.engine.engine_helpers import run_script

DRAWS_IN_A_CHILD = """
import multiprocessing, sys
from pyshac.core.sampling import block_source, proposals
from pyshac.core.sampling.generators import Generators
from tests.core.sampling.test_region import *

block_source.SECONDS_ALONE = 0.0
proposals.MAX_BLOCK_ROWS = proposals.MAX_SCALAR_ROWS = 256

def draws():
    space = HyperParameterList([Scalar("s"), MultiUniformHP("m", 0, 1, sample_count=2)])
    accepted = region(space, corner_cascade(space, 6), generators=Generators(2, "loky"))
    accepted.draw(8, stream(10))
    print("processes:", len(multiprocessing.active_children()), flush=True)

if __name__ == "__main__":
    child = multiprocessing.get_context(sys.argv[1]).Process(target=draws)
    child.start()
    child.join(100)
    print("status:", child.exitcode)
    child.kill()
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.long)])
def test_a_child_process_that_has_drawn_does_not_wait_for_its_generators(method, tmp_path):
    script = tmp_path / "draws.py"
    script.write_text(DRAWS_IN_A_CHILD)
    ended = run_script(script, method, timeout=200, OMP_NUM_THREADS="1")
    assert ended.stdout.split() == ["processes:", "2", "status:", "0"], ended.stderr
