"""Readers of a directory to which another engine saves: they get a state that was saved."""

from __future__ import annotations

import os
import threading

import pytest

from pyshac import Dataset, SaveDirectoryError
from pyshac.core.classifiers.training import Admission
from pyshac.core.dataset.formats import journal_file
from pyshac.core.storage import loading
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.looking.snapshot import take_snapshot
from tests.core.storage.searches import advance, as_saved, load, new_search, same, save
from tests.engine.engine_helpers import evaluate, make_engine, restored, samples_of


class Saving:
    """An engine that goes on between any two reads of files by another one."""

    def __init__(self, path):
        self.directory, self.search = SaveDirectory(path), new_search(400, 40)
        with self.directory.writing():
            save(self.directory, self.search)

    def next_batch(self):
        search, directory = self.search, self.directory
        stop = search.num_complete + 10
        with directory.writing():
            advance(search, directory, stop)
            search.close_batch(Admission.ALL)
            save(directory, search)

    def half_a_batch(self):
        with self.directory.writing():
            advance(self.search, self.directory, self.search.num_complete + 5)
            save(self.directory, self.search)


@pytest.mark.parametrize("name", ["next_batch", "half_a_batch"])
def test_a_reader_gets_on_though_every_one_of_its_reads_is_followed_by_a_save(
    tmp_path, monkeypatch, name
):
    saving = Saving(tmp_path)
    saving.next_batch()
    saving.half_a_batch()
    for function in ("build_space", "_first_samples", "_seeded"):
        real = getattr(loading, function)

        def followed(*arguments, real=real):
            getattr(saving, name)()
            return real(*arguments)

        monkeypatch.setattr(loading, function, followed)
    run, stamp = saving.directory.load()
    ids = list(range(len(run.dataset)))
    assert len(ids) >= 10
    assert run.dataset.ids == ids
    assert (
        saving.search.dataset.X[: len(ids)], saving.search.dataset.Y[: len(ids)]
    ) == (run.dataset.X, run.dataset.Y)  # fmt: skip
    assert [c.to_bytes() for c in run.cascade] == [
        c.to_bytes() for c in list(saving.search.cascade)[: len(run.cascade)]
    ]
    # What was read is not the newest, and cannot be adopted as if it were.
    other = SaveDirectory(tmp_path)
    other.attach(stamp)
    if name == "next_batch":
        with pytest.raises(SaveDirectoryError, match="has written"), other.writing():
            pass


def test_journal_and_state_of_two_saves_are_not_mixed(tmp_path, monkeypatch):
    """The state of a run in whose place another one was put, which begins with the same batch."""
    first, second = SaveDirectory(tmp_path / "shac"), SaveDirectory(tmp_path / "other")
    one, two = new_search(), new_search()
    two.entropy = 6
    for directory, search in ((first, one), (second, two)):
        with directory.writing():
            save(directory, search)
            advance(search, directory, 4)
    real = journal_file.read_records
    reads = iter(range(99))

    def replaced(*arguments):
        records = real(*arguments)
        if next(reads) == 0:
            (tmp_path / "shac").rename(tmp_path / "aside")
            (tmp_path / "other").rename(tmp_path / "shac")
        return records

    monkeypatch.setattr(journal_file, "read_records", replaced)
    assert same(load(tmp_path / "shac"), as_saved(two))


@pytest.mark.slow
def test_readers_of_a_run_that_saves_all_the_time(tmp_path):
    """In threads of this process, so that they take turns often."""
    make_engine(tmp_path, total_budget=60, num_batches=30).save_data()
    ended = threading.Event()
    counts, errors = [], []

    def reads():
        try:
            while not ended.is_set():
                run = load(tmp_path)
                assert run.dataset.ids == list(range(len(run.dataset)))
                dataset = Dataset.load_from_directory(tmp_path)
                assert dataset.ids == list(range(len(dataset)))
                counts.append(len(run.dataset))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=reads) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        restored(tmp_path, total_budget=60, num_batches=30).fit(evaluate, verbose=0)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert len(set(counts)) > 3


