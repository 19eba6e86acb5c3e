"""Draws under constraints: the prior's, conditioned on them, and found where next to nothing is.

"Plain" in this file is rejection: draw from the prior, and keep what is allowed.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pyshac import (
    Constraint,
    DiscreteHP,
    Forbidden,
    HyperParameterList,
    InfeasibleSpaceError,
    IntegerHP,
    Less,
    LinearConstraint,
    LogUniformHP,
    MultiUniformHP,
    NormalHP,
    SimplexHP,
    UniformHP,
)
from pyshac.core.basics import seeding
from pyshac.core.sampling.constraints import prior as prior_module
from pyshac.core.sampling.constraints.prior import Prior
from pyshac.core.sampling.generators import Generators
from pyshac.core.search.given.completion import completed
from tests.cascades import cascade_of, region
from tests.goodness_of_fit import LEVEL, NUM_DRAWS, assert_same_rows, same_distribution


def stream(number: int = 0) -> np.random.SeedSequence:
    return seeding.stream(number, seeding.Purpose.DRAW)


def mixed(*constraints: Any) -> HyperParameterList:
    return HyperParameterList(
        [
            UniformHP("u", 0, 4),
            LogUniformHP("l", 0.1, 10),
            IntegerHP("i", 0, 9),
            DiscreteHP("d", [3, 1, 2, 8]),
            NormalHP("n", 0, 1),
            UniformHP("c", 0, 1).when("d", [1, 8]),
        ],
        constraints=constraints,
    )


RELATIONS = (
    Less("u", "l"),
    LinearConstraint({"u": 1, "i": 0.5, "d": 0.25}, at_most=4, at_least=1.5),
    Forbidden({"i": 2, "d": 3}),
    Forbidden({"d": 2}),
    Less("n", "c"),
)
CASES = {
    "relations": RELATIONS,
    "functions": (
        lambda p: p["u"] + p["n"] < 3,
        Constraint(lambda p: p["i"] != p["d"], "differ", vectorized=True),
    ),
    "both": (*RELATIONS, lambda p: p.get("c", 0.5) * p["l"] < 2),
}


def test_the_first_share_is_covered_as_other_numbers_are():
    space = HyperParameterList(
        [SimplexHP("m", 3)], constraints=[LinearConstraint({"m_1": 1}, at_most=1e-6)]
    )
    prior = Prior(space)
    assert prior.volume < 1e-5
    first = prior.draw(NUM_DRAWS // 10, stream())[:, 0]
    # Below 1e-6 its density hardly changes.
    assert stats.kstest(first, stats.uniform(0, 1e-6).cdf).pvalue > LEVEL


def plain(space: HyperParameterList, n: int, accepts: Any = None) -> np.ndarray:
    found: list[np.ndarray] = []
    while sum(map(len, found)) < n:
        rows = space.draw(2**16, stream(1000 + len(found)))
        rows = rows[space.feasible(rows)]
        found.append(rows if accepts is None else rows[accepts(rows)])
    return np.concatenate(found)[:n]


@pytest.fixture
def use_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Covers as fine as they can be, also where much is allowed."""
    monkeypatch.setattr(prior_module, "GOOD_SHARE", 0.95)


