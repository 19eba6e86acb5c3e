"""Replay: draws the samples of a stream again, from the scores that each was drawn from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.training import Admission
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats.draws_file import Drew
from pyshac.core.sampling.generators import ALONE
from pyshac.core.search.given.added import Added
from pyshac.core.search.given.queue import Queue
from pyshac.core.search.paces.pace import STREAM, Pace
from pyshac.core.search.search import Search


@without_float_errors
def replayed(search: Search, relax_checks: bool) -> list[OrderedDict[str, Any]]:
    """Draws the samples of a stream again.

    Args:
        search: The search.
        relax_checks: Whether checks were relaxed in its draws.

    Returns:
        Parameters of all samples, in the order of their numbers.

    Raises:
        RuntimeError: If it was not a stream all the time.
    """
    with search.lock:
        opened = (batch.drew for batch in search.open if batch.drew is not None)
        drawn, number = [*search.draws, *opened], search.num_drawn
        dataset, stage_starts = search.dataset.copy(), {*search.stage_starts}
    lacking = number - sum(drew.size for drew in drawn)
    if lacking:
        raise RuntimeError(
            f"{lacking} samples were not drawn at the pace {STREAM!r}, so there is nothing to "
            "replay. A run at another pace comes out the same if it is started again with its "
            "seed."
        )
    again = _begun_anew(search)
    places = {number: place for place, number in enumerate(dataset.ids)}
    closed = {drew.start: drew.closed for drew in drawn}
    rows: list[list[Any]] = []
    for drew in drawn:
        again.added = _first_added(search.added, drew.origin.num_added)
        for number in drew.origin.since:
            place = places[number]
            again.learn_score(number, dataset.Y[place], dataset.details[place])
        while again.num_complete < drew.origin.num_complete:
            _plan(again, closed[again.num_complete])
            _close(again, stage_starts)
        _plan(again, (drew.origin.total_budget, drew.origin.batch_size))
        again.queue = _first_enqueued(again, drew, search.queue)
        batch = again.drawing.draw(again.situation(drew.size), relax_checks, ALONE)
        batch.origin = drew.origin
        again.begin(batch)
        rows += batch.rows
    return search.parameters(rows)


def _begun_anew(search: Search) -> Search:
    cascade = Cascade(features=search.cascade.features)
    # The engine that asks may be one that goes on at another pace.
    settings = replace(search.settings, pace=Pace(STREAM))
    return Search(search.space, settings, search.entropy, Dataset(search.space, None), cascade)


def _plan(again: Search, size: tuple[int, int] | None) -> None:
    """Gives a search its budget and the size of its batches; None leaves them."""
    if size is not None:
        schedule = replace(again.settings.schedule, total_budget=size[0], batch_size=size[1])
        again.settings = replace(again.settings, schedule=schedule)


def _close(again: Search, stage_starts: Collection[int]) -> None:
    """Closes a batch, and trains a classifier if the other search has one from there."""
    stop = again.closable[-1].ids.stop
    is_trained = stop in stage_starts
    again.close(again.stages().train(stop, Admission.ALL) if is_trained else None)


def _first_enqueued(again: Search, drew: Drew, queue: Queue) -> Queue:
    """Returns the part of a queue that was there at a draw."""
    number = again.queue.num_taken + again.open.num_enqueued + drew.num_enqueued
    return Queue(queue.samples[:number], again.queue.num_taken)


def _first_added(added: Added, number: int) -> Added:
    dataset = added.dataset.copy()
    dataset.cut(number)
    return Added(dataset, added.since[:number])
