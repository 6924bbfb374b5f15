"""Grading: a class of twelve from end to end, with a kill in the middle; marks as nbgrader gives them; feedback; written marks."""

import copy
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from tiny_class import CASES, NAME, POINTS, RIGHT, answered, hand_in, make_course, place_of, released
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from coursework import ROOT
from coursework.grade import isolated, marks, run
from coursework.grade.course import Course, GradingError
from coursework.make import making
from coursework.make.notebooks import HIDDEN_TESTS, region
from coursework.sandbox.outside import Limits

HANDED_OUT = Path(__file__).with_name(
    "handed_out_config.py"
)  # of a course made before the coursework had rooms; not to be changed
OPTIONS = ["--cell-seconds", "10", "--memory", "500", "--workers", "2"]
LIMITS = Limits(cell_seconds=10.0, memory_mb=500)
FULL = {**POINTS, "written_ink": ""}  # the written answer waits for its mark


def without(*names):
    """Return an edit that deletes these cells."""

    def edit(notebook):
        notebook.cells = [
            cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") not in names
        ]

    return edit


def twice(notebook):
    """Copy an answer cell above itself, blank, and a test cell to the end."""
    place = place_of(notebook, "ink_of")
    for at, source in (
        (place, "def ink_of(image):\n    raise NotImplementedError()"),
        (len(notebook.cells) + 1, "assert False"),
    ):
        cell = copy.deepcopy(notebook.cells[place if at == place else place + 2])
        cell.id = f"copy-{at}"
        cell.source = source
        notebook.cells.insert(at, cell)


def easier(notebook):
    """Edit a test cell: always passed, worth a hundred points, and no longer locked."""
    cell = notebook.cells[place_of(notebook, "test_ink_of")]
    cell.source = "assert True"
    cell.metadata["nbgrader"] |= {"points": 100, "locked": False, "solution": True}


def stripped(notebook):
    """Break the metadata of a cell, and make up a graded one."""
    notebook.cells[place_of(notebook, "ink_of")].metadata["nbgrader"] = "none"
    made_up = nbformat.v4.new_code_cell("pass")
    made_up.metadata["nbgrader"] = {
        "grade": True,
        "grade_id": "bonus",
        "points": 50,
        "solution": False,
        "locked": True,
        "schema_version": 3,
    }
    notebook.cells.append(made_up)


WRONG = next(iter(CASES["count_dark"]["wrong"].values()))
SPY = """
import os, socket
seen = []
for path in ("COURSE/gradebook.db", "COURSE/source", "COURSE/submitted"):
    seen.append(os.path.exists(path))
for path in ("/given/x", "/usr/x", "COURSE/x"):
    try:
        open(path, "w")
        seen.append(True)
    except OSError:
        seen.append(False)
try:
    socket.create_connection(("127.0.0.1", 22), 2)
    seen.append(True)
except OSError:
    seen.append(False)
print("seen:", any(seen))

def ink_of(image):
    return int(image.sum(dtype=int))
"""

