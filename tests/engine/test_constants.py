"""Parameters with one possible value: whole searches, with all there is to look at."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from pyshac import (
    SHAC,
    DiscreteHP,
    DistributionHP,
    IntegerHP,
    LogUniformHP,
    MultiDiscreteHP,
    MultiUniformHP,
    UniformHP,
    write_report,
)
from pyshac.utils import vis_utils
from tests.looking.searches import run_search

pytestmark = pytest.mark.filterwarnings("error", "ignore:A batch has")

CONSTANTS = {
    "integer": (IntegerHP("integer", 3, 3), 3),
    "log_integer": (IntegerHP("log_integer", 3, 3, log=True), 3),
    "uniform": (UniformHP("uniform", 0.3, 0.3), 0.3),
    "log_encoded": (UniformHP("log_encoded", 0.3, 0.3, log_encode=True), 0.3),
    "log_uniform": (LogUniformHP("log_uniform", 3.3, 3.3), 3.3),
    "choice": (DiscreteHP("choice", ["a"]), "a"),
    "distribution": (DistributionHP("distribution", stats.randint(3, 4)), 3),
    "choices": (MultiDiscreteHP("choices", [None], sample_count=2), [None, None]),
    "uniforms": (MultiUniformHP("uniforms", 2, 2, sample_count=2), [2.0, 2.0]),
}
VALUES = {name: value for name, (_, value) in CONSTANTS.items()}


def score(worker_id, parameters):
    if parameters["x"] > 0.9:
        return math.nan
    return -((parameters["x"] - 0.3) ** 2) - 0.01 * abs(parameters["k"] - 4)


def constants():
    return [parameter for parameter, _ in CONSTANTS.values()]


def run(path, varied, function, method):
    return run_search(path, [*constants(), *varied], function, (60, 6), method=method)[0]


@pytest.mark.parametrize("method", ["default", "paper"])
def test_a_search_beside_constants_learns_of_the_others(tmp_path, method):
    varied = [UniformHP("x", 0.0, 1.0), IntegerHP("k", 0, 9)]
    engine = run(tmp_path, varied, score, method)
    assert engine.classifiers
    for sample in engine.predict(num_samples=3):
        assert {name: sample[name] for name in VALUES} == VALUES
    assert engine.best_score > -0.05
    restored = SHAC(None, 60, 6, save_dir=tmp_path, method=method)
    restored.restore_data()
    assert restored.dataset.X == engine.dataset.X
    (predicted,) = restored.predict(num_samples=1)
    assert {name: predicted[name] for name in VALUES} == VALUES


@pytest.mark.parametrize("method", ["default", "paper"])
@pytest.mark.parametrize("is_noisy", [False, True])
def test_a_search_of_constants_alone_ends(tmp_path, method, is_noisy):
    count = iter(range(1000))
    engine = run(
        tmp_path, [], lambda worker, parameters: math.sin(next(count)) if is_noisy else 1.0, method
    )
    assert len(engine.dataset) == 60
    assert all(dict(sample) == VALUES for sample in engine.predict(num_samples=3))


@pytest.mark.slow
@pytest.mark.parametrize("varied", [[UniformHP("x", 0.0, 1.0), IntegerHP("k", 0, 9)], []])
def test_it_can_be_looked_at(tmp_path, varied):
    pytest.importorskip("matplotlib")
    import matplotlib as mpl

    mpl.use("Agg")
    function = score if varied else lambda worker, parameters: 1.0
    engine = run(tmp_path / "search", varied, function, "default")
    for plot in ("best_so_far", "scores_by_stage", "slices", "parallel_coordinates"):
        getattr(vis_utils, f"plot_{plot}")(engine)
    for name in engine.parameters.get_parameter_names():
        vis_utils.plot_slice(engine, name)
    if varied:
        vis_utils.plot_importances(engine)
        vis_utils.plot_accepted_region(engine, "integer", "x")
        vis_utils.plot_accepted_region(engine, "uniform", "choice")
        vis_utils.plot_accepted_region(engine, "log_uniform", "distribution")
    write_report(engine, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 10_000
