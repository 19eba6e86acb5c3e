"""Runs whose pace changes on the way, and who else can read the directory of a stream."""

from __future__ import annotations

import itertools
import json
import shutil

import pytest

import pyshac
from pyshac import SHAC, Dataset
from pyshac.cli import main
from tests.engine.engine_helpers import FIXTURES, contents, evaluate, make_engine
from tests.paces.searches import (
    PACES,
    Dawdling,
    are_different,
    engine_in,
    is_replayed,
    samples_of,
)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(PACES, 2)))
@pytest.mark.parametrize("seconds", [0.02, 0.2])
def test_the_pace_may_change(tmp_path, first, second, seconds):
    engine = engine_in(tmp_path, first, Dawdling(0))
    engine.fit(skip_cv_checks=True, verbose=0, max_seconds=seconds)
    kept, was_drawn = samples_of(engine), engine._run.search.num_drawn > 0
    engine = engine_in(tmp_path, second, Dawdling(1), resume=True)
    assert engine.pace == second
    assert samples_of(engine) == kept
    engine.fit(skip_cv_checks=True, verbose=0)
    samples = samples_of(engine)
    assert engine._run.search.num_complete == len(samples) == 40
    assert all(sample in samples for sample in kept)
    assert are_different(samples)
    if was_drawn or second != "stream":
        with pytest.raises(RuntimeError, match="samples were not drawn at the pace 'stream'"):
            engine.replay()
    assert SHAC.load(tmp_path).pace == second


@pytest.mark.parametrize("second", ["batch", "pipeline"])
def test_a_finished_stream_is_replayed_by_an_engine_of_another_pace(tmp_path, second):
    engine_in(tmp_path, "stream").fit(skip_cv_checks=True, verbose=0)
    engine = engine_in(tmp_path, second, resume=True)
    assert is_replayed(engine)
    engine.total_budget = 48
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 48


def test_the_number_of_open_batches_may_change(tmp_path):
    for number, seconds in ((2, 0.05), (4, 0.05), (3, 0.05), (2, None)):
        engine = engine_in(tmp_path, "pipeline", open_batches=number, resume=True)
        engine.fit(skip_cv_checks=True, verbose=0, max_seconds=seconds)
    assert len(engine.dataset) == 40
    assert are_different(samples_of(engine))


def test_changes_within_asked_samples(tmp_path):
    engine = engine_in(tmp_path, "stream", None)
    asked = engine.ask(11)
    engine.tell(asked[3:9], [evaluate(0, sample) for sample in asked[3:9]])
    for pace in ("pipeline", "batch", "stream"):
        engine = engine_in(tmp_path, pace, None, resume=True)
        again = engine.ask(1)
        assert again[0] in asked
        engine.tell(again, [evaluate(0, again[0])])
    engine.fit(evaluate, skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 40
    assert all(sample in samples_of(engine) for sample in asked)


def to_1_0(path):
    """Makes a directory into one that lacks all that came after PySHAC 1.0.0."""
    from pyshac.core.storage.state_file import checksum

    state = json.loads((path / "state.json").read_text())
    for name in ("pace", "open_batches"):
        state.pop(name, None)
    del state["sha256"]
    (path / "state.json").write_text(json.dumps({**state, "sha256": checksum(state)}))


@pytest.mark.parametrize("pace", ["pipeline", "stream"])
def test_directories_without_a_pace_go_on_at_any(tmp_path, pace):
    engine = make_engine(tmp_path, total_budget=40, num_batches=5)
    engine.fit(skip_cv_checks=True, verbose=0, max_seconds=0.05)
    to_1_0(tmp_path)
    engine = engine_in(tmp_path, pace, resume=True)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 40


@pytest.mark.slow
@pytest.mark.parametrize("pace", ["pipeline", "stream"])
def test_runs_of_earlier_releases_go_on_at_any_pace(tmp_path, pace):
    shutil.copytree(FIXTURES, tmp_path / "shac")
    found = sorted(path.parent.parent for path in (tmp_path / "shac").rglob("parameters.json"))
    engine = SHAC.load(found[0], pace=pace)
    before = len(engine.dataset)
    engine.total_budget = before + 10
    engine.fit(lambda worker_id, parameters: 0.5, skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == before + 10


@pytest.fixture(scope="module")
def open_stream(tmp_path_factory):
    """A stream with samples that have no score yet."""
    path = tmp_path_factory.mktemp("open")
    engine = engine_in(path, "stream", Dawdling(0))
    engine.fit(skip_cv_checks=True, verbose=0)
    engine.total_budget = 60
    samples = engine.ask(7)
    engine.tell(samples[2:5], [evaluate(0, sample) for sample in samples[2:5]])
    return path


def test_a_stream_is_loaded(open_stream):
    engine = SHAC.load(open_stream)
    assert engine.pace == "stream"
    assert is_replayed(engine)
    assert len(Dataset.load_from_directory(open_stream)) == len(engine.dataset) == 43
    assert "43" in repr(engine)
    assert len(engine.predict(num_samples=2)) == 2


@pytest.mark.slow
def test_a_stream_is_shown_and_reported(open_stream, tmp_path, capsys):
    before = contents(open_stream)
    assert main(["show", str(open_stream)]) in (None, 0)
    assert "43" in capsys.readouterr().out
    pyshac.write_report(open_stream, tmp_path / "report.html")
    assert "43" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert contents(open_stream) == before


@pytest.mark.slow
@pytest.mark.parametrize("pace", ["pipeline", "stream"])
def test_samples_that_were_evaluated_elsewhere(tmp_path, pace):
    engine = engine_in(tmp_path / "first", "stream")
    engine.fit(skip_cv_checks=True, verbose=0)
    path = tmp_path / "first" / "datasets" / "dataset.csv"
    engine = engine_in(tmp_path / "second", pace, total_budget=36, num_batches=None, batch_size=8)
    history = engine.fit_dataset(path, skip_cv_checks=True, verbose=0)
    assert history.epochs == [1, 2, 3, 4, 5]
    engine.total_budget = 44
    engine.fit(uneven_or_not, skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 44
    engine = engine_in(tmp_path / "third", pace, start_from=tmp_path / "first")
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 40
    assert pace == "pipeline" or is_replayed(engine)


def uneven_or_not(worker_id, parameters):
    return evaluate(worker_id, parameters)
