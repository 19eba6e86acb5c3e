"""The save directory: everything that a search needs to go on, and that users may read.

    datasets/dataset.csv      every scored sample
    datasets/parameters.json  the search space
    classifiers/NN.ubj        the cascade, in XGBoost's own format
    state.json                the rest; it names the other files' checksums and is written last
    journal.jsonl             what came after the last save
    lock, lock.json           held by the process that is writing, and who that is

Directories of PySHAC 0.1 to 0.3 have no state.json; their classifiers.pkl is never opened.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from pyshac.core.basics import files, plain_values, signals
from pyshac.core.classifiers import untrusted_models, user_classifier
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.dataset.dataset import Dataset
from pyshac.core.dataset.parameters_file import build_space, read_config
from pyshac.core.errors import DirectoryInUseError, SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.batch import Batch
from pyshac.core.search.method import METHODS
from pyshac.core.search.search import Search
from pyshac.core.storage import journal, journal_records
from pyshac.core.storage.state_file import State, decode_state, encode_state, json_file

# How often a directory is read again that another engine writes to meanwhile.
MAX_READS = 20

# Inode, length and time of the last change of a file; None if it is not there.
Seen = tuple[int, int, int] | None


@dataclass
class SavedRun:
    """What a save directory held.

    Attributes:
        search: The run; its cascade is empty if the directory is of an earlier PySHAC.
        is_seeded: Whether a user chose its seed.
        is_legacy: Whether the directory is of an earlier PySHAC, without state and classifiers.
        classifier: Name of the user's kind of classifier, which is not saved: the cascade is empty,
            to be trained again. Empty for the library's own.
        seen: What tells whether the directory was written to since.
    """

    search: Search
    is_seeded: bool = False
    is_legacy: bool = False
    classifier: str = ""
    seen: Seen = None


class SaveDirectory:
    """One save directory, read and written by one engine.

    Args:
        path: The directory; it need not exist.

    Attributes:
        path: The directory.
        is_attached: Whether what the directory holds is this engine's run.
        must_save: Whether the next write has to be a whole save: of a new run, or of one that
            was restored from an older format or a torn journal.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.is_attached = False
        self.must_save = True
        self._seen: Seen = None
        self._written: dict[str, str] = {}
        self._written_classifiers: dict[int, tuple[BoostedTrees, str]] = {}
        self._lock = filelock.FileLock(self.path / "lock", thread_local=False)

    @property
    def _csv(self) -> Path:
        return self.path / "datasets" / "dataset.csv"

    @property
    def _parameters(self) -> Path:
        return self.path / "datasets" / "parameters.json"

    @property
    def _state(self) -> Path:
        return self.path / "state.json"

    @property
    def _journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def _holder(self) -> Path:
        return self.path / "lock.json"

    @property
    def _classifiers(self) -> Path:
        return self.path / "classifiers"

    def _classifier(self, number: int) -> Path:
        return self._classifiers / f"{number:02d}.ubj"

    def holds_run(self) -> bool:
        """Says whether a run was saved here; one that ended before its first save holds nothing."""
        self._refuse_links()
        if self._state.exists() or not self._csv.exists():
            return self._state.exists()
        with files.open_bounded(self._csv, files.MAX_CSV_BYTES) as file:
            header = file.readline(files.MAX_JSON_BYTES)
            return not header.endswith(b"\n") or file.read(1) != b""

    def _refuse_links(self) -> None:
        """Raises `SaveDirectoryError` if a part of the directory lies elsewhere."""
        for path in (self._csv.parent, self._classifiers, self._csv, self._parameters):
            files.refuse_link(path)
        for path in (self._state, self._journal, self._holder, self.path / "lock"):
            files.refuse_link(path)

    # Writing

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the directory for writing; may be entered again by its holder.

        Raises:
            DirectoryInUseError: If another engine holds it, or has written to it meanwhile.
            SaveDirectoryError: If it holds a run that this engine has not restored.
            OSError: If it cannot be written.
        """
        self._refuse_links()
        for folder in (self._csv.parent, self._classifiers):
            files.make_folder(folder)
        try:
            with files.naming(self.path / "lock"):
                self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise DirectoryInUseError(
                f"{str(self.path)!r} is being written by another engine ({self._read_holder()}). "
                "Wait for it, or choose another save_dir."
            ) from None
        try:
            self._check_ours()
            if self._lock.lock_counter == 1:
                files.write_atomically(self._holder, self._own_name())
            yield
        finally:
            with files.naming(self.path / "lock"):
                self._lock.release()

    def _own_name(self) -> bytes:
        holder = {"process": os.getpid(), "host": socket.gethostname()}
        return json.dumps(holder).encode()

    def _read_holder(self) -> str:
        try:
            holder = json.loads(files.read_bounded(self._holder, 4096))
            return f"process {holder['process']:d} on host {str(holder['host'])[:99]!r}"
        except (OSError, ValueError, TypeError, KeyError):
            return "process unknown"

    def _check_ours(self) -> None:
        if not self.is_attached and self.holds_run():
            raise SaveDirectoryError(
                f"{str(self.path)!r} holds another run already, which would be lost. Call "
                "restore_data() to continue it, choose another save_dir, or remove the directory."
            )
        if self.is_attached and not self._state.exists():
            # Somebody removed the run. Nothing is lost by writing all of it again.
            self.must_save = True
        elif self.is_attached and self._seen != self._look_at_journal():
            raise DirectoryInUseError(
                f"Another engine has written to {str(self.path)!r} since this one read or wrote "
                "it. Call restore_data() to take over what it did, or choose another save_dir."
            )

    def _look_at_journal(self) -> Seen:
        """What tells whether somebody else wrote: every write to the directory changes it."""
        return _look(self._journal)

    def begin_batch(self, batch: Batch) -> None:
        """Notes that a batch was drawn."""
        self._append([journal_records.batch_record(batch)])

    def record(self, scores: Sequence[tuple[int, float, int | None]]) -> None:
        """Notes scores, each as (number, score, slot), so that a crash no longer loses them."""
        self._append([journal_records.score_record(*score) for score in scores])

    def _append(self, records: list[dict[str, Any]]) -> None:
        with self._changing():
            journal.append(self._journal, records)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """After a change that fails, the next one has to be a whole save."""
        must_save, self.must_save = self.must_save, True
        try:
            yield
        finally:
            # Whatever has become of it, nobody else was at it: the directory is locked.
            self._seen = self._look_at_journal()
        self.must_save = must_save

    def save(self, search: Search, total_budget: int, num_batches: int, is_seeded: bool) -> None:
        """Replaces what the directory holds by the run as it is now.

        The state is written after all that it names, and the journal is emptied last: whichever
        write is the last before a crash, what is there restores.

        Raises:
            OSError: If a file cannot be written; what was saved before still restores.
        """
        # From its first file on, what is there is this engine's.
        self.is_attached = True
        with signals.whole(), self._changing():
            self._save(search, total_budget, num_batches, is_seeded)
        self.must_save = False

    def _save(self, search: Search, total_budget: int, num_batches: int, is_seeded: bool) -> None:
        for folder in (self.path, self._csv.parent, self._classifiers):
            files.remove_temporaries(folder)
        config = plain_values.to_json(search.space.get_config())
        parameters = json_file(config, "The search space")
        complete = search.dataset.to_bytes(search.num_complete)
        state = State(
            objective=search.objective,
            method=search.method.name,
            classifier=user_classifier.name_of(search.estimator),
            total_budget=total_budget,
            num_batches=num_batches,
            entropy=search.entropy,
            is_seeded=is_seeded,
            num_complete=search.num_complete,
            csv_bytes=len(complete),
            csv_sha256=files.digest(complete),
            parameters_sha256=_space_checksum(config),
            parameter_seeds=[parameter.seed for parameter in search.space],
            classifiers=[
                self._write_classifier(n, c) for n, c in enumerate(search.cascade.trees or [])
            ],
            stage_starts=search.stage_starts,
        )
        self._write(self._parameters, parameters)
        self._write(self._csv, search.dataset.to_bytes())
        self._write(self._state, encode_state(state))
        journal.replace(self._journal, journal_records.of_batch(search))

    def _write_classifier(self, number: int, classifier: BoostedTrees) -> str:
        path = self._classifier(number)
        written = self._written_classifiers.get(number)
        # It never changes, and takes long to encode.
        if written is not None and written[0] is classifier and path.exists():
            return written[1]
        data = classifier.to_bytes()
        checksum = files.digest(data)
        self._write(path, data)
        self._written_classifiers[number] = classifier, checksum
        return checksum

    def _write(self, path: Path, data: bytes) -> None:
        """Writes a file unless this engine has written just that there."""
        key, checksum = str(path), files.digest(data)
        if self._written.get(key) != checksum or not path.exists():
            files.write_atomically(path, data)
            self._written[key] = checksum

    # Reading

    def load(self, known: HyperParameterList | None = None) -> SavedRun:
        """Reads the run that the directory holds.

        Args:
            known: The user's own parameters, which stand in for equal ones of the directory: a
                file may only ask for what does not take long to build.

        Raises:
            FileNotFoundError: If it holds none.
            SaveDirectoryError: If a file is corrupt, or of a newer format; nothing is changed.
        """
        if not self.holds_run():
            raise FileNotFoundError(f"{str(self.path)!r} holds no saved search.")
        for _ in range(MAX_READS):
            before = self._look_at_files()
            try:
                run, error = self._load(known), None
            except SaveDirectoryError as caught:
                error = caught
            # Another engine may have saved meanwhile: what was read is partly old, partly new.
            if self._look_at_files()[0] != before[0]:
                continue
            if error is not None:
                raise error
            run.seen = before[1]
            return run
        raise DirectoryInUseError(
            f"{str(self.path)!r} could not be read: another engine ({self._read_holder()}) saves "
            "to it all the time. Try again later."
        )

    def _look_at_files(self) -> tuple[Seen, Seen]:
        """What tells whether state and journal are other ones than before."""
        return _look(self._state), _look(self._journal)

    def _load(self, known: HyperParameterList | None) -> SavedRun:
        try:
            return self._load_current(known) if self._state.exists() else self._load_legacy(known)
        except FileNotFoundError as error:
            raise SaveDirectoryError(f"{str(error.filename)!r} is missing.") from None

    def attach(self, run: SavedRun) -> None:
        """Takes a run that `load` returned as this engine's own, to be continued here."""
        self._seen, self.is_attached = run.seen, True
        self._written, self._written_classifiers = {}, {}
        self.must_save = True

    def _load_legacy(self, known: HyperParameterList | None) -> SavedRun:
        space = build_space(read_config(self._parameters), self._parameters, known)
        dataset = Dataset.read(self._csv, space)
        if dataset.ids != list(range(len(dataset))):
            raise SaveDirectoryError(f"{str(self._csv)!r}: ids must be 0, 1, 2 and so on.")
        search = Search(space, "max", 0, dataset)
        return SavedRun(search, is_legacy=True)

    def _load_current(self, known: HyperParameterList | None) -> SavedRun:
        state = self._read_state()
        space = self._read_space(state.parameters_sha256, known)
        self._check_csv(state.csv_sha256, state.csv_bytes)
        dataset = Dataset.read(self._csv, space)
        search = Search(
            _seeded(space, state.parameter_seeds, repr(str(self._state))),
            state.objective,
            state.entropy,
            _first_samples(dataset, state.num_complete, repr(str(self._csv))),
            METHODS[state.method],
            num_complete=state.num_complete,
            stage_starts=state.stage_starts,
        )
        for number, checksum in enumerate(state.classifiers):
            columns = search.space.num_columns
            search.cascade.append(self._read_classifier(number, checksum, columns))
        for number, record in enumerate(journal.read(self._journal), 1):
            journal_records.replay(search, record, f"{str(self._journal)!r}, line {number}")
        return SavedRun(search, state.is_seeded, classifier=state.classifier)

    def _read_state(self) -> State:
        data = files.read_bounded(self._state, files.MAX_JSON_BYTES)
        return decode_state(files.decode_text(data, self._state), repr(str(self._state)))

    def _read_space(self, expected: str, known: HyperParameterList | None) -> HyperParameterList:
        config = read_config(self._parameters)
        space = build_space(config, self._parameters, known)
        if _space_checksum(config) != expected:
            raise SaveDirectoryError(
                f"{str(self._parameters)!r} is corrupt: its checksum does not match."
            )
        return space

    def _check_csv(self, expected: str, length: int) -> None:
        if files.digest_of_start(self._csv, length) != expected:
            raise SaveDirectoryError(f"{str(self._csv)!r} is corrupt: its checksum does not match.")

    def _read_classifier(self, number: int, checksum: str, columns: int) -> BoostedTrees:
        path = self._classifier(number)
        files.refuse_link(path)
        data = files.read_bounded(path, files.MAX_JSON_BYTES)
        if files.digest(data) != checksum:
            raise SaveDirectoryError(f"{str(path)!r} is corrupt: its checksum does not match.")
        try:
            return BoostedTrees.from_bytes(untrusted_models.checked(data, columns))
        except ValueError as error:
            raise SaveDirectoryError(f"{str(path)!r} is corrupt: {error}.") from None