# student: (answers, edits, the points that must come of it, words of the remarks)
CLASS = {
    "ada": ({}, (), {}, ""),
    "blank": (None, (), dict.fromkeys(POINTS, 0), ""),
    "wrong": ({"count_dark": WRONG}, (), {"count_dark": 0}, ""),
    "syntax": ({"most_ink": "def most_ink(images:\n    return"}, (), {"most_ink": 0}, ""),
    "loop": ({"count_dark": "while True:\n    pass"}, (), {"count_dark": 0}, "count_dark: ran longer than 10 s"),
    "hungry": (
        {"ink_of": "hoard = []\nwhile True:\n    hoard.append(bytearray(10**7))"},
        (),
        {"ink_of": 0},
        "ink_of: needed more than 500 MB of memory",
    ),
    "deleted": (
        {},
        (without("given_setup", "test_ink_of", "most_ink", "written_ink"),),
        {"most_ink": 0, "written_ink": 0},
        "the cell test_ink_of was deleted and is restored",
    ),
    "twice": ({}, (twice,), {}, "the cell ink_of stood 2 times"),
    "easier": (
        {"ink_of": "def ink_of(image):\n    return 0"},
        (easier,),
        {"ink_of": 0},
        "the locked cell test_ink_of was edited",
    ),
    "loud": ({"middle_row": "for _ in range(1000):\n    print('x' * 100_000)\n" + RIGHT["middle_row"]}, (), {}, ""),
    "spy": ({"ink_of": SPY}, (), {}, ""),
    "quitter": (
        {"middle_row": "import os\nos._exit(0)"},
        (),
        {"middle_row": 0},
        "middle_row: ended the program (exit status 0)",
    ),
    "stripped": ({}, (stripped,), {}, "'bonus' is none of this assignment"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a course that nobody has handed in to; copy it before you grade."""
    return make_course(tmp_path_factory.mktemp("made") / "coursework")


@pytest.fixture
def course(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "course"))


def scores(course):
    """Return what the gradebook holds: {(student, cell): (auto_score, manual_score, needs_manual_grade, auto_comment)}."""
    found = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db", "digits") as gradebook:
        for submission in gradebook.assignment_submissions(NAME):
            for notebook in submission.notebooks:
                for one in notebook.grades:
                    found[submission.student_id, one.name] = (one.auto_score, one.manual_score, one.needs_manual_grade)
                for one in notebook.comments:
                    found[submission.student_id, "comment", one.name] = (one.auto_comment, one.manual_comment)
    return found


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def states(course):
    """Return {student: time} of finished submissions."""
    names = {path.name for path in (course / "submitted").iterdir()}
    return {
        name: path.stat().st_mtime_ns
        for name in names
        if (path := course / ".grading" / NAME / f"{name}.json").is_file()
    }


@pytest.fixture(scope="module")
def graded(made, tmp_path_factory):
    """Hand in the class, kill the grading in the middle, go on; returns (course, states at the kill, hand-ins)."""
    folder = tmp_path_factory.mktemp("class")
    course = Path(shutil.copytree(made, folder / "course"))
    blank = released(course)
    for student, (answers, edits, _, _) in CLASS.items():
        full = {} if answers is None else {**RIGHT, "written_ink": f"Because, says {student}.", **answers}
        full = {name: source.replace("COURSE", str(course)) for name, source in full.items()}
        hand_in(answered(blank, full, *edits), folder / "in" / student)
    (folder / "in" / "paper").mkdir()
    (folder / "in" / "paper" / f"{NAME}.ipynb").write_text("photographed")
    command = [
        sys.executable,
        "-m",
        "coursework.grade.run",
        NAME,
        "--course",
        course,
        "--submissions",
        folder / "in",
        *OPTIONS,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while len(list((course / ".grading" / NAME).glob("[a-z]*.json"))) < 5 and time.monotonic() < until:
        time.sleep(0.02)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    psutil.wait_procs(children, timeout=10)
    assert not [one for one in children if one.is_running() and one.status() != "zombie"], "the sandboxes died with it"
    at_kill = states(course)
    assert 0 < len(at_kill) < len(CLASS), "the kill came in the middle"
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
    return course, at_kill, folder / "in"


@pytest.mark.parametrize("student", CLASS)
def test_a_class_of_all_kinds(graded, student):
    course, *_ = graded
    _, _, expected, word = CLASS[student]
    row = read_csv(course / "marks" / f"{NAME}.csv")[student]
    assert row["status"] == "graded"
    points = {**FULL, **expected}
    got = {task: row[task] for task in points}
    waits = points["written_ink"] == ""
    assert row["needs_marking"] == ("written_ink" if waits else "")
    assert got == {task: "0" if task == "written_ink" and waits else str(value) for task, value in points.items()}
    assert row["total"] == str(sum(value for value in points.values() if value != "")) and row["max"] == "20"
    assert word in row["remarks"]
    page = (course / "feedback" / student / NAME / f"{NAME}.html").read_text()
    assert "Score" in page and len(page) < 2_000_000
    assert (course / "autograded" / student / NAME / f"{NAME}.ipynb").is_file()
    if student == "spy":
        assert "seen: False" in page and not (course / "x").exists()


def test_the_one_that_cannot_be_read_is_refused_in_a_word(graded):
    course, *_ = graded
    row = read_csv(course / "marks" / f"{NAME}.csv")["paper"]
    assert row["status"] == "refused" and row["total"] == "" and "no JSON" in row["remarks"]


def test_after_the_kill_nothing_was_done_twice_and_nothing_lost(graded):
    course, at_kill, handed_in = graded
    now = states(course)
    assert set(now) == set(CLASS)
    assert {student: now[student] for student in at_kill} == at_kill
    assert not list((course / ".grading" / NAME).glob(".new-*"))
    # a changed submission is graded again, the others are not
    wrong = handed_in / "wrong" / f"{NAME}.ipynb"
    notebook = answered(nbformat.read(wrong, as_version=4), {"count_dark": RIGHT["count_dark"]})
    hand_in(notebook, handed_in / "wrong")
    os.utime(wrong, (time.time() + 60,) * 2)
    rows = run.grade(NAME, course, handed_in, limits=LIMITS, quiet=True)
    then = states(course)
    assert [student for student in now if now[student] != then[student]] == ["wrong"]
    assert {row["student"]: row["total"] for row in rows}["wrong"] == 16
    # other limits: those alone that came to the end of theirs
    run.grade(NAME, course, handed_in, limits=replace(LIMITS, memory_mb=501), quiet=True)
    last = states(course)
    assert {student for student in now if last[student] != then[student]} == {"hungry", "loop", "quitter"}


def test_feedback_and_students_files_show_no_hidden_test(graded):
    course, *_ = graded
    source = nbformat.read(course / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    hidden = {line.strip() for cell in source.cells for line in region(cell.source, HIDDEN_TESTS)}
    names = {"secret_image", "hidden_seed", "borderline_image", "reversed_images", "lopsided_image"}
    assert all(any(name in line for line in hidden) for name in names)
    for student in CLASS:
        page = (course / "feedback" / student / NAME / f"{NAME}.html").read_text()
        assert not [name for name in names if name in page], student
    # what the filter works on does hold them: the teacher's copy
    assert "secret_image" in (course / "autograded" / "ada" / NAME / f"{NAME}.ipynb").read_text()


def test_what_a_student_digs_out_of_a_test_is_left_out_of_the_feedback():
    cell = nbformat.v4.new_code_cell(
        "assert f() == 1\n### BEGIN HIDDEN TESTS\nassert f(41) == 42\n### END HIDDEN TESTS"
    )
    cell.metadata["nbgrader"] = {"grade": True, "solution": False, "locked": True, "grade_id": "test_f", "points": 1}
    loot = nbformat.v4.new_code_cell("print(stolen)")
    loot.outputs = [
        nbformat.v4.new_output("stream", text="assert f(41) == 42\n"),
        nbformat.v4.new_output("execute_result", data={"text/plain": "'x\\nassert f(41) == 42\\n'"}),
        nbformat.v4.new_output("error", ename="E", evalue="assert f(41) == 42", traceback=["a", "assert f(41) == 42"]),
    ]
    notebook, _ = isolated.HideHiddenTests().preprocess(nbformat.v4.new_notebook(cells=[cell, loot]), {})
    assert "f(41)" not in nbformat.writes(notebook) and "assert f() == 1" in cell.source


# ---------------------------------------------------------------- nbgrader's own results


@pytest.fixture(scope="module")
def harmless(made):
    """Return harmless submissions, {student: notebook}."""
    blank = released(made)
    wrong = {task: list(kinds["wrong"].values())[-1] for task, kinds in CASES.items()}
    noisy = "import sys\nprint('to stderr', file=sys.stderr)\n" + RIGHT["ink_of"].replace(
        "running_total = 0", "running_total = 0\n    print('x', file=sys.stderr)"
    )
    return {
        "right": answered(blank, {**RIGHT, "written_ink": "Because."}),
        "wrong": answered(blank, wrong),
        "noisy": answered(blank, {**RIGHT, "ink_of": noisy}),
        "blank": blank,
    }


def nbgrader(course, *arguments, **environment):
    """Run nbgrader in the course folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
    )


def test_the_same_marks_as_stock_nbgrader(course, made, harmless, tmp_path):
    for student, notebook in harmless.items():
        hand_in(notebook, tmp_path / "in" / student)
    run.grade(NAME, course, tmp_path / "in", quiet=True)
    stock = Path(shutil.copytree(made, tmp_path / "stock"))
    (stock / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "digits"\n')
    shutil.copytree(course / "submitted", stock / "submitted")
    done = nbgrader(stock, "autograde", NAME)
    assert done.returncode == 0, done.stderr[-2000:]
    assert scores(stock) == scores(course)
    assert len(scores(course)) == len(harmless) * 10
    here, there = (
        set(path.relative_to(one / "autograded") for path in (one / "autograded").rglob("*")) for one in (course, stock)
    )
    assert here == there


@pytest.mark.parametrize("settings", [making.SETTINGS, HANDED_OUT], ids=["made now", "handed out before"])
def test_plain_nbgrader_runs_isolated_with_our_settings_or_not_at_all(course, harmless, settings):
    shutil.copy(settings, course / "nbgrader_config.py")
    spy = answered(harmless["right"], {"ink_of": SPY.replace("COURSE", str(course))}, easier)
    hand_in(spy, course / "submitted" / "spy" / NAME)
    refused = nbgrader(course, "autograde", NAME, DIGITS_BOOK="/nowhere")
    assert (
        refused.returncode
        and "set DIGITS_BOOK" in refused.stderr
        and not scores(course).get(("spy", "test_ink_of"), (0,))[0]
    )
    refused = nbgrader(course, "autograde", NAME, DIGITS_BOOK=str(ROOT), BWRAP="/nowhere/bwrap")
    assert refused.returncode and "apt install bubblewrap" in refused.stderr
    done = nbgrader(course, "autograde", NAME, DIGITS_BOOK=str(ROOT))
    assert done.returncode == 0, done.stderr[-2000:]
    assert scores(course)["spy", "test_ink_of"][0] == 3
    assert "seen: False" in (course / "autograded" / "spy" / NAME / f"{NAME}.ipynb").read_text()
    assert nbgrader(course, "generate_feedback", NAME, DIGITS_BOOK=str(ROOT)).returncode == 0
    assert "secret_image" not in (course / "feedback" / "spy" / NAME / f"{NAME}.html").read_text()


def test_nbgrader_grades_within_the_limits_of_the_command():
    config = PyFileConfigLoader(making.SETTINGS.name, path=str(making.SETTINGS.parent)).load_config()
    told = dict(config.IsolatedExecute)
    assert set(told) == {"cell_seconds", "submission_seconds", "memory_mb"}
    assert isolated.IsolatedExecute(config=config).limits() == isolated.IsolatedExecute().limits() == Limits()


def test_the_formgrader_goes_on_from_there(graded):
    course, *_ = graded
    config = Config()
    config.CourseDirectory.root, config.CourseDirectory.course_id = str(course), "digits"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    found = {one["student"]: one for one in api.get_submissions(NAME)}
    assert set(found) == set(CLASS)
    assert all(one["autograded"] and one["submitted"] for one in found.values())
    assert found["ada"]["needs_manual_grade"] and not found["blank"]["needs_manual_grade"]
    assert found["ada"]["score"] == 16 and found["ada"]["max_score"] == 20
    cells = api.get_notebook_submissions(NAME, NAME)
    assert len(cells) == len(CLASS) and any(one["failed_tests"] for one in cells)


# ---------------------------------------------------------------- marks by hand


@pytest.fixture
def one_graded(course, harmless, tmp_path):
    hand_in(harmless["right"], tmp_path / "in" / "ada")
    run.grade(NAME, course, tmp_path / "in", quiet=True)
    return course


def test_written_marks_come_into_gradebook_marks_and_feedback(one_graded, tmp_path):
    sheet = one_graded / "marks" / f"{NAME}_to_mark.csv"
    row = read_csv(sheet)["ada"]
    assert (row["task"], row["points"], row["max"], row["answer"]) == ("written_ink", "", "4", "Because.")
    sheet.write_text('student,task,points,comment\nada,written_ink,"3,5",Say why & <b>where</b>.\n')
    # without --written the sheet is left alone
    assert run.main([NAME, "--course", str(one_graded)]) == 0
    assert "3,5" in sheet.read_text()
    assert run.main([NAME, "--course", str(one_graded), "--written", str(sheet)]) == 0
    assert scores(one_graded)["ada", "written_ink"] == (None, 3.5, False)
    row = read_csv(one_graded / "marks" / f"{NAME}.csv")["ada"]
    assert (row["written_ink"], row["total"], row["needs_marking"]) == ("3.5", "19.5", "")
    page = (one_graded / "feedback" / "ada" / NAME / f"{NAME}.html").read_text()
    assert "3.5 / 4.0" in page and "Say why" in page
    # graded again, the mark by hand stays, and asks to be looked at, as nbgrader has it
    run.grade(NAME, one_graded, again=True, quiet=True)
    assert scores(one_graded)["ada", "written_ink"] == (None, 3.5, True)


@pytest.mark.parametrize(
    "line,word",
    [
        ("bob,written_ink,3,", "no graded submission of 'bob'"),
        ("ada,written_pain,3,", "no task 'written_pain'"),
        ("ada,written_ink,5,", "no number of points from 0 to 4"),
        ("ada,written_ink,-1,", "no number of points"),
        ("ada,written_ink,nan,", "no number of points"),
        ("ada,written_ink,good,", "no number of points"),
    ],
)
def test_a_wrong_line_takes_none_of_the_sheet(one_graded, tmp_path, line, word):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"student,task,points,comment\nada,written_ink,2,\n{line}\n")
    with pytest.raises(GradingError, match=word):
        run.grade(NAME, one_graded, written=sheet, quiet=True)
    assert scores(one_graded)["ada", "written_ink"][1] is None


# ---------------------------------------------------------------- refusals


def test_without_isolation_nothing_is_graded(course, harmless, tmp_path, monkeypatch, capsys):
    hand_in(harmless["right"], tmp_path / "in" / "ada")
    monkeypatch.setenv("BWRAP", "/nowhere/bwrap")
    assert run.main([NAME, "--course", str(course), "--submissions", str(tmp_path / "in")]) == 1
    assert "sudo apt install bubblewrap" in capsys.readouterr().err
    assert not scores(course) and not (course / "autograded").exists()


def test_what_cannot_be_graded_says_why(course, tmp_path, capsys):
    assert run.main([NAME, "--course", str(tmp_path)]) == 1
    assert "make the course first" in capsys.readouterr().err
    assert run.main(["other", "--course", str(course)]) == 1
    assert "it has: tiny" in capsys.readouterr().err
    assert run.main([NAME, "--course", str(course), "--submissions", str(tmp_path / "nowhere")]) == 1
    assert "is missing" in capsys.readouterr().err
    with Course(course, NAME), pytest.raises(GradingError, match="by another run"):
        run.grade(NAME, course, quiet=True)


def test_missing_students_of_the_class_have_a_line(course, harmless, tmp_path):
    hand_in(harmless["blank"], tmp_path / "in" / "ada")
    (tmp_path / "class.csv").write_text("student,name\nada,Ada Lovelace\nbob,Bob Builder\n")
    rows = run.grade(NAME, course, tmp_path / "in", students=tmp_path / "class.csv", quiet=True)
    assert [(row["student"], row["status"]) for row in rows] == [("ada", "graded"), ("bob", "missing")]


def test_cells_of_a_spreadsheet_are_no_formulas():
    assert [marks.safe(one) for one in ("=1+1", "@x", "-2", "+", "plain", 3)] == [
        "'=1+1",
        "'@x",
        "-2",
        "'+",
        "plain",
        "3",
    ]


def test_a_fault_of_ours_costs_one_submission(course, harmless, tmp_path, monkeypatch):
    for student in ("ada", "bob"):
        hand_in(harmless["blank"], tmp_path / "in" / student)
    real = run.save

    def broken(course, student, *rest):
        if student == "ada":
            raise ValueError("planted")
        return real(course, student, *rest)

    monkeypatch.setattr(run, "save", broken)
    rows = {row["student"]: row for row in run.grade(NAME, course, tmp_path / "in", quiet=True)}
    assert rows["ada"]["status"] == "failed" and "planted" in rows["ada"]["remarks"][0]
    assert rows["bob"]["status"] == "graded"
    monkeypatch.setattr(run, "save", real)
    rows = {row["student"]: row for row in run.grade(NAME, course, quiet=True)}
    assert rows["ada"]["status"] == "graded"
    assert json.loads((course / ".grading" / NAME / "ada.json").read_text())["restarts"] == 0
