"""Plots of the scores: all of them, the best so far, and their distribution by stage."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray, without_float_errors
from pyshac.core.basics.messages.warning import warn_of_spelling
from pyshac.core.basics.paths import output_path
from pyshac.looking.labels import number_text
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.plots.drawing import (
    MANY_MARKS,
    axes_or_new,
    drawable_scores,
    figure_of,
    log_sign,
    mark_size,
    palette_of,
    scatter_scores,
    set_score_scale,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

JITTER = 0.26
MANY_STAGES = 10


@without_float_errors
def plot_dataset(
    dataset: Any,
    to_file: str | os.PathLike[str] | None = None,
    title: str | None = "Dataset evaluation",
    eval_label: str | None = "Score",
    trend_deg: int = 3,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Plots every score in the order of the samples, with a polynomial trend.

    Samples that failed or were pruned leave gaps. Where the axis of `plot_best_so_far` would be
    logarithmic, the axis and the trend are, too.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_dataset

        plot_dataset("shac", to_file="scores.png", title="All scores")
        ```

    Args:
        dataset: A `Dataset`, an engine, or the path of a save directory.
        to_file: Path of the file to save, in an existing folder; None saves nothing.
        title: Title of the plot; None for none.
        eval_label: Label of the score axis; None for none.
        trend_deg: Degree of the trend; it is lower if there are too few scores.
        ax: Axes to draw on; None for a new figure.

    Returns:
        The axes. A notebook shows them as the value of a cell; scripts save `axes.figure`.

    Raises:
        FileNotFoundError: If the folder of the file does not exist.
        ImportError: If Matplotlib is not installed.
        TypeError: If `dataset` has another type.
        ValueError: If it holds no score, or one that is too large to draw.
    """
    if dataset is None:
        warn_of_spelling("plot_dataset(None)", "plot_dataset('shac')")
        dataset = "shac"
    if isinstance(to_file, bool) and not to_file:
        warn_of_spelling("to_file=False", "to_file=None")
        to_file = None
    path = None if to_file is None else output_path("to_file", to_file)
    snapshot = take_snapshot(dataset)
    numbers, scores = np.array(snapshot.dataset.ids), drawable_scores(snapshot)
    known = ~np.isnan(scores)
    ax = axes_or_new(ax)
    palette = palette_of(ax)
    ax.plot(
        numbers,
        scores,
        "o",
        markersize=mark_size(len(scores)),
        color=palette.main,
        label="Evaluation score",
        rasterized=len(scores) > MANY_MARKS,
    )
    degree = min(trend_deg, int(known.sum()) - 1)
    sign = log_sign(snapshot)
    heights = np.log(sign * scores[known]) if sign else scores[known]
    trend = np.polynomial.Polynomial.fit(numbers[known], heights, degree)(numbers)
    trend = sign * np.exp(trend) if sign else trend
    ax.plot(numbers, trend, color=palette.accent, label="Evaluation trend")
    set_score_scale(ax, snapshot)
    ax.set(title=title or "", xlabel="Sample", ylabel=eval_label or "")
    ax.legend()
    if path is not None:
        figure_of(ax).savefig(path)
    return ax


@without_float_errors
def plot_best_so_far(source: Any, *, objective: str | None = None, ax: Axes | None = None) -> Axes:
    """Plots the best score of the first n samples, and marks the stages.

    Failed samples are crosses at the bottom; pruned samples are short lines there. The axis is
    logarithmic for losses, or negated losses, that span more than two powers of ten.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_best_so_far

        axes = plot_best_so_far("shac")
        axes.figure.savefig("best.png")
        ```

    Args:
        source: A `Dataset`, an engine, or the path of a save directory.
        objective: 'max' or 'min'; None for the search's own, or 'max' for a dataset.
        ax: Axes to draw on; None for a new figure.

    Returns:
        The axes. A notebook shows them as the value of a cell; scripts save `axes.figure`.

    Raises:
        ImportError: If Matplotlib is not installed.
        TypeError: If `source` has another type.
        ValueError: If it holds no score, or one that is too large to draw.
    """
    snapshot = take_snapshot(source, objective)
    numbers, scores = np.array(snapshot.dataset.ids), drawable_scores(snapshot)
    ax = axes_or_new(ax)
    palette = palette_of(ax)
    many = len(scores) > MANY_MARKS
    for place, start in enumerate(snapshot.starts):
        label = "classifier trained" if place == 0 else None
        ax.axvline(start - 0.5, color=palette.muted, linewidth=1.0, linestyle=":", label=label)
    ax.plot(numbers, scores, "o", color=palette.muted, markersize=mark_size(len(scores)),
            alpha=0.6, linestyle="", label="score", rasterized=many)  # fmt: skip
    ax.step(numbers, snapshot.objective.best_so_far(scores), where="post", color=palette.main,
            linewidth=2, label="best so far")  # fmt: skip
    _mark_best(ax, snapshot)
    accent, muted = palette.accent, palette.muted
    _mark_missing(ax, numbers[snapshot.have_failed], "failed", "x", accent)
    _mark_missing(ax, numbers[snapshot.are_pruned], "pruned", "|", muted)
    ax.set(title="Best score so far", xlabel="Sample", ylabel=f"Score ({snapshot.objective.text})")
    set_score_scale(ax, snapshot)
    ax.legend(fontsize="small")
    return ax


