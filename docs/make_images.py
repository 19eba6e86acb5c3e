"""Draws the pictures of the documentation from real runs: python docs/make_images.py.

The picture of a report needs Chromium and chromedriver, and the selenium package.
"""

import math
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from pyshac import SHAC, UniformHP
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import Features
from pyshac.core.hyperparameters.space.prior_scaling import PriorScaling
from pyshac.core.sampling.accepted_share import ShareEstimator
from pyshac.core.sampling.covers import Covers

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# What the code of looking.md and tutorial.md saves, and is shown beside it.
LOOKING = ("best-so-far", "by-stage", "dataset", "curves", "slices", "parallel", "importances",
           "region", "region-choices")  # fmt: skip
TUTORIAL = ("by-stage", "slices")
REPORT_SIZE = (1280, 860)
CHROMIUM_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
                  "--no-first-run", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync", "--hide-scrollbars")  # fmt: skip
X_RANGE, Y_RANGE = (-5, 10), (0, 15)
MINIMA = np.array([(-math.pi, 12.275), (math.pi, 2.275), (9.42478, 2.475)])
SHOWN_BATCHES = (1, 3, 5, 7)
LEVELS = (2, 10, 25, 50, 100, 200)
# A budget with a few large batches shows what one classifier does, one with many small batches how
# they work together.
STAGE_BUDGET, COVER_BUDGET, DEEP_BUDGET = (120, 4), (200, 10), (160, 16)
NUM_DEEP_SEARCHES = 5

# Okabe and Ito's colours, which the colour-blind can tell apart.
SKY_BLUE, BLUE, VERMILION = "#56B4E9", "#0072B2", "#D55E00"


def branin(x, y):
    curve = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return curve**2 + 10 * (1 - 1 / (8 * math.pi)) * np.cos(x) + 10


def search(budget=(100, 10), seed=0, method="default"):
    """Returns the history and the engine of a run on Branin's function."""
    space = [UniformHP("x", *X_RANGE), UniformHP("y", *Y_RANGE)]
    with tempfile.TemporaryDirectory() as save_dir:
        shac = SHAC(space, *budget, objective="min", save_dir=save_dir, method=method)
        shac.set_num_parallel_evaluators(1)
        shac.concurrent_evaluators()
        shac.set_seed(seed)
        history = shac.fit(lambda worker_id, parameters: float(branin(**parameters))).history
        return history, shac


def points(batches):
    """Returns the samples of batches, shape (n, 2)."""
    return np.array([list(sample.values()) for batch in batches for sample in batch])


def draw_batch(axes, history, number, grid):
    """Draws the region that was left when a batch was drawn, and the batch in it."""
    x, y = grid
    classifiers = [model for model in history["model"][: number - 1] if model is not None]
    features = features_of(grid)
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
    share = accepted.mean()
    left = f"{share:.0%}" if share >= 0.01 else "less than 1%"
    axes.set_title(f"Batch {number}: {asked},\n{left} of the space left", fontsize=10)
    axes.set_xlabel("x")


def draw_branin(path):
    history, _ = search()
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


def features_of(grid):
    """Returns the points of a grid as a classifier sees them, shape (n, 2)."""
    places = [
        (axis.ravel() - low) / (high - low)
        for axis, (low, high) in zip(grid, (X_RANGE, Y_RANGE), strict=True)
    ]
    return np.column_stack(places).astype(np.float32)


def draw_map(axes, region=None):
    """Draws the level lines of Branin's function, its minima, and an accepted region."""
    grid = np.meshgrid(np.linspace(*X_RANGE, 400), np.linspace(*Y_RANGE, 400))
    if region is not None:
        accepted = region(features_of(grid)).reshape(grid[0].shape).astype(float)
        axes.contourf(*grid, accepted, levels=[0.5, 1.5], colors=[SKY_BLUE], alpha=0.35)
    axes.contour(*grid, branin(*grid), levels=LEVELS, colors="0.65", linewidths=0.6)
    axes.plot(*MINIMA.T, "k+", markersize=9, markeredgewidth=1.4)
    axes.set_xticks(range(-5, 11, 5))
    axes.set_xlabel("x")


def draw_halves(axes, batch, scores):
    """Draws a batch, its better half apart from the rest."""
    spots, better = points([batch]), np.array(scores) < np.median(scores)
    axes.plot(*spots[~better].T, "x", color="0.25", markersize=5.5, label="the rest")
    axes.plot(
        *spots[better].T,
        "o",
        color=VERMILION,
        markeredgecolor="white",
        markeredgewidth=0.6,
        markersize=6.5,
        label="better half",
    )


