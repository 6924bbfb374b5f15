"""Does a file tell students a solution or a hidden test? ``python -m coursework leaks PATH ...`` looks.

What is secret is computed from the sources: every line between the markers of solutions and hidden tests, model answers,
rubrics, ``variant.py``, the answers in ``cases.py``, and the constants that only hidden code uses. A line that stands in
what students see anyway, or in the book's own code, is no secret and is left out; so is one too short to mean anything.

What is searched is every file: text as it stands, as JSON, HTML or JavaScript escape it, with the tags of highlighting taken away,
in Base64, in zips within zips, in gzip, in PDF. All of it, needles and haystack, is brought to one form without spaces, quotes and
escapes first. Sphinx's search index holds no lines but words: there, words are searched that only secrets use.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import gzip
import html
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from coursework import CONCEPT_TEST, ROOT, SEED, SOURCES
from coursework.make.notebooks import (
    CONSTANT_IN_CODE,
    CONSTANT_IN_TEXT,
    HIDDEN_TESTS,
    KEPT_BACK,
    NAMES,
    SOLUTION,
    SourceError,
    blank,
    grading,
    load_module,
    read_source,
    region,
    tasks,
    with_constants,
    without_region,
)

SHORTEST = 14  # characters in the common form: what is shorter stands everywhere
SHORTEST_PROSE = 30  # of a line of a rubric, a model answer, variant.py
SHORTEST_WORD = 4  # of a word that is searched in the search index
FEWEST_DIGITS = 5  # of a number that is searched by itself
DEEPEST = 6  # zips within zips

TAG = re.compile(r"</?[a-zA-Z!][^<>]{0,500}>")
DROPPED = re.compile(r"[^A-Za-z0-9_=+/%()\[\]:&^~!@]+")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")


# ---------------------------------------------------------------- one form for all


def unescaped(text):
    """Return the text with the escapes of JavaScript, JSON, HTML and addresses taken back, as often as they are nested."""
    for _ in range(2):
        text = re.sub(r"\\+u\{?([0-9a-fA-F]{4})\}?|\\+x([0-9a-fA-F]{2})", lambda m: chr(int(m[1] or m[2], 16)), text)
        text = html.unescape(re.sub(r"\\+[nrtfv]", " ", text))
        if "%" in text:
            text = unquote(text, errors="ignore")
    return text


def common_form(text):
    """Return the text without escapes, spaces, quotes and most punctuation: the form in which all is compared."""
    return DROPPED.sub("", unescaped(text))


def forms(text):
    """Return the forms of a text in which secrets are searched: as it stands, and with its tags taken away."""
    found = [common_form(text)]
    if "<" in text or "\\u003c" in text.lower() or "\\x3c" in text.lower() or "&lt;" in text:
        found.append(common_form(TAG.sub("", TAG.sub("", unescaped(TAG.sub("", text))))))
    return list(dict.fromkeys(found))


# ---------------------------------------------------------------- what is secret


@dataclass(frozen=True)
class Secret:
    """Something that students must not see: what it is, as a message names it, and the lines of it."""

    what: str
    kind: str  # "solution", "hidden test", "model answer", "rubric", "variant.py", "cases.py"
    lines: tuple[str, ...]


@dataclass
class Secrets:
    """What is searched for.

    all: every `Secret`. needles: {common form: the secrets it belongs to}. words: {secret: its words, as the search index
    stems them}. known: words that stand in what all may read. numbers: {number as text: what it is}.
    """

    all: list[Secret]
    needles: dict[str, list[Secret]]
    words: dict[Secret, frozenset[str]]
    known: frozenset[str]
    numbers: dict[str, str]

    def distinctive(self, secret):
        """Return the needles of one secret."""
        return [needle for needle, owners in self.needles.items() if secret in owners]


def fill_in(text, constants):
    """Return a text with {{NAME}} replaced by the constants of a course, where it is one of them."""
    return CONSTANT_IN_TEXT.sub(lambda found: str(constants.get(found[1], found[0])), text)


def secrets_of(name, notebook, constants, sources):
    """Yield the secrets of one assignment; ``notebook`` may hold the values of a course or those of the source."""
    written = [task.test for task in tasks(notebook) if task.written]
    for place, cell in enumerate(notebook.cells):
        grade_id = grading(cell).get("grade_id")
        if place in written:
            yield Secret(f"{name}: model answer of {grade_id!r}", "model answer", tuple(sentences(cell.source)))
        elif cell.cell_type == "code":
            # a line as it stands in the source, and without the comment that names its constant
            for kind, markers in (("solution", SOLUTION), ("hidden test", HIDDEN_TESTS)):
                lines = region(cell.source, markers)
                plain = [line.split("  # course:")[0] for line in lines]
                if lines:
                    yield Secret(f"{name}: {kind} of {grade_id!r}", kind, tuple(plain))
    folder = Path(sources, name)
    yield Secret(f"{name}: variant.py", "variant.py", lines_of(folder / "variant.py"))
    if (folder / "rubric.md").is_file():
        text = fill_in((folder / "rubric.md").read_text(encoding="utf-8"), constants)
        yield Secret(
            f"{name}: rubric.md", "rubric", tuple(one for line in text.splitlines() for one in sentences(line))
        )
    if (folder / "cases.py").is_file():
        for task, kinds in load_module(name, "cases.py", sources).CASES.items():
            lines = [line for kind in kinds.values() for code in kind.values() for line in code.splitlines()]
            yield Secret(f"{name}: cases.py, {task!r}", "cases.py", tuple(lines))


def sentences(text):
    """Return the sentences of Markdown, and the cells of its tables."""
    return [one.strip() for one in re.split(r"(?<=[.!?:;])\s+|\n+|\|", text) if one.strip()]


def lines_of(path):
    """Return the lines of a file, () if it does not exist."""
    return tuple(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ()


def visible(name, notebook, sources):
    """Yield the texts of an assignment that students see: the notebook without its secrets, and its helpers."""
    for cell in blank(notebook).cells:
        source = cell.source
        if cell.cell_type == "code":
            source = re.sub(r"  # course: \w+$", "", without_region(source, HIDDEN_TESTS), flags=re.M)
        yield source
    for file in sorted(Path(sources, name).glob("*.py")):
        if file.name not in KEPT_BACK:
            yield file.read_text(encoding="utf-8")


@cache
def book_code(root=ROOT):
    """Return the code of the book: of the chapters, the helpers and the experiments. Solutions may use its idioms."""
    found = []
    for path in sorted((root / "chapters").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for folder in ("helpers", "experiments"):
        found += [path.read_text(encoding="utf-8") for path in sorted((root / folder).rglob("*.py"))]
    return "\n".join(found)


@cache
def book_prose(root=ROOT):
    """Return the text of the book's chapters and pages, for its words; no secret is excused because it stands here."""
    found = [path.read_text(encoding="utf-8") for path in sorted(root.glob("*.md"))]
    found += [path.read_text(encoding="utf-8") for path in sorted((root / "chapters").glob("*.md"))]
    for path in sorted((root / "chapters").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found += ["".join(cell["source"]) for cell in cells]
    return "\n".join(found)


def secrets(names=NAMES, seed=SEED, sources=SOURCES):
    """Return the `Secrets` of these assignments, with the values of the source and with those of the course of this seed."""
    found, shown, numbers = [], [], {}
    for name in names:
        source = read_source(name, sources)
        constants = load_module(name, "variant.py", sources).constants(seed)
        for notebook in (source, with_constants(source, constants)):
            found += secrets_of(name, notebook, constants, sources)
            shown += visible(name, notebook, sources)
        numbers |= {
            str(abs(constants[key])): f"{name}: constant {key}"
            for key in hidden_constants(source)
            if is_long_number(constants[key])
        }
    if Path(sources) == SOURCES and (CONCEPT_TEST / "key.md").is_file():
        rows = [line for line in lines_of(CONCEPT_TEST / "key.md") if re.match(r"\| *\d+ *\| *[a-d] *\|", line)]
        found.append(Secret("concept test: key.md", "rubric", tuple(rows)))
    found = list(dict.fromkeys(found))
    # All assignments are public, so a line that one of them shows is no secret of another.
    for other in sorted(one.parent.name for one in Path(sources).glob("*/*.ipynb") if one.stem == one.parent.name):
        if other not in names:
            shown += visible(other, read_source(other, sources), sources)
    code = [secret for secret in found if secret.kind in ("solution", "hidden test", "cases.py")]
    by_secret = {secret: stems("\n".join(secret.lines)) for secret in code}
    known = stems("\n".join([*shown, book_code(), book_prose()]))
    return Secrets(found, needles_in(found, shown), by_secret, known, numbers)


def needles_in(found, shown):
    """Return {needle: list of the secrets that have it}, without what students see anyway, the texts ``shown``."""
    public = "\n".join(forms("\n".join([*shown, book_code()])))
    needles = {}
    for secret in found:
        for needle in needles_of(secret):
            if needle not in public:
                needles.setdefault(needle, []).append(secret)
    return needles


def is_long_number(value):
    """Tell whether a constant is a whole number with enough digits to be searched by itself."""
    return isinstance(value, int) and not isinstance(value, bool) and len(str(abs(value))) >= FEWEST_DIGITS


def hidden_constants(notebook):
    """Return the names of the constants that stand in solutions and hidden tests only."""
    seen, hidden = set(), set()
    for cell in notebook.cells:
        used = (
            {found["name"] for found in CONSTANT_IN_CODE.finditer(cell.source)} if cell.cell_type == "code" else set()
        )
        used |= set(CONSTANT_IN_TEXT.findall(cell.source)) if cell.cell_type == "markdown" else set()
        kept = "\n".join([*region(cell.source, SOLUTION), *region(cell.source, HIDDEN_TESTS)])
        inside = {found["name"] for found in CONSTANT_IN_CODE.finditer(kept)}
        outside = (
            without_region(without_region(cell.source, SOLUTION), HIDDEN_TESTS) if cell.cell_type == "code" else ""
        )
        hidden |= inside
        seen |= used - inside | {found["name"] for found in CONSTANT_IN_CODE.finditer(outside)}
    return hidden - seen


def needles_of(secret):
    """Return the common forms of a secret's lines that are long enough, and of all of its lines together."""
    shortest = SHORTEST if secret.kind in ("solution", "hidden test", "cases.py") else SHORTEST_PROSE
    found = set()
    for text in [*secret.lines, *(["\n".join(secret.lines)] if secret.kind in ("solution", "hidden test") else [])]:
        found |= {form for form in forms(text) if len(form) >= shortest}
    return found


def stems(text):
    """Return the words of a text, divided and stemmed as in Sphinx's search index."""
    stem = stemmer()
    return frozenset(stem(word) for word in set(re.findall(r"\w+", text.lower())) if len(word) >= SHORTEST_WORD)


@cache
def stemmer():
    """Return the function by which the search index stems English words."""
    from sphinx.search.en import SearchEnglish

    return cache(SearchEnglish({}).stem)


def told_by_words(document, here, known, root):
    """Yield (secret, words) for the secrets whose words stand in the search index for one document.

    Two words that nothing public holds tell it; so do three that the page's own source lacks, if they are nearly all of
    those that it lacks.
    """
    own = frozenset()
    for ending in ("md", "ipynb"):
        path = Path(root, f"{document}.{ending}")
        if path.is_file():
            own = stems(path.read_text(encoding="utf-8").replace("\\n", " "))
    for secret, its in known.words.items():
        rare, lacking = its - known.known, its - own
        if len(rare & here) >= 2:
            yield secret, rare & here
        elif len(lacking) >= 3 and len(lacking & here) >= 0.8 * len(lacking):
            yield secret, lacking & here


# ---------------------------------------------------------------- searching fast

BASE = np.uint64(1_000_003)


def hashes(codes):
    """Return a hash of every stretch of SHORTEST characters, an array of uint64; ``codes`` is uint64."""
    with np.errstate(over="ignore"):
        two = codes[:-1] * BASE + codes[1:]
        four = two[:-2] * BASE ** np.uint64(2) + two[2:]
        eight = four[:-4] * BASE ** np.uint64(4) + four[4:]
        last = len(codes) - SHORTEST + 1
        return eight[:last] * BASE ** np.uint64(6) + four[8 : 8 + last] * BASE ** np.uint64(2) + two[12 : 12 + last]


def codes_of(text):
    """Return the characters of a text in the common form, an array of uint64."""
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.uint64)


