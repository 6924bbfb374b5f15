"""Recorded measurements: what takes longer than a chapter may, run once by ``make measurements`` and kept with its
provenance.

``data/measurements/NAME.json`` holds every run in both editions, with settings, seeds, versions, processor, date and a hash
of the code. A chapter reads it with :func:`measurement`; the experiment that made it (``experiments/CHAPTER.py``) repeats one
of the runs live. How experiments are declared and recorded: ``experiments/bench``.
"""

import hashlib
import json
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np

from helpers.text import say

ROOT = Path(__file__).resolve().parent.parent


class MeasurementError(Exception):
    """A recording is missing, damaged or out of date. The message names the file, the fault and the cure."""


def folder():
    """Return the folder of the recordings: DIGITS_MEASUREMENTS, or ``data/measurements``, or what came in the wheel."""
    installed = Path(__file__).resolve().with_name("recordings")
    return Path(
        os.environ.get("DIGITS_MEASUREMENTS") or (installed if installed.is_dir() else ROOT / "data" / "measurements")
    )


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
        """All runs of the edition: dicts with ``settings`` (the seed among them), ``result``, ``seconds`` and the number of
        their ``machine``."""
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
        """Say where the recording comes from: date, processors, versions, number of runs, and how to make it again."""
        edition = "full MNIST" if self.edition == "full" else "the sample edition"
        say(
            f"*Recorded {self._dates()}: {len(self.runs)} runs on {edition}, {self._processors()}, {self._versions()}. "
            f"`make measurements NAME={self.name}` records it again.*"
        )

    def _machines(self):
        """Where each run was made: a list of dicts with date, processor, cores, threads and versions."""
        machines = self.content["editions"][self.edition]["machines"]
        return [machines[run["machine"]] for run in self.runs]

    def _dates(self):
        dates = sorted({one["date"] for one in self._machines()})
        return f"on {dates[0]}" if len(dates) == 1 else f"from {dates[0]} to {dates[-1]}"

    def _processors(self):
        counts = Counter(f"{one['processor']}, {one['cores']} cores" for one in self._machines())
        if len(counts) == 1:
            return next(iter(counts))
        return "; ".join(f"{count} of them on {processor}" for processor, count in counts.most_common())

    def _versions(self):
        """Each package with its version, or the lowest and the highest."""
        found = {}
        for one in self._machines():
            for name, version in one["versions"].items():
                found.setdefault(name, set()).add(version)
        in_order = {name: sorted(versions, key=_as_numbers) for name, versions in found.items()}
        return ", ".join(
            f"{name} {versions[0]}" + (f" to {versions[-1]}" if len(versions) > 1 else "")
            for name, versions in in_order.items()
        )


def _as_numbers(version):
    return [int(part) for part in re.findall(r"\d+", version)]


def digest(content, edition):
    """Return a SHA-256 over all that a recording (dict) holds of an edition, but the ``digest`` that stands there itself.

    What was changed by hand or by accident, a result, a setting, a machine or the code's hash, no longer fits it.
    """
    about = {name: value for name, value in content["editions"][edition].items() if name != "digest"}
    whole = [content["name"], content["module"], edition, about]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


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
        [about["machines"][run["machine"]] for run in about["runs"]]
    except FileNotFoundError:
        raise MeasurementError(f"{path} is missing; {cure}") from None
    except (OSError, ValueError) as error:
        raise MeasurementError(
            f"{path} cannot be read as a recording ({error}); restore it from git, or {cure}"
        ) from None
    except (KeyError, TypeError, IndexError) as error:
        raise MeasurementError(f"{path} is incomplete (no {error}); {cure}") from None
    if about.get("digest") != digest(content, edition) or content["name"] != name:
        raise MeasurementError(
            f"{path} was altered: its {edition} runs do not fit their digest; restore it from git, or {cure}"
        )
    return Measurement(content, path, edition)
