"""Steps for nbgrader's converters: mend a submitted notebook, run it in the sandbox, keep hidden tests out of feedback.

``python -m coursework grade`` uses them, and a course folder's nbgrader_config.py gives them to nbgrader's own commands, so that
a plain ``nbgrader autograde`` isolates as well.
"""

from __future__ import annotations

import ast
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Instance, Integer

from coursework.make.notebooks import HIDDEN_TESTS, KEPT_BACK, grading, without_region
from coursework.sandbox.outside import Cell, Limits, run_cells, statements_of

REMARKS = "coursework_remarks"  # in a notebook's metadata: a list of sentences for the marks and the feedback
HIDDEN_NOTE = "# (here stand tests that are not shown)"


def remark(notebook, sentence):
    """Add a sentence to the remarks of a notebook."""
    remarks = notebook.metadata.setdefault(REMARKS, [])
    if sentence not in remarks:
        remarks.append(sentence)


def hidden_lines(source):
    """Return the numbers (from 1) of the lines between the markers of hidden tests, markers included."""
    numbers, inside = set(), False
    for number, line in enumerate(source.splitlines(), 1):
        inside = inside or line.strip() == HIDDEN_TESTS[0]
        if inside:
            numbers.add(number)
        if line.strip() == HIDDEN_TESTS[1]:
            inside = False
    return frozenset(numbers)


def bound_names(source):
    """Return the names that a piece of code binds at its top level; an empty set if it is no Python."""
    names, waiting = set(), statements_of(source) or []
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        waiting += ast.iter_child_nodes(node)
    return names


def code_cells(notebook):
    """Return the notebook's code cells as :class:`coursework.sandbox.outside.Cell`, and the places where they stand."""
    cells, places = [], []
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        about = grading(cell)
        name = str(about.get("grade_id", ""))
        if about.get("grade") and not about.get("solution"):
            visible = without_region(cell.source, HIDDEN_TESTS)
            forget = tuple(sorted(bound_names(cell.source) - bound_names(visible)))
            made = Cell(cell.source, "test", name, hidden_lines(cell.source), forget)
        else:
            made = Cell(cell.source, "given" if utils.is_locked(cell) else "student", name)
        cells.append(made)
        places.append(place)
    return cells, places


def copy_files(folder, target):
    """Copy the plain files of a submission's folder that its code may see: no notebooks, no links, no sources."""
    folder, target = Path(folder), Path(target)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_symlink() or not path.is_file() or path.suffix == ".ipynb" or path.name in KEPT_BACK:
            continue
        if path.name == "timestamp.txt" or any(one.is_symlink() for one in path.parents if one != folder):
            continue
        (target / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / inside)


def run_notebook(notebook, folder, limits, stop=None):
    """Run a notebook's code cells in the sandbox, with copies of the files of ``folder``; fills in the outputs.

    Returns :class:`coursework.sandbox.outside.Submission`; ``stop`` as in `coursework.sandbox.outside.run_cells`.
    """
    cells, places = code_cells(notebook)
    with tempfile.TemporaryDirectory(prefix="grading-") as given:
        copy_files(folder, given)
        ran = run_cells(cells, given, limits, stop)
    for number, (place, one) in enumerate(zip(places, ran.cells, strict=True), 1):
        notebook.cells[place].outputs = one.outputs
        notebook.cells[place].execution_count = number
    for sentence in ran.remarks:
        remark(notebook, sentence)
    return ran


class IsolatedExecute(NbGraderPreprocessor):
    """In place of nbgrader's Execute: the cells run in a bubblewrap sandbox, or not at all."""

    cell_seconds = Float(Limits.cell_seconds, help="Seconds that one cell may take").tag(config=True)
    submission_seconds = Float(Limits.submission_seconds, help="Seconds that all cells of a submission may take").tag(
        config=True
    )
    memory_mb = Integer(Limits.memory_mb, help="Memory of all processes of a submission, in MB").tag(config=True)
    processes = Integer(Limits.processes, help="Processes of a submission").tag(config=True)
    disk_mb = Integer(Limits.disk_mb, help="Size of each of its writable folders, which are in memory, in MB").tag(
        config=True
    )

    def limits(self):
        """Return the settings as :class:`coursework.sandbox.outside.Limits`."""
        names = ("cell_seconds", "submission_seconds", "memory_mb", "processes", "disk_mb")
        return Limits(**{name: getattr(self, name) for name in names})

    def preprocess(self, nb, resources):
        """Run all cells; the outputs are in the notebook afterwards."""
        run_notebook(nb, resources["metadata"]["path"], self.limits())
        return nb, resources


