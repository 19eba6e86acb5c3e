"""The README and the documentation: their code runs, and what they point to is there."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest

from pyshac import UniformHP
from tests.looking.searches import run_search
from tests.managed.cases import installed
from tests.scripts import ONE_THREAD, run_command, run_script

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += [ROOT / "examples" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)$")
LANGUAGES = {"python", "py", "sh", "text"}
# Code in "py" needs packages that not every run of the tests has.
FRAMEWORKS = {"torch-engine.md": ["torch"], "keras-engine.md": ["keras", "tensorflow"]}
OTHERS = {
    "managed-engines.md", "comparison.md", "curves.md", "distributed.md", "integrations.md",
    "optuna.md", "trackers.md",
}  # fmt: skip


def _blocks(page, language):
    """Yields (line number, lines) of the code blocks of a page in one language."""
    inside, block, start = None, [], 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(line)
        if fence and inside is None:
            inside, block, start = fence[1], [], number + 1
        elif fence:
            if inside == language:
                yield start, block
            inside = None
        else:
            block.append(line)
    assert inside is None, f"{page} ends inside a code block"


def script_of(page, language="python"):
    """The code of a page as one script, each line where it stands in the page."""
    lines = []
    for start, block in _blocks(page, language):
        lines += [""] * (start - 1 - len(lines)) + block
    return "\n".join(lines) + "\n"


PAGES_WITH_CODE = [page for page in PAGES if next(_blocks(page, "python"), None)]


def test_pages_with_code_are_found():
    names = {page.name for page in PAGES_WITH_CODE}

    assert {"README.md", "index.md", "guide.md", "callbacks.md", "save-directory.md"} <= names
    assert {"tutorial.md", "looking.md", "comparison.md", "faq.md", "moving.md"} <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_code_escapes_the_tests(page):
    text = page.read_text(encoding="utf-8")
    languages = {fence[1] for fence in map(FENCE.match, text.splitlines()) if fence} - {""}

    assert languages <= LANGUAGES
    assert "py" not in languages or page.name in OTHERS | set(FRAMEWORKS)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES_WITH_CODE, ids=lambda page: page.name)
def test_code_of_a_page_runs_from_top_to_bottom(page, tmp_path):
    # A script called sklearn.py would stand in the place of the package that it imports.
    script = tmp_path / f"page_{page.stem}.py"
    script.write_text(script_of(page), encoding="utf-8")

    run_script(script, tmp_path, **ONE_THREAD)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FRAMEWORKS))
def test_code_of_an_engine_runs_from_top_to_bottom(name, tmp_path):
    if not installed(*FRAMEWORKS[name]):
        pytest.skip(f"needs {', '.join(FRAMEWORKS[name])}")
    script = tmp_path / name.replace(".md", ".py")
    code = script_of(ROOT / "docs" / name, "py")
    assert code.count("SHAC(") == 1
    script.write_text(code, encoding="utf-8")

    run_script(script, tmp_path)


def test_code_of_other_libraries_is_python():
    page = ROOT / "docs" / "comparison.md"
    libraries = ("optuna", "hyperopt", "ray", "keras_tuner", "skopt")
    code = script_of(page, "py")

    assert all(f"import {name}" in code or f"from {name}" in code for name in libraries)
    compile(code, str(page), "exec")


def command_lines(page):
    """The lines of a page that call the command line of PySHAC."""
    lines = [line for _, block in _blocks(page, "sh") for line in block]
    return [line for line in lines if line.startswith("python -m pyshac ")]


def run_line(line, folder):
    """Runs a line in a shell with the PySHAC under test; fails unless it succeeds."""
    shown = line.replace("python", shlex.quote(sys.executable), 1)
    run_command(["bash", "-o", "pipefail", "-c", shown], folder, line)


PAGES_WITH_COMMANDS = [page for page in PAGES if command_lines(page)]


def test_recipes_are_short():
    lengths = [len(block) for _, block in _blocks(ROOT / "docs" / "recipes.md", "python")]
    assert len(lengths) >= 12
    assert max(lengths) <= 10


def test_command_lines_are_found():
    assert len(command_lines(ROOT / "docs" / "looking.md")) == 6
    assert all(" search " in line for page in PAGES for line in command_lines(page))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=lambda page: page.name)
def test_command_lines_run_from_top_to_bottom(page, tmp_path):
    run_search(tmp_path / "search", [UniformHP("x", 0, 1)], lambda worker_id, p: p["x"], (20, 2))
    for line in command_lines(page):
        run_line(line, tmp_path)


def test_programs_that_the_pages_name_are_there():
    lines = [line for page in PAGES for _, block in _blocks(page, "sh") for line in block]
    modules = [line.split()[2] for line in lines if line.startswith("python -m ")]
    scripts = [line.split()[1] for line in lines if line.startswith("python ")]

    assert "pyshac" in modules
    assert all(importlib.util.find_spec(module) for module in modules)
    assert all((ROOT / script).exists() for script in scripts if script != "-m")


def test_every_picture_is_shown():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = {path.name for path in (ROOT / "docs" / "images").iterdir()}

    assert pictures == set(re.findall(r"images/([\w-]+\.png)", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, _ = target.partition("#")
        if path and not path.startswith("https://"):
            assert (page.parent / path).exists(), f"{page.name} links to {target}"


def test_readme_has_one_command_to_try_it_and_one_to_test_it():
    commands = [line for _, block in _blocks(ROOT / "README.md", "sh") for line in block]

    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/python examples/branin.py")
    assert commands[1].endswith(".venv/bin/pytest -n auto")
