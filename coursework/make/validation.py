"""Is a source in order? Every fault is told with the notebook, the cell, what is wrong and what cures it.

Cheap: reads the notebook and its neighbours, runs no cell.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat

from coursework import SEED, SOURCES
from coursework.make.notebooks import (
    CONSTANT_IN_CODE,
    CONSTANT_IN_TEXT,
    HIDDEN_TESTS,
    SOLUTION,
    SourceError,
    grading,
    load_module,
    read_source,
    region,
    source_path,
    with_constants,
)

SCHEMA = 3  # of nbgrader's metadata, in nbgrader 0.9
KEYS = ("grade", "solution", "locked", "task", "grade_id", "schema_version")
TOTAL = 20
MARKERS = (*SOLUTION, *HIDDEN_TESTS)
NEARLY_MARKER = re.compile(r"\b(?:BEGIN|END)\s+(?:SOLUTIONS?|HIDDEN\s+TESTS?)\b", re.I)
HEADING = re.compile(r"^## Task (?P<number>\d+): .+ \((?P<points>\d+) points?\)$", re.M)
ROLE = re.compile(r"(?<!\{)\{[\w:+.-]+\}`|^[`:]{3,}\{", re.M)
TIME = re.compile(r"Expected time: (\d+) minutes")


def name_of(cell, place):
    """Return how a message names a cell: its grade_id, or its number and its first words."""
    grade_id = grading(cell).get("grade_id")
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return f"cell {grade_id!r}" if grade_id else f"cell {place} ({first[:40]!r})"


def is_solution(cell):
    """Tell whether a cell is for the answer to a code task."""
    return grading(cell).get("solution") and not grading(cell).get("grade") and cell.cell_type == "code"


def is_test(cell):
    """Tell whether a cell tests an answer."""
    return grading(cell).get("grade") and not grading(cell).get("solution")


def marker_faults(cell, place):
    """Yield what is wrong with the marked regions of one cell."""
    where, order = name_of(cell, place), []
    for number, line in enumerate(cell.source.splitlines(), 1):
        if line.strip() in MARKERS:
            order.append(line.strip())
        elif NEARLY_MARKER.search(line):
            yield f"{where}, line {number}: {line.strip()!r} is no marker; write it exactly as one of {', '.join(MARKERS)}"
    for begin, end in (SOLUTION, HIDDEN_TESTS):
        here = [line for line in order if line in (begin, end)]
        if here != [begin, end] * (len(here) // 2):
            yield f"{where}: {begin!r} and {end!r} must stand in pairs, the one after the other; here stand {here}"
    for allowed, markers, what in (
        (is_solution(cell), SOLUTION, "solution cells (solution: true, grade: false)"),
        (is_test(cell), HIDDEN_TESTS, "test cells (grade: true, solution: false)"),
    ):
        begin, end = markers
        if not allowed and {begin, end} & set(order):
            yield f"{where}: {begin!r} may stand in {what} only; students would see it here"
        if allowed and not "".join(region(cell.source, markers)).strip():
            yield f"{where}: no code between {begin!r} and {end!r}; every cell of this kind needs some"
    if is_test(cell) and order[:1] == [HIDDEN_TESTS[0]] and "assert" not in cell.source.split(HIDDEN_TESTS[0])[0]:
        yield f"{where}: no visible test before {HIDDEN_TESTS[0]!r}; students need one that helps them"


def metadata_faults(cell, place):
    """Yield what is wrong with nbgrader's metadata of one cell."""
    about, where = grading(cell), name_of(cell, place)
    if not about:
        if cell.cell_type == "code":
            yield f"{where}: a code cell without nbgrader metadata; mark given code as locked, with a grade_id given_..."
        return
    missing = [key for key in KEYS if key not in about]
    if missing:
        yield f"{where}: nbgrader's metadata lacks {', '.join(missing)}"
        return
    for one in (*kind_faults(cell), *name_and_points_faults(cell)):
        yield f"{where}: {one}"