class Finder:
    """Finds which of many needles (texts of at least SHORTEST characters) stand in a text, in one pass over it."""

    def __init__(self, needles):
        self.by_start = {}
        for needle in needles:
            self.by_start.setdefault(needle[:SHORTEST], []).append(needle)
        starts = list(self.by_start)
        values = np.array([hashes(codes_of(start))[0] for start in starts], dtype=np.uint64)
        self.values = np.sort(values)

    def find(self, text, at_once=1_000_000):
        """Yield each needle that stands in ``text``, in the common form, once."""
        seen = set()
        if not len(self.values):
            return
        for begin in range(0, max(len(text) - SHORTEST + 1, 0), at_once):
            part = text[begin : begin + at_once + SHORTEST - 1]
            here = hashes(codes_of(part))
            place = np.searchsorted(self.values, here).clip(max=len(self.values) - 1)
            for offset in np.flatnonzero(self.values[place] == here):
                start = begin + int(offset)
                for needle in self.by_start.get(text[start : start + SHORTEST], ()):
                    if needle not in seen and text.startswith(needle, start):
                        seen.add(needle)
                        yield needle


# ---------------------------------------------------------------- what is searched


def files_in(path):
    """Yield (how a message names it, bytes) of a file, or of all files in a folder."""
    path = Path(path)
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                yield file.relative_to(path).as_posix(), file.read_bytes()
    else:
        yield path.name, path.read_bytes()


