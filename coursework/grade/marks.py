"""Marks: the table of a class, the sheet of written answers, and the marks that people gave to these."""

from __future__ import annotations

import contextlib
import csv

import nbformat
from nbgrader.api import MissingEntry

from coursework.grade.course import GradingError, read_json
from coursework.make.notebooks import grading


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
