"""What the outside sees: titles, descriptions, pictures for links, addresses, the page for wrong addresses, the footer."""

import re
import subprocess
import urllib.error
import urllib.request
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image
from site_pages import ALL_PAGES, HTML, PAGES, ROOT
from site_server import Site
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from tools.press import page_meta


def soup_of(name):
    """Return a page, parsed."""
    return BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def meta(soup, name):
    """Return the content of a meta element, by its name or property; fails unless there is exactly one."""
    found = soup.select(f'meta[name="{name}"], meta[property="{name}"]')
    assert len(found) == 1, f"{len(found)} elements for {name}"
    return found[0]["content"]


def test_titles_and_descriptions_are_there_and_no_two_are_alike(html):
    titles, descriptions = {}, {}
    for name in ALL_PAGES:
        soup = soup_of(name)
        assert soup.html["lang"] == "en"
        titles[name] = soup.title.get_text().strip()
        descriptions[name] = meta(soup, "description")
        assert 50 <= len(descriptions[name]) <= 160, (name, descriptions[name])
        assert soup.select_one("link[rel~=icon]"), f"{name}: no icon"
    for found in (titles, descriptions):
        assert len(set(found.values())) == len(found), found
    assert all("Handwritten Digit Recognition" in title for title in titles.values()), titles


@pytest.mark.parametrize("name", [*PAGES, "search", "genindex"])
def test_open_graph_says_what_the_page_says(html, name):
    soup = soup_of(name)
    assert meta(soup, "og:title") in soup.title.get_text()
    assert meta(soup, "og:description") == meta(soup, "description")
    assert meta(soup, "twitter:card") == "summary_large_image"


def test_icons_and_picture_are_real(html):
    with Image.open(HTML / page_meta.PICTURE) as picture:
        assert picture.size == page_meta.PICTURE_SIZE
    with Image.open(HTML / "_static" / "favicon.ico") as icon:
        assert {(16, 16), (32, 32)} <= icon.info["sizes"]
    assert (HTML / "_static" / "favicon.svg").read_text(encoding="utf-8").startswith("<svg")


def test_addresses_are_shown_only_if_there_is_one(html):
    address = page_meta.site(ROOT)
    for name in PAGES:
        canonical = [one["href"] for one in soup_of(name).select("link[rel=canonical]")]
        assert canonical == ([f"{address}{name}.html"] if address else [])
    assert (HTML / "sitemap.xml").is_file() == (HTML / "robots.txt").is_file() == bool(address)


# ---------------------------------------------------------------- with an address, and with none

ADDRESS = "https://digits.example/book/"
TEXT = {
    "intro": "The front\n=========\n\nA book begins with a page that says what it holds, in a sentence or two.\n\n.. toctree::\n   :hidden:\n\n"
    "   chapters/a\n   b\n",
    "chapters/a": 'A *&* B\n=======\n\nIt says "5 < 6 & 7 > 6", which is long enough to describe the page by itself.\n',
    "b": ".. meta::\n   :description: What the page itself has chosen to say of itself, in its front matter.\n\nB\n=\n\nOther words.\n",
}
CONFIGURATION = """\
from tools import extension
from tools.press import state

project, root_doc, html_theme, html_favicon = "The book", "intro", "pydata_sphinx_theme", "_static/favicon.svg"
html_title, html_static_path, templates_path = "The book", ["_static"], ["_templates"]
extensions = ["sphinxext.opengraph", "notfound.extension"]

def setup(app):
    extension.connect(app, state.Build(edition="sample"), {"tools.press.page_meta"})
"""


