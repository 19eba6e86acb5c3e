"""ToldSearch: finds what an engine finds, for samples that somebody else keeps."""

from __future__ import annotations

import math

import pytest

from pyshac import SHAC, HyperParameterList, IntegerHP, UniformHP
from pyshac.core.run.told_search import UNRANKED, Told, ToldSearch
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore:A batch has")


def space(seed=3):
    return HyperParameterList([UniformHP("x", -5, 5), UniformHP("y", 0, 1)], seed=seed)


def score(x, y):
    return math.nan if y > 0.9 else -(x**2) - y


def search_of(budget=40, batch_size=10):
    return ToldSearch(space(), Settings(Schedule(budget, batch_size)))


def next_batch(search):
    return [search.sample(place) for place in range(search.size_of_next)]


def tell(search, drawn):
    search.tell([Told(each.row, score(*each.row), chosen_by=each.chosen_by) for each in drawn])


@pytest.mark.parametrize("budget", [40, 36, 20])
def test_it_finds_what_an_engine_finds(tmp_path, budget):
    """Beyond its budget, that is an engine whose budget is raised by a batch at a time."""
    engine = SHAC(None, space(), budget, batch_size=10, save_dir=tmp_path / "own")
    search, told = search_of(budget), []
    while search.num_told < 60:
        engine.total_budget = max(budget, search.num_told + search.size_of_next)
        batch, drawn = engine.ask(), next_batch(search)
        assert [[*sample.values()] for sample in batch] == [each.row for each in drawn]
        engine.tell(batch, [score(**sample) for sample in batch])
        tell(search, drawn)
        told.append(search.num_told)
    assert budget in told
    assert len(engine.classifiers) > 1


def test_it_goes_on_beyond_its_budget():
    search = search_of(20)
    for number in range(4):
        assert search.num_told == 10 * number
        tell(search, next_batch(search))


def test_made_anew_from_what_it_was_told_it_goes_on_the_same():
    search, again, told = search_of(), search_of(), []
    for _ in range(3):
        drawn = next_batch(search)
        told.append(drawn)
        tell(search, drawn)
    for drawn in told:
        tell(again, drawn)
    assert next_batch(search) == next_batch(again)


def test_rows_that_run_are_part_of_the_batch():
    search = search_of()
    tell(search, next_batch(search))
    running = [[0.5, 0.5], [1.5, 0.5]]
    drawn = [search.sample(place, running, "two") for place in range(20)]
    rows = [each.row for each in drawn]
    assert len({*map(tuple, rows)}) == 20
    assert not [row for row in running if row in rows]
    assert [search.sample(place, running, "two").row for place in range(20)] == rows


def test_more_rows_run_than_a_batch_has():
    search = search_of(40, 5)
    running = [[number / 10, 0.5] for number in range(13)]
    assert search.sample(3, running, "many").chosen_by == UNRANKED


def test_samples_from_elsewhere_count():
    search = search_of()
    search.tell([Told([number / 10, 0.5], number) for number in range(10)])
    assert search.num_told == 10
    assert all(each.chosen_by >= UNRANKED for each in next_batch(search))


def test_nothing_is_left_of_a_small_space():
    few = HyperParameterList([IntegerHP("n", 1, 3)], seed=0)
    search = ToldSearch(few, Settings(Schedule(10, 5)))
    assert {search.sample(place).row[0] for place in range(3)} == {1, 2, 3}
    assert search.sample(3) is None
