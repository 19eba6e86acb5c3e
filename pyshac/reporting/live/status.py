"""Status: what a search does at the moment, in words and as cards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyshac.core.basics.paths import shown_path
from pyshac.core.dataset.summaries import counted
from pyshac.looking.activity import (
    last_change,
    num_slots_in_use,
    slots_of,
    writer_runs,
)
from pyshac.looking.labels import number_text, seconds_text, shorten
from pyshac.looking.snapshot import Snapshot
from pyshac.reporting.parts import card, readable, text, title

MAX_OPEN = 20
MAX_SLOTS = 64
NOT_BEGUN, GONE, UNREADABLE = "not begun", "gone", "unreadable"
RUNS, IDLE, ENDED, INTERRUPTED, OPEN = "running", "idle", "ended", "interrupted", "open"


def status_of(path: Path, snapshot: Snapshot | None, problem: str, is_missing: bool) -> Any:
    """Returns what a search does at the moment.

    Args:
        path: Its directory.
        snapshot: The search as it was read last; None if there was none yet.
        problem: The reason why it could not be read now; empty if it could.
        is_missing: Whether the directory holds no search now.

    Returns:
        The `state` in a word, the `status` in a sentence, the `best` so far in words, when it has
        `changed` last, in seconds since 1970, and what is `running`, as cards.
    """
    runs = writer_runs(path)
    state = _state(snapshot, problem, is_missing, runs)
    cards = []
    if snapshot is not None and state not in (GONE, UNREADABLE):
        cards = [*_open_samples(snapshot, state == RUNS), *_slots(snapshot)]
    return {
        "state": state,
        "status": _sentence(state, path, problem, "" if snapshot is None else snapshot.ending),
        "best": "" if snapshot is None else _best(snapshot),
        "changed": last_change(path),
        "running": cards,
    }


def _state(snapshot: Snapshot | None, problem: str, is_missing: bool, runs: bool | None) -> str:
    if problem:
        return UNREADABLE
    if is_missing or snapshot is None:
        return NOT_BEGUN if snapshot is None else GONE
    if snapshot.ending and not snapshot.num_pending:
        return ENDED
    if runs is None:
        return OPEN
    if runs:
        return RUNS if snapshot.num_pending else IDLE
    return INTERRUPTED


def _sentence(state: str, path: Path, problem: str, ending: str) -> str:
    name = shown_path(str(path))
    return {
        NOT_BEGUN: f"There is no search in {name} yet. This page shows it as soon as it begins.",
        GONE: f"The search in {name} is gone: it was moved or removed. This page shows its last "
        "known state.",
        UNREADABLE: f"The search cannot be read: {problem}",
        ENDED: f"The search has ended: {ending}.",
        INTERRUPTED: "The search is interrupted: the process that ran it has ended. Resume it to "
        "continue where it stopped.",
        RUNS: "The search is running.",
        IDLE: "No evaluation is running: the process draws the next batch, or waits for ask() or "
        "fit().",
        OPEN: "Whether the search runs is not known here: the process that wrote to it last is on "
        "another machine, or left no name.",
    }[state]


def _best(snapshot: Snapshot) -> str:
    budget = None if snapshot.schedule is None else snapshot.schedule.total_budget
    done = f"Evaluations: {counted(len(snapshot.dataset), budget, 0)}."
    if snapshot.best is None:
        return done
    score, number = snapshot.dataset.Y[snapshot.best], snapshot.dataset.ids[snapshot.best]
    return f"{done} Best so far: {number_text(score)} (sample {number})."


def _open_samples(snapshot: Snapshot, is_running: bool) -> list[str]:
    """Returns a card of the samples that have no score yet, the first that start first."""
    numbers = snapshot.open.pending
    if not numbers:
        return []
    slots = num_slots_in_use(snapshot)
    words = ("running", "waiting") if is_running and slots else ("open", "open")
    names = snapshot.space.get_parameter_names()
    items = []
    for place, number in enumerate(numbers[:MAX_OPEN]):
        word = words[place >= (slots or 0)]
        cells = zip(names, snapshot.space.row_to_text(snapshot.open.row(number)), strict=True)
        values = [(name, cell) for name, cell in cells if cell]
        whole = ", ".join(f"{name}={cell}" for name, cell in values)
        short = ", ".join(f"{shorten(name)}={shorten(readable(cell))}" for name, cell in values)
        items.append(
            f'<li><span class="state {word}">{number}, {word}</span> '
            f'<span class="quiet"{title(whole, short)}>{text(short)}</span></li>'
        )
    more = len(numbers) - MAX_OPEN
    rest = f'<p class="quiet">… and {more} more</p>' if more > 0 else ""
    content = f'<ul class="open">{"".join(items)}</ul>{rest}'
    return [card(f"Without a score yet: {len(numbers)}", content)]


def _slots(snapshot: Snapshot) -> list[str]:
    """Returns a card of the slots; `live.js` says how long ago the last of each ended."""
    uses = slots_of(snapshot)
    if not uses:
        return []
    head = "".join(
        f'<th scope="col" class="number">{name}</th>'
        for name in ("Slot", "Evaluations", "Median", "Last", "Ended")
    )
    rows = "".join(
        f'<tr><td class="number">{use.slot}</td><td class="number">{use.count}</td>'
        f'<td class="number">{seconds_text(use.seconds)}</td>'
        f'<td class="number">{use.last}</td>'
        f'<td class="number"><time data-ago="{use.ended:.3f}"></time></td></tr>'
        for use in uses[:MAX_SLOTS]
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return [card("Slots", f'<div class="scroller">{table}</div>')]
