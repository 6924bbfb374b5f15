"""Nothing that students or readers get tells a solution or a hidden test; and what looks for it finds it wherever it is planted."""

import base64
import gzip
import html
import io
import json
import shutil
import zipfile
from pathlib import Path
from urllib.parse import quote

import nbformat
import numpy as np
import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from coursework.make import leaks, making
from coursework.make.leaks import Finder, common_form, look, secrets
from coursework.make.notebooks import (
    HIDDEN_TESTS,
    NAMES,
    SOLUTION,
    blank,
    grading,
    load_module,
    read_source,
    region,
    tasks,
    without_region,
)

ROOT = Path(__file__).resolve().parents[2]
TINY = Path(__file__).resolve().parent / "tiny" / "source"
MADE = ROOT / "_build" / "coursework"
HTML = ROOT / "_build" / "html"
PDF = ROOT / "_build" / "pdf"


@pytest.fixture(scope="module")
def tiny():
    """What is secret of the tiny assignment."""
    return secrets(["tiny"], 2026, TINY)


@pytest.fixture(scope="module")
def six():
    """What is secret of the six assignments, in the course that make coursework made."""
    record = making.record_of(MADE)
    assert record, "the coursework is not made: run make coursework"
    return secrets(NAMES, record["seed"]), record["seed"]


def cell(grade_id):
    """Return the source of a cell of the tiny assignment."""
    return next(one.source for one in read_source("tiny", TINY).cells if grading(one).get("grade_id") == grade_id)


def stretches():
    """Return {what: a text that tells it}, one for each kind of secret."""
    return {
        "tiny: solution of 'most_ink'": "\n".join(region(cell("most_ink"), SOLUTION)),
        "tiny: hidden test of 'test_middle_row'": "\n".join(region(cell("test_middle_row"), HIDDEN_TESTS)),
        "tiny: model answer of 'written_ink'": cell("written_ink"),
        "tiny: rubric.md": (TINY / "tiny" / "rubric.md").read_text(),
        "tiny: variant.py": (TINY / "tiny" / "variant.py").read_text(),
        "tiny: cases.py, 'ink_of'": load_module("tiny", "cases.py", TINY).CASES["ink_of"]["right"]["a loop"],
    }


# ---------------------------------------------------------------- places to plant in


def as_notebook(text, kind="code"):
    """Return a notebook that holds the text, as bytes."""
    new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return nbformat.writes(nbformat.v4.new_notebook(cells=[new("x = 1"), new(f"y = 2\n{text}")])).encode()


def as_output(text):
    """Return a notebook whose output holds the text."""
    output = nbformat.v4.new_output("stream", text=text)
    return nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])).encode()


def as_zip(name, data):
    """Return a zip with one file, as bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()


def as_pdf(text):
    """Return a PDF with one page that holds the text, as bytes."""
    plain = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    lines = "".join(f"({line}) Tj T*\n" for line in plain.split("\n"))
    stream = f"BT /F 8 Tf 10 TL 20 780 Td\n{lines}ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        b"/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(made),
    )


def as_arrays(text):
    """Return a file of arrays, one of them of words."""
    packed = io.BytesIO()
    np.savez_compressed(packed, images=np.zeros(4), notes=np.array(text.split("\n")))
    return packed.getvalue()


def highlighted(text):
    """Return the text as a page shows it: highlighted HTML."""
    return f"<html><body><p>Some words.</p>{highlight(text, PythonLexer(), HtmlFormatter())}</body></html>"


PLACES = {
    "a text": ("notes.txt", lambda text: text.encode()),
    "another indentation": ("notes.py", lambda text: text.replace("    ", "\t\t").encode()),
    "a notebook's code": ("a.ipynb", as_notebook),
    "a notebook's text": ("a.ipynb", lambda text: as_notebook(text, "markdown")),
    "a notebook's output": ("a.ipynb", as_output),
    "a highlighted page": ("a.html", lambda text: highlighted(text).encode()),
    "an escaped page": ("a.html", lambda text: f"<p title=x>{html.escape(text)}</p>".encode()),
    "a page escaped twice": ("a.html", lambda text: html.escape(html.escape(text)).encode()),
    "JSON in a script": ("a.js", lambda text: f"const page = {json.dumps({'a': text})};".encode()),
    "JSON in JSON": ("a.json", lambda text: json.dumps(json.dumps([text])).encode()),
    "a page in a script": ("a.js", lambda text: f"show({json.dumps(highlighted(text))})".encode()),
    "escapes of JavaScript": (
        "a.js",
        lambda text: ("'" + "".join(one if one.isalnum() else f"\\x{ord(one):02x}" for one in text) + "'").encode(),
    ),
    "an address": ("a.html", lambda text: f'<a href="data:text/plain,{quote(text)}">x</a>'.encode()),
    "Base64": ("a.html", lambda text: b'<img src="data:x;base64,' + base64.b64encode(text.encode()) + b'">'),
    "a zip": ("a.zip", lambda text: as_zip("b.py", text.encode())),
    "a zip in a zip": ("a.zip", lambda text: as_zip("b.whl", as_zip("c.ipynb", as_notebook(text)))),
    "gzip": ("a.gz", lambda text: gzip.compress(text.encode())),
    "an array of words": ("a.npz", as_arrays),
    "UTF-16": ("a.txt", lambda text: text.encode("utf-16")),
    "a PDF": ("a.pdf", as_pdf),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_planted_secret_is_found(place, tiny, tmp_path):
    file, plant = PLACES[place]
    for what, text in stretches().items():
        (tmp_path / file).write_bytes(plant(text.encode("ascii", "ignore").decode()))
        found = look(tmp_path, tiny)
        assert what in {one.what for one in found}, f"{what} was not found in {place}"
        assert {one.place.split("!")[0].split(" ")[0] for one in found} == {file}


def test_one_line_alone_is_found(tiny, tmp_path):
    (tmp_path / "a.txt").write_text("    totals_per_image = np.asarray(images, dtype=np.int64).sum(axis=(1, 2))\n")
    assert [one.what for one in look(tmp_path, tiny)] == ["tiny: solution of 'most_ink'"]


def index_of(**documents):
    """Return Sphinx's search index for these documents and their words."""
    names = list(documents)
    terms = {}
    for place, words in enumerate(documents.values()):
        for word in words:
            terms.setdefault(word, []).append(place)
    content = {
        "docnames": names,
        "terms": {word: at if len(at) > 1 else at[0] for word, at in terms.items()},
        "titleterms": {},
    }
    return f"Search.setIndex({json.dumps(content)})"


