"""Engines whose search space has constraints: runs, samples that are given, and restored runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyshac import (
    SHAC,
    Constraint,
    Dataset,
    DiscreteHP,
    EvaluationError,
    Forbidden,
    HyperParameterList,
    InfeasibleSpaceError,
    IntegerHP,
    Less,
    LinearConstraint,
    SaveDirectoryError,
    TorchSHAC,
    UniformHP,
)


def parameters() -> list[Any]:
    return [UniformHP("a", 0, 1), UniformHP("b", 0, 1), DiscreteHP("k", ["x", "y"])]


def fits_memory(p: dict[str, Any]) -> bool:
    return p["a"] + p["b"] < 1.6


CONSTRAINTS = (Less("a", "b"), Forbidden({"k": "y", "a": 0.5}), fits_memory)
SAMPLE = {"a": 0.9, "b": 0.5, "k": "x"}


MANY = json.dumps([{"type": "Constraint", "name": str(number)} for number in range(10_001)])


def evaluate(worker_id: int, p: dict[str, Any]) -> float:
    return p["a"] * p["b"] + (p["k"] == "x")


def engine(folder: Any, constraints: Any = CONSTRAINTS, **options: Any) -> SHAC:
    made = SHAC(
        evaluate, parameters(), **{"total_budget": 40, "num_batches": 4, **options},
        save_dir=folder / "shac", constraints=constraints,
    )  # fmt: skip
    if not options.get("resume"):
        made.set_seed(3)
    made.set_num_parallel_evaluators(1)
    made.evaluator_backend = "threading"
    return made


def obeys(made: SHAC) -> bool:
    space, rows = made.parameters, made.dataset.encoded
    assert space is not None
    given = [space.to_parameters(row) for row in made.dataset.X]
    are_allowed = all(p["a"] < p["b"] and fits_memory(p) for p in given)
    return are_allowed and bool(space.feasible(rows).all())


@pytest.mark.parametrize("method", ["default", "paper"])
@pytest.mark.parametrize("relax_checks", [False, True])
def test_every_sample_obeys(tmp_path, method, relax_checks):
    made = engine(tmp_path, method=method)
    made.fit(verbose=0, relax_checks=relax_checks, skip_cv_checks=True)
    assert len(made.dataset) == 40
    assert obeys(made)
    predicted = made.predict(num_samples=20, relax_checks=relax_checks)
    assert all(p["a"] < p["b"] and fits_memory(p) for p in predicted)


def test_a_finite_space_is_evaluated_once(tmp_path):
    space = [DiscreteHP("a", [0, 1, 2, 3]), DiscreteHP("b", [0, 1, 2, 3])]
    made = SHAC(
        lambda _, p: p["a"] + p["b"], space, 40, 4, save_dir=tmp_path / "shac",
        constraints=[Less("a", "b"), lambda p: p["b"] != 2],
    )  # fmt: skip
    made.fit(verbose=0)
    pairs = {tuple(row) for row in made.dataset.X}
    assert pairs == {(a, b) for b in (1, 3) for a in range(b)}
    assert len(made.dataset) == len(pairs)


def test_the_seed_decides(tmp_path):
    first, second = engine(tmp_path / "1"), engine(tmp_path / "2")
    second.set_num_parallel_generators(3)
    for each in (first, second):
        each.fit(verbose=0)
    assert first.dataset.X == second.dataset.X


def test_ask_and_tell(tmp_path):
    made = engine(tmp_path)
    while batch := made.ask():
        made.tell(batch, [evaluate(0, p) for p in batch])
    whole = engine(tmp_path / "whole")
    whole.fit(verbose=0)
    assert made.dataset.X == whole.dataset.X


def test_a_killed_run_goes_on(tmp_path):
    def fail(worker_id: int, p: dict[str, Any]) -> float:
        if len(made.dataset) > 24:
            raise MemoryError
        return evaluate(worker_id, p)

    made = engine(tmp_path)
    with pytest.raises(EvaluationError):
        made.fit(fail, verbose=0)
    again = engine(tmp_path, resume=True)
    again.fit(evaluate, verbose=0)
    whole = engine(tmp_path / "whole")
    whole.fit(verbose=0)
    assert again.dataset.X == whole.dataset.X


class TestGivenSamples:
    def test_enqueue(self, tmp_path):
        made = engine(tmp_path)
        assert made.enqueue([{"a": 0.7}, {"a": 0.1, "b": 0.2, "k": "y"}]) == 2
        with pytest.raises(ValueError, match=r"breaks Less\('a', 'b'\): change its values"):
            made.enqueue(SAMPLE)
        with pytest.raises(ValueError, match="no values of the other parameters could be found"):
            made.enqueue({"a": 0.9})
        made.fit(verbose=0)
        assert made.dataset.X[0][0] == 0.7
        assert obeys(made)

    def test_add(self, tmp_path):
        made = engine(tmp_path)
        with pytest.raises(ValueError, match="breaks Less"):
            made.add(SAMPLE, 1.0)
        assert made.add({"a": 0.1, "b": 0.2, "k": "y"}, 1.0) == 1

    def test_fit_dataset(self, tmp_path):
        lines = [f"{number},0.{number + 1},0.45,x,{number}" for number in range(8)]
        path = tmp_path / "samples.csv"
        path.write_text("\n".join(["id,a,b,k,scores", *lines]) + "\n")
        with pytest.raises(ValueError, match=r"samples.csv', sample 5: .* breaks Less"):
            engine(tmp_path, total_budget=8, num_batches=2).fit_dataset(path, verbose=0)
        engine(tmp_path, total_budget=4, num_batches=2).fit_dataset(path, verbose=0)

    def test_a_dataset_of_ones_own(self, tmp_path):
        space = HyperParameterList(parameters(), constraints=CONSTRAINTS)
        dataset = Dataset(space, tmp_path)
        for add in (
            lambda: dataset.add_sample(SAMPLE, 1.0),
            lambda: dataset.set_dataset([[0.9, 0.5, "x"]], [1.0]),
        ):
            with pytest.raises(ValueError, match="breaks Less"):
                add()
        dataset.add_sample({"a": 0.1, "b": 0.2, "k": "y"}, 1.0)
        dataset.save_dataset()
        again = Dataset.load_from_directory(tmp_path, space)
        assert again.X == dataset.X
        assert again.parameters is not None
        assert again.parameters.constraints == space.constraints

    def test_start_from_takes_what_obeys(self, tmp_path):
        engine(tmp_path / "first", constraints=None).fit(verbose=0)
        made = engine(tmp_path / "second", start_from=tmp_path / "first" / "shac")
        added = made._require_run().search.added.dataset.X
        assert 0 < len(added) < 40
        assert all(row[0] < row[1] for row in added)


class TestRestoring:
    @pytest.fixture
    def folder(self, tmp_path):
        engine(tmp_path).fit(verbose=0)
        return tmp_path

    def test_the_file_can_be_read(self, folder):
        path = folder / "shac" / "datasets" / "constraints.json"
        assert json.loads(path.read_text()) == [
            {"type": "Less", "low": "a", "high": "b"},
            {"type": "Forbidden", "values": {"k": "y", "a": 0.5}},
            {"type": "Constraint", "name": "fits_memory"},
        ]

    def test_without_constraints_there_is_no_file(self, tmp_path):
        engine(tmp_path, constraints=None).fit(verbose=0)
        assert not (tmp_path / "shac" / "datasets" / "constraints.json").exists()
        assert "constraints" not in (tmp_path / "shac" / "state.json").read_text()

    def test_looking_needs_no_function(self, folder):
        made = SHAC.load(folder / "shac")
        assert len(made.dataset) == 40
        assert [each.name for each in made.parameters.constraints][-1] == "fits_memory"
        made.save_data()
        self.test_the_file_can_be_read(folder)

    @pytest.mark.parametrize(
        "go_on",
        [
            lambda made: made.fit(evaluate, verbose=0),
            lambda made: made.ask(),
            lambda made: made.predict(),
            lambda made: made.enqueue({"a": 0.1}),
            lambda made: made.add({"a": 0.1, "b": 0.2, "k": "y"}, 1.0),
        ],
    )
    def test_going_on_needs_it(self, folder, go_on):
        made = SHAC.load(folder / "shac")
        made.total_budget = 60
        with pytest.raises(SaveDirectoryError, match="'fits_memory' is a function.*hand it over"):
            go_on(made)
        assert len(made.dataset) == 40

    def test_it_is_handed_over(self, folder):
        made = SHAC.load(folder / "shac", constraints=[fits_memory])
        made.total_budget = 60
        made.fit(evaluate, verbose=0)
        assert len(made.dataset) == 60
        assert obeys(made)
        with pytest.raises(ValueError, match="must be among those of the saved search"):
            SHAC.load(folder / "shac", constraints=[Less("b", "a")])

    def test_the_same_constraints(self, folder):
        made = engine(folder)
        made.restore_data()
        assert len(made.dataset) == 40
        assert len(engine(folder, resume=True).classifiers) == len(made.classifiers)

    @pytest.mark.parametrize(
        ("constraints", "named"),
        [
            (CONSTRAINTS[:2], "the constraint fits_memory"),
            ((*CONSTRAINTS[1:], Less("b", "a")), r"the constraint Less\('a', 'b'\).*'b', 'a'"),
            (None, "Forbidden.*Less.*fits_memory"),
        ],
    )
    def test_other_constraints_are_another_space(self, folder, constraints, named):
        with pytest.raises(SaveDirectoryError, match=f"another space: .*{named}.* differ"):
            engine(folder, constraints).restore_data()

    def test_a_changed_space_takes_what_obeys(self, folder, caplog):
        narrower = (*CONSTRAINTS, LinearConstraint({"a": 1}, at_most=0.6))
        made = engine(folder, narrower, resume=True)
        assert "of 40 evaluations lie in the search space" in caplog.text
        assert 0 < len(made.dataset) < 40
        # The old constraints are among the new ones, so the search has seen all of it.
        assert made._require_run().search.refused or made.classifiers
        made.fit(evaluate, verbose=0)
        assert all(row[0] <= 0.6 for row in made.dataset.X)
        former = folder / "shac" / "former-1" / "datasets"
        assert (former / "constraints.json").exists()
        wider = engine(folder, None, resume=True)
        assert not wider.classifiers
        wider.save_data()
        assert not (folder / "shac" / "datasets" / "constraints.json").exists()
        assert len(SHAC.load(folder / "shac").dataset) == len(made.dataset)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{", "is not valid JSON"),
            ("{}", "holds no constraints.*not a list"),
            ("[1]", "an entry has no type"),
            ('[{"type": "Eval", "code": "1"}]', "a type must be one of"),
            ('[{"type": "Less", "low": "a"}]', "holds no constraints"),
            ('[{"type": "Less", "low": "a", "high": "q"}]', "must name parameters"),
            ('[{"type": "LinearConstraint", "coefficients": 1}]', "takes a mapping"),
            ('[{"type": "Constraint", "name": ""}]', "name of a constraint"),
            ('[{"type": "Less", "low": "a", "high": "b"}]', "its checksum does not match"),
            ("[]", "its checksum does not match"),
            (MANY, "at most 10000 constraints"),
        ],
    )
    def test_a_file_of_others_is_refused(self, folder, content, message):
        (folder / "shac" / "datasets" / "constraints.json").write_text(content)
        with pytest.raises(SaveDirectoryError, match=message):
            SHAC.load(folder / "shac")


class TestRefused:
    def test_contradictions_when_the_engine_is_made(self, tmp_path):
        with pytest.raises(InfeasibleSpaceError, match="contradict each other"):
            engine(tmp_path, [LinearConstraint({"a": 1, "b": 1}, at_least=2.5)])

    def test_functions_that_allow_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pyshac.core.sampling.region.MAX_FRUITLESS", 2**14)
        made = engine(tmp_path, [Constraint(lambda p: p["a"] < 0, "never", vectorized=True)])
        with pytest.raises(InfeasibleSpaceError, match="'never'.* allow 0 of .* draws"):
            made.ask()

    @pytest.mark.parametrize("is_vectorized", [False, True])
    def test_functions_that_allow_no_point_of_a_small_space(self, tmp_path, is_vectorized):
        never = Constraint(lambda p: p["n"] < 0, "never", vectorized=is_vectorized)
        made = SHAC(evaluate, [IntegerHP("n", 0, 3)], 4, 2, save_dir=tmp_path, constraints=[never])
        for call in (lambda: made.fit(verbose=0), made.ask, made.predict):
            with pytest.raises(InfeasibleSpaceError, match="'never'.* allow no point"):
                call()
        assert "0 of 4" in repr(made)

    def test_constraints_are_given_once(self, tmp_path):
        space = HyperParameterList(parameters(), constraints=CONSTRAINTS)
        with pytest.raises(ValueError, match="constraints must be given once"):
            SHAC(evaluate, space, 4, 2, save_dir=tmp_path, constraints=CONSTRAINTS)
        made = SHAC(evaluate, space, 4, 2, save_dir=tmp_path)
        assert made.parameters.constraints == space.constraints

    def test_a_list_keeps_its_seed(self, tmp_path):
        space = HyperParameterList(parameters(), seed=5)
        made = SHAC(evaluate, space, 4, 2, save_dir=tmp_path, constraints=CONSTRAINTS)
        assert made.parameters.seed == 5
        assert len(made.parameters.constraints) == 3
        assert not space.constraints


def test_managed_engines_take_them(tmp_path):
    pytest.importorskip("torch")
    made = TorchSHAC(
        evaluate, parameters(), 4, 2, max_gpu_evaluators=0, save_dir=tmp_path,
        constraints=CONSTRAINTS,
    )  # fmt: skip
    assert len(made.parameters.constraints) == 3


@pytest.mark.slow
def test_a_search_in_a_region_of_a_millionth(tmp_path):
    names = ["a", "b", "c"]
    ones = dict.fromkeys(names, 1)
    thin = HyperParameterList(
        [UniformHP(name, 0, 1) for name in names],
        constraints=[LinearConstraint(ones, at_least=1, at_most=1 + 1e-6)],
    )
    made = SHAC(thin, 20, 4, "min", save_dir=tmp_path)
    made.set_seed(1)
    while len(made.dataset) < 20:
        samples = made.ask()
        assert all(1 <= sum(sample.values()) <= 1 + 1e-6 for sample in samples)
        made.tell(samples, [sample["a"] for sample in samples], skip_cv_checks=True)
    assert made.best_score < 0.1
