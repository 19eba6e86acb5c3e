"""Constraints: what they say of samples, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pyshac import (
    INACTIVE,
    AbstractHyperParameter,
    Constraint,
    ConstraintError,
    DiscreteHP,
    DistributionHP,
    Forbidden,
    HyperParameterList,
    InfeasibleSpaceError,
    IntegerHP,
    Less,
    LinearConstraint,
    LogUniformHP,
    MultiDiscreteHP,
    MultiUniformHP,
    NormalHP,
    OrdinalHP,
    SimplexHP,
    UniformHP,
)
from pyshac.core.hyperparameters.space.frozen import frozen_copy
from pyshac.core.sampling.constraints.prior import Prior
from pyshac.core.search.given.completion import completed


class Own(AbstractHyperParameter):
    """A user's own whole number below 10."""

    def sample(self) -> int:
        return int(self.random.randint(10))

    def encode(self, x: int) -> float:
        return float(x)

    def decode(self, x: float) -> int:
        return int(x)


def parameters() -> list[AbstractHyperParameter]:
    return [
        UniformHP("a", 0, 1),
        UniformHP("b", 0, 1),
        DiscreteHP("kernel", ["linear", None, "rbf"]),
        DiscreteHP("size", [4, 1, 2]),
        IntegerHP("n", 1, 100, log=True),
        MultiUniformHP("w", 0, 1, sample_count=2),
        Own("own"),
    ]


def space(*constraints: Any) -> HyperParameterList:
    return HyperParameterList(parameters(), constraints=constraints)


def rows(of: HyperParameterList, n: int = 2000) -> np.ndarray:
    return of.draw(n, np.random.SeedSequence(0))


def one_by_one(of: HyperParameterList, encoded: np.ndarray, rule: Any) -> list[bool]:
    return [bool(rule(of.to_parameters(of.decode(row)))) for row in encoded]


RULES = [
    (Less("a", "b"), lambda p: p["a"] < p["b"]),
    (Less("size", "n"), lambda p: p["size"] < p["n"]),
    (Less("own", "size"), lambda p: p["own"] < p["size"]),
    (Less("w_2", "a"), lambda p: p["w"][1] < p["a"]),
    (LinearConstraint({"a": 1, "b": -2}, at_most=0.5), lambda p: p["a"] - 2 * p["b"] <= 0.5),
    (LinearConstraint({"size": 1, "own": 1}, 6, 6), lambda p: p["size"] + p["own"] == 6),
    (Forbidden({"kernel": None}), lambda p: p["kernel"] is not None),
    (Forbidden({"size": 1, "n": 3}), lambda p: not (p["size"] == 1 and p["n"] == 3)),
    (Forbidden({"own": 4, "kernel": "rbf"}), lambda p: p["own"] != 4 or p["kernel"] != "rbf"),
]


@pytest.mark.parametrize(("relation", "rule"), RULES, ids=[repr(each) for each, _ in RULES])
def test_a_relation_holds_as_its_values_say(relation, rule):
    of = space(relation)
    encoded = rows(of)
    assert of.feasible(encoded).tolist() == one_by_one(of, encoded, rule)


def test_functions_get_what_an_evaluation_gets():
    seen: list[dict[str, Any]] = []
    of = space(lambda p: seen.append(p) or True)
    encoded = rows(of, 50)
    assert of.feasible(encoded).all()
    assert repr(seen) == repr([dict(of.to_parameters(of.decode(row))) for row in encoded])


def test_vectorised_functions_get_arrays():
    of = space(
        Constraint(lambda p: (p["w"].sum(axis=1) > p["a"]) & (p["kernel"] == "rbf"), "v", True)
    )
    encoded = rows(of)
    wanted = one_by_one(of, encoded, lambda p: sum(p["w"]) > p["a"] and p["kernel"] == "rbf")
    assert of.feasible(encoded).tolist() == wanted


