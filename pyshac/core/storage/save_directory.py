"""SaveDirectory: writes a run to disk, and appends events to its journal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pyshac.core.basics import files, plain_values, signals
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.errors import DirectoryInUseError, SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.batch import Batch
from pyshac.core.storage import journal, journal_records, loading
from pyshac.core.storage.directory_lock import DirectoryLock
from pyshac.core.storage.layout import Layout, Stamp, stamp_of
from pyshac.core.storage.saved_run import SavedRun
from pyshac.core.storage.state_file import StateFile, encode_state, json_file, space_checksum


class SaveDirectory:
    """A save directory, read and written by one engine.

    Args:
        path: The directory; it need not exist.

    Attributes:
        path: The directory.
        is_attached: Whether the directory holds this engine's run.
        must_save: Whether the next write must be a whole save: of a new or restored run, or after
            a write that failed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.is_attached = False
        self.must_save = True
        self._layout = Layout(self.path)
        self._lock = DirectoryLock(self._layout)
        # The stamp of the journal, which every write to the directory changes.
        self._stamp: Stamp = None
        self._written: dict[Path, str] = {}
        self._written_classifiers: dict[int, tuple[BoostedTrees, str]] = {}

    def load(self, known: HyperParameterList | None = None) -> tuple[SavedRun, Stamp]:
        """Reads the run that the directory holds, and the journal's stamp; see `loading.load`."""
        return loading.load(self._layout, known)

    def attach(self, stamp: Stamp) -> None:
        """Adopts the run that `load` returned with a stamp as this engine's own."""
        self._stamp, self.is_attached = stamp, True
        self._written, self._written_classifiers = {}, {}
        self.must_save = True

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Locks the directory for writing; the holder of the lock may enter again.

        Raises:
            DirectoryInUseError: If another engine holds it, or has written to it meanwhile.
            SaveDirectoryError: If it holds a run that this engine has not restored.
            OSError: If it cannot be written.
        """
        self._layout.refuse_links()
        for folder in (self._layout.datasets, self._layout.classifiers):
            files.make_folder(folder)
        with self._lock.held():
            self._check_ours()
            self._lock.sign()
            yield

    def _check_ours(self) -> None:
        if not self.is_attached and self._layout.holds_run():
            raise SaveDirectoryError(
                f"{str(self.path)!r} holds another run already, which would be lost. Call "
                "restore_data() to continue it, choose another save_dir, or remove the directory."
            )
        if self.is_attached and not self._layout.state.exists():
            # Somebody removed the run. Nothing is lost by writing all of it again.
            self.must_save = True
        elif self.is_attached and self._stamp != stamp_of(self._layout.journal):
            raise DirectoryInUseError(
                f"Another engine has written to {str(self.path)!r} since this one read or wrote "
                "it. Call restore_data() to take over what it did, or choose another save_dir."
            )

    def append_batch(self, batch: Batch) -> None:
        """Appends a batch that was drawn to the journal."""
        self._append([journal_records.batch_record(batch)])

    def append_scores(self, scores: Sequence[tuple[int, float, int | None]]) -> None:
        """Appends scores to the journal, each as (number, score, slot)."""
        self._append([journal_records.score_record(*score) for score in scores])

    def _append(self, records: list[dict[str, Any]]) -> None:
        with self._changing():
            journal.append_records(self._layout.journal, records)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Wraps a change; if it fails, the next change must be a whole save."""
        must_save, self.must_save = self.must_save, True
        try:
            yield
        finally:
            # Even if it failed, nobody else has written: the directory is locked.
            self._stamp = stamp_of(self._layout.journal)
        self.must_save = must_save

    def save(self, run: SavedRun) -> None:
        """Replaces the content of the directory.

        The state is written after all files that it names, and the journal is emptied last. So the
        directory can be restored after a crash between any two writes.

        Raises:
            OSError: If a file cannot be written; the previous save can still be restored.
        """
        # From its first file on, the directory is this engine's.
        self.is_attached = True
        with signals.whole(), self._changing():
            self._write_files(run)
        self.must_save = False

    def _write_files(self, run: SavedRun) -> None:
        layout = self._layout
        for folder in (layout.root, layout.datasets, layout.classifiers):
            files.remove_temporaries(folder)
        config = plain_values.to_json(run.space.get_config())
        parameters = json_file(config, "The search space")
        csv = run.dataset.to_bytes()
        complete = memoryview(csv)[: run.dataset.num_bytes(run.num_complete)]
        state = StateFile(
            objective=run.objective,
            method=run.method,
            classifier=run.classifier,
            total_budget=run.total_budget,
            num_batches=run.num_batches,
            entropy=run.entropy,
            is_seeded=run.is_seeded,
            num_complete=run.num_complete,
            csv_bytes=len(complete),
            csv_sha256=files.digest(complete),
            parameters_sha256=space_checksum(config),
            parameter_seeds=[parameter.seed for parameter in run.space],
            classifiers=[
                self._write_classifier(n, c) for n, c in enumerate(run.cascade.trees or [])
            ],
            stage_starts=run.stage_starts,
        )
        self._write(layout.parameters, parameters)
        self._write(layout.csv, csv)
        self._write(layout.state, encode_state(state))
        journal.replace_records(layout.journal, journal_records.of_open_batch(run))

    def _write_classifier(self, number: int, classifier: BoostedTrees) -> str:
        """Writes a classifier unless it is there; returns its checksum."""
        path = self._layout.classifier(number)
        written = self._written_classifiers.get(number)
        # A classifier never changes, and takes long to encode.
        if written is not None and written[0] is classifier and path.exists():
            return written[1]
        data = classifier.to_bytes()
        checksum = files.digest(data)
        self._write(path, data)
        self._written_classifiers[number] = classifier, checksum
        return checksum

    def _write(self, path: Path, data: bytes) -> None:
        """Writes a file unless this engine has written the same content there."""
        checksum = files.digest(data)
        if self._written.get(path) != checksum or not path.exists():
            files.write_atomically(path, data)
            self._written[path] = checksum
