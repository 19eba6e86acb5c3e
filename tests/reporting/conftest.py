"""Reports to look at, and a browser that looks at them."""

from __future__ import annotations

import json
import math
import shutil

import pytest

from pyshac import Curve, Dataset, DiscreteHP, IntegerHP, MultiDiscreteHP, UniformHP, write_report
from pyshac.core.basics.results.details import Details
from tests.looking.searches import run_search

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
CHROMEDRIVER = shutil.which("chromedriver")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCRIPT = "<script>window.owned = 1</script>"
HOSTILE = [
    f"</script>{SCRIPT}",
    "<img src=x onerror='window.owned = 1'>",
    f"'\">{SCRIPT}",
    "<!--<script> $\\frac{$ & $a_1$",
    "漢字 😀 é a\x07b\x1b[31m \u202eright to left",
    "x" * 300,
]


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """A finished search whose names and values would run code in a careless page."""
    path = tmp_path_factory.mktemp(f"search {SCRIPT[:8]}")
    space = [DiscreteHP(name, HOSTILE) for name in HOSTILE]
    space += [MultiDiscreteHP(f"{SCRIPT}[", HOSTILE, 2), UniformHP("&lt;b&gt;", 0, 1)]
    score = lambda worker_id, parameters: parameters["&lt;b&gt;"]  # noqa: E731
    return run_search(path, space, score, (40, 4), objective="min", skip_cv_checks=True)[0]


@pytest.fixture(scope="session")
def large():
    """A dataset of 10,000 samples."""
    dataset = Dataset([UniformHP("x", 0, 1), IntegerHP("n", 0, 999), DiscreteHP("c", ["a", "b"])])
    for number in range(10_000):
        row = [number / 10_000, number * 7 % 1000, "ab"[number % 2]]
        dataset.add_sample(row, (number * 7919 % 10_000) / 100)
    return dataset


@pytest.fixture(scope="session")
def curved(tmp_path_factory):
    """The report of two samples, of which the second has a curve and is the best."""
    dataset = Dataset([UniformHP("x", 0, 1)])
    dataset.add_sample([0.25], 1.0)
    curve = Curve((1, 2, 5), (0.5, math.nan, 2.125))
    dataset.add_sample([0.5], 2.125, details=Details(curve=curve))
    return write_report(dataset, tmp_path_factory.mktemp("curved") / "report.html")


@pytest.fixture(scope="session")
def pages(tmp_path_factory, finished, hostile, large):
    """The reports of all three, by name."""
    folder = tmp_path_factory.mktemp("reports")
    sources = {"finished": finished.save_dir, "hostile": hostile.save_dir, "large": large}
    return {name: write_report(source, folder / f"{name}.html") for name, source in sources.items()}


class Page:
    """A report that is open in Chromium."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, width=1280, scheme="light", media="screen", height=900):
        """Opens a report, by its path or address, and forgets the logs of those before."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"media": media, "features": features}
        )
        self.driver.get("about:blank")
        self.console(), self.requests()
        self.driver.get(path if isinstance(path, str) else path.resolve().as_uri())
        return self

    def run(self, script):
        """Returns what a script in the page returns."""
        return self.driver.execute_script(script)

    def console(self):
        """What the page has written to the console, errors included, since the last look."""
        return self.driver.get_log("browser")

    def requests(self):
        """The addresses that were asked for since the last look."""
        messages = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def rows(self):
        """The text of the table's cells that are shown."""
        return self.run(
            "return [...document.querySelectorAll('#table tbody tr')]"
            ".map(row => [...row.cells].map(cell => cell.textContent))"
        )

    def column(self, name):
        """The cells of the column with a name."""
        names = self.run(
            "return [...document.querySelectorAll('#table th')].map(th => th.textContent)"
        )
        return [row[names.index(name)] for row in self.rows()]

    def header(self, name):
        """The header of the column with a name."""
        headers = self.driver.find_elements("css selector", "#table th")
        return next(header for header in headers if header.text.strip() == name)

    def sort(self, name):
        """Clicks on a header; returns the direction that it announces."""
        self.header(name).find_element("tag name", "button").click()
        return self.header(name).get_attribute("aria-sort")

    def filter(self, text):
        """Types into the filter; returns what the page says of the rows."""
        box = self.driver.find_element("id", "filter")
        box.clear()
        box.send_keys(text)
        return self.shown()

    def shown(self):
        """What the page says of the rows that are shown."""
        return self.driver.find_element("id", "shown").text


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A Chromium without a window, which downloads nothing."""
    selenium = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    if CHROMIUM is None or CHROMEDRIVER is None:
        pytest.skip("needs chromium and chromedriver on the PATH (Debian: chromium-driver)")
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = selenium.ChromeService(CHROMEDRIVER)
    driver = selenium.Chrome(options=options, service=service)
    yield Page(driver)
    driver.quit()
