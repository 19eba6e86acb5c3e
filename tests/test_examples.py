"""Every example runs as it is, reaches what it is after, and leaves nothing behind."""

import re
from pathlib import Path

import pytest

from tests.scripts import ONE_THREAD, run_script

EXAMPLES = Path(__file__).parents[1] / "examples"


def _numbers(output):
    """The number that follows each label of an example's output, by label."""
    lines = re.findall(r"^([a-z][a-z ]+?)\s+(-?\d+\.\d{6})\b", output, re.MULTILINE)
    return {label: float(number) for label, number in lines}


# What an example's output must show, given its numbers. All runs are seeded; the bands leave room
# for versions of NumPy and XGBoost that draw or train differently.
CHECKS = {
    # One in nine random searches with the same budget comes this close.
    "branin": lambda n: n["true minimum"] - 1e-6 <= n["found minimum"] < 0.45,
    "basic": lambda n: 0.94 < n["best score"] <= n["best possible"],
    # Here one in four does; on average they reach -2.3.
    "hartmann6": lambda n: n["true minimum"] - 1e-5 <= n["found minimum"] < -2.6,
    "multi_parameters": lambda n: n["best of all"] < 0.75 * n["best of the first batch"],
    "external_dataset": lambda n: (
        n["mean score of new samples"] > n["mean score in the table"] + 0.2
    ),
    "ask_and_tell": lambda n: n["true minimum"] <= n["found minimum"] < 0.1,
    # Half of all random networks hardly learn, since their learning rate is far off.
    "architecture": lambda n: (
        n["best of shac"] > 0.85 and n["mean of shac"] > n["mean of random search"]
    ),
}
NEEDS = {"architecture": "torch"}


def test_every_example_is_checked():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(CHECKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CHECKS))
def test_example_reaches_its_goal(name, tmp_path):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    output = run_script(EXAMPLES / f"{name}.py", tmp_path, **ONE_THREAD)

    assert CHECKS[name](_numbers(output)), output
    assert list(tmp_path.iterdir()) == []
