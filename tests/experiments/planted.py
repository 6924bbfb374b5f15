"""Faults planted into the book's recordings, by a hand that makes the digests fit: what notices them."""

import copy
import functools
import json

from experiments.bench import agree
from experiments.bench.declare import EXPERIMENTS, load_all
from notebook_rules import ROOT

FOLDER = ROOT / "data" / "measurements"
EDITIONS = ("full", "sample")
load_all()
DECLARED = list(EXPERIMENTS.values())


@functools.cache
def book():
    """The book's recordings: (name, edition) -> the edition as the file has it. Not to be changed."""
    files = {one.name: json.loads((FOLDER / f"{one.name}.json").read_text(encoding="utf-8")) for one in DECLARED}
    return {(name, edition): files[name]["editions"][edition] for name in files for edition in EDITIONS}


class Library:
    """The book's recordings with some of them changed, and what disagrees in them."""

    def __init__(self):
        self.changed, self.asked, self.asking = {}, {}, None

    def runs(self, name, edition):
        """The runs of a recording, to be changed as you like."""
        return self.changed.setdefault((name, edition), copy.deepcopy(book()[name, edition]["runs"]))

    def find(self, name, edition, settings):
        """As ``agree.Run`` takes it; notes who asked for what."""
        self.asked.setdefault((name, edition, agree.as_text(settings)), set()).add(self.asking)
        runs = self.changed.get((name, edition)) or book()[name, edition]["runs"]
        text = agree.as_text(settings)
        return next((run["result"] for run in runs if agree.as_text(run["settings"]) == text), None)

    def run_faults(self, name, edition, settings, truth=None):
        """What disagrees in one run."""
        text = self.asking = (name, edition, agree.as_text(settings))
        runs = self.changed.get((name, edition)) or book()[name, edition]["runs"]
        run = next(run for run in runs if agree.as_text(run["settings"]) == text[2])
        about = {"seconds": run["seconds"], "find": self.find, "truth": truth}
        return list(agree.run_faults(EXPERIMENTS[name], run["settings"], run["result"], edition, **about))

    def faults(self, name, edition, truth=None):
        """What disagrees in a recording."""
        runs = self.changed.get((name, edition)) or book()[name, edition]["runs"]
        found = [fault for run in runs for fault in self.run_faults(name, edition, run["settings"], truth)]
        return found + list(agree.faults_between(EXPERIMENTS[name], runs))

    def all_faults(self):
        """What disagrees anywhere in the book."""
        return [fault for one in DECLARED for edition in EDITIONS for fault in self.faults(one.name, edition)]


def leaves(value, path=()):
    """The paths of all numbers in a result, times left out."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not agree.is_time(name):
                yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*path, place))
    elif type(value) in (int, float):
        yield path


def set_leaf(result, path, value):
    """Put a value at a path."""
    for step in path[:-1]:
        result = result[step]
    result[path[-1]] = value


def get_leaf(result, path):
    """The value at a path."""
    return functools.reduce(lambda inner, step: inner[step], path, result)


def typed_over(value, rng):
    """A number as a hand changes it: one of its first four digits is another, the others stay."""
    text = json.dumps(value)
    digits = [place for place, sign in enumerate(text.partition("e")[0]) if sign.isdigit()]
    first = next((number for number, place in enumerate(digits) if text[place] != "0"), 0)
    place = rng.choice(digits[first : first + 4])
    others = [digit for digit in "123456789" if digit != text[place]]
    return json.loads(text[:place] + rng.choice(others) + text[place + 1 :])
