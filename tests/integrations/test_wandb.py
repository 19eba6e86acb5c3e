"""WandbLogger in offline mode: the files that it leaves are read back."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyshac import SHAC, Callback, MedianPruning, UniformHP
from tests.integrations.tracked import evaluate, fit, make_search

pytest.importorskip("wandb")

from wandb.proto import wandb_internal_pb2

from pyshac.integrations import wandb as integration
from pyshac.integrations.wandb import WandbLogger

pytestmark = pytest.mark.slow
BLOCK, HEADER = 2**15, 7
# A part of a record is the whole of it, or the last of several.
LAST_PARTS = {1, 4}


def logger_in(folder, *args, **options):
    options = {"mode": "offline", "dir": str(folder), **options}
    return WandbLogger(*args, settings=integration.wandb.Settings(silent=True), **options)


def records(path):
    """Yields the whole records of a .wandb file, which is a log as LevelDB has them."""
    data, place, parts = path.read_bytes(), HEADER, b""
    while place + HEADER <= len(data):
        if BLOCK - place % BLOCK < HEADER:
            place += BLOCK - place % BLOCK
            continue
        size, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        if place + HEADER + size > len(data):
            # It is being written.
            return
        parts += data[place + HEADER : place + HEADER + size]
        place += HEADER + size
        if kind in LAST_PARTS:
            record = wandb_internal_pb2.Record()
            record.ParseFromString(parts)
            parts = b""
            yield record


class Run:
    """An offline run as it was written."""

    def __init__(self, folder):
        (self.path,) = folder.glob("*.wandb")
        self.id = self.path.stem.removeprefix("run-")
        self.folder, self.rows, self.summary, self.config = folder, [], {}, {}
        for record in self._complete():
            kind = record.WhichOneof("record_type")
            content = getattr(record, kind)
            if kind == "history":
                self.rows.append({_name(i): json.loads(i.value_json) for i in content.item})
            elif kind == "summary":
                self.summary |= {_name(i): json.loads(i.value_json) for i in content.update}
            elif kind in ("run", "config"):
                config = content.config if kind == "run" else content
                self.config |= {_name(i): json.loads(i.value_json) for i in config.update}
            elif kind == "exit":
                self.exit_code = content.exit_code

    def _complete(self):
        """The records, once the last one is there: the service may write it after `finish`."""
        for _ in range(200):
            found = [*records(self.path)]
            if any(record.HasField("exit") for record in found):
                return found
            time.sleep(0.1)
        raise AssertionError(f"{self.path} has no end")

    def table(self, name):
        content = json.loads((self.folder / "files" / self.summary[name]["path"]).read_text())
        return [dict(zip(content["columns"], row, strict=True)) for row in content["data"]]


def _name(item):
    return item.key or "/".join(item.nested_key)


def runs_in(folder):
    """The runs, the first one first."""
    found = [path.parent for path in Path(folder).glob("wandb/offline-run-*/*.wandb")]
    return [Run(path) for path in sorted(found, key=lambda path: path.stat().st_ctime)]


def test_each_evaluation_is_a_row(tmp_path):
    search = make_search(tmp_path, 16, 4, evaluators=1)
    search.set_seed(0)
    fit(search, logger_in(tmp_path, "mine"), pruning=MedianPruning(min_curves=2))
    (run,) = runs_in(tmp_path)

    assert [row["evaluation"] for row in run.rows] == list(range(16))
    assert {row["state"] for row in run.rows} == {"complete", "failed", "pruned"}
    for row, each in zip(run.rows, search.evaluations, strict=True):
        assert row["state"] == each.state
        assert row["seconds"] == each.seconds
        assert row["parameters/x"] == each.parameters["x"]
        assert row["parameters/weights_2"] == each.parameters["weights"][1]
        assert row["parameters/kind"] in ("a network", "none")
        assert ("parameters/rate" in row) == ("rate" in each.parameters)
        assert row.get("score") == (each.score if each.state == "complete" else None)
        assert row.get("extras/loss") == each.extras.get("loss")
        assert row.get("extras/name") == each.extras.get("name")
        assert ("failure" in row) == (each.state == "failed")
    best = [row["best_score"] for row in run.rows if "best_score" in row]
    assert best == sorted(best)
    assert best[-1] == search.best_score


def test_tables_summary_and_configuration(tmp_path):
    search = make_search(tmp_path, evaluators=1)
    fit(search, logger_in(tmp_path, "mine", "a search", config={"team": "a"}, tags=["x"]))
    (run,) = runs_in(tmp_path)

    assert run.exit_code == 0
    assert run.summary["best_score"] == search.best_score
    assert run.summary["best/x"] == search.best_parameters["x"]
    assert run.config["total_budget"] == 12
    assert run.config["team"] == "a"
    assert "UniformContinuous" in run.config["space.x"]
    table = run.table("evaluations")
    assert [row["evaluation"] for row in table] == list(range(12))
    assert [row["parameters/x"] for row in table] == [
        each.parameters["x"] for each in search.evaluations
    ]
    points = run.table("curves")
    each = search.evaluations[3]
    mine = {p["step"]: p["score"] for p in points if p["evaluation"] == 3}
    assert [*mine] == [*each.curve.steps]
    assert mine[9] == each.curve.scores[-1]


def test_a_search_that_is_resumed_has_the_same_id_and_all_evaluations(tmp_path):
    class Interrupts(Callback):
        def on_sample_end(self, id, score, logs=None):
            if id == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(make_search(tmp_path), logger_in(tmp_path), Interrupts())
    fit(make_search(tmp_path, 18, 3, resume=True), logger_in(tmp_path))
    first, second = runs_in(tmp_path)

    assert first.id == second.id
    assert first.exit_code == 1
    assert second.exit_code == 0
    assert sorted(row["evaluation"] for row in second.rows) == list(range(18))


def test_rows_that_a_run_has_are_not_logged_again(tmp_path):
    search = make_search(tmp_path, evaluators=1)
    fit(search)
    # As a run has them that goes on online.
    session = integration._SearchRun(SimpleNamespace(step=7), search)

    assert session.logged == set(range(7))


def test_a_run_of_the_program_itself_stays_as_it_is(tmp_path):
    own = integration.wandb.init(project="own", mode="offline", dir=str(tmp_path))
    fit(make_search(tmp_path / "a", 4, 1), logger_in(tmp_path))
    fit(make_search(tmp_path / "b", 4, 1), logger_in(tmp_path))
    own.log({"mine": 1})
    own.finish()
    found = {run.id: run for run in runs_in(tmp_path)}

    assert len(found) == 3
    assert [row["mine"] for row in found.pop(own.id).rows] == [1]
    assert all(len(run.rows) == 4 for run in found.values())


def test_samples_from_elsewhere_and_ask_and_tell(tmp_path):
    search = make_search(tmp_path)
    fit(search)
    other = make_search(tmp_path / "other")
    path = tmp_path / "search" / "datasets" / "dataset.csv"
    other.fit_dataset(path, callbacks=[logger_in(tmp_path)], verbose=0)
    asked = make_search(tmp_path / "asked")
    while samples := asked.ask():
        asked.tell(samples, [evaluate(0, {**sample, "x": 0.5}) for sample in samples])
    logger_in(tmp_path).log(asked)
    first, second = runs_in(tmp_path)

    assert [row["evaluation"] for row in first.rows] == list(range(12))
    assert [row["evaluation"] for row in second.rows] == list(range(12))


def test_odd_names_and_values_are_taken(tmp_path):
    def odd(worker_id, parameters):
        return {"score": 0.5, "a/b": math.nan, "inf": math.inf, "ü.b": True}

    odd_names = [UniformHP("größe.x", 0, 1), UniformHP("_step", 0, 1), UniformHP("a b", 0, 1)]

    search = SHAC(odd, odd_names, 4, 1, save_dir=tmp_path / "odd")
    search.concurrent_evaluators()
    # Rows are in the order in which evaluations end.
    search.set_num_parallel_evaluators(1)
    fit(search, logger_in(tmp_path))
    (run,) = runs_in(tmp_path)

    assert len(run.rows) == 4
    assert run.rows[0]["parameters/größe.x"] == search.evaluations[0].parameters["größe.x"]
    assert len(run.table("evaluations")) == 4


@pytest.mark.parametrize("option", ["id", "resume", "reinit"])
def test_options_that_are_its_own_are_refused(option):
    with pytest.raises(ValueError, match=f"{option}.*save_dir"):
        WandbLogger(**{option: "x"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"projct": "x"}, "options must be arguments of wandb.init. Got projct"),
        ({"config": 3}, "config must be a dict or None.*Got 3"),
    ],
)
def test_options_that_wandb_does_not_know_are_refused(options, message):
    with pytest.raises(TypeError, match=message):
        WandbLogger(**options)
