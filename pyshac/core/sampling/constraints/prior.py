"""Prior: the distribution of samples before any classifier, conditioned on the constraints."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.errors import InfeasibleSpaceError
from pyshac.core.hyperparameters import Forbidden, HyperParameterList, Less, LinearConstraint
from pyshac.core.hyperparameters.constraints import Relation
from pyshac.core.hyperparameters.constraints.given_columns import GivenColumns
from pyshac.core.sampling.constraints.forbidden_bounds import ForbiddenBounds
from pyshac.core.sampling.constraints.given import Given
from pyshac.core.sampling.constraints.linear_bounds import LinearBounds
from pyshac.core.sampling.cover import Cover
from pyshac.core.sampling.cover_refinement import Bounds, refine_for_constraints

# Number of boxes of the cover of the relations: building it takes a tenth of a second.
MAX_BOXES = 2**11
# Shares of the proposals from a cover are counted in this many draws.
PILOT_ROWS = 2**10
# A cover is refined until this share of a pilot draw obeys the relations.
GOOD_SHARE = 0.3
# Draws are given up after this many proposals without a sample that is allowed; after fewer that
# are drawn, or asked about, one by one in Python. A pilot of few samples will do after fewer, too.
MAX_FRUITLESS = 2**23
MAX_FRUITLESS_GIVEN = 2**21
MAX_PILOT = 2**20
MAX_FRUITLESS_SLOW = 2**17
# A block of proposals; the next one is larger where fewer than this share obeys the relations.
BLOCK_ROWS, MAX_BLOCK_ROWS = 2**10, 2**16
SMALL_SHARE = 2**-3


class Prior:
    """The distribution of samples before any classifier, conditioned on the constraints.

    Args:
        space: The search space.
        given: Values that samples have; None if all values are drawn.
    """

    def __init__(self, space: HyperParameterList, given: Given | None = None) -> None:
        self.space = space
        self._given = given
        self._columns = None if given is None else GivenColumns(space.columns.blocks, given.values)

    @functools.cached_property
    def bounds(self) -> list[Bounds]:
        """Bounds on the margins of the relations."""
        return _bounds_of(self.space.relations, self.space)

    @functools.cached_property
    def cover(self) -> Cover | None:
        """The cover of the relations, empty if they contradict each other; None without any."""
        if not self.bounds:
            return None
        start = Cover.everything(self.space.num_columns)
        if self._given is not None:
            low, high = self._given.box(self.space)
            start = replace(start, low=low[None], high=high[None])
        cover = refine_for_constraints(start, self.bounds, self._is_good, MAX_BOXES)
        return cover if self._given is None else self._given.widened(cover, self.space)

    def _is_good(self, cover: Cover) -> bool:
        rows = cover.draw(PILOT_ROWS, self.space, np.random.SeedSequence(0))
        return float(self.space.obeys_relations(rows).mean()) > GOOD_SHARE

    def require_cover(self) -> None:
        """Raises `InfeasibleSpaceError` if the relations contradict each other."""
        if self.cover is not None and not len(self.cover):
            raise InfeasibleSpaceError(
                f"The constraints {self.space.relations!r} contradict each other, or the ranges of "
                "the parameters: no sample obeys all of them. Change a constraint, or widen a "
                "range."
            )

    @property
    def volume(self) -> float:
        """The prior probability of the cover."""
        return 1.0 if self.cover is None else self.cover.volume

    @functools.cached_property
    def acceptance(self) -> float:
        """An estimate of the share of the cover's proposals that obey the constraints, above 0."""
        if not self.space.constraints or not self.volume:
            return 1.0
        stream = np.random.SeedSequence(0)
        rows, proposed = self._draw(PILOT_ROWS, stream, PILOT_ROWS, MAX_PILOT)
        return max(len(rows), 1) / proposed

    @property
    def share(self) -> float:
        """An estimate of the share of the unconstrained prior that obeys the constraints."""
        return self.volume * self.acceptance

    def pilot(self, n: int) -> FloatArray:
        """Returns up to n draws, the same ones each time, or fewer if they are hard to find."""
        if not self.space.constraints:
            return self.space.draw(n, np.random.SeedSequence(0))
        most = MAX_FRUITLESS_SLOW if self._is_slow else MAX_PILOT
        return self._draw(n, np.random.SeedSequence(1), most, MAX_PILOT)[0][:n]

    def draw(self, n: int, stream: np.random.SeedSequence) -> FloatArray:
        """Draws samples, shape (n, columns); the same samples for the same stream.

        Raises:
            InfeasibleSpaceError: If next to nothing is allowed.
        """
        if not self.space.constraints and self._given is None:
            return self.space.draw(n, stream)
        rows, proposed = self._draw(n, stream)
        if len(rows) < n:
            raise nothing_allowed(self.space, len(rows), proposed)
        return rows[:n]

    @property
    def _is_slow(self) -> bool:
        return self.space.has_slow_constraints or not self.space.is_vectorised

    def _draw(
        self,
        n: int,
        stream: np.random.SeedSequence,
        most_asked: float = np.inf,
        most_proposed: float = np.inf,
    ) -> tuple[FloatArray, int]:
        """Returns at least n draws, or fewer if they are hard to find, and the number of proposals.

        Args:
            n: Number of draws.
            stream: Random stream.
            most_asked: Number of proposals that obey the relations after which any will do.
            most_proposed: Number of proposals after which any will do.
        """
        self.require_cover()
        found = [np.empty((0, self.space.num_columns))]
        block, number, proposed, asked = BLOCK_ROWS, 0, 0, 0
        most = MAX_FRUITLESS if self._given is None else MAX_FRUITLESS_GIVEN
        limit = MAX_FRUITLESS_SLOW if self._is_slow else np.inf
        with np.errstate(all="ignore"):
            while number < n:
                each = max(number, 1)
                is_fruitless = proposed >= most * each or asked >= limit * each
                if is_fruitless or (number and (asked >= most_asked or proposed >= most_proposed)):
                    break
                rows = self._propose(block, seeding.child(stream, len(found)))
                some = rows[self.space.obeys_relations(rows, self._columns)]
                found.append(some[self.space.obeys_functions(some, self._columns)])
                number, proposed = number + len(found[-1]), proposed + block
                asked += len(some) if self.space.is_vectorised else block
                if len(some) < SMALL_SHARE * block and self.space.is_vectorised:
                    block = min(2 * block, MAX_BLOCK_ROWS)
        return np.concatenate(found), proposed

    def _propose(self, n: int, stream: np.random.SeedSequence) -> FloatArray:
        """Draws up to n samples that may break constraints."""
        if self.cover is None:
            rows = self.space.draw_complete(n, stream)
        else:
            rows = self.cover.draw_complete(n, self.space, stream)
        if self._given is not None:
            return self._given.put_into(rows, self.space)
        return self.space.hierarchy.deactivate(rows)


