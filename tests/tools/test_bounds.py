"""tools/upkeep/bounds.py and tools/guards/kernel.py: a small chapter is recorded, resumed and compared, in real kernels."""

import json
import os
import shutil
import subprocess

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from notebook_rules import ROOT
from tqdm import tqdm

from tools.guards import bands, kernel
from tools.upkeep import bounds

IMPORTS = """
import os
from helpers import text
from helpers.quantities import timed
from helpers.text import check, claim, glue, say
text.current_edition = lambda: os.environ["DIGITS_EDITION"]  # needs no digits
import helpers.data
helpers.data.current_edition = text.current_edition
offset = int(os.environ["DIGITS_SEED_OFFSET"])
value = 10 + (offset // 1000 * 7) % 5 / 10"""
SAYS = """say(f"It is {value:.1f} of {5} after {timed(offset + 0.5):.1f} s.")"""
NOTES = """glue("toy_value", value); check("a value", value)"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a chapter of three cells, in place of the book's."""
    (tmp_path / "chapters").mkdir()
    for module in (bounds, kernel):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    for name in ("helpers", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("DIGITS_EDITION", "sample")
    bands.stored.cache_clear()
    kernel._cells.cache_clear()
    write(tmp_path, SAYS)
    yield tmp_path
    bands.stored.cache_clear()
    kernel._cells.cache_clear()


def write(project, *cells):
    notebook = new_notebook(cells=[new_code_cell(one) for one in (IMPORTS, *cells, NOTES)])
    nbformat.write(notebook, project / "chapters" / "tiny.ipynb")
    return project / "chapters" / "tiny.ipynb"


def in_this_process(monkeypatch, calls):
    """Have runs made in this process, whose folder is the small project's, and note them."""

    def run_apart(path, edition, offset, fingerprint):
        place, kept = bounds.kept_run(path, edition, offset, fingerprint)
        if kept is None:
            calls.append(offset)
            kept = {"numbers": fingerprint[0], "whole": fingerprint[1], **bounds.run(path, edition, offset)}
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(kept))
        return kept

    monkeypatch.setattr(bounds, "run_apart", run_apart)


def test_a_chapter_is_recorded_once_and_again_when_it_changes(project, monkeypatch, capsys):
    calls = []
    in_this_process(monkeypatch, calls)
    arguments = ["tiny", "--runs", "3", "--edition", "sample"]
    assert bounds.main(arguments) == 0 and calls == [0, 1000, 2000]
    stored = bands.loads("tiny", (project / "data" / "bands" / "tiny.json").read_text())
    say, glue, check = stored.editions["sample"]
    assert (say.kind, glue.kind, check.kind) == ("say", "glue", "check") and (glue.key, check.key) == (
        "toy_value",
        "a value",
    )
    (variant,) = say.variants
    assert variant.reads == "It is # of # after ⏱ s." and variant.seen == 3
    assert variant.numbers[0]["runs"] == ["10.0", "10.2", "10.4"] and variant.numbers[1] == {
        "number": "5",
        "band": [5.0, 5.0],
    }
    assert bounds.main(arguments) == 0 and len(calls) == 3, "finished runs are not repeated"
    write(project, SAYS.replace(" of {5}", " out of {5}"))
    assert bounds.main(arguments) == 0 and len(calls) == 6


def test_a_run_that_stops_and_a_claim_that_fails_are_told(project, monkeypatch, capsys):
    calls = []
    in_this_process(monkeypatch, calls)
    write(project, SAYS, 'claim("it is more than ten", value > 10)', 'assert offset < 2000, "too large"')
    assert bounds.main(["tiny", "--runs", "3", "--edition", "sample"]) == 1
    out = capsys.readouterr().out
    assert 'DIGITS_SEED_OFFSET=0: does not carry "it is more than ten"' in out
    assert "DIGITS_SEED_OFFSET=2000: stopped: AssertionError: too large" in out
    assert "OFFSET=1000" not in out
    write(project, SAYS, 'claim("it is ten or more", value >= 10)', 'assert offset < 3000, "too large"')
    assert bounds.main(["tiny", "--runs", "3", "--edition", "sample"]) == 0
    assert calls == [0, 1000, 2000, 0, 2000], "only what was refused is run again for other asserts and claims"
    write(project, SAYS, "value = max(value, 10)", 'assert offset < 3000, "too large"')
    assert bounds.main(["tiny", "--runs", "3", "--edition", "sample"]) == 0 and len(calls) == 8


