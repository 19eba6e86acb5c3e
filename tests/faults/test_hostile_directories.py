"""Save directories made by somebody who means ill: nothing runs, nothing outside is touched."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zlib
from pathlib import Path

import pytest

from pyshac import Dataset, EvaluationError, SaveDirectoryError
from pyshac.core.basics import files
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.state_file import checksum
from tests.engine.engine_helpers import (
    FIXTURES,
    InterruptedAt,
    make_engine,
    raw_contents,
    restored,
    run_script,
)

FILES = [
    "state.json",
    "journal.jsonl",
    "datasets/dataset.csv",
    "datasets/evaluations.jsonl",
    "datasets/parameters.json",
    "classifiers/00.ubj",
]


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A directory with two finished batches, two classifiers, and two samples in a journal."""
    engine = make_engine(tmp_path_factory.mktemp("cut"), InterruptedAt(15))
    with pytest.raises(EvaluationError):
        engine.fit(skip_cv_checks=True)
    return Path(engine.save_dir)


@pytest.fixture
def directory(cut, tmp_path):
    shutil.copytree(cut, tmp_path / "shac")
    return tmp_path / "shac"


def sign(directory, **changes):
    """Changes the state, with checksums that match whatever lies there now."""
    path = directory / "state.json"
    state = {**json.loads(path.read_text()), **changes}
    del state["sha256"]
    csv = (directory / "datasets" / "dataset.csv").read_bytes()
    state["csv_sha256"] = files.digest(csv[: state["csv_bytes"]])
    evaluations = (directory / "datasets" / "evaluations.jsonl").read_bytes()
    state["evaluations_sha256"] = files.digest(evaluations[: state["evaluations_bytes"]])
    state["classifiers"] = [
        files.digest((directory / "classifiers" / f"{number:02d}.ubj").read_bytes())
        for number in range(len(state["classifiers"]))
    ]
    path.write_text(json.dumps({**state, "sha256": checksum(state)}))


def refuse(directory, message):
    before = raw_contents(directory)
    with pytest.raises(SaveDirectoryError, match=message):
        restored(directory)
    assert raw_contents(directory) == before


# Code


class Bomb:
    """What runs when a pickle of it is loaded."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_pickles_are_never_opened(tmp_path, directory):
    legacy = tmp_path / "legacy"
    shutil.copytree(next(path.parents[1] for path in FIXTURES.rglob("dataset.csv")), legacy)
    data = pickle.dumps(Bomb(tmp_path / "ran"))
    for folder in (legacy, directory):
        for name in ("classifiers.pkl", "classifiers/classifiers.pkl", "datasets/dataset.pkl"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
    engine = make_engine(legacy, parameters=None, objective="max")
    engine.restore_data()
    assert len(engine.dataset)
    assert len(restored(directory).dataset) == 14
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", FILES)
def test_pickles_under_the_names_of_other_files(tmp_path, directory, name):
    (directory / name).write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    if name.startswith("classifiers"):
        sign(directory)
    with pytest.raises(SaveDirectoryError, match=name):
        restored(directory)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "class_name",
    [
        "os.system", "system", "eval", "exec", "type", "object", "__import__", "builtins.eval",
        "subprocess.Popen", "AbstractHyperParameter", "ColumnHyperParameter", "HyperParameterList",
        "tests.faults.test_hostile_directories.Bomb", "Bomb", "", "__class__", None, 1, ["os"],
        {"__tuple__": ["os"]},
    ],
)  # fmt: skip
def test_class_names_come_from_the_registry_only(tmp_path, directory, class_name):
    path = directory / "datasets" / "parameters.json"
    config = json.loads(path.read_text())
    config["x"][0] = class_name
    path.write_text(json.dumps(config))
    refuse(directory, "parameters.json' holds no search space: .*'x'")


@pytest.mark.parametrize(
    "distribution",
    ["rv_discrete", "rv_continuous", "gaussian_kde", "_distn_infrastructure", "np", "__builtins__",
     "norm.__class__", "multivariate_normal", "nothing", "", None, 3, ["norm"]],
)  # fmt: skip
def test_distributions_come_from_scipy_stats_only(directory, distribution):
    path = directory / "datasets" / "parameters.json"
    config = json.loads(path.read_text())
    arguments = {"name": "x", "distribution": distribution, "args": [], "kwds": {}}
    config["x"] = ["DistributionHP", {**arguments, "log_encode": False, "seed": None}]
    path.write_text(json.dumps(config))
    refuse(directory, "parameters.json' holds no search space: 'x'")


AUDITED = """
import sys
from pathlib import Path
from tests.engine.engine_helpers import *

