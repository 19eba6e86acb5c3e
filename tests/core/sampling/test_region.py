"""Accepted samples: exact, repeatable, and the same however many draw them.

"Plain" in this file is the way of the paper: draw one proposal, ask every classifier, try again.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats

from pyshac.core.basics import seeding
from pyshac.core.classifiers.cascade import Cascade
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
from pyshac.core.sampling import (
    block_source,
    cover_refinement,
    covers,
    proposal_planner,
    proposals as proposals_module,
    region as region_module,
)
from pyshac.core.sampling.generators import Generators
from tests.cascades import (
    cascade_of,
    plainly_accepts,
    proposals,
    region,
    rejection_sample,
    trained_cascade,
    unit_square,
)
from tests.goodness_of_fit import LEVEL, same_distribution


def stream(number: int = 0) -> np.random.SeedSequence:
    return seeding.stream(number, seeding.Purpose.DRAW)


class Scalar(AbstractHyperParameter):
    """A user's own uniform number in [0, 1), which notes the threads that draw it."""

    threads: ClassVar[set[int]] = set()

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
    return cascade_of(space, *rules, num_rows=1000)


class TestNoClassifiers:
    @pytest.mark.parametrize("relax_checks", [False, True])
    @pytest.mark.parametrize("n", [1, 7, 300])
    def test_random_search_draw_for_draw(self, small_space, n, relax_checks):
        rows = region(small_space, Cascade(), relax_checks=relax_checks).draw(n, stream(1))
        assert (rows == small_space.draw(n, seeding.child(stream(1), 0))).all()

    def test_generators_do_not_matter(self, small_space):
        rows = region(small_space, Cascade(), generators=Generators(3)).draw(9, stream(1))
        assert (rows == region(small_space, Cascade()).draw(9, stream(1))).all()


@pytest.fixture(scope="module")
def space() -> HyperParameterList:
    return mixed_space()


@pytest.fixture(scope="module")
def cascade(space: HyperParameterList) -> Cascade:
    return trained_cascade(space, mixed_score, 4, num_rows=60)


class TestAccepted:
    @pytest.mark.parametrize("n", [1, 2, 50, 1000])
    def test_as_many_as_asked_for_and_all_accepted(self, space, cascade, n):
        rows = region(space, cascade).draw(n, stream(2))
        assert rows.shape == (n, 6)
        assert plainly_accepts(cascade, rows).all()
        assert len(np.unique(rows, axis=0)) == n

    def test_the_stream_and_nothing_else_decides(self, space, cascade):
        rows = region(space, cascade).draw(30, stream(3))
        np.random.seed(0)
        state = np.random.get_state()[1].copy()
        assert (region(space, cascade).draw(30, stream(3)) == rows).all()
        assert (np.random.get_state()[1] == state).all()
        other = region(space, cascade).draw(30, stream(4))
        assert not (other[:, 0] == rows[:, 0]).any()

    @pytest.mark.parametrize("places", [30, pytest.param(100, marks=pytest.mark.slow)])
    def test_every_draw_of_a_run_is_independent(self, space, cascade, places):
        draws = [region(space, cascade).draw(5, stream(place))[:, 0] for place in range(places)]
        together = region(space, cascade).draw(5 * places, stream(5))[:, 0]
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


