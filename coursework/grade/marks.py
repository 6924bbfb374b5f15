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


def read_written(path):
    """Return the rows of a CSV file of marks given by hand, a list of dicts; :class:`GradingError` if it is none."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GradingError(f"{path} cannot be read: {error}") from error
    if rows and not {"student", "task", "points"} <= rows[0].keys():
        raise GradingError(f"{path} needs the columns student, task, points, and comment if there are any")
    return rows


def field_of(row, name):
    """Return a field of a CSV file's row without blanks around it, '' if there is none."""
    return (row.get(name) or "").strip()


def written_mark(course, cells, row):
    """Return (grade in the gradebook, its grade_id, student, points, comment) of a row with points.

    ``cells`` is {task or grade_id: (grade_id, most points)}. ValueError with a sentence if something in it is wrong.
    """
    student, task, given = field_of(row, "student").removeprefix("'"), field_of(row, "task"), field_of(row, "points")
    if task not in cells:
        raise ValueError(f"there is no task {task!r}")
    grade_id, most = cells[task]
    points = float(given.replace(",", ".")) if is_number(given.replace(",", ".")) else float("nan")
    if not 0 <= points <= most:
        raise ValueError(f"{given!r} is no number of points from 0 to {most:g}")
    try:
        grade = course.gradebook.find_grade(grade_id, course.name, course.name, student)
    except MissingEntry:
        raise ValueError(f"there is no graded submission of {student!r}") from None
    return grade, grade_id, student, points, field_of(row, "comment").removeprefix("'")


def import_written(course, path):
    """Take marks given by hand from a CSV file (student, task, points, comment) into the gradebook; returns their number.

    Rows without points are left out. If a row is wrong, none is taken, and :class:`GradingError` lists all that are.
    """
    cells = {}
    for grade_id, task, points, _ in tasks_of(course):
        cells[grade_id] = cells[task] = (grade_id, points)
    faults, taken = [], []
    for line, row in enumerate(read_written(path), 2):
        if field_of(row, "points"):
            try:
                taken.append(written_mark(course, cells, row))
            except ValueError as error:
                faults.append(f"line {line}: {error}")
    if faults:
        raise GradingError(f"{path}: nothing was taken, correct these lines first\n  " + "\n  ".join(faults[:50]))
    for grade, grade_id, student, points, comment in taken:
        grade.manual_score, grade.needs_manual_grade = points, False
        if comment:
            with contextlib.suppress(MissingEntry):
                course.gradebook.find_comment(grade_id, course.name, course.name, student).manual_comment = comment
    course.gradebook.db.done()
    return len(taken)


def row_of(course, submission, tasks):
    """Return the row of marks of a graded submission, a dict as in `marks`."""
    student = submission.student_id
    grades = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
    remarks = list(read_json(course.state / f"{student}.json").get("remarks", []))
    penalty = sum(notebook.late_submission_penalty or 0 for notebook in submission.notebooks)
    if penalty:
        remarks.append(f"late: {penalty:g} points less")
    return {
        "student": student,
        "status": "graded",
        "points": {task: grades[name].score if name in grades else 0 for name, task, _, _ in tasks},
        "total": submission.score - penalty,
        "max": sum(points for _, _, points, _ in tasks),
        "needs_marking": [task for name, task, _, _ in tasks if name in grades and grades[name].needs_manual_grade],
        "remarks": remarks,
    }


def marks(course, report=(), failed=None, expected=()):
    """Return the marks: a list of dicts with student, status, points by task, total, max, needs_marking, remarks.

    report : lines of `coursework.grade.collecting.collect`
    failed : {student: sentence} of those that could not be graded, or None
    expected : ids of the students of the class
    """
    tasks = tasks_of(course)
    found = course.gradebook.assignment_submissions(course.name)
    rows = {one.student_id: row_of(course, one, tasks) for one in found}

    def row(student, status):
        """Return the row of a student; a new one without marks has this status."""
        empty = {"points": {}, "total": None, "max": sum(points for _, _, points, _ in tasks), "needs_marking": []}
        return rows.setdefault(student, {"student": student, "status": status, **empty, "remarks": []})

    for line in {line.student: line for line in report}.values():
        if line.status == "refused":
            # An earlier submission stays as it is; the new one is told.
            which = "the latest one was refused" if line.student in rows else "refused"
            told = [f"{which}: {line.remarks[0]}", *line.remarks[1:]]
            one = row(line.student, "refused")
            one["remarks"] = [*told, *one["remarks"]]
        elif line.student in rows:
            rows[line.student]["remarks"] = [*line.remarks, *rows[line.student]["remarks"]]
    for student, sentence in (failed or {}).items():
        one = row(student, "failed")
        one["status"], one["remarks"] = "failed", [sentence, *one["remarks"]]
    for student in set(expected) - rows.keys():
        row(student, "missing")["remarks"] = ["no submission"]
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


def answers_of(course, student, written):
    """Yield the lines of the sheet for one student; ``written`` are the tasks as (grade_id, task, points)."""
    notebook = nbformat.read(course.path("autograded", student) / f"{course.name}.ipynb", as_version=4)
    answers = {grading(cell).get("grade_id"): cell.source for cell in notebook.cells}
    for name, task, points in written:
        grade = course.gradebook.find_grade(name, course.name, course.name, student)
        comment = course.gradebook.find_comment(name, course.name, course.name, student)
        given = "" if grade.needs_manual_grade else number(grade.score)
        yield [student, task, given, number(points), comment.comment or "", answers.get(name, "")]


def holds_new_points(path, sheet):
    """Tell whether the sheet at ``path`` has points that the lines ``sheet``, from the gradebook, have not."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        before = {(one.get("student"), one.get("task")): one for one in csv.DictReader(file)}
    here = {(safe(student), task): given for student, task, given, *_ in sheet}
    for key, one in before.items():
        points, known = field_of(one, "points").replace(",", "."), here.get(key, "")
        if points and (not is_number(points) or not is_number(known) or float(points) != float(known)):
            return True
    return False


def write_sheet(course, rows):
    """Write the sheet of written answers, with the marks and comments that the gradebook has; returns its path.

    A sheet with points that the gradebook does not have yet is work of somebody's: it is left alone, and None returned.
    """
    path = course.folder / "marks" / f"{course.name}_to_mark.csv"
    header = ["student", "task", "points", "max", "comment", "answer"]
    written = [(name, task, points) for name, task, points, is_written in tasks_of(course) if is_written]
    graded = [row["student"] for row in rows if row["status"] == "graded"]
    sheet = [line for student in graded for line in answers_of(course, student, written)]
    if path.is_file() and holds_new_points(path, sheet):
        return None
    write_csv(path, header, sheet)
    return path
