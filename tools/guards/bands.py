"""The bands of the numbers that a chapter says, glues and checks: ``data/bands/CHAPTER.json``, made by ``make bounds``.

For each edition the file holds each sentence as the chapter's cell spells it, as it reads with ``#`` for every number, and for
each number the value of the first run, its band and, where runs differ, what they gave. Every sentence of a chapter has an
entry: an edit of a sentence asks for its bands to be recorded again, so that somebody looks at the difference.

How wide a band is:

- A number that differs between runs (other seeds): mean plus or minus k standard deviations, with k from Student's t for the
  number of runs, so that one build of the whole book gives a false alarm once in a hundred (:data:`FALSE_ALARMS`,
  :data:`NUMBERS`); for twenty runs, k is 5.8.
- One that is the same in every run: equal up to rounding, one unit of the last printed place; a whole number below
  :data:`SMALL` exactly, for it is a choice, a digit or a number of seeds; a larger one within one in a hundred, for on another
  processor an image may fall to the other side. A glued value is not printed yet and is held to :data:`CLOSE` of itself.
- What rounding leaves (printed with an exponent, ``3e-07``): within a factor of :data:`ROUNDING`; below :data:`NOTHING`, where
  another processor may leave 0 or the other sign, only as small.

- In a figure two things more, for what is drawn is not chosen for being steady. A number that runs take through a factor of more than
  :data:`FACTOR` (a small probability) has a band in logarithms as well. And where a figure holds several pictures,
  panels or sets of bars that read alike, and one of them depends on the run, another run may draw another in its place: each may be what any
  of them was, and half their range beyond.

Where the words of a sentence depend on the run, every wording that was seen has its own numbers, and those of a wording seen in
fewer than :data:`FEWEST` runs, or never, are not compared. Times measured in the run itself have no band.
"""

from __future__ import annotations

import functools
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

FALSE_ALARMS = 0.01  # of builds of the whole book that stop though nothing is wrong
NUMBERS = 600  # that differ between runs, in a build of the whole book
SMALL = 30
CLOSE = 5e-4
ROUNDING = 30
NOTHING = 1e-12
FACTOR = 3
EXCHANGED = re.compile(r"picture |image |axes '|# boxes")  # in a figure: pictures, their titles, the bars beside each
FEWEST = 5
VALUES = ("glue", "check")  # not printed but handed on; the others are texts: "say" and "figure"
NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?%?|(?<![\w.])nan(?!\w)")


@dataclass(frozen=True)
class Number:
    """A number as it is printed: its value in the units of the print (97.4 for "97.4%"), and the unit of its last place."""

    text: str

    @property
    def value(self):
        return float(self.text.replace(",", "").replace("−", "-").rstrip("%"))

    @property
    def unit(self):
        digits = self.text.rstrip("%").split("e")
        places = len(digits[0].partition(".")[2])
        return 10.0 ** (-places) * (10.0 ** int(digits[1]) if len(digits) > 1 else 1)

    @property
    def whole(self):
        return "." not in self.text and "e" not in self.text and not self.text.endswith("%")


def taken_apart(text):
    """Return a sentence's words, with ``#`` for each number, and its numbers."""
    return NUMBER.sub("#", text), [Number(one) for one in NUMBER.findall(text)]


def width(runs, level=FALSE_ALARMS / NUMBERS):
    """Return how many standard deviations of ``runs`` values a new one may lie from their mean, to be refused wrongly in ``level``
    of all cases."""
    from scipy.stats import t

    return float(t.ppf(1 - level / 2, runs - 1) * math.sqrt(1 + 1 / runs))


