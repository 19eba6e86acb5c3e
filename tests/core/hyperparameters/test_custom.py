"""A user's own parameter types, with nothing but the scalar methods."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pyshac.core.basics import plain_values, seeding
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.dataset.dataset import Dataset
from pyshac.core.dataset.formats.csv_file import read_csv
from pyshac.core.hyperparameters import (
    AbstractHyperParameter,
    HyperParameterList,
    UniformHP,
    get_parameter,
    registry,
    set_custom_parameter_class,
)
from tests.cascades import region
from tests.goodness_of_fit import LEVEL, chi_square, continuous_p_values, count
from tests.strategies import typed


class Dice(AbstractHyperParameter):
    """The sum of some dice, drawn as a NumPy scalar."""

    def __init__(self, name: str, num_dice: int = 2, seed: int | None = None) -> None:
        super().__init__(name, seed=seed)
        self.num_dice = num_dice

    def sample(self) -> Any:
        return self.random.choice(np.arange(1, 7), self.num_dice).sum()

    def encode(self, x: Any) -> float:
        if not self.num_dice <= x <= 6 * self.num_dice:
            raise ValueError(f"{x!r} is no sum of {self.num_dice} dice.")
        return float(x)

    def decode(self, x: float) -> int:
        return int(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_dice": self.num_dice}


class Shape(AbstractHyperParameter):
    """A choice among tuples that is numbered by the base class."""

    def __init__(self, name: str, values: list[Any], seed: int | None = None) -> None:
        super().__init__(name, values, seed)

    def sample(self) -> Any:
        return self.id2param[self.random.randint(self.num_choices)]

    def encode(self, x: Any) -> int:
        return self.param2id[x]

    def decode(self, x: float) -> Any:
        return self.id2param[int(x)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": list(self.param2id)}


class Sorted(AbstractHyperParameter):
    """Several numbers in ascending order, as a list."""

    def __init__(self, name: str, sample_count: int, seed: int | None = None) -> None:
        super().__init__(name, seed=seed)
        self.sample_count = sample_count

    def sample(self) -> list[float]:
        return sorted(self.random.random_sample(self.sample_count).tolist())

    def encode(self, x: list[float]) -> list[float]:
        if sorted(x) != x:
            raise ValueError(f"Values of {self.name!r} must ascend. Got {x!r} instead.")
        return x

    def decode(self, x: Any) -> list[float]:
        return list(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sample_count": self.sample_count}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_custom", {})
    for cls in (Dice, Shape, Sorted):
        set_custom_parameter_class(cls)


@pytest.fixture
def space() -> HyperParameterList:
    shapes = [(1, 1), (3, 3), (3, "x"), ()]
    return HyperParameterList(
        [Dice("dice"), UniformHP("u", 0, 1), Shape("shape", shapes), Sorted("sorted", 3)]
    )


def stream(number: int = 0) -> np.random.SeedSequence:
    return seeding.stream(number, seeding.Purpose.DRAW)


class TestSpace:
    def test_columns(self, space):
        names = ["dice", "u", "shape", "sorted_1", "sorted_2", "sorted_3"]
        assert space.get_parameter_names() == names
        assert not space.is_vectorised
        assert space.maps_to_unit.tolist() == [False, True, False, False, False, False]

    def test_draws_depend_on_the_stream_only(self, space):
        rows = space.draw(30, stream(1))
        space.sample()
        assert (space.draw(30, stream(1)) == rows).all()
        assert (space.draw(30, stream(2)) != rows).any(axis=0).all()

    def test_parameters_of_one_type_are_drawn_apart(self):
        space = HyperParameterList([Dice("first"), Dice("second")])
        rows = space.draw(3000, stream(1))
        assert abs(stats.spearmanr(rows).statistic) * np.sqrt(len(rows)) < 4

    def test_draws_follow_the_types_own_sample(self, space):
        rows = space.draw(10_000, stream(3))
        dice = count(rows[:, 0], range(2, 13))
        assert chi_square(dice, np.convolve(np.ones(6), np.ones(6)) / 36) > LEVEL
        assert chi_square(count(rows[:, 2], range(4)), np.full(4, 0.25)) > LEVEL
        assert (np.diff(rows[:, 3:]) >= 0).all()
        for rank in (1, 2, 3):
            # The k-th of three sorted uniform numbers is beta distributed.
            order = continuous_p_values(rows[:, 2 + rank], stats.beta(rank, 4 - rank))
            assert min(order) > LEVEL

    def test_rows_are_pythons_values_after_every_round_trip(self, space):
        for encoded in space.draw(20, stream(4)):
            row = space.decode(encoded)
            assert [type(value) for value in row] == [int, float, tuple, float, float, float]
            assert (space.encode(row) == encoded).all()
            assert typed(space.row_from_text(space.row_to_text(row))) == typed(row)
            assert typed(
                plain_values.from_json(json.loads(json.dumps(plain_values.to_json(row))))
            ) == typed(row)
            parameters = space.to_parameters(row)
            assert parameters["sorted"] == row[3:]
            assert typed(space.to_row(parameters)) == typed(row)

    def test_no_map_to_the_unit_cube(self, space):
        with pytest.raises(TypeError, match="Dice.* does not map to the unit interval"):
            space.from_unit(np.zeros((1, 6)))

    @pytest.mark.parametrize(("sample_count", "error"), [(0, ValueError), ("2", TypeError)])
    def test_a_wrong_sample_count_is_named(self, sample_count, error):
        with pytest.raises(error, match=f"sample_count of 'p' must be .*Got {sample_count!r}"):
            HyperParameterList([Sorted("p", sample_count)])

    def test_values_that_no_file_can_hold_are_refused(self):
        class Things(Dice):
            def decode(self, x: float) -> Any:
                return object()

        space = HyperParameterList([Things("p")])
        with pytest.raises(TypeError, match="A value of 'p' must be None, bool, int, float, str"):
            space.decode(space.draw(1, stream())[0])

    def test_encoded_values_that_are_not_finite_are_refused(self):
        class Endless(Dice):
            def encode(self, x: Any) -> float:
                return np.inf

        with pytest.raises(ValueError, match="Encoded values must be finite"):
            HyperParameterList([Endless("p")]).encode([2])

    def test_a_type_without_the_methods_cannot_be_made(self):
        class Incomplete(AbstractHyperParameter):
            def sample(self) -> int:
                return 1

        with pytest.raises(TypeError, match="Incomplete"):
            Incomplete("p")


@pytest.mark.usefixtures("registered")
class TestRegistry:
    def test_config_survives_json(self, space):
        config = json.loads(json.dumps(plain_values.to_json(space.get_config())))
        again = HyperParameterList.load_from_config(plain_values.from_json(config))
        assert [type(parameter) for parameter in again] == [Dice, UniformHP, Shape, Sorted]
        assert repr(again.get_config()) == repr(space.get_config())
        assert (again.draw(5, stream()) == space.draw(5, stream())).all()

    def test_registering_again_replaces_the_class(self):
        replacement = type("Dice", (Dice,), {})
        set_custom_parameter_class(replacement)
        assert get_parameter("Dice") is replacement

    @pytest.mark.parametrize("name", ["UniformHP", "MultiNormlHP", "DiscreteHyperParameter"])
    def test_names_of_built_in_types_are_taken(self, name):
        with pytest.raises(ValueError, match=f"not have the name of a built-in type, '{name}'"):
            set_custom_parameter_class(type(name, (Dice,), {}))
        assert get_parameter(name) is not Dice

    @pytest.mark.parametrize("wrong", [int, 5, None, UniformHP("p", 0, 1)])
    def test_what_is_no_type_of_parameters_is_refused(self, wrong):
        with pytest.raises(
            TypeError, match="cls must be a subclass of AbstractHyperParameter. Got"
        ):
            set_custom_parameter_class(wrong)

    @pytest.mark.parametrize("name", ["Nobody", None, 5])
    def test_unknown_types_are_named_with_what_to_do(self, name):
        with pytest.raises(ValueError, match=f"{name!r}.*set_custom_parameter_class"):
            get_parameter(name)


class TestDataset:
    def test_csv_gives_back_what_was_added(self, space):
        dataset = Dataset(space)
        for number, encoded in enumerate(space.draw(20, stream(5))):
            dataset.add_sample(space.to_parameters(space.decode(encoded)), number / 7)
        rows = [row for _, row, _ in read_csv(dataset.to_csv(), space, "file")]
        assert [typed(row) for row in rows] == [typed(row) for row in dataset.X]

    def test_samples_of_the_scalar_method_become_pythons_values(self, space):
        space.set_seed(1)
        dataset = Dataset(space)
        dataset.add_sample(space.sample(), 0.5)
        assert [type(value) for value in dataset.X[0]] == [int, float, tuple, float, float, float]

    def test_values_outside_the_type_are_refused(self, space):
        text = "id,dice,u,shape,sorted_1,sorted_2,sorted_3,scores\n0,99,0.5,[],0.1,0.2,0.3,1\n"
        with pytest.raises(ValueError, match="line 2, 99 is no sum of 2 dice"):
            list(read_csv(text, space, "file"))


class TestSampler:
    def cascade(self, space: HyperParameterList) -> Cascade:
        rows = space.draw(400, stream(6))
        first = BoostedTrees(1).fit(rows.astype(np.float32), rows[:, 0] >= 8)
        second = BoostedTrees(2).fit(rows.astype(np.float32), rows[:, 4] < rows[:, 1])
        return Cascade([first, second])

    def test_accepted_samples_are_drawn_repeatably(self, space):
        cascade = self.cascade(space)
        rows = region(space, cascade).draw(40, stream(7))
        assert cascade.accepts(rows).all()
        assert (region(space, cascade).draw(40, stream(7)) == rows).all()
        assert (np.diff(rows[:, 3:]) >= 0).all()

    def test_zero_classifiers_draw_from_the_prior(self, space):
        rows = region(space, Cascade()).draw(10, stream(8))
        assert (rows == space.draw(10, seeding.child(stream(8), 0))).all()

    def test_relaxed_draws_work(self, space):
        rows = region(space, self.cascade(space), relax_checks=True).draw(10, stream(9))
        assert rows.shape == (10, 6)
