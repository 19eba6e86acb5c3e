"""Axes, colours and scales that all plots share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.optional_packages import require
from pyshac.core.dataset.objective import MIN
from pyshac.looking.axes import LARGEST_DRAWN, Column
from pyshac.looking.labels import MAX_LABEL, number_text, plain_label
from pyshac.looking.snapshot import Snapshot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# More marks than this are drawn as pixels, which keeps vector files small.
MANY_MARKS = 1500
MAX_TICKS = 12
# More would overlap where numbers have many digits.
MAX_NUMBERS = 6
SPREAD_FOR_LOG = 100.0


def new_figure(width: float = 6.4, height: float = 4.0) -> Figure:
    """Returns a figure outside pyplot's management, so that nothing is shown or kept.

    Raises:
        ImportError: If Matplotlib is not installed.
    """
    require("A plot", "matplotlib", "plot")
    from pyshac.plots.notebook import PlotFigure

    return PlotFigure(figsize=(width, height), layout="constrained")


def axes_or_new(ax: Axes | None, width: float = 6.4, height: float = 4.0) -> Axes:
    """Returns the given axes, or the axes of a new figure."""
    if ax is not None:
        return ax
    figure = new_figure(width, height)
    from pyshac.plots.notebook import PlotAxes

    ax = figure.add_subplot(axes_class=PlotAxes)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def new_grid(down: int, across: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Returns a new figure and its axes in a grid, row by row, with a shared vertical axis."""
    figure = new_figure(width, height)
    from pyshac.plots.notebook import PlotAxes, PlotAxesList

    grid = figure.subplots(
        down, across, sharey=True, squeeze=False, subplot_kw={"axes_class": PlotAxes}
    )
    return figure, PlotAxesList(grid.ravel())


def figure_of(ax: Axes) -> Figure:
    """Returns the whole figure of axes, even if they are in a subfigure."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("ax must be part of a figure.")
    return figure


@dataclass(frozen=True)
class Palette:
    """Colours for a light or a dark background, distinct in greyscale and to the colour-blind.

    Attributes:
        ink: Colour of text and outlines.
        muted: Colour of background elements.
        main: Okabe and Ito's blue.
        accent: Okabe and Ito's vermilion.
        ramp: Colour map from faint to strong.
    """

    ink: str
    muted: str
    main: str
    accent: str
    ramp: Colormap


def palette_of(ax: Axes) -> Palette:
    """Returns the colours that suit the background of axes."""
    from matplotlib import colormaps, colors

    red, green, blue, alpha = colors.to_rgba(ax.get_facecolor())
    is_dark = alpha > 0 and 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
    shades = np.linspace(0.35, 1.0, 256) if is_dark else np.linspace(0.9, 0.0, 256)
    ramp = colors.ListedColormap(colormaps["viridis"](shades))
    if is_dark:
        return Palette("#e8e8e8", "#8a8f98", "#56B4E9", "#FF8A3D", ramp)
    return Palette("#202020", "#8a8a8a", "#0072B2", "#D55E00", ramp)


def mark_size(count: int) -> float:
    """Returns the width of marks in points; many marks are smaller."""
    return 4.0 * min(1.0, max(0.35, (MANY_MARKS / max(count, 1)) ** 0.5))


def drawable_scores(snapshot: Snapshot) -> FloatArray:
    """Returns the scores, shape (n,); NaN for failed samples.

    Raises:
        ValueError: If there is no score, or one is too large to draw.
    """
    scores = snapshot.dataset.scores
    known = scores[~np.isnan(scores)]
    if not len(known):
        raise ValueError("The dataset holds no score: there is nothing to plot.")
    if np.abs(known).max() > LARGEST_DRAWN:
        raise ValueError(f"Scores beyond {LARGEST_DRAWN:g} in size cannot be drawn.")
    return scores


def log_sign(snapshot: Snapshot) -> int:
    """Returns the sign of the scores if a logarithmic axis suits them, otherwise 0.

    It suits losses, and negated losses, that have one sign and span more than two powers of ten.
    Scores whose best are the largest in size stay linear: a logarithm would spread the bad ones.
    """
    scores = snapshot.dataset.scores
    known = scores[~np.isnan(scores)]
    sign = int((known > 0).all()) - int((known < 0).all()) if len(known) else 0
    if not sign:
        return 0
    sizes = np.abs(known)
    is_loss = (snapshot.objective is MIN) == (sign > 0)
    return sign if is_loss and sizes.max() / SPREAD_FOR_LOG > sizes.min() else 0


def set_score_scale(
    ax: Axes, snapshot: Snapshot, vertical: bool = True, drawn: FloatArray | None = None
) -> None:
    """Makes the score axis logarithmic if that suits the scores; see `log_sign`.

    Args:
        ax: The axes.
        snapshot: The search.
        vertical: Whether it is the vertical axis.
        drawn: What is drawn, shape (m,), all of which must have one sign; None for the scores.
    """
    sign = log_sign(snapshot)
    drawn = snapshot.dataset.scores if drawn is None else drawn
    known = drawn[~np.isnan(drawn)]
    if not sign or not len(known) or (sign * known).min() <= 0:
        # Without any point, Matplotlib finds no place for ticks on a logarithmic axis.
        return
    set_scale = ax.set_yscale if vertical else ax.set_xscale
    if sign > 0:
        set_scale("log")
        set_log_ticks(ax.yaxis if vertical else ax.xaxis)
    elif sign < 0:
        sizes = np.abs(drawn)
        smallest, largest = float(np.nanmin(sizes)), float(np.nanmax(sizes))
        # All scores lie outside its linear part, and 0 lies outside the axis.
        set_scale("symlog", linthresh=smallest / 2, linscale=0.1)
        (ax.set_ylim if vertical else ax.set_xlim)(-1.8 * largest, -smallest / 1.8)


def set_column_axis(
    ax: Axes, column: Column, vertical: bool = False, max_length: int = MAX_LABEL
) -> None:
    """Sets the label, the scale and the ticks of an axis for a column.

    Args:
        ax: The axes.
        column: The column.
        vertical: Whether it is the vertical axis.
        max_length: Maximum length of category names; longer names are cut.
    """
    from matplotlib.ticker import MaxNLocator

    axis = ax.yaxis if vertical else ax.xaxis
    axis.set_label_text(column.label)
    if column.kind.is_log:
        (ax.set_yscale if vertical else ax.set_xscale)("log")
        set_log_ticks(axis)
    else:
        is_whole = column.kind.is_whole
        axis.set_major_locator(MaxNLocator(MAX_NUMBERS, steps=[1, 2, 5, 10], integer=is_whole))
    if column.categories is None:
        return
    names = [plain_label(name, max_length) for name in column.categories]
    step = -(-len(names) // MAX_TICKS)
    axis.set_ticks(range(0, len(names), step), names[::step])
    (ax.set_ylim if vertical else ax.set_xlim)(-0.5, len(names) - 0.5)
    if not vertical and max(map(len, names)) * len(names[::step]) > 24:
        ax.tick_params(axis="x", labelrotation=35)
        for label in ax.get_xticklabels():
            label.set(horizontalalignment="right", rotation_mode="anchor")


def set_log_ticks(axis: Axis) -> None:
    """Labels a logarithmic axis by powers of ten, or by numbers if it spans fewer than two."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    axis.set_minor_formatter(NullFormatter())
    if low > 0 and high / low < SPREAD_FOR_LOG:
        steps = (1.0, 2.0, 5.0) if high / low > 5 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
        axis.set_major_locator(LogLocator(subs=steps))
        axis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value)))


