"""Realistic small faults, found by rule in the book's own files: what ``make test-faults`` plants besides those made by hand.

mutmut and cosmic-ray change Python modules alone; most of what this book says stands in notebooks, f-strings, Markdown, JSON
and a page's scripts. So the changes are made here, by position in the source, so that all else stays as it was laid out.

Kinds, and what is changed:

- ``helpers`` and ``cells`` (code of helpers; shown and hidden cells of chapters): an operator, a comparison, a number, a Boolean,
  argmax for argmin, mean for median, rows for columns, validation for test, two arguments exchanged, a condition turned round, a
  statement left out. Asserts, claims and checks are not changed (they are the guards), nor what a figure merely looks like.
- ``sentences``: a word of ``say`` or of the text exchanged for its opposite or its neighbour (better, worse; validation, test;
  standard deviation, standard error), two numbers of a sentence exchanged, a factor of 100 lost, a typed number changed.
- ``figures``: two labels exchanged, the axes exchanged, an array reversed or transposed.
- ``recordings``: one number of one run changed, and the digest made to fit.
- ``graders``: a hidden assert left out, a tolerance made wide.
- ``scripts``: an operator, a comparison or a number in the drawing page's scripts.

Each :class:`Mutant` has a name that stays while its surroundings do, so that a survivor can be explained in
``tests/faults/survivors.toml``.
"""

from __future__ import annotations

import ast
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

from helpers import measurements
from tools.guards import claims

ROOT = Path(__file__).resolve().parents[2]
REACH = 60  # characters of a long line that a name shows before and after the change
KINDS = ("helpers", "cells", "sentences", "figures", "recordings", "graders", "scripts")


@dataclass(frozen=True)
class Mutant:
    """One change: in a file, or in the cell ``cell`` of a notebook, the text from ``start`` to ``end`` becomes ``new``."""

    kind: str
    file: str
    cell: int | None
    start: int
    end: int
    old: str
    new: str
    line: str
    lineno: int = 0  # in the file or cell, from 1

    @property
    def name(self):
        """Where and what, for people and for the list of survivors: no line or cell number, which other edits would move."""
        return f"{self.file}: {self.line} [{self.old} -> {self.new}]"

    def apply(self, root):
        """Make the change in a copy of the project."""
        path = Path(root) / self.file
        text = path.read_text(encoding="utf-8")
        if self.cell is None:
            text = self._changed(text)
            path.write_text(restamped(text) if self.kind == "recordings" else text, encoding="utf-8")
            return
        notebook = json.loads(text)
        cell = notebook["cells"][self.cell]
        cell["source"] = self._changed("".join(cell["source"])).splitlines(keepends=True)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _changed(self, text):
        assert text[self.start : self.end] == self.old, self.name
        return text[: self.start] + self.new + text[self.end :]


def restamped(text):
    """Return a recording with digests that fit, as somebody makes it who does not want to be noticed."""
    content = json.loads(text)
    for edition, about in content["editions"].items():
        text = text.replace(about["digest"], measurements.digest(content, edition))
    return text


# ---------------------------------------------------------------- Python code

