"""Which assert refuses a wrong answer: what ``python -m coursework check`` asks of every hidden test.

A hidden assert is worth its line if some wrong answer is refused by it alone: without the assert that answer would get
its points. To find out, nothing is removed. A wrong answer runs once, with all asserts made to *record* instead of to
raise, and what they recorded says what each mutant of the test would do:

- an answer that fails one assert and nothing else would pass without it;
- each part of ``assert a and b``, of ``a < b < c`` and of ``not (a or b)`` counts as an assert of its own, and is
  evaluated on its own: an exception in evaluating it counts as refusing;
- a tolerance (``atol``, ``rtol``, or a number that something must stay below or above) is held if some answer that
  fails this assert alone would pass with the tolerance ten times as wide (``WIDER``);
- a hidden line that calls a test function of the visible part, or one of a file beside the notebook, counts as a test
  of its own, and so do the asserts in that function.

An error outside any assert refuses too, and cannot be taken away: an answer that meets one proves no assert.
"""

from __future__ import annotations

import ast
import contextlib
import copy
from dataclasses import dataclass, field

from coursework.make.notebooks import HIDDEN_TESTS

#: how many times as wide a mutant's tolerance is
WIDER = 10
# tolerances of np.isclose and np.allclose where none is written
DEFAULTS = {"rtol": 1e-5, "atol": 1e-8}
RECORDER = "__recorder__"  # what the changed test calls
# what refuses but is no assert
ERROR = -1


@dataclass(frozen=True)
class Part:
    """One thing that a mutant of the test lacks: an assert or a part of it, a tolerance, or a line that calls tests.

    ``number`` counts the parts of a cell, ``line`` is that of the cell; ``required`` if it needs a wrong answer of its own.
    """

    number: int
    kind: str  # "assert", "tolerance" or "call"
    line: int
    text: str
    required: bool

    def __str__(self):
        what = {"assert": "", "tolerance": "if widened to: ", "call": "without the line: "}[self.kind]
        return f"line {self.line}: {what}{self.text}"


class Enough(BaseException):
    """No part can be the only one that refuses any more: the rest of the test need not run."""


@dataclass
class Record:
    """What refused one answer: numbers of asserts (or ERROR), of calling lines (or None), and tolerances that let it pass."""

    asserts: set = field(default_factory=set)
    calls: set = field(default_factory=set)
    passed_if_wider: set | None = None

    def note(self, number, call, wider=()):
        """Note one refusal: by an assert (or ERROR), within a calling line (or None), and what would have let it pass."""
        self.asserts.add(number)
        self.calls.add(call)
        self.passed_if_wider = set(wider) if self.passed_if_wider is None else self.passed_if_wider & set(wider)
        if (len(self.asserts) > 1 or ERROR in self.asserts) and (len(self.calls) > 1 or None in self.calls):
            raise Enough

    def proves(self):
        """Return the numbers of the parts that alone refuse this answer."""
        found = set()
        if len(self.asserts) == 1 and ERROR not in self.asserts:
            found |= self.asserts | self.passed_if_wider
        if len(self.calls) == 1 and None not in self.calls:
            found |= self.calls
        return found


class Recorder:
    """Stands for ``RECORDER`` while a changed test cell runs: makes a :class:`Record` of one answer."""

    def __init__(self):
        self.record = Record()
        self.inside = None  # the calling line that is running

    def holds(self, number, condition, wider):
        """Stand for ``assert``: condition and wider are functions without arguments, wider a dict by number."""
        if not self.true(condition):
            self.record.note(number, self.inside, [one for one, test in wider.items() if self.true(test)])

    @staticmethod
    def true(condition):
        """Return whether a condition holds; whatever it raises, it does not."""
        try:
            return bool(condition())
        except (KeyboardInterrupt, Enough):
            raise
        except BaseException:  # a student's function may raise anything, SystemExit included
            return False

    def call(self, number, test):
        """Stand for a line that calls tests: an error in it is its own, and the lines after it run."""
        self.inside = number
        try:
            test()
        except (KeyboardInterrupt, Enough):
            raise
        except BaseException:
            self.record.note(ERROR, number)
        finally:
            self.inside = None


