"""Formulas become HTML and MathML while the book is built (KaTeX), so that pages need no script for them.

A formula that KaTeX refuses is a warning with its page, which fails the build. Rendered formulas are kept in
``_build/formulas.json``: a build that meets no new one starts no Node.js for them.
"""

import hashlib
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from tools.press import node_tools

logger = logging.getLogger(__name__)
# Environments that KaTeX would number by itself, row by row, from one on every page. Sphinx numbers them: once, and for {eq}.
NUMBERED = re.compile(r"\\(begin|end)\{(equation|align|gather|alignat)\}")


class FormulaError(Exception):
    """KaTeX refuses a formula; the message is KaTeX's."""


class Formulas:
    """Renders formulas through one Node.js process, started at the first one that is not kept from an earlier build."""

    def __init__(self, kept=None, site=node_tools.SITE):
        """``kept``: path of the JSON file that keeps rendered formulas, or None to keep none."""
        self.kept, self.site, self.process = kept, site, None
        # What KaTeX makes of a formula depends on KaTeX's version and on our script.
        maker = (site / "package-lock.json").read_bytes() + (site / "formulas.cjs").read_bytes()
        self.maker = hashlib.sha256(maker).hexdigest()
        self.known = {}
        if kept and kept.is_file():
            try:
                content = json.loads(kept.read_text(encoding="utf-8"))
            except ValueError:
                content = {}  # cut short by a build that was stopped
            if content.get("maker") == self.maker:
                self.known = content["formulas"]

    def render(self, tex, display=False):
        """Return the HTML of a formula (str); raises FormulaError if KaTeX refuses it, NodeError if Node.js is missing."""
        key = f"{'display' if display else 'inline'}:{tex}"
        if key not in self.known:
            if self.process is None:
                self.process = node_tools.start("formulas.cjs", self.site)
            try:
                self.process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
                self.process.stdin.flush()
            except OSError:
                pass  # it ended; the next line says why
            line = self.process.stdout.readline()
            if not line:
                told = self.process.stderr.read().strip()[-2000:]
                raise node_tools.NodeError(f"{self.site / 'formulas.cjs'} stopped at the formula {tex!r}:\n{told}")
            answer = json.loads(line)
            if "error" in answer:
                raise FormulaError(answer["error"])
            self.known[key] = answer["html"]
        return self.known[key]

    def close(self):
        """End the process and keep what is known."""
        if self.process is not None:
            self.process.communicate()
            self.process = None
        if self.kept:
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            self.kept.write_text(json.dumps({"maker": self.maker, "formulas": self.known}), encoding="utf-8")


def display_source(text, nowrap=False):
    """Return the LaTeX that KaTeX gets for a display formula: as Sphinx would give it to LaTeX, with no number of its own."""
    if nowrap:
        return NUMBERED.sub(r"\\\1{\2*}", text.strip())
    parts = [
        rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part and r"\begin{" not in part else part
        for part in (part.strip() for part in text.split("\n\n"))
        if part
    ]
    if len(parts) == 1:
        return NUMBERED.sub(r"\\\1{\2*}", parts[0])
    return r"\begin{gathered}" + r"\\".join(parts) + r"\end{gathered}"


def _rendered(build, translator, node, tex, display):
    """Return the HTML of a node's formula, or its source with a warning if KaTeX refuses it."""
    try:
        return build.formulas.render(tex, display)
    except FormulaError as error:
        page = translator.builder.current_docname
        place = node if node.source and node.line else page
        logger.warning("%s: the formula %s cannot be rendered: %s", page, tex, error, location=place, type="formula")
        return f"<code>{translator.encode(tex)}</code>"
    except node_tools.NodeError as error:
        raise ExtensionError(str(error)) from error


def visit_inline(build, self, node):
    """Write an inline formula."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_rendered(build, self, node, node.astext(), False) + "</span>")
    raise nodes.SkipNode


def visit_display(build, self, node):
    """Write a display formula, with its number if it has one."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(_rendered(build, self, node, display_source(node.astext(), node.get("nowrap")), True) + "</div>\n")
    raise nodes.SkipNode


def choose(app, config):
    """Make ours the renderer of formulas in HTML."""
    config.html_math_renderer = "build_time"


def begin(build, app):
    """Take up what earlier builds rendered."""
    build.formulas = Formulas(Path(app.outdir).parent / "formulas.json")


def end(build, app, exception):
    """Keep what this build rendered."""
    if build.formulas:
        build.formulas.close()
