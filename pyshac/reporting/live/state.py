"""LiveState: what the page of a search shows, made anew where it has changed."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyshac.core.basics.arrays import without_float_errors
from pyshac.looking.activity import stamps_of
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.reporting.live.status import status_of
from pyshac.reporting.live.throttle import Throttle
from pyshac.reporting.page import HEADINGS
from pyshac.reporting.parts import summary_cards
from pyshac.reporting.pictures import Plot, draw_svg, left_out, plots_of
from pyshac.reporting.table import table_content

EMPTY_TABLE: dict[str, Any] = {
    "columns": [], "rows": [], "best": None, "state": 0, "descending": True, "curves": {},
}  # fmt: skip
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Answer:
    """What the page asked for.

    Attributes:
        tag: Its version, which stays while it stays the same.
        body: Its bytes.
        kind: Its media type.
    """

    tag: str
    body: bytes
    kind: str = "application/json"


def _answer(content: Any) -> Answer:
    body = json.dumps(content, separators=(",", ":")).encode("ascii")
    return Answer(hashlib.sha256(body).hexdigest()[:20], body)


class LiveState:
    """What the page of a running search shows.

    Reading the directory and drawing take at most a tenth of one core each; meanwhile the page
    gets what was read and drawn last. Any thread may call the methods.

    Args:
        path: The save directory; it need not exist.
        objective: 'max' or 'min' for a directory that does not record it; None for 'max'.
    """

    def __init__(self, path: Path, objective: str | None) -> None:
        self._path = path
        self._objective = objective
        self._lock, self._drawing = threading.Lock(), threading.Lock()
        self._reads, self._draws = Throttle(), Throttle()
        self._seen: Any = None
        self._plots: OrderedDict[str, Plot] = OrderedDict()
        self._version = ""
        self._pictures: dict[tuple[str, str], Answer] = {}
        self._problem, self._is_missing = "", True
        self._snapshot: Snapshot | None = None
        self._page: dict[str, Any] = {}
        self._table: Answer | None = None

    def state(self) -> Answer:
        """Returns what is beside the table and the pictures, and the versions of these."""
        with self._lock:
            self._refresh()
            return _answer(
                {
                    **status_of(self._path, self._snapshot, self._problem, self._is_missing),
                    "cards": [],
                    "sections": [],
                    **self._page,
                    "version": self._version,
                }
            )

    def table(self) -> Answer:
        """Returns the content of the table."""
        with self._lock:
            if self._table is None and self._snapshot is not None:
                with self._reads.working():
                    self._table = _answer(table_content(self._snapshot))
            return self._table or _answer(EMPTY_TABLE)

    def _refresh(self) -> None:
        """Reads the directory if it has changed, and it is time."""
        seen = stamps_of(self._path)
        if seen == self._seen or not self._reads.is_due:
            return
        with self._reads.working():
            # What could not be read is tried again, even if nothing has changed.
            self._problem, self._is_missing, self._seen = "", False, None
            try:
                self._show(take_snapshot(self._path, self._objective), seen)
            except FileNotFoundError:
                self._is_missing = True
            except (OSError, ValueError, RuntimeError, ImportError) as error:
                self._problem = str(error) or repr(error)
            else:
                self._seen = seen

    @without_float_errors
    def _show(self, snapshot: Snapshot, seen: Any) -> None:
        plots = [*plots_of(snapshot)] if len(snapshot.dataset) else []
        page = {"cards": summary_cards(snapshot), "sections": _sections(snapshot, plots)}
        self._page, self._table = page, None
        self._plots = OrderedDict((plot.name, plot) for plot in plots)
        self._snapshot = snapshot
        self._version = hashlib.sha256(repr(seen).encode()).hexdigest()[:20]

    def picture(self, name: str, theme: str) -> Answer | None:
        """Returns a picture, which may be of an earlier version; None if there is none.

        Args:
            name: The name of its plot.
            theme: 'light' or 'dark'.
        """
        with self._lock:
            plot, version = self._plots.get(name), self._version
        if plot is None or theme not in THEMES:
            return None
        with self._drawing:
            known = self._pictures.get((name, theme))
            if known is not None and (known.tag == version or not self._draws.is_due):
                return known
            with self._draws.working():
                try:
                    content, kind = draw_svg(plot, theme == "dark"), "image/svg+xml"
                except ValueError as error:
                    content, kind = str(error).encode("utf-8", "replace"), "text/plain"
            found = self._pictures[name, theme] = Answer(version, content, kind)
            return found


def _sections(snapshot: Snapshot, plots: list[Plot]) -> list[dict[str, Any]]:
    """Returns the sections of pictures: their headings, and what stands below each picture."""
    notes, found = left_out(snapshot), []
    for name, heading in HEADINGS.items():
        pictures = [
            {"name": p.name, "alt": p.alt, "caption": p.caption, "wide": p.is_wide}
            for p in plots
            if p.section == name
        ]
        if pictures:
            note = notes.get(name, "")
            found.append({"name": name, "heading": heading, "note": note, "pictures": pictures})
    return found
