"""Pictures: the plots of a search as SVG, each in a light and a dark version."""

from __future__ import annotations

import io
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.basics.messages.printable import printable
from pyshac.looking.accepted_region import can_be_cut
from pyshac.looking.activity import times_in_slots
from pyshac.looking.axes import columns_of
from pyshac.looking.importances import parameter_importances
from pyshac.looking.labels import shorten
from pyshac.looking.snapshot import Snapshot
from pyshac.plots.cascade_plots import plot_accepted_region, plot_importances
from pyshac.plots.curve_plots import plot_curves
from pyshac.plots.drawing import axes_or_new, figure_of
from pyshac.plots.parameter_plots import (
    MAX_PARALLEL,
    MAX_SLICES,
    choose_columns,
    plot_parallel_coordinates,
    plot_slice,
)
from pyshac.plots.score_plots import plot_best_so_far, plot_dataset, plot_scores_by_stage
from pyshac.plots.time_plots import plot_timeline
from pyshac.reporting.summary import MAX_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRAINED = (
    "At each dotted line a classifier was trained. From then on, only samples that it accepts are "
    "evaluated."
)
_PAIR_MAY_LACK = " What has only one of the two does not count."
_LINE_HAS_GAPS = " It has a gap, or a dot only, where the sample lacks a parameter."
# In inches: text of 10 points is legible if they are scaled to the width of a phone.
WIDTH, HEIGHT = 5.0, 3.6
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "pyshac", "savefig.dpi": 160, "axes.grid": False}
DARK_INK, DARK_PAGE = "#e8e8e8", "#1b1e24"
DARK = {
    "figure.facecolor": DARK_PAGE,
    "axes.facecolor": DARK_PAGE,
    "savefig.facecolor": DARK_PAGE,
    "legend.facecolor": DARK_PAGE,
    "text.color": DARK_INK,
    "axes.edgecolor": "#9aa0aa",
    "axes.labelcolor": DARK_INK,
    "xtick.color": DARK_INK,
    "ytick.color": DARK_INK,
}


@dataclass(frozen=True)
class Plot:
    """A plot of the report.

    Attributes:
        name: Its unique name, which stays the same while the search runs.
        section: Its section of the report.
        alt: A description for readers who cannot see it.
        caption: How to read it; may be empty.
        draw: Draws it on the given axes, or on axes of its own size.
        is_wide: Whether it uses the whole width and scrolls on a narrow screen.
        owns_size: Whether it chooses its own size.
    """

    name: str
    section: str
    alt: str
    caption: str
    draw: Callable[[Axes | None], Axes]
    is_wide: bool = False
    owns_size: bool = False


@dataclass(frozen=True)
class Picture:
    """A plot that was drawn.

    Attributes:
        plot: The plot.
        light: SVG for a light page; empty if drawing failed.
        dark: SVG for a dark page; empty if drawing failed.
        problem: The reason why drawing failed; otherwise empty.
    """

    plot: Plot
    light: bytes = b""
    dark: bytes = b""
    problem: str = ""


def plots_of(snapshot: Snapshot) -> Iterator[Plot]:
    """Yields the plots of a search in the order of the report."""
    yield from _score_plots(snapshot)
    yield from _curve_plots(snapshot)
    yield from _time_plots(snapshot)
    yield from _classifier_plots(snapshot)
    for column in choose_columns(snapshot, None, MAX_SLICES):
        draw_slice = partial(_draw_slice, snapshot, column.name)
        alt = f"The scores against {printable(column.name)}, stages as colours."
        yield Plot(f"slice-{column.index}", "parameters", alt, "", draw_slice)
    shown = choose_columns(snapshot, None, MAX_PARALLEL)
    if len(shown) > 1:
        yield Plot(
            "parallel",
            "together",
            f"The samples as lines through {len(shown)} parameters.",
            "Each line is a sample; the better its score, the stronger the colour."
            f"{_LINE_HAS_GAPS * _may_lack(snapshot, [column.name for column in shown])}",
            lambda ax: plot_parallel_coordinates(snapshot, ax=ax),
            is_wide=True,
            owns_size=True,
        )


def _score_plots(snapshot: Snapshot) -> Iterator[Plot]:
    count = len(snapshot.dataset)
    yield Plot(
        "best-so-far",
        "scores",
        f"The best score after each of {count} samples.",
        TRAINED if snapshot.starts else "",
        lambda ax: plot_best_so_far(snapshot, ax=ax),
    )
    if snapshot.schedule is not None:
        yield Plot(
            "stages",
            "scores",
            f"The scores of each of {snapshot.num_stages} stages, as boxes.",
            "The samples between two classifiers are a stage. As a search proceeds, the boxes move "
            "to better scores.",
            lambda ax: plot_scores_by_stage(snapshot, ax=ax),
        )
    yield Plot(
        "all-scores",
        "scores",
        f"All {count} scores in order, with a trend.",
        "",
        lambda ax: plot_dataset(snapshot, None, "All scores", ax=ax),
    )


