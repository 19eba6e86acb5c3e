"""TensorBoardLogger: the scores of a search as scalars, and its evaluations for the HParams tab.

The event files are written without TensorFlow and PyTorch. Importing this module imports
TensorBoard.
"""

from __future__ import annotations

import importlib
import io
import itertools
import math
import os
import secrets
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pyshac.core.basics import files
from pyshac.core.basics.optional_packages import require
from pyshac.core.basics.paths import folder_path
from pyshac.core.dataset import Evaluation
from pyshac.core.dataset.evaluation import FAILED
from pyshac.integrations.tracking.records import Standing, numbers_and_texts
from pyshac.integrations.tracking.run_ids import RunIds
from pyshac.integrations.tracking.tracker import Ending, Session, Tracker

require("TensorBoardLogger", "tensorboard", "tensorboard")
_event_pb2 = importlib.import_module("tensorboard.compat.proto.event_pb2")
_summary_pb2 = importlib.import_module("tensorboard.compat.proto.summary_pb2")
_api_pb2 = importlib.import_module("tensorboard.plugins.hparams.api_pb2")
_plugin_pb2 = importlib.import_module("tensorboard.plugins.hparams.plugin_data_pb2")
_hparams = importlib.import_module("tensorboard.plugins.hparams.metadata")
_text = importlib.import_module("tensorboard.plugins.text.metadata")
_records = importlib.import_module("tensorboard.summary.writer.record_writer")
_tensors = importlib.import_module("tensorboard.util.tensor_util")

_FOLDER = "evaluation-"
# Extras get other names than these.
_TAKEN = ("curve", "seconds", "state", "failure")
_count = itertools.count()


class TensorBoardLogger(Tracker):
    """Logs a search for TensorBoard: a callback for `fit` and `fit_dataset`.

    The scalars `search/score` and `search/best_score` have the number of evaluations so far as
    their step. Each evaluation is a run in a folder of its own, `evaluation-0` and so on, with its
    score, its curve by step and its extras. The HParams tab lists all of them with their
    parameters.

    A resumed search continues in `log_dir`. It first logs the evaluations that an interrupted run
    did not.

    Args:
        log_dir: Folder for the event files, of one search. `tensorboard --logdir` takes it, or the
            folder that holds those of several searches.

    Raises:
        ModuleNotFoundError: If TensorBoard is not installed.
        NotADirectoryError: If `log_dir` is a file.
        TypeError: If `log_dir` is not a path.
        ValueError: In `fit`, if `log_dir` has event files of another search.

    Example:
        ```python
        shac.fit(evaluate, callbacks=[TensorBoardLogger("logs/search-1")])
        ```
    """

    name = "TensorBoard"

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        super().__init__()
        self.log_dir = str(folder_path("log_dir", log_dir))

    def _open(self, engine: Any) -> Session:
        folder = Path(self.log_dir)
        ids = RunIds(engine.save_dir, "tensorboard")
        found = {path.suffix[1:] for path in folder.glob("events.out.tfevents.*.pyshac-*")}
        known = [id for id in ids.known() if id in found]
        if found and not known:
            raise ValueError(
                f"log_dir must be a folder for one search. {self.log_dir!r} has the event files of "
                f"a search that is not in {engine.save_dir!r}, or that had another search space: "
                "choose another log_dir, or remove this one."
            )
        id = known[-1] if known else f"pyshac-{secrets.token_hex(4)}"
        files.make_folder(folder)
        session = _SearchFolder(folder, id)
        ids.add(id)
        return session


class _SearchFolder(Session):
    """A search's folder.

    Args:
        folder: The folder.
        id: The end of the name of its event files.
    """

    def __init__(self, folder: Path, id: str) -> None:
        self._folder, self._id = folder, id
        self.logged = {
            int(number)
            for path in folder.glob(f"{_FOLDER}*/events.out.tfevents.*.{id}")
            if (number := path.parent.name.removeprefix(_FOLDER)).isdecimal()
        }
        # A new file for each run: the last one may have been cut short.
        self._path = folder / _file_name(id)
        self._append(_event(time.time(), file_version="brain.Event:2"))

    def _append(self, event: Any) -> None:
        with open(self._path, "ab") as file:
            file.write(_encoded([event]))

    def log(self, evaluation: Evaluation, standing: Standing) -> None:
        scalars = {"search/score": evaluation.score, "search/best_score": standing.best_score}
        values = [_scalar(n, v) for n, v in scalars.items() if v is not None and not math.isnan(v)]
        if values:
            self._append(_event(_end(evaluation), values, standing.count))
        folder = self._folder / f"{_FOLDER}{evaluation.number}"
        files.make_folder(folder)
        # As a whole: a folder with a file is one that need not be written again.
        files.write_atomically(folder / _file_name(self._id), _encoded(_events(evaluation)))

    def close(self, ending: Ending, evaluations: list[Evaluation], standing: Standing) -> None:
        """Does nothing: the files are complete after each evaluation."""


