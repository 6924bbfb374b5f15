"""A course on a real JupyterHub: two students and a teacher, from the release of an assignment to its feedback.

Students act through their own servers, over HTTP, as their browsers would; the teacher through the formgrader in hers. As root and
with bubblewrap (so in CI) the three are different users for the system, and what they may read and write is tested; run by
anybody else they are one, and then only what the servers allow is.
"""

import concurrent.futures
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
import requests
from bs4 import BeautifulSoup

from coursework import SOURCES
from coursework.hub.local_hub import LocalHub
from coursework.make import making
from coursework.make.notebooks import grading, load_module, tasks

TEACHER, STUDENTS = "carla", ("anna", "ben")
COURSE, NAME = making.COURSE_ID, "preprocessing"
SLIP = ("images_that_fit", "one byte for every type")  # the task that Ben gets wrong, and his answer in cases.py
ANSWER = "I would ask who labelled the scans, and count again."


def answers_of(course):
    """Return what the two students write: {name: {grade_id: source}}, from the solutions and from a wrong answer."""
    notebook = nbformat.read(course / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    right = {grading(cell)["grade_id"]: cell.source for cell in notebook.cells if grading(cell).get("solution")}
    right |= {task.id: ANSWER for task in tasks(notebook) if task.written}
    task, what = SLIP
    wrong = load_module(NAME, "cases.py").CASES[task]["wrong"][what]
    # Grading runs his code: it looks for the gradebook, too, and says what it found.
    spy = f"""
try:
    print("SAW THE MARKS", len(open({str(course / "gradebook.db")!r}, "rb").read()))
except OSError as error:
    print("KEPT OUT", type(error).__name__)
"""
    return {"anna": right, "ben": right | {task: wrong + spy}}


@pytest.fixture(scope="module")
def hub():
    with LocalHub([TEACHER], STUDENTS, COURSE) as running:
        if os.environ.get("CI") and os.geteuid() == 0:
            assert running.real_users, "as root in CI each person must be a user of the machine: install bubblewrap"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(
                "PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            )  # nbgrader calls alembic
            made = making.make([NAME], output=running.folder / "made", solutions=False, quiet=True)
        shutil.move(made / "course", running.home(TEACHER) / "course")
        shutil.rmtree(made)
        running.give(TEACHER, running.home(TEACHER) / "course")
        yield running
    # Nothing is left of it.
    assert not running.folder.exists() and running.process.poll() is not None
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{running.url}/user/anna/api/status", timeout=5)


@pytest.fixture(scope="module")
def answers(hub):
    return answers_of(hub.home(TEACHER) / "course")


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
def life(people, answers):
    """The life of the assignment: release, fetch, submit, collect, grade, feedback. Returns what was seen on the way."""
    teacher, seen = people[TEACHER], {}
    action = f"formgrader/api/assignment/{NAME}"
    order = {"assignment_id": NAME, "course_id": COURSE}
    done(teacher.send("POST", f"{action}/release"))
    for name in STUDENTS:
        student = people[name]
        listed = done(student.get("assignments", params={"course_id": COURSE}))["value"]
        seen[name, "listed"] = [(one["assignment_id"], one["status"]) for one in listed]
        done(student.send("POST", "assignments/fetch", params=order))
        notebook = student.read(f"{NAME}/{NAME}.ipynb")["content"]
        seen[name, "fetched"] = "\n".join(cell["source"] for cell in notebook["cells"])
        for cell in notebook["cells"]:
            cell["source"] = answers[name].get(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"])
        student.save(f"{NAME}/{NAME}.ipynb", notebook)
        seen[name, "submitted"] = done(student.send("POST", "assignments/submit", params=order))["value"]
    seen["collected"] = done(teacher.send("POST", f"{action}/collect"))["log"]
    for name in STUDENTS:
        done(teacher.send("POST", f"formgrader/api/submission/{NAME}/{name}/autograde"))
    done(teacher.send("POST", f"{action}/generate_feedback"))
    done(teacher.send("POST", f"{action}/release_feedback"))
    for name in STUDENTS:
        done(people[name].send("POST", "assignments/fetch_feedback", params=order))
        [folder] = people[name].read(f"{NAME}/feedback")["content"]
        seen[name, "feedback"] = people[name].read(f"{folder['path']}/{NAME}.html")["content"]
    return seen


def test_an_assignment_reaches_students_without_its_secrets(life, answers):
    for name in STUDENTS:
        assert life[name, "listed"] == [(NAME, "released")]
        assert "YOUR CODE HERE" in life[name, "fetched"]
        assert not re.search("BEGIN (SOLUTION|HIDDEN)", life[name, "fetched"])


def test_submissions_are_listed_and_collected(life):
    for name in STUDENTS:
        [mine] = [one for one in life[name, "submitted"] if one.get("submissions")]
        assert [one["student_id"] for one in mine["submissions"]] == [name]
        assert f"Collecting submission: {name} {NAME}" in life["collected"]


def test_marks_are_right(life, people, hub):
    notebook = nbformat.read(hub.home(TEACHER) / f"course/source/{NAME}/{NAME}.ipynb", as_version=4)
    points = {task.id: task.points for task in tasks(notebook) if not task.written}
    found = people[TEACHER].get(f"formgrader/api/submissions/{NAME}").json()
    marks = {one["student"]: (one["autograded"], one["code_score"], one["needs_manual_grade"]) for one in found}
    everything = sum(points.values())
    assert marks == {"anna": (True, everything, True), "ben": (True, everything - points[SLIP[0]], True)}


def test_feedback_is_each_students_own(life):
    text = {name: BeautifulSoup(life[name, "feedback"], "html.parser").get_text() for name in STUDENTS}
    assert "(Score: 16.0 / 20.0)" in text["anna"] and "KEPT OUT" not in text["anna"]
    assert "(Score: 14.0 / 20.0)" in text["ben"]
    assert ANSWER in text["anna"] and ANSWER in text["ben"]


def test_submissions_are_graded_in_a_sandbox(life):
    """Ben's code looks for the gradebook while it is graded, in the teacher's server and in her name; it finds none."""
    text = BeautifulSoup(life["ben", "feedback"], "html.parser").get_text()
    assert "KEPT OUT" in text and "SAW THE MARKS 1" not in text.replace('SAW THE MARKS",', "")


def test_nobody_collected_under_a_false_name(hub, life):
    """nbgrader compares the owner of each submission with its name; with real users there is nothing to complain about."""
    assert ("cheating attempt" in life["collected"]) != hub.real_users


def test_students_have_no_formgrader(people):
    assert people[TEACHER].get("formgrader/api/status").json()["status"]
    for name in STUDENTS:
        assert people[name].get("formgrader/api/status").status_code == 404
        assert people[name].get("formgraders").status_code == 404


def test_the_list_of_courses(people):
    assert [people[name].get("courses").json() for name in STUDENTS] == [{"success": True, "value": [COURSE]}] * 2
    told = people[TEACHER].get("formgraders").json()
    assert told["success"] and [one["course_id"] for one in told["value"]] == [COURSE]


def test_a_change_needs_the_token_of_the_page(people):
    anna = people["anna"]
    order = {"assignment_id": NAME, "course_id": COURSE}
    answer = anna.session.post(f"{anna.base}/assignments/submit", params=order, timeout=30)
    assert answer.status_code == 403


def test_only_who_is_enrolled_comes_in(hub):
    session = requests.Session()
    session.get(f"{hub.url}/hub/login", timeout=30)
    token = next(one.value for one in session.cookies if one.name == "_xsrf")
    form = {"username": "eve", "password": hub.password, "_xsrf": token}
    assert session.post(f"{hub.url}/hub/login", data=form, timeout=30).status_code == 403
    assert requests.get(f"{hub.url}/user/anna/api/contents", timeout=30).status_code == 403


def test_nobody_enters_anothers_server(people, life):
    anna, ben = people["anna"], people["ben"]
    for path in ("api/contents", f"api/contents/{NAME}/{NAME}.ipynb", f"files/{NAME}/{NAME}.ipynb"):
        assert anna.get(path).ok, "or the next line says nothing"
        assert anna.session.get(f"{ben.base}/{path}", timeout=30).status_code in {403, 404}
        assert anna.session.get(f"{people[TEACHER].base}/{path}", timeout=30).status_code in {403, 404}


def test_the_contents_of_a_server_end_at_the_home(hub, people, life):
    anna = people["anna"]
    assert {one["name"] for one in anna.read("")["content"]} == {NAME}
    for path in (
        f"..%2Fben%2F{NAME}%2F{NAME}.ipynb",
        f"%2e%2e/{TEACHER}/course/gradebook.db",
        f"..%2F..%2Fhomes%2F{TEACHER}%2Fcourse",
        f"%2F{str(hub.home('ben')).strip('/')}",
        f"{NAME}%2F..%2F..%2Fben",
    ):
        for door in ("api/contents", "files"):
            answer = anna.get(f"{door}/{path}")
            assert answer.status_code in {400, 403, 404}, f"{door}/{path}: {answer.text[:300]}"


# What a student may try in a notebook, and what must come of it.
ATTEMPTS = {
    "look into the other's home": "print(os.listdir('{homes}/ben'))",
    "read the other's notebook": "print(open('{homes}/ben/{name}/{name}.ipynb').read()[:50])",
    "look into the teacher's home": "print(os.listdir('{homes}/carla'))",
    "read the gradebook": "print(open('{homes}/carla/course/gradebook.db', 'rb').read()[:50])",
    "read the source with the solutions": "print(open('{homes}/carla/course/source/{name}/{name}.ipynb').read()[:50])",
    "list the submissions": "print(os.listdir('{exchange}/{course}/inbound'))",
    "list the feedback": "print(os.listdir('{exchange}/{course}/feedback'))",
    "change what was released": "open('{exchange}/{course}/outbound/{name}/{name}.ipynb', 'a')",
    "remove the course": "os.rename('{exchange}/{course}', '{exchange}/gone')",
    "read the hub's secrets": "print(os.listdir('{folder}/hub'))",
    "become somebody else": "os.setuid(0)",
}


def test_the_system_keeps_people_apart(hub, people, life):
    """With real users: a student's own code cannot reach others' files, and a link to them is no way for the server either."""
    anna = people["anna"]
    kernel = anna.kernel()
    where = {"homes": hub.homes, "exchange": hub.exchange, "folder": hub.folder, "course": COURSE, "name": NAME}
    assert (
        anna.run(kernel, "import os; print(os.listdir(os.path.expanduser('~') + '/" + NAME + "') != [])").strip()
        == "True"
    )
    told = {what: anna.run(kernel, code.format(**where)) for what, code in ATTEMPTS.items()} if hub.real_users else {}
    assert not {what: text for what, text in told.items() if "PermissionError" not in text}
    if hub.real_users:
        assert anna.run(kernel, f"os.symlink('{hub.home('ben')}', 'door'); print('made')").strip() == "made"
        try:
            for path in (
                f"api/contents/door/{NAME}/{NAME}.ipynb",
                "api/contents/door",
                f"files/door/{NAME}/{NAME}.ipynb",
            ):
                answer = anna.get(path)
                assert answer.status_code in {400, 403, 404, 500}, f"{path}: {answer.text[:300]}"
        finally:
            anna.run(kernel, "os.remove('door')")
    anna.send("DELETE", f"api/kernels/{kernel}")


def test_sources_are_not_where_students_are(hub, people):
    """As in the image: in the students' view of the repository there are no solutions."""
    ben = people["ben"]
    kernel = ben.kernel()
    seen = (
        ben.run(kernel, f"from pathlib import Path; print(sorted(Path({str(SOURCES)!r}).rglob('*')))")
        if hub.real_users
        else "[]"
    )
    ben.send("DELETE", f"api/kernels/{kernel}")
    assert seen.strip() == "[]"
