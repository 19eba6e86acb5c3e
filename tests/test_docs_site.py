"""The site of the documentation: it builds without warnings, is complete, and works offline."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pyshac
from tests.reporting import conftest as reports

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Words that users search for. For each, a page tells what there is, or that there is nothing.
SEARCHED = [
    "resume", "warm start", "conditional", "constraint", "GridSearchCV", "time limit", "MLflow",
    "early stopping", "multi-objective",
]  # fmt: skip
MAX_WORDS = 1500
# The reference, protocols and lists of changes are looked things up in, not read.
LONG = {"benchmarks-details.md", "changelog.md", "contributing.md", "moving.md"}
WIDTH_OF_PHONES = 400
# Seconds in which results of a search must appear.
PATIENCE = 20
REPOSITORY = "https://example.org/pyshac"


browser = reports.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of a site that was built with the address of a repository."""
    pytest.importorskip("material", reason="the site needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "PYSHAC_REPOSITORY": REPOSITORY, "SOURCE_DATE_EPOCH": "86400"}
    built = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """The text of each page of the site by its name."""
    paths = [path for path in site.rglob("*.html") if path.name != "404.html"]
    return {path.relative_to(site).as_posix(): path.read_text("utf-8") for path in paths}


def words_of(page):
    """The number of words that a reader sees, without code."""
    text = re.sub(
        r"^( *)```.*?^\1```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    return len(text.split())


def test_pages_are_short():
    pages = {path.name: words_of(path) for path in DOCS.glob("*.md")}
    too_long = {name for name, words in pages.items() if words > MAX_WORDS}

    assert too_long <= LONG


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    listed = re.findall(r": ([\w/-]+\.md)$", navigation, re.MULTILINE)

    assert sorted(listed) == sorted(
        path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")
    )


@pytest.mark.slow
@pytest.mark.parametrize("searched", SEARCHED)
def test_the_search_finds_it(site, searched):
    # What a page that was opened as a file loads instead of the JSON.
    script = (site / "search" / "search_index.js").read_text("utf-8")
    entries = json.loads(script.removeprefix("var __index = "))["docs"]
    found = [
        e["location"] for e in entries if searched.lower() in f"{e['title']} {e['text']}".lower()
    ]

    assert any(not location.startswith(("changelog", "contributing")) for location in found)


@pytest.mark.slow
def test_pages_load_nothing_from_the_network(pages):
    for name, text in pages.items():
        loaded = re.findall(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"?([^\" >]+)", text)
        assert [url for url in loaded if "//" in url] == [], name


@pytest.mark.slow
def test_formulas_need_no_script(pages):
    assert [name for name, text in pages.items() if 'class="arithmatex"' in text] == []


@pytest.mark.slow
def test_every_page_has_the_version_the_date_and_a_place_for_problems(pages):
    for name, text in pages.items():
        assert f"PySHAC {pyshac.__version__} · built on 1970-01-02" in text, name
        assert f'href="{REPOSITORY}/issues"' in text, name


@pytest.mark.slow
def test_the_address_of_the_repository_comes_from_one_variable(pages):
    assert f"git+{REPOSITORY}" in pages["install.html"]
    assert not any(
        "REPOSITORY" in text for name, text in pages.items() if name != "contributing.html"
    )


@pytest.mark.slow
def test_no_private_name_is_a_destination(pages):
    for name, text in pages.items():
        if name.startswith("api/"):
            assert re.findall(r'(?:id|href)="[^"]*\._[a-zA-Z][^"]*"', text) == [], name
            assert not re.search(r"\b_SHAC\b", text), name


@pytest.mark.slow
def test_inherited_members_are_where_users_look_them_up(pages):
    names = [name for name in dir(pyshac.SHAC) if not name.startswith("_")]
    missing = [name for name in names if f'id="pyshac.SHAC.{name}"' not in pages["api/engine.html"]]

    # Names of earlier releases, which only tell what replaces them.
    assert missing == ["clf_dir", "temp_dir"]


@pytest.mark.slow
def test_every_public_name_has_an_entry(pages):
    text = "".join(text for name, text in pages.items() if name.startswith("api/"))
    missing = [name for name in pyshac.__all__ if not re.search(rf"\b{name}\b", text)]

    assert missing == []


def results_of(browser, searched):
    """The headings that the search box of the open page finds."""
    box = browser.driver.find_element("css selector", "input.md-search__input")
    browser.run("document.forms.search.query.focus()")
    box.clear()
    box.send_keys(searched)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = browser.run(
            "return [...document.querySelectorAll('.md-search-result__item h1, "
            ".md-search-result__item h2')].map(each => each.textContent)"
        )
        if found:
            return found
        time.sleep(0.1)
    return []


@pytest.mark.slow
def test_the_search_box_works_in_a_page_that_is_opened_as_a_file(browser, site):
    browser.open(site / "index.html")

    assert [searched for searched in SEARCHED if not results_of(browser, searched)] == []
    assert browser.console() == []
    assert {url for url in browser.requests() if not url.startswith(("file:", "data:"))} == set()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(browser, site, pages, scheme):
    for name in pages:
        browser.open(site / name, WIDTH_OF_PHONES, scheme)
        width = browser.run("return document.documentElement.scrollWidth")
        palette = browser.run("return document.body.dataset.mdColorScheme")

        assert (width, palette) == (WIDTH_OF_PHONES, {"light": "default", "dark": "slate"}[scheme])
        assert browser.console() == [], name
