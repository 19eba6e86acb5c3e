"""Saving and restoring: a run that was cut anywhere goes on as if nothing had happened."""

from __future__ import annotations

import json

import pandas
import pytest

from pyshac import (
    SHAC,
    DiscreteHP,
    EvaluationError,
    MultiUniformHP,
    SaveDirectoryError,
    UniformHP,
)
from pyshac.core.storage import state_file
from pyshac.looking.snapshot import take_snapshot
from tests.engine.engine_helpers import (
    InterruptedAt,
    InterruptionError,
    contents,
    evaluate,
    make_engine,
    make_space,
    restored,
    run_script,
    samples_of,
)

BUDGET = 18


def points(first, last):
    """Every point of a run; the first two of a batch, its last and the run's are quick."""
    quick = {first, first + 6, first + 7, first + 11, last}
    return [
        number if number in quick else pytest.param(number, marks=pytest.mark.slow)
        for number in range(first, last + 1)
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The directory of the run that was not cut."""
    engine = make_engine(tmp_path_factory.mktemp("whole"))
    engine.fit(skip_cv_checks=True)
    assert len(engine.classifiers) == 2
    return contents(engine.save_dir)


# A new process

CONTINUED = """
import sys
from pyshac import SHAC
from tests.engine.engine_helpers import *

engine = SHAC(None, 60, 6, objective="min", save_dir=sys.argv[1])
engine.restore_data()
assert len(engine.dataset) == 34
function = InterruptedAt(0)
engine.concurrent_evaluators()
engine.set_num_parallel_evaluators(1)
history = engine.fit(function, skip_cv_checks=True)
assert function.calls == 26
assert history.history["begin_run_index"] == 34
"""


@pytest.mark.slow
def test_a_new_process_continues_in_the_middle_of_a_batch(tmp_path):
    """A crash at evaluation 35 of batches of 10 loses nothing, and leaves no trace."""
    uninterrupted = make_engine(tmp_path / "whole", total_budget=60, num_batches=6)
    uninterrupted.fit(skip_cv_checks=True)
    assert len(uninterrupted.classifiers) == 5

    engine = make_engine(tmp_path / "cut", InterruptedAt(35), total_budget=60, num_batches=6)
    with pytest.raises(EvaluationError) as caught:
        engine.fit(skip_cv_checks=True)
    assert caught.value.sample_id == 34
    assert len(engine.dataset) == 34
    between = restored(tmp_path / "cut", total_budget=60, num_batches=6)
    assert samples_of(between) == samples_of(uninterrupted)[:34]
    # With another hash seed, on which nothing may depend.
    continued = run_script(CONTINUED, tmp_path / "cut", PYTHONHASHSEED="12345")
    assert continued.returncode == 0, continued.stderr
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


# Everywhere in a batch


@pytest.mark.parametrize("call", points(1, BUDGET))
def test_fit_interrupted_at_any_evaluation(tmp_path, whole, call):
    engine = make_engine(tmp_path, InterruptedAt(call))
    with pytest.raises(EvaluationError) as caught:
        engine.fit(skip_cv_checks=True)
    assert type(caught.value.__cause__) is InterruptionError
    again = restored(tmp_path)
    assert len(again.dataset) == call - 1
    again.fit(skip_cv_checks=True)
    assert contents(tmp_path) == whole


@pytest.mark.parametrize("told", points(0, BUDGET))
def test_ask_and_tell_abandoned_at_any_point(tmp_path, whole, told):
    engine = make_engine(tmp_path)
    for _ in range(told):
        sample = engine.ask(1)[0]
        engine.tell(sample, evaluate(0, sample), skip_cv_checks=True)
    if told < BUDGET:
        engine.ask(1)
    again = restored(tmp_path) if told < BUDGET or told else engine
    assert len(again.dataset) == told
    again.fit(skip_cv_checks=True)
    assert contents(tmp_path) == whole


def test_every_sample_by_an_engine_of_its_own(tmp_path, whole):
    make_engine(tmp_path).save_data()
    for number in range(BUDGET):
        engine = restored(tmp_path)
        assert len(engine.dataset) == number
        sample = engine.ask(2)[-1]
        engine.tell(sample, evaluate(0, sample), skip_cv_checks=True)
    assert contents(tmp_path) == whole


def test_the_same_engine_goes_on_after_every_interruption(tmp_path, whole):
    engine = make_engine(tmp_path)
    for _ in range(BUDGET // 2 - 1):
        with pytest.raises(EvaluationError):
            engine.fit(InterruptedAt(3), skip_cv_checks=True)
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path) == whole


# Every way out of fit


@pytest.mark.parametrize(
    ("error", "evaluators"),
    [
        (KeyboardInterrupt, 1),
        (SystemExit, 2),
        (MemoryError, 1),
        (GeneratorExit, 2),
        pytest.param(KeyboardInterrupt, 2, marks=pytest.mark.slow),
        pytest.param(SystemExit, 1, marks=pytest.mark.slow),
    ],
)
def test_saved_on_every_way_out(tmp_path, whole, error, evaluators):
    calls = iter(range(100))

    def leaves(worker_id, parameters):
        if next(calls) == 8:
            raise error
        return evaluate(worker_id, parameters)

    engine = make_engine(tmp_path, leaves, evaluators=evaluators)
    expected = EvaluationError if error in (MemoryError, GeneratorExit) else error
    with pytest.raises(expected):
        engine.fit(skip_cv_checks=True)
    again = restored(tmp_path)
    # The other slot may have gone on until the error arrived.
    assert len(again.dataset) == 8 if evaluators == 1 else 8 <= len(again.dataset) < 12
    again.fit(skip_cv_checks=True)
    assert contents(tmp_path) == whole


def test_the_save_is_complete_without_the_journal(tmp_path):
    """The dataset that users read has every score after an interruption, too."""
    engine = make_engine(tmp_path, InterruptedAt(9))
    with pytest.raises(EvaluationError):
        engine.fit()
    lines = (tmp_path / "datasets" / "dataset.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "id,x,kind,w_1,w_2,scores"
    assert [line.split(",")[0] for line in lines[1:]] == [str(number) for number in range(8)]


# What is saved


def test_nothing_is_written_before_it_is_asked_for(tmp_path):
    engine = make_engine(tmp_path / "shac")
    engine.set_seed(3)
    engine.predict()
    assert not (tmp_path / "shac").exists()
    engine.save_data()
    assert set(contents(tmp_path / "shac")) == {
        "datasets/dataset.csv", "datasets/evaluations.jsonl", "datasets/parameters.json",
        "journal.jsonl", "state.json",
    }  # fmt: skip


def test_files_of_a_finished_run(whole):
    assert set(whole) == {
        "classifiers/00.ubj",
        "classifiers/01.ubj",
        "datasets/dataset.csv",
        "datasets/evaluations.jsonl",
        "datasets/parameters.json",
        "journal.jsonl",
        "state.json",
    }
    assert whole["journal.jsonl"] == b""


def test_saving_twice_changes_nothing(tmp_path):
    engine = make_engine(tmp_path)
    engine.fit(skip_cv_checks=True)
    before = contents(tmp_path)
    engine.save_data()
    assert contents(tmp_path) == before
    restored(tmp_path).save_data()
    assert contents(tmp_path) == before


def test_restoring_changes_nothing(tmp_path):
    engine = make_engine(tmp_path, InterruptedAt(9))
    with pytest.raises(EvaluationError):
        engine.fit()
    before = contents(tmp_path)
    assert len(restored(tmp_path).dataset) == 8
    assert contents(tmp_path) == before


def test_what_is_restored(tmp_path):
    engine = make_engine(tmp_path)
    engine.fit(skip_cv_checks=True)
    again = restored(tmp_path)
    assert samples_of(again) == samples_of(engine)
    assert again.parameters.get_config() == engine.parameters.get_config()
    assert [type(value) for value in again.parameters["kind"].values] == [
        int, float, str, bool, type(None),
    ]  # fmt: skip
    assert [c.to_bytes() for c in again.classifiers] == [c.to_bytes() for c in engine.classifiers]
    assert again.best_parameters == engine.best_parameters
    assert again.best_score == engine.best_score


def test_restoring_into_an_engine_with_the_same_space(tmp_path, whole):
    engine = make_engine(tmp_path, InterruptedAt(9))
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    # The seed of the saved run counts, not the engine's own.
    again = make_engine(tmp_path, seed=99)
    again.restore_data()
    again.fit(skip_cv_checks=True)
    assert contents(tmp_path) == whole


def test_a_run_without_a_seed_is_continued_with_its_own(tmp_path):
    engine = make_engine(tmp_path, seed=None)
    samples = engine.ask()
    again = restored(tmp_path)
    assert again.ask() == samples
    again.tell(samples, [evaluate(0, sample) for sample in samples])
    next_samples = again.ask()
    assert restored(tmp_path).ask() == next_samples


def test_a_larger_budget_continues_a_finished_run(tmp_path, whole):
    make_engine(tmp_path).fit(skip_cv_checks=True)
    before = samples_of(restored(tmp_path))
    engine = restored(tmp_path, total_budget=36, num_batches=6)
    history = engine.fit(skip_cv_checks=True)
    assert history.epochs == [4, 5, 6]
    assert samples_of(engine)[:18] == before
    assert len(engine.dataset) == 36
    assert len(engine.classifiers) > 2


def test_other_batches_continue_a_run(tmp_path):
    engine = make_engine(tmp_path, InterruptedAt(9))
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    # The batch of six that was cut is finished first; batches of four follow.
    again = restored(tmp_path, total_budget=20, num_batches=5)
    history = again.fit(skip_cv_checks=True).history
    assert [len(batch) for batch in history["evaluations"]] == [6, 4, 4]
    assert len(again.dataset) == 20


def test_a_smaller_budget_is_spent_already(tmp_path):
    make_engine(tmp_path).fit(skip_cv_checks=True)
    engine = restored(tmp_path, total_budget=6, num_batches=1)
    assert engine.fit().epochs == []
    assert len(engine.dataset) == 18


def test_save_dir_can_be_changed(tmp_path, whole):
    engine = make_engine(tmp_path / "first")
    engine.fit(skip_cv_checks=True)
    engine.save_dir = tmp_path / "second"
    assert engine.save_dir == str(tmp_path / "second")
    engine.save_data()
    assert contents(tmp_path / "second") == contents(tmp_path / "first") == whole


def test_save_dir_may_be_set_to_what_it_is(tmp_path, whole):
    engine = make_engine(tmp_path, total_budget=12, num_batches=2)
    engine.fit(skip_cv_checks=True)
    engine.save_dir = tmp_path
    engine.total_budget = 18
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path) == whole


def test_save_dir_may_be_a_deep_path(tmp_path):
    engine = make_engine(str(tmp_path / "a" / "b b" / "ü"), total_budget=6, num_batches=1)
    engine.fit()
    assert len(restored(engine.save_dir).dataset) == 6


def test_restoring_where_nothing_was_saved(tmp_path):
    engine = SHAC(None, 12, 3, save_dir=tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="none' holds no saved search"):
        engine.restore_data()
    assert not (tmp_path / "none").exists()


def test_failed_samples_come_back_as_such(tmp_path):
    engine = make_engine(tmp_path, lambda i, p: float("nan") if p["x"] < 0 else evaluate(i, p))
    engine.fit(skip_cv_checks=True)
    failed = [score != score for score in engine.dataset.Y]
    assert 0 < sum(failed) < 18
    assert [score != score for score in restored(tmp_path).dataset.Y] == failed


def test_a_space_of_the_users_own_type_is_restored(tmp_path):
    from pyshac import AbstractHyperParameter, set_custom_parameter_class

    class Even(AbstractHyperParameter):
        def __init__(self, name, limit, seed=None):
            super().__init__(name, None, seed)
            self.limit = limit

        def sample(self):
            return 2 * int(self.random.randint(self.limit))

        def encode(self, x):
            return x / 2

        def decode(self, x):
            return 2 * round(x)

        def get_config(self):
            return {**super().get_config(), "limit": self.limit}

    set_custom_parameter_class(Even)
    space = [*make_space(), Even("even", 50)]
    objective = lambda i, p: abs(p["even"] - 40) + evaluate(i, p)  # noqa: E731
    uninterrupted = make_engine(tmp_path / "whole", objective, space)
    uninterrupted.fit(skip_cv_checks=True)
    assert uninterrupted.classifiers
    engine = make_engine(tmp_path / "cut", InterruptedAt(9, objective), space)
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    again = restored(tmp_path / "cut", function=objective)
    again.fit(skip_cv_checks=True)
    assert {type(row[-1]) for row in again.dataset.X} == {int}
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


# Names


NAMES = [
    "../../etc/passwd", "/etc/passwd", "C:\\x", "a/b", ".", "..", "~", "$HOME", "`id`", "a;b",
    "=cmd|' /C calc'!A0", "=1+1", "+1", "-1", "@x", "%s", "{0}", "{{}}", "<b>", "a,b", '"', '""',
    "'", "a\nb", "a\rb", "\r\n", "\t", " ", " x ", "#", "é", "漢字", "😀", "\u202e", "\ufeff",
    "\u2028", "\x1f", "\x7f", "e\u0301", "id ", "ID", "scores ", "Scores", "id_1", "x_1", "nan",
    "null", "1", "__tuple__", "seed", "name", "class", "long" * 1000,
]  # fmt: skip


def test_names_of_all_kinds_are_the_same_after_the_files(tmp_path):
    space = [UniformHP(name, 0.0, 1.0) for name in NAMES]
    space += [MultiUniformHP("multi " + name, 0.0, 1.0, sample_count=2) for name in NAMES[:20]]
    space.append(DiscreteHP("values", NAMES))
    function = lambda worker_id, parameters: parameters[NAMES[0]]  # noqa: E731
    uninterrupted = make_engine(tmp_path / "whole", function, space, 12, 3)
    uninterrupted.fit(skip_cv_checks=True)
    engine = make_engine(tmp_path / "cut", InterruptedAt(7, function), space, 12, 3)
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    again = restored(tmp_path / "cut", function=function, total_budget=12, num_batches=3)
    assert again.parameters.get_parameter_names() == engine.parameters.get_parameter_names()
    again.fit(skip_cv_checks=True)
    assert samples_of(again) == samples_of(uninterrupted)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "cut"}


def test_a_dataset_with_awkward_names_opens_in_pandas(tmp_path):
    space = [UniformHP(name, 0.0, 1.0) for name in NAMES]
    engine = make_engine(tmp_path, lambda i, p: p["x_1"], space, 4, 2)
    engine.fit(skip_cv_checks=True)
    # As text, since the parser that pandas 2 uses may be wrong in the last digit.
    frame = pandas.read_csv(tmp_path / "datasets" / "dataset.csv", dtype={"scores": str})
    assert list(frame.columns) == ["id", *NAMES, "scores"]
    assert list(map(float, frame["scores"])) == engine.dataset.Y


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "must not be empty"),
        ("id", "must not be 'id'"),
        ("scores", "must not be 'scores'"),
        ("a\0b", "without NUL characters"),
        ("\ud800", "UTF-8"),
        ("x" * 2**16, "not too long"),
    ],
)
def test_names_that_no_file_could_hold_are_refused_with_the_reason(name, message):
    with pytest.raises(ValueError, match=message):
        UniformHP(name, 0.0, 1.0)


def test_a_budget_that_ends_inside_the_open_batch_is_kept(tmp_path):
    """Of the batch, as many samples are evaluated as the budget allows; the others wait."""
    whole = make_engine(tmp_path / "whole", total_budget=30, num_batches=3)
    whole.fit(skip_cv_checks=True)
    engine = make_engine(tmp_path / "cut", InterruptedAt(13), total_budget=30, num_batches=3)
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    again = restored(tmp_path / "cut", total_budget=15, num_batches=3)
    assert len(again.dataset) == 12
    again.fit(skip_cv_checks=True)
    assert len(again.dataset) == 15
    again.fit(skip_cv_checks=True)
    assert (len(again.dataset), again.ask()) == (15, [])
    # A larger budget goes on with the rest of the batch, as if nothing had been.
    last = restored(tmp_path / "cut", total_budget=30, num_batches=3)
    last.fit(skip_cv_checks=True)
    assert samples_of(last) == samples_of(whole)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_ask_keeps_a_budget_that_ends_inside_the_open_batch(tmp_path):
    engine = make_engine(tmp_path, total_budget=30, num_batches=3)
    engine.tell(first := engine.ask(2), [evaluate(0, sample) for sample in first])
    again = restored(tmp_path, total_budget=5, num_batches=5)
    samples = again.ask(2) + again.ask()
    assert len(samples) == 3
    with pytest.raises(RuntimeError, match="3 have no score yet"):
        again.ask()
    again.tell(samples, [evaluate(0, sample) for sample in samples])
    assert (len(again.dataset), again.ask()) == (5, [])


# The number of classifiers


def test_max_classifiers_is_saved_and_must_be_the_same(tmp_path):
    engine = make_engine(tmp_path, InterruptedAt(9), max_classifiers=1)
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    before = contents(tmp_path)
    other = make_engine(tmp_path, parameters=None)
    with pytest.raises(SaveDirectoryError, match="with max_classifiers 1, not 18"):
        other.restore_data()
    assert other.parameters is None
    assert contents(tmp_path) == before
    schedule = take_snapshot(tmp_path).schedule
    assert (schedule.max_classifiers, schedule.total_classifiers) == (1, 1)
    again = restored(tmp_path, max_classifiers=1)
    again.fit(skip_cv_checks=True)
    whole = make_engine(tmp_path / "whole", max_classifiers=1)
    whole.fit(skip_cv_checks=True)
    assert contents(tmp_path / "whole") == {
        name: data for name, data in contents(tmp_path).items() if not name.startswith("whole")
    }


def test_max_classifiers_may_differ_where_it_changes_nothing(tmp_path):
    """Three batches train two classifiers at most."""
    make_engine(tmp_path, max_classifiers=2).fit(skip_cv_checks=True)
    assert restored(tmp_path).total_classifiers == 2
    with pytest.raises(SaveDirectoryError, match="with max_classifiers 2, not 18"):
        restored(tmp_path, total_budget=24, num_batches=4)


def test_a_state_of_format_1_restores_with_the_engines_number_of_classifiers(tmp_path):
    """PySHAC 1.0.0 did not save it."""
    make_engine(tmp_path, max_classifiers=1).fit(skip_cv_checks=True)
    path = tmp_path / "state.json"
    state = json.loads(path.read_text())
    del state["sha256"], state["max_classifiers"]
    state["format"] = 1
    path.write_text(json.dumps({**state, "sha256": state_file.checksum(state)}))
    for number in (1, 5):
        engine = restored(tmp_path, max_classifiers=number)
        assert len(engine.dataset) == 18
    engine.save_data()
    state = json.loads(path.read_text())
    assert (state["format"], state["max_classifiers"]) == (2, 5)
    del state["max_classifiers"], state["sha256"]
    path.write_text(json.dumps({**state, "sha256": state_file.checksum(state)}))
    with pytest.raises(SaveDirectoryError, match="max_classifiers"):
        restored(tmp_path)


@pytest.mark.slow
def test_a_large_batch_restores_within_a_small_budget(tmp_path):
    """The journal of the batch is larger than any that a search of the small budget writes."""
    space = [MultiUniformHP("w", 0.0, 1.0, sample_count=150)]
    options = {"parameters": space, "method": "paper"}
    engine = make_engine(tmp_path, None, total_budget=8000, num_batches=1, **options)
    (first,) = engine.ask(1)
    for budget in (100, 50, 8000):
        again = restored(tmp_path, total_budget=budget, num_batches=1, method="paper")
        again.save_data()
    assert again.ask(1) == [first]
