"""Copies of the chapters for Jupyter and Google Colab, made by every build: ``_build/html/notebooks/``.

A copy holds plain Markdown: what only the book understands (roles, directives, citations, labels) becomes words, links to the
published pages where the book has an address, and headings. Beside the copies lie a wheel of the helpers, which needs nothing
of the repository, and a zip file of all of it. The last functions are for Sphinx's events: they write all of this and point the
pages' download buttons at it.
"""

import ast
import base64
import hashlib
import json
import mimetypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
import yaml

from tools.copies.setup_cell import is_setup_cell
from tools.press import address

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "notebooks"  # within the site
ARCHIVE = "digits-notebooks.zip"
WHEEL_INPUTS = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "LICENSE-TEXT",
    "requirements.txt",
    "tools/copies/wheel_contents.py",
)
WHEEL_FOLDERS = ("helpers", "experiments", "data/measurements", "data/page_models")
EPOCH = (2020, 1, 1, 0, 0, 0)  # the date of every file in an archive: the same content gives the same bytes
CUT = "\0cut"  # stands in converted Markdown where a new cell begins
BOXES = {"note", "tip", "hint", "important", "warning", "caution", "attention", "danger", "error", "seealso"}
# A code span, with the role's name if one stands before it; markdown-it reads them from left to right as well.
SPAN = re.compile(r"(?:\{(?P<role>[\w:+.-]+)\})?(?<!`)(?P<fence>`+)(?!`)(?P<content>.+?)(?<!`)(?P=fence)(?!`)", re.S)
LINK = re.compile(r"(?<!!)\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s]+)\)")
CODE_ROLE = re.compile(r"\{{1,2}(?P<role>(?:numref|eq|term|doc|ref|cite(?::\w+)?))\}{1,2}`(?P<content>[^`]+)`")
TITLED = re.compile(r"(?P<text>.*\S)\s*<(?P<target>[^<>]+)>\s*", re.S)


class PortableError(Exception):
    """Something in a chapter cannot be told in plain Markdown. The message says what, where, and what to do."""


@dataclass
class Facts:
    """What a copy says in place of the book's own markup.

    figures, equations, exercises: {label: number}. titles: {docname: title}. terms: {term in lower case: (docname, anchor)}.
    labels: {label: (docname, anchor, title)}. quoted: {docname: {name: glued value}}. entries: {citation key: pybtex
    entry}. site: the published pages' base address or None. book: its title. root: the project's folder.
    """

    figures: dict = field(default_factory=dict)
    equations: dict = field(default_factory=dict)
    exercises: dict = field(default_factory=dict)
    titles: dict = field(default_factory=dict)
    terms: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    quoted: dict = field(default_factory=dict)
    entries: dict = field(default_factory=dict)
    site: str | None = None
    book: str = "the book"
    root: Path = Path()

    def link(self, text, doc, anchor=""):
        """``text`` as a link to a published page; plain while the book has no address."""
        if not self.site:
            return text
        return f"[{text}]({self.site}{doc}.html{'#' + anchor if anchor else ''})"

    def find(self, table, key, what):
        """An entry of one of the tables; PortableError if there is none."""
        try:
            return getattr(self, table)[key]
        except KeyError:
            raise PortableError(f"the book has no {what} {key!r}") from None


@cache
def parser():
    """MyST's own Markdown parser, with the extensions of _config.yml."""
    from markdown_it.renderer import RendererHTML
    from myst_parser.config.main import MdParserConfig
    from myst_parser.parsers.mdit import create_md_parser

    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    extensions = set(settings["parse"]["myst_enable_extensions"])
    return create_md_parser(MdParserConfig(enable_extensions=extensions), RendererHTML)


# ---------------------------------------------------------------- Markdown


