"""Recorded measurements: what takes longer than a chapter may, run once by ``make measurements`` and kept with its
provenance.

An experiment is a function in ``experiments/<chapter>.py`` that makes one run and returns its raw result::

    @experiment(settings=[{"scale": 1}, {"scale": 255}], seeds=5, compare=("val_accuracy",))
    def pixel_scale(digits, scale, seed):
        ...
        return {"val_loss": [...], "val_accuracy": ...}

``data/measurements/pixel_scale.json`` then holds every run in both editions, with settings, seeds, versions,
processor, date and a hash of the code. A chapter reads it with :func:`measurement` and repeats one run live with
:meth:`Measurement.repeat`.
"""

import ast
import functools
import hashlib
import importlib
import inspect
import json
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.data import current_edition, load_mnist
from helpers.text import say

ROOT = Path(__file__).resolve().parent.parent
OURS = ("helpers", "experiments")
EXPERIMENTS = {}


class MeasurementError(Exception):
    """A recording is missing, damaged or out of date. The message names the file, the fault and the cure."""


@dataclass(frozen=True)
class Experiment:
    """One declared experiment; ``function(digits, seed=..., **settings)`` makes one run."""

    name: str
    function: object
    settings: object
    seeds: object
    compare: tuple

    def runs(self, edition):
        """Return the list of every run's keyword arguments in an edition: each of the settings with each seed."""
        settings = self.settings(edition) if callable(self.settings) else self.settings
        seeds = self.seeds(edition) if callable(self.seeds) else self.seeds
        return [{**one, "seed": seed} for seed in range(seeds) for one in settings]


def experiment(*, settings=({},), seeds=1, compare=()):
    """Declare the decorated function as an experiment.

    Parameters
    ----------
    settings : list of dict, or callable(edition) -> list of dict
        Keyword arguments, one dict for each variant.
    seeds : int, or callable(edition) -> int
        Every variant runs with seeds 0 to ``seeds - 1``. A deterministic experiment takes one.
    compare : tuple of str
        The results (numbers) that a live repetition must agree in with the recorded runs.
    """

    def declare(function):
        known = EXPERIMENTS.get(function.__name__)
        if known and known.function.__module__ != function.__module__:
            raise ValueError(
                f"two experiments are called {function.__name__}: in {known.function.__module__} and "
                f"in {function.__module__}"
            )
        EXPERIMENTS[function.__name__] = Experiment(function.__name__, function, settings, seeds, tuple(compare))
        return function

    return declare


def code_hash(function):
    """Return a SHA-256 over the code of ``function`` and of everything of ours that it uses, however deep.

    Followed are names and attributes, imported at the top or inside a function, that lead to functions, classes and
    constants in
    ``helpers`` and ``experiments``. Comments, docstrings and layout do not count, nor does the ``@experiment`` line:
    how many runs there must be is held by ``Experiment.runs``. Of ``helpers.data`` only ``prepare`` counts: which
    arrays come back is held by their own digests. The hash is the same under every Python version, and in every
    process.
    """
    parts, pending, seen = {}, [inspect.unwrap(function)], set()
    while pending:
        thing = pending.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        tree = _tree(thing)
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if (
                isinstance(body, list)
                and body
                and isinstance(body[0], ast.Expr)
                and isinstance(body[0].value, ast.Constant)
            ):
                node.body = body[1:] or [ast.Pass()]
            if isinstance(node, ast.FunctionDef):
                node.decorator_list = [one for one in node.decorator_list if _name(one) != "experiment"]
        parts[f"{thing.__module__}.{thing.__qualname__}"] = _form(tree)
        scope = vars(inspect.getmodule(thing)) | _imported_inside(tree)
        for node in ast.walk(tree):
            found = _resolve(node, scope)
            if found is not None and not inspect.ismodule(found):
                parts[f"{thing.__module__}.{thing.__qualname__}:{ast.unparse(node)}"] = _describe(found, pending)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _tree(thing):
    """The syntax tree of a function or class; for a lambda, of all lambdas that start on its line."""
    if getattr(thing, "__name__", "") != "<lambda>":
        return ast.parse(textwrap.dedent(inspect.getsource(thing)))
    whole = ast.walk(ast.parse(inspect.getsource(inspect.getmodule(thing))))
    line = thing.__code__.co_firstlineno
    return ast.Module([ast.Expr(node) for node in whole if isinstance(node, ast.Lambda) and node.lineno == line], [])


