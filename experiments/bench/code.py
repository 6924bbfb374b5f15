"""Is it still the same code? What a result depends on, found through imports down to the functions and constants used.

A chapter, a recording and a trained network each rest on code; when that changes, they have to be made again. Two states of
the code count as the same if they differ in comments, docstrings, layout, the names that imports give, or the file that
something stands in. Nothing is imported or run to find out: the files are read as text.
"""

import ast
import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

OURS = ("helpers", "experiments", "tools")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPOUND = (ast.If, ast.Try, ast.With, ast.For, ast.While)


def module_file(name):
    """Return the file (Path) of a module, or None if there is none."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def sha256(value):
    """Return the SHA-256 (hex) of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@dataclass
class Module:
    """What the top of one file says. names: name -> the statements that bind it, or ("import", module, attribute or None).
    effects: statements that do something when the file is imported. imports: the modules that it imports there."""

    tree: ast.Module
    names: dict = field(default_factory=dict)
    effects: list = field(default_factory=list)
    imports: list = field(default_factory=list)

    def bind(self, name, meaning):
        """Add one meaning of a name."""
        self.names.setdefault(name, []).append(meaning)

    def read(self, statement):
        """Take in one statement; returns whether it does no more than bind names."""
        match statement:
            case ast.Import() | ast.ImportFrom():
                for name, module, attribute in imported(statement):
                    self.bind(name, ("import", module, attribute))
                self.imports += loaded(statement)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.bind(statement.name, statement)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                for name in stored(*targets):
                    self.bind(name, statement)
                return not any(isinstance(one, (ast.Attribute, ast.Subscript)) for one in targets)
            case _:
                return isinstance(statement, ast.Pass) or is_text(statement)
        return True

    def read_all(self, statements, whole=None):
        """Take in statements; those inside ``whole`` (an if, a try, ...) stand for all of it. Returns as ``read`` does."""
        binds = True
        for statement in statements:
            if isinstance(statement, _COMPOUND) and "__main__" not in ast.dump(getattr(statement, "test", statement)):
                inner = [one for name in ("body", "orelse", "finalbody") for one in getattr(statement, name, [])]
                inner += [one for handler in getattr(statement, "handlers", []) for one in handler.body]
                only = self.read_all(inner, whole or statement) and isinstance(statement, (ast.If, ast.Try))
                for name in stored(statement):
                    self.bind(name, whole or statement)
            elif isinstance(statement, _COMPOUND):
                continue  # if __name__ == "__main__"
            else:
                only = self.read(statement)
            if not only and whole is None:
                self.effects.append(statement)
            binds &= only
        return binds


def is_text(statement):
    """Is this a docstring, or another constant that does nothing?"""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def imported(statement):
    """Return (name that is bound, module, attribute or None) for each name of an import statement."""
    if isinstance(statement, ast.Import):
        roots = [one.name.split(".")[0] for one in statement.names]
        return [
            (one.asname or root, one.name if one.asname else root, None)
            for one, root in zip(statement.names, roots, strict=True)
        ]
    if statement.level:
        raise ValueError(f"{ast.unparse(statement)}: the book's modules import each other by their full names")
    if statement.module.split(".")[0] in OURS and any(one.name == "*" for one in statement.names):
        raise ValueError(f"{ast.unparse(statement)}: name what is imported, so that it can be told what is used")
    return [(one.asname or one.name, statement.module, one.name) for one in statement.names]


def loaded(statement):
    """Return the names of the modules that an import statement runs, or may run."""
    if isinstance(statement, ast.Import):
        return [one.name for one in statement.names]
    return [statement.module, *(f"{statement.module}.{one.name}" for one in statement.names)]


def stored(*nodes):
    """Return the names that are assigned to anywhere in some nodes, those inside functions and classes left out."""
    found, pending = set(), list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, _DEFINITIONS) or isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        if not isinstance(node, (*_DEFINITIONS, ast.Lambda)):
            pending += ast.iter_child_nodes(node)
    return found


@lru_cache(maxsize=1000)
def parsed(text):
    """Return the :class:`Module` that a file's text makes."""
    module = Module(ast.parse(text))
    module.read_all(module.tree.body)
    return module


