"""Summaries: the `repr` of engines and datasets, as text and as HTML for notebooks.

Their size is bounded for any search. HTML is escaped.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyshac.core.basics.messages.printable import printable
from pyshac.core.basics.plain_values import INACTIVE

MAX_TEXT = 60
MAX_PATH = 240
MAX_PARAMETERS = 10
MAX_SAMPLES = 10

Facts = list[tuple[str, str]]


def cut(text: str, most: int = MAX_TEXT) -> str:
    """Returns printable text, cut to a maximum length."""
    text = printable(text[: 4 * most])
    return text if len(text) <= most else f"{text[: most - 1]}…"


def value_text(value: Any) -> str:
    """Returns a short form of a value that shows its type."""
    if isinstance(value, float):
        text = f"{value:.6g}"
        return f"{text}.0" if text.lstrip("-").isdigit() else text
    if isinstance(value, (list, tuple)):
        items = [value_text(item) for item in value[:MAX_PARAMETERS]]
        items += ["…"] * (len(value) > MAX_PARAMETERS)
        left, right = "[]" if isinstance(value, list) else "()"
        return cut(f"{left}{', '.join(items)}{right}")
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        # A function or a class.
        return cut(name)
    # Long texts are cut first, since quoting them takes time.
    return cut(repr(value[: 2 * MAX_TEXT] if isinstance(value, str) else value))


def parameters_text(parameters: Mapping[str, Any] | None) -> str:
    """Returns the first parameters of a sample as `name=value`."""
    if parameters is None:
        return "none"
    shown = list(parameters.items())[:MAX_PARAMETERS]
    parts = [f"{cut(name)}={value_text(value)}" for name, value in shown]
    return ", ".join([*parts, *_more(len(parameters))])


def names_text(names: Sequence[str]) -> str:
    """Returns the first names."""
    return ", ".join([*map(cut, names[:MAX_PARAMETERS]), *_more(len(names))])


def scores_text(scores: Sequence[float]) -> str:
    """Returns the last scores."""
    return ", ".join(map(value_text, scores[-MAX_SAMPLES:])) or "none"


def counted(number: int, total: int | None, failed: int, pruned: int = 0) -> str:
    """Returns a number of evaluations, the budget if known, and the number without a score."""
    text = f"{number}" if total is None else f"{number} of {total}"
    if total is not None and number > total:
        text = f"{number}, the budget is {total}"
    return ", ".join([text, *without_score(failed, pruned)])


def without_score(failed: int, pruned: int) -> list[str]:
    """Returns how many evaluations failed and how many were pruned, if any."""
    return [f"{failed} failed"] * bool(failed) + [f"{pruned} pruned"] * bool(pruned)


def evaluations_text(number: int, total: int) -> str:
    """Returns a number of evaluations, and the budget if known, for a sentence."""
    if number > total:
        return f"{number} evaluations, the budget is {total}"
    return f"{number} of {total} evaluations"


def count_without_score(dataset: Any) -> tuple[int, int]:
    """Returns how many samples of a `Dataset` failed, and how many were pruned."""
    pruned = int(dataset.details.curves.are_pruned.sum())
    return sum(map(math.isnan, dataset.Y)) - pruned, pruned


def _more(number: int) -> list[str]:
    return [f"… {number - MAX_PARAMETERS} more"] if number > MAX_PARAMETERS else []


def as_text(title: str, facts: Facts) -> str:
    """Returns a title and facts, one line each."""
    width = max(len(name) for name, _ in facts)
    return "\n".join([title, *(f"  {name:<{width}}  {fact}" for name, fact in facts)])


def as_html(title: str, facts: Facts, dataset: Any) -> str:
    """Returns facts and a dataset's last samples as HTML, in the notebook's colours."""
    rows = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(fact)}</td></tr>'
        for name, fact in facts
    )
    return (
        f"<div><strong>{html.escape(title)}</strong><table>{rows}</table>"
        f"{_last_samples(dataset)}</div>"
    )


def _last_samples(dataset: Any) -> str:
    """Returns the last samples of a dataset as an HTML table."""
    if not len(dataset):
        return ""
    names = dataset.header()[1:-1]
    hidden = ["…"] if len(names) > MAX_PARAMETERS else []
    lines = [_cells("th", ["id", *map(cut, names[:MAX_PARAMETERS]), *hidden, "score"])]
    for index in range(max(len(dataset) - MAX_SAMPLES, 0), len(dataset)):
        row = dataset.X[index][:MAX_PARAMETERS]
        values = ("" if value is INACTIVE else value_text(value) for value in row)
        score = value_text(dataset.Y[index])
        lines.append(_cells("td", [str(dataset.ids[index]), *values, *hidden, score]))
    caption = f"<details><summary>The last {len(lines) - 1} samples</summary>"
    return f"{caption}<table>{''.join(lines)}</table></details>"


def _cells(tag: str, texts: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(text)}</{tag}>' for text in texts)}</tr>"


def facts_of(dataset: Any) -> Facts:
    """Returns the facts of a `Dataset`, which must not change during the call."""
    (failed, pruned), space = count_without_score(dataset), dataset.parameters
    names = [] if space is None else space.get_parameter_names()
    facts = [
        ("samples", counted(len(dataset), None, failed, pruned)),
        ("columns", names_text(names) or "no parameters yet"),
    ]
    if failed + pruned < len(dataset):
        for name, objective in (("highest score", "max"), ("lowest score", "min")):
            score = value_text(dataset.get_best_score(objective))
            at = parameters_text(dataset.get_best_parameters(objective, named=True))
            facts.append((name, f"{score} at {at}"))
    return [*facts, ("last scores", scores_text(dataset.Y))]
