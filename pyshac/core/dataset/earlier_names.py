"""EarlierDatasetNames: the methods of datasets in PySHAC 0.1 to 0.3, which saved themselves."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import files, plain_values
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.messages.fixed import FixedAttributes
from pyshac.core.basics.messages.warning import warn_of_spelling
from pyshac.core.basics.paths import absolute_path
from pyshac.core.dataset.details_table import DetailsTable
from pyshac.core.dataset.formats.constraints_file import encode_constraints
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import AbstractHyperParameter, HyperParameterList


class EarlierDatasetNames(FixedAttributes, ABC):
    """The methods of a dataset in PySHAC 0.1 to 0.3, which saved its own files.

    Args:
        basedir: The folder of `save_dataset`; None for an engine's dataset, since an engine
            saves all parts of a search together.
    """

    _FIXED: ClassVar[Mapping[str, str]] = {
        "X": "set_dataset(X, Y) replaces all samples",
        "Y": "set_dataset(X, Y) replaces all samples",
        "ids": "add_sample() takes the number of a sample",
        "size": "add_sample() and clear() change it",
        **dict.fromkeys(
            ("basedir", "data_path", "parameter_path"), "Dataset(space, basedir=...) chooses it"
        ),
    }

    def __init__(self, basedir: str | os.PathLike[str] | None) -> None:
        self._basedir = None if basedir is None else absolute_path("basedir", basedir)

    @property
    @abstractmethod
    def parameters(self) -> HyperParameterList | None:
        """The search space."""

    @parameters.setter
    @abstractmethod
    def parameters(self, parameters: Any) -> None: ...

    @abstractmethod
    def _space(self) -> HyperParameterList: ...

    @property
    @abstractmethod
    def encoded(self) -> FloatArray:
        """The encoded samples, shape (n, columns)."""

    @property
    @abstractmethod
    def details(self) -> DetailsTable:
        """The details of each evaluation besides its score."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Returns the CSV form in UTF-8."""

    def _require_own(self) -> Path:
        """Returns the folder of the dataset; raises `AttributeError` if it is an engine's."""
        if self._basedir is None:
            raise AttributeError(
                "The dataset of an engine has no files of its own, and its samples are those that "
                "were evaluated: save_dir of the engine has the files, save_data() saves them, "
                "restore_data() restores them, and fit_dataset() learns from samples of your own."
            )
        return self._basedir

    @property
    def basedir(self) -> str:
        """The folder of `save_dataset`.

        Access creates it, since scripts write other files there. An engine's dataset has no folder
        and raises `AttributeError`.
        """
        folder = self._require_own()
        files.make_folder(folder)
        return str(folder)

    @property
    def data_path(self) -> str:
        """The file in which `save_dataset` saves the samples."""
        return str(self._require_own() / "datasets" / "dataset.csv")

    @property
    def parameter_path(self) -> str:
        """The file in which `save_dataset` saves the search space."""
        return str(self._require_own() / "datasets" / "parameters.json")

    @property
    def size(self) -> int:
        """Number of samples, the same as `len`."""
        warn_of_spelling("size", "len(dataset)")
        return len(self)

    def get_parameters(self) -> HyperParameterList | None:
        """Returns the search space, the same as `parameters`."""
        warn_of_spelling("get_parameters()", "parameters")
        return self.parameters

    def set_parameters(
        self, parameters: HyperParameterList | Sequence[AbstractHyperParameter]
    ) -> None:
        """Sets the search space of an empty dataset, the same as assigning `parameters`."""
        warn_of_spelling("set_parameters()", "parameters")
        self.parameters = parameters

    def prepare_parameter(self, sample: Sequence[Any]) -> OrderedDict[str, Any]:
        """Returns a row of values as the parameters that an evaluation function receives."""
        return self._space().to_parameters(self._space().as_row(sample))

    def decode_dataset(self, X: npt.ArrayLike | None = None) -> npt.NDArray[np.object_]:  # noqa: N803
        """Returns the values of encoded samples.

        Args:
            X: Encoded samples, shape (n, columns); None for the dataset's own samples.

        Returns:
            Array of shape (n, columns); `INACTIVE` for inactive parameters.

        Raises:
            ValueError: If a row has the wrong number of columns.
        """
        encoded = self.encoded if X is None else np.asarray(X, dtype=np.float64)
        decoded = np.empty((len(encoded), self._space().num_columns), dtype=object)
        for place, row in enumerate(encoded):
            decoded[place, :] = self._space().decode(row)
        return decoded

    def save_dataset(self) -> None:
        """Saves the samples and the search space in `basedir`. An engine can restore them.

        Raises:
            AttributeError: If the dataset is an engine's, which saves all parts together.
            OSError: If a file cannot be written.
            SaveDirectoryError: If an engine saves in the same folder.
            ValueError: If there are no parameters.
        """
        root = self._require_own()
        if self.parameters is None:
            raise ValueError("The dataset has no parameters: set them before it is saved.")
        if (root / "state.json").exists():
            raise SaveDirectoryError(
                f"{str(root)!r} holds the search of an engine, whose save_data() saves "
                "it. Give the dataset a basedir of its own."
            )
        config = plain_values.to_json(self.parameters.get_config())
        data = files.encode_json(config, "The search space")
        files.refuse_link(root / "datasets")
        files.make_folder(root / "datasets")
        files.write_atomically(Path(self.parameter_path), data)
        constraints = root / "datasets" / "constraints.json"
        if self.parameters.constraints:
            content = encode_constraints(self.parameters.constraints)
            files.write_atomically(constraints, content)
        else:
            constraints.unlink(missing_ok=True)
        evaluations = root / "datasets" / "evaluations.jsonl"
        curves = root / "datasets" / "curves.jsonl"
        if self.details.curves.num_curves:
            files.write_atomically(curves, self.details.curves.to_bytes())
        else:
            curves.unlink(missing_ok=True)
        files.write_atomically(evaluations, self.details.to_bytes())
        files.write_atomically(Path(self.data_path), self.to_bytes())
