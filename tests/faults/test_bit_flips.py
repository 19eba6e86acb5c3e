"""Bit flips: every file of a saved run, some bytes in the quick part, all in the long one."""

from __future__ import annotations

import pytest

from tests.faults.bit_flips import flip_all

STEPS = [251, pytest.param(23, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.long)]


@pytest.mark.parametrize("step", STEPS)
def test_no_flipped_bit_passes_for_what_was_saved(tmp_path, step):
    outcomes = flip_all(tmp_path / "shac", step)
    assert set(outcomes) == {
        "classifiers/00.ubj",
        "classifiers/01.ubj",
        "datasets/dataset.csv",
        "datasets/evaluations.jsonl",
        "datasets/parameters.json",
        "journal.jsonl",
        "state.json",
    }
    detected = sum(counts["detected"] for counts in outcomes.values())
    harmless = sum(counts["harmless"] for counts in outcomes.values())
    # What is harmless stands in another file as well, or is white space: a small part.
    assert detected > 5 * harmless
    assert all(sum(counts.values()) for counts in outcomes.values())
