"""Every page in a real browser, from the server and from disk: no other host, no error, no request that fails."""

from urllib.parse import urlsplit

import pytest
from site_pages import ALL_PAGES, PAGES


@pytest.mark.parametrize("disk", [False, True], ids=["http", "disk"])
@pytest.mark.parametrize("name", ALL_PAGES)
def test_the_page_stands_alone_and_has_no_errors(visit, name, disk):
    seen = visit(name, disk=disk)
    seen.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")  # lazy pictures too
    seen.page.wait_for_load_state("networkidle")
    assert seen.foreign == [], "requests to another host"
    assert seen.errors == []
    # The page for wrong addresses holds all it needs; every other asks for its style and its script (and so requests are seen).
    asked = {urlsplit(one).path.rpartition("/")[2] for one in seen.requests}
    assert f"{name.rpartition('/')[2]}.html" in asked
    assert {"site.css", "site.js"} <= asked or name == "404"


@pytest.mark.parametrize("disk", [False, True], ids=["http", "disk"])
def test_the_front_door_leads_to_the_first_page_and_on(visit, disk):
    """index.html, which the build prints: what a reader opens from disk."""
    seen = visit("index", disk=disk)
    seen.page.wait_for_url(f"**/{PAGES[0]}.html")
    seen.page.locator("article a[href$='draw.html']").first.click()
    seen.page.wait_for_url("**/draw.html")
    seen.page.wait_for_selector("#draw:not([hidden])")
    # It leads on at once, so that the browser may give up fetching this page's icon.
    assert seen.foreign == [] and [one for one in seen.errors if "_static/favicon.svg" not in one] == []
