"""The memory that sampling takes: bounded, however deep, wide and large a search is."""

import sys

import pytest

from tests.scripts import run_script

# The widest space and the deepest cascade that sampling is made for.
SCRIPT = """
from pathlib import Path

import numpy as np

from pyshac import HyperParameterList, MultiUniformHP
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.sampling.accepted_share import ShareEstimator
from pyshac.core.sampling.covers import Covers
from pyshac.core.sampling.proposals import Proposals
from pyshac.core.sampling.proposal_planner import ProposalPlanner
from pyshac.core.sampling.region import AcceptedRegion

space = HyperParameterList([MultiUniformHP("x", 0, 1, sample_count=100)])
random = np.random.default_rng(0)
classifiers = []
for _ in range(2):
    rows = random.random((NUM_ROWS, 100), dtype=np.float32)
    score = rows @ random.normal(size=100) + 10 * rows[:, :5].prod(axis=1)
    classifiers.append(BoostedTrees(0).fit(rows, score > np.median(score)))
    classifiers[-1].compact()
# Copies take as much memory as others, and less time to train.
copies = [BoostedTrees.from_bytes(one.to_bytes()) for one in classifiers for _ in range(9)]
cascade = Cascade(copies)


def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
base = status("VmRSS")
proposals = Proposals(space, Covers(space, ShareEstimator(space)).cover(cascade))
proposals.accepted(cascade, proposals.largest_block, np.random.SeedSequence(0))
AcceptedRegion(ProposalPlanner(space), cascade.first(9)).draw(1000, np.random.SeedSequence(1))
print(status("VmHWM") - base)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
# The largest training sets, too, and some that train quickly.
@pytest.mark.parametrize("num_rows", [300, pytest.param(2000, marks=pytest.mark.long)])
def test_sampling_takes_little_memory(tmp_path, num_rows):
    script = tmp_path / "memory.py"
    script.write_text(SCRIPT.replace("NUM_ROWS", str(num_rows)))
    assert 0 < float(run_script(script, tmp_path)) < 256
