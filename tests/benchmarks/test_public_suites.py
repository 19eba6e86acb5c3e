"""The suites of public problems: spaces, halves, references, noise and surrogates."""

import json

import numpy as np
import pytest
from public_suites import bayesmark, catalogue, coco, yahpo
from public_suites.instances import Choice, Condition, Instance, Number, Space, half_of

PARAMETERS = (
    Number("rate", 1e-4, 1e-1, scale="log"),
    Number("share", 0.01, 0.99, scale="logit"),
    Number("depth", 1, 15, is_whole=True),
    Number("units", 16, 512, is_whole=True, scale="log"),
    Choice("kernel", ("rbf", "poly", "linear", "sigmoid", "none")),
    Choice("batch", (8, 16, 32)),
)


def draw(space, count, seed=0):
    return space.hyperparameters.draw(count, np.random.SeedSequence(seed))


def test_columns_hold_what_samples_hold():
    space = Space(PARAMETERS, "some/problem")
    rows = draw(space, 200)
    columns = space.columns(rows)
    samples = [space.hyperparameters.decode(row) for row in rows]
    for place, parameter in enumerate(PARAMETERS):
        column = columns[parameter.name]
        values = [sample[place] for sample in samples]
        if isinstance(parameter, Choice):
            assert [parameter.values[int(index)] for index in column] == values
        elif parameter.scale == "logit":
            np.testing.assert_allclose(np.log(column / (1 - column)), values)
        else:
            np.testing.assert_allclose(column, values)
        if isinstance(parameter, Number):
            assert parameter.low <= column.min() <= column.max() <= parameter.high


def test_what_is_inactive_stays_out_of_the_columns():
    conditions = (Condition("depth", "kernel", ("poly", "none")), Condition("batch", "depth", (7,)))
    space = Space(PARAMETERS, "some/problem", conditions)
    rows = draw(space, 300)
    columns = space.columns(rows)
    has_depth = np.isin(columns["kernel"], [1, 4])
    assert (np.isnan(columns["depth"]) == ~has_depth).all()
    assert (np.isnan(columns["batch"]) == (columns["depth"] != 7)).all()
    assert not np.isnan(columns["batch"]).all()


def kernels(name):
    return Space(PARAMETERS, name).hyperparameters["kernel"].values


def test_choices_without_an_order_are_permuted_by_the_name_of_the_instance():
    assert kernels("suite/a") == kernels("suite/a")
    assert len({tuple(kernels(f"suite/{number}")) for number in range(20)}) > 10
    assert tuple(Space(PARAMETERS, "a").hyperparameters["batch"].values) == (8, 16, 32)


def test_the_score_does_not_depend_on_the_order_of_the_choices():
    def score(columns):
        return columns["kernel"] * 10.0 + columns["batch"]

    for name in "ab":
        instance = Instance("suite", name, PARAMETERS, score)
        space = instance.task.space
        row = np.array([space.encode([0.01, 0.0, 3, 32, "linear", 16])])
        assert instance.task.score(row) == 21.0


def test_halves_are_disjoint_and_complete():
    names = list("abcdefg")
    even, odd = half_of(names, "even"), half_of(names, "odd")
    assert even == list("aceg")
    assert sorted(even + odd) == half_of(names, "all") == names
    with pytest.raises(ValueError, match="must be one of even, odd, all. Got 'both'"):
        half_of(names, "both")


def test_regret_lies_between_the_best_known_and_the_median_of_random():
    reference = catalogue.Reference(2.0, 1.0, 5.0, None)
    assert reference.regret(5.0, 1.0) == 1.0
    assert reference.regret(3.0, 1.0) == 0.5
    assert reference.regret(9.0, 1.0) == 1.0
    assert reference.regret(0.0, 1.0) == 0.0
    assert catalogue.Reference(2.0, 1.0, 1.0, None).regret(1.0, 1.0) == 0.0
    assert (reference.lowest, catalogue.Reference(2.0, 1.0, 5.0, -1.0).lowest) == (1.0, -1.0)


