"""The page of the book about its own numbers, ``numbers.md``: what holds them, how many there are, and how many planted faults
are noticed. ``make numbers`` writes it from the chapters, ``data/bands`` and ``tests/faults``; a test says when it is stale.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from tools.guards import bands, claims, ledger
from tools.upkeep import try_mutants

ROOT = Path(__file__).resolve().parents[2]
PAGE = "numbers.md"

INTRODUCTION = """\
# What holds this book's numbers

<!-- made by make numbers from the chapters, data/bands and tests/faults; do not edit -->

No measured number in a chapter was typed. A cell of the page computes it and says the sentence that carries it, in every build anew. That keeps a number
from being old; it does not keep a sentence from being wrong. One can print the right number beside the wrong word, call a standard deviation a standard error,
or go on writing "the curved kernels do better" after they stopped doing so. Before the book had what follows, somebody planted 47 such faults in it, one at a time, and
its tests noticed 20. So each number and each conclusion is held by something that knows what it should be:

- **Bands.** Each chapter was run twenty times, each time with other random seeds (five times where nothing depended on them). A number that varies with the seed may lie as far from the mean of those runs
  as one build of the whole book in a hundred would take it by chance; one that does not vary must be the same up to rounding. A build that prints
  another number stops. Your own run never does: with your seed, your network, your processor, a number may differ.
- **Quantities.** What stands before "points" was multiplied by a hundred, what stands after "±" is a standard deviation, and what a sentence calls
  a test accuracy was measured on test images: the number carries what it is, and a test compares that with the words around it.
- **Claims.** A sentence that compares, ranks, or denies a difference has a hidden condition beside it that says the same in code, about all that the sentence speaks
  of. If it does not hold, the build stops and names the sentence. In a notebook of yours it prints that your run does not carry the sentence, which is worth knowing.
- **Figures.** What a figure draws is written down when it is drawn (kind, labels, legend, order, some of its values) and held to bands as a sentence is. So
  a legend in the wrong order is noticed, and so are the numbers in the description that a screen reader reads out.
- **Recordings.** What takes too long for a chapter was recorded, with every run's raw result. Each recording repeats itself in several ways (an accuracy, and
  the list of mistakes) that must agree, a digest covers the whole file, and some of its runs are made again each day.
- **The test set.** Every look at it is in {doc}`a ledger <test_set>`, with its reason.
"""

COUNTED = """\
## How many are there?

| chapter | sentences | numbers in them | of these vary with the seed | other values | figures | claims |
|---|---:|---:|---:|---:|---:|---:|"""

COUNTED_AFTER = """\
Sentences are those that a cell says, in the full edition; other values are quoted on another page or held without being printed; what a figure draws
is not counted here.
"""

MUTANTS = """\
## Would a fault be noticed?

A test that cannot fail holds nothing, and whether it can is a thing to measure. A program makes small changes in the book's own files, each one such as a tired
author would make: `argmin` for `argmax`, a plus for a minus, the validation images for the test images, a word for its opposite, two labels exchanged, a number of a recording
altered, an assert of a grader left out. It plants one at a time in a copy of the book and runs the tests that should notice. Which changes are tried is drawn by lot.

| what is changed | planted | noticed at once | noticed now | share |
|---|---:|---:|---:|---:|"""

MUTANTS_AFTER = """\
Where a fault passed because a test was missing, the test was written and the same fault planted again: the difference of the two columns is what these tests are worth, and
the first of them says what to expect of a fault that nobody has tried. A change that changes nothing (a threshold that no value is near, a loop that runs once more than it needs to) is no fault and is not counted; it takes a person to see
that, so each is listed with its reason in the file `tests/faults/mutants.json`. The faults that were not noticed:
"""

NAMES = {
    "helpers": "code that chapters share",
    "cells": "code of chapters, shown and hidden",
    "sentences": "sentences",
    "figures": "figures",
    "recordings": "recordings",
    "graders": "graders of the coursework",
    "scripts": "scripts of the drawing page",
}


def chapter_row(path):
    """Return the row of one chapter, as a Counter; empty if no bands are recorded for it."""
    found = Counter()
    for one in bands.stored(ROOT, path.stem).editions.get("full", ()):
        if one.kind == "say":
            found["sentences"] += 1
            found["numbers"] += len(one.variants[0].numbers)
            found["vary"] += sum("runs" in number for number in one.variants[0].numbers)
        elif one.kind == "figure":
            found["figures"] += one.key.endswith(", 0")
        else:
            found["values"] += 1
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [(place, "".join(cell["source"])) for place, cell in enumerate(cells) if cell["cell_type"] == "code"]
    code = [(place, source) for place, source in code if not source.lstrip().startswith(("%", "!"))]
    found["claims"] += len(list(claims.claims(path.stem, code)))
    return found


def row(name, counted):
    """Return a chapter's line of the table."""
    columns = ("sentences", "numbers", "vary", "values", "figures", "claims")
    return f"| {name} | " + " | ".join(f"{counted[one]:,}" for one in columns) + " |"


def mutants_row(name, planted, noticed, mended):
    """Return a line of the table of planted faults: the share is of those noticed now."""
    return f"| {name} | {planted} | {noticed - mended} | {noticed} | {try_mutants.percent(noticed, planted)} |"


def reasons(record):
    """Return the lines on what survived: the reasons that are known, the most frequent first, then how many have none."""
    counted = Counter(
        (kind, why)
        for kind, entry in record.items()
        for why in entry["survived"].values()
        if not why.startswith("no fault")
    )
    lines = [
        f"- {NAMES[kind]}: {why or 'not explained yet'} ({number})"
        for (kind, why), number in sorted(counted.items(), key=lambda one: (not one[0][1], -one[1], one[0]))
    ]
    return lines or ["- none."]


def page():
    """Return the page as Markdown."""
    total, text = Counter(), [INTRODUCTION, COUNTED]
    for name in ledger.chapters_in_order(ROOT):
        path = ROOT / "chapters" / f"{name}.ipynb"
        if path.is_file():
            counted = chapter_row(path)
            total += counted
            text.append(row(f"{{doc}}`chapters/{name}`", counted))
    text += [row("**together**", total), "", COUNTED_AFTER, MUTANTS]
    record = try_mutants.load()
    sums = Counter()
    for kind, entry in record.items():
        planted, noticed = try_mutants.counted(entry)
        sums.update(planted=planted, noticed=noticed, mended=len(entry["mended"]))
        text.append(mutants_row(NAMES[kind], planted, noticed, len(entry["mended"])))
    text.append(mutants_row("**together**", *(sums[one] for one in ("planted", "noticed", "mended"))))
    return "\n".join([*text, "", MUTANTS_AFTER, *reasons(record), ""])


def main():
    """Write the page."""
    (ROOT / PAGE).write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
