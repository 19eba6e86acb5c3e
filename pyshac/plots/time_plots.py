"""Plots of time: which evaluation ran in which slot, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray, without_float_errors
from pyshac.looking.activity import times_in_slots
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.plots.drawing import (
    MANY_MARKS,
    add_stage_bar,
    axes_or_new,
    palette_of,
    stage_colours,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Seconds, minutes, hours and days: the unit is the largest of which the axis has at least two.
UNITS = ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
HEIGHT = 0.8


@without_float_errors
def plot_timeline(source: Any, *, objective: str | None = None, ax: Axes | None = None) -> Axes:
    """Plots when each evaluation ran, as a bar in the row of its slot.

    A bar has the colour of its stage. It ends with a cross if the evaluation failed, and with a
    short line if it was pruned. During gaps, a slot had no work.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_timeline

        axes = plot_timeline("shac")
        axes.figure.savefig("timeline.png")
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
        ValueError: If no evaluation has a slot and a time.
    """
    snapshot = take_snapshot(source, objective)
    times = times_in_slots(snapshot)
    known = ~np.isnan(times).any(axis=1)
    if not known.any():
        raise ValueError(
            "No evaluation has a time and a slot: samples of ask have no slots, and PySHAC 0.1 to "
            "0.3 recorded no times."
        )
    ax = axes_or_new(ax)
    slots, row = np.unique(times[known, 0], return_inverse=True)
    starts = times[known, 1] - times[known, 1].min()
    ends = starts + times[known, 2]
    unit, name = next(((u, n) for u, n in UNITS if ends.max() >= 2 * u), UNITS[-1])
    starts, ends = starts / unit, ends / unit
    mappable, colours = stage_colours(ax, snapshot)
    _draw_bars(ax, row, starts, ends, colours[known])
    _mark_ends(ax, row, ends, known, snapshot)
    step = -(-len(slots) // 12)
    ax.set_yticks(range(0, len(slots), step), [f"{slot:.0f}" for slot in slots[::step]])
    ax.set(title="Timeline", xlabel=f"Time ({name})", ylabel="Slot", ylim=(len(slots) - 0.5, -0.5))
    add_stage_bar(ax, snapshot, mappable)
    return ax


def _mark_ends(ax: Axes, row: Any, ends: Any, known: Any, snapshot: Snapshot) -> None:
    """Marks the ends of evaluations without a score."""
    for are_marked, marker, state in (
        (snapshot.have_failed, "x", "failed"),
        (snapshot.are_pruned, "|", "pruned"),
    ):
        chosen = are_marked[known]
        if chosen.any():
            ax.plot(ends[chosen], row[chosen], marker, color=palette_of(ax).accent, markersize=5,
                    linestyle="", clip_on=False, label=f"{state}: {chosen.sum()}",
                    rasterized=len(ends) > MANY_MARKS)  # fmt: skip
            ax.legend(fontsize="small")


def _draw_bars(ax: Axes, row: Any, starts: FloatArray, ends: FloatArray, colours: Any) -> None:
    """Draws the bars, given the row, the start, the end and the colour of each bar."""
    from matplotlib.collections import PolyCollection

    # What is shorter than a pixel would not be seen.
    widths = np.maximum(ends - starts, 0.001 * ends.max())
    corners = [
        ((x, y - HEIGHT / 2), (x + w, y - HEIGHT / 2), (x + w, y + HEIGHT / 2), (x, y + HEIGHT / 2))
        for x, y, w in zip(starts, row, widths, strict=True)
    ]
    # Bars that are wide enough have an outline, which tells them from the next one.
    is_wide = np.median(widths) > 0.01 * ends.max()
    outline = ax.get_facecolor() if is_wide else "face"
    bars = PolyCollection(corners, facecolors=colours, edgecolors=outline, linewidths=0.4,
                          rasterized=len(row) > MANY_MARKS)  # fmt: skip
    ax.add_collection(bars)
    ax.autoscale_view()
