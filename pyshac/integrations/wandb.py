"""WandbLogger: a search as a run of Weights & Biases, and each evaluation as a row of it.

Importing this module imports wandb.
"""

from __future__ import annotations

import importlib
import inspect
import math
import secrets
from collections.abc import Mapping
from typing import Any

from pyshac.core.basics.optional_packages import require
from pyshac.core.dataset import Evaluation
from pyshac.integrations.tracking.records import Standing, evaluations_of, settings_of
from pyshac.integrations.tracking.run_ids import RunIds
from pyshac.integrations.tracking.tracker import Ending, Session, Tracker

require("WandbLogger", "wandb", "wandb")
wandb = importlib.import_module("wandb")

# What this callback sets itself.
_OWN = {"id", "resume", "reinit"}


class WandbLogger(Tracker):
    """Logs a search to Weights & Biases: a callback for `fit` and `fit_dataset`.

    The search is one run; other runs of the program are unaffected. Each evaluation is a row of its
    history: `evaluation` (its number), `score`, `best_score`, `state`, `seconds`, and its
    parameters and extras as `parameters/x` and `extras/x`. When the search ends, the run gets a
    table of all evaluations and a table of their curves if there are any, and its summary the best
    score and parameters. The settings of the search are the run's configuration.

    A resumed search continues its run, whose id is kept in `save_dir`. Offline, each `fit` writes
    another run with the same id and all evaluations so far: it is enough to `wandb sync` the last
    one.

    Args:
        project: The project; None for wandb's own setting.
        name: The run's name; None for one that wandb makes.
        options: Further arguments of `wandb.init`, such as `entity`, `mode`, `dir` and `tags`.

    Raises:
        ModuleNotFoundError: If wandb is not installed.
        TypeError: If `wandb.init` has no such option, or `config` is no dict.
        ValueError: If an option is one that the callback sets itself.

    Example:
        ```python
        shac.fit(evaluate, callbacks=[WandbLogger("digits", mode="offline")])
        ```
    """

    name = "Weights & Biases"

    def __init__(self, project: str | None = None, name: str | None = None, **options: Any) -> None:
        super().__init__()
        if _OWN & options.keys():
            raise ValueError(
                f"options must leave out {', '.join(sorted(_OWN & options.keys()))}: a search has "
                "one run, whose id is kept in save_dir. Use another save_dir for another run."
            )
        unknown = options.keys() - inspect.signature(wandb.init).parameters.keys()
        if unknown:
            raise TypeError(
                "options must be arguments of wandb.init. Got "
                f"{', '.join(sorted(unknown))} instead."
            )
        config = options.get("config")
        if not isinstance(config, (Mapping, type(None))):
            raise TypeError(
                f"config must be a dict or None: the search's settings are added to it. Got "
                f"{config!r} instead."
            )
        self.options = {"project": project, "name": name, **options}

    def _open(self, engine: Any) -> Session:
        ids = RunIds(engine.save_dir, "wandb")
        id = next(reversed(ids.known()), secrets.token_hex(4))
        config = {**settings_of(engine), **(self.options.get("config") or {})}
        run = wandb.init(
            **{**self.options, "config": config}, id=id, resume="allow", reinit="create_new"
        )
        ids.add(id)
        return _SearchRun(run, engine)


class _SearchRun(Session):
    """A search's run.

    Args:
        run: The run.
        engine: The engine.
    """

    def __init__(self, run: Any, engine: Any) -> None:
        self._run = run
        # A row is a step, and those of a run that goes on are in the order in which they ended.
        logged = evaluations_of(engine.dataset)[: run.step] if run.step else []
        self.logged = {evaluation.number for evaluation in logged}

    def log(self, evaluation: Evaluation, standing: Standing) -> None:
        row = {**_row(evaluation), "best_score": standing.best_score}
        self._run.log({name: value for name, value in row.items() if value is not None})

    def close(self, ending: Ending, evaluations: list[Evaluation], standing: Standing) -> None:
        self._log_tables(evaluations)
        if standing.best is not None:
            best = {f"best/{name}": value for name, value in standing.best.parameters.items()}
            self._run.summary.update({"best_score": standing.best_score, **best})
        self._run.finish(exit_code=1 if ending in (Ending.FAILED, Ending.INTERRUPTED) else 0)

    def _log_tables(self, evaluations: list[Evaluation]) -> None:
        rows = [_row(evaluation) for evaluation in evaluations]
        names = [*dict.fromkeys(name for row in rows for name in row)]
        tables: dict[str, tuple[list[str], list[list[Any]]]] = {}
        tables["evaluations"] = (names, [[row.get(name) for name in names] for row in rows])
        points = [
            [each.number, step, score]
            for each in evaluations
            if each.curve is not None
            for step, score in zip(each.curve.steps, each.curve.scores, strict=True)
        ]
        if points:
            tables["curves"] = (["evaluation", "step", "score"], points)
        for name, (columns, data) in tables.items():
            # Not in the history, each row of which is an evaluation.
            self._run.summary[name] = wandb.Table(
                columns=columns, data=data, allow_mixed_types=True
            )


def _row(evaluation: Evaluation) -> dict[str, Any]:
    """Returns an evaluation as a row; None where something is missing."""
    return {
        "evaluation": evaluation.number,
        "score": None if math.isnan(evaluation.score) else evaluation.score,
        "state": evaluation.state,
        "failure": evaluation.failure,
        "seconds": evaluation.seconds,
        **{f"parameters/{name}": value for name, value in evaluation.parameters.items()},
        **{f"extras/{name}": value for name, value in evaluation.extras.items()},
    }
