"""MLflowLogger: a search as a run of MLflow, and each evaluation as a nested one.

Importing this module imports MLflow.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import math
import os
import posixpath
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pyshac.core.basics.optional_packages import require
from pyshac.core.dataset import Evaluation
from pyshac.core.dataset.evaluation import FAILED
from pyshac.integrations.tracking.records import Standing, numbers_and_texts, settings_of
from pyshac.integrations.tracking.run_ids import RunIds
from pyshac.integrations.tracking.tracker import Ending, Session, Tracker

require("MLflowLogger", "mlflow", "mlflow")
mlflow = importlib.import_module("mlflow")
_entities = importlib.import_module("mlflow.entities")
_exceptions = importlib.import_module("mlflow.exceptions")

_PARENT, _NUMBER = "mlflow.parentRunId", "pyshac.number"
_INHERITED = ("mlflow.user", "mlflow.source.name", "mlflow.source.type")
_STATUS = {
    Ending.FINISHED: "FINISHED",
    Ending.FAILED: "FAILED",
    Ending.INTERRUPTED: "KILLED",
}
# What one request may hold.
_MAX_TAGS, _MAX_METRICS, _MAX_RUNS = 100, 500, 1000
_MAX_NAME, _MAX_TEXT = 250, 5000
_SILENCE = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"

Item = TypeVar("Item")


class MLflowLogger(Tracker):
    """Logs a search to MLflow: a callback for `fit` and `fit_dataset`.

    The search is a run, nested in the active one if there is any, and each evaluation is a run
    nested in that: with its parameters, the score as the metric `score`, its curve as the metric
    `curve` by step, extras as metrics, and text and bool extras as tags. The run of a failed
    evaluation has the status FAILED. The tag `pyshac.state` is 'complete', 'failed' or 'pruned'.
    The search's run has the metric `best_score`, and in the end the best parameters as tags
    `best.x`.

    A resumed search continues its run, whose id is kept in `save_dir`. Until it is resumed, the run
    of an interrupted search has the status KILLED.

    MLflow's own settings determine where: `mlflow.set_tracking_uri`, `mlflow.set_experiment`, and
    its environment variables. Requests are sent in a thread. If they fail, the search goes on, and
    what is missing is sent later.

    Args:
        run_name: Name of the search's run; None for that of the save directory.
        tags: Further tags of the search's run.

    Raises:
        ModuleNotFoundError: If MLflow is not installed.
        TypeError: If an argument has the wrong type.

    Example:
        ```python
        mlflow.set_experiment("digits")
        shac.fit(evaluate, callbacks=[MLflowLogger()])
        ```
    """

    name = "MLflow"

    def __init__(self, run_name: str | None = None, tags: Mapping[str, str] | None = None) -> None:
        super().__init__()
        if not isinstance(run_name, (str, type(None))):
            raise TypeError(f"run_name must be a str or None. Got {run_name!r} instead.")
        if not isinstance(tags, (Mapping, type(None))):
            raise TypeError(f"tags must be a dict of texts or None. Got {tags!r} instead.")
        self.run_name = run_name
        self.tags = {str(name): str(text) for name, text in (tags or {}).items()}

    def _open(self, engine: Any) -> Session:
        client = mlflow.MlflowClient()
        ids = RunIds(engine.save_dir, "mlflow")
        run = next(filter(None, (_found(client, id) for id in reversed(ids.known()))), None)
        if run is None:
            run = self._begin(client, engine)
        ids.add(run.info.run_id)
        session = _SearchRun(client, run)
        client.update_run(run.info.run_id, status="RUNNING")
        settings = {f"pyshac.{name}": str(value) for name, value in settings_of(engine).items()}
        session.write(run.info.run_id, tags={**settings, **self.tags})
        return session

    def _begin(self, client: Any, engine: Any) -> Any:
        registry = importlib.import_module("mlflow.tracking.context.registry")
        fluent = importlib.import_module("mlflow.tracking.fluent")
        active = mlflow.active_run()
        tags = registry.resolve_tags({} if active is None else {_PARENT: active.info.run_id})
        name = self.run_name or os.path.basename(engine.save_dir)
        # No public function returns the experiment that MLflow has been set to.
        return client.create_run(fluent._get_experiment_id(), tags=tags, run_name=name)


def _found(client: Any, run_id: str) -> Any:
    """Returns a run; None if this server has none with the id, or it was deleted."""
    try:
        run = client.get_run(run_id)
    except _exceptions.MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None
    return run if run.info.lifecycle_stage == "active" else None


class _SearchRun(Session):
    """A search's run.

    Args:
        client: The client of the server.
        run: The run.
    """

    def __init__(self, client: Any, run: Any) -> None:
        self._client = client
        self._experiment_id, self._run_id = run.info.experiment_id, run.info.run_id
        inherited = {name: run.data.tags[name] for name in _INHERITED if name in run.data.tags}
        self._tags = {**inherited, _PARENT: self._run_id}
        self.logged: set[int] = set()
        # Nested runs that have not ended, by number.
        self._begun: dict[int, str] = {}
        for run in self._nested_runs():
            number = run.data.tags.get(_NUMBER, "")
            if number.isdecimal() and run.info.status == "RUNNING":
                self._begun[int(number)] = run.info.run_id
            elif number.isdecimal():
                self.logged.add(int(number))

    def _nested_runs(self) -> Iterator[Any]:
        page = None
        while page != "":
            found = self._client.search_runs(
                [self._experiment_id],
                f"tags.`{_PARENT}` = '{self._run_id}'",
                # A run that somebody has deleted does not come back.
                _entities.ViewType.ALL,
                _MAX_RUNS,
                page_token=page,
            )
            yield from found
            page = found.token or ""

    def log(self, evaluation: Evaluation, standing: Standing) -> None:
        number, started = evaluation.number, evaluation.started
        start = time.time() if started is None else started.timestamp()
        end = start + (evaluation.seconds or 0.0)
        if number not in self._begun:
            tags = {**self._tags, _NUMBER: str(number)}
            run = self._client.create_run(
                self._experiment_id, int(start * 1000), tags, f"evaluation {number}"
            )
            self._begun[number] = run.info.run_id
        run_id = self._begun[number]
        metrics, tags = _metrics_and_tags(evaluation)
        self.write(run_id, metrics, evaluation.parameters, tags, end)
        self._end(run_id, "FAILED" if evaluation.state == FAILED else "FINISHED", end)
        if standing.best is evaluation:
            self.write(self._run_id, [("best_score", evaluation.score, standing.count)], end=end)

    def write(
        self,
        run_id: str,
        metrics: Sequence[tuple[str, float, int]] = (),
        parameters: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        end: float = 0.0,
    ) -> None:
        """Writes metrics, each as (name, value, step), parameters and tags of a run."""
        params = [_entities.Param(*item) for item in _texts(parameters or {}).items()]
        labels = [_entities.RunTag(*item) for item in _texts(tags or {}).items()]
        points = [
            _entities.Metric(name, value, int(end * 1000), step) for name, value, step in metrics
        ]
        parts = (_parts(points, _MAX_METRICS), _parts(params, _MAX_TAGS), _parts(labels, _MAX_TAGS))
        for part in itertools.zip_longest(*parts, fillvalue=()):
            self._client.log_batch(run_id, *part)

    def _end(self, run_id: str, status: str, end: float) -> None:
        with _without_prints():
            self._client.set_terminated(run_id, status, int(end * 1000))

    def close(self, ending: Ending, evaluations: list[Evaluation], standing: Standing) -> None:
        if standing.best is not None:
            best = {f"best.{name}": str(v) for name, v in standing.best.parameters.items()}
            # Another best sample may lack a conditional parameter.
            before = self._client.get_run(self._run_id).data.tags
            for name in before.keys() - _texts(best).keys():
                if name.startswith("best."):
                    self._client.delete_tag(self._run_id, name)
            tags = {**best, "pyshac.best": str(standing.best.number)}
            self.write(self._run_id, tags=tags)
        if ending in _STATUS:
            self._end(self._run_id, _STATUS[ending], time.time())


def _metrics_and_tags(
    evaluation: Evaluation,
) -> tuple[list[tuple[str, float, int]], dict[str, str]]:
    """Returns the metrics of an evaluation, each as (name, value, step), and its tags."""
    numbers, tags = numbers_and_texts(evaluation.extras, ("curve",))
    metrics = [(name, value, 0) for name, value in _valid_names(numbers).items()]
    if not math.isnan(evaluation.score):
        metrics.append(("score", evaluation.score, 0))
    if evaluation.curve is not None:
        points = zip(evaluation.curve.scores, evaluation.curve.steps, strict=True)
        metrics += [("curve", score, step) for score, step in points]
    tags["pyshac.state"] = evaluation.state
    if evaluation.failure is not None:
        tags["pyshac.failure"] = evaluation.failure
    if evaluation.slot is not None:
        tags["pyshac.slot"] = str(evaluation.slot)
    return metrics, tags


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value)[:_MAX_TEXT] for name, value in _valid_names(values).items()}


def _valid_names(values: Mapping[str, Item]) -> dict[str, Item]:
    """Returns values by names that MLflow takes; those that would be one get numbers."""
    named: dict[str, Item] = {}
    for given, value in values.items():
        name = re.sub(r"[^\w.\- /]", "_", given)[:_MAX_NAME] or "_"
        # It takes names for paths, and none that leads elsewhere.
        if posixpath.normpath(name) != name or name.startswith(("/", ".")):
            name = re.sub(r"[./]", "_", name)
        number, free = 2, name
        while free in named:
            number, free = number + 1, f"{name[: _MAX_NAME - 10]} {number}"
        named[free] = value
    return named


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


@contextlib.contextmanager
def _without_prints() -> Iterator[None]:
    """Keeps MLflow from printing the address of each run that ends."""
    if _SILENCE in os.environ:
        yield
        return
    os.environ[_SILENCE] = "true"
    try:
        yield
    finally:
        os.environ.pop(_SILENCE, None)