def test_functions_get_whole_numbers_beside_samples_without_them():
    """The other samples of a block must not make floats of them."""
    of = HyperParameterList(
        [IntegerHP("layers", 1, 3), IntegerHP("units", 1, 8).when("layers", at_least=2)],
        constraints=[lambda p: len("x" * p.get("units", 1)) < 5],
    )
    encoded = np.array([[1, np.nan], [2, 3], [3, 5]])
    assert of.feasible(encoded).tolist() == [True, True, False]


@pytest.mark.parametrize("child", [UniformHP("x", 0, 1, step=0.25), IntegerHP("x", 0, 9)])
def test_vectorised_functions_get_nan_if_no_sample_has_a_number(child):
    space = HyperParameterList(
        [DiscreteHP("d", [0, 1]), child.when("d", 1)],
        constraints=[Constraint(lambda p: ~(p["x"] > 0.5), "small", vectorized=True)],
    )
    assert space.to_stored_row({"d": 0})[0] == 0
    assert space.feasible(np.array([[0, np.nan], [0, np.nan]])).all()


REACHED = [
    (LogUniformHP("p", 1, 100), "p", 10.0, 10.0),
    (SimplexHP("p", 3), "p_1", 0.1, [0.1, 0.2, 0.7]),
]


@pytest.mark.parametrize(("parameter", "column", "bound", "value"), REACHED)
def test_a_given_value_may_reach_a_bound_that_its_decoded_form_exceeds(
    parameter, column, bound, value
):
    decoded = parameter.decode(parameter.encode(value))
    assert (decoded if column == "p" else decoded[0]) > bound
    constraints = [
        LinearConstraint({column: 1}, at_most=bound),
        lambda p: p["p"] == value,
        Constraint(lambda p: (p["p"].reshape(len(p["u"]), -1) == value).all(axis=1), "v", True),
    ]
    for each in constraints:
        space = HyperParameterList([parameter, UniformHP("u", 0, 1)], constraints=[each])
        parts = value if isinstance(value, list) else [value]
        assert space.to_stored_row({"p": value, "u": 0.5}) == [*parts, 0.5]
        assert completed({"p": value}, space, np.random.SeedSequence(0))[:-1] == parts


def test_functions_are_asked_about_given_samples_with_inactive_parameters():
    space = HyperParameterList(
        [DiscreteHP("d", [0, 1]), UniformHP("u", 0, 1).when("d", 1)],
        constraints=[lambda p: p.get("u", 0) < 0.5],
    )
    space.check_constraints([0, INACTIVE])
    space.check_constraints([1, 0.25])
    with pytest.raises(ValueError, match="must obey"):
        space.check_constraints([1, 0.75])


def test_choices_may_be_numbers_beyond_floats():
    space = HyperParameterList(
        [DiscreteHP("d", [1, 10**400]), UniformHP("u", 0, 3)], constraints=[Less("d", "u")]
    )
    assert (Prior(space).draw(20, np.random.SeedSequence(0))[:, 0] == 0).all()


def every_type() -> HyperParameterList:
    return HyperParameterList(
        [
            *parameters(),
            UniformHP("ul", 0, 5, log_encode=True),
            LogUniformHP("l", 1e-5, 1),
            NormalHP("z", 0, 1),
            IntegerHP("i", -3, 9),
            MultiDiscreteHP("m", [(1, 2), None], sample_count=2),
            DistributionHP("p", stats.poisson(3)),
            UniformHP("s", 0, 0.5, step=0.05),
            IntegerHP("is", 0, 64, step=8),
            OrdinalHP("o", ["S", "M", "L"]),
            SimplexHP("x", 3),
            DiscreteHP("f", {"shortest": min, "longest": max}),
            DistributionHP("beta", stats.beta(2, 3)),
        ]
    )


