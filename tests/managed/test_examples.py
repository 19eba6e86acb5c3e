"""The examples of the managed engines run as they are, and beat guessing by far."""

import re
from pathlib import Path

import pytest

from tests.managed.cases import installed
from tests.scripts import run_script

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(folder, *packages):
    missing = not installed(*packages)
    reason = f"needs {', '.join(packages)}"
    return pytest.param(folder, marks=pytest.mark.skipif(missing, reason=reason))


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder",
    [
        example("torch", "torch"),
        example("tensorflow", "tensorflow"),
        example("keras", "keras", "tensorflow"),
    ],
)
def test_example_reaches_its_goal(folder, tmp_path):
    output = run_script(EXAMPLES / folder / "digits.py", tmp_path)

    best = [float(n) for n in re.findall(r"^best of .*?(\d\.\d{6})", output, re.MULTILINE)]
    mean = [float(n) for n in re.findall(r"^mean of .*?(\d\.\d{6})", output, re.MULTILINE)]
    assert len(best) == len(mean) == 2, output
    # A guess is right in one of ten. In two of three random samples the learning rate is too far
    # off to learn anything in so few epochs, which is what the search learns first.
    assert min(best) > 0.8, output
    assert mean[1] > mean[0], output
    assert list(tmp_path.iterdir()) == []
