"""Examples of frameworks run as they are, reach what they are after, and go on where they were."""

import re

import pytest

from tests.managed.cases import installed
from tests.scripts import ONE_THREAD, run_script
from tests.test_examples import EXAMPLES

FOLDER = EXAMPLES / "integrations"


def _is_better(output, label):
    best, defaults = _number(output, f"best {label}"), _number(output, f"{label} of defaults")
    return 0 < best < 0.95 * defaults


# What each needs, and whether its output is as it must be. They reach 0.093 of 0.127 and 55 of 62,
# and accuracies of 0.93 and 0.9; a guess is right in one of ten, and in one of two.
CHECKS = {
    "lightgbm_early_stopping": (["lightgbm"], lambda output: _is_better(output, "loss")),
    "xgboost_early_stopping": (["xgboost"], lambda output: _is_better(output, "error")),
    "lightning_trainer": (["lightning"], lambda output: _number(output, "best accuracy") > 0.8),
    "transformers_trainer": (
        ["transformers", "accelerate", "torch"],
        lambda output: _number(output, "best accuracy") > 0.7,
    ),
}
# Their second run takes eight seconds of a processor, most of them for imports.
HEAVY = {"lightning_trainer", "transformers_trainer"}
# Tested on its own.
ELSEWHERE = {"sklearn_pipeline"}


def _number(output, label):
    return float(re.search(rf"^{label} +(\d+\.\d{{6}})\b", output, re.MULTILINE)[1])


def test_every_example_is_checked():
    assert {path.stem for path in FOLDER.glob("*.py")} - ELSEWHERE == set(CHECKS)


def _run(name, folder):
    packages, is_good = CHECKS[name]
    if not installed(*packages):
        pytest.skip(f"needs {', '.join(packages)}")
    output = run_script(FOLDER / f"{name}.py", folder, **ONE_THREAD)

    assert is_good(output), output
    assert 0 < _number(output, "share pruned") < 0.9
    assert "best parameters  {'" in output
    return output


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(HEAVY))
def test_example_reaches_its_goal(name, tmp_path):
    _run(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] * (name in HEAVY)) for name in sorted(CHECKS)],
)
def test_example_reaches_its_goal_and_can_run_twice(name, tmp_path):
    output = _run(name, tmp_path)
    (folder,) = tmp_path.iterdir()
    journal = sorted(folder.rglob("*.csv"))
    written = [path.read_bytes() for path in journal]
    assert written
    # The budget is spent, so nothing is evaluated again.
    assert run_script(FOLDER / f"{name}.py", tmp_path, **ONE_THREAD) == output
    assert [path.read_bytes() for path in journal] == written
