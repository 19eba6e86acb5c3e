"""Covers of the accepted region: nothing accepted is ever outside, and nothing is lost."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from pyshac import (
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    NormalHP,
    OrdinalHP,
    SimplexHP,
    UniformHP,
)
from pyshac.core.classifiers import cascade as cascade_module
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import UNSCALED
from pyshac.core.errors import NothingAcceptedError
from pyshac.core.hyperparameters.unit_map import GRID
from pyshac.core.sampling import cover_refinement, covers
from pyshac.core.sampling.cover import Cover
from pyshac.core.sampling.margin_bounds import MarginBounds, split_edges
from pyshac.core.sampling.proposals import Proposals
from tests.cascades import covers_of, features_of, region
from tests.extreme_ranges import extreme_space
from tests.forests import Forest


def square() -> HyperParameterList:
    return HyperParameterList([UniformHP("x", 0, 1), UniformHP("y", 0, 1)])


def every_kind() -> HyperParameterList:
    from scipy import stats

    return HyperParameterList(
        [
            UniformHP("uniform", -3, 2),
            UniformHP("encoded", 1, 9, log_encode=True),
            LogUniformHP("log", 1e-4, 10),
            NormalHP("normal", 1, 2),
            IntegerHP("integer", 0, 6),
            IntegerHP("log integer", 1, 100, log=True),
            DiscreteHP("choice", list("abcde")),
            DistributionHP("beta", stats.beta(2, 5)),
            DistributionHP("poisson", stats.poisson(3)),
            UniformHP("steps", 0, 1, step=0.05),
            IntegerHP("integer steps", -4, 40, step=8),
            OrdinalHP("size", ["S", "M", "L"]),
            SimplexHP("shares", 3),
            SimplexHP("weighted", 3, [1, 2, 0.5]),
        ]
    )


def conditional() -> HyperParameterList:
    """Every kind, some of which depend on others, two deep."""
    space = every_kind()
    space["uniform"].when("choice", ["a", "d"])
    space["log"].when("uniform", at_most=0.5)
    space["integer"].when("log integer", at_least=3, at_most=20)
    space["beta"].when("poisson", [1, 2, 5]).when("integer", at_least=2)
    space["choice"].when("normal", at_least=0.5)
    return HyperParameterList(space)


# What classifiers see, too: without scaling, of a search that 1.0 began.
SEEN = [
    pytest.param(every_kind(), UNSCALED, id="unscaled"),
    pytest.param(every_kind(), features_of(every_kind()), id="scaled"),
    pytest.param(extreme_space(), features_of(extreme_space()), id="extreme"),
    pytest.param(conditional(), features_of(conditional()), id="conditional"),
]


def contains(cover: Cover, unit: np.ndarray) -> np.ndarray:
    """How many boxes of a cover hold each point."""
    inside = (cover.low <= unit[:, None, :]) & (unit[:, None, :] < cover.high)
    return inside.all(axis=2).sum(axis=1)


BOX = Forest((0, 0.3, (1, 0.6, -1.0, 1.0), -1.0))
ELL = Forest((0, 0.5, (1, 0.5, 1.0, 1.0), (1, 0.5, 1.0, -1.0)))
ISLANDS = Forest((0, 0.1, -1.0, (0, 0.2, 1.0, (0, 0.8, -1.0, (0, 0.9, 1.0, -1.0)))))
LEFT, RIGHT = Forest((0, 0.5, 1.0, -1.0)), Forest((0, 0.5, -1.0, 1.0))
SLIVER = Forest((0, 0.1, -1.0, (0, 0.1 + 1e-7, 1.0, -1.0)))

KNOWN = [
    ([BOX], 0.3 * 0.4),
    ([ELL], 0.75),
    ([ISLANDS], 0.2),
    ([ISLANDS, Forest((1, 0.25, 1.0, -1.0))], 0.05),
    ([BOX, ELL], 0.3 * 0.4),
    ([LEFT, Forest((0, 0.25, -1.0, 1.0)), Forest((1, 0.5, -1.0, 1.0))], 0.125),
]


@pytest.mark.parametrize(("classifiers", "volume"), KNOWN)
def test_known_regions_are_found_exactly(classifiers, volume):
    cover = covers_of(square()).cover(Cascade(classifiers))
    assert not cover.is_undecided.any()
    assert cover.volume == pytest.approx(volume, rel=1e-6)


def test_a_sliver_of_one_part_in_ten_million_is_found_and_sampled():
    space, cascade = square(), Cascade([SLIVER])
    cover = covers_of(space).cover(cascade)
    thresholds = np.float32([0.1, 0.1 + 1e-7]).astype(float)
    assert cover.volume == pytest.approx(np.diff(thresholds)[0], rel=0.1)
    rows = Proposals(space, cover).accepted(cascade, 1000, np.random.SeedSequence(0))
    assert len(rows) == 1000
    # Single precision has few numbers there; the edges of the first and the last are met.
    assert rows[:, 0].min() < thresholds[0] + 0.1e-7
    assert rows[:, 0].max() > thresholds[1] - 0.2e-7


def test_nothing_accepted_is_said_at_once():
    cascade = Cascade([LEFT, RIGHT])
    assert len(covers_of(square()).cover(cascade)) == 0
    with pytest.raises(NothingAcceptedError, match="accept nothing at all"):
        region(square(), cascade).draw(1, np.random.SeedSequence(0))


def test_a_classifier_without_splits_leaves_the_cover_as_it_is():
    # Rounding could make its margin of 0 positive.
    cover = covers_of(square()).cover(Cascade([BOX, Forest(0.1, -0.1)]))
    assert cover.volume == pytest.approx(0.3 * 0.4, rel=1e-6)
    assert cover.is_undecided.all()


@pytest.mark.parametrize(("forgiven", "volume"), [(0, 0.0), (1, 1.0), (2, 1.0)])
def test_forgiven_rejections_make_the_region_larger(forgiven, volume):
    cover = covers_of(square()).cover(Cascade([LEFT, RIGHT]), forgiven)
    assert cover.volume == volume


@pytest.mark.parametrize("threshold", [1.0, 2.0, 2.5, 4.0])
def test_thresholds_on_and_between_discrete_values(threshold):
    space = HyperParameterList([DiscreteHP("choice", list("abcde"))])
    below = int(np.ceil(threshold))
    cover = covers_of(space).cover(Cascade([Forest((0, threshold, 1.0, -1.0))]))
    assert cover.volume == pytest.approx(below / 5, abs=4 * GRID)
    rows = cover.draw(4000, space, np.random.SeedSequence(1))
    assert sorted(set(rows[:, 0])) == list(range(below))


@pytest.mark.parametrize(("space", "features"), SEEN)
def test_edges_are_the_first_draws_at_or_above_a_threshold(space, features):
    random = np.random.default_rng(0)
    rows = features(space.draw_complete(40, np.random.SeedSequence(3)))
    for column in range(space.num_columns):

        def seen(unit, column=column):
            return features.column(column, space.column_from_unit(column, unit))

        threshold = np.concatenate([rows[:, column], rows[:20, column] + np.float32(0.01)])
        edge = split_edges(space, features, np.full(len(threshold), column), threshold)
        reached, has_before = edge < 1, edge > 0
        assert (seen(np.minimum(edge, 1 - GRID))[reached] >= threshold[reached]).all()
        assert (seen(np.maximum(edge - GRID, 0))[has_before] < threshold[has_before]).all()
        unit = random.random(1000)
        np.testing.assert_array_equal(seen(unit) < threshold[:, None], unit < edge[:, None])


@st.composite
def forests(draw: st.DrawFn, num_columns: int) -> Forest:
    thresholds = st.sampled_from([-1.0, 0.0, 0.25, 1 / 3, 0.5, 0.8, 1.0, 2.0, 3.0, 5.0])
    leaves = st.sampled_from([-1.0, -0.5, -0.1, 0.1, 0.3, 1.0])
    nodes = st.recursive(
        leaves,
        lambda child: st.tuples(st.integers(0, num_columns - 1), thresholds, child, child),
        max_leaves=6,
    )
    return Forest(*draw(st.lists(nodes, min_size=1, max_size=5)))


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize(("space", "features"), SEEN)
@pytest.mark.slow
def test_no_accepted_point_is_outside_the_cover(space, features, data):
    classifiers = data.draw(st.lists(forests(space.num_columns), min_size=1, max_size=4))
    forgiven = data.draw(st.integers(0, len(classifiers)))
    cascade = Cascade(classifiers, features)
    cover = covers_of(space).cover(cascade, forgiven)
    stream = np.random.SeedSequence(data.draw(st.integers(0, 2**32)))
    unit = np.random.default_rng(stream).random((1000, space.num_columns))
    accepted = cascade.accepts(space.encode_unit(unit, stream), forgiven)
    boxes = contains(cover, unit)
    assert (boxes <= 1).all()
    assert (boxes[accepted] == 1).all()


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize(("space", "features"), SEEN)
@pytest.mark.slow
def test_margins_lie_between_their_bounds(space, features, data):
    forest = data.draw(forests(space.num_columns))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    low = np.floor(random.random((20, space.num_columns)) / GRID / 2) * GRID
    high = low + np.floor((1 - low) * random.random(low.shape) / GRID) * GRID + GRID
    lower, upper = MarginBounds(forest.trees(), space, features)(low, high)
    for box in range(len(low)):
        width = (high[box] - low[box]) / GRID
        unit = low[box] + np.floor(random.random((50, len(width))) * width) * GRID
        rows = space.encode_unit(unit, np.random.SeedSequence(0))
        margin = forest.margin(features(rows))
        assert (lower[box] <= margin).all()
        assert (margin <= upper[box]).all()


@pytest.fixture(autouse=True)
def singly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks classifiers one by one: those made by hand have no model of XGBoost's."""
    monkeypatch.setattr(cascade_module, "MAX_FUSED_ROWS", -1)


