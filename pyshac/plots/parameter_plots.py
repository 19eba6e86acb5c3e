"""Plots of the parameters: scores against each of them, and all of them in parallel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray, without_float_errors
from pyshac.core.dataset.objective import Objective
from pyshac.looking.axes import Column, columns_of, find_columns, first_columns, one_column
from pyshac.looking.importances import parameter_importances
from pyshac.looking.labels import number_text, plain_label
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.plots.drawing import (
    MANY_MARKS,
    add_stage_bar,
    axes_or_new,
    drawable_scores,
    figure_of,
    new_grid,
    palette_of,
    scatter_scores,
    set_column_axis,
    set_score_scale,
    stage_colours,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection

MAX_SLICES = 12
MAX_PARALLEL = 12
GRID_COLUMNS = 3
MAX_SLICE_LABEL = 16
MAX_TICK_LABEL = 20
JITTER = 0.22
MAX_LEVEL_LABEL = 8
# Heights of the lowest and the highest mark on a parallel axis.
LOW, HIGH = 0.03, 0.97


@without_float_errors
def plot_slice(
    source: Any, parameter: str, *, objective: str | None = None, ax: Axes | None = None
) -> Axes:
    """Plots every score against one parameter, coloured by stage.

    Samples in which the parameter is inactive are left out; the axis label gives the number of
    samples that are shown.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_slice

        axes = plot_slice("shac", "x")
        axes.figure.savefig("slice.png")
        ```

    Args:
        source: A `Dataset`, an engine, or the path of a save directory.
        parameter: Name of a column, such as `kernels_2` for the second value of a multi parameter.
        objective: 'max' or 'min'; None for the search's own, or 'max' for a dataset.
        ax: Axes to draw on; None for a new figure.

    Returns:
        The axes. A notebook shows them as the value of a cell; scripts save `axes.figure`.

    Raises:
        ImportError: If Matplotlib is not installed.
        TypeError: If `source` has another type.
        ValueError: If the column does not exist, there is no score, or a number is too large to
            draw.
    """
    snapshot = take_snapshot(source, objective)
    column = one_column(snapshot, parameter)
    ax = axes_or_new(ax)
    _draw_slice(ax, snapshot, column)
    ax.set_title(f"Scores by {column.label}")
    ax.set_ylabel(f"Score ({snapshot.objective.text})")
    add_stage_bar(ax, snapshot, stage_colours(ax, snapshot)[0])
    return ax


@without_float_errors
def plot_slices(
    source: Any, parameters: Iterable[str] | None = None, *, objective: str | None = None
) -> list[Axes]:
    """Plots every score against each of several parameters, in a grid on a new figure.

    Each plot shows the samples in which its parameter is active; see `plot_slice`.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_slices

        axes = plot_slices("shac", ["x", "kind"])
        axes[0].figure.savefig("slices.png")
        ```

    Args:
        source: A `Dataset`, an engine, or the path of a save directory.
        parameters: Names; the name of a multi parameter means all of its columns. None means all
            parameters, but at most 12 columns, those of the most important parameters.
        objective: 'max' or 'min'; None for the search's own, or 'max' for a dataset.

    Returns:
        The axes, one per column, on the figure `axes[0].figure`. A notebook shows them as the value
            of a cell.

    Raises:
        ImportError: If Matplotlib is not installed.
        TypeError: If `source` or `parameters` has another type.
        ValueError: If a column does not exist, there is no score, or a number is too large to draw.
    """
    snapshot = take_snapshot(source, objective)
    columns = choose_columns(snapshot, parameters, MAX_SLICES)
    across = min(GRID_COLUMNS, len(columns))
    down = -(-len(columns) // across)
    figure, grid = new_grid(down, across, 3.1 * across + 0.9, 2.5 * down + 0.3)
    for ax, column in zip(grid, columns, strict=False):
        _draw_slice(ax, snapshot, column)
        ax.spines[["top", "right"]].set_visible(False)
    for place, ax in enumerate(grid):
        if place >= len(columns):
            ax.set_visible(False)
        elif place % across == 0:
            ax.set_ylabel("Score")
    figure.suptitle(f"Scores by parameter ({snapshot.objective.text})")
    add_stage_bar(grid, snapshot, stage_colours(grid[0], snapshot)[0])
    del grid[len(columns) :]
    return grid


def _draw_slice(ax: Axes, snapshot: Snapshot, column: Column) -> None:
    scores = drawable_scores(snapshot)
    positions = column.positions(snapshot.dataset.encoded[:, column.index])
    if column.categories is not None:
        positions = positions + np.random.default_rng(0).uniform(-JITTER, JITTER, len(positions))
    scatter_scores(ax, snapshot, positions, scores, alpha=0.9)
    best = snapshot.best
    if best is not None and not np.isnan(positions[best]):
        ax.plot([positions[best]], [scores[best]], "*", color=palette_of(ax).accent,
                markersize=12, zorder=4)  # fmt: skip
    set_column_axis(ax, column, max_length=MAX_SLICE_LABEL)
    if snapshot.space.hierarchy.conditional[column.index]:
        known = ~np.isnan(scores)
        active = int((known & ~np.isnan(positions)).sum())
        ax.set_xlabel(f"{column.label}\nactive in {active} of {int(known.sum())} scored samples")
    ax.margins(y=0.08)
    set_score_scale(ax, snapshot, drawn=scores[~np.isnan(positions)])


def choose_columns(
    snapshot: Snapshot, parameters: Iterable[str] | None, limit: int
) -> list[Column]:
    """Returns the columns of given parameters; None means the most important parameters."""
    if parameters is not None:
        return find_columns(snapshot, parameters)
    ranking = list(parameter_importances(snapshot)) if snapshot.trees else []
    return first_columns(ranking, columns_of(snapshot), limit)


@without_float_errors
def plot_parallel_coordinates(
    source: Any,
    parameters: Iterable[str] | None = None,
    *,
    objective: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plots each sample as a line through its values, coloured by the rank of its score.

    Each parameter has its own axis, from its lowest to its highest value among the samples. The
    axis is logarithmic if the parameter is. Colours depend on ranks, so outliers do not hide the
    other samples. The best sample has a distinct colour. Failed samples are left out. A line has a
    gap where the sample lacks a parameter, and a dot where it has a parameter between two gaps.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_parallel_coordinates

        axes = plot_parallel_coordinates("shac")
        axes.figure.savefig("parallel.png")
        ```

    Args:
        source: A `Dataset`, an engine, or the path of a save directory.
        parameters: Names; the name of a multi parameter means all of its columns. None means all
            parameters, but at most 12 columns, those of the most important parameters.
        objective: 'max' or 'min'; None for the search's own, or 'max' for a dataset.
        ax: Axes to draw on; None for a new figure.

    Returns:
        The axes. A notebook shows them as the value of a cell; scripts save `axes.figure`.

    Raises:
        ImportError: If Matplotlib is not installed.
        TypeError: If `source` or `parameters` has another type.
        ValueError: If a column does not exist, there is no score, or a number is too large to draw.
    """
    snapshot = take_snapshot(source, objective)
    columns = choose_columns(snapshot, parameters, MAX_PARALLEL)
    scores = drawable_scores(snapshot)
    known = ~np.isnan(scores)
    ax = axes_or_new(ax, 1.15 * len(columns) + 3.4, 4.4)
    heights = np.column_stack(
        [_draw_parallel_axis(ax, snapshot, column, x) for x, column in enumerate(columns)]
    )
    _draw_lines(ax, heights[known], _ranks(scores[known], snapshot.objective))
    if snapshot.best is not None:
        score = number_text(snapshot.dataset.Y[snapshot.best])
        ax.plot(range(len(columns)), heights[snapshot.best], "-o", color=palette_of(ax).accent,
                linewidth=2.2, markersize=5, zorder=3, label=f"best: {score}")  # fmt: skip
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), frameon=False)
    labels = [column.label for column in columns]
    is_long = max(map(len, labels)) > MAX_LEVEL_LABEL
    turned: Any = {"rotation": 25, "ha": "right", "rotation_mode": "anchor"} if is_long else {}
    ax.set_xticks(range(len(columns)), labels, **turned)
    ax.set(xlim=(-0.3, len(columns) - 0.25), ylim=(0, 1), yticks=[])
    ax.set_title("Parallel coordinates", loc="left")
    ax.spines[["left", "right", "top", "bottom"]].set_visible(False)
    return ax


