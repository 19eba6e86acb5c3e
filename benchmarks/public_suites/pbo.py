"""The 25 binary problems of IOHprofiler, from the package ioh; maximised there, negated here.

They have 30 bits, or 25 where a problem asks for a square number.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tasks

from public_suites.instances import Choice, Columns, Instance

BITS = 30
SQUARE_BITS = 25
# IsingTorus, IsingTriangular and NQueens use square numbers of bits only.
_SQUARE = (20, 21, 23)
_NUM_PROBLEMS = 25


def names() -> list[str]:
    """Returns the problems, by number."""
    return [f"{number:02}" for number in range(1, _NUM_PROBLEMS + 1)]


@functools.cache
def instance(name: str) -> Instance:
    """Returns a problem's first instance."""
    import ioh

    number = int(name)
    bits = SQUARE_BITS if number in _SQUARE else BITS
    problem = ioh.get_problem(
        number, instance=1, dimension=bits, problem_class=ioh.ProblemClass.PBO
    )
    parameters = tuple(Choice(f"b{place:02}", ("0", "1")) for place in range(bits))
    best = float(problem.optimum.y)
    return Instance(
        "pbo",
        name,
        parameters,
        functools.partial(_score, problem),
        optimum=-best if np.isfinite(best) else None,
    )


def _score(problem: Any, columns: Columns) -> tasks.Rows:
    rows = np.stack(list(columns.values()), axis=1).astype(int)
    return -np.array([problem(row) for row in rows.tolist()])
