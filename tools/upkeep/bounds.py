"""Record the bands of the numbers that chapters say: ``make bounds`` (NAME=chapter, RUNS=20).

Runs each chapter with its own seeds and then with others (DIGITS_SEED_OFFSET is 0, 1000, 2000, ...), in each edition whose data
are there, while the guards in its kernel write down what it says; ``data/bands/CHAPTER.json`` is made of that. Each run is kept
in ``_build/bounds`` as it ends and not repeated while the chapter, its helpers, its recordings and its packages stay the same: stop
the command and start it again at will. Asserts and claims say no number: new ones repeat no run, except one that stopped. ``--check OFFSET ...`` runs with seeds not used before and tells what falls outside.

A run that stops (an assert that fails with other seeds) or whose claims do not hold is told at the end, for then the text says
what another seed would not; a chapter's file is written all the same when every edition has its runs.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from experiments.bench.code import Code
from helpers.data import DataError, load_mnist
from tools.guards import bands, kernel
from tools.press import freshness

ROOT = Path(__file__).resolve().parents[2]
RUNS = 20
ENOUGH = 5
STARTS = 3  # of a run whose kernel dies at once: two that start together may have picked the same port
UNBORN = "Kernel died before replying"
STEP = 1000  # between the seeds of two runs: more than any chapter has seeds of its own
EDITIONS = ("sample", "full")


def find(chapter):
    """Return a notebook's path, from its path or its chapter's name."""
    for path in (Path(chapter), ROOT / chapter, ROOT / "chapters" / f"{chapter}.ipynb"):
        if path.suffix == ".ipynb" and path.is_file():
            return path.resolve()
    raise SystemExit(f"no such chapter: {chapter}")


def run(path, edition, offset, record=True):
    """Run a notebook once in a fresh kernel in its own folder.

    Returns a dict: ``said`` (list of dict: kind, key, text), and ``error``, what stopped it, empty if nothing did. Without
    ``record`` its numbers are compared with their bands as in a build.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "said.jsonl"
        environment = {
            **os.environ,
            "DIGITS_SEED_OFFSET": str(offset),
            "DIGITS_EDITION": edition,
            "DIGITS_BUILD": "1",
            "IPYTHONDIR": str(kernel.write_profile(Path(folder) / "ipython")),
        }
        if record:
            environment[kernel.LOG] = str(log)
        client = NotebookClient(
            notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
        )
        error = ""
        try:
            client.execute(env=environment)
        except CellExecutionError as stopped:
            error = f"{stopped.ename}: {stopped.evalue}"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return {"said": [json.loads(line) for line in lines], "error": error}


def kept_run(path, edition, offset, fingerprint):
    """Return where a run is kept, and the run if it is there and still stands for the chapter as it is; else None.

    fingerprint : tuple of two str
        Of what makes the chapter's numbers, and of the whole chapter, which counts for a run that something in it refused.
    """
    place = ROOT / "_build" / "bounds" / edition / path.stem / f"{offset}.json"
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return place, None
    refused = kept.get("error") or any(one["kind"] == "false" for one in kept.get("said", ()))
    numbers, whole = fingerprint
    valid = kept.get("whole") == whole if refused else kept.get("numbers") == numbers
    return place, kept if valid else None


def run_apart(path, edition, offset, fingerprint):
    """Run a notebook in a process of its own, keep what it said, and return it."""
    place, kept = kept_run(path, edition, offset, fingerprint)
    if kept is None:
        command = [sys.executable, "-m", "tools.upkeep.bounds", str(path), "--one", edition, str(offset)]
        for _ in range(STARTS):
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if not done.returncode or UNBORN not in done.stderr:
                break
        if done.returncode:
            raise RuntimeError(f"{path.stem}, {edition} edition, offset {offset}: {done.stderr.strip()[-2000:]}")
        kept = {"numbers": fingerprint[0], "whole": fingerprint[1], **json.loads(done.stdout.splitlines()[-1])}
        place.parent.mkdir(parents=True, exist_ok=True)
        half = place.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        os.replace(half, place)
    return kept


def editions_here():
    """Return the editions whose data this machine has, the sample first."""
    there = ["sample"]
    before = os.environ.get("DIGITS_EDITION")
    os.environ["DIGITS_EDITION"] = "full"
    try:
        load_mnist()
        there.append("full")
    except DataError:
        pass
    finally:
        os.environ.pop("DIGITS_EDITION")
        if before is not None:
            os.environ["DIGITS_EDITION"] = before
    return there


def fingerprint_of(path, edition):
    """Return what a run's numbers rest on, and what the whole chapter rests on, less its bands (they are made of the runs)."""
    os.environ.pop("DIGITS_SEED_OFFSET", None)
    cells = freshness.notebook_code(path)
    heard = Code().digest("tools.guards.figures:facts", "tools.guards.kernel:spelling")
    numbers = freshness.fingerprint(ROOT, path, f"{edition} {heard}", guards=False)
    return numbers, hashlib.sha256(f"{numbers} {cells}".encode()).hexdigest()[:16]


