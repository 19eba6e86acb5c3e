"""What `param_distributions` may be, as a search space."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("sklearn", "1.6")

from sklearn.svm import SVC

from pyshac import DiscreteHP, HyperParameterList, IntegerHP, LogUniformHP
from pyshac.integrations.sklearn_parts.drawn import DrawnHyperParameter
from pyshac.integrations.sklearn_parts.space import CandidateSpace


def candidates(given, n=40):
    space = CandidateSpace(given)
    space.parameters.set_seed(0)
    draws = (space.parameters.sample() for _ in range(n))
    return [space.candidate(space.parameters.to_parameters(draw)) for draw in draws]


class Die:
    """A distribution as scikit-learn allows them."""

    def rvs(self, random_state=None):
        return random_state.randint(1, 7)


@pytest.mark.parametrize(
    "values",
    [
        [1, 2.5, "a", None, True],
        (1, 10, 100),
        np.array([0.1, 1.0]),
        range(3),
        [SVC(), SVC(), "passthrough"],
        [np.log1p, None, lambda x: x],
        [{"a": 1}, {"b": 2}, [1, 2]],
        [np.array([1, 2]), np.arange(500)],
        [(1, 1), (1, 2)],
        ["ä", "x" * 2000, ""],
    ],
    ids=[
        "mixed", "tuple", "array", "range", "estimators", "functions", "containers", "arrays",
        "tuples", "texts",
    ],
)  # fmt: skip
def test_values_of_lists_come_back(values):
    expected = [each.item() if isinstance(each, np.generic) else each for each in values]
    found = [each["p"] for each in candidates({"p": values}, 60)]

    def place_of(item):
        same = (place for place, each in enumerate(expected) if each is item)
        is_plain = isinstance(item, (int, float, str, tuple))
        return next(same, expected.index(item) if is_plain else None)

    assert {place_of(item) for item in found} == set(range(len(expected)))


def test_nan_and_repeated_values_are_values():
    found = [each["p"] for each in candidates({"p": [1, 1, float("nan"), np.int64(1)]})]
    assert {str(each) for each in found} == {"1", "nan"}


def test_distributions_keep_their_types():
    space = {
        "a": stats.randint(2, 5),
        "b": stats.loguniform(1e-3, 1),
        "c": Die(),
        "d": stats.expon(),
    }
    found = candidates(space)
    assert {each["a"] for each in found} == {2, 3, 4}
    assert {each["c"] for each in found} == {1, 2, 3, 4, 5, 6}
    types = {name: {type(each[name]) for each in found} for name in space}
    assert types == {"a": {int}, "b": {float}, "c": {int}, "d": {float}}


def test_of_several_dicts_each_is_as_likely_and_they_may_differ():
    svc = SVC()
    found = candidates(
        [
            {"kernel": ["rbf"], "C": stats.uniform(0, 1), "gamma": [1, 2]},
            {"kernel": ["poly"], "C": stats.uniform(0, 1), "degree": IntegerHP("degree", 2, 3)},
            {"model": [svc]},
        ],
        300,
    )
    names = [frozenset(each) for each in found]
    expected = [{"kernel", "C", "gamma"}, {"kernel", "C", "degree"}, {"model"}]
    # Of 300 draws a third, within four standard deviations.
    assert all(67 < names.count(frozenset(each)) < 133 for each in expected)
    assert all(each["model"] is svc for each in found if "model" in each)
    assert all(each["kernel"] == "poly" for each in found if "degree" in each)


def test_what_dicts_share_is_one_parameter():
    shared = {"C": stats.uniform(0, 1)}
    space = CandidateSpace([{**shared, "k": [1]}, {**shared, "k": [2]}]).parameters
    assert space.get_parameter_names() == ["param_distributions", "C", "k [0]", "k [1]"]


def test_conditions_inside_a_dict_hold():
    found = candidates(
        [
            {"k": ["a", "b"], "x": LogUniformHP("x", 1, 2).when("k", "a")},
            {"k": ["c"]},
        ]
    )
    assert all(("x" in each) == (each["k"] == "a") for each in found)


@pytest.mark.parametrize("make", [list, HyperParameterList])
def test_parameters_of_this_library(make):
    svc = SVC()
    found = candidates(
        make([DiscreteHP("m", {"svc": svc, "no": None}), IntegerHP("d", 1, 2).when("m", "svc")])
    )
    assert all(("d" in each) == (each["m"] is svc) for each in found)


@pytest.mark.parametrize("given", [{}, [{}], [{}, {"a": [1]}]])
def test_an_empty_dict_is_the_estimator_as_it_is(given):
    assert {} in candidates(given)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"p": "rbf"}, TypeError, "'p' is not iterable or a distribution"),
        ({"p": {1, 2}}, TypeError, "'p' is not iterable or a distribution"),
        ({"p": 3}, TypeError, "'p' is not iterable or a distribution"),
        ({"p": []}, ValueError, "'p' must not be empty"),
        ({3: [1]}, TypeError, "must be str"),
        ({"p": IntegerHP("q", 1, 2)}, ValueError, "same name. Got 'q'"),
        ([], TypeError, "param_distributions must be"),
        ([{"p": [1]}, IntegerHP("q", 1, 2)], TypeError, "param_distributions must be"),
        ({"p": stats.dirichlet([1, 2])}, TypeError, "a finite number"),
    ],
)
def test_misuse_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        CandidateSpace(given)


def test_a_distribution_without_a_name_is_not_in_files():
    parameter = DrawnHyperParameter("p", Die())
    loaded = DrawnHyperParameter.load_from_config(parameter.get_config())
    assert loaded.lacks_objects
    assert not parameter.lacks_objects
    assert type(loaded.decode(2.0)) is int
