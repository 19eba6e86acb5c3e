"""What the tests of save directories share: searches, and what is saved of them."""

from __future__ import annotations

from pathlib import Path

from pyshac.core.basics.results.details import Details
from pyshac.core.classifiers.training import Admission
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.objective import MIN
from pyshac.core.run.run import Run
from pyshac.core.sampling.generators import ALONE
from pyshac.core.search.batch import Batch
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.search import Search
from pyshac.core.search.settings import Settings
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.saved_run import SavedRun
from tests.cascades import cascade_of
from tests.engine.engine_helpers import evaluate, make_space


def new_search(total_budget: int = 20, num_batches: int = 2) -> Search:
    space = make_space(seed=5)
    settings = Settings(Schedule.in_batches(total_budget, num_batches), MIN)
    return Search(space, settings, 5, Dataset(space), cascade_of(space))


def as_saved(search: Search) -> SavedRun:
    """A seeded run with this search, as data."""
    return Run(search, SaveDirectory("unused"), True).as_saved()


def save(directory: SaveDirectory, search: Search) -> None:
    directory.save(as_saved(search))


def load(path: Path | str) -> SavedRun:
    """The run that a directory holds."""
    return SaveDirectory(path).load()[0]


def draw_batch(search: Search) -> Batch:
    """Draws a batch and opens it."""
    batch = search.drawing.draw(search.situation(), False, ALONE)
    search.begin(batch)
    return batch


def advance(search: Search, directory: SaveDirectory | None = None, stop: int = 10) -> None:
    """Draws a batch and scores its samples before number `stop`."""
    is_new = search.open.first is None
    batch = search.open.first or draw_batch(search)
    if directory is not None and is_new:
        directory.append_batch(batch)
    for number in [number for number in batch.pending if number < stop]:
        score = evaluate(0, search.space.to_parameters(batch.row(number)))
        search.learn_score(number, score, details_of(number))
        if directory is not None:
            directory.append_scores([(number, score, details_of(number))])


def details_of(number: int) -> Details:
    """Details of every kind, which differ from sample to sample."""
    extras = {"loss": number / 7, "é": number, "note": f'"{number}"', "is_odd": number % 2 == 1}
    failure = "ValueError: no\n" if number % 5 == 0 else None
    return Details(1.75e9 + number / 8, number / 3, number % 3, failure, extras)


def finished(search: Search) -> Search:
    """A search with a batch and a classifier."""
    advance(search)
    search.close_batch(Admission.ALL)
    assert len(search.cascade) == 1
    return search


def same(left: SavedRun, right: SavedRun) -> bool:
    """Whether two runs are in the same state."""
    return (
        left.space.get_config() == right.space.get_config()
        and (left.objective, left.method) == (right.objective, right.method)
        and left.entropy == right.entropy
        and (left.dataset.ids, left.dataset.X, left.dataset.Y)
        == (right.dataset.ids, right.dataset.X, right.dataset.Y)
        and left.dataset.details.to_bytes() == right.dataset.details.to_bytes()
        and [c.to_bytes() for c in left.cascade] == [c.to_bytes() for c in right.cascade]
        and (left.num_complete, left.stage_starts) == (right.num_complete, right.stage_starts)
        and ([*left.open], left.shares) == ([*right.open], right.shares)
        and left.refused == right.refused
    )