def test_columns_are_decoded_as_values_are():
    of = every_type()
    encoded = rows(of, 500)
    many = of.columns.all_values(encoded)
    for place, row in enumerate(encoded):
        for name, value in of.to_parameters(of.decode(row)).items():
            assert repr(many[name][place].tolist() if isinstance(value, list)
                        else many[name].tolist()[place]) == repr(value)  # fmt: skip


def test_what_is_inactive():
    of = HyperParameterList(
        [
            DiscreteHP("kernel", ["linear", None]),
            UniformHP("gamma", 0, 1).when("kernel", "linear"),
            UniformHP("low", 0, 1),
            DiscreteHP("kind", ["p", "q"]).when("gamma", at_least=0.5),
        ]
    )
    encoded = rows(of, 400)
    inactive = np.isnan(encoded)
    values = of.columns.all_values(encoded)
    assert (np.isnan(values["gamma"]) == inactive[:, 1]).all()
    assert ([each is None for each in values["kind"]] == inactive[:, 3]).all()
    for row, got in zip(encoded, of.columns.parameters(encoded), strict=True):
        assert got == dict(of.to_parameters(of.decode(row)))
    for relation in (Less("gamma", "low"), Forbidden({"gamma": 0.3, "kind": "p"})):
        assert relation.holds(of.columns, encoded)[inactive[:, 1]].all()
    linear = LinearConstraint({"gamma": 1, "low": 1}, at_most=0.5)
    wanted = np.nan_to_num(encoded[:, 1]) + encoded[:, 2] <= 0.5
    assert (linear.holds(of.columns, encoded) == wanted).all()


def test_a_missing_name_in_a_function_has_a_hint():
    of = HyperParameterList(
        [DiscreteHP("k", [1, 2]), UniformHP("g", 0, 1).when("k", 1)],
        constraints=[lambda p: p["g"] < 1],
    )
    with pytest.raises(ConstraintError, match=r"KeyError: 'g' for \{'k': 2\}.*get\(name\)"):
        of.feasible(rows(of, 50))


def test_samples_obey():
    of = space(Less("a", "b"), lambda p: p["n"] > 50)
    of.set_seed(1)
    for _ in range(20):
        values = of.to_parameters(of.sample())
        assert values["a"] < values["b"]
        assert values["n"] > 50


def test_a_space_without_samples_says_so(monkeypatch):
    monkeypatch.setattr("pyshac.core.hyperparameters.constraints.constrained_list.MAX_DRAWS", 20)
    with pytest.raises(InfeasibleSpaceError, match="None of 20 draws obeys"):
        space(lambda p: False).sample()


def test_a_frozen_copy_keeps_them():
    of = space(Less("a", "b"), Constraint(lambda p: True, "always"))
    assert frozen_copy(of).constraints == of.constraints


def test_equal_relations_are_equal():
    assert LinearConstraint({"a": 1, "b": 2}, 3) == LinearConstraint({"b": 2.0, "a": 1}, 3.0)
    assert Forbidden({"a": 1}) != Forbidden({"a": True})
    assert len({Less("a", "b"), Less("a", "b"), Less("b", "a")}) == 2


@pytest.mark.parametrize("relation", [rule[0] for rule in RULES], ids=repr)
def test_a_relation_is_its_config(relation):
    assert type(relation).load_from_config(relation.get_config()) == relation


