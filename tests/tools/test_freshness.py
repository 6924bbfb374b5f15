"""What a page rests on: harmless edits leave a fingerprint as it is, all others change it."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.press import freshness
from tools.press.freshness import fingerprint, look_fingerprint

FILES = {
    "helpers/__init__.py": '"""Shared."""\n',
    "helpers/plots.py": '"""Pictures."""\n\nfrom helpers.colours import INK\n\n\ndef draw(x):\n    """Draw."""\n    # in ink\n'
    "    return shade(x), INK\n\n\ndef shade(x):\n    return x * STEP\n\n\nSTEP = 2\n\n\ndef other():\n    return 1\n",
    "helpers/colours.py": "INK = 'black'\nRED = 'red'\n",
    "helpers/quiet.py": "import os\n\nos.environ.setdefault('LOUD', 'no')\n",
    "experiments/__init__.py": "",
    "experiments/one.py": "from helpers.measurements import measurement\n\nNAME = 'choice'\n\n\ndef best():\n    return measurement(NAME)\n",
    "helpers/measurements.py": "def measurement(name):\n    return name\n",
    "data/measurements/losses.json": '{"code": "aa11", "runs": [1, 2]}',
    "data/measurements/choice.json": '{"code": "bb22", "runs": [3]}',
    "data/measurements/unread.json": '{"runs": [4]}',
    "requirements.txt": "# the lock\nnumpy==2.0\n    # via us\n",
    "_config.yml": "sphinx:\n  extra_extensions: [sphinx_design, tools.extension]\n",
    "tools/__init__.py": "",
    "tools/extension.py": "from tools.press import finish\n\n\ndef setup(app):\n    app.connect('build-finished', finish.finish)\n",
    "tools/press/__init__.py": "",
    "tools/press/finish.py": "def finish(app, exception):\n    tidy(app)\n\n\ndef tidy(app):\n    return 1\n\n\ndef by_hand():\n    return 2\n",
    "tools/upkeep/__init__.py": "",
    "tools/upkeep/lock.py": "def lock():\n    return 1\n",
    "tools/press/node/bundle.cjs": "// bundle\n",
    "_static/book.css": "p { color: black }\n",
    "_templates/layout.html": "<p></p>\n",
}
CODE = ["import helpers.quiet\nfrom helpers.plots import draw", "losses = measurement('losses')", "best()\ndraw(3)"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project on disk, and a function that edits it."""
    monkeypatch.delenv("DIGITS_MEASUREMENTS", raising=False)
    for name, text in FILES.items():
        write(tmp_path, name, text)
    cells = [new_markdown_cell("# One"), *map(new_code_cell, CODE)]
    cells[
        1
    ].source += "\nfrom helpers.measurements import measurement\nfrom experiments.one import best\n%matplotlib inline"
    nbformat.write(new_notebook(cells=cells), tmp_path / "one.ipynb")
    return tmp_path


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def chapter(folder):
    return fingerprint(folder, folder / "one.ipynb", "data")


HARMLESS = {
    "a comment": ("helpers/plots.py", "# in ink", "# in the blackest ink"),
    "a docstring": ("helpers/plots.py", "Draw.", "Draw it,\n\n    and well."),
    "layout": ("helpers/plots.py", "return x * STEP", "return (\n        x\n        * STEP\n    )"),
    "a function that nothing uses": ("helpers/plots.py", "return 1", "return 5"),
    "a constant that nothing uses": ("helpers/colours.py", "'red'", "'green'"),
    "another recording": ("data/measurements/unread.json", "4", "5"),
    "the stamp of a recording": ("data/measurements/losses.json", "aa11", "cc33"),
    "a comment in the lock": ("requirements.txt", "# via us", "# via them"),
    "a tool": ("tools/upkeep/lock.py", "return 1", "return 2"),
    "a function moved to another file": None,
}
HARMFUL = {
    "a constant two calls down": ("helpers/plots.py", "STEP = 2", "STEP = 3"),
    "a constant of another module": ("helpers/colours.py", "'black'", "'blue'"),
    "a function that is called": ("helpers/plots.py", "x * STEP", "x + STEP"),
    "what an import does": ("helpers/quiet.py", "'no'", "'yes'"),
    "a recording": ("data/measurements/losses.json", "2]", "3]"),
    "a recording that an experiment reads": ("data/measurements/choice.json", "3", "4"),
    "a package": ("requirements.txt", "2.0", "2.1"),
    "the chapter's own code": ("one.ipynb", "draw(3)", "draw(4)"),
}


