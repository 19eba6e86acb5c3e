"""OptunaMirror: a callback that writes a search into a study of Optuna while it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optuna.storages import BaseStorage

from pyshac.core.callbacks import Callback
from pyshac.core.dataset.objective import get_objective
from pyshac.integrations.optuna_parts.written_study import (
    WrittenStudy,
    check_storage,
    check_study_name,
)

logger = logging.getLogger("pyshac")


class OptunaMirror(Callback):
    """Writes a search into a study of Optuna while it runs, so that optuna-dashboard shows it.

    A running sample appears as a running trial. A resumed search continues the same study, even
    after it was killed, and first adds the evaluations that the study lacks. If the storage fails,
    one warning is logged, and the missing evaluations are added with the next one.

    Args:
        storage: A storage of Optuna or its address, such as 'sqlite:///study.db'.
        study_name: The name of the study; None for that of the save directory.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the storage is a text without a scheme, or the name is empty.
    """

    def __init__(self, storage: str | BaseStorage, study_name: str | None = None) -> None:
        super().__init__()
        check_storage(storage)
        if study_name is not None:
            check_study_name(study_name)
        self.storage = storage
        self.study_name = study_name
        self._study: WrittenStudy | None = None
        self._is_failing = False

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_study": None}

    def on_train_begin(self, logs: Any = None) -> None:
        """Opens the study, and adds the evaluations that it lacks.

        Raises:
            ValueError: If the storage cannot be opened, or the study holds another search.
        """
        engine = self.engine
        name = Path(engine.save_dir).name if self.study_name is None else self.study_name
        objective = get_objective(engine.objective)
        self._study = WrittenStudy(self.storage, name, engine.parameters, objective)
        self._study.check(engine.dataset)
        self._study.add_new(engine.dataset)

    def on_sample_begin(self, id: int, logs: Any = None) -> None:
        """Writes a trial that runs."""
        row = self.engine.parameters.to_row((logs or {})["parameters"])
        self._write(lambda study: study.begin(id, row))

    def on_sample_end(self, id: int, score: float, logs: Any = None) -> None:
        """Writes its end."""
        self._write(lambda study: study.add_new(self.engine.dataset))

    def on_train_end(self, logs: Any = None) -> None:
        """Writes what is missing, if the storage has failed meanwhile."""
        self._write(lambda study: study.add_new(self.engine.dataset))

    def on_train_error(self, error: BaseException, logs: Any = None) -> None:
        """Writes what is missing, and marks what has not ended as failed."""
        self._write(lambda study: study.add_new(self.engine.dataset))
        self._write(lambda study: study.end_running())

    def _write(self, step: Callable[[WrittenStudy], Any]) -> None:
        """Takes a step if the study is open; an error of the storage must not end the search."""
        if self._study is None:
            return
        try:
            step(self._study)
        except Exception as error:
            logger.log(
                logging.DEBUG if self._is_failing else logging.WARNING,
                "Optuna's study could not be written: %s: %s. The search goes on, and the next "
                "evaluation brings what is missing.",
                type(error).__name__, error,
            )  # fmt: skip
            self._is_failing = True
        else:
            self._is_failing = False
