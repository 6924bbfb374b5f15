"""tools/upkeep/measure_bounds.py: runs a notebook with several seeds and tells which bounds are too narrow or too wide."""

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from notebook_rules import ROOT

from tools.upkeep import measure_bounds

SOURCE = """
import os, random
from helpers import text
text.current_edition = lambda: os.environ["DIGITS_EDITION"]  # needs no digits
offset = int(os.environ["DIGITS_SEED_OFFSET"])
value = 10 + offset / 1000
text.check("good", value, full=(0, 20), sample=(5, 16), runs=5)
text.check("narrow", value, full=(0, 20), sample=(9.5, 11.5), runs=5)
text.check("wide", value, full=(0, 20), sample=(-50, 60), runs=5)
text.check("fixed", 3, full=(2, 4), runs=5)
"""


@pytest.fixture
def notebook(tmp_path):
    """A notebook whose value is 10, 11, 12, ... in the runs."""
    path = tmp_path / "tiny.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(SOURCE)]), path)
    return path


def test_a_tiny_notebook(notebook, capsys):
    before = notebook.read_bytes()
    assert measure_bounds.main([str(notebook), "--runs", "3", "--edition", "sample"]) == 1
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "tiny, sample edition, 3 runs"
    rows = {line.split()[0]: line for line in lines[2:]}
    assert list(rows) == ["good", "narrow", "wide", "fixed"]
    for part in ("5 .. 16", " 10 ", " 11 ", " 12 ", "7 .. 15"):  # mean 11, standard deviation 1
        assert part in rows["good"]
    assert (
        rows["good"].endswith("3")
        and rows["narrow"].endswith("!")
        and rows["wide"].endswith("wide")
        and rows["fixed"].endswith("same")
    )
    assert notebook.read_bytes() == before


def test_a_run_that_stops_is_told_and_the_others_count(notebook, capsys):
    content = nbformat.read(notebook, as_version=4)
    content.cells.append(new_code_cell('assert offset < 1000, "too large"'))
    nbformat.write(content, notebook)
    assert measure_bounds.main([str(notebook), "--runs", "2", "--edition", "full"]) == 1
    out = capsys.readouterr().out
    assert (
        "tiny, full edition, 2 runs" in out and "stopped with DIGITS_SEED_OFFSET=1000: AssertionError: too large" in out
    )
    assert "good    0 .. 20" in out


@pytest.mark.parametrize(
    ("values", "bounds", "expected"),
    [
        ([1, 2, 3], (-3, 7), []),
        ([1, 2, 3], (1, 3), []),
        ([1, 2, 3], (1.5, 7), ["!"]),
        ([1, 2, 3], (-3, 2.5), ["!"]),
        ([1, 2, 3], (-20, 20), ["wide"]),
        ([1, 2, 3], (2.5, 90), ["!", "wide"]),
        ([2, 2, 2], (1, 3), ["same"]),
        ([2, 2, 2], (3, 4), ["!", "same"]),
        ([1, 2, float("nan")], (0, 3), ["!"]),
    ],
)
def test_marks(values, bounds, expected):
    assert measure_bounds.marks(values, bounds) == expected


def test_the_suggested_range_is_the_mean_and_four_standard_deviations():
    low, high = measure_bounds.suggested([1.0, 2.0, 3.0, 6.0])
    assert (low + high) / 2 == pytest.approx(3) and (high - low) / 8 == pytest.approx(np.std([1, 2, 3, 6], ddof=1))


def test_chapters_are_found_by_name_or_path(notebook):
    assert measure_bounds.find(str(notebook)) == notebook
    chapters = sorted((ROOT / "chapters").glob("*.ipynb"))
    assert measure_bounds.find(chapters[0].stem) == measure_bounds.find(f"chapters/{chapters[0].name}") == chapters[0]
    with pytest.raises(SystemExit, match="no such chapter: nowhere"):
        measure_bounds.find("nowhere")
