"""Plain Markdown for the copies of chapters: what only the book understands becomes words.

Roles, directives, citations and labels become words, headings, and links to the published pages where the book has an address.
Nothing here knows notebooks or Sphinx: :class:`Facts` holds what the book says.
"""

import base64
import mimetypes
import os
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CUT = "\0cut"  # stands in converted Markdown where a new cell begins
BOXES = {"note", "tip", "hint", "important", "warning", "caution", "attention", "danger", "error", "seealso"}
# A code span, with the role's name if one stands before it; markdown-it reads them from left to right as well.
SPAN = re.compile(r"(?:\{(?P<role>[\w:+.-]+)\})?(?<!`)(?P<fence>`+)(?!`)(?P<content>.+?)(?<!`)(?P=fence)(?!`)", re.S)
LINK = re.compile(r"(?<!!)\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s]+)\)")
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
            f"no plain Markdown is known for the role {{{name}}}`{content}`: add it to tools/copies/markdown.py"
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
            f"no plain Markdown is known for the directive {{{name}}}: add it to tools/copies/markdown.py"
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