def kind_faults(cell):
    """Yield what is wrong with the kind of a cell with nbgrader's metadata."""
    about = grading(cell)
    if about["schema_version"] != SCHEMA:
        yield f"schema_version is {about['schema_version']}, not {SCHEMA}; run `nbgrader update`, or set it"
    if about.get("cell_type", cell.cell_type) != cell.cell_type:
        yield f"cell_type is {about['cell_type']!r} in nbgrader's metadata, but the cell is {cell.cell_type}"
    if about["task"]:
        yield "nbgrader's kind 'manually graded task' is not used here; make it a written answer"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", str(about["grade_id"])):
        yield "a grade_id is made of small letters, digits and underscores"
    if about["locked"] == bool(about["solution"]):
        what = "students could not answer" if about["solution"] else "students could edit it"
        yield f"locked is {str(about['locked']).lower()}, so {what}; set it to {str(not about['solution']).lower()}"


def name_and_points_faults(cell):
    """Yield what is wrong with the name of a cell with nbgrader's metadata, and with its points if it earns any."""
    about = grading(cell)
    name, solution = str(about["grade_id"]), about["solution"]
    if not about["grade"]:
        if not solution and not name.startswith("given_"):
            yield "the grade_id of a given cell begins with given_"
        return
    points = about.get("points")
    if not isinstance(points, int | float) or points != int(points) or points < 1:
        yield f"points are {points!r}; give a whole number of at least 1"
    prefix = "written_" if solution else "test_"
    if not name.startswith(prefix):
        yield f"the grade_id of such a cell begins with {prefix}"
    if solution and cell.cell_type != "markdown":
        yield "a written answer (grade and solution both true) must be a Markdown cell"


def pair_faults(notebook):
    """Yield what is wrong with the names of the cells: one twice, an answer without a test, a test without an answer."""
    ids = [grading(cell)["grade_id"] for cell in notebook.cells if "grade_id" in grading(cell)]
    for one in sorted({one for one in ids if ids.count(one) > 1}):
        yield f"the grade_id {one!r} stands in {ids.count(one)} cells; give each cell its own"
    ungraded = [grading(cell) for cell in notebook.cells if not grading(cell).get("grade")]
    solutions = {about["grade_id"] for about in ungraded if about.get("solution")}
    tests = {one.removeprefix("test_") for one in ids if one.startswith("test_")}
    for one in sorted(solutions - tests):
        yield f"the solution cell {one!r} has no test cell 'test_{one}'; add it, or nobody gets points for it"
    for one in sorted(tests - solutions):
        yield f"the test cell 'test_{one}' has no solution cell {one!r}; students would have no place to answer"


def heading_faults(notebook):
    """Yield what is wrong with the headings of the tasks: their form, their numbers, and that their points are the cells'."""
    waiting, numbers = None, []  # the heading whose graded cell is still to come: (number, points)
    for place, cell in enumerate(notebook.cells):
        about, where = grading(cell), name_of(cell, place)
        if cell.cell_type == "markdown" and not about:
            found = [(int(one["number"]), int(one["points"])) for one in HEADING.finditer(cell.source)]
            numbers += [number for number, _ in found]
            waiting = found[-1] if found else waiting
            if not found and re.search(r"^## Task\b", cell.source, re.M):
                yield f"{where}: write the heading as '## Task 3: question (4 points)'"
        if has_points(about):
            if waiting is None:
                yield f"{where}: no heading '## Task ...' of its own stands before it"
            elif waiting[1] != about["points"]:
                yield (
                    f"{where} gives {about['points']} points, but the heading of task {waiting[0]} "
                    f"says {waiting[1]}; make them agree"
                )
            waiting = None
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the tasks are numbered {numbers}; number them 1, 2, 3, ..."
    if not 5 <= len(numbers) <= 8:
        yield f"{len(numbers)} tasks; an assignment has five to eight"


def has_points(about):
    """Tell whether nbgrader's metadata ``about`` are of a cell that earns points, which are a number."""
    return about.get("grade") and isinstance(about.get("points"), int | float)


def task_faults(notebook):
    """Yield what is wrong with the tasks as a whole: pairs, headings, numbers, points."""
    yield from pair_faults(notebook)
    yield from heading_faults(notebook)
    graded = [grading(cell) for cell in notebook.cells if has_points(grading(cell))]
    total = sum(about["points"] for about in graded)
    if total != TOTAL:
        yield f"the points sum to {total}, not to {TOTAL}; change the points of some task"
    written = [about["points"] for about in graded if about.get("solution")]
    if len(written) != 1 or not 3 <= written[0] <= 5:
        yield f"written tasks with {written} points; an assignment has one, with 3 to 5"


