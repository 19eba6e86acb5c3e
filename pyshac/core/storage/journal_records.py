"""The records of the journal, and how they are replayed.

A record is `{"batch": first number, "rows": [[value, ...], ...]}` for a batch that was drawn, or
`{"id": number, "score": score or null, "worker": slot or null}` for a sample that was scored, with
`"skip_cv_checks": true` if its `tell` asked for that.
"""

from __future__ import annotations

import math
from typing import Any

from pyshac.core.basics import plain_values
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.search.batch import Batch
from pyshac.core.storage.saved_run import SavedRun


def of_open_batch(run: SavedRun) -> list[dict[str, Any]]:
    """Returns the records of a run's open batch and its scores."""
    batch = run.batch
    if batch is None:
        return []
    scored = dict(zip(run.dataset.ids, run.dataset.Y, strict=True))
    scores = [
        score_record(number, scored[number], worker, batch.skip_cv_checks)
        for number, worker in batch.worker_ids.items()
    ]
    return [batch_record(batch), *scores]


def batch_record(batch: Batch) -> dict[str, Any]:
    """Returns the record of a batch that was drawn."""
    return {"batch": batch.start, "rows": plain_values.to_json(batch.rows)}


def score_record(
    number: int, score: float, worker_id: int | None, skip_cv_checks: bool
) -> dict[str, Any]:
    """Returns the record of a score, which is NaN for a failed sample."""
    record = {"id": number, "score": None if math.isnan(score) else score, "worker": worker_id}
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
        if "batch" in record:
            _replay_batch(run, record["batch"], plain_values.from_json(record["rows"]))
        else:
            _replay_score(run, record["id"], record["score"], record["worker"])
            if run.batch is not None:
                run.batch.skip_cv_checks = record.get("skip_cv_checks") is True
    except (KeyError, TypeError, ValueError) as error:
        raise SaveDirectoryError(f"{source} is corrupt: {error}.") from None


def _replay_batch(run: SavedRun, start: Any, rows: Any) -> None:
    if type(start) is not int or not isinstance(rows, list):
        raise ValueError(f"batch {start!r} is none")
    if start > run.num_complete:
        raise ValueError(f"batch {start} follows sample {run.num_complete - 1}")
    if start == run.num_complete:
        for row in rows:
            run.space.encode(row)
        run.batch = Batch(start, rows)


def _replay_score(run: SavedRun, number: Any, score: Any, worker_id: Any) -> None:
    if type(number) is not int:
        raise ValueError(f"sample {number!r} is none")
    if number < run.num_complete:
        return
    if run.batch is None or number not in run.batch.ids:
        raise ValueError(f"sample {number} is in no batch")
    if score is not None and not (type(score) is float and math.isfinite(score)):
        raise ValueError(f"sample {number} has the score {score!r}")
    if worker_id is not None and not (type(worker_id) is int and worker_id >= 0):
        raise ValueError(f"sample {number} ran in the slot {worker_id!r}")
    run.batch.add_score(run.dataset, number, math.nan if score is None else score, worker_id)
