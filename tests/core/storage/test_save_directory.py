"""The save directory: what is written when, what comes back, and who may write."""

from __future__ import annotations

import json
import math
import os

import pytest

from pyshac import DirectoryInUseError, SaveDirectoryError
from pyshac.core.basics import files
from pyshac.core.dataset.dataset import Dataset
from pyshac.core.sampling.block_source import Generators
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.search import Search
from pyshac.core.storage import journal, state_file
from pyshac.core.storage.save_directory import SaveDirectory
from tests.engine.engine_helpers import contents, evaluate, make_space

SCHEDULE = Schedule(20, 2)


def new_search():
    space = make_space(seed=5)
    return Search(space, "min", 5, Dataset(space))


def save(directory, search):
    directory.save(search, SCHEDULE.total_budget, SCHEDULE.num_batches, True)


def advance(search, directory=None, stop=10):
    """Draws a batch and scores its samples before number `stop`."""
    batch = search.batch or search.begin_batch(10, False, Generators())
    if directory is not None:
        directory.begin_batch(batch)
    for number in [number for number in batch.pending if number < stop]:
        score = evaluate(0, search.space.to_parameters(batch.row(number)))
        search.record(batch, number, score, number % 3)
        if directory is not None:
            directory.record([(number, score, number % 3)])


def same(left, right):
    """Whether two searches are in the same state."""
    return (
        left.space.get_config() == right.space.get_config()
        and left.objective == right.objective
        and left.entropy == right.entropy
        and (left.dataset.ids, left.dataset.X, left.dataset.Y)
        == (right.dataset.ids, right.dataset.X, right.dataset.Y)
        and [c.to_bytes() for c in left.cascade] == [c.to_bytes() for c in right.cascade]
        and (left.num_complete, left.stage_starts) == (right.num_complete, right.stage_starts)
        and left.batch == right.batch
    )


@pytest.fixture
def search():
    return new_search()


@pytest.fixture
def directory(tmp_path):
    return SaveDirectory(tmp_path / "shac")


def finished(search):
    advance(search)
    search.finish_batch(SCHEDULE, False)
    assert len(search.cascade) == 1
    return search


# Round trips


def test_empty_search(directory, search):
    with directory.writing():
        save(directory, search)
    loaded = SaveDirectory(directory.path).load()
    assert same(loaded.search, search)
    assert loaded.is_seeded
    assert not loaded.is_legacy


def test_finished_batch(directory, search):
    finished(search)
    with directory.writing():
        save(directory, search)
    assert same(SaveDirectory(directory.path).load().search, search)


@pytest.mark.parametrize("stop", range(10, 21, 2))
def test_journal_alone_carries_a_batch(directory, search, stop):
    finished(search)
    with directory.writing():
        save(directory, search)
        advance(search, directory, stop)
    loaded = SaveDirectory(directory.path).load().search
    assert same(loaded, search)
    assert loaded.batch.worker_ids == {number: number % 3 for number in range(10, stop)}


@pytest.mark.parametrize("stop", [10, 13, 20])
def test_a_save_in_the_middle_of_a_batch(directory, search, stop):
    finished(search)
    advance(search, None, stop)
    with directory.writing():
        save(directory, search)
    assert same(SaveDirectory(directory.path).load().search, search)


def test_scores_in_another_order(directory, search):
    with directory.writing():
        save(directory, search)
        batch = search.begin_batch(10, False, Generators())
        directory.begin_batch(batch)
        for number in (7, 2, 9, 0):
            search.record(batch, number, float(number), None)
            directory.record([(number, float(number), None)])
    assert same(SaveDirectory(directory.path).load().search, search)
    with directory.writing():
        save(directory, search)
    loaded = SaveDirectory(directory.path).load().search
    assert same(loaded, search)
    assert list(loaded.batch.worker_ids) == [7, 2, 9, 0]


@pytest.mark.parametrize("score", [math.nan, 0.1 + 0.2, -1e-320, 1e308, -0.0, 3.0])
def test_scores_are_exact(directory, search, score):
    with directory.writing():
        save(directory, search)
        batch = search.begin_batch(2, False, Generators())
        directory.begin_batch(batch)
        search.record(batch, 0, score, 0)
        directory.record([(0, score, 0)])
    for _ in range(2):
        loaded = SaveDirectory(directory.path).load().search.dataset.Y
        assert repr(loaded) == repr([score])
        with directory.writing():
            save(directory, search)


def test_values_of_every_type_are_exact(directory, search):
    kinds = set()
    with directory.writing():
        save(directory, search)
        advance(search, directory)
        search.finish_batch(SCHEDULE, False)
        save(directory, search)
    for row, ours in zip(
        SaveDirectory(directory.path).load().search.dataset.X, search.dataset.X, strict=True
    ):
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
    records = journal.read(directory.path / "journal.jsonl")
    assert [sorted(record) for record in records] == [
        ["batch", "rows"], *[["id", "score", "worker"]] * 10,
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
    assert state["format"] == 1
    assert len(state["classifiers"]) == 1


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
        SaveDirectory(directory.path).load()


@pytest.mark.parametrize("name", ["objective", "entropy", "classifiers", "format", "sha256"])
def test_states_that_lack_something(directory, search, name):
    with directory.writing():
        save(directory, search)
    path = directory.path / "state.json"
    state = json.loads(path.read_text())
    del state[name]
    path.write_text(json.dumps(state))
    with pytest.raises(SaveDirectoryError, match=r"state\.json"):
        SaveDirectory(directory.path).load()


def test_a_classifier_too_many_is_left_alone(directory, search):
    with directory.writing():
        save(directory, finished(search))
    (directory.path / "classifiers" / "01.ubj").write_bytes(b"of nobody")
    assert len(SaveDirectory(directory.path).load().search.cascade) == 1


# Who may write


def test_holds_run(directory, search):
    assert not directory.holds_run()
    with directory.writing():
        assert not directory.holds_run()
        save(directory, search)
    assert directory.holds_run()
    assert SaveDirectory(directory.path).holds_run()


def test_a_first_save_that_was_cut_holds_nothing(directory, search):
    """The dataset's header is there, the state is not: nothing was evaluated."""
    with directory.writing():
        save(directory, search)
    (directory.path / "state.json").unlink()
    other = SaveDirectory(directory.path)
    assert not other.holds_run()
    with pytest.raises(FileNotFoundError, match="holds no saved search"):
        other.load()
    with other.writing():
        save(other, search)
    assert same(SaveDirectory(directory.path).load().search, search)


def test_writing_can_be_entered_again_by_its_holder(directory, search):
    with directory.writing():
        with directory.writing():
            save(directory, search)
        with pytest.raises(DirectoryInUseError), SaveDirectory(directory.path).writing():
            pass
    other = SaveDirectory(directory.path)
    other.attach(other.load())
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
    loaded = other.load()
    assert not other.is_attached
    other.attach(loaded)
    assert other.is_attached
    assert other.must_save
    with other.writing():
        save(other, loaded.search)
        assert not other.must_save
        advance(loaded.search, other)
    # The first one notices that somebody else has written.
    with pytest.raises(DirectoryInUseError, match="Another engine has written"), \
            directory.writing():  # fmt: skip
        pass


def test_what_was_written_between_loading_and_attaching_is_noticed(directory, search):
    with directory.writing():
        save(directory, search)
    other = SaveDirectory(directory.path)
    loaded = other.load()
    with directory.writing():
        advance(search, directory, 1)
    other.attach(loaded)
    with pytest.raises(DirectoryInUseError), other.writing():
        pass