def band(numbers, kind="say"):
    """Return the lowest and the highest value allowed, from a number as runs printed it.

    numbers : list of Number, one for each run; ``kind`` is "say", "glue" or "check".
    """
    values = [one.value for one in numbers]
    if kind not in VALUES and 0 < max(map(abs, values)) < NOTHING:
        return (-ROUNDING * NOTHING, ROUNDING * NOTHING)
    if any(math.isnan(value) for value in values):
        return (math.nan, math.nan)
    low, high, first = min(values), max(values), numbers[0]
    if low == high or (kind in VALUES and high - low <= CLOSE * abs(low)):
        if kind in VALUES:
            slack = CLOSE * max(abs(low), abs(high))
        elif "e-" in first.text:
            return tuple(sorted((low / ROUNDING, low * ROUNDING)))
        elif first.whole:
            slack = 0 if abs(low) < SMALL else max(1, abs(low) / 100)
        else:
            slack = first.unit
        return (low - slack, high + slack)
    if "e-" in first.text and low > 0:  # what rounding leaves, or a p-value: it varies by factors
        logs = [math.log(value) for value in values]
        middle, reach = _reach(logs)
        reach = max(reach, math.log(ROUNDING))
        return (math.exp(max(middle - reach, -700)), math.exp(min(middle + reach, 700)))  # as far as numbers go
    middle, reach = _reach(values)
    slack = 0 if kind in VALUES else first.unit
    found = (middle - reach - slack, middle + reach + slack)
    if kind == "figure" and low > 0 and high > FACTOR * low:
        middle, reach = _reach([math.log(value) for value in values])
        found = (min(found[0], math.exp(middle - reach)), max(found[1], math.exp(min(middle + reach, 700))))
    return found


def _reach(values):
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return mean, width(len(values)) * spread


@dataclass
class Variant:
    """A sentence in one wording, with its numbers: for each the band and how the first run printed it."""

    reads: str
    seen: int
    numbers: list

    def first(self):
        """Return the sentence as the first run printed it."""
        printed = iter(self.numbers)
        return "".join(next(printed)["number"] if one == "#" else one for one in re.split("(#)", self.reads))


@dataclass
class Sentence:
    """A sentence, glued or checked value in one edition: all wordings that runs gave it."""

    kind: str
    key: str
    runs: int
    variants: list = field(default_factory=list)

    def trouble(self, text):
        """Return what is wrong with a text; None if it is within its bands."""
        words, numbers = taken_apart(text)
        known = next((one for one in self.variants if one.reads == words), None)
        if known is None:
            if len(self.variants) > 1 or ("⏱" in text and self.kind == "say"):
                return None  # its words depend on the run
            what = (
                f"the figure {self.key} draws something else" if self.kind == "figure" else "a sentence reads otherwise"
            )
            return f"{what} than when its bands were recorded.\n  then: {self.variants[0].reads}\n  now:  {text}"
        if known.seen < FEWEST and self.runs >= FEWEST:
            return None
        for number, entry in zip(numbers, known.numbers, strict=True):
            low, high = entry["band"]
            value = number.value
            if not (low - 1e-9 <= value <= high + 1e-9 or (math.isnan(low) and math.isnan(value))):
                allowed = (
                    f"outside its band, {low:.6g} to {high:.6g} ({self.runs} runs gave {entry['number']} and alike)"
                )
                if self.kind in VALUES:
                    return f"{self.kind} {self.key!r} is {number.text}, {allowed}."
                what = "the page says" if self.kind == "say" else f"the figure {self.key} draws"
                return f"{number.text} lies {allowed}.\n  {what}: {text}"
        return None


class Bands:
    """The bands of one chapter: edition -> list of :class:`Sentence`."""

    def __init__(self, chapter, editions):
        self.chapter, self.editions = chapter, editions
        self._found = {
            edition: {(one.kind, one.key): one for one in sentences} for edition, sentences in editions.items()
        }

    def trouble(self, edition, kind, key, text):
        """Return what is wrong with something said, as a sentence with its cure; None if nothing is.

        A chapter without bands in this edition is not held to any.
        """
        if edition not in self._found:
            return None
        cure = (
            f"\nIf this is a fault, mend it; if the chapter changed, record its bands again and look at the difference: "
            f"make bounds NAME={self.chapter}"
        )
        sentence = self._found[edition].get((kind, key))
        if sentence is None and kind == "figure" and not any(one.kind == kind for one in self.editions[edition]):
            return None  # bands from before figures had any
        if sentence is None:
            names = {
                "say": "the sentence ",
                "figure": "the figure ",
                "glue": "the glued value ",
                "check": "the checked value ",
            }
            what = names[kind] + str(key)
            return f"{what} has no band in the {edition} edition.{cure}"
        trouble = sentence.trouble(text)
        return trouble and trouble + cure