@pytest.fixture
def refined(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For how many classifiers covers were refined, one entry a refinement."""
    counts: list[int] = []
    refine = cover_refinement.refine

    def counted(cover, bounds, acceptance):
        counts.append(len(bounds))
        return refine(cover, bounds, acceptance)

    monkeypatch.setattr(covers, "refine", counted)
    return counts


def test_a_new_classifier_refines_the_cover_there_was(refined):
    covers, classifiers = covers_of(square()), [ELL, BOX, ISLANDS]
    for count in (1, 2, 3):
        grown = covers.cover(Cascade(classifiers[:count]))
    assert refined == [1, 2, 3]
    at_once = covers_of(square()).cover(Cascade(classifiers))
    np.testing.assert_array_equal(grown.low, at_once.low)
    np.testing.assert_array_equal(grown.high, at_once.high)
    # That of a shorter cascade is still there, and does not displace the longer one.
    refined.clear()
    covers.cover(Cascade(classifiers[:1]))
    covers.cover(Cascade(classifiers))
    assert refined == []


def test_another_cascade_has_the_cover_that_it_has_alone(refined):
    covers = covers_of(square())
    covers.cover(Cascade([ELL, BOX, ISLANDS]))
    refined.clear()
    others = Cascade([ELL, ISLANDS])
    found, alone = covers.cover(others), covers_of(square()).cover(others)
    np.testing.assert_array_equal(found.low, alone.low)
    np.testing.assert_array_equal(found.high, alone.high)
    np.testing.assert_array_equal(found.lower, alone.lower)
    assert refined == [1, 2] * 2


def test_only_the_last_cover_keeps_its_bounds():
    covers = covers_of(square())
    covers.cover(Cascade([ELL, BOX, ISLANDS]))
    (chain,) = covers._chains.values()
    assert [built.cover.lower.shape[1] for built in chain] == [0, 0, 0, 3]


def wide() -> HyperParameterList:
    return HyperParameterList([UniformHP(f"x{number}", 0, 1) for number in range(41)])


# Boxes must be narrow in half of the columns before it rejects one for sure.
MAJORITY = Forest(*((column, 0.5, 1.0, -1.0) for column in range(41)))


def test_a_cover_that_does_not_shrink_is_given_up(refined):
    # It accepts a quarter, so a cover that is as large as before is a bad sign.
    few = Forest(*((column, 0.45, 1.0, -1.0) for column in range(41)))
    covers, cascade = covers_of(wide()), Cascade([few] * 8)
    assert covers.cover(cascade, num_proposals=1e9) is None
    assert refined == [1]
    assert covers.cover(cascade, num_proposals=1e9) is None
    assert refined == [1]
    assert covers.cover(cascade).volume == pytest.approx(1.0)


@pytest.mark.slow
def test_a_cover_does_not_depend_on_those_asked_for_before():
    classifiers = [ELL, BOX, MAJORITY, ELL, MAJORITY, ISLANDS, MAJORITY, MAJORITY]
    covers = covers_of(wide())
    found = []
    for count in range(1, 9):
        for num_proposals in (1e4, 1e6, 3e4, 1e5):
            cascade = Cascade(classifiers[:count])
            one = covers.cover(cascade, num_proposals=num_proposals)
            other = covers_of(wide()).cover(cascade, num_proposals=num_proposals)
            assert (one is None) == (other is None)
            found.append(one is None)
            if one is not None:
                np.testing.assert_array_equal(one.low, other.low)
                np.testing.assert_array_equal(one.high, other.high)
    assert 5 < sum(found) < 27


def test_draws_from_a_cover_are_uniform_in_its_boxes():
    cover = covers_of(square()).cover(Cascade([ISLANDS, Forest((1, 0.25, 1.0, -1.0))]))
    rows = cover.draw(100_000, square(), np.random.SeedSequence(5))
    counts, _, _ = np.histogram2d(
        rows[:, 0], rows[:, 1], bins=[[0.1, 0.15, 0.2, 0.8, 0.85, 0.9], [0, 0.125, 0.25]]
    )
    counts = counts[[0, 1, 3, 4]]
    assert counts.sum() == 100_000
    # Eight equal cells: each holds 12,500 draws with a standard deviation of 105.
    assert np.abs(counts - 12_500).max() < 5 * 105