engine = make_engine(sys.argv[1], parameters=None)
# What is loaded when it is needed.
make_engine(sys.argv[2]).fit(skip_cv_checks=True)
restored(sys.argv[2])
FORBIDDEN = ("exec", "compile", "import", "marshal.", "pickle.", "os.system", "os.exec", "os.fork",
             "os.posix_spawn", "subprocess.", "ctypes.dlopen", "socket.", "os.rename", "os.remove",
             "os.mkdir", "os.truncate", "os.chmod", "shutil.")
found = []

def watch(event, arguments):
    if event.startswith(FORBIDDEN):
        found.append((event, repr(arguments)[:200]))
    elif event == "open" and (arguments[1] or "r") != "r" and "b" not in (arguments[1] or "r"):
        found.append((event, repr(arguments)[:200]))

sys.addaudithook(watch)
engine.restore_data()
events = list(found)
assert len(engine.dataset) == 14 and len(engine.classifiers) == 2
print(events)
"""


@pytest.mark.slow
def test_reading_runs_nothing_and_writes_nothing(tmp_path, directory):
    """Python's own record of what a program does."""
    ended = run_script(AUDITED, directory, tmp_path / "other")
    assert (ended.returncode, ended.stdout.splitlines()[-1:]) == (0, ["[]"]), (
        ended.stdout + ended.stderr
    )


# Links


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    (folder / "datasets").mkdir(parents=True)
    (folder / "classifiers").mkdir()
    for name in [*FILES, "lock", "lock.json", "datasets/.writing-abc", ".writing-abc"]:
        (folder / name).write_text("of somebody else")
    return folder


@pytest.mark.parametrize("name", [*FILES, "datasets", "classifiers", "lock", "lock.json"])
@pytest.mark.parametrize("is_whole", [True, False])
def test_symbolic_links_are_not_followed(cut, directory, outside, name, is_whole):
    """Neither to what somebody else has, nor to files that would do."""
    if is_whole:
        shutil.rmtree(outside)
        shutil.copytree(cut, outside)
    before = raw_contents(outside), sorted(outside.rglob("*"))
    link = directory / name
    if link.is_dir():
        shutil.rmtree(link)
    else:
        link.unlink(missing_ok=True)
    link.symlink_to(outside / name)
    message = f"{name}' is a symbolic link"
    with pytest.raises(SaveDirectoryError, match=message):
        restored(directory)
    engine = make_engine(directory)
    for call in (engine.fit, engine.ask, engine.save_data):
        with pytest.raises(SaveDirectoryError):
            call()
    assert (raw_contents(outside), sorted(outside.rglob("*"))) == before


def test_a_save_dir_may_itself_be_a_link(cut, tmp_path):
    """The user chose it, not the directory's author."""
    shutil.copytree(cut, tmp_path / "large-disk")
    (tmp_path / "shac").symlink_to(tmp_path / "large-disk")
    engine = restored(tmp_path / "shac")
    engine.fit(skip_cv_checks=True)
    assert len(restored(tmp_path / "large-disk").dataset) == 18


@pytest.mark.parametrize("name", [*FILES, "lock", "lock.json"])
def test_hard_links_are_not_written_through(directory, tmp_path, name):
    """Archives can make them."""
    before = (directory / name).read_bytes() if (directory / name).exists() else b""
    (tmp_path / "outside").write_bytes(before)
    (directory / name).unlink(missing_ok=True)
    os.link(tmp_path / "outside", directory / name)
    restored(directory).fit(skip_cv_checks=True)
    assert (tmp_path / "outside").read_bytes() == before
    assert len(restored(directory).dataset) == 18


