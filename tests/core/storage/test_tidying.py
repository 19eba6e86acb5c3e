"""Restoring clears away what a killed writer left, unless somebody else writes there."""

from __future__ import annotations

import os

import pytest

from pyshac import Dataset
from pyshac.core.basics import files
from pyshac.core.storage.directory_lock import DirectoryLock
from pyshac.core.storage.layout import Layout
from pyshac.looking.snapshot import take_snapshot
from tests.engine.engine_helpers import (
    InterruptedAt,
    make_engine,
    raw_contents,
    restored,
    samples_of,
)


@pytest.fixture
def killed(tmp_path):
    """The directory of a spent run that was killed in its last save, and what it should hold."""
    path = tmp_path / "shac"
    with pytest.raises(RuntimeError):
        make_engine(path, InterruptedAt(18)).fit(skip_cv_checks=True)
    journal = (path / "journal.jsonl").read_bytes()
    restored(path).fit(skip_cv_checks=True)
    whole = raw_contents(path)
    # The state is written, the journal not emptied.
    (path / "journal.jsonl").write_bytes(journal)
    for folder in ("", "datasets", "classifiers"):
        (path / folder / f"{files.TEMPORARY_PREFIX}abc").write_text("half a file")
    return path, whole


def test_restoring_clears_away_what_a_killed_run_left(killed):
    path, whole = killed
    assert raw_contents(path) != whole
    engine = restored(path)
    assert raw_contents(path) == whole
    assert samples_of(restored(path)) == samples_of(engine)
    engine.save_data()


def test_looking_changes_nothing(killed):
    path, _ = killed
    before = raw_contents(path)
    take_snapshot(path)
    assert len(Dataset.load_from_directory(path)) == 18
    assert raw_contents(path) == before


def test_the_files_of_another_writer_stay(killed):
    path, _ = killed
    before = raw_contents(path)
    with DirectoryLock(Layout(path)).held():
        assert len(restored(path).dataset) == 18
    assert raw_contents(path) == before


def test_a_clean_directory_is_not_written_to(killed):
    path, _ = killed
    restored(path)
    before = {item: item.stat().st_mtime_ns for item in [path, *path.rglob("*")]}
    restored(path)
    assert {item: item.stat().st_mtime_ns for item in [path, *path.rglob("*")]} == before


def test_an_open_batch_keeps_its_journal(tmp_path):
    with pytest.raises(RuntimeError):
        make_engine(tmp_path, InterruptedAt(9)).fit(skip_cv_checks=True)
    (tmp_path / f"{files.TEMPORARY_PREFIX}abc").write_text("half a file")
    journal = (tmp_path / "journal.jsonl").read_bytes()
    assert len(restored(tmp_path).dataset) == 8
    assert not (tmp_path / f"{files.TEMPORARY_PREFIX}abc").exists()
    assert (tmp_path / "journal.jsonl").read_bytes() == journal


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_restores(killed):
    path, _ = killed
    path.chmod(0o500)
    try:
        assert len(restored(path).dataset) == 18
    finally:
        path.chmod(0o700)
