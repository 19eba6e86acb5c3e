"""Values whose text no file could give back are refused before anything is evaluated."""

from __future__ import annotations

import csv

import pytest

from pyshac import (
    AbstractHyperParameter,
    Dataset,
    DiscreteHP,
    HyperParameterList,
    MultiDiscreteHP,
    UniformHP,
)
from pyshac.core.basics.plain_values import MAX_CELL_LENGTH, MAX_TEXT_LENGTH
from tests.engine.engine_helpers import InterruptedAt, make_engine, restored, samples_of

LONG = ("a" * 60_000, "b" * 60_000, "c" * 60_000)
# As long as text may be, and twice as long in quotes.
LONGEST = [
    "x" * (MAX_TEXT_LENGTH - 1),
    "[" + "\n" * (MAX_TEXT_LENGTH - 3) + "]",
    ("y" * 65_000, "z" * 65_000, 1.5),
    ("\n" * 60_000,),
]


@pytest.mark.parametrize("make", [DiscreteHP, MultiDiscreteHP])
@pytest.mark.parametrize("value", [LONG, ((LONG,),), ("\n" * 65_000, "\n" * 65_000), [[]] * 70_000])
def test_a_choice_whose_text_is_too_long_is_refused_where_it_is_made(make, value):
    with pytest.raises(ValueError, match="^values of 't' must take at most 131072 characters"):
        make("t", [value, "d"])


def test_the_longest_values_are_saved_and_restored(tmp_path):
    assert max(len(DiscreteHP("t", LONGEST).to_text(value)) for value in LONGEST) > 2**17 - 9
    assert csv.field_size_limit() >= MAX_CELL_LENGTH
    engine = make_engine(tmp_path, parameters=[DiscreteHP("t", LONGEST), UniformHP("x", 0.0, 1.0)])
    engine.fit(lambda worker_id, parameters: parameters["x"], skip_cv_checks=True)
    assert samples_of(restored(tmp_path)) == samples_of(engine)
    assert len({row[0] for row in engine.dataset.X}) == len(LONGEST)


class LongHP(AbstractHyperParameter):
    """A type of the user's own: its values are too long, or the texts that it makes of them."""

    def __init__(self, name, as_text=False, seed=None):
        super().__init__(name, None, seed)
        self.as_text = as_text

    def sample(self):
        return self.decode(self.random.randint(3))

    def encode(self, x):
        return x if self.as_text else 0

    def decode(self, x):
        return int(x) if self.as_text else LONG

    def to_text(self, value):
        return "9" * 200_000 if self.as_text else super().to_text(value)


@pytest.mark.parametrize("as_text", [False, True])
def test_values_of_own_types_are_refused_before_an_evaluation(tmp_path, as_text):
    function = InterruptedAt(0)
    engine = make_engine(tmp_path, function, parameters=[LongHP("own", as_text)])
    with pytest.raises(ValueError, match="^A value of 'own' must take at most 131072 characters"):
        engine.fit()
    assert function.calls == 0


def test_samples_of_a_dataset_are_refused():
    dataset = Dataset(HyperParameterList([LongHP("own", True)]))
    with pytest.raises(ValueError, match="^A value of 'own' must take at most 131072 characters"):
        dataset.add_sample([1], 0.5)
    assert len(dataset) == 0


def test_rows_that_are_too_long_are_refused_where_the_search_is_made(tmp_path):
    wide = MultiDiscreteHP("t", ["x" * 60_000, "y"], sample_count=300)
    with pytest.raises(ValueError, match="A row of the search space must take at most 16777216"):
        make_engine(tmp_path, parameters=[wide])
    dataset = Dataset(HyperParameterList([wide]))
    dataset.add_sample(["y"] * 300, 0.5)
    with pytest.raises(ValueError, match="^Sample 1 takes 180"):
        dataset.add_sample(["x" * 60_000] * 300, 0.5)
    assert len(dataset) == 1
