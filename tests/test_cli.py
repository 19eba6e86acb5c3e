"""The command line, as a shell has it."""

import csv
import io
import json
import math
import os
import re
import subprocess
import sys

import pytest

import pyshac
from pyshac import Dataset, DiscreteHP, UniformHP
from pyshac.cli import main
from tests.looking.searches import run_search
from tests.scripts import PACKAGE_PARENT

CONTROL = "\x1b[31mred\x07"
SPACE = [
    DiscreteHP(f"a {CONTROL} name", ["x" * 200, (1, "two"), math.inf, None, CONTROL]),
    UniformHP("y", 0, 1),
]


# Those in which Python writes text that is not UTF-8.
SURROUNDINGS = [
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "cp1252"},
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A finished search with names and values that steer a terminal."""
    path = tmp_path_factory.mktemp("saved")
    score = lambda worker_id, p: math.nan if p["y"] < 0.05 else p["y"]  # noqa: E731
    return run_search(path, SPACE, score, (40, 4), skip_cv_checks=True)[0]


def shell(*arguments, **options):
    """Runs `python -m pyshac` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pyshac", *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_PARENT), **options.pop("env", {})},
        capture_output=True,
        check=False,
        timeout=120,
        **options,
    )


def save_texts(path, texts, name="é"):
    """Saves a choice of texts as PySHAC 0.3 did; returns the dataset."""
    parameter = DiscreteHP(name, [*texts, None])
    dataset = Dataset([parameter])
    for number, text in enumerate(texts):
        dataset.add_sample([text], -1.5 * number)
    (path / "datasets").mkdir()
    (path / "datasets" / "dataset.csv").write_bytes(dataset.to_bytes())
    config = json.dumps(dataset.parameters.get_config())
    (path / "datasets" / "parameters.json").write_text(config)
    return dataset


class TestShow:
    def test_it_says_what_was_done_and_found(self, saved, capsys):
        assert main(["show", saved.save_dir]) == 0
        text = capsys.readouterr().out
        failed = sum(map(math.isnan, saved.dataset.Y))
        assert "Objective    max (higher is better)" in text
        assert f"Evaluations  40 of 40, {failed} failed" in text
        assert "Plan         4 batches of 10" in text
        assert f"Best score   {saved.best_score:.6g} (sample " in text
        assert f"{saved.best_parameters['y']!r}" in text

    def test_stages_and_importances_are_tables(self, saved, capsys):
        main(["show", saved.save_dir])
        stages, importances = capsys.readouterr().out.split("\n\n")[2:]
        rows = [line.split() for line in stages.splitlines()[2:]]
        assert [row[:2] for row in rows] == [["1", "10"], ["2", "10"], ["3", "10"], ["4", "10"]]
        medians = [float(row[4]) for row in rows]
        assert medians == sorted(medians)
        assert importances.splitlines()[1].split()[0] == "y"

    def test_how_long_evaluations_took(self, saved, capsys):
        main(["show", saved.save_dir])
        (line,) = (x for x in capsys.readouterr().out.splitlines() if x.startswith("  Duration"))
        text = r"  Duration     \S+ m?s per evaluation \(median; \S+ m?s to \S+ m?s\)"
        assert re.fullmatch(text, line)

    def test_extras(self, tmp_path, capsys):
        name = f"{CONTROL} <b>"
        score = lambda worker_id, p: {"score": p["y"], "lr": 0.5, name: CONTROL, "on": True}  # noqa: E731
        run_search(tmp_path, [UniformHP("y", 0, 1)], score, (4, 1))
        main(["show", str(tmp_path)])
        text = capsys.readouterr().out
        shown = "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}"
        assert f"  Extras       lr, {shown} <b>, on\n" in text
        best = text.split("Extras of the best evaluation\n")[1].split("\n\n")[0].splitlines()
        assert [line.split() for line in best] == [
            ["lr", "0.5"], [shown, "<b>", shown], ["on", "true"],
        ]  # fmt: skip

    def test_a_dataset_alone_has_neither(self, tmp_path, capsys):
        save_texts(tmp_path, ["a", "b"])
        main(["show", str(tmp_path)])
        text = capsys.readouterr().out
        assert "Duration" not in text
        assert "Extras" not in text

    def test_it_fits_a_terminal_and_cannot_steer_it(self, saved, capsys):
        main(["show", saved.save_dir])
        text = capsys.readouterr().out
        # The path of the directory is shown shortened, too.
        assert max(map(len, text.splitlines())) <= 80
        assert all(character.isprintable() or character == "\n" for character in text)
        assert "a \N{REPLACEMENT CHARACTER}[31mred" in text

    def test_the_objective_of_old_directories_can_be_given(self, capsys):
        old = PACKAGE_PARENT / "tests" / "fixtures" / "saved-by-pyshac-0.2" / "branin"
        if not old.exists():
            pytest.skip("the package under test is installed apart from the tests")
        main(["show", str(old), "--objective", "min"])
        text = capsys.readouterr().out
        assert "min (lower is better)" in text
        assert "Stages" not in text

    def test_a_search_under_way(self, tmp_path, capsys):
        engine = pyshac.SHAC([UniformHP("y", 0, 1)], 20, 2, save_dir=tmp_path)
        engine.tell(engine.ask(4), [1.0, 2.0, 3.0, 4.0])
        main(["show", str(tmp_path)])
        text = capsys.readouterr().out
        assert "4 of 20, 0 failed" in text
        assert "6 samples have no score yet" in text

    def test_a_search_without_a_score(self, tmp_path, capsys):
        engine = pyshac.SHAC([UniformHP("y", 0, 1)], 20, 2, save_dir=tmp_path)
        engine.save_data()
        assert main(["show", str(tmp_path)]) == 0
        assert "0 of 20, 0 failed" in capsys.readouterr().out