def text_faults(notebook):
    """Yield what is wrong with the text: title, expected time, markup of the book, outputs, syntax."""
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "cell 0 must be Markdown and begin with the title, '# ...'"
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown").replace("*", "")
    minutes = TIME.search(text)
    if not minutes or not 60 <= int(minutes[1]) <= 120:
        yield "the introduction must say 'Expected time: NN minutes', between 60 and 120"
    if f"{TOTAL} points" not in text and f"Points: {TOTAL}" not in text:
        yield f"the introduction must say '{TOTAL} points'"
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) < len(ids):
        yield "every cell needs an id of its own (nbformat 4.5); save the notebook with a newer JupyterLab"
    for place, cell in enumerate(notebook.cells):
        yield from (f"{name_of(cell, place)}{one}" for one in source_faults(cell))


def source_faults(cell):
    """Yield what is wrong with the source of one cell, each as a message goes on behind the cell's name."""
    if cell.cell_type == "markdown":
        if ROLE.search(cell.source):
            yield f": {ROLE.search(cell.source)[0]!r} is the book's own markup; students see plain Markdown"
        return
    if cell.outputs or cell.execution_count:
        yield ": outputs are stored; clear them (they may tell answers)"
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        yield f", line {error.lineno}: {error.msg}; the cell must be valid Python, without magics"


def same_value(written, value):
    """Is a value, as Python code, the one that variant.py gives?"""
    try:
        return ast.literal_eval(written) == value
    except (ValueError, SyntaxError):
        return False


def variant_faults(name, notebook, sources):
    """Yield what is wrong with the constants: names unknown to variant.py, values that are not those of the committed seed."""
    try:
        constants = load_module(name, "variant.py", sources).constants(SEED)
        with_constants(notebook, constants)
    except SourceError as error:
        yield str(error)
        return
    used = set()
    for place, cell in enumerate(notebook.cells):
        pattern = CONSTANT_IN_CODE if cell.cell_type == "code" else CONSTANT_IN_TEXT
        for found in pattern.finditer(cell.source):
            name_here = found["name"] if cell.cell_type == "code" else found[1]
            used.add(name_here)
            if cell.cell_type == "code":
                value = found[0].split(" = ", 1)[1].rsplit("# course:", 1)[0].strip()
                if not same_value(value, constants[name_here]):
                    yield (
                        f"{name_of(cell, place)}: {name_here} is {value[:60]}, but seed {SEED} gives "
                        f"{constants[name_here]!r:.60}; the committed notebook holds the values of that seed"
                    )
        stray = [line for line in cell.source.splitlines() if "# course:" in line and not CONSTANT_IN_CODE.search(line)]
        if cell.cell_type == "code" and stray:
            yield f"{name_of(cell, place)}: {stray[0].strip()!r} is not of the form 'name = value  # course: NAME'"
    for unused in sorted(set(constants) - used):
        yield f"variant.py gives the constant {unused}, which no cell asks for; use it or drop it"


def faults(name, sources=SOURCES):
    """Return all that is wrong with the source of an assignment, a list of sentences; SourceError if it cannot be read."""
    notebook = read_source(name, sources)
    found = []
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        found.append(f"the notebook breaks the notebook format: {error.message}")
    if notebook.nbformat != 4 or notebook.nbformat_minor < 5:
        found.append(f"the notebook has format {notebook.nbformat}.{notebook.nbformat_minor}; it must be 4.5")
    found += text_faults(notebook)
    for place, cell in enumerate(notebook.cells):
        found += metadata_faults(cell, place)
        found += marker_faults(cell, place)
    found += task_faults(notebook)
    found += variant_faults(name, notebook, sources)
    rubric = Path(sources, name, "rubric.md")
    if not rubric.is_file():
        found.append("rubric.md is missing; whoever grades the written task needs it")
    return found


def validate(name, sources=SOURCES):
    """Raise SourceError with every fault of an assignment's source, one a line, if there is any."""
    found = faults(name, sources)
    if found:
        path = source_path(name, sources)
        raise SourceError("\n".join(f"{path}: {one}" for one in found))
