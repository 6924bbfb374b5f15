"""Grade the graders in one warm process: ``python -m coursework check NAME [--seed S]``.

For each assignment: the solution gets all points, the blank copy none, a wrong answer of ``cases.py`` loses the points
of its task alone, a right answer written otherwise keeps all, and each hidden assert, each part of one and each tolerance
refuses some wrong answer alone (``asserts.py``; the few that cannot stand in ``IMPLIED`` of ``cases.py``, with the reason).
Isolation is not what is tested here, so that all of it runs in one process that has its imports behind it; submissions
of students never come this way.
"""

import argparse
import ast
import contextlib
import importlib.util
import io
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

from coursework import SEED, SOURCES
from coursework.make.asserts import Recording, unproven
from coursework.make.notebooks import (
    KEPT_BACK,
    NAMES,
    SourceError,
    blank,
    grading,
    load_module,
    read_source,
    tasks,
    with_answer,
    with_constants,
)


@contextlib.contextmanager
def folder_of(name, seed=SEED, sources=SOURCES):
    """Make a temporary folder with what students get beside the notebook, be in it, and yield its path.

    Inside, ``import lab`` gives the assignment's own ``lab.py``, as it would where the notebook lies.
    """
    variant = load_module(name, "variant.py", sources)
    given = files_beside(name, sources)
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        np.savez_compressed(Path(folder, f"{name}_data.npz"), **variant.data(seed))
        for file in given:
            shutil.copy(file, folder)
        os.chdir(folder)
        try:
            for file in given:
                import_file(Path(folder, file.name))
            yield Path(folder)
        finally:
            os.chdir(before)
            for file in given:
                sys.modules.pop(file.stem, None)


def files_beside(name, sources=SOURCES):
    """Return the paths of the Python files that students get beside the notebook."""
    return [one for one in sorted(Path(sources, name).glob("*.py")) if one.name not in KEPT_BACK]


def import_file(path):
    """Import a Python file under its own name, without a search path that leads to it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    sys.modules[path.stem] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def course_notebook(name, seed=SEED, sources=SOURCES):
    """Return the notebook of an assignment, with solutions and hidden tests, for the course of this seed."""
    return with_constants(read_source(name, sources), load_module(name, "variant.py", sources).constants(seed))


def run(notebook, recording=None, place_recorded=None):
    """Execute all code cells in a fresh namespace, in this process and folder, going on after errors.

    With a :class:`Recording`, the cell at ``place_recorded`` runs as that one's code and writes to its recorder.
    Returns a dict from the cell's grade_id (or its place) to None, or to the error as "Type: message". What cells print
    is thrown away; a figure is closed after its cell.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    namespace = {"__name__": "__main__", "display": lambda *_: None}
    results = {}
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        error = None
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                if recording and place == place_recorded:
                    error = recording.run(f"<cell {place}>", namespace)
                else:
                    exec(compile(ast.parse(cell.source), f"<cell {place}>", "exec"), namespace)
            except KeyboardInterrupt:
                raise
            except BaseException as caught:  # a student's cell may raise anything, SystemExit included
                error = traceback.format_exception_only(type(caught), caught)[-1].strip()
        plt.close("all")
        results[grading(cell).get("grade_id", place)] = error
    return results


def points(notebook, results):
    """Return the points per code task, a dict from its name to all of its points or 0."""
    return {
        task.id: 0 if results.get(f"test_{task.id}", "the cell is missing") else task.points
        for task in tasks(notebook)
        if not task.written
    }


def asserts_without_message(source):
    """Return the assert statements in ``source`` that have no message, each as a line of code."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert) and node.msg is None]
    return [ast.unparse(node) for node in found]


def graded(notebook, expected, *recorded):
    """Run a notebook and compare its points with the ``expected`` ones, {task: points}; ``recorded`` as in `run`.

    Returns (seconds, fault, results): fault is None or a sentence, results as `run` gives them.
    """
    start = time.perf_counter()
    results = run(notebook, *recorded)
    got = points(notebook, results)
    fault = "; ".join(
        f"{task}: {got[task]} points instead of {expected[task]} ({results.get(f'test_{task}')})"
        for task in got
        if got[task] != expected[task]
    )
    return time.perf_counter() - start, fault or None, results


def cases_of(name, sources, full):
    """Return the cases of an assignment and the excuses for asserts; :class:`SourceError` if they are not of its tasks.

    full : dict with the notebook's code tasks as keys
    """
    module = load_module(name, "cases.py", sources)
    cases, implied = module.CASES, getattr(module, "IMPLIED", {})
    unknown, missing = (cases.keys() | implied.keys()) - full.keys(), full.keys() - cases.keys()
    if unknown or missing:
        raise SourceError(f"cases.py of {name}: unknown tasks {sorted(unknown)}, tasks without cases {sorted(missing)}")
    return cases, implied


def check(name, seed=SEED, sources=SOURCES, only=None):
    """Run the solution, the blank copy and every case of an assignment (those of the task ``only``, if given).

    After the wrong answers of a task comes a line on its asserts, of which each must refuse some wrong answer alone.
    Yields (what, seconds, fault): fault is None, or a sentence that says what came out otherwise than it should.
    """
    notebook = course_notebook(name, seed, sources)
    full = {task.id: task.points for task in tasks(notebook) if not task.written}
    tests = {task.id: task.test for task in tasks(notebook) if not task.written}
    cases, implied = cases_of(name, sources, full)
    with folder_of(name, seed, sources):
        if not only:
            seconds, fault, results = graded(notebook, full)
            broken = [f"{key}: {error}" for key, error in results.items() if error]
            yield "solution", seconds, fault or ("; ".join(broken) or None)
            yield "blank copy", *graded(blank(notebook), dict.fromkeys(full, 0))[:2]
        for task, kinds in cases.items():
            if only and task != only:
                continue
            if len(kinds["right"]) < 2 or len(kinds["wrong"]) < 3:
                raise SourceError(f"cases.py of {name}: {task} needs at least two right answers and three wrong ones")
            for what, code in kinds["right"].items():
                yield f"{task}, right: {what}", *graded(with_answer(notebook, task, code), full)[:2]
            recording = Recording(
                notebook.cells[tests[task]].source, beside={one.stem for one in files_beside(name, sources)}
            )
            refused, proven = {**full, task: 0}, set()
            for what, code in kinds["wrong"].items():
                answer = with_answer(notebook, task, code)
                yield f"{task}, wrong: {what}", *graded(answer, refused, recording, tests[task])[:2]
                proven |= recording.proved
            faults = unproven(recording.parts, proven, implied.get(task, {}))
            needed = sum(one.required for one in recording.parts)
            told = "".join(f"\n    {one}" for one in faults)
            yield f"{task}, asserts: {needed} parts of hidden tests", 0.0, told or None


def main(arguments=None):
    """Print a line for each case; returns 1 if anything came out otherwise than it should."""
    parser = argparse.ArgumentParser(prog="python -m coursework check", description="grade the graders")
    parser.add_argument("names", nargs="*", help="assignments (default: all)")
    parser.add_argument("--seed", type=int, default=SEED, help="the course's seed (default: %(default)s)")
    parser.add_argument("--task", help="the cases of this task only")
    options = parser.parse_args(arguments)
    faults = 0
    try:
        for name in options.names or NAMES:
            print(f"{name}, seed {options.seed}")
            for what, seconds, fault in check(name, options.seed, only=options.task):
                faults += bool(fault)
                print(
                    f"  {'FAULT' if fault else 'ok':6s}{seconds:5.1f} s  {what}{': ' + fault if fault else ''}",
                    flush=True,
                )
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
