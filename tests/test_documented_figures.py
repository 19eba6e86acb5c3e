"""Figures in the README and the pages about the search: they are those of the code."""

import re
from pathlib import Path

import pytest

from pyshac.core.basics.results import extras
from pyshac.core.classifiers import leniency, training
from pyshac.core.sampling import grid, region
from pyshac.core.search import selector, shares, stages
from pyshac.core.search.method import DEFAULT, PAPER
from pyshac.core.search.schedule import Schedule
from pyshac.core.selection import branches, neighbours, process_rankings, selection, surrogate
from tests.scripts import ONE_THREAD, run_script

ROOT = Path(__file__).parents[1]
WORKS, CHOICE, GUIDE = "docs/how-it-works.md", "docs/choosing-samples.md", "docs/guide.md"
FAQ, TROUBLE = "docs/faq.md", "docs/troubleshooting.md"
SMALLEST = shares.SMALLEST_SHARE / (1 + 2 * shares.SMALLEST_SHARE)
STEPS = process_rankings.BoundRanking().num_steps, process_rankings.ImprovementRanking().num_steps

# A page, what it says, and whether the code says the same.
FIGURES = [
    (WORKS, "draws up to 64 accepted samples", DEFAULT.num_choices == 64),
    (WORKS, "the most promising of 64", DEFAULT.num_choices == 64),
    (WORKS, "200, learning rate 0.3, `min_child_weight=1`", PAPER.trees.num_trees == 200),
    (WORKS, "25, learning rate 0.3, `min_child_weight=0`", DEFAULT.trees.num_trees == 25),
    (WORKS, r"$q_{0.1}$ is the margin", leniency.MISSED_SHARE == 0.1),
    (WORKS, r"\frac{3}{\sqrt{n}}", leniency.SLACK == 3),
    (WORKS, "m_{0.5} - 10^{-3}", (leniency.LARGEST_CUT, leniency.ROUNDING) == (0.5, 1e-3)),
    (WORKS, "up to 256 draws", stages.REGION_DRAWS == 256),
    (WORKS, "fewer than 32 of 8,192", (training.MIN_DRAWS, region.PATIENCE) == (32, 8192)),
    (WORKS, "up to 50,000 points", grid.MAX_POINTS == 50_000),
    (WORKS, "(5,000 if", grid.MAX_SLOW_POINTS == 5_000),
    (WORKS, "from 320 samples", surrogate.MAX_SAMPLES + surrogate.MAX_TOLD == 320),
    (CHOICE, "draws up to 64 accepted samples", DEFAULT.num_choices == 64),
    (CHOICE, "half a standard deviation", process_rankings.NUM_DEVIATIONS == 0.5),
    (CHOICE, "among the best quarter", shares.BEST_SHARE == 0.25),
    (CHOICE, "counts three times", shares.WORTH_OF_BEST == 2),
    (CHOICE, r"\right)^{1.5}", shares.POWER == 1.5),
    (CHOICE, "at least one in nine", SMALLEST > 1 / 9),
    (CHOICE, "ranks 128 *neighbours*", neighbours.NUM_NEIGHBOURS == 128),
    (CHOICE, "three steps, expected improvement up to twelve", STEPS == (3, 12)),
    (CHOICE, "the first 1,000", selection.MAX_IMPROVED == 1000),
    (CHOICE, "From 20 batches on", selector.SMALLEST_GROWTH == 1 / 20),
    (CHOICE, "at most 256 samples", surrogate.MAX_SAMPLES == 256),
    (CHOICE, "and 64 later ones", surrogate.MAX_TOLD == 64),
    (CHOICE, r"1.5 \sqrt{n}", branches.FACTOR == 1.5),
    (CHOICE, r"\frac{0.7\, n}{v}", branches.LARGEST_SHARE == 0.7),
    (GUIDE, "up to 1,000 characters", extras.MAX_TEXT_LENGTH == 1_000),
    (GUIDE, "up to 64 extras", extras.MAX_EXTRAS == 64),
    (GUIDE, "names of up to 100 characters", extras.MAX_NAME_LENGTH == 100),
    (
        GUIDE,
        "half of the samples in 5-fold",
        (training.MIN_ACCURACY, training.NUM_FOLDS) == (0.5, 5),
    ),
    (GUIDE, "fewer than eight samples", training.MIN_ROWS == 8),
    (FAQ, "fewer than eight samples", training.MIN_ROWS == 8),
    (FAQ, "up to 50,000 combinations", grid.MAX_POINTS == 50_000),
    (TROUBLE, "about eight million proposals", region.MAX_FRUITLESS == 2**23),
    (TROUBLE, "or 262,144 with", region.MAX_FRUITLESS_SLOW == 262_144),
    (TROUBLE, "after ten seconds", region.FIRST_WARNING_SECONDS == 10),
]


def text_of(page):
    """The text of a page, whose lines may break anywhere."""
    return " ".join((ROOT / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(("page", "said", "is_true"), FIGURES)
def test_a_page_says_what_the_code_does(page, said, is_true):
    assert said in text_of(page)
    assert is_true


def test_the_plans_of_runs_in_a_table():
    rows = re.findall(
        r"\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| 1/([\d,]+) \|", text_of(WORKS)
    )
    assert len(rows) == 5
    for row in rows:
        budget, batches, size, number, stage, left = (int(cell.replace(",", "")) for cell in row)
        plan = Schedule.in_batches(budget, batches)
        planned = plan.batch_size, plan.total_classifiers, plan.per_classifier_budget
        assert planned == (size, number, stage)
        assert left == 2**number


@pytest.mark.parametrize("batches", range(2, 80))
def test_after_which_batches_a_classifier_is_due(batches):
    assert "With 2 to 37 batches, T_c = W." in text_of(GUIDE)
    assert "More than 19 batches add no classifiers. From 38 batches on" in text_of(FAQ)
    plan = Schedule.in_batches(10 * batches, batches)

    assert (plan.per_classifier_budget == 10) == (batches <= 37)
    assert plan.total_classifiers == min(batches - 1, 18)


@pytest.mark.slow
def test_the_readme_shows_what_its_first_command_prints(tmp_path):
    shown = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    printed = run_script(ROOT / "examples" / "branin.py", tmp_path, **ONE_THREAD)
    # Versions of NumPy and XGBoost may draw or train differently.
    shapes = [re.sub(r"[\d.]+", "0", text) for text in (shown[1], printed)]

    assert shapes[0] == shapes[1]
    for text in (shown[1], printed):
        found, true = map(float, re.findall(r"minimum +([\d.]+)", text))
        assert abs(found - true) < 1e-3
