"""Accepted samples: exact, repeatable, and the same however many draw them.

"Plain" in this file is the way of the paper: draw one proposal, ask every classifier, try again.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pyshac.core import cells, sampler, seeding
from pyshac.core.cascade import Cascade
from pyshac.core.errors import NothingAcceptedError
from pyshac.core.hyperparameters import (
    AbstractHyperParameter,
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    MultiUniformHP,
    NormalHP,
    UniformHP,
)
from pyshac.core.sampler import Generators, draw_accepted
from tests.cascades import (
    classifier_of,
    plainly_accepts,
    proposals,
    rejection_sample,
    trained_cascade,
    unit_square,
)
from tests.goodness_of_fit import LEVEL, same_distribution


def stream(number: int = 0) -> np.random.SeedSequence:
    return seeding.stream(number, seeding.Purpose.DRAW)


class Scalar(AbstractHyperParameter):
    """A user's own uniform number in [0, 1), which notes the threads that draw it."""

    threads: set[int] = set()

    def sample(self) -> float:
        self.threads.add(threading.get_ident())
        return self.random.random_sample()

    def encode(self, x: float) -> float:
        return x

    def decode(self, x: float) -> float:
        return float(x)


def mixed_space() -> HyperParameterList:
    return HyperParameterList(
        [
            UniformHP("u", -1, 1),
            NormalHP("n", 0, 1),
            DiscreteHP("d", list("abcd")),
            IntegerHP("i", 1, 100, log=True),
            MultiUniformHP("m", 0, 1, sample_count=2),
        ]
    )


def mixed_score(rows: np.ndarray) -> np.ndarray:
    return -(rows[:, 0] ** 2) - 0.3 * rows[:, 1] ** 2 + 0.2 * rows[:, 2] - rows[:, 4] * rows[:, 5]


def hill(rows: np.ndarray) -> np.ndarray:
    return -((rows[:, 0] - 0.3) ** 2) - (rows[:, 1] - 0.6) ** 2


def corner_cascade(space: HyperParameterList, num_classifiers: int, edge: float = 0.1) -> Cascade:
    """Accepts what is below `edge` in the first three columns, and most of the others."""
    rules = [lambda rows, c=c: rows[:, c] < edge for c in range(3)]
    rules += [lambda rows, c=c: rows[:, 0] < 0.5 + 0.1 * c for c in range(num_classifiers - 3)]
    return Cascade([classifier_of(rule, space, 1000) for rule in rules])


class TestNoClassifiers:
    @pytest.mark.parametrize("relax_checks", [False, True])
    @pytest.mark.parametrize("n", [1, 7, 300])
    def test_random_search_draw_for_draw(self, small_space, n, relax_checks):
        rows = draw_accepted(small_space, Cascade(), n, stream(1), relax_checks)
        assert (rows == small_space.draw(n, seeding.child(stream(1), 0))).all()

    def test_generators_do_not_matter(self, small_space):
        rows = draw_accepted(small_space, Cascade(), 9, stream(1), generators=Generators(3))
        assert (rows == draw_accepted(small_space, Cascade(), 9, stream(1))).all()


@pytest.fixture(scope="module")
def space() -> HyperParameterList:
    return mixed_space()


@pytest.fixture(scope="module")
def cascade(space: HyperParameterList) -> Cascade:
    return trained_cascade(space, mixed_score, 4, num_rows=60)


class TestAccepted:
    @pytest.mark.parametrize("n", [1, 2, 50, 1000])
    def test_as_many_as_asked_for_and_all_accepted(self, space, cascade, n):
        rows = draw_accepted(space, cascade, n, stream(2))
        assert rows.shape == (n, 6)
        assert plainly_accepts(cascade, rows).all()
        assert len(np.unique(rows, axis=0)) == n

    def test_the_stream_and_nothing_else_decides(self, space, cascade):
        rows = draw_accepted(space, cascade, 30, stream(3))
        np.random.seed(0)
        state = np.random.get_state()[1].copy()
        assert (draw_accepted(space, cascade, 30, stream(3)) == rows).all()
        assert (np.random.get_state()[1] == state).all()
        other = draw_accepted(space, cascade, 30, stream(4))
        assert not (other[:, 0] == rows[:, 0]).any()

    def test_every_draw_of_a_run_is_independent(self, space, cascade):
        draws = [draw_accepted(space, cascade, 5, stream(place))[:, 0] for place in range(400)]
        together = draw_accepted(space, cascade, 2000, stream(5))[:, 0]
        assert same_distribution(np.concatenate(draws), together) > LEVEL
        first, second = np.concatenate(draws[::2]), np.concatenate(draws[1::2])
        assert abs(stats.spearmanr(first, second).statistic) * np.sqrt(len(first)) < 4


