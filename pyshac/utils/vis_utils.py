"""Pictures of a search. They need Matplotlib, which `pip install pyshac[plot]` brings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.dataset import Dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _new_axes() -> Axes:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Plots need Matplotlib, which is not installed: pip install pyshac[plot]."
        ) from error
    # A figure of its own: nothing is shown, and pyplot keeps no reference to it.
    axes: Axes = Figure(layout="constrained").add_subplot()
    return axes


def as_dataset(source: Any) -> Dataset:
    """Returns the dataset of a `Dataset`, an engine or a save directory.

    Raises:
        FileNotFoundError: If the directory holds no search.
        TypeError: If the source is something else.
    """
    if isinstance(source, (str, os.PathLike)):
        return Dataset.load_from_directory(source)
    source = getattr(source, "dataset", source)
    if not isinstance(source, Dataset):
        raise TypeError(
            f"dataset must be a Dataset, an engine or the path of a save directory. "
            f"Got {source!r} instead."
        )
    return source


def plot_dataset(
    dataset: Any,
    to_file: str | os.PathLike[str] | None = "dataset.png",
    title: str = "Dataset evaluation",
    eval_label: str = "Score",
    trend_deg: int = 3,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Plots every score in the order of the samples, with a polynomial trend.

    Failed samples, which have no score, leave gaps.

    Args:
        dataset: A `Dataset`, an engine, or the path of a save directory.
        to_file: Where to save the figure; None to save nothing.
        title: Title of the plot.
        eval_label: Label of the score axis.
        trend_deg: Degree of the trend; with fewer scores it is lower.
        ax: Axes to draw on; None for a new figure.

    Returns:
        The axes. Nothing is shown.

    Raises:
        ImportError: If Matplotlib is not installed.
        TypeError: If `dataset` is something else.
        ValueError: If it holds no score.
    """
    samples = as_dataset(dataset)
    numbers, scores = np.array(samples.ids), samples.scores
    known = ~np.isnan(scores)
    if not known.any():
        raise ValueError("The dataset holds no score: there is nothing to plot.")
    axes = _new_axes() if ax is None else ax
    axes.plot(numbers, scores, "o", markersize=3, color="#0072B2", label="Evaluation score")
    degree = min(trend_deg, int(known.sum()) - 1)
    trend = np.polynomial.Polynomial.fit(numbers[known], scores[known], degree)
    axes.plot(numbers, trend(numbers), color="#D55E00", label="Evaluation trend")
    axes.set(title=title, xlabel="Sample", ylabel=eval_label)
    axes.legend()
    if to_file is not None:
        Path(to_file).parent.mkdir(parents=True, exist_ok=True)
        figure = axes.get_figure(root=True)
        if figure is not None:
            figure.savefig(to_file)
    return axes
