"""Measure the bounds of checks again: ``python -m tools.upkeep.measure_bounds CHAPTER ... [--runs 5] [--edition
full|sample]``.

Runs each notebook several times with other seeds (DIGITS_SEED_OFFSET is 0, 1000, 2000, ...) while its checks write
their values down instead of asserting them (DIGITS_CHECK_LOG), and prints a table: each check's bounds now, the
smallest value, mean, standard deviation and largest value seen, and the range that mean and spread suggest. All of the
book's chapters run if none is named.

Marks: ``!`` a value fell outside the bounds of now; ``wide`` the bounds are more than four times as wide as suggested
and may miss a real fault; ``same`` every run gave the same value: it does not depend on the seed, so choose its bounds
by reasoning, not from this table.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
DEVIATIONS = 4
TOO_WIDE = 4


def find(chapter):
    """Return a notebook's path, from its path or its chapter's name."""
    for path in (Path(chapter), ROOT / chapter, ROOT / "chapters" / f"{chapter}.ipynb"):
        if path.suffix == ".ipynb" and path.is_file():
            return path.resolve()
    raise SystemExit(f"no such chapter: {chapter}")


def run(path, offset, edition, cell_done=lambda: None):
    """Run a notebook once, in a fresh kernel in its own folder.

    Parameters
    ----------
    path : Path
    offset : int
        What is added to every seed.
    edition : str
        "full", "sample" or "auto".
    cell_done : callable
        Called after each code cell.

    Returns
    -------
    entries : list of dict
        What each check wrote down: name, edition, value, bounds.
    error : str
        What stopped the notebook (an assert that does not hold with this seed, say); empty if nothing did.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "checks.jsonl"
        environment = {
            **os.environ,
            "DIGITS_SEED_OFFSET": str(offset),
            "DIGITS_CHECK_LOG": str(log),
            "DIGITS_EDITION": edition,
            "DIGITS_BUILD": "1",
        }
        client = NotebookClient(
            notebook,
            timeout=1200,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_executed=lambda **_: cell_done(),
        )
        error = ""
        try:
            client.execute(env=environment)
        except CellExecutionError as stopped:
            error = f"{stopped.ename}: {stopped.evalue}"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else [], error


def suggested(values):
    """Return the range that values of repeated runs suggest: their mean minus and plus four standard deviations."""
    mean, spread = np.mean(values), np.std(values, ddof=1) if len(values) > 1 else 0.0
    return float(mean - DEVIATIONS * spread), float(mean + DEVIATIONS * spread)


def marks(values, bounds):
    """Return what is wrong with bounds, given the values seen: a list of words, empty if they are good."""
    low, high = bounds
    least, most = suggested(values)
    found = []
    if not all(low <= value <= high for value in values):
        found.append("!")
    if most == least:
        found.append("same")
    elif high - low > TOO_WIDE * (most - least):
        found.append("wide")
    return found


def table(entries):
    """Return the lines of the table for the checks of one notebook, from all its runs' entries."""
    checks = {}
    for entry in entries:
        checks.setdefault(entry["name"], []).append(entry)
    heads = ("check", "bounds now", "smallest", "mean", "sd", "largest", "suggested", "runs", "")
    rows = [heads]
    for name, seen in checks.items():
        values, bounds = [one["value"] for one in seen], seen[-1]["bounds"]
        low, high = suggested(values)
        spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
        rows.append(
            (
                name,
                f"{bounds[0]:.5g} .. {bounds[1]:.5g}",
                f"{min(values):.5g}",
                f"{np.mean(values):.5g}",
                f"{spread:.2g}",
                f"{max(values):.5g}",
                f"{low:.5g} .. {high:.5g}",
                str(len(values)),
                " ".join(marks(values, bounds)),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def main(arguments=None):
    """Run as described above; the exit status is 1 if a value fell outside its bounds or a run stopped early."""
    from tqdm import tqdm

    from helpers.progress import somebody_watches

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="a name (training) or a notebook's path")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--edition", choices=("auto", "full", "sample"), default=os.environ.get("DIGITS_EDITION") or "auto"
    )
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    paths = [find(chapter) for chapter in options.chapters] or sorted((ROOT / "chapters").glob("*.ipynb"))
    exceeded = False
    for path in paths:
        cells = sum(
            cell.cell_type == "code" and bool(cell.source.strip()) for cell in nbformat.read(path, as_version=4).cells
        )
        entries, errors = [], []
        with tqdm(total=cells * options.runs, unit="cell", disable=not somebody_watches()) as bar:
            for number in range(options.runs):
                bar.set_description(f"{path.stem}, run {number + 1} of {options.runs}")
                found, error = run(path, 1000 * number, options.edition, bar.update)
                entries += found
                errors += [f"stopped with DIGITS_SEED_OFFSET={1000 * number}: {error}"] if error else []
        edition = entries[0]["edition"] if entries else options.edition
        print(
            f"\n{path.stem}, {edition} edition, {options.runs} runs",
            *(table(entries) if entries else ["no check"]),
            *errors,
            sep="\n",
            flush=True,
        )
        exceeded |= bool(errors)
        for name in {entry["name"] for entry in entries}:
            seen = [entry for entry in entries if entry["name"] == name]
            exceeded |= "!" in marks([one["value"] for one in seen], seen[-1]["bounds"])
    return int(exceeded)


if __name__ == "__main__":
    sys.exit(main())
