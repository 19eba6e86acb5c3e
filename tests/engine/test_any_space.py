"""Searches of any space, with conditions and constraints, through every form that samples take."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from pyshac import (
    INACTIVE,
    SHAC,
    Constraint,
    Dataset,
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    Less,
    UniformHP,
)
from tests import strategies
from tests.engine.engine_helpers import make_engine
from tests.strategies import typed

FEW = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def score_of(space: HyperParameterList, parameters: dict[str, Any]) -> float:
    """A score that every value counts in."""
    encoded = space.encode(space.to_row(parameters))
    known = encoded[~np.isnan(encoded)]
    return float(np.sum(np.tanh(known / 10)) - np.isnan(encoded).sum())


def engine_of(space: HyperParameterList, path: str, **options: Any) -> SHAC:
    return make_engine(path, None, parameters=space, total_budget=12, num_batches=3, **options)


@FEW
@given(strategies.constrained_spaces())
def test_draws_obey_and_survive_every_form(space):
    encoded = np.array([space.encode(space.sample()) for _ in range(5)])
    assert space.feasible(encoded).all()
    for row in map(space.decode, encoded):
        space.check_constraints(row)
        parameters = space.to_parameters(row)
        assert typed(space.to_stored_row(parameters)) == typed(row)
        assert (len(parameters) == len(space)) == (INACTIVE not in row)


@pytest.mark.slow
@FEW
@given(strategies.constrained_spaces())
def test_a_search_goes_through_disk_and_frames(space):
    with tempfile.TemporaryDirectory() as path:
        engine = engine_of(space, path)
        for number in range(3):
            samples = engine.ask()
            rows = [space.to_row(sample) for sample in samples]
            assert space.feasible(np.array([space.encode(row) for row in rows])).all()
            engine.tell(samples, [score_of(space, s) for s in samples], skip_cv_checks=True)
            if number == 1:
                engine = engine_of(space, path, resume=True)
        assert [typed(row) for row in Dataset.load_from_directory(path).X] == [
            typed(row) for row in engine.dataset.X
        ]
        check_frame(engine.dataset)
        for sample in engine.predict(num_samples=3, relax_checks=True):
            space.check_constraints(space.to_row(sample))
        again = SHAC.load(path, hyperparameter_list=space)
        assert again.add(engine.top(3)[0].parameters, 0.5) == 1
        assert engine.dataset.Y == again.dataset.Y


def check_frame(dataset: Dataset) -> None:
    """A data frame lacks what is inactive, and has everything else as it is."""
    frame = dataset.to_dataframe()
    cells = zip(dataset.X, frame.to_numpy(object), frame.isna().to_numpy(), strict=True)
    for row, values, is_missing in cells:
        for value, cell, has_none in zip(row, values, is_missing, strict=False):
            if value is INACTIVE or value is None:
                assert has_none
            else:
                assert value == cell


@pytest.mark.slow
@FEW
@given(strategies.constrained_spaces(), st.integers(0, 2**32))
def test_what_is_enqueued_comes_first(space, seed):
    space.set_seed(seed)
    whole = space.to_parameters(space.sample())
    with tempfile.TemporaryDirectory() as path:
        engine = engine_of(space, path)
        assert engine.enqueue(whole) == 1
        assert typed([*engine.ask(1)[0].values()]) == typed(
            [*space.to_parameters(space.to_stored_row(whole)).values()]
        )


def test_a_function_and_relations_together(tmp_path):
    space = HyperParameterList(
        [
            DiscreteHP("kind", ["a", "b"]),
            UniformHP("low", 0.0, 1.0),
            UniformHP("high", 0.0, 1.0).when("kind", "a"),
            IntegerHP("n", 1, 9),
        ],
        constraints=[Less("low", "high"), Constraint(lambda p: p["n"] % 2 == 0, name="even")],
    )
    engine = engine_of(space, str(tmp_path))
    for _ in range(3):
        samples = engine.ask()
        for sample in samples:
            assert sample["n"] % 2 == 0
            assert sample["kind"] == "b" or sample["low"] < sample["high"]
        engine.tell(samples, [score_of(space, sample) for sample in samples], skip_cv_checks=True)
