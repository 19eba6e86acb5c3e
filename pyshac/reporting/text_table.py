"""Text table: evaluations of a search in a layout for terminals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyshac.core.basics.plain_values import INACTIVE
from pyshac.looking.labels import number_text, shorten
from pyshac.looking.snapshot import Snapshot

CELL_WIDTH = 24
REASON_WIDTH = 66
MARGIN = "  "
INACTIVE_CELL = "-"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its heading.
        cells: The text of each row.
        is_right: Whether the cells are right-aligned, as for numbers.
        width: The maximum width; longer cells are cut.
    """

    name: str
    cells: Sequence[str]
    is_right: bool = False
    width: int = CELL_WIDTH

    def lines(self) -> list[str]:
        """Returns the heading and the cells with equal widths; long ones are cut in the middle."""
        texts = [shorten(text, self.width) for text in (self.name, *self.cells)]
        width = max(map(len, texts))
        return [text.rjust(width) if self.is_right else text.ljust(width) for text in texts]


def best_evaluations(snapshot: Snapshot, number: int) -> list[Column]:
    """Returns the table of the best evaluations, the best first; equal ones in their order.

    Args:
        snapshot: The search.
        number: Number of rows; fewer if fewer evaluations have a score.
    """
    scores = snapshot.dataset.scores
    places = [int(place) for place in snapshot.objective.best_first(scores)[:number]]
    score = Column("score", [number_text(scores[place]) for place in places], is_right=True)
    return [_numbers(snapshot, places), score, *_parameters(snapshot, places)]


def failed_evaluations(snapshot: Snapshot) -> list[Column]:
    """Returns the table of the failed evaluations, in their order."""
    places = [int(place) for place in np.flatnonzero(snapshot.have_failed)]
    reasons = [snapshot.dataset.details[place].failure or "not known" for place in places]
    reason = Column("reason", reasons, width=REASON_WIDTH)
    return [_numbers(snapshot, places), reason, *_parameters(snapshot, places)]


def _numbers(snapshot: Snapshot, places: Sequence[int]) -> Column:
    return Column("sample", [str(snapshot.dataset.ids[place]) for place in places], is_right=True)


def _parameters(snapshot: Snapshot, places: Sequence[int]) -> list[Column]:
    rows = [snapshot.dataset.X[place] for place in places]
    texts = [snapshot.space.row_to_text(row) for row in rows]
    columns = []
    for index, name in enumerate(snapshot.space.get_parameter_names()):
        values = [row[index] for row in rows]
        cells = [_cell(value, text[index]) for value, text in zip(values, texts, strict=True)]
        active = [value for value in values if value is not INACTIVE]
        columns.append(Column(name, cells, is_right=all(map(_is_number, active))))
    return columns


def _cell(value: Any, text: str) -> str:
    if value is INACTIVE:
        return INACTIVE_CELL
    return number_text(value) if isinstance(value, float) else text


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def lay_out(columns: Sequence[Column], width: int) -> str:
    """Returns a table as lines. Columns that do not fit follow below, with the first one repeated.

    Args:
        columns: At least two.
        width: Number of characters that a line should not exceed.
    """
    first, *rest = (column.lines() for column in columns)
    blocks: list[list[list[str]]] = []
    room = 0
    for lines in rest:
        needed = len(MARGIN) + len(lines[0])
        if not blocks or needed > room:
            blocks.append([first])
            room = width - len(MARGIN) - len(first[0])
        blocks[-1].append(lines)
        room -= needed
    return "\n\n".join(
        "\n".join((MARGIN + MARGIN.join(cells)).rstrip() for cells in zip(*block, strict=True))
        for block in blocks
    )