def _ranks(scores: FloatArray, objective: Objective) -> FloatArray:
    """Returns each score's rank among the distinct scores, from 0 (worst) to 1, shape (n,)."""
    _, place = np.unique(objective.worst_first(scores), return_inverse=True)
    return place / max(int(place.max()), 1)


def _draw_parallel_axis(ax: Axes, snapshot: Snapshot, column: Column, x: int) -> FloatArray:
    """Draws the axis of one column at x; returns the height of each sample on it, shape (n,)."""
    positions = column.positions(snapshot.dataset.encoded[:, column.index])
    values = np.log(positions) if column.kind.is_log else positions
    names = column.categories
    active = ~np.isnan(values)
    shown = [0.0, len(names) - 1.0] if names else values[active]
    low, high = np.min(shown, initial=np.inf), np.max(shown, initial=-np.inf)
    # Halves, because the difference of huge values of both signs may overflow.
    span = high / 2 - low / 2
    heights = np.where(active, 0.5, np.nan)
    if span > 0:
        heights = LOW + (HIGH - LOW) * (values / 2 - low / 2) / span
    ax.plot([x, x], [0, 1], color=palette_of(ax).muted, linewidth=0.8, zorder=2)
    for height, text in _parallel_ticks(positions[active], names):
        label = plain_label(text, MAX_TICK_LABEL)
        ax.annotate(label, (x, height), (4, 0), textcoords="offset points", va="center",
                    fontsize="small", zorder=5, bbox=_halo(ax))  # fmt: skip
    return heights