def _name(decorator):
    """The (last) name of a decorator, called or not."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return getattr(node, "id", getattr(node, "attr", ""))


def _form(node):
    """A syntax tree as nested lists. Not ``ast.dump``: its text differs between Python versions, this must not."""
    if isinstance(node, list):
        return [_form(one) for one in node]
    if isinstance(node, ast.AST):
        fields = {
            name: _form(value)
            for name, value in ast.iter_fields(node)
            if value not in (None, []) and name not in ("ctx", "kind")
        }
        if isinstance(node, ast.Constant):  # the value None is a value too
            fields = {"value": repr(node.value)}
        return [type(node).__name__, fields]
    return repr(node)


def _imported_inside(tree):
    """What import statements inside a function bind, as far as it is ours."""
    bound = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            module = importlib.import_module(node.module)
            for alias in node.names:
                value = getattr(module, alias.name, None)
                bound[alias.asname or alias.name] = (
                    importlib.import_module(f"{node.module}.{alias.name}") if value is None else value
                )
        elif isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.split(".")[0]
                if root in OURS:
                    module = importlib.import_module(alias.name)
                    bound[alias.asname or root] = module if alias.asname else importlib.import_module(root)
    return bound


def _resolve(node, scope):
    """What a name, or a dotted name through modules of ours, stands for; None for anything else."""
    if isinstance(node, ast.Name):
        # __file__ and its like tell where the code lies, not what it does
        return None if node.id.startswith("__") else scope.get(node.id)
    if isinstance(node, ast.Attribute):
        holder = _resolve(node.value, scope)
        if inspect.ismodule(holder) and holder.__name__.split(".")[0] in OURS:
            return getattr(holder, node.attr, None)
    return None


def _counts(thing):
    """Is this function or class one of ours, whose code makes results?"""
    module = getattr(thing, "__module__", None) or ""
    if module == "helpers.data":
        return thing.__qualname__ == "prepare"
    return module.split(".")[0] in OURS and module not in (
        "helpers.download",
        "helpers.measurements",
        "helpers.quiet",
        "helpers.text",
    )


def _describe(value, pending):
    """A value as text, the same in every process; functions and classes of ours in it are appended to ``pending``."""
    value = inspect.unwrap(value) if callable(value) else value
    if inspect.isfunction(value) or inspect.isclass(value):
        if not _counts(value):
            return value.__name__  # where a library keeps it may change with the library's version
        pending.append(value)
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, dict):
        return [[_describe(key, pending), _describe(one, pending)] for key, one in value.items()]
    if isinstance(value, (tuple, list)):
        return [_describe(one, pending) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(_describe(one, pending)) for one in value)
    if isinstance(value, functools.partial):
        return ["partial", *(_describe(part, pending) for part in (value.func, value.args, value.keywords))]
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()]
    if isinstance(value, (bool, int, float, complex, str, bytes, np.generic)):
        return repr(value)
    return type(value).__name__


def folder():
    """Return the folder of the recordings: DIGITS_MEASUREMENTS, or ``data/measurements``, or what came in the wheel."""
    installed = Path(__file__).resolve().with_name("recordings")
    return Path(
        os.environ.get("DIGITS_MEASUREMENTS") or (installed if installed.is_dir() else ROOT / "data" / "measurements")
    )


def load_experiment(name, module):
    """Import ``module`` and return its experiment called ``name``."""
    importlib.import_module(module)
    return EXPERIMENTS[name]


class Measurement:
    """One recording. ``edition`` is the one whose runs the methods give: the full one unless you ask for the other."""

    def __init__(self, content, path, edition="full"):
        self.content, self.path, self.edition = content, path, edition

    @property
    def name(self):
        """The experiment's name."""
        return self.content["name"]

    @property
    def runs(self):
        """All runs of the edition: dicts with ``settings`` (the seed among them), ``result`` and ``seconds``."""
        return self.content["editions"][self.edition]["runs"]

    def select(self, **settings):
        """Return the results (dicts) of all runs with these settings, in the order of their seeds.

        Raises MeasurementError if there is none.
        """
        wanted = json.loads(json.dumps(settings))  # as the file has them: a tuple is a list there
        found = [run["result"] for run in self.runs if {**run["settings"], **wanted} == run["settings"]]
        if not found:
            raise MeasurementError(
                f"{self.path}: no run with {settings} in the {self.edition} edition; it has "
                f"{self.runs[0]['settings']} and others"
            )
        return found

    def values(self, result, **settings):
        """Return one result of all runs with these settings as an array, the first axis running over the runs."""
        return np.array([one[result] for one in self.select(**settings)])

    def mean(self, result, **settings):
        """Return the mean over the runs, as a float (or an array for a list)."""
        return _plain(self.values(result, **settings).mean(axis=0))

    def std(self, result, **settings):
        """Return the standard deviation over the runs (n - 1), as a float (or an array for a list)."""
        return _plain(self.values(result, **settings).std(axis=0, ddof=1))

    def provenance(self):
        """Say where the recording comes from: date, processor, versions, number of runs, and how to make it again."""
        about = self.content["editions"][self.edition]
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        edition = "full MNIST" if self.edition == "full" else "the sample edition"
        say(
            f"*Recorded on {about['date']}: {len(self.runs)} runs on {edition}, {about['processor']}, "
            f"{about['cores']} cores, {versions}. "
            f"`make measurements NAME={self.name}` records it again.*"
        )

    def repeat(self, seed=0, tolerance=4.0, rounding=1e-3, **settings):
        """Repeat one run live, in the current edition, and hold it against the recorded runs of that edition.

        Parameters
        ----------
        seed : int
        tolerance : float
            How many standard deviations of the recorded runs with the same settings the live result may lie from their
            mean.
        rounding : float
            The share of the mean that is always allowed, for another processor's rounding: one part in a thousand,
            unless said otherwise. It is what a deterministic experiment (one seed) has to keep to.
        **settings
            The variant to run.

        Returns
        -------
        dict
            The live run's result.

        Raises
        ------
        MeasurementError
            If the live result disagrees, or the edition was not recorded.
        """
        edition = current_edition()
        if edition not in self.content["editions"]:
            raise MeasurementError(f"{self.path} holds no {edition} edition: run make measurements NAME={self.name}")
        recorded = Measurement(self.content, self.path, edition)
        one = load_experiment(self.name, self.content["module"])
        live = one.function(load_mnist(quiet=True), seed=seed, **settings)
        sentences = []
        for key in one.compare:
            values = recorded.values(key, **settings)
            mean = float(values.mean())
            spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
            allowed = max(tolerance * spread, abs(mean) * rounding, 1e-9)
            sentences.append(
                f"{key.replace('_', ' ')} {live[key]:.4g} now, {mean:.4g} ± {spread:.2g} in {len(values)} recorded"
            )
            if not abs(live[key] - mean) <= allowed:
                raise MeasurementError(
                    f"{self.name} {settings}, seed {seed}: {key} is {live[key]:.6g} now, but "
                    f"{mean:.6g} ± {spread:.2g} in the {len(values)} recorded runs; "
                    f"if a new version of a library moves results, record again: make measurements NAME={self.name}"
                )
        say(f"*Repeated just now, seed {seed}, {edition} edition: " + "; ".join(sentences) + " runs.*")
        return live


