"""Looking at a search: from an engine, a directory, a dataset; without a trace."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from pyshac import SHAC, Dataset, SaveDirectoryError, UniformHP
from pyshac.core.dataset.objective import MAX, MIN
from pyshac.core.search.schedule import Schedule
from pyshac.core.storage import state_file
from pyshac.looking.snapshot import take_snapshot
from tests.looking.searches import make_dataset, run_search

LEGACY = Path(__file__).parents[1] / "fixtures" / "saved-by-pyshac-0.2" / "branin"


def content(folder):
    """Every file of a folder with its bytes and its time."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return [(path, path.read_bytes(), path.stat().st_mtime_ns) for path in files]


def test_engine_and_directory_are_the_same_search(finished):
    live, saved = take_snapshot(finished), take_snapshot(finished.save_dir)

    assert live.dataset.Y == saved.dataset.Y or live.num_failed == saved.num_failed > 0
    assert live.schedule == saved.schedule == Schedule.in_batches(60, 6)
    assert (live.objective, live.starts, live.num_stages) == (MAX, saved.starts, 6)
    assert len(live.cascade) == len(saved.cascade) == 5
    assert live.dataset.Y[live.best] == finished.best_score
    assert live.path == saved.path == finished.save_dir


def test_a_directory_stays_as_it_is(finished):
    before = content(finished.save_dir)
    take_snapshot(finished.save_dir)

    assert content(finished.save_dir) == before


def test_a_batch_under_way_counts_what_is_told(tmp_path):
    engine = SHAC([UniformHP("x", 0, 1)], 12, 3, save_dir=tmp_path)
    engine.tell(engine.ask(3), [1.0, 2.0, 3.0])
    for found in (take_snapshot(engine), take_snapshot(tmp_path)):
        assert (len(found.dataset), found.num_pending, found.starts) == (3, 1, ())


def test_a_dataset_is_one_stage_of_unknown_budget():
    found = take_snapshot(make_dataset([1.0, 2.0]), "min")

    assert (found.objective, found.schedule, found.num_stages, found.best) == (MIN, None, 1, 0)


def test_directories_of_earlier_versions_have_no_classifiers():
    found = take_snapshot(LEGACY)

    assert len(found.dataset) == 180
    assert (found.schedule, found.starts, len(found.cascade)) == (None, (), 0)


def test_a_running_search_can_be_looked_at_at_any_time(tmp_path):
    stop = threading.Event()
    engine, _ = run_search(tmp_path, [UniformHP("x", 0, 1)], lambda w, p: p["x"], (8, 2))

    def keep_saving():
        while not stop.wait(0.005):
            engine.save_data()
            engine.save_dir = engine.save_dir
            engine.restore_data()

    writer = threading.Thread(target=keep_saving)
    writer.start()
    try:
        assert [len(take_snapshot(tmp_path).dataset) for _ in range(30)] == [8] * 30
    finally:
        stop.set()
        writer.join()


class Anything:
    """An object that answers to every name, as mocks and proxies do."""

    def __getattr__(self, name):
        return lambda *args: self


def test_what_cannot_be_looked_at(tmp_path):
    for source in (7, SHAC, Anything()):
        with pytest.raises(TypeError, match="must be a Dataset, an engine or the path"):
            take_snapshot(source)
    with pytest.raises(FileNotFoundError, match="no saved search"):
        take_snapshot(tmp_path)
    with pytest.raises(ValueError, match="must be 'max' or 'min'. Got 'best'"):
        take_snapshot(make_dataset([1.0]), "best")
    with pytest.raises(ValueError, match="no parameters"):
        _ = take_snapshot(Dataset()).space
    with pytest.raises(RuntimeError, match="restore_data"):
        take_snapshot(SHAC(None, 4, 2, save_dir=tmp_path))


def test_a_damaged_directory_says_which_file(tmp_path):
    run_search(tmp_path, [UniformHP("x", 0, 1)], lambda w, p: p["x"], (8, 2))
    (tmp_path / "state.json").write_text("{")

    with pytest.raises(SaveDirectoryError, match=r"state\.json"):
        take_snapshot(tmp_path)


ODD = [0, -1, 3, 2**63, 2**200, 10**400, "", "x", "a" * 9999, None, True, 1.5, [], [1], [[1]], {}]


@pytest.mark.parametrize(
    "name",
    ["objective", "method", "classifier", "total_budget", "num_batches", "max_classifiers",
     "entropy", "is_seeded", "num_complete", "csv_bytes", "csv_sha256", "parameter_seeds",
     "classifiers", "stage_starts", "format"],
)  # fmt: skip
def test_a_state_that_is_odd_but_signed_is_read_or_refused(finished, tmp_path, name):
    path = shutil.copytree(finished.save_dir, tmp_path / "shac") / "state.json"
    state = json.loads(path.read_text())
    del state["sha256"]
    messages = []
    for value in ODD:
        odd = {**state, name: value}
        path.write_text(json.dumps({**odd, "sha256": state_file.checksum(odd)}))
        try:
            assert take_snapshot(path.parent).num_stages >= 1
        except SaveDirectoryError as error:
            messages.append(str(error))
    assert messages
    assert all(str(path.parent) in message and len(message) < 999 for message in messages)


def test_a_snapshot_of_a_dataset_does_not_grow_with_it():
    dataset = Dataset([UniformHP("x", 0.0, 1.0)])
    dataset.add_sample([0.5], 1.0)
    snapshot = take_snapshot(dataset)
    dataset.add_sample([0.25], 2.0)
    assert (len(snapshot.dataset), len(dataset)) == (1, 2)