def test_the_samples_of_the_journal_belong_to_the_dataset(tmp_path):
    engine = make_engine(tmp_path)
    asked = engine.ask()
    engine.tell(asked[3], float("nan"))
    engine.tell(asked[1], 0.25)
    for _ in range(2):
        dataset = Dataset.load_from_directory(tmp_path)
        assert dataset.ids == [1, 3]
        assert repr(dataset.Y) == "[0.25, nan]"
        assert dataset.X == engine.dataset.X
        assert take_snapshot(tmp_path).dataset.to_csv() == dataset.to_csv()
        engine.save_data()
    engine.tell(asked[0], 0.5)
    assert Dataset.load_from_directory(tmp_path).to_csv() == restored(tmp_path).dataset.to_csv()
    assert len(samples_of(restored(tmp_path))) == 3


@pytest.mark.parametrize(
    "record",
    [
        {"id": 5, "score": 1.0, "worker": None},
        {"id": "5", "score": 1.0, "worker": None},
        {"batch": -1, "rows": []},
        {"batch": 0, "rows": 3},
        {"rows": []},
    ],
)
def test_a_journal_that_is_none_is_told_by_the_dataset(tmp_path, record):
    from pyshac.core.storage import journal

    make_engine(tmp_path).save_data()
    journal.append_records(tmp_path / "journal.jsonl", [record])
    for read in (Dataset.load_from_directory, take_snapshot):
        with pytest.raises(SaveDirectoryError, match=r"journal\.jsonl', line 1 is corrupt"):
            read(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need a permission there")
@pytest.mark.parametrize(
    "name", ["datasets", "datasets/dataset.csv", "datasets/parameters.json", "journal.jsonl"]
)
def test_links_are_followed_by_no_reader(tmp_path, name):
    make_engine(tmp_path / "shac").save_data()
    path = tmp_path / "shac" / name
    path.symlink_to(path.rename(tmp_path / "outside"))
    for read in (Dataset.load_from_directory, take_snapshot, restored):
        with pytest.raises(SaveDirectoryError, match="is a symbolic link"):
            read(tmp_path / "shac")


# The size of the journal


@pytest.mark.slow
def test_a_sparse_journal_is_refused_before_it_takes_memory(tmp_path):
    resource = pytest.importorskip("resource", reason="no limits on memory here")
    make_engine(tmp_path).save_data()
    with open(tmp_path / "journal.jsonl", "r+b") as file:
        file.truncate(2**29)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SaveDirectoryError, match=r"journal\.jsonl' is larger than"):
        restored(tmp_path)
    assert len(Dataset.load_from_directory(tmp_path)) == 0
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 2**17, f"{grown} kB"


@pytest.mark.parametrize("values", [["x" * 60_000, ("é\n" * 20_000, "\x01" * 9000)], [1, 2.5]])
def test_the_longest_journal_of_a_search_is_within_its_bound(tmp_path, values, monkeypatch):
    from pyshac import DiscreteHP, IntegerHP, MultiUniformHP, UniformHP

    monkeypatch.setattr(journal_file.files, "MAX_JSON_BYTES", 0)
    space = [
        DiscreteHP("d", values),
        IntegerHP("i", -(2**52), 2**52),
        UniformHP("u", -1.7e308, 0.0),
        MultiUniformHP("m", -1e-300, 1e-300, sample_count=3),
    ]
    engine = make_engine(tmp_path, parameters=space, total_budget=20, num_batches=2)
    monkeypatch.undo()
    engine.tell(engine.ask(), [0.5] * 10)
    asked = engine.ask()[1:]
    extras = {"\x01" * 98 + f"{number:02}": "\x01" * 1_000 for number in range(64)}
    engine.tell(asked, [{"score": -1.2345678901234567e-300, **extras}] * len(asked))
    size = os.path.getsize(tmp_path / "journal.jsonl")
    monkeypatch.setattr(journal_file.files, "MAX_JSON_BYTES", 0)
    assert size < journal_file.largest_size(engine.parameters, 20) < 200 * size + 2**20
