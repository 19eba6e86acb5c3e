"""`parameters.json`: what a file may ask for, and what only the user may hand over."""

from __future__ import annotations

import json
import shutil

import pytest
from scipy import stats

from pyshac import (
    Dataset,
    DiscreteHP,
    DistributionHP,
    EvaluationError,
    HyperParameterList,
    MultiUniformHP,
    SaveDirectoryError,
    UniformHP,
)
from pyshac.core.basics import plain_values
from pyshac.core.dataset.formats import parameters_file
from tests.engine.engine_helpers import InterruptedAt, contents, make_engine, restored


def objective(worker_id, parameters):
    return float(parameters["a"]) + parameters["x"] ** 2


def costly(exponent=3.0):
    return [
        DistributionHP("a", stats.zipf(exponent), log_encode=True),
        UniformHP("x", -5, 5),
        DistributionHP("s", stats.exponnorm(1.5)),
    ]


def cut_run(path, **kwargs):
    """A run that was cut, whose space no file may ask for."""
    engine = make_engine(path, InterruptedAt(9, objective), costly(), **kwargs)
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    return path


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    # The paper's method draws the fewest values, which take long with these distributions.
    return cut_run(tmp_path_factory.mktemp("costly") / "shac", method="paper")


@pytest.fixture
def directory(tmp_path, template):
    return shutil.copytree(template, tmp_path / "shac")


def build(space, known=None, path="parameters.json"):
    return parameters_file.build_space(
        json.loads(json.dumps(plain_values.to_json(space))), path, known
    )


@pytest.mark.slow
def test_a_run_with_costly_distributions_goes_on_with_the_users_own_parameters(tmp_path):
    directory = cut_run(tmp_path / "cut")
    whole = make_engine(tmp_path / "whole", objective, costly())
    whole.fit(skip_cv_checks=True)
    again = make_engine(directory, objective, costly(), seed=None)
    again.restore_data()
    again.fit(skip_cv_checks=True)
    assert contents(directory) == contents(tmp_path / "whole")


def test_without_them_the_error_says_what_to_do(directory):
    before = contents(directory)
    message = r"parameters.json' holds no search space: 'a' .*scipy.stats.zipf is not taken from"
    for read in (restored, Dataset.load_from_directory):
        with pytest.raises(SaveDirectoryError, match=f"{message}.*hyperparameter_list.*parameters"):
            read(directory)
    assert contents(directory) == before


def test_a_dataset_with_costly_distributions_is_read_with_them(directory):
    dataset = Dataset.load_from_directory(directory, costly())
    assert len(dataset) == 8
    assert {type(row[0]) for row in dataset.X} == {int}


def test_parameters_that_differ_do_not_stand_in(directory):
    engine = make_engine(directory, objective, costly(exponent=3.5))
    with pytest.raises(SaveDirectoryError, match=r"'a' .*zipf is not taken from a file"):
        engine.restore_data()
    space = costly()
    space[1] = UniformHP("x", -5, 6)
    with pytest.raises(SaveDirectoryError, match=r"another space: \['x'\] differ"):
        make_engine(directory, objective, space).restore_data()


def test_what_stands_in_is_a_copy_with_the_seed_of_the_file():
    known = HyperParameterList(costly(), seed=5)
    saved = HyperParameterList(costly(), seed=8).get_config()
    built = build(saved, known)
    assert [parameter.seed for parameter in built] == [entry[1]["seed"] for entry in saved.values()]
    assert known.get_config() == HyperParameterList(costly(), seed=5).get_config()
    assert not {id(parameter) for parameter in known} & {id(parameter) for parameter in built}


@pytest.mark.parametrize("other", [1.0, True, "1"])
def test_equal_values_of_another_type_differ(other):
    known = HyperParameterList([DiscreteHP("x", [1, 2])])
    built = build(HyperParameterList([DiscreteHP("x", [other, 2])]).get_config(), known)
    assert repr(built["x"].values) == repr((other, 2))


def test_the_order_is_that_of_the_file():
    space = HyperParameterList(costly())
    built = build(space.get_config(), HyperParameterList(costly()[::-1]))
    assert built.get_parameter_names() == ["a", "x", "s"]


@pytest.mark.parametrize("name", ["__tuple__", "distribution", "seed"])
def test_any_name_is_one_of_a_parameter(name):
    for space in ([UniformHP(name, 0, 1)], [UniformHP(name, 0, 1), UniformHP("b", 0, 1)]):
        config = HyperParameterList(space).get_config()
        assert build(config).get_config() == config
        assert build(config, HyperParameterList(space)).get_config() == config


# Numbers


@pytest.mark.slow
def test_very_many_parameters_have_to_be_handed_over():
    space = HyperParameterList([UniformHP(f"p{n}", 0, 1) for n in range(1001)])
    with pytest.raises(SaveDirectoryError, match="1001 parameters are more than the 1000 .*Hand"):
        build(space.get_config())
    assert len(build(space.get_config(), space)) == 1001
    space.remove_hyper_parameter("p7")
    assert len(build(space.get_config())) == 1000


def test_only_values_count():
    space = HyperParameterList([DiscreteHP("x", ["," * 300 + str(n) for n in range(1000)])])
    assert len(build(space.get_config())["x"].values) == 1000


@pytest.mark.slow
def test_very_many_values_have_to_be_handed_over():
    space = HyperParameterList([DiscreteHP("x", range(2**18)), UniformHP("y", 0, 1)])
    with pytest.raises(SaveDirectoryError, match="values are more than the 262144 .*Hand over"):
        build(space.get_config())
    assert len(build(space.get_config(), space)["x"].values) == 2**18


def test_columns_of_multi_parameters_are_no_parameters():
    space = HyperParameterList([MultiUniformHP("w", 0, 1, sample_count=5000)])
    assert build(space.get_config()).num_columns == 5000


@pytest.mark.parametrize(
    "content",
    [
        [], None, 5, "x", {"a": None}, {"a": []}, {"a": ["UniformHP"]}, {"a": ["UniformHP", 5, 6]},
        {"a": [{"b": 1}, {"c": [1]}]}, {"__tuple__": []}, {"a": {"__tuple__": 5}},
        {"a": ["UniformContinuousHyperParameter", {"seed": "x"}]},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("known", [None, HyperParameterList([UniformHP("a", 0, 1)])])
def test_what_is_no_space_is_refused(content, known):
    with pytest.raises(SaveDirectoryError, match=r"'p\.json' holds no search space"):
        parameters_file.build_space(content, "p.json", known)


def test_a_seed_that_is_none_is_refused():
    known = HyperParameterList([UniformHP("a", 0, 1)])
    content = known.get_config()
    content["a"][1]["seed"] = "x"
    with pytest.raises(SaveDirectoryError, match="seed"):
        build(content, known)
