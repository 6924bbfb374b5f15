"""Grade an assignment's submissions: ``python -m coursework grade NAME --submissions PATH``.

Collects (collecting.py), brings each notebook into order with nbgrader's own checks, runs it in the sandbox
(coursework/sandbox), saves the grades with nbgrader into ``gradebook.db``, and writes, in the course folder:

- ``autograded/`` and ``feedback/``, laid out as nbgrader does, so that its formgrader goes on from there,
- ``marks/NAME.csv``: a line for each student; ``marks/NAME_to_mark.csv``: the written answers, to be marked and given back
  with ``--written``,
- ``.grading/NAME/``: what is done, so that a run that was stopped goes on where it was.

Only code that is ours and nbgrader's runs here; a submission's code runs in the sandbox alone, and not at all without one.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import hashlib
import logging
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import asdict
from pathlib import Path

import nbformat
from nbgrader import preprocessors as steps
from nbgrader.utils import parse_utc
from sqlalchemy.exc import SAWarning
from tqdm import tqdm

from coursework import COURSE
from coursework.grade import isolated
from coursework.grade.collecting import STAMP, CollectError, Line, collect, read_roster
from coursework.grade.course import (
    LOG,
    Course,
    GradingError,
    Overwrite,
    SaveGrades,
    digest_of_folder,
    read_json,
    write_json,
)
from coursework.grade.feedback import write_feedback
from coursework.grade.marks import import_written, marks, write_marks
from coursework.sandbox.outside import IsolationError, Limits, check_isolation

# ---------------------------------------------------------------- one submission


def sanitised(course, student):
    """Return a submission's notebook as it is to be run: nbgrader's checks, after ours. In the trusted process."""
    path = course.path("submitted", student) / f"{course.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    resources = course.resources(student)
    notebook, _ = course.step(steps.ClearOutput).preprocess(notebook, resources)
    course.step(isolated.RepairCells).repair(notebook, course.known)
    notebook, _ = course.step(steps.DeduplicateIds).preprocess(notebook, resources)
    if course.kernelspec:
        notebook.metadata["kernelspec"] = course.kernelspec
    overwrite = course.step(Overwrite)
    notebook, _ = overwrite.preprocess(notebook, resources)
    notebook, _ = overwrite.add_missing_grade_cells(notebook, resources)
    notebook, _ = course.step(steps.CheckCellMetadata).preprocess(notebook, resources)
    return notebook


def staged(course, student):
    """Return a new folder beside the autograded one with the submission's files and, over them, the assignment's."""
    target = course.path("autograded", student)
    target.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".new-", dir=course.state))
    isolated.copy_files(course.path("submitted", student), stage)
    for inside, path in course.given().items():
        (stage / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, stage / inside)
    stamp = course.path("submitted", student) / STAMP
    if stamp.is_file():
        shutil.copyfile(stamp, stage / stamp.name)
    return stage


def save(course, student, notebook, stage, record):
    """Save a run submission: grades into the gradebook, then the autograded folder, then the record that it is done.

    A run that is killed between these does the submission again; nothing of it is counted twice.
    """
    resources = course.resources(student)
    gradebook = course.gradebook
    gradebook.update_or_create_student(student)
    stamp = stage / STAMP
    when = {}
    if stamp.is_file():
        with contextlib.suppress(ValueError, OverflowError):
            when = {"timestamp": parse_utc(stamp.read_text().strip())}
    submission = gradebook.update_or_create_submission(course.name, student, **when)
    for one in (steps.IgnorePattern, steps.LimitOutput):
        notebook, _ = course.step(one).preprocess(notebook, resources)
    notebook, _ = course.step(SaveGrades).preprocess(notebook, resources)
    stored = gradebook.find_submission_notebook(course.name, course.name, student)
    stored.late_submission_penalty = None
    if submission.total_seconds_late > 0:
        late = course.step(steps.AssignLatePenalties)
        late.init_plugin()
        penalty = late.plugin_inst.late_submission_penalty(student, stored.score, submission.total_seconds_late)
        if penalty is not None:
            stored.late_submission_penalty = late._check_late_penalty(stored, penalty)
    (stage / f"{course.name}.ipynb").write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    for path in stage.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)
    stage.chmod(0o755)
    gradebook.db.done()
    target = course.path("autograded", student)
    if target.exists():
        shutil.rmtree(target)
    stage.rename(target)
    write_json(course.state / f"{student}.json", record)


def waiting_for(course, limits, again):
    """Return the submissions that are collected and not yet graded, or all if ``again``: a list of (student, digest)."""
    rules, waiting = course.digest(), []
    for student in course.students():
        digest = hashlib.sha256((rules + digest_of_folder(course.path("submitted", student))).encode()).hexdigest()
        record = read_json(course.state / f"{student}.json")
        done = (course.path("autograded", student) / f"{course.name}.ipynb").is_file()
        # Other limits matter to those alone that came to the end of theirs.
        limited = record.get("restarts") and record.get("limits") != asdict(limits)
        if again or record.get("digest") != digest or not done or limited:
            waiting.append((student, digest))
    return waiting


def prepared(course, student, failed):
    """Return a submission's notebook and its new folder; None, with a sentence in ``failed``, if nbgrader's checks refuse it."""
    stage = staged(course, student)
    try:
        return sanitised(course, student), stage
    except Exception as error:  # whatever nbgrader's checks raise costs no other submission
        failed[student] = f"nbgrader's checks refuse the notebook ({type(error).__name__}: {str(error)[:200]})"
        shutil.rmtree(stage)
        return None


def finish(course, student, digest, notebook, stage, job, limits, failed):
    """Save a submission whose run is done; a sentence goes into ``failed`` if that cannot be. IsolationError if it did not run."""
    try:
        ran = job.result()
        record = {
            "digest": digest,
            "remarks": notebook.metadata.get(isolated.REMARKS, []),
            "seconds": round(ran.seconds, 3),
            "processor_seconds": round(ran.processor_seconds, 2),
            "peak_mb": round(ran.peak_mb, 1),
            "restarts": ran.restarts,
            "limits": asdict(limits),
        }
        save(course, student, notebook, stage, record)
    except IsolationError:
        raise
    except Exception as error:
        course.gradebook.db.rollback()
        LOG.exception("grading %s failed", student)
        failed[student] = f"could not be graded ({type(error).__name__}: {str(error)[:200]})"
        shutil.rmtree(stage, ignore_errors=True)


def grade_all(course, limits, workers, again=False, quiet=False):
    """Grade what is collected and not yet graded; returns {student: sentence} of those that failed for a fault of ours.

    The sandboxes run side by side in ``workers`` threads that only wait for them; all else happens in this thread.
    """
    waiting, failed = waiting_for(course, limits, again), {}
    for left in course.state.glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)
    bar = tqdm(total=len(waiting), unit="submission", desc=course.name, disable=True if quiet else None)
    running, stop = {}, threading.Event()
    with bar, concurrent.futures.ThreadPoolExecutor(workers) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < workers + 1:  # one more is ready when a sandbox ends
                    student, digest = waiting.pop(0)
                    ready = prepared(course, student, failed)
                    if ready is None:
                        bar.update()
                        continue
                    job = pool.submit(isolated.run_notebook, *ready, limits, stop)
                    running[job] = (student, digest, *ready)
                done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for job in done:
                    finish(course, *running.pop(job), job, limits, failed)
                    bar.update()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return failed


# ---------------------------------------------------------------- all of it


def grade(
    name,
    course=COURSE,
    submissions=None,
    workers=2,
    students=None,
    written=None,
    again=False,
    limits=None,
    quiet=False,
    feedback=True,
):
    """Collect, grade, and write marks and feedback of one assignment; returns the marks, a list of dicts.

    Parameters
    ----------
    name : str
        The assignment.
    course : path of the course folder
    submissions : path of a folder or zip, or None to grade what is collected
    workers : int
        How many submissions run at the same time.
    students : path of a CSV file with the class, or None
    written : path of a CSV file with marks given by hand, or None
    again : bool
        Run submissions that are graded already as well.
    limits : Limits or None
    quiet : bool
        No progress bars.
    feedback : bool
        Write the feedback pages.

    Raises
    ------
    IsolationError, GradingError, CollectError
    """
    limits = limits or Limits()
    check_isolation(limits)
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    roster = read_roster(students) if students else None
    with Course(course, name) as opened, warnings.catch_warnings():
        # nbgrader adds objects to a session in an order that SQLAlchemy 2 warns of; what is stored is right
        warnings.filterwarnings("ignore", category=SAWarning)
        report_path = opened.state / "collected.json"
        report = {line["student"]: Line(**line) for line in read_json(report_path).get("lines", [])}
        if submissions:
            layout, lines = collect(
                submissions, opened.folder, name, set(opened.known), roster, {str(one) for one in opened.given()}
            )
            for line in lines:
                # an unchanged submission keeps what was said when it was collected
                report[line.student] = line
            write_json(report_path, {"layout": layout, "lines": [asdict(line) for line in report.values()]})
        failed = grade_all(opened, limits, workers, again, quiet)
        if written:
            import_written(opened, written)
        rows = marks(opened, report.values(), failed, sorted(set(roster.values())) if roster else ())
        if feedback:
            for student, sentence in write_feedback(opened, rows, quiet).items():
                next(row for row in rows if row["student"] == student)["remarks"].append(sentence)
        opened.sheet = write_marks(opened, rows)[1]
        write_json(opened.state / "last.json", {"time": time.time(), "sheet": opened.sheet is not None})
    return rows


def summary(rows, course, name):
    """Return what the command prints at its end."""
    graded = [row for row in rows if row["status"] == "graded"]
    lines = [f"{name}: {len(graded)} of {len(rows)} graded"]
    if graded:
        mean = sum(row["total"] for row in graded) / len(graded)
        lines[0] += f", mean {mean:.1f} of {graded[0]['max']:g} points"
    for row in rows:
        if row["status"] in ("refused", "failed"):
            lines.append(f"  {row['status']:8s} {row['student']}: {'; '.join(row['remarks'])}")
    waiting = sum(bool(row["needs_marking"]) for row in graded)
    if waiting:
        lines.append(
            f"  {waiting} wait for the marks of the written task: fill in points in marks/{name}_to_mark.csv and give it with --written"
        )
    if not read_json(Path(course) / ".grading" / name / "last.json").get("sheet", True):
        lines.append(
            f"  marks/{name}_to_mark.csv holds points that are not in the gradebook: it was left alone; give it with --written"
        )
    lines.append(f"  marks, feedback, autograded: in {course}")
    return "\n".join(lines)


def main(arguments=None):
    """Grade from the command line; returns 0, 1 if a submission failed or nothing could be graded, 130 if stopped."""
    parser = argparse.ArgumentParser(prog="python -m coursework grade", description="collect and grade submissions")
    parser.add_argument("name", help="the assignment")
    parser.add_argument(
        "--submissions", type=Path, help="folder or zip from Moodle, Canvas, or a folder for each student"
    )
    parser.add_argument(
        "--course", type=Path, default=COURSE, help="the course folder (default: _build/coursework/course)"
    )
    parser.add_argument("--workers", type=int, default=2, help="submissions at the same time (default: %(default)s)")
    parser.add_argument("--students", type=Path, help="CSV of the class: student, and name or number of the platform")
    parser.add_argument("--written", type=Path, help="CSV of marks given by hand: student, task, points, comment")
    parser.add_argument("--again", action="store_true", help="run graded submissions again as well")
    parser.add_argument("--no-feedback", action="store_true", help="write no feedback pages")
    standard = Limits()
    parser.add_argument(
        "--cell-seconds", type=float, default=standard.cell_seconds, help="for one cell (default: %(default)s)"
    )
    parser.add_argument(
        "--memory", type=int, default=standard.memory_mb, help="MB for one submission (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    limits = Limits(
        cell_seconds=options.cell_seconds,
        submission_seconds=max(standard.submission_seconds, 3 * options.cell_seconds),
        memory_mb=options.memory,
    )
    try:
        rows = grade(
            options.name,
            options.course,
            options.submissions,
            max(1, options.workers),
            options.students,
            options.written,
            options.again,
            limits,
            feedback=not options.no_feedback,
        )
    except (IsolationError, GradingError, CollectError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on where it was", file=sys.stderr)
        return 130
    print(summary(rows, os.path.relpath(options.course), options.name))
    return int(any(row["status"] == "failed" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
