"""Measure grading with a made-up class: ``python -m coursework measure --students 25 50 100 200``.

Makes classes for the first assignment, of answers in its ``cases.py``, grades each with the command that teachers use, and
records wall time, peak memory and growth in ``coursework/grade/measured.json``, together with what one submission takes here and
with nbgrader's own kernel, with and without TensorFlow. Nothing but this should run beside it; the record says the load.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import nbformat
import numpy as np
import psutil

from coursework import MIB, ROOT, SOURCES
from coursework.make import making
from coursework.make.notebooks import NAMES, grading, load_module, tasks
from coursework.sandbox.memory import Watch, shared_out

RECORD = Path(__file__).with_name("measured.json")
CLASS_SEED = 2026  # decides what the students of a made-up class hand in; the course is that of the default seed
PACKAGES = ("nbgrader", "ipython", "numpy", "nbformat", "nbconvert", "tensorflow-cpu")
#: what one student in ten hands in as the answer to one task, by turns
HOSTILE = {
    "an endless loop": "while True:\n    pass",
    "memory without end": "hoard = []\nwhile True:\n    hoard.append(bytearray(10**7))",
    "a hundred megabytes of output": "for _ in range(1000):\n    print('x' * 100_000)",
    "a fork bomb": "import os\nwhile True:\n    os.fork()",
    "an end of the program": "import os\nos._exit(0)",
}


def made_up_class(released, cases, students, seed, hostile=True):
    """Return made-up submissions, {student: notebook}: each task right, wrong or blank by chance and the student's ability.

    released : the notebook that students get
    cases    : dict of `cases.py`
    """
    random = np.random.default_rng([seed, students])
    names = [task.id for task in tasks(released) if not task.written]
    kinds = list(HOSTILE)
    every = 10
    made = {}
    for number in range(students):
        notebook = copy.deepcopy(released)
        ability = random.normal(1.5)
        answers = {}
        for place, name in enumerate(names):
            draw = random.uniform()
            right = 1 / (1 + np.exp(-(ability - (place - len(names) / 2) / 3)))
            if draw < right:
                answers[name] = random.choice(list(cases[name]["right"].values()))
            elif draw < right + (1 - right) * 0.75:
                answers[name] = random.choice(list(cases[name]["wrong"].values()))
        if hostile and number % every == every - 1:
            answers[names[number % len(names)]] = HOSTILE[kinds[number // every % len(kinds)]]
        for cell in notebook.cells:
            about = grading(cell)
            if about.get("grade_id") in answers:
                cell.source = str(answers[about["grade_id"]]).strip("\n")
            elif about.get("solution") and about.get("grade") and random.uniform() < 0.9:
                cell.source = f"A made-up answer, number {number}."
        made[f"student{number:04d}"] = notebook
    return made


def write_class(made, folder, name):
    """Write submissions as a plain folder: one folder for each student."""
    for student, notebook in made.items():
        path = folder / student / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(nbformat.writes(notebook), encoding="utf-8")


def watched(command, environment=None, cwd=None):
    """Run a command; returns (seconds, processor seconds, peak memory in MB of its whole tree).

    The processor seconds do not hold those of sandboxes, for who is killed is not counted: their records have them.
    RuntimeError with the command's words if it fails.
    """
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=cwd)
        with Watch(psutil.Process(process.pid), shared_out, every=0.25) as watch:
            process.wait()
        seconds = time.monotonic() - start
        if process.returncode:
            out.seek(0)
            raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{out.read()[-3000:].decode(errors='replace')}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used, watch.largest / MIB


def environment():
    """Return the environment of commands: the virtual environment's programs first, no progress bars."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def fresh_course(folder, name, sources):
    """Make a course in ``folder``; returns its path and the notebook that students get."""
    making.make([name], output=folder, sources=sources, solutions=False, quiet=True)
    course = folder / "course"
    return course, nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)


def records_of(course, name):
    """Return what grading recorded of each submission, a list of dicts."""
    return [json.loads(path.read_text()) for path in (course / ".grading" / name).glob("student????.json")]


def grade_class(made, name, sources, workers, folder):
    """Grade a made-up class in a fresh course; returns the figures as a dict."""
    course, _ = fresh_course(folder / "made", name, sources)
    write_class(made, folder / "handed_in", name)
    load = os.getloadavg()[0]
    command = [sys.executable, "-m", "coursework", "grade", name, "--course", course, "--workers", str(workers)]
    seconds, used, peak = watched([*command, "--submissions", folder / "handed_in"], environment(), ROOT)
    again, *_ = watched(command, environment(), ROOT)
    records = records_of(course, name)
    ran = sorted(one["seconds"] for one in records)
    used += sum(one["processor_seconds"] for one in records)
    return {
        "students": len(made),
        "graded": len(records),
        "seconds": round(seconds, 1),
        "seconds_per_submission": round(seconds / len(made), 3),
        "processor_seconds": round(used, 1),
        "processor_seconds_per_submission": round(used / len(made), 3),
        "seconds_in_the_sandbox_median": round(float(np.median(ran)), 3),
        "seconds_in_the_sandbox_most": round(ran[-1], 1),
        "peak_mb_of_one_sandbox": max(one["peak_mb"] for one in records),
        "peak_mb_of_all": round(peak),
        "seconds_when_nothing_is_new": round(again, 1),
        "load_before_and_after": [round(load, 1), round(os.getloadavg()[0], 1)],
    }


