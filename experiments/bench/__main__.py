"""Record measurements: ``python -m experiments.bench [NAME ...] [--edition full|sample|both] [--seeds 0-4,7] [--again]``.

Makes the runs that are missing or out of date (the code, what is needed, or the list of runs has changed), on all cores, or
on the cluster whose scheduler the variable DIGITS_SCHEDULER names (tcp://host:port). Each finished run is kept in
``data/measurements/NAME.EDITION.partial`` at once, so a recording that was killed goes on where it stopped; the recording
itself is written whole, in one step, when all its runs are there. Recordings that others need come first; runs whose time is
a result come last, alone on their machine.
"""

import argparse
import os
import sys
import time
from importlib.util import find_spec

from experiments.bench import declare
from experiments.bench.runs import Serial, order_for
from experiments.bench.store import Recording, RecordingError, alone_in
from helpers.measurements import MeasurementError, folder


def seeds_of(text):
    """Return the seeds (set of int) that a text like "3" or "0-4,7" lists; argparse's error if it lists none."""
    found = set()
    for part in text.split(","):
        first, dash, last = (one.strip() for one in part.partition("-"))
        if not first.isdecimal() or not (last if dash else first).isdecimal() or int(last or first) < int(first):
            raise argparse.ArgumentTypeError(f"{text!r} is no list of seeds like 3 or 0-4,7")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def waves(wanted):
    """Yield lists of (experiment, edition): each list needs, on full MNIST, only what was in the lists before, or is in none.

    Raises
    ------
    RecordingError
        If experiments need each other in a circle.
    """
    left = list(wanted)
    while left:
        to_come = {one.name for one, edition in left if edition == "full"}
        ready = [(one, edition) for one, edition in left if not to_come & set(one.needs)]
        if not ready:
            raise RecordingError(f"these need each other in a circle: {', '.join(sorted(to_come))}")
        yield ready
        left = [one for one in left if one not in ready]


def in_words(seconds):
    """Return a time as people say it: in seconds, or in minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


class Progress:
    """A bar with the time left where somebody watches; in a log, a line from time to time.

    total : int, the runs to make.
    """

    EVERY = 30  # seconds between two lines

    def __init__(self, total):
        from tqdm import tqdm

        self.total, self.count, self.start, self.said = total, 0, time.monotonic(), 0.0
        self.bar = tqdm(total=total, unit="run", disable=not sys.stderr.isatty())

    def add(self, runs):
        """Correct the number of runs to make."""
        self.total += runs
        self.bar.total = self.total
        self.bar.refresh()

    def one_more(self, name):
        """A run of this name is finished."""
        self.count += 1
        self.bar.set_description(name, refresh=False)
        self.bar.update()
        now = time.monotonic()
        if self.bar.disable and (now - self.said > self.EVERY or self.count == self.total):
            self.said = now
            left = (now - self.start) / self.count * (self.total - self.count)
            self.say(f"{self.count} of {self.total} runs, about {in_words(left)} left; last: {name}")

    def say(self, text):
        """Print a line, above the bar if there is one."""
        self.bar.write(text, file=sys.stderr)


def record(wanted, workers, options):
    """Make all runs of the wanted (experiment, edition), wave after wave; returns the sentences on what is still missing."""
    progress, incomplete = None, []
    for wave in waves(wanted):
        machine = workers.machine()
        recordings = [Recording(one, edition, machine, options.again) for one, edition in wave]
        if progress is None:  # what comes in later waves is counted in full until its turn
            later = [pair for pair in wanted if pair not in wave]
            progress = Progress(sum(len(one.runs(edition)) for one, edition in later))
        else:
            progress.add(-sum(len(one.wanted) for one in recordings))
        progress.add(sum(len(one.missing(options.seeds)) for one in recordings))
        for timed in (False, True):
            make([one for one in recordings if one.one.timed == timed], workers, timed, options.seeds, progress)
        incomplete += [still_missing(one) for one in recordings if one.missing()]
    progress.bar.close()
    return incomplete


def make(recordings, workers, timed, seeds, progress):
    """Make the missing runs of some recordings, keep each, and write each recording that becomes complete."""
    of = {(one.one.name, one.edition): one for one in recordings}
    for one in recordings:
        if not one.missing() and not one.up_to_date:
            one.merge()  # all runs were there, when the program was stopped or the list of runs became shorter
    orders = [order_for(one, settings) for one in recordings for settings in one.missing(seeds)]
    for order, run in workers.make(orders, timed):
        recording = of[order["name"], order["edition"]]
        recording.keep(run)
        progress.one_more(f"{order['name']} ({order['edition']})")
        if not recording.missing():
            recording.merge()


def still_missing(recording):
    """Say which runs a recording lacks."""
    missing = recording.missing()
    seeds = ", ".join(map(str, sorted({settings["seed"] for settings in missing})))
    return (
        f"{recording.one.name} ({recording.edition} edition): {len(missing)} of {len(recording.wanted)} runs are still "
        f"missing, of seeds {seeds}; until they are made, {recording.path.name} stays as it is"
    )


def chosen_workers(options):
    """Return what makes the runs: Dask's workers, or this process where Dask is not installed."""
    scheduler = os.environ.get("DIGITS_SCHEDULER")
    if options.serial:
        return Serial()
    if find_spec("distributed") is None:
        if scheduler:
            raise RecordingError(
                f"DIGITS_SCHEDULER is {scheduler}, but Dask is not installed: .venv/bin/python -m pip install -r requirements-cluster.txt"
            )
        print("Dask is not installed: one run after the other", file=sys.stderr)
        return Serial()
    from experiments.bench.dask_map import Workers

    return Workers(scheduler, options.workers)


