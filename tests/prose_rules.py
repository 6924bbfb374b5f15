"""Which numbers stand typed in the book's prose, and which of them may.

A decimal, a percentage or a "times as" in text must be glued (then it is not typed), stand in a sentence with a
citation, or be on the short list ``prose_numbers.toml`` with its reason. What counts was decided so:

- Text is: Markdown cells, the ``*.md`` pages, captions and alternative texts of figures, and the typed words of
``say(...)``.
  Code blocks, comments, link addresses and the options of directives are not, except an image's ``:alt:``; what stands
  inside a directive (an exercise, an admonition) is.
- Maths is exempt (formulas hold constants, worked examples small numbers), unless the formula is nothing but one
number.
- Code spans are exempt (the reader types ``0.2``), unless they hold a percentage.
- Version numbers (``Python 3.11``, ``1.0.4``, ``CC BY 4.0``) and places (``section 5.4``, ``table 2.1``) are not
measurements, nor is the level of a
  confidence interval (``95% interval``) or of a test (``p < 0.05``).
- "Times as" is: a number or number word, "times", and a comparison (as, faster, more, larger, ...); "twice as", "half
as",
  "-fold" (but not k-fold cross-validation). "Run it five times" is none.
- A sentence ends at ``.``, ``!``, ``?`` or ``:`` before a space, at a blank line, and with its list item, table row or
heading. A
  colon does not end it when the citation comes before: "the report (cite): 97.4%" is one.
"""

import ast
import re
import tomllib
from dataclasses import dataclass

import notebook_rules as rules

CITED, SPACE = "\x01", "\x02"
WORDS = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|"
    "fifty|sixty|hundred|thousand"
)
NUMBER = r"(?:\d[\d,]*(?:\.\d+)?)"
COMPARED = (
    r"(?:as|more|less|fewer|faster|slower|quicker|larger|bigger|smaller|longer|shorter|higher|lower|better|worse|greater|cheaper|"
    r"dearer|the (?:size|time|cost|number|error|loss|memory)|too)"
)
TYPED = re.compile(
    rf"(?P<percentage>(?<![\w.]){NUMBER}\s*(?:%|per\s?cent\b|percentage\s+points?\b|points\b))"
    rf"|(?P<times>\b(?:{NUMBER}|{WORDS}|several\s+hundred)\s+times\s+{COMPARED}\b|\b(?:twice|thrice|half)\s+as\b"
    rf"|\b(?:{WORDS}|{NUMBER}-?|two|ten)-?fold\b(?![\s-]+cross))"
    r"|(?P<decimal>(?<![\w.])\d[\d,]*\.\d+(?:e[+-]?\d+)?(?![\w.]*\d))",
    re.I,
)
VERSION = re.compile(
    r"\b\d+\.\d+(?:\.\w+)+|\b(?:versions?|Python|Keras|TensorFlow|NumPy|SciPy|Matplotlib|"
    r"scikit-learn|Jupyter(?: Book|Lab)?|Sphinx|MyST|Temml|CC BY(?:-SA)?|"
    r"glibc|macOS|Ubuntu|Unicode|WCAG)\s+v?\d+\.\d+(?:\s*(?:,|to|and|or|-|–)\s*\d+\.\d+)*",
    re.I,
)
PLACE = re.compile(
    r"\b(?:sections?|chapters?|tables?|figures?|equations?|appendix|part|§§?)\s*\d+(?:\.\d+)+(?:\s*(?:,|to|and|or|-|–)\s*\d+(?:\.\d+)+)*",
    re.I,
)
LEVEL = re.compile(
    r"\b\d+(?:\.\d+)?%(?=\s+(?:[\w-]+\s+){0,2}(?:confidence|intervals?)\b)|\bp\s*[<>≤≥]\s*0\.(?:05|01|001)\b"
)
UNREAD = "math|code-block|code-cell|code|bibliography|mermaid|toctree|tableofcontents|raw|literalinclude"


@dataclass(frozen=True)
class Typed:
    """One typed number: the page, the number as it stands, and its sentence."""

    page: str
    number: str
    sentence: str
    cited: bool

    def __str__(self):
        return f"{self.page}: {self.number!r} in {self.sentence!r}"


