"""Plots of the scores."""

import math
import warnings

import numpy as np
import pytest

from pyshac import SHAC, UniformHP
from pyshac.looking.snapshot import take_snapshot
from pyshac.utils.vis_utils import plot_best_so_far, plot_dataset, plot_scores_by_stage
from tests.looking.searches import make_dataset

matplotlib = pytest.importorskip("matplotlib")

AWKWARD = {
    "one": [1.0],
    "constant": [2.0] * 5,
    "failed between": [math.nan, 1.0, math.nan, 2.0],
    "huge": [1e299, -1e299, 3.0],
    "tiny": [5e-324, 0.0, 1e-300],
}


def labelled(ax, start):
    """The one line of axes whose label begins so."""
    (line,) = [line for line in ax.lines if str(line.get_label()).startswith(start)]
    return line


class TestDataset:
    def test_every_score_and_a_cubic_trend_are_drawn(self, tmp_path):
        scores = [float((n - 5) ** 3) for n in range(12)]
        path = tmp_path / "plot.png"
        axes = plot_dataset(make_dataset(scores), path, title="A title", eval_label="Loss")
        points, trend = axes.lines
        assert list(points.get_ydata()) == scores
        np.testing.assert_allclose(trend.get_ydata(), scores, atol=1e-6)
        assert (axes.get_title(), axes.get_ylabel()) == ("A title", "Loss")
        assert path.read_bytes().startswith(b"\x89PNG")

    def test_no_file_is_written_unless_told_to(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        plot_dataset(make_dataset([1.0, 2.0]))
        with pytest.raises(FileNotFoundError, match="there is no folder .*typo"):
            plot_dataset(make_dataset([1.0, 2.0]), tmp_path / "typo" / "plot.png")
        assert list(tmp_path.iterdir()) == []

    def test_failed_samples_leave_gaps(self):
        axes = plot_dataset(make_dataset([1.0, math.nan, 3.0]), None)
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1.0, math.nan, 3.0])
        np.testing.assert_allclose(axes.lines[1].get_ydata(), [1.0, 2.0, 3.0])

    def test_engines_directories_and_given_axes(self, tmp_path):
        engine = SHAC(lambda worker_id, p: p["x"], [UniformHP("x", 0, 1)], 4, 2, save_dir=tmp_path)
        engine.concurrent_evaluators()
        engine.fit()
        ax = matplotlib.figure.Figure().add_subplot()
        assert plot_dataset(engine, None, ax=ax) is ax
        from_disk = plot_dataset(tmp_path, None)
        assert list(from_disk.lines[0].get_ydata()) == engine.dataset.Y

    def test_nothing_to_plot_is_an_error(self):
        with pytest.raises(ValueError, match="holds no score"):
            plot_dataset(make_dataset([math.nan]), None)
        with pytest.raises(TypeError, match="Got 7 instead"):
            plot_dataset(7)


class TestBestSoFar:
    def test_the_line_is_the_best_of_those_before(self):
        dataset = make_dataset([math.nan, 2.0, 1.0, 3.0])
        rising = labelled(plot_best_so_far(dataset), "best so far")
        np.testing.assert_array_equal(rising.get_ydata(), [math.nan, 2.0, 2.0, 3.0])
        falling = labelled(plot_best_so_far(dataset, objective="min"), "best so far")
        np.testing.assert_array_equal(falling.get_ydata(), [math.nan, 2.0, 1.0, 1.0])

    def test_the_best_and_the_failed_samples_are_marked(self):
        ax = plot_best_so_far(make_dataset([math.nan, 2.0, 5.0, 3.0]))
        best = labelled(ax, "best: ")
        assert (best.get_xdata()[0], best.get_ydata()[0]) == (2, 5.0)
        assert best.get_label() == "best: 5, sample 2"
        assert list(labelled(ax, "failed: 1").get_xdata()) == [0]

    def test_classifiers_are_lines(self, finished):
        lines = [line for line in plot_best_so_far(finished).lines if line.get_linestyle() == ":"]
        assert [line.get_xdata()[0] for line in lines] == [9.5, 19.5, 29.5, 39.5, 49.5]

    @pytest.mark.parametrize(
        ("scores", "objective", "scale"),
        [
            ([1.0, 500.0], "min", "log"),
            ([1.0, 50.0], "min", "linear"),
            ([0.0, 500.0], "min", "linear"),
            ([1.0, 500.0], "max", "linear"),
        ],
    )
    def test_only_wide_positive_losses_are_logarithmic(self, scores, objective, scale):
        ax = plot_best_so_far(make_dataset(scores), objective=objective)
        assert ax.get_yscale() == scale


class TestScoresByStage:
    def test_a_box_for_each_stage(self, finished):
        ax = plot_scores_by_stage(finished.save_dir)
        found = take_snapshot(finished)
        labels = [label.get_text() for label in ax.get_xticklabels()]
        assert [label.split("\n")[0] for label in labels] == list("123456")
        assert [label.split("\n")[1] for label in labels] == ["10"] * 6
        assert sum(int(label.split("\n")[2]) for label in labels) == found.num_failed > 0
        assert "failed" in ax.get_xlabel()
        assert len(ax.collections[0].get_offsets()) == 60 - found.num_failed

    def test_medians_are_those_of_the_stages(self, finished):
        ax = plot_scores_by_stage(finished)
        accent = matplotlib.colors.to_rgba("#D55E00")
        medians = [
            line.get_ydata()[0]
            for line in ax.lines
            if matplotlib.colors.to_rgba(line.get_color()) == accent
        ]
        found = take_snapshot(finished)
        expected = [np.nanmedian(found.dataset.scores[found.stages == n]) for n in range(1, 7)]
        np.testing.assert_allclose(medians, expected)

    def test_a_stage_without_scores_has_no_box(self, tmp_path):
        engine = SHAC([UniformHP("x", 0, 1)], 40, 4, save_dir=tmp_path)
        engine.tell(samples := engine.ask(), [sample["x"] for sample in samples])
        engine.tell(engine.ask(2), [math.nan, math.nan])
        labels = [label.get_text() for label in plot_scores_by_stage(engine).get_xticklabels()]
        assert labels == ["1\n10\n0", "2\n2\n2"]

    def test_a_dataset_is_one_stage(self):
        assert len(plot_scores_by_stage(make_dataset([1.0, 2.0])).get_xticks()) == 1


PLOTS = [lambda d, **k: plot_dataset(d, None, **k), plot_best_so_far, plot_scores_by_stage]


@pytest.mark.slow
@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("scores", AWKWARD.values(), ids=AWKWARD)
def test_awkward_scores_are_drawn_without_warnings(plot, scores, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot(make_dataset(scores)).figure.savefig(tmp_path / "plot.png")


@pytest.mark.parametrize("plot", PLOTS)
def test_scores_that_cannot_be_drawn(plot):
    with pytest.raises(ValueError, match=r"beyond 1e\+300"):
        plot(make_dataset([1.7e308, -1.7e308]))
    with pytest.raises(ValueError, match="holds no score"):
        plot(make_dataset([math.nan, math.nan]))


@pytest.mark.parametrize("plot", PLOTS)
def test_given_axes_are_returned_and_nothing_is_shown(plot):
    from matplotlib import pyplot

    ax = matplotlib.figure.Figure().add_subplot()
    assert plot(make_dataset([1.0, 2.0]), ax=ax) is ax
    assert pyplot.get_fignums() == []
