"""Plots of the parameters."""

import math
import warnings

import numpy as np
import pytest

from pyshac import Dataset, DiscreteHP, IntegerHP, LogUniformHP, MultiDiscreteHP, UniformHP
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.looking.snapshot import take_snapshot
from pyshac.utils.vis_utils import plot_parallel_coordinates, plot_slice, plot_slices
from tests.looking.searches import make_dataset, mixed_space

matplotlib = pytest.importorskip("matplotlib")

HOSTILE = ["</script>", "$\\frac{$", "$a_1$", "a\u202eb\x07\n", "x" * 200, "_hidden", ""]


def offsets(ax):
    """Where the dots of a scatter plot are, shape (n, 2)."""
    return np.asarray(ax.collections[0].get_offsets())


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


class TestSlice:
    def test_numbers_stand_at_their_values(self, finished):
        known = ~np.isnan(finished.dataset.scores)
        dots = offsets(plot_slice(finished, "dropout"))
        values = np.array([row[1] for row in finished.dataset.X])
        np.testing.assert_allclose(dots, np.c_[values, finished.dataset.scores][known])

    def test_logarithmic_parameters_have_logarithmic_axes(self, finished):
        ax = plot_slice(finished, "rate")
        values = [row[0] for row in finished.dataset.X]
        assert ax.get_xscale() == "log"
        assert plot_slice(finished, "units").get_xscale() == "log"
        assert plot_slice(finished, "layers").get_xscale() == "linear"
        assert offsets(ax)[:, 0].min() == pytest.approx(min(values))

    def test_choices_have_their_names_as_ticks(self, finished):
        ax = plot_slice(finished.save_dir, "optimizer")
        first, second, third = tick_labels(ax.xaxis)
        assert (first, second) == ("adam", "sgd")
        assert (third[:8], third.count("…"), len(third)) == ("sgd with", 1, 16)
        encoded = finished.dataset.encoded[~np.isnan(finished.dataset.scores), 4]
        assert (np.round(offsets(ax)[:, 0]) == encoded).all()

    def test_many_choices_are_labelled_here_and_there(self):
        dataset = Dataset([DiscreteHP("c", range(100))])
        for value in range(100):
            dataset.add_sample([value], value)
        labels = tick_labels(plot_slice(dataset, "c").xaxis)
        assert labels[:3] == ["0", "9", "18"]
        assert len(labels) <= 12

    def test_colours_are_stages(self, finished):
        found = take_snapshot(finished)
        known = ~np.isnan(found.dataset.scores)
        colours = plot_slice(finished, "dropout").collections[0].get_facecolors()
        by_stage = {
            stage: {tuple(c) for c in colours[found.stages[known] == stage]}
            for stage in range(1, 6)
        }
        assert all(len(seen) == 1 for seen in by_stage.values())
        assert len(set.union(*by_stage.values())) == 5

    def test_names_that_are_no_single_column(self, finished):
        with pytest.raises(ValueError, match="one of .'kernels_1', 'kernels_2'."):
            plot_slice(finished, "kernels")
        with pytest.raises(ValueError, match="Got 'size' instead"):
            plot_slice(finished, "size")

    def test_a_column_with_the_name_of_another_parameter(self):
        space = [MultiDiscreteHP("x", [1, 2], sample_count=2),
                 MultiDiscreteHP("x_1", [3, 4], sample_count=1)]  # fmt: skip
        dataset = Dataset(space)
        dataset.add_sample([1, 2, 3], 1.0)
        assert plot_slice(dataset, "x_1").get_xticklabels()[0].get_text() == "1"
        assert plot_slice(dataset, "x_1_1").get_xticklabels()[0].get_text() == "3"

    def test_scores_for_a_logarithmic_axis_without_a_sample(self, tmp_path):
        dataset = Dataset([IntegerHP("n", 0, 9), DiscreteHP("c", ["a", "b"]).when("n", at_least=8)])
        for number in range(8):
            dataset.add_sample({"n": number}, 10.0**-number)
        plot_slice(dataset, "c").figure.savefig(tmp_path / "slice.png")

    def test_values_that_cannot_be_drawn(self):
        dataset = Dataset([UniformHP("x", 0, 1.7e308)])
        dataset.add_sample([1.6e308], 1.0)
        with pytest.raises(ValueError, match=r"'x' beyond 1e\+300"):
            plot_slice(dataset, "x")


