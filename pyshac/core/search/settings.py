"""Settings: the choices of a search; only its budget may grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyshac.core.dataset.objective import MAX, Objective
from pyshac.core.search.method import DEFAULT, Method
from pyshac.core.search.paces.pace import BATCH_PACE, Pace
from pyshac.core.search.schedule import Schedule


@dataclass(frozen=True)
class Settings:
    """The choices of a search. Only its budget may change.

    Attributes:
        schedule: How the budget is spent.
        objective: Which scores are better.
        method: How the search learns and chooses.
        template: A user's own classifier, cloned for each stage; None for the library's.
        pace: How many batches are open at once.
    """

    schedule: Schedule
    objective: Objective = MAX
    method: Method = DEFAULT
    template: Any = None
    pace: Pace = BATCH_PACE
