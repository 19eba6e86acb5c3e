"""SaveDirectory: writes a run to disk, and appends events to its journal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

from pyshac.core.basics import files, plain_values, signals
from pyshac.core.basics.paths import absolute_path
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset.formats.constraints_file import encode_constraints
from pyshac.core.errors import DirectoryInUseError, SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.batch import Batch
from pyshac.core.search.schedule import Schedule
from pyshac.core.storage import former_run, journal, journal_records, loading
from pyshac.core.storage.directory_lock import DirectoryLock
from pyshac.core.storage.layout import Layout, Place, Stamp, place_of, stamp_of
from pyshac.core.storage.saved_run import SavedRun
from pyshac.core.storage.state_file import StateFile, encode_state, space_checksum
from pyshac.core.storage.written_files import WrittenFiles

DEFAULT_PATH = "shac"


class SaveDirectory:
    """A save directory, read and written by one engine, in the process that opens it first.

    Args:
        path: The directory; it need not exist.

    Attributes:
        path: The directory, as an absolute path.
        is_attached: Whether the directory holds this engine's run.
        caller: Name of the engine's class, for an error that shows the call to make.
        must_save: Whether the next write must be a whole save: of a new or restored run, or after
            a write that failed.
        has_failed: Whether the last write failed.
        keeps_former: Whether the next save keeps the run that the directory holds, in a folder of
            its own.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = absolute_path("save_dir", DEFAULT_PATH if path in (None, "") else path)
        self.is_attached = False
        self.must_save = True
        self.has_failed = False
        self.caller = "SHAC"
        self._layout = Layout(self.path)
        self._lock: DirectoryLock | None = None
        self._place: Place = None
        # The stamp of the journal, which every write to the directory changes.
        self._stamp: Stamp = None
        self._written = WrittenFiles(self._layout)
        self.keeps_former = False

    def holds_run(self) -> bool:
        """Returns whether the directory holds a run."""
        return former_run.readable(self._layout).holds_run()

    def load(self, known: HyperParameterList | None = None) -> tuple[SavedRun, Stamp]:
        """Reads the run that the directory holds, and the journal's stamp; see `loading.load`."""
        return loading.load(self._layout, known)

    def attach(self, stamp: Stamp, is_between_batches: bool = False) -> None:
        """Adopts the run that `load` returned with a stamp as this engine's own.

        If nobody else writes to the directory, what a killed writer left there is removed: a run
        whose budget is spent never saves again.

        Args:
            stamp: The stamp.
            is_between_batches: Whether the run has no open batch, so that it needs no journal.
        """
        self._lock = DirectoryLock(self._layout)
        self._stamp, self.is_attached = stamp, True
        self._place, self._written = place_of(self.path), WrittenFiles(self._layout)
        self.must_save = True
        # Reading needs no permission to write.
        with contextlib.suppress(OSError, SaveDirectoryError):
            self._tidy(self._lock, is_between_batches and stamp is not None and stamp[1] > 0)

    def _tidy(self, lock: DirectoryLock, is_journal_spent: bool) -> None:
        layout = self._layout
        layout.refuse_links()
        if not is_journal_spent and not any(map(files.temporaries_in, layout.folders)):
            return
        with lock.held():
            if self._stamp != stamp_of(layout.journal):
                return
            for folder in layout.folders:
                files.remove_temporaries(folder)
            if is_journal_spent:
                journal.replace_records(layout.journal, [])
                self._stamp = stamp_of(layout.journal)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Locks the directory for writing; the holder of the lock may enter again.

        Raises:
            DirectoryInUseError: If another engine holds it, or has written to it meanwhile, or the
                process that writes to it is one from which this one was forked.
            SaveDirectoryError: If it holds a run that this engine has not restored, or is another
                directory than before.
            OSError: If it cannot be written.
        """
        if self._lock is None:
            self._lock = DirectoryLock(self._layout)
        elif not self._lock.is_own:
            raise self._lock.refusal_of_fork()
        self._layout.refuse_links()
        self._check_place()
        for folder in (self._layout.datasets, self._layout.classifiers):
            files.make_folder(folder)
        with self._lock.held():
            self._check_ours()
            self._place = place_of(self.path)
            self._lock.sign()
            yield

    def _check_place(self) -> None:
        """Raises `SaveDirectoryError` if another directory stands where this engine has written."""
        place = place_of(self.path)
        # Some network file systems number their inodes anew, but would not do so with all of them.
        is_moved = place not in (None, self._place) and self._place is not None
        if is_moved and self._stamp != stamp_of(self._layout.journal):
            raise SaveDirectoryError(
                f"{str(self.path)!r} is another directory than the one to which this engine has "
                "written: that one was moved or replaced. Nothing is lost: put it back, or set "
                "save_dir to an empty directory and call save_data()."
            )

    def refuse_another_run(self) -> None:
        """Raises `SaveDirectoryError` if the directory holds a run that is not this engine's."""
        if not self.is_attached and self.holds_run():
            raise SaveDirectoryError(
                f"{str(self.path)!r} holds another run already. Continue it by "
                f"{self.caller}(..., resume=True), or choose another save_dir."
            )

    def _check_ours(self) -> None:
        self.refuse_another_run()
        if self.is_attached and not self.holds_run():
            # Somebody removed the run. Nothing is lost by writing all of it again.
            self.must_save = True
        elif self.is_attached and self._stamp != stamp_of(self._layout.journal):
            raise DirectoryInUseError(
                f"Another engine has written to {str(self.path)!r} since this one read or wrote "
                "it. Call restore_data() to take over what it did, or choose another save_dir."
            )
        elif not self._written.are_intact:
            self.must_save = True

    def append_batch(self, batch: Batch) -> None:
        """Appends a batch that was drawn to the journal."""
        self._append([journal_records.batch_record(batch)])

    def append_scores(
        self, scores: Sequence[tuple[int, float, Details]], skip_cv_checks: bool = False
    ) -> None:
        """Appends scores to the journal, each as (number, score, details)."""
        self._append([journal_records.score_record(*score, skip_cv_checks) for score in scores])

    def _append(self, records: list[dict[str, Any]]) -> None:
        if self._lock is not None and not self._lock.is_own:
            raise self._lock.refusal_of_fork()
        with self._changing():
            journal.append_records(self._layout.journal, records)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Wraps a change; if it fails, the next change must be a whole save."""
        must_save, self.must_save, self.has_failed = self.must_save, True, True
        self._layout.refuse_links()
        self._check_place()
        try:
            yield
        finally:
            # Even if it failed, nobody else has written: the directory is locked.
            self._stamp = stamp_of(self._layout.journal)
        self.must_save, self.has_failed = must_save, False

    def save(self, run: SavedRun) -> None:
        """Replaces the content of the directory.

        The state is written after all files that it names, and the journal is emptied last. So the
        directory can be restored after a crash between any two writes.

        A process that was forked inside `writing`, and is leaving it, saves nothing: its memory is
        older than the directory.

        Raises:
            OSError: If a file cannot be written; the previous save can still be restored.
        """
        if self._lock is not None and not self._lock.is_own:
            return
        with signals.whole(), self._changing():
            # From its first file on, the directory is this engine's.
            self.is_attached = True
            if self.keeps_former:
                former_run.keep(self._layout)
            self._write_files(run)
            parts = (
                (self._layout.added, len(run.added)),
                (self._layout.constraints, len(run.space.constraints)),
                (self._layout.draws, len(run.draws)),
                (self._layout.curves, run.dataset.details.curves.num_curves),
            )
            unused = [path for path, number in parts if not number]
            former_run.replaced(self._layout, len(run.cascade), unused)
            self.keeps_former = False
        self.must_save = False

    def _write_files(self, run: SavedRun) -> None:
        layout, written = self._layout, self._written
        for folder in layout.folders:
            files.remove_temporaries(folder)
        config = plain_values.to_json(run.space.get_config())
        written.write(layout.parameters, files.encode_json(config, "The search space"))
        sha256 = ""
        if run.space.constraints:
            sha256 = written.write(layout.constraints, encode_constraints(run.space.constraints))
        state = StateFile(
            objective=run.objective,
            method=run.method,
            classifier=run.classifier,
            total_budget=run.total_budget,
            num_batches=Schedule(run.total_budget, run.batch_size).num_batches,
            batch_size=run.batch_size,
            max_classifiers=run.max_classifiers,
            entropy=run.entropy,
            is_seeded=run.is_seeded,
            num_complete=run.num_complete,
            num_drawn=max(run.num_complete, run.open.stop),
            **self._write_samples(run),
            parameters_sha256=space_checksum(config),
            constraints_sha256=sha256,
            parameter_seeds=[parameter.seed for parameter in run.space],
            classifiers=[
                written.write_classifier(layout.classifier(number), classifier)
                for number, classifier in enumerate(run.cascade.trees or [])
            ],
            stage_starts=run.stage_starts,
            stage_end=run.stage_end,
            chosen=run.shares.chosen,
            good=run.shares.good,
            **self._write_given(run),
            refused=run.refused,
            is_exhausted=run.is_exhausted,
            has_scaled_features=run.cascade.features.are_scaled,
            **self._write_draws(run),
        )
        written.write(layout.state, encode_state(state))
        journal.replace_records(layout.journal, journal_records.of_open_batches(run))

    def _write_samples(self, run: SavedRun) -> dict[str, Any]:
        """Writes the samples and their details; returns what the state has of closed batches."""
        csv, evaluations = run.dataset.to_bytes(), run.dataset.details.to_bytes()
        complete = memoryview(csv)[: run.dataset.num_bytes(run.num_complete)]
        closed = memoryview(evaluations)[: run.dataset.details.num_bytes(run.num_complete)]
        # First the details: who reads the samples first finds those of all of them.
        of_curves = self._write_curves(run)
        self._written.write(self._layout.evaluations, evaluations)
        self._written.write(self._layout.csv, csv)
        return {
            "csv_bytes": len(complete),
            "csv_sha256": files.digest(complete),
            "evaluations_bytes": len(closed),
            "evaluations_sha256": files.digest(closed),
            **of_curves,
        }

    def _write_curves(self, run: SavedRun) -> dict[str, Any]:
        """Writes the curves, if there are any; returns what the state has of closed batches."""
        table = run.dataset.details.curves
        if not table.num_curves:
            return {}
        curves = table.to_bytes()
        self._written.write(self._layout.curves, curves)
        closed = memoryview(curves)[: table.num_bytes(run.num_complete)]
        return (
            {"curves_bytes": len(closed), "curves_sha256": files.digest(closed)} if closed else {}
        )

    def _write_given(self, run: SavedRun) -> dict[str, Any]:
        """Writes the samples from elsewhere; returns their part of the state, and the queue's."""
        content: dict[str, Any] = {
            "enqueued": [
                plain_values.to_json([each.given, each.row]) for each in run.queue.samples
            ],
            "num_taken": run.queue.num_taken,
        }
        if len(run.added):
            csv = run.added.dataset.to_bytes()
            content |= {"added_since": run.added.since, "added_bytes": len(csv)}
            content["added_sha256"] = self._written.write(self._layout.added, csv)
        return content

    def _write_draws(self, run: SavedRun) -> dict[str, Any]:
        """Writes what samples of a stream were drawn from; returns the pace's part of the state."""
        content: dict[str, Any] = {"pace": run.pace, "open_batches": run.open_batches}
        if len(run.draws):
            lines = run.draws.to_bytes()
            content["draws_bytes"] = len(lines)
            content["draws_sha256"] = self._written.write(self._layout.draws, lines)
        return content
