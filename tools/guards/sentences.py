"""The words around a number and what the number is: read from the code of ``say(...)``, without running anything.

A sentence with numbers is an f-string whose placeholders call the vocabulary of ``helpers/quantities.py``. The rules, one function
each, yield what disagrees; ``tests/test_sentences.py`` holds the chapters, and the pages that quote glued values, to them.

What is taken for a sentence: the text between ``.``, ``!``, ``?`` or ``:`` before a space, blank lines and the cells of a table. A
name in ``say(text)`` stands for what the same cell assigns to it; both branches of a conditional expression are read.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

VOCABULARY = ("share", "points", "times", "count", "sd", "standard_error", "half_width", "timed")
SPREADS = ("sd", "standard_error", "half_width")
SETS = ("training", "validation", "test")
MARK = "\x00"  # stands for a placeholder in a sentence's text; the number between two of them is its place in the list
PLACE = re.compile(rf"{MARK}(\d+){MARK}")
THINGS = r"(?:accurac(?:y|ies)|images?|digits?|sets?|part|errors?|examples?|mistakes?)"
SET_WORDS = re.compile(rf"\b({'|'.join(SETS)})(?:[ -](?:and|or|minus) (?:{'|'.join(SETS)}))?[ -]{THINGS}\b", re.I)
TOKEN = {"val": "validation", "validation": "validation", "test": "test", "tested": "test", "tests": "test"}
TOKEN |= {"train": "training", "training": "training"}
END = re.compile(r"(?<=[.!?:])(?:\s+|(?=\Z))|\n\s*\n|\s*\|\s*|\n(?=- )")


@dataclass
class Placeholder:
    """One number of a sentence: its expression, the format after the colon, and the calls of the vocabulary around it."""

    node: ast.expr
    spec: str
    names: dict = field(default_factory=dict)

    @property
    def calls(self):
        """The vocabulary's calls from the outside in: ``points(sd(x))`` gives ("points", "sd")."""
        found, node = [], self.node
        while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in VOCABULARY:
            found.append(node.func.id)
            node = node.args[0] if node.args else None
        return tuple(found)

    @property
    def of(self):
        """The set that ``share(..., of=...)`` names; None if it names none."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "share":
                named = [word.value for word in node.keywords if word.arg == "of"] + node.args[1:2]
                if named and isinstance(named[0], ast.Constant):
                    return named[0].value
        return None

    @property
    def tokens(self):
        """The sets that the expression's names and strings speak of: ``val_accuracy`` of validation images."""
        nodes = [self.node]
        nodes += [
            self.names[one.id] for one in ast.walk(self.node) if isinstance(one, ast.Name) and one.id in self.names
        ]
        words = set()
        for node in nodes:
            for one in ast.walk(node):
                text = getattr(one, "id", None) or getattr(one, "attr", None) or getattr(one, "value", None)
                if isinstance(text, str) and not (isinstance(one, ast.Constant) and text in SETS):
                    words |= {TOKEN[word] for word in re.split(r"[^a-z]+", text.lower()) if word in TOKEN}
        return words

    @property
    def source(self):
        return ast.unparse(self.node)


@dataclass
class Said:
    """A sentence of a call of say: its text with a mark for each placeholder, and the placeholders."""

    text: str
    numbers: dict

    def parts(self):
        """Yield (placeholder, text before it, text after it), marks included."""
        for found in PLACE.finditer(self.text):
            yield self.numbers[int(found[1])], self.text[: found.start()], self.text[found.end() :]

    def __str__(self):
        return PLACE.sub(lambda found: "{" + self.numbers[int(found[1])].source + "}", self.text).strip()


class _Reader:
    """Flattens the argument of say into text with marks."""

    def __init__(self, names):
        self.names, self.numbers = names, {}

    def text(self, node, depth=0):
        match node:
            case ast.Constant(value=str()):
                return node.value
            case ast.JoinedStr():
                return "".join(self.text(one, depth) for one in node.values)
            case ast.FormattedValue():
                spec = self.text(node.format_spec, depth) if node.format_spec else ""
                if isinstance(node.value, (ast.JoinedStr, ast.IfExp)) and not spec:
                    return self.text(node.value, depth)
                self.numbers[len(self.numbers)] = Placeholder(node.value, spec, self.names)
                return f"{MARK}{len(self.numbers) - 1}{MARK}"
            case ast.BinOp(op=ast.Add()):
                return self.text(node.left, depth) + self.text(node.right, depth)
            case ast.IfExp():
                return f"{self.text(node.body, depth)}\n\n{self.text(node.orelse, depth)}"
            case ast.Name() if node.id in self.names and depth < 4:
                return self.text(self.names[node.id], depth + 1)
            case ast.Call(func=ast.Attribute(attr="join"), args=[inner]):
                inner = inner.elt if isinstance(inner, (ast.GeneratorExp, ast.ListComp)) else inner
                return self.text(inner, depth)
            case ast.List() | ast.Tuple():
                return "\n\n".join(
                    self.text(one.value if isinstance(one, ast.Starred) else one, depth) for one in node.elts
                )
            case ast.ListComp() | ast.GeneratorExp():
                return self.text(node.elt, depth)
        return " "


