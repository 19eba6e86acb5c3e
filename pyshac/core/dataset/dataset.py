"""Dataset: the evaluated samples and their scores."""

from __future__ import annotations

import bisect
import os
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import files
from pyshac.core.basics.arrays import FloatArray, IntArray
from pyshac.core.basics.checks import check_score
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.messages.warning import warn_of_spelling
from pyshac.core.basics.paths import absolute_path
from pyshac.core.dataset import summaries
from pyshac.core.dataset.data_frame import as_frame
from pyshac.core.dataset.earlier_names import EarlierDatasetNames
from pyshac.core.dataset.formats.csv_file import (
    check_id,
    check_line,
    csv_line,
    header_of,
    read_csv,
    score_text,
)
from pyshac.core.dataset.formats.journal_file import Drawn, event_of, read_records
from pyshac.core.dataset.formats.lines import Lines
from pyshac.core.dataset.formats.parameters_file import build_space, read_config
from pyshac.core.dataset.objective import get_objective
from pyshac.core.dataset.rows import Column, Rows
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import AbstractHyperParameter, HyperParameterList
from pyshac.core.hyperparameters.space import as_parameter_list

if TYPE_CHECKING:
    import pandas


class Dataset(EarlierDatasetNames):
    """Evaluated samples, ordered by their numbers, and their scores.

    Threads may read it while another one adds samples: each method sees the samples of one moment.
    `copy` keeps such a moment for several reads.

    Args:
        parameter_list: The search space; None if it is set later.
        basedir: The folder of `save_dataset`; None for an engine's dataset.
    """

    def __init__(
        self,
        parameter_list: HyperParameterList | Sequence[AbstractHyperParameter] | None = None,
        basedir: str | os.PathLike[str] | None = "shac",
    ) -> None:
        super().__init__(basedir)
        self._parameters = as_parameter_list(parameter_list)
        # Held while samples are changed, or read in several steps.
        self._lock = CopyableLock()
        self.clear()

    def clear(self) -> None:
        """Removes all samples."""
        with self._lock:
            self._X, self._Y, self._ids = Rows(self._lock), list[float](), Column[int]()
            self._encoded = array("d")
            # The lines of the CSV form.
            self._lines = Lines()

    @property
    def X(self) -> Rows:  # noqa: N802
        """The samples' rows, each a flat list of values.

        It reads like a list, but is stored as columns: each row is a copy, and JSON needs
        `list(dataset.X)`.
        """
        return self._X

    @property
    def Y(self) -> list[float]:  # noqa: N802
        """Scores; NaN for a failed sample."""
        return self._Y

    @property
    def ids(self) -> Column[int]:
        """The samples' numbers, ascending. It reads like a list, as `X` does."""
        return self._ids

    def __len__(self) -> int:
        return len(self.ids)

    def score_of(self, id: int) -> float | None:
        """Returns a sample's score, given its number: NaN if it failed, None if there is none."""
        with self._lock:
            place = bisect.bisect_left(self.ids, id)
            is_known = place < len(self.ids) and self.ids[place] == id
            return self.Y[place] if is_known else None

    def copy(self) -> Dataset:
        """Returns the samples of this moment; samples that are added later are not in it."""
        copied = Dataset(self._parameters, self._basedir)
        copied._take_over(self)
        return copied

    def __repr__(self) -> str:
        return summaries.as_text("Dataset", summaries.facts_of(self.copy()))

    def _repr_html_(self) -> str:
        present = self.copy()
        return summaries.as_html("Dataset", summaries.facts_of(present), present)

    @property
    def parameters(self) -> HyperParameterList | None:
        """The search space."""
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: HyperParameterList | Sequence[AbstractHyperParameter]) -> None:
        if len(self):
            raise ValueError("The parameters of a dataset that holds samples cannot be changed.")
        self._parameters = as_parameter_list(parameters)

    def _space(self) -> HyperParameterList:
        if self._parameters is None:
            raise RuntimeError("The dataset has no parameters: set them first.")
        return self._parameters

    def add_sample(
        self, parameters: Mapping[str, Any] | Sequence[Any], value: float, id: int | None = None
    ) -> None:
        """Adds one evaluated sample.

        Args:
            parameters: Its parameters by name, or its row of values.
            value: Its score; NaN if the evaluation failed.
            id: Its number; by default one more than the highest so far.

        Raises:
            TypeError: If a value or the score has the wrong type.
            ValueError: If a value lies outside the search space, or the number is taken.
        """
        space = self._space()
        if isinstance(parameters, Mapping):
            parameters = space.to_row(parameters)
        row = space.as_row(parameters)
        with self._lock:
            if id is None:
                id = self.ids[-1] + 1 if self.ids else 0
            score = check_score(value, f"sample {id}")
            if self.score_of(id) is not None:
                raise ValueError(f"Sample {id} has a score already.")
            self._add_row(bisect.bisect_left(self.ids, id), id, row, score)

    def _add_row(self, place: int, id: int, row: list[Any], score: float) -> None:
        space = self._space()
        encoded = space.encode(row)
        texts = space.row_to_text(row)
        line = check_line(csv_line([id, *texts, score_text(score)]), id).encode("utf-8")
        # Memory holds the values that a file would give back: Python's, not NumPy's scalars.
        self.X.insert(place, space.row_from_text(texts))
        self.ids.insert(place, id)
        self.Y.insert(place, score)
        start = place * space.num_columns
        self._encoded[start:start] = array("d", encoded)
        self._lines.insert(place, line)

    def pack(self) -> None:
        """Compresses what is only needed for saving; later samples should have higher numbers."""
        self._lines.pack()

    def cut(self, count: int) -> None:
        """Removes all samples but the first `count`."""
        with self._lock:
            del self.Y[count:], self._encoded[count * self._space().num_columns :]
            for column in (self.X, self.ids, self._lines):
                column.cut(count)

    def get_dataset(self) -> tuple[npt.NDArray[np.object_], FloatArray]:
        """Returns the samples' values, shape (n, columns), and their scores, shape (n,)."""
        with self._lock:
            values, scores = self.X[:], self.scores
        rows = np.empty((len(values), self._space().num_columns), dtype=object)
        for index, row in enumerate(values):
            rows[index, :] = row
        return rows, scores

    def to_dataframe(self) -> pandas.DataFrame:
        """Returns the samples as a pandas data frame.

        Its index is `id`, the samples' numbers. It has one column per parameter, `name_1` to
        `name_n` for multi parameters, and `scores`, NaN for failed samples. Columns of bools, ints
        and floats have these types. Choices among texts are categories, in the order of the search
        space. Values that no such type can hold, such as a choice of `1` and `"1"`, stay Python
        objects.

        Raises:
            ImportError: If pandas is not installed; `pip install 'pyshac[pandas]'` installs it.
            RuntimeError: If the dataset has no parameters.
        """
        present = self.copy()
        return as_frame(present.ids, present.X, self._space(), present.Y)

    @property
    def scores(self) -> FloatArray:
        """The scores, shape (n,)."""
        return np.array(self.Y, dtype=np.float64)

    @property
    def encoded(self) -> FloatArray:
        """The encoded samples, shape (n, columns)."""
        with self._lock:
            return _numbers(self._encoded).reshape(-1, self._space().num_columns)

    def encode_dataset(
        self,
        X: Iterable[Any] | str | None = None,  # noqa: N803
        Y: npt.ArrayLike | None = None,  # noqa: N803
        objective: str = "max",
    ) -> tuple[FloatArray, FloatArray]:
        """Returns encoded samples, and 1.0 for each that is strictly better than the median.

        Args:
            X: Rows of values; None for the dataset's own samples.
            Y: Their scores, shape (n,), NaN for failed samples. None for the dataset's own if `X`
                is None; otherwise all labels are NaN.
            objective: 'max' or 'min'.

        Returns:
            The encoded samples, shape (n, columns), and their labels 1.0 or 0.0, shape (n,).

        Raises:
            ValueError: If a value lies outside the search space, there are not as many scores as
                rows, or `objective` is neither 'max' nor 'min'.
        """
        if isinstance(X, str):
            warn_of_spelling("encode_dataset(objective)", "encode_dataset(objective=objective)")
            return self.encode_dataset(objective=X)
        better_half = get_objective(objective).better_half
        if X is None:
            with self._lock:
                encoded, scores = self.encoded, self.scores
        else:
            rows = [self._space().encode(row) for row in X]
            encoded = np.array(rows).reshape(-1, self._space().num_columns)
            if Y is None:
                return encoded, np.full(len(rows), np.nan)
        if Y is not None:
            scores = np.asarray(Y, dtype=np.float64)
        if scores.shape != (len(encoded),):
            raise ValueError(
                f"Y must have one score for each of the {len(encoded)} rows. Got an array of shape "
                f"{scores.shape} instead."
            )
        return encoded, better_half(scores).astype(np.float64)

    def set_dataset(self, X: Sequence[Any], Y: Sequence[Any]) -> None:  # noqa: N803
        """Replaces all samples.

        Args:
            X: Rows of values, a list, tuple or array.
            Y: Their scores, one each; NaN for a failed sample.

        Raises:
            AttributeError: If the dataset is an engine's, which has evaluated its samples.
            TypeError: If an argument is something else, or a value has the wrong type.
            ValueError: If their lengths differ, or a value lies outside the search space.
        """
        self._require_own()
        for name, part in (("X", X), ("Y", Y)):
            if not isinstance(part, (list, tuple, np.ndarray)):
                raise TypeError(f"{name} must be a list, tuple or array. Got {part!r} instead.")
        if len(X) != len(Y):
            raise ValueError(f"X and Y must be of one length. Got {len(X)} and {len(Y)} instead.")
        filled = Dataset(self._parameters, None)
        for row, score in zip(X, Y, strict=True):
            filled.add_sample(row, score)
        self._take_over(filled)

    def restore_dataset(self) -> None:
        """Reads the samples and the search space that `save_dataset` saved in `basedir`.

        Raises:
            AttributeError: If the dataset is an engine's.
            FileNotFoundError: If nothing is saved there.
            SaveDirectoryError: If a file is corrupt.
        """
        self._take_over(Dataset.load_from_directory(self.basedir, self._parameters))

    def _take_over(self, other: Dataset) -> None:
        """Takes copies of the samples and the search space of another dataset for its own."""
        with other._lock, self._lock:
            self._parameters, self._X = other._parameters, other.X.copy(self._lock)
            self._Y, self._ids = other.Y[:], other.ids.copy()
            self._encoded, self._lines = other._encoded[:], other._lines.copy()

    def get_best_parameters(self, objective: str = "max") -> OrderedDict[str, Any] | None:
        """Returns the parameters of the first sample with the best score; None if there is none.

        Raises:
            ValueError: If `objective` is not 'max' or 'min'.
        """
        with self._lock:
            best = get_objective(objective).best(self.scores)
            return None if best is None else self._space().to_parameters(self.X[best])

    def get_best_score(self, objective: str = "max") -> float | None:
        """Returns the best score; None if there is none.

        Raises:
            ValueError: If `objective` is not 'max' or 'min'.
        """
        with self._lock:
            best = get_objective(objective).best(self.scores)
            return None if best is None else self.Y[best]

    def header(self) -> list[str]:
        """Returns the column names of the CSV form."""
        return header_of(self._space())

    def to_csv(self, stop: int | None = None) -> str:
        """Returns the CSV form: `id`, one column per value, `scores` (empty if failed).

        Args:
            stop: Omit samples from this number on.
        """
        data = self.to_bytes()
        return (data if stop is None else data[: self.num_bytes(stop)]).decode("utf-8")

    def to_bytes(self) -> bytes:
        """Returns the CSV form in UTF-8; see `to_csv`."""
        with self._lock:
            return b"".join([self._header_line(), *self._lines.texts()])

    def num_bytes(self, stop: int) -> int:
        """Returns the length of the CSV form in UTF-8 without samples from number `stop` on."""
        with self._lock:
            count = bisect.bisect_left(self.ids, stop)
            return len(self._header_line()) + self._lines.size(count)

    def _header_line(self) -> bytes:
        return csv_line(self.header()).encode("utf-8")

    @classmethod
    def load_from_directory(
        cls,
        basedir: str | os.PathLike[str] = "shac",
        parameters: HyperParameterList | Sequence[AbstractHyperParameter] | None = None,
    ) -> Dataset:
        """Reads the samples that have a score, and the search space, of a save directory.

        Args:
            basedir: The save directory, or its folder 'datasets'.
            parameters: The search space. It is only needed if the space is too costly to build
                from a file: with very many parameters or values, or with certain distributions
                of `scipy.stats`.

        Raises:
            FileNotFoundError: If the directory holds no dataset.
            SaveDirectoryError: If a file is corrupt; the message names it.
            TypeError: If `basedir` is not a path.
        """
        root = absolute_path("basedir", basedir)
        if root.name == "datasets" and not (root / "datasets").exists():
            root = root.parent
        folder, journal = root / "datasets", root / "journal.jsonl"
        path, csv = folder / "parameters.json", folder / "dataset.csv"
        for part in (folder, path, csv, journal):
            files.refuse_link(part)
        space = build_space(read_config(path), path, as_parameter_list(parameters))
        # First the journal: what a save by another process empties meanwhile is in the other file.
        records = read_records(journal)
        dataset = cls.read(csv, space, may_differ=not (root / "state.json").exists())
        dataset._take_events(records, str(journal))
        dataset._basedir = root
        return dataset

    def _take_events(self, records: Iterable[Mapping[str, Any]], source: str) -> None:
        """Adds the samples that the records of a journal list, and that are not there yet."""
        rows: dict[int, Any] = {}
        known = set(self.ids)
        for number, record in enumerate(records, 1):
            try:
                event = event_of(record)
                if isinstance(event, Drawn):
                    rows.update(enumerate(event.rows, event.start))
                elif event.number not in known:
                    self.add_sample(rows[event.number], event.score, event.number)
                    known.add(event.number)
            except (KeyError, TypeError, ValueError) as error:
                raise SaveDirectoryError(
                    f"{source!r}, line {number} is corrupt: {error}."
                ) from None

    @classmethod
    def read(cls, path: Path, space: HyperParameterList, may_differ: bool = False) -> Dataset:
        """Reads a dataset file; see `read_csv`. Raises as `load_from_directory` does."""
        dataset = cls(space, None)
        try:
            with files.open_text(path) as file:
                dataset._take_rows(read_csv(file, space, str(path), may_differ), str(path))
        except SaveDirectoryError:
            raise
        except ValueError as error:
            raise SaveDirectoryError(str(error)) from None
        if not files.ends_with_newline(path):
            raise SaveDirectoryError(f"{str(path)!r} was cut short: its last line has no end.")
        return dataset

    def _take_rows(self, rows: Iterable[tuple[str, list[Any], float]], source: str) -> None:
        """Fills an empty dataset with the rows of a file, in any order."""
        for id, row, score in rows:
            number = check_id(id, source)
            self._add_row(len(self), number, row, check_score(score, f"sample {number}"))
        ids = np.array(self.ids, dtype=np.int64)
        steps = np.diff(ids)
        if (steps < 0).any():
            self._sort(np.argsort(ids, kind="stable"))
            steps = np.diff(np.sort(ids))
        if not steps.all():
            twice = self.ids[int(np.argmin(steps))]
            raise ValueError(f"{source!r}: Sample {twice} has a score already.")

    def _sort(self, order: IntArray) -> None:
        """Reorders the samples: the one at `order[i]` moves to place i."""
        self._encoded = array("d", self.encoded[order].ravel())
        self.Y[:] = [self.Y[place] for place in order]
        for column in (self.X, self.ids, self._lines):
            column.sort(order)


def _numbers(column: array[Any]) -> npt.NDArray[Any]:
    """Returns a copy, since an array cannot grow while a view of it exists."""
    return np.frombuffer(column.tobytes(), dtype=column.typecode).copy()
