"""Which code touches the test images, and what it decides by them: a chapter's cells are followed in order, as text.

Nothing is run. Every expression gets a :class:`Value`: the labels of what it may hold. Labels come from **sources**

* attributes, keys and unbound names such as ``x_test``, ``y_test``, ``test_images``, of whatever object; ``load_mnist()``
  handed on whole; Keras's ``load_data()``;
* results of recordings that were measured on test images: which these are is found by following the experiment's own code
  in ``experiments/`` (``ece`` of ``calibration`` is one, ``temperature`` is none); keys with "test" in them always are;

and travel through names, tuples, loops, comprehensions, attributes, keys, mutated objects, conditions, functions and classes of
cells and of our own modules (followed at each call, with what they get), and functions passed as arguments. A name that is
assigned something clean is clean from then on.

**No look** is what tells no more than a size: ``len``, ``.shape``, ``.dtype``, ``.ndim``, ``.size``, ``.nbytes`` and
``type`` of images, labels or of one value for each image (but the number of rows that a result picked out is one); printing
the whole data set (its one line); ``.provenance()`` of a recording; ``assert_disjoint``, which says yes or no; results of a recording that are none of test images.

Kinds of look, by cell: ``images`` (works on test images or labels), ``prepared`` (no more than names, scales or reshapes
them), ``result`` (a score or prediction computed from them), ``recorded`` (a test result from a recording).

**Choices** are refused unless the ledger marks them: an order or an extreme that picks something, a condition that decides what
is assigned, a search, a fit, a model or a training made with anything that test images decided, training images prepared by
test images or put together with them. What a cell only shows, says or asserts picks nothing (``Follower.shown``). An answer for
each image (``argmax(axis=1)``) is no choice, for it decides about no other image.
"""

from __future__ import annotations

import ast
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("helpers", "experiments")

# Labels. PIXELS, TRUTHS: test images and their labels themselves. ROWS: one value for each test image. SCORE: one for many of
# them. RECORDED: a test result that was recorded. SIZED: how many rows there are depends on a result. TRAIN: training images.
# MNIST: the whole data set.
PIXELS, TRUTHS, ROWS, SCORE = "pixels", "truths", "rows", "score"
RECORDED, SIZED, TRAIN, MNIST = "recorded", "sized", "train", "mnist"
TEST = frozenset({PIXELS, TRUTHS, ROWS, SCORE, RECORDED})
BY_IMAGE = frozenset({PIXELS, TRUTHS, ROWS, SIZED, TRAIN})
KINDS = ("images", "prepared", "result", "recorded")


def names(text):
    """A set of names from a text that lists them."""
    return frozenset(text.split())


PIXEL_NAME = re.compile(r"(?i)(x|images?|pixels|inputs?)_te(st)?|te(st)?_(x|images?|pixels|inputs?)")
TRUTH_NAME = re.compile(r"(?i)(y|t|labels?|targets?|truths?)_te(st)?|te(st)?_(y|labels?|targets?|truths?)")

SIZES = {"shape", "dtype", "ndim", "nbytes", "itemsize", "size"}
SHOWS = {
    "print",
    "say",
    "check",
    "glue",
    "claim",
    "try_it",
    "display",
    "show_digits",
    "plot_spread",
    "draw_network",
    "Markdown",
}
KEEPS = names(
    "prepare deskewed list tuple array asarray ascontiguousarray copy deepcopy reshape astype ravel flatten squeeze transpose "
    "to_categorical expand_dims progress tqdm reversed repeat tile swapaxes convert_to_tensor constant permutation choice "
    "shuffle sample iter float32 float64 take tolist from_tensor_slices batch to_numpy numpy as_tensor tensor"
)
STACKS = {"concatenate", "vstack", "hstack", "stack", "column_stack", "row_stack", "append", "concat", "chain", "block"}
BY_ROW = names(
    "predict predict_proba predict_log_proba predict_on_batch decision_function kneighbors transform log exp sqrt abs absolute "
    "maximum minimum clip round rint where isin softmax log_softmax take_along_axis isnan logical_not logical_and logical_or "
    "square float int bool str map zip set frozenset copy pairwise_distances cdist rbf_kernel linear_kernel flip astype "
    "polynomial_kernel deskew erf cdf pdf tanh power equal not_equal ones_like zeros_like full_like one_hot cumsum"
)
REDUCES = names(
    "mean sum max min std var any all prod median quantile percentile average ptp amax amin argmax argmin nanmean nanmax nanmin "
    "nanargmax nanargmin count_nonzero norm sort argsort argpartition partition"
)
ORDERS = {"sort", "argsort", "argpartition", "partition"}
STATISTICS = names("mean sum max min std var median quantile percentile average ptp amax amin nanmean nanmax nanmin")
DECOMPOSES = {"cov", "corrcoef", "svd", "eig", "eigh", "pca"}
SELECTS = names(
    "argmax argmin nanargmax nanargmin idxmax idxmin nlargest nsmallest sort_values sorted sort argsort argpartition partition "
    "searchsorted most_common quantile percentile nanquantile nanpercentile index interp rankdata rank top_k argrelmax find"
)
LOCATES = {"flatnonzero", "nonzero", "argwhere", "where", "compress", "extract"}
SEARCHES = names(
    "minimize minimize_scalar curve_fit root root_scalar brentq brenth bisect newton ridder toms748 fmin fmin_bfgs fmin_powell "
    "least_squares lsq_linear linprog milp differential_evolution basinhopping dual_annealing shgo brute polyfit lstsq golden brent "
    "linregress optimize gradient jacobian apply_gradients apply solve theilslopes fsolve leastsq"
)
TRAINS = names(
    "fit fit_transform partial_fit fit_predict fit_resample train_on_batch train_step adapt search tell set_weights set_params "
    "compile load_weights step_fit GridSearchCV RandomizedSearchCV cross_val_score cross_validate set_seed set_random_seed seed "
    "default_rng"
)
TRAINER = re.compile(r"(fit|train|learn|tune|optimi[sz]e|calibrate|build|start|choose)(_.*)?|(trained|fitted|tuned)_.*")
MODEL_ORIGIN = re.compile(r"(sklearn|keras|tensorflow|tf|torch|xgboost|lightgbm|optuna|daal4py|sklearnex)\.")
NO_MODEL = re.compile(
    r"sklearn\.(metrics|inspection)\.|.*Display$|.*\.(metrics|losses)\.|(keras|tensorflow)\.(Variable|Input)$"
)
FITS = {"fit", "fit_transform", "fit_predict", "partial_fit", "train_on_batch", "adapt"}
SCORES = {"predict", "predict_proba", "score", "evaluate", "kneighbors", "decision_function"}
FILLS = {
    "at",
    "copyto",
    "put",
    "place",
    "putmask",
    "fill_diagonal",
}  # np.add.at(counts, ...) changes its first argument
MUTATES = names("append extend insert add update setdefault appendleft push put write pop remove clear sort setattr")


