"""The search finds, from a server and from disk."""

import pytest


@pytest.mark.parametrize("disk", [False, True], ids=["http", "disk"])
@pytest.mark.parametrize(
    ("words", "target"), [("overfitting", "chapters/training"), ("McNemar", "chapters/evaluation")]
)
def test_a_word_leads_to_its_chapter(visit, words, target, disk):
    seen = visit(f"search?q={words}", disk=disk)
    seen.page.wait_for_selector("#search-results li a", timeout=20_000)
    seen.page.wait_for_function(
        "/finished|found/i.test(document.querySelector('#search-results').textContent)", timeout=20_000
    )
    links = seen.page.eval_on_selector_all("#search-results li a", "all => all.map(one => one.href)")
    assert any(f"{target}.html" in link for link in links), links
    assert seen.errors == [] and seen.foreign == []


def test_a_word_that_is_nowhere_is_not_found(visit):
    seen = visit("search?q=xylophone")
    seen.page.wait_for_function(
        "/did not match/i.test(document.querySelector('#search-results').textContent)", timeout=20_000
    )
