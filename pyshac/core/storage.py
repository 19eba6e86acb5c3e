"""The save directory: everything that a search needs to go on, and that users may read.

    datasets/dataset.csv      every scored sample
    datasets/parameters.json  the search space
    classifiers/NN.ubj        the cascade, in XGBoost's own format
    state.json                the rest; it names the other files' checksums and is written last
    journal.jsonl             what came after the last save

Directories of PySHAC 0.1 to 0.3 have no state.json; their classifiers.pkl is never opened.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import filelock

from pyshac.core import files, journal, plain
from pyshac.core.classifier import BoostedTrees
from pyshac.core.dataset import Dataset, read_parameters
from pyshac.core.errors import DirectoryInUseError, SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search import Batch, Search

FORMAT = 1


@dataclass
class State:
    """What `state.json` holds.

    Attributes:
        objective: 'max' or 'min'.
        total_budget: N of the engine that saved.
        num_batches: M of the engine that saved.
        entropy: What all random streams of the run come from.
        is_seeded: Whether a user chose it.
        num_complete: Samples in finished batches.
        stage_start: Number of the first sample drawn since the last classifier.
        csv_bytes: Length of the part of dataset.csv with the samples of finished batches.
        csv_sha256: Its checksum.
        parameters_sha256: Checksum of parameters.json but for its seeds.
        classifiers: Checksums of the classifiers' files, in order.
        format: Version of this format.
    """

    objective: str
    total_budget: int
    num_batches: int
    entropy: int
    is_seeded: bool
    num_complete: int
    stage_start: int
    csv_bytes: int
    csv_sha256: str
    parameters_sha256: str
    classifiers: list[str] = field(default_factory=list)
    format: int = FORMAT


@dataclass
class SavedRun:
    """What a save directory held.

    Attributes:
        search: The run; its cascade is empty if the directory is of an earlier PySHAC.
        is_seeded: Whether a user chose its seed.
        is_legacy: Whether the directory is of an earlier PySHAC, without state and classifiers.
        journal_seen: What tells whether the directory was written to since.
    """

    search: Search
    is_seeded: bool = False
    is_legacy: bool = False
    journal_seen: tuple[int, int] | None = None


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
        self._journal_seen: tuple[int, int] | None = None
        self._written: dict[str, str] = {}
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

    def _classifier(self, number: int) -> Path:
        return self.path / "classifiers" / f"{number:02d}.ubj"

    def holds_run(self) -> bool:
        """Says whether a run was saved here; one that ended before its first save holds nothing."""
        if self._state.exists() or not self._csv.exists():
            return self._state.exists()
        data = files.read_bounded(self._csv, files.MAX_CSV_BYTES)
        has_header_only = data.count(b"\n") == 1 and data.endswith(b"\n")
        return not has_header_only

    # Writing

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the directory for writing; may be entered again by its holder.

        Raises:
            DirectoryInUseError: If another engine holds it, or has written to it meanwhile.
            SaveDirectoryError: If it holds a run that this engine has not restored.
            OSError: If it cannot be written.
        """
        for folder in ("datasets", "classifiers"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        try:
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
            self._lock.release()

    def _own_name(self) -> bytes:
        holder = {"process": os.getpid(), "host": socket.gethostname()}
        return json.dumps(holder).encode()

    def _read_holder(self) -> str:
        try:
            holder = json.loads(files.read_bounded(self._holder, 4096))
            return f"process {int(holder['process'])} on host {str(holder['host'])[:99]!r}"
        except (OSError, ValueError, TypeError, KeyError):
            return "process unknown"

    def _check_ours(self) -> None:
        if not self.is_attached and self.holds_run():
            raise SaveDirectoryError(
                f"{str(self.path)!r} holds a run of its own already, which would be lost. Call "
                "restore_data() to continue it, choose another save_dir, or remove the directory."
            )
        if self.is_attached and self._journal_seen != self._look_at_journal():
            raise DirectoryInUseError(
                f"Another engine has written to {str(self.path)!r} since this one read or wrote "
                "it. Call restore_data() to take over what it did, or choose another save_dir."
            )

    def _look_at_journal(self) -> tuple[int, int] | None:
        """What tells whether somebody else wrote: every write changes inode or length."""
        try:
            status = self._journal.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_size

    def begin_batch(self, batch: Batch) -> None:
        """Notes that a batch was drawn."""
        self._append([_batch_record(batch)])

    def record(self, scores: Sequence[tuple[int, float, int | None]]) -> None:
        """Notes scores, each as (number, score, slot), so that a crash no longer loses them."""
        self._append([_score_record(*score) for score in scores])

    def _append(self, records: list[dict[str, Any]]) -> None:
        journal.append(self._journal, records)
        self._journal_seen = self._look_at_journal()

    def save(self, search: Search, total_budget: int, num_batches: int, is_seeded: bool) -> None:
        """Replaces what the directory holds by the run as it is now.

        The state is written after all that it names, and the journal is emptied last: whichever
        write is the last before a crash, what is there restores.

        Raises:
            OSError: If a file cannot be written; what was saved before still restores.
        """
        if self.must_save:
            for folder in (self.path, self._csv.parent, self.path / "classifiers"):
                files.remove_temporaries(folder)
        config = plain.to_json(search.space.get_config())
        parameters = json.dumps(config, indent=4, ensure_ascii=False).encode("utf-8")
        complete = search.dataset.to_csv(search.num_complete).encode("utf-8")
        state = State(
            objective=search.objective,
            total_budget=total_budget,
            num_batches=num_batches,
            entropy=search.entropy,
            is_seeded=is_seeded,
            num_complete=search.num_complete,
            stage_start=search.stage_start,
            csv_bytes=len(complete),
            csv_sha256=files.digest(complete),
            parameters_sha256=_space_checksum(config),
            classifiers=[self._write_classifier(n, c) for n, c in enumerate(search.cascade)],
        )
        self._write(self._parameters, parameters)
        self._write(self._csv, search.dataset.to_csv().encode("utf-8"))
        content = asdict(state)
        content["sha256"] = _checksum(content)
        self._write(self._state, json.dumps(content, indent=4).encode("utf-8"))
        journal.replace(self._journal, _journal_of(search))
        self._journal_seen = self._look_at_journal()
        self.is_attached, self.must_save = True, False

    def _write_classifier(self, number: int, classifier: BoostedTrees) -> str:
        data = classifier.to_bytes()
        self._write(self._classifier(number), data)
        return files.digest(data)

    def _write(self, path: Path, data: bytes) -> None:
        """Writes a file unless this engine has written just that there."""
        key, checksum = str(path), files.digest(data)
        if self._written.get(key) != checksum or not path.exists():
            files.write_atomically(path, data)
            self._written[key] = checksum

    # Reading

    def load(self) -> SavedRun:
        """Reads the run that the directory holds.

        Raises:
            FileNotFoundError: If it holds none.
            SaveDirectoryError: If a file is corrupt, or of a newer format; nothing is changed.
        """
        if not self.holds_run():
            raise FileNotFoundError(f"{str(self.path)!r} holds no saved search.")
        journal_seen = self._look_at_journal()
        try:
            run = self._load_current() if self._state.exists() else self._load_legacy()
        except FileNotFoundError as error:
            raise SaveDirectoryError(f"{str(error.filename)!r} is missing.") from None
        run.journal_seen = journal_seen
        return run

    def attach(self, run: SavedRun) -> None:
        """Takes a run that `load` returned as this engine's own, to be continued here."""
        self._journal_seen, self.is_attached, self._written = run.journal_seen, True, {}
        self.must_save = True

    def _load_legacy(self) -> SavedRun:
        dataset = Dataset.load_from_directory(self.path)
        if dataset.ids != list(range(len(dataset))):
            raise SaveDirectoryError(f"{str(self._csv)!r}: ids must be 0, 1, 2 and so on.")
        search = Search(_space(dataset), "max", 0, dataset)
        return SavedRun(search, is_legacy=True)

    def _load_current(self) -> SavedRun:
        state = self._read_state()
        self._check_parameters(state.parameters_sha256)
        self._check_csv(state.csv_sha256, state.csv_bytes)
        dataset = Dataset.load_from_directory(self.path)
        search = Search(
            _space(dataset),
            state.objective,
            state.entropy,
            _first_samples(dataset, state.num_complete, repr(str(self._csv))),
            num_complete=state.num_complete,
            stage_start=state.stage_start,
        )
        for number, checksum in enumerate(state.classifiers):
            search.cascade.append(self._read_classifier(number, checksum))
        for number, record in enumerate(journal.read(self._journal), 1):
            _replay(search, record, f"{str(self._journal)!r}, line {number}")
        return SavedRun(search, state.is_seeded)

    def _read_state(self) -> State:
        data = files.read_bounded(self._state, files.MAX_JSON_BYTES)
        source = repr(str(self._state))
        content = files.parse_json(files.decode_text(data, self._state), source)
        version = content.get("format") if isinstance(content, dict) else None
        if not isinstance(version, int):
            raise SaveDirectoryError(f"{source} is not the state of a search.")
        if version > FORMAT:
            raise SaveDirectoryError(
                f"{source} has format {version}, written by a newer PySHAC; "
                f"this one reads formats up to {FORMAT}."
            )
        if content.pop("sha256", None) != _checksum(content):
            raise SaveDirectoryError(f"{source} is corrupt: its checksum does not match.")
        return _checked_state(content, source)

    def _check_parameters(self, expected: str) -> None:
        source = repr(str(self._parameters))
        read_parameters(self._parameters)
        data = files.read_bounded(self._parameters, files.MAX_JSON_BYTES)
        config = files.parse_json(files.decode_text(data, self._parameters), source)
        if _space_checksum(config) != expected:
            raise SaveDirectoryError(f"{source} is corrupt: its checksum does not match.")

    def _check_csv(self, expected: str, length: int) -> None:
        data = files.read_bounded(self._csv, files.MAX_CSV_BYTES)[:length]
        if files.digest(data) != expected:
            raise SaveDirectoryError(f"{str(self._csv)!r} is corrupt: its checksum does not match.")

    def _read_classifier(self, number: int, checksum: str) -> BoostedTrees:
        path = self._classifier(number)
        data = files.read_bounded(path, files.MAX_JSON_BYTES)
        # Only bytes that this library wrote reach XGBoost's reader.
        if files.digest(data) != checksum:
            raise SaveDirectoryError(f"{str(path)!r} is corrupt: its checksum does not match.")
        try:
            return BoostedTrees.from_bytes(data)
        except ValueError as error:
            raise SaveDirectoryError(f"{str(path)!r} is corrupt: {error}.") from None


def _space(dataset: Dataset) -> HyperParameterList:
    if dataset.parameters is None:
        raise SaveDirectoryError("The dataset has no search space.")
    return dataset.parameters


def _first_samples(dataset: Dataset, count: int, source: str) -> Dataset:
    """Returns the samples of finished batches; the others stand in the journal."""
    if dataset.ids[:count] != list(range(count)):
        raise SaveDirectoryError(f"{source} lacks samples: ids 0 to {count - 1} were expected.")
    first = Dataset(dataset.parameters)
    for number in range(count):
        first.add_sample(dataset.X[number], dataset.Y[number], number)
    return first


def _checksum(content: dict[str, Any]) -> str:
    return files.digest(json.dumps(content, sort_keys=True).encode("utf-8"))


def _space_checksum(config: dict[str, Any]) -> str:
    # A run that is seeded anew writes parameters.json before the state: a crash may come between.
    seedless = [
        [name, class_name, {key: arguments[key] for key in sorted(arguments) if key != "seed"}]
        for name, (class_name, arguments) in config.items()
    ]
    return files.digest(json.dumps(seedless).encode("utf-8"))


def _checked_state(content: dict[str, Any], source: str) -> State:
    example = State("", 1, 1, 0, False, 0, 0, 0, "", "")
    try:
        state = State(**content)
    except TypeError as error:
        raise SaveDirectoryError(f"{source} is not the state of a search: {error}.") from None
    for name, value in asdict(example).items():
        found = getattr(state, name)
        if type(found) is not type(value) or (isinstance(found, int) and found < 0):
            raise SaveDirectoryError(f"{source} has no valid {name!r}: {found!r}.")
    if state.objective not in ("max", "min") or not all(
        isinstance(item, str) for item in state.classifiers
    ):
        raise SaveDirectoryError(f"{source} is not the state of a search.")
    return state


def _journal_of(search: Search) -> list[dict[str, Any]]:
    """The records that lead from the last finished batch to where the run is now."""
    batch = search.batch
    if batch is None:
        return []
    scored = dict(zip(search.dataset.ids, search.dataset.Y, strict=True))
    scores = [_score_record(n, scored[n], worker) for n, worker in batch.worker_ids.items()]
    return [_batch_record(batch), *scores]


def _batch_record(batch: Batch) -> dict[str, Any]:
    return {"batch": batch.start, "rows": plain.to_json(batch.rows)}


def _score_record(number: int, score: float, worker_id: int | None) -> dict[str, Any]:
    return {"id": number, "score": None if math.isnan(score) else score, "worker": worker_id}


def _replay(search: Search, record: dict[str, Any], source: str) -> None:
    """Repeats what a record of the journal says, unless the last save has it already."""
    try:
        if "batch" in record:
            start, rows = record["batch"], plain.from_json(record["rows"])
            if start == search.num_complete:
                for row in rows:
                    search.space.encode(row)
                search.batch = Batch(start, rows)
            elif start > search.num_complete:
                raise ValueError(f"batch {start} follows sample {search.num_complete - 1}")
        elif (number := record["id"]) >= search.num_complete:
            if search.batch is None or number not in search.batch.ids:
                raise ValueError(f"sample {number} is in no batch")
            score = math.nan if record["score"] is None else record["score"]
            search.record(search.batch, number, score, record["worker"])
    except (KeyError, TypeError, ValueError) as error:
        raise SaveDirectoryError(f"{source} is corrupt: {error}.") from None
