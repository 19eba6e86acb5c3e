"""Two contenders side by side, a suite a line: for choices made while an engine is developed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tasks
from public_suites import catalogue
from scipy import stats

from public_runs.runs import Result

# A problem: its suite and its name.
Problem = tuple[str, str]
# Runs of one problem by seed.
Seeds = dict[int, float]
RANDOM = "random"
COLUMNS = ("problems", "won:lost", "regret", "sign p", "Wilcoxon p", "behind random")


class Finals:
    """Final scores of the runs with one budget.

    Args:
        results: The runs; those with other budgets are left out.
        budget: The budget.
    """

    def __init__(self, results: Iterable[Result], budget: str) -> None:
        self._scores: dict[tuple[str, Problem], Seeds] = defaultdict(dict)
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._lowest: dict[Problem, float] = {}
        for result in results:
            run = result.run
            problem = run.suite, run.instance
            lowest = min(result.curve)
            self._lowest[problem] = min(self._lowest.get(problem, lowest), lowest)
            if run.budget == budget:
                self._scores[run.contender, problem][run.seed] = result.final
                self._seconds[run.contender].append(result.seconds)

    @property
    def contenders(self) -> list[str]:
        """All contenders, in the order of the runs."""
        return list(dict.fromkeys(name for name, _ in self._scores))

    def problems(self, contenders: Sequence[str]) -> list[Problem]:
        """Returns the problems on which all of some contenders ran, in the suites' order."""
        sets = [{p for name, p in self._scores if name == one} for one in contenders]
        order = list(catalogue.SUITES)
        return sorted(set.intersection(*sets), key=lambda p: (order.index(p[0]), p[1]))

    def scores(self, contender: str, problem: Problem) -> Seeds:
        """Returns a contender's final scores on a problem, by seed."""
        return self._scores.get((contender, problem), {})

    def common(self, contenders: Sequence[str], problem: Problem) -> tasks.Rows:
        """Returns the scores of those seeds that all have, shape (contenders, seeds)."""
        runs = [self.scores(one, problem) for one in contenders]
        seeds = sorted(set.intersection(*(set(one) for one in runs)))
        return np.array([[one[seed] for seed in seeds] for one in runs])

    def regret(self, problem: Problem, scores: tasks.Rows) -> tasks.Rows:
        """Returns normalised regrets of scores: 0 is the best known, 1 the median of random."""
        reference = catalogue.references()[problem]
        best = reference.lowest
        if reference.optimum is None:
            best = min(best, self._lowest.get(problem, best))
        return np.vectorize(reference.regret, otypes=[float])(scores, best)

    def seconds(self, contender: str) -> float:
        """Returns a contender's processor time of a run; the median, as the first ones import."""
        return float(np.median(self._seconds[contender]))


def lines(finals: Finals, first: str, second: str) -> Iterator[str]:
    """Yields a table of two contenders, in Markdown.

    Args:
        finals: The final scores.
        first: A contender.
        second: Another one.

    Raises:
        ValueError: They have no problem in common.
    """
    problems = [
        one for one in finals.problems([first, second]) if finals.common([first, second], one).size
    ]
    if not problems:
        raise ValueError(
            f"{first!r} and {second!r} must have runs with the same problems and seeds. "
            f"There are runs of {', '.join(finals.contenders) or 'nobody'}."
        )
    yield f"{first} against {second}; seconds per run {finals.seconds(first):.2f} and " + (
        f"{finals.seconds(second):.2f}"
    )
    yield ""
    yield "| suite | " + " | ".join(COLUMNS) + " |"
    yield "|---" * (len(COLUMNS) + 1) + "|"
    for suite in [*dict.fromkeys(suite for suite, _ in problems), "all"]:
        yield f"| {suite} | {row(finals, first, second, suite)} |"


def row(finals: Finals, first: str, second: str, suite: str = "all") -> str:
    """Returns the cells of a table's row, in the order of `COLUMNS`.

    Args:
        finals: The final scores.
        first: A contender.
        second: Another one.
        suite: The suite whose problems count, or "all".
    """
    problems = [
        one
        for one in finals.problems([first, second])
        if suite in ("all", one[0]) and finals.common([first, second], one).size
    ]
    pairs = [finals.common([first, second], one) for one in problems]
    ours, theirs = np.array([one.mean(axis=1) for one in pairs]).T
    is_tie = np.isclose(ours, theirs, rtol=1e-9, atol=1e-12)
    won, lost = int(((ours < theirs) & ~is_tie).sum()), int(((ours > theirs) & ~is_tie).sum())
    regrets = [
        finals.regret(one, pair).mean(axis=1) for one, pair in zip(problems, pairs, strict=True)
    ]
    means = np.mean(regrets, axis=0)
    sign = stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    behind = [
        " of ".join(map(str, behind_random(finals, one, problems))) for one in (first, second)
    ]
    return " | ".join(
        [
            str(len(problems)),
            f"{won}:{lost}",
            f"{means[0]:.4f} and {means[1]:.4f}",
            f"{sign:.2g}",
            f"{p_less(*np.array(regrets).T):.2g}",
            " and ".join(behind),
        ]
    )


def p_less(first: tasks.Rows, second: tasks.Rows) -> float:
    """Returns the p of Wilcoxon's signed rank test that the first is lower only by chance."""
    if np.allclose(first, second, rtol=0, atol=1e-12):
        return 1.0
    return float(stats.wilcoxon(first, second, alternative="less").pvalue)


def behind_random(finals: Finals, contender: str, problems: Sequence[Problem]) -> tuple[int, int]:
    """Returns how many runs end behind random search with the same seed, and of how many."""
    pairs = [finals.common([contender, RANDOM], one) for one in problems]
    pairs = [one for one in pairs if one.size]
    return sum(int((ours > theirs).sum()) for ours, theirs in pairs), sum(
        one.shape[1] for one in pairs
    )
