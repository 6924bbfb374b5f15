"""The life of each real assignment, in a fresh folder: made, handed out, handed in, graded in the sandbox, marked, returned.

The course is one of its own, with a seed that no other test uses. Students begin with the notebook from their zip.
"""

import csv
import io
import zipfile

import nbformat
import pytest
from tiny_class import answered

from coursework.grade import analysis, run
from coursework.make import making
from coursework.make.notebooks import NAMES, load_module, tasks
from coursework.make.check import course_notebook

SEED = 70409


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The six assignments of this course; returns the folder with students/ and course/."""
    folder = tmp_path_factory.mktemp("life") / "coursework"
    making.make(NAMES, seed=SEED, output=folder, solutions=False, quiet=True)
    return folder


def handed_out(made, name):
    """The notebook in the zip that students get."""
    with zipfile.ZipFile(made / "students" / f"{name}.zip") as zipped:
        inside = next(one for one in zipped.namelist() if one.endswith(f"{name}.ipynb"))
        return nbformat.reads(zipped.read(inside).decode(), as_version=4)


@pytest.mark.parametrize("name", NAMES)
def test_from_the_zip_of_students_to_marks_and_feedback(made, tmp_path, name):
    blank, solved = handed_out(made, name), course_notebook(name, SEED)
    found = tasks(solved)
    solutions = {task.id: solved.cells[task.solution].source for task in found if not task.written}
    written = next(task for task in found if task.written)
    mistaken = next(task for task in found if not task.written)
    cases = load_module(name, "cases.py").CASES[mistaken.id]["wrong"]
    wrong = {**solutions, mistaken.id: next(iter(cases.values()))}
    words = {written.id: "My answer is that it depends, and on what."}
    # as Moodle packs a class
    moodle = tmp_path / "moodle.zip"
    with zipfile.ZipFile(moodle, "w") as zipped:
        for number, (student, answers) in enumerate(
            {"Ada Right": {**solutions, **words}, "Ben Blank": {}, "Cem Wrong": {**wrong, **words}}.items(), 1000001
        ):
            text = nbformat.writes(answered(blank, answers))
            zipped.writestr(f"{student}_{number}_assignsubmission_file_/{name}.ipynb", text)
    course = made / "course"
    assert run.main([name, "--course", str(course), "--submissions", str(moodle), "--workers", "2"]) == 0

    def marks():
        return {
            row["student"]: row for row in csv.DictReader(io.StringIO((course / "marks" / f"{name}.csv").read_text()))
        }

    machine = sum(task.points for task in found if not task.written)
    now = marks()
    totals = {student: row["total"] for student, row in now.items()}
    expected = {"Ada_Right": machine, "Ben_Blank": 0, "Cem_Wrong": machine - mistaken.points}
    assert totals == {student: str(points) for student, points in expected.items()}, [
        row["remarks"] for row in now.values()
    ]
    assert now["Ada_Right"]["needs_marking"] == written.id and now["Ada_Right"]["max"] == "20"

    # the teacher's marks for the written answer
    sheet = tmp_path / "by_hand.csv"
    sheet.write_text(f"student,task,points,comment\nAda_Right,{written.id},{written.points},Well argued.\n")
    assert run.main([name, "--course", str(course), "--written", str(sheet)]) == 0
    assert marks()["Ada_Right"]["total"] == "20"
    page = (course / "feedback" / "Ada_Right" / name / f"{name}.html").read_text()
    assert "Well argued." in page and "BEGIN HIDDEN TESTS" not in page

    # what the class as a whole got wrong
    assert analysis.main([name, "--course", str(course)]) == 0
    assert mistaken.id in (course / "analysis" / f"{name}.html").read_text()
