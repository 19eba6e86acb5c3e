"""What engines and save directories refuse, how they say it, and that nothing is touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import zlib

import numpy as np
import pytest

from pyshac import (
    SHAC,
    Callback,
    DirectoryInUseError,
    DiscreteHP,
    EvaluationError,
    HyperParameterList,
    IntegerHP,
    MultiUniformHP,
    SaveDirectoryError,
    UniformHP,
)
from pyshac.core.storage.state_file import FORMAT
from tests.engine.engine_helpers import (
    InterruptedAt,
    evaluate,
    make_engine,
    make_space,
    raw_contents,
    restored,
    samples_of,
)

# Arguments of the engine


def engine_with(tmp_path, **changes):
    arguments = {
        "hyperparameter_list": make_space(),
        "total_budget": 12,
        "num_batches": 3,
        "save_dir": tmp_path,
    }
    return SHAC(evaluate, **{**arguments, **changes})


@pytest.mark.parametrize("name", ["total_budget", "num_batches", "max_classifiers"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (0, ValueError),
        (-4, ValueError),
        (4.5, TypeError),
        (0.0, ValueError),
        ("4", TypeError),
        (None, TypeError),
        (True, TypeError),
        (float("nan"), TypeError),
    ],
)
def test_numbers_must_be_positive_ints(tmp_path, name, value, error):
    shown = 0 if value == 0 else value
    with pytest.raises(error, match=f"{name} must be an int of at least 1.*{shown!r}"):
        engine_with(tmp_path, **{name: value})
    assert raw_contents(tmp_path) == {}


@pytest.mark.parametrize(("total_budget", "num_batches"), [(10, 3), (3, 10), (200, 21)])
def test_budget_must_be_divisible_by_batches(tmp_path, total_budget, num_batches):
    expected = f"total_budget={total_budget}, num_batches={num_batches}"
    with pytest.raises(ValueError, match=f"divisible.*{expected}"):
        engine_with(tmp_path, total_budget=total_budget, num_batches=num_batches)


@pytest.mark.parametrize("objective", ["maximize", "MAX", "", None, 1, ["max"]])
def test_objective_must_be_max_or_min(tmp_path, objective):
    expected = re.escape(f"objective must be 'max' or 'min'. Got {objective!r}")
    with pytest.raises(ValueError, match=expected):
        engine_with(tmp_path, objective=objective)


@pytest.mark.parametrize("parameters", [[], (), HyperParameterList()])
def test_there_must_be_parameters(tmp_path, parameters):
    with pytest.raises(ValueError, match="at least one hyperparameter"):
        engine_with(tmp_path, hyperparameter_list=parameters)


@pytest.mark.parametrize("parameters", [5, "x", {"x": 1}, UniformHP("x", 0, 1), object()])
def test_parameters_must_be_a_list(tmp_path, parameters):
    with pytest.raises(TypeError, match="hyperparameter_list must be a list of hyperparameters"):
        engine_with(tmp_path, hyperparameter_list=parameters)


@pytest.mark.parametrize("item", ["x", 3, UniformHP])
def test_parameters_must_be_hyperparameters(tmp_path, item):
    with pytest.raises(TypeError, match=r"must hold hyperparameters.* Got"):
        engine_with(tmp_path, hyperparameter_list=[UniformHP("x", 0, 1), item])


@pytest.mark.parametrize(
    "others",
    [
        [UniformHP("x", 0, 1)],
        [DiscreteHP("x_1", [1]), MultiUniformHP("x", 0, 1, sample_count=2)],
    ],
)
def test_names_must_be_distinct(tmp_path, others):
    with pytest.raises(ValueError, match=r"Names must be distinct\. Got 'x"):
        engine_with(tmp_path, hyperparameter_list=[UniformHP("x", 0, 1), *others])


@pytest.mark.parametrize("function", [5, "evaluate", [evaluate]])
def test_functions_must_be_callable(tmp_path, function):
    with pytest.raises(TypeError, match="evaluation_function must be callable or None"):
        SHAC(function, make_space(), 12, 3, save_dir=tmp_path)
    with pytest.raises(TypeError, match="evaluation_function must be callable or None"):
        engine_with(tmp_path).fit(function)
    assert raw_contents(tmp_path) == {}


def test_there_must_be_a_function(tmp_path):
    with pytest.raises(RuntimeError, match="hand it to the constructor or to fit"):
        make_engine(tmp_path, None).fit()
    assert raw_contents(tmp_path) == {}


@pytest.mark.parametrize("name", ["fit", "ask", "save_data", "predict"])
def test_without_parameters_nothing_goes(tmp_path, name):
    engine = SHAC(evaluate, None, 12, 3, save_dir=tmp_path / "none")
    with pytest.raises(RuntimeError, match=r"no hyperparameters.*restore_data\(\)"):
        getattr(engine, name)()
    with pytest.raises(RuntimeError, match="no hyperparameters"):
        engine.tell([], [])
    assert not (tmp_path / "none").exists()
    assert len(engine.dataset) == 0
    assert engine.best_score is None
    assert engine.classifiers == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"timeout": 0}, ValueError, "timeout must be above 0"),
        ({"timeout": float("inf")}, ValueError, "timeout must be above 0, and at most"),
        ({"timeout": 1e10}, ValueError, "timeout must be above 0, and at most"),
        ({"timeout": "1"}, TypeError, "timeout must be seconds or None"),
        ({"retries": -1}, ValueError, "retries must be an int of at least 0"),
        ({"retries": 1.5}, TypeError, "retries must be an int"),
        ({"catch": "ValueError"}, TypeError, "catch must hold exception types. Got 'ValueError'"),
        ({"catch": [ValueError, 3]}, TypeError, r"catch must hold exception types\. Got 3"),
        ({"catch": 3}, TypeError, "catch must hold exception types"),
        ({"skip_cv_checks": [Callback()]}, TypeError, "skip_cv_checks must be True or False. Got"),
        ({"early_stop": "no"}, TypeError, "early_stop must be True or False. Got 'no' instead"),
        ({"relax_checks": 1}, TypeError, "relax_checks must be True or False. Got 1 instead"),
        ({"fresh_process": None}, TypeError, "fresh_process must be True or False. Got None"),
    ],
)
def test_arguments_of_fit(tmp_path, arguments, error, message):
    function = InterruptedAt(0)
    engine = make_engine(tmp_path, function, backend="loky")
    with pytest.raises(error, match=message):
        engine.fit(**arguments)
    assert function.calls == 0
    assert raw_contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda engine: engine.ask(relax_checks="no"), "relax_checks"),
        (lambda engine: engine.tell([], [], skip_cv_checks="no"), "skip_cv_checks"),
        (lambda engine: engine.predict(relax_checks="no"), "relax_checks"),
        (lambda engine: engine.replay(relax_checks="no"), "relax_checks"),
        (lambda engine: engine.fit_dataset("scores.csv", presort="no"), "presort"),
        (lambda engine: setattr(engine, "limit_memory", "no"), "limit_memory"),
    ],
)
def test_flags_of_other_methods(tmp_path, call, name):
    engine = make_engine(tmp_path, pace="stream")
    with pytest.raises(TypeError, match=f"{name} must be True or False. Got 'no' instead"):
        call(engine)
    assert raw_contents(tmp_path) == {}
    assert not engine.limit_memory


def test_numbers_and_flags_of_numpy(tmp_path):
    engine = make_engine(tmp_path)
    engine.fit(skip_cv_checks=np.True_, verbose=0, max_seconds=np.int64(600))
    assert len(engine.dataset) == 18


class Counting:
    """An evaluation function that has a length, which is 0 at first."""

    def __init__(self):
        self.calls = []

    def __len__(self):
        return len(self.calls)

    def __call__(self, worker_id, parameters):
        self.calls.append(worker_id)
        return parameters["x"]


def test_a_function_that_is_false(tmp_path):
    function = Counting()
    make_engine(tmp_path).fit(function, verbose=0)
    assert len(function) == 18


@pytest.mark.parametrize("arguments", [{"timeout": 1.0}, {"fresh_process": True}])
def test_what_needs_processes_is_refused_to_threads(tmp_path, arguments):
    engine = make_engine(tmp_path)
    with pytest.raises(ValueError, match=r"evaluator_backend is 'threading'.*parallel_evaluators"):
        engine.fit(**arguments)


@pytest.mark.parametrize("score", [None, "0.5", True, [0.5, 1.5], {1.5}, 1j, b"1"])
def test_scores_must_be_numbers(tmp_path, score):
    calls = []

    def wrong(worker_id, parameters):
        calls.append(1)
        return score if len(calls) == 3 else evaluate(worker_id, parameters)

    engine = make_engine(tmp_path, wrong)
    expected = re.escape(f"must be a number. Got {score!r} of type {type(score).__name__}")
    with pytest.raises(TypeError, match=rf"score of sample 2, .*'x': .*{expected}"):
        engine.fit()
    assert len(calls) == 3
    assert len(restored(tmp_path).dataset) == 2


# Save directories


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A directory with two finished batches, two classifiers, and two samples in a journal."""
    engine = make_engine(tmp_path_factory.mktemp("cut"), InterruptedAt(15))
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    assert len(engine.classifiers) == 2
    return engine.save_dir


