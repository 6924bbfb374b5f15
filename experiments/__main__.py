"""Record measurements: ``python -m experiments [NAME ...] [--edition full|sample|both] [--again]``.

Runs what is missing or out of date (its code or its list of runs has changed), in a fixed order, with a progress bar.
Each finished run is kept in
``data/measurements/NAME.EDITION.partial`` at once, so a recording that was killed goes on where it stopped; the
recording itself is written whole, in one step, when all its runs are there.
"""

import argparse
import datetime
import hashlib
import importlib
import importlib.metadata
import json
import os
import pkgutil
import platform
import re
import sys
import time

import experiments
from experiments.bench.code import code_hash
from helpers.measurements import EXPERIMENTS, digest, folder

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "scikit-learn", "scikit-learn-intelex")


def versions():
    """Return Python's version and those of the packages that results depend on."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def processor():
    """Return the processor's model name as far as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def read_partial(path, stamp):
    """Return the finished runs of an interrupted recording that carry the same stamp; drop a last line cut short."""
    runs = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return runs
    for line in lines:
        try:
            run = json.loads(line)
        except ValueError:
            continue
        if isinstance(run, dict) and run.pop("stamp", None) == stamp:
            runs.append(run)
    return runs


def keep_run(path, run, stamp):
    """Append a finished run to the partial recording, on a line of its own even after a line cut short."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write((json.dumps({**run, "stamp": stamp}) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


def jsonable(value):
    """NumPy's numbers and arrays as Python's; used where JSON does not know what to do."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a result holds a {type(value).__name__}, which JSON cannot keep")


def key(settings):
    """Settings as a text, to find a run by."""
    return json.dumps(settings, sort_keys=True, default=jsonable)


def read_recording(path):
    """Return the editions of the recording at ``path``: none if there is no file, or a damaged one."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["editions"])
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        print(f"{path} is damaged: recording it again", file=sys.stderr)
        return {}


def write_whole(path, content):
    """Write JSON to ``path`` in one step: a full disk or a kill leaves the old file or the new, never a half."""
    text = json.dumps(content, indent=1)
    # A list of numbers stands on one line: a thousand lines of digits help nobody who reads the file. Strings are left
    # alone.
    text = re.sub(
        r'("(?:[^"\\]|\\.)*")|\[\s+([^\[\]{}"]*?)\s+\]',
        lambda found: found[1] or "[" + re.sub(r"\s*\n\s*", " ", found[2]) + "]",
        text,
    )
    half = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        half.write_text(text + "\n", encoding="utf-8")
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


def record(experiment, edition, again, bar):
    """Make all runs of one experiment in one edition and write the recording."""
    from helpers.data import load_mnist

    path = folder() / f"{experiment.name}.json"
    partial = folder() / f"{experiment.name}.{edition}.partial"
    code = code_hash(experiment.function)
    wanted = experiment.runs(edition)
    here = {"processor": processor(), "cores": os.cpu_count(), "versions": versions()}
    old = read_recording(path).get(edition, {})
    kept = (
        old.get("runs", [])
        if old.get("code") == code and old.get("digest") == digest(old.get("runs")) and not again
        else []
    )
    if kept and [key(run["settings"]) for run in kept] == [key(settings) for settings in wanted]:
        bar.update(len(wanted))
        return
    if any(old.get(name) != value for name, value in here.items()):
        kept = []
    # Finished runs count if this very code made them, here: those of the recording (when seeds or variants were added)
    # and those of one interrupted.
    stamp = hashlib.sha256(f"{code} {key(here)}".encode()).hexdigest()
    digits = load_mnist(quiet=True)
    done = {key(run["settings"]): run for run in kept + read_partial(partial, stamp)}
    for settings in wanted:
        bar.set_description(f"{experiment.name} ({edition}) {settings}")
        if key(settings) not in done:
            start = time.perf_counter()
            result = experiment.function(digits, **settings)
            run = {"settings": settings, "result": result, "seconds": round(time.perf_counter() - start, 3)}
            run = json.loads(json.dumps(run, default=jsonable))
            keep_run(partial, run, stamp)
            done[key(settings)] = run
        bar.update()
    runs = [done[key(settings)] for settings in wanted]
    content = {"name": experiment.name, "module": experiment.function.__module__, "editions": read_recording(path)}
    content["editions"][edition] = {
        "date": datetime.date.today().isoformat(),
        **here,
        "code": code,
        "digest": digest(runs),
        "runs": runs,
    }
    write_whole(path, content)
    partial.unlink(missing_ok=True)


def main(arguments=None):
    """Run as described above; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description="Record the book's measurements.")
    parser.add_argument("names", nargs="*", help="experiments or whole modules (training, say); all of them by default")
    parser.add_argument("--edition", choices=("full", "sample", "both"), default="both")
    parser.add_argument("--again", action="store_true", help="record again even what is up to date")
    parser.add_argument("--list", action="store_true", help="list the experiments with their number of runs")
    options = parser.parse_args(arguments)
    modules = sorted(m.name for m in pkgutil.iter_modules(experiments.__path__) if m.name not in ("__main__", "bench"))
    for module in modules:
        importlib.import_module(f"experiments.{module}")
    chosen = [
        e
        for e in EXPERIMENTS.values()
        if not options.names or {e.name, e.function.__module__.split(".")[-1]} & set(options.names)
    ]
    unknown = set(options.names) - set(EXPERIMENTS) - set(modules)
    if unknown:
        print(
            f"no experiment is called {', '.join(sorted(unknown))}; there are: {', '.join(EXPERIMENTS)}",
            file=sys.stderr,
        )
        return 2
    if options.list:
        for one in chosen:
            print(f"{one.name}: {len(one.runs('full'))} runs (full), {len(one.runs('sample'))} (sample)")
        return 0

    from tqdm import tqdm

    from helpers.data import load_mnist

    folder().mkdir(parents=True, exist_ok=True)
    editions = ("full", "sample") if options.edition == "both" else (options.edition,)
    for edition in editions:
        os.environ["DIGITS_EDITION"] = edition
        load_mnist(quiet=True)
        with tqdm(total=sum(len(e.runs(edition)) for e in chosen), unit="run", disable=None) as bar:
            for one in chosen:
                record(one, edition, options.again, bar)
    return 0


if __name__ == "__main__":
    sys.exit(main())
