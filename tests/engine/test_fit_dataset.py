"""fit_dataset: the cascade from samples that were evaluated elsewhere."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest

from pyshac import Callback, CSVLogger, Dataset, History
from tests.engine.engine_helpers import (
    HISTORY_KEYS,
    contents,
    evaluate,
    make_engine,
    make_space,
    restored,
    samples_of,
)

HEADER = ["id", "x", "kind", "w_1", "w_2", "scores"]


def make_rows(count, objective="min"):
    """Rows of a dataset file, drawn from the prior."""
    space = make_space(seed=1)
    sign = 1 if objective == "min" else -1
    rows = []
    for number in range(count):
        row = space.sample()
        score = sign * evaluate(0, space.to_parameters(row))
        rows.append([number, *space.row_to_text(row), repr(score)])
    return rows


def write(path, rows, header=HEADER, separator=",", newline="\n"):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator=newline).writerows([header, *rows])
    path.write_text(buffer.getvalue(), encoding="utf-8")
    return path


@pytest.fixture
def engine(tmp_path):
    return make_engine(tmp_path / "shac", None, total_budget=40, num_batches=4)


@pytest.mark.parametrize("objective", ["min", "max"])
@pytest.mark.parametrize("presort", [True, False])
def test_trains_the_cascade(tmp_path, objective, presort):
    path = write(tmp_path / "samples.csv", make_rows(40, objective))
    engine = make_engine(
        tmp_path / "shac", None, total_budget=40, num_batches=4, objective=objective
    )
    result = engine.fit_dataset(path, skip_cv_checks=True, presort=presort)
    assert type(result) is History
    assert set(result.history) == HISTORY_KEYS
    assert result.history["begin_run_index"] == 0
    assert result.epochs == [1, 2, 3, 4]
    assert result.history["device_ids"] == [[None] * 10] * 4
    # Which classifiers accepted these samples is not known.
    assert result.history["cascade_in_force"] == [None] * 4
    assert len(engine.dataset) == 40
    assert len(engine.classifiers) == 3

    scores = [float(row[-1]) for row in make_rows(40, objective)]
    if presort:
        # The worst come first, whichever they are.
        assert sorted(scores, reverse=objective == "min") == engine.dataset.Y
    else:
        assert scores == engine.dataset.Y
    assert sorted(engine.dataset.Y) == sorted(scores)
    assert engine.best_score == (min if objective == "min" else max)(scores)


def test_what_was_learnt_is_used(tmp_path, engine):
    engine.fit_dataset(write(tmp_path / "samples.csv", make_rows(40)))
    samples = engine.predict(num_samples=50)
    scores = [evaluate(0, sample) for sample in samples]
    assert np.median(scores) < np.median(engine.dataset.Y) / 2


def test_is_saved(tmp_path, engine):
    engine.fit_dataset(write(tmp_path / "samples.csv", make_rows(40)), skip_cv_checks=True)
    again = restored(tmp_path / "shac", total_budget=40, num_batches=4)
    assert samples_of(again) == samples_of(engine)
    assert [c.to_bytes() for c in again.classifiers] == [c.to_bytes() for c in engine.classifiers]
    assert again.fit().epochs == []


def test_a_seeded_engine_learns_the_same_again(tmp_path):
    path = write(tmp_path / "samples.csv", make_rows(40))
    for name in "ab":
        engine = make_engine(tmp_path / name, None, total_budget=40, num_batches=4)
        engine.fit_dataset(path, skip_cv_checks=True)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_the_run_goes_on_with_a_larger_budget(tmp_path, engine):
    engine.fit_dataset(write(tmp_path / "samples.csv", make_rows(40)), skip_cv_checks=True)
    again = restored(tmp_path / "shac", total_budget=60, num_batches=6)
    again.fit(skip_cv_checks=True)
    assert len(again.dataset) == 60
    assert np.median(again.dataset.Y[40:]) < np.median(again.dataset.Y[:40])


def test_a_run_saved_by_fit_can_be_learnt_from(tmp_path, engine):
    fitted = make_engine(tmp_path / "fitted", total_budget=40, num_batches=4)
    fitted.fit(skip_cv_checks=True)
    engine.fit_dataset(tmp_path / "fitted" / "datasets" / "dataset.csv", True, presort=False)
    assert samples_of(engine) == samples_of(fitted)


def test_more_rows_than_the_budget(tmp_path, engine, caplog):
    rows = make_rows(45)
    engine.fit_dataset(write(tmp_path / "samples.csv", rows), skip_cv_checks=True)
    assert sorted(engine.dataset.Y) == sorted(float(row[-1]) for row in rows[:40])
    assert "has 45 rows; the first 40 count" in caplog.text


def test_failed_samples_come_first(tmp_path, engine):
    rows = make_rows(40)
    rows[7][-1] = rows[31][-1] = ""
    engine.fit_dataset(write(tmp_path / "samples.csv", rows), skip_cv_checks=True)
    assert [score != score for score in engine.dataset.Y] == [True] * 2 + [False] * 38


@pytest.mark.parametrize(
    "text",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: f"{text}\n,,,,,\n\n",
        lambda text: text.replace("\n", ",,\n"),
        lambda text: text.replace(",", ", "),
        lambda text: text.replace(",", "\t"),
        lambda text: text.replace(",", ";").replace(".", ","),
    ],
)
def test_files_of_other_programs(tmp_path, engine, text):
    path = write(tmp_path / "samples.csv", make_rows(40))
    expected = [float(row[-1]) for row in make_rows(40)]
    path.write_bytes(text(path.read_text(encoding="utf-8")).encode("utf-8"))
    engine.fit_dataset(path, presort=False)
    assert expected == engine.dataset.Y


def test_files_written_by_pandas(tmp_path, engine):
    pandas = pytest.importorskip("pandas")
    space = make_space()
    path = write(tmp_path / "samples.csv", make_rows(40))
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    frame.to_csv(tmp_path / "pandas.csv", index=False)
    engine.fit_dataset(tmp_path / "pandas.csv", skip_cv_checks=True, presort=False)
    kinds = [space.row_from_text(row[1:-1])[1] for row in make_rows(40)]
    assert [row[1] for row in engine.dataset.X] == kinds


def test_early_stop(tmp_path, engine):
    rows = make_rows(40)
    for row in rows:
        row[-1] = "1.0"
    history = engine.fit_dataset(write(tmp_path / "samples.csv", rows), early_stop=True)
    assert history.epochs == [1]
    assert engine.classifiers == []
    # The samples that were not learnt from have been evaluated all the same.
    assert len(engine.dataset) == 40
    assert len(restored(tmp_path / "shac", total_budget=40, num_batches=4).dataset) == 40
    assert engine.fit(evaluate).epochs == []


def test_a_callback_that_raises(tmp_path, engine):
    class Raising(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise ZeroDivisionError

    path = write(tmp_path / "samples.csv", make_rows(40))
    with pytest.raises(ZeroDivisionError):
        engine.fit_dataset(path, skip_cv_checks=True, callbacks=Raising())
    assert len(engine.dataset) == 40
    again = restored(tmp_path / "shac", total_budget=40, num_batches=4)
    assert samples_of(again) == samples_of(engine)
    assert len(again.classifiers) == 2


def test_callbacks(tmp_path, engine):
    path = write(tmp_path / "samples.csv", make_rows(40))
    mine, log = History(), tmp_path / "log.csv"
    assert engine.fit_dataset(path, True, callbacks=[mine, CSVLogger(log)]) is mine
    assert [line.split(",")[0] for line in log.read_text().splitlines()][1:] == list("1234")


def change(row, column, text):
    rows = make_rows(40)
    rows[row][HEADER.index(column)] = text
    return rows


@pytest.mark.parametrize(
    ("row", "column", "text", "message"),
    [
        (0, "x", "5.5", "line 2, column 'x'"),
        (3, "x", "-7", "line 5, column 'x'"),
        (39, "x", "left", "line 41, column 'x'"),
        (2, "x", "", "line 4, column 'x'"),
        (2, "x", "nan", "line 4, column 'x'"),
        (2, "x", "inf", "line 4, column 'x'"),
        (4, "kind", "2", "line 6, column 'kind'"),
        (4, "kind", "none", "line 6, column 'kind'"),
        (5, "w_2", "1.01", "line 7, column 'w_2'"),
        (5, "w_1", "x", "line 7, column 'w_1'"),
        (6, "scores", "high", "line 8, column 'scores'"),
        (6, "scores", "1,5", "line 8, column 'scores'"),
    ],
)
def test_values_that_are_none(tmp_path, engine, row, column, text, message):
    path = write(tmp_path / "samples.csv", change(row, column, text))
    expected = re.escape(str(path)) + f".*{message}.*{re.escape(text)}"
    with pytest.raises(ValueError, match=expected):
        engine.fit_dataset(path)
    assert len(engine.dataset) == 0
    assert contents(tmp_path / "shac") == {}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (["id", "x", "kind", "w_1", "scores"], r"missing \['w_2'\]"),
        (["id", "x", "kind", "w_1", "w_2"], r"missing \['scores'\]"),
        (["x", "kind", "w_1", "w_2", "scores"], r"missing \['id'\]"),
        ([*HEADER, "more"], r"unexpected \['more'\]"),
        (["id", "x", "kind", "w_2", "w_1", "scores"], "another order"),
        (["scores", "x", "kind", "w_1", "w_2", "id"], "another order"),
        (["id", "X", "kind", "w_1", "w_2", "scores"], r"missing \['x'\], unexpected \['X'\]"),
        (["id", "x", "kind", "w", "scores"], r"missing \['w_1', 'w_2'\], unexpected \['w'\]"),
        (["", *HEADER], r"unexpected \[''\]"),
        (["id", "x", "x", "kind", "w_1", "w_2", "scores"], r"repeated \['x'\]"),
    ],
)
def test_columns_that_are_others(tmp_path, engine, header, message):
    path = write(tmp_path / "samples.csv", make_rows(40), header)
    with pytest.raises(ValueError, match=f"line 1: expected the columns .*{message}") as caught:
        engine.fit_dataset(path)
    assert str(path) in str(caught.value)
    assert contents(tmp_path / "shac") == {}


@pytest.mark.parametrize("cells", [3, 7])
def test_rows_with_another_number_of_cells(tmp_path, engine, cells):
    rows = make_rows(40)
    rows[9] = (rows[9] * 2)[:cells]
    path = write(tmp_path / "samples.csv", rows)
    with pytest.raises(ValueError, match=f"line 11: expected 6 cells, got {cells}"):
        engine.fit_dataset(path)


@pytest.mark.parametrize("count", [0, 1, 39])
def test_too_few_rows(tmp_path, engine, count):
    path = write(tmp_path / "samples.csv", make_rows(count))
    with pytest.raises(ValueError, match=f"must have at least 40 rows.*Got {count}") as caught:
        engine.fit_dataset(path)
    assert str(path) in str(caught.value)
    assert contents(tmp_path / "shac") == {}


def test_empty_files_other_separators_and_binaries(tmp_path, engine):
    path = tmp_path / "samples.csv"
    path.write_text("")
    with pytest.raises(ValueError, match="line 1: expected the columns"):
        engine.fit_dataset(path)
    write(path, make_rows(40), separator="|")
    with pytest.raises(ValueError, match="line 1: expected the columns"):
        engine.fit_dataset(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=re.escape(str(path))):
        engine.fit_dataset(path)
    path.write_text(",".join(HEADER) + '\n0,1.0,"1,0.5,0.5,1\n')
    with pytest.raises(ValueError, match="line 2"):
        engine.fit_dataset(path)


def test_no_file(tmp_path, engine):
    with pytest.raises(FileNotFoundError, match=re.escape("none.csv")):
        engine.fit_dataset(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="not a regular file"):
        engine.fit_dataset(tmp_path)
    assert contents(tmp_path / "shac") == {}


def test_an_engine_with_evaluations_refuses(tmp_path):
    path = write(tmp_path / "samples.csv", make_rows(40))
    engine = make_engine(tmp_path / "shac")
    sample = engine.ask(1)[0]
    engine.tell(sample, 1.0)
    before = contents(tmp_path / "shac")
    with pytest.raises(RuntimeError, match="has 1 evaluations already"):
        engine.fit_dataset(path)
    assert contents(tmp_path / "shac") == before


def test_an_engine_in_the_middle_of_a_batch_refuses(tmp_path):
    path = write(tmp_path / "samples.csv", make_rows(40))
    engine = make_engine(tmp_path / "shac", total_budget=40, num_batches=4)
    samples = engine.ask(3)
    with pytest.raises(RuntimeError, match="batch"):
        engine.fit_dataset(path)
    engine.tell(samples, [1.0] * 3)
    assert len(restored(tmp_path / "shac", total_budget=40, num_batches=4).dataset) == 3


def test_an_interrupted_reading_leaves_the_engine_as_it_was(tmp_path, monkeypatch):
    path = write(tmp_path / "samples.csv", make_rows(18))
    engine, add_sample = make_engine(tmp_path / "shac", None), Dataset.add_sample

    def interrupted(dataset, *arguments):
        if len(dataset) == 5:
            raise KeyboardInterrupt
        add_sample(dataset, *arguments)

    monkeypatch.setattr(Dataset, "add_sample", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.fit_dataset(path, skip_cv_checks=True)
    monkeypatch.undo()
    assert len(engine.dataset) == 0
    engine.fit_dataset(path, skip_cv_checks=True)
    assert len(engine.dataset) == 18
