"""`state.json`: its content, and how that is written and checked."""

from __future__ import annotations

import itertools
import json
import math
import reprlib
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pyshac.core.basics import files
from pyshac.core.basics.messages.printable import printable
from pyshac.core.dataset.formats.journal_file import MAX_RANKINGS
from pyshac.core.dataset.objective import OBJECTIVES
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.search.method import METHODS
from pyshac.core.search.paces.pace import BATCH, PACES
from pyshac.core.search.schedule import Schedule

FORMAT = 2
# What PySHAC 1.0.0, which wrote format 1, did not save; 0 is an unknown number.
_SINCE_FORMAT_2 = {"max_classifiers": 0, "has_scaled_features": False, "num_drawn": 0}


# Left out by default.
_OPTIONAL = {
    "constraints_sha256", "pace", "open_batches", "draws_bytes", "draws_sha256", "curves_bytes",
    "curves_sha256", "is_exhausted",
}  # fmt: skip


@dataclass
class StateFile:
    """The content of `state.json`.

    Attributes:
        objective: 'max' or 'min'.
        method: 'default' or 'paper'.
        classifier: Name of the user's kind of classifier; empty for the library's own.
        total_budget: N of the engine that saved.
        num_batches: M of the engine that saved.
        batch_size: W of that engine, which PySHAC 1.0 did not save: N / M.
        max_classifiers: Largest number of classifiers to train; 0 if not known.
        entropy: The seed of all random streams.
        is_seeded: Whether a user chose the seed.
        num_complete: Number of samples in closed batches.
        num_drawn: Number of samples in closed batches and the open one; 0 if not known.
        csv_bytes: Length of the part of dataset.csv that holds the samples of closed batches.
        csv_sha256: Checksum of that part.
        evaluations_bytes: Length of the part of evaluations.jsonl that belongs to these samples.
        evaluations_sha256: Checksum of that part; empty if there is no such file.
        curves_bytes: Length of the part of curves.jsonl that belongs to these samples.
        curves_sha256: Checksum of that part; empty if none of them has a curve. Then both are left
            out.
        parameters_sha256: Checksum of parameters.json without its seeds.
        constraints_sha256: Checksum of constraints.json; empty, and left out, without that file.
        parameter_seeds: The parameters' own seeds, in order; None for a parameter without one.
        classifiers: Checksums of the classifiers' files, in order; empty for a user's kind.
        stage_starts: Number of the first sample drawn after each classifier, ascending.
        stage_end: Number of samples when the last classifier was trained or refused; without it,
            `num_complete`.
        chosen: How many samples each ranking has chosen; see `Shares`.
        good: What these samples were worth.
        added_since: Number of complete samples when each sample from elsewhere was added.
        added_bytes: Length of the part of added.csv that holds these samples.
        added_sha256: Checksum of that part; empty if there are none.
        enqueued: Each sample that was enqueued: the parameters that were given, and the row.
        num_taken: Number of those in closed batches.
        refused: Number of classifiers that were refused, by reason.
        is_exhausted: Whether all points of the search space are evaluated; left out if not.
        has_scaled_features: Whether classifiers see values scaled by the prior; not in runs that
            PySHAC 1.0 began.
        pace: 'batch', 'pipeline' or 'stream'; left out if it is 'batch'.
        open_batches: The largest number of open batches, unless it is a stream; left out with it.
        draws_bytes: Length of the part of draws.jsonl that belongs to closed batches; left out
            without that file.
        draws_sha256: Checksum of that part.
        format: Version of this format.
    """

    objective: str
    method: str
    classifier: str
    total_budget: int
    num_batches: int
    batch_size: int
    max_classifiers: int
    entropy: int
    is_seeded: bool
    num_complete: int
    num_drawn: int
    csv_bytes: int
    csv_sha256: str
    parameters_sha256: str
    parameter_seeds: list[int | None] = field(default_factory=list)
    classifiers: list[str] = field(default_factory=list)
    stage_starts: list[int] = field(default_factory=list)
    stage_end: int = 0
    chosen: list[float] = field(default_factory=list)
    good: list[float] = field(default_factory=list)
    added_since: list[int] = field(default_factory=list)
    added_bytes: int = 0
    added_sha256: str = ""
    enqueued: list[Any] = field(default_factory=list)
    num_taken: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    is_exhausted: bool = False
    has_scaled_features: bool = True
    evaluations_bytes: int = 0
    evaluations_sha256: str = ""
    constraints_sha256: str = ""
    pace: str = BATCH
    open_batches: int = 1
    draws_bytes: int = 0
    draws_sha256: str = ""
    curves_bytes: int = 0
    curves_sha256: str = ""
    format: int = FORMAT