@dataclass(frozen=True)
class Value:
    """What an expression may hold, as far as it is known.

    labels: see above. roots: the named arrays that rows came from. text: a known string. parts: the values in a tuple or list of
    known length. item: what iterating gives. fields: (key, value) pairs of a dict with known keys, the key None for all others.
    records: names of experiments
    whose whole results it holds; live: they were made just now. functions: what it may be called as. origin: a library's name.
    """

    labels: frozenset = frozenset()
    roots: frozenset = frozenset()
    text: str | None = None
    parts: tuple | None = None
    item: Value | None = None
    fields: tuple | None = None
    records: frozenset = frozenset()
    live: bool = False
    functions: frozenset = frozenset()
    origin: str | None = None

    @property
    def test(self):
        """The labels that have to do with test images."""
        return self.labels & TEST

    def plus(self, labels):
        """The same with more labels."""
        return replace(self, labels=self.labels | labels) if labels - self.labels else self

    def each(self):
        """What iterating over it gives, as one value."""
        if self.item is not None:
            return self.item
        if self.parts is not None:
            return join(*self.parts)
        return Value(self.labels - {SIZED}, self.roots, records=self.records, live=self.live, functions=self.functions)


CLEAN = Value()


def join(*values):
    """A value that may be any of these."""
    values = [one for one in dict.fromkeys(values)]
    if not values:
        return CLEAN
    if len(values) == 1:
        return values[0]
    lengths = {None if one.parts is None else len(one.parts) for one in values}
    parts = None
    if len(lengths) == 1 and None not in lengths:
        parts = tuple(join(*column) for column in zip(*(one.parts for one in values), strict=True))
    fields = None
    if all(one.fields is not None for one in values):
        keys = dict.fromkeys(key for one in values for key, _ in one.fields)
        fields = tuple(
            (key, join(*(dict(one.fields)[key] for one in values if key in dict(one.fields)))) for key in keys
        )
    items = [one.each() for one in values] if any(one.item is not None for one in values) else []
    return Value(
        frozenset().union(*(one.labels for one in values)),
        frozenset().union(*(one.roots for one in values)),
        parts=parts,
        item=join(*items) if items else None,
        fields=fields,
        records=frozenset().union(*(one.records for one in values)),
        live=any(one.live for one in values),
        functions=frozenset().union(*(one.functions for one in values)),
        text=values[0].text if len({one.text for one in values}) == 1 else None,
        origin=values[0].origin if len({one.origin for one in values}) == 1 else None,
    )


def bundle(parts):
    """A tuple or list of known values."""
    whole = join(*parts)
    return replace(whole, parts=tuple(parts), item=None, fields=None, text=None, origin=None)


class Function:
    """A function or class of ours, with the names that it sees; equal to itself alone."""

    def __init__(self, node, scope, cell=None):
        self.node, self.scope, self.cell, self.followed = node, scope, cell, False

    @property
    def experiment(self):
        """The name of the experiment that it declares; empty if it is none."""
        marks = [getattr(one, "func", one) for one in getattr(self.node, "decorator_list", ())]
        return (
            self.node.name if any("experiment" in (getattr(m, "id", ""), getattr(m, "attr", "")) for m in marks) else ""
        )


class Scope(dict):
    """Names and their values; what is not here is looked up in the scope around it."""

    def __init__(self, around=None):
        super().__init__()
        self.around, self.outer_names = around, set()

    def find(self, name):
        """The value of a name; None if nobody knows it."""
        if name in self:
            return self[name]
        return self.around.find(name) if self.around is not None else None

    def top(self):
        """The outermost scope."""
        return self.around.top() if self.around is not None else self


class ModuleScope(Scope):
    """The top of one of our modules, read when first needed."""

    def __init__(self, follower, name):
        super().__init__()
        self.follower, self.name, self.definitions = follower, name, None

    def find(self, name):
        """A function, class, import or constant of the module."""
        if self.definitions is None:
            self.definitions = {}
            for node in ast.walk(ast.parse(self.follower.read(self.name))):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    for bound, value in self.follower.imported(node):
                        self.definitions.setdefault(bound, value)
            for node in ast.parse(self.follower.read(self.name)).body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    self.definitions[node.name] = Value(functions=frozenset({Function(node, self)}))
                elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    self.definitions[node.targets[0].id] = CLEAN
        return self.definitions.get(name)


@dataclass(frozen=True)
class Choice:
    """Something decided by test images. line: its number in the cell, from 1. text: that line. what: what is done there.
    picks: it orders or picks, which may be harmless; otherwise something is fitted, trained or prepared."""

    line: int
    text: str
    what: str
    picks: bool = True


@dataclass
class Touch:
    """What one cell (or experiment) does with test images. fits: (line, method, roots) of what is trained there, scores: the same
    of what is scored. parts: (part, labels, roots) of each argument of ``assert_disjoint``."""

    kinds: set = field(default_factory=set)
    choices: list = field(default_factory=list)
    fits: list = field(default_factory=list)
    scores: list = field(default_factory=list)
    parts: list = field(default_factory=list)

    @property
    def kind(self):
        """The kinds that the ledger has to name, sorted: what works on the images also has results of them."""
        shown = set(self.kinds)
        if "images" in shown:
            shown -= {"prepared", "result"}
        elif "result" in shown:
            shown -= {"prepared"}
        return sorted(shown)


def read_module(name, root=ROOT):
    """The text of one of our modules, by its full name; empty if there is none."""
    for path in (root / (name.replace(".", "/") + ".py"), root / name.replace(".", "/") / "__init__.py"):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return ""


