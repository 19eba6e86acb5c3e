"""Plots of the cascade: the parameters that its classifiers use, and the accepted region."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.basics.checks import check_int, check_positive
from pyshac.looking.accepted_region import AcceptedShare, accepted_share
from pyshac.looking.axes import Column, one_column
from pyshac.looking.importances import gain_shares, parameter_importances
from pyshac.looking.labels import plain_label
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.plots.drawing import (
    MANY_MARKS,
    axes_or_new,
    figure_of,
    mark_size,
    palette_of,
    set_column_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_BARS = 20


@without_float_errors
def plot_importances(source: Any, *, ax: Axes | None = None) -> Axes:
    """Plots the importance of each parameter to the classifiers; see `parameter_importances`.

    A bar shows the mean over the classifiers. A dot shows the share in one classifier; later
    classifiers have stronger colours. The plot has at most the 20 most important parameters.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_importances

        axes = plot_importances("shac")
        axes.figure.savefig("importances.png")
        ```

    Args:
        source: An engine, or the path of a save directory.
        ax: Axes to draw on; None for a new figure.

    Returns:
        The axes. A notebook shows them as the value of a cell; scripts save `axes.figure`.

    Raises:
        ImportError: If Matplotlib is not installed.
        TypeError: If `source` has another type.
        ValueError: If there is no classifier.
    """
    snapshot = take_snapshot(source)
    means = list(parameter_importances(snapshot).items())[:MAX_BARS]
    shares = gain_shares(snapshot)
    places = {parameter.name: place for place, parameter in enumerate(snapshot.space)}
    ax = axes_or_new(ax, 6.4, 0.9 + 0.36 * max(len(means), 3))
    palette = palette_of(ax)
    ax.barh(range(len(means)), [100 * mean for _, mean in means], height=0.62,
            color=palette.main, alpha=0.55)  # fmt: skip
    strength = palette.ramp(np.linspace(0.2, 1.0, len(shares)))
    offsets = np.linspace(-0.22, 0.22, len(shares)) if len(shares) > 1 else np.zeros(1)
    for row, (name, _) in enumerate(means):
        ax.scatter(100 * shares[:, places[name]], row + offsets, s=13, color=strength, zorder=3,
                   edgecolors=palette.ink, linewidths=0.3)  # fmt: skip
    ax.set_yticks(range(len(means)), [plain_label(name) for name, _ in means])
    ax.invert_yaxis()
    ax.set_xlim(0, None)
    ax.set(title="Importance of the parameters", xlabel="Share of the total gain (%)")
    return ax


@without_float_errors
def plot_accepted_region(
    source: Any,
    x: str,
    y: str,
    *,
    max_classifiers: int | None = None,
    bins: int = 40,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plots the accepted region over two parameters, and the samples.

    Each cell fixes the two parameters at its centre. Its colour estimates the accepted share of the
    other parameters' prior, among draws in which both parameters are active. Cells without an
    accepted draw have the colour of the background. Samples that lack one of the two parameters are
    left out.

    Example:
        ```python
        from pyshac.utils.vis_utils import plot_accepted_region

        axes = plot_accepted_region("shac", "x", "kind")
        axes.figure.savefig("accepted.png")
        ```

    Args:
        source: An engine, or the path of a save directory.
        x: Name of the column on the horizontal axis.
        y: Name of the column on the vertical axis.
        max_classifiers: Use only this many classifiers, starting with the first. None uses all of
            them. If these accept too little to be visible, None uses the first half, quarter and so
            on.
        bins: Number of cells along an axis of numbers.
        seed: Seed for the draws of the other parameters.
        ax: Axes to draw on; None for a new figure.

    Returns:
        The axes. A notebook shows them as the value of a cell; scripts save `axes.figure`.

    Raises:
        ImportError: If Matplotlib is not installed.
        TypeError: If `source` has another type.
        ValueError: If one of these is true:

            - There is no classifier, or there are fewer than `max_classifiers`.
            - A column does not exist, or has a custom type.
            - The two parameters are never active together.
            - No draw is accepted.
    """
    snapshot = take_snapshot(source)
    columns = one_column(snapshot, x), one_column(snapshot, y)
    if columns[0].index == columns[1].index:
        raise ValueError(f"x and y must be two columns. Got {x!r} twice.")
    bins = check_positive("bins", bins)
    for count in _counts_to_ask(snapshot, max_classifiers):
        accepted = accepted_share(snapshot, snapshot.cascade.first(count), *columns, bins, seed)
        if (accepted.share > 0).any():
            break
    else:
        raise ValueError(
            f"The {count} classifiers accept none of {accepted.num_draws} draws in any cell. "
            "Ask fewer of them: max_classifiers."
        )
    ax = axes_or_new(ax, 6.4, 4.8)
    _draw_share(ax, accepted)
    _draw_samples(ax, snapshot, *columns)
    set_column_axis(ax, columns[0])
    set_column_axis(ax, columns[1], vertical=True)
    ax.set_xlim(*accepted.x_edges[[0, -1]])
    ax.set_ylim(*accepted.y_edges[[0, -1]])
    ax.set_title(f"Accepted by {_describe_count(count, len(snapshot.cascade))}")
    return ax


def _counts_to_ask(snapshot: Snapshot, max_classifiers: int | None) -> Iterator[int]:
    """Yields numbers of classifiers: the given one, or all, half of them, a quarter and so on."""
    available = len(snapshot.cascade)
    if not available:
        raise ValueError(
            "There is no classifier, so everything is accepted: this plot needs an engine or a "
            "save directory, and a search that has finished its first stage."
        )
    count = available if max_classifiers is None else max_classifiers
    allowed = f"an int in [1, {available}]"
    count = check_int("max_classifiers", count, allowed, lambda number: 1 <= number <= available)
    yield count
    while max_classifiers is None and count > 1:
        count //= 2
        yield count


def _describe_count(count: int, available: int) -> str:
    if count < available:
        return f"the first {count} of {available} classifiers"
    return f"all {count} classifiers" if count > 1 else "the classifier"


def _draw_share(ax: Axes, accepted: AcceptedShare) -> None:
    palette = palette_of(ax)
    percent = np.ma.masked_where(~(accepted.share > 0), 100 * accepted.share)
    mesh = ax.pcolormesh(accepted.x_edges, accepted.y_edges, percent, cmap=palette.ramp,
                         vmin=0, rasterized=True)  # fmt: skip
    bar = figure_of(ax).colorbar(mesh, ax=ax, fraction=0.05, pad=0.02)
    bar.set_label("Accepted share (%)")


def _draw_samples(ax: Axes, snapshot: Snapshot, x: Column, y: Column) -> None:
    encoded, rng = snapshot.dataset.encoded, np.random.default_rng(0)
    across, up = (
        column.positions(encoded[:, column.index])
        + (rng.uniform(-0.3, 0.3, len(encoded)) if column.categories is not None else 0.0)
        for column in (x, y)
    )
    has_both = ~np.isnan(across + up)
    count, palette = int(has_both.sum()), palette_of(ax)
    ax.plot(across[has_both], up[has_both], "o", markersize=mark_size(count),
            markerfacecolor=ax.get_facecolor(), markeredgecolor=palette.ink, markeredgewidth=0.6,
            linestyle="", rasterized=count > MANY_MARKS)  # fmt: skip
    if snapshot.best is not None and has_both[snapshot.best]:
        ax.plot([across[snapshot.best]], [up[snapshot.best]], "*", color=palette.accent,
                markeredgecolor=ax.get_facecolor(), markersize=15, zorder=4)  # fmt: skip
