"""What a search says about its stage and its classifiers."""

from __future__ import annotations

import pytest

from pyshac.core.search.progress import BUDGET_SPENT, Progress
from pyshac.core.search.schedule import Schedule

SCHEDULE = Schedule.in_batches(40, 8, 3)  # T_c is 10


@pytest.mark.parametrize(
    ("done", "trained", "refused", "stage", "classifiers"),
    [
        (0, 0, {}, "1 of 4", "0 trained, up to 3 to come"),
        (10, 1, {}, "2 of 4", "1 trained, up to 2 to come"),
        # A classifier at the end of the budget would begin a stage without samples.
        (10, 0, {"r": 1}, "1 of 3", "0 trained, 1 refused (r), up to 3 to come"),
        (30, 1, {"r": 1, "s": 1}, "2 of 2", "1 trained, 2 refused (1: r; 1: s), up to 1 to come"),
        (30, 3, {}, "4 of 4", "3 trained"),
    ],
)
def test_under_way(done, trained, refused, stage, classifiers):
    progress = Progress(SCHEDULE, done, done, trained, refused)
    assert progress.stage == stage
    assert progress.classifiers == classifiers


def test_a_spent_budget_has_no_stage_and_nothing_to_come():
    progress = Progress(SCHEDULE, 40, 40, 1, {"r": 3}, BUDGET_SPENT)
    assert progress.stage == "budget spent"
    assert progress.classifiers == "1 trained, 3 refused (r)"


def test_one_classifier_makes_up_for_all_stages_without():
    progress = Progress(SCHEDULE, 30, 0, 0, {})
    assert progress.classifiers == "0 trained, up to 2 to come"


@pytest.mark.parametrize(("done", "trained"), [(90, 3), (20, 9)])
def test_a_restored_search_may_be_larger_than_the_schedule(done, trained):
    progress = Progress(SCHEDULE, done, done, trained, {})
    assert progress.stage == f"{trained + 1} of {trained + 1}"
    assert progress.classifiers == f"{trained} trained"


def test_what_a_file_calls_a_reason_cannot_steer_a_terminal():
    text = Progress(SCHEDULE, 10, 10, 0, {"\x1b[31m": 1}).classifiers
    assert text.isprintable()
