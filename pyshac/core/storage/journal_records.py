"""The records of the journal, and how they are replayed; `journal_file` defines them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from pyshac.core.basics import plain_values
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset.formats.curves_file import curve_record
from pyshac.core.dataset.formats.draws_file import check_origin, origin_record
from pyshac.core.dataset.formats.evaluations_file import details_record
from pyshac.core.dataset.formats.journal_file import Drawn, Scored, event_of
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.search.batch import Batch
from pyshac.core.storage.saved_run import SavedRun


def of_open_batches(run: SavedRun) -> list[dict[str, Any]]:
    """Returns the records of a run's open batches and their scores."""
    places = {number: place for place, number in enumerate(run.dataset.ids)} if run.open else {}
    records = []
    for batch in run.open:
        records.append(batch_record(batch))
        records += [
            score_record(
                number,
                run.dataset.Y[places[number]],
                run.dataset.details[places[number]],
                batch.skip_cv_checks,
            )
            for number in batch.worker_ids
        ]
    return records


def batch_record(batch: Batch) -> dict[str, Any]:
    """Returns the record of a batch that was drawn."""
    record = {"batch": batch.start, "rows": plain_values.to_json(batch.rows)}
    record |= {"num_checks": batch.num_checks, "chosen_by": batch.chosen_by}
    record["num_enqueued"] = batch.num_enqueued
    if batch.limits is not None:
        record["limits"] = batch.limits
    return record if batch.origin is None else record | origin_record(batch.origin)


def score_record(
    number: int, score: float, details: Details, skip_cv_checks: bool
) -> dict[str, Any]:
    """Returns the record of a score, which is NaN for a failed sample, or one that was pruned."""
    known = None if math.isnan(score) else score
    record: dict[str, Any] = {"id": number, "score": known, "worker": details.slot}
    record.update(details_record(details))
    if details.curve is not None:
        record["curve"] = curve_record(details.curve)
    return {**record, "skip_cv_checks": True} if skip_cv_checks else record


def replay(run: SavedRun, record: dict[str, Any], source: str) -> None:
    """Applies a record to a run, unless the run contains it already.

    Args:
        run: The run as it was last saved, with all earlier records applied.
        record: The record.
        source: The place of the record, for errors.

    Raises:
        SaveDirectoryError: If the record contradicts the run.
    """
    try:
        event = event_of(record)
        if isinstance(event, Drawn):
            _replay_batch(run, event)
        else:
            _replay_score(run, event)
    except (KeyError, TypeError, ValueError) as error:
        raise SaveDirectoryError(f"{source} is corrupt: {error}.") from None


def _replay_batch(run: SavedRun, batch: Drawn) -> None:
    stop = batch.start + len(batch.rows)
    if stop <= run.num_complete:
        return
    expected = max(run.num_complete, run.open.stop)
    if batch.start != expected:
        raise ValueError(f"batch {batch.start} follows sample {expected - 1}")
    for row in batch.rows:
        run.space.encode(row)
    if batch.num_enqueued > len(run.queue.waiting(run.open.num_enqueued)):
        raise ValueError(f"batch {batch.start} has samples that were not enqueued")
    if batch.origin is not None:
        check_origin(batch.origin, batch.start, len(batch.rows), len(run.added))
    opened = Batch(batch.start, batch.rows, batch.num_checks, batch.chosen_by, batch.num_enqueued)
    run.open.append(replace(opened, limits=batch.limits, origin=batch.origin))


def _replay_score(run: SavedRun, sample: Scored) -> None:
    if sample.number < run.num_complete:
        return
    if sample.number not in run.open:
        raise ValueError(f"sample {sample.number} is in no batch")
    batch = run.open.of(sample.number)
    batch.add_score(run.dataset, sample.number, sample.score, sample.details)
    batch.skip_cv_checks = sample.skip_cv_checks
