"""Plots of the cascade, and what they are calculated from."""

import math

import numpy as np
import pytest
from scipy import stats

from pyshac import (
    SHAC,
    AbstractHyperParameter,
    Dataset,
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    MultiUniformHP,
    UniformHP,
)
from pyshac.core.basics import seeding
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.dataset.objective import MAX
from pyshac.looking.accepted_region import accepted_share
from pyshac.looking.axes import columns_of
from pyshac.looking.importances import gain_shares
from pyshac.looking.snapshot import Snapshot
from pyshac.utils.vis_utils import parameter_importances, plot_accepted_region, plot_importances
from tests.cascades import cascade_of
from tests.looking.searches import make_dataset

matplotlib = pytest.importorskip("matplotlib")


def looked_at(space, *rules, num_rows=400):
    """A search whose classifiers have learnt these rules."""
    space = HyperParameterList(space)
    return Snapshot(Dataset(space), MAX, cascade_of(space, *rules, num_rows=num_rows))


def branches():
    """A choice between x and y, and a parameter that every sample has."""
    return [
        DiscreteHP("c", ["a", "b"]),
        UniformHP("x", 0, 1).when("c", "a"),
        UniformHP("y", 0, 1).when("c", "b"),
        UniformHP("z", 0, 1),
    ]


class Even(AbstractHyperParameter):
    """A user's own type: an even number below 100."""

    def sample(self):
        return 2 * int(self.random.randint(50))

    def encode(self, x):
        return x / 2

    def decode(self, x):
        return 2 * round(x)


class TestImportances:
    def test_a_parameter_that_alone_decides_has_it_all(self):
        space = [UniformHP("x", 0, 1), UniformHP("y", 0, 1)]
        found = looked_at(space, lambda rows: rows[:, 1] > 0.4)
        assert list(parameter_importances(found)) == ["y", "x"]
        # The rule needs one split; whatever else the trees find in 400 rows is noise.
        assert parameter_importances(found)["y"] > 0.95

    def test_columns_of_multi_parameters_add_up(self):
        space = [MultiUniformHP("m", 0, 1, sample_count=3), UniformHP("x", 0, 1)]
        found = looked_at(space, lambda rows: rows[:, 0] + rows[:, 2] > 1)
        importances = parameter_importances(found)
        assert list(importances) == ["m", "x"]
        assert importances["m"] > 0.9
        assert sum(importances.values()) == pytest.approx(1)

    def test_classifiers_count_alike(self):
        space = [UniformHP("x", 0, 1), UniformHP("y", 0, 1)]
        found = looked_at(space, lambda rows: rows[:, 0] > 0.5, lambda rows: rows[:, 1] > 0.5)
        np.testing.assert_allclose(gain_shares(found), np.eye(2), atol=0.05)
        np.testing.assert_allclose(list(parameter_importances(found).values()), 0.5, atol=0.05)

    def test_merged_trees_have_the_gain_of_those_they_came_from(self):
        space = HyperParameterList([UniformHP("x", 0, 1), UniformHP("y", 0, 1)])
        rows = space.draw(60, seeding.stream(1, seeding.Purpose.DRAW)).astype(np.float32)
        plain = BoostedTrees(0).fit(rows, rows.sum(axis=1) > 1)
        merged = BoostedTrees(0).fit(rows, rows.sum(axis=1) > 1)
        merged.compact()
        assert merged.num_trees < plain.num_trees
        shares = [gain_shares(Snapshot(Dataset(space), MAX, Cascade([c]))) for c in (plain, merged)]
        np.testing.assert_allclose(*shares, rtol=1e-4)

    def test_engine_and_directory_agree(self, finished):
        assert parameter_importances(finished) == parameter_importances(finished.save_dir)

    def test_bars_are_the_means(self, finished):
        ax = plot_importances(finished)
        importances = parameter_importances(finished)
        widths = [bar.get_width() / 100 for bar in ax.patches]
        assert widths == pytest.approx(list(importances.values()))
        assert [label.get_text() for label in ax.get_yticklabels()] == list(importances)

    @pytest.mark.slow
    def test_of_many_parameters_twenty_are_shown(self):
        space = [UniformHP(f"x{n}", 0, 1) for n in range(30)]
        found = looked_at(space, lambda rows: rows.sum(axis=1) > 15)
        assert len(plot_importances(found).patches) == 20

    def test_a_conditional_parameter_that_alone_decides_has_it_all(self):
        found = looked_at(branches(), lambda rows: rows[:, 1] > 0.5)
        importances = parameter_importances(found)
        assert next(iter(importances)) == "x"
        assert importances["x"] > 0.9

    def test_whether_a_sample_has_a_parameter_may_count_for_it(self):
        found = looked_at(branches(), lambda rows: rows[:, 0] == 0)
        importances = parameter_importances(found)
        assert sum(importances.values()) == pytest.approx(1)
        assert sum(importances[name] for name in ("c", "x", "y")) > 0.95

    def test_classifiers_that_accept_everything_have_no_share(self):
        space = HyperParameterList([UniformHP("x", 0, 1), UniformHP("y", 0, 1)])
        rows = space.draw(60, seeding.stream(1, seeding.Purpose.DRAW)).astype(np.float32)
        all_of_them = BoostedTrees(0).fit(rows, np.ones(len(rows)))
        decides = BoostedTrees(0).fit(rows, rows[:, 0] > 0.5)
        found = Snapshot(Dataset(space), MAX, Cascade([all_of_them, decides, all_of_them]))
        np.testing.assert_allclose(gain_shares(found), [[0, 0], [1, 0], [0, 0]], atol=0.05)
        assert sum(parameter_importances(found).values()) == pytest.approx(1)
        nothing = Snapshot(Dataset(space), MAX, Cascade([all_of_them]))
        assert parameter_importances(nothing) == {"x": 0, "y": 0}
        assert [bar.get_width() for bar in plot_importances(nothing).patches] == [0, 0]

    def test_without_classifiers_nothing_is_known(self):
        with pytest.raises(ValueError, match="no classifier"):
            plot_importances(make_dataset([1.0]))


