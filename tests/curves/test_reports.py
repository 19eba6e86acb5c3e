"""`report`: what evaluations report on their way arrives, wherever they run."""

from __future__ import annotations

import math
import pickle
import threading
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import pairwise
from multiprocessing import get_context

import numpy as np
import pytest

import pyshac
from pyshac.core.basics.results.curve import MAX_POINTS, Curve
from pyshac.core.evaluation.curves.reporter import reporting
from pyshac.core.evaluation.worker import Evaluator, Task, TaskRunner
from tests.core.evaluation.slot_runs import slot_pool
from tests.curves import functions

BACKENDS = ["threading", "multiprocessing", "loky"]
# Of x = 0 to 3, at step 4 these report 0.0, 0.4, 0.8 and 1.2.
LIMITS = ((4, 0.6),)


def outcomes_of(function, slots=1, backend="threading", limits=None, sign=1, number=4, **policy):
    tasks = [Task(n, OrderedDict(x=float(n)), limits=limits, sign=sign) for n in range(number)]
    with slot_pool(function, slots, backend, **policy) as pool:
        arrived = [outcome for outcomes in pool.run(tasks) for outcome in outcomes]
    return {outcome.task.id: outcome for outcome in arrived}


def reply_of(function, catch=(), **task):
    return TaskRunner(Evaluator(), function, catch)(Task(0, OrderedDict(x=2.0), **task), 0)


class TestEverywhere:
    @pytest.mark.parametrize("slots", [1, 2])
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_curves_arrive_and_hopeless_ones_end(self, backend, slots):
        outcomes = outcomes_of(functions.climbing, slots, backend, LIMITS)
        for number, outcome in outcomes.items():
            curve = outcome.details.curve
            is_pruned = number < 2
            assert curve.is_pruned == is_pruned == outcome.details.is_pruned
            assert curve.steps == tuple(range(1, 5 if is_pruned else 11))
            assert curve.scores == tuple(number * step / 10 for step in curve.steps)
            assert math.isnan(outcome.score) if is_pruned else outcome.score == number
            assert outcome.failure is None

    def test_in_executors(self):
        forked = ProcessPoolExecutor(2, get_context("spawn"))
        for executor in (ThreadPoolExecutor(2), forked):
            with executor:
                outcomes = outcomes_of(functions.climbing, 2, executor, LIMITS)
            assert [outcomes[n].details.is_pruned for n in range(4)] == [True, True, False, False]

    def test_lower_is_better(self):
        outcomes = outcomes_of(functions.climbing, limits=LIMITS, sign=-1)
        assert [outcomes[n].details.is_pruned for n in range(4)] == [False, False, True, True]

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_exceptions_that_are_caught_include_no_pruned_sample(self, backend):
        outcomes = outcomes_of(functions.climbing, 1, backend, LIMITS, catch=(Exception,))
        assert [outcomes[n].details.is_pruned for n in range(4)] == [True, True, False, False]


