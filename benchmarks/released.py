"""PySHAC 0.3.5.1 in the comparison of search quality.

What it learns is its own: its code trains every classifier, in a process of its own interpreter
(of either kind, see `pyshac_0351`) that stays up from one training to the next. What it would draw
is drawn by this library's sampler, since its own takes hours for one run: both draw from the prior,
on condition that every classifier accepts, so the distribution is the same.
"""

from __future__ import annotations

import base64
import functools
import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pyshac_0351
from line_process import LineProcess

VERSION = pyshac_0351.VERSION

Floats = npt.NDArray[np.float64]


class Trainer:
    """Trains classifiers by the code of 0.3.5.1, in one process of its environment."""

    def __init__(self) -> None:
        variables = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1"}
        variables.pop("PYTHONPATH", None)
        command = [str(pyshac_0351.interpreter()), str(pyshac_0351.INSIDE / "train.py")]
        self._process = LineProcess(command, variables)

    def train(self, encoded: Floats, is_good: npt.NDArray[np.bool_]) -> bytes | None:
        """Returns an XGBoost model, or None if 0.3.5.1 finds none."""
        request = {"encoded": encoded.tolist(), "labels": is_good.astype(float).tolist()}
        model = self._process.ask(request)
        return None if model is None else base64.b64decode(model)


@functools.cache
def trainer() -> Trainer:
    """Returns this process's trainer."""
    return Trainer()


def search(task: Any, budget: Any, seed: int, evaluate: Any) -> None:
    """PySHAC 0.3.5.1: see `contenders` for the arguments."""
    from pyshac.core.classifiers.boosted_trees import BoostedTrees
    from pyshac.core.classifiers.cascade import Cascade
    from pyshac.core.dataset.objective import MIN
    from pyshac.core.sampling.proposal_planner import ProposalPlanner
    from pyshac.core.sampling.region import AcceptedRegion
    from pyshac.core.search.schedule import Schedule

    schedule = Schedule.in_batches(budget.evaluations, budget.num_batches)
    planner, cascade = ProposalPlanner(task.space), Cascade()
    encoded, scores = np.empty((0, task.space.num_columns)), np.empty(0)
    start = 0
    for number in range(budget.num_batches):
        stream = np.random.SeedSequence([seed, number])
        batch = AcceptedRegion(planner, cascade).draw(budget.batch, stream)
        encoded = np.concatenate([encoded, batch])
        scores = np.concatenate([scores, evaluate(batch)])
        size = schedule.per_classifier_budget
        if len(scores) - start < size or len(cascade) == schedule.total_classifiers:
            continue
        # Refused or not, the stage's samples are not used again.
        stage, start = slice(start, None), start + size
        model = trainer().train(encoded[stage], MIN.better_half(scores[stage]))
        if model is not None:
            classifier = BoostedTrees.from_bytes(model)
            classifier.compact()
            cascade.append(classifier)