def test_a_secret_in_the_search_index_is_found(tiny, tmp_path):
    solution, hidden = (
        stretches()["tiny: solution of 'most_ink'"],
        stretches()["tiny: hidden test of 'test_middle_row'"],
    )
    (tmp_path / "searchindex.js").write_text(index_of(one=leaks.stems(solution), two=leaks.stems("words of a page")))
    assert {"tiny: solution of 'most_ink'"} == {one.what for one in look(tmp_path, tiny)}
    (tmp_path / "searchindex.js").write_text(index_of(one=leaks.stems("words of a page"), two=leaks.stems(hidden)))
    found = look(tmp_path, tiny)
    assert {one.place for one in found} == {"searchindex.js (two)"}
    assert "tiny: hidden test of 'test_middle_row'" in {one.what for one in found}


@pytest.mark.parametrize("kind", ["variant.py", "cases.py", "rubric.md"])
def test_a_file_that_must_stay_is_found_by_its_name(kind, tiny, tmp_path):
    (tmp_path / "a.zip").write_bytes(as_zip(f"tiny/{kind}", b""))
    assert [(one.place, one.what) for one in look(tmp_path, tiny)] == [(f"a.zip!tiny/{kind}", kind)]


def test_seed_and_secret_constants_are_found(tiny, tmp_path):
    (tmp_path / "a.ipynb").write_bytes(as_notebook("number = 482707\nother = 918273"))
    assert {one.what for one in look(tmp_path, tiny, seed=918273)} == {
        "tiny: constant HIDDEN_SEED",
        "the course's seed",
    }
    (tmp_path / "a.ipynb").write_bytes(as_notebook("number = 14827070\nother = 0.918273\nid = 'a482707'"))
    assert not look(tmp_path, tiny, seed=918273)


# ---------------------------------------------------------------- no false alarm


def test_what_students_see_is_no_secret(tiny, tmp_path):
    shown = blank(read_source("tiny", TINY))
    for one in shown.cells:
        one.source = without_region(one.source, HIDDEN_TESTS) if one.cell_type == "code" else one.source
    (tmp_path / "tiny.ipynb").write_text(nbformat.writes(shown))
    shutil.copy(TINY / "tiny" / "lab.py", tmp_path)
    for name in ("intro.md", "README.md", "helpers/data.py", "chapters/training.ipynb"):
        shutil.copy(ROOT / name, tmp_path)
    assert not look(tmp_path, tiny)


