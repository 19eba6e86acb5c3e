"""to_dataframe: a dataset in pandas, typed."""

from __future__ import annotations

import copy
import math
import sys

import pytest

from pyshac import (
    Dataset,
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    MultiDiscreteHP,
    MultiUniformHP,
    UniformHP,
)
from pyshac.core.basics.plain_values import INACTIVE

pandas = pytest.importorskip("pandas")
stats = pytest.importorskip("scipy.stats")

AFTER_PARAMETERS = ["scores", "state", "started", "seconds", "slot", "failure"]


def frame_of(parameter, rows):
    dataset = Dataset([parameter])
    for row in rows:
        dataset.add_sample(row, 0.5)
    return dataset.to_dataframe()


def exactly(values):
    return [(type(value), value) for value in values]


@pytest.mark.parametrize(
    ("parameter", "dtype", "values"),
    [
        (UniformHP("p", 0, 5), "float64", [0.25, 3.0]),
        (IntegerHP("p", 0, 5), "int64", [5, 0]),
        (DistributionHP("p", stats.poisson(3)), "int64", [2, 7]),
        (DiscreteHP("p", [3, 1, -4]), "int64", [3, -4]),
        (DiscreteHP("p", [2**63 - 1, -(2**63)]), "int64", [2**63 - 1, -(2**63)]),
        (DiscreteHP("p", [0.5, 2.5]), "float64", [2.5, 0.5]),
        (DiscreteHP("p", [True, False]), "bool", [False, True]),
        # Numbers as people write them: the ints among the floats become floats.
        (DiscreteHP("p", [1, 0.1, 0.01]), "float64", [1, 0.1]),
        # What could not be told apart any more, or is no longer the same, stays as it is.
        (DiscreteHP("p", [1, 1.0]), "object", [1.0, 1]),
        (DiscreteHP("p", [2**53 + 1, 0.5]), "object", [2**53 + 1, 0.5]),
        (DiscreteHP("p", [2**63, 1]), "object", [2**63, 1]),
        (DiscreteHP("p", [1, 1.0, "1", True, None]), "object", [None, True, "1", 1.0, 1]),
        (DiscreteHP("p", ["a", None]), "object", [None, "a"]),
        (DiscreteHP("p", [(3, 3), (5, 5)]), "object", [(5, 5), (3, 3)]),
    ],
    ids=repr,
)
def test_columns_have_the_type_of_their_values(parameter, dtype, values):
    frame = frame_of(parameter, [[value] for value in values])
    assert frame["p"].dtype == dtype
    found = frame["p"].tolist()
    assert found == values
    if dtype == "object":
        assert exactly(found) == exactly(values)


def test_texts_are_categories_in_the_order_of_the_space():
    frame = frame_of(DiscreteHP("p", ["sgd", "adam", "é, <b>"]), [["adam"], ["é, <b>"], ["adam"]])
    assert frame["p"].tolist() == ["adam", "é, <b>", "adam"]
    assert list(frame["p"].cat.categories) == ["sgd", "adam", "é, <b>"]
    assert not frame["p"].cat.ordered
    assert frame["p"].value_counts().to_dict() == {"adam": 2, "é, <b>": 1, "sgd": 0}


def test_multi_parameters_have_numbered_columns():
    space = [
        MultiUniformHP("w", 0, 1, sample_count=2),
        UniformHP("x", 0, 1),
        MultiDiscreteHP("kind", ["a", "b"], sample_count=2),
    ]
    frame = frame_of_space(space, [[0.1, 0.2, 0.3, "a", "b"]])
    assert list(frame.columns) == ["w_1", "w_2", "x", "kind_1", "kind_2", *AFTER_PARAMETERS]
    assert frame.iloc[0].tolist()[:6] == [0.1, 0.2, 0.3, "a", "b", 0.5]
    assert (frame["w_2"].dtype, frame["kind_2"].dtype) == ("float64", "category")


def frame_of_space(space, rows):
    dataset = Dataset(space)
    for row in rows:
        dataset.add_sample(row, 0.5)
    return dataset.to_dataframe()


def test_the_index_is_the_number_and_failed_samples_have_no_score():
    dataset = Dataset([UniformHP("x", 0, 1)])
    dataset.add_sample([0.5], math.nan, id=7)
    dataset.add_sample([0.25], -1.5, id=3)
    frame = dataset.to_dataframe()
    assert frame.index.name == "id"
    assert frame.index.tolist() == [3, 7]
    assert frame["scores"].isna().tolist() == [False, True]
    assert frame.loc[3, "scores"] == -1.5
    assert frame["scores"].dtype == "float64"


