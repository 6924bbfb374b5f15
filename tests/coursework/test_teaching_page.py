"""The page for teachers agrees with what it speaks of: assignments, chapters, commands, files."""

import re
from pathlib import Path

import pytest
import yaml
from coursework.__main__ import COMMANDS
from coursework.make.notebooks import NAMES, read_source, tasks

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "chapters" / "teaching.md").read_text(encoding="utf-8")
CHAPTERS = {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}


def tables(text):
    """The tables of a Markdown text: lists of rows, which are lists of cells; the first row is the head."""
    found = re.findall(r"^(?:\|.*\|\n)+", text, re.M)
    rows = [[[cell.strip() for cell in line[1:-1].split("|")] for line in one.strip().splitlines()] for one in found]
    return [[one[0], *one[2:]] for one in rows]


def section(title):
    """The text below the heading that begins with these words, to the next heading of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}.*?$(.*?)(?=^#{{2,3}} |\Z)", TEXT, re.M | re.S)
    assert found, title
    return found[2]


def about(name):
    """(minutes, marks by machine, marks by a person) of an assignment, from its source."""
    notebook = read_source(name)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    minutes = int(re.search(r"Expected time:\**\s*(\d+)", text)[1])
    return (
        minutes,
        sum(task.points for task in tasks(notebook) if not task.written),
        sum(task.points for task in tasks(notebook) if task.written),
    )


ASSIGNMENTS = {
    re.search(r"</coursework/pages/(\w+)>", row[0])[1]: row
    for row in tables(section("Which assignments are there?"))[0][1:]
}


def test_the_table_of_assignments_is_complete():
    assert list(ASSIGNMENTS) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_times_and_marks_are_those_of_the_assignment(name):
    minutes, by_machine, by_you = about(name)
    assert [int(cell) for cell in ASSIGNMENTS[name][2:]] == [minutes, by_you]
    assert by_machine + by_you == 20 and "Each has 20 marks" in TEXT


@pytest.mark.parametrize(("plan", "weeks"), [("Twelve weeks", 12), ("Eight weeks", 8), ("Four weeks", 4)])
def test_a_plan_has_its_weeks_every_chapter_and_every_assignment(plan, weeks):
    text = section(plan)
    rows = tables(text)[0][1:]
    assert [int(row[0]) for row in rows] == list(range(1, weeks + 1))
    assert set(re.findall(r"\{doc\}`[^`]*?<?(\w+)>?`", text)) - {"draw"} == CHAPTERS
    assert all(name in text or name.replace("_", " ") in text for name in NAMES)
    assert text.count("concept test") == 2 if weeks != 8 else "concept test" in rows[-1][2]
    if weeks > 4:  # each assignment is handed out before it is due, one lesson at least
        last = " ".join(row[3] for row in rows)
        for name in NAMES:
            assert name.replace("_", " ") in last


def test_the_hours_of_the_plans_agree_with_what_the_page_says():
    hours = []
    for weeks, plan in ((12, "Twelve"), (8, "Eight"), (4, "Four")):
        found = re.search(rf"^### {plan} weeks: (\S+) hours in class, (\S+) alone$", TEXT, re.M)
        hours.append(weeks * sum(float(one.replace("1½", "1.5")) for one in found.groups()))
    assert "some forty hours" in TEXT and all(abs(one - 40) <= 2 for one in hours), hours


def test_every_chapter_and_assignment_has_its_stumbling_blocks():
    rows = tables(section("Where do students stumble?"))[0][1:]
    where = [row[0] for row in rows]
    assert {re.search(r"<(\w+)>", one)[1] for one in where if "{doc}" in one} == CHAPTERS
    assert {one for one in where if "{doc}" not in one} == {name.replace("_", " ") for name in NAMES}
    assert all(all(cell for cell in row) for row in rows)


def test_its_commands_exist():
    named = re.findall(r"python -m coursework (\w+)", TEXT)
    assert named and set(named) <= set(COMMANDS)


def test_the_files_that_it_names_exist():
    named = set(re.findall(r"(?<!})`(coursework/[\w./]+)`", TEXT))
    assert {"coursework/hub/README.md", "coursework/concept_test/"} <= named
    assert not [one for one in named if not (ROOT / one.replace("NAME/", "")).exists()]
    for name in ("form_a.md", "form_b.md", "key.md"):
        assert f"`{name}`" in TEXT and (ROOT / "coursework" / "concept_test" / name).is_file()


def test_the_key_of_the_concept_test_is_no_page_of_the_site():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = re.findall(r"'file': '([^']+)'", str(contents))
    assert "chapters/teaching" in files
    assert not [one for one in files if "concept_test" in one]
    excluded = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert excluded["only_build_toc_files"] is True
