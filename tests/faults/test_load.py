"""What a run holds for each evaluation does not grow beyond what has to be kept."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from pyshac import SHAC, Callback
from tests.faults import load

# With each prediction XGBoost defines a class. The table of all classes grows in steps, and when it
# does depends on how many there were before.
NOT_XGBOOST = [tracemalloc.Filter(False, "*/xgboost/*")]


class HeldMemory(Callback):
    """Notes what Python's objects take at the end of every epoch, in bytes."""

    def __init__(self):
        super().__init__()
        self.held = []

    def on_epoch_end(self, epoch, logs=None):
        gc.collect()
        snapshot = tracemalloc.take_snapshot().filter_traces(NOT_XGBOOST)
        self.held.append(sum(trace.size for trace in snapshot.traces))


@pytest.mark.slow
def test_an_evaluation_takes_little_memory(tmp_path):
    engine = SHAC(
        load.score, load.make_space(), 6000, 10, "min", max_classifiers=1,
        save_dir=tmp_path / "run", method="paper",
    )  # fmt: skip
    engine.set_seed(1)
    engine.evaluator_backend = "threading"
    engine.num_parallel_evaluators = 3
    memory = HeldMemory()
    tracemalloc.start()
    try:
        engine.fit(callbacks=memory, skip_cv_checks=True, verbose=0)
    finally:
        tracemalloc.stop()
    assert len(engine.classifiers) == 1
    # In the last half, after the classifier: 48 bytes for the values, twice, 40 for number and
    # score, 33 for the line of the CSV file, 40 for the history, 24 for start, duration and slot,
    # 16 where there is no failure and no extra, 20 for their line, and an eighth more where arrays
    # grow. Lines that are not compressed would take 42 more, objects for each number 28 more.
    grown = (memory.held[9] - memory.held[5]) / 2400
    assert grown < 250


@pytest.mark.parametrize("pace", ["batch", "stream"])
def test_the_figures_of_a_small_run(capsys, pace):
    small = ["--evaluations", "40", "--batches", "10", "--backend", "threading"]
    assert load.main([*small, "--pace", pace]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("40 evaluations, ")
    assert [line.split(":")[0] for line in lines[1:]] == [f"tenth {n}" for n in range(1, 11)]
