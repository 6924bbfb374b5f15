"""Formulas are rendered while the book is built: what KaTeX gives, what is kept, what is refused, and that Node.js is there."""

import re
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx

from tools.press import node_tools
from tools.press.build_time_math import FormulaError, Formulas, display_source


@pytest.fixture(scope="module")
def formulas():
    """A renderer that keeps nothing. It fails with NodeError's message where Node.js or npm is missing."""
    made = Formulas()
    yield made
    made.close()


def test_a_formula_is_seen_and_read_aloud(formulas):
    html = BeautifulSoup(formulas.render(r"\frac{a}{b} < 1"), "html.parser")
    assert html.select_one(".katex-mathml math mfrac")
    assert html.select_one(".katex-mathml annotation").get_text() == r"\frac{a}{b} < 1"
    assert html.select_one(".katex-html")["aria-hidden"] == "true"
    assert not html.select("[src], [href], script")


def test_display_and_inline_differ(formulas):
    assert 'class="katex-display"' in formulas.render(r"\sum_i x_i", display=True)
    assert 'class="katex-display"' not in formulas.render(r"\sum_i x_i")


@pytest.mark.parametrize("tex", [r"\frac{a}", r"\unknowncommand x", r"\begin{align} a", "x_1_2"])
def test_a_formula_with_a_fault_is_refused(formulas, tex):
    with pytest.raises(FormulaError, match="KaTeX parse error"):
        formulas.render(tex)
    assert "katex" in formulas.render("x"), "the renderer goes on after a refusal"


def test_environments_lose_the_numbers_that_katex_would_give(formulas):
    source = display_source("\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}", nowrap=True)
    assert source.startswith(r"\begin{align*}") and source.endswith(r"\end{align*}")
    assert "eqn-num" not in formulas.render(source, display=True)
    assert "eqn-num" in formulas.render(r"\begin{align} a \end{align}", display=True), "else this test tests nothing"


@pytest.mark.parametrize("text", ["a &= b \\\\ c &= d", "a = b\n\nc = d", "a = b"])
def test_what_sphinx_would_wrap_is_wrapped(formulas, text):
    assert "katex-display" in formulas.render(display_source(text), display=True)


def test_known_formulas_need_no_node(tmp_path, monkeypatch):
    kept = tmp_path / "formulas.json"
    first = Formulas(kept)
    html = first.render("x^2")
    first.close()
    monkeypatch.setattr(node_tools, "start", lambda *_: pytest.fail("Node.js was started"))
    again = Formulas(kept)
    assert again.render("x^2") == html
    again.close()


def test_kept_formulas_of_another_katex_are_not_used(tmp_path):
    kept = tmp_path / "formulas.json"
    kept.write_text('{"maker": "another", "formulas": {"inline:x": "old"}}')
    renderer = Formulas(kept)
    assert renderer.render("x") != "old"
    renderer.close()


def test_a_damaged_cache_is_made_again(tmp_path):
    kept = tmp_path / "formulas.json"
    kept.write_text('{"maker"')
    renderer = Formulas(kept)
    assert "katex" in renderer.render("x")
    renderer.close()


PAGE = r"""
# Formulas

Inline $w_{ij}$ and {eq}`eq-loss`.

$$
L = -\sum_k t_k \ln p_k
$$ (eq-loss)

\begin{align*}
a &= b \\
c &= d
\end{align*}
"""


def build(folder, text):
    """Build one page with our renderer; returns (its HTML, the warnings)."""
    source = folder / "source"
    source.mkdir()
    (source / "conf.py").write_text(
        "from tools import extension\nfrom tools.press import state\n"
        "from tools import extension\nfrom tools.press.state import Build\n\n"
        "extensions = ['myst_parser']\n\n"
        "def setup(app):\n    known = Build()\n    extension.add_renderers(app, known)\n"
        "    extension.connect(app, known, {'tools.press.build_time_math'})\n\n"
        "myst_enable_extensions = ['dollarmath', 'amsmath']\nhtml_theme = 'basic'\n"
    )
    (source / "index.md").write_text(text)
    warnings = folder / "warnings"
    with warnings.open("w") as stream:
        app = Sphinx(
            source,
            source,
            folder / "out" / "html",
            folder / "trees",
            "html",
            status=None,
            warning=stream,
            confoverrides={},
        )
        app.build()
    return (folder / "out" / "html" / "index.html").read_text(), warnings.read_text()


def test_a_page_holds_its_formulas_with_their_numbers_and_no_mathjax(tmp_path):
    html, warnings = build(tmp_path, PAGE)
    soup = BeautifulSoup(html, "html.parser")
    assert not warnings
    assert len(soup.select(".katex")) == 3
    assert soup.select_one("div.math .eqno").get_text().startswith("(1)")
    place = soup.select_one("a.reference.internal[href^='#equation-']")
    assert place.get_text() == "(1)" and soup.select(place["href"])
    assert "mathjax@" not in html.lower() and "<script>window.MathJax" not in html
    for seen in soup.select(".katex-mathml"):
        seen.decompose()
    assert not re.search(r"\\[\[\](]|\$|\\begin", soup.get_text())


def test_a_refused_formula_is_a_warning_with_page_and_formula(tmp_path):
    html, warnings = build(tmp_path, "# One\n\nThis $\\nosuch{x}$ is wrong.\n")
    assert "index" in warnings and "\\nosuch{x}" in warnings and "cannot be rendered" in warnings
    assert "<code>\\nosuch{x}</code>" in html


def test_missing_node_is_an_error_that_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(node_tools.sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(node_tools.NodeError, match=r"Node\.js \d+ or newer.*missing.*pip install -r requirements\.txt"):
        node_tools.find_node()


def test_an_old_node_is_not_taken(monkeypatch, tmp_path):
    for name, text in {"node": "echo v12.1.0", "npm": "echo 6"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(node_tools.NodeError, match="is version 12"):
        node_tools.find_node(path=str(tmp_path))


def test_npm_without_its_index_is_an_error_that_says_what_to_do(tmp_path):
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_bytes((node_tools.SITE / name).read_bytes())
    arguments = ["--registry=http://127.0.0.1:9/", f"--cache={tmp_path / 'cache'}", "--fetch-retries=0"]
    with pytest.raises(
        node_tools.NodeError, match=r"(?s)package-lock\.json.*npm ci ended with.*connect to the network"
    ):
        node_tools.install(tmp_path, arguments)
    assert not (tmp_path / "node_modules").exists()


def test_installing_again_does_nothing(monkeypatch):
    node_tools.install()
    monkeypatch.setattr(node_tools, "find_node", lambda: pytest.fail("npm was asked for"))
    assert node_tools.install().is_dir()


@pytest.mark.parametrize("folder", ["tools/press/node", "tests/site"])
def test_the_lock_names_no_index(folder):
    lock = (Path(__file__).resolve().parents[2] / folder / "package-lock.json").read_text()
    assert '"resolved"' not in lock and lock.count('"integrity"') > 50
