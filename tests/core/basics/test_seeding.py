"""Random streams."""

from __future__ import annotations

import numpy as np
import pytest

from pyshac.core.basics import seeding
from pyshac.core.basics.seeding import Purpose


def words(sequence: np.random.SeedSequence) -> tuple[int, ...]:
    return tuple(sequence.generate_state(4).tolist())


def test_every_purpose_and_place_has_a_stream_of_its_own():
    streams = [
        seeding.stream(entropy, purpose, *place)
        for entropy in (0, 1, 2**127)
        for purpose in Purpose
        for place in [(), (0,), (1,), (0, 0), (0, 1), (1, 0)]
    ]
    assert len({words(stream) for stream in streams}) == len(streams)


def test_a_stream_repeats():
    first, second = (seeding.stream(5, Purpose.DRAW, 30) for _ in range(2))
    assert words(first) == words(second)
    assert words(seeding.child(first, 2)) == words(seeding.child(second, 2))


def test_children_are_those_of_numpy_but_leave_the_parent_as_it_is():
    parent = seeding.stream(5, Purpose.PREDICT)
    children = [words(seeding.child(parent, place)) for place in range(4)]
    assert [words(child) for child in parent.spawn(4)] == children
    assert words(seeding.child(parent, 1)) == children[1]
    assert words(seeding.child(parent, 1, 2)) == words(seeding.child(seeding.child(parent, 1), 2))


def test_purposes_keep_their_numbers_on_which_seeded_runs_depend():
    numbers = {"DRAW": 0, "PREDICT": 1, "TRAIN": 2, "EVALUATE": 3, "RANK": 5, "CLIMB": 6}
    assert numbers.items() <= {purpose.name: purpose.value for purpose in Purpose}.items()


def test_integers_of_streams_are_31_bits_and_repeat():
    numbers = [seeding.as_integer(seeding.stream(1, Purpose.TRAIN, place)) for place in range(500)]
    assert len(set(numbers)) == 500
    assert min(numbers) >= 0
    assert 2**30 < max(numbers) < 2**31
    assert seeding.as_integer(seeding.stream(1, Purpose.TRAIN, 0)) == numbers[0]


def test_nothing_touches_the_global_random_state():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    seeding.as_integer(seeding.stream(seeding.fresh_entropy(), Purpose.DRAW))
    assert (np.random.get_state()[1] == before).all()


def test_fresh_entropy_is_fresh():
    assert len({seeding.fresh_entropy() for _ in range(20)}) == 20
    assert max(seeding.fresh_entropy() for _ in range(20)) > 2**100


@pytest.mark.parametrize("seed", [None, 0, 7, 2**200, np.int64(3)])
def test_seeds_become_pythons_ints(seed):
    assert seeding.check_seed(seed) == seed
    assert type(seeding.check_seed(seed)) in (int, type(None))


@pytest.mark.parametrize(
    ("seed", "error"),
    [(-1, ValueError), (1.0, TypeError), ("1", TypeError), (True, TypeError), ([1], TypeError)],
)
def test_what_is_no_seed_is_refused(seed, error):
    with pytest.raises(error) as caught:
        seeding.check_seed(seed)
    assert f"seed must be a non-negative int or None. Got {seed!r}" in str(caught.value)
