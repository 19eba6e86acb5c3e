"""The command that tests with other versions of the dependencies."""

import re
import subprocess

from tests.dependencies import lowest, pythons


def test_every_dependency_has_a_lowest_version():
    assert len(lowest()) > 5
    assert all(re.fullmatch(r"[a-z-]+==\d+(\.\d+)+", line) for line in lowest())


def test_the_interpreters_are_of_different_versions():
    code = "import sys; print(sys.version_info[:2] >= (3, 10), sys.version_info[1])"
    said = [
        subprocess.run([path, "-c", code], capture_output=True, text=True, check=True).stdout
        for path in pythons()
    ]
    assert said
    assert all(line.startswith("True ") for line in said)
    assert len(set(said)) == len(said)