def parts(place, data, depth=0) -> Iterator[tuple[str, bytes]]:
    """Yield (place, bytes) of a file and of all that is packed in it: zips, gzip, Base64, the text of a PDF."""
    if depth > DEEPEST:
        raise SourceError(f"{place} is packed more than {DEEPEST} times; nobody can look into that")
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from parts(f"{place}!{name}", archive.read(name), depth + 1)
            yield f"{place} (comment)", archive.comment
        return
    if data[:2] == b"\x1f\x8b":
        try:
            yield from parts(f"{place}!gzip", gzip.decompress(data), depth + 1)
            return
        except (OSError, EOFError):
            pass
    if data[:5] == b"%PDF-":
        yield f"{place} (text)", pdf_text(data).encode()
        return
    yield place, data
    for found in BASE64.finditer(data):
        try:
            inner = base64.b64decode(found[0] + b"=" * (-len(found[0]) % 4))
        except (binascii.Error, ValueError):
            continue
        if inner[:4] == b"PK\x03\x04" or inner[:2] == b"\x1f\x8b" or inner[:5] == b"%PDF-" or is_text(inner):
            yield from parts(f"{place}!base64", inner, depth + 1)


def is_text(data):
    """Are these bytes text?"""
    printable = sum(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data[:400])
    return printable >= 0.95 * len(data[:400])