def _curve_plots(snapshot: Snapshot) -> Iterator[Plot]:
    count = snapshot.dataset.details.curves.num_curves
    if count:
        yield Plot(
            "curves",
            "curves",
            f"The scores that {count} evaluations reported on their way, as lines over the steps.",
            "Each line is an evaluation. It ends with a dot if it was complete, with a short line "
            "across if it was pruned, and with a cross if it failed.",
            lambda ax: plot_curves(snapshot, ax=ax),
        )


def _time_plots(snapshot: Snapshot) -> Iterator[Plot]:
    count = int((~np.isnan(times_in_slots(snapshot)).any(axis=1)).sum())
    if count:
        yield Plot(
            "timeline",
            "time",
            f"When each of {count} evaluations ran, as bars in the rows of their slots.",
            "Each bar is an evaluation, in the row of its slot. In gaps the slot had no work.",
            lambda ax: plot_timeline(snapshot, ax=ax),
        )


def left_out(snapshot: Snapshot) -> dict[str, str]:
    """Returns, by section, a sentence about the parameters that the pictures leave out."""
    found = {}
    for section, limit in (("parameters", MAX_SLICES), ("together", MAX_PARALLEL)):
        shown = {column.index for column in choose_columns(snapshot, None, limit)}
        names = [column.name for column in columns_of(snapshot) if column.index not in shown]
        if names:
            chosen = "the most important" if snapshot.trees else "the first"
            found[section] = (
                f"Of {len(shown) + len(names)} columns these are {len(shown)}, {chosen}. Left out: "
                f"{', '.join(map(shorten, names[:MAX_NAMES]))}"
                f"{', …' * (len(names) > MAX_NAMES)}. The table has all of them."
            )
    return found


def _classifier_plots(snapshot: Snapshot) -> Iterator[Plot]:
    if not len(snapshot.cascade):
        return
    if snapshot.trees:
        yield Plot(
            "importances",
            "classifiers",
            "Each parameter's share of the classifiers' gain, as bars.",
            "Each parameter's share of the gain of the classifiers' splits; a dot is one "
            "classifier. It tells neither how much the score changes nor in which direction.",
            lambda ax: plot_importances(snapshot, ax=ax),
            owns_size=True,
        )
    pair = _most_important_pair(snapshot)
    if pair is not None:
        yield Plot(
            "region",
            "classifiers",
            f"The accepted share over {printable(pair[0])} and {printable(pair[1])}.",
            "The share of the other parameters' prior that the classifiers accept, over the two "
            "most important parameters. Circles are samples, the star is the best one."
            f"{_PAIR_MAY_LACK * _may_lack(snapshot, pair)}",
            lambda ax: plot_accepted_region(snapshot, *pair, ax=ax),
        )


def _may_lack(snapshot: Snapshot, names: Iterable[str]) -> bool:
    """Returns whether one of several columns may be inactive."""
    conditional = snapshot.space.hierarchy.conditional
    return any(conditional[c.index] for c in columns_of(snapshot) if c.name in {*names})


def _draw_slice(snapshot: Snapshot, name: str, ax: Axes | None) -> Axes:
    return plot_slice(snapshot, name, ax=ax)


def _most_important_pair(snapshot: Snapshot) -> tuple[str, str] | None:
    """Returns the first columns of the two most important parameters that can be cut into cells.

    At least one sample must have both.
    """
    ranking = list(parameter_importances(snapshot)) if snapshot.trees else []
    cut = [column for column in columns_of(snapshot) if can_be_cut(column)]
    firsts = {column.parameter.name: column.name for column in reversed(cut)}
    names = [firsts[name] for name in ranking if name in firsts]
    if len(names) < 2:
        # One multi parameter has several columns.
        names = list(dict.fromkeys(names + [column.name for column in cut]))
    has = {column.name: ~np.isnan(snapshot.dataset.encoded[:, column.index]) for column in cut}
    pairs = itertools.combinations(names, 2)
    return next(((x, y) for x, y in pairs if (has[x] & has[y]).any()), None)


def draw(plot: Plot) -> Picture:
    """Draws a plot. If the plot does not suit the search, the picture contains the reason."""
    try:
        return Picture(plot, draw_svg(plot), draw_svg(plot, is_dark=True))
    except ValueError as error:
        return Picture(plot, problem=str(error))


def draw_svg(plot: Plot, is_dark: bool = False) -> bytes:
    """Returns a plot as SVG for a light or dark page; raises `ValueError` if this fails."""
    from matplotlib import rc_context, style

    buffer = io.BytesIO()
    settings: Any = {**STYLE, **(DARK if is_dark else {})}
    # The user's style may not suit the page, which can use all fonts of the reader's device.
    with style.context("default"), rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph ", UserWarning)
        ax = plot.draw(None if plot.owns_size else axes_or_new(None, WIDTH, HEIGHT))
        figure = figure_of(ax)
        if plot.owns_size and not plot.is_wide:
            figure.set_figwidth(WIDTH)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