class RepairCells(NbGraderPreprocessor):
    """Before nbgrader's own checks: bring the notebook's graded cells into the state that these expect.

    Metadata is set from the gradebook, the last answered one of duplicated cells counts, deleted cells come back (answers as
    blanks), cells that the assignment does not know become ordinary ones. Each of these is a remark.
    """

    gradebook = Instance(Gradebook, allow_none=True)

    def preprocess(self, nb, resources):
        """Repair the notebook."""
        about = resources["nbgrader"]
        if self.gradebook is not None:
            self.repair(nb, known_cells(self.gradebook, about["assignment"], about["notebook"]))
        else:
            with Gradebook(about["db_url"]) as gradebook:
                self.repair(nb, known_cells(gradebook, about["assignment"], about["notebook"]))
        return nb, resources

    def repair(self, nb, known):
        """Repair a notebook; ``known`` are the assignment's cells as `known_cells` gives them."""
        nb.metadata = NotebookNode(
            {key: nb.metadata[key] for key in ("kernelspec", "language_info") if isinstance(nb.metadata.get(key), dict)}
        )
        found = {}
        for cell in nb.cells:
            if not isinstance(cell.metadata.get("nbgrader", {}), dict):
                cell.metadata.pop("nbgrader")
            name = grading(cell).get("grade_id")
            if not isinstance(name, str) or name not in known:
                if grading(cell).get("grade") or grading(cell).get("solution"):
                    remark(nb, f"the cell {str(name)[:60]!r} is none of this assignment and earns nothing")
                cell.metadata.pop("nbgrader", None)
                continue
            found.setdefault(name, []).append(cell)
        for name, cells in found.items():
            counts = cells[-1]
            if len(cells) > 1:
                blank = known[name].source.strip()
                answered = [cell for cell in cells if cell.source.strip() != blank]
                if known[name].about["solution"] and answered:
                    counts = answered[-1]
                remark(
                    nb, f"the cell {name} stood {len(cells)} times; the last {'answered ' * bool(answered)}one counts"
                )
            for cell in cells:
                if cell is not counts:
                    cell.metadata.pop("nbgrader")
            self.check(nb, counts, known[name])
            found[name] = counts
        self.restore(nb, known, found)

    def check(self, nb, cell, original):
        """Set type and metadata of a cell from the gradebook; say if a locked one was edited (nbgrader restores it)."""
        about = original.about
        if cell.cell_type != original.cell_type:
            remark(
                nb, f"the cell {original.name} had been turned into {cell.cell_type} and is {original.cell_type} again"
            )
            make = nbformat.v4.new_code_cell if original.cell_type == "code" else nbformat.v4.new_markdown_cell
            fresh = make(cell.source)
            cell.clear()
            cell.update(fresh)
        elif about["locked"] and not about["solution"]:
            released = without_region(original.source, HIDDEN_TESTS)
            if plain(cell.source) not in (plain(released), plain(original.source)):
                remark(nb, f"the locked cell {original.name} was edited and is restored")
        cell.metadata["nbgrader"] = NotebookNode(about)

    def restore(self, nb, known, found):
        """Put deleted cells back behind the cell that they follow in the assignment."""
        previous = None
        for name, original in known.items():
            if name in found:
                previous = found[name]
                continue
            about = original.about
            if about["solution"] and not about["grade"]:
                # A blank one could undo what the student wrote elsewhere: it is only told.
                remark(nb, f"the answer cell {name} was deleted")
                continue
            make = nbformat.v4.new_code_cell if original.cell_type == "code" else nbformat.v4.new_markdown_cell
            cell = make(original.source, metadata={"nbgrader": NotebookNode(about)})
            if nb.get("nbformat_minor", 5) < 5:
                cell.pop("id", None)
            answer = name.removeprefix("test_")
            if answer != name and answer in known and answer not in found:
                nb.cells.append(cell)  # the answer, if any, stands in some other cell
            else:
                nb.cells.insert(place_after(nb, previous), cell)
                previous = cell
            remark(nb, f"the cell {name} was deleted and is restored" + (" as a blank" if about["solution"] else ""))


