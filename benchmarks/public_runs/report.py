"""Tables and pictures of what `run` made, on the half of the problems that is for reports.

A problem's score is the mean over the seeds that all contenders of a table have, so dear ones, with
one seed on some of the problems, stand in a table of their own. The tests compare our normalised
regrets with those of one peer over the problems, by Wilcoxon's signed rank test, one-sided; Holm's
method corrects for all peers and budgets at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import quality_report
import tasks
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from quality_report import DPI, IMAGES, OURS, WIDTH
from scipy import stats

from public_runs import peers
from public_runs.comparison import Finals, Problem, behind_random, p_less
from public_runs.runs import budget_of, read

# What kind of problem the suites hold.
KINDS = {
    "training": ("lcbench", "xgboost", "rpart"),
    "tables": ("tables",),
    "functions": ("bbob",),
    "mixed": ("mixint",),
    "noisy": ("noisy",),
    "bits": ("pbo",),
}


@dataclass(frozen=True)
class Table:
    """Contenders on the problems and seeds that all of them have.

    Attributes:
        finals: The final scores of a budget.
        budget: The budget, N/W.
        names: The contenders.
        problems: The problems.
        regrets: Mean normalised regrets, shape (problems, contenders).
    """

    finals: Finals
    budget: str
    names: list[str]
    problems: list[Problem]
    regrets: tasks.Rows

    @property
    def ranks(self) -> tasks.Rows:
        """Ranks on each problem, 1 for the lowest regret, shape (problems, contenders)."""
        # Scores in the files have nine digits.
        return stats.rankdata(self.regrets.round(9), axis=1)

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """Indices of the contenders, the best first, shape (contenders,)."""
        return np.argsort(self.ranks.mean(axis=0), kind="stable")

    def outcome(self, peer: str, suites: Sequence[str] | None = None) -> str:
        """Returns on how many problems we won, tied and lost, as won:tied:lost."""
        chosen = [suites is None or suite in suites for suite, _ in self.problems]
        ranks = self.ranks[chosen]
        difference = ranks[:, self.names.index(OURS)] - ranks[:, self.names.index(peer)]
        return ":".join(str(int((np.sign(difference) == sign).sum())) for sign in (-1, 0, 1))

    def p(self, peer: str) -> float:
        """Returns how likely we would be as far ahead of a peer by chance."""
        ours, theirs = self.names.index(OURS), self.names.index(peer)
        return p_less(self.regrets[:, ours], self.regrets[:, theirs])

    @property
    def tested(self) -> list[str]:
        """The peers that ours is tested against, the best first: the dear ones, if there are any.

        The others are tested in the table of all problems.
        """
        if OURS not in self.names:
            return []
        names = [self.names[place] for place in self.order if self.names[place] != OURS]
        return [name for name in names if name in peers.DEAR] or names


def table_of(finals: Finals, budget: str, names: Sequence[str]) -> Table | None:
    """Returns a table of some contenders, or None if they have no problem in common."""
    names = [name for name in names if name in finals.contenders]
    if not names:
        return None
    common = [(one, finals.common(names, one)) for one in finals.problems(names)]
    common = [(one, scores) for one, scores in common if scores.size]
    if not common:
        return None
    regrets = [finals.regret(one, scores).mean(axis=1) for one, scores in common]
    return Table(finals, budget, names, [one for one, _ in common], np.array(regrets))


def tables(folder: Path) -> list[Table]:
    """Returns for each budget a table of cheap contenders, and one with the dear ones.

    Args:
        folder: Folder of the results.
    """
    results = read(peers.path_of(folder, budget) for budget in peers.BUDGETS)
    found = []
    for budget in peers.BUDGETS:
        finals = Finals(results, budget)
        has_dear = any(name in finals.contenders for name in peers.DEAR)
        for names in (peers.CHEAP, peers.CONTENDERS)[: 1 + has_dear]:
            if table := table_of(finals, budget, names):
                found.append(table)
    return found


def lines(table: Table) -> Iterator[str]:
    """Yields a table of ranks, regrets and times, in Markdown."""
    evaluations = budget_of(table.budget).evaluations
    ranks = table.ranks
    low, high = quality_report.intervals(ranks)
    yield f"### N/W = {table.budget}, {len(table.problems)} problems"
    yield ""
    yield "| | mean rank | 95 % | mean regret | behind random | ms per evaluation |"
    yield "|---|---|---|---|---|---|"
    for i in table.order:
        name = table.names[i]
        behind = " of ".join(map(str, behind_random(table.finals, name, table.problems)))
        milliseconds = 1000 * table.finals.seconds(name) / evaluations
        yield (
            f"| {name} | {ranks[:, i].mean():.2f} | {low[i]:.2f} to {high[i]:.2f} "
            f"| {table.regrets[:, i].mean():.4f} | {behind} | {milliseconds:.1f} |"
        )
    yield ""


def versus_lines(table: Table, corrected: dict[tuple[str, int], float]) -> Iterator[str]:
    """Yields a table of us against each peer, in Markdown.

    Args:
        table: The contenders.
        corrected: The corrected p, by peer and table.
    """
    if not table.tested:
        return
    kinds = [kind for kind, suites in KINDS.items() if any(s in suites for s, _ in table.problems)]
    yield f"| {OURS}, won:tied:lost | all | " + " | ".join(kinds) + " | p |"
    yield "|---" * (len(kinds) + 3) + "|"
    for peer in table.tested:
        outcomes = [table.outcome(peer), *(table.outcome(peer, KINDS[kind]) for kind in kinds)]
        yield f"| {peer} | {' | '.join(outcomes)} | {corrected[peer, id(table)]:.2g} |"
    yield ""


def corrected_p(found: Sequence[Table]) -> dict[tuple[str, int], float]:
    """Returns p for each peer and table, corrected for their number."""
    keys = [(table, peer) for table in found for peer in table.tested]
    corrected = quality_report.holm([table.p(peer) for table, peer in keys])
    return {(peer, id(table)): p for (table, peer), p in zip(keys, corrected, strict=True)}


def plot_ranks(found: Sequence[Table]) -> None:
    """Draws the mean ranks with their intervals: a panel without dear contenders, and one with."""
    panels = [
        [table for table in found if any(name in peers.DEAR for name in table.names) == has_dear]
        for has_dear in (False, True)
    ]
    panels = [tables for tables in panels if tables]
    lengths = [max(len(table.names) for table in tables) for tables in panels]
    size = WIDTH, 0.33 * sum(lengths) + 0.6 * len(panels) + 0.6
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=lengths)[:, 0]
    for each, tables in zip(axes, panels, strict=True):
        _plot_panel(each, tables)
    figure.supxlabel("mean rank, 95 % interval; 1 is best", fontsize=10)
    figure.savefig(IMAGES / "public-ranks.png", dpi=DPI)


def _plot_panel(axes: Axes, tables: Sequence[Table]) -> None:
    """Draws tables with their contenders sorted as in the first one; a colour a budget."""
    names = [*dict.fromkeys(table.names[i] for table in tables for i in table.order)]
    for number, table in enumerate(tables):
        ranks = table.ranks
        means, (low, high) = ranks.mean(axis=0), quality_report.intervals(ranks)
        shift = 0.22 * (number - (len(tables) - 1) / 2)
        places = np.array([names.index(name) for name in table.names]) + shift
        axes.hlines(places, low, high, color=f"C{number}")
        axes.plot(means, places, "o", color=f"C{number}", label=table.budget)
    axes.invert_yaxis()
    axes.set_yticks(range(len(names)), names)
    for label in axes.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == OURS else "normal")
    counts = dict.fromkeys(str(len(table.problems)) for table in tables)
    axes.set_title(f"{' or '.join(counts)} problems", fontsize=10)
    axes.legend(fontsize=9)


def write(folder: Path) -> None:
    """Prints the tables and draws the picture of a folder's results.

    Raises:
        FileNotFoundError: The folder has no results.
    """
    found = tables(folder)
    if not found:
        raise FileNotFoundError(
            f"The folder {str(folder)!r} must have results. Make some with `public.py run`, or "
            "name another folder with --results."
        )
    corrected = corrected_p(found)
    for table in found:
        print("\n".join([*lines(table), *versus_lines(table, corrected)]))
    plot_ranks(found)
