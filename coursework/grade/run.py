"""Grade an assignment's submissions: ``python -m coursework grade NAME --submissions PATH``.

Collects (coursework/collecting.py), brings each notebook into order with nbgrader's own checks, runs it in the sandbox
(coursework/sandbox.py), saves the grades with nbgrader into ``gradebook.db``, and writes, in the course folder:

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
import csv
import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import asdict
from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbgrader import preprocessors as steps
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc
from sqlalchemy.exc import SAWarning
from tqdm import tqdm
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from coursework import isolated, sandbox
from coursework.collecting import CollectError, Line, collect, read_roster
from coursework.notebooks import grading

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "_build" / "coursework" / "course"
# What a change of makes a graded submission out of date, beside the assignment.
GRADED_BY = ("worker.py", "sandbox.py", "isolated.py")
LOG = logging.getLogger("coursework")


class GradingError(Exception):
    """Nothing can be graded. The message says why and what to do."""


# ---------------------------------------------------------------- nbgrader's steps over one open gradebook


class Shared:
    """Mixed into a step of nbgrader: it uses the gradebook that is open, in place of opening it anew each time.

    Opening means a connection, a look at all tables and a check of the course: for five steps and 200 submissions that
    takes longer than the steps themselves. What the steps do is nbgrader's.
    """

    shared = None

    def preprocess(self, nb, resources):
        self.gradebook = self.shared
        about = resources["nbgrader"]
        self.notebook_id, self.assignment_id = about["notebook"], about["assignment"]
        self.student_id, self.db_url = about["student"], about["db_url"]
        return NbGraderPreprocessor.preprocess(self, nb, resources)


class Overwrite(Shared, steps.OverwriteCells):
    """nbgrader's OverwriteCells: locked cells get the source of the gradebook, hidden tests included."""


class SaveGrades(Shared, steps.SaveAutoGrades):
    """nbgrader's SaveAutoGrades."""


class GetGrades(Shared, steps.GetGrades):
    """nbgrader's GetGrades."""

    def preprocess(self, nb, resources):
        nb, resources = super().preprocess(nb, resources)
        notebook = self.gradebook.find_submission_notebook(self.notebook_id, self.assignment_id, self.student_id)
        penalty = notebook.late_submission_penalty or 0
        resources["nbgrader"] |= {
            "score": notebook.score - penalty,
            "max_score": notebook.max_score,
            "late_penalty": penalty,
        }
        return nb, resources


class Batched:
    """A database session whose ``commit`` only writes to the transaction: one commit for each submission, at its end."""

    def __init__(self, session):
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)

    def commit(self):
        """Send what is new to the transaction, which `done` ends."""
        self._session.flush()

    def done(self):
        """Commit."""
        self._session.commit()