def test_all_kinds_of_parameters(small_space):
    dataset = Dataset(small_space)
    small_space.set_seed(5)
    rows = [small_space.sample() for _ in range(40)]
    for row in rows:
        dataset.add_sample(row, 1.0)
    frame = dataset.to_dataframe()
    assert list(frame.columns) == [*small_space.get_parameter_names(), *AFTER_PARAMETERS]
    found = frame[small_space.get_parameter_names()]
    assert [list(row) for row in found.itertuples(index=False)] == rows


def test_without_samples_there_are_columns_all_the_same(small_space):
    frame = Dataset(small_space).to_dataframe()
    assert len(frame) == 0
    assert list(frame.columns) == [*small_space.get_parameter_names(), *AFTER_PARAMETERS]
    assert frame["scores"].dtype == "float64"


def test_without_parameters_there_is_no_frame():
    with pytest.raises(RuntimeError, match="The dataset has no parameters"):
        Dataset().to_dataframe()


def test_without_pandas_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"'pandas'.*pip install 'pyshac\[pandas\]'"):
        Dataset(HyperParameterList([UniformHP("x", 0, 1)])).to_dataframe()


CONDITIONAL = [
    (UniformHP("p", 0, 5), "float64", 0.25),
    (DiscreteHP("p", [1, 0.5]), "float64", 0.5),
    (IntegerHP("p", 0, 5), "Int64", 5),
    (DiscreteHP("p", [3, 1, -4]), "Int64", -4),
    (DiscreteHP("p", [True, False]), "boolean", False),
    (DiscreteHP("p", ["a", None]), "object", "a"),
    (DiscreteHP("p", [(3, 3), (5, 5)]), "object", (5, 5)),
    (DiscreteHP("p", [1, 1.0]), "object", 1.0),
    (DiscreteHP("p", [2**63, 1]), "object", 2**63),
]


def when_on(parameter, rows):
    """A frame of a parameter that is only active where `on` is true."""
    conditional = copy.copy(parameter).when("on", True)
    return frame_of_space([DiscreteHP("on", [True, False]), conditional], rows)


@pytest.mark.parametrize(("parameter", "dtype", "value"), CONDITIONAL, ids=repr)
def test_inactive_parameters_are_missing(parameter, dtype, value):
    frame = when_on(parameter, [[True, value], [False, INACTIVE], [True, value]])
    assert frame["p"].dtype == dtype
    assert frame["p"].isna().tolist() == [False, True, False]
    assert exactly(frame["p"].dropna().tolist()) == exactly([value] * 2)
    assert frame["on"].dtype == "bool"


@pytest.mark.parametrize(("parameter", "dtype", "value"), CONDITIONAL, ids=repr)
def test_types_of_conditional_columns_do_not_depend_on_samples(parameter, dtype, value):
    for rows in ([], [[False, INACTIVE]], [[True, value]]):
        assert when_on(parameter, rows)["p"].dtype == dtype


def test_texts_of_conditional_parameters_are_categories():
    parameter = DiscreteHP("p", ["sgd", "adam"])
    frame = when_on(parameter, [[True, "adam"], [False, INACTIVE]])
    assert frame["p"].isna().tolist() == [False, True]
    assert list(frame["p"].cat.categories) == ["sgd", "adam"]


def test_a_choice_of_none_is_not_inactive():
    frame = when_on(DiscreteHP("p", ["a", None]), [[True, None], [False, INACTIVE]])
    chosen, inactive = frame["p"]
    assert chosen is None
    assert inactive is pandas.NA


def test_a_whole_space_with_conditions(branching):
    dataset, space = branching.dataset, branching.parameters
    frame = dataset.to_dataframe()
    for number, name in enumerate(space.get_parameter_names()):
        values = [row[number] for row in dataset.X]
        assert list(frame[name].isna()) == [value in (INACTIVE, None) for value in values]
        known = [value for value in values if value not in (INACTIVE, None)]
        assert exactly(frame[name].dropna().tolist()) == exactly(known)
    assert frame["optimizer"].notna().all()
    assert (frame["tens"].dtype, frame["boost"].isna().any()) == ("Int64", True)
