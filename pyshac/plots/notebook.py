"""Figures and axes that a notebook shows as the value of a cell.

Importing this file loads Matplotlib, but neither pyplot nor its backends. So a notebook shows only
the value of the cell.
"""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure


class PlotFigure(Figure):
    """A figure that notebooks show."""

    def _repr_png_(self) -> bytes | None:
        return _png_of(self)


class PlotAxes(Axes):
    """Axes for which notebooks show their figure."""

    def _repr_png_(self) -> bytes | None:
        return _png_of(self.get_figure(root=True))


class PlotAxesList(list[Axes]):
    """Axes of one figure; notebooks show the figure."""

    def _repr_png_(self) -> bytes | None:
        return _png_of(self[0].get_figure(root=True)) if self else None


def _png_of(figure: Figure | None) -> bytes | None:
    """Returns a picture of a figure; None for axes that were removed from their figure."""
    if figure is None:
        return None
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi="figure")
    return buffer.getvalue()
