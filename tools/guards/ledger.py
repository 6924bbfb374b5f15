"""The ledger of the test set: every cell that looks at test images stands in ``data/ledger`` with its reason.

One file for each chapter, and ``experiments.toml`` for the experiments that measure on test images. An entry is one look, for one
purpose, with the cells that serve it, each quoted by a piece of a line that only this cell has, under the kind of its look
(``tools.guards.looks`` says what these are)::

    [[look]]
    reason = "The accuracy of the report's network: the measurement that the test set is for."
    images = ["network = trained_network()"]
    result = ['check("accuracy", accuracy', "This network gets"]

    [look.selects]          # a choice that decides about no model, setting or threshold: the whole line, and why not
    "worst = p_true.argsort()[:24]" = "These images are shown, nothing is set by them."

    [look.demonstration]    # misuse on purpose, to show what it does
    "best = max(scores, key=scores.get)" = "The winner's luck is what this section measures."

``make ledger`` (``python -m tools.guards.ledger``) writes the page ``test_set.md`` from it; with ``--draft`` it prints an entry
for every cell that has none, reasons left open.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tools.guards.looks import KINDS, ROOT, chapter_touches, experiments, read_module

EXPERIMENTS = "experiments"
SHORTEST_REASON = 20
MARKS = ("selects", "demonstration")
PAGE = "test_set.md"

INTRODUCTION = """\
# How often this book looked at the test set

<!-- made by make ledger from data/ledger; do not edit -->

A {term}`test set` is worth something as long as nothing was decided by it. Each time somebody looks, sees a number and changes a setting, a little of
what is particular to these images goes into the model, and the number becomes kinder than the truth. Nobody has to cheat for that:
it is enough to look often and to keep what did well. That is why the rule says to look once.

This book does not look once. It teaches with these images, so it shows them, draws them and counts on them in several chapters, and
it would be easy to say that nothing was ever chosen by them. So there is a ledger instead. Every cell whose code touches test images,
their labels, or a result that comes from them, has an entry with its reason; a test follows the code of each chapter, through names, functions and
recordings, and fails when a cell has no entry. It also fails when something is *chosen* there: a setting picked by its test accuracy, a
threshold or a temperature fitted, a training stopped. And in each chapter a hidden cell compares the images that are trained on,
chosen by and tested on, pixel by pixel: no image serves two of these purposes, and MNIST itself has no image twice.

Four kinds of look are told apart:

- **images**: the cell works on test images or their labels, predicts them, draws them;
- **prepared**: it only names, scales or reshapes them, and shows nothing of them;
- **result**: it uses a score or a prediction that another cell computed from them;
- **recorded**: it reads a test result that was measured earlier and kept in a recording.

The size of the test set alone is no look.

Below, an entry is one look with one purpose, however many cells make, draw, say and check it. Where something is picked, the entry says why that
decides about no model, no setting and no threshold.
"""


class LedgerError(Exception):
    """A file of the ledger cannot be read. The message names the file, the fault and the cure."""


@dataclass
class Entry:
    """One look: where it stands, why, and the cells that serve it.

    unit: the chapter's name, or "experiments". cells: (kind, quote). marks: {"selects" or "demonstration": {line: why}}.
    """

    unit: str
    reason: str
    cells: list = field(default_factory=list)
    marks: dict = field(default_factory=dict)

    def __str__(self):
        return f"data/ledger/{self.unit}.toml, {self.reason[:60] or 'an entry without a reason'!r}"


def read_entries(unit, text):
    """Read one file of the ledger. Raises LedgerError for what is no TOML, and for keys and values that mean nothing."""
    where = f"data/ledger/{unit}.toml"
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LedgerError(f"{where} is no TOML ({error}): mend that line") from None
    if unknown := content.keys() - {"look"}:
        raise LedgerError(f"{where} has {sorted(unknown)}: it holds entries [[look]] and nothing else")
    entries = []
    for one in content.get("look", []):
        if unknown := one.keys() - {"reason", *KINDS, *MARKS}:
            raise LedgerError(
                f"{where}: an entry has {sorted(unknown)}; it may have reason, {', '.join((*KINDS, *MARKS))}"
            )
        good = all(
            isinstance(one.get(kind, []), list) and all(isinstance(q, str) for q in one.get(kind, [])) for kind in KINDS
        )
        good &= all(isinstance(one.get(mark, {}), dict) for mark in MARKS) and isinstance(one.get("reason", ""), str)
        if not (good and all(isinstance(why, str) for mark in MARKS for why in one.get(mark, {}).values())):
            raise LedgerError(
                f"{where}: the reason, each quote in a list, and the reason of each mark are texts; {one} has others"
            )
        cells = [(kind, quote) for kind in KINDS for quote in one.get(kind, [])]
        entries.append(Entry(unit, one.get("reason", "").strip(), cells, {mark: one.get(mark, {}) for mark in MARKS}))
    return entries


def read_ledger(root=ROOT):
    """Read every file of the ledger; returns a list of :class:`Entry`."""
    files = sorted((root / "data" / "ledger").glob("*.toml"))
    return [one for path in files for one in read_entries(path.stem, path.read_text(encoding="utf-8"))]


def chapter_cells(path):
    """The code cells of a notebook: a list of (number in the notebook, source)."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [
        (i, "".join(c["source"]))
        for i, c in enumerate(cells)
        if c["cell_type"] == "code" and "".join(c["source"]).strip()
    ]