def recorded(path, edition, runs, workers, bar):
    """Return the runs of one chapter in one edition, the one with the chapter's own seeds first.

    If :data:`ENOUGH` runs with different seeds say the same to the last digit, nothing depends on the seed, and no more are made.
    """
    offsets = [STEP * number for number in range(runs)]
    first = _recorded(path, edition, offsets[:ENOUGH], workers, bar)
    if runs > ENOUGH and all(one["said"] == first[0]["said"] for one in first):
        bar.update(runs - len(first))
        return first
    return first + _recorded(path, edition, offsets[ENOUGH:], workers, bar)


def _recorded(path, edition, offsets, workers, bar):
    fingerprint = fingerprint_of(path, edition)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(run_apart, path, edition, offset, fingerprint) for offset in offsets]
        try:
            for _ in concurrent.futures.as_completed(jobs):
                bar.update()
            return [job.result() for job in jobs]
        except BaseException:
            for job in jobs:
                job.cancel()
            raise


def told(path, edition, runs):
    """Return the lines on runs that stopped and on claims that did not hold."""
    lines = []
    for number, one in enumerate(runs):
        place = f"{path.stem}, {edition} edition, DIGITS_SEED_OFFSET={STEP * number}"
        if one["error"]:
            lines.append(f"{place}: stopped: {one['error']}")
        lines += [f'{place}: does not carry "{said["key"]}"' for said in one["said"] if said["kind"] == "false"]
    return lines


def outside(path, edition, offset, one):
    """Yield what of one run lies outside the chapter's bands, what stopped it, and which claims it does not carry."""
    place = f"{path.stem}, {edition} edition, DIGITS_SEED_OFFSET={offset}"
    if one["error"]:
        yield f"{place}: stopped: {one['error']}"
    stored = bands.stored(ROOT, path.stem)
    for said in one["said"]:
        if said["kind"] == "false":
            yield f'{place}: does not carry "{said["key"]}"'
        elif trouble := stored.trouble(edition, said["kind"], said["key"], said["text"]):
            yield f"{place}: {trouble.rpartition(chr(10))[0]}"


def write(path, editions):
    """Write a chapter's bands, those of editions that were not run now as they were; whole or not at all."""
    before = bands.stored(ROOT, path.stem).editions
    text = bands.dumps(bands.Bands(path.stem, {**before, **editions}))
    place = bands.path_of(ROOT, path.stem)
    place.parent.mkdir(parents=True, exist_ok=True)
    half = place.with_suffix(f".{os.getpid()}")
    half.write_text(text, encoding="utf-8")
    os.replace(half, place)


def main(arguments=None):
    """Record as described above; the exit status is 1 if a run stopped or did not carry a claim."""
    from tqdm import tqdm

    from helpers.progress import somebody_watches

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="a name (training) or a notebook's path")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--edition", choices=EDITIONS, help="one edition only")
    parser.add_argument("--workers", type=int, default=1, help="runs side by side")
    parser.add_argument("--check", type=int, nargs="+", metavar="OFFSET", help="compare runs with these seeds instead")
    parser.add_argument("--one", nargs=2, metavar=("EDITION", "OFFSET"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.runs < 2:
        parser.error("--runs must be at least 2: one run has no spread")
    paths = [find(chapter) for chapter in options.chapters] or sorted((ROOT / "chapters").glob("*.ipynb"))
    if options.one:
        print(json.dumps(run(paths[0], options.one[0], int(options.one[1])), ensure_ascii=False))
        return 0
    editions = [options.edition] if options.edition else editions_here()
    if options.check is not None:
        with tqdm(
            total=len(paths) * len(editions) * len(options.check), unit="run", disable=not somebody_watches()
        ) as bar:
            lines = [
                line
                for path in paths
                for edition in editions
                for offset, one in zip(
                    options.check, _recorded(path, edition, options.check, options.workers, bar), strict=True
                )
                for line in outside(path, edition, offset, one)
            ]
        print(*lines or ["every number lies in its band, every claim holds"], sep="\n")
        return int(bool(lines))
    lines = []
    with tqdm(total=len(paths) * len(editions) * options.runs, unit="run", disable=not somebody_watches()) as bar:
        for path in paths:
            made = {}
            for edition in editions:
                bar.set_description(f"{path.stem}, {edition}")
                runs = recorded(path, edition, options.runs, options.workers, bar)
                made[edition] = bands.made([one["said"] for one in runs])
                lines += told(path, edition, runs)
            write(path, made)
    print(*lines, sep="\n") if lines else None
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