def test_what_64_random_points_solve_counts_as_luck():
    assert catalogue.Reference(1.0, 1.0, 5.0, None).is_solved_by_luck
    assert catalogue.Reference(1.003, 1.0, 5.0, None).is_solved_by_luck
    assert not catalogue.Reference(1.1, 1.0, 5.0, None).is_solved_by_luck


@pytest.mark.parametrize(
    ("suite", "count"), [("bbob", 48), ("mixint", 48), ("noisy", 10), ("pbo", 25)]
)
def test_each_problem_has_a_reference(suite, count):
    names = catalogue.instances(suite, "all")
    assert len(names) == len(set(names)) == count
    assert names == sorted(names)
    for name in names:
        reference = catalogue.references()[suite, name]
        assert reference.lowest <= reference.best_of_4096 < reference.median_of_1024


def test_references_tell_which_data_sets_of_the_surrogates_are_kept():
    found = catalogue.references()
    sizes = {suite: sum(key[0] == suite for key in found) for suite in catalogue.SUITES}
    assert (sizes["lcbench"], sizes["xgboost"], sizes["rpart"], sizes["tables"]) == (
        *(34, 119, 117, 15),
    )
    lucky = [key for key, one in found.items() if key[0] == "xgboost" and one.is_solved_by_luck]
    assert len(lucky) == 26


def test_an_unknown_suite_is_refused():
    with pytest.raises(ValueError, match="suite must be one of lcbench, .* Got 'mnist'"):
        catalogue.instances("mnist", "even")


@pytest.mark.parametrize("noise", coco.NOISES)
@pytest.mark.parametrize("is_severe", [False, True])
def test_there_is_no_noise_at_the_optimum_only(noise, is_severe):
    random = np.random.default_rng(0)
    true = np.repeat([3.0, 4.0], 1000)
    observed = noise(3.0, 5, is_severe, true, random)
    assert (observed[:1000] == 3.0).all()
    assert observed[1000:].std() > 0
    assert (observed[1000:] >= 3.0).all()


def test_gaussian_noise_multiplies_the_distance_to_the_optimum():
    gaussian = coco.NOISES[0]
    for is_severe, deviation in ((False, 0.01), (True, 1.0)):
        true = np.full(20_000, 8.0)
        observed = gaussian(3.0, 5, is_severe, true, np.random.default_rng(0))
        assert np.log((observed - 3.0) / 5.0).std() == pytest.approx(deviation, rel=0.03)


CONFIG = {
    "hyperparameters": [
        {"name": "task_id", "type": "categorical", "choices": ["7", "5"]},
        {"name": "cp", "type": "uniform_float", "log": True, "lower": 0.01, "upper": 1.0},
        {"name": "maxdepth", "type": "uniform_int", "log": False, "lower": 1, "upper": 30},
        {"name": "minbucket", "type": "uniform_int", "log": False, "lower": 1, "upper": 9},
        {"name": "minsplit", "type": "uniform_int", "log": False, "lower": 1, "upper": 9},
        {"name": "num.impute.selected.cpo", "type": "categorical", "choices": ["mean", "hist"]},
        {"name": "trainsize", "type": "uniform_float", "log": False, "lower": 0.1, "upper": 1.0},
        {"name": "repl", "type": "uniform_int", "log": False, "lower": 1, "upper": 10},
    ],
    "conditions": [
        {"child": "minsplit", "parent": "num.impute.selected.cpo", "type": "EQ", "value": "hist"}
    ],
}
CODES = {"task_id": {"5": 1, "7": 2}, "num.impute.selected.cpo": {"hist": 1, "mean": 2}}


class Session:
    """Remembers what a model is given, and returns the first column of numbers as accuracy."""

    def run(self, _, inputs):
        self.inputs = inputs
        return [inputs["x_cont"]]


@pytest.fixture
def surrogate(tmp_path, monkeypatch):
    folder = tmp_path / "rbv2_rpart"
    folder.mkdir()
    (folder / "config_space.json").write_text(json.dumps(CONFIG))
    (folder / "encoding.json").write_text(json.dumps(CODES))
    (folder / "model.onnx").touch()
    monkeypatch.setenv(yahpo.FOLDER_VARIABLE, str(tmp_path))
    made = yahpo.Surrogate(yahpo.SCENARIOS["rpart"])
    made._session = Session()
    return made


