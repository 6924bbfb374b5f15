"""What agrees in a true recording, so that a number changed by hand shows even where the digest was made to fit.

Inside a run, results say the same thing twice: an accuracy and the list of mistakes, a matrix and its sums, a curve
and its last value. An accuracy is a whole number of images, a loss that Keras gives is a 32-bit number. An experiment
says all that holds of its runs in a function, ``@experiment(..., holds=pixel_scale_holds)``, which takes a
:class:`Run` and calls its methods::

    def pixel_scale_holds(run):
        run.has("val_loss", "val_accuracy", "val_accuracy_last")
        run.losses("val_loss", length=6)
        run.shares("val_accuracy", of=run.held_out(0.2), length=5)
        run.equal("val_accuracy_last", run["val_accuracy"][-1])

It is called when a run is stored, so that no false one enters, and for every stored run by the tests. Between the
runs of a recording, no two have the same result (:func:`faults_between`).
"""

import json
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from helpers.measurements import MeasurementError, folder

IMAGES = {"full": (60_000, 10_000), "sample": (4_000, 1_000)}  # to train and to test
#: How many test images there are of each digit.
OF_EACH_DIGIT = {"full": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009), "sample": (100,) * 10}


def is_time(name):
    """Is a result of this name a time? It differs from run to run and is compared with nothing."""
    return name == "seconds" or name.endswith("_seconds")


def raw(result):
    """Return a result (dict) without its times."""
    return {name: value for name, value in result.items() if not is_time(name)}


def as_text(value):
    """Return a value as JSON writes it, to find equal ones."""
    return json.dumps(value, sort_keys=True)