class Known:
    """A cell of the assignment as the gradebook knows it: name, type, source, and nbgrader's metadata (``about``)."""

    def __init__(self, cell, points, solution):
        self.name, self.cell_type, self.source = cell.name, cell.cell_type, cell.source
        self.about = {
            "grade_id": cell.name,
            "grade": points is not None,
            "solution": solution,
            "locked": bool(cell.locked),
            "task": False,
            "cell_type": cell.cell_type,
            "checksum": cell.checksum,
            "schema_version": 3,
        }
        if points is not None:
            self.about["points"] = points


def known_cells(gradebook, assignment, notebook):
    """Return the cells of a notebook that the gradebook knows, {name: Known}, in their order."""
    stored = gradebook.find_notebook(notebook, assignment)
    points = {cell.name: cell.max_score for cell in stored.grade_cells}
    solutions = {cell.name for cell in stored.solution_cells}
    tasks = {cell.name for cell in stored.task_cells}
    return {
        cell.name: Known(cell, points.get(cell.name), cell.name in solutions)
        for cell in stored.source_cells
        if cell.name not in tasks
    }


def place_after(nb, previous):
    """Return the place behind the cell ``previous``, or before the first code cell if that is None."""
    for place, cell in enumerate(nb.cells):
        if cell is previous:
            return place + 1
        if previous is None and cell.cell_type == "code":
            return place
    return len(nb.cells)


def plain(source):
    """Return a source without what editors change: trailing blanks, empty lines at the ends."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


class HideHiddenTests(NbGraderPreprocessor):
    """Before feedback is written: take out the source of hidden tests, wherever a cell or an output shows it."""

    def preprocess(self, nb, resources):
        """Hide the tests; remarks become a cell at the top."""
        secret, public = set(), set()
        for cell in nb.cells:
            about = grading(cell)
            is_test = about.get("grade") and not about.get("solution")
            lines = cell.source.splitlines()
            hidden = hidden_lines(cell.source) if is_test else frozenset()
            for number, line in enumerate(lines, 1):
                (secret if number in hidden else public).add(line.strip())
            if hidden:
                cell.source = without_region(cell.source, HIDDEN_TESTS) + "\n" + HIDDEN_NOTE
        secret = {line for line in secret - public if len(line) >= 12 and line not in HIDDEN_TESTS}
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            for output in cell.get("outputs", []):
                hide(output, secret)
        remarks = nb.metadata.get(REMARKS)
        if remarks:
            told = "\n".join(f"- {as_text(one)}" for one in remarks)
            nb.cells.insert(
                1 if nb.cells else 0, nbformat.v4.new_markdown_cell(f"**Remarks of the grading**\n\n{told}")
            )
        return nb, resources


def as_text(sentence):
    """Return a sentence so that Markdown shows it as it is."""
    return "".join("\\" + sign if sign in "\\`*_{}[]<>#|$&" else sign for sign in str(sentence))


def hide(output, secret):
    """Take lines of hidden tests out of one output."""

    def shows(value):
        value = value.replace("\\n", "\n")
        return any(line in value for line in secret)

    if output.output_type == "error":
        output.traceback = [line for line in output.traceback if not shows(line)] or [
            f"{output.ename}: {output.evalue}"
        ]
        if shows(output.evalue):
            output.evalue = "(the message would show a hidden test)"
            output.traceback = [f"{output.ename}: {output.evalue}"]
    elif output.output_type == "stream":
        if shows(output.text):
            output.text = "(left out: it would show a hidden test)\n"
    else:
        for mime, value in list(output.data.items()):
            if isinstance(value, str) and not mime.startswith("image/") and shows(value):
                output.data[mime] = "(left out: it would show a hidden test)"