def rows_of(text):
    """The cells of a table's rows that fit one block; none of them has a space in it."""
    return [line.split() for line in text.splitlines()[1:]]


class TestShowEvaluations:
    @pytest.fixture
    def searched(self, tmp_path):
        """The directory of a search in which two of six evaluations failed, and two are equal."""
        engine = pyshac.SHAC([UniformHP("x", 0, 1), DiscreteHP("kind", ["a", "b"])], 12, 2,
                             save_dir=tmp_path)  # fmt: skip
        engine.tell(engine.ask(6), [1.0, math.nan, 3.0, 2.0, 3.0, math.nan])
        return engine

    def test_the_best_come_first_and_of_equals_the_earlier(self, searched, capsys):
        assert main(["show", searched.save_dir, "--top", "3"]) == 0
        title, *_ = (text := capsys.readouterr().out).splitlines()
        assert title == "Best evaluations"
        heading, *rows = rows_of(text)
        assert heading == ["sample", "score", "x", "kind"]
        assert [row[:2] for row in rows] == [["2", "3"], ["4", "3"], ["3", "2"]]
        x, kind = searched.dataset.X[2]
        assert rows[0][2:] == [f"{x:.6g}", kind]

    def test_the_lowest_may_be_the_best(self, searched, capsys):
        main(["show", searched.save_dir, "--top", "1", "--objective", "min"])
        assert rows_of(capsys.readouterr().out)[1][:2] == ["0", "1"]

    def test_more_than_there_are_is_all_that_have_a_score(self, searched, capsys):
        main(["show", searched.save_dir, "--top", "99"])
        assert [row[0] for row in rows_of(capsys.readouterr().out)[1:]] == ["2", "4", "3", "0"]

    def test_those_that_failed_are_in_their_order(self, searched, capsys):
        assert main(["show", searched.save_dir, "--failed"]) == 0
        text = capsys.readouterr().out
        assert text.startswith("Failed evaluations\n")
        heading, *rows = rows_of(text)
        assert heading == ["sample", "reason", "x", "kind"]
        expected = [[f"{x:.6g}", kind] for x, kind in searched.dataset.X]
        assert [[row[0], *row[-2:]] for row in rows] == [["1", *expected[1]], ["5", *expected[5]]]
        # Scores that are not finite, given by `tell`; long reasons are cut in the middle.
        assert all("score" in " ".join(row) for row in rows)

    def test_there_may_be_none(self, tmp_path, capsys):
        engine = pyshac.SHAC([UniformHP("y", 0, 1)], 20, 2, save_dir=tmp_path)
        engine.save_data()
        for option, said in ((["--top", "5"], "has a score"), (["--failed"], "has failed")):
            assert main(["show", str(tmp_path), *option]) == 0
            assert capsys.readouterr().out == f"No evaluation {said}.\n"

    def test_many_parameters_stand_in_blocks_that_fit_a_terminal(self, tmp_path, capsys):
        names = [f"parameter {number}" for number in range(12)] + ["long" * 30]
        engine = pyshac.SHAC([UniformHP(name, 0, 1) for name in names], 4, 2, save_dir=tmp_path)
        engine.tell(engine.ask(2), [1.0, 2.0])
        main(["show", str(tmp_path), "--top", "2"])
        text = capsys.readouterr().out
        assert max(map(len, text.splitlines())) <= 80
        _, *blocks = text.replace("evaluations\n", "evaluations\n\n").split("\n\n")
        assert all(block.split("\n")[1].split()[0] == "1" for block in blocks)
        assert [text.count(f"{name} ") + text.count(f"{name}\n") for name in names[:12]] == [1] * 12

    @pytest.mark.parametrize("option", [["--top", "40"], ["--failed"]])
    def test_it_fits_a_terminal_and_cannot_steer_it(self, saved, option, capsys):
        main(["show", saved.save_dir, *option])
        text = capsys.readouterr().out
        assert max(map(len, text.splitlines())) <= 80
        assert all(character.isprintable() or character == "\n" for character in text)
        assert "a \N{REPLACEMENT CHARACTER}[31mred" in text

    def test_inactive_parameters_are_dashes(self, branching, capsys):
        assert main(["show", "--top", "60", branching.save_dir]) == 0
        _, text = capsys.readouterr().out.split("\n", 1)
        cells = {}
        for block in text.split("\n\n"):
            heading, *rows = (line.split() for line in block.splitlines())
            cells.update({(row[0], name): cell for row in rows
                          for name, cell in zip(heading, row, strict=True)})  # fmt: skip
        for evaluation in branching.top(60):
            for name in ("rate", "momentum", "nesterov", "width_3", "tens"):
                is_dash = cells[str(evaluation.number), name] == "-"
                assert is_dash == (name not in evaluation.parameters)

    def test_the_best_parameters_are_those_that_it_has(self, branching, capsys):
        assert main(["show", branching.save_dir]) == 0
        shown = capsys.readouterr().out.split("Best parameters\n")[1].split("\n\n")[0]
        best = branching.best_parameters
        names = [line.split()[0] for line in shown.splitlines()]
        assert [name for name in names if name[:8] != "kernels_"] == [
            name for name in best if name != "kernels"
        ]
        assert {"steps", "decay", "tens"}.isdisjoint(names)


