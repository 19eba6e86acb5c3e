"""What each difference from the paper is worth: the page has the figures of the results."""

import re
from pathlib import Path

from public_runs import comparison, runs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "published-method.md"
RESULTS = ROOT / "benchmarks" / "results" / "differences.csv"
ROW = re.compile(r"\| ([^|]+) \| (\d+:\d+) \| ([\d.]+) \| ([\d.e-]+) \|")


def test_the_page_has_the_figures_of_the_results():
    finals = comparison.Finals(runs.read([RESULTS]), "128/8")
    text = PAGE.read_text(encoding="utf-8")
    expected = []
    for name in finals.contenders:
        if name not in (comparison.RANDOM, "default"):
            number, won, regret, _, p, _ = comparison.row(finals, "default", name).split(" | ")
            ours, theirs = regret.split(" and ")
            expected.append((name, won, theirs, p))
            assert f"It uses {number} of the public" in text
            assert f"The default has {ours}." in text

    assert ROW.findall(text) == expected