def test_temporaries_that_are_none(directory, tmp_path):
    """Names that the library itself would remove."""
    (tmp_path / "outside").write_text("of somebody else")
    (directory / ".writing-folder").mkdir()
    (directory / "classifiers" / ".writing-link").symlink_to(tmp_path / "outside")
    restored(directory).fit(skip_cv_checks=True)
    assert (tmp_path / "outside").read_text() == "of somebody else"
    assert (directory / ".writing-folder").is_dir()
    assert not (directory / "classifiers" / ".writing-link").is_symlink()


@pytest.mark.parametrize("name", FILES)
def test_devices_and_pipes(directory, name):
    (directory / name).unlink()
    os.mkfifo(directory / name)
    refuse(directory, f"{name}' is not a regular file")


# Numbers


def parameters_with(directory, **changes):
    path = directory / "datasets" / "parameters.json"
    config = json.loads(path.read_text())
    config["w"][1].update(changes)
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(
    "count", [10**12, 10**5 + 1, 2**63, 10**4000, -1, 0, 1.5, 1e300, "9", None, True, [2]]
)
def test_sample_counts(directory, count):
    parameters_with(directory, sample_count=count)
    refuse(directory, "parameters.json' holds no search space: 'w'")


def test_many_parameters_of_many_columns(directory):
    entry = ["MultiUniformHP", {"min_value": 0, "max_value": 1, "sample_count": 10**5}]
    config = {str(n): [entry[0], {**entry[1], "name": str(n)}] for n in range(20)}
    (directory / "datasets" / "parameters.json").write_text(json.dumps(config))
    refuse(directory, "at most 100000 columns")


@pytest.mark.parametrize(
    "changes",
    [
        {"csv_bytes": 10**18},
        {"evaluations_bytes": 10**18},
        {"evaluations_bytes": 0},
        {"evaluations_bytes": "1"},
        {"evaluations_sha256": None},
        {"num_complete": 10**11},
        {"num_complete": 10**18},
        {"stage_starts": [-(10**18)]},
        {"entropy": -1},
        {"classifiers": ["0" * 64] * 10**5},
        {"format": 10**18},
        {"parameter_seeds": [1] * 10**6},
        {"parameter_seeds": [-1, 0, 0]},
        {"parameter_seeds": [True, 0, 0]},
        {"num_batches": 0},
        {"num_batches": 5},
        {"total_budget": 0},
        {"chosen": 1.0},
        {"chosen": None},
        {"chosen": "ab"},
        {"chosen": [1.0, 2.0], "good": [1.0]},
        {"chosen": [1.0], "good": []},
        {"chosen": [1], "good": [1.0]},
        {"chosen": [-1.0], "good": [1.0]},
        {"chosen": [True], "good": [1.0]},
        {"chosen": ["1"], "good": [1.0]},
        {"chosen": [1.0], "good": [float("nan")]},
        {"chosen": [1.0], "good": [1e400]},
        {"chosen": [[1.0]], "good": [1.0]},
        {"chosen": [1.0] * 10**5, "good": [1.0] * 10**5},
    ],
)
def test_states(directory, changes):
    path = directory / "state.json"
    state = {**json.loads(path.read_text()), **changes}
    del state["sha256"]
    path.write_text(json.dumps({**state, "sha256": checksum(state)}))
    refuse(directory, r"state\.json|dataset\.csv|evaluations\.jsonl|\d+\.ubj")


@pytest.mark.parametrize(
    "shares", [([5.0] * 64, [1.0] * 64), ([0.0], [1e308]), ([1e308] * 3, [0.0] * 3), ([], [])]
)
def test_a_run_goes_on_with_shares_of_any_size(directory, shares):
    sign(directory, chosen=shares[0], good=shares[1])
    engine = restored(directory)
    engine.fit(verbose=0)
    assert len(engine.dataset) == 18
    assert len(engine.predict(num_samples=5)) == 5


@pytest.mark.parametrize("chosen_by", [[63] * 6, [0] * 600, []], ids=["far", "many", "none"])
def test_a_run_goes_on_with_rankings_of_any_number(directory, chosen_by):
    path = directory / "journal.jsonl"
    first, *others = path.read_bytes().splitlines(keepends=True)
    batch = json.loads(first.partition(b" ")[2])
    data = json.dumps({**batch, "chosen_by": chosen_by, "num_checks": 10**18}).encode()
    path.write_bytes(b"%08x %s\n" % (zlib.crc32(data), data) + b"".join(others))
    engine = restored(directory)
    assert len(engine.dataset) == 14
    engine.fit(verbose=0)
    assert len(engine.dataset) == 18
    assert len(engine.predict(num_samples=5)) == 5


