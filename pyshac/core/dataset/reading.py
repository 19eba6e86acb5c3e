"""Reading: the samples of a save directory, without its other parts, as untrusted input.

Another program may save at the same time. A save writes the details before the samples and empties
the journal last. So this module reads the journal first, then the samples, then their details.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyshac.core.basics import files
from pyshac.core.basics.paths import absolute_path
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset.formats.constraints_file import read_constraints
from pyshac.core.dataset.formats.csv_file import read_csv
from pyshac.core.dataset.formats.curves_file import read_curves, with_curves
from pyshac.core.dataset.formats.evaluations_file import read_details
from pyshac.core.dataset.formats.former_marker import former_name
from pyshac.core.dataset.formats.journal_file import Drawn, event_of, read_records
from pyshac.core.dataset.formats.parameters_file import build_space, read_config
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList


@dataclass(frozen=True)
class SavedSamples:
    """The samples of a save directory.

    Attributes:
        root: The directory.
        space: The search space.
        records: The records of the journal.
    """

    root: Path
    space: HyperParameterList
    records: list[dict[str, Any]]

    @property
    def csv(self) -> Path:
        """The dataset file."""
        return self.root / "datasets" / "dataset.csv"

    @property
    def may_differ(self) -> bool:
        """Whether the columns of the dataset file may have other names; see `read_csv`."""
        return not (self.root / "state.json").exists()

    def details(self, numbers: set[int]) -> dict[int, Details]:
        """Returns the saved details of samples.

        Args:
            numbers: The samples' numbers.

        Raises:
            SaveDirectoryError: If the file is corrupt.
        """
        return saved_details(self.root / "datasets" / "evaluations.jsonl", numbers)

    def add_scored(self, add: Callable[..., None], known: set[int]) -> None:
        """Adds the evaluated samples of the journal that are still missing.

        Args:
            add: Adds a sample, given its row, score, number and details.
            known: The numbers of the samples so far.

        Raises:
            SaveDirectoryError: If a record is corrupt; the message names its line.
        """
        rows: dict[int, Any] = {}
        for number, record in enumerate(self.records, 1):
            try:
                event = event_of(record)
                if isinstance(event, Drawn):
                    rows.update(enumerate(event.rows, event.start))
                elif event.number not in known:
                    add(rows[event.number], event.score, event.number, event.details)
                    known.add(event.number)
            except (KeyError, TypeError, ValueError) as error:
                source = str(self.root / "journal.jsonl")
                raise SaveDirectoryError(
                    f"{source!r}, line {number} is corrupt: {error}."
                ) from None


def open_directory(
    basedir: str | os.PathLike[str], known: HyperParameterList | None
) -> SavedSamples:
    """Reads the search space and the journal of a save directory; see `load_from_directory`."""
    root = absolute_path("basedir", basedir)
    if root.name == "datasets" and not (root / "datasets").exists():
        root = root.parent
    former = former_name(root / "former.json")
    root = root if former is None else root / former
    folder, journal = root / "datasets", root / "journal.jsonl"
    path = folder / "parameters.json"
    constraints = folder / "constraints.json"
    tables = (folder / name for name in ("dataset.csv", "evaluations.jsonl", "curves.jsonl"))
    parts = (path, constraints, *tables, journal)
    for part in (folder, *parts):
        files.refuse_link(part)
    built = build_space(read_config(path), path, known)
    space = read_constraints(constraints, built, () if known is None else known.constraints)
    return SavedSamples(root, space, read_records(journal))


def saved_details(path: Path, numbers: set[int]) -> dict[int, Details]:
    """Returns the details of samples from a file, with their curves from the file beside it.

    Either file may be missing.

    Raises:
        SaveDirectoryError: If a file is corrupt.
    """
    of_curves = path.with_name("curves.jsonl")
    for each in (path, of_curves):
        files.refuse_link(each)
    details = read_details(path) if path.exists() else ()
    curves = read_curves(of_curves) if of_curves.exists() else ()
    found = with_curves(dict(details), curves)
    return {number: each for number, each in found.items() if number in numbers}


@contextlib.contextmanager
def open_rows(
    path: Path, space: HyperParameterList, may_differ: bool
) -> Iterator[Iterator[tuple[str, list[Any], float]]]:
    """Opens a dataset file; see `read_csv`.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If the file is corrupt, or the block raises `ValueError`.
    """
    try:
        with files.open_text(path) as file:
            yield read_csv(file, space, str(path), may_differ)
    except SaveDirectoryError:
        raise
    except ValueError as error:
        raise SaveDirectoryError(str(error)) from None
    files.check_end(path)
