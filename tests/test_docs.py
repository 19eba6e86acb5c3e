"""The README and the documentation: their code runs, and what they point to is there."""

import re
from pathlib import Path

import pytest

from tests.scripts import run_script

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^```(\w*)$")


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


def _script(page):
    """The Python code of a page as one script, each line where it stands in the page."""
    lines = []
    for start, block in _blocks(page, "python"):
        lines += [""] * (start - 1 - len(lines)) + block
    return "\n".join(lines) + "\n"


PAGES_WITH_CODE = [page for page in PAGES if next(_blocks(page, "python"), None)]


def test_pages_with_code_are_found():
    names = {page.name for page in PAGES_WITH_CODE}

    assert {"README.md", "index.md", "guide.md", "callbacks.md", "save-directory.md"} <= names


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES_WITH_CODE, ids=lambda page: page.name)
def test_code_of_a_page_runs_from_top_to_bottom(page, tmp_path):
    script = tmp_path / f"{page.stem}.py"
    script.write_text(_script(page), encoding="utf-8")

    run_script(script, tmp_path)


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
    assert commands[1].endswith(".venv/bin/pytest")
