"""Hours, not evaluations: searches race on a simulated clock, with real times of trainings.

    python benchmarks/hours.py run                   what is missing, on half of the data sets
    python benchmarks/hours.py report                tables and a picture of what `run` made
    python benchmarks/hours.py references            what random configurations reach, once for all

A training of a configuration and the cross-entropy after each of its 52 epochs are those of YAHPO
Gym's lcbench, and take the time that it gives for them. The clock runs for as long as 100 whole
trainings take in 8 slots, with 64 slots, too: they have eight times the work. An engine is one
serial server, and its own processor time passes on the clock, so slots wait for slow ones. What
counts is the cross-entropy after 52 epochs of the configuration that a user would take home: of
those evaluations that have ended with the most epochs, the best. `hours_runs/` has the exact rules.

Every second data set is for development, --half even; the others are for the report. Contenders
that cannot live in one environment are run by one interpreter each: `run` leaves out what is not
installed. YAHPO Gym's data are looked for in --yahpo FOLDER, or where YAHPO_DATA says. Optuna and
SMAC3 come from `contenders.txt`, ONNX Runtime from `public.txt`, Syne Tune from `hours.txt`.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from hours_runs import problems, runs
from public_suites import yahpo

RESULTS = Path(__file__).parent / "results"
SLOTS = (8, 64)
# What is tried while an engine is being developed uses seeds below 100.
FIRST_SEEDS = {"even": 0, "odd": 1000}
NUM_SEEDS = 3


def path_of(arguments: argparse.Namespace) -> Path:
    """Returns the file of the results."""
    return arguments.out or RESULTS / f"hours-{arguments.half}.csv"


def run(arguments: argparse.Namespace) -> None:
    """Runs contenders on a half of the data sets."""
    installed = [name for name in arguments.contenders if runs.is_installed(name)]
    for name in arguments.contenders:
        if name not in installed:
            print(f"{name} is left out: {runs.CONTENDERS[name].module} is not installed here")
    first = FIRST_SEEDS[arguments.half]
    wanted = [
        runs.Run(instance, slots, contender, seed)
        for seed in range(first, first + arguments.seeds)
        for slots in arguments.slots
        for contender in installed
        for instance in problems.names(arguments.half)[: arguments.instances]
    ]
    runs.make_all(wanted, path_of(arguments), arguments.workers)


def report(arguments: argparse.Namespace) -> None:
    """Prints tables and draws a picture of what `run` made."""
    # Runs need no matplotlib.
    from hours_runs import report

    report.write(runs.read(path_of(arguments)), arguments.contenders, arguments.picture)


def references(arguments: argparse.Namespace) -> None:
    """Measures what random configurations reach."""
    problems.write_references()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--yahpo", help=f"folder of YAHPO Gym's data; {yahpo.FOLDER_VARIABLE}")
    commands = parser.add_subparsers(required=True)
    kept = argparse.ArgumentParser(add_help=False)
    kept.add_argument("--half", choices=FIRST_SEEDS, default="even")
    kept.add_argument("--out", type=Path, help="the file; results/hours-HALF.csv unless told")
    kept.add_argument("--contenders", nargs="+", choices=runs.CONTENDERS, default=runs.CONTENDERS)

    one = commands.add_parser("run", parents=[kept], help=run.__doc__)
    one.add_argument("--slots", nargs="+", type=int, default=SLOTS)
    one.add_argument("--seeds", type=int, default=NUM_SEEDS, help=f"{NUM_SEEDS} unless told")
    one.add_argument("--instances", type=int, help="how many of the half, its first; all")
    one.add_argument("--workers", type=int, default=1)
    one.set_defaults(call=run)

    one = commands.add_parser("report", parents=[kept], help=report.__doc__)
    one.add_argument("--picture", type=Path, help="where to draw; nowhere unless told")
    one.set_defaults(call=report)

    one = commands.add_parser("references", help=references.__doc__)
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
