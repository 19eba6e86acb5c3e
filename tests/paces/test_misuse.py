"""Misuse of paces is told, with what is allowed."""

from __future__ import annotations

import pytest

from tests.engine.engine_helpers import evaluate
from tests.paces.searches import engine_in


@pytest.mark.parametrize("pace", ["x", "Stream", None, 1, ["stream"]])
def test_paces_that_there_are_not(tmp_path, pace):
    with pytest.raises(ValueError, match=r"pace must be one of \['batch', 'pipeline', 'stream'\]"):
        engine_in(tmp_path, pace)


@pytest.mark.parametrize(
    ("number", "error"), [(1, ValueError), (0, ValueError), (-2, ValueError), (2.5, TypeError),
                          ("2", TypeError), (True, TypeError)],
)  # fmt: skip
def test_numbers_of_open_batches(tmp_path, number, error):
    with pytest.raises(error, match="open_batches must be None or an int of at least 2"):
        engine_in(tmp_path, "pipeline", open_batches=number)


@pytest.mark.parametrize("pace", ["batch", "stream"])
def test_open_batches_belong_to_pipelines(tmp_path, pace):
    with pytest.raises(ValueError, match="open_batches belongs to pace='pipeline'. Got 2 with"):
        engine_in(tmp_path, pace, open_batches=2)


@pytest.mark.parametrize("pace", ["batch", "pipeline"])
def test_there_is_nothing_to_replay_at_another_pace(tmp_path, pace):
    engine = engine_in(tmp_path, pace)
    assert engine.replay() == []
    engine.ask()
    with pytest.raises(RuntimeError, match="8 samples were not drawn at the pace 'stream'"):
        engine.replay()


@pytest.mark.parametrize(("pace", "number"), [("batch", 1), ("pipeline", 2)])
def test_asking_for_more_than_may_be_open(tmp_path, pace, number):
    engine = engine_in(tmp_path, pace, None)
    samples = [engine.ask() for _ in range(number)]
    with pytest.raises(RuntimeError, match=f"{8 * number} have no score yet"):
        engine.ask()
    with pytest.raises(RuntimeError, match=f"{8 * number} have no score yet"):
        engine.ask(3)
    engine.tell(samples[0], [evaluate(0, each) for each in samples[0]])
    assert len(engine.ask()) == 8


def test_asking_for_more_than_the_budget_of_a_stream(tmp_path):
    engine = engine_in(tmp_path, "stream", None)
    assert len(engine.ask(100)) == 40
    assert engine.ask(1) == engine.ask() == []
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="n must be an int of at least 1"):
            engine.ask(wrong)
    with pytest.raises(TypeError, match="n must be"):
        engine.ask(1.5)


def test_telling_of_samples_that_have_scores(tmp_path):
    engine = engine_in(tmp_path, "stream", None)
    samples = engine.ask(3)
    engine.tell(samples[1], 1.0)
    with pytest.raises(ValueError, match="it has a score already"):
        engine.tell(samples[1], 2.0)
