"""Exceptions of odd sorts: none crashes or hangs a run, and no other score is lost."""

from __future__ import annotations

import math
import sys
from concurrent import futures

import pytest

from pyshac import EvaluationError
from tests.core.evaluation.odd_exceptions import EXCEPTIONS, REQUESTS, Raising
from tests.core.evaluation.slot_runs import FORKED, collect, run, scores, slot_pool

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")

# Where evaluations run: a name, and the number of slots.
QUICK = [("threading", 1), (FORKED, 1)]
PLACES = [
    *QUICK,
    pytest.param("threading", 2, marks=pytest.mark.slow),
    pytest.param("loky", 2, marks=pytest.mark.slow),
    pytest.param("processes", 2, marks=pytest.mark.slow),
    pytest.param("threads", 2, marks=pytest.mark.slow),
]
MAX_LENGTH = 3000


@pytest.fixture
def place(backend):
    if backend not in ("processes", "threads"):
        yield backend
        return
    kinds = {"processes": futures.ProcessPoolExecutor, "threads": futures.ThreadPoolExecutor}
    with kinds[backend](2) as executor:
        yield executor


@pytest.mark.parametrize(("backend", "slots"), PLACES)
@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_odd_exception_stops_the_run_with_a_message(name, place, slots):
    done = []
    pool = slot_pool(Raising(name), slots, place)
    with pytest.raises(EvaluationError) as caught:
        collect(pool, 3, done)
    assert caught.value.sample_id == 1
    assert EXCEPTIONS[name][1] in str(caught.value)
    assert len(str(caught.value)) < MAX_LENGTH
    assert isinstance(caught.value.__cause__, BaseException)
    assert [o.score for o in done if o.task.id == 0] == [0.0]
    assert not any(math.isnan(outcome.score) for outcome in done)


@pytest.mark.parametrize(("backend", "slots"), PLACES)
@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_odd_exception_is_caught_by_its_class(name, place, slots):
    """By a base class that knows nothing of the exception, which may not arrive at all."""
    catch = (GeneratorExit,) if name == "generator exit" else (Exception,)
    outcomes = run(Raising(name), 3, slots, place, catch=catch)
    assert [math.isnan(score) for score in scores(outcomes)] == [False, True, False]
    assert EXCEPTIONS[name][1] in outcomes[1].failure
    assert len(outcomes[1].failure) < MAX_LENGTH


@pytest.mark.parametrize(("backend", "slots"), PLACES)
@pytest.mark.parametrize("name", REQUESTS)
def test_requests_to_end_come_out_as_they_are(name, place, slots):
    done = []
    with pytest.raises(type(REQUESTS[name]()), match="enough"):
        collect(slot_pool(Raising(name), slots, place), 3, done)
    assert [o.score for o in done if o.task.id == 0] == [0.0]


@pytest.mark.parametrize(("backend", "slots"), PLACES)
def test_an_interrupt_of_the_function_itself_is_never_caught(place, slots):
    """In the caller's thread nobody could tell it from Ctrl-C."""
    with pytest.raises(KeyboardInterrupt):
        run(Raising("interrupt"), 3, slots, place, catch=(BaseException,))


ONLY_THERE = """
class OnlyThereError(Exception):
    pass

class PickyError(OSError):
    pass
"""


@pytest.mark.parametrize(("backend", "slots"), [(FORKED, 1), ("processes", 1)])
def test_a_class_that_only_the_worker_has_is_caught_by_its_base(place, slots, tmp_path):
    (tmp_path / "only_there.py").write_text(ONLY_THERE)
    folder = str(tmp_path)

    def raises(worker_id, p):
        sys.path.insert(0, folder)
        import only_there

        raise only_there.PickyError("a message" if p["x"] else "another")

    outcomes = run(raises, 2, slots, place, catch=(OSError,))
    assert [outcomes[n].failure for n in range(2)] == [
        "PickyError: another",
        "PickyError: a message",
    ]
    with pytest.raises(EvaluationError, match="raised PickyError: another") as caught:
        run(raises, 1, slots, place)
    assert type(caught.value.__cause__) is RuntimeError
    assert "in raises" in str(caught.value.__cause__.__cause__)


@pytest.mark.parametrize("backend", [FORKED, "threading"])
@pytest.mark.parametrize("kind", ["raising", "huge"])
def test_an_odd_score_stops_the_run_with_a_message(backend, kind):
    class Odd:
        def __repr__(self):
            if kind == "raising":
                raise RuntimeError("no text")
            return "x" * 10**7

    with pytest.raises(TypeError, match="must be a number. Got") as caught:
        run(lambda worker_id, p: Odd(), 1, 1, backend)
    assert len(str(caught.value)) < MAX_LENGTH