class Code:
    """The code of the project as a graph: what each function, class and constant is made of, and which others it uses.

    find : callable(str) -> Path or None
        The file of a module.
    left_out : callable(module, name or None) -> bool
        What counts by its name alone: code that makes no results.
    decorators : tuple of str
        Decorators that do not count.
    """

    def __init__(self, find=module_file, left_out=lambda module, name: False, decorators=()):
        self.find, self.left_out, self.decorators = find, left_out, decorators
        self.files, self.units = {}, {}

    def module(self, name):
        """Return the :class:`Module` of this name, or None."""
        if name not in self.files:
            path = self.find(name)
            self.files[name] = parsed(path.read_text(encoding="utf-8")) if path else None
        return self.files[name]

    def add(self, name, text):
        """Take in a module that is in no file: the code of a notebook."""
        self.files[name] = parsed(text)
        self.units = {key: unit for key, unit in self.units.items() if key[1] != name}

    def meanings(self, module, name, seen=()):
        """Return what a name of a module means, a list of (kind, module, name): kind is unit, module or foreign."""
        found = []
        for one in dict.fromkeys(self.module(module).names.get(name, [])) if self.module(module) else ():
            if isinstance(one, ast.AST):
                found.append(("unit", module, name))
            elif (module, name) not in seen:
                found += self.of_import(*one[1:], (*seen, (module, name)))
        return list(dict.fromkeys(found))

    def of_import(self, module, attribute, seen=()):
        """Return what an import gives, as ``meanings`` does."""
        if module.split(".")[0] not in OURS:
            return [("foreign", f"{module}.{attribute}" if attribute else module, None)]
        if attribute is None:
            return [("module", module, None)]
        if found := self.meanings(module, attribute, seen):
            return found
        whole = f"{module}.{attribute}"
        return [("module", whole, None) if self.module(whole) else ("foreign", whole, None)]

    def unit(self, key):
        """Return (digest of its own code, keys of what it uses, its statements) of a unit, a whole module or its effects."""
        if key not in self.units:
            kind, module, name = key
            top = self.module(module)
            if kind == "unit":
                statements = list({id(one): one for one in top.names[name] if isinstance(one, ast.AST)}.values())
            else:
                statements = top.effects if kind == "effects" else top.tree.body
            form = _Form(self, module, plain=set(top.names) if kind == "module" else {name})
            own = [form.of(one, frozenset()) for one in statements]
            self.units[key] = sha256(own), list(dict.fromkeys(form.uses)), statements
        return self.units[key]

    def reached(self, *roots):
        """Return the keys of all that the roots ("module:name", or "module" for all of it) rest on, themselves included."""
        pending, found, modules = [as_key(root) for root in roots], {}, set()
        while pending:
            key = pending.pop()
            if key in found:
                continue
            found[key] = None
            pending += self.unit(key)[1] + self.effects_of(key[1], modules)
        return list(found)

    def effects_of(self, name, seen):
        """Return the keys of what importing a module does, in it and in all that it imports; ``seen`` is filled."""
        found, pending = [], [name]
        while pending:
            name = pending.pop()
            if name in seen or self.left_out(name, None) or self.module(name) is None:
                continue
            seen.add(name)
            pending += [one for one in self.module(name).imports if one.split(".")[0] in OURS]
            pending += [name.rpartition(".")[0]] if "." in name else []
            found += [("effects", name, None)] if self.module(name).effects else []
        return found

    def digest(self, *roots):
        """Return the digest (hex) of all that the roots rest on."""
        keys = self.reached(*roots)
        own = {key: self.unit(key)[0] for key in keys}
        uses = {key: self.unit(key)[1] for key in keys}
        # What a unit uses has no name in its digest, only a digest of its own. Functions that call each other get theirs round
        # by round, until a round tells no two units apart that were alike before.
        now, kinds = own, 0
        while len(set(now.values())) > kinds:
            kinds = len(set(now.values()))
            now = {key: sha256([own[key], [now[one] for one in uses[key]]]) for key in keys}
        return sha256([[now[as_key(root)] for root in roots], sorted(set(now.values()))])


def as_key(root):
    """Return the key of "module:name", or of "module" as a whole."""
    module, _, name = root.partition(":")
    return ("unit", module, name) if name else ("module", module, None)