class MadeUp:
    """A book of three pages that Sphinx builds with the project's settings and handlers for heads, at an address or at none."""

    def __init__(self, folder):
        self.folder, self.out = folder, folder / "html"
        book = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
        ours = {name: value for name, value in book.items() if name.startswith(("ogp_", "notfound_"))}
        self.write("conf.py", CONFIGURATION + "".join(f"{name} = {value!r}\n" for name, value in ours.items()))
        self.write("_toc.yml", "root: intro\nchapters:\n  - file: chapters/a\n  - file: b\n")
        self.write("_static/favicon.svg", "<svg/>")
        self.write("_templates/404.html", (ROOT / "_templates" / "404.html").read_text(encoding="utf-8"))
        for name, text in TEXT.items():
            self.write(f"{name}.rst", text)

    def write(self, name, text):
        """Write a file of the book."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def build(self, address):
        """Build, with warnings as errors, at an address or at none; returns the names of the documents that were read."""
        self.write("pyproject.toml", f'[tool.digits]\nsite = "{address}"\n' if address else "")
        with docutils_namespace():
            folders = (self.folder, self.folder, self.out, self.folder / "trees")
            app = Sphinx(*folders, "html", status=None, warningiserror=True)
            read = []
            app.connect("source-read", lambda app, docname, source: read.append(docname))
            app.build()
        assert app.statuscode == 0
        return read

    def soup(self, name):
        """Return a page, parsed."""
        return BeautifulSoup((self.out / f"{name}.html").read_text(encoding="utf-8"), "html.parser")

    def listed(self):
        """Return the addresses in sitemap.xml."""
        text = (self.out / "sitemap.xml").read_text(encoding="utf-8")
        return [
            one.text for one in ElementTree.fromstring(text).iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
        ]


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """A book of three pages, not built."""
    return MadeUp(tmp_path_factory.mktemp("made_up"))


@pytest.fixture
def addressed(made_up):
    """The book of three pages, built at an address."""
    made_up.build(ADDRESS)
    return made_up


def test_an_address_gives_sitemap_robots_canonical_and_picture(addressed):
    assert addressed.listed() == [f"{ADDRESS}{name}.html" for name in TEXT]
    assert f"Sitemap: {ADDRESS}sitemap.xml" in (addressed.out / "robots.txt").read_text()
    assert f'rel="canonical" href="{ADDRESS}intro.html"' in (addressed.out / "index.html").read_text()
    for name in [*TEXT, "search", "genindex"]:
        soup = addressed.soup(name)
        assert [one["href"] for one in soup.select("link[rel=canonical]")] == [f"{ADDRESS}{name}.html"]
        assert meta(soup, "og:url") == f"{ADDRESS}{name}.html"
        assert meta(soup, "og:type") == ("website" if name == "intro" else "article")
        assert meta(soup, "og:site_name") == "The book" and meta(soup, "og:locale") == "en_GB"
        assert meta(soup, "og:image") == f"{ADDRESS}_static/share.png"
        assert (int(meta(soup, "og:image:width")), int(meta(soup, "og:image:height"))) == page_meta.PICTURE_SIZE
        assert len(meta(soup, "og:image:alt")) > 20
        assert meta(soup, "twitter:card") == "summary_large_image"
        assert meta(soup, "og:description") == meta(soup, "description")
    assert meta(addressed.soup("chapters/a"), "og:title") == "A & B"


def test_a_build_that_writes_one_page_still_lists_all(addressed):
    addressed.write("b.rst", TEXT["b"] + "\nOne more sentence.\n")
    assert addressed.build(ADDRESS) == ["b"]
    assert addressed.listed() == [f"{ADDRESS}{name}.html" for name in TEXT]


def test_no_address_gives_none_of_them_and_removes_old_ones(addressed):
    addressed.build(None)
    assert not {"sitemap.xml", "robots.txt"} & {path.name for path in addressed.out.iterdir()}
    assert "canonical" not in (addressed.out / "index.html").read_text()
    for name in [*TEXT, "search", "genindex"]:
        soup = addressed.soup(name)
        assert not soup.select('[property="og:url"], [property^="og:image"], [rel=canonical]')
        assert meta(soup, "og:title") and meta(soup, "og:description") == meta(soup, "description")
        assert meta(soup, "twitter:card") == "summary_large_image"


def test_signs_of_html_and_descriptions_of_a_pages_own_arrive_as_they_are(addressed):
    for name, words in [("chapters/a", "“5 < 6 & 7 > 6”"), ("b", "What the page itself has chosen to say of itself")]:
        description = meta(addressed.soup(name), "description")
        assert words in description and description == meta(addressed.soup(name), "og:description")


@pytest.mark.parametrize(("address", "root"), [(ADDRESS, "/book/"), (None, "/")])
def test_links_of_the_page_for_wrong_addresses_begin_at_the_sites_root(made_up, address, root):
    made_up.build(address)
    soup = made_up.soup("404")
    assert [one["href"] for one in soup.select("a")] == [f"{root}{name}.html" for name in TEXT]
    assert soup.select_one("form")["action"] == f"{root}search.html"
    assert soup.select_one("style") and not soup.select("[rel=stylesheet], script")
    assert soup.select_one("[rel=icon]")["href"].startswith("data:image/svg+xml,")
    assert meta(soup, "robots") == "noindex" and "Last built" in soup.footer.get_text()


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("A sentence that is long enough to stand alone as a description. Another one.",) * 2,
        ("First. " + "word " * 60, None),
        ("word " * 60, None),
    ],
)
def test_a_description_ends_with_a_sentence_or_between_words(text, description):
    short = page_meta.shorten(text.strip())
    assert short == (description or short) and 50 <= len(short) <= 160
    assert short.endswith((".", "word…"))


# ---------------------------------------------------------------- footer


@pytest.mark.parametrize("name", [*PAGES, "search", "genindex"])
def test_the_footer_says_what_the_page_was_built_from(html, name):
    text = re.sub(r"\s+", " ", soup_of(name).select_one(".book-built").get_text())
    assert re.match(r"Last built (from [0-9a-f]{7,}( with changes)?, |on )\d{4}-\d\d-\d\d", text), text
    assert re.search(r"The (full|sample) edition", text)
    for package in ("TensorFlow", "Keras", "scikit-learn", "Python"):
        assert re.search(rf"{package} \d+\.\d+", text), text


def test_the_commit_is_named_with_its_changes_or_not_at_all(tmp_path):
    assert page_meta.commit(tmp_path) is None
    run = lambda *what: subprocess.run(["git", "-C", tmp_path, *what], check=True, capture_output=True)  # noqa: E731
    run("init")
    assert page_meta.commit(tmp_path) is None, "no commit yet"
    (tmp_path / "a").write_text("1")
    run("add", "a")
    run("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-m", "first")
    assert re.fullmatch(r"[0-9a-f]{7,}", page_meta.commit(tmp_path))
    (tmp_path / "a").write_text("2")
    assert page_meta.commit(tmp_path).endswith(" with changes")
    (tmp_path / "inner").mkdir()
    assert page_meta.commit(tmp_path / "inner") is None, "a repository around the folder is somebody else's"


# ---------------------------------------------------------------- wrong addresses


@pytest.mark.parametrize("path", ["nothing.html", "a/deep/path/", "chapters/none.html?x=1"])
def test_a_wrong_address_gives_a_page_that_leads_on(html, path):
    with Site(html) as site:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{site.address}/{path}")
        assert caught.value.code == 404
        import gzip

        soup = BeautifulSoup(gzip.decompress(caught.value.read()).decode(), "html.parser")
        links = [one["href"] for one in soup.select("a")] + [soup.select_one("form")["action"]]
        assert len(links) > len(PAGES)
        if page_meta.site(ROOT) is None:
            for link in links:
                assert link.startswith("/") and urllib.request.urlopen(site.address + link).status == 200
