"""Rankings share the samples of a run, and a run that was interrupted remembers their success."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyshac.core.dataset.formats import journal_file
from pyshac.core.search.shares import MEMORY
from tests.engine.engine_helpers import (
    InterruptedAt,
    contents,
    evaluate,
    make_engine,
    restored,
    samples_of,
)

OPTIONS = {"total_budget": 40, "num_batches": 5}


def state_of(save_dir):
    return json.loads((save_dir / "state.json").read_text())


def drawn_in(save_dir):
    """The record of the open batch."""
    records = journal_file.read_records(save_dir / "journal.jsonl")
    return next(record for record in records if "batch" in record)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The directory of a run that was not interrupted."""
    engine = make_engine(tmp_path_factory.mktemp("whole"), **OPTIONS)
    engine.fit(skip_cv_checks=True, verbose=0)
    return Path(engine.save_dir)


def test_the_state_tells_what_rankings_chose(whole):
    state = state_of(whole)
    assert len(state["chosen"]) == len(state["good"]) == 3
    # The first batch was chosen by none of them; what was long ago counts less.
    assert sum(state["chosen"]) == pytest.approx((1 - MEMORY**32) / (1 - MEMORY))
    assert all(number > 0 for number in state["chosen"])
    assert sum(state["good"]) > 0


@pytest.mark.parametrize("call", [10, 17, 21, 33, 40])
def test_interrupted_in_a_batch_a_run_ends_as_one_that_was_not(tmp_path, whole, call):
    engine = make_engine(tmp_path, InterruptedAt(call), **OPTIONS)
    with pytest.raises(RuntimeError):
        engine.fit(skip_cv_checks=True, verbose=0)
    record = drawn_in(tmp_path)
    number = (call - 1) // 8
    assert record["num_checks"] == number
    assert len(record["chosen_by"]) == 8
    assert set(record["chosen_by"]) <= {0, 1, 2}
    again = restored(tmp_path, **OPTIONS)
    batch, before = again._run.search.open.first, engine._run.search.open.first
    assert batch.chosen_by == before.chosen_by == record["chosen_by"]
    assert batch.num_checks == number
    assert again._run.search.shares == engine._run.search.shares
    again.fit(skip_cv_checks=True, verbose=0)
    assert contents(tmp_path) == contents(whole)


@pytest.mark.parametrize("name", ["ask and tell", "saved in between"])
def test_asked_and_told_in_any_order_it_is_the_same_run(tmp_path, whole, name):
    engine = make_engine(tmp_path, **OPTIONS)
    while samples := engine.ask(5) + engine.ask(5):
        for sample in samples[::-1]:
            engine.tell(sample, evaluate(0, sample), skip_cv_checks=True)
            if name == "saved in between":
                engine.save_data()
    assert samples_of(engine) == samples_of(restored(whole, **OPTIONS))
    ours, theirs = state_of(tmp_path), state_of(whole)
    assert (ours["chosen"], ours["good"]) == (theirs["chosen"], theirs["good"])


def test_batches_of_one_are_shared_too(tmp_path):
    engine = make_engine(tmp_path, total_budget=13, num_batches=13)
    chosen = []
    while samples := engine.ask():
        chosen += engine._run.search.open.first.chosen_by
        engine.tell(samples, [evaluate(0, sample) for sample in samples], skip_cv_checks=True)
    assert len(chosen) == 12
    assert set(chosen) == {0, 1, 2}


@pytest.mark.slow
def test_interrupted_between_two_fits_of_rankings(tmp_path):
    options = {"total_budget": 40, "num_batches": 40, "max_classifiers": 4}
    whole = make_engine(tmp_path / "whole", **options)
    whole.fit(skip_cv_checks=True, verbose=0)
    for call in (24, 26, 36):
        part = make_engine(tmp_path / str(call), InterruptedAt(call), **options)
        with pytest.raises(RuntimeError):
            part.fit(skip_cv_checks=True, verbose=0)
        again = restored(tmp_path / str(call), **options)
        again.fit(skip_cv_checks=True, verbose=0)
        assert contents(tmp_path / str(call)) == contents(tmp_path / "whole")


def test_the_paper_has_no_rankings(tmp_path):
    engine = make_engine(tmp_path, InterruptedAt(9), method="paper")
    with pytest.raises(RuntimeError):
        engine.fit(skip_cv_checks=True, verbose=0)
    record = drawn_in(tmp_path)
    assert (record["chosen_by"], record["num_checks"]) == ([], len(engine.classifiers))
    restored(tmp_path, method="paper").fit(skip_cv_checks=True, verbose=0)
    assert (state_of(tmp_path)["chosen"], state_of(tmp_path)["good"]) == ([], [])
