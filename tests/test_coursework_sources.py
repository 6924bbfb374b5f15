"""The sources of the assignments are in order, their pages are up to date, and no page of the book tells a secret.

What is made of them, and how it is graded, is tested by make test-coursework. Nothing here needs nbgrader.
"""

import ast
import inspect
import subprocess
import sys

import pytest
import yaml

from coursework import __main__ as commands
from coursework import ROOT, SOURCES
from coursework.make import leaks, pages
from coursework.make.notebooks import NAMES, read_source, tasks
from coursework.make.validation import faults

TINY = ROOT / "tests" / "coursework" / "tiny" / "source"


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_in_order(name):
    assert not faults(name)


def test_every_folder_is_an_assignment():
    found = {one.name for one in SOURCES.iterdir() if one.is_dir() and one.name != "__pycache__"}
    assert found == set(NAMES) == {one.stem for one in pages.PAGES.glob("*.md")}


def test_the_pages_are_what_the_sources_give():
    assert not pages.stale(), "run make coursework-pages"


def test_a_stale_page_is_noticed(tmp_path):
    assert pages.stale(["tiny"], TINY, tmp_path) == ["tiny"]
    (tmp_path / "tiny.md").write_text(pages.page("tiny", TINY), encoding="utf-8")
    assert pages.stale(["tiny"], TINY, tmp_path) == []
    (tmp_path / "tiny.md").write_text(pages.page("tiny", TINY).replace("60 minutes", "61 minutes"), encoding="utf-8")
    assert pages.stale(["tiny"], TINY, tmp_path) == ["tiny"]


def test_a_page_shows_what_a_student_sees_and_no_more():
    text = pages.page("tiny", TINY)
    for shown in (
        "# Assignment: Counting ink",
        "Expected time: 60 minutes",
        "| 5 | what does the ink not tell? | 4 | by a person |",
        "above 146",  # a constant of the example course
        'def count_dark(image, limit):\n    """Return how many',
        'assert most_ink(given_images) == 1, "the second image',
        "make coursework NAME=tiny",
    ):
        assert shown in text, shown
    for hidden in ("482707", "secret_image", "wide_enough", "turned six", "BEGIN", "course:", "{{"):
        assert hidden not in text, hidden


def test_the_pages_are_part_of_the_book():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    part = next(one for one in toc["parts"] if one["caption"] == "Coursework")
    files = [one["file"] for one in part["chapters"]]
    assert files == ["chapters/teaching", *(f"coursework/pages/{name}" for name in NAMES)]
    excluded = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["exclude_patterns"]
    assert {"coursework/source", "coursework/concept_test", "coursework/hub"} <= set(excluded)


def test_no_page_of_the_book_tells_a_secret():
    known = leaks.secrets()
    assert len(known.needles) > 1000 and all(known.distinctive(one) for one in known.all if one.kind == "hidden test")
    found = [
        one
        for folder in ("chapters", "coursework/pages", "helpers")
        for one in leaks.look(ROOT / folder, known, numbers=False)
    ]
    found += [one for page in ROOT.glob("*.md") for one in leaks.look(page, known, numbers=False)]
    assert not found, "\n".join(map(str, found))


def test_the_readers_packages_are_enough_for_the_pages():
    """Sources, pages and leaks are read without nbgrader and JupyterHub, which no reader has."""
    code = (
        "import sys; sys.modules.update(nbgrader=None, jupyterhub=None)\n"
        "from coursework.make import check, leaks, making, notebooks, pages, validation"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), ([], 2), (["mark"], 2)])
def test_the_commands_are_listed(arguments, status, capsys):
    assert commands.main(arguments) == status
    told = "".join(capsys.readouterr())
    assert all(name in told for name in commands.COMMANDS)


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_a_command_has_its_module(name):
    """Not run, for some need nbgrader: what the command imports is read, and must be the ``main`` of a module of ours."""
    command = commands.COMMANDS[name]
    [line] = [one for one in ast.walk(ast.parse(inspect.getsource(command))) if isinstance(one, ast.ImportFrom)]
    tree = ast.parse((ROOT / f"{line.module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    assert [one.name for one in line.names] == ["main"]
    assert "main" in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    assert command.__doc__ and "\n" not in command.__doc__


def test_points_and_tasks_of_the_six():
    for name in NAMES:
        found = tasks(read_source(name))
        assert (
            sum(one.points for one in found) == 20 and 5 <= len(found) <= 8 and sum(one.written for one in found) == 1
        )
