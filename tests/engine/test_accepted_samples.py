"""Every sample that is evaluated passes the cascade in force when it was drawn."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest

from pyshac import AbstractHyperParameter, DiscreteHP, HyperParameterList, UniformHP
from pyshac.core.search.drawing import Drawing
from tests.cascades import cascade_of, rejections
from tests.engine.engine_helpers import branin, branin_space, evaluate, make_engine, make_space
from tests.looking.searches import mixed_score, mixed_space


class OwnHP(AbstractHyperParameter):
    """A user's own type, whose prior the library does not know."""

    def sample(self):
        return self.random.random_sample() ** 2

    def encode(self, x):
        return x

    def decode(self, x):
        return float(x)


def sum_of(worker_id, parameters):
    return float(sum(parameters.values()))


CHOICES = [DiscreteHP(name, list(range(12))) for name in "abcde"]
FEW_CHOICES = [DiscreteHP(name, list(range(9))) for name in "abc"]
SPACES = {
    "continuous": (branin_space, branin),
    "mixed": (make_space, evaluate),
    "conditions of scores": (mixed_space, lambda i, p: -mixed_score(i, p)),
    "choices": (CHOICES, sum_of),
    "few choices": (FEW_CHOICES, sum_of),
    "own type": ([OwnHP("own"), UniformHP("x", 0, 1), DiscreteHP("c", [0, 1, 2])], sum_of),
}


class Watch:
    """Looks at every batch that a search draws, and at what its cascade says of it.

    Attributes:
        in_force: Number of classifiers of each batch's cascade.
        num_checks: Number that the search says accept each batch.
        rejections: The largest number of rejections of a sample of each batch.
    """

    def __init__(self, monkeypatch):
        self.in_force, self.num_checks, self.rejections = [], [], []
        self.is_accepted_by_first = []
        real = Drawing.draw

        def draw(drawing, situation, relax_checks, generators):
            batch = real(drawing, situation, relax_checks, generators)
            rows = np.array([drawing.planner.space.encode(row) for row in batch.rows])
            self.in_force.append(len(situation.cascade))
            self.num_checks.append(batch.num_checks)
            self.rejections.append(int(rejections(situation.cascade, rows).max()))
            first = situation.cascade.first(batch.num_checks)
            self.is_accepted_by_first.append(not rejections(first, rows).any())
            return batch

        monkeypatch.setattr(Drawing, "draw", draw)


@pytest.fixture
def watch(monkeypatch):
    return Watch(monkeypatch)


def by_hand(engine, *rules):
    """Appends a classifier for each rule to the cascade of an engine."""
    search = engine._run.search
    for classifier in cascade_of(search.space, *rules, num_rows=2000):
        search.cascade.append(classifier)
        search.stage_starts.append(search.num_complete)


def spend(engine, function, loop):
    if loop == "fit":
        return engine.fit(skip_cv_checks=True, verbose=0).history["cascade_in_force"]
    while samples := engine.ask(3):
        scores = [function(0, sample) for sample in samples]
        engine.tell(samples, scores, skip_cv_checks=True)
    return None


