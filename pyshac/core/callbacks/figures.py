"""Figures: the figures of a run as text."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyshac.core.basics.messages.printable import printable
from pyshac.core.basics.paths import shown_path
from pyshac.core.dataset import summaries

# Drawing samples and training are only shown if they take longer.
PATIENCE_SECONDS = 2.0


@dataclass
class Figures:
    """The figures of a run that displays show.

    Attributes:
        total: N, the budget.
        done: The number of evaluated samples, with or without a score.
        failed: The number of samples that failed.
        best: The best score so far, or None.
        stage: The stage, such as "1 of 3", or the reason why there is no further one.
        trained: The number of classifiers in the cascade.
        refused: The number of classifiers that were refused.
        is_over: Whether the run has ended or been stopped.
        running: The numbers of the samples that are being evaluated.
        activity: The activity between evaluations, or an empty text.
        since: The time at which it began (`time.monotonic`).
        pruned: The number of samples that were pruned.
    """

    total: int
    done: int = 0
    failed: int = 0
    best: float | None = None
    stage: str = ""
    trained: int = 0
    refused: int = 0
    is_over: bool = False
    running: set[int] = field(default_factory=set)
    activity: str = ""
    since: float = 0.0
    pruned: int = 0

    def begin(self, activity: str) -> None:
        """Begins an activity."""
        self.activity, self.since = activity, time.monotonic()

    def read(self, engine: Any) -> None:
        """Reads the budget, the stage and the classifiers from an engine."""
        progress = engine._progress()
        self.total, self.stage = engine.total_budget, progress.stage
        self.trained, self.refused = progress.trained, progress.num_refused

    @property
    def title(self) -> str:
        """The stage, or how the run has ended."""
        if not self.stage[:1].isdigit():
            return self.stage
        stage = f"stage {self.stage.replace(' of ', '/')}"
        return f"stopped in {stage}" if self.is_over else stage

    @property
    def details(self) -> list[str]:
        """The other figures as text, the most important first, because space may be short."""
        seconds = time.monotonic() - self.since
        parts = []
        if self.activity and seconds > PATIENCE_SECONDS:
            parts.append(f"{self.activity} for {seconds:.0f} s")
        if self.best is not None:
            parts.append(f"best {self.best:.4g}")
        if self.running:
            parts.append(f"{len(self.running)} running")
        parts += summaries.without_score(self.failed, self.pruned)
        # During a run its stage tells.
        if self.is_over:
            parts.append(f"{self.trained} classifier{'s' * (self.trained != 1)}")
            if self.refused:
                parts.append(f"{self.refused} refused")
        return parts


def first_line(engine: Any) -> str:
    """Returns what an engine will search, in how many slots, and where the run is saved."""
    names = [parameter.name for parameter in engine.parameters]
    slots, done = engine.num_parallel_evaluators, len(engine.dataset)
    parts = [
        f"Searching {summaries.names_text(names)} for the "
        f"{'highest' if engine.objective == 'max' else 'lowest'} score",
        f"{engine.total_budget} evaluations in {engine._progress().batches}",
        f"{slots} slot{'s' * (slots != 1)}",
        f"saved in {summaries.cut(repr(shown_path(engine.save_dir)), summaries.MAX_PATH)}",
    ]
    if done:
        parts.append(f"{done} evaluation{'s are' if done > 1 else ' is'} there already")
    return "; ".join(parts)


def last_line(engine: Any, seconds: float, error: BaseException | None = None) -> str:
    """Returns how a run has ended.

    Args:
        engine: The engine.
        seconds: The duration of the run.
        error: The exception that ended it, or None.
    """
    progress, scores = engine._progress(), engine.dataset.Y
    if error is not None:
        how = f"Ended by {type(error).__name__}"
    else:
        how = progress.ending.capitalize() or "Stopped"
    parts = [f"{how}: {summaries.evaluations_text(len(scores), engine.total_budget)}"]
    parts += summaries.without_score(*summaries.count_without_score(engine.dataset.copy()))
    best = engine.best_score
    if best is not None:
        named = engine.dataset.get_best_parameters(engine.objective, named=True)
        at = summaries.parameters_text(named)
        parts.append(f"best score {summaries.value_text(best)} at {at}")
    parts.append(f"classifiers: {progress.classifiers}")
    parts.append(f"time {duration(seconds)}")
    return "; ".join(parts)


def sample_line(id: int, score: float, seconds: float | None, logs: Mapping[str, Any]) -> str:
    """Returns the outcome of an evaluation as a line of text.

    Args:
        id: The number of the sample.
        score: Its score; NaN if it failed or was pruned.
        seconds: Its duration; None if not known.
        logs: The logs of `on_sample_end`.
    """
    outcome = f"score {summaries.value_text(score)}"
    curve = logs.get("curve")
    if logs.get("pruned") and curve is not None:
        last = summaries.value_text(curve.scores[-1])
        outcome = f"pruned at step {curve.last_step} ({last})"
    elif math.isnan(score):
        outcome = f"failed ({printable(str(logs.get('failure') or 'no score'))})"
    parts = [f"Sample {id}: {outcome}"]
    if seconds is not None:
        parts.append(duration(seconds))
    if logs.get("worker_id") is not None:
        parts.append(f"slot {logs['worker_id']}")
    parts.append(summaries.parameters_text(logs.get("parameters")))
    return "; ".join(parts)


def duration(seconds: float) -> str:
    """Returns a duration as text: seconds, or hours, minutes and seconds."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    return str(datetime.timedelta(seconds=round(seconds)))


def stamped(text: str) -> str:
    """Returns a line with the date, the time and the name of the library."""
    return f"{time.strftime('%Y-%m-%d %H:%M:%S')} pyshac: {text}\n"