def assigned(tree):
    """Return name -> the expression that a cell assigns to it, the last one (for ``+=``, a sum)."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    names[target.id] = node.value
                elif isinstance(target, ast.Tuple):
                    names |= {one.id: node.value for one in target.elts if isinstance(one, ast.Name)}
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in names:
            names[node.target.id] = ast.BinOp(names[node.target.id], node.op, node.value)
    return names


def sentences(source, call="say"):
    """Yield a :class:`Said` for every sentence of every call of ``say`` in a cell."""
    tree = ast.parse(source)
    names = assigned(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == call and node.args:
            reader = _Reader(names)
            text = reader.text(node.args[0])
            for part in END.split(text):
                if part and part.strip():
                    yield Said(part, reader.numbers)


# ---------------------------------------------------------------- the rules: a Said -> sentences on what disagrees


def is_constant(node):
    """Is it a number that stands in the code, or a computation with such numbers alone (``0.9**5``)?"""
    return all(
        isinstance(one, (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)) for one in ast.walk(node)
    )


def percentages(said):
    """A percentage is a share, or a spread of shares."""
    for number, _, _ in said.parts():
        if number.spec.endswith("%") and not is_constant(number.node) and not {"share", *SPREADS} & set(number.calls):
            yield f"{{{number.source}:{number.spec}}} is printed as a percentage: say share(...), or sd(...) and the like"


def point_words(said):
    """What comes before "points" is made by points(), and what points() makes stands in a sentence with that word."""
    for number, _, after in said.parts():
        direct = re.match(r"\W*(?:percentage )?points?\b", after)
        if direct and "points" not in number.calls and not is_constant(number.node):
            yield f"{{{number.source}}} stands before 'points': say points(...), which multiplies by 100"
        if "points" in number.calls and not re.search(r"\bpoints?\b", said.text):
            yield f"{{{number.source}}} is in points, but the sentence does not say so"
        if "points" in number.calls and number.spec.endswith("%"):
            yield f"{{{number.source}:{number.spec}}} would be multiplied by 100 twice"


def times_words(said):
    """What comes before "times" is made by times() or count(), and what times() makes stands in a sentence with that word."""
    for number, _, after in said.parts():
        if (
            re.match(r"\W*times\b", after)
            and not {"times", "count"} & set(number.calls)
            and not is_constant(number.node)
        ):
            yield f"{{{number.source}}} stands before 'times': say times(larger, smaller), or count(...) of occasions"
        if "times" in number.calls and not re.search(r"\btimes\b|\bfactors? of\b|\bby\b", said.text):
            yield f"{{{number.source}}} is a ratio, but the sentence does not say 'times' or 'factor'"


def spreads(said):
    """What follows a plus-minus is a standard deviation over runs, or a spread that the sentence names; names of spreads fit."""
    named = {"standard_error": r"\bstandard errors?\b", "half_width": r"\bintervals?\b|\bhalf-width\b"}
    calls = [call for number, _, _ in said.parts() for call in number.calls]
    for number, before, _ in said.parts():
        inside = [call for call in number.calls if call in SPREADS]
        if re.search(r"(?:±|\\pm|give or take|plus or minus)\W*$", before) and not inside:
            yield f"{{{number.source}}} follows a plus-minus: say sd(...), or standard_error(...) or half_width(...) and name it"
        for call in inside:
            if call in named and not re.search(named[call], said.text, re.I):
                yield f"{{{number.source}}} is a {call.replace('_', ' ')}, which the sentence does not name"
            if call == "sd" and not re.search(r"±|\bstandard deviations?\b|give or take|\bspread\b", said.text, re.I):
                yield f"{{{number.source}}} is a standard deviation, which the sentence does not say"
    for call, pattern in (("standard_error", r"\bstandard errors?\b"), ("sd", r"\bstandard deviations?\b")):
        if (
            said.numbers
            and any(True for _ in said.parts())
            and re.search(pattern, said.text, re.I)
            and call not in calls
        ):
            yield f"the sentence speaks of a {call.replace('sd', 'standard deviation').replace('_', ' ')}, but no number of it is one"


def sets(said):
    """A share says of which images it is wherever the sentence or the code does, and all three agree."""
    for number, before, after in said.parts():
        if "share" not in number.calls or "points" in number.calls:
            continue
        tokens, of = number.tokens, number.of
        if tokens and of is None:
            yield f"{{{number.source}}} is of {' and '.join(sorted(tokens))} images by its names: say share(..., of=...)"
        if of and tokens and of not in tokens:
            yield f"{{{number.source}}} says of={of!r}, but its names speak of {' and '.join(sorted(tokens))}"
        word = set_around(before, after)
        if word and of is None:
            yield f"{{{number.source}}} stands beside '{word}': say share(..., of=...)"
        if word and of and word != of:
            yield f"{{{number.source}}} is of {of} images, but the words beside it say '{word}'"


def set_around(before, after):
    """Return the set that the words beside a number name: those just after it, else the last before it, else the first after it."""
    following = PLACE.split(after)[0]
    close = re.match(
        rf"\)?\s*(?:right |wrong )?(?:of|on|among) (?:all |the |its |these |those |[\d,]+ )*({'|'.join(SETS)})\b",
        following,
    )
    if close:
        return close[1].lower()
    found = SET_WORDS.findall(before)
    if found:
        return found[-1].lower()
    found = SET_WORDS.findall(after)
    return found[0].lower() if found else None


RULES = (percentages, point_words, times_words, spreads, sets)


def complaints(source):
    """Yield (sentence, what disagrees) for a cell's sentences."""
    for said in sentences(source):
        for rule in RULES:
            for trouble in rule(said):
                yield str(said), trouble
