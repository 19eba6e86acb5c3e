"""Run: scores that arrive together with a failure."""

from __future__ import annotations

import pytest

from pyshac.core.basics.results.details import UNKNOWN
from pyshac.core.run.run import Run
from pyshac.core.sampling.generators import ALONE
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.settings import Settings
from pyshac.core.storage.save_directory import SaveDirectory
from tests.engine.engine_helpers import make_space, restored


@pytest.fixture
def run(tmp_path):
    run = Run.new(make_space(seed=1), Settings(Schedule.in_batches(18, 3)), SaveDirectory(tmp_path))
    with run.writing():
        run.draw(False, ALONE)
        yield run


def saved(tmp_path):
    return restored(tmp_path, objective="max").dataset


def test_a_score_that_cannot_be_added_does_not_cost_the_others(run, tmp_path):
    with pytest.raises(KeyError):
        run.take_in([(0, 0.5, UNKNOWN), (99, 0.5, UNKNOWN), (1, 0.25, UNKNOWN)])
    assert saved(tmp_path).Y == run.search.dataset.Y == [0.5, 0.25]


def test_the_first_write_after_a_failure_brings_all(run, tmp_path, monkeypatch):
    """Behind a torn line nothing could be read."""
    journal = tmp_path / "journal.jsonl"
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size, hard))
    with pytest.raises(OSError, match="journal"):
        run.take_in([(0, 0.5, UNKNOWN)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with open(journal, "ab") as file:
        file.write(b"872fbf02 {")
    run.take_in([(1, 0.25, UNKNOWN)])
    assert saved(tmp_path).Y == [0.5, 0.25]