SWAPPED_NAMES = {
    "argmax": "argmin", "argmin": "argmax", "max": "min", "min": "max", "any": "all", "all": "any", "mean": "median", "std": "var",
    "median": "mean", "sum": "mean", "cumsum": "cumprod", "floor": "ceil", "zeros": "ones", "hstack": "vstack",
}  # fmt: skip
SET_TOKENS = {
    "val": ("test", "train", "fit"),
    "test": ("val", "train"),
    "train": ("val", "fit", "test"),
    "fit": ("val", "train"),
}
OPERATORS = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Pow: "*"}
COMPARISONS = {
    ast.Lt: ">=", ast.Gt: "<=", ast.LtE: ">", ast.GtE: "<", ast.Eq: "!=", ast.NotEq: "==", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
GUARDS = {"claim", "check", "try_it", "print"}
LOOK = {
    "figsize", "alpha", "linewidth", "linestyle", "color", "c", "s", "zorder", "markersize", "marker", "fontsize", "rotation", "dpi",
    "cmap", "width_ratios", "hspace", "wspace", "ha", "va", "bins", "loc", "pad", "edgecolor", "facecolor", "ncols", "hint",
}  # fmt: skip
PICTURES = {"set", "legend", "text", "annotate", "subplots", "axhline", "axvline", "set_title", "set_xlabel", "set_ylabel", "tight_layout", "style", "format"}  # fmt: skip


class _Places:
    """Turns the line and column of a syntax tree (bytes) into places in a text (characters)."""

    def __init__(self, text):
        self.text, self.lines = text, text.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def at(self, line, column):
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def span(self, node):
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def line_of(self, place):
        """Return the line around a place, of a long one the part that shows which place it is."""
        begin = self.text.rfind("\n", 0, place) + 1
        end = self.text.find("\n", place)
        end = end if end >= 0 else len(self.text)
        if end - begin > 2 * REACH:
            begin, end = max(begin, place - REACH), min(end, place + REACH)
        return self.text[begin:end].strip()


class _Changes(ast.NodeVisitor):
    """Collects (start, end, new) for every change of a piece of code."""

    def __init__(self, text, names=()):
        self.places, self.text, self.names, self.found = _Places(text), text, set(names), []
        tree = ast.parse(text)
        self.inside = 0  # of an f-string: before Python 3.12 its parts have no places of their own
        self.visit(tree)

    def add(self, start, end, new):
        if self.text[start:end] != new:
            self.found.append((start, end, new))

    def between(self, left, right, new, pattern):
        start, end = self.places.span(left)[1], self.places.span(right)[0]
        found = re.search(pattern, self.text[start:end])
        if found:
            self.add(start + found.start(), start + found.end(), new)

    def visit_Assert(self, node):
        """Asserts are the guards, not what they guard."""

    visit_Import = visit_ImportFrom = visit_Assert

    def visit_JoinedStr(self, node):
        """The parts of f-strings are changed as sentences."""

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node.value, ast.Call):
            name = getattr(node.value.func, "id", "")
            if name in GUARDS | {"say", "glue", "display"}:
                return
            method = getattr(node.value.func, "attr", "")
            if method in {"append", "update", "fit", "add", "sort", "shuffle", "set_weights", "compile", "write"}:
                self.add(*self.places.span(node), "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        if type(node.op) in OPERATORS:
            self.between(node.target, node.value, OPERATORS[type(node.op)] + "=", r"\S+=")
        self.generic_visit(node)

    def visit_BinOp(self, node):
        words = any(
            isinstance(one, ast.JoinedStr) or isinstance(getattr(one, "value", None), str)
            for one in (node.left, node.right)
        )
        if type(node.op) in OPERATORS and not words:
            self.between(node.left, node.right, OPERATORS[type(node.op)], r"\*\*|//|[-+*/]")
        self.generic_visit(node)

    def visit_Compare(self, node):
        if len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
            self.between(node.left, node.comparators[0], COMPARISONS[type(node.ops[0])], r"not\s+in|in|[<>=!]=?")
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, (ast.Not, ast.USub)):
            start, end = self.places.span(node)
            self.add(start, end, self.text[slice(*self.places.span(node.operand))])
        self.generic_visit(node)

    def visit_IfExp(self, node):
        start, end = self.places.span(node.test)
        self.add(start, end, f"(not ({self.text[start:end]}))")
        self.generic_visit(node)

    def visit_If(self, node):
        start, end = self.places.span(node.test)
        self.add(start, end, f"not ({self.text[start:end]})")
        self.generic_visit(node)

    def visit_Constant(self, node):
        start, end = self.places.span(node)
        if isinstance(node.value, bool):
            self.add(start, end, str(not node.value))
        elif isinstance(node.value, int):
            self.add(start, end, str(node.value + 1))
        elif isinstance(node.value, float):
            self.add(start, end, repr(node.value * 1.5))
        elif isinstance(node.value, str) and start < end:
            quoted = self.text[start:end]
            for old, news in SET_TOKENS.items():
                found = re.search(rf"(?<![a-z]){old}(?=_)", quoted)
                if found:
                    self.add(start + found.start(), start + found.end(), news[0])

    def visit_Name(self, node):
        start, end = self.places.span(node)
        if isinstance(node.ctx, ast.Load):
            if node.id in ("max", "min", "any", "all"):
                self.add(start, end, SWAPPED_NAMES[node.id])
            parts = node.id.split("_")
            for place, part in enumerate(parts):
                for other in SET_TOKENS.get(part, ()):
                    name = "_".join([*parts[:place], other, *parts[place + 1 :]])
                    if name in self.names:
                        self.add(start, end, name)
                        break

    def visit_Attribute(self, node):
        end = self.places.span(node)[1]
        if node.attr in SWAPPED_NAMES and getattr(node.value, "id", "") not in ("keras", "ops"):
            self.add(end - len(node.attr), end, SWAPPED_NAMES[node.attr])
        for old in SET_TOKENS:
            if node.attr in (f"x_{old}", f"y_{old}") and old in ("train", "test"):
                self.add(end - len(node.attr), end, node.attr[:2] + ("test" if old == "train" else "train"))
        self.generic_visit(node)

    def visit_Call(self, node):
        name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
        if name in GUARDS or name in PICTURES or name == "say":
            return
        plain = [one for one in node.args if isinstance(one, (ast.Name, ast.Attribute, ast.Subscript))]
        if len(node.args) == 2 and len(plain) == 2 and name not in {"isinstance", "hasattr", "zip", "plot", "scatter"}:
            (a, b), (c, d) = self.places.span(node.args[0]), self.places.span(node.args[1])
            self.add(a, d, self.text[c:d] + self.text[b:c] + self.text[a:b])
        self.visit(node.func)
        for one in node.args:
            self.visit(one)
        for word in node.keywords:
            if word.arg in LOOK or word.arg in ("label", "title", "xlabel", "ylabel", "name", "desc"):
                continue
            if (
                word.arg == "axis"
                and isinstance(word.value, ast.Constant)
                and word.value.value in (0, 1)
                or word.arg == "ddof"
                and isinstance(word.value, ast.Constant)
            ):
                self.add(*self.places.span(word.value), str(1 - word.value.value))
            else:
                self.visit(word.value)


