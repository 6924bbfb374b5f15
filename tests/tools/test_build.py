"""The build, tried on a small book: what it does again after an edit elsewhere."""

import os
import re
import resource

import pytest


def test_a_good_book_builds_and_the_report_names_everything(built):
    book, done = built
    assert "Edition: sample" in done.stdout
    assert str(book.folder / "_build" / "html" / "index.html") in done.stdout
    assert re.search(r"chapters/one +\d+\.\d s", done.stdout)
    assert "says 1.25" in re.sub(r"<[^>]+>", "", book.page("intro"))
    for page in ("intro", "chapters/one", "chapters/two"):
        assert "Sample edition: this build" in book.page(page)


def test_an_edit_of_a_helper_runs_its_chapter_and_refreshes_pages_that_quote_it(built, book):
    assert book.build().returncode == 0
    one, two = book.ran_at("chapters/one"), book.ran_at("chapters/two")
    assert (one, two) == (built[0].ran_at("chapters/one"), built[0].ran_at("chapters/two")), (
        "nothing changed, yet it ran again"
    )
    book.write("helpers/toy_inner.py", "VALUE = 2.5\n")  # imported by a helper, not by the chapter itself
    done = book.build()
    assert done.returncode == 0, done.stderr
    assert book.ran_at("chapters/one") > one
    assert book.ran_at("chapters/two") == two, "a chapter that does not use the helper need not run again"
    assert "value 2.5" in book.page("chapters/one")
    assert "says 2.50" in re.sub(r"<[^>]+>", "", book.page("intro")), "the front page quotes the old number"


def test_an_edit_of_the_requirements_runs_every_chapter(book):
    one, two = book.ran_at("chapters/one"), book.ran_at("chapters/two")
    (book.folder / "requirements.txt").write_text("# other packages\n")
    assert book.build().returncode == 0
    assert book.ran_at("chapters/one") > one and book.ran_at("chapters/two") > two


def test_an_edit_of_a_recording_runs_the_chapter_that_reads_it(book):
    recordings = book.folder / "data" / "measurements"
    book.write("data/measurements/toy.json", '{"runs": 1}')
    text = (book.folder / "chapters/two.ipynb").read_text().replace("print(", 'name = \\"toy\\"\\nprint(')
    book.write("chapters/two.ipynb", text)
    settings = {"DIGITS_MEASUREMENTS": str(recordings)}
    assert book.build(**settings).returncode == 0
    one, two = book.ran_at("chapters/one"), book.ran_at("chapters/two")
    book.write("data/measurements/toy.json", '{"runs": 2}')
    assert book.build(**settings).returncode == 0
    assert book.ran_at("chapters/two") > two and book.ran_at("chapters/one") == one


def test_comments_and_tools_that_the_build_does_not_use_make_no_work(book):
    """Neither a chapter is executed nor a page written again."""
    assert book.build().returncode == 0
    pages = sorted((book.folder / "_build" / "html").rglob("*.html"))
    before = [page.stat().st_mtime_ns for page in pages]
    for name, old, new in (
        ("helpers/toy.py", "def value", "# a comment\ndef value"),
        ("helpers/plots.py", "import numpy", "# another comment\nimport numpy"),
        ("tools/upkeep/lock.py", "def main", "def unused():\n    return 1\n\n\ndef main"),
        ("tools/press/make_pdf.py", "def slug", "def unused():\n    return 1\n\n\ndef slug"),
    ):
        text = (book.folder / name).read_text()
        assert old in text
        book.write(name, text.replace(old, new, 1))
    done = book.build()
    assert done.returncode == 0, done.stderr
    assert "executing" not in done.stdout
    # index.html leads to the first page and is written by every build
    changed = [page.name for page, time in zip(pages, before, strict=True) if page.stat().st_mtime_ns != time]
    assert set(changed) <= {"index.html"}


@pytest.mark.skipif(not os.environ.get("DIGITS_DATA"), reason="needs full MNIST: set DIGITS_DATA")
def test_other_data_run_every_chapter_and_lift_the_notice(book):
    one = book.ran_at("chapters/one")
    done = book.build(DIGITS_EDITION="full")
    assert done.returncode == 0, done.stderr
    assert book.ran_at("chapters/one") > one
    assert "Sample edition: this build" not in book.page("chapters/one")


def test_an_edit_of_a_style_reaches_the_site_and_runs_nothing(book):
    before = book.ran_at("chapters/one")
    style = book.folder / "_static" / "book.css"
    style.write_text(style.read_text() + "\nhtml { tab-size: 7; }\n")
    done = book.build()
    assert done.returncode == 0, done.stderr
    sheets = "".join(sheet.read_text() for sheet in (book.folder / "_build" / "html" / "_static").glob("*.css"))
    assert "tab-size:7" in sheets.replace(" ", "") and book.ran_at("chapters/one") == before


def test_an_edit_of_text_is_quick_and_runs_nothing(book):
    before = book.ran_at("chapters/one")
    text = (book.folder / "chapters/one.ipynb").read_text()
    book.write("chapters/one.ipynb", text.replace("Some text.", "Other text."))
    before_it = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    assert book.build().returncode == 0
    assert (
        sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before_it < 20
    )  # the processor's seconds: no other work counts
    assert "Other text." in book.page("chapters/one") and book.ran_at("chapters/one") == before
