"""What an experiment is: one run as a function, the list of its runs, what it needs, and how one of them is repeated live.

A function in ``experiments/CHAPTER.py`` makes one run and returns its raw result::

    @experiment(settings=[{"scale": 1}, {"scale": 255}], seeds=5, compare=("val_accuracy",))
    def pixel_scale(digits, scale, seed):
        ...
        return {"val_loss": [...], "val_accuracy": ...}

``make measurements NAME=pixel_scale`` then records every run in both editions. A chapter reads the recording with
``helpers.measurements.measurement`` and repeats one run: ``pixel_scale.repeat(recording, scale=255, seed=0)``.
"""

import functools
import importlib
import os
import pkgutil

import experiments
from experiments.bench.code import code_hash, sha256
from helpers.data import current_edition, load_mnist
from helpers.measurements import Measurement, MeasurementError, measurement
from helpers.text import say

EXPERIMENTS = {}
#: Data sets that experiments may need besides MNIST: name -> function that returns the digest (str) of its data.
DATA_SETS = {}


class Experiment:
    """One declared experiment: ``experiment(digits, seed=..., **settings)`` makes one run, as its function does.

    Attributes
    ----------
    name : str
    function : callable
    settings, seeds, compare, needs, timed, holds, distinct, alike, close, curves
        As :func:`experiment` takes them.
    """

    def __init__(
        self,
        function,
        settings=({},),
        seeds=1,
        compare=(),
        needs=(),
        timed=False,
        holds=None,
        distinct=(),
        alike=None,
        close=None,
        curves=(),
    ):
        functools.update_wrapper(self, function)  # name and docstring are the function's, for help() and for readers
        self.name, self.function = function.__name__, function
        self.settings, self.seeds, self.compare = settings, seeds, tuple(compare)
        self.needs, self.timed = tuple(needs), timed
        self.holds, self.distinct, self.alike = holds, tuple(distinct), alike
        self.close, self.curves = close if callable(close) else lambda settings: close or {}, tuple(curves)

    def __call__(self, digits, **settings):
        return self.function(digits, **settings)

    def runs(self, edition):
        """Return the list of every run's keyword arguments in an edition: each of the settings with each seed."""
        settings = self.settings(edition) if callable(self.settings) else self.settings
        seeds = self.seeds(edition) if callable(self.seeds) else self.seeds
        return [{**one, "seed": seed} for seed in range(seeds) for one in settings]

    def stamp(self, code=code_hash):
        """Return what a run's result rests on besides its settings: {"code": digest, "needs": {name: digest}}.

        Raises
        ------
        MeasurementError
            If a recording that is needed is not there.
        """
        return {"code": code(self), "needs": {name: digest_of_need(name) for name in self.needs}}

    def repeat(self, recording, seed=0, tolerance=4.0, rounding=1e-3, **settings):
        """Repeat one run live, in the current edition, and hold it against the recorded runs of that edition.

        Parameters
        ----------
        recording : Measurement
            This experiment's recording.
        seed : int
        tolerance : float
            How many standard deviations of the recorded runs with the same settings the live result may lie from their
            mean. With other seeds than the recorded ones (DIGITS_SEED_OFFSET) it is what Student's t allows a new run beside so
            few, once in a thousand.
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
            If the live result disagrees, the edition was not recorded, or the recording is another experiment's.
        """
        if recording.name != self.name:
            raise MeasurementError(f"{recording.path} is the recording of {recording.name}, not of {self.name}")
        edition = current_edition()
        if edition not in recording.content["editions"]:
            raise MeasurementError(
                f"{recording.path} holds no {edition} edition: run make measurements NAME={self.name}"
            )
        recorded = Measurement(recording.content, recording.path, edition)
        live = self.function(load_mnist(quiet=True), seed=seed, **settings)
        sentences = []
        for key in self.compare:
            values = recorded.values(key, **settings)
            mean = float(values.mean())
            spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
            others = os.environ.get("DIGITS_SEED_OFFSET", "0") != "0" and len(values) > 1
            reach = _beside(len(values)) if others else tolerance
            allowed = max(reach * spread, abs(mean) * rounding, 1e-9)
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


def _beside(runs, level=1e-3):
    """Return how many standard deviations of a few runs another run may lie from their mean: further once in 1 / ``level``."""
    from scipy.stats import t

    return float(t.ppf(1 - level / 2, runs - 1) * (1 + 1 / runs) ** 0.5)


def experiment(
    *,
    settings=({},),
    seeds=1,
    compare=(),
    needs=(),
    timed=False,
    holds=None,
    distinct=(),
    alike=None,
    close=None,
    curves=(),
):
    """Declare the decorated function as an experiment; the name then stands for an :class:`Experiment`.

    Parameters
    ----------
    settings : list of dict, or callable(edition) -> list of dict
        Keyword arguments, one dict for each variant.
    seeds : int, or callable(edition) -> int
        Every variant runs with seeds 0 to ``seeds - 1``. A deterministic experiment takes one.
    compare : tuple of str
        The results (numbers) that a live repetition must agree in with the recorded runs.
    needs : tuple of str
        Recordings whose choice it reads (on full MNIST), and data sets of ``DATA_SETS``. They are recorded first, and a
        recording is out of date when one of them has changed.
    timed : bool
        Whether its times are results. Then a run is alone on its machine, with all its threads, and all runs are made on
        machines of one kind. Others share a machine, one thread each: sums are then added up in another order, so that a
        result may differ in rounding from one of a process with more threads.
    holds : callable(agree.Run)
        Says what agrees in every run (``experiments/bench/agree.py``). A run that does not is not stored.
    distinct : tuple of str
        Results that no two runs share; a run's results as a whole are always different from another's.
    alike : callable(settings, settings) -> bool
        Which pairs of runs may all the same have the same results, and why, in its docstring.
    close : dict of str -> float, (float, float), ``agree.Mistakes`` or ``agree.Along``; or callable(settings) -> such a dict
        How far a result of the same run, made again elsewhere, may lie from the recorded one
        (``experiments/bench/again.py``); of a pair, the first is for a curve's first value and the second for the others. What
        is not named must be the same.
    curves : tuple of str
        Results with a value for each of the epochs of ``keras.Model.fit``, which a repetition can stop after the first.

    Raises
    ------
    ValueError
        If another module has an experiment of this name.
    """

    def declare(function):
        known = EXPERIMENTS.get(function.__name__)
        if known and known.function.__module__ != function.__module__:
            raise ValueError(
                f"two experiments are called {function.__name__}: in {known.function.__module__} and "
                f"in {function.__module__}"
            )
        more = {"holds": holds, "distinct": distinct, "alike": alike, "close": close, "curves": curves}
        EXPERIMENTS[function.__name__] = Experiment(function, settings, seeds, compare, needs, timed, **more)
        return EXPERIMENTS[function.__name__]

    return declare


def digest_of_need(name):
    """Return the digest (hex) of a data set, or of a recording's settings and results on full MNIST, times left out.

    Raises
    ------
    MeasurementError
        If the recording is missing or damaged.
    """
    if name in DATA_SETS:
        return DATA_SETS[name]()
    return sha256([[run["settings"], run["result"]] for run in measurement(name).runs])


def load(module):
    """Import a module of experiments, which declares them."""
    importlib.import_module(module)


def load_all():
    """Import every module in ``experiments``; returns their short names, sorted."""
    modules = sorted(one.name for one in pkgutil.iter_modules(experiments.__path__) if one.name != "bench")
    for module in modules:
        load(f"experiments.{module}")
    return modules