def test_a_parameter_that_a_relation_names_stays():
    of = space(Less("a", "w_1"))
    of.remove_hyper_parameter("b")
    with pytest.raises(ValueError, match=r"'w' cannot be removed, since Less\('a', 'w_1'\)"):
        of.remove_hyper_parameter("w")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: space(Less("a", "q")), ValueError, r"must name parameters.*Got 'q'"),
        (lambda: space(Less("a", "w")), ValueError, r"which is a list: \['w_1', 'w_2'\]"),
        (lambda: space(Less("a", "kernel")), ValueError, "whose values are numbers.*Forbidden"),
        (lambda: space(Forbidden({"kernel": "q"})), ValueError, "forbids what cannot be"),
        (lambda: space(Forbidden({"n": 101})), ValueError, r"must be in \[1, 100\]"),
        (lambda: Less("a", "a"), ValueError, "nothing is less than itself"),
        (lambda: Less(1, "a"), TypeError, "by str"),
        (lambda: LinearConstraint({"a": 1}), ValueError, "needs at_most, at_least or both"),
        (lambda: LinearConstraint({}, 1), ValueError, "at least one parameter"),
        (lambda: LinearConstraint({"a": 1}, 1, 2), ValueError, "must not be below at_least"),
        (lambda: LinearConstraint({"a": "x"}, 1), TypeError, "weight of 'a' must be a number"),
        (lambda: LinearConstraint({"a": math.nan}, 1), ValueError, "must be finite"),
        (lambda: LinearConstraint({"a": 0}, 1), ValueError, "must not be 0"),
        (lambda: LinearConstraint(["a"], 1), TypeError, "takes a mapping"),
        (lambda: Forbidden("kernel"), TypeError, "takes a mapping"),
        (lambda: Forbidden({"kernel": [object()]}), TypeError, "must be None, bool, int"),
        (lambda: space("a < b"), TypeError, "must be a function of a dictionary"),
        (lambda: HyperParameterList(parameters(), constraints=5), TypeError, "must be a list"),
        (lambda: HyperParameterList(parameters(), constraints=len), TypeError, "must be a list"),
        (lambda: space(Less("a", "b"), Less("a", "b")), ValueError, "must be distinct"),
        (lambda: space(Less("a", "b"), Less("b", "a")), InfeasibleSpaceError, "a < b < a|b < a"),
        (lambda: Constraint(len, ""), ValueError, "name of a constraint"),
        (lambda: Constraint(len, vectorized=1), TypeError, "vectorized must be True or False"),
    ],
)
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("constraint", "error", "message"),
    [
        (lambda p: None, TypeError, "must return True for samples.*Got None for"),
        (lambda p: 1, TypeError, "must return True for samples.*Got 1 for"),
        (lambda p: 1 / 0, ConstraintError, "'constraint 1' raised ZeroDivisionError.* for {'a'"),
        (Constraint(lambda p: True, "v", True), ValueError, "one bool for each of 9 samples"),
        (Constraint(lambda p: p["a"], "v", True), TypeError, "an array of bools"),
        (Constraint(lambda p: p["q"], "v", True), ConstraintError, "'v' raised KeyError"),
    ],
)
def test_functions_that_go_wrong(constraint, error, message):
    of = space(constraint)
    with pytest.raises(error, match=message):
        of.feasible(rows(of, 9))


def test_functions_get_the_objects_of_lists_of_choices():
    objects = MultiDiscreteHP("f", {"sine": math.sin, "cosine": math.cos}, sample_count=2)

    def is_sine(p: dict[str, Any]) -> bool:
        return p["f"][0] is math.sin

    def are_sines(p: dict[str, Any]) -> Any:
        return np.array([row[1] is math.sin for row in p["f"]])

    constraints = [is_sine, Constraint(are_sines, vectorized=True)]
    space = HyperParameterList([objects, UniformHP("x", 0, 1)], constraints=constraints)
    assert space.sample()[:2] == ["sine", "sine"]


def test_samples_that_are_hard_to_find_are_drawn_in_blocks(monkeypatch):
    calls = []

    def is_rare(p: dict[str, Any]) -> Any:
        calls.append(len(p["a"]))
        return p["a"] < 1e-4

    rare = space(Constraint(is_rare, vectorized=True))
    rare.set_seed(0)
    row = rare.sample()
    assert row[0] < 1e-4
    assert max(calls) > 100
    rare.set_seed(0)
    assert rare.sample() == row


def test_an_error_says_how_functions_are_named():
    saved = space(Less("a", "b"), lambda p: True)
    with pytest.raises(ValueError, match="lambdas by their places: hand over the same list"):
        saved.take_functions([lambda p: True])
