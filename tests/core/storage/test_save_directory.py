"""The save directory: what is written when, what comes back, and who may write."""

from __future__ import annotations

import json
import math
import os

import pytest

from pyshac import DirectoryInUseError, SaveDirectoryError
from pyshac.core.basics import files
from pyshac.core.basics.results.details import UNKNOWN
from pyshac.core.classifiers.training import Admission
from pyshac.core.dataset.formats import journal_file
from pyshac.core.storage import state_file
from pyshac.core.storage.layout import Layout
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.state_file import FORMAT
from tests.core.storage.searches import (
    advance,
    as_saved,
    draw_batch,
    finished,
    load,
    new_search,
    same,
    save,
)
from tests.engine.engine_helpers import contents


@pytest.fixture
def search():
    return new_search()


@pytest.fixture
def directory(tmp_path):
    return SaveDirectory(tmp_path / "shac")


# Round trips


def test_empty_search(directory, search):
    with directory.writing():
        save(directory, search)
    loaded = load(directory.path)
    assert same(loaded, as_saved(search))
    assert loaded.is_seeded
    assert not loaded.is_legacy


def test_finished_batch(directory, search):
    finished(search)
    with directory.writing():
        save(directory, search)
    assert same(load(directory.path), as_saved(search))


@pytest.mark.parametrize("stop", range(10, 21, 2))
def test_journal_alone_carries_a_batch(directory, search, stop):
    finished(search)
    with directory.writing():
        save(directory, search)
        advance(search, directory, stop)
    loaded = load(directory.path)
    assert same(loaded, as_saved(search))
    assert loaded.open.first.worker_ids == {number: number % 3 for number in range(10, stop)}


@pytest.mark.parametrize("stop", [10, 13, 20])
def test_a_save_in_the_middle_of_a_batch(directory, search, stop):
    finished(search)
    advance(search, None, stop)
    with directory.writing():
        save(directory, search)
    assert same(load(directory.path), as_saved(search))


def test_scores_in_another_order(directory, search):
    with directory.writing():
        save(directory, search)
        batch = draw_batch(search)
        directory.append_batch(batch)
        for number in (7, 2, 9, 0):
            search.learn_score(number, float(number), UNKNOWN)
            directory.append_scores([(number, float(number), UNKNOWN)])
    assert same(load(directory.path), as_saved(search))
    with directory.writing():
        save(directory, search)
    loaded = load(directory.path)
    assert same(loaded, as_saved(search))
    assert list(loaded.open.first.worker_ids) == [7, 2, 9, 0]


@pytest.mark.parametrize("score", [math.nan, 0.1 + 0.2, -1e-320, 1e308, -0.0, 3.0])
def test_scores_are_exact(directory, search, score):
    with directory.writing():
        save(directory, search)
        batch = draw_batch(search)
        directory.append_batch(batch)
        search.learn_score(0, score, UNKNOWN)
        directory.append_scores([(0, score, UNKNOWN)])
    for _ in range(2):
        loaded = load(directory.path).dataset.Y
        assert repr(loaded) == repr([score])
        with directory.writing():
            save(directory, search)


def test_values_of_every_type_are_exact(directory, search):
    kinds = set()
    with directory.writing():
        save(directory, search)
        advance(search, directory)
        search.close_batch(Admission.ALL)
        save(directory, search)
    for row, ours in zip(load(directory.path).dataset.X, search.dataset.X, strict=True):
        assert row == ours
        assert list(map(type, row)) == list(map(type, ours))
        kinds.add(type(row[1]))
    assert len(kinds) >= 3


# What is written


def test_files_that_are_as_they_were_are_not_written_again(directory, search):
    finished(search)
    with directory.writing():
        save(directory, search)
        before = {name: os.stat(directory.path / name).st_ino for name in contents(directory.path)}
        save(directory, search)
        after = {name: os.stat(directory.path / name).st_ino for name in contents(directory.path)}
    del before["journal.jsonl"], after["journal.jsonl"]
    assert after == before


def test_a_score_costs_one_line(directory, search):
    with directory.writing():
        save(directory, search)
        before = contents(directory.path)
        advance(search, directory)
    after = contents(directory.path)
    assert {name for name in after if after[name] != before[name]} == {"journal.jsonl"}
    records = journal_file.read_records(directory.path / "journal.jsonl")
    assert [sorted(record) for record in records] == [
        ["batch", "chosen_by", "num_checks", "num_enqueued", "rows"],
        *[["extras", *["failure"][: number % 5 == 0], "id", "score", "seconds", "started", "worker"]
          for number in range(10)],
    ]  # fmt: skip


def test_state_is_readable(directory, search):
    with directory.writing():
        save(directory, finished(search))
    state = json.loads((directory.path / "state.json").read_text())
    assert state["objective"] == "min"
    assert (state["total_budget"], state["num_batches"]) == (20, 2)
    assert (state["num_complete"], state["stage_starts"]) == (10, [10])
    assert state["entropy"] == 5
    assert state["is_seeded"] is True
    assert state["format"] == 2
    assert state["max_classifiers"] == 18
    assert state["format"] == FORMAT
    assert len(state["classifiers"]) == 1


