"""The finished site: small styles and scripts from what pages use, nothing left that none uses, and nothing changed by doing it twice."""

import re
import shutil
from pathlib import Path

import pytest

from tools.press import finish_site, node_tools
from tools.press.finish_site import UnfinishedError, drop_unused, finish, stamp

THEME_CSS = """
@import "../basic.css";
:root { --dot: "\\f111"; }
.used { color: red }
.unused { color: blue }
.set-by-script { color: green }
.show { display: block }
html[data-theme="dark"] .used { color: white }
.picture { background: url(../minus.png) }
.fa-dot::before { content: "\\f0c9"; font-family: "Icons" }
@font-face { font-family: Icons; src: url(../fa-solid-900.woff2) format("woff2"), url(../fa-solid-900.ttf) }
"""
PARTS = {
    "styles": ["styles/theme.css", "own.css"],
    "scripts": [{"path": "first.js"}, {"body": "let second = first + 1;"}],
}


@pytest.fixture
def site(tmp_path):
    """A site of one page as Sphinx leaves it, with the theme's icon font; needs Node.js and the packages from npm."""
    import pydata_sphinx_theme

    node_tools.install()
    theme = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
    html = tmp_path / "html"
    files = {
        "index.html": '<html data-theme="light"><link rel="stylesheet" href="_static/site.css" /><script defer src="_static/site.js"></script>'
        '<script src="_static/page.js"></script><p class="used picture fa-dot">unused</p></html>',
        "_static/styles/theme.css": THEME_CSS,
        "_static/styles/pydata-sphinx-theme.css": "",
        "_static/basic.css": "p.used { margin: 0 }",
        "_static/own.css": ".used { color: orange }",
        "_static/first.js": '"use strict"; const first = 1; // a remark\n//# sourceMappingURL=first.js.map',
        "_static/scripts/pydata-sphinx-theme.js": "window.theme = second;",
        "_static/page.js": 'element.classList.add("set-by-script"); load("data.js");',
        "_static/data.js": "var data = 1;",
        "_static/kept.txt": "kept",
        "_static/locales/de.po": "unused",
    }
    for name, text in files.items():
        path = html / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(theme / "vendor" / "fontawesome" / "webfonts" / "fa-solid-900.woff2", html / "_static")
    (html / "_static" / "minus.png").write_bytes(b"\x89PNG small")
    return html


OWN = ["page.js", "data.js", "kept.txt", "own.css"]


def everything(html):
    """Return the bytes of every file of the site by name."""
    return {path.relative_to(html).as_posix(): path.read_bytes() for path in html.rglob("*") if path.is_file()}


def test_styles_hold_what_pages_and_their_scripts_use(site):
    finish(site, PARTS, OWN)
    css = (site / "_static" / "site.css").read_text()
    for kept in ("set-by-script", ".show", "data-theme", "p.used{margin:0}"):
        assert kept in css, kept
    assert ".unused" not in css and "--dot" not in css, "a word of the text is no class"
    assert css.index("red") < css.index("orange"), "the order of the style sheets stays"
    assert "@import" not in css and "file:" not in css
    assert 'url("data:image/png' in css or "url(data:image/png" in css


def test_the_icon_font_holds_only_the_icons_that_are_used(site):
    whole = (site / "_static" / "fa-solid-900.woff2").stat().st_size
    finish(site, PARTS, OWN)
    fonts = re.findall(r"data:font/woff2;base64,([\w+/=]+)", (site / "_static" / "site.css").read_text())
    assert len(fonts) == 1
    assert 200 < len(fonts[0]) < whole / 50


def test_the_script_keeps_order_and_names(site):
    finish(site, PARTS, OWN)
    script = (site / "_static" / "site.js").read_text()
    assert script.index("first") < script.index("second") < script.index("window.theme")
    assert "remark" not in script and "sourceMappingURL" not in script
    assert "Tooltip" in script or "tooltip" in script
    assert script.startswith(';"use strict"'), "one part's strictness would hold for all"


def test_what_nobody_names_goes_and_what_is_ours_stays(site):
    finish(site, PARTS, OWN)
    left = set(everything(site))
    assert left == {"index.html"} | {
        f"_static/{name}" for name in (*finish_site.MADE, "page.js", "data.js", "kept.txt")
    }


def test_done_twice_it_changes_nothing(site):
    finish(site, PARTS, OWN)
    once = everything(site)
    finish(site, PARTS, OWN)
    assert everything(site) == once


def test_after_another_build_the_same_comes_out(site, tmp_path):
    shutil.copytree(site, tmp_path / "fresh")
    finish(site, PARTS, OWN)
    once = everything(site)
    for path in (tmp_path / "fresh" / "_static").rglob("*"):  # Sphinx brings its files again; an unchanged page stays
        if path.is_file():
            target = site / path.relative_to(tmp_path / "fresh")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    finish(site, PARTS, OWN)
    assert everything(site) == once


def test_a_changed_style_has_a_new_address(site):
    finish(site, PARTS, OWN)
    before = (site / "index.html").read_text()
    (site / "_static" / "site.css").write_text("p{}")
    stamp(site)
    after = (site / "index.html").read_text()
    assert (
        len(re.findall(r"site\.css\?v=[0-9a-f]{8}\"", before))
        == len(re.findall(r"site\.css\?v=[0-9a-f]{8}\"", after))
        == 1
    )
    assert before != after


def test_a_missing_style_sheet_is_named(site):
    (site / "_static" / "own.css").unlink()
    with pytest.raises(UnfinishedError, match=r"_static/own\.css, which does not exist.*html_css_files"):
        finish(site, PARTS, OWN)


def test_a_script_that_cannot_be_read_is_named(site):
    (site / "_static" / "first.js").write_text("let = ;")
    with pytest.raises(node_tools.NodeError, match=r"(?s)bundle\.cjs failed"):
        finish(site, PARTS, OWN)


def test_missing_node_stops_it(site, monkeypatch):
    monkeypatch.setattr(
        node_tools, "find_node", lambda: (_ for _ in ()).throw(node_tools.NodeError("Node.js is missing"))
    )
    with pytest.raises(node_tools.NodeError, match=r"Node\.js is missing"):
        finish(site, PARTS, OWN)


def test_a_picture_that_a_page_names_stays(tmp_path):
    static = tmp_path / "_static"
    static.mkdir()
    for name in finish_site.MADE:
        (static / name).write_text("")
    (static / "named.svg").write_text("")
    (static / "other.svg").write_text("")
    (tmp_path / "index.html").write_text('<img src="_static/named.svg" alt="what other.svg was">')
    assert drop_unused(tmp_path, set()) == ["other.svg"]