class _Form:
    """Writes one unit's syntax trees as nested lists, every name of ours replaced by a number, and notes what it stands for.

    Not ``ast.dump``: its text differs between Python versions, this must not.
    """

    def __init__(self, code, module, plain):
        self.code, self.module, self.plain, self.uses, self.inside = code, module, plain, [], {}

    def use(self, meaning):
        """Return how a meaning is written."""
        kind, module, name = meaning
        if kind == "foreign" or self.code.module(module) is None:
            return ["foreign", module]
        if self.code.left_out(module, name):
            return ["left out", name]
        if meaning not in self.uses:
            self.uses.append(meaning)
        return ["uses", self.uses.index(meaning)]

    def looked_up(self, name, local):
        """Return the meanings of a name at this place; none for a local one, a builtin, or one that stays as it is."""
        if name in self.inside:
            return self.code.of_import(*self.inside[name])
        if name in local or (name in self.plain and not self.imports(name)) or name.startswith("__"):
            return []
        return self.code.meanings(self.module, name)

    def imports(self, name):
        """Is this name of the module an import?"""
        return any(not isinstance(one, ast.AST) for one in self.code.module(self.module).names.get(name, ()))

    def dotted(self, node, local):
        """Return the meanings of a name, or of a dotted name that leads through modules of ours."""
        if isinstance(node, ast.Name):
            return self.looked_up(node.id, local)
        if isinstance(node, ast.Attribute):
            for kind, module, _ in self.dotted(node.value, local):
                if kind == "module" and self.code.module(module):
                    return self.code.of_import(module, node.attr)
        return []

    def of(self, node, local):
        """Return the form of a node; ``local``: the names that mean something local here."""
        if isinstance(node, list):
            return [form for one in node if (form := self.of(one, local)) is not None]
        if not isinstance(node, ast.AST):
            return repr(node)
        if isinstance(node, ast.Constant):
            return ["Constant", repr(node.value)]
        if isinstance(node, (ast.Name, ast.Attribute)) and (found := self.dotted(node, local)):
            return [type(node.ctx).__name__, *map(self.use, found)]
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return self.of_import(node)
        local = self.seen_inside(node, local)
        fields = {}
        for name, value in ast.iter_fields(node):
            if value in (None, []) or name in ("ctx", "kind", "type_comment"):
                continue
            if name == "body" and isinstance(value, list):
                value = value[is_text(value[0]) :] or [ast.Pass()]  # the docstring
            if name == "decorator_list":
                value = [one for one in value if self.decorates(one)]
            if not (name == "name" and isinstance(node, _DEFINITIONS) and node.name in self.plain):
                fields[name] = self.of(value, local)
        return [type(node).__name__, fields]

    def of_import(self, statement):
        """Note what an import inside a unit gives; it leaves no trace in the form unless it is foreign."""
        foreign = False
        for name, module, attribute in imported(statement):
            if module.split(".")[0] in OURS:
                self.inside[name] = (module, attribute)
            else:
                foreign = True
        return [type(statement).__name__, ast.unparse(statement)] if foreign else None

    def seen_inside(self, node, local):
        """Return the names that are local inside ``node``."""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            arguments = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
            body = node.body if isinstance(node.body, list) else [node.body]
            declared = {name for one in ast.walk(node) if isinstance(one, ast.Global) for name in one.names}
            return local | arguments | (stored(*body) - declared)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            return local | stored(*(one.target for one in node.generators))
        return local

    def decorates(self, decorator):
        """Does a decorator count?"""
        node = decorator.func if isinstance(decorator, ast.Call) else decorator
        return getattr(node, "id", getattr(node, "attr", "")) not in self.code.decorators


# ---------------------------------------------------------------- what a recorded result rests on

#: What makes no results, modules and single names. Which arrays come back from the data files is held by digests of their own.
NO_RESULTS = (
    "helpers.data",
    "helpers.download",
    "helpers.edition",
    "helpers.files",
    "helpers.measurements",
    "helpers.progress",
    "helpers.quiet",
    "helpers.text",
    "experiments.bench",
)
#: Single names: those that do count in these modules, and those that don't in others.
RESULTS_ALL_THE_SAME = ("prepare",)
NO_RESULTS_EITHER = ("what_runs",)  # names the file in which a trained network is kept


def makes_no_results(module, name):
    """Say whether a name of a module counts by its name alone."""
    inside = f"{module}.".startswith(tuple(f"{one}." for one in NO_RESULTS))
    return name in NO_RESULTS_EITHER or (inside and name not in RESULTS_ALL_THE_SAME)


def results_code():
    """Return the :class:`Code` that recorded results are judged by. It keeps what it has read: a file is read once."""
    return Code(left_out=makes_no_results, decorators=("experiment",))


def code_hash(one, code=None):
    """Return the digest (hex) of an experiment, or of another function of ours, and of all code that its results rest on.

    The ``@experiment`` line does not count: how many runs there must be is held by ``Experiment.runs``. The digest is the same
    under every Python version.

    Parameters
    ----------
    one : function or Experiment
    code : Code, optional
        What has been read so far; without it, the files are read as they are now.
    """
    function = getattr(one, "function", one)
    return (code or results_code()).digest(f"{function.__module__}:{function.__qualname__}")
