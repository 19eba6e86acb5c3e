"""WrittenFiles: writes the files of a save directory that are not there already."""

from __future__ import annotations

from pathlib import Path

from pyshac.core.basics import files
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.storage.layout import Layout, Stamp, stamp_of


class WrittenFiles:
    """The files that an engine has written, as it left them.

    Other programs may replace them: spreadsheets, backups, people. So a file counts as written only
    as long as its stamp stays.

    Args:
        layout: The files of the directory.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._files: dict[Path, tuple[str, Stamp]] = {}
        self._classifiers: dict[Path, BoostedTrees] = {}

    @property
    def are_intact(self) -> bool:
        """Whether all files are as they were written."""
        return all(stamp == stamp_of(path) for path, (_, stamp) in self._files.items())

    def write(self, path: Path, data: bytes) -> str:
        """Writes a file unless it has this content; returns its checksum.

        Raises:
            OSError: If it cannot be written.
            SaveDirectoryError: If a part of the directory is a symbolic link.
        """
        checksum = files.digest(data)
        if not self._is_written(path, checksum):
            self._layout.refuse_links()
            files.refuse_link(path)
            files.write_atomically(path, data)
            self._files[path] = checksum, stamp_of(path)
        return checksum

    def write_classifier(self, path: Path, classifier: BoostedTrees) -> str:
        """Writes a classifier unless it is there; returns its checksum, and raises as `write`."""
        # A classifier never changes, and takes long to encode.
        if self._classifiers.get(path) is classifier:
            checksum = self._files[path][0]
            if self._is_written(path, checksum):
                return checksum
        checksum = self.write(path, classifier.to_bytes())
        self._classifiers[path] = classifier
        return checksum

    def _is_written(self, path: Path, checksum: str) -> bool:
        return path in self._files and self._files[path] == (checksum, stamp_of(path))
