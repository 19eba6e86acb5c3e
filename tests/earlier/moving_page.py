"""What `docs/moving.md` lists."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "moving.md"


def listed_names(text: str) -> list[set[str]]:
    """The names in backticks in the first cell of each row of the tables of a page."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", row)[1] for row in rows]
    spans = [" ".join(re.findall(r"`([^`]*)`", cell)) for cell in cells]
    return [set(re.findall(r"\w+", span)) for span in spans]


def is_listed(names: set[str], rows: list[set[str]]) -> bool:
    """Whether names stand in one row together."""
    return any(names <= row for row in rows)
