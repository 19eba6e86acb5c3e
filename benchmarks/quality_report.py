"""Tables and plots of what `quality` measured.

Lower scores are better. A contender's rank on a task is the mean of its ranks over the seeds; its
interval comes from drawing the tasks anew, with replacement. The paired tests are Wilcoxon's signed
rank tests over the seeds, one-sided, and corrected by Holm's method for as many tests as there are
tasks. Contenders with fewer seeds than ours, because they take long, have tables of their own,
with the seeds that all in it have.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from scipy import stats

IMAGES = Path(__file__).parents[1] / "docs" / "images"
OURS = "PySHAC"
BASELINES = ("random 2N", "Optuna TPE")
NUM_BOOTSTRAPS = 10_000
# Inches, so that labels can be read where a picture is 400 pixels wide; and pixels an inch.
WIDTH, DPI = 5.2, 150
# Contenders with fewer seeds than these are in no table.
MIN_SEEDS = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Results:
    """The runs of one budget.

    Attributes:
        budget: Its name.
        curves: By task and contender the best scores after equal parts of the budget, shape
            (seeds, parts), and the seeds, in the same order.
        seconds: Mean processor time of a run, by contender.
    """

    budget: str
    curves: dict[tuple[str, str], tuple[list[int], Floats]]
    seconds: dict[str, float]

    @property
    def tasks(self) -> list[str]:
        """The tasks, in the order of the file."""
        return list(dict.fromkeys(task for task, _ in self.curves))

    @property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for _, name in self.curves))

    @property
    def contenders(self) -> list[str]:
        """The contenders that have as many seeds as ours on every task."""
        return self.contenders_with(self.num_seeds(OURS))

    def contenders_with(self, num_seeds: int) -> list[str]:
        """Returns the contenders that have so many seeds on every task."""
        return [name for name in self._names if self.num_seeds(name) >= num_seeds]

    def num_seeds(self, contender: str) -> int:
        """Returns how many seeds a contender has on the task on which it has fewest."""
        no_seeds: tuple[list[int], Floats] = [], np.empty(0)
        return min(len(self.curves.get((task, contender), no_seeds)[0]) for task in self.tasks)

    @property
    def fewer_seeds(self) -> list[int]:
        """The numbers of seeds of those contenders that have fewer than ours, the largest first."""
        numbers = {self.num_seeds(name) for name in self._names}
        return sorted(
            (number for number in numbers if MIN_SEEDS <= number < self.num_seeds(OURS)),
            reverse=True,
        )

    def first(self, num_seeds: int) -> Results:
        """Returns the results of those contenders that have so many seeds, on seeds they share."""
        names = self.contenders_with(num_seeds)
        kept = {key: runs for key, runs in self.curves.items() if key[1] in names}
        common = sorted(set.intersection(*(set(seeds) for seeds, _ in kept.values())))[:num_seeds]
        curves = {
            key: (common, found[np.isin(seeds, common)]) for key, (seeds, found) in kept.items()
        }
        return replace(self, curves=curves)

    def final(self, task: str, contender: str) -> dict[int, float]:
        """Returns the best scores at the end, by seed."""
        seeds, curves = self.curves[task, contender]
        return dict(zip(seeds, curves[:, -1].tolist(), strict=True))


def read(path: Path) -> Results:
    """Reads the results of one budget."""
    runs: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(dict)
    seconds: dict[str, list[float]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            curve = [float(value) for value in row["curve"].split()]
            runs[row["task"], row["contender"]][int(row["seed"])] = curve
            seconds[row["contender"]].append(float(row["seconds"]))
    curves = {
        key: (sorted(one), np.array([one[s] for s in sorted(one)])) for key, one in runs.items()
    }
    means = {name: float(np.mean(values)) for name, values in seconds.items()}
    return Results(path.stem.removeprefix("quality-"), curves, means)


def ranks(results: Results) -> Floats:
    """Returns mean ranks, shape (tasks, contenders): over the seeds that all of them have."""
    table = []
    for task in results.tasks:
        finals = [results.final(task, contender) for contender in results.contenders]
        common = sorted(set.intersection(*(set(one) for one in finals)))
        scores = np.array([[one[seed] for one in finals] for seed in common])
        table.append(stats.rankdata(scores, axis=1).mean(axis=0))
    return np.array(table)


def intervals(table: Floats) -> Floats:
    """Returns 95 % intervals of the mean rank over tasks, shape (2, contenders)."""
    random = np.random.default_rng(0)
    drawn = random.integers(len(table), size=(NUM_BOOTSTRAPS, len(table)))
    return np.quantile(table[drawn].mean(axis=1), [0.025, 0.975], axis=0)


def p_values(results: Results, baseline: str) -> list[float]:
    """Returns for each task, corrected, how likely we would be as far ahead by chance."""
    found = []
    for task in results.tasks:
        ours, theirs = results.final(task, OURS), results.final(task, baseline)
        common = sorted(set(ours) & set(theirs))
        differences = [ours[seed] - theirs[seed] for seed in common]
        is_equal = not any(differences)
        found.append(1.0 if is_equal else stats.wilcoxon(differences, alternative="less").pvalue)
    return holm(found)


def holm(p: Sequence[float]) -> list[float]:
    """Returns p values that Holm's method corrects for their number."""
    order = np.argsort(p)
    factors = np.arange(len(p), 0, -1)
    corrected = np.minimum(np.maximum.accumulate(np.array(p)[order] * factors), 1.0)
    return corrected[np.argsort(order)].tolist()