class Course:
    """A course folder of nbgrader with its gradebook open. A context manager; only one run may use it at a time."""

    def __init__(self, folder, name):
        self.folder, self.name = Path(folder).resolve(), name
        if not (self.folder / "gradebook.db").is_file():
            raise GradingError(
                f"{self.folder} holds no gradebook.db: make the course first (make coursework), or name it with --course"
            )
        self.state = self.folder / ".grading" / name
        self.config = Config()
        if (self.folder / "nbgrader_config.py").is_file():
            self.config = PyFileConfigLoader("nbgrader_config.py", path=str(self.folder)).load_config()
        self.config.CourseDirectory.root = str(self.folder)

    def __enter__(self):
        self.state.mkdir(parents=True, exist_ok=True)
        self.lock = open(self.folder / ".grading" / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.lock.close()
            raise GradingError(f"{self.folder} is being graded by another run: wait until it is done") from error
        self.directory = CourseDirectory(config=self.config)
        self.gradebook = Gradebook(self.directory.db_url, self.directory.course_id)
        self.gradebook.db = Batched(self.gradebook.db)
        try:
            self.assignment = self.gradebook.find_assignment(self.name)
            self.known = isolated.known_cells(self.gradebook, self.name, self.name)
            self.kernelspec = json.loads(self.gradebook.find_notebook(self.name, self.name).kernelspec or "{}")
        except MissingEntry as error:
            known = ", ".join(sorted(one.name for one in self.gradebook.assignments)) or "none"
            self.__exit__()
            raise GradingError(f"{self.folder} has no assignment {self.name!r}; it has: {known}") from error
        return self

    def __exit__(self, *_):
        self.gradebook.close()
        self.lock.close()

    def path(self, step, student):
        """Return the folder of a student's submission in one of nbgrader's steps."""
        return self.folder / step / student / self.name

    def given(self):
        """Return the files that the assignment gives out beside its notebook, {relative path: Path}."""
        folder = self.folder / "source" / self.name
        found = {}
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if (
                path.is_file()
                and path.suffix != ".ipynb"
                and not {"__pycache__", ".ipynb_checkpoints"} & set(inside.parts)
            ):
                found[inside] = path
        return found

    def resources(self, student):
        """Return the resources that nbgrader's steps ask for."""
        about = {"student": student, "assignment": self.name, "notebook": self.name, "db_url": self.directory.db_url}
        return {"unique_key": self.name, "output_files_dir": f"{self.name}_files", "nbgrader": about, "metadata": {}}

    def step(self, kind, **traits):
        """Return a step of nbgrader with this course's settings."""
        made = kind(config=self.config, enabled=True, **traits)
        if isinstance(made, Shared):
            made.shared = self.gradebook
        return made

    def students(self):
        """Return the ids of all whose submission is collected, sorted."""
        return sorted(
            path.parent.parent.name for path in self.folder.glob(f"submitted/*/{self.name}/{self.name}.ipynb")
        )

    def digest(self):
        """Return a digest of what grades a submission: the assignment, its files, and our code."""
        digest = hashlib.sha256()
        for name, cell in self.known.items():
            digest.update(f"{name}\0{cell.source}\0{json.dumps(cell.about, sort_keys=True)}\0".encode())
        for inside, path in self.given().items():
            digest.update(str(inside).encode() + hashlib.sha256(path.read_bytes()).digest())
        for name in GRADED_BY:
            digest.update(Path(__file__).with_name(name).read_bytes())
        return digest.hexdigest()


def digest_of_folder(folder):
    """Return a digest of all files of a submission."""
    digest = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and not path.is_symlink():
            digest.update(
                path.relative_to(folder).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest()
            )
    return digest.hexdigest()


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
    stamp = course.path("submitted", student) / "timestamp.txt"
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
    stamp = stage / "timestamp.txt"
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


def write_json(path, content):
    """Write a file in one step."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    new.rename(path)


def read_json(path):
    """Return a file's content, or an empty dict."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def grade_all(course, limits, workers, again=False, quiet=False):
    """Grade what is collected and not yet graded; returns {student: sentence} of those that failed for a fault of ours.

    The sandboxes run side by side in ``workers`` threads that only wait for them; all else happens in this thread.
    """
    rules = course.digest()
    waiting, failed = [], {}
    for student in course.students():
        digest = hashlib.sha256((rules + digest_of_folder(course.path("submitted", student))).encode()).hexdigest()
        record = read_json(course.state / f"{student}.json")
        done = (course.path("autograded", student) / f"{course.name}.ipynb").is_file()
        # Other limits matter to those alone that came to the end of theirs.
        limited = record.get("restarts") and record.get("limits") != asdict(limits)
        if again or record.get("digest") != digest or not done or limited:
            waiting.append((student, digest))
    for left in course.state.glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)
    bar = tqdm(total=len(waiting), unit="submission", desc=course.name, disable=True if quiet else None)
    running, stop = {}, threading.Event()
    with bar, concurrent.futures.ThreadPoolExecutor(workers) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < workers + 1:  # one more is ready when a sandbox ends
                    student, digest = waiting.pop(0)
                    stage = staged(course, student)
                    try:
                        notebook = sanitised(course, student)
                    except Exception as error:  # whatever nbgrader's checks raise costs no other submission
                        failed[student] = (
                            f"nbgrader's checks refuse the notebook ({type(error).__name__}: {str(error)[:200]})"
                        )
                        shutil.rmtree(stage)
                        bar.update()
                        continue
                    job = pool.submit(isolated.run_notebook, notebook, stage, limits, stop)
                    running[job] = (student, digest, notebook, stage)
                done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for job in done:
                    student, digest, notebook, stage = running.pop(job)
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
                    except sandbox.IsolationError:
                        raise
                    except Exception as error:
                        course.gradebook.db.rollback()
                        LOG.exception("grading %s failed", student)
                        failed[student] = f"could not be graded ({type(error).__name__}: {str(error)[:200]})"
                        shutil.rmtree(stage, ignore_errors=True)
                    bar.update()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return failed


