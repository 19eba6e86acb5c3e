"""Records of the journal: what they say of a search, and how that is repeated.

A record is `{"batch": first number, "rows": [[value, ...], ...]}` when a batch was drawn, and
`{"id": number, "score": score or null, "worker": slot or null}` when a sample was scored.
"""

from __future__ import annotations

import math
from typing import Any

from pyshac.core.basics import plain_values
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.search.batch import Batch
from pyshac.core.search.search import Search


def of_batch(search: Search) -> list[dict[str, Any]]:
    """The records that lead from the last finished batch to where the run is now."""
    batch = search.batch
    if batch is None:
        return []
    scored = dict(zip(search.dataset.ids, search.dataset.Y, strict=True))
    scores = [score_record(n, scored[n], worker) for n, worker in batch.worker_ids.items()]
    return [batch_record(batch), *scores]


def batch_record(batch: Batch) -> dict[str, Any]:
    """Returns the record of a batch that was drawn."""
    return {"batch": batch.start, "rows": plain_values.to_json(batch.rows)}


def score_record(number: int, score: float, worker_id: int | None) -> dict[str, Any]:
    """Returns the record of a score; NaN stands for a failed sample."""
    return {"id": number, "score": None if math.isnan(score) else score, "worker": worker_id}


def replay(search: Search, record: dict[str, Any], source: str) -> None:
    """Repeats what a record says, unless the search has it already.

    Args:
        search: The search as it was saved last, and as the records before have changed it.
        record: The record.
        source: Where it stands, for errors.

    Raises:
        SaveDirectoryError: If it makes no sense.
    """
    try:
        if "batch" in record:
            _replay_batch(search, record["batch"], plain_values.from_json(record["rows"]))
        else:
            _replay_score(search, record["id"], record["score"], record["worker"])
    except (KeyError, TypeError, ValueError) as error:
        raise SaveDirectoryError(f"{source} is corrupt: {error}.") from None


def _replay_batch(search: Search, start: Any, rows: Any) -> None:
    if type(start) is not int or not isinstance(rows, list):
        raise ValueError(f"batch {start!r} is none")
    if start > search.num_complete:
        raise ValueError(f"batch {start} follows sample {search.num_complete - 1}")
    if start == search.num_complete:
        for row in rows:
            search.space.encode(row)
        search.batch = Batch(start, rows)


def _replay_score(search: Search, number: Any, score: Any, worker_id: Any) -> None:
    if type(number) is not int:
        raise ValueError(f"sample {number!r} is none")
    if number < search.num_complete:
        return
    if search.batch is None or number not in search.batch.ids:
        raise ValueError(f"sample {number} is in no batch")
    if score is not None and not (type(score) is float and math.isfinite(score)):
        raise ValueError(f"sample {number} has the score {score!r}")
    if worker_id is not None and not (type(worker_id) is int and worker_id >= 0):
        raise ValueError(f"sample {number} ran in the slot {worker_id!r}")
    search.record(search.batch, number, math.nan if score is None else score, worker_id)
