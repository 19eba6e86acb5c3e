"""Runs the tests of the original PySHAC, as they are, against this library.

python -m tests.earlier CHECKOUT

CHECKOUT is one of github.com/titu1994/pyshac. For each test that fails it prints why, and at the
end how many pass. It exits with 1 if fewer than LEAST pass.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.earlier.suite import LEAST, run_suite


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.earlier")
    parser.add_argument("checkout", type=Path, help="a checkout of the original")
    results = run_suite(parser.parse_args().checkout)
    failed = [result for result in results if result.reason is not None]
    for result in failed:
        print(f"{result.name}  {result.reason}")
    num_passed = len(results) - len(failed)
    print(f"{num_passed} of {len(results)} pass")
    return 0 if num_passed >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