@pytest.fixture
def directory(cut, tmp_path):
    shutil.copytree(cut, tmp_path / "shac")
    return tmp_path / "shac"


FILES = [
    "state.json",
    "datasets/parameters.json",
    "datasets/dataset.csv",
    "datasets/evaluations.jsonl",
    "classifiers/00.ubj",
    "classifiers/01.ubj",
    "journal.jsonl",
]


# Those with a line for each sample.
TABLES = ["datasets/dataset.csv", "datasets/evaluations.jsonl"]


def refuses(directory, name, message=None):
    """Nothing of a directory is used, or overwritten, and the error names the file."""
    before = raw_contents(directory)
    for engine in (make_engine(directory, parameters=None), make_engine(directory)):
        engine.concurrent_evaluators()
        with pytest.raises(SaveDirectoryError, match=message) as caught:
            engine.restore_data()
        assert str(directory / name) in str(caught.value)
        assert len(engine.dataset) == 0
        assert raw_contents(directory) == before
    # The second engine has parameters of its own, and still must not overwrite what is there.
    if (directory / "state.json").exists():
        with pytest.raises(SaveDirectoryError, match="holds another run already"):
            engine.fit()
    assert raw_contents(directory) == before


@pytest.mark.parametrize("name", FILES[:-1])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_files(directory, name, share):
    path = directory / name
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refuses(directory, name)