def tables(results: Results) -> Iterator[str]:
    """Yields the lines of the tables, in Markdown."""
    names, rank = results.contenders, ranks(results)
    order = np.argsort(rank.mean(axis=0))
    low, high = intervals(rank)
    yield f"### N x W = {results.budget}, {results.num_seeds(OURS)} seeds"
    yield ""
    yield "| | mean rank | 95 % | first on | seconds per run |"
    yield "|---|---|---|---|---|"
    for i in order:
        first = int((rank.argmin(axis=1) == i).sum())
        yield (
            f"| {names[i]} | {rank[:, i].mean():.2f} | {low[i]:.2f} to {high[i]:.2f} "
            f"| {first} | {results.seconds[names[i]]:.1f} |"
        )
    yield ""
    yield from _scores(results, [names[i] for i in order])


def _scores(results: Results, names: Sequence[str]) -> Iterator[str]:
    yield "| mean ± standard error (median) | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for task in results.tasks:
        cells = []
        for name in names:
            final = np.array(list(results.final(task, name).values()))
            error = final.std(ddof=1) / np.sqrt(len(final)) if len(final) > 1 else np.nan
            cells.append(f"{final.mean():.4g} ± {error:.2g} ({np.median(final):.4g})")
        yield f"| {task} | " + " | ".join(cells) + " |"
    yield ""


def tests(results: Results) -> Iterator[str]:
    """Yields the lines of the table of paired tests, in Markdown."""
    baselines = [name for name in BASELINES if name in results.contenders]
    if OURS not in results.contenders or not baselines:
        return
    yield f"| p that {OURS} is ahead by chance | " + " | ".join(baselines) + " |"
    yield "|---" * (len(baselines) + 1) + "|"
    columns = [p_values(results, baseline) for baseline in baselines]
    for task, *row in zip(results.tasks, *columns, strict=True):
        yield f"| {task} | " + " | ".join(f"{p:.2g}" for p in row) + " |"
    yield ""


def plot_ranks(results: Results) -> None:
    """Draws the mean ranks with their intervals."""
    names, table = results.contenders, ranks(results)
    means, (low, high) = table.mean(axis=0), intervals(table)
    order = np.argsort(-means)
    figure = Figure(figsize=(WIDTH, 0.35 * len(names) + 1), layout="constrained")
    axes = figure.subplots()
    for place, i in enumerate(order):
        colour = "tab:red" if names[i].startswith(OURS) else "0.35"
        axes.plot([low[i], high[i]], [place, place], color=colour)
        axes.plot(means[i], place, "o", color=colour)
    axes.set_yticks(range(len(names)), [names[i] for i in order])
    axes.set_xlabel(f"mean rank over {len(table)} tasks, 95 % interval; 1 is best")
    figure.savefig(IMAGES / f"quality-ranks-{results.budget}.png", dpi=DPI)


def plot_curves(results: Results) -> None:
    """Draws the best score so far against evaluations, a panel a task."""
    evaluations = int(results.budget.split("x")[0])
    width = 2
    height = -(-len(results.tasks) // width)
    figure = Figure(figsize=(WIDTH, 2.2 * height + 1), layout="constrained")
    panels = figure.subplots(height, width, squeeze=False).ravel()
    # Red is ours.
    colours = [c for n, c in enumerate(mpl.colormaps["tab20"].colors) if n not in (6, 7)]  # type: ignore[attr-defined]
    for panel, task in zip(panels, results.tasks, strict=False):
        for number, name in enumerate(results.contenders):
            curves = results.curves[task, name][1]
            steps = np.linspace(0, evaluations, curves.shape[1] + 1)[1:]
            low, middle, high = np.quantile(curves, [0.25, 0.5, 0.75], axis=0)
            colour = "tab:red" if name == OURS else colours[number % len(colours)]
            style = {"color": colour, "linewidth": 2 if name == OURS else 1}
            panel.plot(steps, middle, label=name, **style)
            if name == OURS:
                panel.fill_between(steps, low, high, color=style["color"], alpha=0.2)
        panel.set_ylim(*_visible(results, task))
        panel.set_title(task, fontsize=9)
        panel.tick_params(labelsize=8)
    for panel in panels[len(results.tasks) :]:
        panel.axis("off")
    figure.supxlabel("evaluations (random 2N: half of them)")
    figure.supylabel("best score so far: median, and quarters of ours")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    figure.savefig(IMAGES / f"quality-curves-{results.budget}.png", dpi=DPI)


def _visible(results: Results, task: str) -> tuple[float, float]:
    """Returns the range of a task's scores in which contenders differ at the end."""
    medians = [np.median(results.curves[task, name][1], axis=0) for name in results.contenders]
    low = min(median[-1] for median in medians)
    high = max(median[len(median) // 3] for median in medians)
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def write(paths: Iterable[Path]) -> None:
    """Prints the tables and draws the plots of some budgets."""
    for path in paths:
        results = read(path)
        print("\n".join([*tables(results), *tests(results)]))
        for number in results.fewer_seeds:
            print("\n".join(tables(results.first(number))))
        plot_ranks(results)
        plot_curves(results)
