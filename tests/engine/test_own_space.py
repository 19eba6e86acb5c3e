"""The search space is the engine's own: later changes of the caller's list do not reach it."""

from __future__ import annotations

import threading

import pytest

from pyshac import SHAC, HyperParameterList, UniformHP
from pyshac.core.hyperparameters import AbstractHyperParameter
from tests.engine.engine_helpers import contents, make_engine, make_space, restored, samples_of


def test_a_parameter_added_to_the_list_later_is_not_searched(tmp_path):
    space = make_space()
    engine = make_engine(tmp_path, parameters=space)
    engine.ask()
    space.add_hyper_parameter(UniformHP("late", 0.0, 1.0))
    space.remove_hyper_parameter("x")
    engine.save_data()
    again = restored(tmp_path)
    assert again.parameters.get_parameter_names() == ["x", "kind", "w_1", "w_2"]
    assert [list(sample) for sample in again.ask()] == [["x", "kind", "w"]] * 6


@pytest.mark.parametrize("is_restored", [False, True])
def test_the_parameters_of_an_engine_cannot_be_changed(tmp_path, is_restored):
    engine = make_engine(tmp_path)
    engine.save_data()
    engine = restored(tmp_path) if is_restored else engine
    for change in (
        lambda: engine.parameters.add_hyper_parameter(UniformHP("late", 0.0, 1.0)),
        lambda: engine.parameters.remove_hyper_parameter("x"),
        lambda: engine.dataset.parameters.remove_hyper_parameter("x"),
    ):
        with pytest.raises(RuntimeError, match="fixed once its engine is made. Make another"):
            change()
    assert isinstance(engine.parameters, HyperParameterList)


def test_engines_of_one_list_have_seeds_of_their_own(tmp_path):
    space = make_space(seed=3)
    first = make_engine(tmp_path / "first", parameters=space, seed=None)
    second = make_engine(tmp_path / "second", parameters=space, seed=None)
    second.set_seed(5)
    assert space.seed == 3
    first.fit(skip_cv_checks=True)
    alone = make_engine(tmp_path / "alone", parameters=make_space(seed=3), seed=None)
    alone.fit(skip_cv_checks=True)
    assert contents(tmp_path / "first") == contents(tmp_path / "alone")
    assert samples_of(first) == samples_of(alone)


def test_a_parameter_that_cannot_be_copied_is_named():
    class Guarded(UniformHP):
        def __init__(self, name):
            super().__init__(name, 0.0, 1.0)
            self.lock = threading.Lock()

    assert issubclass(Guarded, AbstractHyperParameter)
    with pytest.raises(TypeError, match=r"'g' cannot be copied: .*__deepcopy__"):
        SHAC([Guarded("g")], 4, 2)


def test_the_classifier_is_the_engines_own_too(tmp_path):
    tree = pytest.importorskip("sklearn.tree")
    classifier = tree.DecisionTreeClassifier(max_depth=2)
    engine = make_engine(tmp_path, classifier=classifier)
    classifier.set_params(max_depth=1)
    engine.fit(skip_cv_checks=True)
    assert [trained.estimator.max_depth for trained in engine.classifiers] == [2, 2]
