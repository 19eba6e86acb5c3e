"""A larger budget for a finished run: it goes on as if it had been declared at once."""

from __future__ import annotations

import json
import random

import pytest

from pyshac import SHAC, Callback
from pyshac.core.storage.state_file import checksum
from tests.engine.engine_helpers import (
    InterruptedAt,
    InterruptionError,
    branin,
    branin_space,
    contents,
    evaluate,
    make_engine,
)
from tests.paces.searches import engine_in, is_replayed


def engine_of(path, budget, **options):
    """Batches of ten, so that the stages of all these budgets are batches, too."""
    options = {"num_batches": None, "batch_size": 10, **options}
    return make_engine(path, branin, branin_space, budget, **options)


def stages_of(engine):
    return engine._run.search.stage_starts


def tell_all(engine):
    while samples := engine.ask():
        engine.tell(samples, [branin(0, sample) for sample in samples])


@pytest.mark.parametrize("options", [{}, {"skip_cv_checks": True}, {"relax_checks": True}])
@pytest.mark.parametrize("method", ["default", "paper"])
@pytest.mark.parametrize("budgets", [(40, 60), (20, 30, 110), (10, 20)])
def test_it_is_the_run_that_was_declared_at_once(tmp_path, budgets, method, options):
    whole = engine_of(tmp_path / "whole", budgets[-1], method=method)
    whole.fit(verbose=0, **options)
    parts = engine_of(tmp_path / "parts", budgets[0], method=method)
    for budget in budgets:
        parts.total_budget = budget
        parts.fit(verbose=0, **options)

    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    if "skip_cv_checks" in options:
        assert stages_of(parts) == [*range(10, budgets[-1], 10)]


def test_ask_and_tell(tmp_path):
    whole, parts = engine_of(tmp_path / "whole", 60), engine_of(tmp_path / "parts", 40)
    tell_all(whole)
    tell_all(parts)
    parts.total_budget = 60
    tell_all(parts)

    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert len(stages_of(whole)) > 1


def test_by_another_engine(tmp_path):
    engine_of(tmp_path / "whole", 60).fit(verbose=0)
    engine_of(tmp_path / "parts", 40).fit(verbose=0)
    engine_of(tmp_path / "parts", 60, resume=True).fit(verbose=0)

    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


@pytest.mark.parametrize("event", ["on_classifier_begin", "on_classifier_end", "on_epoch_begin"])
def test_interrupted_before_the_next_sample(tmp_path, event):
    def interrupt(number, logs=None):
        raise InterruptionError

    engine_of(tmp_path / "whole", 60).fit(skip_cv_checks=True, verbose=0)
    engine = engine_of(tmp_path / "parts", 40)
    engine.fit(skip_cv_checks=True, verbose=0)
    engine.total_budget = 60
    callback = Callback()
    setattr(callback, event, interrupt)
    with pytest.raises(InterruptionError):
        engine.fit(skip_cv_checks=True, verbose=0, callbacks=callback)
    assert len(engine.dataset) == 40
    loaded = SHAC.load(tmp_path / "parts", branin)
    stop = 40 if event == "on_classifier_begin" else 50
    assert stages_of(loaded) == [*range(10, stop, 10)]
    loaded.set_num_parallel_evaluators(1)
    loaded.concurrent_evaluators()
    loaded.fit(skip_cv_checks=True, verbose=0)

    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_callbacks_are_told(tmp_path):
    class Notes(Callback):
        def __init__(self):
            self.events = []

        def on_epoch_begin(self, epoch, logs=None):
            self.events.append(f"epoch {epoch}")

        def on_classifier_begin(self, number, logs=None):
            self.events.append(f"classifier {number}, from sample {logs['dataset_index']}")

        def on_classifier_end(self, number, logs=None):
            self.events.append(f"{number}: {logs['model'] is not None}, {logs['reason'] != ''}")

    engine = engine_of(tmp_path, 20)
    engine.fit(skip_cv_checks=True, verbose=0)
    engine.total_budget = 30
    notes = Notes()
    engine.fit(skip_cv_checks=True, verbose=0, callbacks=notes)

    assert notes.events == ["classifier 2, from sample 10", "2: True, True", "epoch 3"]


