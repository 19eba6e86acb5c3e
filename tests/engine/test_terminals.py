"""Names, values and paths that would steer a terminal, or turn its text around, do not reach it."""

from __future__ import annotations

import contextlib
import json
import logging
import os

import pytest

from pyshac import SHAC, Dataset, DiscreteHP, SaveDirectoryError, UniformHP
from pyshac.core.classifiers import ubjson
from pyshac.core.classifiers.untrusted_models import checked
from pyshac.core.storage.state_file import checksum, decode_state
from tests.engine.engine_helpers import make_engine

# Red, a bell, the title of the window, from right to left, isolated, a line of its own.
NASTY = "a\x1b[31m\x07\x9b\x1b]0;x\x07\u202eb\u2066\u200e\u2028\x85c"
SPACE = [DiscreteHP(f"n {NASTY}", [NASTY, (NASTY, 1), "x"]), UniformHP(f"u {NASTY}", 0, 1)]


def is_harmless(text):
    return all(line.isprintable() for line in text.split("\n"))


def fails(worker_id, parameters):
    raise ValueError(f"{NASTY}\n\r{NASTY}")


@pytest.fixture
def folder(tmp_path):
    if os.name != "posix":
        pytest.skip("the file system has no such names")
    return tmp_path / NASTY


@pytest.fixture
def engine(folder, caplog):
    """An engine that has run; what it logged is in caplog."""
    caplog.set_level(logging.DEBUG, "pyshac")
    engine = make_engine(folder, parameters=SPACE, function=lambda w, p: p[f"u {NASTY}"])
    engine.fit(skip_cv_checks=True)
    return engine


def test_engines_and_datasets_show_themselves(engine):
    for shown in (engine, engine.dataset, Dataset(SPACE)):
        assert is_harmless(repr(shown))
        assert is_harmless(shown._repr_html_())
    assert all(line.startswith("  ") for line in repr(engine).split("\n")[1:])


def test_log_lines_of_a_run(engine, caplog):
    engine.save_data()
    messages = [record.getMessage() for record in caplog.records]
    assert any("Saved" in message for message in messages)
    assert all(map(is_harmless, messages))


def test_log_lines_of_failed_evaluations(folder, caplog):
    engine = make_engine(folder, fails, SPACE)
    with pytest.raises(Exception, match="All 6 evaluations of batch 1 failed"):
        engine.fit(catch=ValueError, verbose=0)
    failed = [r.getMessage() for r in caplog.records if "failed: ValueError" in r.getMessage()]
    assert len(failed) == 6
    assert all("\n" not in message and is_harmless(message) for message in failed)


def test_log_lines_about_files(engine, caplog):
    journal = next(path for path in engine._directory.path.rglob("*") if "journal" in path.name)
    journal.write_bytes(b"0123abcd {")
    with contextlib.suppress(SaveDirectoryError):
        SHAC(None, SPACE, 18, 3, "min", save_dir=engine.save_dir).restore_data()
    path = engine._directory.path / f"{NASTY}.csv"
    path.write_bytes(engine.dataset.to_bytes())
    SHAC(None, SPACE, 6, 3, save_dir=engine._directory.path / "other").fit_dataset(path, verbose=0)
    messages = [record.getMessage() for record in caplog.records]
    for what in ("dropped the last line", "has 18 rows; the first 6 count"):
        assert any(what in message for message in messages)
    assert all(map(is_harmless, messages))


def test_errors_of_values_and_files(engine, tmp_path):
    dataset, path = engine.dataset, tmp_path / "x.csv"
    path.write_text(f"id,{NASTY},scores\n")
    arguments, state = {f"min {NASTY}": 0}, {"format": 1, NASTY: 1}
    for call in (
        lambda: dataset.add_sample([NASTY + "!", 0.5], 1.0),
        lambda: dataset.add_sample([NASTY, 7.0], 1.0),
        lambda: dataset.add_sample({NASTY: 1}, 1.0),
        lambda: UniformHP(NASTY, 1, 0),
        lambda: DiscreteHP(NASTY, [object()]),
        lambda: SHAC(SPACE, 10, 2, objective=NASTY),
        lambda: SHAC([SPACE[0], SPACE[0]], 10, 2),
        lambda: SHAC(None, SPACE, 6, 3, save_dir=tmp_path / "o").fit_dataset(path),
        lambda: SHAC(SPACE, 6, 3, "min", method="paper", save_dir=engine.save_dir).restore_data(),
        lambda: Dataset.load_from_directory(tmp_path / NASTY / NASTY),
        lambda: type(SPACE[1]).load_from_config({NASTY: 0}),
        lambda: engine.dataset.parameters.load_from_config({NASTY: ["UniformHP", arguments]}),
        lambda: engine.dataset.parameters.load_from_config({NASTY: [NASTY, arguments]}),
        lambda: decode_state(json.dumps({**state, "sha256": checksum(state)}), "state"),
    ):
        with pytest.raises(Exception) as caught:
            call()
        message = str(caught.value.args[0] if type(caught.value) is KeyError else caught.value)
        # Python names a wrong argument itself, at a call in the user's own program.
        if type(caught.value) is not TypeError or "keyword argument" not in message:
            assert is_harmless(message), message


def test_errors_of_a_damaged_classifier():
    model = {"learner": {"learner_model_param": {"num_feature": NASTY * 9999}}}
    with pytest.raises(ValueError, match="it is for ") as caught:
        checked(ubjson.encode(model), 1)
    assert is_harmless(str(caught.value))
    assert len(str(caught.value)) < 500