def readable(text):
    """Markdown with everything taken out that is not prose; a citation leaves a mark."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.S)
    text = re.sub(r"^(?P<fence>`{3,}|~{3,})(?!\{)[^\n`]*\n.*?^(?P=fence)[`~]*[ \t]*$", "\n", text, flags=re.M | re.S)
    text = re.sub(
        rf"^(?P<fence>`{{3,}}|:{{3,}})\{{(?:{UNREAD})\}}.*?^(?P=fence)[`:]*[ \t]*$", "\n", text, flags=re.M | re.S
    )
    text = re.sub(r"^([`:]{3,}.*)$", "\n", text, flags=re.M)  # the fences of the other directives
    text = re.sub(r"^:alt:(.*)$", r"\n\1\n", text, flags=re.M)
    text = re.sub(r"^:[\w-]+:.*$", "\n", text, flags=re.M)
    text = re.sub(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", " ", text, flags=re.S)
    text = re.sub(r"(?<!\\)\$\$(.+?)\$\$(?:\s*\([\w-]+\))?", formula, text, flags=re.S)
    text = re.sub(r"(?<![\\$])\$(?!\s)([^$\n]+(?:\n[^$\n]+)*?)(?<!\s)\$", formula, text)
    text = re.sub(r"\{cite(?::\w+)?\}`[^`]*`", CITED, text)
    text = re.sub(r"\{(?:glue(?::\w+)?|math|eq|bdg[\w-]*|octicon)\}`[^`]*`", SPACE, text)
    text = re.sub(r"\{[\w:-]+\}`([^`<]*)(?:<[^`>]*>)?`", r"\1", text)
    text = re.sub(
        r"(`+)(.+?)\1(?!`)",
        lambda m: m[2] if re.search(r"\d\s*\\?%", m[2]) and "{" not in m[2] else SPACE,
        text,
        flags=re.S,
    )
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"<?\bhttps?://[^\s>)]+>?", " ", text)
    text = re.sub(r"</?[a-zA-Z][^>\n]*>", " ", text)
    text = re.sub(r"\*\*|(?<!\w)[*_]|[*_](?!\w)", "", text)
    return text


def formula(found):
    """A formula leaves nothing behind, unless it is one number and no more: then that is typed like any other."""
    inside = re.sub(r"\\(?:text|mathrm|mathbf)?|[{}~,!;]|\\[,;!]", "", found[1])
    return (
        f" {inside.strip()} "
        if re.fullmatch(r"[\s≈~]*(?:approx)?\s*[-+]?\d+(?:\.\d+)?\s*%?(?:\s*(?:±|pm)\s*\d+(?:\.\d+)?\s*%?)?", inside)
        else SPACE
    )


def split(text):
    """The sentences of a readable text."""
    blocks = re.split(
        r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)|\n(?=\s*\|)|\n(?=#)|(?<=#)\n",
        re.sub(r"^(#.*)$", r"\1\n\n", text, flags=re.M),
    )
    for block in blocks:
        block = re.sub(r"\s+", " ", block.strip())
        block = re.sub(
            r"\b(e\.g|i\.e|cf|vs|etc|approx|resp|Fig|Sec|al|No)\.", lambda m: m[1].replace(".", "\x03") + "\x03", block
        )
        for sentence in re.split(rf"(?<=[.!?])[\"'”)\]]*{CITED}?\s+(?=[^a-z])", block):
            if sentence.strip():
                yield sentence.replace("\x03", ".").strip()


def typed_numbers(page, text):
    """Every decimal, percentage and "times as" that is typed in a page's Markdown, cited or not."""
    for sentence in split(readable(text)):
        plain = PLACE.sub(" ", VERSION.sub(" ", LEVEL.sub(" ", sentence)))
        for found in TYPED.finditer(plain):
            shown = sentence.replace(CITED, "{cite}").replace(SPACE, "…")
            yield Typed(page, re.sub(r"\s+", " ", found[0]), shown, CITED in sentence)


def said(call):
    """The text of a ``say(...)`` call: its strings, with a mark where a value is filled in."""
    return "\n\n".join(strings([*call.args, *(keyword.value for keyword in call.keywords)]))


def strings(nodes):
    """The strings in expressions, an f-string as one; layouts such as the ``8.3f`` of ``{x:8.3f}`` are none."""
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else SPACE for part in node.values)
            yield from strings([part.value for part in node.values if isinstance(part, ast.FormattedValue)])
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.value
        else:
            yield from strings(ast.iter_child_nodes(node))


def pages_of(chapter):
    """(text, ...) of a chapter: all its prose, as one Markdown text."""
    texts = [cell.source for cell in chapter.markdown]
    for cell in chapter.code:
        about = cell.metadata.get("mystnb", {})
        texts += [str(about.get("figure", {}).get("caption") or ""), str(about.get("image", {}).get("alt") or "")]
        texts += [said(call) for call in cell.calls("say")]
    return "\n\n".join(texts)


def read_list(path):
    """The list of numbers that may stand typed: dicts with page, number, reason and perhaps sentence."""
    return tomllib.loads(path.read_text(encoding="utf-8")).get("allowed", [])


def allows(entry, found):
    """Does an entry of the list allow this number?"""
    return (
        entry["number"] == found.number
        and entry["page"] in (found.page, "*")
        and entry.get("sentence", "") in found.sentence
    )


def complaints(pages, allowed):
    """What breaks the rule in ``pages``, {page: Markdown}, and which entries of the list are wrong or useless."""
    numbers = [found for page, text in pages.items() for found in typed_numbers(page, text) if not found.cited]
    for entry in allowed:
        if not {"page", "number", "reason"} <= entry.keys() or len(entry.get("reason", "")) < 15:
            yield f"the entry {entry} lacks a page, a number or a reason of 15 characters"
        elif not any(allows(entry, found) for found in numbers):
            yield (
                f"the entry {entry['number']!r} for {entry['page']} allows nothing that stands there: "
                "take it off the list"
            )
    good = [entry for entry in allowed if {"page", "number"} <= entry.keys()]
    for found in numbers:
        if not any(allows(entry, found) for entry in good):
            yield (
                f"{found} is typed: say or glue it, cite its source in the sentence, or put it on "
                "tests/prose_numbers.toml with a reason"
            )


def book_pages():
    """{page: Markdown} of everything that is read: the chapters, the Markdown files beside and below them, the assignments."""
    pages = {f"chapters/{chapter.name}.ipynb": pages_of(chapter) for chapter in rules.book_chapters()}
    for folder in [rules.ROOT / one for one in ("", "chapters", "data", "coursework/pages")]:
        pages |= {
            str(path.relative_to(rules.ROOT).as_posix()): path.read_text(encoding="utf-8")
            for path in sorted(folder.glob("*.md"))
            if path.name != "contents.md"  # made by make lab from the chapters, which are held to the rules themselves
        }
    counted = pages["numbers.md"].splitlines()  # its tables are made by a program: tests/tools/test_numbers_page.py
    pages["numbers.md"] = "\n".join(line for line in counted if not line.startswith("|"))
    return pages