def stage_colours(ax: Axes, snapshot: Snapshot) -> tuple[ScalarMappable, FloatArray]:
    """Returns the colours of the stages, and the colours of the samples, shape (n, 4)."""
    from matplotlib import cm, colors

    count = snapshot.num_stages
    ramp = palette_of(ax).ramp
    listed = colors.ListedColormap(ramp(np.linspace(0, 1, count) if count > 1 else [1.0]))
    norm = colors.BoundaryNorm(np.arange(count + 1) + 0.5, count)
    mappable = cm.ScalarMappable(norm, listed)
    return mappable, np.asarray(mappable.to_rgba(snapshot.stages))


def scatter_scores(
    ax: Axes, snapshot: Snapshot, positions: FloatArray, scores: FloatArray, alpha: float
) -> None:
    """Draws each score at its position in the colour of its stage; both have shape (n,).

    Nothing is drawn where one of them is NaN.
    """
    known = ~np.isnan(scores + positions)
    _, colours = stage_colours(ax, snapshot)
    ax.scatter(
        positions[known],
        scores[known],
        s=mark_size(len(scores)) ** 2,
        color=colours[known],
        linewidths=0,
        alpha=alpha,
        rasterized=len(scores) > MANY_MARKS,
    )


def add_stage_bar(axes: Any, snapshot: Snapshot, mappable: ScalarMappable) -> None:
    """Adds the legend of stage colours beside the axes, unless there is only one stage."""
    if snapshot.num_stages == 1:
        return
    first = np.ravel(axes)[0]
    step = -(-snapshot.num_stages // MAX_TICKS)
    bar = figure_of(first).colorbar(
        mappable, ax=axes, ticks=range(1, snapshot.num_stages + 1, step), fraction=0.05, pad=0.02
    )
    bar.set_label("Stage")
    bar.ax.tick_params(length=0)
