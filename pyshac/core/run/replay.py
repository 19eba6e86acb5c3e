"""Replay: draws the samples of a stream again, from the scores that each was drawn from."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any

from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.training import Admission
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats.draws_file import Drew
from pyshac.core.sampling.generators import ALONE
from pyshac.core.search.given.added import Added
from pyshac.core.search.given.queue import Queue
from pyshac.core.search.search import Search


def replayed(
    search: Search, admission: Admission, relax_checks: bool
) -> list[OrderedDict[str, Any]]:
    """Draws the samples of a stream again.

    Args:
        search: The search.
        admission: Which classifiers joined its cascade.
        relax_checks: Whether checks were relaxed in its draws.

    Returns:
        Parameters of all samples, in the order of their numbers.

    Raises:
        RuntimeError: If it was not a stream all the time.
    """
    drawn = [*search.draws, *(batch.drew for batch in search.open if batch.drew is not None)]
    if sum(drew.size for drew in drawn) < search.num_drawn:
        raise RuntimeError(
            f"{search.num_drawn - sum(drew.size for drew in drawn)} samples were not drawn at the "
            "pace 'stream', so there is nothing to replay. A run at another pace comes out the "
            "same if it is started again with its seed."
        )
    again = _begun_anew(search)
    rows: list[list[Any]] = []
    for drew in drawn:
        _bring_to(again, drew, search, admission)
        batch = again.drawing.draw(again.situation(drew.size), relax_checks, ALONE)
        batch.origin = drew.origin
        again.begin(batch)
        rows += batch.rows
    return search.parameters(rows)


def _begun_anew(search: Search) -> Search:
    cascade = Cascade(features=search.cascade.features)
    return Search(
        search.space, search.settings, search.entropy, Dataset(search.space, None), cascade
    )


def _bring_to(again: Search, drew: Drew, search: Search, admission: Admission) -> None:
    """Brings a search to where another one was when it drew samples."""
    origin, dataset = drew.origin, search.dataset
    schedule = replace(search.settings.schedule, total_budget=origin.total_budget)
    again.settings = replace(search.settings, schedule=schedule)
    again.added = _first_added(search.added, origin.num_added)
    num_enqueued = again.queue.num_taken + again.open.num_enqueued + drew.num_enqueued
    again.queue = Queue(search.queue.samples[:num_enqueued], again.queue.num_taken)
    places = {number: place for place, number in enumerate(dataset.ids)} if origin.since else {}
    for number in origin.since:
        place = places[number]
        again.learn_score(number, dataset.Y[place], dataset.details[place])
    while again.num_complete < origin.num_complete:
        again.close_batch(admission)


def _first_added(added: Added, number: int) -> Added:
    dataset = added.dataset.copy()
    dataset.cut(number)
    return Added(dataset, added.since[:number])
