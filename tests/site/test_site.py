"""The built site, page by page. ``make test-site`` builds it first; without it these tests fail, they do not skip."""

import json
import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from tools.press.check_site import check_site, pages_of_toc

ROOT = Path(__file__).resolve().parents[2]

HTML = ROOT / "_build" / "html"
PAGES = pages_of_toc(ROOT)
NOTEBOOKS = [name for name in PAGES if (ROOT / f"{name}.ipynb").is_file()]


@pytest.fixture(scope="session")
def built():
    """What the build said of itself: edition and seconds per chapter."""
    report = ROOT / "_build" / "chapters.json"
    assert report.is_file(), "the book is not built: run make book"
    return json.loads(report.read_text(encoding="utf-8"))


def soup_of(name):
    """Return a page, parsed."""
    return BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def notebook_cells(name):
    """Return the cells of a chapter."""
    return json.loads((ROOT / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


def test_the_site_is_in_order(built):
    assert check_site(HTML, ROOT, built["edition"]) == []


def test_the_edition_is_the_one_asked_for(built):
    from helpers.data import settle_edition

    assert built["edition"] == settle_edition().edition


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_figure_stands_on_its_page_with_caption_number_and_description(built, name):
    soup = soup_of(name)
    wanted = {}
    for cell in notebook_cells(name):
        settings = cell["metadata"].get("mystnb", {})
        if "figure" in settings and "remove-cell" not in cell["metadata"].get("tags", []):
            wanted[settings["figure"]["name"]] = settings["image"]["alt"]
    assert wanted, "a chapter without a figure"
    for label, alt in wanted.items():
        figure = soup.find("figure", id=label.replace("_", "-"))  # as docutils writes identifiers
        assert figure is not None, f"{label} is not on the page"
        light, dark = figure.select("img")
        assert light["alt"] == dark["alt"] == alt
        assert "only-light" in light["class"] and "only-dark" in dark["class"] and light["src"] != dark["src"]
        assert light["src"].endswith(".webp") and dark["src"].endswith(".webp")
        # the theme hides a caption that stands beside a version of the other mode
        assert not figure.select("img ~ figcaption")
        assert re.match(r"Fig\. \d+", figure.select_one("figcaption .caption-number").get_text().strip())


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_sentences_show_their_output_and_not_their_input(built, name):
    soup = soup_of(name)
    shown = " ".join(code.get_text() for code in soup.select("div.cell_input"))
    assert "say(f" not in shown, "the code of a sentence is on the page"
    assert "check(" not in shown, "a check is on the page"
    sentences = [
        cell
        for cell in notebook_cells(name)
        if cell["cell_type"] == "code" and "".join(cell["source"]).startswith("say(")
    ]
    assert len(soup.select("div.cell.tag_remove-input")) >= len(sentences)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_solutions_are_folded(built, name):
    for solution in soup_of(name).select("div.solution"):
        assert "dropdown" in solution["class"]


@pytest.mark.parametrize("name", PAGES)
def test_no_number_was_left_unfilled(built, name):
    article = soup_of(name).select_one("article")
    text = article.get_text()
    assert "nan%" not in text.lower() and "glue:" not in text


def test_the_front_page_quotes_the_results(built):
    text = soup_of("intro").select_one("article").get_text(" ")
    assert "97.4" in text
    assert len(re.findall(r"\d\d\.\d+\s?%", text)) >= 4


def test_the_longest_chapter_keeps_its_budget(built):
    """The design's budgets on two quiet cores, doubled: a shared machine is noisy, and a chapter that doubled is a fault."""
    budget = {"full": (90, 180), "sample": (40, 40)}[built["edition"]]
    for name, seconds in built["seconds"].items():
        allowed = budget[1] if name.endswith("svm_knn_baselines") else budget[0]
        assert seconds is not None and seconds < 2 * allowed, f"{name} took {seconds:.0f} s; {allowed} s are allowed"


def test_search_index_and_contents_know_every_page(built):
    index = (HTML / "searchindex.js").read_text(encoding="utf-8")
    links = {Path(a["href"]).stem for a in soup_of("intro").select("nav a[href$='.html']")}
    for name in PAGES:
        assert f'"{name}"' in index
    assert {Path(name).stem for name in PAGES[1:]} <= links


def test_configuration_has_no_address_that_leads_nowhere():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert "url" not in config.get("repository", {})
    assert not soup_of("intro").select("a[href*='colab.research'], a[href*='mybinder.org']")
