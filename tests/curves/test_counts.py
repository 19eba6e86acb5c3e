"""Whatever counts samples without a score tells those that were pruned from those that failed."""

from __future__ import annotations

import io
import json
import math
import re
import warnings

import pytest

import pyshac
from pyshac import Dataset, EvaluationError, ProgressBar
from pyshac.cli import main
from pyshac.core.basics.results.details import Details
from pyshac.core.callbacks.figures import Figures, sample_line
from pyshac.looking.snapshot import take_snapshot
from pyshac.reporting.export import as_json
from pyshac.reporting.summary import facts, stage_rows
from pyshac.reporting.table import table_content
from pyshac.reporting.text_table import failed_evaluations
from tests.curves.searches import engine_in
from tests.curves.test_rules import dataset_of, line

NAN = math.nan


def mixed(worker_id, parameters):
    """By fifths of x: fails, is pruned, is pruned, has a score, has a score."""
    pyshac.report(4, parameters["x"])
    if parameters["x"] < 0.2:
        return NAN
    if parameters["x"] < 0.6:
        raise pyshac.Pruned
    return parameters["x"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = engine_in(tmp_path_factory.mktemp("mixed"), mixed, 30, 3)
    engine.fit(verbose=0)
    return engine


@pytest.fixture(scope="module")
def counts(engine):
    """How many failed, and how many were pruned."""
    xs = [each.parameters["x"] for each in engine.evaluations]
    failed, pruned = sum(x < 0.2 for x in xs), sum(0.2 <= x < 0.6 for x in xs)
    assert failed > 0
    assert pruned > 0
    return failed, pruned


def test_summaries(engine, counts):
    failed, pruned = counts
    for text in (repr(engine), engine._repr_html_()):
        assert f"30 of 30, {failed} failed, {pruned} pruned, in 3 batches" in text
    assert f"30, {failed} failed, {pruned} pruned" in repr(engine.dataset)


def test_a_dataset_with_pruned_samples_only():
    dataset = dataset_of((NAN, line(1, is_pruned=True)))
    assert "1, 1 pruned" in repr(dataset)
    assert "score at" not in repr(dataset)


def test_history(tmp_path, counts):
    engine = engine_in(tmp_path, mixed, 30, 3)
    history = engine.fit(verbose=0)
    assert "30, {} failed, {} pruned".format(*counts) in repr(history)


def test_progress(tmp_path, counts):
    engine, file = engine_in(tmp_path, mixed, 30, 3), io.StringIO()
    engine.fit(verbose=0, callbacks=[ProgressBar(file, each_sample=True)])
    failed, pruned = counts
    text = file.getvalue()
    assert f"30 of 30 evaluations; {failed} failed; {pruned} pruned; best score" in text
    assert len(re.findall(r"Sample \d+: pruned at step 4 \(0\.\d+\); ", text)) == pruned
    assert text.count(": failed (its score is not finite)") == failed
    assert Figures(10, failed=1, pruned=2).details == ["1 failed", "2 pruned"]


def test_a_line_without_a_curve():
    assert sample_line(3, NAN, None, {"pruned": False}).startswith("Sample 3: failed (no score)")


def test_data_frames(engine):
    pytest.importorskip("pandas")
    frame = engine.dataset.to_dataframe()
    assert frame["state"].tolist() == [each.state for each in engine.evaluations]
    assert frame["scores"].isna().tolist() == [
        each.state != "complete" for each in engine.evaluations
    ]


def test_snapshots_and_reports(engine, counts):
    snapshot = take_snapshot(engine)
    assert (snapshot.num_failed, snapshot.num_pruned) == counts
    assert ("Evaluations", "30 of 30, {} failed, {} pruned".format(*counts)) in facts(snapshot)
    rows = stage_rows(snapshot)
    assert (sum(row.failed for row in rows), sum(row.pruned for row in rows)) == counts
    assert len(failed_evaluations(snapshot)[0].cells) == counts[0]
    content = table_content(snapshot)
    states = [row[content["state"]] for row in content["rows"]]
    assert (states.count("failed"), states.count("pruned")) == counts


def test_json(engine):
    records = json.loads(as_json(take_snapshot(engine)))["evaluations"]
    for record, evaluation in zip(records, engine.evaluations, strict=True):
        curve = {"steps": [4], "scores": [evaluation.parameters["x"]]}
        is_pruned = evaluation.state == "pruned"
        assert record["curve"] == ({**curve, "pruned": True} if is_pruned else curve)
        assert record["state"] == evaluation.state


def test_command_line(engine, counts, capsys):
    assert main(["show", engine.save_dir]) == 0
    text = capsys.readouterr().out
    assert "{} failed, {} pruned".format(*counts) in text
    assert "samples  failed  pruned         best" in text
    assert main(["show", "--failed", engine.save_dir]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + counts[0]


@pytest.mark.slow
def test_the_page_and_the_plots(engine, counts, tmp_path):
    pytest.importorskip("matplotlib")
    from pyshac.plots.score_plots import plot_best_so_far, plot_scores_by_stage

    labels = plot_best_so_far(engine).get_legend_handles_labels()[1]
    assert {f"failed: {counts[0]}", f"pruned: {counts[1]}"} <= {*labels}
    assert "failed ones, pruned ones" in plot_scores_by_stage(engine).get_xlabel()
    text = pyshac.write_report(engine, tmp_path / "report.html").read_text()
    assert "Pruned" in text


def test_a_batch_that_failed_as_a_whole_still_stops_the_run(tmp_path):
    def function(worker_id, parameters):
        pyshac.report(1, 0.5)
        return NAN

    with pytest.raises(EvaluationError, match="All 10 evaluations of batch 1 failed"):
        engine_in(tmp_path, function, 30, 3).fit(verbose=0)


class TestTheFormerName:
    """`report(search)` wrote the page that `write_report` writes today."""

    @pytest.fixture(autouse=True)
    def _matplotlib(self):
        pytest.importorskip("matplotlib")

    @pytest.mark.slow
    def test_it_goes_on_working(self, engine, tmp_path):
        path = tmp_path / "report.html"
        with pytest.warns(DeprecationWarning, match=r"use write_report\(search\)"):
            assert pyshac.report(engine.save_dir, path) == path
        with pytest.warns(DeprecationWarning, match="former spelling"):
            pyshac.report(source=engine, to_file=path, objective="min")
        assert path.exists()

    def test_engines_and_datasets(self, tmp_path, monkeypatch):
        calls = []
        monkeypatch.setattr("pyshac.reporting.page.write_report", lambda *a, **k: calls.append(a))
        sources = [engine_in(tmp_path), Dataset(), "path", tmp_path]
        for source in sources:
            with pytest.warns(DeprecationWarning, match="former spelling"):
                pyshac.report(source)
        assert [call[0] for call in calls] == sources

    def test_steps_are_none(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pyshac.report(1, 0.5)


def test_details_of_a_pruned_sample():
    details = Details(curve=line(1, last=4, is_pruned=True))
    assert (details.is_pruned, details.num_steps) == (True, 4)
    assert (Details().is_pruned, Details().num_steps) == (False, 0)
