"""Searches on problems that others publish and know; docs/benchmarks.md says where they are from.

    python benchmarks/public.py develop --label NAME      one contender, half of the problems
    python benchmarks/public.py compare A B               two labels of `develop` side by side
    python benchmarks/public.py run --contenders PySHAC   what is missing of it on the other half
    python benchmarks/public.py report                    tables and plots of what `run` made
    python benchmarks/public.py conditional               rbv2_xgboost with its eight conditions
    python benchmarks/public.py bayesmark --baseline FILE  its problems, with its official score
    python benchmarks/public.py references                what random points reach, once for all

Every second problem is for development, the others for the report. Contenders that cannot live in
one environment are run by one interpreter each: `run` leaves out what is not installed where it is
called, and adds to what others have made. YAHPO Gym's data are looked for in --yahpo FOLDER, or
where YAHPO_DATA says. `benchmarks/public.txt` lists the packages.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import contenders
from public_runs import comparison, peers, runs
from public_suites import bayesmark, catalogue, yahpo
from public_suites.instances import half_of

RESULTS = Path(__file__).parent / "results"
DEVELOPED = Path("public-development.csv")
BUDGET = "128/8"
# The suite whose searches are told which parameters are active, and who is compared there.
SUITE = "xgboost-conditional"
WITH_CONDITIONS = ("PySHAC", *contenders.WITH_CONDITIONS, "random", "random 2N", "SMAC3", "HEBO")


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


def run(arguments: argparse.Namespace) -> None:
    """Runs contenders on the half for the report."""
    chosen = arguments.contenders or peers.CONTENDERS
    for contender in chosen:
        if not peers.is_installed(contender):
            package = contenders.CONTENDERS[contender].package
            print(f"{contender} is left out: {package} is not installed here")
    chosen = [contender for contender in chosen if peers.is_installed(contender)]
    for budget in arguments.budgets:
        runs.make_all(
            peers.wanted(chosen, [budget], arguments.suites, arguments.seeds),
            peers.path_of(arguments.results, budget),
            arguments.workers,
            runs.find_contender,
        )


def report(arguments: argparse.Namespace) -> None:
    """Prints tables and draws a picture of what `run` made."""
    # Runs need no matplotlib.
    from public_runs import report

    report.write(arguments.results)


def conditional(arguments: argparse.Namespace) -> None:
    """Runs contenders on the conditional half for the report, and prints how ours compares."""
    path = arguments.results / f"public-conditional-{arguments.budget.replace('/', 'x')}.csv"
    installed = [name for name in arguments.contenders if peers.is_installed(name)]
    wanted = [
        (runs.Run(SUITE, problem, arguments.budget, contender, seed), contender)
        for seed in range(peers.FIRST_SEED, peers.FIRST_SEED + arguments.seeds)
        for contender in installed
        for problem in catalogue.instances(SUITE, "odd")
    ]
    runs.make_all(wanted, path, arguments.workers, runs.find_contender)
    finals = comparison.Finals(runs.read([path]), arguments.budget)
    print("| PySHAC and | " + " | ".join((*comparison.COLUMNS, "seconds per run")) + " |")
    print("|---" * (len(comparison.COLUMNS) + 2) + "|")
    for name in finals.contenders:
        if name != "PySHAC":
            row = comparison.row(finals, "PySHAC", name)
            print(f"| {name} | {row} | {finals.seconds(name):.2f} |")


def bayesmark_score(arguments: argparse.Namespace) -> None:
    """Runs contenders on Bayesmark's problems and prints their official scores."""
    baseline = bayesmark.read_baseline(arguments.baseline)
    names = half_of(baseline.names, arguments.half)
    names = peers.spread(names, min(arguments.problems or len(names), len(names)))
    path = arguments.results / "public-bayesmark.csv"
    first = 0 if arguments.half == "even" else peers.FIRST_SEED
    wanted = [
        (runs.Run(bayesmark.SUITE, name, bayesmark.BUDGET, contender, seed), contender)
        for seed in range(first, first + arguments.seeds)
        for contender in arguments.contenders
        for name in names
    ]
    runs.make_all(wanted, path, arguments.workers, runs.find_contender)
    made = [one for one in runs.read([path]) if one.run.instance in names]
    found = [(one.run.contender, one.run.instance, one.final) for one in made]
    print("\n".join(bayesmark.score_lines(baseline, found)))


def references(arguments: argparse.Namespace) -> None:
    """Measures what random points reach."""
    catalogue.write_references(arguments.suites)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--yahpo", help=f"folder of YAHPO Gym's data; {yahpo.FOLDER_VARIABLE}")
    commands = parser.add_subparsers(required=True)
    suites = argparse.ArgumentParser(add_help=False)
    suites.add_argument("--suites", nargs="+", choices=catalogue.SUITES, default=catalogue.DISTINCT)
    kept = argparse.ArgumentParser(add_help=False)
    kept.add_argument("--budget", default=BUDGET, help=f"N/W; {BUDGET} unless told")
    kept.add_argument("--out", type=Path, default=DEVELOPED, help=f"the file; {DEVELOPED}")
    results = argparse.ArgumentParser(add_help=False)
    results.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")

    one = commands.add_parser("develop", parents=[suites, kept], help=develop.__doc__)
    one.add_argument("--contender", choices=contenders.ALL, default="PySHAC")
    one.add_argument("--label", help="what its results are called; the contender unless told")
    one.add_argument("--seeds", type=int, default=2, help="number of seeds; 2 unless told")
    one.add_argument("--first-seed", type=int, default=0)
    one.add_argument("--workers", type=int, default=os.cpu_count())
    one.set_defaults(call=develop)

    one = commands.add_parser("compare", parents=[kept], help=compare.__doc__)
    one.add_argument("first")
    one.add_argument("second")
    one.set_defaults(call=compare)

    one = commands.add_parser("run", parents=[suites, results], help=run.__doc__)
    one.add_argument("--contenders", nargs="+", choices=peers.CONTENDERS)
    one.add_argument("--budgets", nargs="+", choices=peers.BUDGETS, default=peers.BUDGETS)
    one.add_argument(
        "--seeds", type=int, default=peers.NUM_SEEDS, help=f"{peers.NUM_SEEDS} unless told"
    )
    one.add_argument("--workers", type=int, default=os.cpu_count())
    one.set_defaults(call=run)

    one = commands.add_parser("report", parents=[results], help=report.__doc__)
    one.set_defaults(call=report)

    one = commands.add_parser("conditional", parents=[results], help=conditional.__doc__)
    one.add_argument("--contenders", nargs="+", choices=contenders.ALL, default=WITH_CONDITIONS)
    one.add_argument("--budget", default=BUDGET, help=f"N/W; {BUDGET} unless told")
    one.add_argument("--seeds", type=int, default=1, help="number of seeds; 1 unless told")
    one.add_argument("--workers", type=int, default=os.cpu_count())
    one.set_defaults(call=conditional)

    one = commands.add_parser("bayesmark", parents=[results], help=bayesmark_score.__doc__)
    one.add_argument("--baseline", type=Path, required=True, help="baseline-16-8.json")
    one.add_argument("--contenders", nargs="+", choices=contenders.CONTENDERS, default=["PySHAC"])
    one.add_argument("--half", choices=("even", "odd", "all"), default="even")
    one.add_argument("--problems", type=int, help="so many, evenly spread; all unless told")
    one.add_argument("--seeds", type=int, default=1, help="number of seeds; 1 unless told")
    one.add_argument("--workers", type=int, default=os.cpu_count())
    one.set_defaults(call=bayesmark_score)

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