class Run:
    """One run of an experiment, held against itself: each method adds a sentence to ``faults`` where something disagrees.

    ``run["val_loss"]`` is a result. Numbers of results may be inside lists; NaN and infinity are no numbers.

    Parameters
    ----------
    settings, result : dict
        As the recording has them.
    edition : "full" or "sample"
    seconds : float or None
        What the whole run took.
    find : callable(name, edition, settings) or None
        Gives another recorded run's result (dict), or None where there is none that this run must agree with to the last digit;
        without it, nothing is held against other runs.
    truth : int array or None
        The test images' labels; without them, nothing is held against them.

    Attributes
    ----------
    train, test : int
        How many images the edition has.
    faults : list of str
    """

    def __init__(self, settings, result, edition, seconds=None, find=None, truth=None):
        self.settings, self.result, self.edition, self.seconds = settings, result, edition, seconds
        self.find, self.truth, self.faults = find or (lambda name, edition, settings: None), truth, []
        self.train, self.test = IMAGES[edition]

    def __getitem__(self, name):
        return self.result[name]

    def held_out(self, share):
        """Return how many training images are left when all but a ``share`` of them are taken, rounded down, to learn from."""
        return self.train - int(self.train * (1 - share))

    def must(self, holds, fault):
        """Note a fault unless something holds; returns whether it does."""
        if not holds:
            self.faults.append(fault)
        return bool(holds)

    def has(self, *names):
        """The run has these results and no others."""
        self.must(set(self.result) == set(names), f"its results are {sorted(self.result)}, not {sorted(names)}")

    def numbers(self, name, length=None):
        """Return a result's numbers as a list: ``length`` of them, or the one that it is."""
        value = [self[name]] if length is None else self[name]
        right = isinstance(value, list) and (length is None or len(value) == length)
        right = right and all(type(one) in (int, float) and math.isfinite(one) for one in value)
        what = "a number" if length is None else f"a list of {length} numbers"
        return value if self.must(right, f"{name} is not {what}") else []

    def equal(self, name, expected, within=0.0):
        """A result is a number that follows from others: ``expected``, give or take ``within``."""
        for value in self.numbers(name):
            self.must(abs(value - expected) <= within, f"{name} is {value}, but the rest of the run says {expected}")

    def between(self, low, high, *names, length=None):
        """Results lie in ``low..high``."""
        for name in names:
            for value in self.numbers(name, length):
                self.must(low <= value <= high, f"{name} is {value}, not in {low:.6g} to {high:.6g}")

    def whole(self, low, high, *names, length=None):
        """Results are whole numbers in ``low..high``."""
        self.between(low, high, *names, length=length)
        for name in names:
            for value in self.numbers(name, length):
                self.must(isinstance(value, int), f"{name} is {value}, not a whole number")

    def float32(self, *names, length=None):
        """Results are numbers of 32 bits, as TensorFlow gives them: other digits than such a number's were typed."""
        for name in names:
            for value in self.numbers(name, length):
                self.must(float(np.float32(value)) == value, f"{name} is {value}, which is no 32-bit number")

    def losses(self, *names, length=None, digits=None):
        """Results are losses: not negative, of 32 bits, or rounded to some digits."""
        self.between(0, math.inf, *names, length=length)
        if digits is None:
            self.float32(*names, length=length)
        else:
            for name in names:
                for value in self.numbers(name, length):
                    self.must(round(value, digits) == value, f"{name} is {value}: more than {digits} digits")

    def shares(self, *names, of, length=None, digits=None, exact=False):
        """Results are shares of ``of`` things: a whole number of them, divided.

        As Keras divides, in 32 bits; in 64 bits if ``exact``; rounded to ``digits`` if given.
        """
        within = 1e-12 if exact else 2**-23 if digits is None else 0.51 * 10**-digits + 2**-23
        self.between(0, 1, *names, length=length)
        for name in names:
            for value in self.numbers(name, length):
                nearest = round(value * of) / of
                self.must(abs(value - nearest) <= within, f"{name} is {value}, no whole number of {of}")
                if digits is not None:
                    self.must(round(value, digits) == value, f"{name} is {value}: more than {digits} digits")
        if digits is None and not exact:
            self.float32(*names, length=length)

    def floor(self, loss, accuracy):
        """A cross-entropy is not smaller than its mistakes make it: an image got wrong gave its digit 1/2 at most.

        loss, accuracy : float, or lists of them, measured on the same images.
        """
        for one, share in zip(np.ravel(loss), np.ravel(accuracy), strict=True):
            least = (1 - share) * math.log(2)
            self.must(one >= least - 1e-4, f"a loss of {one} is too small for an accuracy of {share}")

    def near(self, accuracy, other, of, of_other):
        """Two accuracies of one network, on different images of one kind, differ by chance alone.

        accuracy, other : floats; of, of_other : of how many images each is.
        Allowed are five standard deviations of the difference, and a hundredth because other people wrote the test images.
        """
        for share, count in ((accuracy, of), (other, of_other)):
            self.must(0 <= share <= 1 and count > 0, f"{share} is no share")
        middle = (accuracy * of + other * of_other) / (of + of_other)
        allowed = 0.01 + 5 * math.sqrt(max(middle * (1 - middle), 0) * (1 / of + 1 / of_other))
        self.must(
            abs(accuracy - other) <= allowed, f"accuracies of {accuracy} and {other} are too far apart for one network"
        )

    def steady(self, name, length, step, after=0):
        """A curve's neighbouring values differ by ``step`` at most, the first ``after`` left out."""
        values = self.numbers(name, length)[after:]
        for one, following in zip(values, values[1:], strict=False):
            self.must(abs(one - following) <= step, f"{name} jumps from {one} to {following}")

    def mistakes(self, name, accuracy):
        """A result lists the test images got wrong (indices, ascending), and an accuracy says how many they are."""
        wrong = self.numbers(name, len(self[name]))
        self.must(wrong == sorted(set(wrong)), f"{name} is not in order, or names an image twice")
        self.whole(0, self.test - 1, name, length=len(wrong))
        self.equal(accuracy, 1 - len(wrong) / self.test, within=1e-12)

    def confusion(self, name, wrong, wrong_digit):
        """A confusion matrix holds the mistakes that are listed, and all images of each digit."""
        matrix = np.array(self[name])
        if not self.must(
            matrix.shape == (10, 10) and matrix.dtype.kind == "i" and matrix.min() >= 0, f"{name} is none"
        ):
            return
        sums = matrix.sum(axis=1).tolist()
        self.must(
            sums == list(OF_EACH_DIGIT[self.edition]), f"the rows of {name} sum to {sums}, not to the digits' counts"
        )
        self.whole(0, 9, wrong_digit, length=len(self[wrong]))
        off = matrix - np.diag(np.diag(matrix))
        taken_for = np.bincount(self[wrong_digit], minlength=10).tolist()
        self.must(off.sum(axis=0).tolist() == taken_for, f"the columns of {name} and {wrong_digit} differ")
        if self.truth is not None:
            counted = np.zeros((10, 10), int)
            np.add.at(counted, (self.truth[self[wrong]], self[wrong_digit]), 1)
            self.must((counted == off).all(), f"{name} and the labels of {wrong}, with {wrong_digit}, differ")

    def elapsed(self, *names):
        """Results are times, one after the other: more than nothing, and together not more than the run."""
        spent = [value for name in names for value in self.numbers(name)]
        self.must(all(value > 0 for value in spent), f"{', '.join(names)}: a time that is not positive")
        if self.seconds is not None:
            self.must(sum(spent) <= self.seconds + 0.002, f"{', '.join(names)} take {sum(spent)} s of {self.seconds} s")

    def other(self, name, edition=None, **settings):
        """Return another run's result (dict), or None if there is none that this one must agree with."""
        return self.find(name, edition or self.edition, {"seed": self.settings["seed"], **settings})

    def agrees(self, name, pairs, within=1e-12, **settings):
        """Another recording's run with the same seed measured the same.

        name, settings : the other run's.
        pairs : list of (str, str)
            This run's result and the other's. For a part of a list there stands a pair for either: its name and an index.
        within : float
            How far numbers may lie apart, where one of them was rounded.
        """
        theirs = self.other(name, **settings)
        for mine, other in pairs if theirs else ():
            a, b = np.ravel(_part(self, mine)), np.ravel(_part(theirs, other))
            same = a.shape == b.shape and (np.abs(a - b) <= within).all()
            self.must(
                same, f"{mine if isinstance(mine, str) else mine[0]} differs from what {name} measured of the same run"
            )