class TestExport:
    def test_csv_is_that_of_the_save_directory(self, saved, capsys):
        assert main(["export", saved.save_dir, "--to", "csv"]) == 0
        text = capsys.readouterr().out
        assert text == saved.dataset.to_csv()
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == saved.dataset.header()
        assert len(rows) == 41

    def test_json_keeps_names_values_and_stages(self, saved, capsys):
        assert main(["export", saved.save_dir, "--to", "json"]) == 0
        found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
        evaluations = found["evaluations"]
        assert (found["objective"], found["total_budget"], found["num_batches"]) == ("max", 40, 4)
        assert [item["stage"] for item in evaluations] == [n // 10 + 1 for n in range(40)]
        for item, row, score in zip(evaluations, saved.dataset.X, saved.dataset.Y, strict=True):
            choice = {(1, "two"): [1, "two"], math.inf: "inf"}.get(row[0], row[0])
            assert item["parameters"] == {SPACE[0].name: choice, "y": row[1]}
            assert item["score"] == (None if math.isnan(score) else score)

    def test_what_the_running_batch_has_so_far_is_there(self, tmp_path, capsys):
        engine = pyshac.SHAC([UniformHP("y", 0, 1)], 20, 2, save_dir=tmp_path)
        engine.tell(engine.ask(1), [1.5])
        main(["export", str(tmp_path), "--to", "csv"])
        assert capsys.readouterr().out.splitlines()[1].endswith(",1.5")

    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_line_ends_are_not_translated(self, saved, form, capsys, monkeypatch):
        main(["export", saved.save_dir, "--to", form])
        expected = capsys.readouterr().out
        stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", newline="\r\n")
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["export", saved.save_dir, "--to", form]) == 0
        assert stream.buffer.getvalue() == expected.encode("utf-8")

    def test_programs_may_replace_standard_output(self, saved, monkeypatch):
        stream = io.StringIO(newline="")
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["export", saved.save_dir, "--to", "csv"]) == 0
        assert stream.getvalue() == saved.dataset.to_csv()

    def test_json_has_no_spreadsheets(self, saved, capsys):
        with pytest.raises(SystemExit) as info:
            main(["export", saved.save_dir, "--to", "json", "--safe-for-spreadsheets"])
        assert info.value.code == 2
        assert "--safe-for-spreadsheets is for --to csv" in capsys.readouterr().err

    def test_files_are_written_as_a_whole(self, saved, tmp_path, capsys):
        path = tmp_path / "samples.csv"
        assert main(["export", saved.save_dir, "--to", "csv", "-o", str(path)]) == 0
        assert path.read_text(encoding="utf-8") == saved.dataset.to_csv()
        assert list(path.parent.iterdir()) == [path]
        assert capsys.readouterr().out == ""

    def test_csv_is_the_default(self, saved, capsys):
        assert main(["export", saved.save_dir]) == 0
        assert capsys.readouterr().out == saved.dataset.to_csv()
        assert main(["export", saved.save_dir, "--safe-for-spreadsheets"]) == 0

    def test_csv_does_not_get_into_a_json_file_unasked(self, saved, tmp_path, capsys):
        path = tmp_path / "all.JSON"
        with pytest.raises(SystemExit) as info:
            main(["export", saved.save_dir, "-o", str(path)])
        assert info.value.code == 2
        assert "pass --to json" in capsys.readouterr().err
        assert main(["export", saved.save_dir, "-o", str(path), "--to", "csv"]) == 0
        assert path.exists()