def timed_here(name, course, submissions, folder):
    """Grade submissions, {student: notebook}, with the command that teachers use; returns (seconds, processor seconds)."""
    write_class(submissions, folder / "in", name)
    command = [sys.executable, "-m", "coursework", "grade", name, "--course", course, "--workers", "1"]
    seconds, used, _ = watched([*command, "--submissions", folder / "in", "--no-feedback"], environment(), ROOT)
    return seconds, used + sum(one["processor_seconds"] for one in records_of(course, name))


def timed_with_nbgrader(name, course, submissions, folder):
    """Grade submissions, {student: notebook}, with nbgrader's own kernel; returns (seconds, processor seconds)."""
    (course / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "digits"\nc.Execute.timeout = 120\n'
    )
    for student, notebook in submissions.items():
        path = course / "submitted" / student / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(nbformat.writes(notebook), encoding="utf-8")
    seconds, used, _ = watched([sys.executable, "-m", "nbgrader", "autograde", name], environment(), course)
    return seconds, used


def one_submission(name, sources, cases, count=4):
    """Compare what one submission takes, here and with nbgrader's own kernel, with and without TensorFlow.

    Seconds for each further submission: those for ``count + 1`` less those for one, so that starting the command and opening
    the gradebook do not count. One worker here, for nbgrader has one. Both write no feedback.
    """
    found = []
    for tensorflow in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            _, released = fresh_course(Path(folder, "made"), name, sources)
        made = made_up_class(released, cases, count + 1, seed=1, hostile=False)
        if tensorflow:
            for notebook in made.values():
                notebook.cells.insert(2, nbformat.v4.new_code_cell("import keras"))
        row = {"tensorflow": tensorflow}
        for kind, timed in (("here", timed_here), ("nbgrader", timed_with_nbgrader)):
            taken = []
            for size in (1, count + 1):
                with tempfile.TemporaryDirectory() as folder:
                    course, _ = fresh_course(Path(folder, "made"), name, sources)
                    taken.append(timed(name, course, dict(list(made.items())[:size]), Path(folder)))
            row[f"seconds_{kind}"] = round((taken[1][0] - taken[0][0]) / count, 2)
            row[f"processor_seconds_{kind}"] = round((taken[1][1] - taken[0][1]) / count, 2)
        found.append(row)
    return found


def growth(rows):
    """Return the exponent p of seconds ~ students^p over the classes, or None for fewer than two sizes."""
    sizes = np.array([row["students"] for row in rows], float)
    if len(set(sizes)) < 2:
        return None
    return round(float(np.polyfit(np.log(sizes), np.log([row["seconds"] for row in rows]), 1)[0]), 2)


def processor():
    """Return the processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def main(arguments=None):
    """Measure, print a table, write the record; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m coursework measure", description="measure grading with made-up classes"
    )
    parser.add_argument("--students", type=int, nargs="+", default=[25, 50, 100, 200], help="sizes of the classes")
    parser.add_argument("--name", default=NAMES[0], help="the assignment (default: %(default)s)")
    parser.add_argument("--sources", type=Path, default=SOURCES, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=2, help="submissions at the same time (default: %(default)s)")
    parser.add_argument(
        "--to", type=Path, default=RECORD, help="the record to write (default: coursework/grade/measured.json)"
    )
    parser.add_argument(
        "--without-comparison", action="store_true", help="do not time one submission with nbgrader's kernel"
    )
    options = parser.parse_args(arguments)
    cases = load_module(options.name, "cases.py", options.sources).CASES
    record = {
        "what": "grading of made-up classes: python -m coursework measure",
        "assignment": options.name,
        "workers": options.workers,
        "hostile": "one submission in ten, of: " + ", ".join(HOSTILE),
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "one_submission": [],
        "classes": [],
    }
    if not options.without_comparison:
        record["one_submission"] = one_submission(options.name, options.sources, cases)
    for row in record["one_submission"]:
        with_it = "with" if row["tensorflow"] else "without"
        print(
            f"one submission, {with_it} TensorFlow: {row['seconds_here']} s here, {row['seconds_nbgrader']} s with nbgrader's kernel; "
            f"of the processor {row['processor_seconds_here']} s and {row['processor_seconds_nbgrader']} s",
            flush=True,
        )
    print("students  seconds  each  processor each  sandbox  peak MB (one sandbox)  nothing new")
    for students in options.students:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            _, released = fresh_course(folder / "first", options.name, options.sources)
            made = made_up_class(released, cases, students, CLASS_SEED)
            row = grade_class(made, options.name, options.sources, options.workers, folder)
        record["classes"].append(row)
        record["growth_exponent"] = growth(record["classes"])
        # after each class, so that a run that is stopped has recorded what it measured
        options.to.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(
            f"{students:8d} {row['seconds']:8.1f} {row['seconds_per_submission']:5.2f} {row['processor_seconds_per_submission']:15.2f} "
            f"{row['seconds_in_the_sandbox_median']:8.2f} {row['peak_mb_of_all']:8.0f} ({row['peak_mb_of_one_sandbox']:.0f}) "
            f"{row['seconds_when_nothing_is_new']:12.1f}",
            flush=True,
        )
    if record["growth_exponent"] is not None:
        print(f"seconds grow as students to the power {record['growth_exponent']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
