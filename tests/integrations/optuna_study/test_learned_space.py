"""LearnedSpace: what trials show of the space."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs optuna")

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from pyshac.core.basics.plain_values import INACTIVE
from pyshac.integrations.optuna_parts.distributions import hull
from pyshac.integrations.optuna_parts.learned_space import (
    LearnedSpace,
    Ranges,
    SeenTrial,
    row_of,
)

KINDS = {
    "c": CategoricalDistribution(["a", "b", "c"]),
    "d": CategoricalDistribution(["u", "v"]),
    "n": IntDistribution(1, 9),
    "x": FloatDistribution(0, 1),
    "y": FloatDistribution(0, 1),
    "z": FloatDistribution(0, 1),
}


def seen(*trials, has_all=True):
    return [
        SeenTrial(number, values, {name: KINDS[name] for name in values}, has_all)
        for number, values in enumerate(trials)
    ]


def learned(trials):
    ranges = Ranges({})
    for trial in trials:
        ranges.add(trial)
    return LearnedSpace.of(trials, ranges)


def conditions(*trials):
    space = learned(seen(*trials))
    space.as_list(0)
    return {
        name: [(rule.parent, dict(rule.arguments)) for rule in rules]
        for name, rules in space.conditions.items()
    }


def test_a_choice_decides():
    found = conditions({"c": 0, "x": 0.1}, {"c": 1}, {"c": 0, "x": 0.7})
    # "c" has not been seen yet: it may have the parameter.
    assert found == {"x": [("c", {"values": [0, 2]})]}


def test_a_number_decides():
    trials = {"n": 2}, {"n": 5, "x": 0.5}, {"n": 7, "x": 0.2}
    assert conditions(*trials) == {"x": [("n", {"at_least": 3})]}
    trials = {"y": 0.2, "x": 0.5}, {"y": 0.8}
    assert conditions(*trials) == {"x": [("y", {"at_most": 0.2})]}


def test_two_parents_decide():
    found = conditions(
        {"c": 0, "n": 2}, {"c": 0, "n": 8, "x": 0.1}, {"c": 1, "n": 9}, {"c": 0, "n": 7, "x": 0.1}
    )
    assert {name for name, _ in found["x"]} == {"c", "n"}


def test_a_chain_of_parents():
    found = conditions(
        {"c": 0, "d": 1, "x": 0.1}, {"c": 0, "d": 0}, {"c": 1}, {"c": 0, "d": 1, "x": 0.7}
    )
    assert found["d"] == [("c", {"values": [0, 2]})]
    assert found["x"] == [("d", {"values": [1]})]


def test_without_its_parent_a_parameter_is_inactive():
    found = conditions({"c": 0, "x": 0.1, "y": 0.3}, {"c": 1}, {"c": 0, "x": 0.9, "y": 0.1})
    assert found["y"][0][0] in {"c", "x"}


def test_parents_are_asked_for_before():
    assert conditions({"x": 0.1, "c": 0}, {"c": 1}) == {}


def test_nothing_explains_it():
    assert conditions({"c": 0, "x": 0.1}, {"c": 0}) == {}


def test_trials_that_failed_tell_of_no_absence():
    trials = seen({"c": 0, "x": 0.1}) + seen({"c": 1}, {"c": 1}, has_all=False)[1:]
    assert learned(trials).conditions == {}


def test_a_condition_is_refuted():
    trials = {"c": 0, "x": 0.1}, {"c": 1}, {"c": 1, "x": 0.3}
    assert conditions(*trials[:2]) == {"x": [("c", {"values": [0, 2]})]}
    assert conditions(*trials) == {}


def test_rows():
    trials = seen({"c": 0, "x": 0.25}, {"c": 1})
    space = learned(trials).as_list(0)
    stream = np.random.SeedSequence(1)
    assert row_of(space, trials[0], stream) == ["a", 0.25]
    assert row_of(space, trials[1], stream) == ["b", INACTIVE]
    failed = row_of(space, SeenTrial(9, {}, {}, False), stream)
    assert failed == row_of(space, SeenTrial(9, {}, {}, False), stream)
    assert failed[0] in "abc"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (FloatDistribution(0, 1), FloatDistribution(0.5, 3), FloatDistribution(0, 3)),
        (
            IntDistribution(1, 9, step=2),
            IntDistribution(3, 11, step=2),
            IntDistribution(1, 11, step=2),
        ),
        (IntDistribution(1, 9, step=2), IntDistribution(2, 10, step=2), IntDistribution(1, 10)),
        (FloatDistribution(0, 1, step=0.1), FloatDistribution(0, 1), FloatDistribution(0, 1)),
        (
            FloatDistribution(0, 1, step=0.1),
            FloatDistribution(0.5, 2, step=0.1),
            FloatDistribution(0, 2, step=0.1),
        ),
        (
            FloatDistribution(1, 2, log=True),
            FloatDistribution(0.1, 1.5, log=True),
            FloatDistribution(0.1, 2, log=True),
        ),
        (FloatDistribution(0, 1), IntDistribution(0, 5), FloatDistribution(0, 1)),
    ],
)  # fmt: skip
def test_hulls(first, second, expected):
    assert hull(first, second) == expected