@pytest.mark.parametrize(("every", "runs"), [(100_000, 5), (4000, 20)])
def test_what_does_not_depend_on_the_seed_needs_few_runs(project, monkeypatch, every, runs):
    made = []

    def run_apart(path, edition, offset, fingerprint):
        made.append(offset // 1000)
        return {"said": [{"kind": "say", "key": "k", "text": f"It is {offset // every}."}], "error": ""}

    monkeypatch.setattr(bounds, "run_apart", run_apart)
    with tqdm(disable=True) as bar:
        bounds.recorded(project / "chapters" / "tiny.ipynb", "sample", 20, 1, bar)
    assert made == list(range(runs))


def test_a_kernel_that_dies_at_its_start_is_started_again(project, monkeypatch):
    starts, path = [], project / "chapters" / "tiny.ipynb"

    def start(command, **_):
        starts.append(command)
        if len(starts) < 3:
            return subprocess.CompletedProcess(
                command, 1, "", "RuntimeError: Kernel died before replying to kernel_info"
            )
        return subprocess.CompletedProcess(command, 0, json.dumps({"said": [], "error": ""}) + "\n", "")

    monkeypatch.setattr(bounds.subprocess, "run", start)
    assert bounds.run_apart(path, "sample", 0, ("a", "b"))["error"] == "" and len(starts) == 3
    monkeypatch.setattr(
        bounds.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "Out of memory")
    )
    with pytest.raises(RuntimeError, match="tiny, sample edition, offset 1000: Out of memory"):
        bounds.run_apart(path, "sample", 1000, ("a", "b"))


def bands_for(project, text, glued="10"):
    made = bands.made(
        [
            [
                {"kind": "say", "key": key_of(SAYS), "text": text},
                {"kind": "glue", "key": "toy_value", "text": glued},
                {"kind": "check", "key": "a value", "text": "10"},
            ]
        ]
        * 20
    )
    bounds.write(project / "chapters" / "tiny.ipynb", {"sample": made})


DRAWS = """
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot([1, 2, value], label="ours")
ax.plot([3, 2, offset + 1], label="theirs")
ax.legend();"""


@pytest.mark.parametrize(
    ("timed", "change", "told"),
    [
        (False, ("ours", "ours"), ""),
        (False, ("ours", "mine"), "the figure fig-tiny, 2 draws something else"),
        (False, ("[1, 2, value]", "[2, 1, value]"), "lies outside its band"),
        (True, ("[1, 2, value]", "[2, 1, value]"), ""),
        (True, ("ours", "mine"), "the figure fig-tiny, 2 draws something else"),
    ],
)
def test_a_figure_is_held_to_what_it_said(project, monkeypatch, timed, change, told):
    def with_figure(source):
        notebook = nbformat.read(write(project, source), as_version=4)
        notebook.cells[1].metadata = {
            "mystnb": {"figure": {"name": "fig-tiny"}},
            **({"guards": "timed"} if timed else {}),
        }
        nbformat.write(notebook, project / "chapters" / "tiny.ipynb")

    in_this_process(monkeypatch, [])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(project), str(ROOT)]))
    shutil.copytree(ROOT / "tools", project / "tools", ignore=shutil.ignore_patterns("__pycache__", "node*"))
    with_figure(DRAWS)
    assert bounds.main(["tiny", "--runs", "2", "--edition", "sample"]) == 0
    with_figure(DRAWS.replace(*change))
    error = bounds.run(project / "chapters" / "tiny.ipynb", "sample", 0, record=False)["error"]
    assert told in error and bool(error) == bool(told), error


def key_of(source):
    import ast

    return kernel.spelling(ast.parse(source).body[0].value, source)


@pytest.mark.parametrize(
    ("text", "glued", "told"),
    [
        ("It is 10.0 of 5 after ⏱ s.", "10", ""),
        ("It is 10.3 of 5 after ⏱ s.", "10", "10.0 lies outside its band"),
        ("It is 10.0 of 4 after ⏱ s.", "10", "5 lies outside its band"),
        ("It was 10.0 of 5 after ⏱ s.", "10", ""),  # words beside a time may depend on it
        ("It is 10.0 of 5 after ⏱ s.", "11", "glue 'toy_value' is 10, outside"),
    ],
)
def test_a_build_compares_in_the_kernel(project, monkeypatch, text, glued, told):
    bands_for(project, text, glued)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(project), str(ROOT)]))
    shutil.copytree(ROOT / "tools", project / "tools", ignore=shutil.ignore_patterns("__pycache__", "node*"))
    error = bounds.run(project / "chapters" / "tiny.ipynb", "sample", 0, record=False)["error"]
    assert told in error and bool(error) == bool(told), error
    if told:
        assert "tiny: " in error and "make bounds NAME=tiny" in error
