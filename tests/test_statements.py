"""Numbers that pages state about the code, for those that no table of results holds."""

import re
from pathlib import Path

import pytest

from pyshac.core.basics import threads
from pyshac.core.engine.parallelism import LAST_EASY_BATCH
from pyshac.core.evaluation import executor_worker, slots, worker_memory
from pyshac.core.search import method

DOCS = Path(__file__).parents[1] / "docs"


def page(name):
    """Returns a page with its lines joined, so that a sentence can be found."""
    return " ".join((DOCS / name).read_text(encoding="utf-8").split())


def test_the_thread_variables_and_their_order():
    section = page("serial-execution.md").split("## Threads inside evaluations")[1]
    table = section.split("Your settings take precedence")[0]
    assert tuple(re.findall(r"`([A-Z_]+)`", table)) == threads._VARIABLES


@pytest.mark.parametrize(
    ("name", "statement", "holds"),
    [
        ("moving.md", "most promising of 64 accepted samples", method.DEFAULT.num_choices == 64),
        ("serial-execution.md", "A worker has five seconds", slots.CLOSING_SECONDS == 5),
        ("serial-execution.md", "After ten batches the number", LAST_EASY_BATCH == 10),
        ("reliability.md", "Its worker has five seconds to close", slots.CLOSING_SECONDS == 5),
        ("managed-engines.md", "one and a half times the memory", worker_memory.MAX_RATIO == 1.5),
        ("managed-engines.md", "after its first three evaluations",
         worker_memory.SETTLING_EVALUATIONS == 3),
        ("managed-engines.md", "less than 128 MB", worker_memory.MIN_GROWTH_BYTES == 128 * 2**20),
        ("distributed.md", "the last eight runs", executor_worker.MAX_KNOWN_POOLS == 8),
    ],
)  # fmt: skip
def test_a_statement_holds(name, statement, holds):
    assert statement in page(name)
    assert holds
