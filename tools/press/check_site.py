"""Look over the built site: ``python -m tools.press.check_site [_build/html]``. Prints every problem; the exit status says if there is one.

A page missing, a notebook's page without outputs or with an error, a picture without a description or without a version for dark
mode, a link that leads nowhere, a role that was not understood, the edition's banner missing or out of place, a quoted number that
differs from its source.
"""

import ast
import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
RAW_MARKUP = re.compile(r"\{(?:glue:\w+|term|cite(?::\w+)?|numref|ref|eq|doc|exercise|solution|figure|math)\}")


QUOTE = re.compile(r"\{glue:text\}`(?P<source>[^`:]+)::(?P<name>\w+)(?::(?P<format>[^`]*))?`")


# Pages that Sphinx and tools/press/page_meta.py add. The last has links from the site's root, which tests/site/test_meta.py follows.
EXTRA_PAGES = ("search", "genindex", "404")


def pages_of_toc(root=ROOT):
    """Return the document names in ``_toc.yml``, in order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = list(toc.get("chapters", []))
    for part in toc.get("parts", []):
        chapters += part["chapters"]
    return [toc["root"]] + [chapter["file"] for chapter in chapters]


def check_images(page, soup):
    """Yield a problem for every picture of the text that is missing or has no description of its own."""
    article = soup.select_one("article") or soup
    for image in article.select("img"):
        source = unquote(urlsplit(image.get("src", "")).path)
        alt = (image.get("alt") or "").strip()
        if not image.get("src", "").startswith("data:") and not (page.parent / source).is_file():
            yield f"picture {source} does not exist"
        if len(alt) < 15 or Path(source).name in alt:
            yield f"picture {source} has no description (mystnb.image.alt): {alt!r}"


def check_modes(soup):
    """Yield a problem for every picture of the text that was not made for both modes, or whose size the page does not know.

    A figure comes in two versions with one description (tools/press/dark_figures.py draws the dark one, tools/press/page_figures.py shows both); a picture
    that suits both modes as it is says so by the theme's class ``dark-light``.
    """
    article = soup.select_one("article") or soup
    for image in article.select("img"):
        name, classes = image.get("src", ""), image.get("class", [])
        if not (image.get("width", "").isdigit() and image.get("height", "").isdigit()):
            yield f"picture {name} has no width and height: the page jumps when it comes"
        if image.get("loading") != "lazy":
            yield f"picture {name} is not lazy: a version that is not shown would be fetched"
        if "dark-light" in classes:
            continue
        others = [other for other in image.parent.find_all("img", recursive=False) if other is not image]
        mode = next((mode for mode in ("light", "dark") if f"only-{mode}" in classes), None)
        if mode is None:
            yield f"picture {name} has no version for dark mode: draw it with Matplotlib"
            continue
        other = {"light": "dark", "dark": "light"}[mode]
        if len(others) != 1 or f"only-{other}" not in others[0].get("class", []):
            yield f"picture {name} has no version for {other} mode"
        elif (others[0].get("alt"), others[0].get("width"), others[0].get("height")) != (
            image.get("alt"),
            image.get("width"),
            image.get("height"),
        ):
            yield f"picture {name} and its version for {other} mode differ in size or description"
        elif others[0].get("src") == name:
            yield f"picture {name} is the same in both modes"


def check_links(page, soup, soups):
    """Yield a problem for every link within the site that leads nowhere."""
    for link in soup.select("a[href]"):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc or page.name == "404.html":
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
        if not target.is_file():
            yield f"link to {link['href']} leads nowhere"
        elif parts.fragment and target in soups:
            ids = soups[target][1]
            if unquote(parts.fragment) not in ids:
                yield f"link to {link['href']}: no such place on the page"


def check_head(soup):
    """Yield a problem where a page's head lacks a title, a description, a language or an icon, or names two canonical addresses."""
    if not (soup.title and soup.title.get_text().strip()):
        yield "the page has no title"
    description = soup.select('meta[name="description"]')
    if len(description) != 1 or not 50 <= len(description[0].get("content", "")) <= 160:
        yield "the page has no description of 50 to 160 characters: its first paragraph gives it (tools/press/page_meta.py)"
    if not (soup.html and soup.html.get("lang")):
        yield "the page does not say its language"
    if not soup.select("link[rel~=icon]"):
        yield "the page has no icon"
    if len(soup.select("link[rel=canonical]")) > 1:
        yield "the page names more than one canonical address"


