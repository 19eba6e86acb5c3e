"""Search spaces as scripts for PySHAC 0.1 to 0.3 use them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pyshac import SHAC
from pyshac.config import hyperparameters as hp
from pyshac.core.hyperparameters import registry


class Triangular(hp.AbstractContinuousHyperParameter):
    def __init__(self, name, min_value, max_value, log_encode=False, seed=None):
        super().__init__(name, min_value, max_value, log_encode, seed)

    def sample(self):
        return self.random.triangular(self._val1, self._val1, self._val2)

    def get_config(self):
        config = {"min_value": self._val1, "max_value": self._val2, "log_encode": self.log_encode}
        return {**super().get_config(), **config}


class Triangulars(hp.AbstractMultiContinuousHyperParameter):
    def __init__(self, name, val1, val2, sample_count=1, seed=None):
        super().__init__(name, val1, val2, sample_count=sample_count, seed=seed)

    def sample(self):
        return self.random.triangular(
            self._val1, self._val1, self._val2, self.sample_count
        ).tolist()

    def get_config(self):
        return {**super().get_config(), "val1": self._val1, "val2": self._val2}


@pytest.fixture
def own_types(monkeypatch):
    monkeypatch.setattr(registry, "_custom", {})
    hp.set_custom_parameter_class(Triangular)
    hp.set_custom_parameter_class(Triangulars)


def score(worker_id, parameters):
    return parameters["t"] + sum(parameters["u"])


class TestDraws:
    """A seed is NumPy's, and each parameter of a list gets the seed plus its number."""

    def test_choices(self):
        expected = np.random.RandomState(3).randint(0, 4, size=6, dtype=np.int64)
        values = ["a", 1, None, True]
        parameter = hp.DiscreteHP("p", values, seed=3)
        assert [parameter.sample() for _ in range(6)] == [values[place] for place in expected]
        assert hp.MultiDiscreteHP("p", values, 6, seed=3).sample() == [values[p] for p in expected]

    @pytest.mark.parametrize("log_encode", [False, True])
    def test_uniform(self, log_encode):
        expected = np.random.RandomState(3).uniform(2.0, 9.0, size=5).tolist()
        parameter = hp.UniformHP("p", 2, 9, log_encode, seed=3)
        assert [parameter.sample() for _ in range(5)] == expected
        assert hp.MultiUniformHP("p", 2, 9, log_encode, 5, seed=3).sample() == expected

    def test_normal(self):
        expected = np.random.RandomState(3).normal(-1.0, 0.2, size=5).tolist()
        parameter = hp.NormalHP("p", -1, 0.2, seed=3)
        assert [parameter.sample() for _ in range(5)] == expected
        assert hp.MultiNormalHP("p", -1, 0.2, 5, seed=3).sample() == expected

    def test_list(self):
        space = hp.HyperParameterList([hp.UniformHP(n, 0, 1) for n in "abc"], seed=20)
        assert space.sample() == [np.random.RandomState(seed).uniform() for seed in (20, 21, 22)]

    @pytest.mark.parametrize("seed", [2**32 - 1, 2**32, 2**80])
    def test_seeds_of_any_size(self, seed):
        space = [hp.HyperParameterList([hp.UniformHP(n, 0, 1) for n in "ab"], seed) for _ in "12"]
        first, second = space[0].sample()
        assert first != second
        assert space[1].sample() == [first, second]


class TestLogarithmsOfZero:
    @pytest.fixture(params=[1.0, 1e-300, 1e300])
    def parameter(self, request):
        return hp.UniformHP("lr", 0.0, request.param, log_encode=True)

    def test_they_are_finite_and_in_order(self, parameter):
        high = parameter.max_value
        values = [0.0, high * 2.0**-53, high * 1e-9, high / 3, high]
        encoded = [parameter.encode(value) for value in values]
        assert all(map(math.isfinite, encoded))
        assert encoded == sorted(encoded)
        assert [parameter.decode(x) for x in encoded] == pytest.approx(values, rel=1e-12, abs=0)

    def test_draws_of_columns(self, parameter):
        unit = np.array([0.0, 2.0**-53, 0.5, 1 - 2.0**-53])
        encoded = parameter.from_unit(unit)
        assert np.isfinite(encoded).all()
        assert parameter.to_unit(encoded) == pytest.approx(unit, abs=1e-12)

    def test_a_search(self, tmp_path):
        space = [hp.UniformHP("lr", 0.0, 1.0, log_encode=True)]
        engine = SHAC(space, 40, 4, "min", save_dir=tmp_path)
        engine.set_seed(1)
        engine.concurrent_evaluators()
        engine.fit(lambda worker_id, parameters: parameters["lr"], skip_cv_checks=True, verbose=0)
        assert engine.best_score < 0.01
        engine.dataset.add_sample([0.0], 0.0)
        assert np.isfinite(engine.dataset.encoded).all()


