"""The public page of each assignment: ``make coursework-pages`` writes ``coursework/pages/<name>.md`` from the sources.

A page shows what a student would see of the notebook: aims, tasks, signatures and visible tests, with the values of the committed
source. Solutions, hidden tests and model answers are left out, and so is given code. The pages are committed, for the book is built
without nbgrader; a test says when one is stale.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from coursework import ROOT, SEED, SOURCES
from coursework.make.notebooks import (
    HIDDEN_TESTS,
    NAMES,
    SOLUTION,
    STUB,
    SourceError,
    grading,
    load_module,
    read_source,
    tasks,
    with_constants,
    without_region,
)
from coursework.make.validation import HEADING

PAGES = ROOT / "coursework" / "pages"
# The chapter that an assignment follows, for the link to it.
CHAPTERS = {
    "preprocessing": "data_preprocessing",
    "forward_pass": "mlp_architecture",
    "backpropagation": "training",
    "evaluation": "evaluation",
    "neighbours_and_margins": "svm_knn_baselines",
    "capstone": "evaluation",
}
HEAD = "<!-- made by make coursework-pages from coursework/source/{name}; do not edit -->"

ABOUT = """\
This page shows the tasks, with the numbers of an example course; data and numbers differ from course to course. The notebook also holds
given code and pictures, which are left out here, and it is graded by more tests than these.\
"""

GET_IT = """\
## How do you get the notebook?

In a course, your teacher hands out `{name}.zip`: the notebook, its data, and a page that says how to open it in JupyterLab or in Google
Colab. If you study by yourself, `make coursework NAME={name}` in the book's folder makes the same file, as
`_build/coursework/students/{name}.zip`.{chapter}
"""


def fenced(code):
    """Return Python code as a block of Markdown."""
    longest = max((len(found) for found in re.findall(r"^\s*(`+)", code, re.M)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{code.strip()}\n{fence}"


def without_points(text):
    """Return Markdown with its points told in another way: the book's prose holds no typed percentage points."""
    text = HEADING.sub(lambda found: f"{found[0].rsplit(' (', 1)[0]}\n\n**Points:** {found['points']}", text)
    return re.sub(r"\b(\d+) points?\b", r"points: \1", text)


def student_code(cell):
    """Return what a student sees of a code cell."""
    return without_region(without_region(cell.source, SOLUTION, STUB), HIDDEN_TESTS).strip()


def table_of_tasks(notebook):
    """Return a table of the tasks: number, question, points, and who grades."""
    rows = ["| task | question | points | graded |", "|---|---|---|---|"]
    headings = [
        found[0] for cell in notebook.cells if cell.cell_type == "markdown" for found in HEADING.finditer(cell.source)
    ]
    for heading, task in zip(headings, tasks(notebook), strict=True):
        number, question = re.fullmatch(r"## Task (\d+): (.+) \(\d+ points?\)", heading).groups()
        rows.append(f"| {number} | {question} | {task.points} | {'by a person' if task.written else 'by tests'} |")
    return "\n".join(rows)


def page(name, sources=SOURCES):
    """Return the Markdown of the page of an assignment."""
    constants = load_module(name, "variant.py", sources).constants(SEED)
    notebook = with_constants(read_source(name, sources), constants)
    title, _, introduction = without_points(notebook.cells[0].source).partition("\n")
    number = f"Assignment {NAMES.index(name) + 1}" if name in NAMES else "Assignment"
    parts = [f"# {number}: {title.removeprefix('#').strip()}", introduction.strip(), ABOUT, table_of_tasks(notebook)]
    for cell in notebook.cells[1:]:
        about = grading(cell)
        if cell.cell_type == "markdown":
            parts.append("*Your answer goes here.*" if about.get("grade") else without_points(cell.source).strip())
        elif about.get("solution"):
            parts.append(fenced(student_code(cell)))
        elif about.get("grade"):
            parts += ["The test that you see:", fenced(student_code(cell))]
    chapter = CHAPTERS.get(name)
    link = f"\n\nThe chapter to read first: [](../../chapters/{chapter}.ipynb)." if chapter else ""
    parts.append(GET_IT.format(name=name, chapter=link).strip())
    return "\n\n".join([*parts, HEAD.format(name=name)]) + "\n"


def stale(names=NAMES, sources=SOURCES, pages=PAGES):
    """Return the names of the assignments whose page is missing or not what its source gives."""
    found = []
    for name in names:
        path = Path(pages) / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != page(name, sources):
            found.append(name)
    return found


def main(arguments=None):
    """Write the pages that are stale; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m coursework pages", description="write the assignments' public pages"
    )
    parser.add_argument("names", nargs="*", help="these assignments alone (default: all)")
    options = parser.parse_args(arguments)
    PAGES.mkdir(exist_ok=True)
    try:
        for name in stale(options.names or NAMES):
            (PAGES / f"{name}.md").write_text(page(name), encoding="utf-8")
            print(f"coursework/pages/{name}.md")
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
