"""tools/upkeep/clean_notebooks.py: what it strips, what it keeps, and that nbval compares what it keeps."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.upkeep import clean_notebooks

KEPT = {"tags": ["keep_output", "nbval-check-output"]}


def dirty():
    """A notebook as an editor leaves it."""
    cells = [
        new_markdown_cell("# Title"),
        new_code_cell("a = 1", execution_count=7, metadata={"collapsed": True, "execution": {"x": "y"}, "tags": []}),
        new_code_cell("print(a)", execution_count=8, outputs=[new_output("stream", name="stdout", text="1\n")]),
        new_code_cell(
            "a",
            execution_count=9,
            metadata=KEPT,
            outputs=[new_output("execute_result", {"text/plain": "1"}, execution_count=9)],
        ),
        new_code_cell("plot()", execution_count=10, outputs=[new_output("display_data", {"image/png": "iVBO"})]),
        new_code_cell(
            "print(a + 1)", execution_count=12, metadata=KEPT, outputs=[new_output("stream", name="stdout", text="2\n")]
        ),
    ]
    return new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "mine", "display_name": "Mine"}, "widgets": {"a": 1}, "toc": {}}
    )


def test_outputs_and_counts_go_but_for_the_kept_ones():
    clean = clean_notebooks.cleaned(dirty())
    assert [len(cell.get("outputs", [])) for cell in clean.cells] == [0, 0, 0, 1, 0, 1]
    assert [cell.get("execution_count") for cell in clean.cells] == [None, None, None, 1, None, 2]
    assert clean.cells[3].outputs[0].execution_count == 1 and clean.cells[3].outputs[0].data == {"text/plain": "1"}
    assert [cell.source for cell in clean.cells] == [cell.source for cell in dirty().cells]


def test_editors_metadata_goes_and_ours_stays():
    notebook = dirty()
    figure = {"image": {"alt": "x"}, "figure": {"name": "fig-x"}}
    notebook.cells[4].metadata.update(mystnb=figure, tags=["remove-input"], jupyter={"source_hidden": True})
    clean = clean_notebooks.cleaned(notebook)
    assert clean.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert clean.cells[1].metadata == {"tags": []} or clean.cells[1].metadata == {}
    assert clean.cells[4].metadata == {"mystnb": figure, "tags": ["remove-input"], "jupyter": {"source_hidden": True}}
    assert [cell.id for cell in clean.cells] == [f"cell-{i:03d}" for i in range(6)]
    nbformat.validate(clean)


def test_cleaning_leaves_its_argument_alone_and_twice_is_once():
    notebook = dirty()
    clean = clean_notebooks.cleaned(notebook)
    assert notebook == dirty() | {"cells": notebook.cells} and notebook.cells[2].outputs
    assert clean_notebooks.cleaned(clean) == clean


def test_check_tells_and_changes_nothing(tmp_path, capsys):
    path = tmp_path / "a.ipynb"
    nbformat.write(dirty(), path)
    before = path.read_bytes()
    assert clean_notebooks.main(["--check", str(path)]) == 1
    assert path.read_bytes() == before and f"not clean: {path}" in capsys.readouterr().err
    assert clean_notebooks.main([str(path)]) == 0
    assert path.read_bytes() != before and [one.name for one in tmp_path.iterdir()] == ["a.ipynb"]
    assert clean_notebooks.main(["--check", str(path)]) == 0
    after = path.read_bytes()
    assert clean_notebooks.main([str(path)]) == 0 and path.read_bytes() == after


@pytest.mark.parametrize(
    "fault",
    [
        lambda cell: cell.update(execution_count=1),
        lambda cell: cell.update(outputs=[new_output("stream", name="stdout", text="1\n")]),
        lambda cell: cell.metadata.update(collapsed=True),
        lambda cell: cell.update(id="x"),
    ],
)
def test_check_notices_one_fault(tmp_path, fault):
    path = tmp_path / "a.ipynb"
    clean = clean_notebooks.cleaned(dirty())
    path.write_text(nbformat.writes(clean) + "\n")
    assert clean_notebooks.main(["--check", str(path)]) == 0
    fault(clean.cells[2])
    path.write_text(nbformat.writes(clean) + "\n")
    assert clean_notebooks.main(["--check", str(path)]) == 1


def test_the_chapters_are_clean():
    assert clean_notebooks.main(["--check"]) == 0


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    """A notebook that was refreshed: run, stored, cleaned."""
    path = tmp_path_factory.mktemp("refreshed") / "a.ipynb"
    notebook = dirty()
    notebook.cells[4].source = "b = 5"
    notebook.cells[5].source = "print(a + b)"
    for cell in notebook.cells[1:]:
        cell.update(outputs=[], execution_count=None)
    nbformat.write(notebook, path)
    assert clean_notebooks.main(["--refresh", str(path)]) == 0
    return path


def test_refresh_runs_and_stores_what_is_compared(refreshed):
    notebook = nbformat.read(refreshed, as_version=4)
    assert [len(cell.get("outputs", [])) for cell in notebook.cells] == [0, 0, 0, 1, 0, 1]
    assert notebook.cells[3].outputs[0].data == {"text/plain": "1"} and notebook.cells[5].outputs[0].text == "6\n"
    assert clean_notebooks.main(["--check", str(refreshed)]) == 0


def nbval(path):
    """Run a notebook through nbval as ``make test`` does."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--nbval-lax",
        "--nbval-cell-timeout=60",
        "-c",
        "/dev/null",
        str(path),
    ]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True)


@pytest.mark.parametrize(("old", "new", "passes"), [(None, None, True), ("6\\n", "7\\n", False)])
def test_nbval_passes_the_stored_outputs_and_no_others(refreshed, tmp_path, old, new, passes):
    path = tmp_path / "b.ipynb"
    content = refreshed.read_text()
    if old:
        assert old in content
        content = content.replace(old, new)
    path.write_text(content)
    result = nbval(path)
    assert (result.returncode == 0) == passes, result.stdout
    assert "5 passed" in result.stdout if passes else "1 failed, 4 passed" in result.stdout