class TestAcceptedShare:
    def test_with_two_parameters_it_is_what_the_cascade_says(self):
        space = [UniformHP("x", 0, 1), UniformHP("y", 0, 2)]
        found = looked_at(space, lambda rows: rows[:, 0] * rows[:, 1] > 0.5)
        x, y = columns_of(found)
        accepted = accepted_share(found, found.cascade, x, y, bins=10)
        middles = np.array([(0.05 + 0.1 * i, 0.1 + 0.2 * j) for j in range(10) for i in range(10)])
        expected = found.cascade.accepts(middles).reshape(10, 10)
        np.testing.assert_array_equal(accepted.share, expected)
        np.testing.assert_allclose(accepted.x_edges, np.linspace(0, 1, 11))
        assert 0 < expected.sum() < 100

    def test_the_others_are_drawn_from_their_prior(self):
        space = [UniformHP("x", 0, 1), UniformHP("y", 0, 1), UniformHP("z", 0, 1)]
        rule = lambda rows: (rows[:, 0] > 0.5) & (rows[:, 2] < 0.25)  # noqa: E731
        found = looked_at(space, rule, num_rows=4000)
        x, y, _ = columns_of(found)
        share = accepted_share(found, found.cascade, x, y, bins=10).share
        # Draws: at least 200 were accepted somewhere, so the error is below sqrt(3 / 4 / 200)
        # = 6 % of 0.25; three of these, and 0.01 for what the trees get wrong at the edges.
        np.testing.assert_allclose(share[:, 5:], 0.25, atol=0.055)
        assert share[:, :5].max() < 0.02

    def test_choices_and_few_whole_numbers_have_cells_of_their_own(self):
        space = [DiscreteHP("c", ["a", "b", "d"]), IntegerHP("n", 1, 4), UniformHP("z", 0, 1)]
        found = looked_at(space, lambda rows: (rows[:, 0] == 1) & (rows[:, 1] >= 3))
        c, n, _ = columns_of(found)
        accepted = accepted_share(found, found.cascade, c, n)
        expected = np.zeros((4, 3))
        expected[2:, 1] = 1
        np.testing.assert_allclose(accepted.share, expected, atol=0.05)
        np.testing.assert_array_equal(accepted.x_edges, [-0.5, 0.5, 1.5, 2.5])
        np.testing.assert_array_equal(accepted.y_edges, [0.5, 1.5, 2.5, 3.5, 4.5])

    def test_so_have_few_steps(self):
        space = [UniformHP("x", 0, 0.3, step=0.1), IntegerHP("n", 0, 65, step=16)]
        found = looked_at(space, lambda rows: rows[:, 0] > 0.15)
        accepted = accepted_share(found, found.cascade, *columns_of(found))
        np.testing.assert_allclose(accepted.x_edges, [-0.05, 0.05, 0.15, 0.25, 0.35])
        np.testing.assert_array_equal(accepted.y_edges, [-8, 8, 24, 40, 56, 72])
        np.testing.assert_allclose(accepted.share, np.tile([0, 0, 1, 1], (5, 1)), atol=0.05)

    @pytest.mark.parametrize("log", [False, True])
    def test_many_whole_numbers_share_cells(self, log):
        space = [IntegerHP("n", 1, 1000, log=log), UniformHP("y", 0, 1)]
        found = looked_at(space, lambda rows: rows[:, 1] > 0.5)
        n, y = columns_of(found)
        edges = accepted_share(found, found.cascade, n, y, bins=20).x_edges
        assert (edges[0], edges[-1]) == (0.5, 1000.5)
        assert (np.diff(edges) >= 1).all()
        assert len(edges) <= 21

    def test_unbounded_priors_lose_their_tails(self):
        space = [DistributionHP("p", stats.poisson(3)), DistributionHP("t", stats.norm(0, 1))]
        found = looked_at(space, lambda rows: rows[:, 1] > 0)
        accepted = accepted_share(found, found.cascade, *columns_of(found), bins=30)
        assert (accepted.x_edges[0], accepted.x_edges[-1]) == (-0.5, 8.5)
        np.testing.assert_allclose(accepted.y_edges[[0, -1]], [-2.576, 2.576], atol=0.01)

    def test_a_logarithmic_axis_does_not_begin_at_0(self):
        space = [UniformHP("x", 0, 1, log_encode=True), UniformHP("y", 0, 1)]
        found = looked_at(space, lambda rows: rows[:, 1] > 0.5)
        accepted = accepted_share(found, found.cascade, *columns_of(found), bins=5)
        assert 0 < accepted.x_edges[0] < accepted.x_edges[-1] <= 1

    def test_a_long_tail_of_a_bounded_prior_is_left_out(self):
        space = [
            DistributionHP("n", stats.binom(1000, 0.1)),
            DistributionHP("b", stats.beta(2, 50)),
        ]
        found = looked_at(space, lambda rows: rows[:, 1] > 0.05)
        accepted = accepted_share(found, found.cascade, *columns_of(found), bins=10)
        assert (accepted.x_edges[0], accepted.x_edges[-1]) == (75.5, 125.5)
        np.testing.assert_allclose(accepted.y_edges[[0, -1]], [0.002, 0.137], atol=0.001)

    def test_cells_without_a_parameter_have_no_share(self):
        found = looked_at(branches(), lambda rows: rows[:, 1] > 0.5)
        c, x, *_ = columns_of(found)
        share = accepted_share(found, found.cascade, x, c, bins=10).share
        np.testing.assert_allclose(share[0], [0] * 5 + [1] * 5, atol=0.05)
        assert np.isnan(share[1]).all()

    def test_only_draws_that_have_both_parameters_count(self):
        rule = lambda rows: (rows[:, 1] > 0.5) & (rows[:, 3] > 0.5)  # noqa: E731
        found = looked_at(branches(), rule, num_rows=4000)
        columns = {column.name: column for column in columns_of(found)}
        by_both = accepted_share(found, found.cascade, columns["x"], columns["z"], bins=10)
        # Of all draws, half would not have x, and none of these is accepted.
        np.testing.assert_allclose(by_both.share[5:, 5:], 1, atol=0.02)
        by_z = accepted_share(found, found.cascade, columns["c"], columns["z"], bins=10).share
        # At least 200 draws were accepted in some cell: within 3 sqrt(1 / 200) of a half.
        np.testing.assert_allclose(by_z[5:, 0], 0.5, atol=0.22)
        assert by_z[:, 1].max() < 0.02

    def test_parameters_that_no_sample_has_together(self):
        found = looked_at(branches(), lambda rows: rows[:, 3] > 0.5)
        with pytest.raises(ValueError, match="'x' and 'y' are never active together"):
            plot_accepted_region(found, "x", "y")

    def test_the_same_seed_gives_the_same_shares(self, finished):
        edges = [plot_accepted_region(finished, "rate", "optimizer", seed=s) for s in (1, 1, 2)]
        first, again, other = (ax.collections[0].get_array().filled(0) for ax in edges)
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()


