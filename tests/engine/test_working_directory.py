"""A working directory that changes: every path stays where it was when it was handed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyshac import SHAC, Dataset
from pyshac.cli import main
from pyshac.core.callbacks import CSVLogger
from pyshac.looking.snapshot import take_snapshot
from tests.engine.engine_helpers import (
    contents,
    evaluate,
    make_engine,
    make_space,
    restored,
    samples_of,
)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another directory, which the evaluations change to; `tmp_path/here` is the first one."""
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "elsewhere"


def changing_to(folder):
    def function(worker_id, parameters):
        os.chdir(folder)
        return evaluate(worker_id, parameters)

    return function


def test_a_run_stays_in_its_directory(elsewhere, tmp_path):
    engine = make_engine("study", changing_to(elsewhere))
    engine.fit(callbacks=[CSVLogger("log.csv")], skip_cv_checks=True)
    assert Path.cwd() == elsewhere
    assert len(restored(tmp_path / "here" / "study").dataset) == 18
    assert len((tmp_path / "here" / "log.csv").read_text().splitlines()) == 4
    assert list(elsewhere.iterdir()) == []
    assert engine.save_dir == str(tmp_path / "here" / "study")


def test_a_finished_search_elsewhere_is_not_overwritten(elsewhere):
    make_engine(elsewhere / "study", seed=1).fit(skip_cv_checks=True)
    before = contents(elsewhere / "study")
    make_engine("study", changing_to(elsewhere)).fit(skip_cv_checks=True)
    assert contents(elsewhere / "study") == before


def test_ask_tell_save_and_restore_stay_in_their_directory(elsewhere, tmp_path):
    engine = make_engine("study")
    os.chdir(elsewhere)
    asked = engine.ask()
    engine.tell(asked, [evaluate(0, sample) for sample in asked])
    engine.save_data()
    engine.save_dir = "second"
    os.chdir(tmp_path)
    engine.save_data()
    assert samples_of(restored("here/study")) == samples_of(restored("elsewhere/second"))
    again = make_engine("here/study", parameters=None)
    os.chdir(elsewhere)
    again.restore_data()
    assert samples_of(again) == samples_of(engine)


@pytest.mark.slow
def test_home_is_expanded_everywhere(elsewhere, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("HOME", str(tmp_path))
    make_engine("~/study").fit(callbacks=[CSVLogger("~/log.csv")], skip_cv_checks=True)
    assert (tmp_path / "log.csv").exists()
    assert len(Dataset.load_from_directory("~/study")) == 18
    assert take_snapshot("~/study").path == str(tmp_path / "study")
    assert main(["export", "~/study", "--to", "csv", "-o", "~/all.csv"]) == 0
    assert main(["report", "~/study", "-o", "~/report.html"]) == 0
    assert str(tmp_path / "report.html") in capsys.readouterr().out
    from pyshac.utils.vis_utils import plot_dataset

    plot_dataset("~/study", "~/scores.png")
    assert (tmp_path / "scores.png").exists()
    learned = SHAC(make_space(), 18, 3, "min", save_dir="~/learned")
    learned.fit_dataset("~/all.csv")
    assert len(restored(tmp_path / "learned").dataset) == 18
    assert not (Path.cwd() / "~").exists()


@pytest.mark.parametrize("value", [None, b"study", 7])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("save_dir", lambda value: make_engine(value)),
        ("save_dir", lambda value: setattr(make_engine("x"), "save_dir", value)),
        ("filename", CSVLogger),
        ("basedir", Dataset.load_from_directory),
        ("path", lambda value: make_engine("x").fit_dataset(value)),
    ],
)
def test_what_is_no_path_is_told_by_the_name_of_the_argument(elsewhere, name, call, value):
    if name == "save_dir" and value is None:
        pytest.skip("it means 'shac'")
    with pytest.raises(TypeError, match=f"^{name} must be a path"):
        call(value)


@pytest.mark.parametrize("value", [b"study", 7])
def test_a_report_to_what_is_no_path(elsewhere, value, finished):
    from pyshac.reporting.page import write_report

    with pytest.raises(TypeError, match="^to_file must be a path"):
        write_report(finished, value)