def chapters_in_order(root=ROOT):
    """The names of the chapters that are notebooks, in the order of the table of contents."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    files = [one["file"] for part in toc["parts"] for one in part["chapters"]]
    return [Path(one).name for one in files if (root / f"{one}.ipynb").is_file()]


def disjoint_roots(cells):
    """The arrays that ``assert_disjoint`` compares in some cells, as they stand there: x_fit, digits.x_train[:n]; of
    ``prepare(digits.x_test)`` what is inside."""
    found = set()
    for _, source in cells:
        for node in ast.walk(ast.parse(source)):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "assert_disjoint"
            ):
                for argument in node.keywords:
                    inner = argument.value
                    while isinstance(inner, ast.Call) and inner.args:
                        inner = inner.args[0]
                    found.add(ast.unparse(inner))
    return found


def read_units(root=ROOT):
    """Follow the experiments and all chapters.

    Returns
    -------
    dict {unit: (list of (key, source), {key: Touch})}
    """
    touched, records = experiments(root)
    sources = []
    for name, (module, _) in touched.items():
        text = read_module(f"experiments.{module}", root)
        node = next(one for one in ast.parse(text).body if getattr(one, "name", "") == name)
        sources.append((name, ast.get_source_segment(text, node)))
    units = {EXPERIMENTS: (sources, {name: touch for name, (_, touch) in touched.items()})}
    for name in chapters_in_order(root):
        cells = chapter_cells(root / "chapters" / f"{name}.ipynb")
        units[name] = (cells, chapter_touches(cells, records, roots=disjoint_roots(cells), root=root))
    return units


def fitting(quote, cells):
    """The keys of the cells that have a line with this quote in it."""
    return [key for key, source in cells if quote and any(quote in line for line in source.splitlines())]


def quote_for(key, cells):
    """A piece of a line by which a cell can be told from all others: its first lines are tried first."""
    source = dict(cells)[key]
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    code = [line for line in lines if not line.startswith("#")] or lines
    for width in (45, 60, 90, 400):
        for line in code:
            short = line if len(line) <= width else line[:width].rsplit(" ", 1)[0]
            if len(short) > 8 and fitting(short, cells) == [key]:
                return short
    return code[0]


def toml_text(text):
    """A string as TOML has it."""
    return f"'{text}'" if "'" not in text and ("\\" in text or '"' in text) else json.dumps(text, ensure_ascii=False)


def ready_entry(unit, key, cells, touch):
    """An entry for one cell as the author has to write it, reasons left open."""
    quote = toml_text(quote_for(key, cells))
    lines = ["[[look]]", 'reason = ""', *(f"{kind} = [{quote}]" for kind in touch.kind)]
    for mark, picks in (("selects", True), ("demonstration", False)):
        texts = dict.fromkeys(choice.text for choice in touch.choices if choice.picks is picks)
        if texts:
            lines += [f"[look.{mark}]", *(f'{toml_text(text)} = ""' for text in texts)]
    return "\n".join(lines)


def place(unit, key):
    """A cell as messages name it."""
    return f"experiments: {key}" if unit == EXPERIMENTS else f"chapters/{unit}.ipynb, cell {key}"


def complaints(entries, units):
    """What is wrong between the ledger and the code, as sentences that say what to do.

    Parameters
    ----------
    entries : list of Entry
    units : dict as ``read_units`` gives it
    """
    declared = {}
    for entry in entries:
        yield from faults_of(entry, units, declared)
    for unit, (cells, touches) in units.items():
        for key, touch in touches.items():
            here = declared.get((unit, key), [])
            kinds = sorted({kind for kind, _ in here})
            if not here and (touch.kinds or touch.choices):
                yield (
                    f"{place(unit, key)} looks at the test set ({', '.join(touch.kind)}) and is not in the ledger. If it has to, "
                    f"write into data/ledger/{unit}.toml, with a reason:\n{ready_entry(unit, key, cells, touch)}"
                )
            elif here and not touch.kinds:
                yield f"{place(unit, key)} looks at no test image: take its quotes out of data/ledger/{unit}.toml"
            elif kinds != touch.kind and here:
                yield (
                    f"{place(unit, key)} is in the ledger as {', '.join(kinds)}, but its code is {', '.join(touch.kind)}: if that is "
                    f"meant, move its quote in data/ledger/{unit}.toml"
                )
            yield from choices_of(unit, key, touch, [entry for _, entry in here])


def faults_of(entry, units, declared):
    """What is wrong with one entry by itself; notes in ``declared`` which cells it names."""
    if len(entry.reason) < SHORTEST_REASON:
        yield f"{entry}: say in a sentence why the book looks there (reason = {entry.reason!r})"
    for mark, lines in entry.marks.items():
        for line, why in lines.items():
            if len(why.strip()) < SHORTEST_REASON:
                yield f"{entry}: {mark} of {line!r} lacks its reason: say why this may be"
    if entry.unit not in units:
        yield f"{entry}: there is no chapter {entry.unit}: rename the file, or delete it"
        return
    if not entry.cells:
        yield f"{entry}: it names no cell: quote one under its kind, or delete the entry"
    cells, touches = units[entry.unit]
    mine = []
    for kind, quote in entry.cells:
        keys = fitting(quote, cells)
        if len(keys) != 1:
            found = "none" if not keys else "several: " + ", ".join(map(str, keys))
            yield f"{entry}: the quote {quote!r} has to fit a line of exactly one cell, and fits {found}: quote another piece"
            continue
        if any(known == kind for known, _ in declared.get((entry.unit, keys[0]), [])):
            yield f"{entry}: {place(entry.unit, keys[0])} has an entry of the kind {kind} already: keep one"
        declared.setdefault((entry.unit, keys[0]), []).append((kind, entry))
        mine.append(keys[0])
    made = {choice.text for key in mine if key in touches for choice in touches[key].choices}
    for mark, lines in entry.marks.items():
        for line in lines:
            if line.strip() not in made:
                yield f"{entry}: {mark} marks {line!r}, where its cells choose nothing: copy the whole line, or take the mark out"


def choices_of(unit, key, touch, entries):
    """Choices of one cell that its entries do not mark, or mark as what they are not."""
    for choice in touch.choices:
        marks = {mark for one in entries for mark, lines in one.marks.items() if choice.text in map(str.strip, lines)}
        if not marks:
            mark = "selects" if choice.picks else "demonstration"
            open_to = "" if choice.picks else " That is misuse, which only a demonstration may show."
            yield (
                f"{place(unit, key)} chooses by the test set: {choice.what}, in {choice.text!r}. Choose by validation images instead."
                f'{open_to} If it may stay, mark it in data/ledger/{unit}.toml:\n[look.{mark}]\n{toml_text(choice.text)} = ""'
            )
        elif not choice.picks and "demonstration" not in marks:
            yield (
                f"{place(unit, key)}: {choice.text!r} {choice.what}: no reason makes that harmless, so selects cannot mark it; "
                "choose by validation images, or mark it as a demonstration"
            )


# ---------------------------------------------------------------- parts that share no image


def part_complaints(units):
    """Chapters in which it is not asserted that what is trained on, chosen by and tested on shares no image.

    Every array that a chapter fits to has to be (or be cut from) one that ``assert_disjoint(fit=..., ...)`` compares, every array
    that it scores one of any part, and ``test`` has to be test images.
    """
    for unit, (_, touches) in units.items():
        if unit == EXPERIMENTS:
            continue
        parts = {}
        for touch in touches.values():
            for part, labels, roots in touch.parts:
                parts.setdefault(part, set()).update(roots)
                if (part == "test") != ("pixels" in labels) or (part != "test" and "train" not in labels):
                    yield f"chapters/{unit}.ipynb: assert_disjoint gets as {part} what is not that part of the data: pass the array itself"
        looks = any(touch.kinds & {"images", "result", "prepared"} for touch in touches.values())
        fits = [(key, fit) for key, touch in touches.items() for fit in dict.fromkeys(touch.fits)]
        scores = [(key, score) for key, touch in touches.items() for score in dict.fromkeys(touch.scores)]
        if looks and "test" not in parts:
            yield f"chapters/{unit}.ipynb uses test images: assert in a hidden cell assert_disjoint(fit=..., test=...)"
        for key, (line, method, roots) in fits:
            if missing := roots - parts.get("fit", set()) - parts.get("test", set()):
                yield (
                    f"{place(unit, key)}, line {line}: .{method}() trains on {', '.join(sorted(missing))}, which no "
                    "assert_disjoint(fit=..., test=...) of the chapter compares: add it there, or fit to what is cut from a part"
                )
        everything = set().union(*parts.values()) if parts else set()
        for key, (line, method, roots) in scores:
            if missing := roots - everything:
                yield (
                    f"{place(unit, key)}, line {line}: .{method}() is asked about {', '.join(sorted(missing))}, which no "
                    "assert_disjoint of the chapter compares: add it there as validation or test"
                )


# ---------------------------------------------------------------- the page


def page(entries, units, root=ROOT):
    """The page of the book that is made from the ledger, as Markdown."""
    order = [*(name for name in chapters_in_order(root) if name in units), EXPERIMENTS]
    text = [INTRODUCTION, "## How often?", ""]
    text += [
        "| where | looks | cells | " + " | ".join(KINDS) + " | picks | demonstrations |",
        "|---|" + "---:|" * (len(KINDS) + 4),
    ]
    total = Counter()
    for unit in order:
        here = [one for one in entries if one.unit == unit]
        counted = count(here, units[unit])
        total += counted
        name = "the experiments that record" if unit == EXPERIMENTS else f"{{doc}}`chapters/{unit}`"
        text.append(row(name, counted))
    text += [row("**together**", total), ""]
    text += [
        "A cell of two kinds counts under both. *Picks* are the places where code orders or picks by a test result and the entry says why nothing",
        "is decided by that; *demonstrations* are misuse on purpose, to show what comes of it.",
        "",
    ]
    for unit in order:
        here = [one for one in entries if one.unit == unit]
        if not here:
            continue
        text += ["## The experiments that record" if unit == EXPERIMENTS else f"## {title_of(unit, root)}", ""]
        for entry in here:
            counted = Counter(kind for kind, _ in entry.cells)
            kinds = ", ".join(f"{kind} {counted[kind]}" for kind in KINDS if counted[kind])
            text.append(f"- {entry.reason} ({kinds})")
            text += [f"  - Picks: {why}" for why in dict.fromkeys(entry.marks["selects"].values())]
            text += [f"  - **Demonstration:** {why}" for why in dict.fromkeys(entry.marks["demonstration"].values())]
        text.append("")
    return "\n".join(text).rstrip() + "\n"


def title_of(unit, root=ROOT):
    """A chapter's title. (A role in a heading would show the file's name in the page's contents.)"""
    cells = json.loads((root / "chapters" / f"{unit}.ipynb").read_text(encoding="utf-8"))["cells"]
    return re.search(r"^# +(.+)$", "".join(cells[0]["source"]), re.M)[1].strip()


