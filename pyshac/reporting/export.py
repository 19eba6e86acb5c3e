"""Export: the evaluations of a search as CSV or JSON, in UTF-8."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from pyshac.core.basics import plain_values
from pyshac.core.dataset import Evaluation
from pyshac.core.dataset.formats.csv_file import csv_line
from pyshac.core.dataset.formats.curves_file import curve_record
from pyshac.looking.snapshot import Snapshot

# Spreadsheets take a cell that begins with one of these as a formula, also in full width.
_FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def as_csv(snapshot: Snapshot, *, is_safe: bool = False) -> bytes:
    """Returns the evaluations in the form of `dataset.csv`.

    Args:
        snapshot: The search.
        is_safe: Whether to put an apostrophe before texts that a spreadsheet would treat as
            formulas. Such texts change when they are read again; numbers do not.
    """
    if not is_safe:
        return snapshot.dataset.to_bytes()
    rows = csv.reader(io.StringIO(snapshot.dataset.to_csv(), newline=""), strict=True)
    return "".join(csv_line([_disarmed(cell) for cell in row]) for row in rows).encode("utf-8")


def _disarmed(cell: str) -> str:
    is_formula = cell.startswith(("\t", "\r")) or cell.lstrip().startswith(_FORMULA_STARTS)
    is_number = isinstance(plain_values.from_text(cell), (int, float))
    return f"'{cell}" if is_formula and not is_number else cell


def as_json(snapshot: Snapshot) -> bytes:
    """Returns the objective, the budget and all details of the evaluations as JSON."""
    dataset = snapshot.dataset
    knows_stages = snapshot.schedule is not None
    content: dict[str, Any] = {"objective": snapshot.objective.name}
    if snapshot.schedule is not None:
        content["total_budget"] = snapshot.schedule.total_budget
        content["num_batches"] = snapshot.schedule.num_batches
    samples = [snapshot.space.to_parameters(row, named=True) for row in dataset.X]
    content["evaluations"] = [
        {
            "id": number,
            **({"stage": int(snapshot.stages[place])} if knows_stages else {}),
            "parameters": {name: _for_json(value) for name, value in samples[place].items()},
            "score": None if math.isnan(dataset.Y[place]) else dataset.Y[place],
            **_details(dataset.evaluation(place)),
        }
        for place, number in enumerate(dataset.ids)
    ]
    return f"{json.dumps(content, indent=2)}\n".encode("ascii")


def _details(evaluation: Evaluation) -> dict[str, Any]:
    """Returns the details of an evaluation besides its score; null if unknown."""
    started = evaluation.started
    return {
        "state": evaluation.state,
        "failure": evaluation.failure,
        "started": None if started is None else started.isoformat(),
        "seconds": evaluation.seconds,
        "slot": evaluation.slot,
        "curve": None if evaluation.curve is None else curve_record(evaluation.curve),
        "extras": {name: _for_json(value) for name, value in evaluation.extras.items()},
    }


def _for_json(value: Any) -> Any:
    """Returns a value for JSON: tuples become lists, infinities and NaN become text."""
    if isinstance(value, (list, tuple)):
        return [_for_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
