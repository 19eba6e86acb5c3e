"""Pictures of a search."""

import math

import numpy as np
import pytest

from pyshac import SHAC, Dataset, UniformHP
from pyshac.utils.vis_utils import plot_dataset

matplotlib = pytest.importorskip("matplotlib")


def make_dataset(scores):
    dataset = Dataset([UniformHP("x", 0, 1)])
    for number, score in enumerate(scores):
        dataset.add_sample([number / len(scores)], score)
    return dataset


def test_every_score_and_a_cubic_trend_are_drawn(tmp_path):
    scores = [float((n - 5) ** 3) for n in range(12)]
    path = tmp_path / "new folder" / "plot.png"
    axes = plot_dataset(make_dataset(scores), path, title="A title", eval_label="Loss")
    points, trend = axes.lines
    assert list(points.get_ydata()) == scores
    np.testing.assert_allclose(trend.get_ydata(), scores, atol=1e-6)
    assert (axes.get_title(), axes.get_ylabel()) == ("A title", "Loss")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_failed_samples_leave_gaps():
    axes = plot_dataset(make_dataset([1.0, math.nan, 3.0]), None)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1.0, math.nan, 3.0])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [1.0, 2.0, 3.0])


def test_engines_directories_and_given_axes(tmp_path):
    engine = SHAC(lambda worker_id, p: p["x"], [UniformHP("x", 0, 1)], 4, 2, save_dir=tmp_path)
    engine.concurrent_evaluators()
    engine.fit()
    ax = matplotlib.figure.Figure().add_subplot()
    assert plot_dataset(engine, None, ax=ax) is ax
    from_disk = plot_dataset(tmp_path, None)
    assert list(from_disk.lines[0].get_ydata()) == engine.dataset.Y


def test_nothing_to_plot_is_an_error():
    with pytest.raises(ValueError, match="holds no score"):
        plot_dataset(make_dataset([math.nan]), None)
    with pytest.raises(TypeError, match="Got 7 instead"):
        plot_dataset(7)