def count(entries, unit):
    """How many looks, cells, cells of each kind, picks and demonstrations some entries of one unit name."""
    cells, _ = unit
    found = Counter(looks=len(entries))
    found["cells"] = len({key for one in entries for _, quote in one.cells for key in fitting(quote, cells)})
    for entry in entries:
        found.update(kind for kind, _ in entry.cells)
        found["picks"] += len(entry.marks["selects"])
        found["demonstrations"] += len(entry.marks["demonstration"])
    return found


def row(name, counted):
    """One row of the page's table."""
    return (
        f"| {name} | "
        + " | ".join(str(counted[one]) for one in ("looks", "cells", *KINDS, "picks", "demonstrations"))
        + " |"
    )


def main(arguments=None):
    """Write the page, or print drafts of missing entries; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.guards.ledger", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--draft", action="store_true", help="print an entry for every cell that has none, reasons left open"
    )
    options = parser.parse_args(arguments)
    units = read_units()
    try:
        entries = read_ledger()
    except LedgerError as error:
        print(error, file=sys.stderr)
        return 1
    if options.draft:
        named = {
            (e.unit, key)
            for e in entries
            for _, quote in e.cells
            for key in fitting(quote, units.get(e.unit, ((), {}))[0])
        }
        for unit, (cells, touches) in units.items():
            for key, touch in touches.items():
                if touch.kinds and (unit, key) not in named:
                    print(f"# {place(unit, key)}\n{ready_entry(unit, key, cells, touch)}\n")
        return 0
    wrong = [*complaints(entries, units), *part_complaints(units)]
    if wrong:
        print("\n\n".join(wrong), file=sys.stderr)
        return 1
    (ROOT / PAGE).write_text(page(entries, units), encoding="utf-8")
    print(f"wrote {PAGE}: {len(entries)} looks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