def digest(runs):
    """Return a SHA-256 over the runs of an edition: a result changed by hand or by accident no longer fits it."""
    return hashlib.sha256(json.dumps(runs, sort_keys=True).encode()).hexdigest()


def _plain(value):
    return value.item() if np.ndim(value) == 0 else value


def measurement(name, edition="full"):
    """Read a recording.

    Parameters
    ----------
    name : str
        The experiment's name.
    edition : "full" or "sample"
        The runs to give; the full ones are what is worth quoting, whichever edition the book is built in.

    Returns
    -------
    Measurement

    Raises
    ------
    MeasurementError
        If the file is missing, is not a recording, lacks the edition, or holds results that were changed since.
    """
    path = folder() / f"{name}.json"
    cure = f"record it: make measurements NAME={name}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["name"], content["module"]
        about = content["editions"][edition]
        runs = [(run["settings"], run["result"]) for run in about["runs"]]
        if not runs:
            raise KeyError("runs")
    except FileNotFoundError:
        raise MeasurementError(f"{path} is missing; {cure}") from None
    except (OSError, ValueError) as error:
        raise MeasurementError(
            f"{path} cannot be read as a recording ({error}); restore it from git, or {cure}"
        ) from None
    except (KeyError, TypeError) as error:
        raise MeasurementError(f"{path} is incomplete (no {error}); {cure}") from None
    if about.get("digest", digest(about["runs"])) != digest(about["runs"]):
        raise MeasurementError(
            f"{path} was altered: its {edition} runs do not fit their digest; restore it from git, or {cure}"
        )
    return Measurement(content, path, edition)