def test_a_classifier_that_is_refused_is_not_tried_again(tmp_path):
    engine = engine_of(tmp_path, 20, method="paper")
    samples = engine.ask()
    engine.tell(samples, [branin(0, sample) for sample in samples], skip_cv_checks=True)
    engine.fit(lambda worker_id, parameters: 0.5, verbose=0)
    assert (stages_of(engine), engine._run.search.refused) == ([10], {})
    engine.total_budget = 30
    # It stops at the classifier that was missing, and goes on to the next stage afterwards.
    for number, refused in ((20, 1), (30, 2)):
        engine.fit(lambda worker_id, parameters: 0.5, early_stop=True, verbose=0)
        assert len(engine.dataset) == number
        assert sum(engine._run.search.refused.values()) == refused


def test_a_budget_that_makes_stages_longer(tmp_path):
    engine = engine_of(tmp_path, 40)
    engine.fit(skip_cv_checks=True, verbose=0)
    engine.total_budget = 400
    engine.fit(skip_cv_checks=True, verbose=0)

    assert stages_of(engine) == [10, 20, 30, *range(40, 340, 20)]
    assert len(engine.classifiers) == engine.total_classifiers == 18


@pytest.mark.parametrize("pace", ["pipeline", "stream"])
def test_at_other_paces(tmp_path, pace):
    for folder, stop in (("whole", 99), ("parts", 51)):
        engine = engine_in(tmp_path / folder, pace, evaluate)
        engine.fit(skip_cv_checks=True, verbose=0)
        assert stages_of(engine) == [8, 16, 24, 32]
        engine.total_budget = 64
        if stop < 64:
            with pytest.raises(InterruptionError):
                engine.fit(InterruptedAt(stop - 40), skip_cv_checks=True, verbose=0)
        engine.fit(evaluate, skip_cv_checks=True, verbose=0)
        assert stages_of(engine) == [8, 16, 24, 32, 40, 48, 56]
        assert pace == "pipeline" or is_replayed(engine)

    if pace == "pipeline":
        assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_is_replayed_whatever_the_classifier_needed(tmp_path, seed):
    """`ask` cross-validates it, while `tell` may spare that."""
    chance = random.Random(seed)
    engine = engine_of(tmp_path, 20, method="paper", pace="stream")
    for budget in (20, 40):
        engine.total_budget = budget
        while samples := engine.ask(10):
            engine.tell(samples, [chance.random() for _ in samples], skip_cv_checks=True)

    assert is_replayed(engine)


def test_a_stream_whose_budget_changes_twice(tmp_path):
    class Stops(Callback):
        def on_classifier_end(self, number, logs=None):
            self.engine.stop()

        def on_epoch_end(self, epoch, logs=None):
            self.engine.stop()

    engine = engine_of(tmp_path, 30, pace="stream")
    engine.fit(skip_cv_checks=True, verbose=0)
    engine.total_budget = 60
    engine.fit(skip_cv_checks=True, verbose=0, callbacks=Stops())
    assert (len(engine.dataset), stages_of(engine)) == (30, [10, 20, 30])
    # Stages are longer from here on, and none ends at 30.
    engine.total_budget = 400
    engine.fit(skip_cv_checks=True, verbose=0, callbacks=Stops())

    assert len(engine.dataset) > 30
    assert is_replayed(engine)


def test_a_directory_without_the_end_of_the_last_stage(tmp_path):
    """As PySHAC 1.0.0 saved it: whether a classifier was refused there is not known."""
    engine = engine_of(tmp_path, 40)
    engine.fit(skip_cv_checks=True, verbose=0)
    path = tmp_path / "state.json"
    state = json.loads(path.read_text())
    del state["sha256"], state["stage_end"]
    path.write_text(json.dumps({**state, "sha256": checksum(state)}))
    loaded = engine_of(tmp_path, 60, resume=True)
    loaded.fit(skip_cv_checks=True, verbose=0)

    assert stages_of(loaded) == [10, 20, 30, 50, 60]


def test_the_classifier_that_is_missing_is_to_come(tmp_path):
    engine = engine_of(tmp_path, 40)
    engine.fit(skip_cv_checks=True, verbose=0)
    engine.total_budget = 60

    assert "3 trained, up to 2 to come" in repr(engine)