class TestAcceptedRegion:
    def test_axes_have_the_scales_and_names_of_their_parameters(self, halving):
        ax = plot_accepted_region(halving.save_dir, "rate", "optimizer")
        assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("rate", "optimizer", "log")
        assert [label.get_text() for label in ax.get_yticklabels()][:2] == ["adam", "sgd"]
        assert ax.get_title() == "Accepted by all 5 classifiers"

    def test_fewer_classifiers_accept_more(self, halving):
        shares = [
            plot_accepted_region(halving, "rate", "layers", max_classifiers=count)
            .collections[0]
            .get_array()
            .filled(0)
            .mean()
            for count in (1, 5)
        ]
        assert shares[0] > 2 * shares[1] > 0

    def test_where_nothing_is_accepted_the_error_says_what_helps(self):
        space = [UniformHP(name, 0, 1) for name in "xyz"]
        never = [lambda rows: rows[:, 2] > 0.5, lambda rows: rows[:, 2] < 0.5]
        found = looked_at(space, *never)
        with pytest.raises(ValueError, match="accept none of .* max_classifiers"):
            plot_accepted_region(found, "x", "y", max_classifiers=2)
        # Left to itself, it asks as many of them as accept anything.
        ax = plot_accepted_region(found, "x", "y")
        assert ax.get_title() == "Accepted by the first 1 of 2 classifiers"

    def test_what_cannot_be_drawn(self, finished, tmp_path):
        with pytest.raises(ValueError, match="two columns. Got 'rate' twice"):
            plot_accepted_region(finished, "rate", "rate")
        with pytest.raises(ValueError, match=r"in \[1, 5\]. Got 6 instead"):
            plot_accepted_region(finished, "rate", "layers", max_classifiers=6)
        with pytest.raises(ValueError, match="bins must be .* Got 0"):
            plot_accepted_region(finished, "rate", "layers", bins=0)
        empty = SHAC([UniformHP("x", 0, 1), UniformHP("y", 0, 1)], 4, 2, save_dir=tmp_path)
        with pytest.raises(ValueError, match="no classifier"):
            plot_accepted_region(empty, "x", "y")

    def test_own_types_and_too_many_choices_have_no_cells(self):
        space = [Even("even"), UniformHP("x", 0, 1), DiscreteHP("c", range(100))]
        found = looked_at(space, lambda rows: rows[:, 1] > 0.5)
        with pytest.raises(ValueError, match="type of your own"):
            plot_accepted_region(found, "even", "x")
        with pytest.raises(ValueError, match="100 values; at most 60"):
            plot_accepted_region(found, "x", "c")

    def test_samples_and_the_best_one_are_shown(self, finished):
        ax = plot_accepted_region(finished, "dropout", "layers")
        samples, best = ax.lines
        assert len(samples.get_xdata()) == 60
        assert best.get_xdata()[0] == finished.best_parameters["dropout"]
        assert not math.isnan(best.get_ydata()[0])

    def test_only_samples_that_have_both_parameters_are_shown(self):
        found = looked_at(branches(), lambda rows: rows[:, 3] > 0.5)
        rows = [["a", 0.2, INACTIVE, 0.4], ["b", INACTIVE, 0.3, 0.9], ["a", 0.6, INACTIVE, 0.8]]
        found.dataset.set_dataset(rows, [1.0, 3.0, 2.0])
        ax = plot_accepted_region(found, "x", "z")
        assert [line.get_xydata().tolist() for line in ax.lines] == [[[0.2, 0.4], [0.6, 0.8]]]
        samples, best = plot_accepted_region(found, "y", "z").lines
        assert samples.get_xydata().tolist() == best.get_xydata().tolist() == [[0.3, 0.9]]
        share = plot_accepted_region(found, "x", "c").collections[0].get_array()
        assert share.mask[1].all()
        assert not share.mask[0].any()