class Follower:
    """Follows cells in order. ``touches``: {cell's key: Touch}.

    Parameters
    ----------
    read : callable(str) -> str
        The text of one of our modules.
    records : dict {experiment: (frozenset of keys measured on test images, or {"*"}, whether it touches test images)}
    roots : set of str
        Names (or ``digits.x_train[:n]``) whose rows are followed to trainings and scores.
    """

    def __init__(self, read=read_module, records=None, roots=()):
        self.read, self.records, self.roots = read, records or {}, set(roots)
        self.top, self.modules, self.touches = Scope(), {}, {}
        self.cell, self.lines, self.site, self.pc = None, [], None, frozenset()
        self.silent, self.shown, self.active, self.returned, self.defined = 0, 0, [], [], []

    # ------------------------------------------------------------ cells

    def follow(self, key, source):
        """Follow one cell; returns its :class:`Touch`. Raises SyntaxError for what is not Python."""
        tree = ast.parse(
            "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())
        )
        self.cell, self.lines = key, source.splitlines()
        self.touches.setdefault(key, Touch())
        self.run(tree.body, self.top)
        return self.touches[key]

    def finish(self):
        """Follow what was defined in a cell but never called there: somebody may call it, or hand it to a library."""
        while waiting := [one for one in self.defined if not one.followed]:
            for one in waiting:
                self.cell, self.lines = one.cell
                self.call(one, [], {}, one.node)
        return self.touches

    def event(self, kind):
        if not self.silent:
            self.touches[self.cell].kinds.add(kind)

    def choose(self, node, what, picks=True):
        """Note a choice; what only shows something picks nothing."""
        if self.silent or (picks and self.shown):
            return
        line = (self.site or node).lineno
        text = self.lines[line - 1].strip() if line <= len(self.lines) else ""
        found = Choice(line, text, what, picks)
        if found not in self.touches[self.cell].choices:
            self.touches[self.cell].choices.append(found)

    @contextmanager
    def within(self, **changes):
        kept = {name: getattr(self, name) for name in changes}
        for name, value in changes.items():
            setattr(self, name, value)
        try:
            yield
        finally:
            for name, value in kept.items():
                setattr(self, name, value)

    # ------------------------------------------------------------ statements

    def run(self, statements, scope):
        for statement in statements:
            self.statement(statement, scope)

    def branches(self, scope, *bodies):
        """Run alternatives; afterwards a name may hold what any of them left."""
        before, after = dict(scope), []
        for body in bodies:
            scope.clear()
            scope.update(before)
            body()
            after.append(dict(scope))
        for name in {name for one in after for name in one}:
            scope[name] = join(*(one[name] for one in after if name in one))

    def statement(self, node, scope):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                for one in node.decorator_list:
                    self.value(one, scope)
                made = Function(node, scope, (self.cell, self.lines))
                self.defined.append(made)
                scope[node.name] = Value(functions=frozenset({made}))
            case ast.Import() | ast.ImportFrom():
                scope.update(self.imported(node))
            case ast.Assign():
                value = self.value(node.value, scope)
                for target in node.targets:
                    self.descent(node, target, node.value, value, scope)
                    self.store(target, value, scope)
            case ast.AnnAssign():
                if node.value:
                    self.store(node.target, self.value(node.value, scope), scope)
            case ast.AugAssign():
                value = self.value(node.value, scope)
                load = ast.parse(ast.unparse(node.target), mode="eval").body
                ast.copy_location(load, node)
                ast.fix_missing_locations(load)
                with self.within(silent=self.silent + 1):
                    before = self.value(load, scope)
                if isinstance(node.op, (ast.Sub, ast.Mult, ast.Div)) and value.test and not before.test:
                    self.choose(
                        node,
                        "changes a value that was clean by a test result, as a step of a training does",
                        picks=False,
                    )
                made = self.operation(node, node.op, before, value)
                self.store(node.target, made, scope)
                if isinstance(node.target, ast.Name) and node.target.id not in scope:
                    scope[node.target.id] = made
            case ast.Expr():
                self.expression(node.value, scope)
            case ast.Assert():
                with self.within(shown=self.shown + 1):
                    self.consume(self.value(node.test, scope))
                    if node.msg:
                        self.value(node.msg, scope)
            case ast.Return():
                value = self.value(node.value, scope).plus(self.pc) if node.value else CLEAN
                if self.returned:
                    self.returned[-1].append(value)
            case ast.If() | ast.While():
                self.conditional(node, scope)
            case ast.For() | ast.AsyncFor():
                turns = self.turns(self.value(node.iter, scope))

                def loop():
                    for one in turns:
                        self.store(node.target, one, scope)
                        self.run(node.body, scope)

                self.branches(scope, loop, lambda: None)
                self.run(node.orelse, scope)
            case ast.With() | ast.AsyncWith():
                for one in node.items:
                    value = self.value(one.context_expr, scope)
                    if one.optional_vars:
                        self.store(one.optional_vars, value, scope)
                self.run(node.body, scope)
            case ast.Try():
                self.run(node.body, scope)
                for handler in node.handlers:
                    self.branches(scope, lambda handler=handler: self.run(handler.body, scope), lambda: None)
                self.run(node.orelse + node.finalbody, scope)
            case ast.Match():
                subject = self.value(node.subject, scope)
                if subject.test and not all(shows_only(case.body) for case in node.cases):
                    self.choose(node, "decides by a test result what is done (match)")
                with self.within(pc=self.pc | subject.test):
                    self.branches(
                        scope, *(lambda case=case: self.run(case.body, scope) for case in node.cases), lambda: None
                    )
            case ast.Delete():
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        scope.pop(target.id, None)
            case ast.Global() | ast.Nonlocal():
                scope.outer_names |= set(node.names)
            case ast.Raise():
                for one in filter(None, (node.exc, node.cause)):
                    self.value(one, scope)

    def conditional(self, node, scope):
        test = self.value(node.test, scope)
        self.consume(test)
        word = "while" if isinstance(node, ast.While) else "if"
        if test.test and (word == "while" or not shows_only(node.body + node.orelse)):
            self.choose(node, f"decides by a test result what is done ({word})")
        with self.within(pc=self.pc | test.test):
            times = 2 if word == "while" else 1
            self.branches(
                scope, lambda: [self.run(node.body, scope) for _ in range(times)], lambda: self.run(node.orelse, scope)
            )

    def expression(self, node, scope):
        """A statement that is an expression: its value goes to nobody but the reader, unless it changes an object."""
        keeps = False
        for call in (one for one in ast.walk(node) if isinstance(one, ast.Call)):
            name = name_of(call.func)
            found = scope.find(name) if isinstance(call.func, ast.Name) else None
            keeps |= name in MUTATES | TRAINS or bool(found and found.functions) or name in FILLS | {"setattr"}
        keeps |= any(isinstance(one, (ast.NamedExpr, ast.Yield, ast.YieldFrom)) for one in ast.walk(node))
        outer = name_of(node.func) if isinstance(node, ast.Call) else ""
        with self.within(shown=self.shown + (outer in SHOWS or not keeps)):
            value = self.value(node, scope)
            self.consume(value)
        if isinstance(node, ast.Call) and outer in FILLS and node.args:
            rest = join(*(self.quiet(one, scope) for one in node.args[1:]))
            self.taint_root(node.args[0], self.results(rest, False), scope, key=CLEAN)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and keeps and outer not in SHOWS:
            args = [self.quiet(one, scope) for one in [*node.args, *(k.value for k in node.keywords)]]
            self.taint_root(node.func.value, join(*args), scope, grows=outer in MUTATES, added=args)

    def descent(self, node, target, expression, value, scope):
        """``w = w - rate * gradient`` with a gradient of test images."""
        if not (
            isinstance(target, ast.Name) and isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Sub)
        ):
            return
        known = scope.find(target.id)
        same = isinstance(expression.left, ast.Name) and expression.left.id == target.id
        if same and known is not None and not known.test and not known.labels & {TRAIN} and value.test:
            self.choose(
                node, "changes a value that was clean by a test result, as a step of a training does", picks=False
            )

    # ------------------------------------------------------------ storing

    def store(self, target, value, scope):
        value = value.plus(self.pc)
        match target:
            case ast.Name():
                home = scope.top() if target.id in scope.outer_names else scope
                home[target.id] = value
            case ast.Tuple() | ast.List():
                starred = any(isinstance(one, ast.Starred) for one in target.elts)
                if value.parts is not None and len(value.parts) == len(target.elts) and not starred:
                    for one, part in zip(target.elts, value.parts, strict=True):
                        self.store(one, part, scope)
                else:
                    for i, one in enumerate(target.elts):
                        inner = one.value if isinstance(one, ast.Starred) else one
                        known = value.parts is not None and not isinstance(one, ast.Starred) and i < len(value.parts)
                        first = known and not any(isinstance(e, ast.Starred) for e in target.elts[:i])
                        self.store(inner, value.parts[i] if first else value.each(), scope)
            case ast.Starred():
                self.store(target.value, value, scope)
            case ast.Subscript():
                key = self.value(target.slice, scope)
                self.consume(key)
                self.taint_root(target.value, value.plus(key.test), scope, key=key)
            case ast.Attribute():
                self.taint_root(target.value, value, scope)

    def taint_root(self, node, value, scope, key=None, grows=False, added=()):
        """An object takes something in: so does the name that it hangs on."""
        direct = isinstance(node, ast.Name)
        while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
            node = node.func if isinstance(node, ast.Call) else node.value
        if not isinstance(node, ast.Name) or (old := scope.find(node.id)) is None or old.origin:
            return
        labels = {PIXELS: ROWS, TRUTHS: ROWS}
        taken = frozenset(value.labels if grows or key is not None else (labels.get(one, one) for one in value.labels))
        new = replace(
            old.plus(taken - {MNIST}), roots=old.roots | value.roots, records=old.records | value.records,
            live=old.live or value.live, parts=None, text=None,
        )  # fmt: skip
        if key is not None and direct and old.fields is not None and key.text is not None:
            fields = dict(old.fields)
            new = replace(
                new, fields=tuple((fields | {key.text: value}).items()), item=join(old.each(), Value(text=key.text))
            )
        elif key is not None:
            new = replace(
                new, fields=None, item=join(new.item, key) if old.fields is not None and new.item else new.item
            )
        elif grows and direct:
            inner = [old.item] if old.item else list(old.parts or ())
            new = replace(new, fields=None, item=join(*inner, *added))
        else:
            new = replace(new, fields=None)
        home = scope
        while home is not None and node.id not in home:
            home = home.around
        (home if home is not None else scope)[node.id] = new

    # ------------------------------------------------------------ values

    def consume(self, value):
        """Something other than naming or preparing happens to a value."""
        if value.labels & {PIXELS, TRUTHS}:
            self.event("images")

    def quiet(self, node, scope):
        with self.within(silent=self.silent + 1):
            return self.value(node, scope)

    def loaded(self, value):
        """A value is read."""
        if value.labels & {PIXELS, TRUTHS}:
            self.event("prepared")
        if value.labels & {ROWS, SCORE}:
            self.event("result")
        if RECORDED in value.labels:
            self.event("recorded")
        return value

    def results(self, value, by_row):
        """What becomes of a value that something unknown is computed from; by_row: one number for each image."""
        self.consume(value)
        labels = set(value.labels & {SCORE, RECORDED})
        if value.labels & {PIXELS, TRUTHS, ROWS}:
            labels.add(ROWS if by_row else SCORE)
        if SIZED in value.labels and by_row:
            labels.add(SIZED)
        return Value(frozenset(labels), value.roots, records=value.records, live=value.live)

    def source(self, name):
        """The labels of a name that means test images wherever it stands; none for another."""
        if PIXEL_NAME.fullmatch(name):
            return frozenset({PIXELS})
        return frozenset({TRUTHS}) if TRUTH_NAME.fullmatch(name) else frozenset()

    def used(self, value, beside=CLEAN):
        """What a library gets at that is handed this value: it may look into the data set, and call functions, with what else it
        was handed (``beside``)."""
        labels = value.labels
        if MNIST in labels:
            labels |= {PIXELS, TRUTHS}
            self.event("images")
        for function in value.functions:
            parameters = [] if isinstance(function.node, ast.ClassDef) else function.node.args.args
            labels |= self.call(function, [beside] * len(parameters) if beside != CLEAN else [], {}, function.node).test
        return replace(value, labels=labels - {MNIST}, functions=frozenset(), text=None)

    def value(self, node, scope):
        """The :class:`Value` of an expression."""
        match node:
            case None:
                return CLEAN
            case ast.Constant():
                return Value(text=node.value) if isinstance(node.value, str) else CLEAN
            case ast.Name():
                return self.name(node.id, scope)
            case ast.Attribute():
                return self.attribute(node, scope)
            case ast.Subscript():
                value = self.subscript(node, scope)
                text = ast.unparse(node) if self.roots else ""
                return replace(value, roots=frozenset({text})) if text in self.roots else value
            case ast.Call():
                return self.called(node, scope)
            case ast.Tuple() | ast.List():
                parts = [self.value(one, scope) for one in node.elts]
                if any(isinstance(one, ast.Starred) for one in node.elts):
                    whole = join(*parts)
                    return replace(whole, parts=None, item=join(*parts), text=None, origin=None)
                return bundle(parts)
            case ast.Set():
                whole = join(*(self.value(one, scope) for one in node.elts))
                return replace(whole, parts=None, item=whole)
            case ast.Starred():
                return self.value(node.value, scope).each()
            case ast.Dict():
                return self.dictionary(node, scope)
            case ast.BinOp():
                return self.operation(node, node.op, self.value(node.left, scope), self.value(node.right, scope))
            case ast.UnaryOp():
                value = self.value(node.operand, scope)
                return self.results(value, True) if isinstance(node.op, ast.Not) else replace(value, text=None)
            case ast.BoolOp():
                return self.results(join(*(self.value(one, scope) for one in node.values)), True)
            case ast.Compare():
                return self.results(join(*(self.value(one, scope) for one in [node.left, *node.comparators])), True)
            case ast.IfExp():
                return self.either(node, scope)
            case ast.JoinedStr():
                return self.words(node, scope)
            case ast.FormattedValue():
                value = self.value(node.value, scope)
                return value if value.text is not None else self.results(value, False)
            case ast.Lambda():
                return Value(functions=frozenset({self.keep_function(node, scope)}))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.comprehension(node, scope)
            case ast.NamedExpr():
                value = self.value(node.value, scope)
                self.store(node.target, value, scope)
                return value
            case ast.Slice():
                inner = join(
                    *(self.value(one, scope) for one in (node.lower, node.upper, node.step) if one is not None)
                )
                return replace(inner, text=None)
            case ast.Await() | ast.YieldFrom() | ast.Yield():
                value = self.value(node.value, scope)
                if self.returned:
                    self.returned[-1].append(value)
                return CLEAN
        return CLEAN

    def keep_function(self, node, scope):
        found = next((one for one in self.defined if one.node is node and one.scope is scope), None)
        if found is None:
            found = Function(node, scope, (self.cell, self.lines))
            self.defined.append(found)
        return found

    def name(self, name, scope):
        found = scope.find(name)
        if found is None:
            labels = self.source(name)
            return self.loaded(Value(labels)) if labels else Value(origin=name)
        if name in self.roots and (found.labels & {TRAIN, PIXELS} or found.roots):
            found = replace(found, roots=frozenset({name}), parts=None)
        return self.loaded(found)

    def attribute(self, node, scope):
        if node.attr in SIZES:
            return self.size(node.value, scope)
        base = self.quiet(node.value, scope)
        if module := self.module_of(base, node.attr):
            return module
        if labels := self.source(node.attr):
            return self.loaded(Value(labels, roots=frozenset({ast.unparse(node)})))
        base = self.value(node.value, scope)
        if MNIST in base.labels:
            held = {"x_train": frozenset({TRAIN})}.get(node.attr)
            if held:
                return Value(held, roots=frozenset({ast.unparse(node)}))
            return CLEAN if node.attr != "__dict__" else base
        if base.origin:
            return Value(origin=f"{base.origin}.{node.attr}")
        if base.records:
            if node.attr in ("settings", "name", "path", "edition", "provenance"):
                return CLEAN
            if "test" in node.attr or node.attr in self.measured(base):
                return self.recorded(base)
        if base.functions:
            return CLEAN
        return replace(base, text=None, origin=None)

    def module_of(self, base, name):
        """An attribute of one of our modules."""
        origin = base.origin or ""
        if origin.split(".")[0] not in OURS:
            return None
        scope = self.module(origin)
        found = scope.find(name) if scope is not None else None
        return found if found is not None else Value(origin=f"{origin}.{name}")

    def size(self, node, scope):
        """A size tells nothing, but of rows that a result picked out, and of what is computed on the spot."""
        computed = any(isinstance(one, ast.Call) and name_of(one.func) not in KEEPS for one in ast.walk(node))
        computed |= any(isinstance(one, (ast.BinOp, ast.Compare, ast.ListComp, ast.SetComp)) for one in ast.walk(node))
        value = self.value(node, scope) if computed else self.quiet(node, scope)
        if SIZED in value.labels or (computed and value.test - {PIXELS, TRUTHS}):
            return self.loaded(Value(frozenset({RECORDED if value.labels & {RECORDED} else SCORE})))
        return CLEAN

    def subscript(self, node, scope):
        base, index = self.value(node.value, scope), self.value(node.slice, scope)
        keys = [one.text for one in (index.parts or (index,)) if one.text is not None]
        if base.records:
            return self.of_recording(base, index, keys, node.slice)
        for key in keys:
            if labels := self.source(key):
                return self.loaded(Value(labels, roots=frozenset({key})))
        if base.fields is not None and index.text is not None and {index.text, None} & {key for key, _ in base.fields}:
            held = dict(base.fields)
            return self.loaded(held.get(index.text, held.get(None)).plus(index.test))
        if base.parts is not None and isinstance(node.slice, (ast.Constant, ast.UnaryOp)):
            place = ast.literal_eval(node.slice)
            if isinstance(place, int) and -len(base.parts) <= place < len(base.parts):
                return base.parts[place]
        if any("test" in key for key in keys) and not base.test and base.fields is None:
            return self.loaded(Value(frozenset({RECORDED})))
        self.consume(index)
        if index.labels & {SCORE, RECORDED} and not base.test:
            self.choose(node, "picks something by a test result")
        if isinstance(node.slice, ast.Slice) or base.item is None:
            inner = replace(base, text=None, parts=None, fields=None)
        else:
            inner = Value(base.labels, base.roots, records=base.records, live=base.live, functions=base.functions)
            inner = join(inner, base.item) if base.fields is None else inner
        if base.parts is not None and not isinstance(node.slice, ast.Slice):
            inner = base.each()
        picked = index.labels & {ROWS, SCORE, RECORDED}
        if index.labels & {PIXELS, TRUTHS}:
            picked |= {ROWS}
        if index.test:
            picked |= {SIZED}
        return inner.plus(frozenset(picked))

    def operation(self, node, op, left, right):
        if left.text is not None and right.text is not None and isinstance(op, ast.Add):
            return Value(text=left.text + right.text)
        if left.fields is not None and right.fields is not None and isinstance(op, ast.BitOr):
            merged = dict(left.fields) | dict(right.fields)
            return replace(join(left, right), fields=tuple(merged.items()))
        both = join(left, right)
        if isinstance(op, (ast.MatMult, ast.BitAnd, ast.BitOr, ast.BitXor)):
            return self.results(both, True)
        if (TRAIN in left.labels and right.test) or (TRAIN in right.labels and left.test):
            self.choose(node, "computes training images anew with something from the test images", picks=False)
        if left.labels & {PIXELS, TRUTHS} and right.labels & {PIXELS, TRUTHS}:
            return self.results(both, True)
        listed = [one for one in (left.item, right.item) if one is not None]
        item = join(left.each(), right.each()) if listed and isinstance(op, ast.Add) else None
        return replace(both, parts=None, fields=None, text=None, origin=None, item=item)

    def dictionary(self, node, scope):
        fields, others = {}, []
        for key, value in zip(node.keys, node.values, strict=True):
            known = self.value(key, scope) if key is not None else CLEAN
            held = self.value(value, scope)
            if key is None:
                if held.fields is not None:
                    fields |= dict(held.fields)
                else:
                    others.append(held)
            elif known.text is not None:
                fields[known.text] = held
            else:
                others.append(held.plus(known.test))
        if others:
            fields[None] = join(*others, *([fields[None]] if None in fields else []))
        keys = [Value(text=one) for one in fields]
        return replace(
            join(CLEAN, *fields.values()), parts=None, item=join(*keys) if keys else CLEAN, text=None, origin=None,
            fields=None if any(one.records for one in others) else tuple(fields.items()),
        )  # fmt: skip

    def either(self, node, scope):
        test, first, second = (self.value(one, scope) for one in (node.test, node.body, node.orelse))
        self.consume(test)
        words = all(isinstance(one, (ast.JoinedStr, ast.IfExp)) or value.text is not None for one, value in
                    ((node.body, first), (node.orelse, second)))  # fmt: skip
        if test.test and not words:
            self.choose(node, "decides by a test result which of two it takes")
        return join(first, second).plus(test.test)

    def words(self, node, scope):
        parts = [self.value(one, scope) for one in node.values]
        if all(one.text is not None for one in parts):
            return Value(text="".join(one.text for one in parts))
        return replace(join(*parts), text=None, parts=None, item=None, fields=None, functions=frozenset(), origin=None)

    def turns(self, value):
        """The values that a loop's variable takes, one after the other; an unknown number of them twice."""
        if value.fields is not None:
            return [Value(text=key) for key, _ in value.fields] or [CLEAN]
        if value.parts is not None and len(value.parts) <= 40:
            return list(value.parts)
        return [value.each(), value.each()]

    def comprehension(self, node, scope):
        inner, filtered, made, keys = Scope(scope), frozenset(), [], []

        def element():
            if isinstance(node, ast.DictComp):
                keys.append(self.value(node.key, inner))
                made.append(self.value(node.value, inner))
            else:
                made.append(self.value(node.elt, inner))

        def level(generators):
            nonlocal filtered
            if not generators:
                return element()
            for one in self.turns(
                self.value(generators[0].iter, inner if len(generators) < len(node.generators) else scope)
            ):
                self.store(generators[0].target, one, inner)
                for condition in generators[0].ifs:
                    test = self.value(condition, inner)
                    self.consume(test)
                    filtered |= test.test
                    if test.labels & {SCORE, RECORDED}:
                        self.choose(condition, "lets through by a test result")
                level(generators[1:])

        level(node.generators)
        sized = (filtered - {PIXELS, TRUTHS}) | ({ROWS, SIZED} if filtered else set())
        if isinstance(node, ast.DictComp):
            known = all(one.text is not None for one in keys) and not filtered
            whole = join(CLEAN, *made).plus(frozenset(sized) | join(*keys).test)
            fields = tuple(dict(zip((one.text for one in keys), made, strict=True)).items()) if known else None
            return replace(whole, parts=None, item=join(*keys), fields=fields, text=None, origin=None)
        exact = len(node.generators) == 1 and not filtered and isinstance(node, (ast.ListComp, ast.GeneratorExp))
        with self.within(silent=self.silent + 1):
            first = self.value(node.generators[0].iter, scope)
        if exact and (first.parts is not None or first.fields) and not node.generators[0].ifs:
            return bundle(made)
        whole = join(*made)
        return replace(whole, parts=None, item=whole, text=None, fields=None, origin=None).plus(frozenset(sized))

    # ------------------------------------------------------------ recordings

    def measured(self, value):
        """The keys of a recording's results that were measured on test images; "*" for all."""
        return frozenset().union(*(self.records.get(one, (frozenset(), False))[0] for one in value.records))

    def recorded(self, value):
        return self.loaded(Value(frozenset({SCORE if value.live else RECORDED})))

    def of_recording(self, base, index, keys, node):
        holder = Value(
            (base.labels | index.test | ({SIZED} if index.test else set())) - {PIXELS, TRUTHS},
            records=base.records, live=base.live, item=base.item,
        )  # fmt: skip
        if not keys:
            unknown = isinstance(node, (ast.Name, ast.JoinedStr)) and not index.test and base.item is None
            return join(holder, self.recorded(base)) if unknown and self.measured(base) and index.origin is None and (
                self.opaque(index)) else (base.each() if base.item is not None or base.parts else holder)  # fmt: skip
        test = False
        for key in keys:
            if key == "result":
                return holder
            test |= "test" in key or key in self.measured(base) or "*" in self.measured(base)
        if test:
            return self.recorded(base).plus(index.test)
        return Value(index.test)

    def opaque(self, index):
        """Is an index nothing that is known? It may be a key."""
        return index.text is None and index.parts is None and not index.labels

    def from_recording(self, node, name, base, args):
        """A method of a recording; None where it is handled as of any other object."""
        if name == "provenance":
            return CLEAN
        if name in ("values", "mean", "std") and args:
            key = args[0].text
            if key is None:
                return self.recorded(base) if self.measured(base) else CLEAN
            hit = "test" in key or key in self.measured(base) or "*" in self.measured(base)
            return self.recorded(base) if hit else CLEAN
        if name == "iterrows":
            return Value(item=bundle([CLEAN, replace(base, item=None)]), records=base.records, live=base.live)
        if name in (
            "select",
            "set_index",
            "copy",
            "reset_index",
            "query",
            "itertuples",
            "to_frame",
            "drop",
            "groupby",
            "astype",
        ):
            return replace(base, parts=None, text=None)
        return None

    # ------------------------------------------------------------ calls

    def called(self, node, scope):
        func, name = node.func, name_of(node.func)
        base = self.value(func.value, scope) if isinstance(func, ast.Attribute) else CLEAN
        if name in ("len", "type", "isinstance", "id", "hasattr", "callable") and isinstance(func, ast.Name):
            return self.size(node.args[0], scope) if name == "len" and node.args else CLEAN
        if name in SHOWS:
            with self.within(shown=self.shown + 1):
                values = [self.value(one, scope) for one in [*node.args, *(k.value for k in node.keywords)]]
                for one in values:
                    self.consume(one)
                    for function in one.functions:
                        self.call(function, [], {}, node)
            return CLEAN
        if name == "assert_disjoint":
            with self.within(silent=self.silent + 1):
                parts = [(one.arg, self.value(one.value, scope)) for one in node.keywords]
            self.touches[self.cell].parts += [(part, held.labels, held.roots) for part, held in parts]
            return CLEAN
        args, named = self.arguments(node, scope)
        if name in ("load_mnist", "settle_edition", "sample_edition"):
            return Value(frozenset({MNIST}))
        if name == "load_data":
            return bundle([bundle([Value(frozenset({TRAIN})), CLEAN]),
                           bundle([Value(frozenset({PIXELS})), Value(frozenset({TRUTHS}))])])  # fmt: skip
        if name == "getattr" and len(args) > 1 and args[1].text is not None:
            made = ast.Attribute(node.args[0], args[1].text, ast.Load())
            return self.value(ast.fix_missing_locations(ast.copy_location(made, node)), scope)
        if name == "measurement":
            return Value(records=frozenset({args[0].text if args and args[0].text else "*"}))
        target = base if isinstance(func, ast.Attribute) else self.value(func, scope)
        if name == "repeat" and base.functions:
            return self.repeated(base)
        if base.records and (found := self.from_recording(node, name, base, args)) is not None:
            return found
        if isinstance(func, ast.Attribute):
            target = self.quiet(func, scope)
            if base.functions:
                target = replace(target, functions=base.functions)
        return self.apply(node, name, base, target, args, named)

    def arguments(self, node, scope):
        """The values of a call's arguments, starred ones taken apart."""
        args, named = [], {}
        for one in node.args:
            if isinstance(one, ast.Starred):
                held = self.value(one.value, scope)
                args += held.parts if held.parts is not None else [held.each()] * 6
            else:
                args.append(self.value(one, scope))
        for one in node.keywords:
            held = self.value(one.value, scope)
            if one.arg is None and held.fields is not None:
                named |= {key or "**": value for key, value in held.fields}
            else:
                named[one.arg or "**"] = held
        return args, named

    def repeated(self, base):
        """``experiment.repeat(...)``: one run, made now."""
        names = frozenset(one.experiment for one in base.functions if one.experiment)
        if any(self.records.get(one, (frozenset(), False))[1] for one in names):
            self.event("images")
        return Value(records=names, live=True)

    def apply(self, node, name, base, target, args, named):
        known = target.functions and name not in KEEPS
        whole = [*args, *named.values()]
        self.judge(node, name, target, base, whole, named, known)
        if known:
            return join(*(self.call(one, args, named, node) for one in target.functions))
        if (found := self.builtin(name, base, args, named)) is not None:
            return found
        given = [self.used(one, elements(base, whole)) for one in whole]
        everything = join(base if base is not CLEAN and not base.origin else CLEAN, *given)
        if name in KEEPS:
            kept = base if base is not CLEAN and not base.origin else (args[0] if args else CLEAN)
            kept = join(kept, *given) if name not in ("reshape", "astype", "take") else kept
            if MNIST in kept.labels:
                kept = replace(kept, labels=kept.labels - {MNIST} | {PIXELS, TRUTHS})
            return replace(kept, text=None, fields=None, origin=None)
        if name in STACKS:
            inner = join(*(one.each() if one.parts is not None or one.item is not None else one for one in given))
            return replace(inner, text=None, parts=None, item=None, fields=None, origin=None)
        if name in REDUCES:
            by_row = name in ORDERS or rows_stay(node, isinstance(node.func, ast.Attribute) and not base.origin)
        elif name in LOCATES and (name != "where" or len(args) == 1):
            found = self.results(everything, True)
            return found.plus(frozenset({SIZED})) if found.test else found
        else:
            plain = target.origin is None and not isinstance(node.func, ast.Attribute)
            by_row = name in BY_ROW or plain
        return replace(self.results(everything, by_row), functions=everything.functions)

    def builtin(self, name, base, args, named):
        """Calls that only take things apart or put them together."""
        if name == "zip" and args:
            lengths = [len(one.parts) for one in args if one.parts is not None]
            if lengths and min(lengths) <= 40:
                return bundle([bundle([one.parts[i] if one.parts is not None else one.each() for one in args])
                               for i in range(min(lengths))])  # fmt: skip
            inner = bundle([one.each() for one in args])
            return replace(inner, parts=None, item=inner)
        if name == "enumerate" and args:
            if args[0].parts is not None:
                return bundle([bundle([CLEAN, one]) for one in args[0].parts])
            inner = bundle([CLEAN, args[0].each()])
            return replace(inner, parts=None, item=inner)
        if name == "items" and not args and base is not CLEAN:
            if base.fields is not None:
                return bundle([bundle([Value(text=key), value]) for key, value in base.fields])
            held = Value(base.labels, base.roots, records=base.records, live=base.live, functions=base.functions)
            inner = bundle([base.item or CLEAN, held])
            return replace(inner, parts=None, item=inner)
        if name == "values" and not args and not base.origin and base is not CLEAN:
            if base.fields is not None:
                return bundle([value for _, value in base.fields])
            return Value(base.labels, base.roots, records=base.records, live=base.live)
        if name == "keys" and not args and base is not CLEAN:
            return base.item or CLEAN
        if name == "dict" and not args:
            return replace(join(CLEAN, *named.values()), fields=tuple(named.items()), item=CLEAN)
        if name in ("range", "super", "subplots"):
            return CLEAN
        return None

    def judge(self, node, name, target, base, given, named, known):
        """Note what a call decides, and where it trains or scores."""
        with self.within(silent=self.silent + 1):
            seen = [self.used(one, elements(base, given)) for one in given]
        args = join(*seen)
        origin = target.origin or ""
        owner = base if base is not CLEAN and not base.origin else CLEAN
        makes = bool(MODEL_ORIGIN.match(origin)) and not NO_MODEL.match(origin) and name[:1].isupper()
        trains = name in TRAINS or TRAINER.fullmatch(name) is not None or makes
        everything = args.labels | owner.labels
        if given and isinstance(node.func, ast.Attribute) and all(one.cell for one in self.active):
            if name in FITS:
                self.touches[self.cell].fits.append((node.lineno, name, seen[0].roots))
            elif name in SCORES:
                self.touches[self.cell].scores.append((node.lineno, name, seen[0].roots))
        if trains and args.test:
            what = "makes a model" if makes else "trains, fits or sets a model up"
            self.choose(node, f"{what} with something from the test images ({name})", picks=False)
        elif name in SEARCHES and args.test and not known:
            self.choose(node, f"fits or searches by the test images ({name})", picks=False)
        elif name in DECOMPOSES and PIXELS in args.labels:
            self.choose(node, f"fits to the test images ({name})", picks=False)
        elif name in STACKS and TRAIN in everything and PIXELS in everything:
            self.choose(node, f"puts training and test images together ({name})", picks=False)
        if name in STATISTICS and PIXELS in everything and not rows_stay(node, not base.origin):
            self.choose(node, f"takes a statistic of the test images, as preparing them does ({name})")
        if known or not everything & TEST:
            return
        method = isinstance(node.func, ast.Attribute) and not base.origin
        if name in SELECTS and not (name in REDUCES and everything & TEST <= BY_IMAGE and rows_stay(node, method)):
            self.choose(node, f"orders or picks by a test result ({name})")
        elif name in LOCATES and everything & {SCORE, RECORDED} and (name != "where" or len(node.args) == 1):
            self.choose(node, f"picks by a test result ({name})")
        elif name in ("max", "min") and origin == name:
            pairs = any(one.each().parts is not None for one in given)
            if "key" in named or pairs:
                self.choose(node, f"picks the best by a test result ({name})")

    def call(self, function, args, named, node):
        """Follow one call of a function or class of ours; returns what it gives back."""
        function.followed = True
        given = join(CLEAN, *args, *named.values())
        if function in self.active or len(self.active) > 14:
            return replace(given, parts=None, text=None, functions=frozenset())
        if isinstance(function.node, ast.ClassDef):
            return self.instance(function, given, node)
        scope = Scope(function.scope)
        self.bind(function, scope, args, named)
        self.active.append(function)
        self.returned.append([])
        site = self.site or (node if function.cell is not None or node is not function.node else None)
        own = node is function.node and function.cell is not None and function.cell[0] == self.cell
        try:
            with self.within(site=self.site if own else site, pc=self.pc):
                if isinstance(function.node, ast.Lambda):
                    self.returned[-1].append(self.value(function.node.body, scope))
                else:
                    self.run(function.node.body, scope)
        finally:
            self.active.pop()
            values = self.returned.pop()
        return join(*values)

    def instance(self, function, given, node):
        """An object of a class of ours: whatever its methods read, it may hand on."""
        labels = given.test
        self.active.append(function)
        try:
            for one in function.node.body:
                if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    method = Function(one, function.scope, function.cell)
                    scope_value = Value(given.labels)
                    labels |= self.call(method, [scope_value], {}, node).test | self.read_by(one, function.scope)
        finally:
            self.active.pop()
        return Value(frozenset(labels), given.roots)

    def read_by(self, node, scope):
        """Labels of the names that a method reads from outside."""
        labels = frozenset()
        with self.within(silent=self.silent + 1):
            for one in ast.walk(node):
                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and scope.find(one.id) is not None:
                    labels |= scope.find(one.id).test
                elif isinstance(one, ast.Attribute):
                    labels |= self.source(one.attr)
        return labels

    def bind(self, function, scope, args, named):
        spec = function.node.args
        positional = [*spec.posonlyargs, *spec.args]
        defaults = dict(zip([one.arg for one in positional][::-1], spec.defaults[::-1], strict=False))
        defaults |= {one.arg: value for one, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if value}
        for one in [*positional, *spec.kwonlyargs]:
            if one.arg in defaults:
                scope[one.arg] = self.quiet(defaults[one.arg], function.scope)
            else:
                scope[one.arg] = Value(self.source(one.arg) if not args and not named else frozenset())
        for one, value in zip(positional, args, strict=False):
            scope[one.arg] = value
        extra = args[len(positional) :]
        if spec.vararg:
            scope[spec.vararg.arg] = bundle(extra) if extra else CLEAN
        known = {one.arg for one in [*positional, *spec.kwonlyargs]}
        for key, value in named.items():
            if key in known:
                scope[key] = value
        if spec.kwarg:
            rest = {key: value for key, value in named.items() if key not in known}
            scope[spec.kwarg.arg] = join(CLEAN, *rest.values())

    # ------------------------------------------------------------ imports

    def module(self, name):
        if name.split(".")[0] not in OURS:
            return None
        if name not in self.modules:
            self.modules[name] = ModuleScope(self, name) if self.read(name) else None
        return self.modules[name]

    def imported(self, node):
        """(name, value) of each name that an import statement binds."""
        for one in node.names:
            if isinstance(node, ast.Import):
                yield (
                    (one.asname or one.name.split(".")[0]),
                    Value(origin=one.name if one.asname else one.name.split(".")[0]),
                )
            else:
                scope = self.module(node.module or "")
                found = scope.find(one.name) if scope is not None else None
                yield one.asname or one.name, found if found is not None else Value(origin=f"{node.module}.{one.name}")