def test_only_what_is_shown_excuses_a_line(tmp_path):
    """A line of a solution that a visible test holds as well is no secret; one in a chapter's prose is."""
    shutil.copytree(TINY, tmp_path / "source")
    path = tmp_path / "source" / "tiny" / "tiny.ipynb"
    line = "totals_per_image = np.asarray(images, dtype=np.int64).sum(axis=(1, 2))"
    notebook = nbformat.read(path, as_version=4)
    test = next(one for one in notebook.cells if grading(one).get("grade_id") == "test_most_ink")
    test.source = f"{line}\n{test.source}"
    path.write_text(nbformat.writes(notebook))
    before, after = secrets(["tiny"], 2026, TINY), secrets(["tiny"], 2026, tmp_path / "source")
    assert common_form(line) in before.needles and common_form(line) not in after.needles


def test_the_finder_finds_every_needle_at_every_place():
    needles = ["abcdefghijklmnop", "abcdefghijklmnopqrstuv", "0123456789=0123456789"]
    finder = Finder(needles)
    assert set(finder.find("xx" + needles[1] + "yy" + needles[2])) == set(needles)
    assert set(finder.find(needles[0][:-1])) == set() and set(finder.find("")) == set()
    for start in range(60):  # across the border of two stretches
        assert set(finder.find("." * start + needles[2] + "." * 60, at_once=40)) == {needles[2]}


# ---------------------------------------------------------------- the six assignments


def test_every_task_keeps_something_to_look_for(six):
    known = six[0]
    for name in NAMES:
        for task in tasks(read_source(name)):
            kinds = (
                [f"model answer of {task.id!r}"]
                if task.written
                else [f"solution of {task.id!r}", f"hidden test of 'test_{task.id}'"]
            )
            for kind in kinds:
                secret = [one for one in known.all if one.what == f"{name}: {kind}"]
                assert secret and all(known.distinctive(one) for one in secret), f"{name}: nothing tells the {kind}"


def test_the_student_zips_tell_nothing(six):
    known, seed = six
    assert not look(MADE / "students", known, seed=seed), "python -m coursework leaks _build/coursework/students"


def test_the_teachers_zip_tells_all_of_it(six):
    """The same search that finds nothing in what students get finds every secret where they are."""
    known, _ = six
    told = {one.what for one in look(MADE / "teacher.zip", known)}
    wanted = {one.what for one in known.all if one.kind in ("solution", "hidden test", "model answer", "rubric")}
    assert wanted - told == {"concept test: key.md"}


def test_the_site_tells_nothing(six):
    assert (HTML / "searchindex.js").is_file(), "the book is not built: run make book"
    assert (HTML / "coursework" / "pages" / f"{NAMES[0]}.html").is_file(), "the site has no page of the coursework"
    found = look(HTML, six[0], numbers=False)
    found += [one for pdf in sorted(PDF.glob("*.pdf")) for one in look(pdf, six[0], numbers=False)]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_planted_into_the_site_is_found(name, six, tmp_path):
    """In a real page, its source, the search index and the downloads: every hidden test, and every solution."""
    known = six[0]
    page = f"coursework/pages/{name}"
    index = (HTML / "searchindex.js").read_text(encoding="utf-8")
    for task in [one for one in tasks(read_source(name)) if not one.written]:
        cells = read_source(name).cells
        for what, text in {
            f"{name}: solution of {task.id!r}": "\n".join(region(cells[task.solution].source, SOLUTION)),
            f"{name}: hidden test of 'test_{task.id}'": "\n".join(region(cells[task.test].source, HIDDEN_TESTS)),
        }.items():
            body = (HTML / f"{page}.html").read_text(encoding="utf-8")
            planted = {
                "page.html": body.replace("</article>", f"{highlighted(text)}</article>").encode(),
                "page.md": (ROOT / f"{page}.md").read_bytes() + f"\n```python\n{text}\n```\n".encode(),
                "notebooks.zip": as_zip("chapter.ipynb", as_notebook(text)),
            }
            for file, content in planted.items():
                (tmp_path / file).write_bytes(content)
            found = {one.place.split("!")[0] for one in look(tmp_path, known, numbers=False) if one.what == what}
            assert found == set(planted), f"{what} was found only in {found}"
    whole = leaks.stems(
        "\n".join("\n".join([*region(one.source, SOLUTION), *region(one.source, HIDDEN_TESTS)]) for one in cells)
    )
    content = json.loads(index.removeprefix("Search.setIndex(").rstrip().removesuffix(")"))
    place = content["docnames"].index(page)
    for word in whole:
        at = content["terms"].get(word, [])
        content["terms"][word] = [*(at if isinstance(at, list) else [at]), place]
    for file in tmp_path.iterdir():
        file.unlink()
    (tmp_path / "searchindex.js").write_text(f"Search.setIndex({json.dumps(content)})")
    assert {one.what.split(":")[0] for one in look(tmp_path, known)} >= {name}
