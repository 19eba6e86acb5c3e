"""What other libraries are told of a search space, and how their proposals are read."""

import conditional_tasks
import contenders
import numpy as np
import peer_spaces
import pytest
import tasks

from pyshac import DiscreteHP, HyperParameterList, IntegerHP, LogUniformHP, MultiUniformHP

SPACE = HyperParameterList(
    [
        MultiUniformHP("share", 0, 2, sample_count=2),
        LogUniformHP("rate", 1e-3, 1),
        IntegerHP("layers", 1, 8),
        IntegerHP("units", 16, 512, log=True),
        DiscreteHP("kernel", ["rbf", "poly", "linear"]),
        DiscreteHP("batch", [8, 16, 32, 64]),
    ]
)


def test_columns_say_what_they_hold():
    found = [(one.kind, one.low, one.high) for one in peer_spaces.columns(SPACE)]
    assert found == [
        ("real", 0, 2),
        ("real", 0, 2),
        ("real", pytest.approx(np.log(1e-3)), pytest.approx(0)),
        ("integer", 1, 8),
        ("log integer", 16, 512),
        ("choice", 0, 2),
        ("integer", 0, 3),
    ]


CONDITIONAL = HyperParameterList(
    [
        IntegerHP("units", 16, 512, log=True).when("layers", at_least=7),
        DiscreteHP("kernel", ["rbf", "poly", "linear"]),
        IntegerHP("layers", 1, 8).when("kernel", ["rbf", "linear"]),
    ]
)


def test_peers_are_told_with_which_values_a_column_is_active():
    assert peer_spaces.needs(CONDITIONAL) == [
        peer_spaces.Need(0, 2, [7, 8]),
        peer_spaces.Need(2, 1, [0, 2]),
    ]


@pytest.mark.parametrize(
    ("values", "asked"),
    [((1, 7, 99), ["p1"]), ((0, 3, 99), ["p1", "p2"]), ((2, 8, 64), ["p1", "p2", "p0"])],
)
def test_peers_are_asked_for_active_columns_only(values, asked):
    given, names = dict(zip(("p1", "p2", "p0"), values, strict=True)), []

    def suggest(column):
        names.append(column.name)
        return given[column.name]

    row = peer_spaces.row_of(CONDITIONAL, peer_spaces.columns(CONDITIONAL), suggest)
    assert names == asked
    assert [f"p{place}" for place in np.flatnonzero(~np.isnan(row))] == sorted(asked)


def test_a_flattened_search_has_values_everywhere_and_the_score_sees_the_active_ones():
    seen = []

    def search(task, budget, seed, evaluate):
        assert task.space.hierarchy.is_trivial
        rows = task.space.draw(50, np.random.SeedSequence(seed))
        assert not np.isnan(rows).any()
        evaluate(rows)

    task = tasks.Task("task", CONDITIONAL, lambda rows: rows[:, 1])
    contenders.flattened(search)(task, contenders.Budget(50, 50), 0, seen.append)
    inactive = np.isnan(seen[0])
    assert (inactive[:, 2] == (seen[0][:, 1] == 1)).all()
    assert (inactive[:, 0] >= inactive[:, 2]).all()


@pytest.mark.parametrize("name", conditional_tasks.CONDITIONAL)
def test_scores_of_conditional_tasks_depend_on_active_values_only(name):
    task = conditional_tasks.CONDITIONAL[name](3)
    rows = task.space.draw_complete(200, np.random.SeedSequence(0))
    scores = task.score(task.space.hierarchy.deactivate(rows))
    assert np.isfinite(scores).all()
    assert scores.min() >= 0
    other = conditional_tasks.CONDITIONAL[name](4)
    assert not np.allclose(scores, other.score(task.space.hierarchy.deactivate(rows)))


def test_proposals_are_encoded_as_samples_are():
    proposed = [0.5, 3.0, np.log(0.1), 4.4, 64, 2, 1]
    encoded = [c.encode(v) for c, v in zip(peer_spaces.columns(SPACE), proposed, strict=True)]
    first, second, rate, *others = SPACE.decode(encoded)
    # What lies outside is brought to the edge.
    assert (first, second) == (0.5, 2.0)
    assert rate == pytest.approx(0.1)
    assert others == [4, 64, "linear", 16]


@pytest.mark.parametrize("name", ["random", "random 2N", "PySHAC, paper"])
def test_contenders_spend_their_budget_in_batches(name):
    sizes = []

    def evaluate(rows):
        sizes.append(len(rows))
        return tasks.branin().score(rows)

    contenders.CONTENDERS[name].search(tasks.branin(), contenders.Budget(20, 10), 0, evaluate)
    assert sizes in ([20], [40], [10, 10])