@pytest.mark.parametrize("loop", ["fit", pytest.param("ask and tell", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", SPACES)
def test_all_are_accepted_by_the_whole_cascade(watch, tmp_path, name, loop):
    space, function = SPACES[name]
    engine = make_engine(tmp_path, function, space, 48, 6)
    told = spend(engine, function, loop)
    assert watch.in_force == [0, 1, 2, 3, 4, 5]
    assert watch.num_checks == watch.in_force
    assert watch.rejections == [0] * 6
    assert told in (None, watch.num_checks)
    assert len(engine.dataset) == len({str(row) for row in engine.dataset.X}) == 48


@pytest.mark.parametrize("loop", [pytest.param("fit", marks=pytest.mark.slow), "ask and tell"])
def test_batches_of_one_are_accepted_too(watch, tmp_path, loop):
    engine = make_engine(tmp_path, evaluate, make_space, 16, 16)
    spend(engine, evaluate, loop)
    assert len(watch.num_checks) == 16
    assert watch.num_checks == watch.in_force
    assert watch.rejections == [0] * 16


# A cascade that accepts nothing: the second and the third one never accept the same.
CONTRADICTION = (
    lambda rows: rows[:, 1] > 5,
    lambda rows: rows[:, 0] < 0,
    lambda rows: rows[:, 0] > 5,
)


@pytest.mark.parametrize("loop", ["fit", "ask and tell"])
def test_where_nothing_is_accepted_the_shortened_cascade_is_told(watch, tmp_path, caplog, loop):
    engine = make_engine(tmp_path, branin, branin_space, 30, 3)
    samples = engine.ask()
    engine.tell(samples, [branin(0, sample) for sample in samples], skip_cv_checks=True)
    engine._run.search.cascade._classifiers.clear()
    engine._run.search.stage_starts.clear()
    by_hand(engine, *CONTRADICTION)
    with caplog.at_level(logging.INFO, "pyshac"):
        told = spend(engine, branin, loop)
    # K is 2 and there are 3, so that none is added.
    assert watch.in_force == [0, 3, 3]
    assert watch.num_checks == [0, 2, 2]
    assert all(watch.is_accepted_by_first)
    assert told in (None, [2, 2])
    message = "The 3 classifiers accept too few new samples: those of this batch need to pass 2."
    assert caplog.messages.count(message) == 2


def test_nothing_is_said_where_the_whole_cascade_accepts(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "pyshac"):
        make_engine(tmp_path, branin, branin_space, 60, 6).fit(skip_cv_checks=True, verbose=0)
    assert "accept too few" not in caplog.text


@pytest.mark.parametrize("loop", ["fit", "ask and tell"])
def test_small_spaces_shorten_the_cascade_only_where_the_region_has_too_few(watch, tmp_path, loop):
    # 12 batches of 6 for 64 points: regions run out of them.
    space = HyperParameterList([DiscreteHP("a", list(range(8))), DiscreteHP("b", list(range(8)))])
    engine = make_engine(tmp_path, sum_of, space, 72, 12)
    told = spend(engine, sum_of, loop)
    assert len(engine.dataset) == 64
    assert all(watch.is_accepted_by_first)
    search = engine._run.search
    points = search.drawing.planner.grid.points
    for number, checks in enumerate(watch.num_checks):
        if checks < watch.in_force[number]:
            # The region of one check more had fewer points than the batch lacked.
            seen = {row.tobytes() for row in engine.dataset.encoded[: 6 * number]}
            accepted = search.cascade.first(checks + 1).accepts(points)
            new = [point for point in points[accepted] if point.tobytes() not in seen]
            assert len(new) < 6
    assert any(np.array(watch.num_checks) < watch.in_force)
    assert told in (None, watch.num_checks)


@pytest.mark.parametrize("method", ["default", "paper"])
@pytest.mark.parametrize("loop", ["fit", "ask"])
def test_relaxed_a_rejection_is_overlooked_one_at_a_time(watch, tmp_path, method, loop):
    engine = make_engine(tmp_path, branin, branin_space, 30, 3, method=method)
    samples = engine.ask()
    engine.tell(samples, [branin(0, sample) for sample in samples], skip_cv_checks=True)
    engine._run.search.cascade._classifiers.clear()
    engine._run.search.stage_starts.clear()
    by_hand(engine, *CONTRADICTION)
    if loop == "fit":
        history = engine.fit(skip_cv_checks=True, relax_checks=True, verbose=0).history
        assert history["cascade_in_force"] == [2, 2]
    else:
        while samples := engine.ask(relax_checks=True):
            engine.tell(samples, [branin(0, sample) for sample in samples], skip_cv_checks=True)
    assert watch.num_checks == [0, 2, 2]
    assert watch.rejections == [0, 1, 1]


def rare(engine, edge=0.1):
    """A cascade that accepts one in a million: a tenth of each of six columns."""
    by_hand(engine, *(lambda rows, c=c: rows[:, c] < edge for c in range(6)))
    rows = np.full((1, len(engine.parameters)), 0.05)
    assert engine._run.search.cascade.accepts(rows).all()


RARE_SPACE = [UniformHP(name, 0, 1) for name in "abcdef"]


@pytest.mark.parametrize("method", ["default", "paper"])
def test_relaxed_where_one_in_a_million_is_accepted_nothing_is_overlooked(watch, tmp_path, method):
    engine = make_engine(tmp_path, sum_of, RARE_SPACE, 40, 4, method=method)
    samples = engine.ask()
    engine.tell(samples, [sum_of(0, sample) for sample in samples])
    engine._run.search.cascade._classifiers.clear()
    engine._run.search.stage_starts.clear()
    rare(engine)
    predicted = engine.predict(num_samples=20, relax_checks=True)
    rows = np.array([list(sample.values()) for sample in predicted])
    accepted = engine._run.search.cascade.accepts(rows)
    assert accepted.mean() >= 0.75
    engine.fit(skip_cv_checks=True, relax_checks=True, verbose=0)
    rows = engine.dataset.encoded[10:]
    assert engine._run.search.cascade.first(6).accepts(rows).mean() >= 0.75
    assert watch.num_checks[1] == 6


def test_failed_evaluations_change_nothing_of_it(watch, tmp_path):
    def fails(worker_id, parameters):
        return math.nan if parameters["x"] > 1 else evaluate(worker_id, parameters)

    make_engine(tmp_path, fails, make_space, 50, 5).fit(skip_cv_checks=True, verbose=0)
    assert watch.num_checks == watch.in_force == [0, 1, 2, 3, 4]
    assert watch.rejections == [0] * 5