def parsed(arguments):
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.bench", description="Record the book's measurements.")
    parser.add_argument("names", nargs="*", help="experiments or whole modules (training, say); all of them by default")
    parser.add_argument("--edition", choices=("full", "sample", "both"), default="both")
    parser.add_argument(
        "--seeds", type=seeds_of, help="make the runs of these seeds alone: a number, or a list like 0-4,7"
    )
    parser.add_argument("--again", action="store_true", help="record again even what is up to date")
    parser.add_argument("--serial", action="store_true", help="one run after the other, in this process, without Dask")
    parser.add_argument("--workers", type=int, help="processes to start here; by default as many as there are cores")
    parser.add_argument("--list", action="store_true", help="list the experiments with their number of runs")
    return parser.parse_args(arguments)


def main(arguments=None):
    """Run as described above; returns the exit status."""
    options = parsed(arguments)
    modules = declare.load_all()
    known = declare.EXPERIMENTS
    chosen = [
        one
        for one in known.values()
        if not options.names or {one.name, one.__module__.split(".")[-1]} & set(options.names)
    ]
    unknown = set(options.names) - set(known) - set(modules)
    if unknown:
        print(f"no experiment is called {', '.join(sorted(unknown))}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    if options.list:
        for one in chosen:
            print(f"{one.name}: {len(one.runs('full'))} runs (full), {len(one.runs('sample'))} (sample)")
        return 0
    editions = ("full", "sample") if options.edition == "both" else (options.edition,)
    wanted = [(one, edition) for edition in editions for one in chosen]
    if options.seeds is not None and not any(
        settings["seed"] in options.seeds for one, edition in wanted for settings in one.runs(edition)
    ):
        print(f"no run of {', '.join(one.name for one in chosen)} has one of these seeds", file=sys.stderr)
        return 2
    return run(wanted, editions, options)


def run(wanted, editions, options):
    """Hold the folder of the recordings and record; returns the exit status."""
    from helpers import data

    folder().mkdir(parents=True, exist_ok=True)
    try:
        with alone_in(folder()):
            for edition in editions:
                os.environ["DIGITS_EDITION"] = edition
                data.load_mnist(quiet=True)  # downloaded once, before many processes ask for it
            with chosen_workers(options) as workers:
                incomplete = record(wanted, workers, options)
    except (RecordingError, MeasurementError) as error:
        print(error, file=sys.stderr)
        return 1
    for sentence in incomplete:
        print(sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