def conjuncts(test):
    """Return the conditions that ``test``, an expression, asks for all together, as a list of expressions."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return [part for value in test.values for part in conjuncts(value)]
    if isinstance(test, ast.Compare) and len(test.ops) > 1:
        sides = [test.left, *test.comparators]
        return [ast.Compare(a, [op], [b]) for a, op, b in zip(sides, test.ops, sides[1:], strict=False)]
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = test.operand
        if isinstance(inner, ast.BoolOp) and isinstance(inner.op, ast.Or):
            return [part for value in inner.values for part in conjuncts(ast.UnaryOp(ast.Not(), value))]
    if is_all(test):
        parts = conjuncts(test.args[0].elt)
        if len(parts) > 1:
            whole = [copy.deepcopy(test) for _ in parts]
            for one, part in zip(whole, parts, strict=True):
                one.args[0].elt = part
            return whole
    return [test]


def is_all(node):
    """Return whether an expression is ``all(... for ...)``."""
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "all"
    return called and len(node.args) == 1 and isinstance(node.args[0], (ast.GeneratorExp, ast.ListComp))


def times(node, factor):
    """Return the expression ``node * factor``, or the number itself if both are numbers."""
    value = number_of(node)
    if value is not None:
        return ast.Constant(float(f"{value * factor:.12g}"))
    return ast.BinOp(node, ast.Mult(), ast.Constant(factor))


def number_of(node):
    """Return the value of a number in the code, also of a negative one and of ``5 * 10**6``; None for all else."""
    if not all(
        isinstance(one, (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop)) for one in ast.walk(node)
    ):
        return None
    try:
        value = ast.literal_eval(node)
    except ValueError:
        value = eval(compile(ast.Expression(node), "<number>", "eval"), {"__builtins__": {}})  # numbers and signs alone
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def is_distance(node):
    """Return whether an expression is ``abs(...)``, ``np.abs(...)``, or the ``.max()`` or ``.sum()`` of one."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in ("abs", "fabs"):
        return True
    if name == "max" and isinstance(node.func, ast.Name):
        return bool(node.args) and all(map(is_distance, node.args))
    return name in ("max", "sum", "mean") and isinstance(node.func, ast.Attribute) and is_distance(node.func.value)


def wider(test):
    """Return copies of a condition, each with one of its tolerances ``WIDER`` times as wide; [] if it has none."""
    if is_all(test):
        found = []
        for one in wider(test.args[0].elt):
            found.append(copy.deepcopy(test))
            found[-1].args[0].elt = one
        return found
    if isinstance(test, ast.BoolOp):
        return [
            ast.BoolOp(test.op, [*test.values[:place], one, *test.values[place + 1 :]])
            for place, value in enumerate(test.values)
            for one in wider(value)
        ]
    if isinstance(test, ast.Call) and getattr(test.func, "attr", "") in ("isclose", "allclose"):
        return wider_closeness(test)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return wider_bound(test)
    return []


def wider_closeness(test):
    """Return copies of ``np.isclose(...)`` or ``np.allclose(...)``, one for each tolerance written, or one for the defaults."""
    written = [one.arg for one in test.keywords if one.arg in DEFAULTS and number_of(one.value) != 0]
    if not written:
        whole = copy.deepcopy(test)
        given = {one.arg for one in test.keywords}
        whole.keywords += [ast.keyword(k, ast.Constant(v * WIDER)) for k, v in DEFAULTS.items() if k not in given]
        return [whole]
    found = []
    for name in written:
        found.append(copy.deepcopy(test))
        for one in found[-1].keywords:
            if one.arg == name:
                one.value = times(one.value, WIDER)
    return found


def wider_bound(test):
    """Return copies of a comparison with a number, or of a distance with anything, that lets more pass; [] for others.

    A bound of 0 has no size, and so no wider one.
    """
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if not isinstance(operator, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        return []
    for limit, value, on_right in ((right, left, True), (left, right, False)):
        number = number_of(limit)
        if number is None and not is_distance(value):
            continue
        if number == 0:
            return []
        upper = isinstance(operator, (ast.Lt, ast.LtE)) == on_right
        grows = upper if number is None or number > 0 else not upper
        lax = times(limit, WIDER if grows else 1 / WIDER)
        return [ast.Compare(*((left, [operator], [lax]) if on_right else (lax, [operator], [right])))]
    return []


def names_in(nodes):
    """Return all names that some nodes mention."""
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}


def hidden_lines(source):
    """Return the numbers of the lines of a test cell that students do not see."""
    found, inside = set(), False
    for number, line in enumerate(source.splitlines(), 1):
        if line.strip() in HIDDEN_TESTS:
            inside = line.strip() == HIDDEN_TESTS[0]
        elif inside:
            found.add(number)
    return found


