"""What other programs and people do to a directory while an engine has it: it is mended or told."""

from __future__ import annotations

import os
import shutil

import pytest

from pyshac import DirectoryInUseError, SaveDirectoryError
from pyshac.core.storage.save_directory import SaveDirectory
from tests.core.storage.searches import advance, as_saved, finished, load, new_search, same, save
from tests.engine.engine_helpers import evaluate, make_engine, raw_contents, restored, samples_of

FILES = [
    "datasets/dataset.csv",
    "datasets/evaluations.jsonl",
    "datasets/parameters.json",
    "classifiers/00.ubj",
    "state.json",
]


@pytest.fixture
def search():
    return finished(new_search())


@pytest.fixture
def directory(tmp_path, search):
    directory = SaveDirectory(tmp_path / "shac")
    with directory.writing():
        save(directory, search)
    return directory


# Files


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["in place", "replaced", "of the same size", "removed"])
def test_a_file_that_somebody_changed_is_written_again(directory, search, name, how):
    path = directory.path / name
    data = path.read_bytes()
    if how == "in place":
        path.write_bytes(data + b"\n")
    elif how == "of the same size":
        path.write_bytes(data[:-1] + b"?")
    else:
        path.unlink()
    if how == "replaced":
        path.write_bytes(b"")
    with directory.writing():
        save(directory, search)
    assert path.read_bytes() == data
    assert same(load(directory.path), as_saved(search))


@pytest.mark.parametrize("name", FILES[:3])
def test_the_next_writer_mends_what_was_changed_even_if_it_only_appends(tmp_path, name):
    """As a spreadsheet that saves the dataset beside a search by ask and tell."""
    engine = make_engine(tmp_path)
    for _ in range(2):
        asked = engine.ask()
        engine.tell(asked, [evaluate(0, sample) for sample in asked], skip_cv_checks=True)
    asked = engine.ask()
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SaveDirectoryError, match=path.name):
        restored(tmp_path)
    engine.tell(asked[0], evaluate(0, asked[0]))
    assert samples_of(restored(tmp_path)) == samples_of(engine)


def test_a_file_of_a_backup_is_written_again(tmp_path):
    engine = make_engine(tmp_path / "shac")
    asked = engine.ask()
    engine.tell(asked[0], 1.0)
    engine.save_data()
    shutil.copytree(tmp_path / "shac", tmp_path / "backup")
    engine.tell(asked[1], 2.0)
    engine.save_data()
    shutil.copy2(tmp_path / "backup/datasets/dataset.csv", tmp_path / "shac/datasets")
    engine.save_data()
    assert samples_of(restored(tmp_path / "shac")) == samples_of(engine)


# The directory


def replace(path, how):
    """Puts another directory in place of one; returns where that is now, if anywhere."""
    aside = path.with_name("aside")
    path.rename(aside)
    if how == "by another search":
        engine = make_engine(path, seed=3)
        engine.tell(engine.ask()[0], 1.0)
    elif how == "by an older copy":
        shutil.copytree(aside, path)
    else:
        path.mkdir()
    return aside


HOW = ["by another search", "by an older copy", "by nothing"]


@pytest.mark.parametrize("how", HOW)
def test_a_directory_that_was_replaced_is_told_and_left_alone(tmp_path, how):
    path = tmp_path / "shac"
    engine = make_engine(path)
    asked = engine.ask()
    aside = replace(path, how)
    before, moved = raw_contents(path), raw_contents(aside)
    for call in (engine.save_data, lambda: engine.tell(asked[0], 1.0), engine.fit):
        with pytest.raises(SaveDirectoryError, match="is another directory than the one"):
            call()
    assert raw_contents(path) == before
    assert raw_contents(aside) == moved
    assert len(engine.dataset) == 0
    # The ways out: elsewhere,
    engine.save_dir = tmp_path / "empty"
    engine.save_data()
    assert len(restored(tmp_path / "empty").dataset) == 0
    # or put it back.
    engine.save_dir = aside
    with pytest.raises(SaveDirectoryError, match="holds another run already"):
        engine.save_data()


def test_a_directory_that_was_put_back_goes_on(tmp_path):
    path = tmp_path / "shac"
    engine = make_engine(path)
    asked = engine.ask()
    aside = replace(path, "by nothing")
    with pytest.raises(SaveDirectoryError, match="put it back"):
        engine.tell(asked[0], 1.0)
    path.rmdir()
    aside.rename(path)
    engine.tell(asked[0], 1.0)
    assert samples_of(restored(path)) == samples_of(engine)


@pytest.mark.parametrize("how", HOW)
def test_a_directory_that_is_replaced_during_a_run(tmp_path, how):
    path = tmp_path / "shac"
    calls = iter(range(18))
    seen = {}

    def replaces(worker_id, parameters):
        if next(calls) == 8:
            seen["aside"] = replace(path, how)
            seen["before"] = raw_contents(path)
        return evaluate(worker_id, parameters)

    engine = make_engine(path, replaces)
    with pytest.raises(SaveDirectoryError, match="Nothing is lost"):
        engine.fit(skip_cv_checks=True)
    assert raw_contents(path) == seen["before"]
    assert len(engine.dataset) == 9
    assert samples_of(restored(seen["aside"])) == samples_of(engine)[:8]
    engine.save_dir = tmp_path / "empty"
    engine.save_data()
    assert samples_of(restored(tmp_path / "empty")) == samples_of(engine)


def test_a_directory_that_was_removed_is_written_anew(directory, search):
    shutil.rmtree(directory.path)
    with directory.writing():
        assert directory.must_save
        save(directory, search)
    assert same(load(directory.path), as_saved(search))


def test_the_same_files_in_a_new_folder_are_the_same_run(directory, search):
    """Some network file systems number their inodes anew when they are mounted."""
    aside = directory.path.rename(directory.path.with_name("aside"))
    directory.path.mkdir()
    for path in aside.iterdir():
        path.rename(directory.path / path.name)
    with directory.writing():
        save(directory, search)
    assert same(load(directory.path), as_saved(search))


def test_a_whole_backup_put_back_into_the_directory_is_told(directory, search):
    backup = directory.path.with_name("backup")
    shutil.copytree(directory.path, backup)
    with directory.writing():
        advance(search, directory, 12)
    for name in raw_contents(backup):
        shutil.copy2(backup / name, directory.path / name)
    with pytest.raises(DirectoryInUseError, match="Another engine has written"), \
            directory.writing():  # fmt: skip
        pass


# Links


LINKED = ["datasets", "classifiers", *FILES, "journal.jsonl"]


@pytest.mark.skipif(os.name == "nt", reason="links need a permission there")
@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize("write", ["append", "save"])
def test_a_link_that_appears_while_the_directory_is_open_is_not_followed(
    directory, search, tmp_path, name, write
):
    outside = tmp_path / "outside"
    path = directory.path / name
    advance(search, None, 10)
    with directory.writing():
        save(directory, search)
        path.rename(outside)
        path.symlink_to(outside)
        before = raw_contents(outside) if outside.is_dir() else outside.read_bytes()
        if write == "append" and not name.startswith("classifiers/"):
            with pytest.raises(SaveDirectoryError, match="is a symbolic link"):
                advance(search, directory, 15)
        search.dataset.add_sample(search.open.first.rows[9], 0.5, 19)
        with pytest.raises(SaveDirectoryError, match="is a symbolic link"):
            save(directory, search)
    assert (raw_contents(outside) if outside.is_dir() else outside.read_bytes()) == before