def _parallel_ticks(
    positions: FloatArray, names: Sequence[str] | None
) -> Iterable[tuple[float, str]]:
    """Yields heights and texts: of all categories if there are few, otherwise of both extremes.

    A number that is inactive in every sample has no ticks.
    """
    if names and len(names) <= 8:
        heights = np.linspace(LOW, HIGH, len(names)) if len(names) > 1 else [0.5]
        yield from ((float(height), name) for height, name in zip(heights, names, strict=True))
    elif names:
        yield from ((LOW, names[0]), (HIGH, names[-1]))
    elif not len(positions):
        return
    elif positions.min() == positions.max():
        yield 0.5, number_text(positions[0], 3)
    else:
        yield from ((LOW, number_text(positions.min(), 3)), (HIGH, number_text(positions.max(), 3)))


def _halo(ax: Axes) -> dict[str, Any]:
    return {"facecolor": ax.get_facecolor(), "edgecolor": "none", "alpha": 0.75, "pad": 0.8}


def _draw_lines(ax: Axes, heights: FloatArray, ranks: FloatArray) -> None:
    """Draws a line for each row of heights, shape (n, axes), with the best above the others.

    NaN is a gap. A height between two gaps, where no line starts or ends, becomes a dot.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Normalize

    order = np.argsort(ranks, kind="stable")
    x = np.broadcast_to(np.arange(heights.shape[1]), heights.shape)
    colours = ScalarMappable(Normalize(0, 1), palette_of(ax).ramp)
    lines = LineCollection(
        list(np.stack([x, heights], axis=-1)[order]),
        colors=np.asarray(colours.to_rgba(ranks[order])),
        linewidths=0.9,
        alpha=max(0.15, min(0.8, 120 / len(heights))),
        rasterized=len(heights) > MANY_MARKS // 5,
    )
    ax.add_collection(lines, autolim=False)
    _draw_dots(ax, heights[order], colours.to_rgba(ranks[order]), lines)
    bar = figure_of(ax).colorbar(colours, ax=ax, ticks=[0, 0.5, 1], fraction=0.04, pad=0.01)
    bar.ax.set_yticklabels(["worst", "median", "best"])
    # The page's font may be wider than the one that the layout is made for.
    bar.set_label("Rank of the score", labelpad=10)


def _draw_dots(ax: Axes, heights: FloatArray, colours: Any, lines: LineCollection) -> None:
    """Draws a dot at each height between two gaps, or between a gap and the edge.

    Args:
        ax: The axes.
        heights: Shape (n, axes).
        colours: A colour for each row, shape (n, 4).
        lines: The lines of the rows, whose style the dots follow.
    """
    active = np.pad(~np.isnan(heights), ((0, 0), (1, 1)))
    rows, x = np.nonzero(active[:, 1:-1] & ~active[:, :-2] & ~active[:, 2:])
    if len(rows):
        ax.scatter(x, heights[rows, x], s=9, color=colours[rows], alpha=lines.get_alpha(),
                   linewidths=0, rasterized=lines.get_rasterized())  # fmt: skip
