"""The live page in a real browser, while a search runs, is killed, and goes on."""

import signal
import sys
from urllib.parse import urlsplit

import pytest

from tests.reporting.live import start_search, until, watching

pytest.importorskip("matplotlib")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]

SMALL_TEXT = """
return [...document.querySelectorAll('body *')].filter(e => e.offsetWidth > 0
  && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  && parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.outerHTML.slice(0, 80));
"""
TOP = "return document.getElementById('evaluations-heading').getBoundingClientRect().top;"
# The border of a picture above the heading stays in view, which a row of pictures may push down.
SCROLL = """
document.getElementById('evaluations-heading').scrollIntoView();
window.scrollBy(0, -36);
"""


def text_of(page, name):
    return page.run(f"return document.getElementById('{name}').textContent")


def count(page):
    """The number of evaluations that the page tells."""
    words = text_of(page, "changed").split()
    return int(words[1]) if words[:1] == ["Evaluations:"] else 0


def loaded_pictures(page):
    return page.run(
        "return [...document.querySelectorAll('#sections img')].filter(i => i.naturalWidth).length"
    )


@pytest.mark.parametrize(("width", "height", "scheme"), [(1280, 900, "light"), (390, 844, "dark")])
def test_a_search_from_its_beginning_through_its_death(browser, tmp_path, width, height, scheme):
    path = tmp_path / "search"
    searches = []
    with watching(path) as (_, address):
        try:
            page = browser.open(address, width=width, height=height, scheme=scheme)
            until(lambda: "There is no search in" in text_of(page, "status"))
            page.run("window.isStill = true")
            searches.append(start_search(path))
            until(lambda: text_of(page, "status") == "The search is running." and count(page) > 4)
            until(lambda: page.rows())
            assert "Without a score yet" in text_of(page, "running")
            assert "Slots" in text_of(page, "running")

            # What the reader has opened, sorted and scrolled to stays.
            page.run("document.querySelector('.opener').click()")
            opened = page.run("return document.querySelector('tr.details').innerText")
            page.run("document.querySelectorAll('#table th button')[0].click()")
            # Before, the page is too short to be scrolled that far.
            until(lambda: abs(page.run(SCROLL + TOP) - 36) < 2)
            top, before = page.run(TOP), count(page)
            until(lambda: count(page) > before + 4)
            assert page.run("return window.isStill") is True
            assert page.run("return document.querySelector('tr.details').innerText") == opened
            samples = [int(row[0]) for row in page.rows() if len(row) > 1]
            assert samples == sorted(samples)
            # Blocks above come and grow; what the reader looks at keeps its place.
            assert abs(page.run(TOP) - top) < 2

            page.run("document.getElementById('sections').scrollIntoView()")
            until(lambda: loaded_pictures(page) > 0)
            assert page.run("return document.documentElement.scrollWidth") <= width
            assert page.run(SMALL_TEXT) == []

            searches[-1].send_signal(signal.SIGKILL)
            searches[-1].wait()
            until(lambda: "interrupted" in text_of(page, "status"))
            at_death = count(page)
            searches.append(start_search(path, resume=True))
            until(lambda: text_of(page, "status") == "The search is running.")
            until(lambda: count(page) > at_death + 2)
            assert page.run("return window.isStill") is True

            hosts = {urlsplit(url).hostname for url in page.requests() if url.startswith("http")}
            assert hosts == {"127.0.0.1"}
            assert page.console() == []
        finally:
            for search in searches:
                search.kill()
                search.wait()
    until(lambda: "connection is lost" in text_of(page, "status"))


def test_hostile_names_are_text(browser, hostile):
    with watching(hostile.save_dir) as (_, address):
        page = browser.open(address, width=390, height=844)
        until(lambda: page.rows())
        page.run("document.querySelector('.opener').click()")
        page.run("document.getElementById('sections').scrollIntoView()")
        until(lambda: loaded_pictures(page) > 0)

        assert page.run("return window.owned ?? null") is None
        assert page.run("return document.querySelectorAll('img[src=x]').length") == 0
        assert page.run("return document.documentElement.scrollWidth") <= 390
        assert page.console() == []


def test_nothing_else_can_be_loaded_or_run(browser, finished):
    with watching(finished.save_dir) as (_, address):
        page = browser.open(address)
        until(lambda: page.rows())
        page.run("""
            const add = (tag, more) => document.body.append(
              Object.assign(document.createElement(tag), more));
            add('script', { textContent: 'window.owned = 1' });
            add('img', { src: 'http://192.0.2.1/x.png' });
            window.caught = null;
            fetch('http://192.0.2.1/').catch(() => { window.caught = true; });
        """)
        until(lambda: page.run("return window.caught"))
        assert page.run("return window.owned ?? null") is None
        refused = [entry["message"] for entry in page.console()]
        assert len(refused) >= 3
        assert all("Content Security Policy" in each for each in refused if "192.0.2.1" in each)
