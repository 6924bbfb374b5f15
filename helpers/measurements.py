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

import hashlib
import importlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.data import current_edition, load_mnist
from helpers.text import say

ROOT = Path(__file__).resolve().parent.parent
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
