"""Parts: the pieces of a page about a search, as HTML. Names and values are only text in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from pyshac.core.basics.messages.printable import printable
from pyshac.looking.labels import number_text
from pyshac.looking.snapshot import Snapshot
from pyshac.reporting.summary import best_extras, best_values, facts, stage_rows

# Numbers with more characters are rounded; the whole number is what a pointer finds.
MAX_NUMBER = 9
REFUSALS = (
    "A classifier that cannot tell the better half from the rest is refused, and the search goes "
    "on without it."
)


def summary_cards(snapshot: Snapshot) -> list[str]:
    """Returns the cards of the summary."""
    exact = {}
    if snapshot.best is not None:
        exact["Best score"] = repr(snapshot.dataset.Y[snapshot.best])
    cards = [card("Search", definitions(facts(snapshot), exact))]
    best = best_values(snapshot)
    if best:
        cards.append(card("Best parameters", definitions(best)))
    extras = best_extras(snapshot)
    if extras:
        cards.append(card("Extras of the best evaluation", definitions(extras)))
    if snapshot.refused:
        reasons = [
            (f"{count} time{'s' * (count != 1)}", r) for r, count in snapshot.refused.items()
        ]
        why = f'<p class="quiet">{REFUSALS}</p>'
        cards.append(card("Refused classifiers", why + definitions(reasons)))
    return [*cards, *_stages(snapshot)]


def _stages(snapshot: Snapshot) -> list[str]:
    rows = stage_rows(snapshot)
    if not rows:
        return []
    have_failed, are_pruned = any(row.failed for row in rows), any(row.pruned for row in rows)
    few = [("Failed", have_failed), ("Pruned", are_pruned)]
    header = ["Stage", "Samples", *(name for name, is_shown in few if is_shown), "Best", "Median"]
    cells = [
        [row.number, row.samples, *[row.failed][:have_failed], *[row.pruned][:are_pruned]]
        + [*map(_score_cell, (row.best, row.median))]
        for row in rows
    ]
    return [card("Stages", number_table(header, cells))]


def _score_cell(score: float | None) -> str:
    return "none" if score is None else number_text(score, 4)


def card(heading: str, content: str) -> str:
    """Returns a card with a heading."""
    return f'<div class="card"><h3>{escape(heading)}</h3>{content}</div>'


def definitions(items: Sequence[tuple[str, str]], exact: dict[str, str] | None = None) -> str:
    """Returns names and texts with rounded numbers.

    Args:
        items: Each name and its text.
        exact: By name, the exact number that a text rounds.
    """
    exact = exact or {}
    pairs = (
        f"<dt>{text(name)}</dt><dd{title(exact.get(name, value), readable(value))}>"
        f"{text(readable(value))}</dd>"
        for name, value in items
    )
    return f"<dl>{''.join(pairs)}</dl>"


def readable(value: str) -> str:
    """Returns a number with a long fraction rounded to six digits, and other text unchanged."""
    if len(value) <= MAX_NUMBER or not {*value} & {".", "e"}:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number_text(number) if math.isfinite(number) else value


def title(whole: str, shown: str) -> str:
    """Returns the attribute that shows the whole text, unless the page already does."""
    return "" if whole == shown else f' title="{text(whole)}"'


def number_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Returns a table of numbers."""
    head = "".join(f'<th scope="col" class="number">{text(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f'<td class="number">{text(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroller">{table}</div>'


def text(value: Any) -> str:
    """Returns text for HTML."""
    return escape(printable(str(value)))