def pdf_text(data):
    """Return the text of a PDF."""
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def text_of(data):
    """Return bytes as text; characters of four or two bytes (NumPy's strings, UTF-16) lose their zeros."""
    return data.replace(b"\0", b"").decode("utf-8", errors="ignore")


def index_words(text):
    """Return {document: its words} of Sphinx's search index, {} if the text is none."""
    found = re.match(r"\s*Search\.setIndex\((.*)\)\s*;?\s*$", text, re.S)
    if not found:
        return {}
    index = json.loads(found[1])
    documents = {}
    for table in ("terms", "titleterms"):
        for word, places in index.get(table, {}).items():
            for place in places if isinstance(places, list) else [places]:
                documents.setdefault(index["docnames"][place], set()).add(word)
    return documents


@dataclass(frozen=True)
class Finding:
    """A secret that was found: where, what it is, and the words that tell it."""

    place: str
    what: str
    told: str

    def __str__(self):
        return f"{self.place}: {self.what}: {self.told}"


def told_by_lines(text, finder, known):
    """Return the secrets whose lines stand in a text, {what it is: the needle that was found first}."""
    told = {}
    for form in forms(text):
        for needle in finder.find(form):
            for secret in known.needles[needle]:
                told.setdefault(secret.what, needle)
    return told


def look(path, known, seed=None, numbers=True, root=ROOT):
    """Return what a file, or the files of a folder, tell of the `Secrets` ``known``: a list of `Finding`.

    seed: also this number, the course's seed, if it has enough digits to be searched. numbers: also constants that stand
    alone; a page with measurements might hold the same by chance. root: where the sources of the site's pages lie.
    """
    finder, found = Finder(known.needles), []
    alone = dict(known.numbers) if numbers else {}
    if is_long_number(seed):
        alone[str(abs(seed))] = "the course's seed"
    digits = re.compile(rf"(?<![\w.])(?:{'|'.join(alone)})(?![\w.]*\w)") if alone else None
    for name, content in files_in(path):
        for place, data in parts(name, content):
            file = re.split(r"[/!]", place)[-1]
            if file in KEPT_BACK:
                found.append(Finding(place, file, "this file must not leave the sources"))
            text = text_of(data)
            found += [Finding(place, what, needle) for what, needle in told_by_lines(text, finder, known).items()]
            if digits:
                found += [Finding(place, alone[one], one) for one in sorted(set(digits.findall(text)))]
            for document, here in index_words(text).items():
                for secret, these in told_by_words(document, here, known, root):
                    found.append(Finding(f"{place} ({document})", secret.what, ", ".join(sorted(these))))
    return found


def main(arguments=None):
    """Look through files and folders; returns 1 if a secret was found."""
    parser = argparse.ArgumentParser(prog="python -m coursework leaks", description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, a zip, a folder")
    parser.add_argument("--seed", type=int, default=SEED, help="the course's seed (default: %(default)s)")
    options = parser.parse_args(arguments)
    missing = [one for one in options.paths if not one.exists()]
    if missing:
        print(f"{missing[0]} does not exist; make it first, or name another", file=sys.stderr)
        return 2
    try:
        known = secrets(NAMES, options.seed)
        found = [
            f"{path}: {one}" for path in options.paths for one in look(path, known, seed=options.seed, numbers=False)
        ]
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(found) if found else "No solution and no hidden test was found.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