# ---------------------------------------------------------------- marks


def tasks_of(course):
    """Return the graded cells in their order: a list of (grade_id, task id, points, written)."""
    return [
        (name, name.removeprefix("test_"), cell.about["points"], cell.about["solution"])
        for name, cell in course.known.items()
        if cell.about["grade"]
    ]


def safe(value):
    """Return a value for a CSV file so that no spreadsheet takes it for a formula."""
    text = str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not is_number(text) else text


def is_number(text):
    """Tell whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def number(value):
    """Return points as a text: whole numbers without a point, '' for None."""
    return "" if value is None else f"{value:g}"


def write_csv(path, header, rows):
    """Write a CSV file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    with open(new, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([safe(one) for one in row] for row in rows)
    new.rename(path)


def import_written(course, path):
    """Take marks given by hand from a CSV file (student, task, points, comment) into the gradebook; returns their number.

    Rows without points are left out. If a row is wrong, none is taken, and :class:`GradingError` lists all that are.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GradingError(f"{path} cannot be read: {error}") from error
    if rows and not {"student", "task", "points"} <= rows[0].keys():
        raise GradingError(f"{path} needs the columns student, task, points, and comment if there are any")
    cells = {}
    for grade_id, task, points, _ in tasks_of(course):
        cells[grade_id] = cells[task] = (grade_id, points)
    faults, taken = [], []
    for line, row in enumerate(rows, 2):
        given = (row["points"] or "").strip()
        if not given:
            continue
        student, task = (row["student"] or "").strip().removeprefix("'"), (row["task"] or "").strip()
        if task not in cells:
            faults.append(f"line {line}: there is no task {task!r}")
            continue
        grade_id, most = cells[task]
        try:
            points = float(given.replace(",", "."))
        except ValueError:
            points = float("nan")
        if not 0 <= points <= most:
            faults.append(f"line {line}: {given!r} is no number of points from 0 to {most:g}")
            continue
        try:
            grade = course.gradebook.find_grade(grade_id, course.name, course.name, student)
        except MissingEntry:
            faults.append(f"line {line}: there is no graded submission of {student!r}")
            continue
        taken.append((grade, grade_id, student, points, (row.get("comment") or "").strip().removeprefix("'")))
    if faults:
        raise GradingError(f"{path}: nothing was taken, correct these lines first\n  " + "\n  ".join(faults[:50]))
    for grade, grade_id, student, points, comment in taken:
        grade.manual_score, grade.needs_manual_grade = points, False
        if comment:
            with contextlib.suppress(MissingEntry):
                course.gradebook.find_comment(grade_id, course.name, course.name, student).manual_comment = comment
    course.gradebook.db.done()
    return len(taken)


def marks(course, report=(), failed=None, expected=()):
    """Return the marks: a list of dicts with student, status, points by task, total, max, needs_marking, remarks."""
    tasks = tasks_of(course)
    most = sum(points for _, _, points, _ in tasks)
    lines = {line.student: line for line in report}
    rows = {}
    for submission in course.gradebook.assignment_submissions(course.name):
        student = submission.student_id
        grades = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
        remarks = list(read_json(course.state / f"{student}.json").get("remarks", []))
        penalty = sum(notebook.late_submission_penalty or 0 for notebook in submission.notebooks)
        if penalty:
            remarks.append(f"late: {penalty:g} points less")
        rows[student] = {
            "student": student,
            "status": "graded",
            "points": {task: grades[name].score if name in grades else 0 for name, task, _, _ in tasks},
            "total": submission.score - penalty,
            "max": most,
            "needs_marking": [task for name, task, _, _ in tasks if name in grades and grades[name].needs_manual_grade],
            "remarks": remarks,
        }
    empty = {"points": {}, "total": None, "max": most, "needs_marking": []}
    for student, line in lines.items():
        if line.status == "refused":
            told = [f"refused: {line.remarks[0]}", *line.remarks[1:]]
            if student in rows:
                # An earlier submission stays as it is; the new one is told.
                rows[student]["remarks"] = ["the latest one was " + told[0], *told[1:], *rows[student]["remarks"]]
            else:
                rows[student] = {"student": student, "status": "refused", **empty, "remarks": told}
        elif student in rows:
            rows[student]["remarks"] = [*line.remarks, *rows[student]["remarks"]]
    for student, sentence in (failed or {}).items():
        rows.setdefault(student, {"student": student, **empty, "remarks": []})
        rows[student]["status"] = "failed"
        rows[student]["remarks"] = [sentence, *rows[student]["remarks"]]
    for student in expected:
        rows.setdefault(student, {"student": student, "status": "missing", **empty, "remarks": ["no submission"]})
    return [rows[student] for student in sorted(rows)]


def write_marks(course, rows):
    """Write marks/NAME.csv and the sheet of written answers; returns both paths (None if the sheet was left alone)."""
    tasks = [task for _, task, _, _ in tasks_of(course)]
    path = course.folder / "marks" / f"{course.name}.csv"
    write_csv(
        path,
        ["student", "status", *tasks, "total", "max", "needs_marking", "remarks"],
        [
            [
                row["student"],
                row["status"],
                *(number(row["points"].get(task)) for task in tasks),
                number(row["total"]),
                number(row["max"]),
                " ".join(row["needs_marking"]),
                "; ".join(row["remarks"]),
            ]
            for row in rows
        ],
    )
    return path, write_sheet(course, rows)


def write_sheet(course, rows):
    """Write the sheet of written answers, with the marks and comments that the gradebook has; returns its path.

    A sheet with points that the gradebook does not have yet is work of somebody's: it is left alone, and None returned.
    """
    path = course.folder / "marks" / f"{course.name}_to_mark.csv"
    header = ["student", "task", "points", "max", "comment", "answer"]
    sheet = []
    written = [(name, task, points) for name, task, points, is_written in tasks_of(course) if is_written]
    for row in rows:
        if row["status"] != "graded":
            continue
        notebook = nbformat.read(course.path("autograded", row["student"]) / f"{course.name}.ipynb", as_version=4)
        answers = {grading(cell).get("grade_id"): cell.source for cell in notebook.cells}
        for name, task, points in written:
            grade = course.gradebook.find_grade(name, course.name, course.name, row["student"])
            comment = course.gradebook.find_comment(name, course.name, course.name, row["student"])
            given = "" if grade.needs_manual_grade else number(grade.score)
            sheet.append([row["student"], task, given, number(points), comment.comment or "", answers.get(name, "")])
    if path.is_file():
        with open(path, newline="", encoding="utf-8-sig") as file:
            before = {(one.get("student"), one.get("task")): one for one in csv.DictReader(file)}
        here = {(safe(line[0]), line[1]): line for line in sheet}
        for key, one in before.items():
            points = (one.get("points") or "").strip().replace(",", ".")
            known = here[key][2] if key in here else ""
            if points and (not is_number(points) or not is_number(known) or float(points) != float(known)):
                return None
    write_csv(path, header, sheet)
    return path


# ---------------------------------------------------------------- feedback


class FeedbackExporter(HTMLExporter):
    """nbconvert's HTML exporter without its second look at the finished page, which takes as long as all the rest.

    That look parses each page to give pictures without an alternative text one; this does it with an expression.
    """

    def from_notebook_node(self, nb, resources=None, **more):
        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name"))
        resources = self._init_resources(resources)
        self.register_filter("highlight_code", Highlight2HTML(pygments_lexer=lexer, parent=self))
        kinds = WidgetsDataTypeFilter(notebook_metadata=self._nb_metadata, parent=self, resources=resources)
        self.register_filter("filter_data_type", kinds)
        html, resources = super(HTMLExporter, self).from_notebook_node(nb, resources, **more)
        return re.sub(r"<img(?![^>]*\balt=)", '<img alt="A picture that the code above made"', html), resources


def write_feedback(course, rows, quiet=False):
    """Write the feedback pages that are missing or out of date, with nbgrader's template; returns {student: sentence} of faults."""
    from nbgrader.converters import GenerateFeedback

    converter = GenerateFeedback(coursedir=course.directory, config=course.config)
    config = Config(converter.config)
    config.HTMLExporter.sanitize_html = True  # students' Markdown and outputs run no script in anybody's browser
    exporter = FeedbackExporter(config=config)
    exporter._preprocessors = []
    for step in (
        course.step(GetGrades),
        course.step(isolated.HideHiddenTests),
        steps_css()(config=config, enabled=True),
    ):
        exporter.register_preprocessor(step, enabled=True)
    failed, graded = {}, [row for row in rows if row["status"] == "graded"]
    for row in tqdm(graded, unit="page", desc="feedback", disable=True if quiet else None):
        student = row["student"]
        source = course.path("autograded", student) / f"{course.name}.ipynb"
        target = course.path("feedback", student) / f"{course.name}.html"
        state = course.state / f"{student}.feedback.json"
        comments = [
            one.comment
            for notebook in course.gradebook.find_submission(course.name, student).notebooks
            for one in notebook.comments
        ]
        told = json.dumps([row["points"], row["total"], row["needs_marking"], comments]).encode()
        code = Path(isolated.__file__).read_bytes()
        digest = hashlib.sha256(source.read_bytes() + told + code).hexdigest()
        if target.is_file() and read_json(state).get("digest") == digest:
            continue
        try:
            notebook = nbformat.read(source, as_version=4)
            page, _ = exporter.from_notebook_node(notebook, resources=course.resources(student))
            target.parent.mkdir(parents=True, exist_ok=True)
            new = target.with_name(f".{target.name}.new")
            new.write_text(page, encoding="utf-8")
            new.rename(target)
            write_json(state, {"digest": digest})
        except Exception as error:
            LOG.exception("feedback for %s failed", student)
            failed[student] = f"no feedback could be written ({type(error).__name__}: {str(error)[:200]})"
    return failed


def steps_css():
    """Return nbconvert's step that puts its styles into a page."""
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor

    return CSSHTMLHeaderPreprocessor


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
    limits = limits or sandbox.Limits()
    sandbox.check_isolation(limits)
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
    standard = sandbox.Limits()
    parser.add_argument(
        "--cell-seconds", type=float, default=standard.cell_seconds, help="for one cell (default: %(default)s)"
    )
    parser.add_argument(
        "--memory", type=int, default=standard.memory_mb, help="MB for one submission (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    limits = sandbox.Limits(
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
    except (sandbox.IsolationError, GradingError, CollectError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on where it was", file=sys.stderr)
        return 130
    print(summary(rows, os.path.relpath(options.course), options.name))
    return int(any(row["status"] == "failed" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
