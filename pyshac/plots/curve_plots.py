"""Plots of the curves of a search: the scores that evaluations report while they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray, without_float_errors
from pyshac.looking.axes import LARGEST_DRAWN
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.plots.drawing import (
    MANY_MARKS,
    add_stage_bar,
    axes_or_new,
    mark_size,
    palette_of,
    set_score_scale,
    stage_colours,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# So many curves are opaque, more are less so.
OPAQUE_CURVES = 60


@without_float_errors
def plot_curves(source: Any, *, objective: str | None = None, ax: Axes | None = None) -> Axes:
    """Plots the scores that evaluations reported while they ran, over the steps.

    A line is one evaluation, in the colour of its stage. Its end has a dot if the evaluation is
    complete, a cross if it failed, and a short horizontal line if it was pruned. NaN is left out.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_curves

        axes = plot_curves("with-curves")
        axes.figure.savefig("curves.png")
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
        ValueError: If no evaluation has reported a score, or a score is too large to draw.
    """
    snapshot = take_snapshot(source, objective)
    lines = _drawable_curves(snapshot)
    ax = axes_or_new(ax)
    mappable, colours = stage_colours(ax, snapshot)
    _draw_lines(ax, lines, colours)
    ends = np.full((len(colours), 2), np.nan)
    ends[list(lines)] = [points[-1] for points in lines.values()]
    is_complete = ~(snapshot.are_pruned | snapshot.have_failed)
    _mark_ends(ax, ends, colours, is_complete, "complete", "o")
    _mark_ends(ax, ends, colours, snapshot.are_pruned, "pruned", "|")
    _mark_ends(ax, ends, colours, snapshot.have_failed, "failed", "x")
    ax.set(title="Curves", xlabel="Step", ylabel=f"Score ({snapshot.objective.text})")
    set_score_scale(ax, snapshot, drawn=np.concatenate([*lines.values()])[:, 1])
    ax.legend(fontsize="small")
    add_stage_bar(ax, snapshot, mappable)
    return ax


def _drawable_curves(snapshot: Snapshot) -> dict[int, FloatArray]:
    """Returns the points of each curve, shape (points, 2), by the sample's index.

    Raises:
        ValueError: If there is no curve, or a score is too large to draw.
    """
    found = {}
    for place in range(len(snapshot.dataset)):
        curve = snapshot.dataset.details.curves[place]
        if curve is None:
            continue
        points = np.array([curve.steps, curve.scores], dtype=np.float64).T
        points = points[~np.isnan(points[:, 1])]
        if len(points):
            found[place] = points
    if not found:
        raise ValueError(
            "No evaluation has reported a score on its way: there is no curve to plot. Call "
            "pyshac.report(step, score) in the evaluation function, after each epoch for example."
        )
    if max(np.abs(points[:, 1]).max() for points in found.values()) > LARGEST_DRAWN:
        raise ValueError(f"Scores beyond {LARGEST_DRAWN:g} in size cannot be drawn.")
    return found


def _draw_lines(ax: Axes, curves: dict[int, FloatArray], colours: FloatArray) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.ticker import MaxNLocator

    lines = LineCollection(
        list(curves.values()),
        colors=colours[list(curves)],
        linewidths=0.9,
        alpha=max(0.15, min(0.8, OPAQUE_CURVES / len(curves))),
        rasterized=sum(map(len, curves.values())) > MANY_MARKS,
    )
    ax.add_collection(lines)
    ax.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=True))
    ax.autoscale_view()


def _mark_ends(
    ax: Axes, ends: FloatArray, colours: FloatArray, are_shown: Any, state: str, marker: str
) -> None:
    """Marks the ends of the curves with one state. All ends have shape (n, 2); NaN means none."""
    places = np.flatnonzero(are_shown & ~np.isnan(ends[:, 0]))
    if not len(places):
        return
    is_dot = marker == "o"
    style: Any = {"marker": marker, "linewidths": 0 if is_dot else 1.2}
    steps, scores = ends[places].T
    ax.scatter(steps, scores, s=mark_size(len(ends)) ** 2 * (1 if is_dot else 3), zorder=3,
               color=colours[places], rasterized=len(ends) > MANY_MARKS, **style)  # fmt: skip
    # Whatever the stages, the legend has one colour.
    ax.scatter([], [], s=22, color=palette_of(ax).ink, label=f"{state}: {len(places)}", **style)
