"""Page: the report of a search, a single self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from html import escape
from importlib import resources
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any

from pyshac.core.basics import files
from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.basics.messages.printable import printable
from pyshac.core.basics.paths import output_path
from pyshac.looking.labels import number_text, shorten
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.plots.drawing import new_figure
from pyshac.reporting.pictures import Picture, draw, plots_of
from pyshac.reporting.summary import best_extras, best_values, facts, stage_rows
from pyshac.reporting.table import table_content, to_script
from pyshac.version import __version__

HEADINGS = {
    "scores": "Scores",
    "curves": "Curves",
    "classifiers": "The classifiers",
    "parameters": "Parameters",
    "together": "Parameters side by side",
}


@without_float_errors
def write_report(
    source: Any,
    to_file: str | os.PathLike[str] = "report.html",
    *,
    objective: str | None = None,
) -> Path:
    """Writes a report of a search: summary, plots, and a table that sorts and filters.

    The report is a single HTML file that loads nothing else. Names and values of the search are
    text in it and cannot run code. An existing file is replaced as a whole.

    Args:
        source: The path of a save directory, an engine or a `Dataset`. Nothing in a directory is
            locked, written or executed, so a running search can be reported.
        to_file: Where to write the report, in a folder that exists.
        objective: 'max' or 'min'; None for the search's own. A dataset, or a directory of an
            earlier PySHAC, does not record it: there None means 'max'.

    Returns:
        The absolute path of the report.

    Raises:
        FileNotFoundError: If the directory holds no search, or there is no folder for the file.
        ImportError: If Matplotlib is not installed.
        OSError: If the file cannot be written.
        SaveDirectoryError: If a file of the directory is corrupt.
        TypeError: If `source` is something else, or `to_file` is not a path.
    """
    path = output_path("to_file", to_file)
    content = render(take_snapshot(source, objective)).encode("utf-8", errors="replace")
    files.write_atomically(path, content)
    return path


def render(snapshot: Snapshot) -> str:
    """Returns the report of a search as HTML."""
    new_figure()  # Raises at once if Matplotlib is missing.
    style, script = _read("page.css"), _read("page.js")
    pictures = [draw(plot) for plot in plots_of(snapshot)] if len(snapshot.dataset) else []
    name = Path(snapshot.path).resolve().name if snapshot.path else "a dataset"
    return Template(_read("page.html")).substitute(
        policy=_policy(style, script),
        version=escape(__version__),
        title=escape(f"PySHAC report: {shorten(name, 60)}"),
        style=style,
        script=script,
        written=escape(datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")),
        summary=_summary(snapshot),
        sections="\n".join(_sections(pictures)),
        evaluations=to_script(table_content(snapshot)),
    )


def _read(name: str) -> str:
    return resources.files("pyshac.reporting").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Returns the content security policy: only the style and the script of this page."""

    def checksum(text: str) -> str:
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        return f"'sha256-{digest}'"

    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {checksum(style)}; script-src {checksum(script)}"
    )


def _summary(snapshot: Snapshot) -> str:
    cards = [_card("Search", _definitions(facts(snapshot)))]
    best = best_values(snapshot)
    if best:
        cards.append(_card("Best parameters", _definitions(best)))
    extras = best_extras(snapshot)
    if extras:
        cards.append(_card("Extras of the best evaluation", _definitions(extras)))
    rows = stage_rows(snapshot)
    if rows:
        knows_pruned = any(row.pruned for row in rows)
        header = ["Stage", "Samples", "Failed", *["Pruned"][:knows_pruned], "Best", "Median"]
        cells = [
            [row.number, row.samples, row.failed, *[row.pruned][:knows_pruned]]
            + [*map(_score_cell, (row.best, row.median))]
            for row in rows
        ]
        cards.append(_card("Stages", _table(header, cells)))
    return "\n".join(cards)


def _score_cell(score: float | None) -> str:
    return "none" if score is None else number_text(score, 4)


def _card(heading: str, content: str) -> str:
    return f'<div class="card"><h3>{escape(heading)}</h3>{content}</div>'


def _definitions(items: Sequence[tuple[str, str]]) -> str:
    pairs = (f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in items)
    return f"<dl>{''.join(pairs)}</dl>"


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f'<th scope="col" class="number">{_text(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f'<td class="number">{_text(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroller">{table}</div>'


def _text(value: Any) -> str:
    return escape(printable(str(value)))


def _sections(pictures: Sequence[Picture]) -> list[str]:
    sections = []
    for name, group in groupby(pictures, key=lambda picture: picture.plot.section):
        figures = "\n".join(_figure(picture) for picture in group)
        sections.append(
            f'<section aria-labelledby="{name}">\n<h2 id="{name}">{HEADINGS[name]}</h2>\n'
            f'<div class="pictures">\n{figures}\n</div>\n</section>'
        )
    return sections


def _figure(picture: Picture) -> str:
    plot, alt = picture.plot, _text(picture.plot.alt)
    caption = f"<figcaption>{_text(plot.caption)}</figcaption>" if plot.caption else ""
    if picture.problem:
        return f"<figure><p>{alt}</p><p>{_text(picture.problem)}</p></figure>"
    images = "".join(
        f'<img class="{theme}" alt="{alt}" src="data:image/svg+xml;base64,{_base64(image)}">'
        for theme, image in (("light", picture.light), ("dark", picture.dark))
    )
    if not plot.is_wide:
        return f"<figure>{images}{caption}</figure>"
    scroller = f'<div class="scroller" role="region" tabindex="0" aria-label="{alt}">'
    return f'<figure class="wide">{scroller}{images}</div>{caption}</figure>'


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
