"""Every page in a real browser, from the server and from disk: no other host, no error, no request that fails."""

import pytest
from site_pages import ALL_PAGES


@pytest.mark.parametrize("disk", [False, True], ids=["http", "disk"])
@pytest.mark.parametrize("name", ALL_PAGES)
def test_the_page_stands_alone_and_has_no_errors(visit, name, disk):
    seen = visit(name, disk=disk)
    seen.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")  # lazy pictures too
    seen.page.wait_for_load_state("networkidle")
    assert seen.foreign == [], "requests to another host"
    assert seen.errors == []
    assert len(seen.requests) > (0 if name == "404" else 3)  # the page for wrong addresses holds all it needs
