"""What is done again and again in one process leaves nothing behind, neither memory nor files."""

from __future__ import annotations

import json

import pytest

from tests.engine.engine_helpers import ROOT
from tests.scripts import run_script

# Does a thing over and over, and prints what the process holds after a fifth of it, and at the end.
SCRIPT = """
import gc, json, shutil, sys, threading
from pathlib import Path

import psutil

import pyshac
from pyshac import SHAC, Callback
from tests.faults.load import make_space, score


def new_engine(name, budget=60, batches=6, **options):
    engine = SHAC(make_space(), budget, batches, "min", save_dir=Path(name), **options)
    engine.set_seed(1)
    engine.evaluator_backend = "threading"
    engine.num_parallel_evaluators = engine.num_parallel_generators = 1
    return engine


def finished(name, **options):
    engine = new_engine(name)
    for option, value in options.items():
        setattr(engine, option, value)
    engine.fit(reported, verbose=0, skip_cv_checks=True)
    return engine


def reported(worker_id, parameters):
    pyshac.report(1, score(worker_id, parameters))
    return score(worker_id, parameters)


def held():
    gc.collect()
    process = psutil.Process()
    return {
        "megabytes": process.memory_info().rss / 1e6,
        "objects": len(gc.get_objects()),
        "files": process.num_fds() if hasattr(process, "num_fds") else 0,
        "threads": threading.active_count(),
        "children": len(process.children(recursive=True)),
    }


def repeat(times, once):
    found = []
    for number in range(1, times + 1):
        once(number)
        if number in (times // 5, times):
            found.append(held())
    print(json.dumps(found))


"""

REPEATED = {
    "predict": """
engine = finished("run")
repeat(10_000, lambda number: engine.predict(num_samples=1))
""",
    "ask and tell": """
engine = new_engine("run", 20_000, 200, method="paper", max_classifiers=2)

def ten(number):
    samples = engine.ask(10)
    engine.tell(samples, [score(0, sample) for sample in samples], skip_cv_checks=True)

# Whatever learning needs is loaded before.
finished("other")
repeat(2000, ten)
""",
    "restore": """
finished("run")
engine = new_engine("run")
repeat(20, lambda number: (engine.restore_data(), engine.predict(num_samples=1)))
""",
    "a search in threads": """
def once(number):
    finished("run", num_parallel_evaluators=2)
    shutil.rmtree("run")

repeat(20, once)
""",
    "a search in worker processes": """
def once(number):
    finished("run", evaluator_backend="loky", num_parallel_evaluators=2)
    shutil.rmtree("run")

repeat(10, once)
""",
    "engines that are dropped": """
def once(number):
    new_engine("run").ask(5)
    shutil.rmtree("run")

repeat(200, once)
""",
    "plots and reports": """
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from pyshac import write_report
from pyshac.utils import vis_utils

engine = finished("run")
columns = {"plot_accepted_region": ["x", "y"], "plot_slice": ["x"]}

def once(number):
    for name in vis_utils.__all__:
        source = engine.dataset if name == "plot_dataset" else engine
        getattr(vis_utils, name)(source, *columns.get(name, []))
    plt.close("all")
    repr(engine), engine._repr_html_(), repr(engine.dataset)
    write_report(engine, "report.html")

repeat(5, once)
""",
}


def run(script):
    """Runs a script that imports from the tests; returns what it printed."""
    return run_script(script, script.parent, PYTHONPATH=str(ROOT))


@pytest.mark.slow
@pytest.mark.parametrize("what", REPEATED)
def test_repetition_leaves_nothing_behind(tmp_path, what):
    if what == "plots and reports":
        pytest.importorskip("matplotlib")
    script = tmp_path / "repeat.py"
    script.write_text(SCRIPT + REPEATED[what])
    first, last = map(dict, json.loads(run(script).splitlines()[-1]))
    # What the allocator holds varies by a few megabytes. 16,000 samples, which have to be kept,
    # take two, and twice as many three more. Two large classifiers, and their fused copies, are
    # trained in between.
    assert last["megabytes"] < first["megabytes"] + 16, (first, last)
    # Python and other libraries keep a few for each process that was started.
    assert last["objects"] < first["objects"] + 500, (first, last)
    for name in ("files", "threads", "children"):
        assert last[name] <= first[name], (name, first, last)


TRAINING = """
import gc, sys

import numpy as np
import psutil

from pyshac.core.classifiers.boosted_trees import Boosting
from pyshac.core.classifiers.features import UNSCALED
from pyshac.core.dataset.objective import get_objective
from pyshac.core.selection import tree_ranking

tree_ranking.RUNG_TREES = Boosting(num_trees=1)
random = np.random.default_rng(0)
rows = random.random((50_000, 10))


def ranking():
    return tree_ranking.TreeRanking(
        rows, rows.sum(axis=1), get_objective("min"), UNSCALED, np.random.SeedSequence(0)
    )


ranking()
before = psutil.Process().memory_info().rss
kept = [ranking() for _ in range(3)]
gc.collect()
print((psutil.Process().memory_info().rss - before) / 1e6)
"""


@pytest.mark.slow
def test_a_ranking_keeps_no_training_data(tmp_path):
    script = tmp_path / "training.py"
    script.write_text(TRAINING)
    # Three rankings have 39 rungs. With the data of each, they would hold 30 MB.
    assert float(run(script)) < 18
