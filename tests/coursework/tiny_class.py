"""A course of the tiny assignment, and submissions to it, for the tests of collecting and grading."""

import copy
from pathlib import Path

import nbformat

from coursework.make import making
from coursework.make.notebooks import grading, load_module

NAME = "tiny"
SOURCES = Path(__file__).parent / "tiny" / "source"
CASES = load_module(NAME, "cases.py", SOURCES).CASES
RIGHT = {task: next(iter(kinds["right"].values())) for task, kinds in CASES.items()}
POINTS = {"ink_of": 3, "count_dark": 4, "most_ink": 4, "middle_row": 5, "written_ink": 4}


def make_course(folder):
    """Make the course in ``folder``; returns the course folder."""
    making.make([NAME], output=folder, sources=SOURCES, solutions=False, quiet=True)
    return folder / "course"


def released(course):
    """Return the notebook that students get."""
    return nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)


def place_of(notebook, name):
    """Return the place of the cell with this grade_id."""
    return next(place for place, cell in enumerate(notebook.cells) if grading(cell).get("grade_id") == name)


def answered(notebook, answers, *edits):
    """Return a copy with these answers, {grade_id: source}; each of ``edits`` is then called with it."""
    notebook = copy.deepcopy(notebook)
    for name, source in answers.items():
        notebook.cells[place_of(notebook, name)].source = source
    for edit in edits:
        edit(notebook)
    return notebook


def hand_in(notebook, folder, name=f"{NAME}.ipynb"):
    """Write a notebook into a folder, made if need be; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path
