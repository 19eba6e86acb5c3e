"""Tables and a picture of runs on the clock.

A contender's regret on a data set is the mean over the seeds that all of a table have: 0 is the
lowest cross-entropy that anybody ever found there, 1 the median of random configurations, and what
is worse, or nothing yet, counts as 1. Ranks are among these means. The tests are Wilcoxon's signed
rank tests over data sets, one-sided. Holm's method corrects those of all peers, times and numbers
of slots together, and in the same way those of our other paces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import matplotlib as mpl
import numpy as np
import quality_report
import tasks
from matplotlib.figure import Figure
from public_runs.comparison import p_less
from quality_report import DPI, WIDTH
from scipy import stats

from hours_runs.problems import references
from hours_runs.runs import CONTENDERS, Result, Run

OURS = "PySHAC stream"
PRUNED = "PySHAC stream, forecast"
PLAIN = "PySHAC batch"
SHARES = (0.25, 0.5, 1.0)
# Where curves are drawn, and with which step times are compared.
GRID = np.arange(1, 1001) / 1000
# Decimals of a regret; the scores in the files have nine digits.
_DIGITS = 9


@dataclass(frozen=True)
class Table:
    """Contenders in some number of slots.

    Args:
        slots: Number of slots.
        names: The contenders.
        results: Results by run, of all contenders.
        best: The lowest score that is known, by data set.
    """

    slots: int
    names: list[str]
    results: dict[Run, Result]
    best: dict[str, float]

    @cached_property
    def pairs(self) -> list[tuple[str, int]]:
        """The data sets and seeds that all contenders have."""
        sets = [
            {
                (run.instance, run.seed)
                for run in self.results
                if (run.slots, run.contender) == (self.slots, name)
            }
            for name in self.names
        ]
        return sorted(set.intersection(*sets), key=lambda pair: (int(pair[0]), pair[1]))

    @property
    def instances(self) -> list[str]:
        """The data sets."""
        return list(dict.fromkeys(instance for instance, _ in self.pairs))

    def runs(self, name: str) -> list[Result]:
        """Returns a contender's results, in the order of `pairs`."""
        return [self.results[Run(one, self.slots, name, seed)] for one, seed in self.pairs]

    def regrets(self, name: str, share: float) -> tasks.Rows:
        """Returns a contender's regrets at a share of the time, shape (data sets,)."""
        found: dict[str, list[float]] = {instance: [] for instance in self.instances}
        for result in self.runs(name):
            found[result.run.instance].append(self._regret(result, share))
        return np.array([np.mean(values) for values in found.values()])

    def _regret(self, result: Result, share: float) -> float:
        instance = result.run.instance
        best, median = self.best[instance], references()[instance].median
        return min(max((result.score(share) - best) / (median - best), 0.0), 1.0)

    def ranks(self, share: float) -> tasks.Rows:
        """Returns ranks, 1 for the lowest regret, shape (data sets, contenders)."""
        regrets = np.stack([self.regrets(name, share) for name in self.names], axis=1)
        return stats.rankdata(regrets.round(_DIGITS), axis=1)

    def mean(self, name: str, what: str) -> float:
        """Returns the mean of a number that outcomes have."""
        return float(np.mean([getattr(one.outcome, what) for one in self.runs(name)]))

    def time_to_reach(self, name: str, other: str) -> tasks.Rows:
        """Returns the shares of the time after which a contender has the other's last regret.

        Shape (data sets,); infinity where it never has.
        """
        curves = np.array([self.regrets(name, share) for share in GRID])
        is_reached = curves <= self.regrets(other, 1.0) + 10**-_DIGITS
        return np.where(is_reached.any(axis=0), GRID[is_reached.argmax(axis=0)], np.inf)


def tables(results: Iterable[Result], names: Iterable[str]) -> list[Table]:
    """Returns a table for each number of slots, of those contenders that have runs with it."""
    found = {result.run: result for result in results}
    best = {name: reference.best for name, reference in references().items()}
    for result in found.values():
        scores = [score for _, score in result.outcome.trace]
        best[result.run.instance] = min([best[result.run.instance], *scores])
    made = []
    for slots in sorted({run.slots for run in found}):
        have = {run.contender for run in found if run.slots == slots}
        made.append(Table(slots, [name for name in names if name in have], found, best))
    return [table for table in made if table.names and table.pairs]


