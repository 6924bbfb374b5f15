"""The book as a PDF, which make pdf prints: pages, figures, links, contents, nothing cut off."""

import re
import subprocess
import sys
from collections import Counter

import pytest
from bs4 import BeautifulSoup
from site_pages import BUILD, HTML, PAGES, ROOT

PDF = BUILD / "pdf" / "handwritten-digit-recognition.pdf"
# The part of a page that print fills: A4 less the margins in tools/press/print.css, in points.
LEFT, RIGHT = 20 / 25.4 * 72 - 2, (210 - 20) / 25.4 * 72 + 2


@pytest.fixture(scope="module")
def pdf(html, chromium):
    """The PDF, printed now from the site as it is."""
    from pypdf import PdfReader

    # A process of its own, as make pdf starts one: two of Playwright's loops do not go together in one.
    done = subprocess.run([sys.executable, "-m", "tools.press.make_pdf"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return PdfReader(PDF)


@pytest.fixture(scope="module")
def texts(pdf):
    """The text of each page."""
    return [page.extract_text() for page in pdf.pages]


def links_of(page):
    """Yield (name of an inner place or None, outer address or None) for each link of a page."""
    for note in page.get("/Annots", []) or []:
        note = note.get_object()
        if note.get("/Subtype") == "/Link":
            action = note.get("/A", {}).get_object() if note.get("/A") else {}
            yield note.get("/Dest") or action.get("/D"), action.get("/URI")


def test_it_has_the_length_of_a_book_and_no_blank_page(pdf, texts, measured):
    measured("PDF", pages=len(pdf.pages), KB=PDF.stat().st_size / 1000)
    assert 80 <= len(pdf.pages) <= 300
    drawn = [len(page.images) for page in pdf.pages]
    blank = [number for number, text in enumerate(texts, 1) if len(text.strip()) < 20 and not drawn[number - 1]]
    assert blank == []


def test_it_holds_every_figure(pdf, measured):
    wanted = 0
    for name in PAGES:
        article = BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser").select_one(
            "article"
        )
        wanted += len([one for one in article.select("img") if "only-dark" not in one.get("class", [])])
        wanted += len(article.select("div.draw"))
    shown = sum(len(page.images) for page in pdf.pages)
    measured("PDF", figures=shown)
    assert shown == wanted >= 50


def test_every_figure_and_chapter_of_the_site_is_named_in_it(texts):
    whole = re.sub(r"\s+", " ", " ".join(texts)).replace("ﬂ", "fl").replace("ﬁ", "fi").replace("ﬀ", "ff")
    for name in PAGES:
        soup = BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        title = soup.select_one("h1").get_text().removesuffix("#").strip()
        assert title in whole, title
        for number in soup.select("figcaption .caption-number"):
            assert number.get_text().strip() in whole


def test_its_links_lead_somewhere(pdf):
    known = {str(name).lstrip("/") for name in pdf.named_destinations}
    inner = outer = 0
    for number, page in enumerate(pdf.pages, 1):
        for place, address in links_of(page):
            assert place or address, f"page {number}: a link without a target"
            if place:
                inner += 1
                assert str(place).lstrip("/") in known, f"page {number}: {place} leads nowhere"
            else:
                outer += 1
                assert re.match(r"https?://|mailto:", str(address)), f"page {number}: {address} leads out of the book"
    assert inner > 300 and outer > 10


def test_its_contents_give_the_page_of_each_chapter(pdf, texts):
    listed = [text for text in texts[1:8] if re.search(r"\b\d+$", text.strip().splitlines()[-1])]
    rows = dict(re.findall(r"^(.+?) (\d+)$", "\n".join(listed), re.M))
    for name in PAGES:
        soup = BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        title = soup.select_one("h1").get_text().removesuffix("#").strip()
        number = next(page for row, page in rows.items() if title.startswith(row[:25]))
        assert title[:25] in texts[int(number) - 1], f"{title}: not on page {number}"
        assert texts[int(number) - 1].strip().splitlines()[0] == number or texts[int(number) - 1].strip().endswith(
            number
        )


def test_it_has_bookmarks_for_every_chapter(pdf):
    def titles(items):
        for item in items:
            if isinstance(item, list):
                yield from titles(item)
            else:
                yield item.title

    found = Counter(titles(pdf.outline))
    assert len(found) > len(PAGES) * 3
    assert sum("Summary" in title for title in found.elements()) >= 6


def test_no_text_runs_off_the_paper(pdf):
    out = []
    for number, page in enumerate(pdf.pages, 1):

        def look(text, matrix, place, font, size, number=number):
            x = matrix[0] * place[4] + matrix[2] * place[5] + matrix[4]
            if text.strip() and not LEFT <= x <= RIGHT:
                out.append((number, round(x), text[:40]))

        page.extract_text(visitor_text=look)
    assert out == []


def test_solutions_are_printed_in_place(texts):
    wanted = sum((HTML / f"{name}.html").read_text(encoding="utf-8").count('class="solution ') for name in PAGES)
    assert len(re.findall(r"Solution to\s+Exercise \d+", " ".join(texts))) == wanted > 20
