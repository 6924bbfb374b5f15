"""Make a few recorded runs again, others each day, and hold them against the recording: python -m experiments.bench.again

Two runs that were exchanged, or numbers changed by somebody who knows what must agree, show only when a run is made
again. That takes an hour for all of them; so a day's share is chosen by the date, and after some weeks every run had
its turn. Runs with curves are made twice in a round: first each is stopped after one epoch, which tells seeds and
settings apart at a fraction of the time, and at the end of the round whole. ``--list`` tells the order, the days of a
round and what takes too long to be repeated; ``--day`` (or the variable DIGITS_REPEAT_DAY) repeats another day's
share.

Processors differ in how they round, and a training grows that: ``close`` of an experiment says how far its results
may lie from the recorded ones, and a test holds that to how far recorded runs lie apart. Most trainings come out the
same to the last digit on processors of two makers, and the line of a run says whether this one did.
"""

import argparse
import contextlib
import datetime
import os
import sys
import time
from dataclasses import dataclass

import numpy as np

from experiments.bench import declare
from experiments.bench.agree import is_time
from experiments.bench.runs import make_run
from helpers.data import current_edition
from helpers.measurements import MeasurementError, measurement
from helpers.training import seed_offset

LONGEST = 62.0  # seconds: what took longer when it was recorded is not repeated
A_DAY = 65.0  # seconds, as recorded: what is repeated in a day
LIMIT = 85.0  # seconds, of now: no run is begun that would end later
START = 2.0  # seconds that a run takes besides its epochs


def differences(one, settings, recorded, live, only_first=False, exact=False):
    """Yield how the result of a run that was made again differs from the recorded one, more than ``close`` allows.

    Parameters
    ----------
    one : Experiment
    settings : dict
    recorded, live : dict
        Results. Times are not compared.
    only_first : bool
        Whether the run was stopped after an epoch: then its curves alone are compared, as far as they go.
    exact : bool
        Whether nothing is allowed.
    """
    names = [name for name in recorded if not is_time(name) and (not only_first or name in one.curves)]
    close = {} if exact else one.close(settings)
    for name in names:
        allowed, a, b = close.get(name, 0), recorded[name], live.get(name)
        if hasattr(allowed, "differ"):
            fault = allowed.differ(a, b, recorded, live)
        else:
            fault = _too_far(allowed, a, b, only_first)
        if fault:
            yield f"{name}: {fault}"


def _too_far(allowed, recorded, live, only_first):
    """Say how far numbers (or lists of them) lie apart if that is more than allowed: a number, or one for the first value of a
    curve and one for the others. What is no number must be the same."""
    if isinstance(recorded, (str, dict)) or recorded is None:
        return None if recorded == live else f"{recorded} was recorded, {live} now"
    a, b = np.ravel(np.asarray(recorded, float)), np.ravel(np.asarray(live, float))
    a = a[: len(b)] if only_first else a
    if a.shape != b.shape or len(b) == 0:
        return f"{len(a)} values were recorded, {len(b)} now"
    first, others = allowed if isinstance(allowed, tuple) else (allowed, allowed)
    limits = np.where(np.arange(len(a)) == 0, first, others)
    worst = int(np.argmax(np.nan_to_num(np.abs(a - b) - limits, nan=np.inf)))
    if abs(a[worst] - b[worst]) <= limits[worst]:
        return None
    return f"{a[worst]:.6g} was recorded, {b[worst]:.6g} now, more than {limits[worst]:.3g} apart"


@contextlib.contextmanager
def one_epoch():
    """Stop every training of Keras after its first epoch."""
    import keras

    fit = keras.Model.fit
    keras.Model.fit = lambda self, *arguments, **options: fit(self, *arguments, **{**options, "epochs": 1})
    try:
        yield
    finally:
        keras.Model.fit = fit


@dataclass(frozen=True)
class Task:
    """A recorded run to be made again. seconds: how long that takes, as recorded, about."""

    one: declare.Experiment
    edition: str
    run: dict
    only_first: bool
    seconds: float

    def __str__(self):
        settings = ", ".join(f"{name} {value}" for name, value in self.run["settings"].items())
        return f"{self.one.name} ({self.edition} edition, {settings}){', its first epoch' * self.only_first}"

    def make(self):
        """Make the run; return how it differs from the recorded one more than allowed, and how at all: lists of sentences."""
        order = {"module": self.one.__module__, "name": self.one.name, "edition": self.edition}
        with one_epoch() if self.only_first else contextlib.nullcontext():
            live = make_run({**order, "settings": self.run["settings"]})["result"]
        both = self.run["settings"], self.run["result"], live, self.only_first
        return [list(differences(self.one, *both, exact)) for exact in (False, True)]