def _file_name(id: str) -> str:
    # TensorBoard reads the files of a folder in the order of their names.
    place = f"{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_count):06d}"
    return f"events.out.tfevents.{place}.{id}"


def _end(evaluation: Evaluation) -> float:
    if evaluation.started is None:
        return time.time()
    return evaluation.started.timestamp() + (evaluation.seconds or 0.0)


def _events(evaluation: Evaluation) -> Iterator[Any]:
    """Yields the events of the file of an evaluation."""
    end = _end(evaluation)
    start = end - (evaluation.seconds or 0.0)
    yield _event(start, file_version="brain.Event:2")
    yield _event(start, [_session_start(evaluation, start)])
    if evaluation.curve is not None:
        for step, score in zip(evaluation.curve.steps, evaluation.curve.scores, strict=True):
            yield _event(end, [_scalar("curve", score)], step)
    yield _event(end, [*_outcome(evaluation), _session_end(evaluation, end)])


def _event(
    wall_time: float, values: Sequence[Any] = (), step: int = 0, file_version: str | None = None
) -> Any:
    """Returns an event: the first one of a file has its version, each other one has values."""
    if file_version is not None:
        return _event_pb2.Event(wall_time=wall_time, file_version=file_version)
    summary = _summary_pb2.Summary(value=values)
    return _event_pb2.Event(wall_time=wall_time, step=step, summary=summary)


def _encoded(events: Iterable[Any]) -> bytes:
    """Returns events as an event file has them.

    TensorBoard's own writer of files would load TensorFlow where it is installed.
    """
    buffer = io.BytesIO()
    records = _records.RecordWriter(buffer)
    for event in events:
        records.write(event.SerializeToString())
    return buffer.getvalue()


def _outcome(evaluation: Evaluation) -> Iterator[Any]:
    """Yields the summaries of the score and the extras of an evaluation."""
    numbers, texts = numbers_and_texts(evaluation.extras, _TAKEN)
    if not math.isnan(evaluation.score):
        yield _scalar("score", evaluation.score)
    if evaluation.seconds is not None:
        yield _scalar("seconds", evaluation.seconds)
    for name, number in numbers.items():
        yield _scalar(name, number)
    texts["state"] = evaluation.state
    if evaluation.failure is not None:
        texts["failure"] = evaluation.failure
    for name, text in texts.items():
        tensor = _tensors.make_tensor_proto(text.encode())
        metadata = _text.create_summary_metadata(None, None)
        yield _summary_pb2.Summary.Value(tag=name, metadata=metadata, tensor=tensor)


def _scalar(name: str, value: float) -> Any:
    return _summary_pb2.Summary.Value(tag=name, simple_value=value)


def _session_start(evaluation: Evaluation, start: float) -> Any:
    info = _plugin_pb2.SessionStartInfo(
        group_name=f"{_FOLDER}{evaluation.number}", start_time_secs=start
    )
    for name, value in evaluation.parameters.items():
        # A bool is an int, too.
        if isinstance(value, bool):
            info.hparams[name].bool_value = value
        elif isinstance(value, str):
            info.hparams[name].string_value = value
        else:
            info.hparams[name].number_value = float(value)
    data = _plugin_pb2.HParamsPluginData(session_start_info=info)
    return _hparams_value(_hparams.SESSION_START_INFO_TAG, data)


def _session_end(evaluation: Evaluation, end: float) -> Any:
    is_failed = evaluation.state == FAILED
    status = _api_pb2.STATUS_FAILURE if is_failed else _api_pb2.STATUS_SUCCESS
    info = _plugin_pb2.SessionEndInfo(status=status, end_time_secs=end)
    data = _plugin_pb2.HParamsPluginData(session_end_info=info)
    return _hparams_value(_hparams.SESSION_END_INFO_TAG, data)


def _hparams_value(tag: str, data: Any) -> Any:
    metadata = _hparams.create_summary_metadata(data)
    return _summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=_hparams.NULL_TENSOR)