def check_notebook(soup, path):
    """Yield a problem where a notebook's page shows no outputs, an error or a message of the error stream."""
    outputs = soup.select("div.cell_output")
    if not outputs:
        yield "no outputs: the notebook was not executed"
    for output in outputs:
        if output.select(".output.traceback"):
            yield f"an error in a cell: {output.get_text()[:200]!r}"
        if output.select(".output.stderr"):
            yield f"a message on the error stream: {output.get_text()[:200]!r}"
    figures = path.read_text(encoding="utf-8").count('"caption":')
    shown = len([figure for figure in soup.select("article figure") if figure.select("img")])
    if shown < figures:
        yield f"{shown} figures on the page, {figures} in the notebook"


def check_text(page, soup, source, edition):
    """Yield the problems of a page of the book; ``source`` is its notebook, if it has one."""
    if not soup.select("h1"):
        yield "the page has no heading"
    yield from check_images(page, soup)
    yield from check_modes(soup)
    if source.is_file():
        yield from check_notebook(soup, source)
    article = soup.select_one("article")
    if article:
        for code in article.select("pre, code"):
            code.decompose()
        raw = RAW_MARKUP.findall(article.get_text())
        if raw:
            yield f"markup that was not understood: {', '.join(sorted(set(raw)))}"
    banner = bool(soup.find(string=re.compile("^Sample edition: this build", re.M)))
    if edition and banner != (edition == "sample"):
        yield (
            "the sample edition's notice is missing"
            if edition == "sample"
            else "the page calls the full edition a sample"
        )


def text_of(root, name):
    """Return the Markdown of a page of the book, a notebook's Markdown cells included; empty if there is no source."""
    page, notebook = root / f"{name}.md", root / f"{name}.ipynb"
    if page.is_file():
        return page.read_text(encoding="utf-8")
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"] if notebook.is_file() else []
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def quotes(text, executed):
    """Yield (name, what the page should show) for each ``{glue:text}`` of a page's source, in order.

    executed : Path
        The folder in which the build leaves what each chapter glued (``CHAPTER.glue.json``).
    """
    for source, name, form in QUOTE.findall(text):
        path = executed / f"{source.lstrip('/').removesuffix('.ipynb')}.glue.json"
        glued = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if name not in glued:
            yield name, None
            continue
        value = ast.literal_eval(glued[name]["data"]["text/plain"])
        yield name, format(value, form)


def check_quotes(soup, text, executed):
    """Yield a problem for every quoted number of a page that is not what its chapter glued, in the format that the page asks for."""
    shown = [one.get_text() for one in soup.select(".pasted-text")]
    wanted = list(quotes(text, executed))
    if len(shown) != len(wanted):
        yield f"{len(wanted)} numbers are quoted in the source, {len(shown)} on the page"
        return
    for one, (name, value) in zip(shown, wanted, strict=True):
        if value is None:
            yield f"{name} is quoted, but no chapter glues it"
        elif one != value:
            yield f"the page shows {one!r} for {name}, its source has {value!r}"


def check_site(html, root=ROOT, edition=None):
    """Return the list of problems of the site in the folder ``html``; ``edition`` ("full", "sample") is checked if given."""
    html = Path(html)
    problems, soups = [], {}
    for name in [*pages_of_toc(root), *EXTRA_PAGES]:
        page = html / f"{name}.html"
        if not page.is_file():
            problems.append(f"{name}: the page is missing from the site")
            continue
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        soups[page.resolve()] = (soup, {tag["id"] for tag in soup.select("[id]")})
        found = [*check_head(soup)]
        if name not in EXTRA_PAGES:
            found += check_quotes(soup, text_of(root, name), html.parent / "jupyter_execute")
            found += check_text(page, soup, root / f"{name}.ipynb", edition)
        problems += [f"{name}: {one}" for one in found]
    for page, (soup, _) in soups.items():
        problems += [
            f"{page.relative_to(html.resolve()).with_suffix('')}: {one}"
            for one in sorted(set(check_links(page, soup, soups)))
        ]
    return problems


if __name__ == "__main__":
    found = check_site(sys.argv[1] if len(sys.argv) > 1 else ROOT / "_build" / "html")
    print("\n".join(found) if found else "the site is in order")
    sys.exit(bool(found))
