"""Table: the evaluations of a search, in a form for the report's script."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from pyshac.core.dataset.data_frame import extra_names, free_names
from pyshac.core.dataset.evaluation import state_of
from pyshac.core.dataset.formats.csv_file import score_text
from pyshac.core.dataset.objective import MAX
from pyshac.looking.snapshot import Snapshot
from pyshac.reporting.summary import extra_text

# Points of a curve that the page has, and of all curves together.
MAX_POINTS, MIN_POINTS, ALL_POINTS = 200, 10, 200_000


def table_content(snapshot: Snapshot) -> dict[str, Any]:
    """Returns the evaluations as columns and rows of text. A missing score is an empty text.

    Curves are beside the rows, by sample number; long curves contain only some of their points. The
    values of inactive parameters are empty. Columns after the parameters are left out if all their
    texts would be empty.
    """
    dataset = snapshot.dataset
    knows_stages = snapshot.schedule is not None
    names = snapshot.space.get_parameter_names()
    columns = ["Sample", "Score", *["Stage"][:knows_stages], *names]
    extras = extra_names(dataset.details)
    knows_times = any(each is not None for each in dataset.details.column("seconds"))
    has_failures = any(dataset.details.column("failure"))
    more = ["State", *["Seconds"][:knows_times], *["Failure"][:has_failures], *extras]
    state_column = len(columns)
    columns += free_names(more, columns)
    rows = []
    for place, number in enumerate(dataset.ids):
        details = dataset.details[place]
        rows.append(
            [
                str(number),
                score_text(dataset.Y[place]),
                *[str(snapshot.stages[place])][:knows_stages],
                *snapshot.space.row_to_text(dataset.X[place]),
                state_of(dataset.Y[place], details.is_pruned),
                *[extra_text(details.seconds)][:knows_times],
                *[details.failure or ""][:has_failures],
                *(extra_text(details.extras.get(name)) for name in extras),
            ]
        )
    return {
        "columns": columns,
        "rows": rows,
        "best": snapshot.best,
        "state": state_column,
        "descending": snapshot.objective is MAX,
        "curves": _curves(snapshot),
    }


def _curves(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Returns the curves by sample number; long curves keep points at even distances."""
    table = snapshot.dataset.details.curves
    if not table.num_curves:
        return {}
    most = min(MAX_POINTS, max(MIN_POINTS, ALL_POINTS // table.num_curves))
    found = {}
    for place, number in enumerate(snapshot.dataset.ids):
        curve = table[place]
        if curve is not None:
            count = len(curve.steps)
            places = sorted({*np.linspace(0, count - 1, min(most, count)).round().astype(int)})
            scores = [curve.scores[index] for index in places]
            found[str(number)] = {
                "count": count,
                "steps": [curve.steps[index] for index in places],
                "scores": [float(f"{y:.6g}") if math.isfinite(y) else None for y in scores],
            }
    return found


def to_script(content: Any) -> str:
    """Returns JSON for a script element: pure ASCII that cannot end the element."""
    text = json.dumps(content, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
