"""Runs on public problems: what is kept of them, and how contenders are compared."""

import numpy as np
import pytest
from public_runs import comparison, peers, runs
from public_suites import catalogue
from public_suites.instances import Instance, Number

REFERENCE = catalogue.Reference(1.0, 0.5, 10.0, 0.0)


@pytest.fixture
def references(monkeypatch):
    """Gives all problems of two suites the same reference."""
    found = {(suite, name): REFERENCE for suite in ("bbob", "pbo") for name in "abcdef"}
    monkeypatch.setattr(catalogue, "references", lambda: found)


def instance(noise=None):
    return Instance("bbob", "a", (Number("x", -5, 5),), lambda columns: columns["x"] ** 2, 0, noise)


def result(contender, name, final, seed=0, suite="bbob"):
    return runs.Result(runs.Run(suite, name, "16/8", contender, seed), 1.5, (9.0, final))


@pytest.mark.parametrize("text", ["128", "0/8", "128/x", "128/8/2", "-8/8"])
def test_a_budget_must_be_two_numbers(text):
    with pytest.raises(ValueError, match=r"must be N/W, such as 128/8"):
        runs.budget_of(text)


def test_a_budget_must_be_whole_batches():
    assert runs.budget_of("128/8").num_batches == 16
    with pytest.raises(ValueError, match="W must divide N. Got '100/8'"):
        runs.budget_of("100/8")


def test_the_curve_is_the_true_score_of_what_looked_best():
    evaluations = runs.Evaluations(instance(lambda true, random: -true), seed=0)
    assert evaluations(np.array([[1.0], [2.0]])).tolist() == [-1.0, -4.0]
    evaluations(np.array([[3.0], [0.0]]))
    assert evaluations.curve(2) == (4.0, 9.0)


def test_a_run_is_made_with_its_budget_and_seed(monkeypatch):
    monkeypatch.setattr(catalogue, "instance", lambda suite, name: instance())
    run = runs.Run("bbob", "a", "16/8", "random", 3)
    found = runs.make(run, runs.find_contender("random"))
    assert found.run == run
    assert len(found.curve) == 2
    assert found.final == min(found.curve)
    assert found == runs.Result(run, found.seconds, found.curve)
    assert found.curve == runs.make(run, runs.find_contender("random")).curve


def test_results_are_read_as_they_were_kept(tmp_path):
    path = tmp_path / "folder" / "results.csv"
    kept = [result("X", "a", 0.123456789), result("PySHAC, paper", "b", 1e-12, seed=7)]
    for one in kept:
        runs.append(path, one)
    assert runs.read([path, tmp_path / "none.csv"]) == kept


def test_runs_that_a_file_has_are_not_made_again(tmp_path, capsys):
    path = tmp_path / "results.csv"
    one = result("random", "a", 1.0)
    runs.append(path, one)
    runs.make_all([(one.run, "random")], path, 1, runs.find_contender)
    assert runs.read([path]) == [one]
    assert not capsys.readouterr().out


def test_problems_are_won_by_the_mean_over_seeds(references):
    results = [
        *(result("A", name, 1.0) for name in "abc"),
        *(result("B", name, 2.0) for name in "ab"),
        result("B", "c", 1.0),
        result("A", "d", 4.0, seed=0),
        result("A", "d", 1.0, seed=1),
        result("B", "d", 2.0, seed=0),
        result("B", "d", 2.0, seed=1),
        # Of this seed there is one only.
        result("B", "d", 0.0, seed=2),
        *(result("random", name, 1.5) for name in "abcd"),
        result("random", "d", 1.5, seed=1),
    ]
    finals = comparison.Finals(results, "16/8")
    *_, suite, everything = comparison.lines(finals, "A", "B")
    assert suite == everything.replace("all", "bbob")
    cells = [cell.strip() for cell in everything.strip("|").split("|")]
    assert cells[:4] == ["all", "4", "2:1", "0.1375 and 0.1750"]
    assert cells[-1] == "1 of 5 and 4 of 5"


def test_contenders_without_a_common_problem_cannot_be_compared(references):
    finals = comparison.Finals([result("A", "a", 1.0), result("B", "b", 1.0)], "16/8")
    with pytest.raises(ValueError, match="same problems and seeds. There are runs of A, B"):
        list(comparison.lines(finals, "A", "B"))


def test_what_any_contender_found_is_the_best_known_of_a_surrogate(monkeypatch):
    reference = catalogue.Reference(1.0, 0.5, 10.0, None)
    monkeypatch.setattr(catalogue, "references", lambda: {("bbob", "a"): reference})
    finals = comparison.Finals([result("A", "a", -10.0), result("B", "a", 0.0)], "16/8")
    assert finals.regret(("bbob", "a"), np.array([-10.0, 0.0])).tolist() == [0.0, 0.5]


def test_dear_contenders_get_as_many_problems_of_each_suite_as_there_are(monkeypatch):
    sizes = {"lcbench": 17, "noisy": 3, "bbob": 24}
    monkeypatch.setattr(
        catalogue, "instances", lambda suite, half: [f"{n:02}" for n in range(sizes[suite])]
    )
    few = peers.few_problems(list(sizes), 20)
    counts = [sum(suite == one for suite, _ in few) for one in sizes]
    assert counts == [9, 3, 8]
    assert len(set(few)) == 20
    assert ("bbob", "00") in few
    assert ("bbob", "23") in few
    assert len(peers.few_problems(list(sizes), 1000)) == sum(sizes.values())


def test_dear_contenders_have_one_seed(monkeypatch):
    monkeypatch.setattr(catalogue, "instances", lambda suite, half: list("abc"))
    wanted = [run for run, _ in peers.wanted(["random", "SMAC3"], ["64/8"], ["bbob"], 2)]
    assert [run.seed for run in wanted if run.contender == "SMAC3"] == [1000] * 3
    assert [run.seed for run in wanted if run.contender == "random"] == [1000] * 3 + [1001] * 3


def test_a_report_tests_dear_peers_where_there_are_any(references):
    report = pytest.importorskip("public_runs.report", reason="needs matplotlib")
    results = [
        result(contender, name, final, suite=suite)
        for suite in ("bbob", "pbo")
        for name in "abcdef"
        for contender, final in (("PySHAC", 1.0), ("Optuna TPE", 2.0), ("random", 3.0))
    ]
    results += [result("SMAC3", name, 1.0) for name in "abc"]
    finals = comparison.Finals(results, "16/8")
    cheap = report.table_of(finals, "16/8", peers.CHEAP)
    dear = report.table_of(finals, "16/8", peers.CONTENDERS)
    assert (len(cheap.problems), cheap.tested) == (12, ["Optuna TPE", "random"])
    assert (len(dear.problems), dear.tested) == (3, ["SMAC3"])
    assert cheap.outcome("random") == "12:0:0"
    assert cheap.outcome("random", ("pbo",)) == "6:0:0"
    assert dear.outcome("SMAC3") == "0:3:0"
    corrected = report.corrected_p([cheap, dear])
    assert corrected["SMAC3", id(dear)] == 1.0
    assert corrected["random", id(cheap)] == pytest.approx(3 * 0.5**12)
    assert any(line.startswith("| PySHAC | 1.00 |") for line in report.lines(cheap))
    assert len(list(report.versus_lines(cheap, corrected))) == 5