def encode_state(state: StateFile) -> bytes:
    """Returns the content of `state.json`.

    Raises:
        SaveDirectoryError: If it is too large to be read again.
    """
    content = {key: value for key, value in asdict(state).items() if _is_written(key, state)}
    content["sha256"] = checksum(content)
    return files.encode_json(content, "The state of the search")


def _is_written(key: str, state: StateFile) -> bool:
    """Returns whether a value is in the file."""
    default = next(each.default for each in fields(StateFile) if each.name == key)
    return key not in _OPTIONAL or getattr(state, key) != default


def decode_state(text: str, source: str) -> StateFile:
    """Returns the state that `encode_state` wrote.

    Raises:
        SaveDirectoryError: If it is corrupt, or of a newer format.
    """
    content = files.parse_json(text, source)
    version = content.get("format") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise SaveDirectoryError(f"{source} is not the state of a search.")
    if version > FORMAT:
        raise SaveDirectoryError(
            f"{source} has format {version}, written by a newer PySHAC; "
            f"this one reads formats up to {FORMAT}."
        )
    if content.pop("sha256", None) != checksum(content):
        raise SaveDirectoryError(f"{source} is corrupt: its checksum does not match.")
    if version == 1:
        content = {**_SINCE_FORMAT_2, "batch_size": _batch_size_of(content), **content}
    return _checked_state({"stage_end": content.get("num_complete"), **content}, source)


def checksum(content: dict[str, Any]) -> str:
    """Returns the checksum of the content of `state.json` without that checksum."""
    return files.digest(json.dumps(content, sort_keys=True).encode("utf-8"))


def space_checksum(config: dict[str, Any]) -> str:
    """Returns the checksum of the content of `parameters.json` without its seeds."""
    # The state holds the seeds that count: a run that is seeded anew writes parameters.json first,
    # and a crash may come before the state is written.
    seedless = [
        [name, class_name, {key: arguments[key] for key in sorted(arguments) if key != "seed"}]
        + conditions
        for name, (class_name, arguments, *conditions) in config.items()
    ]
    return files.digest(json.dumps(seedless).encode("utf-8"))


def _checked_state(content: dict[str, Any], source: str) -> StateFile:
    example = StateFile("", "", "", 1, 1, 1, 0, 0, False, 0, 0, 0, "", "")
    try:
        state = StateFile(**content)
    except TypeError as error:
        problem = printable(str(error))
        raise SaveDirectoryError(f"{source} is not the state of a search: {problem}.") from None
    for name, value in asdict(example).items():
        found = getattr(state, name)
        if type(found) is not type(value) or (isinstance(found, int) and found < 0):
            raise SaveDirectoryError(f"{source} has no valid {name!r}: {reprlib.repr(found)}.")
    seeds_are_valid = all(
        seed is None or (type(seed) is int and seed >= 0) for seed in state.parameter_seeds
    )
    classifiers_are_valid = all(isinstance(item, str) for item in state.classifiers)
    is_valid = seeds_are_valid and classifiers_are_valid and _has_valid_stages(state)
    is_valid = is_valid and _has_valid_shares(state) and _has_valid_samples(state)
    is_valid = is_valid and all(type(each) is int and each > 0 for each in state.refused.values())
    try:
        schedule = Schedule(state.total_budget, state.batch_size)
    except ValueError as error:
        raise SaveDirectoryError(f"{source} is not the state of a search: {error}") from None
    is_valid = is_valid and schedule.num_batches == state.num_batches
    is_known = state.objective in OBJECTIVES and state.method in METHODS and state.pace in PACES
    is_valid = is_valid and state.open_batches > 0
    if not (is_known and is_valid):
        raise SaveDirectoryError(f"{source} is not the state of a search.")
    return state


def _batch_size_of(content: dict[str, Any]) -> Any:
    """Returns W of a state of format 1."""
    try:
        return Schedule.in_batches(content["total_budget"], content["num_batches"]).batch_size
    except (KeyError, TypeError, ValueError):
        # It is refused with the rest, by its own name.
        return 0


def _has_valid_stages(state: StateFile) -> bool:
    starts = state.stage_starts
    return (
        len(state.classifiers) == (0 if state.classifier else len(starts))
        and all(type(start) is int and 0 < start <= state.num_complete for start in starts)
        and all(before < after for before, after in itertools.pairwise(starts))
        and max(starts, default=0) <= state.stage_end <= state.num_complete
    )


def _has_valid_samples(state: StateFile) -> bool:
    since = state.added_since
    return (
        all(type(start) is int and 0 <= start <= state.num_complete for start in since)
        and all(before <= after for before, after in itertools.pairwise(since))
        and state.num_taken <= len(state.enqueued)
    )


def _has_valid_shares(state: StateFile) -> bool:
    numbers = [*state.chosen, *state.good]
    are_valid = all(type(number) is float and 0 <= number < math.inf for number in numbers)
    return are_valid and len(state.chosen) == len(state.good) <= MAX_RANKINGS
