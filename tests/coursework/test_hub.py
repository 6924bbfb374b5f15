"""A course on a real JupyterHub: two students and a teacher, from the release to the feedback; and the settings' files."""

import concurrent.futures
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursework.hub.local_hub import ROOT, LocalHub

TEACHER, STUDENTS = "carla", ("anna", "ben")
COURSE, NAME = "digits", "tiny"
RIGHT = "def double(a):\n    return [2 * x for x in a]"
WRONG = "def double(a):\n    return a + a"


def cell_of(kind, source, grade_id, points=None, **marks):
    """Return a cell with nbgrader's metadata of version 3."""
    found = (new_code_cell if kind == "code" else new_markdown_cell)(source)
    marks = {"grade": False, "solution": False, "locked": False, "task": False, **marks}
    found.metadata["nbgrader"] = {"grade_id": grade_id, "schema_version": 3, "cell_type": kind, **marks}
    if points is not None:
        found.metadata["nbgrader"]["points"] = points
    return found


def source_notebook():
    """Return the source of a small assignment: a task of 3 points with a hidden test, and a written one of 2."""
    solution = "def double(a):\n    ### BEGIN SOLUTION\n    return [2 * x for x in a]\n    ### END SOLUTION"
    test = "assert double([1]) != [1], 'nothing was doubled'\n### BEGIN HIDDEN TESTS\nassert double([1, 4]) == [2, 8], 'hidden: not twice'\n### END HIDDEN TESTS"
    return new_notebook(
        cells=[
            new_markdown_cell("# Twice"),
            cell_of("code", solution, "double", solution=True),
            cell_of("code", test, "test_double", points=3, grade=True, locked=True),
            cell_of("markdown", "Because.", "written_why", points=2, grade=True, solution=True),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


@pytest.fixture(scope="module")
def hub():
    with LocalHub([TEACHER], STUDENTS, COURSE) as running:
        if os.environ.get("CI") and os.geteuid() == 0:
            assert running.real_users, "as root in CI each person must be a user of the machine: install bubblewrap"
        course = running.home(TEACHER) / "course"
        (course / "source" / NAME).mkdir(parents=True)
        nbformat.write(source_notebook(), course / "source" / NAME / f"{NAME}.ipynb")
        running.give(TEACHER, course)
        yield running


@pytest.fixture(scope="module")
def people(hub):
    """Everybody, signed in, each with a server of her or his own: {name: Visitor}."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return dict(zip((TEACHER, *STUDENTS), pool.map(hub.sign_in, (TEACHER, *STUDENTS)), strict=True))


def done(answer):
    """Assert that nbgrader's answer to a request tells of success, and return it."""
    assert answer.ok, f"{answer.status_code} {answer.url}: {answer.text[:2000]}"
    told = answer.json()
    assert told["success"], "\n".join(str(told[key]) for key in ("value", "log", "error") if told.get(key))
    return told


@pytest.fixture(scope="module")
def life(hub, people):
    """The life of the assignment; returns what was seen on the way."""
    teacher, seen = people[TEACHER], {}
    action = f"formgrader/api/assignment/{NAME}"
    done(teacher.send("POST", f"{action}/assign"))
    done(teacher.send("POST", f"{action}/release"))
    for name in STUDENTS:
        student = people[name]
        listed = done(student.get("assignments", params={"course_id": COURSE}))["value"]
        seen[name, "listed"] = [(one["assignment_id"], one["status"]) for one in listed]
        order = {"assignment_id": NAME, "course_id": COURSE}
        done(student.send("POST", "assignments/fetch", params=order))
        notebook = student.read(f"{NAME}/{NAME}.ipynb")["content"]
        seen[name, "fetched"] = str(notebook)
        next(cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == "double")[
            "source"
        ] = RIGHT if name == STUDENTS[0] else WRONG
        student.save(f"{NAME}/{NAME}.ipynb", notebook)
        done(student.send("POST", "assignments/submit", params=order))
    told = done(teacher.send("POST", f"{action}/collect"))
    seen["collected"] = told["log"]
    for name in STUDENTS:
        done(teacher.send("POST", f"formgrader/api/submission/{NAME}/{name}/autograde"))
    done(teacher.send("POST", f"{action}/generate_feedback"))
    done(teacher.send("POST", f"{action}/release_feedback"))
    for name in STUDENTS:
        done(
            people[name].send("POST", "assignments/fetch_feedback", params={"assignment_id": NAME, "course_id": COURSE})
        )
        folder = people[name].read(f"{NAME}/feedback")["content"][0]["path"]
        seen[name, "feedback"] = people[name].read(f"{folder}/{NAME}.html")["content"]
    return seen


def test_life(hub, people, life):
    for name in STUDENTS:
        assert life[name, "listed"] == [(NAME, "released")]
        assert "YOUR CODE HERE" in life[name, "fetched"]
        assert "hidden" not in life[name, "fetched"].lower() and "2 * x" not in life[name, "fetched"]
    marks = {one["student"]: one["score"] for one in people[TEACHER].get(f"formgrader/api/submissions/{NAME}").json()}
    assert marks == {"anna": 3, "ben": 0}