@pytest.mark.parametrize("name", FILES[:-1])
def test_files_with_another_character(directory, name):
    """Digits, which leave JSON and CSV as readable as before."""
    path = directory / name
    data = path.read_bytes()
    digits = [place for place, byte in enumerate(data) if chr(byte).isdigit()]
    for place in digits[:: len(digits) // 6 or 1]:
        if b"seed" in data[max(0, place - 20) : place]:
            # Seeds of parameters belong to sampling by hand, not to the run.
            continue
        other = b"1" if data[place : place + 1] != b"1" else b"2"
        path.write_bytes(data[:place] + other + data[place + 1 :])
        last_two = sum(map(len, data.splitlines(keepends=True)[-2:]))
        if name in TABLES and place >= len(data) - last_two:
            # The last two samples stand in the journal as well, which is what counts.
            continue
        refuses(directory, name)


@pytest.mark.parametrize("name", FILES[:-1])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe garbage", b"[]", b"{}", b"null"])
def test_files_of_something_else(directory, name, content):
    (directory / name).write_bytes(content)
    refuses(directory, name)


@pytest.mark.parametrize("name", FILES[1:-1])
def test_missing_files(directory, name):
    (directory / name).unlink()
    refuses(directory, name, "is missing")


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_directories(directory, name):
    (directory / name).unlink()
    (directory / name).mkdir()
    refuses(directory, name, "not a regular file")


def test_deeply_nested_json(directory):
    (directory / "state.json").write_text("[" * 100_000)
    refuses(directory, "state.json", "not valid JSON")
    (directory / "state.json").write_text('{"format": 1, "a": ' + "[" * 100 + "]" * 100 + "}")
    refuses(directory, "state.json", "levels deep")


def test_corrupt_journal_line(directory):
    path = directory / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    for number, line in enumerate(lines):
        changed = line.replace(b"1", b"3", 1) if b"1" in line else b"0" + line
        path.write_bytes(b"".join([*lines[:number], changed, *lines[number + 1 :]]))
        refuses(directory, "journal.jsonl", f"line {number + 1} is corrupt")


@pytest.mark.parametrize(
    "record",
    [
        {"id": 99, "score": 1.0, "worker": 0},
        {"id": 14, "score": "high", "worker": 0},
        {"id": 13, "score": 1.0, "worker": 0},
        {"score": 1.0},
        {"batch": 30, "rows": []},
        {"batch": 12, "rows": [[99.0, 1, 0.5, 0.5]]},
        {"batch": 12},
        [],
    ],
)
def test_journal_lines_that_make_no_sense(directory, record):
    """With a right checksum, as a program with a fault would write them."""
    data = json.dumps(record).encode()
    path = directory / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b"%08x %s\n" % (zlib.crc32(data), data))
    refuses(directory, "journal.jsonl", r"line 4.* is corrupt")


