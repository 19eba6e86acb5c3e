"""CSVLogger: writes one line per epoch to a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from typing import Any, Literal, TextIO

from pyshac.core.basics.paths import absolute_path
from pyshac.core.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes one line per epoch to a CSV file: the entries of `History`, except `model`.

    Args:
        filename: The path of the file.
        separator: The separator of the cells.
        append: Whether to append to an existing file instead of replacing it.

    Attributes:
        filename: The absolute path of the file.

    Example:
        ```python
        shac.fit(callbacks=[CSVLogger("run.csv")])
        ```
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        # As a str, which the csv_logger of Keras has, too.
        self.filename = str(absolute_path("filename", filename))
        self.separator = separator
        self.append = append

    def on_train_begin(self, logs: Logs = None) -> None:
        if not self.append:
            with self._open("w"):
                pass

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        cells = {"epoch": epoch, **{k: v for k, v in sorted((logs or {}).items()) if k != "model"}}
        with self._open("a") as file:
            writer = csv.writer(file, delimiter=self.separator, lineterminator="\n")
            if file.tell() == 0:
                writer.writerow(cells)
            writer.writerow(_cell(value) for value in cells.values())

    def _open(self, mode: Literal["w", "a"]) -> TextIO:
        return open(self.filename, mode, newline="", encoding="utf-8")


def _cell(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    items = (dict(item) if isinstance(item, Mapping) else item for item in value)
    return f"[{', '.join(map(str, items))}]"