@pytest.mark.slow
def test_report_writes_a_page_and_says_where(saved, tmp_path, capsys):
    path = tmp_path / "page.html"
    assert main(["report", saved.save_dir, "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


class TestErrors:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["show"],
            ["export"],
            ["nothing"],
            [],
            ["export", "x", "--to", "xml"],
            ["show", "x", "--top"],
            ["show", "x", "--top", "0"],
            ["show", "x", "--top", "five"],
            ["show", "x", "--top", "5", "--failed"],
        ],
    )
    def test_a_wrong_usage_exits_with_2(self, arguments, capsys):
        with pytest.raises(SystemExit) as info:
            main(arguments)
        assert info.value.code == 2
        assert "usage: pyshac" in capsys.readouterr().err

    @pytest.mark.parametrize("command", [["show"], ["report"], ["export", "--to", "csv"]])
    def test_a_directory_without_a_search_is_one_line(self, command, tmp_path, capsys):
        assert main([*command, str(tmp_path / "none")]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert (
            captured.err
            == f"pyshac: error: {str(tmp_path / 'none')!r} holds no saved search: check the path.\n"
        )

    def test_a_damaged_directory_is_one_line(self, tmp_path, capsys):
        run_search(tmp_path, [UniformHP("y", 0, 1)], lambda w, p: p["y"], (8, 2))
        capsys.readouterr()
        (tmp_path / "datasets" / "dataset.csv").write_text("id,y,scores\n0,\x1b,1\n")
        assert main(["show", str(tmp_path)]) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "dataset.csv" in error
        assert "\x1b" not in error

    @pytest.mark.parametrize("command", ["report", "export"])
    def test_a_missing_folder_is_named_and_not_made(self, saved, command, tmp_path, capsys):
        target = tmp_path / "typo" / "file"
        assert main([command, saved.save_dir, "-o", str(target)]) == 1
        assert capsys.readouterr().err == (
            f"pyshac: error: --output must be a file in a folder that exists. Got {str(target)!r} "
            f"instead, and there is no folder {str(target.parent)!r}. Create it first, or choose "
            "another.\n"
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_cannot_be_written_is_one_line(self, saved, tmp_path, capsys):
        (tmp_path / "file").write_text("")
        target = str(tmp_path / "file" / "x.csv")
        assert main(["export", saved.save_dir, "--to", "csv", "-o", target]) == 1
        assert capsys.readouterr().err.startswith("pyshac: error: ")

    def test_help_and_version_exit_with_0(self, capsys):
        for arguments in (["--help"], ["show", "--help"], ["--version"]):
            with pytest.raises(SystemExit) as info:
                main(arguments)
            assert info.value.code == 0
        assert capsys.readouterr().out.endswith(f"PySHAC {pyshac.__version__}\n")


@pytest.mark.slow
class TestProcess:
    def test_it_runs_as_a_module(self, saved):
        done = shell("show", saved.save_dir)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"Best score" in done.stdout

    def test_errors_have_exit_code_1_and_no_traceback(self, tmp_path):
        done = shell("show", str(tmp_path))
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.count(b"\n") == 1

    @pytest.mark.parametrize("surroundings", SURROUNDINGS)
    def test_a_terminal_without_unicode_gets_what_it_can_show(self, saved, surroundings):
        done = shell("show", saved.save_dir, env=surroundings)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.isascii()
        assert b"a \\ufffd[31mred" in done.stdout
        assert b"?" not in done.stdout

    @pytest.mark.parametrize("surroundings", [*SURROUNDINGS, {"PYTHONUTF8": "1"}])
    @pytest.mark.parametrize("form", ["csv", "json"])
    def test_exports_are_utf_8_everywhere(self, tmp_path, surroundings, form):
        dataset = save_texts(tmp_path, ["é€", "漢字 😀", "a\r\nb", "="])
        done = shell("export", str(tmp_path), "--to", form, env=surroundings)
        assert (done.returncode, done.stderr) == (0, b"")
        if form == "csv":
            assert done.stdout == dataset.to_bytes()
        else:
            found = [item["parameters"]["é"] for item in json.loads(done.stdout)["evaluations"]]
            assert found == [row[0] for row in dataset.X]

    @pytest.mark.parametrize("surroundings", SURROUNDINGS)
    def test_so_are_those_that_do_not_say_how(self, tmp_path, surroundings):
        dataset = save_texts(tmp_path, ["é€", "漢字 😀", "a\r\nb", "="])
        done = shell("export", str(tmp_path), env=surroundings)
        assert (done.returncode, done.stderr, done.stdout) == (0, b"", dataset.to_bytes())
        shown = shell("show", str(tmp_path), "--top", "4", env=surroundings)
        assert (shown.returncode, shown.stderr) == (0, b"")

    def test_errors_can_be_shown_everywhere(self, tmp_path):
        done = shell("show", str(tmp_path / "é"), env=SURROUNDINGS[0])
        assert done.returncode == 1
        assert done.stderr.startswith(b"pyshac: error: ")
        assert done.stderr.isascii()

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device")
    def test_a_full_disk_is_one_line(self, saved):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "pyshac", "export", saved.save_dir, "--to", "csv"],
                env={**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)},
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
                timeout=120,
            )
        assert done.returncode == 1
        assert done.stderr.count(b"\n") == 1

    @pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
    def test_no_standard_output_is_one_line(self, saved):
        command = f"{sys.executable} -m pyshac export {saved.save_dir} --to csv >&-"
        done = subprocess.run(
            ["sh", "-c", command],
            env={**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 1
        assert done.stderr == b"pyshac: error: 'standard output': Bad file descriptor\n"

    @pytest.mark.parametrize("unbuffered", ["", "1"])
    def test_a_reader_that_leaves_early_is_told_by_the_exit_code_alone(self, tmp_path, unbuffered):
        dataset = Dataset([UniformHP("y", 0, 1)])
        for number in range(5000):
            dataset.add_sample([number / 5000], number)
        folder = tmp_path / "datasets"
        folder.mkdir()
        # More than a pipe holds, so that writing goes on after the reader has left.
        (folder / "dataset.csv").write_text(dataset.to_csv())
        config = {"y": ["UniformHP", {"name": "y", "min_value": 0.0, "max_value": 1.0}]}
        (folder / "parameters.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "pyshac", "export", str(tmp_path), "--to", "json"]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": str(PACKAGE_PARENT),
                "PYTHONUNBUFFERED": unbuffered,
            },
        ) as process:
            process.stdout.readline()
            process.stdout.close()
            error = process.stderr.read()
            assert process.wait(60) == 141
        assert error == b""

    def test_a_reader_that_wants_no_help_gets_no_traceback(self):
        with subprocess.Popen(
            [sys.executable, "-m", "pyshac", "--help"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(PACKAGE_PARENT), "PYTHONUNBUFFERED": ""},
        ) as process:
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(60) == 141