def assert_same_distribution(first: np.ndarray, second: np.ndarray) -> None:
    """Compares every column, and sums and differences of columns, which show their dependence."""
    columns = [(first[:, column], second[:, column]) for column in range(first.shape[1])]
    scale = second.std(axis=0)
    for one in range(first.shape[1]):
        for other in range(one):
            for sign in (-1, 1):
                columns.append(
                    tuple(
                        rows[:, one] / scale[one] + sign * rows[:, other] / scale[other]
                        for rows in (first, second)
                    )
                )
    worst = min(same_distribution(*pair) for pair in columns)
    assert worst * len(columns) > LEVEL


@pytest.fixture(params=["as it is", "with a cover", "without a cover"])
def covering(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws as it does by itself, always from a cover of boxes, and always from the prior."""
    if request.param == "with a cover":
        monkeypatch.setattr(cells, "MIN_SAVING", 0)
    elif request.param == "without a cover":
        monkeypatch.setattr(cells, "MIN_SAVING", np.inf)
        monkeypatch.setattr(sampler, "PATIENCE", np.inf)


@pytest.mark.usefixtures("covering")
class TestExactness:
    def test_the_distribution_is_that_of_rejection_one_by_one(self, space, cascade):
        plain: list[np.ndarray] = []
        one_by_one = proposals(space, seed=1, size=1)
        while len(plain) < 600:
            row = next(one_by_one)
            features = row.astype(np.float32)
            if all(classifier.predict(features)[0] for classifier in cascade):
                plain.append(row[0])
        assert_same_distribution(
            draw_accepted(space, cascade, 6000, stream(6)), np.array(plain)
        )

    def test_the_distribution_is_that_of_rejection_for_many_samples(self, space, cascade):
        plain = rejection_sample(space, cascade, 20_000, seed=2)
        assert_same_distribution(draw_accepted(space, cascade, 20_000, stream(7)), plain)

    def test_the_distribution_is_that_of_rejection_for_a_deep_cascade(self):
        space = unit_square()
        deep = trained_cascade(space, hill, 7, num_rows=30)
        plain = rejection_sample(space, deep, 4000, seed=3, size=2**16)
        assert_same_distribution(draw_accepted(space, deep, 4000, stream(8)), plain)

    def test_the_distribution_is_that_of_rejection_with_a_users_own_type(self):
        space = HyperParameterList([Scalar("s"), UniformHP("u", 0, 1)])
        own = trained_cascade(space, hill, 3, num_rows=60)
        plain = rejection_sample(space, own, 1500, seed=4)
        assert_same_distribution(draw_accepted(space, own, 1500, stream(9)), plain)

    def test_few_samples_at_a_time_have_that_distribution_too(self, space, cascade):
        rows = [draw_accepted(space, cascade, 2, stream(100 + number)) for number in range(300)]
        plain = rejection_sample(space, cascade, 6000, seed=5)
        assert_same_distribution(plain, np.concatenate(rows))


class TestGenerators:
    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hands work to generators right away, in small blocks."""
        monkeypatch.setattr(sampler, "SECONDS_ALONE", 0.0)
        monkeypatch.setattr(sampler, "MAX_BLOCK_ROWS", 256)
        monkeypatch.setattr(sampler, "MAX_SCALAR_ROWS", 256)

    @pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
    @pytest.mark.parametrize("is_own", [False, True], ids=["built in", "a user's own"])
    def test_samples_do_not_depend_on_their_number(self, is_own, backend):
        first = Scalar("s") if is_own else UniformHP("s", 0, 1)
        space = HyperParameterList([first, MultiUniformHP("m", 0, 1, sample_count=2)])
        rare = corner_cascade(space, 6)
        alone = draw_accepted(space, rare, 8, stream(10))
        for number in (2, 3):
            rows = draw_accepted(
                space, rare, 8, stream(10), generators=Generators(number, backend)
            )
            assert (rows == alone).all()

    def test_several_threads_do_the_work(self, monkeypatch):
        monkeypatch.setattr(Scalar, "threads", set())
        space = HyperParameterList([Scalar("s"), MultiUniformHP("m", 0, 1, sample_count=2)])
        rare = corner_cascade(space, 3)
        monkeypatch.setattr(Scalar, "threads", set())
        draw_accepted(space, rare, 8, stream(11), generators=Generators(3, "threading"))
        assert len(Scalar.threads) > 1

    def test_samples_do_not_depend_on_when_the_others_start_to_help(self, monkeypatch):
        space = HyperParameterList([MultiUniformHP("m", 0, 1, sample_count=3)])
        rare = corner_cascade(space, 6)
        generators = Generators(2, "threading")
        draws = []
        for seconds in (0.0, 0.02, 0.1, 1e9):
            monkeypatch.setattr(sampler, "SECONDS_ALONE", seconds)
            draws.append(draw_accepted(space, rare, 20, stream(12), generators=generators))
        assert all((rows == draws[0]).all() for rows in draws)


def thirds(space: HyperParameterList) -> Cascade:
    """Two classifiers that accept the lower and the upper third of x: never both."""
    return Cascade(
        [
            classifier_of(lambda rows: rows[:, 0] < 1 / 3, space),
            classifier_of(lambda rows: rows[:, 0] > 2 / 3, space),
        ]
    )


class TestRelaxedChecks:
    """With k classifiers, after 2**k proposals in vain one more rejection is overlooked."""

    NUM_DRAWS = 4000

    def draw(self, space: HyperParameterList, cascade: Cascade, seed: int) -> np.ndarray:
        return draw_accepted(space, cascade, self.NUM_DRAWS, stream(seed), relax_checks=True)

    def test_one_classifier(self):
        space = unit_square()
        cascade = Cascade([classifier_of(lambda rows: rows[:, 0] < 0.3, space)])
        share = plainly_accepts(cascade, space.draw(400_000, stream(13))).mean()
        rejected = ~plainly_accepts(cascade, self.draw(space, cascade, 14))
        # Two proposals in vain, and then a third one that may be anything.
        expected = (1 - share) ** 2 * (1 - share)
        assert stats.binomtest(int(rejected.sum()), self.NUM_DRAWS, expected).pvalue > LEVEL

    def test_two_classifiers_that_never_accept_the_same(self):
        space = unit_square()
        cascade = thirds(space)
        rows = space.draw(400_000, stream(15))
        middle = ~plainly_accepts(cascade, rows, forgiven=1)
        assert not plainly_accepts(cascade, rows, forgiven=0).any()
        drawn = ~plainly_accepts(cascade, self.draw(space, cascade, 16), forgiven=1)
        # With one rejection overlooked, four proposals that both reject, and then anything.
        expected = middle.mean() ** 4 * middle.mean()
        assert stats.binomtest(int(drawn.sum()), self.NUM_DRAWS, expected).pvalue > LEVEL

    def test_how_many_rejections_are_overlooked_how_often(self):
        space = unit_square()
        cascade = trained_cascade(space, hill, 3, num_rows=40)
        rows = space.draw(400_000, stream(17))
        share = np.array([plainly_accepts(cascade, rows, forgiven).mean() for forgiven in range(4)])
        drawn = self.draw(space, cascade, 18)
        # The number of rejections of a sample: in which window of eight proposals it was found,
        # and how many it then has, given that it has no more than are overlooked.
        exactly = np.diff(share, prepend=0)
        expected, missed = np.zeros(4), 1.0
        for forgiven in range(4):
            found = 1.0 if forgiven == 3 else 1 - (1 - share[forgiven]) ** 8
            expected[: forgiven + 1] += missed * found * exactly[: forgiven + 1] / share[forgiven]
            missed *= 1 - found
        counts = np.zeros(4)
        for forgiven in range(4):
            counts[forgiven] = plainly_accepts(cascade, drawn, forgiven).sum()
        counts = np.diff(counts, prepend=0)
        kept = expected * self.NUM_DRAWS >= 5
        assert kept.sum() >= 2
        assert stats.chisquare(
            [*counts[kept], counts[~kept].sum() + 1e-9],
            [*expected[kept] * self.NUM_DRAWS, expected[~kept].sum() * self.NUM_DRAWS + 1e-9],
        ).pvalue > LEVEL

    def test_a_rejection_is_overlooked_for_one_sample_only(self):
        space = unit_square()
        cascade = Cascade([classifier_of(lambda rows: rows[:, 0] < 0.3, space)])
        rejected = ~plainly_accepts(cascade, self.draw(space, cascade, 19))
        # If it held for the samples that follow, rejections would come in rows.
        after = rejected[1:][rejected[:-1]]
        assert stats.binomtest(int(after.sum()), len(after), rejected.mean()).pvalue > LEVEL

    def test_a_cascade_that_accepts_nothing_is_drawn_from(self):
        space = unit_square()
        none = Cascade([*thirds(space), classifier_of(lambda rows: rows[:, 1] > 0.5, space)])
        rows = draw_accepted(space, none, 50, stream(20), relax_checks=True)
        assert rows.shape == (50, 2)
        assert not plainly_accepts(none, rows).any()

    def test_the_stream_decides_and_generators_do_not(self, space, cascade):
        rows = draw_accepted(space, cascade, 20, stream(21), True)
        again = draw_accepted(space, cascade, 20, stream(21), True, Generators(3, "threading"))
        assert (rows == again).all()
        assert not (draw_accepted(space, cascade, 20, stream(22), True) == rows).all(axis=1).any()

    def test_where_enough_is_accepted_nothing_is_overlooked(self):
        space = unit_square()
        wide = Cascade([classifier_of(lambda rows, c=c: rows[:, 0] < 0.8 + c, space) for c in (0, 0.02)])
        rows = draw_accepted(space, wide, 300, stream(23), relax_checks=True)
        share = 1 - plainly_accepts(wide, space.draw(10_000, stream(24))).mean()
        assert share**4 * 300 < 1
        assert plainly_accepts(wide, rows).mean() > 1 - 10 * share**4


class TestNothingAccepted:
    def test_an_error_says_what_to_do(self):
        space = unit_square()
        started = time.monotonic()
        with pytest.raises(NothingAcceptedError) as caught:
            draw_accepted(space, thirds(space), 3, stream(25))
        message = str(caught.value)
        assert message.startswith("The 2 classifiers accept")
        for advice in ("is saved", "relax_checks=True", "max_classifiers", "wider space"):
            assert advice in message
        assert time.monotonic() - started < 60

    def test_users_own_types_give_up_after_so_many_proposals(self, monkeypatch):
        monkeypatch.setattr(sampler, "MIN_HOPELESS_PROPOSALS", 20_000)
        space = HyperParameterList([Scalar("s"), UniformHP("u", 0, 1)])
        with pytest.raises(NothingAcceptedError, match=r"none of \d+ proposals"):
            draw_accepted(space, thirds(space), 3, stream(26))

    @pytest.mark.parametrize("backend", ["threading", "loky"])
    def test_generators_give_up_too(self, monkeypatch, backend):
        monkeypatch.setattr(sampler, "MIN_HOPELESS_PROPOSALS", 20_000)
        monkeypatch.setattr(sampler, "SECONDS_ALONE", 0.0)
        monkeypatch.setattr(sampler, "MAX_SCALAR_ROWS", 256)
        space = HyperParameterList([Scalar("s"), UniformHP("u", 0, 1)])
        with pytest.raises(NothingAcceptedError):
            draw_accepted(space, thirds(space), 3, stream(27), False, Generators(2, backend))

    def test_a_cascade_that_accepts_little_is_waited_for(self):
        space = HyperParameterList([MultiUniformHP("m", 0, 1, sample_count=3)])
        rare = corner_cascade(space, 3, edge=0.03)
        rows = draw_accepted(space, rare, 4, stream(28))
        assert plainly_accepts(rare, rows).all()

    def test_a_long_search_says_so(self, monkeypatch, caplog):
        monkeypatch.setattr(sampler, "FIRST_WARNING_SECONDS", 0.0)
        space = unit_square()
        cascade = Cascade([classifier_of(lambda rows: rows[:, 0] < 0.5, space)])
        with caplog.at_level(logging.WARNING, "pyshac"):
            draw_accepted(space, cascade, 500, stream(29))
        assert "Looking for samples for" in caplog.text
        assert "1 classifiers accepted" in caplog.text
        caplog.clear()
        monkeypatch.setattr(sampler, "FIRST_WARNING_SECONDS", 10.0)
        draw_accepted(space, cascade, 500, stream(29))
        assert caplog.text == ""
