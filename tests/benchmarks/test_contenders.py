"""What other libraries are told of a search space, and how their proposals are read."""

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