def lines(table: Table) -> Iterator[str]:
    """Yields a table of ranks, regrets and what runs cost, in Markdown."""
    yield (
        f"### {table.slots} slots, {len(table.instances)} data sets, {len(table.pairs)} runs each"
    )
    yield ""
    heads = [f"rank at {share:.0%} of the time, 95 %" for share in SHARES]
    columns = (*heads, "regret at the end", "slots in use", "started", "whole", "engine's seconds")
    yield "| | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    ranks = [table.ranks(share) for share in SHARES]
    bounds = [quality_report.intervals(one) for one in ranks]
    for i in np.argsort(ranks[-1].mean(axis=0), kind="stable"):
        name = table.names[i]
        cells = [
            f"{rank[:, i].mean():.2f}, {low[i]:.2f} to {high[i]:.2f}"
            for rank, (low, high) in zip(ranks, bounds, strict=True)
        ]
        cells += [
            f"{table.regrets(name, 1.0).mean():.4f}",
            f"{table.mean(name, 'busy'):.1%}",
            f"{table.mean(name, 'started'):.0f}",
            f"{table.mean(name, 'complete'):.0f}",
            f"{table.mean(name, 'seconds'):.1f}",
        ]
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""


def versus(found: Sequence[Table], is_peer: Callable[[str], bool]) -> Iterator[str]:
    """Yields a table of ours against others, at each time and number of slots, in Markdown.

    Args:
        found: The tables of contenders.
        is_peer: Tells which of them ours is compared with.
    """
    keys = [
        (table, peer, share)
        for table in found
        for peer in table.names
        for share in SHARES
        if OURS in table.names and is_peer(peer)
    ]
    if not keys:
        return
    pairs = [
        (table.regrets(OURS, share), table.regrets(peer, share)) for table, peer, share in keys
    ]
    corrected = quality_report.holm([p_less(*pair) for pair in pairs])
    cells = {
        (table.slots, peer, share): f"{_outcome(*pair)}, {p:.2g}"
        for (table, peer, share), pair, p in zip(keys, pairs, corrected, strict=True)
    }
    heads = [f"won:lost and p at {share:.0%}" for share in SHARES]
    yield f"| {OURS} and | slots | " + " | ".join(heads) + " |"
    yield "|---" * (len(SHARES) + 2) + "|"
    for slots, peer in dict.fromkeys((slots, peer) for slots, peer, _ in cells):
        row = [cells[slots, peer, share] for share in SHARES]
        yield f"| {peer} | {slots} | {' | '.join(row)} |"
    yield ""


def _outcome(ours: tasks.Rows, theirs: tasks.Rows) -> str:
    signs = np.sign((ours - theirs).round(_DIGITS))
    return f"{(signs < 0).sum()}:{(signs > 0).sum()}"


def speed(table: Table) -> Iterator[str]:
    """Yields how much of the time ours needs for what it finds in whole batches, unpruned."""
    for ours in (OURS, PRUNED):
        if not {ours, PLAIN} <= set(table.names):
            continue
        needed = table.time_to_reach(ours, PLAIN)
        low, middle, high = np.quantile(needed, [0.25, 0.5, 0.75], method="nearest")
        yield (
            f"{table.slots} slots: {ours} has the last regret of {PLAIN} after {middle:.1%} of the "
            f"time, the median over data sets; quarters {low:.1%} and {high:.1%}; "
            f"never on {np.isinf(needed).sum()} of {len(needed)}"
        )


def plot(found: Sequence[Table], path: Path) -> None:
    """Draws mean regrets over time, a panel for each number of slots."""
    figure = Figure(figsize=(WIDTH, 4 * len(found) + 1), layout="constrained")
    names = [name for name in CONTENDERS if any(name in table.names for table in found)]
    # Red is ours.
    colours = [c for n, c in enumerate(mpl.colormaps["tab20"].colors) if n not in (6, 7)]  # type: ignore[attr-defined]
    panels = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    for panel, table in zip(panels, found, strict=True):
        for number, name in enumerate(names):
            if name not in table.names:
                continue
            curve = [table.regrets(name, share).mean() for share in GRID[::5]]
            colour = "tab:red" if name == OURS else colours[number % len(colours)]
            panel.plot(GRID[::5], curve, label=name, color=colour, linewidth=1 + (name == OURS))
        panel.set_yscale("log")
        panel.set_title(f"{table.slots} slots, {len(table.instances)} data sets", fontsize=10)
    figure.supxlabel("share of the time")
    figure.supylabel("mean normalised regret")
    handles = {
        label: handle
        for panel in panels
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=2)
    figure.savefig(path, dpi=DPI)


def write(results: Sequence[Result], names: Iterable[str], picture: Path | None) -> None:
    """Prints the tables of some contenders and draws their picture, if told where.

    Raises:
        ValueError: There are no runs that all of them have in common.
    """
    found = tables(results, list(names))
    if not found:
        raise ValueError(
            "The contenders must have runs with the same data sets, slots and seeds. Make them "
            "with `hours.py run`, or name fewer with --contenders."
        )
    for table in found:
        print("\n".join(lines(table)))
    print("\n".join(versus(found, lambda name: not name.startswith("PySHAC"))))
    print("\n".join(versus(found, lambda name: name.startswith("PySHAC") and name != OURS)))
    for table in found:
        print("\n".join(speed(table)))
    if picture is not None:
        plot(found, picture)
