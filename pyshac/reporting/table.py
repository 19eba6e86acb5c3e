"""Table: the evaluations of a search, in the form that the report's script reads."""

from __future__ import annotations

import json
from typing import Any

from pyshac.core.dataset.formats.csv_file import score_text
from pyshac.core.dataset.objective import MAX
from pyshac.looking.snapshot import Snapshot


def table_content(snapshot: Snapshot) -> dict[str, Any]:
    """Returns the evaluations as columns and rows of text; a failed one has an empty score."""
    dataset = snapshot.dataset
    knows_stages = snapshot.schedule is not None
    names = snapshot.space.get_parameter_names()
    columns = ["Sample", "Score", *["Stage"][:knows_stages], *names]
    rows = []
    for place, number in enumerate(dataset.ids):
        rows.append(
            [
                str(number),
                score_text(dataset.Y[place]),
                *[str(snapshot.stages[place])][:knows_stages],
                *snapshot.space.row_to_text(dataset.X[place]),
            ]
        )
    return {
        "columns": columns,
        "rows": rows,
        "best": snapshot.best,
        "descending": snapshot.objective is MAX,
    }


def to_script(content: Any) -> str:
    """Returns JSON for a script element: pure ASCII that cannot end the element."""
    text = json.dumps(content, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
