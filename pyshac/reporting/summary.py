"""Summary: facts about a search, as texts and numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.paths import shown_path
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.basics.results.details import Extra
from pyshac.core.dataset import summaries
from pyshac.core.dataset.data_frame import extra_names
from pyshac.looking.axes import columns_of
from pyshac.looking.labels import number_text, seconds_text
from pyshac.looking.snapshot import Snapshot

MAX_NAMES = 20


@dataclass(frozen=True)
class Stage:
    """The samples between two classifiers.

    Attributes:
        number: Its number, from 1.
        samples: Number of its samples.
        failed: Number of its samples that failed.
        pruned: Number of its samples that were pruned.
        best: Best score, or None.
        median: Median of the scores, or None.
    """

    number: int
    samples: int
    failed: int
    pruned: int
    best: float | None
    median: float | None


def facts(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Returns facts about a search as a whole, as (label, text)."""
    progress, objective = snapshot.progress, snapshot.objective
    found = [("Objective", f"{objective.name} ({objective.text})")]
    budget = None if snapshot.schedule is None else snapshot.schedule.total_budget
    done = summaries.counted(len(snapshot.dataset), budget, 0)
    pruned = f", {snapshot.num_pruned} pruned" * bool(snapshot.num_pruned)
    found.append(("Evaluations", f"{done}, {snapshot.num_failed} failed{pruned}"))
    if snapshot.num_pending:
        found.append(("Open batch", f"{snapshot.num_pending} samples have no score yet"))
    if progress is not None:
        found.append(("Plan", progress.batches))
        found.append(("Stage", progress.stage))
        found.append(("Classifiers", progress.classifiers))
    if snapshot.best is not None:
        number = snapshot.dataset.ids[snapshot.best]
        score = snapshot.dataset.Y[snapshot.best]
        found.append(("Best score", f"{number_text(score)} (sample {number})"))
    found += _facts_of_details(snapshot)
    if snapshot.path is not None:
        found.append(("Directory", shown_path(snapshot.path)))
    return found


def _facts_of_details(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Returns the durations of evaluations and the extras that they returned, if known."""
    found = []
    seconds = np.array(snapshot.dataset.details.column("seconds"), dtype=np.float64)
    seconds = seconds[~np.isnan(seconds)]
    if len(seconds):
        median, shortest, longest = (
            seconds_text(float(part(seconds))) for part in (np.median, np.min, np.max)
        )
        text = f"{median} per evaluation (median; {shortest} to {longest})"
        found.append(("Duration", text))
    names = extra_names(snapshot.dataset.details)
    if names:
        shown = [*names[:MAX_NAMES], *["…"][: len(names) > MAX_NAMES]]
        found.append(("Extras", ", ".join(shown)))
    return found


def best_extras(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Returns the extras of the best evaluation by name, as text."""
    if snapshot.best is None:
        return []
    extras = snapshot.dataset.details[snapshot.best].extras
    return [(name, extra_text(value)) for name, value in extras.items()]


def extra_text(value: Extra | None) -> str:
    """Returns an extra as text: a str unchanged, a bool as in JSON, None as empty text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def best_values(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Returns the best sample's values by column name, as text; empty if there is no score.

    Inactive parameters are left out.
    """
    if snapshot.best is None:
        return []
    row = snapshot.dataset.X[snapshot.best]
    cells = zip(columns_of(snapshot), row, snapshot.space.row_to_text(row), strict=True)
    return [(column.name, text) for column, value, text in cells if value is not INACTIVE]


def stage_rows(snapshot: Snapshot) -> list[Stage]:
    """Returns the stages that have samples; empty if the stages are unknown."""
    if snapshot.schedule is None:
        return []
    rows = []
    for number in range(1, snapshot.num_stages + 1):
        is_here = snapshot.stages == number
        scores = snapshot.dataset.scores[is_here]
        failed = int(snapshot.have_failed[is_here].sum())
        pruned = int(snapshot.are_pruned[is_here].sum())
        place = snapshot.objective.best(scores)
        best = None if place is None else float(scores[place])
        median = None if place is None else float(np.nanmedian(scores))
        rows.append(Stage(number, len(scores), failed, pruned, best, median))
    return rows
