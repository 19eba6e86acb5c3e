"""What is fuzzed: every reader of a save directory, given bytes that nobody vouches for.

A target takes any bytes and returns whether they were accepted. It lets `SaveDirectoryError` and
its kind pass as a refusal; any other exception is a finding.
"""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xgboost
from scipy import stats

from pyshac.core.basics import plain_values
from pyshac.core.classifiers import ubjson, untrusted_models
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.training import Admission
from pyshac.core.dataset.dataset import Dataset
from pyshac.core.dataset.formats import journal_file
from pyshac.core.dataset.formats.constraints_file import encode_constraints, read_constraints
from pyshac.core.dataset.formats.csv_file import read_csv
from pyshac.core.dataset.formats.parameters_file import build_space, read_config
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import (
    Constraint,
    DiscreteHP,
    DistributionHP,
    Forbidden,
    HyperParameterList,
    IntegerHP,
    Less,
    LinearConstraint,
    LogUniformHP,
    MultiDiscreteHP,
    MultiIntegerHP,
    MultiLogUniformHP,
    MultiUniformHP,
    NormalHP,
    OrdinalHP,
    SimplexHP,
    UniformHP,
)
from pyshac.core.run.run import Run
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.search import Search
from pyshac.core.search.settings import Settings
from pyshac.core.storage import journal_records
from pyshac.core.storage.directory_lock import read_holder
from pyshac.core.storage.layout import Layout
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.saved_run import SavedRun
from pyshac.core.storage.state_file import checksum, decode_state
from tests.cascades import cascade_of
from tests.core.storage.searches import details_of, draw_batch

FIXTURES = Path(__file__).parents[2] / "fixtures"
_FOLDER = Path(tempfile.mkdtemp(prefix="pyshac-fuzz-"))
_SCHEDULE = Schedule.in_batches(40, 4)
_NAMES = (
    "state.json", "journal.jsonl", "datasets/dataset.csv", "datasets/parameters.json",
    "classifiers/00.ubj", "lock.json", "datasets/evaluations.jsonl", "datasets/constraints.json",
)  # fmt: skip


def make_space() -> HyperParameterList:
    """A space with every kind of parameter whose values are quick to read, some conditional."""
    return HyperParameterList(
        [
            UniformHP("x", -5.0, 5.0),
            DiscreteHP("kind", [1, 1.0, "1", True, None, (1, "a"), "=cmd()", 'a,"b"\n']),
            IntegerHP("n", 1, 100, log=True),
            LogUniformHP("rate", 1e-5, 1e-1),
            NormalHP("z", 0.0, 2.0),
            MultiUniformHP("w", 0.0, 1.0, sample_count=2),
            MultiDiscreteHP("c", ["a", "b"], sample_count=2),
            UniformHP("m", 0.0, 1.0).when("kind", [None, "1"]).when("x", at_least=0.0),
            MultiUniformHP("v", 0.0, 1.0, sample_count=2).when("n", at_most=50),
        ],
        seed=3,
        constraints=[
            Less("w_1", "w_2"),
            LinearConstraint({"x": 1, "m": -0.5}, at_most=4.5),
            Forbidden({"kind": (1, "a"), "c_2": "b"}),
        ],
    )


_SPACE = make_space()


def fuzz_text(data: bytes) -> bool:
    """The text of one value, as in a cell of the dataset."""
    value = plain_values.from_text(data.decode("utf-8", errors="replace"))
    plain_values.identity(value)
    return not isinstance(value, str)


def fuzz_dataset(data: bytes) -> bool:
    """The rows of a dataset file below a right header."""
    header = ",".join(["id", *_SPACE.get_parameter_names(), "scores"])
    dataset = Dataset(_SPACE)
    try:
        text = header + "\n" + data.decode("utf-8", errors="replace")
        dataset._take_rows(read_csv(text, _SPACE, "dataset.csv"), "dataset.csv")
    except (ValueError, TypeError):
        return False
    # What is accepted can be written, and is the same then.
    again = Dataset(_SPACE)
    again._take_rows(read_csv(dataset.to_csv(), _SPACE, "again"), "again")
    if repr((again.ids, again.X, again.Y)) != repr((dataset.ids, dataset.X, dataset.Y)):
        raise RuntimeError("the dataset is another after it was written")
    return True