def test_a_surrogate_gets_its_columns_in_order_and_missing_values_as_zeros(surrogate):
    columns = {
        "cp": np.array([0.5, 0.25]),
        "maxdepth": np.array([7.0, 8.0]),
        "minbucket": np.array([2.0, 3.0]),
        "minsplit": np.array([4.0, 5.0]),
        "num.impute.selected.cpo": np.array([0.0, 1.0]),
    }
    assert surrogate.score("5", columns).tolist() == [-0.5, -0.25]
    assert surrogate._session.inputs["x_cont"].tolist() == [
        [0.5, 7, 2, 0, 1, 10],
        [0.25, 8, 3, 5, 1, 10],
    ]
    assert surrogate._session.inputs["x_cat"].tolist() == [[1, 2], [1, 1]]


def test_a_surrogate_says_what_a_configuration_uses(surrogate):
    assert surrogate.conditions() == (Condition("minsplit", "num.impute.selected.cpo", ("hist",)),)
    columns = {name: np.ones(1) for name in ("cp", "maxdepth", "minbucket")}
    columns |= {"minsplit": np.array([np.nan]), "num.impute.selected.cpo": np.zeros(1)}
    assert surrogate.score("5", columns).tolist() == [-1.0]
    assert surrogate._session.inputs["x_cont"].tolist() == [[1, 1, 1, 0, 1, 10]]


def test_a_suite_told_differently_has_the_same_problems_and_references():
    assert "xgboost-conditional" not in catalogue.DISTINCT
    found = catalogue.references()
    names = {name for suite, name in found if suite == "xgboost"}
    assert {name for suite, name in found if suite == "xgboost-conditional"} == names
    assert all(found["xgboost-conditional", name] is found["xgboost", name] for name in names)


def test_neither_the_data_set_nor_fidelities_are_searched(surrogate):
    names = [parameter.name for parameter in surrogate.parameters()]
    assert names == ["cp", "maxdepth", "minbucket", "minsplit", "num.impute.selected.cpo"]
    assert surrogate.parameters()[0].scale == "log"


def test_missing_data_are_reported_with_where_to_name_them(tmp_path, monkeypatch):
    monkeypatch.setenv(yahpo.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"--yahpo FOLDER, or in YAHPO_DATA"):
        yahpo.Surrogate(yahpo.SCENARIOS["lcbench"])


def test_bayesmarks_score_places_losses_between_the_best_and_the_clip(tmp_path):
    seen = {"dims": ["function", "objective"]}
    data = {
        "coords": {
            "function": {"data": ["b", "a"]},
            "objective": {"data": ["generalization", "_visible_to_opt"]},
        },
        "data_vars": {
            "best": {**seen, "data": [[9.0, 0.0], [9.0, 1.0]]},
            "clip": {**seen, "data": [[9.0, 2.0], [9.0, 5.0]]},
            "mean": {
                "dims": ["iter", "function", "objective"],
                "data": [[[9.0, 2.0], [9.0, 5.0]], [[9.0, 1.0], [9.0, 2.0]]],
            },
        },
    }
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"data": data}))
    baseline = bayesmark.read_baseline(path)
    assert baseline.names == ["a", "b"]
    assert baseline.random == {"b": 1.0, "a": 2.0}
    assert [baseline.loss("a", found) for found in (1.0, 3.0, 9.0, -99.0)] == [0, 0.5, 1, -1]
    runs = [("X", "a", 1.0), ("X", "a", 3.0), ("X", "b", 0.5)]
    # a: (0 + 0.5) / 2, b: 0.25; random search: 0.25 and 0.5.
    assert list(bayesmark.score_lines(baseline, runs))[-1] == "| X | 2 | 3 | 75.00 | 62.50 |"


def test_bayesmark_asks_for_its_interpreter(monkeypatch):
    monkeypatch.delenv(bayesmark.PYTHON_VARIABLE, raising=False)
    with pytest.raises(FileNotFoundError, match="BAYESMARK_PYTHON must name a Python"):
        bayesmark.Evaluator()