class TestAttributes:
    def test_numbers_of_choices(self):
        parameter = hp.DiscreteHP("p", [1, True, 1.0, "1"])
        assert [parameter.param2id[value] for value in (1, True, 1.0, "1")] == [0, 1, 2, 3]
        assert list(parameter.param2id) == [1, True, 1.0, "1"]
        assert 2 not in parameter.param2id
        multi = hp.MultiDiscreteHP("p", ["x", "y"], 3)
        assert (multi.num_choices, multi.values) == (2, ("x", "y"))
        assert multi.param2id["y"] == 1
        assert multi.id2param == {0: "x", 1: "y"}

    def test_bounds_of_multi_parameters(self):
        multi = hp.MultiUniformHP("p", 1, 3, sample_count=2)
        assert (multi.min_value, multi.max_value, multi.log_encode) == (1.0, 3.0, False)
        normal = hp.MultiNormalHP("p", 1, 3, sample_count=2)
        assert (normal.mean, normal.std) == (1.0, 3.0)

    def test_lists(self):
        space = hp.HyperParameterList([hp.UniformHP("a", 0, 1), hp.MultiUniformHP("b", 0, 1)])
        assert (space.name, space.num_choices) == ("parameter_list", 2)
        assert list(space.id2param.values()) == list(space)
        assert list(space.name_map.values()) == ["a", "b"]
        assert space.param2id == {"a": 0, "b": 1}
        space.remove_hyper_parameter("a")
        assert space.param2id == {"b": 0}

    def test_rows_that_numpy_made_texts_of(self):
        parts = [hp.DiscreteHP("a", [1, 2]), hp.UniformHP("b", 0, 1), hp.DiscreteHP("c", ["x"])]
        space = hp.HyperParameterList(parts)
        row = np.array([2, 0.1, "x"])
        assert row.dtype.kind == "U"
        assert space.encode(row).tolist() == [1, 0.1, 0]
        with pytest.raises(ValueError, match="column 'a': A value of 'a' must be one of"):
            space.encode(np.array([3, 0.1, "x"]))
        with pytest.raises(ValueError, match="A row must have 3 values"):
            space.encode(np.array(["1", "x"]))

    @pytest.mark.parametrize(
        ("values", "value"),
        [(["1", 2], "1"), (["", "x"], ""), (['"1"', "1"], '"1"'), ([True, "true"], "true"),
         ([None, "null"], "null"), ([(1, 2), "[1, 2]"], "[1, 2]"), ([1.5, 2.5], 2.5)],
    )  # fmt: skip
    def test_texts_that_numpy_makes_are_no_cells_of_a_file(self, values, value):
        space = hp.HyperParameterList([hp.DiscreteHP("a", values), hp.DiscreteHP("b", ["x"])])
        assert space.as_row(np.array([value, "x"])) == [value, "x"]

    @pytest.mark.parametrize("values", [[1, "1"], [None, "None"], [True, "True"]])
    def test_texts_of_two_values_are_refused(self, values):
        space = hp.HyperParameterList([hp.DiscreteHP("a", values), hp.DiscreteHP("b", ["x"])])
        with pytest.raises(ValueError, match="column 'a': A text must name one value.*a list, or"):
            space.encode(np.array([str(values[0]), "x"]))
        assert space.encode([values[0], "x"]).tolist() == [0, 0]


class TestOwnTypes:
    def make(self, folder):
        space = [Triangular("t", 1, 2, log_encode=True), Triangulars("u", 0, 1, 2)]
        engine = SHAC(score, space, 40, 4, "min", save_dir=folder)
        engine.set_seed(5)
        engine.concurrent_evaluators()
        return engine

    def test_a_search_is_run_and_restored(self, own_types, tmp_path):
        engine = self.make(tmp_path / "first")
        engine.fit(skip_cv_checks=True, verbose=0)
        again = SHAC(score, None, 40, 4, "min", save_dir=tmp_path / "first")
        again.restore_data()
        assert again.dataset.X == engine.dataset.X
        assert again.predict() == self.after_fit(tmp_path / "second").predict()

    def after_fit(self, folder):
        engine = self.make(folder)
        engine.fit(skip_cv_checks=True, verbose=0)
        return engine

    def test_their_configs_survive_json(self, own_types):
        space = hp.HyperParameterList(
            [Triangular("t", 1, 2, True, 3), Triangulars("u", 0, 1, 4, 5)]
        )
        config = json.loads(json.dumps(space.get_config()))
        restored = hp.HyperParameterList.load_from_config(config)
        assert restored.sample() == space.sample()
        assert repr(restored) == repr(space)

    @pytest.mark.parametrize(
        "base", [hp.AbstractContinuousHyperParameter, hp.AbstractMultiContinuousHyperParameter]
    )
    def test_misuse_is_told(self, base):
        with pytest.raises(NotImplementedError, match=r"must define sample\(\)"):
            base("p", 0, 1).sample()
        with pytest.raises(ValueError, match="val1 of 'p' must be a number. Got None"):
            base("p", None, 1)
        with pytest.raises(ValueError, match=r"val1 of 'p' must not be negative. Got -1.0"):
            base("p", -1, 1, log_encode=True)
        with pytest.raises(ValueError, match="must not be None"):
            base(None, 0, 1)