def made(runs):
    """Return the sentences of one edition from its runs.

    runs : list of list of dict
        What each run said, as the kernel's log holds it: kind, key, text; the first run is the one with the book's own seeds.
    """
    order, texts = [], {}
    for run in runs:
        for one in run:
            key = (one["kind"], one["key"])
            if one["kind"] == "false":  # a claim that did not hold
                continue
            if key not in texts:
                texts[key] = []
                order.append(key)
            texts[key].append(one["text"])
    sentences = [_sentence(kind, key, texts[kind, key], len(runs)) for kind, key in order]
    _let_exchange(one for one in sentences if one.kind == "figure")
    return sentences


def _let_exchange(figures):
    """Widen the bands of things of one kind in one figure of which runs may draw one in another's place, as described above."""
    groups = {}
    for one in figures:
        for variant in one.variants if EXCHANGED.match(one.variants[0].reads) else ():
            groups.setdefault((one.key.rpartition(", ")[0], variant.reads), []).append(variant)
    for alike in groups.values():
        for entries in zip(*(variant.numbers for variant in alike), strict=True):
            told = [Number(text).value for entry in entries for text in entry.get("runs", [entry["number"]])]
            if len(entries) < 2 or not any("runs" in entry for entry in entries) or any(map(math.isnan, told)):
                continue
            beyond = (max(told) - min(told)) / 2
            for entry in (one for one in entries if "band" in one):
                low, high = entry["band"]
                entry["band"] = [_short(min(low, min(told) - beyond)), _short(max(high, max(told) + beyond))]


def _sentence(kind, key, texts, runs):
    wordings = {}
    for text in texts:
        words, numbers = taken_apart(text)
        wordings.setdefault(words, []).append(numbers)
    sentence = Sentence(kind, key, runs)
    for words, seen in wordings.items():
        entries = []
        for numbers in zip(*seen, strict=True):
            entry = {"number": numbers[0].text}
            if len(seen) >= min(FEWEST, runs):  # otherwise nothing is compared
                entry["band"] = [_short(end) for end in band(numbers, kind)]
            if len({one.text for one in numbers}) > 1:
                entry["runs"] = [one.text for one in numbers]
            entries.append(entry)
        sentence.variants.append(Variant(words, len(seen), entries))
    return sentence


def _short(value):
    return float(f"{value:.8g}")


# ---------------------------------------------------------------- the file


def path_of(root, chapter):
    """Return the path of a chapter's bands."""
    return Path(root) / "data" / "bands" / f"{chapter}.json"


@functools.cache
def stored(root, chapter):
    """Return the bands of a chapter as they are stored; without any, if it has no file."""
    path = path_of(root, chapter)
    return loads(chapter, path.read_text(encoding="utf-8")) if path.is_file() else Bands(chapter, {})


def loads(chapter, text):
    """Return the bands in the text of a file."""
    editions = {}
    for edition, content in json.loads(text)["editions"].items():
        editions[edition] = [
            Sentence(one["kind"], one["key"], content["runs"], [Variant(**variant) for variant in one["variants"]])
            for one in content["sentences"]
        ]
    return Bands(chapter, editions)


def dumps(bands):
    """Return the text of a chapter's file, laid out to be read: a line for each number."""

    def line(value):
        return json.dumps(value, ensure_ascii=False)

    out = ["{", ' "editions": {']
    editions = [(name, bands.editions[name]) for name in ("sample", "full") if name in bands.editions]
    for place, (edition, sentences) in enumerate(editions):
        out += [f"  {line(edition)}: {{", f'   "runs": {sentences[0].runs if sentences else 0},', '   "sentences": [']
        for number, one in enumerate(sentences):
            out += [f'    {{"kind": {line(one.kind)}, "key": {line(one.key)},', '     "variants": [']
            for which, variant in enumerate(one.variants):
                out.append(f'      {{"seen": {variant.seen}, "reads": {line(variant.reads)}, "numbers": [')
                out += [
                    f"        {line(entry)}{',' if at < len(variant.numbers) - 1 else ''}"
                    for at, entry in enumerate(variant.numbers)
                ]
                out.append("      ]}" + ("," if which < len(one.variants) - 1 else ""))
            out.append("    ]}" + ("," if number < len(sentences) - 1 else ""))
        out += ["   ]", "  }" + ("," if place < len(editions) - 1 else "")]
    return "\n".join([*out, " }", "}", ""])
