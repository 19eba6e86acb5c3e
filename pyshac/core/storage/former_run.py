"""The former run of a directory whose search has got another space.

Every other save leaves the search space as it is, so its files may be written one by one. Here all
of them change. So they are copied to a folder of their own first, a save directory like every
other, and a file names it for as long as the directory is being written: until then the former run
is the one that the directory holds. The folder stays, since it has the samples that the new space
has not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pyshac.core.basics import files
from pyshac.core.dataset.formats.former_marker import former_name
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.storage.layout import Layout


def readable(layout: Layout) -> Layout:
    """Returns the layout of the run that a directory holds: its own, or that of the former run."""
    name = former_name(layout.marker)
    if name is None:
        return layout
    former = Layout(layout.root / name)
    if not former.holds_run():
        raise SaveDirectoryError(
            f"{str(layout.marker)!r} names {name!r} as the run that counts, but there is none in "
            "that folder: put it back. If it is gone, remove the file, and what the directory "
            "itself holds counts."
        )
    return former


def keep(layout: Layout) -> None:
    """Copies the run that a directory holds, and marks the copy as the one that counts."""
    if former_name(layout.marker) is not None:
        return
    former = Layout(layout.root / _free_name(layout))
    for folder in former.folders:
        files.make_folder(folder)
    samples = (layout.journal, layout.csv, layout.evaluations, layout.curves, layout.draws)
    classifiers = sorted(layout.classifiers.glob("*.ubj"))
    # The last one tells that the copy is complete.
    given = (layout.added, layout.constraints, layout.trackers)
    for path in (*samples, *given, *classifiers, layout.state, layout.parameters):
        if path.exists():
            target = former.root / path.relative_to(layout.root)
            files.write_atomically(target, files.read_bounded(path, files.MAX_CSV_BYTES))
    marker = json.dumps({"former": former.root.name}).encode()
    files.write_atomically(layout.marker, marker)


def replaced(layout: Layout, num_classifiers: int, unused: Sequence[Path]) -> None:
    """Makes the directory's own run count again, and removes files that it does not have.

    Args:
        layout: The files of the directory.
        num_classifiers: Number of classifiers of the run.
        unused: Other files that it does not have.
    """
    if former_name(layout.marker) is None:
        return
    # Its samples have other numbers than those that trackers know, so they get a new search.
    layout.trackers.unlink(missing_ok=True)
    layout.marker.unlink()
    files.sync_directory(layout.root)
    for path in layout.classifiers.glob("*.ubj"):
        if path.stem.isdigit() and int(path.stem) >= num_classifiers:
            path.unlink()
    for path in unused:
        path.unlink(missing_ok=True)


def _free_name(layout: Layout) -> str:
    number = 1
    while Layout(layout.root / f"former-{number}").parameters.exists():
        number += 1
    return f"former-{number}"