def test_a_state_without_refused_classifiers_is_one_of_an_earlier_version(directory, search):
    advance(search)
    search.refused = {"no reason": 2}
    with directory.writing():
        save(directory, search)
    assert load(directory.path).refused == {"no reason": 2}
    path = directory.path / "state.json"
    state = json.loads(path.read_text())
    del state["sha256"], state["refused"]
    path.write_text(json.dumps({**state, "sha256": state_file.checksum(state)}))
    assert load(directory.path).refused == {}


def test_what_killed_writers_left_is_cleared_away(directory, search):
    for folder in (".", "datasets", "classifiers"):
        (directory.path / folder).mkdir(parents=True, exist_ok=True)
        (directory.path / folder / f"{files.TEMPORARY_PREFIX}abc").write_text("half a file")
    with directory.writing():
        save(directory, search)
    assert not [name for name in contents(directory.path) if "writing" in name]


@pytest.mark.parametrize(
    "change",
    [
        {"objective": "more"},
        {"num_complete": -1},
        {"num_complete": 7.0},
        {"num_complete": True},
        {"num_complete": 15},
        {"entropy": "5"},
        {"entropy": None},
        {"is_seeded": 1},
        {"classifiers": [1]},
        {"classifiers": "ab"},
        {"csv_bytes": 5},
        {"refused": ["no reason"]},
        {"refused": {"no reason": 0}},
        {"refused": {"no reason": 1.0}},
        {"unknown": 1},
        {"format": "1"},
        {"format": None},
    ],
)
def test_states_that_are_none(directory, search, change):
    """With a right checksum, as a program with a fault would write them."""
    with directory.writing():
        save(directory, finished(search))
    path = directory.path / "state.json"
    state = {**json.loads(path.read_text()), **change}
    del state["sha256"]
    path.write_text(json.dumps({**state, "sha256": state_file.checksum(state)}))
    with pytest.raises(SaveDirectoryError, match=r"state\.json|dataset\.csv"):
        load(directory.path)


@pytest.mark.parametrize("name", ["objective", "entropy", "classifiers", "format", "sha256"])
def test_states_that_lack_something(directory, search, name):
    with directory.writing():
        save(directory, search)
    path = directory.path / "state.json"
    state = json.loads(path.read_text())
    del state[name]
    path.write_text(json.dumps(state))
    with pytest.raises(SaveDirectoryError, match=r"state\.json"):
        load(directory.path)


def test_a_classifier_too_many_is_left_alone(directory, search):
    with directory.writing():
        save(directory, finished(search))
    (directory.path / "classifiers" / "01.ubj").write_bytes(b"of nobody")
    assert len(load(directory.path).cascade) == 1


# Who may write


def test_holds_run(directory, search):
    layout = Layout(directory.path)
    assert not layout.holds_run()
    with directory.writing():
        assert not layout.holds_run()
        save(directory, search)
    assert layout.holds_run()
    assert Layout(directory.path).holds_run()


def test_a_first_save_that_was_cut_holds_nothing(directory, search):
    """The dataset's header is there, the state is not: nothing was evaluated."""
    with directory.writing():
        save(directory, search)
    (directory.path / "state.json").unlink()
    other = SaveDirectory(directory.path)
    assert not Layout(directory.path).holds_run()
    with pytest.raises(FileNotFoundError, match="holds no saved search"):
        other.load()
    with other.writing():
        save(other, search)
    assert same(load(directory.path), as_saved(search))


def test_writing_can_be_entered_again_by_its_holder(directory, search):
    with directory.writing():
        with directory.writing():
            save(directory, search)
        with pytest.raises(DirectoryInUseError), SaveDirectory(directory.path).writing():
            pass
    other = SaveDirectory(directory.path)
    other.attach(other.load()[1])
    with other.writing():
        save(other, search)


def test_the_lock_is_released_on_an_error(directory, search):
    with directory.writing():
        save(directory, search)
    with pytest.raises(ZeroDivisionError), directory.writing():
        raise ZeroDivisionError
    with directory.writing():
        save(directory, search)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"process": "x", "host": 1}', "\0"])
def test_a_holder_that_cannot_be_read(directory, search, content):
    with directory.writing():
        (directory.path / "lock.json").write_text(content)
        with pytest.raises(DirectoryInUseError, match="process unknown"), \
                SaveDirectory(directory.path).writing():  # fmt: skip
            pass


def test_a_lock_file_of_a_process_that_is_gone_does_not_hold(directory, search):
    with directory.writing():
        save(directory, search)
    (directory.path / "lock.json").write_text('{"process": 1, "host": "elsewhere"}')
    (directory.path / "lock").touch()
    with directory.writing():
        save(directory, search)


def test_attach(directory, search):
    with directory.writing():
        save(directory, search)
    other = SaveDirectory(directory.path)
    assert not other.is_attached
    _, stamp = other.load()
    assert not other.is_attached
    other.attach(stamp)
    assert other.is_attached
    assert other.must_save
    with other.writing():
        save(other, search)
        assert not other.must_save
        advance(search, other)
    # The first one notices that somebody else has written.
    with pytest.raises(DirectoryInUseError, match="Another engine has written"), \
            directory.writing():  # fmt: skip
        pass


def test_what_was_written_between_loading_and_attaching_is_noticed(directory, search):
    with directory.writing():
        save(directory, search)
    other = SaveDirectory(directory.path)
    _, stamp = other.load()
    with directory.writing():
        advance(search, directory, 1)
    other.attach(stamp)
    with pytest.raises(DirectoryInUseError), other.writing():
        pass
