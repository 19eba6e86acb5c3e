"""Summary: facts about a search, as texts and numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.paths import shown_path
from pyshac.core.dataset import summaries
from pyshac.looking.axes import columns_of
from pyshac.looking.labels import number_text
from pyshac.looking.snapshot import Snapshot


@dataclass(frozen=True)
class Stage:
    """The samples between two classifiers.

    Attributes:
        number: Its number, from 1.
        samples: Number of its samples.
        failed: Number of its failed samples.
        best: Best score, or None.
        median: Median of the scores, or None.
    """

    number: int
    samples: int
    failed: int
    best: float | None
    median: float | None


def facts(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Returns facts about a search as a whole, as (label, text)."""
    progress, objective = snapshot.progress, snapshot.objective
    found = [("Objective", f"{objective.name} ({objective.text})")]
    budget = None if snapshot.schedule is None else snapshot.schedule.total_budget
    done = summaries.counted(len(snapshot.dataset), budget, 0)
    found.append(("Evaluations", f"{done}, {snapshot.num_failed} failed"))
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
    if snapshot.path is not None:
        found.append(("Directory", shown_path(snapshot.path)))
    return found


def best_values(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Returns the best sample's values by name of column, as text; empty if there is no score."""
    if snapshot.best is None:
        return []
    texts = snapshot.space.row_to_text(snapshot.dataset.X[snapshot.best])
    return [(column.name, text) for column, text in zip(columns_of(snapshot), texts, strict=True)]


def stage_rows(snapshot: Snapshot) -> list[Stage]:
    """Returns the stages that have samples; none if the stages are not known."""
    if snapshot.schedule is None:
        return []
    rows = []
    for number in range(1, snapshot.num_stages + 1):
        scores = snapshot.dataset.scores[snapshot.stages == number]
        failed = int(np.isnan(scores).sum())
        place = snapshot.objective.best(scores)
        best = None if place is None else float(scores[place])
        median = None if place is None else float(np.nanmedian(scores))
        rows.append(Stage(number, len(scores), failed, best, median))
    return rows
