"""Fixtures and settings that all tests share."""

from __future__ import annotations

import math
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import hypothesis
import pytest
from scipy import stats

from pyshac import SHAC
from pyshac.core.hyperparameters import (
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    MultiDiscreteHP,
    MultiNormalHP,
    MultiUniformHP,
    NormalHP,
    UniformHP,
)
from tests.looking.searches import branching_score, branching_space, run_search

# The same examples on every run, and no time limit that a busy machine could miss.
hypothesis.settings.register_profile(
    "pyshac", derandomize=True, deadline=None, max_examples=40, database=None
)
# Other examples on every run, many of them: pytest --hypothesis-profile=search
hypothesis.settings.register_profile("search", deadline=None, max_examples=2000, database=None)
hypothesis.settings.load_profile("pyshac")

# Started in the background, as by a script, programs ignore Ctrl-C, and their children do, too.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONG_TIMEOUT_SECONDS = 3600


# Before marks decide what is left out.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives long tests what goes with it, and puts first what takes long.

    With several files at once, a file that began last would end alone.
    """
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(LONG_TIMEOUT_SECONDS))
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture
def small_space() -> HyperParameterList:
    """One parameter of every built-in type, 15 columns."""
    return HyperParameterList(
        [
            DiscreteHP("choice", [1, 1.0, "1", True, None, (3, 3), 'a, "b"\n']),
            IntegerHP("integer", -2, 4),
            IntegerHP("log_integer", 1, 1000, log=True),
            UniformHP("uniform", -1.0, 3.0),
            UniformHP("log_encoded", 0.5, 8.0, log_encode=True),
            LogUniformHP("log_uniform", 1e-5, 1e-1),
            NormalHP("normal", 2.0, 0.5),
            DistributionHP("beta", stats.beta(2, 5)),
            DistributionHP("poisson", stats.poisson(3)),
            MultiDiscreteHP("choices", ["x", "y", 2], sample_count=2),
            MultiUniformHP("uniforms", 0.0, 1.0, sample_count=2),
            MultiNormalHP("normals", 0.0, 1.0, sample_count=2),
        ]
    )


def _branin(worker_id: int, parameters: Mapping[str, Any]) -> float:
    x, y = parameters["h1"], parameters["h2"]
    parabola = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return parabola**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


@pytest.fixture
def branin() -> Callable[[int, Mapping[str, Any]], float]:
    """The Branin function of h1 in [-5, 10] and h2 in [0, 15]; its minimum is 0.397887."""
    return _branin


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SHAC:
    """A finished search of six stages, with failed samples."""
    return run_search(tmp_path_factory.mktemp("finished"), skip_cv_checks=True)[0]


@pytest.fixture(scope="session")
def halving(tmp_path_factory: pytest.TempPathFactory) -> SHAC:
    """The same by the published procedure, whose regions are not as small in the end."""
    folder = tmp_path_factory.mktemp("halving")
    return run_search(folder, skip_cv_checks=True, method="paper")[0]


@pytest.fixture(scope="session")
def branching(tmp_path_factory: pytest.TempPathFactory) -> SHAC:
    """A finished search with conditional parameters of every kind, and with failed samples."""
    folder = tmp_path_factory.mktemp("branching")
    return run_search(folder, branching_space(), branching_score, skip_cv_checks=True)[0]
