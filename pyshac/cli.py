"""The command line: look at a saved search, watch it, write its report, export it."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from typing import Any

from pyshac.core.basics import files, streams
from pyshac.core.basics.messages.printable import printable
from pyshac.core.basics.paths import absolute_path, output_path
from pyshac.looking.importances import parameter_importances
from pyshac.looking.labels import number_text, shorten
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.reporting.export import as_csv, as_json
from pyshac.reporting.live.watch import INTERVAL_SECONDS, watch
from pyshac.reporting.page import write_report
from pyshac.reporting.summary import best_extras, best_values, facts, stage_rows
from pyshac.reporting.text_table import Column, best_evaluations, failed_evaluations, lay_out
from pyshac.version import __version__

WIDTH = 80
NAME_WIDTH = 30
BAR_WIDTH = 30
MAX_ROWS = 20
# The exit code of a command whose reader has left: what shells report for one that SIGPIPE ended.
READER_HAS_LEFT = 128 + 13


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: The command line arguments; None for `sys.argv[1:]`.

    Returns:
        The exit code: 0, 1 after an error, or 141 if the reader of the output has left. Wrong
        usage exits with 2.
    """
    with streams.usable_streams():
        return _exit_code(arguments)


def _exit_code(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal cannot show must not end the command.
        with contextlib.suppress(OSError, ValueError):
            getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        _run(arguments)
    except BrokenPipeError:
        _drop_output()
        return READER_HAS_LEFT
    except (OSError, ValueError, ImportError) as error:
        sys.stderr.write(f"pyshac: error: {printable(_describe(error))}\n")
        _drop_output()
        return 1
    return 0


def _run(arguments: Sequence[str] | None) -> None:
    try:
        options = _parser().parse_args(arguments)
        options.run(options)
    finally:
        # Python itself flushes too late: errors would be shown as tracebacks.
        sys.stdout.flush()


def _drop_output() -> None:
    """Drops output that cannot be written, so that Python does not try again on exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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

    show = _show_parser(commands)
    page = commands.add_parser(
        "report", help="write an HTML file with plots", description=_report.__doc__
    )
    page.add_argument("-o", "--output", metavar="FILE", default="report.html",
                      help="where to write it, in a folder that exists "
                      "(default: report.html)")  # fmt: skip
    page.set_defaults(run=_report)

    export = _export_parser(commands)
    live = _watch_parser(commands)
    for command in (show, page, export, live):
        command.add_argument("directory", metavar="DIR", help="the save directory of a search")
        command.add_argument("--objective", choices=("max", "min"),
                             help="for a directory of PySHAC 0.1 to 0.3, which does not record it "
                             "(default: max)")  # fmt: skip
    return parser


def _show_parser(commands: Any) -> argparse.ArgumentParser:
    show: argparse.ArgumentParser = commands.add_parser(
        "show", help="print a summary", description=_show.__doc__
    )
    rows = show.add_mutually_exclusive_group()
    rows.add_argument("--top", metavar="N", type=_positive,
                      help="print the N best evaluations instead")  # fmt: skip
    rows.add_argument("--failed", action="store_true",
                      help="print the evaluations that failed instead")  # fmt: skip
    show.set_defaults(run=_show)
    return show


def _export_parser(commands: Any) -> argparse.ArgumentParser:
    export: argparse.ArgumentParser = commands.add_parser(
        "export", help="write all evaluations as CSV or JSON, or into a study of Optuna",
        description=_export.__doc__,
    )  # fmt: skip
    export.add_argument("--to", choices=("csv", "json", "optuna"),
                        help="the format (default: csv)")  # fmt: skip
    export.add_argument("-o", "--output", metavar="FILE",
                        help="where to write CSV or JSON, in a folder that exists "
                        "(default: standard output)")  # fmt: skip
    export.add_argument("--safe-for-spreadsheets", action="store_true",
                        help="in the CSV, put an apostrophe before texts that a spreadsheet would "
                        "run as formulas")  # fmt: skip
    export.add_argument(
        "--storage",
        metavar="URL",
        help="for Optuna: the database of the study, such as sqlite:///study.db",
    )
    export.add_argument(
        "--study-name",
        metavar="NAME",
        help="for Optuna: the study, which is made if there is none; one that "
        "holds the search gets what it lacks (default: the name of DIR)",
    )
    export.set_defaults(run=_export, wrong_usage=export.error)
    return export


def _watch_parser(commands: Any) -> argparse.ArgumentParser:
    live: argparse.ArgumentParser = commands.add_parser(
        "watch", help="serve a page that follows a running search", description=_watch.__doc__
    )
    live.add_argument("--port", metavar="PORT", type=int, default=0,
                      help="the port to listen on (default: 0, one that is free)")  # fmt: skip
    live.add_argument("--interval", metavar="SECONDS", type=float, default=INTERVAL_SECONDS,
                      help="seconds between updates (default: %(default)g)")  # fmt: skip
    live.set_defaults(run=_watch)
    return live


def _positive(text: str) -> int:
    with contextlib.suppress(ValueError):
        if (number := int(text)) > 0:
            return number
    raise argparse.ArgumentTypeError(f"must be a whole number from 1 on. Got {text!r} instead.")


def _show(options: argparse.Namespace) -> None:
    """Prints a summary of a search, or some of its evaluations as a table."""
    snapshot = take_snapshot(options.directory, options.objective)
    if options.top is not None:
        text = _table("Best evaluations", best_evaluations(snapshot, options.top), "has a score")
    elif options.failed:
        text = _table("Failed evaluations", failed_evaluations(snapshot), "has failed")
    else:
        text = _summary(snapshot)
    _print(f"{text}\n")


def _table(title: str, columns: Sequence[Column], what: str) -> str:
    if not columns[0].cells:
        return f"No evaluation {what}."
    return f"{title}\n{lay_out(columns, WIDTH)}"


def _summary(snapshot: Snapshot) -> str:
    parts = [_two_columns(facts(snapshot))]
    best = best_values(snapshot)
    if best:
        parts.append("Best parameters\n" + _two_columns(best))
    extras = best_extras(snapshot)
    if extras:
        parts.append("Extras of the best evaluation\n" + _two_columns(extras))
    parts += [_stages(snapshot), _importances(snapshot)]
    return "\n\n".join(part for part in parts if part)


def _report(options: argparse.Namespace) -> None:
    """Writes a self-contained HTML file with plots and a table of all evaluations."""
    path = output_path("--output", options.output)
    write_report(options.directory, path, objective=options.objective)
    sys.stdout.write(f"{printable(str(path))}\n")


def _watch(options: argparse.Namespace) -> None:
    """Serves the report on this machine only, and renews it while the search runs."""

    def announce(text: str) -> None:
        _print(text)
        sys.stdout.flush()

    watch(
        options.directory,
        options.objective,
        port=options.port,
        interval=options.interval,
        announce=announce,
    )


def _export(options: argparse.Namespace) -> None:
    """Writes all evaluations that have ended, including those of the open batch, in UTF-8."""
    _check_export(options)
    if options.to == "optuna":
        _export_to_optuna(options)
        return
    output = "-" if options.output is None else options.output
    path = None if output == "-" else output_path("--output", output)
    snapshot = take_snapshot(options.directory, options.objective)
    if options.to == "json":
        content = as_json(snapshot)
    else:
        content = as_csv(snapshot, is_safe=options.safe_for_spreadsheets)
    if path is None:
        _write_bytes(content)
    else:
        files.write_atomically(path, content)


def _check_export(options: argparse.Namespace) -> None:
    """Ends the command if its options do not fit together."""
    if options.to in ("json", "optuna") and options.safe_for_spreadsheets:
        options.wrong_usage("--safe-for-spreadsheets is for --to csv")
    if options.to is None and (options.output or "").lower().endswith(".json"):
        options.wrong_usage(f"--output {options.output!r} would hold CSV: pass --to json")
    if options.to == "optuna":
        if options.storage is None:
            options.wrong_usage("--to optuna needs --storage, such as sqlite:///study.db")
        if options.output is not None:
            options.wrong_usage("--output is for --to csv and json: --to optuna has --storage")
    elif options.storage is not None or options.study_name is not None:
        options.wrong_usage("--storage and --study-name are for --to optuna")


def _export_to_optuna(options: argparse.Namespace) -> None:
    # Optuna takes a second to load, and is not always installed.
    from pyshac.integrations.optuna import export_study

    directory = absolute_path("DIR", options.directory)
    name = directory.resolve().name if options.study_name is None else options.study_name
    added, number = export_study(directory, options.storage, name, options.objective)
    _print(f"Study {printable(repr(name))}: {added} evaluations added, {number} in all.\n")


def _write_bytes(content: bytes) -> None:
    """Writes UTF-8 to standard output, whose text may have another encoding and line ends."""
    _require_output()
    if not hasattr(sys.stdout, "buffer"):
        # An object of the program's own, such as io.StringIO.
        sys.stdout.write(content.decode("utf-8"))
        return
    left = memoryview(content)
    while left:
        # Without a buffer (PYTHONUNBUFFERED), a pipe may take a part only.
        left = left[sys.stdout.buffer.write(left) :]


def _print(text: str) -> None:
    _require_output()
    sys.stdout.write(text)


def _require_output() -> None:
    if isinstance(sys.stdout, streams.ForgivingStream) and not sys.stdout.writable():
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard output")


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
    knows_pruned = any(row.pruned for row in rows)
    pruned = "  pruned" * knows_pruned
    lines = ["Stages", f"  stage  samples  failed{pruned}         best       median"]
    for row in rows:
        best, median = ("-" if s is None else number_text(s) for s in (row.best, row.median))
        pruned = f"  {row.pruned:>6}" * knows_pruned
        lines.append(
            f"  {row.number:>5}  {row.samples:>7}  {row.failed:>6}{pruned}  {best:>11}"
            f"  {median:>11}"
        )
    return "\n".join(lines)


def _importances(snapshot: Snapshot) -> str:
    if not snapshot.trees:
        return ""
    shares = list(parameter_importances(snapshot).items())[:MAX_ROWS]
    width = min(max(len(printable(name)) for name, _ in shares), NAME_WIDTH)
    largest = shares[0][1] or 1
    lines = ["Importance of the parameters (share of the gain)"]
    for name, share in shares:
        bar = "#" * round(BAR_WIDTH * share / largest)
        lines.append(f"  {shorten(name, width):<{width}}  {share:>4.0%}  {bar}".rstrip())
    return "\n".join(lines)