@pytest.mark.parametrize("cut_off", [2, 3, 9, 20])
def test_torn_last_journal_line(directory, cut_off, caplog):
    """What a crash cuts short is evaluated again; it stands in nobody's way."""
    expected = samples_of(restored(directory))
    path = directory / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-cut_off])
    engine = restored(directory)
    assert "dropped the last line" in caplog.text
    assert samples_of(engine) == expected[:-1]
    sample = engine.ask(1)[0]
    engine.tell(sample, evaluate(0, sample))
    again = restored(directory)
    assert samples_of(again) == expected
    again.fit(skip_cv_checks=True)
    assert len(again.dataset) == 18


def test_newer_format(directory):
    path = directory / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, "format": FORMAT + 1, "something": "new"}))
    refuses(directory, "state.json", f"format {FORMAT + 1}, written by a newer PySHAC")


@pytest.mark.parametrize(
    "space",
    [
        [UniformHP("x", -5.0, 5.0)],
        [*make_space(), UniformHP("y", 0, 1)],
        list(make_space())[::-1],
        [UniformHP("x", -5.0, 6.0), *list(make_space())[1:]],
        [UniformHP("z", -5.0, 5.0), *list(make_space())[1:]],
        [IntegerHP("x", -5, 5), *list(make_space())[1:]],
        [
            UniformHP("x", -5.0, 5.0),
            DiscreteHP("kind", [1.0, 1, "1", True, None]),
            MultiUniformHP("w", 0.0, 1.0, sample_count=2),
        ],
        [
            UniformHP("x", -5.0, 5.0),
            DiscreteHP("kind", [1, 1.0, "1", True, None]),
            MultiUniformHP("w", 0.0, 1.0, sample_count=3),
        ],
    ],
)
def test_another_search_space(directory, space):
    before = raw_contents(directory)
    engine = make_engine(directory, parameters=space)
    with pytest.raises(SaveDirectoryError, match="a search of another space") as caught:
        engine.restore_data()
    assert str(directory) in str(caught.value)
    assert len(engine.dataset) == 0
    assert raw_contents(directory) == before
    with pytest.raises(SaveDirectoryError, match="holds another run already"):
        engine.fit()
    assert raw_contents(directory) == before


def test_the_default_objective_gives_way(directory):
    before = raw_contents(directory)
    assert restored(directory, objective="max").objective == "min"
    assert raw_contents(directory) == before


@pytest.mark.parametrize("call", ["fit", "ask", "save_data", "fit_dataset"])
def test_a_directory_that_holds_another_run(directory, call, tmp_path):
    before = raw_contents(directory)
    function = InterruptedAt(0)
    engine = make_engine(directory, function)
    samples = tmp_path / "samples.csv"
    rows = "".join(f"{n},0.5,None,0.5,0.5,{n}\n" for n in range(18))
    samples.write_text("id,x,kind,w_1,w_2,scores\n" + rows)
    arguments = [samples] if call == "fit_dataset" else []
    with pytest.raises(SaveDirectoryError, match=r"resume=True"):
        getattr(engine, call)(*arguments)
    assert function.calls == 0
    assert raw_contents(directory) == before


def test_a_second_engine_while_the_first_is_writing(tmp_path):
    errors = []

    def meanwhile(worker_id, parameters):
        other = restored(tmp_path)
        for call in (other.fit, other.ask, other.save_data):
            with pytest.raises(DirectoryInUseError, match="being written by another") as caught:
                call()
            errors.append(str(caught.value))
        return evaluate(worker_id, parameters)

    engine = make_engine(tmp_path, meanwhile, total_budget=2, num_batches=1)
    engine.fit()
    assert len(engine.dataset) == 2
    assert len(errors) == 6
    assert f"process {os.getpid()} on host" in errors[0]
    assert "choose another save_dir" in errors[0]


def test_a_second_engine_that_has_written_meanwhile(tmp_path):
    first = make_engine(tmp_path)
    first.ask()
    second = restored(tmp_path)
    sample = second.ask(1)[0]
    second.tell(sample, 1.0)
    before = raw_contents(tmp_path)
    for call in (first.fit, first.ask, first.save_data):
        with pytest.raises(DirectoryInUseError, match="Another engine has written to"):
            call()
    assert raw_contents(tmp_path) == before
    assert len(restored(tmp_path).dataset) == 1


def test_a_save_dir_that_is_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("keep me")
    function = InterruptedAt(0)
    engine = make_engine(path, function)
    with pytest.raises(OSError, match="file"):
        engine.fit()
    assert function.calls == 0
    assert path.read_text() == "keep me"


def test_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "raw.csv").write_text("mine, too")
    make_engine(tmp_path, total_budget=6, num_batches=1).fit()
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "datasets" / "raw.csv").read_text() == "mine, too"
