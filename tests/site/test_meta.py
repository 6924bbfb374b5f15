"""What the outside sees: titles, descriptions, pictures for links, addresses, the page for wrong addresses, the footer."""

import re
import subprocess
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from site_pages import ALL_PAGES, HTML, PAGES, ROOT
from site_server import Site

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


@pytest.mark.parametrize("name", PAGES)
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


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A folder of settings with a made-up address, and what Sphinx would pass."""
    (tmp_path / "pyproject.toml").write_text('[tool.digits]\nsite = "https://digits.example/book/"\n', encoding="utf-8")
    config = SimpleNamespace(
        root_doc="intro", html_title="The book", project="", html_context={"book_built": "Last built"}
    )
    env = SimpleNamespace(
        config=config, toctree_includes={"intro": ["chapters/a", "b"], "chapters/a": ["c"]}, titles={}
    )
    builder = SimpleNamespace(name="html", get_target_uri=lambda doc: f"{doc}.html")
    out = tmp_path / "html"
    out.mkdir()
    return SimpleNamespace(confdir=tmp_path, config=config, env=env, builder=builder, outdir=out)


def context():
    """What Sphinx passes to the head of a page."""
    return {
        "metatags": "",
        "title": "A <em>&amp;</em> B",
        "docstitle": "The book",
        "pathto": lambda path, _: f"../{path}",
    }


def test_an_address_gives_sitemap_robots_canonical_and_picture(made_up):
    page_meta.write_files(made_up, None)
    sitemap = (made_up.outdir / "sitemap.xml").read_text(encoding="utf-8")
    assert re.findall(r"<loc>(.*?)</loc>", sitemap) == [
        f"https://digits.example/book/{name}.html" for name in ("intro", "chapters/a", "b", "c")
    ]
    assert "Sitemap: https://digits.example/book/sitemap.xml" in (made_up.outdir / "robots.txt").read_text()
    assert (
        'rel="canonical" href="https://digits.example/book/intro.html"' in (made_up.outdir / "index.html").read_text()
    )
    values = context()
    page_meta.add_head(made_up, "search", "", values, None)
    soup = BeautifulSoup(values["metatags"], "html.parser")
    assert meta(soup, "og:url") == "https://digits.example/book/search.html"
    assert meta(soup, "og:image") == "https://digits.example/book/_static/share.png"
    assert meta(soup, "og:title") == "A & B"


def test_no_address_gives_none_of_them_and_removes_old_ones(made_up):
    page_meta.write_files(made_up, None)
    (made_up.confdir / "pyproject.toml").write_text("", encoding="utf-8")
    page_meta.write_files(made_up, None)
    assert sorted(path.name for path in made_up.outdir.iterdir()) == ["index.html"]
    values = context()
    page_meta.add_head(made_up, "search", "", values, None)
    assert "og:url" not in values["metatags"] and "og:image" not in values["metatags"]


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
