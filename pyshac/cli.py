"""The command line: look at a saved search, write its report, export its evaluations."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyshac.core.basics import files, streams
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.looking.importances import parameter_importances
from pyshac.looking.labels import number_text, printable, shorten
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.reporting.page import report
from pyshac.reporting.summary import best_values, facts, stage_rows
from pyshac.version import __version__

WIDTH = 80
NAME_WIDTH = 30
BAR_WIDTH = 30
MAX_ROWS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: The command line arguments; None for `sys.argv[1:]`.

    Returns:
        The exit code: 0, or 1 after an error. Wrong usage exits with 2.
    """
    with streams.usable_streams():
        return _run(_parser().parse_args(arguments))


def _run(options: argparse.Namespace) -> int:
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal cannot show must not end the command.
        with contextlib.suppress(OSError, ValueError):
            getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe. Python flushes once more on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError, ImportError) as error:
        sys.stderr.write(f"pyshac: error: {printable(_describe(error))}\n")
        return 1
    return 0


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{str(error.filename)!r}: {error.strerror}"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyshac",
        description="Shows searches that PySHAC has saved. Nothing in a save directory is "
        "changed, so a running search can be shown, too.",
    )
    parser.add_argument("--version", action="version", version=f"PySHAC {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    show = commands.add_parser("show", help="print a summary", description=_show.__doc__)
    show.set_defaults(run=_show)

    page = commands.add_parser(
        "report", help="write an HTML file with plots", description=_report.__doc__
    )
    page.add_argument("-o", "--output", metavar="FILE", default="report.html",
                      help="where to write it (default: report.html)")  # fmt: skip
    page.set_defaults(run=_report)

    export = commands.add_parser(
        "export", help="write all evaluations as CSV or JSON", description=_export.__doc__
    )
    export.add_argument("--to", choices=("csv", "json"), required=True, help="the format")
    export.add_argument("-o", "--output", metavar="FILE", default="-",
                        help="where to write them (default: standard output)")  # fmt: skip
    export.set_defaults(run=_export)

    for command in (show, page, export):
        command.add_argument("directory", metavar="DIR", help="the save directory of a search")
        command.add_argument("--objective", choices=("max", "min"),
                             help="for a directory of PySHAC 0.1 to 0.3, which does not record it "
                             "(default: max)")  # fmt: skip
    return parser


def _show(options: argparse.Namespace) -> None:
    """Prints a summary of a search."""
    snapshot = take_snapshot(options.directory, options.objective)
    parts = [_two_columns(facts(snapshot))]
    best = best_values(snapshot)
    if best:
        parts.append("Best parameters\n" + _two_columns(best))
    parts += [_stages(snapshot), _importances(snapshot)]
    _print("\n\n".join(part for part in parts if part) + "\n")


def _report(options: argparse.Namespace) -> None:
    """Writes a self-contained HTML file with plots and a table of all evaluations."""
    path = report(options.directory, options.output, objective=options.objective)
    sys.stdout.write(f"{path}\n")


def _export(options: argparse.Namespace) -> None:
    """Writes all evaluations that have ended, including those of the open batch."""
    snapshot = take_snapshot(options.directory, options.objective)
    text = snapshot.dataset.to_csv() if options.to == "csv" else _as_json(snapshot)
    if options.output == "-":
        _print(text)
    else:
        path = Path(options.output)
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(path, text.encode("utf-8"))


def _print(text: str) -> None:
    if isinstance(sys.stdout, streams.ForgivingStream) and not sys.stdout.writable():
        raise OSError("There is no standard output to write to.")
    sys.stdout.write(text)


def _two_columns(items: Sequence[tuple[str, str]]) -> str:
    """Lays out names and texts; long ones are cut in the middle."""
    width = min(max(len(printable(name)) for name, _ in items), NAME_WIDTH)
    rest = WIDTH - width - 4
    return "\n".join(
        f"  {shorten(name, width):<{width}}  {shorten(text, rest)}" for name, text in items
    )


def _stages(snapshot: Snapshot) -> str:
    rows = stage_rows(snapshot)
    if not rows:
        return ""
    lines = ["Stages", "  stage  samples  failed         best       median"]
    for row in rows:
        best, median = ("-" if s is None else number_text(s) for s in (row.best, row.median))
        lines.append(
            f"  {row.number:>5}  {row.samples:>7}  {row.failed:>6}  {best:>11}  {median:>11}"
        )
    return "\n".join(lines)


def _importances(snapshot: Snapshot) -> str:
    if not snapshot.trees:
        return ""
    shares = list(parameter_importances(snapshot).items())[:MAX_ROWS]
    width = min(max(len(printable(name)) for name, _ in shares), NAME_WIDTH)
    largest = shares[0][1]
    lines = ["Importance of the parameters (share of the gain)"]
    for name, share in shares:
        bar = "#" * round(BAR_WIDTH * share / largest)
        lines.append(f"  {shorten(name, width):<{width}}  {share:>4.0%}  {bar}".rstrip())
    return "\n".join(lines)


def _as_json(snapshot: Snapshot) -> str:
    dataset = snapshot.dataset
    knows_stages = snapshot.schedule is not None
    content: dict[str, Any] = {"objective": snapshot.objective.name}
    if snapshot.schedule is not None:
        content["total_budget"] = snapshot.schedule.total_budget
        content["num_batches"] = snapshot.schedule.num_batches
    content["evaluations"] = [
        {
            "id": number,
            **({"stage": int(snapshot.stages[place])} if knows_stages else {}),
            "parameters": _plain(snapshot.space, dataset.X[place]),
            "score": None if math.isnan(dataset.Y[place]) else dataset.Y[place],
        }
        for place, number in enumerate(dataset.ids)
    ]
    return json.dumps(content, indent=2) + "\n"


def _plain(space: HyperParameterList, row: Sequence[Any]) -> dict[str, Any]:
    """Returns a sample as JSON, by name: tuples become lists, infinities become text."""
    parameters = space.to_parameters(row)
    return {name: _without_infinities(value) for name, value in parameters.items()}


def _without_infinities(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_without_infinities(item) for item in value]
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return value