class Converter:
    """Turns the Markdown of one chapter into plain Markdown; remembers what it cites."""

    def __init__(self, facts, doc):
        self.facts, self.doc, self.cited, self.names = facts, doc, [], {}

    def markdown(self, text):
        """Plain Markdown for ``text``; CUT stands where a new cell begins."""
        lines = text.split("\n")
        tokens = parser().parse(text)
        edits = [edit for token in tokens if (edit := self.block(token, lines))]
        out, at = [], 0
        for start, end, new in [*sorted(edits, key=lambda edit: edit[:2]), (len(lines), len(lines), None)]:
            if start < at:
                continue  # inside a block that was replaced as a whole
            if start > at:
                out.append(self.inline("\n".join(lines[at:start])))
            if new is not None:
                out.append(new)
            at = end
        result = "\n".join(out)
        return re.sub(r"\n{3,}", "\n\n", result).strip("\n")

    def block(self, token, lines):
        """(first line, line after, new text) for a block that changes or must not be touched; None for others."""
        if not token.map:
            return None
        start, end = token.map
        name = re.match(r"\{([\w:+.-]+)\}\s*(.*)", token.info or "") if token.type in ("fence", "colon_fence") else None
        if name:
            indent = re.match(r"\s*", lines[start])[0]
            new = self.directive(name[1], name[2].strip(), token.content)
            new = "\n".join(indent + line if line else line for line in new.split("\n"))
        elif token.type in ("fence", "colon_fence", "code_block", "math_block", "amsmath"):
            new = "\n".join(lines[start:end])
        elif token.type == "math_block_label":
            new = self.equation(token.content, token.info)
        elif token.type in ("myst_target", "myst_line_comment", "myst_block_break"):
            new = ""
        else:
            return None
        return start, end, new

    def inline(self, text):
        """Roles and links to the book's pages in running text."""
        out, at = [], 0
        for span in SPAN.finditer(text):
            out.append(LINK.sub(self.page_link, text[at : span.start()]))
            out.append(self.role(span["role"], span["content"]) if span["role"] else span[0])
            at = span.end()
        out.append(LINK.sub(self.page_link, text[at:]))
        return "".join(out)

    def page_link(self, found):
        """A Markdown link: to a page of the book it becomes one to the published page, or words."""
        target, _, anchor = found["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        doc = self.document(target) if target else self.doc
        return self.facts.link(found["text"], doc, anchor) if doc in self.facts.titles else found["text"]

    def document(self, target):
        """The name of the page that ``target``, relative to this page or from the root (/), means."""
        path = target if target.startswith("/") else os.path.join("/", os.path.dirname(self.doc), target)
        return re.sub(r"\.(ipynb|md)$", "", os.path.normpath(path).lstrip("/"))

    def role(self, name, content):
        """Plain Markdown for a role."""
        content = re.sub(r"\s+", " ", content)
        titled = TITLED.fullmatch(content)
        text, target = (titled["text"], titled["target"]) if titled else (None, content)
        facts = self.facts
        match name:
            case "term":
                doc, anchor = facts.find("terms", target.lower(), "term")
                return facts.link(text or target, doc, anchor)
            case "numref":
                number = facts.find("figures", target, "figure")
                text = text or "Fig. %s"
                return text.replace("%s", str(number)).replace("{number}", str(number))
            case "eq":
                return f"({facts.find('equations', target, 'equation')})"
            case "doc":
                doc = self.document(target)
                title = text or facts.find("titles", doc, "page")
                return facts.link(title, doc) if facts.site else f"*{title}*"
            case "ref":
                doc, anchor, title = facts.find("labels", target, "label")
                return facts.link(text or title, doc, anchor)
            case "cite" | "cite:p" | "cite:t":
                return self.citation([key.strip() for key in target.split(",")], name == "cite:t")
            case "glue:text":
                return self.glued(target)
            case "math":
                return f"${target}$"
            case "sub" | "sup" | "kbd":
                return f"<{name}>{target}</{name}>"
        raise PortableError(
            f"no plain Markdown is known for the role {{{name}}}`{content}`: add it to tools/copies/portable.py"
        )

    def glued(self, content):
        """A glued value, formatted: ``/chapters/training.ipynb::name:.1f`` or ``name:.1f``."""
        where, _, rest = content.rpartition("::")
        name, _, layout = rest.partition(":")
        values = self.facts.find("quoted", self.document(where) if where else self.doc, "glued value of the page")
        if name not in values:
            raise PortableError(f"nothing is glued under {name!r}")
        return format(values[name], layout)

    def citation(self, keys, textual):
        """(LeCun et al., 1998), or LeCun et al. (1998) where the sentence names the authors."""
        from tools.press.bibliography_labels import AuthorYearLabels

        said = []
        for key in keys:
            self.cited += [key] if key not in self.cited else []
            label = next(iter(AuthorYearLabels().format_labels([self.facts.find("entries", key, "citation key")])))
            said.append(label)
        if not textual:
            return f"({'; '.join(said)})"
        return ", ".join("{} ({})".format(*label.rsplit(", ", 1)) for label in said)

    def equation(self, content, label):
        """A numbered equation: MathJax and KaTeX show a \\tag as the book does."""
        number = self.facts.find("equations", label, "equation")
        return f"$$\n{content.strip()}\n\\tag{{{number}}}\n$$"

    def directive(self, name, argument, content):
        """Plain Markdown for a directive in a fence."""
        options, body = options_of(content)
        classes = options.get("class", "").split()
        if name.startswith(("exercise", "solution")):
            return self.exercise(name, argument, options, body)
        if name in BOXES or name in ("admonition", "dropdown"):
            title = self.inline(argument) if name in ("admonition", "dropdown") else name.capitalize()
            if name not in ("admonition", "dropdown") and argument:
                body = f"{argument}\n{body}"
            text = self.markdown(body)
            if name == "dropdown" or "dropdown" in classes:
                return f"<details>\n<summary>{title}</summary>\n\n{text}\n\n</details>"
            return "\n".join(f"> {line}".rstrip() for line in [f"**{title}**", "", *text.split("\n")])
        match name:
            case "figure" | "image":
                return self.picture(argument, options, body)
            case "math":
                return self.equation(body, options["label"]) if "label" in options else f"$$\n{body.strip()}\n$$"
            case "table":
                return f"*{self.inline(argument)}*\n\n{self.markdown(body)}" if argument else self.markdown(body)
            case "grid" | "tab-set" | "div" | "container":
                return self.markdown(body)
            case "grid-item-card" | "card" | "tab-item" | "grid-item":
                heading = f"**{self.inline(argument)}**\n\n" if argument else ""
                return heading + self.markdown(body)
            case "code-block" | "code":
                return f"```{argument}\n{body.rstrip()}\n```"
        raise PortableError(
            f"no plain Markdown is known for the directive {{{name}}}: add it to tools/copies/portable.py"
        )

    def exercise(self, name, argument, options, body):
        """Headings for exercises and solutions; a cell of its own for each, so that a solution can be folded."""
        if name.endswith("-end"):
            return CUT
        if name.startswith("exercise"):
            label = options.get("label", "")
            self.names[label] = f"Exercise {self.facts.find('exercises', label, 'exercise')}"
            heading = f"### {self.names[label]}" + (f": {self.inline(argument)}" if argument else "")
        else:
            number = self.facts.find("exercises", argument, "exercise")
            heading = f"#### Solution to exercise {number}"
        text = self.markdown(body)
        return f"\n{CUT}\n{heading}\n\n{text}\n" + (f"{CUT}\n" if not name.endswith("-start") else "")

    def picture(self, source, options, body):
        """A picture inside the notebook, for a copy travels alone; its caption under it."""
        path = self.facts.root / (source[1:] if source.startswith("/") else f"{os.path.dirname(self.doc)}/{source}")
        if not path.is_file():
            raise PortableError(f"the picture {source} does not exist")
        kind = mimetypes.guess_type(path.name)[0] or "image/png"
        data = base64.b64encode(path.read_bytes()).decode()
        picture = f"![{options.get('alt', '')}](data:{kind};base64,{data})"
        number = self.facts.figures.get(options.get("name", ""))
        caption = self.markdown(body)
        told = " ".join(filter(None, [f"**Fig. {number}.**" if number else "", caption]))
        return f"{picture}\n\n{told}" if told else picture


def options_of(content):
    """A directive's options ({name: value}) and the text after them."""
    lines, options = content.split("\n"), {}
    while lines and (found := re.match(r":([\w-]+):\s*(.*)$", lines[0])):
        options[found[1]] = found[2].strip()
        lines.pop(0)
    return options, "\n".join(lines).strip("\n")


# ---------------------------------------------------------------- notebooks


def portable(notebook, facts, doc):
    """Return the copy of a chapter (nbformat nodes): plain Markdown, no checks of the book's own, solutions folded."""
    converter, cells = Converter(facts, doc), []
    needed = needed_of_checks(notebook["cells"])
    for number, cell in enumerate(notebook["cells"]):
        try:
            cells += portable_cell(cell, converter, needed.get(number, ""))
        except PortableError as error:
            raise PortableError(f"{doc}, cell {number}: {error}") from None
    first = next((i for i, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    cells.insert(first, nbformat.v4.new_markdown_cell(about(facts, doc)))
    if converter.cited:
        cells.append(nbformat.v4.new_markdown_cell(references(converter.cited, facts)))
    fold_solutions(cells)
    made = nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": facts.titles.get(doc, ""),
        },
    )
    folded = []
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number:03d}"
        if cell.metadata.get("jp-MarkdownHeadingCollapsed"):  # JupyterLab's way; what follows is Colab's
            cell.metadata["id"] = cell["id"]
            folded.append(cell["id"])
    if folded:
        made.metadata["colab"] = {"collapsed_sections": folded}
    return made