def _mark_best(ax: Axes, snapshot: Snapshot) -> None:
    place = snapshot.best
    if place is None:
        return
    number, score = snapshot.dataset.ids[place], snapshot.dataset.Y[place]
    palette = palette_of(ax)
    ax.plot([number], [score], "*", color=palette.accent, markersize=13, zorder=4,
            label=f"best: {number_text(score)}, sample {number}")  # fmt: skip


def _mark_missing(ax: Axes, numbers: Any, state: str, marker: str, color: Any) -> None:
    if len(numbers):
        ax.plot(numbers, np.full(len(numbers), 0.02), marker, color=color,
                markersize=5, transform=ax.get_xaxis_transform(), clip_on=False,
                label=f"{state}: {len(numbers)}")  # fmt: skip


@without_float_errors
def plot_scores_by_stage(
    source: Any, *, objective: str | None = None, ax: Axes | None = None
) -> Axes:
    """Plots the distribution of the scores in each stage.

    A stage holds the samples between two classifiers. A box spans the quartiles, and its line is
    the median. The whiskers end at the lowest and the highest score.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_scores_by_stage

        axes = plot_scores_by_stage("shac")
        axes.figure.savefig("stages.png")
        ```

    Args:
        source: An engine, or the path of a save directory. A dataset does not record stages, so it
            has a single stage.
        objective: 'max' or 'min'; None for the search's own, or 'max' for a dataset.
        ax: Axes to draw on; None for a new figure.

    Returns:
        The axes. A notebook shows them as the value of a cell; scripts save `axes.figure`.

    Raises:
        ImportError: If Matplotlib is not installed.
        TypeError: If `source` has another type.
        ValueError: If it holds no score, or one that is too large to draw.
    """
    snapshot = take_snapshot(source, objective)
    scores = drawable_scores(snapshot)
    ax = axes_or_new(ax)
    jitter = np.random.default_rng(0).uniform(-JITTER, JITTER, len(scores))
    scatter_scores(ax, snapshot, snapshot.stages + jitter, scores, alpha=0.85)
    _draw_boxes(ax, snapshot, scores)
    ax.set(title="Scores by stage", ylabel=f"Score ({snapshot.objective.text})")
    _label_stages(ax, snapshot)
    set_score_scale(ax, snapshot)
    return ax


def _draw_boxes(ax: Axes, snapshot: Snapshot, scores: FloatArray) -> None:
    """Draws a box for each stage that has a score."""
    palette, known = palette_of(ax), ~np.isnan(scores)
    groups = {
        stage: scores[known & (snapshot.stages == stage)]
        for stage in range(1, snapshot.num_stages + 1)
    }
    filled = [stage for stage, group in groups.items() if len(group)]
    line = {"color": palette.ink, "linewidth": 1.0}
    ax.boxplot([groups[stage] for stage in filled], positions=filled, widths=0.7, whis=(0, 100),
               showfliers=False, boxprops=line, whiskerprops=line, capprops=line,
               medianprops={"color": palette.accent, "linewidth": 2.2},
               manage_ticks=False)  # fmt: skip


def _label_stages(ax: Axes, snapshot: Snapshot) -> None:
    """Labels each stage with its number of samples, and of samples without a score."""
    stages = range(1, snapshot.num_stages + 1)
    samples = [int((snapshot.stages == stage).sum()) for stage in stages]
    labels = [f"{stage}\n{count}" for stage, count in zip(stages, samples, strict=True)]
    below = "samples"
    for state, are_missing in (("failed", snapshot.have_failed), ("pruned", snapshot.are_pruned)):
        counts = [int((snapshot.stages[are_missing] == stage).sum()) for stage in stages]
        if any(counts):
            labels = [f"{label}\n{count}" for label, count in zip(labels, counts, strict=True)]
            below += f", {state} ones"
    size = "x-small" if snapshot.num_stages > MANY_STAGES else "medium"
    ax.set_xticks(stages, labels, fontsize=size)
    ax.set_xlim(0.4, snapshot.num_stages + 0.6)
    ax.set_xlabel(f"Stage\n(below: {below})")
