"""What slots hold over many evaluations, each of which builds a model of some MB."""

from __future__ import annotations

import itertools
import json
import logging
import os
import time

import pytest

from pyshac import SHAC, UniformHP
from pyshac.core.evaluation.worker_memory import MIN_GROWTH_BYTES, MemoryWatch
from tests.managed.cases import BY_NAME, CASES, parameters

NUM_EVALUATIONS = 60
SECONDS_OF_AN_EVALUATION = 10
# About a million weights; with what an optimizer keeps for each, 12 MB.
INPUTS, UNITS = 500, 2000

MB = 2**20
KERAS = [case for case in CASES if case.engine == "KerasSHAC"]


class Notes:
    """Calls a function and notes in which process, and from when to when."""

    def __init__(self, function, path):
        self.function = function
        self.path = path

    def __call__(self, session, worker_id, parameters):
        begin = time.monotonic()
        try:
            return self.function(session, parameters)
        finally:
            with open(self.path, "a") as file:
                file.write(json.dumps([os.getpid(), begin, time.monotonic()]) + "\n")

    def read(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]


def train_in_graph(session, parameters):
    import tensorflow as tf

    v1 = tf.compat.v1
    x = v1.get_variable("x", [32, INPUTS])
    loss = tf.reduce_sum(tf.nn.relu(x @ v1.get_variable("w", [INPUTS, UNITS])))
    step = v1.train.AdamOptimizer(0.01).minimize(loss)
    session.run(v1.global_variables_initializer())
    for _ in range(3):
        session.run(step)
    return session.run(loss)


def train_keras(session, parameters):
    import numpy as np

    if os.environ.get("TF_USE_LEGACY_KERAS") == "1":
        import tf_keras as keras

        options = {}
    else:
        import keras

        # Compiling with XLA takes most of the time, and leaves neither more nor less behind.
        options = {"jit_compile": keras.config.backend() == "jax"}

    model = keras.Sequential([keras.layers.Dense(UNITS, activation="relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse", **options)
    rows = np.ones((32, INPUTS), "float32")
    history = model.fit(rows, np.ones((32, 1), "float32"), epochs=2, verbose=0)
    return history.history["loss"][-1]


def fit(case, train, folder, monkeypatch, number=NUM_EVALUATIONS):
    """Fits in one slot; returns what it held after each evaluation, and the notes."""
    held = []
    add = MemoryWatch.add
    monkeypatch.setattr(MemoryWatch, "add", lambda self, n: (held.append(n), add(self, n))[1])
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    notes = Notes(train, folder / "notes.jsonl")
    engine = case.make(notes, [UniformHP("x", 0, 1)], number, 1, save_dir=folder / "run")
    engine.fit()
    assert len(held) == number
    return held, notes.read()


@pytest.mark.slow
@pytest.mark.parametrize("number", [20, pytest.param(NUM_EVALUATIONS, marks=pytest.mark.long)])
@pytest.mark.parametrize("case", parameters([BY_NAME["TensorflowSHAC"]]))
def test_graphs_and_sessions_are_given_back(case, number, tmp_path, monkeypatch):
    held, notes = fit(case, train_in_graph, tmp_path, monkeypatch, number)
    assert len({pid for pid, _, _ in notes}) == 1
    assert max(held[10:]) <= 1.05 * held[9], [n // MB for n in held]


@pytest.mark.long
@pytest.mark.parametrize("case", parameters(KERAS))
def test_a_slot_never_holds_too_much(case, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "pyshac")
    held, notes = fit(case, train_keras, tmp_path, monkeypatch)
    assert max(held) <= 1.5 * held[2], [n // MB for n in held]
    # Time is lost where the process changes. The log says each time that it does.
    changes = [
        after[1] - before[2] for before, after in itertools.pairwise(notes) if after[0] != before[0]
    ]
    assert len(changes) == sum("takes its place" in record.message for record in caplog.records)
    assert sum(changes) <= NUM_EVALUATIONS * SECONDS_OF_AN_EVALUATION / 20


@pytest.mark.slow
def test_a_process_that_grows_is_replaced(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "pyshac")
    held, hoard = [], []
    add = MemoryWatch.add
    monkeypatch.setattr(MemoryWatch, "add", lambda self, n: (held.append(n), add(self, n))[1])

    def hoards(worker_id, parameters):
        hoard.append(b"x" * 50 * MB)
        return float(os.getpid())

    engine = SHAC(hoards, [UniformHP("x", 0, 1)], 12, 1, save_dir=tmp_path)
    engine.set_num_parallel_evaluators(1)
    engine.fit()
    # Twelve times 50 MB in one process would be 450 MB more than after three evaluations.
    assert max(held) <= held[2] + max(held[2] // 2, MIN_GROWTH_BYTES), [n // MB for n in held]
    replaced = sum("takes its place" in record.message for record in caplog.records)
    assert len(set(engine.dataset.Y)) == 1 + replaced > 1


def watch(*held):
    memory = MemoryWatch()
    due = []
    for number in held:
        memory.add(number * MB)
        due.append(memory.is_due())
    return memory, due


def test_a_steady_worker_is_kept():
    assert not any(watch(100, 400, 500, *[510, 490, 505] * 20)[1])


def test_a_growing_worker_is_replaced_before_the_growth_is_too_much():
    _, due = watch(*range(1000, 2000, 50))
    # 1100 MB after three, so 1650 MB at most: after 1600 MB there is room for 50 MB more.
    assert due.index(True) == len(range(1000, 1650, 50))


def test_a_few_mb_are_no_reason_to_replace_a_small_worker():
    memory, due = watch(30, 30, 30, 50, 70, 90, 100, 110)
    assert memory.limit == 30 * MB + MIN_GROWTH_BYTES
    assert not any(due)


def test_a_worker_is_not_replaced_for_what_its_first_evaluations_need():
    memory, due = watch(500, 500, 500, 1500)
    assert due[-1]
    memory.begin()
    for number in [1000, 1400, 1500, 1500, 1490]:
        memory.add(number * MB)
        assert not memory.is_due()


def test_memory_that_comes_and_goes_is_not_growth():
    _, due = watch(1000, 1000, 1000, *[1200, 1000] * 10)
    assert not any(due)
