"""The build, tried on a small book: what it refuses, loudly, and the same build by plain jupyter-book."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from small_book import figure_cell, notebook

FAULTS = {
    "a cell raises": (
        {"chapters/two.ipynb": notebook(new_markdown_cell("# Two"), new_code_cell("1 / 0"))},
        ["ZeroDivisionError", "two.ipynb"],
    ),
    "Sphinx warns": (
        {
            "intro.md": "# Front\n\n{ref}`no_place` {term}`no_term` {cite}`nobody` {glue:text}`/chapters/one.ipynb::no_number:.2f`\n"
        },
        ["no_place", "no_term", "nobody", "no_number"],
    ),
    "a page is missing": (
        {"_toc.yml": "format: jb-book\nroot: intro\nchapters:\n  - file: chapters/three\n"},
        ["three"],
    ),
    "the site is not in order": (
        {
            "chapters/two.ipynb": notebook(new_markdown_cell("# Two"), new_code_cell("x = 1")),
            "chapters/one.ipynb": notebook(
                new_markdown_cell("# One"),
                new_code_cell(
                    "import sys\nfrom helpers.text import glue\nglue('one_value', 1.0)\nprint('noise', file=sys.stderr)"
                ),
                figure_cell(alt=None),
            ),
            "intro.md": '# Front\n\n{glue:text}`/chapters/one.ipynb::one_value:.2f` <a href="chapters/four.html">four</a>\n',
        },
        [
            "chapters/two: no outputs",
            "no description",
            "error stream",
            "intro: link to chapters/four.html leads nowhere",
        ],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_build_fails_loudly(book, fault):
    files, named = FAULTS[fault]
    for name, text in files.items():
        book.write(name, text)
    done = book.build()
    said = done.stdout + done.stderr
    assert done.returncode != 0, f"{fault}: built all the same\n{said}"
    for word in named:
        assert word in said, f"{fault}: {word} is not named\n{said}"
    assert "Edition:" not in done.stdout


def test_wrong_data_stop_the_build_before_anything_runs(book, tmp_path):
    done = book.build(DIGITS_EDITION="full", DIGITS_DATA=str(tmp_path / "missing"))
    assert done.returncode == 1 and "missing" in done.stderr and "Traceback" not in done.stderr


def test_plain_jupyter_book_gives_the_same_site(book):
    shutil.rmtree(book.folder / "_build")
    settings = {**os.environ, "PYTHONPATH": str(book.folder), "DIGITS_EDITION": "sample"}
    code = "from jupyter_book.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "build", "."],
        cwd=book.folder,
        env=settings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "says 1.25" in re.sub(r"<[^>]+>", "", book.page("intro"))
    assert json.loads((book.folder / "_build" / "chapters.json").read_text())["edition"] == "sample"