def draw_one_stage(path):
    """Draws how a batch becomes a classifier, and a classifier the next batch."""
    history, _ = search(STAGE_BUDGET, method="paper")
    first = history["model"][0]
    figure, panels = plt.subplots(1, 3, figsize=(11, 4), sharey=True, layout="constrained")
    titles = (
        "1. A batch, split at the\nmedian of its scores",
        "2. The region where a classifier\nexpects the better half",
        "3. The next batch: draws from the\nprior that it accepts",
    )
    for axes, number, title in zip(panels, (0, 0, 1), titles, strict=True):
        draw_map(axes, first.predict if axes is not panels[0] else None)
        draw_halves(axes, history["parameters"][number], history["evaluations"][number])
        axes.set_title(title, fontsize=10)
    panels[0].set_ylabel("y")
    handles, labels = panels[0].get_legend_handles_labels()
    handles += [plt.Rectangle((0, 0), 1, 1, color=SKY_BLUE, alpha=0.35)]
    figure.legend(
        handles, [*labels, "accepted region"], loc="outside lower center", ncols=3, frameon=False
    )
    figure.savefig(path, dpi=120)


def shares_left(classifiers, rows):
    """Returns which share of rows the first k classifiers accept, for k from 0."""
    accepted, shares = np.ones(len(rows), dtype=bool), [1.0]
    for classifier in classifiers:
        accepted &= classifier.predict(rows)
        shares.append(accepted.mean())
    return shares


def draw_halving(path):
    """Draws the share of the space that is left after each classifier, for several searches."""
    grid = np.meshgrid(np.linspace(*X_RANGE, 1500), np.linspace(*Y_RANGE, 1500))
    rows = features_of(grid)
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for seed in range(NUM_DEEP_SEARCHES):
        shares = shares_left(search(DEEP_BUDGET, seed, "paper")[1].classifiers, rows)
        label = "five searches of Branin's minimum" if seed == 0 else None
        axes.plot(shares, "-", color=BLUE, marker=".", label=label)
    axes.plot(0.5 ** np.arange(16), "k--", label="one half each time")
    axes.set_yscale("log")
    axes.set_xticks(range(0, 16, 3))
    axes.set_xlabel("classifiers")
    axes.set_ylabel("share of the space left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def draw_cover(path):
    """Draws the boxes that cover the accepted region of a cascade, as the sampler has them."""
    _, shac = search(COVER_BUDGET, method="paper")
    cascade = Cascade(shac.classifiers[:4], Features(PriorScaling(shac.parameters)))
    cover = Covers(shac.parameters, ShareEstimator(shac.parameters)).cover(cascade)
    figure, axes = plt.subplots(figsize=(6.4, 4.6), layout="constrained")
    draw_map(axes, lambda features: np.all([c.predict(features) for c in cascade], axis=0))
    scale, origin = np.ptp([X_RANGE, Y_RANGE], axis=1), np.array([X_RANGE[0], Y_RANGE[0]])
    for low, high in zip(cover.low * scale + origin, cover.high * scale + origin, strict=True):
        axes.add_patch(plt.Rectangle(low, *(high - low), fill=False, edgecolor="0.15", lw=0.8))
    axes.set_ylabel("y")
    axes.set_title(
        f"{len(cover)} boxes with {cover.volume:.1%} of the space hold all\n"
        f"that {len(cascade)} classifiers accept",
        fontsize=10,
    )
    figure.savefig(path, dpi=120)


def draw_page(name, pictures, folder, report=None):
    """Runs the code of a page, and takes over the pictures that it saves.

    A report, if the code writes one, is shown as Chromium shows it.
    """
    code = "\n".join(PYTHON_BLOCK.findall((DOCS / f"{name}.md").read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        (work / "page.py").write_text(code, encoding="utf-8")
        subprocess.run([sys.executable, "page.py"], cwd=work, check=True)
        for picture in pictures:
            shutil.copy(work / f"{picture}.png", folder / f"{name}-{picture}.png")
        if report is not None:
            draw_report(work / report, folder / f"{name}-report.png")


def draw_report(page, path):
    """Takes a picture of the top of a report in Chromium."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as profile:
        for flag in (*CHROMIUM_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        browser = webdriver.Chrome(options=options, service=service)
        try:
            width, height = REPORT_SIZE
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            browser.get(page.as_uri())
            browser.save_screenshot(path)
        finally:
            browser.quit()


if __name__ == "__main__":
    draw_branin(IMAGES / "branin.png")
    draw_one_stage(IMAGES / "how-one-stage.png")
    draw_halving(IMAGES / "how-halving.png")
    draw_cover(IMAGES / "how-cover.png")
    draw_page("tutorial", TUTORIAL, IMAGES)
    draw_page("looking", LOOKING, IMAGES, "report.html")
