"""Layout: the files of a save directory.

    datasets/dataset.csv        every scored sample
    datasets/evaluations.jsonl  start, duration, slot, failure and extras of each of them
    datasets/draws.jsonl        what the samples of a stream were drawn from, if it is one
    datasets/curves.jsonl       the scores that they reported on their way, if any did
    datasets/added.csv          the samples from elsewhere, if there are any
    datasets/parameters.json    the parameters of the search space
    datasets/constraints.json   its constraints, if it has any
    classifiers/NN.ubj          the cascade, in XGBoost's own format
    state.json                  everything else, and the checksums of the files above; written last
    journal.jsonl               the events since the last save
    lock, lock.json             held by the process that is writing, and its name
    trackers.json               the ids that trackers have for the search, if it is logged to any
    former-N/                   the run before its search space changed, a save directory itself
    former.json                 names the one that counts while the directory is being replaced

Directories of PySHAC 1.0.0 have no evaluations.jsonl. Those of 0.1 to 0.3 have no state.json,
either; their classifiers.pkl is never opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyshac.core.basics import files

# Inode, size and modification time of a file; None if there is no such file.
Stamp = tuple[int, int, int] | None
# Device and inode of a directory; None if there is no such directory.
Place = tuple[int, int] | None


@dataclass(frozen=True)
class Layout:
    """The paths of the files of a save directory.

    Attributes:
        root: The directory; it need not exist.
    """

    root: Path

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def csv(self) -> Path:
        return self.datasets / "dataset.csv"

    @property
    def added(self) -> Path:
        return self.datasets / "added.csv"

    @property
    def evaluations(self) -> Path:
        return self.datasets / "evaluations.jsonl"

    @property
    def curves(self) -> Path:
        return self.datasets / "curves.jsonl"

    @property
    def draws(self) -> Path:
        return self.datasets / "draws.jsonl"

    @property
    def parameters(self) -> Path:
        return self.datasets / "parameters.json"

    @property
    def constraints(self) -> Path:
        return self.datasets / "constraints.json"

    @property
    def classifiers(self) -> Path:
        return self.root / "classifiers"

    def classifier(self, number: int) -> Path:
        return self.classifiers / f"{number:02d}.ubj"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def journal(self) -> Path:
        return self.root / "journal.jsonl"

    @property
    def marker(self) -> Path:
        return self.root / "former.json"

    @property
    def trackers(self) -> Path:
        return self.root / "trackers.json"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def holder(self) -> Path:
        return self.root / "lock.json"

    def refuse_links(self) -> None:
        """Raises `SaveDirectoryError` if a part of the directory is a symbolic link."""
        parts = (self.csv, self.evaluations, self.added, self.parameters, self.state, self.journal)
        others = (self.curves, self.draws, self.constraints, self.marker, self.holder, self.lock)
        for path in (self.datasets, self.classifiers, self.trackers, *parts, *others):
            files.refuse_link(path)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that hold files."""
        return self.root, self.datasets, self.classifiers

    def holds_run(self) -> bool:
        """Returns whether a run is saved here; a run that ended before its first save is not."""
        self.refuse_links()
        if self.state.exists() or not self.csv.exists():
            return self.state.exists()
        with files.open_bounded(self.csv, files.MAX_CSV_BYTES) as file:
            header = file.readline(files.MAX_JSON_BYTES)
            return not header.endswith(b"\n") or file.read(1) != b""


def place_of(root: Path) -> Place:
    """Returns the place of a directory, which stays while its path may lead elsewhere."""
    try:
        status = root.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def stamp_of(path: Path) -> Stamp:
    """Returns a file's stamp, which changes whenever the file is written or replaced."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    # A file system may reuse the inode of a file that was replaced, hence the other two.
    return status.st_ino, status.st_size, status.st_mtime_ns