class TestSlices:
    def test_one_panel_for_each_column(self, finished):
        axes = plot_slices(finished)
        names = finished.parameters.get_parameter_names()
        assert [ax.get_xlabel() for ax in axes] == names
        assert len({ax.figure for ax in axes}) == 1

    def test_chosen_parameters(self, finished):
        axes = plot_slices(finished, ["kernels", "rate"])
        assert [ax.get_xlabel() for ax in axes] == ["kernels_1", "kernels_2", "rate"]
        with pytest.raises(TypeError, match="list of names. Got 'rate'"):
            plot_slices(finished, "rate")
        with pytest.raises(ValueError, match="at least one"):
            plot_slices(finished, [])

    def test_of_many_columns_a_dozen_is_shown(self):
        dataset = Dataset([MultiDiscreteHP("c", [1, 2], sample_count=20)])
        dataset.add_sample([1] * 20, 1.0)
        assert len(plot_slices(dataset)) == 12

    def test_directories_are_read_once(self, finished):
        assert len(plot_slices(finished.save_dir, ["rate"])) == 1


class TestParallelCoordinates:
    def lines(self, ax):
        (collection,) = ax.collections
        return np.array(collection.get_segments()), collection.get_colors()

    def test_a_line_for_each_sample_that_has_a_score(self, finished):
        segments, _ = self.lines(plot_parallel_coordinates(finished))
        known = int((~np.isnan(finished.dataset.scores)).sum())
        assert segments.shape == (known, 8, 2)
        assert 0 <= segments[..., 1].min() < segments[..., 1].max() <= 1

    @pytest.mark.parametrize("objective", ["max", "min"])
    def test_better_scores_are_above_and_stronger(self, objective):
        dataset = Dataset([UniformHP("x", 0, 1), UniformHP("y", 0, 1)])
        for number, score in enumerate([5.0, 1.0, 1e30, 3.0]):
            dataset.add_sample([number / 4, 0.5], score)
        segments, colours = self.lines(plot_parallel_coordinates(dataset, objective=objective))
        order = [1, 3, 0, 2] if objective == "max" else [2, 0, 3, 1]
        heights = 0.03 + 0.94 * np.array(order) / 3
        np.testing.assert_allclose(segments[:, 0, 1], heights)
        brightness = np.array(colours)[:, :3] @ [0.299, 0.587, 0.114]
        assert (np.diff(brightness) < 0).all()

    def test_a_parameter_that_never_changes_stands_in_the_middle(self):
        dataset = Dataset([UniformHP("x", 0, 1), UniformHP("y", -1, 1)])
        dataset.add_sample([0.2, 0.0], 1.0)
        dataset.add_sample([0.8, 0.0], 2.0)
        segments, _ = self.lines(plot_parallel_coordinates(dataset))
        assert (segments[:, 1, 1] == 0.5).all()

    def test_the_best_is_named(self, finished):
        texts = [text.get_text() for text in plot_parallel_coordinates(finished).get_legend().texts]
        assert texts == [f"best: {finished.best_score:.6g}"]

    def test_columns_can_be_chosen(self, finished):
        ax = plot_parallel_coordinates(finished, ["rate", "layers"])
        assert tick_labels(ax.xaxis) == ["rate", "layers"]


def two_branches():
    """Two samples with x, two with y, the best one among these, and one that failed."""
    space = [
        DiscreteHP("c", ["a", "b", "neither"]),
        LogUniformHP("x", 1, 100).when("c", "a"),
        UniformHP("y", 0, 1).when("c", "b"),
        IntegerHP("never", 1, 9, log=True).when("c", "neither"),
        UniformHP("z", 0, 1),
    ]
    rows = [
        ["a", 1.0, INACTIVE, INACTIVE, 0.0],
        ["a", 100.0, INACTIVE, INACTIVE, 1.0],
        ["b", INACTIVE, 0.25, INACTIVE, 0.5],
        ["b", INACTIVE, 0.75, INACTIVE, 0.5],
        ["b", INACTIVE, 0.5, INACTIVE, 0.5],
    ]
    dataset = Dataset(space)
    dataset.set_dataset(rows, [1.0, 2.0, 3.0, 4.0, math.nan])
    return dataset


def heights_of(lines):
    """The heights of lines, with NaN for their gaps, shape (lines, axes)."""
    return np.array([path.vertices[:, 1] for path in lines.get_paths()])


