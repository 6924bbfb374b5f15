"""What the tests of the built site share: the pages, a server, a browser, and a place for what they measure.

``make test-site`` builds the book first. Tests that take the fixture ``browser`` (or one made from it) need Chromium. Without it they
are left out, and the last lines of the run say which and how to get one; in CI that is a failure.
"""

import json
import os
import re
import shutil
from urllib.parse import urlsplit

import pytest
from site_pages import ALL_PAGES, BUILD, HTML, ROOT
from site_server import Site

from tools.press.browser import ARGUMENTS, CURE, NoBrowser, find_chromium

MEASURED = BUILD / "site_report"
NODE_MODULES = ROOT / "tests" / "site" / "node_modules"
CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
NO_BROWSER = "no Chromium"


# ---------------------------------------------------------------- a run's beginning and end


def pytest_configure(config):
    """Find the browser once, in the first process, and forget what an earlier run measured."""
    if not hasattr(config, "workerinput"):
        try:
            os.environ["DIGITS_CHROMIUM"] = find_chromium() or ""
        except NoBrowser as error:
            pytest.exit(str(error), returncode=1)
        if (
            os.environ.get("SITE_REPORT") != "add"
        ):  # make test-site runs pytest twice: Lighthouse wants the machine to itself
            shutil.rmtree(MEASURED, ignore_errors=True)


def pytest_report_header():
    """Say which browser is used."""
    return f"browser: {os.environ.get('DIGITS_CHROMIUM') or NO_BROWSER}"


def pytest_terminal_summary(terminalreporter):
    """Name the tests that were left out for want of a browser; print what was measured, and keep it in site_report.json."""
    left_out = [one for one in terminalreporter.stats.get("skipped", []) if NO_BROWSER in str(one.longrepr)]
    if left_out:
        names = sorted({one.nodeid.split("::")[-1].split("[")[0] for one in left_out})
        terminalreporter.write_line(
            f"\n{len(left_out)} tests left out, because there is no Chromium: {', '.join(names)}.\nTo run them: {CURE}",
            yellow=True,
        )
    table = {}
    for file in sorted(MEASURED.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            page, values = json.loads(line)
            table.setdefault(page, {}).update(values)
    if table:
        table = {page: table[page] for page in sorted(table, key=lambda one: (one not in ALL_PAGES, one))}
        (BUILD / "site_report.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        terminalreporter.section("measured on the site (also in _build/site_report.json)")
        for line in as_table(table):
            terminalreporter.write_line(line)


def as_table(table):
    """Return the lines of a table: a row for each page, a column for each quantity."""
    columns = list(dict.fromkeys(name for values in table.values() for name in values))
    rows = [["page", *columns]]
    for page, values in table.items():
        cells = [values.get(name, "-") for name in columns]
        rows.append([page, *(f"{one:.2f}" if isinstance(one, float) else str(one) for one in cells)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns) + 1)]
    return [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


# ---------------------------------------------------------------- fixtures


@pytest.fixture(scope="session")
def html():
    """The folder of the built site."""
    assert (BUILD / "chapters.json").is_file() and HTML.is_dir(), "the book is not built: run make book"
    return HTML


@pytest.fixture(scope="session")
def site(html):
    """Address of a server for the built site, http://127.0.0.1:PORT, with compression and 404.html."""
    with Site(html) as server:
        yield server.address


@pytest.fixture(scope="session")
def chromium():
    """Path of the browser; without one the test is left out, and in CI it fails."""
    path = os.environ.get("DIGITS_CHROMIUM")
    if not path:
        (pytest.fail if CI else pytest.skip)(f"{NO_BROWSER}: {CURE}")
    return path


@pytest.fixture(scope="session")
def browser(chromium):
    """One headless Chromium for the run; open pages with ``browser.new_context(...)`` or the fixture ``visit``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


class Visit:
    """A page in the browser, with what went over the network and what went wrong.

    page: Playwright's page. requests: every address that was asked for. foreign: those of another host (they were stopped).
    errors: uncaught exceptions, messages of the console at the level error, and requests within the site that failed.
    """

    def __init__(self, context, home):
        self.context, self.home = context, home
        self.requests, self.foreign, self.errors = [], [], []
        context.route("**/*", self._route)
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("requestfailed", lambda request: self.errors.append(f"request failed: {request.url}"))
        context.on("response", self._answered)
        context.on("weberror", lambda error: self.errors.append(f"exception: {error.error}"))
        context.on("console", self._said)
        self.page = context.new_page()

    def _route(self, route):
        address = route.request.url
        parts = urlsplit(address)
        if parts.scheme in {"data", "blob"} or address.startswith(self.home):
            route.continue_()
        else:
            self.foreign.append(address)
            route.abort()

    def _answered(self, response):
        if response.status >= 400 and not response.request.is_navigation_request():
            self.errors.append(f"status {response.status}: {response.url}")

    def _said(self, message):
        if message.type == "error":
            self.errors.append(f"console: {message.text}")

    def go(self, name, wait="load"):
        """Open the page ``name`` (as in _toc.yml, "#place" and "?query" allowed) and return Playwright's page."""
        path, rest = re.fullmatch(r"([^?#]*)(.*)", name).groups()
        self.page.goto(f"{self.home}/{path}.html{rest}", wait_until=wait)
        return self.page


@pytest.fixture
def visit(browser, site, html):
    """``visit(name, width=1280, mode="light", disk=False, **context)`` opens a page of the site and returns a `Visit`.

    ``disk``: from file:// instead of the server. Other settings go to Playwright's ``new_context``.
    """
    contexts = []

    def open_page(name=None, width=1280, mode="light", disk=False, height=800, **settings):
        context = browser.new_context(color_scheme=mode, viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        visited = Visit(context, html.as_uri() if disk else site)
        if name:
            visited.go(name)
        return visited

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def measured():
    """``measured(page, name=value, ...)`` keeps figures for the table at the end of the run."""
    MEASURED.mkdir(parents=True, exist_ok=True)
    file = MEASURED / f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.jsonl"

    def keep(page, **values):
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps([page, values]) + "\n")

    return keep


@pytest.fixture(scope="session")
def node_modules():
    """The folder with axe-core and Lighthouse, which ``make test-site`` installs from the lock."""
    assert (NODE_MODULES / "axe-core").is_dir(), "axe-core and Lighthouse are not installed: run make test-site"
    return NODE_MODULES