def fuzz_header(data: bytes) -> bool:
    """A whole dataset file, through the disk."""
    folder = _FOLDER / "header" / "datasets"
    if not folder.exists():
        folder.mkdir(parents=True)
        text = json.dumps(plain_values.to_json(_SPACE.get_config()))
        (folder / "parameters.json").write_text(text, encoding="utf-8")
    (folder / "dataset.csv").write_bytes(data)
    try:
        Dataset.load_from_directory(folder.parent)
    except SaveDirectoryError:
        return False
    return True


def fuzz_parameters(data: bytes) -> bool:
    """A `parameters.json`; where it describes parameters of the user, these make no difference."""
    path = _FOLDER / "parameters.json"
    path.write_bytes(data)
    try:
        content = read_config(path)
    except SaveDirectoryError:
        return False
    space, other = (_space_or_none(content, path, known) for known in (None, _SPACE))
    if repr(space) != repr(other):
        raise RuntimeError("the user's own parameters make another space")
    if space is None:
        return False
    if len(space) and space.is_vectorised:
        space.draw(2, np.random.SeedSequence(0))
    return True


def fuzz_constraints(data: bytes) -> bool:
    """A `constraints.json`."""
    path = _FOLDER / "constraints.json"
    path.write_bytes(data)
    try:
        space = read_constraints(path, _SPACE)
    except SaveDirectoryError:
        return False
    space.obeys_relations(space.draw(2, np.random.SeedSequence(0)))
    # What is accepted can be written, and is the same then.
    path.write_bytes(encode_constraints(space.constraints))
    if repr(read_constraints(path, _SPACE).constraints) != repr(space.constraints):
        raise RuntimeError("the constraints are others after they were written")
    return True


def _space_or_none(
    content: object, path: Path, known: HyperParameterList | None
) -> HyperParameterList | None:
    try:
        return build_space(content, path, known)
    except SaveDirectoryError:
        return None


def fuzz_state(data: bytes) -> bool:
    """A `state.json` with a right checksum, as somebody who means ill would write it."""
    text = data.decode("utf-8", errors="replace")
    try:
        content = json.loads(text)
        if isinstance(content, dict):
            content.pop("sha256", None)
            text = json.dumps({**content, "sha256": checksum(content)})
    except (ValueError, RecursionError):
        pass
    try:
        decode_state(text, "state.json")
    except SaveDirectoryError:
        return False
    return True


def fuzz_journal(data: bytes) -> bool:
    """The records of a journal; lines that have no checksum get the right one."""
    lines = []
    for line in data.split(b"\n"):
        body = line[9:] if line[8:9] == b" " else line
        lines.append(b"%08x %s\n" % (zlib.crc32(body), body))
    # Now and then the bytes as they are.
    content = data if data[:1] == b"\0" else b"".join(lines)
    path = _FOLDER / "journal.jsonl"
    path.write_bytes(content)
    # The real journal follows a first batch.
    run = SavedRun(_SPACE, Dataset(_SPACE), cascade_of(_SPACE), num_complete=10)
    try:
        for number, record in enumerate(journal_file.read_records(path), 1):
            journal_records.replay(run, record, f"line {number}")
    except SaveDirectoryError:
        return False
    return True


def _rows(columns: int) -> np.ndarray:
    return np.random.default_rng(0).random((8, columns), dtype=np.float32) * 10 - 5


_ROWS = _rows(3)


def fuzz_model(data: bytes) -> bool:
    """A classifier; what passes the checks must not crash XGBoost."""
    try:
        model = untrusted_models.checked(data, 3)
    except ValueError:
        return False
    try:
        trees = BoostedTrees.from_bytes(model)
    except ValueError:
        return False
    trees.predict(_ROWS)
    trees.trees()
    return True


def fuzz_ubjson(data: bytes) -> bool:
    """UBJSON."""
    try:
        value = ubjson.decode(data)
    except ValueError:
        return False
    return isinstance(value, (dict, list))


def fuzz_directory(data: bytes) -> bool:
    """A whole directory: the first byte says which file is replaced by the other ones."""
    folder = _FOLDER / "directory"
    if not folder.exists():
        make_run(folder)
    names = _NAMES
    path = folder / names[data[0] % len(names)] if data else folder / names[0]
    before = path.read_bytes()
    path.write_bytes(data[1:])
    try:
        read_holder(Layout(folder))
        SaveDirectory(folder).load()
    except SaveDirectoryError:
        return False
    finally:
        path.write_bytes(before)
    return True