class Recording(ast.NodeTransformer):
    """Makes a test cell record: ``tree`` is its code afterwards, ``parts`` is the list of its :class:`Part`.

    beside : names of modules whose functions test on their own, such as ``lab``
    """

    def __init__(self, source, beside=()):
        self.parts, self.beside, self.proved = [], set(beside), set()
        self.hidden = hidden_lines(source)
        tree = ast.parse(source)
        seen = {
            one.name: one for one in tree.body if isinstance(one, ast.FunctionDef) and one.lineno not in self.hidden
        }
        wanted = names_in(one for one in tree.body if one.lineno in self.hidden)
        reached = self.closure(seen, wanted)
        # lines of the visible functions that hidden tests go through
        self.shared = {line for name in reached for line in range(seen[name].lineno, (seen[name].end_lineno or 0) + 1)}
        self.testing = {
            name
            for name in seen
            if any(isinstance(node, ast.Assert) for one in self.closure(seen, {name}) for node in ast.walk(seen[one]))
        }
        self.tree = ast.fix_missing_locations(self.visit(tree))

    def run(self, file, namespace):
        """Execute the changed cell in a namespace; ``proved`` is then the set of the parts that alone refuse the answer.

        Returns None if nothing refused it, else a sentence.
        """
        namespace[RECORDER] = recorder = Recorder()
        try:
            exec(compile(self.tree, file, "exec"), namespace)
        except KeyboardInterrupt:
            raise
        except Enough:
            pass  # the record says what refused
        except BaseException:  # a student's function may raise anything, SystemExit included
            with contextlib.suppress(Enough):
                recorder.record.note(ERROR, None)
        finally:
            namespace.pop(RECORDER, None)
        self.proved = recorder.record.proves()
        told = [
            f"line {self.parts[one].line}" if one != ERROR else "an error" for one in sorted(recorder.record.asserts)
        ]
        return f"refused by {' and '.join(told)}" if told else None

    @staticmethod
    def closure(functions, names):
        """Return the names of the functions that code which mentions ``names`` may run."""
        found, waiting = set(), names & functions.keys()
        while waiting:
            found |= waiting
            waiting = (names_in(functions[name] for name in waiting) & functions.keys()) - found
        return found

    def part(self, kind, line, node, required):
        """Add a part and return its number."""
        self.parts.append(Part(len(self.parts), kind, line, ast.unparse(ast.fix_missing_locations(node)), required))
        return self.parts[-1].number

    @staticmethod
    def later(node):
        """Return ``lambda: node``."""
        nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        return ast.Lambda(nothing, node)

    def calling(self, method, node, *arguments):
        """Return the statement that calls the recorder, in the place of ``node``."""
        call = ast.Call(ast.Attribute(ast.Name(RECORDER, ast.Load()), method, ast.Load()), list(arguments), [])
        return ast.copy_location(ast.Expr(call), node)

    def visit_Assert(self, node):
        statements = []
        required = node.lineno in self.hidden or node.lineno in self.shared
        for test in conjuncts(node.test):
            number = self.part("assert", node.lineno, test, required)
            widened = {self.part("tolerance", node.lineno, one, required): one for one in wider(test)}
            keys, values = [ast.Constant(key) for key in widened], [self.later(one) for one in widened.values()]
            statements.append(
                self.calling("holds", node, ast.Constant(number), self.later(test), ast.Dict(keys, values))
            )
        return statements

    def visit_Expr(self, node):
        function = node.value.func if isinstance(node.value, ast.Call) else None
        own = isinstance(function, ast.Name) and function.id in self.testing
        other = isinstance(function, ast.Attribute) and getattr(function.value, "id", None) in self.beside
        if node.lineno not in self.hidden or not (own or other):
            return node
        number = self.part("call", node.lineno, node.value, required=True)
        return self.calling("call", node, ast.Constant(number), self.later(node.value))


def unproven(parts, proven, implied):
    """Compare what needs a wrong answer of its own with what has one.

    proven : numbers of the parts that some wrong answer proved. implied : dict, text of a part -> why it can have none
    Returns a list of sentences: required parts that have none, and reasons that are not needed or fit nothing.
    """
    faults = [f"no wrong answer is refused by this alone: {one}" for one in parts
              if one.required and one.number not in proven and one.text not in implied]  # fmt: skip
    for text in implied:
        same = [one for one in parts if one.text == text]
        if not same:
            faults.append(f"IMPLIED names {text!r}, which no assert says: mend its text, or take the row out")
        elif all(one.number in proven or not one.required for one in same):
            faults.append(f"IMPLIED excuses {text!r}, which has a wrong answer of its own: take the row out")
    return faults
