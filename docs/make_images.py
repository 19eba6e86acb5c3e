"""Draws the pictures of the documentation from real runs: python docs/make_images.py."""

import math
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from pyshac import SHAC, UniformHP

IMAGES = Path(__file__).parent / "images"
X_RANGE, Y_RANGE = (-5, 10), (0, 15)
MINIMA = np.array([(-math.pi, 12.275), (math.pi, 2.275), (9.42478, 2.475)])
SHOWN_BATCHES = (1, 2, 4, 7)
LEVELS = (2, 10, 25, 50, 100, 200)

# Okabe and Ito's colours, which the colour-blind can tell apart.
SKY_BLUE, VERMILION = "#56B4E9", "#D55E00"


def branin(x, y):
    curve = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return curve**2 + 10 * (1 - 1 / (8 * math.pi)) * np.cos(x) + 10


def search():
    """Returns the history of a run on Branin's function."""
    space = [UniformHP("x", *X_RANGE), UniformHP("y", *Y_RANGE)]
    with tempfile.TemporaryDirectory() as save_dir:
        shac = SHAC(space, total_budget=100, num_batches=10, objective="min", save_dir=save_dir)
        shac.set_num_parallel_evaluators(1)
        shac.concurrent_evaluators()
        shac.set_seed(0)
        return shac.fit(lambda worker_id, parameters: float(branin(**parameters))).history


def points(batches):
    """Returns the samples of batches, shape (n, 2)."""
    return np.array([list(sample.values()) for batch in batches for sample in batch])


def draw_batch(axes, history, number, grid):
    """Draws the region that was left when a batch was drawn, and the batch in it."""
    x, y = grid
    classifiers = [model for model in history["model"][: number - 1] if model is not None]
    features = np.column_stack([x.ravel(), y.ravel()]).astype(np.float32)
    accepted = np.ones(len(features), dtype=bool)
    for classifier in classifiers:
        accepted &= classifier.predict(features)
    region = accepted.reshape(x.shape).astype(float)
    axes.contourf(x, y, region, levels=[0.5, 1.5], colors=[SKY_BLUE], alpha=0.35)
    axes.contour(x, y, branin(x, y), levels=LEVELS, colors="0.65", linewidths=0.6)
    if number > 1:
        axes.plot(*points(history["parameters"][: number - 1]).T, ".", color="0.45", markersize=3)
    axes.plot(
        *points([history["parameters"][number - 1]]).T,
        "o",
        color=VERMILION,
        markeredgecolor="white",
        markeredgewidth=0.6,
        markersize=5.5,
    )
    axes.plot(*MINIMA.T, "k+", markersize=9, markeredgewidth=1.4)
    count = len(classifiers)
    asked = f"{count} classifier{'s' * (count > 1)}" if count else "no classifier yet"
    axes.set_title(
        f"Batch {number}: {asked},\n{accepted.mean():.0%} of the space left", fontsize=10
    )
    axes.set_xlabel("x")


def draw_branin(path):
    history = search()
    grid = np.meshgrid(np.linspace(*X_RANGE, 400), np.linspace(*Y_RANGE, 400))
    figure, panels = plt.subplots(
        1, len(SHOWN_BATCHES), figsize=(11, 3.6), sharey=True, layout="constrained"
    )
    for axes, number in zip(panels, SHOWN_BATCHES, strict=True):
        draw_batch(axes, history, number, grid)
    panels[0].set_ylabel("y")
    handles = [
        plt.Line2D([], [], marker="o", color=VERMILION, markeredgecolor="white", linestyle=""),
        plt.Line2D([], [], marker=".", color="0.45", linestyle=""),
        plt.Rectangle((0, 0), 1, 1, color=SKY_BLUE, alpha=0.35),
        plt.Line2D([], [], color="0.65"),
        plt.Line2D([], [], marker="+", color="k", linestyle=""),
    ]
    labels = ["the batch", "earlier samples", "accepted region", "levels of Branin", "minima"]
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    draw_branin(IMAGES / "branin.png")