def make_run(folder: Path) -> None:
    """A directory with a batch, a classifier, and a second batch that was cut."""
    search = Search(_SPACE, Settings(_SCHEDULE), 3, Dataset(_SPACE), cascade_of(_SPACE))
    run = Run(search, SaveDirectory(folder), is_seeded=True)
    with run.writing():
        for stop in (10, 16):
            batch = draw_batch(search)
            run.save()
            for number in range(batch.start, stop):
                run.take_in([(number, batch.row(number)[0], details_of(number))])
            if stop == 10:
                search.close_batch(Admission.ALL)
    if not len(search.cascade):
        raise RuntimeError("the run has no classifier")


TARGETS: dict[str, Callable[[bytes], bool]] = {
    "text": fuzz_text,
    "dataset": fuzz_dataset,
    "header": fuzz_header,
    "parameters": fuzz_parameters,
    "constraints": fuzz_constraints,
    "state": fuzz_state,
    "journal": fuzz_journal,
    "ubjson": fuzz_ubjson,
    "model": fuzz_model,
    "directory": fuzz_directory,
}
# How the inputs are shared out: most for readers with much to get wrong.
SHARES = {
    "text": 150, "dataset": 150, "header": 5, "parameters": 150, "constraints": 50, "state": 200,
    "journal": 140,
    "ubjson": 100, "model": 52, "directory": 3,
}  # fmt: skip


def seeds(target: str) -> list[bytes]:
    """Inputs from a real directory."""
    folder = _FOLDER / "seeds"
    if not folder.exists():
        make_run(folder)
    read = lambda name: (folder / name).read_bytes()  # noqa: E731
    csv = read("datasets/dataset.csv")
    parts = {
        "text": csv.replace(b"\n", b",").split(b","),
        "dataset": [csv.split(b"\n", 1)[1], *csv.split(b"\n")[1:6]],
        "header": [csv, csv[:200]],
        "parameters": [read("datasets/parameters.json"), *one_by_one()],
        "constraints": [read("datasets/constraints.json"), *constraints_one_by_one()],
        "state": [read("state.json"), *states_of_releases()],
        "journal": [read("journal.jsonl"), *read("journal.jsonl").splitlines()],
        "ubjson": small_models(),
        "model": small_models(),
        "directory": [
            bytes([number]) + read(name)
            for number, name in enumerate(_NAMES)
        ],
    }  # fmt: skip
    return parts[target]


def states_of_releases() -> list[bytes]:
    """States that earlier releases wrote, which may be of an earlier format."""
    return [path.read_bytes() for path in sorted(FIXTURES.rglob("state.json"))]


def one_by_one() -> list[bytes]:
    """Spaces of one parameter each, as small files."""
    others = [
        DistributionHP("count", stats.poisson(3)),
        DistributionHP("b", stats.beta(2, 5)),
        DiscreteHP("f", {"double": _double, "none": None}),
        OrdinalHP("size", ["S", "M", "L"]),
        SimplexHP("mixture", 3, [1, 2, 0.5]),
        UniformHP("steps", 0, 1, step=0.05),
        UniformHP("log", 1e-3, 1, log=True),
        MultiIntegerHP("widths", 8, 64, sample_count=2, step=8),
        MultiLogUniformHP("rates", 1e-5, 1e-1, 2),
    ]
    config = plain_values.to_json(HyperParameterList([*_SPACE, *others]).get_config())
    return [json.dumps({name: entry}).encode() for name, entry in config.items()]


def constraints_one_by_one() -> list[bytes]:
    """Constraints as files of their own, also one that is a function."""
    others = [Constraint(all, "all")]
    return [encode_constraints([each]) for each in (*_SPACE.constraints, *others)]


def _double(value: float) -> float:
    return 2 * value


def small_models() -> list[bytes]:
    """Models of a few trees: short inputs are fuzzed better."""
    rows = np.random.default_rng(0).random((20, 3), dtype=np.float32)
    trained = BoostedTrees(0).fit(rows, rows[:, 0] > 0.5)
    trained.compact()
    one = xgboost.Booster({"nthread": 1}, model_file=bytearray(trained.to_bytes()))[0:1]
    return [trained.to_bytes(), bytes(one.save_raw("ubj"))]


def clean_up() -> None:
    """Removes what the targets have written."""
    for root, folders, names in os.walk(_FOLDER, topdown=False):
        for name in names:
            os.unlink(os.path.join(root, name))
        for name in folders:
            os.rmdir(os.path.join(root, name))
    os.rmdir(_FOLDER)
