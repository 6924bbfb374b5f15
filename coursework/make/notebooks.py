"""The sources of the assignments: reading them, and what the course's seed and a task's answer change in them.

A source is the folder ``source/<name>/`` with the nbgrader notebook ``<name>.ipynb``, ``variant.py`` (what the seed of a
course changes) and ``cases.py`` (answers that grade the graders). Other Python files in it travel to students.
"""

from __future__ import annotations

import copy
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from coursework import SOURCES

#: the assignments in the order of the book
NAMES = ("preprocessing", "forward_pass", "backpropagation", "evaluation", "neighbours_and_margins", "capstone")
#: files of a source folder that never leave it
KEPT_BACK = ("variant.py", "cases.py", "rubric.md")

SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN_TESTS = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
# what nbgrader leaves in place of a solution (making.py tells it so)
STUB = (
    "# YOUR CODE HERE",
    'raise NotImplementedError("this task is still open: write your code in place of this line")',
)
TEXT_STUB = "YOUR ANSWER HERE"

# "limit = 40  # course: LIMIT" in code, {{LIMIT}} in text
CONSTANT_IN_CODE = re.compile(r"^(?P<before>\s*[\w, ]+ = ).*?\s*# course: (?P<name>\w+)$", re.M)
CONSTANT_IN_TEXT = re.compile(r"\{\{(\w+)\}\}")


class SourceError(Exception):
    """A source is not in order. The message names the notebook, the cell, the fault and the cure."""


@dataclass(frozen=True)
class Task:
    """One task: its grade_id, the places of its two cells in the notebook, its points; ``written`` if a person grades it.

    A written task has one cell for both, so ``solution`` and ``test`` are equal.
    """

    id: str
    solution: int
    test: int
    points: int
    written: bool


def grading(cell):
    """Return nbgrader's metadata of a cell, an empty dict if it has none."""
    return cell.metadata.get("nbgrader", {})


def source_path(name, sources=SOURCES):
    """Return the path of an assignment's notebook; :class:`SourceError` if there is none."""
    path = Path(sources) / name / f"{name}.ipynb"
    if not path.is_file():
        known = sorted(one.parent.name for one in Path(sources).glob("*/*.ipynb"))
        raise SourceError(f"{path} is missing: there is no assignment {name!r}; choose one of {', '.join(known)}")
    return path


def read_source(name, sources=SOURCES):
    """Return the source notebook of an assignment, as it stands."""
    path = source_path(name, sources)
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises whatever its parser met
        raise SourceError(f"{path} is not a notebook ({error}); restore it from the repository") from error


def load_module(name, file, sources=SOURCES):
    """Return ``variant.py`` or ``cases.py`` of an assignment as a module, freshly loaded."""
    path = Path(sources) / name / file
    if not path.is_file():
        raise SourceError(f"{path} is missing; see coursework/README.md for what a source folder holds")
    spec = importlib.util.spec_from_file_location(f"coursework_{name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tasks(notebook):
    """Return the notebook's tasks, a list of :class:`Task` in their order.

    A code task is a solution cell ``x`` and a test cell ``test_x``; a written one is a single cell ``written_x``.
    """
    places = {grading(cell).get("grade_id"): place for place, cell in enumerate(notebook.cells)}
    found = []
    for place, cell in enumerate(notebook.cells):
        about = grading(cell)
        if not about.get("grade"):
            continue
        name = about["grade_id"]
        if about.get("solution"):
            found.append(Task(name, place, place, int(about["points"]), written=True))
            continue
        task = name.removeprefix("test_")
        if not name.startswith("test_") or task not in places:
            raise SourceError(f"the test cell {name!r} has no solution cell; call the pair 'x' and 'test_x'")
        found.append(Task(task, places[task], place, int(about["points"]), written=False))
    return found


def with_constants(notebook, constants):
    """Return a copy of the notebook with the constants of a course: a dict of name to plain Python value.

    ``x = ...  # course: NAME`` in code and ``{{NAME}}`` in text are replaced; a name that is not in ``constants`` is
    a :class:`SourceError`.
    """
    notebook = copy.deepcopy(notebook)

    def value(name, cell):
        if name not in constants:
            where = grading(cell).get("grade_id") or cell.source[:40]
            raise SourceError(f"cell {where!r} asks for the constant {name}, which variant.py does not give")
        return constants[name]

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = CONSTANT_IN_CODE.sub(
                lambda found, cell=cell: found["before"] + repr(value(found["name"], cell)), cell.source
            )
        else:
            cell.source = CONSTANT_IN_TEXT.sub(lambda found, cell=cell: str(value(found[1], cell)), cell.source)
    return notebook


def without_region(source, markers, stub=()):
    """Return ``source`` with each region between the two markers replaced by the lines of ``stub``, indented like it."""
    kept, inside = [], False
    for line in source.splitlines():
        if line.strip() == markers[0]:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + one for one in stub]
        elif line.strip() == markers[1]:
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise SourceError(f"{markers[0]!r} without {markers[1]!r} in the cell that begins {source[:50]!r}")
    return "\n".join(kept)


def region(source, markers):
    """Return the lines between the two markers, as a list of strings without the markers."""
    lines, inside = [], False
    for line in source.splitlines():
        if line.strip() in markers:
            inside = line.strip() == markers[0]
        elif inside:
            lines.append(line)
    return lines


def blank(notebook):
    """Return a copy as students begin with it, but with the hidden tests: solutions are nbgrader's stubs."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if grading(cell).get("solution"):
            cell.source = without_region(cell.source, SOLUTION, STUB) if cell.cell_type == "code" else TEXT_STUB
    return notebook


def with_answer(notebook, task, code):
    """Return a copy in which ``code`` stands as the whole solution cell of the task called ``task``."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if grading(cell).get("grade_id") == task and cell.cell_type == "code":
            cell.source = code.strip("\n")
            return notebook
    raise SourceError(f"there is no code task {task!r}; cases.py must name the grade_id of a solution cell")