@pytest.fixture(params=["with a cover", "without a cover"])
def covering(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws always from a cover of boxes, or always from the prior."""
    decide(monkeypatch, request.param == "with a cover")


def decide(monkeypatch: pytest.MonkeyPatch, use_cover: bool) -> None:
    """Draws from a cover whatever it costs, or never."""
    monkeypatch.setattr(covers, "least_cost", lambda _: -np.inf if use_cover else np.inf)
    monkeypatch.setattr(covers._Construction, "is_promising", lambda *_: True)


@pytest.fixture(scope="module")
def one_by_one(space: HyperParameterList, cascade: Cascade) -> np.ndarray:
    """Samples by rejection as plain as it gets."""
    accepted: list[np.ndarray] = []
    for row in proposals(space, seed=1, size=1):
        features = cascade.features(row)
        if all(classifier.predict(features)[0] for classifier in cascade):
            accepted.append(row[0])
        if len(accepted) == 100:
            break
    return np.array(accepted)


@pytest.fixture(scope="module")
def many(space: HyperParameterList, cascade: Cascade) -> np.ndarray:
    """Samples by rejection, many proposals at a time."""
    return rejection_sample(space, cascade, 10_000, seed=2)


@pytest.fixture(scope="module")
def deep() -> tuple[HyperParameterList, Cascade, np.ndarray]:
    """A space, a cascade that accepts little of it, and samples by rejection."""
    space = unit_square()
    cascade = trained_cascade(space, hill, 7, num_rows=30)
    return space, cascade, rejection_sample(space, cascade, 2500, seed=3, size=2**16)


@pytest.fixture(scope="module")
def own() -> tuple[HyperParameterList, Cascade, np.ndarray]:
    """The same with a user's own type beside a built-in one."""
    space = HyperParameterList([Scalar("s"), UniformHP("u", 0, 1)])
    cascade = trained_cascade(space, hill, 3, num_rows=60)
    return space, cascade, rejection_sample(space, cascade, 1500, seed=4)


@pytest.mark.usefixtures("covering")
class TestExactness:
    def test_the_distribution_is_that_of_rejection_one_by_one(self, space, cascade, one_by_one):
        assert_same_distribution(region(space, cascade).draw(4000, stream(6)), one_by_one)

    @pytest.mark.slow
    def test_the_distribution_is_that_of_rejection_for_many_samples(self, space, cascade, many):
        assert_same_distribution(region(space, cascade).draw(10_000, stream(7)), many)

    @pytest.mark.parametrize("which", ["deep", "own"])
    def test_the_distribution_is_that_of_rejection_for_other_cascades(self, request, which):
        space, cascade, plain = request.getfixturevalue(which)
        assert_same_distribution(region(space, cascade).draw(len(plain), stream(8)), plain)

    @pytest.mark.parametrize("draws", [60, pytest.param(150, marks=pytest.mark.slow)])
    def test_few_samples_at_a_time_have_that_distribution_too(self, deep, draws):
        space, cascade, plain = deep
        accepted = region(space, cascade)
        rows = [accepted.draw(2, stream(100 + number)) for number in range(draws)]
        assert_same_distribution(np.concatenate(rows), plain)

    @pytest.mark.long
    def test_the_distribution_is_that_of_rejection_for_a_run(self):
        space = unit_square()
        cascade = trained_cascade(space, hill, 10, num_rows=20)
        plain = rejection_sample(space, cascade, 20_000, seed=6, size=2**18)
        assert_same_distribution(region(space, cascade).draw(20_000, stream(9)), plain)


FORKING = """
import xgboost
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from tests.core.sampling.test_region import *
block_source.SECONDS_ALONE = 0.0
proposals_module.MAX_BLOCK_ROWS = proposals_module.MAX_SCALAR_ROWS = 256
for first in UniformHP("s", 0, 1), Scalar("s"):
    space = HyperParameterList([first, MultiUniformHP("m", 0, 1, sample_count=2)])
    cascade = corner_cascade(space, 6)
    # Before.
    alone = region(space, cascade).draw(8, stream(10))
    generators = Generators(3, "multiprocessing")
    assert (region(space, cascade, generators=generators).draw(8, stream(10)) == alone).all()
print("the same")
"""
RESTORE = """
    restored = [BoostedTrees.from_bytes(one.to_bytes()) for one in cascade]
    cascade = Cascade(restored, cascade.features)
"""
# XGBoost reads a model with several threads, which a forked process does not have.
LEAVE_THREADS = "xgboost.Booster(model_file=bytearray(next(iter(cascade)).to_bytes()))"


def run_bounded(code: str) -> str:
    """Runs code in a fresh interpreter, ended with all its processes if it hangs."""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=180)[0].strip()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class TestGenerators:
    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hands work to generators right away, in small blocks."""
        monkeypatch.setattr(block_source, "SECONDS_ALONE", 0.0)
        monkeypatch.setattr(proposals_module, "MAX_BLOCK_ROWS", 256)
        monkeypatch.setattr(proposals_module, "MAX_SCALAR_ROWS", 256)

    @pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
    @pytest.mark.parametrize("is_own", [False, True], ids=["built in", "a user's own"])
    def test_samples_do_not_depend_on_their_number(self, is_own, backend):
        first = Scalar("s") if is_own else UniformHP("s", 0, 1)
        space = HyperParameterList([first, MultiUniformHP("m", 0, 1, sample_count=2)])
        rare = corner_cascade(space, 6)
        alone = region(space, rare).draw(8, stream(10))
        rows = region(space, rare, generators=Generators(3, backend)).draw(8, stream(10))
        assert (rows == alone).all()

    @pytest.mark.parametrize("limit", [10, 300, 1000, 3000, 10_000])
    def test_a_cover_that_comes_late_comes_at_the_same_time(self, monkeypatch, limit):
        monkeypatch.setattr(proposal_planner, "PLANNED_SAMPLES", 0)
        monkeypatch.setattr(
            covers, "least_cost", lambda trees: limit * cover_refinement.proposal_cost(trees)
        )
        monkeypatch.setattr(covers._Construction, "is_promising", lambda *_: True)
        space = HyperParameterList([MultiUniformHP("m", 0, 1, sample_count=3)])
        rare = corner_cascade(space, 4)
        alone = region(space, rare).draw(20, stream(12))
        for number in (2, 3):
            rows = region(space, rare, generators=Generators(number)).draw(20, stream(12))
            assert (rows == alone).all()

    @pytest.mark.slow
    @pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")
    @pytest.mark.parametrize(
        "before",
        [
            pytest.param("", marks=pytest.mark.long),
            pytest.param(RESTORE, marks=pytest.mark.long),
            LEAVE_THREADS,
        ],
        ids=["", "restored", "threads"],
    )
    def test_multiprocessing_neither_hangs_nor_matters(self, before):
        assert run_bounded(FORKING.replace("# Before.", before)) == "the same"

    def test_several_threads_do_the_work(self, monkeypatch):
        space = HyperParameterList([Scalar("s"), MultiUniformHP("m", 0, 1, sample_count=2)])
        rare = corner_cascade(space, 3)
        monkeypatch.setattr(Scalar, "threads", set())
        region(space, rare, generators=Generators(3, "threading")).draw(8, stream(11))
        assert len(Scalar.threads) > 1

    def test_samples_do_not_depend_on_when_the_others_start_to_help(self, monkeypatch):
        space = HyperParameterList([MultiUniformHP("m", 0, 1, sample_count=3)])
        rare = corner_cascade(space, 6)
        generators = Generators(2, "threading")
        draws = []
        for seconds in (0.0, 0.02, 1e9):
            monkeypatch.setattr(block_source, "SECONDS_ALONE", seconds)
            draws.append(region(space, rare, generators=generators).draw(20, stream(12)))
        assert all((rows == draws[0]).all() for rows in draws)


def ends(space: HyperParameterList) -> Cascade:
    """Two classifiers that accept a tenth each, the lower and the upper end of x: never both."""
    return cascade_of(space, lambda rows: rows[:, 0] < 0.1, lambda rows: rows[:, 0] > 0.9)


class TestNothingAccepted:
    def test_an_error_says_what_to_do(self):
        space = unit_square()
        with pytest.raises(NothingAcceptedError) as caught:
            region(space, ends(space)).draw(3, stream(25))
        message = str(caught.value)
        assert message.startswith("The 2 classifiers accept")
        for advice in ("is saved", "relax_checks=True", "max_classifiers", "wider space"):
            assert advice in message

    def test_users_own_types_give_up_after_so_many_proposals(self, monkeypatch):
        monkeypatch.setattr(region_module, "MIN_HOPELESS_PROPOSALS", 20_000)
        space = HyperParameterList([Scalar("s"), UniformHP("u", 0, 1)])
        with pytest.raises(NothingAcceptedError, match=r"none of \d+ proposals"):
            region(space, ends(space)).draw(3, stream(26))

    @pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
    def test_generators_give_up_too(self, monkeypatch, backend):
        monkeypatch.setattr(region_module, "MIN_HOPELESS_PROPOSALS", 20_000)
        monkeypatch.setattr(block_source, "SECONDS_ALONE", 0.0)
        monkeypatch.setattr(proposals_module, "MAX_SCALAR_ROWS", 256)
        space = HyperParameterList([Scalar("s"), UniformHP("u", 0, 1)])
        with pytest.raises(NothingAcceptedError):
            region(space, ends(space), relax_checks=False, generators=Generators(2, backend)).draw(
                3, stream(27)
            )

    def test_a_cascade_that_accepts_little_is_waited_for(self):
        space = HyperParameterList([MultiUniformHP("m", 0, 1, sample_count=3)])
        rare = corner_cascade(space, 3, edge=0.03)
        rows = region(space, rare).draw(4, stream(28))
        assert plainly_accepts(rare, rows).all()

    def test_a_long_search_says_so(self, monkeypatch, caplog):
        space = HyperParameterList([MultiUniformHP("m", 0, 1, sample_count=3)])
        rare = corner_cascade(space, 3)
        with caplog.at_level(logging.WARNING, "pyshac"):
            region(space, rare).draw(20, stream(29))
        assert caplog.text == ""
        # More than one block, and a clock on which twenty seconds pass between two looks at it.
        clock = itertools.count(time.monotonic(), 20.0)
        monkeypatch.setattr(region_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        monkeypatch.setattr(proposals_module, "MAX_BLOCK_ROWS", 8)
        with caplog.at_level(logging.WARNING, "pyshac"):
            region(space, rare).draw(20, stream(29))
        assert re.search(r"for \d+ s: 3 classifiers accepted \d+ of \d+ proposals", caplog.text)
