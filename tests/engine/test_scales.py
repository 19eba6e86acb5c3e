"""A search does not depend on the scales of its parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from pyshac import (
    SHAC,
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    NormalHP,
    UniformHP,
)
from pyshac.core.search.method import METHODS
from pyshac.core.storage.state_file import checksum
from tests.engine.engine_helpers import branin_space, make_engine, restored
from tests.extreme_ranges import extreme_parameters


def image(origin: float, unit: float) -> list[Any]:
    """The image of a space under x -> origin + unit * x, with a choice that has none."""
    from_origin = {"loc": origin, "scale": unit}
    return [
        UniformHP("uniform", origin, origin + unit),
        NormalHP("normal", origin, unit),
        DistributionHP("beta", stats.beta(2, 5, **from_origin)),
        DistributionHP("cauchy", stats.cauchy(**from_origin)),
        DiscreteHP("choice", list("abc")),
    ]


def plain_rows(engine: SHAC, origin: float, unit: float) -> np.ndarray:
    """The samples of a search in an image, mapped back."""
    rows = engine.dataset.encoded
    rows[:, :-1] = (rows[:, :-1] - origin) / unit
    return rows


def found_in(save_dir: Path, origin: float, unit: float, method: str) -> np.ndarray:
    """The samples of a search that scores what is mapped back."""

    def score(worker_id: int, parameters: Any) -> float:
        *numbers, choice = parameters.values()
        u, n, b, c = ((number - origin) / unit for number in numbers)
        return float((u - 0.3) ** 2 + abs(n - 1) + abs(b - 0.4) + np.tanh(abs(c)) - (choice == "b"))

    engine = make_engine(save_dir, score, image(origin, unit), 48, 6, method=method)
    engine.fit(skip_cv_checks=True)
    assert len(engine.classifiers) >= 4
    return plain_rows(engine, origin, unit)


@pytest.fixture(scope="module", params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def plain(method: str, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return found_in(tmp_path_factory.mktemp("plain"), 0, 1, method)


@pytest.mark.parametrize(
    "exponent", [-150, *(pytest.param(e, marks=pytest.mark.slow) for e in (-900, -3, 3, 150, 900))]
)
def test_times_a_power_of_two_it_is_the_same_search_bit_for_bit(exponent, method, plain, tmp_path):
    np.testing.assert_array_equal(found_in(tmp_path, 0, 2.0**exponent, method), plain)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("origin", "unit"), [(-5, 15), (100, 1), (-3e6, 5e8), (1e-30, 7e-30), (-1e40, 1e41)]
)
def test_in_an_affine_image_it_is_the_same_search_to_rounding(
    origin, unit, method, plain, tmp_path
):
    rounding = 1e-9 * (1 + abs(origin) / unit)
    found = found_in(tmp_path, origin, unit, method)
    np.testing.assert_allclose(found, plain, rtol=rounding, atol=rounding)


def assert_finds(save_dir: Path, parameter: Any, total_budget: int, method: str) -> None:
    """Asserts that a search finds the value at 0.3 of the unit interval, where scores are best."""
    space = HyperParameterList([parameter, UniformHP("other", 0, 1)])
    best = [parameter.to_unit(parameter.from_unit(0.3)), 0.6]

    def distances(samples: list[Any]) -> np.ndarray:
        rows = np.array([space.encode(space.to_row(sample)) for sample in samples])
        return np.abs(space.to_unit(rows) - best)

    def score(worker_id: int, sample: Any) -> float:
        return float(distances([sample]).sum())

    engine = make_engine(save_dir, score, space, total_budget, total_budget // 10, method=method)
    engine.fit(skip_cv_checks=True)
    # Draws from the prior lie 0.29 and 0.26 away; with five classifiers that are right, about 0.05.
    assert (distances(engine.predict(num_samples=40)).mean(axis=0) < 0.15).all()


@pytest.mark.parametrize("name", ["narrow", "integer", "cauchy"])
def test_what_scores_well_in_an_extreme_range_is_found(name, tmp_path):
    parameter = next(item for item in extreme_parameters() if item.name == name)
    assert_finds(tmp_path, parameter, 60, "paper")


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("parameter", extreme_parameters(), ids=lambda parameter: parameter.name)
def test_what_scores_well_in_every_extreme_range_is_found(parameter, method, tmp_path):
    assert_finds(tmp_path, parameter, 120, method)


class Witness(ClassifierMixin, BaseEstimator):
    """A user's classifier that notes what it sees."""

    seen: list[np.ndarray] = []  # noqa: RUF012 (clones share it)

    def fit(self, features: np.ndarray, labels: np.ndarray) -> Witness:
        self.seen.append(features)
        self.half_ = np.median(features[:, 0])
        self.classes_ = np.array([False, True])
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        self.seen.append(features)
        return features[:, 0] < self.half_


def test_a_classifier_of_the_user_sees_the_scaled_values(tmp_path):
    space = [
        UniformHP("narrow", 1e9, 1e9 + 10),
        LogUniformHP("log", 1e-300, 1e300),
        IntegerHP("integer", 2**30, 2**30 + 9),
        DiscreteHP("choice", ["a", "b"]),
    ]
    Witness.seen.clear()
    engine = make_engine(
        tmp_path, lambda i, p: p["narrow"], space, 40, 4, classifier=Witness(), method="paper"
    )
    engine.fit(skip_cv_checks=True)
    seen = np.concatenate(Witness.seen)
    assert seen.dtype == np.float32
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert seen.std(axis=0).min() > 0.2


def begin_as_1_0(engine: SHAC, save_dir: Path) -> None:
    """Saves an engine's run as 1.0.0 did, whose classifiers saw values without scaling."""
    engine.save_data()
    path = save_dir / "state.json"
    content = json.loads(path.read_text())
    for key in ("has_scaled_features", "sha256"):
        del content[key]
    content["format"] = 1
    path.write_text(json.dumps({**content, "sha256": checksum(content)}))


@pytest.mark.parametrize("classifier", [None, LogisticRegression()], ids=["own", "user's"])
def test_a_search_that_1_0_began_keeps_what_its_classifiers_see(classifier, tmp_path):
    options = {"total_budget": 40, "num_batches": 4, "classifier": classifier, "method": "paper"}
    function = lambda i, p: p["h1"] + 2 * p["h2"]  # noqa: E731
    begin_as_1_0(make_engine(tmp_path, function, branin_space, **options), tmp_path)
    restored(tmp_path, function=function, **options).fit(skip_cv_checks=True)
    assert json.loads((tmp_path / "state.json").read_text())["has_scaled_features"] is False
    again = restored(tmp_path, function=function, **options)
    cascade = again._run.search.cascade
    assert len(cascade) == 3
    for stage in (1, 2, 3):
        rows = again.dataset.encoded[10 * stage : 10 * stage + 10]
        features = rows.astype(np.float32)
        assert all(one.predict(features).all() for one in cascade.first(stage))
    samples = again.predict(num_samples=20)
    rows = np.array([again.parameters.encode(again.parameters.to_row(one)) for one in samples])
    assert cascade.accepts(rows).all()