def nothing_allowed(space: HyperParameterList, allowed: int, proposed: int) -> InfeasibleSpaceError:
    """Returns the error that tells that the constraints allow next to nothing."""
    functions = [each for each in space.constraints if not isinstance(each, Relation)]
    advice = "narrow the ranges of the parameters to what can be allowed"
    if functions:
        advice = (
            "write functions as relations where possible (Less, LinearConstraint, Forbidden), "
            f"whose region is found directly, or {advice}"
        )
    if space.has_slow_constraints:
        advice += ", or make functions quick by Constraint(function, vectorized=True)"
    return InfeasibleSpaceError(
        f"The constraints {[*space.constraints]!r} allow {allowed} of {proposed} draws from the "
        f"prior{' that obey the relations as far as they are covered' if space.relations else ''}. "
        f"Everything evaluated so far is saved. To go on, {advice}."
    )


def _bounds_of(relations: Sequence[Relation], space: HyperParameterList) -> list[Bounds]:
    bounds: list[Bounds] = [
        LinearBounds(relation, space)
        for relation in relations
        if isinstance(relation, (Less, LinearConstraint))
    ]
    forbidden = [relation for relation in relations if isinstance(relation, Forbidden)]
    return [*bounds, ForbiddenBounds(forbidden, space)] if forbidden else bounds
