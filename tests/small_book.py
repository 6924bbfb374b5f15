"""A small book to try the build on, with the fixtures that build it once and hand out copies."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.press import node_tools

ROOT = Path(__file__).resolve().parent.parent

ALT = "A rising line, drawn to have a picture on the page"


def figure_cell(alt=ALT):
    """Return a cell that draws a captioned figure."""
    image = {"alt": alt} if alt else {}
    metadata = {"mystnb": {"image": image, "figure": {"caption": "A line.", "name": "fig-line"}}}
    return new_code_cell(
        "import matplotlib.pyplot as plt\nfrom helpers.plots import book_style\nbook_style()\n"
        "fig, ax = plt.subplots()\nax.plot([1, 2]);",
        metadata=metadata,
    )


def notebook(*cells):
    """Return the text of a notebook."""
    made = new_notebook(cells=list(cells), metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    return nbformat.writes(made)


class SmallBook:
    """A book of an introduction that quotes a chapter, that chapter, and another that depends on nothing of ours."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("_config.yml", "_templates", "tools", "helpers", "experiments", "requirements.txt"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules*"))
            else:
                shutil.copy(source, folder / name)
        # The packages from npm are installed once, for all small books.
        (folder / "tools" / "press" / "node" / "node_modules").symlink_to(
            node_tools.install(), target_is_directory=True
        )
        shutil.copytree(ROOT / "_static", folder / "_static")
        (folder / "references.bib").write_text("")
        self.write(
            "_toc.yml", "format: jb-book\nroot: intro\nchapters:\n  - file: chapters/one\n  - file: chapters/two\n"
        )
        self.write(
            "intro.md",
            "# Front\n\nThe chapter says {glue:text}`/chapters/one.ipynb::one_value:.2f`. A page begins with words that describe it.\n",
        )
        self.write("helpers/toy.py", "from helpers.toy_inner import VALUE\n\n\ndef value():\n    return VALUE\n")
        self.write("helpers/toy_inner.py", "VALUE = 1.25\n")
        self.write(
            "chapters/one.ipynb",
            notebook(
                new_markdown_cell("# One\n\nSome text. It says what this chapter is about, in a sentence or two."),
                new_code_cell(
                    "import time\nfrom helpers.toy import value\nfrom helpers.text import glue\nglue('one_value', value())\nprint('ran at', time.time_ns(), 'value', value())"
                ),
                figure_cell(),
            ),
        )
        self.write(
            "chapters/two.ipynb",
            notebook(
                new_markdown_cell("# Two\n\nThe other chapter depends on nothing of ours, and says so in a sentence."),
                new_code_cell("import time\nprint('ran at', time.time_ns())"),
            ),
        )

    def write(self, name, text):
        """Write a file of the book; a moment's pause makes the new time of change visible to Sphinx."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self, **environment):
        """Build as make book does; returns the finished process."""
        settings = {**os.environ, "PYTHONPATH": str(self.folder), "DIGITS_EDITION": "sample", **environment}
        return subprocess.run(
            [sys.executable, "-m", "tools.press"],
            cwd=self.folder,
            env=settings,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def page(self, name):
        """Return the HTML of a page."""
        return (self.folder / "_build" / "html" / f"{name}.html").read_text()

    def ran_at(self, name):
        """Return when the chapter on a page was executed (ns)."""
        return int(re.search(r"ran at (\d+)", self.page(name))[1])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small book, built once; tests take copies of it."""
    book = SmallBook(tmp_path_factory.mktemp("small_book"))
    done = book.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return book, done


@pytest.fixture
def book(built, tmp_path):
    """A copy of the built book that a test may change."""
    copy = object.__new__(SmallBook)
    copy.folder = tmp_path / "book"
    shutil.copytree(built[0].folder, copy.folder, symlinks=True)
    return copy