@pytest.mark.parametrize("name", CASES)
def test_draws_are_those_of_plain_rejection(name, use_covers):
    space = mixed(*CASES[name])
    n = NUM_DRAWS // 5 if name != "relations" else NUM_DRAWS
    rows = Prior(space).draw(n, stream(1))
    assert space.feasible(rows).all()
    assert_same_rows(rows, plain(space, n))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_100_000_draws_of_an_engine_are_those_of_plain_rejection(name, use_covers):
    space = mixed(*CASES[name])
    rows = region(space, cascade_of(space)).draw(NUM_DRAWS, stream(2))
    assert_same_rows(rows, plain(space, NUM_DRAWS))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_draws_under_a_cascade_are_those_of_plain_rejection(name, use_covers):
    space = mixed(*CASES[name])
    cascade = cascade_of(
        space,
        lambda rows: rows[:, 0] < 2.2,
        lambda rows: rows[:, 4] > -0.5,
        lambda rows: rows[:, 1] < 1.2,
    )
    rows = region(space, cascade).draw(NUM_DRAWS // 2, stream(3))
    assert_same_rows(rows, plain(space, NUM_DRAWS // 2, cascade.accepts))


def chain() -> HyperParameterList:
    names = [f"x{number}" for number in range(10)]
    pairs = itertools.pairwise(names)
    return HyperParameterList(
        [UniformHP(name, 0, 1) for name in names], constraints=[Less(*pair) for pair in pairs]
    )


def mixed_chain() -> HyperParameterList:
    makers = [
        lambda name: UniformHP(name, 0, 10),
        lambda name: LogUniformHP(name, 0.01, 10),
        lambda name: IntegerHP(name, 0, 10),
        lambda name: DiscreteHP(name, [0, 5, 1, 2, 3, 7, 8, 9.5]),
    ]
    names = [f"x{number}" for number in range(10)]
    pairs = itertools.pairwise(names)
    parameters = [makers[number % 4](name) for number, name in enumerate(names)]
    return HyperParameterList(parameters, constraints=[Less(*pair) for pair in pairs])


def simplex() -> HyperParameterList:
    weights = {f"x_{number}": 1 for number in range(1, 11)}
    return HyperParameterList(
        [MultiUniformHP("x", 0, 1, sample_count=10)], constraints=[LinearConstraint(weights, 1)]
    )


def slab(num_columns: int) -> HyperParameterList:
    weights = {f"x_{number + 1}": 1 for number in range(num_columns)}
    middle = num_columns / 2
    return HyperParameterList(
        [MultiUniformHP("x", 0, 1, sample_count=num_columns)],
        constraints=[LinearConstraint(weights, at_most=middle + 1e-6, at_least=middle)],
    )


def forbidden() -> HyperParameterList:
    names = [f"d{number}" for number in range(6)]
    return HyperParameterList(
        [DiscreteHP(name, list(range(100))) for name in names],
        constraints=[Forbidden({name: v}) for name in names for v in range(100) if v % 10],
    )


@pytest.mark.parametrize(
    ("make", "share"),
    [
        (chain, 1 / 3628800),
        (mixed_chain, None),
        (simplex, 1 / 3628800),
        (lambda: slab(2), 1e-6),
        pytest.param(lambda: slab(3), 0.75e-6, marks=pytest.mark.slow),
        pytest.param(forbidden, 1e-6, marks=pytest.mark.slow),
    ],
    ids=["chain", "mixed chain", "simplex", "slab 2", "slab 3", "forbidden"],
)
def test_a_millionth_is_found(make, share):
    space = make()
    prior = Prior(space)
    rows = prior.draw(100, stream(4))
    assert space.feasible(rows).all()
    assert len(np.unique(rows, axis=0)) == 100
    if share is not None:
        # The pilot of about a million proposals counts from a handful to a thousand samples.
        assert share / 4 < prior.share < share * 4


def test_the_order_of_a_chain_is_uniform():
    rows = Prior(chain()).draw(2000, stream(5))
    # Ordered uniform numbers: the k-th smallest of ten has mean k / 11.
    wanted = np.arange(1, 11) / 11
    deviation = np.sqrt(wanted * (1 - wanted) / 12)
    assert (np.abs(rows.mean(axis=0) - wanted) < 4.5 * deviation / np.sqrt(2000)).all()


def test_the_number_of_generators_does_not_matter():
    space = mixed(*CASES["relations"])
    cascade = cascade_of(space, lambda rows: rows[:, 0] < 1)
    alone = region(space, cascade).draw(500, stream(6))
    others = region(space, cascade, generators=Generators(3)).draw(500, stream(6))
    assert (alone == others)[~np.isnan(alone)].all()


@pytest.mark.parametrize("relax_checks", [False, True])
def test_wider_regions_obey(relax_checks):
    space = mixed(*RELATIONS)
    cascade = cascade_of(space, lambda rows: rows[:, 0] < 1, lambda rows: rows[:, 0] < 0.5)
    wide = region(space, cascade, relax_checks=relax_checks)
    for _ in range(2):
        wide = wide.wider()
        rows = wide.draw_new(50, 50, set(), stream(7))
        assert len(rows) == 50
        assert space.feasible(rows).all()


def test_relations_that_contradict_each_other():
    space = HyperParameterList(
        [UniformHP("a", 0, 1), UniformHP("b", 2, 3)], constraints=[Less("b", "a")]
    )
    with pytest.raises(InfeasibleSpaceError, match=r"\[Less\('b', 'a'\)\] contradict each other"):
        Prior(space).require_cover()


@pytest.mark.parametrize("vectorized", [False, True])
def test_functions_that_allow_nothing(monkeypatch, vectorized):
    monkeypatch.setattr(prior_module, "MAX_FRUITLESS", 2**12)
    monkeypatch.setattr(prior_module, "MAX_FRUITLESS_SLOW", 2**11)
    rule = (lambda p: p["u"] < 0) if vectorized else (lambda p: False)
    space = mixed(Constraint(rule, "never", vectorized))
    proposed = 2**12 if vectorized else 2**11
    with pytest.raises(InfeasibleSpaceError, match=f"'never'.* allow 0 of {proposed} draws"):
        Prior(space).draw(1, stream())


class TestCompletion:
    def test_the_others_are_drawn_beside_what_is_given(self):
        space = mixed(*CASES["both"])
        for number in range(20):
            row = completed({"u": 1.5, "d": 8}, space, stream(number))
            assert (row[0], row[3]) == (1.5, 8)
            assert space.feasible(space.encode(row)[None]).all()

    def test_their_distribution_is_the_conditional_one(self):
        space = mixed(Less("u", "l"))
        drawn = np.array([completed({"u": 2.0}, space, stream(each))[1] for each in range(300)])
        rows = mixed().draw(100_000, stream(9))[:, 1]
        assert same_distribution(drawn, np.exp(rows[rows > np.log(2.0)])) > LEVEL

    def test_a_parameter_that_is_given_is_active(self):
        space = mixed(Less("n", "c"))
        for number in range(10):
            row = completed({"c": 0.5}, space, stream(number))
            assert row[3] in (1, 8)
            assert row[4] < 0.5

    def test_many_given_values(self):
        weights = {f"x_{number}": 1 for number in range(1, 40)}
        space = HyperParameterList(
            [MultiUniformHP("x", 0, 1, sample_count=40), UniformHP("y", 0, 1)],
            constraints=[Less("x_40", "y"), LinearConstraint(weights, at_most=39)],
        )
        row = completed({"x": [0.999] * 40}, space, stream())
        assert row[-1] > 0.999

    def test_thin_regions(self):
        space = slab(3)
        values = space.to_parameters(completed({"x": [0.5, 0.4, 0.6]}, space, stream()))
        assert values["x"] == [0.5, 0.4, 0.6]

    @pytest.mark.parametrize("given", [{"d": 2}, {"u": 3.9, "l": 1.0}, {"c": 0.5, "d": 3}])
    def test_what_cannot_be_completed_is_refused(self, given):
        with pytest.raises(ValueError, match=r"no values of the other parameters|must be left out"):
            completed(given, mixed(*RELATIONS), stream())


def test_a_bound_is_reached_up_to_rounding():
    steps = [UniformHP("a", 0, 1, step=0.1), UniformHP("b", 0, 1, step=0.1)]
    relation = LinearConstraint({"a": 1, "b": 1}, at_most=0.3, at_least=0.3)
    space = HyperParameterList(steps, constraints=[relation])
    space.check_constraints([0.1, 0.2])
    found = {tuple(space.decode(x)) for x in Prior(space).draw(200, np.random.SeedSequence(1))}
    assert found == {(0.0, 0.3), (0.1, 0.2), (0.2, 0.1), (0.3, 0.0)}
    with pytest.raises(ValueError, match="breaks LinearConstraint"):
        space.check_constraints([0.1, 0.3])


def test_whole_numbers_have_no_rounding():
    columns = [IntegerHP("a", 0, 10**9), IntegerHP("b", 0, 10**9)]
    relation = LinearConstraint({"a": 1, "b": 1}, at_most=10**9)
    space = HyperParameterList(columns, constraints=[relation])
    rows = np.array([[10**9, 0.0], [10**9, 1.0]])
    assert space.obeys_relations(rows).tolist() == [True, False]


def test_what_is_given_and_cannot_be_active_is_named():
    child = UniformHP("x", 0, 1).when("k", "a")
    space = HyperParameterList([DiscreteHP("k", ["a", "b"]), child, UniformHP("y", 0, 1)])
    with pytest.raises(ValueError, match="'x' must be left out, since it is only active where"):
        completed({"k": "b", "x": 0.5}, space, stream())