def code_changes(text, names=()):
    """Return (start, end, new) of every change of a piece of Python code; ``names`` are those that may stand in for others."""
    return _Changes(text, names).found


def bound(text):
    """Return the names that code binds anywhere."""
    nodes = ast.walk(ast.parse(text))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def made(kind, file, cell, text, changes):
    """Return the mutants of changes in a text."""
    places = _Places(text)
    return [
        Mutant(kind, file, cell, a, b, text[a:b], new, places.line_of(a), text.count("\n", 0, a) + 1)
        for a, b, new in changes
    ]


def helper_mutants(root=ROOT):
    """Return the mutants of the helpers."""
    found = []
    for path in sorted((Path(root) / "helpers").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        found += made("helpers", path.relative_to(root).as_posix(), None, text, code_changes(text))
    return found


def cells_of(path):
    """Yield (place, kind, source, tags) of a notebook's cells."""
    for place, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        yield place, cell["cell_type"], "".join(cell["source"]), set(cell["metadata"].get("tags", ()))


def draws(source):
    """Tell whether a cell draws."""
    return bool(re.search(r"\b(?:plt|ax|axes|fig)\.|show_digits|plot_|sns\.", source))


def cell_mutants(root=ROOT):
    """Return the mutants of the chapters' code, shown and hidden."""
    found = []
    for path in sorted((Path(root) / "chapters").glob("*.ipynb")):
        cells = [one for one in cells_of(path) if one[1] == "code" and "find_spec" not in one[2]]
        names = set().union(*(bound(source) for _, _, source, _ in cells))
        for place, _, source, _ in cells:
            if source.lstrip().startswith(("%", "!")):
                continue
            changes = code_changes(source, names)
            found += made("cells", path.relative_to(root).as_posix(), place, source, changes)
    return found


# ---------------------------------------------------------------- sentences

OPPOSITES = {
    "better": "worse", "worse": "better", "best": "worst", "more": "fewer", "fewer": "more", "larger": "smaller", "smaller": "larger",
    "largest": "smallest", "smallest": "largest", "higher": "lower", "lower": "higher", "highest": "lowest", "lowest": "highest",
    "faster": "slower", "slower": "faster", "easiest": "hardest", "hardest": "easiest", "cheaper": "dearer", "always": "never",
    "never": "always", "above": "below", "below": "above", "rises": "falls", "falls": "rises", "grows": "shrinks", "shrinks": "grows",
    "wins": "loses", "loses": "wins", "validation": "test", "test": "training", "training": "validation", "before": "after",
    "after": "before", "standard deviation": "standard error", "standard error": "standard deviation", "overconfidence": "underconfidence",
    "first": "last", "right": "wrong", "most": "fewest", "rows": "columns", "columns": "rows", "precision": "recall", "recall": "precision",
}  # fmt: skip
WORDS = re.compile(rf"(?<![\w{{`*-])({'|'.join(sorted(OPPOSITES, key=len, reverse=True))})(?![\w`*}}-])")
TYPED = re.compile(r"(?<![\w.,{`$\\^_-])\d[\d,]*(?:\.\d+)?(?![\w`}.,]*[\w`}])")


def word_changes(text, spans):
    """Yield (start, end, new) for words and typed numbers in parts of a text."""
    for begin, stop in spans:
        for found in WORDS.finditer(text, begin, stop):
            yield found.start(), found.end(), OPPOSITES[found[0]]


def say_changes(source):
    """Yield the changes in the sentences of a cell: words, exchanged placeholders, formats."""
    places = _Places(source)
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say"):
            continue
        start, end = places.span(node)
        braces = [found.span() for found in re.finditer(r"(?<!\{)\{[^{}]*\}", source[start:end])]
        braces = [(a + start, b + start) for a, b in braces]
        free, at = [], start
        for a, b in braces:
            free.append((at, a))
            at = b
        yield from word_changes(source, [*free, (at, end)])
        for (a, b), (c, d) in zip(braces, braces[1:], strict=False):
            one, two = source[a + 1 : b - 1].split(":")[0], source[c + 1 : d - 1].split(":")[0]
            if one != two and source[a:b].count(":") <= 1 and source[c:d].count(":") <= 1:
                yield a + 1, a + 1 + len(one), two
        for a, b in braces:
            found = re.search(r":([+,.\d]*)%\}$", source[a:b])
            if found:
                yield b - 2, b - 1, "f"


def sentence_mutants(root=ROOT):
    """Return the mutants of sentences that compare or carry numbers, in say and in the chapters' text and on the front page."""
    found = []
    for path in sorted((Path(root) / "chapters").glob("*.ipynb")):
        file = path.relative_to(root).as_posix()
        for place, kind, source, _ in cells_of(path):
            if kind == "code" and "say(" in source:
                found += made("sentences", file, place, source, say_changes(source))
            elif kind == "markdown":
                found += made("sentences", file, place, source, prose_changes(source))
    path = Path(root) / "intro.md"
    text = path.read_text(encoding="utf-8")
    return found + made("sentences", "intro.md", None, text, prose_changes(text))


def prose_changes(text):
    """Yield the changes of sentences in Markdown that compare."""
    for sentence in claims.prose(text):
        at = text.find(sentence)
        if at >= 0 and claims.compares(sentence):
            yield from word_changes(text, [(at, at + len(sentence))])


# ---------------------------------------------------------------- figures


def figure_changes(source):
    """Yield the changes of what a cell draws: labels and axes exchanged, arrays reversed."""
    places = _Places(source)
    tree = ast.parse(source)
    words = [
        (word.arg, word.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg in ("label", "xlabel", "ylabel", "title") and isinstance(word.value, ast.Constant)
    ]
    for (_, one), (_, two) in zip(words, words[1:], strict=False):
        start, end = places.span(one)
        yield start, end, source[slice(*places.span(two))]
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if (
            node.func.attr in ("plot", "scatter", "bar", "barh", "loglog", "semilogy", "errorbar", "fill_between")
            and len(node.args) >= 2
        ):
            (a, b), (c, d) = places.span(node.args[0]), places.span(node.args[1])
            yield a, d, source[c:d] + source[b:c] + source[a:b]
            yield c, d, f"np.asarray({source[c:d]})[::-1]"
        if node.func.attr in ("imshow", "matshow", "pcolormesh") and node.args:
            a, b = places.span(node.args[-1])
            yield a, b, f"np.asarray({source[a:b]}).T"


def figure_mutants(root=ROOT):
    """Return the mutants of what the chapters' figures draw."""
    found = []
    for path in sorted((Path(root) / "chapters").glob("*.ipynb")):
        for place, kind, source, _ in cells_of(path):
            if kind == "code" and draws(source) and "find_spec" not in source:
                found += made("figures", path.relative_to(root).as_posix(), place, source, figure_changes(source))
    return found


# ---------------------------------------------------------------- recordings, graders, scripts


def recording_mutants(root=ROOT, each=12, seed=0):
    """Return mutants of the recordings: in each, some numbers changed by a little more than rounding, chosen at random."""
    found = []
    for path in sorted((Path(root) / "data" / "measurements").glob("*.json")):
        text = path.read_text(encoding="utf-8")
        begin = text.find('"runs"')
        numbers = [one for one in re.finditer(r"(?<![\w.\"-])\d+(?:\.\d+)?(?![\w.\"])", text[begin:])]
        picked = random.Random(f"{seed} {path.stem}").sample(numbers, min(each, len(numbers)))
        changes = []
        for one in picked:
            value = one[0]
            new = f"{float(value) * 1.03 + 0.001:.{len(value.split('.')[1])}f}" if "." in value else str(int(value) + 1)
            changes.append((begin + one.start(), begin + one.end(), new))
        places = f"data/measurements/{path.name}"
        found += [Mutant("recordings", places, None, a, b, text[a:b], new, f"at {a}") for a, b, new in changes]
    return found


def grader_mutants(root=ROOT):
    """Return mutants of the hidden tests of assignments: an assert left out, a tolerance a hundred times as wide."""
    found = []
    for path in sorted((Path(root) / "coursework" / "source").glob("*/*.ipynb")):
        for place, kind, source, _ in cells_of(path):
            if kind != "code" or "BEGIN HIDDEN TESTS" not in source:
                continue
            begin = source.index("BEGIN HIDDEN TESTS")
            places, changes = _Places(source), []
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Assert) and places.span(node)[0] > begin:
                    changes.append((*places.span(node), "pass"))
                    for word in (one for call in ast.walk(node) if isinstance(call, ast.Call) for one in call.keywords):
                        if word.arg in ("atol", "rtol", "abs", "rel") and getattr(word.value, "value", 1) != 0:
                            a, b = places.span(word.value)
                            changes.append((a, b, f"100 * {source[a:b]}"))
            found += made("graders", path.relative_to(root).as_posix(), place, source, changes)
    return found


SCRIPT = re.compile(
    r"(?P<op>(?<= )(?:[-+*/]|<=|>=|<|>|===|!==)(?= ))|(?P<number>(?<![\w.\"'#])\d+(?:\.\d+)?(?![\w.\"'%]))"
)
SCRIPT_OPERATORS = {
    "+": "-", "-": "+", "*": "/", "/": "*", "<": ">=", ">": "<=", "<=": ">", ">=": "<", "===": "!==", "!==": "===",
}  # fmt: skip


def script_mutants(root=ROOT):
    """Return the mutants of the drawing page's scripts."""
    found = []
    for path in sorted((Path(root) / "_static" / "draw").glob("*.js")):
        text = path.read_text(encoding="utf-8")
        if len(text) > 200_000:
            continue  # data
        comments = [one.span() for one in re.finditer(r"/\*.*?\*/|//[^\n]*|\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`", text, re.S)]
        changes = []
        for one in SCRIPT.finditer(text):
            if any(a <= one.start() < b for a, b in comments):
                continue
            new = (
                SCRIPT_OPERATORS[one["op"]]
                if one["op"]
                else (str(int(one[0]) + 1) if "." not in one[0] else f"{float(one[0]) * 1.5:g}")
            )
            changes.append((one.start(), one.end(), new))
        found += made("scripts", path.relative_to(root).as_posix(), None, text, changes)
    return found


MAKERS = {
    "helpers": helper_mutants,
    "cells": cell_mutants,
    "sentences": sentence_mutants,
    "figures": figure_mutants,
    "recordings": recording_mutants,
    "graders": grader_mutants,
    "scripts": script_mutants,
}


def all_mutants(root=ROOT, kinds=KINDS):
    """Return the mutants of the kinds, in order of kind and place, each name once."""
    found = {}
    for kind in kinds:
        for one in MAKERS[kind](root):
            found.setdefault(one.name, one)
    return list(found.values())
