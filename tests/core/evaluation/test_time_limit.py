"""The time limit for code whose process must go on."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from pyshac.core.evaluation.time_limit import OverdueError, time_limit


def spin(seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass


@pytest.mark.parametrize("seconds", [None, 30.0])
def test_code_that_is_in_time_goes_on(seconds):
    before = threading.active_count()
    with time_limit(seconds):
        result = sum(range(1000))
    assert result == 499500
    deadline = time.monotonic() + 10
    while threading.active_count() > before:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("limited", [True, False])
def test_code_that_takes_too_long_is_interrupted_in_its_own_thread(limited):
    outcome = []

    def run():
        try:
            with time_limit(0.05 if limited else None):
                spin(20 if limited else 0.2)
            outcome.append("done")
        except OverdueError:
            outcome.append("overdue")

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert outcome == ["overdue" if limited else "done"]


def test_code_that_takes_no_notice_is_overdue_all_the_same():
    with pytest.raises(OverdueError), time_limit(0.05), contextlib.suppress(BaseException):
        spin(20)


def test_code_that_makes_another_error_of_it_is_overdue_all_the_same():
    def wraps():
        try:
            spin(20)
        except BaseException as error:
            raise RuntimeError("wrapped") from error

    with pytest.raises(OverdueError) as caught, time_limit(0.05):
        wraps()
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_what_waits_in_compiled_code_is_interrupted_on_its_way_back():
    with pytest.raises(OverdueError), time_limit(0.05):
        time.sleep(0.3)


def test_an_error_of_the_code_comes_through():
    with pytest.raises(ZeroDivisionError), time_limit(30.0):
        1 / 0  # noqa: B018


def test_nothing_is_raised_after_the_block():
    """Blocks that end at about their limit: what is raised, is raised inside."""
    outcomes = set()
    for number in range(105):
        try:
            with time_limit(0.002):
                # None at all, about as long as the limit, or much longer.
                spin([0, 0.0014, 0.0016, 0.0018, 0.002, 0.0022, 0.2][number % 7])
            outcomes.add("done")
        except OverdueError:
            outcomes.add("overdue")
        # Here an exception would end the test.
        spin(0.0005)
    assert outcomes == {"done", "overdue"}


def test_limits_of_several_threads_do_not_mix():
    overdue = []

    def run(number):
        try:
            with time_limit(0.05 if number % 2 else 30.0):
                spin(30.0 if number % 2 else 0.4)
        except OverdueError:
            overdue.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(overdue) == [1, 3, 5]