def test_seeds_as_large_as_they_like(directory):
    """Any whole number is a seed."""
    sign(directory, entropy=10**4000, parameter_seeds=[10**4000, None, 0])
    assert len(restored(directory).dataset) == 14


@pytest.mark.parametrize(
    "record",
    [
        {"batch": 12, "rows": 10**12},
        {"batch": 12.0, "rows": []},
        {"batch": True, "rows": []},
        {"batch": "12", "rows": []},
        {"batch": 12, "rows": [{"__tuple__": 5}]},
        {"batch": 12, "rows": [[1.0]]},
        {"batch": 12, "rows": {"a": 1}},
        {"batch": 12, "rows": [], "num_checks": -1},
        {"batch": 12, "rows": [], "num_checks": 1.0},
        {"batch": 12, "rows": [], "num_checks": True},
        {"batch": 12, "rows": [], "num_checks": "1"},
        {"batch": 12, "rows": [], "chosen_by": None},
        {"batch": 12, "rows": [], "chosen_by": 1},
        {"batch": 12, "rows": [], "chosen_by": {"0": 1}},
        {"batch": 12, "rows": [], "chosen_by": [-1]},
        {"batch": 12, "rows": [], "chosen_by": [10**9]},
        {"batch": 12, "rows": [], "chosen_by": [1.0]},
        {"batch": 12, "rows": [], "chosen_by": [True]},
        {"batch": 12, "rows": [], "chosen_by": [[0]]},
        {"id": 10**400, "score": 1.0, "worker": 0},
        {"id": 14.0, "score": 1.0, "worker": 0},
        {"id": True, "score": 1.0, "worker": 0},
        {"id": None, "score": 1.0, "worker": 0},
        {"id": 14, "score": 1e400, "worker": 0},
        {"id": 14, "score": True, "worker": 0},
        {"id": 14, "score": [1.0], "worker": 0},
        {"id": 14, "score": 10**400, "worker": 0},
        {"id": 14, "score": 1.0, "worker": "x"},
        {"id": 14, "score": 1.0, "worker": -1},
        {"id": 14, "score": 1.0, "worker": True},
    ],
    ids=str,
)
def test_records_of_a_journal(directory, record):
    data = json.dumps(record).encode()
    path = directory / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b"%08x %s\n" % (zlib.crc32(data), data))
    refuse(directory, "line 4.* is corrupt")


# Sizes


def sparse(path, size):
    """A file that says it is large, and takes no room."""
    with open(path, "wb") as file:
        file.truncate(size)


SIZES = """
import resource, sys, time
from tests.engine.engine_helpers import *
from pyshac import SaveDirectoryError

engine = make_engine(sys.argv[1], parameters=None)
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
try:
    engine.restore_data()
    print("accepted")
except SaveDirectoryError as error:
    print("refused")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, time.monotonic() - started)
"""