def all_tasks(experiments, editions):
    """Return the tasks of a round, in order, and those that take too long.

    First come the runs with seed 0, so that each setting has its turn soon, then those with seed 1, ..., the quick ones before the
    slow; where there are curves, their first epoch, and at the end of the round all of them whole.
    """
    soon, late = [], []
    for edition in editions:
        for one in experiments:
            for run in measurement(one.name, edition).runs:
                if one.curves:
                    epochs = len(run["result"][one.curves[0]])
                    soon.append(Task(one, edition, run, True, run["seconds"] / epochs + START))
                (late if one.curves else soon).append(Task(one, edition, run, False, run["seconds"] + START))
    tasks = [
        task
        for part in (soon, late)
        for task in sorted(part, key=lambda task: (task.run["settings"]["seed"], task.seconds))
    ]
    return [task for task in tasks if task.seconds <= LONGEST], [task for task in tasks if task.seconds > LONGEST]


def days_of(tasks, a_day=A_DAY):
    """Divide tasks into days (lists of tasks) of ``a_day`` seconds at most, in order."""
    days, spent = [[]], 0.0
    for task in tasks:
        if days[-1] and spent + task.seconds > a_day:
            days.append([])
            spent = 0.0
        days[-1].append(task)
        spent += task.seconds
    return days


def told(days, too_long):
    """Yield the lines that describe a round."""
    for number, tasks in enumerate(days):
        yield f"day {number} ({sum(task.seconds for task in tasks):.0f} s)"
        yield from (f"    {task}" for task in tasks)
    settings = {}
    for number, tasks in enumerate(days):
        for task in tasks:
            settings.setdefault((task.one.name, task.edition, str({**task.run["settings"], "seed": 0})), number)
    yield f"{len(days)} days make a round; each of {len(settings)} settings had its turn after {max(settings.values()) + 1} days"
    yield f"not repeated, more than {LONGEST:.0f} s each: " + ("; ".join(map(str, too_long)) or "nothing")


def main(arguments=None):
    """Run as described above; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.bench.again", description="Make a day's share of the recorded runs again."
    )
    parser.add_argument("--list", action="store_true", help="list a round, day by day, and make nothing")
    day = os.environ.get("DIGITS_REPEAT_DAY") or datetime.date.today().toordinal()
    parser.add_argument(
        "--day", type=int, default=int(day), help="whose share; by default DIGITS_REPEAT_DAY, or the date's"
    )
    options = parser.parse_args(arguments)
    declare.load_all()
    try:
        editions = ("full", "sample") if current_edition() == "full" else ("sample",)
        tasks, too_long = all_tasks(declare.EXPERIMENTS.values(), editions)
        days = days_of(tasks)
        if options.list:
            print("\n".join(told(days, too_long)))
            return 0
        if seed_offset():
            raise MeasurementError(
                "DIGITS_SEED_OFFSET shifts all seeds, and no run would be the recorded one: unset it"
            )
        round_, place = divmod(options.day, len(days))
        first = round_ % len(days[place])  # what one round had no time for, another begins with
        print(f"recorded runs made again, day {place} of a round of {len(days)} (--day {options.day}):", flush=True)
        return again(days[place][first:] + days[place][:first])
    except MeasurementError as error:
        print(error, file=sys.stderr)
        return 1


def again(tasks, limit=LIMIT):
    """Make tasks again, as far as ``limit`` seconds reach; say what was made and what differs; return the exit status."""
    start, made, wrong = time.monotonic(), 0, 0
    for task in tasks:
        if made and time.monotonic() - start + task.seconds > limit:
            continue  # a slow machine, or a busy one
        found, at_all = task.make()
        said = "; ".join(found) or (
            "as recorded, give or take rounding" if at_all else "as recorded, to the last digit"
        )
        print(f"  {task}: {said}", flush=True)
        made, wrong = made + 1, wrong + bool(found)
    left = f"; no time for {len(tasks) - made} more" if made < len(tasks) else ""
    print(f"  {made} runs, {wrong} of them other than recorded, {time.monotonic() - start:.0f} s{left}", flush=True)
    if wrong:
        print(
            f"{wrong} recorded runs in data/measurements are not what their code gives: were they edited, or exchanged? Restore "
            "them from git; if versions or the kind of processor changed, record again: make measurements",
            file=sys.stderr,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
