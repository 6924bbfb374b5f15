"""The first code cell of every chapter, which brings the helpers to Google Colab: ``python -m tools.copies.setup_cell [--check]``.

It is the same in every chapter, is made here from the one address (``tools/press/address.py``), and stands before the
imports. ``--check`` changes nothing and fails if a chapter's cell is missing or another one.
"""

import argparse
import json
import sys
from pathlib import Path

import nbformat

from tools.press import address
from tools.upkeep.clean_notebooks import cleaned, rewrite

ROOT = Path(__file__).resolve().parents[2]
FIRST_LINE = "# For Google Colab, and for a copy with the book's wheel beside it. Anywhere else this does nothing."
CODE = """\
{first_line}
import importlib.util
import subprocess
import sys
from pathlib import Path

if not importlib.util.find_spec("helpers"):
    wheels = sorted(map(str, Path().glob("digits_book-*.whl")))
    try:
        import google.colab

        wheels = wheels or [{source}]
    except ImportError:
        pass
    if not any(wheels):
        raise ImportError({cure})
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", wheels[-1]], check=True)
    importlib.invalidate_caches()
    importlib.import_module("helpers.elsewhere").bring_packages()
"""
CURE = (
    "This copy lacks the book's helpers: put the book's wheel, digits_book-....whl, beside it and run this cell again"
)
METADATA = {"jupyter": {"source_hidden": True}, "tags": ["remove-cell"]}


def source(root=ROOT):
    """Return what pip installs the helpers from, when no wheel lies beside the notebook; "" without an address."""
    repository = address.repository(root)
    return f"git+{repository}@{address.branch(root)}" if repository else ""


def setup_code(root=ROOT):
    """Return the cell's code."""
    return CODE.format(first_line=FIRST_LINE, source=json.dumps(source(root)), cure=json.dumps(CURE)).strip()


def is_setup_cell(cell):
    """Is this the setup cell, of whatever state?"""
    return cell["cell_type"] == "code" and "".join(cell["source"]).startswith(FIRST_LINE)


def with_setup_cell(notebook, root=ROOT):
    """Return a clean copy of a notebook (nbformat node) whose first code cell is the setup cell, once."""
    notebook = nbformat.from_dict(notebook)
    cells = [cell for cell in notebook.cells if not is_setup_cell(cell)]
    first = next((i for i, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    cell = nbformat.v4.new_code_cell(setup_code(root), metadata=nbformat.from_dict(METADATA))
    notebook.cells = [*cells[:first], cell, *cells[first:]]
    return cleaned(notebook)


def main(arguments=None):
    """Write or check; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    stale = rewrite(options.notebooks, lambda notebook, path: with_setup_cell(notebook), write=not options.check)
    if options.check and stale:
        print(f"another setup cell, or none: {', '.join(stale)}; run make address", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
