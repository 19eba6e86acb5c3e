"""Reports of whole searches, as files and in a real browser, which share what takes long to draw.

They are complete and harmless, load, show, sort, filter, and run nothing of the search.
"""

import base64
import hashlib
import json
import math
import re

import pytest

from pyshac.reporting.pictures import DARK
from tests.reporting.test_page import DATA, text_of

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.slow

NAMES = ["finished", "hostile", "large"]
VISIBLE_IMAGES = """
return [...document.querySelectorAll('figure img')].filter(image => image.offsetWidth > 0)
  .map(image => [image.naturalWidth, image.offsetWidth, image.alt, image.className]);
"""


class TestFile:
    def test_it_needs_nothing_else(self, pages):
        for path in pages.values():
            addresses = re.findall(r'(?:src|href)="([^"]*)"', text_of(path))
            assert addresses
            assert all(address.startswith("data:") for address in addresses)

    def test_only_its_own_style_and_script_may_run(self, pages):
        text = text_of(pages["hostile"])
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
        for element in ("style", "script"):
            (content,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
            checksum = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"{element}-src 'sha256-{checksum}'" in policy
        assert policy.startswith("default-src 'none'; img-src data:;")

    def test_names_stand_in_it_escaped(self, pages, hostile):
        text = text_of(pages["hostile"])

        assert text.count("<script") == 2
        assert "<img src=x" not in text
        assert "&lt;img src=x onerror=" in text
        assert "&amp;lt;b&amp;gt;" in text
        columns = json.loads(DATA.search(text)[1])["columns"]
        names = hostile.parameters.get_parameter_names()
        assert columns[3:] == [*names, "State", "Seconds"]

    def test_pictures_are_light_and_dark_svg(self, pages):
        text = text_of(pages["finished"])
        images = re.findall(r'<img class="(\w+)" .*?base64,([^"]*)"', text)
        themes = [theme for theme, _ in images]

        # Three of scores, one of time, two of classifiers, eight slices, one of all parameters.
        assert themes == ["light", "dark"] * 15
        for theme, image in images:
            svg = base64.b64decode(image).decode("utf-8")
            assert svg.startswith("<?xml")
            assert (DARK["figure.facecolor"] in svg) == (theme == "dark")

    def test_pages_of_many_samples_stay_small(self, pages):
        # Rows take 0.4 MB and pixels at most 1 MB a picture; vector marks of 10,000 samples would
        # take more than that for each of 12 pictures.
        assert pages["large"].stat().st_size < 6e6

    def test_the_best_sample_is_named(self, finished, pages):
        text = text_of(pages["finished"])

        assert f"{finished.best_score:.6g}" in text
        assert f"<dd>{finished.best_parameters['optimizer']}</dd>".replace("'", "&#x27;") in text


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_from_a_file_without_network_or_errors(browser, pages, name):
    page = browser.open(pages[name])
    requests = page.requests()

    assert page.console() == []
    assert requests[0].startswith("file:///")
    assert all(url.startswith("data:") for url in requests[1:])
    assert page.run("return document.documentElement.lang") == "en"


@pytest.mark.parametrize("name", NAMES)
def test_all_pictures_are_there_and_described(browser, pages, name):
    images = browser.open(pages[name]).run(VISIBLE_IMAGES)

    # Three of scores, at least one slice; those of classifiers need a search.
    assert len(images) >= (3 if name == "large" else 6)
    for natural, shown, alt, theme in images:
        assert natural > 100
        assert shown > 100
        assert len(alt) > 20
        assert theme == "light"


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_does_not_scroll_sideways(browser, pages, name):
    page = browser.open(pages[name], width=390)

    assert page.run("return window.innerWidth") == 390
    assert page.run("return document.documentElement.scrollWidth") <= 390


def test_the_dark_has_dark_pictures_and_light_text(browser, pages):
    page = browser.open(pages["finished"], scheme="dark")
    images = page.run(VISIBLE_IMAGES)
    brightness = "return getComputedStyle(document.body).%s.match(/\\d+/g).slice(0, 3).map(Number)"

    assert {theme for *_, theme in images} == {"dark"}
    assert max(page.run(brightness % "backgroundColor")) < 60
    assert min(page.run(brightness % "color")) > 200


def test_paper_is_light_and_has_no_buttons(browser, pages):
    page = browser.open(pages["finished"], scheme="dark", media="print")
    shown = "return [...document.querySelectorAll('.controls')].some(e => e.offsetHeight > 0)"

    assert {theme for *_, theme in page.run(VISIBLE_IMAGES)} == {"light"}
    assert page.run("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert page.run(shown) is False


class TestHostileNames:
    def test_nothing_of_the_search_runs(self, browser, pages):
        page = browser.open(pages["hostile"])
        page.filter("script")
        page.sort("Score")

        assert page.run("return window.owned ?? null") is None
        assert page.run("return document.scripts.length") == 2
        assert page.run("return document.querySelectorAll('img:not([alt])').length") == 0
        assert page.run("return document.querySelectorAll('img[src=x]').length") == 0
        assert page.console() == []

    def test_names_and_values_are_shown_as_they_are(self, browser, pages, hostile):
        page = browser.open(pages["hostile"])
        names = page.run(
            "return [...document.querySelectorAll('#table th')].map(th => th.textContent)"
        )
        shown = {cell for row in page.rows() for cell in row}

        columns = hostile.parameters.get_parameter_names()
        assert names == ["Sample", "Score", "Stage", *columns, "State", "Seconds"]
        assert hostile.dataset.X[0][0] in shown


class TestTable:
    def test_it_has_every_sample(self, browser, pages, finished):
        page = browser.open(pages["finished"])

        assert page.shown() == "Rows 1 to 50 of 60"
        assert page.sort("Sample") == "ascending"
        assert page.column("Sample") == [str(number) for number in range(50)]
        assert page.column("optimizer") == [row[4] for row in finished.dataset.X[:50]]

    def test_scores_sort_as_numbers_best_first_and_failed_last(self, browser, pages, finished):
        page = browser.open(pages["finished"])
        known = sorted((y for y in finished.dataset.Y if not math.isnan(y)), reverse=True)

        assert page.header("Score").get_attribute("aria-sort") == "descending"
        assert [float(text) for text in page.column("Score")] == pytest.approx(known[:50])
        page.driver.find_element("css selector", "[data-page=last]").click()
        assert page.column("Score")[-1] == "failed"
        assert page.sort("Score") == "ascending"
        assert [float(text) for text in page.column("Score")] == pytest.approx(known[:-51:-1])

    def test_numbers_sort_by_size_and_names_by_letter(self, browser, pages, finished):
        page = browser.open(pages["finished"])

        assert page.sort("units") == "ascending"
        units = sorted(row[2] for row in finished.dataset.X)
        assert [int(text) for text in page.column("units")] == units[:50]
        assert page.sort("optimizer") == "ascending"
        assert page.column("optimizer") == sorted(row[4] for row in finished.dataset.X)[:50]

    def test_small_losses_come_first(self, browser, pages, hostile):
        page = browser.open(pages["hostile"])

        assert page.header("Score").get_attribute("aria-sort") == "ascending"
        assert float(page.column("Score")[0]) == pytest.approx(min(hostile.dataset.Y), rel=1e-5)

    def test_only_the_sorted_column_says_so(self, browser, pages):
        page = browser.open(pages["finished"])
        page.sort("layers")
        states = [
            header.get_attribute("aria-sort")
            for header in page.driver.find_elements("css selector", "#table th")
        ]

        assert states.count("ascending") == 1
        assert states.count("none") == len(states) - 1

    def test_the_keyboard_sorts(self, browser, pages):
        page = browser.open(pages["finished"])
        button = page.header("layers").find_element("tag name", "button")
        button.send_keys("\ue007")  # Enter
        first = page.column("layers")
        button.send_keys(" ")

        assert first == sorted(first)
        assert page.column("layers") == sorted(page.column("layers"), reverse=True)

    def test_the_filter_keeps_rows_with_all_words(self, browser, pages, finished):
        page = browser.open(pages["finished"])
        rows = finished.dataset.X
        adam = sum(row[4] == "adam" for row in rows)
        both = sum(row[4] == "adam" and row[3] == 4 for row in rows)

        assert page.filter("ADAM") == f"Rows 1 to {adam} of {adam}, of 60 in all"
        assert set(page.column("optimizer")) == {"adam"}
        assert page.filter("adam layers=4").endswith(f"of {both}, of 60 in all")
        assert page.filter("no such word") == "Rows 0, of 60 in all"
        assert page.filter(" ") == "Rows 1 to 50 of 60"

    def test_failed_samples_can_be_found(self, browser, pages, finished):
        page = browser.open(pages["finished"])
        failed = [str(n) for n, y in enumerate(finished.dataset.Y) if math.isnan(y)]
        page.filter("score=failed")

        assert failed
        assert page.column("Sample") == failed

    def test_the_best_row_stands_out(self, browser, pages, finished):
        page = browser.open(pages["finished"])
        best = page.run("return document.querySelector('tr.best').cells[1].textContent")

        assert float(best) == pytest.approx(finished.best_score, rel=1e-5)

    def test_a_sample_opens_and_shows_whole_numbers(self, browser, pages, finished):
        page = browser.open(pages["finished"], width=390)
        page.run("document.querySelector('.opener').click()")
        terms = page.run(
            "return [...document.querySelectorAll('tr.details dl > *')].map(e => e.textContent)"
        )
        shown = dict(zip(terms[::2], terms[1::2], strict=True))

        assert float(shown["Score"]) == finished.best_score
        assert float(shown["rate"]) == finished.best_parameters["rate"]
        assert page.run("return document.querySelector('.inner').offsetWidth") < 390
        assert page.run("return document.documentElement.scrollWidth") <= 390
        page.run("document.querySelector('.opener').click()")
        assert page.run("return document.querySelectorAll('tr.details').length") == 0

    def test_an_opened_sample_shows_its_curve(self, browser, curved):
        page = browser.open(curved)
        page.run("document.querySelector('.opener').click()")
        details = "document.querySelector('tr.details')"

        points = page.run(f"return {details}.querySelector('polyline').getAttribute('points')")
        # A score that is NaN is left out; higher scores are higher up.
        assert points == "4,96 316,4"
        text = page.run(f"return {details}.textContent")
        assert "Steps 1 to 5, scores 0.5 to 2.125" in text
        assert "Curve: 3 points" in text
        assert "1: 0.5; 2: nan; 5: 2.125" in text
        assert page.console() == []

    def test_ten_thousand_rows_sort_filter_and_turn_pages(self, browser, pages, large):
        page = browser.open(pages["large"])

        assert page.shown() == "Rows 1 to 50 of 10000"
        assert page.header("Score").get_attribute("aria-sort") == "descending"
        best = sorted(large.Y, reverse=True)
        assert [float(text) for text in page.column("Score")] == best[:50]
        page.driver.find_element("css selector", "[data-page=next]").click()
        assert [float(text) for text in page.column("Score")] == best[50:100]
        page.driver.find_element("css selector", "[data-page=last]").click()
        assert page.shown() == "Rows 9951 to 10000 of 10000"
        assert page.filter("c=b n=7") == "Rows 1 to 10 of 10, of 10000 in all"
        # Only one page of rows is ever in the document.
        assert page.run("return document.querySelectorAll('tbody tr').length") <= 60
