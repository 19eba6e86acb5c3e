"""Branches: which of them the next samples must lie in."""

from __future__ import annotations

import numpy as np

from pyshac.core.hyperparameters import DiscreteHP, HyperParameterList, IntegerHP, UniformHP
from pyshac.core.selection.branches import FACTOR, LARGEST_SHARE, Branches, in_branch

SPACE = HyperParameterList(
    [
        DiscreteHP("kind", ["a", "b", "c"]),
        UniformHP("of a", 0, 1).when("kind", "a"),
        DiscreteHP("idle", ["x", "y"]),
        IntegerHP("layers", 1, 3),
        UniformHP("of layer 2", 0, 1).when("layers", at_least=2),
    ]
)


def rows(*kinds):
    found = np.zeros((len(kinds), 5))
    found[:, 0] = kinds
    return found


def test_a_space_without_conditions_has_no_branches():
    plain = HyperParameterList([DiscreteHP("kind", ["a", "b"]), UniformHP("x", 0, 1)])
    assert Branches(plain).due(np.zeros((9, 2)), 3) == [None] * 3


def test_only_choices_that_others_depend_on_have_branches():
    due = Branches(SPACE).due(rows(), 12)
    assert {branch[0] for branch in due if branch} == {0}


def test_each_branch_gets_its_share_and_the_one_that_lacks_most_comes_first():
    assert Branches(SPACE).due(rows(*[0] * 20, 1), 4) == [(0, 2.0), (0, 2.0), (0, 1.0), (0, 2.0)]
    # 0.7 of 24, split in three, are 5.6.
    assert Branches(SPACE).due(rows(*[0] * 11, *[1] * 5, *[2] * 4), 4) == [(0, 2.0), *[None] * 3]
    assert Branches(SPACE).due(rows(*[0] * 10, *[1] * 5, *[2] * 5), 4) == [None] * 4


def test_the_share_shrinks_as_samples_grow_in_number():
    kinds, branches = [0] * 10, Branches(SPACE)
    for _ in range(1000):
        (due,) = branches.due(rows(*kinds), 1)
        kinds.append(0 if due is None else int(due[1]))
    counts = np.bincount(kinds)
    assert counts[1] == counts[2] == int(FACTOR * 1010**0.5)
    early = np.bincount(kinds[:60])
    assert early[1:].tolist() == [int(FACTOR * 60**0.5)] * 2
    assert early[1] * 3 <= LARGEST_SHARE * 60


def test_rows_lie_in_a_branch_by_their_value():
    found = rows(0, 2, np.nan, 2)
    assert in_branch(found, (0, 2.0)).tolist() == [False, True, False, True]
    assert in_branch(found, None).all()