def _seeded(
    space: HyperParameterList, seeds: Sequence[int | None], source: str
) -> HyperParameterList:
    """Gives the parameters of a space their own seeds."""
    if len(seeds) != len(space):
        raise SaveDirectoryError(f"{source} has {len(seeds)} seeds for {len(space)} parameters.")
    for parameter, seed in zip(space, seeds, strict=True):
        if parameter.seed != seed:
            parameter.set_seed(seed)
    return space


def _look(path: Path) -> Seen:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    # A file system may use the inode of a file that was replaced again.
    return status.st_ino, status.st_size, status.st_mtime_ns


def _first_samples(dataset: Dataset, count: int, source: str) -> Dataset:
    """Returns the samples of finished batches; the others stand in the journal."""
    if len(dataset) < count or dataset.ids[:count] != list(range(count)):
        raise SaveDirectoryError(f"{source} lacks samples: ids 0 to {count - 1} were expected.")
    dataset.cut(count)
    return dataset


def _space_checksum(config: dict[str, Any]) -> str:
    # A run that is seeded anew writes parameters.json before the state, and a crash may come
    # between: the seeds that count stand in the state.
    seedless = [
        [name, class_name, {key: arguments[key] for key in sorted(arguments) if key != "seed"}]
        for name, (class_name, arguments) in config.items()
    ]
    return files.digest(json.dumps(seedless).encode("utf-8"))
