"""Keep notebooks clean: ``python -m tools.upkeep.clean_notebooks [--check | --refresh] [NOTEBOOK ...]`` (all chapters by
default).

Outputs, execution counts and editors' metadata go (nbstripout); only cells tagged ``keep_output`` keep theirs, for
nbval compares those with what a fresh run gives. ``--refresh`` runs each notebook first and stores the outputs of
these cells anew;
``--check`` changes nothing and fails if a notebook is not clean.
"""

import argparse
import os
import sys
from pathlib import Path

import nbformat
from nbstripout import strip_output

ROOT = Path(__file__).resolve().parents[2]
KEPT_METADATA = {"kernelspec", "language_info", "exercise"}
CELL_METADATA = [f"cell.metadata.{name}" for name in ("execution", "collapsed", "editable", "slideshow")]


def cleaned(notebook):
    """Return a clean copy of a notebook (nbformat node)."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook = strip_output(notebook, keep_output=False, keep_count=True, keep_id=True, extra_keys=CELL_METADATA)
    count = 0
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"  # by place, so that an unchanged notebook gives an unchanged file
        if cell.cell_type != "code":
            continue
        # A count is kept only where nbval needs one: it fails on a stored output in a cell that seems never to have
        # run.
        cell.execution_count = None
        if cell.outputs:
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if "execution_count" in output:
                    output["execution_count"] = count
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def refreshed(notebook, path):
    """Run a notebook in a fresh kernel in its own folder and return it with all outputs."""
    from nbclient import NotebookClient

    os.environ["DIGITS_BUILD"] = "1"
    return NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()


def rewrite(paths, made, write=True):
    """Return those notebooks (all chapters if none is named) that differ from ``made(notebook, path)``; write that, in one step."""
    stale = []
    for path in paths or sorted((ROOT / "chapters").glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        new = nbformat.writes(made(nbformat.reads(text, as_version=4), path)) + "\n"
        if new == text:
            continue
        stale.append(str(path))
        if write:
            half = path.with_name(f".{path.name}.{os.getpid()}")
            half.write_text(new, encoding="utf-8")
            os.replace(half, path)
    return stale


def main(arguments=None):
    """Clean, check or refresh; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true")
    mode.add_argument("--refresh", action="store_true")
    options = parser.parse_args(arguments)

    def made(notebook, path):
        return cleaned(refreshed(notebook, path.resolve()) if options.refresh else notebook)

    dirty = rewrite(options.notebooks, made, write=not options.check)
    if options.check and dirty:
        print(f"not clean: {', '.join(dirty)}; run make clean-notebooks", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