class TestOneEvaluation:
    def test_without_limits_nothing_ends(self):
        reply = reply_of(functions.climbing)
        assert reply.score == 2.0
        assert reply.curve == Curve(tuple(range(1, 11)), tuple(2 * n / 10 for n in range(1, 11)))

    def test_a_score_counts_if_the_function_goes_on(self):
        reply = reply_of(functions.swallowing, limits=((4, 9.0),))
        assert (reply.score, reply.curve.is_pruned, reply.curve.last_step) == (2.0, False, 10)

    def test_once_hopeless_every_report_raises(self):
        with reporting([(2, 1.0)], 1):
            pyshac.report(1, 0.0)
            for step in (2, 3, 4):
                with pytest.raises(pyshac.Pruned, match=r"step 2 was 0\.5, and 1\.0 or better"):
                    pyshac.report(step, 0.5 * (step - 1))

    def test_of_a_jump_the_report_before_counts(self):
        def judged(reports, limits):
            with reporting(limits, 1):
                try:
                    for step, score in reports:
                        pyshac.report(step, score)
                except pyshac.Pruned:
                    return True
            return False

        # The limit at step 4 is compared at step 6, with the report of step 2.
        assert judged([(2, 0.0), (6, 9.0)], [(4, 1.0)])
        assert not judged([(2, 1.0), (6, 0.0)], [(4, 1.0)])
        # There is none before the first report.
        assert not judged([(6, 0.0)], [(4, 1.0)])
        # A report is compared with each limit that it passes.
        assert judged([(2, 1.0), (9, 5.0)], [(4, 1.0), (8, 2.0)])
        assert judged([(2, 5.0), (8, 1.0)], [(8, 2.0), (4, 1.0)])

    def test_nan_is_worse_than_any_limit(self):
        for sign in (1, -1):
            with reporting([(1, -sign * 1e300)], sign), pytest.raises(pyshac.Pruned):
                pyshac.report(1, math.nan)

    def test_equal_to_the_limit_is_good_enough(self):
        with reporting([(1, 0.25)], 1):
            pyshac.report(1, 0.25)

    def test_scores_that_are_not_finite(self):
        reply = reply_of(functions.diverging)
        assert [*map(math.isnan, reply.curve.scores)] == [True, True]
        assert math.isnan(reply.score)
        assert not reply.curve.is_pruned

    def test_giving_up_without_a_report_is_a_failure(self):
        outcomes = outcomes_of(functions.giving_up)
        for number, outcome in outcomes.items():
            assert outcome.details.is_pruned == (number % 2 == 0)
            reason = "it raised Pruned before its first report"
            assert outcome.failure == (reason if number % 2 else None)

    def test_a_failed_evaluation_keeps_its_curve(self):
        outcomes = outcomes_of(functions.failing, catch=(ValueError,))
        assert outcomes[0].details.curve == Curve((1,), (0.5,))
        assert outcomes[0].failure == "ValueError: no memory"

    def test_a_curve_is_bounded(self):
        with reporting(None, 1) as reporter:
            for step in range(MAX_POINTS + 5):
                pyshac.report(step, step)
        curve = reporter.curve(False)
        assert len(curve.steps) == MAX_POINTS
        assert curve.steps[-2:] == (MAX_POINTS - 2, MAX_POINTS + 4)
        assert all(before < after for before, after in pairwise(curve.steps))

    def test_elsewhere_it_does_nothing(self):
        assert pyshac.report(3, 0.5) is None
        with reporting(None, 1) as reporter:
            thread = threading.Thread(target=pyshac.report, args=(1, 0.5))
            thread.start()
            thread.join()
        assert reporter.curve(False) is None

    def test_a_search_inside_an_evaluation(self):
        with reporting(None, 1) as outer:
            pyshac.report(1, 1.0)
            reply = reply_of(functions.climbing)
            pyshac.report(2, 2.0)
        assert outer.curve(False) == Curve((1, 2), (1.0, 2.0))
        assert reply.curve.last_step == 10


class TestMisuse:
    @pytest.mark.parametrize("step", [True, 1.0, "1e", None, [1]])
    def test_steps_that_are_none(self, step):
        with reporting(None, 1), pytest.raises(TypeError, match="step must be an int from 0"):
            # A path is the former call.
            pyshac.core.evaluation.curves.reporter.report(step, 0.5)

    @pytest.mark.parametrize("step", [-1, 2**63])
    def test_steps_that_are_too_low_or_high(self, step):
        with reporting(None, 1), pytest.raises(ValueError, match=r"step must be .* Got"):
            pyshac.report(step, 0.5)

    def test_steps_that_do_not_ascend(self):
        with reporting(None, 1):
            pyshac.report(np.int64(4), np.float32(0.5))
            for step in (4, 3):
                with pytest.raises(ValueError, match=f"step must be above 4.*Got {step} instead"):
                    pyshac.report(step, 0.5)

    @pytest.mark.parametrize("score", ["0.5", None, True, [0.1, 0.2]])
    def test_scores_that_are_none(self, score):
        with reporting(None, 1), pytest.raises(TypeError, match="score of step 1 must be a number"):
            pyshac.report(1, score)


def test_a_pickle_of_the_function_is_its_name():
    assert pickle.loads(pickle.dumps(pyshac.report)) is pyshac.report


def test_curves_tell_of_single_steps():
    curve = Curve((2, 5), (0.5, 0.25))
    assert (curve.value_at(1), curve.value_at(4), curve.value_at(7)) == (None, 0.5, 0.25)
    assert (curve.best_by(1, 1), curve.best_by(7, 1), curve.best_by(7, -1)) == (None, 0.5, 0.25)
    assert math.isnan(Curve((1,), (math.nan,)).best_by(1, 1))