class TestInactive:
    def test_slices_show_the_active_samples_and_say_how_many(self, branching):
        scores, encoded = branching.dataset.scores, branching.dataset.encoded
        names = branching.parameters.get_parameter_names()
        for name in ("momentum", "boost", "tens", "width_2"):
            ax, values = plot_slice(branching, name), encoded[:, names.index(name)]
            shown = ~np.isnan(values) & ~np.isnan(scores)
            assert 0 < shown.sum() < len(shown)
            np.testing.assert_allclose(offsets(ax), np.c_[values, scores][shown])
            known = (~np.isnan(scores)).sum()
            count = f"active in {shown.sum()} of {known} scored samples"
            assert ax.get_xlabel().split("\n") in ([name, count], [f"{name} (encoded)", count])
        assert plot_slice(branching, "layers").get_xlabel() == "layers"

    def test_the_best_sample_is_only_marked_where_it_has_the_parameter(self):
        dataset = two_branches()
        assert [len(plot_slice(dataset, name).lines) for name in "xyz"] == [0, 1, 1]
        assert plot_slice(dataset, "y").lines[0].get_xydata().tolist() == [[0.75, 4.0]]

    @pytest.mark.parametrize("name", ["never", "c"])
    def test_a_parameter_that_no_sample_has_is_drawn_without_warnings(self, name, tmp_path):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ax = plot_slice(two_branches(), name)
            ax.figure.savefig(tmp_path / "slice.png")
        assert len(offsets(ax)) == (0 if name == "never" else 4)

    def test_parallel_lines_have_gaps_and_dots(self, tmp_path):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ax = plot_parallel_coordinates(two_branches())
            ax.figure.savefig(tmp_path / "plot.svg")
        lines, dots = ax.collections
        low, high, gap = 0.03, 0.97, math.nan
        middle = (low + high) / 2
        expected = [
            [low, low, gap, gap, low],
            [low, high, gap, gap, high],
            [middle, gap, low, gap, middle],
            [middle, gap, high, gap, middle],
        ]
        np.testing.assert_allclose(heights_of(lines), expected)
        # z of the first two has no neighbour, and c, y and z of the last two.
        alone = [(4, low), (4, high), (0, middle), (2, low), (4, middle)]
        alone += [(0, middle), (2, high), (4, middle)]
        np.testing.assert_allclose(dots.get_offsets(), alone)
        line_of_dot = [0, 1, 2, 2, 2, 3, 3, 3]
        colours = lines.get_colors()[line_of_dot]
        np.testing.assert_allclose(dots.get_facecolors()[:, :3], colours[:, :3])
        np.testing.assert_allclose(ax.lines[-1].get_ydata(), expected[-1])
        assert "nan" not in (tmp_path / "plot.svg").read_text().lower()

    def test_axes_span_what_the_samples_have(self):
        texts = [text.get_text() for text in plot_parallel_coordinates(two_branches()).texts]
        assert texts == ["a", "b", "neither", "1", "100", "0.25", "0.75", "0", "1"]

    def test_all_columns_of_a_search(self, branching):
        names = [parameter.name for parameter in branching.parameters]
        ax = plot_parallel_coordinates(branching.save_dir, names)
        heights = heights_of(ax.collections[0])
        scores = branching.dataset.scores
        known = np.flatnonzero(~np.isnan(scores))
        order = known[np.argsort(scores[known], kind="stable")]
        np.testing.assert_array_equal(np.isnan(heights), np.isnan(branching.dataset.encoded[order]))
        assert len(plot_slices(branching)) == 12

    def test_values_that_cannot_be_drawn_beside_inactive_ones(self):
        dataset = Dataset([DiscreteHP("c", ["a", "b"]), UniformHP("x", 0, 1.7e308).when("c", "a")])
        dataset.set_dataset([["a", 1.6e308], ["b", INACTIVE]], [1.0, 2.0])
        with pytest.raises(ValueError, match=r"'x' beyond 1e\+300"):
            plot_slice(dataset, "x")


@pytest.mark.slow
def test_hostile_names_and_values_are_plain_labels(tmp_path):
    space = [DiscreteHP(name or "empty", HOSTILE) for name in HOSTILE]
    space += [LogUniformHP("$10 & <i>", 1, 2), IntegerHP("#", -5, 2**40)]
    dataset = Dataset(space)
    for number in range(7):
        dataset.add_sample([*[HOSTILE[number]] * 7, 1.5, number], number)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for ax in (plot_slices(dataset)[0], plot_parallel_coordinates(dataset)):
            ax.figure.savefig(tmp_path / "plot.svg")
    assert plot_slice(dataset, "$a_1$").get_xlabel() == r"\$a_1\$"


@pytest.mark.slow
@pytest.mark.parametrize("scores", [[1.0], [2.0] * 4, [math.nan, 1.0]])
@pytest.mark.parametrize("plot", [lambda d: plot_slice(d, "x"), plot_parallel_coordinates])
def test_awkward_datasets_are_drawn_without_warnings(plot, scores, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot(make_dataset(scores)).figure.savefig(tmp_path / "plot.png")


def test_dark_axes_get_colours_that_show(finished):
    figure = matplotlib.figure.Figure(facecolor="black")
    ax = figure.add_subplot(facecolor="black")
    plot_slice(finished, "dropout", ax=ax)
    brightness = ax.collections[0].get_facecolors()[:, :3] @ [0.299, 0.587, 0.114]
    # On white, late stages are the dark ones; on black they are the bright ones.
    assert brightness[-1] > 0.7 > 0.4 > brightness[0]


def test_looking_leaves_the_random_state_of_parameters_alone(finished):
    before = [parameter.random.get_state()[1].tolist() for parameter in finished.parameters]
    plot_slices(finished)
    plot_parallel_coordinates(finished)
    after = [parameter.random.get_state()[1].tolist() for parameter in finished.parameters]
    assert before == after
    assert len(mixed_space()) == len(before)
