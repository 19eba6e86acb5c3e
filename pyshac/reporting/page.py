"""Page: the report of a search, a single self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from importlib import resources
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any

from pyshac.core.basics import files
from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.basics.paths import output_path
from pyshac.looking.labels import shorten
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.plots.drawing import new_figure
from pyshac.reporting.parts import summary_cards, text
from pyshac.reporting.pictures import Picture, draw, left_out, plots_of
from pyshac.reporting.table import table_content, to_script
from pyshac.version import __version__

# A report holds its pictures.
IMAGES_INSIDE = "img-src data:"
HEADINGS = {
    "scores": "Scores",
    "curves": "Curves",
    "time": "Time",
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
    """Writes a report of a search: a summary, plots, and a table to sort and filter.

    The report is a single HTML file that loads nothing else. Names and values of the search are
    plain text in it and cannot run code. An existing file is replaced as a whole.

    Example:
        ```python
        pyshac.write_report("shac", "report.html")
        ```

    Args:
        source: The path of a save directory, an engine or a `Dataset`. A directory is only read:
            its files are neither locked nor executed, so the search may still be running.
        to_file: Path of the report, in an existing folder.
        objective: 'max' or 'min'; None for the search's own. A dataset, or a directory from an
            earlier release of PySHAC, does not record it; None then means 'max'.

    Returns:
        The absolute path of the report.

    Raises:
        FileNotFoundError: If the directory contains no search, or the folder of the file does not
            exist.
        ImportError: If Matplotlib is not installed.
        OSError: If the file cannot be written.
        SaveDirectoryError: If a file of the directory is corrupt.
        TypeError: If `source` has another type, or `to_file` is not a path.
    """
    path = output_path("to_file", to_file)
    content = render(take_snapshot(source, objective)).encode("utf-8", errors="replace")
    files.write_atomically(path, content)
    return path


def render(snapshot: Snapshot) -> str:
    """Returns the report of a search as HTML."""
    new_figure()  # Raises at once if Matplotlib is missing.
    pictures = [draw(plot) for plot in plots_of(snapshot)] if len(snapshot.dataset) else []
    name = Path(snapshot.path).resolve().name if snapshot.path else "a dataset"
    written = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return page_of(
        f"PySHAC report: {shorten(name, 60)}",
        f'<p class="quiet">Written {escape(written)} by PySHAC {escape(__version__)}</p>',
        "\n".join(summary_cards(snapshot)),
        "\n".join(_sections(pictures, left_out(snapshot))),
        to_script(table_content(snapshot)),
    )


def page_of(
    title: str,
    lead: str,
    summary: str,
    sections: str,
    evaluations: str,
    *,
    more_script: str = "",
    sources: str = IMAGES_INSIDE,
) -> str:
    """Returns a whole page.

    Args:
        title: Its title, as text.
        lead: HTML below the title.
        summary: HTML of the summary.
        sections: HTML between the summary and the table.
        evaluations: The content of the table, for a script element.
        more_script: Code to append to the script of the table.
        sources: What the page may load, as directives of its content security policy.
    """
    style, script = read("page.css"), read("page.js") + more_script
    return Template(read("page.html")).substitute(
        policy=policy(style, script, sources),
        version=escape(__version__),
        title=escape(title),
        style=style,
        script=script,
        lead=lead,
        summary=summary,
        sections=sections,
        evaluations=evaluations,
    )


def read(name: str, package: str = "pyshac.reporting") -> str:
    """Returns the text of a file of a package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def policy(style: str, script: str, sources: str) -> str:
    """Returns a content security policy that allows one style, one script and some sources."""

    def checksum(content: str) -> str:
        digest = base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
        return f"'sha256-{digest}'"

    return (
        f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'; "
        f"style-src {checksum(style)}; script-src {checksum(script)}"
    )


def _sections(pictures: Sequence[Picture], notes: Mapping[str, str]) -> list[str]:
    sections = []
    for name, group in groupby(pictures, key=lambda picture: picture.plot.section):
        figures = "\n".join(_figure(picture) for picture in group)
        note = f'<p class="quiet">{text(notes[name])}</p>\n' if name in notes else ""
        sections.append(
            f'<section aria-labelledby="{name}">\n<h2 id="{name}">{HEADINGS[name]}</h2>\n{note}'
            f'<div class="pictures">\n{figures}\n</div>\n</section>'
        )
    return sections


def _figure(picture: Picture) -> str:
    plot, alt = picture.plot, text(picture.plot.alt)
    caption = f"<figcaption>{text(plot.caption)}</figcaption>" if plot.caption else ""
    if picture.problem:
        return f"<figure><p>{alt}</p><p>{text(picture.problem)}</p></figure>"
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