def is_check(cell):
    """Whether a cell is one of the book's own checks, which no page and no copy shows."""
    return cell["cell_type"] == "code" and "remove-cell" in cell["metadata"].get("tags", []) and not is_setup_cell(cell)


def needed_of_checks(cells):
    """Return {number of a check: its statements that bind what later cells use}, for the checks that have some.

    Goes through the statements of the chapter from the last to the first and keeps, of a check, what binds a name that is
    still wanted; asserts and calls alone are never kept.
    """
    wanted, needed = set(), {}
    for number in reversed(range(len(cells))):
        if cells[number]["cell_type"] != "code":
            continue
        lines = "".join(cells[number]["source"]).split("\n")
        code = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)  # IPython's magics
        kept = []
        for statement in reversed(ast.parse(code).body):
            bound, loaded = names_of(statement)
            if is_check(cells[number]):
                if isinstance(statement, ast.Assert | ast.Expr) or not bound & wanted:
                    continue
                kept.insert(0, ast.get_source_segment(code, statement))
            wanted = (wanted - bound) | loaded
        if kept:
            needed[number] = "\n".join(kept)
    return needed


def names_of(statement):
    """Return the names that a statement binds, and those that it reads."""
    bound, loaded, own = set(), set(), set()  # own: what stands for the items of a comprehension
    for node in ast.walk(statement):
        match node:
            case ast.Name(ctx=ast.Load()):
                loaded.add(node.id)
            case ast.Name():
                bound.add(node.id)
            case ast.FunctionDef() | ast.ClassDef():
                bound.add(node.name)
            case ast.alias():
                bound.add((node.asname or node.name).split(".")[0])
            case ast.comprehension():
                own |= {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
    return bound - own, loaded


def portable_cell(cell, converter, needed=""):
    """The cells that a chapter's cell becomes: several where exercises and solutions begin; of a check what is ``needed``."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        parts = [part.strip("\n") for part in converter.markdown(source).split(CUT)]
        return [nbformat.v4.new_markdown_cell(part) for part in parts if part.strip()]
    tags = cell["metadata"].get("tags", [])
    if is_check(cell):
        if not needed:
            return []
        source = needed
    metadata = {}
    if {"remove-input", "hide-input", "remove-cell"} & set(tags):
        metadata = {"jupyter": {"source_hidden": True}, "cellView": "form"}  # JupyterLab; Colab
    cells = [
        nbformat.v4.new_code_cell(CODE_ROLE.sub(lambda found: code_words(found, converter), source), metadata=metadata)
    ]
    figure = cell["metadata"].get("mystnb", {}).get("figure", {})
    if figure.get("caption"):
        number = converter.facts.find("figures", figure.get("name"), "figure")
        cells.append(nbformat.v4.new_markdown_cell(f"**Fig. {number}.** {converter.markdown(figure['caption'])}"))
    return cells


def code_words(found, converter):
    """Words for a role in a string of a code cell."""
    words = converter.role(found["role"], found["content"])
    if set(words) & set("\"'{}\\\n"):
        raise PortableError(f"{found[0]} in a code cell becomes {words!r}, which would break its string: reword it")
    return words


def fold_solutions(cells):
    """Fold each solution whose end shows: a heading of its level or above follows it, so nothing else is folded."""
    level = [heading_level(cell) for cell in cells]
    for i, cell in enumerate(cells):
        if not (cell.cell_type == "markdown" and cell.source.startswith("#### Solution to exercise")):
            continue
        after = next((one for one in level[i + 1 :] if one), None)
        if after is not None and after <= 4:
            cell.metadata["jp-MarkdownHeadingCollapsed"] = True


def heading_level(cell):
    """The level of the heading that a cell begins with; 0 if it begins with none."""
    found = re.match(r"(#{1,6}) ", cell.source) if cell.cell_type == "markdown" else None
    return len(found[1]) if found else 0


def about(facts, doc):
    """What stands before the first code cell of a copy."""
    page = facts.link("a chapter", doc)
    return (
        f"*This notebook is a copy of {page} of the book* {facts.book}. *The next cell fetches the book's helpers where they are "
        "missing: in Google Colab, or from the book's wheel* (`digits_book-….whl`) *if it lies beside this notebook.*"
    )


def references(keys, facts):
    """The list of what a copy cites, as the book's own list has it."""
    from pybtex.backends.markdown import Backend

    from tools.press.bibliography_labels import AuthorYearList

    style = AuthorYearList()
    entries = style.sort([facts.entries[key] for key in keys])
    told = [" ".join(one.text.render(Backend()).split()) for one in style.format_entries(entries)]
    # pybtex escapes every sign of punctuation; only these mean something in the middle of a Markdown line
    plain = [re.sub(r"\\([^*_`\[\]\\<])", r"\1", text) for text in told]
    return "## References\n\n" + "\n".join(f"- {text}" for text in plain)


# ---------------------------------------------------------------- the wheel and the archive


def wheel_digest(root):
    """A digest over all that the wheel is made from."""
    digest = hashlib.sha256()
    for file in wheel_files(root):
        digest.update(f"{file.relative_to(root)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def wheel_files(root):
    """The files that the wheel is made from."""
    found = [root / name for name in WHEEL_INPUTS]
    for folder in WHEEL_FOLDERS:
        found += [file for file in sorted((root / folder).rglob("*")) if file.suffix in (".py", ".json", ".npz", ".js")]
    return [file for file in found if file.is_file()]


def build_wheel(root, folder):
    """Build the helpers' wheel into ``folder`` and return its path. Needs setuptools, but neither network nor pip.

    It is built from a copy of what goes into it, so that it holds nothing else and leaves nothing behind in the project.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary, "book")
        for file in wheel_files(root):
            target = stage / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        code = "import sys; from setuptools import build_meta; print('\\n' + build_meta.build_wheel(sys.argv[1]))"
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder.resolve())],
            cwd=stage,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1577836800", "PYTHONPATH": ""},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise PortableError(f"the wheel of the helpers could not be built:\n{done.stdout}{done.stderr}")
        return folder / done.stdout.strip().splitlines()[-1]


READ_ME = """\
# {title}: the chapters as notebooks

Each notebook stands alone. You need Python 3.11, 3.12 or 3.13. In this folder, type once:

    python -m venv .venv
    .venv/bin/python -m pip install {wheel} jupyterlab

(on Windows `.venv\\Scripts\\python` in place of `.venv/bin/python`), and then, each time:

    .venv/bin/python -m jupyterlab

In Google Colab, upload a notebook and the wheel, {wheel}; the notebook's first code cell installs it.

MNIST (11 MB) is downloaded at the first run, into your user's cache folder. Without network the notebooks use 5,000 images
that come with one of the packages. The variable DIGITS_DATA may name a folder that holds your own copy, mnist.npz.

In this order:

{contents}
"""


def write_archive(folder, names, facts, wheel):
    """Put the copies, the wheel and a README into one zip file."""
    contents = "\n".join(f"{i}. {name}: {facts.titles.get(doc, '')}" for i, (doc, name) in enumerate(names.items(), 1))
    text = READ_ME.format(title=facts.book, wheel=wheel.name, contents=contents)
    half = folder / f".{ARCHIVE}"
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [
            ("README.md", text.encode()),
            *[(file.name, file.read_bytes()) for file in [*(folder / name for name in names.values()), wheel]],
        ]:
            archive.writestr(zipfile.ZipInfo(f"digits-notebooks/{name}", EPOCH), content, zipfile.ZIP_DEFLATED)
    half.replace(folder / ARCHIVE)


# ---------------------------------------------------------------- as a Sphinx extension


def facts_of(app):
    """Gather from Sphinx's environment what the copies say."""
    from docutils.nodes import make_id
    from pybtex.database import parse_file

    env, root, facts = app.env, Path(app.srcdir), Facts()
    standard, numbers = env.get_domain("std"), {}
    for tables in env.toc_fignumbers.values():
        for kind, table in tables.items():
            numbers |= {(kind, anchor): ".".join(map(str, number)) for anchor, number in table.items()}
    # A label is what the source says; its anchor is what docutils makes of it (fig_one: fig-one).
    for label, (_doc, anchor) in standard.anonlabels.items():
        for kind, table in (("figure", facts.figures), ("exercise", facts.exercises)):
            if (kind, anchor) in numbers:
                table[label] = numbers[kind, anchor]
    for label in env.get_domain("math").equations:
        facts.equations[label] = numbers["displaymath", f"equation-{make_id(label)}"]
    facts.titles = {doc: title.astext() for doc, title in env.titles.items()}
    facts.terms = {name.lower(): place for (kind, name), place in standard.objects.items() if kind == "term"}
    facts.labels = {label: (doc, anchor, str(title)) for label, (doc, anchor, title) in standard.labels.items()}
    for doc in env.titles:
        glued = Path(env.mystnb_config.output_folder, *doc.split("/")).with_suffix(".glue.json")
        if glued.is_file():
            content = json.loads(glued.read_text(encoding="utf-8"))
            facts.quoted[doc] = {name: plain_value(one["data"].get("text/plain", "")) for name, one in content.items()}
    for name in app.config.bibtex_bibfiles:
        if (root / name).is_file():
            facts.entries |= dict(parse_file(str(root / name)).entries)
    facts.site, facts.book, facts.root = address.site(root), app.config.html_title, root
    return facts


def plain_value(text):
    """The number that a glued text stands for, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text.strip("'\"")


def chapters_of(env):
    """{docname: the copy's file name} of the notebooks, in the order of the table of contents."""
    from tools.press.check_site import pages_of_toc

    docs = [doc for doc in pages_of_toc(Path(env.srcdir)) if str(env.doc2path(doc)).endswith(".ipynb")]
    return {doc: f"{doc.rsplit('/', 1)[-1]}.ipynb" for doc in docs}


def write_copies(app, exception):
    """At the end of a build: the copies, the wheel (if the project has what it takes) and the archive."""
    if exception is not None or app.builder.name != "html":
        return
    folder, root, names, facts = Path(app.outdir, FOLDER), Path(app.srcdir), chapters_of(app.env), facts_of(app)
    folder.mkdir(parents=True, exist_ok=True)
    for doc, name in names.items():
        notebook = nbformat.read(app.env.doc2path(doc), as_version=4)
        (folder / name).write_text(nbformat.writes(portable(notebook, facts, doc)) + "\n", encoding="utf-8")
    for stale in set(folder.glob("*.ipynb")) - {folder / name for name in names.values()}:
        stale.unlink()
    if not has_wheel(root):
        return
    stamp, now = Path(app.doctreedir, "wheel.digest"), wheel_digest(root)
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1 or not stamp.is_file() or stamp.read_text() != now:
        for stale in wheels:
            stale.unlink()
        wheels = [build_wheel(root, folder)]
        stamp.write_text(now)
    write_archive(folder, names, facts, wheels[0])


def has_wheel(root):
    """Does the project hold what a wheel is made of?"""
    path = Path(root, "pyproject.toml")
    return path.is_file() and "project" in tomllib.loads(path.read_text(encoding="utf-8"))


def point_buttons(app, pagename, templatename, context, doctree):
    """The download button of a chapter's page leads to its copy, the Colab button to the copy on the copies' branch."""
    name = chapters_of(app.env).get(pagename) if doctree is not None else None
    if not name:
        return
    for group in context.get("header_buttons", []):
        buttons = group.get("buttons", [])
        for button in buttons:
            if button.get("label") == "download-source-button":
                button.update(
                    url=context["pathto"](f"{FOLDER}/{name}", 1), tooltip="Download this chapter as a notebook"
                )
                if has_wheel(app.srcdir):
                    archive = {
                        "type": "link",
                        "url": context["pathto"](f"{FOLDER}/{ARCHIVE}", 1),
                        "text": "all (.zip)",
                        "icon": "fas fa-file-archive",
                        "tooltip": "Download all chapters as notebooks, with what they need",
                        "label": "download-all-button",
                    }
                    buttons.insert(buttons.index(button) + 1, archive)
                break
        for button in buttons:
            if button.get("text") == "Colab":
                button["url"] = colab_address(name, app.srcdir)


def colab_address(name, root=None):
    """The address that opens a chapter's copy (its file name) in Google Colab; None without an address."""
    repository = address.repository(root)
    if not repository:
        return None
    path = repository.removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{path}/blob/{address.copies_branch(root)}/{name}"


def use_address(app, config):
    """Give the theme the repository's address, if there is one: repository, issue and launch buttons follow from it."""
    repository = address.repository(app.srcdir)
    if repository:
        config.html_theme_options = {
            **config.html_theme_options,
            "repository_url": repository,
            "repository_branch": address.branch(app.srcdir),
            "use_repository_button": True,
            "use_issues_button": True,
            "launch_buttons": {
                "colab_url": "https://colab.research.google.com",
                "binderhub_url": "https://mybinder.org",
                "notebook_interface": "jupyterlab",
            },
        }