def _part(result, key):
    """A result, or for a pair of name and index a part of it."""
    return result[key[0]][key[1]] if isinstance(key, tuple) else result[key]


def run_faults(one, settings, result, edition, **about):
    """Yield what disagrees in one run, as sentences.

    Parameters
    ----------
    one : Experiment
    settings, result, edition
        As :class:`Run` takes them, and so is what else is known about the run: seconds, find, truth.
    """
    run = Run(settings, result, edition, **about)
    which = ", ".join(f"{name} {value}" for name, value in settings.items())
    try:
        if one.holds:
            one.holds(run)
        if run.seconds is not None:
            run.must(type(run.seconds) in (int, float) and 0 <= run.seconds < math.inf, f"it took {run.seconds} s")
    except MeasurementError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        run.faults.append(f"its results cannot be held against each other ({type(error).__name__}: {error})")
    yield from (f"the run {which}: {fault}" for fault in run.faults)


def faults_between(one, runs):
    """Yield what is wrong between the runs (list of dicts with settings and result) of one edition, as sentences.

    No two runs have the same settings and seed; no two have the same result, times aside, unless ``one.alike`` says why they may; and
    none of the results in ``one.distinct`` is the same in two runs.
    """
    settings = [as_text(run["settings"]) for run in runs]
    for text in sorted({text for text in settings if settings.count(text) > 1}):
        yield f"two runs have the settings {text}"
    for name in (None, *one.distinct):
        seen = {}
        for run in runs:
            value = raw(run["result"]) if name is None else run["result"].get(name)
            seen.setdefault(as_text(value), []).append(run["settings"])
        for same in seen.values():
            first = same[0]
            for other in same[1:]:
                if not (one.alike and one.alike(first, other)):
                    both = f"{as_text(first)} and {as_text(other)} have the same {name or 'result'}"
                    yield f"the runs {both}: does the run use its settings and its seed?"


@lru_cache(maxsize=100)
def _indexed(path, changed, edition):
    """The runs of a file's edition by their settings, and their machines without the date."""
    content = json.loads(path.read_text(encoding="utf-8"))["editions"][edition]
    machines = [{**machine, "date": None} for machine in content["machines"]]
    return {as_text(run["settings"]): (run["result"], machines[run["machine"]]) for run in content["runs"]}


def finder(machine):
    """Return ``find`` for :class:`Run`: looks among the recordings for runs of the same kind of machine as ``machine`` (dict).

    On another processor, or with other versions or threads, a training rounds otherwise, and equal runs differ a little.
    """
    kind = {**machine, "date": None}

    def find(name, edition, settings):
        path = folder() / f"{name}.json"
        try:
            result, made_on = _indexed(path, path.stat().st_mtime_ns, edition).get(as_text(settings), (None, None))
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return result if made_on == kind else None

    return find


def recording_faults(one, edition, about, truth=None):
    """Yield what disagrees in one edition of a recording, as sentences.

    Parameters
    ----------
    one : Experiment
    edition : "full" or "sample"
    about : dict
        The edition as the file has it: machines and runs.
    truth : int array or None
        The labels of the edition's test images.
    """
    for run in about["runs"]:
        find = finder(about["machines"][run["machine"]])
        known = {"seconds": run["seconds"], "find": find, "truth": truth}
        yield from run_faults(one, run["settings"], run["result"], edition, **known)
    yield from faults_between(one, about["runs"])


# ---------------------------------------------------------------- how far a run that is made again may lie from the
# recorded one


@dataclass(frozen=True)
class Mistakes:
    """How far two lists of mistakes may differ: ``images`` are in one list and not in the other, at most."""

    images: int

    def differ(self, recorded, live, whole_recorded, whole_live):
        """Return what is too different, as words, or None."""
        apart = len(set(recorded) ^ set(live))
        return (
            f"{apart} images are in one list and not in the other, more than {self.images}"
            if apart > self.images
            else None
        )


@dataclass(frozen=True)
class Along:
    """How far what stands along a list of mistakes may differ, for images that both lists have: ``within``, in the median."""

    mistakes: str
    within: float

    def differ(self, recorded, live, whole_recorded, whole_live):
        """Return what is too different, as words, or None."""
        a, b = (
            dict(zip(run[self.mistakes], values, strict=True))
            for run, values in ((whole_recorded, recorded), (whole_live, live))
        )
        apart = float(np.median([abs(a[image] - b[image]) for image in a.keys() & b.keys()] or [0]))
        return f"{apart:.4g} apart in the median, more than {self.within}" if apart > self.within else None