def elements(base, given):
    """What a library may hand to a function that it is given: what the other arguments, and the object itself, hold."""
    others = [one.each() for one in [base, *given] if not one.functions and not one.origin]
    whole = replace(join(CLEAN, *others), parts=None, text=None)
    return whole if whole.test or whole.records else CLEAN


def name_of(node):
    """The last name of what is called."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def rows_stay(node, method):
    """Does a reduction leave one value for each row: has it an axis, and is that not the first?"""
    axis = next((one.value for one in node.keywords if one.arg == "axis"), None)
    place = 0 if method else 1
    if axis is None and len(node.args) > place and name_of(node.func) not in ("quantile", "percentile", "norm"):
        axis = node.args[place]
    if axis is None:
        return False
    try:
        axes = ast.literal_eval(axis)
    except ValueError:
        return False
    axes = axes if isinstance(axes, tuple) else (axes,)
    return all(isinstance(one, int) and not isinstance(one, bool) and one != 0 for one in axes)


def shows_only(statements):
    """Do these statements only show, say or assert something, refuse it, or count it?"""
    for one in statements:
        match one:
            case ast.Assert() | ast.Pass() | ast.Raise():
                continue
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.AugAssign(op=ast.Add(), target=ast.Name()):  # what is counted so is a test result itself
                continue
            case ast.Expr(value=ast.Call(func=func)) if name_of(func) in SHOWS:
                continue
            case ast.If():
                if not shows_only(one.body + one.orelse):
                    return False
            case ast.For():
                if not shows_only(one.body + one.orelse):
                    return False
            case _:
                return False
    return True


def experiments(root=ROOT, read=None):
    """Follow every experiment of ``experiments/*.py``.

    Returns
    -------
    touches : dict {experiment's name: (module, Touch)}
    records : dict {experiment's name: (frozenset of the keys measured on test images, whether it touches them)}
    """
    read = read or (lambda name: read_module(name, root))
    touches, records = {}, {}
    for path in sorted((root / "experiments").glob("*.py")):
        module = f"experiments.{path.stem}"
        text = read(module)
        for node in ast.parse(text).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            follower = Follower(read)
            function = Function(node, follower.module(module), (node.name, text.splitlines()))
            if not function.experiment:
                continue
            follower.cell, follower.lines = node.name, text.splitlines()
            follower.touches[node.name] = Touch()
            result = follower.call(function, [], {}, node)
            fields = dict(result.fields or ())
            keys = {key for key, value in fields.items() if value.test}
            if result.test and not fields:
                keys = {"*"}
            touch = follower.touches[node.name]
            touches[node.name] = (path.stem, touch)
            records[node.name] = (frozenset(keys), bool(touch.kinds))
    records["*"] = (frozenset({"*"}), True)
    return touches, records


def chapter_touches(cells, records, read=None, roots=(), root=ROOT):
    """Follow the code cells of a chapter, a list of (key, source); returns {key: Touch}."""
    follower = Follower(read or (lambda name: read_module(name, root)), records, roots)
    for key, source in cells:
        follower.follow(key, source)
    return follower.finish()