def bomb(directory, name):
    """Makes one file of a directory as large, or as costly, as it gets."""
    csv, journal = directory / "datasets" / "dataset.csv", directory / "journal.jsonl"
    if name == "long line":
        sparse(csv, 10 * 2**30)
    elif name == "long line within the limit":
        sparse(csv, 2**31)
        sign(directory, csv_bytes=100)
    elif name == "long line after the header":
        header = csv.read_bytes().split(b"\n")[0] + b"\n"
        with open(csv, "wb") as file:
            file.write(header)
            file.truncate(2**31)
        sign(directory, csv_bytes=len(header))
    elif name == "record of many lines":
        header = csv.read_bytes().split(b"\n")[0] + b"\n"
        csv.write_bytes(header + b'","\n' * 2**24)
        sign(directory, csv_bytes=len(header))
    elif name == "journal":
        sparse(journal, 10 * 2**30)
    elif name == "journal within the limit":
        data = b'{"batch":12,"rows":[' + b"[]," * 2**24 + b"[]]}"
        journal.write_bytes(b"%08x %s\n" % (zlib.crc32(data), data))
    elif name == "parameters":
        (directory / "datasets" / "parameters.json").write_text("[" + "[]," * (5 * 2**20) + "[]]")
    elif name == "nesting":
        (directory / "datasets" / "parameters.json").write_text('{"a":' * 2**20)
    elif name == "state":
        (directory / "state.json").write_text("[" + "{}," * (5 * 2**20) + "{}]")
    elif name == "classifier":
        sparse(directory / "classifiers" / "00.ubj", 10 * 2**30)
    elif name == "lists in a classifier":
        count = b"L" + (2**40).to_bytes(8, "big")
        (directory / "classifiers" / "00.ubj").write_bytes(b"[#" + count + b"[#" * 2**22)
        sign(directory)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["long line", "long line within the limit", "long line after the header",
     "record of many lines", "journal", "journal within the limit", "parameters", "nesting",
     "state", "classifier", "lists in a classifier"],
)  # fmt: skip
def test_sizes_are_bounded_before_memory_is_taken(directory, name):
    bomb(directory, name)
    ended = run_script(SIZES, directory)
    assert ended.returncode == 0, ended.stderr
    outcome, figures = ended.stdout.splitlines()
    kilobytes, seconds = figures.split()
    assert outcome == "refused"
    # A tenth of what a search of a million samples takes; time enough for a busy machine.
    assert int(kilobytes) < 2**20
    assert float(seconds) < 30


@pytest.mark.parametrize("name", ["long line", "journal", "nesting", "classifier"])
def test_large_files_are_refused_by_name(directory, name):
    bomb(directory, name)
    with pytest.raises(SaveDirectoryError, match="is larger than|is not valid JSON"):
        restored(directory)


def test_a_lock_file_that_says_anything(directory):
    (directory / "lock.json").write_bytes(b'{"process": "' + b"9" * 4000)
    engine = restored(directory)
    other = SaveDirectory(directory)
    other.attach(other.load()[1])
    with other.writing():
        (directory / "lock.json").write_text('{"process": 1e999, "host": {"a": ["b"]}}')
        with pytest.raises(SaveDirectoryError, match="process unknown"):
            engine.save_data()


# Time


@pytest.mark.parametrize(
    ("distribution", "args"),
    [("zipf", [1.0001]), ("nbinom", [1e12, 1e-9]), ("betabinom", [1e9, 2, 3]),
     ("nchypergeom_fisher", [20, 7, 5, 1e300]), ("levy_stable", [1e-9, 1e-9])],
)  # fmt: skip
def test_distributions_that_keep_their_reader_busy(directory, distribution, args):
    path = directory / "datasets" / "parameters.json"
    config = json.loads(path.read_text())
    arguments = {"name": "x", "distribution": distribution, "args": args, "kwds": {}}
    config["x"] = ["DistributionHP", {**arguments, "log_encode": False, "seed": None}]
    path.write_text(json.dumps(config))
    before = raw_contents(directory)
    # Nor with parameters of the user's own, which are others.
    for engine in (make_engine(directory), make_engine(directory, parameters=None)):
        with pytest.raises(SaveDirectoryError, match=r"'x' .*not taken from a file"):
            engine.restore_data()
    with pytest.raises(SaveDirectoryError, match=r"'x' .*not taken from a file"):
        Dataset.load_from_directory(directory)
    assert raw_contents(directory) == before


@pytest.mark.parametrize("number", [1001, pytest.param(100_000, marks=pytest.mark.slow)])
def test_parameters_without_end(directory, number):
    entry = {"min_value": 0, "max_value": 1}
    config = {f"{n}": ["UniformHP", {"name": f"{n}", **entry}] for n in range(number)}
    (directory / "datasets" / "parameters.json").write_text(json.dumps(config))
    refuse(directory, f"{number} parameters are more than the 1000 that are taken from a file")


def test_choices_without_end(directory):
    config = {"x": ["DiscreteHP", {"name": "x", "values": list(range(10**6))}]}
    (directory / "datasets" / "parameters.json").write_text(json.dumps(config))
    refuse(directory, "values are more than the 262144 that are taken from a file")
