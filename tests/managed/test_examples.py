"""Examples and documented code of the managed engines run as they are."""

import re
from pathlib import Path

import pytest

from tests.managed.cases import installed
from tests.scripts import run_script
from tests.test_docs import script_of

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def example(folder, *packages, marks=()):
    missing = not installed(*packages)
    reason = f"needs {', '.join(packages)}"
    return pytest.param(folder, marks=[pytest.mark.skipif(missing, reason=reason), *marks])


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder",
    [
        example("torch", "torch"),
        example("tensorflow", "tensorflow"),
        # Almost the one before.
        example("keras", "keras", "tensorflow", marks=[pytest.mark.long]),
    ],
)
def test_example_reaches_its_goal(folder, tmp_path):
    output = run_script(EXAMPLES / folder / "digits.py", tmp_path)

    best = [float(n) for n in re.findall(r"^best of .*?(\d\.\d{6})", output, re.MULTILINE)]
    mean = [float(n) for n in re.findall(r"^mean of .*?(\d\.\d{6})", output, re.MULTILINE)]
    assert len(best) == len(mean) == 2, output
    # A guess is right in one of ten. In two of three random samples the learning rate is too far
    # off to learn anything in so few epochs, which is what the search learns first.
    assert min(best) > 0.5, output
    assert mean[1] > mean[0], output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(not installed("torch", "tensorflow"), reason="needs torch, tensorflow")
def test_code_of_the_page_runs_from_top_to_bottom(tmp_path):
    script = tmp_path / "managed_engines.py"
    # Blocks in "py" need frameworks, which not every run of the tests has.
    code = script_of(ROOT / "docs" / "managed-engines.md", "py")
    assert code.count("SHAC(") == 2
    script.write_text(code, encoding="utf-8")

    run_script(script, tmp_path)
