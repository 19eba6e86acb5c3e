"""Values at the edge of what a number or a name is: from the draw to the file and back."""

from __future__ import annotations

import io
import math
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from scipy import stats

from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats.csv_file import read_csv
from pyshac.core.dataset.formats.parameters_file import build_space
from pyshac.core.hyperparameters import (
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    MultiDiscreteHP,
    MultiNormalHP,
    MultiUniformHP,
    NormalHP,
    UniformHP,
)
from tests import strategies
from tests.strategies import typed

LARGEST, SMALLEST = sys.float_info.max, math.ulp(0.0)
FLOATS = [0.0, -0.0, SMALLEST, 2 * SMALLEST, 1e-310, sys.float_info.min, 1e-9, 0.1, 1.0]
FLOATS += [
    math.nextafter(1.0, 2.0),
    1e9,
    1e9 + 10,
    2.0**53,
    2.0**53 + 2,
    1e16,
    1e307,
    1e308,
    LARGEST,
]
FLOATS += [-number for number in FLOATS]
WHOLE = [0, 1, 2, 3, 10, 2**31, 2**45, 2**46 - 1, 2**46, 2**51, 2**52 - 1, 2**52]
WHOLE += [-number for number in WHOLE]
DISTRIBUTIONS = [
    (stats.randint(0, 2**60), False),
    (stats.randint(1, 2**62), True),
    (stats.geom(1e-300), False),
    (stats.zipf(2.5), True),
    (stats.lognorm(50), False),
    (stats.pareto(0.1), True),
    (stats.halfnorm(), False),
    (stats.levy(), False),
    (stats.foldnorm(2), False),
    (stats.norm(1e300, 1), False),
    (stats.norm(0, SMALLEST), False),
    (stats.cauchy(0, 1e290), False),
]
LOOKALIKES = [1, 1.0, True, "1", 0.0, 0, False, None, "", LARGEST, 10**400, -(2**63), 2**53 + 1]
bounds = st.tuples(st.sampled_from(FLOATS), st.sampled_from(FLOATS)).map(sorted)
distributions = st.integers(0, len(DISTRIBUTIONS) - 1)


def built(make):
    """The parameter, if its arguments are allowed; an error is a ValueError that names it."""
    try:
        return make()
    except ValueError as error:
        message = str(error)
    assert "'p'" in message
    return assume(False)


@st.composite
def numbers(draw):
    kind = draw(
        st.sampled_from(["uniform", "encoded", "log", "normal", "integer", "scipy", "multi"])
    )
    low, high = draw(bounds)
    if kind == "integer":
        least, most = sorted((draw(st.sampled_from(WHOLE)), draw(st.sampled_from(WHOLE))))
        return built(lambda: IntegerHP("p", least, most, log=draw(st.booleans())))
    if kind == "scipy":
        return DistributionHP("p", *DISTRIBUTIONS[draw(distributions)])
    make = {
        "uniform": lambda: UniformHP("p", low, high),
        "encoded": lambda: UniformHP("p", low, high, log_encode=True),
        "log": lambda: LogUniformHP("p", low, high),
        "normal": lambda: NormalHP("p", low, abs(high)),
        "multi": lambda: draw(
            st.sampled_from(
                [
                    lambda: MultiUniformHP("p", low, high, sample_count=2),
                    lambda: MultiNormalHP("p", low, abs(high), sample_count=2),
                    lambda: MultiDiscreteHP("p", LOOKALIKES, sample_count=2),
                    lambda: DiscreteHP("p", LOOKALIKES),
                ]
            )
        )(),
    }[kind]
    return built(make)


def written_and_read(space, encoded):
    """The dataset of these samples, and its rows and samples after a trip to a file."""
    dataset = Dataset(space)
    for row in encoded:
        dataset.add_sample(space.decode(row), 1.0)
    text = io.StringIO(dataset.to_csv(), newline="")
    return dataset, [row for _, row, _ in read_csv(text, space, "dataset.csv")]


@settings(deadline=None)
@given(numbers(), st.lists(strategies.units, min_size=1, max_size=5))
def test_draws_at_the_edge_are_the_same_after_a_trip_to_the_file(parameter, units):
    space = HyperParameterList([parameter])
    ends = [0.0, 2.0**-53, 1 - 2.0**-53]
    unit = np.repeat(np.array([*units, *ends])[:, None], space.num_columns, axis=1)
    encoded = space.from_unit(unit)
    assert np.isfinite(encoded).all()
    back = space.to_unit(encoded)
    assert ((back >= 0) & (back <= 1)).all()
    dataset, read = written_and_read(space, encoded)
    kind = space.column_kinds[0]
    for drawn, kept, again in zip(encoded, dataset.X, read, strict=True):
        assert typed(again) == typed(kept) == typed(space.decode(drawn))
        assert all(kind.low <= value <= kind.high for value in kept if kind.choices is None)
        # A logarithm holds all digits of the value but the last few.
        once = space.encode(again)
        assert once == pytest.approx(drawn, rel=1e-12, abs=1e-12 if kind.is_log else 0)
        if not kind.is_log:
            assert typed(space.decode(once)) == typed(again)


@given(st.lists(strategies.names, min_size=1, max_size=4, unique=True))
def test_any_allowed_names_are_the_same_after_a_trip_to_both_files(names):
    space = HyperParameterList([UniformHP(name, 0, 1) for name in names])
    again = build_space(dict(space.get_config()), "parameters.json")
    assert again.get_parameter_names() == names
    dataset, read = written_and_read(again, np.full((2, len(names)), 0.5))
    assert read == list(dataset.X)


NAMES = [
    "\n",
    "\r\n",
    "ID",
    " id",
    "Scores",
    "e\u0301",
    "\u00e9",
    "\ufeffx",
    "a,b",
    '"',
    "x" * 65535,
]


def test_names_that_look_alike_are_different_columns():
    space = HyperParameterList([UniformHP(name, 0, 1) for name in NAMES])
    dataset, read = written_and_read(space, np.arange(len(NAMES))[None] / 100)
    assert read == list(dataset.X) == [[number / 100 for number in range(len(NAMES))]]


@pytest.mark.parametrize("name", ["", "id", "scores", "a\0b", "\ud800", "x" * 65536])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="name of a hyperparameter must"):
        UniformHP(name, 0, 1)
