"""Loading: reads a save directory into a `SavedRun`. Nothing is locked, changed or executed.

Another engine may save meanwhile. A search only grows, and every save writes the state before it
empties the journal. So the journal is read first, then the state, then the files that the state
names: these may be of any later save, since their first samples and classifiers stay the same. Of
what the journal lists, the state has all that it counts as complete. Only an open batch needs a
journal and a state of the same save.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyshac.core.basics import files, plain_values
from pyshac.core.basics.messages.printable import printable
from pyshac.core.basics.results.details import Details
from pyshac.core.classifiers import untrusted_models
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import Features
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats import journal_file
from pyshac.core.dataset.formats.constraints_file import read_constraints
from pyshac.core.dataset.formats.curves_file import read_curves, with_curves
from pyshac.core.dataset.formats.draws_file import DrawLog, read_draws
from pyshac.core.dataset.formats.evaluations_file import read_details
from pyshac.core.dataset.formats.parameters_file import build_space, read_config
from pyshac.core.dataset.reading import saved_details
from pyshac.core.errors import DirectoryInUseError, SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.space.frozen import FrozenHyperParameterList
from pyshac.core.hyperparameters.space.prior_scaling import PriorScaling
from pyshac.core.search.given.added import Added
from pyshac.core.search.given.queue import Enqueued, Queue
from pyshac.core.search.shares import Shares
from pyshac.core.storage import former_run, journal_records
from pyshac.core.storage.directory_lock import read_holder
from pyshac.core.storage.layout import Layout, Stamp, stamp_of
from pyshac.core.storage.saved_run import SavedRun
from pyshac.core.storage.state_file import StateFile, decode_state, space_checksum

# Number of times that a directory is read anew because another engine writes to it meanwhile.
MAX_READS = 20
# The pause after the first of them; later ones are longer.
PAUSE_SECONDS = 0.01


def load(layout: Layout, known: HyperParameterList | None = None) -> tuple[SavedRun, Stamp]:
    """Reads the run that a save directory holds.

    Args:
        layout: The files of the directory.
        known: The user's own parameters, which replace equal ones of the directory: a file may only
            name parameters that are quick to build.

    Returns:
        The run, and the stamp of the journal, which changes with every write to the directory.

    Raises:
        FileNotFoundError: If it holds no run.
        SaveDirectoryError: If a file is corrupt, or of a newer format.
    """
    layout, own = former_run.readable(layout), layout
    if not layout.holds_run():
        raise FileNotFoundError(f"{str(layout.root)!r} holds no saved search: check the path.")
    for number in range(MAX_READS):
        state, stamp = stamp_of(layout.state), stamp_of(own.journal)
        try:
            return _Reader(layout, known).read(), stamp
        except SaveDirectoryError:
            # If another engine has saved meanwhile, what was read is partly old, partly new.
            if stamp_of(layout.state) == state:
                raise
        time.sleep(number * PAUSE_SECONDS)
    raise DirectoryInUseError(
        f"{str(layout.root)!r} could not be read: another engine ({read_holder(layout)}) saves "
        "to it all the time. Try again later."
    )


class _Reader:
    """Reads the files of a save directory once.

    Args:
        layout: The files.
        known: The user's own parameters, or None.
    """

    def __init__(self, layout: Layout, known: HyperParameterList | None) -> None:
        self._layout = layout
        self._known = known

    def read(self) -> SavedRun:
        """Reads the run; raises `SaveDirectoryError` if a file is corrupt or missing."""
        try:
            return self._read_current() if self._layout.state.exists() else self._read_legacy()
        except FileNotFoundError as error:
            raise SaveDirectoryError(f"{str(error.filename)!r} is missing.") from None

    def _read_legacy(self) -> SavedRun:
        parameters, csv = self._layout.parameters, self._layout.csv
        space = self._space(read_config(parameters))
        dataset = Dataset.read(csv, space, may_differ=True)
        dataset.take_details(saved_details(self._layout.evaluations, set(dataset.ids)))
        if dataset.ids != list(range(len(dataset))):
            raise SaveDirectoryError(f"{str(csv)!r}: ids must be 0, 1, 2 and so on.")
        cascade = Cascade(features=Features(PriorScaling(space)))
        return SavedRun(space, dataset, cascade, is_legacy=True)

    def _read_current(self) -> SavedRun:
        space, records, state, is_same_save = self._read_events()
        _check_start(self._layout.csv, state.csv_bytes, state.csv_sha256)
        dataset = Dataset.read(self._layout.csv, space)
        dataset.take_details(self._read_details(state))
        run = SavedRun(
            _seeded(space, state.parameter_seeds, repr(str(self._layout.state))),
            _first_samples(dataset, state.num_complete, repr(str(self._layout.csv))),
            Cascade(features=Features(PriorScaling(space) if state.has_scaled_features else None)),
            objective=state.objective,
            method=state.method,
            classifier=state.classifier,
            total_budget=state.total_budget,
            batch_size=state.batch_size,
            max_classifiers=state.max_classifiers,
            entropy=state.entropy,
            is_seeded=state.is_seeded,
            num_complete=state.num_complete,
            stage_starts=state.stage_starts,
            shares=Shares(state.chosen, state.good),
            added=self._read_added(state, space),
            queue=self._queue(state, space),
            refused=state.refused,
            stage_end=state.stage_end,
            is_exhausted=state.is_exhausted,
            pace=state.pace,
            open_batches=state.open_batches,
            draws=self._read_draws(state),
        )
        for number, checksum in enumerate(state.classifiers):
            run.cascade.append(self._read_classifier(number, checksum, space.num_columns))
        path = repr(str(self._layout.journal))
        for number, record in enumerate(records, 1):
            journal_records.replay(run, record, f"{path}, line {number}")
        if run.open and not is_same_save:
            raise SaveDirectoryError(f"{path} is of another save than the state.")
        _check_origins(run, path)
        return run

    def _read_events(self) -> tuple[HyperParameterList, list[dict[str, Any]], StateFile, bool]:
        """Reads the journal, then the state, and returns whether one save has written both."""
        layout = self._layout
        stamp, state = stamp_of(layout.state), self._read_state()
        config = read_config(layout.parameters)
        space = self._space(config)
        # A batch that was drawn for a larger budget may be open.
        number = max(state.total_budget, state.num_drawn)
        limit = journal_file.largest_size(space, number)
        records = journal_file.read_records(layout.journal, limit)
        is_same_save = stamp_of(layout.state) == stamp
        if not is_same_save:
            state = self._read_state()
        _check_equal(space_checksum(config), state.parameters_sha256, layout.parameters)
        if state.constraints_sha256 or space.constraints:
            found = files.digest(files.read_bounded(layout.constraints, files.MAX_JSON_BYTES))
            _check_equal(found, state.constraints_sha256, layout.constraints)
        return space, records, state, is_same_save

    def _space(self, config: Any) -> HyperParameterList:
        """Returns the search space whose parameters a JSON describes, and its constraints."""
        built = build_space(config, self._layout.parameters, self._known)
        known = () if self._known is None else self._known.constraints
        space = read_constraints(self._layout.constraints, built, known)
        return FrozenHyperParameterList(space, space.constraints)

    def _read_state(self) -> StateFile:
        path = self._layout.state
        data = files.read_bounded(path, files.MAX_JSON_BYTES)
        return decode_state(files.decode_text(data, path), repr(str(path)))

    def _queue(self, state: StateFile, space: HyperParameterList) -> Queue:
        try:
            samples = [_enqueued(each, space) for each in state.enqueued]
        # A user's own type may raise anything.
        except Exception as error:
            raise SaveDirectoryError(
                f"{str(self._layout.state)!r} has no valid 'enqueued': {printable(str(error))}."
            ) from None
        return Queue(samples, state.num_taken)

    def _read_added(self, state: StateFile, space: HyperParameterList) -> Added:
        if not state.added_since:
            return Added(Dataset(space, None))
        path, count = self._layout.added, len(state.added_since)
        _check_start(path, state.added_bytes, state.added_sha256)
        dataset = _first_samples(Dataset.read(path, space), count, repr(str(path)))
        return Added(dataset, state.added_since)

    def _read_details(self, state: StateFile) -> dict[int, Details]:
        """Returns the details of the samples of closed batches, as far as they are known."""
        path, expected = self._layout.evaluations, state.evaluations_sha256
        if not expected:
            return {}
        _check_start(path, state.evaluations_bytes, expected)
        if path.stat().st_size:
            files.check_end(path)
        details = dict(read_details(path, state.evaluations_bytes))
        if not state.curves_sha256:
            return details
        path, length = self._layout.curves, state.curves_bytes
        _check_start(path, length, state.curves_sha256)
        files.check_end(path)
        return with_curves(details, read_curves(path, length))

    def _read_draws(self, state: StateFile) -> DrawLog:
        """Returns what samples of closed batches of a stream were drawn from."""
        if not state.draws_bytes:
            return DrawLog()
        _check_start(self._layout.draws, state.draws_bytes, state.draws_sha256)
        numbers = state.num_complete, len(state.added_since)
        return read_draws(self._layout.draws, state.draws_bytes, *numbers)

    def _read_classifier(self, number: int, checksum: str, columns: int) -> BoostedTrees:
        path = self._layout.classifier(number)
        files.refuse_link(path)
        data = files.read_bounded(path, files.MAX_JSON_BYTES)
        _check_equal(files.digest(data), checksum, path)
        try:
            return BoostedTrees.from_bytes(untrusted_models.checked(data, columns))
        except ValueError as error:
            raise SaveDirectoryError(f"{str(path)!r} is corrupt: {error}.") from None


def _enqueued(content: Any, space: HyperParameterList) -> Enqueued:
    """Returns a sample of the queue from the state; raises an error if it is none."""
    given, row = plain_values.from_json(content)
    space.encode(row)
    values = space.to_parameters(row, named=True)
    # Text tells 1, 1.0 and True apart.
    if not all(repr(value) == repr(values[name]) for name, value in given.items()):
        raise ValueError("the row differs from what was given")
    return Enqueued(dict(given), row)


def _check_origins(run: SavedRun, source: str) -> None:
    """Raises `SaveDirectoryError` if samples were drawn from scores that do not exist."""
    origins = [batch.origin.since for batch in run.open if batch.origin is not None]
    learned = [*run.draws.learned, *(number for since in origins for number in since)]
    if len({*learned}) < len(learned) or not {*learned} <= {*run.dataset.ids}:
        raise SaveDirectoryError(f"{source} is corrupt: samples were drawn from unknown scores.")


def _check_start(path: Path, length: int, expected: str) -> None:
    """Compares the checksum of the start of a file with the one that the state has."""
    _check_equal(files.digest_of_start(path, length), expected, path)


def _check_equal(found: str | None, expected: str, path: Path) -> None:
    """Compares the checksum of a file with the one that the state has."""
    if found != expected:
        raise SaveDirectoryError(f"{str(path)!r} is corrupt: its checksum does not match.")


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


def _first_samples(dataset: Dataset, count: int, source: str) -> Dataset:
    """Returns the samples of closed batches; the journal has the others."""
    if len(dataset) < count or dataset.ids[:count] != list(range(count)):
        raise SaveDirectoryError(f"{source} lacks samples: ids 0 to {count - 1} were expected.")
    dataset.cut(count)
    return dataset
