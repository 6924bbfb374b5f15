"""Plant small faults by rule and see what notices them: ``make test-faults`` (MUTANTS=all: every one, on demand).

``tools/upkeep/mutants.py`` makes them. Each is planted in a copy of the project, and what should notice it is run there, cheap tests
first: the tests of a helper, the rules for sentences, then the chapter through nbval in the sample edition, the tests of
recordings, an assignment's own check, the tests of the drawing page's scripts.

``tests/faults/mutants.json`` keeps what became of each that was ever tried: noticed, or survived, with the reason where one is known
(``why``). Without options a sample of those once noticed is planted again, for as many seconds as are given: what was noticed must
be noticed still. ``--new N`` tries others, taken at random from every kind, and keeps what becomes of them.
"""

from __future__ import annotations

import argparse
import ast
import concurrent.futures
import datetime
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.guards import ledger
from tools.press import freshness
from tools.upkeep import mutants
from tools.upkeep.plant_faults import ROOT, TESTS_FAILED, copy_project, run_tests

RECORD = ROOT / "tests" / "faults" / "mutants.json"
NO_FAULT = "no fault"  # how the reason begins of a survivor that changes nothing
SLOW = {
    "test_build",
    "test_build_faults",
    "test_wheel",
    "test_mutants",
    "test_bounds",
    "test_dark_figures",
    "test_elsewhere",
}
USERS = 2
RULES = ["tests/test_sentences.py", "tests/test_prose_numbers.py", "tests/test_notebooks.py"]


def tests_of(folder, module):
    """Return the test files that import a module of helpers, as paths from the root: those of the helpers, or else of another wing."""
    pattern = re.compile(rf"\bhelpers\.{module}\b|from helpers import [^\n]*\b{module}\b")
    for place in ("helpers", "experiments", "tools"):
        found = sorted(
            path.relative_to(folder).as_posix()
            for path in (folder / "tests" / place).glob("test_*.py")
            if path.stem not in SLOW and pattern.search(path.read_text(encoding="utf-8"))
        )
        if found:
            return found
    named = folder / "tests" / "tools" / f"test_{module}.py"
    return [named.relative_to(folder).as_posix()] if named.is_file() else ["tests/test_house.py"]


def readers_of(folder, recording):
    """Return the chapters that read a recording."""
    return [
        path.relative_to(folder).as_posix()
        for path in sorted((folder / "chapters").glob("*.ipynb"))
        if f'\\"{recording}\\"' in path.read_text(encoding="utf-8")
    ]


def users_of(mutant, folder):
    """Return the chapters, at most ``USERS``, that rest on what a mutant of a helper changes."""
    tree = ast.parse((folder / mutant.file).read_text(encoding="utf-8"))
    around = next((one for one in tree.body if one.lineno <= mutant.lineno <= one.end_lineno), None)
    targets = getattr(around, "targets", [around])
    names = {getattr(one, "name", getattr(one, "id", None)) for one in targets}
    module = mutant.file.removesuffix(".py").replace("/", ".")
    found = []
    for name in ledger.chapters_in_order(folder):
        path = folder / "chapters" / f"{name}.ipynb"
        code = freshness.project_code(folder)
        code.add(path.name, freshness.notebook_code(path))
        if any(key[:2] == ("unit", module) and key[2] in names for key in code.reached(path.name)):
            found.append(path.relative_to(folder).as_posix())
    return found[:USERS]


def guards_of(mutant, folder=ROOT):
    """Return what should notice a mutant: lists of pytest's arguments, the cheapest first."""
    stem = Path(mutant.file).stem
    if mutant.kind == "helpers":
        return [tests_of(folder, stem), *([one] for one in users_of(mutant, folder))]
    if mutant.kind == "recordings":
        return [
            ["tests/experiments/test_book_recordings.py", "tests/experiments/test_agreement.py"],
            *([one] for one in readers_of(folder, stem)),
        ]
    if mutant.kind == "graders":
        cell = json.loads((folder / mutant.file).read_text(encoding="utf-8"))["cells"][mutant.cell]
        task = cell["metadata"]["nbgrader"]["grade_id"].removeprefix("test_")
        return [["coursework", "check", stem, "--task", task]]
    if mutant.kind == "scripts":
        return [["tests/site/test_drawing_engine.py"], ["tests/tools/test_networks.py", "tests/tools/test_drawings.py"]]
    if mutant.file.endswith(".md"):
        return [RULES]
    if mutant.kind == "sentences":
        return [RULES, [mutant.file]]
    return [["tests/test_sentences.py"], [mutant.file]]


def run_guard(folder, arguments):
    """Run pytest, or the check of one task's grader, in a copy of the project; returns pytest's exit status and the output."""
    if arguments[0] != "coursework":
        return run_tests(folder, arguments)
    settings = {**os.environ, "PYTHONPATH": str(folder), "DIGITS_EDITION": "sample", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, env=settings, capture_output=True, text=True)
    return min(done.returncode, TESTS_FAILED), done.stdout + done.stderr


