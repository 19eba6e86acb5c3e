"""Dataset: the evaluated samples and their scores."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.checks import check_positive, check_score
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.messages.warning import warn_of_spelling
from pyshac.core.basics.results.details import UNKNOWN, Details
from pyshac.core.basics.results.extras import split_result
from pyshac.core.dataset import reading, summaries
from pyshac.core.dataset.data_frame import as_frame
from pyshac.core.dataset.details_table import DetailsTable
from pyshac.core.dataset.earlier_names import EarlierDatasetNames
from pyshac.core.dataset.evaluation import Evaluation, FoundParameters
from pyshac.core.dataset.formats.csv_file import (
    check_id,
    check_line,
    csv_line,
    header_of,
    score_text,
)
from pyshac.core.dataset.objective import get_objective
from pyshac.core.dataset.rows import Column, Rows
from pyshac.core.dataset.table import SampleTable
from pyshac.core.hyperparameters import AbstractHyperParameter, HyperParameterList
from pyshac.core.hyperparameters.space.parameter_list import as_parameter_list

if TYPE_CHECKING:
    import pandas


class Dataset(EarlierDatasetNames):
    """Evaluated samples and their scores, in the order of the samples' numbers.

    Threads may read it while another thread adds samples: each method sees a consistent state.

    Example:
        ```python
        dataset = pyshac.Dataset([pyshac.UniformHP("x", -5, 5)])
        dataset.add_sample({"x": 1.5}, 2.25)
        print(dataset.get_best_score("min"), dataset.get_best_parameters("min"))
        ```

    Args:
        parameter_list: The search space; None to set it later.
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
            self._table = SampleTable(self._lock)

    @property
    def X(self) -> Rows:  # noqa: N802
        """The samples' rows, each a flat list of values; `INACTIVE` for inactive parameters.

        It behaves like a list of copies. For JSON, use `list(dataset.X)` and replace `INACTIVE`.
        """
        return self._table.X

    @property
    def Y(self) -> list[float]:  # noqa: N802
        """The scores; NaN for a sample that failed or was pruned."""
        return self._table.Y

    @property
    def ids(self) -> Column[int]:
        """The samples' numbers, ascending. It behaves like a list, as `X` does."""
        return self._table.ids

    def __len__(self) -> int:
        return len(self.ids)

    def score_of(self, id: int) -> float | None:
        """Returns the score of a sample by its number; NaN without a score, None if unknown."""
        with self._lock:
            return self._table.score_of(id)

    def copy(self) -> Dataset:
        """Returns a copy, for several reads of one state while other threads add samples."""
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
        self,
        parameters: Mapping[str, Any] | Sequence[Any],
        value: float | Mapping[str, Any],
        id: int | None = None,
        details: Details = UNKNOWN,
    ) -> None:
        """Adds one evaluated sample.

        Args:
            parameters: Its parameters by name, or its row of values.
            value: Its score, or NaN if the evaluation failed; or a mapping with `score` and extras.
            id: Its number; by default the highest number so far plus one.
            details: Other details of the evaluation.

        Raises:
            TypeError: If a value, the score or an extra has the wrong type.
            ValueError: If a value is outside the search space, the sample breaks a constraint, or
                the number exists already. An engine's dataset does not check constraints.
        """
        space = self._space()
        if isinstance(parameters, Mapping):
            parameters = space.to_row(parameters)
        row = space.as_row(parameters)
        if self._basedir is not None:
            space.check_constraints(row)
        with self._lock:
            if id is None:
                id = self.ids[-1] + 1 if self.ids else 0
            score, extras = split_result(value, f"sample {id}")
            if self.score_of(id) is not None:
                raise ValueError(f"Sample {id} has a score already.")
            details = replace(details, extras=extras) if extras else details
            self._add_row(self._table.place_of(id), id, row, score, details)

    def _add_row(
        self, place: int, id: int, row: list[Any], score: float, details: Details = UNKNOWN
    ) -> None:
        space = self._space()
        encoded = space.encode(row)
        texts = space.row_to_text(row)
        line = check_line(csv_line([id, *texts, score_text(score)]), id).encode("utf-8")
        # Memory holds the values that a file would give back: Python's, not NumPy's scalars.
        row = space.row_from_text(texts)
        self._table.insert(place, id, row, score, encoded, line, details)

    def pack(self) -> None:
        """Compresses data that only saving needs. Later samples should have higher numbers."""
        self._table.pack()

    def cut(self, count: int) -> None:
        """Removes all samples except the first `count`."""
        with self._lock:
            self._table.cut(count)

    def get_dataset(self) -> tuple[npt.NDArray[np.object_], FloatArray]:
        """Returns values, shape (n, columns), some of them `INACTIVE`, and scores, shape (n,)."""
        with self._lock:
            values, scores = self.X[:], self.scores
        rows = np.empty((len(values), self._space().num_columns), dtype=object)
        for index, row in enumerate(values):
            rows[index, :] = row
        return rows, scores

    def to_dataframe(self) -> pandas.DataFrame:
        """Returns the samples as a pandas data frame with the samples' numbers as its index, `id`.

        The columns are, in this order:

        - one per parameter; `name_1` to `name_n` for a multi parameter,
        - `scores`, NaN for samples without one,
        - `state` ('complete', 'failed' or 'pruned'), `started` (UTC), `seconds`, `slot`, `failure`,
        - one per extra, in the order of first appearance.

        A repeated column name gets the prefix `extra_`. Unknown values are missing, as are those of
        inactive parameters: NaN, or `pandas.NA` in columns of bools, ints (`boolean`, `Int64`) and
        objects. Bools, ints and floats keep these types. Choices of texts are categories in the
        order of the search space. Values that fit no such type, such as `1` and `"1"`, are Python
        objects.

        Raises:
            ImportError: If pandas is not installed; `pip install 'pyshac[pandas]'` installs it.
            RuntimeError: If the dataset has no parameters.
        """
        present = self.copy()
        return as_frame(present.ids, present.X, self._space(), present.Y, present.details)

    @property
    def scores(self) -> FloatArray:
        """The scores, shape (n,)."""
        return np.array(self.Y, dtype=np.float64)

    @property
    def encoded(self) -> FloatArray:
        """The encoded samples, shape (n, columns); NaN for inactive parameters."""
        with self._lock:
            return self._table.encoded(self._space().num_columns)

    def encode_dataset(
        self,
        X: Iterable[Any] | str | None = None,  # noqa: N803
        Y: npt.ArrayLike | None = None,  # noqa: N803
        objective: str = "max",
    ) -> tuple[FloatArray, FloatArray]:
        """Returns encoded samples and labels: 1.0 for scores strictly better than the median.

        Args:
            X: Rows of values; None for the dataset's own samples.
            Y: Their scores, shape (n,); NaN for failed samples. None means the dataset's own scores
                if `X` is None; otherwise all labels are NaN.
            objective: 'max' or 'min'.

        Returns:
            The encoded samples, shape (n, columns), NaN for inactive parameters, and their labels
                1.0 or 0.0, shape (n,).

        Raises:
            ValueError: If a value is outside the search space, the numbers of scores and rows
                differ, or `objective` is neither 'max' nor 'min'.
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
            X: Rows of values: a list, tuple or array.
            Y: One score for each row; NaN for a failed sample.

        Raises:
            AttributeError: If the dataset is an engine's, which evaluates its samples itself.
            TypeError: If an argument has another type, or a value has the wrong type.
            ValueError: If the lengths differ, or a value is outside the search space.
        """
        self._require_own()
        for name, part in (("X", X), ("Y", Y)):
            if not isinstance(part, (list, tuple, np.ndarray)):
                raise TypeError(f"{name} must be a list, tuple or array. Got {part!r} instead.")
        if len(X) != len(Y):
            raise ValueError(f"X and Y must be of one length. Got {len(X)} and {len(Y)} instead.")
        filled = Dataset(self._parameters, self._basedir)
        for row, score in zip(X, Y, strict=True):
            filled.add_sample(row, score)
        self._take_over(filled)

    def restore_dataset(self) -> None:
        """Reads the samples and the search space that `save_dataset` saved in `basedir`.

        Raises:
            AttributeError: If the dataset is an engine's.
            FileNotFoundError: If the folder contains no dataset.
            SaveDirectoryError: If a file is corrupt.
        """
        self._take_over(Dataset.load_from_directory(self.basedir, self._parameters))

    def _take_over(self, other: Dataset) -> None:
        """Copies the samples of another dataset, and uses its search space."""
        with other._lock, self._lock:
            self._parameters, self._table = other._parameters, other._table.copy(self._lock)

    @property
    def details(self) -> DetailsTable:
        """The details of each evaluation besides its score."""
        return self._table.details

    @property
    def evaluations(self) -> list[Evaluation]:
        """A record of each evaluation, including failed ones, in the order of their numbers."""
        present = self.copy()
        return [present.evaluation(place) for place in range(len(present))]

    def top(self, n: int = 10, objective: str = "max") -> list[Evaluation]:
        """Returns records of the evaluations with the best scores.

        Args:
            n: The maximum number of records.
            objective: 'max' or 'min'.

        Returns:
            The best evaluation first, equal ones by number; only evaluations with a score.

        Raises:
            TypeError: If `n` is not an int.
            ValueError: If `n` is below 1, or `objective` is neither 'max' nor 'min'.
        """
        n = check_positive("n", n)
        with self._lock:
            places = get_objective(objective).best_first(self.scores)[:n]
            return [self.evaluation(int(place)) for place in places]

    def evaluation(self, place: int) -> Evaluation:
        """Returns the record of an evaluation by its index from 0."""
        parameters = self._space().to_parameters(self.X[place])
        return Evaluation.of(self.ids[place], parameters, self.Y[place], self.details[place])

    def get_best_parameters(
        self, objective: str = "max", *, named: bool = False
    ) -> OrderedDict[str, Any] | None:
        """Returns the parameters of the first best sample, printed as a dict; None without scores.

        Args:
            objective: 'max' or 'min'.
            named: Whether to return the names of objects, as files have them, instead of objects.

        Raises:
            ValueError: If `objective` is neither 'max' nor 'min'.
        """
        with self._lock:
            best = get_objective(objective).best(self.scores)
            if best is None:
                return None
            return FoundParameters(self._space().to_parameters(self.X[best], named=named))

    def get_best_score(self, objective: str = "max") -> float | None:
        """Returns the best score; None without scores.

        Raises:
            ValueError: If `objective` is neither 'max' nor 'min'.
        """
        with self._lock:
            best = get_objective(objective).best(self.scores)
            return None if best is None else self.Y[best]

    def header(self) -> list[str]:
        """Returns the column names of the CSV form."""
        return header_of(self._space())

    def to_csv(self, stop: int | None = None) -> str:
        """Returns the CSV form: `id`, one column per value, `scores` (empty without a score).

        Args:
            stop: Omit samples from this number on.
        """
        data = self.to_bytes()
        return (data if stop is None else data[: self.num_bytes(stop)]).decode("utf-8")

    def to_bytes(self) -> bytes:
        """Returns the CSV form in UTF-8; see `to_csv`."""
        with self._lock:
            return b"".join([self._header_line(), *self._table.lines.texts()])

    def num_bytes(self, stop: int) -> int:
        """Returns the length of the CSV form in UTF-8, without samples from number `stop` on."""
        with self._lock:
            count = self._table.place_of(stop)
            return len(self._header_line()) + self._table.lines.size(count)

    def _header_line(self) -> bytes:
        return csv_line(self.header()).encode("utf-8")

    @classmethod
    def load_from_directory(
        cls,
        basedir: str | os.PathLike[str] = "shac",
        parameters: HyperParameterList | Sequence[AbstractHyperParameter] | None = None,
    ) -> Dataset:
        """Reads the evaluated samples and the search space of a save directory.

        Args:
            basedir: The save directory, or its folder 'datasets'.
            parameters: The search space. Pass it only if building it from a file is too costly:
                with very many parameters or values, or with certain distributions of `scipy.stats`.

        Raises:
            FileNotFoundError: If the directory holds no dataset.
            SaveDirectoryError: If a file is corrupt; the message names it.
            TypeError: If `basedir` is not a path.
        """
        saved = reading.open_directory(basedir, as_parameter_list(parameters))
        dataset = cls.read(saved.csv, saved.space, saved.may_differ)
        dataset.take_details(saved.details(set(dataset.ids)))
        saved.add_scored(dataset.add_sample, set(dataset.ids))
        dataset._basedir = saved.root
        return dataset

    @classmethod
    def read(cls, path: Path, space: HyperParameterList, may_differ: bool = False) -> Dataset:
        """Reads a dataset file; see `read_csv`. Raises the errors of `load_from_directory`."""
        dataset = cls(space, None)
        with reading.open_rows(path, space, may_differ) as rows:
            dataset._take_rows(rows, str(path))
        return dataset

    def _take_rows(self, rows: Iterable[tuple[str, list[Any], float]], source: str) -> None:
        """Fills an empty dataset with the rows of a file, in any order."""
        for id, row, score in rows:
            number = check_id(id, source)
            self._add_row(len(self), number, row, check_score(score, f"sample {number}"))
        steps = np.diff(np.array(self.ids, dtype=np.int64))
        if (steps < 0).any():
            self._table.sort_by_number()
            steps = np.diff(np.array(self.ids, dtype=np.int64))
        if not steps.all():
            twice = self.ids[int(np.argmin(steps))]
            raise ValueError(f"{source!r}: Sample {twice} has a score already.")

    def take_details(self, details: Mapping[int, Details]) -> None:
        """Sets the details of samples by number. Those of other samples become unknown."""
        with self._lock:
            self._table.take_details(details)
