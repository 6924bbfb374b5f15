"""Print the built site as one PDF: ``make pdf`` runs this after ``make book``.

The text of every page is joined in the order of the contents, its links are turned inwards, and Chromium prints it twice: the first
time to learn on which page each heading falls, the second time with these numbers in the contents.
"""

import base64
import re
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup
from pypdf import PdfReader

from tools.press.browser import ARGUMENTS, CURE, NoBrowser, find_chromium
from tools.press.check_site import pages_of_toc

ROOT = Path(__file__).resolve().parents[2]
STYLE = Path(__file__).resolve().parent / "print.css"
NAME = "handwritten-digit-recognition.pdf"
# What only works in a browser is shown as a picture of itself.
INTERACTIVE = "article div.draw"
NOTE = "This part works in a browser only: draw, and the network answers. Here it is as a picture."
LEFT_OUT = "script, noscript, style, a.headerlink, button, .only-dark, .cell_launch, #searchbox"


def slug(name):
    """Return how a page is called in the identifiers of the joined document."""
    return re.sub(r"[^\w-]", "-", name)


def inward(href, name, pages):
    """Return what a link of the page ``name`` is in the joined document; None for a link to a file that is not part of it."""
    parts = urlsplit(href)
    if parts.scheme or parts.netloc:
        return href
    if not parts.path:
        return f"#{slug(name)}--{unquote(parts.fragment)}" if parts.fragment else f"#{slug(name)}"
    target = Path("/", name).parent.joinpath(unquote(parts.path)).resolve().relative_to("/").with_suffix("").as_posix()
    if target not in pages or not parts.path.endswith(".html"):
        return None
    return f"#{slug(target)}--{unquote(parts.fragment)}" if parts.fragment else f"#{slug(target)}"


def prepare_article(html, name, pages, pictures):
    """Return the article of a page, made ready for paper: identifiers of its own, links inwards, pictures at once, nothing folded.

    pictures: list of PNG bytes, one for each interactive part of the page.
    """
    page = html / f"{name}.html"
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article")
    for part, picture in zip(article.select(INTERACTIVE.removeprefix("article ")), pictures, strict=True):
        data = base64.b64encode(picture).decode()
        figure = f'<figure class="interactive"><img alt="" src="data:image/png;base64,{data}"><figcaption>{NOTE}</figcaption></figure>'
        part.replace_with(BeautifulSoup(figure, "html.parser"))
    for one in article.select(LEFT_OUT):
        one.decompose()
    for one in article.select("details"):
        one["open"] = ""
    for one in article.select(".dropdown"):
        one["class"] = [kind for kind in one["class"] if kind != "dropdown"]
    for one in article.select("[id]"):
        one["id"] = f"{slug(name)}--{one['id']}"
    for link in article.select("a[href]"):
        if link.select_one("img"):
            link.unwrap()  # to the picture as a file of its own
            continue
        target = inward(link["href"], name, pages)
        if target is None:
            link.unwrap()
        else:
            link["href"] = target
    for image in article.select("img"):
        image.attrs.pop("loading", None)
        if not image["src"].startswith("data:"):
            image["src"] = (page.parent / unquote(urlsplit(image["src"]).path)).resolve().as_uri()
    article.name = "section"
    article["id"] = slug(name)
    article["class"] = ["bd-article", "chapter"]
    return article


def head_of(html, name):
    """Return the style sheets of a page, as elements with absolute addresses."""
    page = html / f"{name}.html"
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    for link in soup.select("head link[rel=stylesheet]"):
        yield f'<link rel="stylesheet" href="{(page.parent / urlsplit(link["href"]).path).resolve().as_uri()}">'


def contents(articles, numbers):
    """Return the table of contents, from the headings of level 1 and 2; ``numbers``: identifier -> page number."""
    rows = []
    for article in articles:
        for heading in article.select("h1, h2"):
            place = heading.find_parent("section")["id"] if heading.name == "h2" else article["id"]
            number = numbers.get(place, "0")
            rows.append(
                f'<li class="level-{heading.name}"><a href="#{place}"><span>{heading.decode_contents()}</span>'
                f'<span class="dots"></span><span class="number">{number}</span></a></li>'
            )
    return '<nav class="book-contents"><h1>Contents</h1><ul>' + "\n".join(rows) + "</ul></nav>"


def join(html, names, articles, numbers):
    """Return the whole book as one HTML document."""
    first = BeautifulSoup((html / f"{names[0]}.html").read_text(encoding="utf-8"), "html.parser")
    title = first.select_one("h1").get_text().removesuffix("#").strip()
    built = first.select_one(".book-built")
    styles = dict.fromkeys(link for name in names for link in head_of(html, name))
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8"><title>{title}</title>'
        + "".join(styles)
        + f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body>"
        + f'<header class="book-cover"><p class="book-title">{title}</p><p>{built.get_text() if built else ""}</p></header>'
        + contents(articles, numbers)
        + "\n".join(str(article) for article in articles)
        + "</body></html>"
    )


def print_page(page, source, target):
    """Print the HTML file ``source`` to the PDF ``target``, when its fonts and all its pictures are there."""
    page.goto(source.as_uri(), wait_until="load")
    page.evaluate("Promise.all([document.fonts.ready, ...[...document.images].map(one => one.decode())])")
    page.pdf(path=str(target), prefer_css_page_size=True, print_background=True, outline=True, tagged=True)


def places(pdf):
    """Return identifier -> page number (from 1) of every place that a link of the PDF leads to."""
    reader = PdfReader(pdf)
    return {
        unquote(str(name).lstrip("/")): reader.get_destination_page_number(goal) + 1
        for name, goal in reader.named_destinations.items()
    }


def make_pdf(html, target, chromium, root=ROOT):
    """Print the site in the folder ``html`` to the file ``target``; returns the number of pages."""
    from playwright.sync_api import sync_playwright

    names = pages_of_toc(root)
    source = target.parent / "book.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 760, "height": 1000}, color_scheme="light", device_scale_factor=2)
        articles = []
        for name in names:
            page.goto((html / f"{name}.html").as_uri())
            parts = page.locator(INTERACTIVE).all()
            articles.append(prepare_article(html, name, names, [part.screenshot() for part in parts]))
        numbers = {}
        for _ in range(3):  # the numbers settle at the second time; a third in case they move a heading
            source.write_text(join(html, names, articles, numbers), encoding="utf-8")
            print_page(page, source, target)
            found = places(target)
            if found == numbers:
                break
            numbers = found
        browser.close()
    return len(PdfReader(target).pages)


def main():
    """Make the PDF and say where it is; returns the exit status."""
    html, target = ROOT / "_build" / "html", ROOT / "_build" / "pdf" / NAME
    if not (html / "index.html").is_file():
        print("The book is not built: run make book", file=sys.stderr)
        return 1
    try:
        chromium = find_chromium()
    except NoBrowser as error:
        print(error, file=sys.stderr)
        return 1
    if not chromium:
        print(f"Printing needs Chromium. {CURE}", file=sys.stderr)
        return 1
    started = time.time()
    pages = make_pdf(html, target, chromium)
    print(f"{pages} pages, {target.stat().st_size / 1e6:.1f} MB, in {time.time() - started:.0f} s.\n{target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