def edit(folder, change):
    name, old, new = change
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    write(folder, name, text.replace(old, new))


@pytest.mark.parametrize("change", HARMLESS)
def test_a_harmless_edit_executes_no_chapter(project, change):
    before = chapter(project)
    if HARMLESS[change]:
        edit(project, HARMLESS[change])
    else:
        shade = "def shade(x):\n    return x * STEP\n\n\nSTEP = 2\n"
        edit(project, ("helpers/plots.py", shade, "from helpers.moved import shade as shade_it\n"))
        edit(project, ("helpers/plots.py", "return shade(x)", "return shade_it(x)"))
        write(project, "helpers/moved.py", f'"""Moved."""\n\n\n{shade}')
    assert chapter(project) == before


@pytest.mark.parametrize("change", HARMFUL)
def test_any_other_edit_executes_the_chapter(project, change):
    before = chapter(project)
    edit(project, HARMFUL[change])
    assert chapter(project) != before


def test_other_data_another_seed_and_another_python_execute_the_chapter(project, monkeypatch):
    before = chapter(project)
    assert fingerprint(project, project / "one.ipynb", "other data") != before
    monkeypatch.setenv("DIGITS_SEED_OFFSET", "1000")
    assert chapter(project) != before
    monkeypatch.delenv("DIGITS_SEED_OFFSET")
    monkeypatch.setattr(freshness.platform, "python_version", lambda: "3.99.0")
    assert chapter(project) != before


def test_chapters_of_one_build_do_not_mix(project):
    """A build hands one Code to all chapters: each gets the fingerprint that it would have alone."""
    cells = [new_code_cell("from helpers.plots import other\nother()")]
    (project / "two").mkdir()
    nbformat.write(new_notebook(cells=cells), project / "two" / "one.ipynb")  # of the same name, in another folder
    paths = [project / "one.ipynb", project / "two" / "one.ipynb", project / "one.ipynb"]
    code = freshness.project_code(project)
    together = [fingerprint(project, path, "data", code) for path in paths]
    assert together == [fingerprint(project, path, "data") for path in paths] and len(set(together)) == 2


def test_recordings_are_found_through_the_experiments_that_read_them(project):
    code = freshness.project_code(project)
    code.add("one.ipynb", freshness.notebook_code(project / "one.ipynb"))
    assert set(freshness.recordings_read(project, code, code.reached("one.ipynb"))) == {"losses", "choice"}


@pytest.mark.parametrize(
    "change",
    [
        ("tools/upkeep/lock.py", "return 1", "return 2"),
        ("tools/press/finish.py", "return 2", "return 3"),
        ("tools/press/finish.py", "def finish", "# the end\ndef finish"),
        ("helpers/plots.py", "STEP = 2", "STEP = 3"),
    ],
)
def test_a_tool_that_the_build_does_not_use_renders_nothing(project, change):
    before = look_fingerprint(project)
    edit(project, change)
    assert look_fingerprint(project) == before


@pytest.mark.parametrize(
    "change",
    [
        ("tools/press/finish.py", "return 1", "return 2"),
        ("tools/press/node/bundle.cjs", "// bundle", "// pack"),
        ("_static/book.css", "black", "blue"),
        ("_templates/layout.html", "<p>", "<b>"),
    ],
)
def test_what_pages_are_dressed_in_renders_them_again(project, change):
    before = look_fingerprint(project)
    edit(project, change)
    assert look_fingerprint(project) != before


def test_the_books_own_chapters_have_fingerprints_that_differ():
    root = freshness.Path(__file__).resolve().parents[2]
    found = [fingerprint(root, path, "data") for path in sorted((root / "chapters").glob("*.ipynb"))]
    assert len(set(found)) == len(found) > 5
    read = json.dumps(sorted(path.stem for path in (root / "data" / "measurements").glob("*.json")))
    assert "report_training" in read
