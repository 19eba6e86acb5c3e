"""Figures and axes that a notebook shows if they are the value of a cell.

Matplotlib loads with this file. Pyplot and its backends stay out of it, so nothing is shown but the
cell's value.
"""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure


class PlotFigure(Figure):
    """A figure that shows itself."""

    def _repr_png_(self) -> bytes | None:
        return _png_of(self)


class PlotAxes(Axes):
    """Axes that show their figure."""

    def _repr_png_(self) -> bytes | None:
        return _png_of(self.get_figure(root=True))


class PlotAxesList(list[Axes]):
    """The axes of one figure, which show it."""

    def _repr_png_(self) -> bytes | None:
        return _png_of(self[0].get_figure(root=True)) if self else None


def _png_of(figure: Figure | None) -> bytes | None:
    """Returns the picture of a figure; None for axes that have been removed from theirs."""
    if figure is None:
        return None
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi="figure")
    return buffer.getvalue()