def try_mutant(mutant):
    """Plant a mutant in a fresh copy and run what should notice it; returns (mutant, what noticed it or "")."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        folder = Path(folder)
        copy_project(folder)
        mutant.apply(folder)
        for arguments in guards_of(mutant, folder):
            status, output = run_guard(folder, arguments)
            if (
                status == TESTS_FAILED or "Error" in output and status in (2, 4)
            ):  # a module that cannot be imported is noticed, too
                return mutant, " ".join(arguments)
            if status not in (0, 5):
                raise RuntimeError(f"{mutant.name}: pytest ended with {status}:\n{output[-2000:]}")
    return mutant, ""


def load():
    """Return the record: kind -> {"noticed": [name, ...], "mended": [name, ...], "survived": {name: why}}; what is mended survived
    before a test was mended, and is among the noticed."""
    kept = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    return {kind: {"noticed": [], "mended": [], "survived": {}, **kept.get(kind, {})} for kind in mutants.KINDS}


def save(record):
    """Write the record, whole or not at all."""
    for entry in record.values():
        entry["noticed"] = sorted(set(entry["noticed"]))
        entry["mended"] = sorted(set(entry["mended"]) & set(entry["noticed"]))
        entry["survived"] = dict(sorted(entry["survived"].items()))
    half = RECORD.with_suffix(f".{os.getpid()}")
    half.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(half, RECORD)


def keep(record, mutant, noticed):
    """Put into the record what became of a mutant; the reason for a known survivor stays."""
    entry = record[mutant.kind]
    if noticed:
        entry["noticed"].append(mutant.name)
        if entry["survived"].pop(mutant.name, None) is not None:
            entry["mended"].append(mutant.name)
    else:
        entry["noticed"] = [one for one in entry["noticed"] if one != mutant.name]
        entry["survived"].setdefault(mutant.name, "")


def counted(entry):
    """Return how many faults of a kind were planted and how many noticed; what changes nothing ("no fault: ...") does not count."""
    noticed = len(entry["noticed"])
    return noticed + sum(not why.startswith(NO_FAULT) for why in entry["survived"].values()), noticed


def percent(noticed, planted):
    """Return a share as it is printed: rounded down, so that 100% means all of them."""
    return f"{100 * noticed // planted}%" if planted else "-"


def table(record):
    """Return the lines of a table: planted, noticed and share by kind."""
    lines = [f"{'kind':<12} {'planted':>8} {'noticed':>8} {'share':>6}"]
    for kind, entry in record.items():
        planted, noticed = counted(entry)
        lines.append(f"{kind:<12} {planted:>8} {noticed:>8} {percent(noticed, planted):>6}")
    return lines


def one_of_each(found, rng):
    """Return mutants in an order that takes one of every kind in turn, each kind in random order."""
    by_kind = {}
    for one in found:
        by_kind.setdefault(one.kind, []).append(one)
    for group in by_kind.values():
        rng.shuffle(group)
    order = []
    while any(by_kind.values()):
        order += [group.pop() for group in by_kind.values() if group]
    return order


def main(arguments=None):
    """Run as described above; the exit status is 1 if what was noticed once is noticed no more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=180, help="start no more after so many seconds")
    parser.add_argument(
        "--new", type=int, default=0, metavar="N", help="try N that were never tried, and keep the results"
    )
    parser.add_argument("--again", action="store_true", help="try the survivors again, and keep the results")
    parser.add_argument("--kinds", nargs="+", default=mutants.KINDS, choices=mutants.KINDS)
    parser.add_argument("--file", help="only of files whose path holds this")
    parser.add_argument(
        "--seed", default=datetime.date.today().isoformat(), help="of the choice; today's date by default"
    )
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    record, rng = load(), random.Random(options.seed)
    known = {name for entry in record.values() for name in [*entry["noticed"], *entry["survived"]]}
    noticed = {name for entry in record.values() for name in entry["noticed"]}
    survived = {name for entry in record.values() for name in entry["survived"]}
    found = [one for one in mutants.all_mutants(kinds=options.kinds) if not options.file or options.file in one.file]
    keeping = bool(options.new or options.again)
    if options.again:
        chosen = [one for one in found if one.name in survived]
    elif options.new:
        chosen = one_of_each([one for one in found if one.name not in known], rng)[: options.new]
    else:
        chosen = one_of_each([one for one in found if one.name in noticed], rng)
    started, lost, tried = time.time(), [], 0
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        running, waiting = set(), iter(chosen)
        while True:
            while len(running) < options.workers and (keeping or time.time() - started < options.seconds):
                following = next(waiting, None)
                if following is None:
                    break
                running.add(pool.submit(try_mutant, following))
            if not running:
                break
            done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for job in done:
                mutant, by = job.result()
                tried += 1
                print(
                    f"{'noticed ' if by else 'SURVIVED'} {mutant.kind}: {mutant.name}"
                    + (f"\n         by {by}" if by else ""),
                    flush=True,
                )
                if keeping:
                    keep(record, mutant, by)
                    save(record)
                elif not by:
                    lost.append(mutant.name)
    print(*table(record), sep="\n")
    print(f"{tried} mutants planted in {time.time() - started:.0f} s")
    if lost:
        print("noticed once, and no more:", *lost, sep="\n  ", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
