"""One address: what it must look like, and that buttons, README and the chapters' first cell follow it."""

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from notebook_rules import ROOT

from tools.copies import badges, setup_cell, site
from tools.press import address

MADE_UP = """
[tool.digits]
repository = "https://github.com/someone/digits"
branch = "stable"
copies_branch = "copies"
site = "https://someone.example/digits/"
"""


@pytest.fixture
def root(tmp_path):
    """A project whose pyproject.toml names a made-up address."""
    (tmp_path / "pyproject.toml").write_text(MADE_UP)
    return tmp_path


def test_the_placeholder_is_no_address(tmp_path):
    assert address.repository(tmp_path) is None and address.site(tmp_path) is None  # no pyproject.toml at all
    assert (address.branch(tmp_path), address.copies_branch(tmp_path)) == ("main", "notebooks")
    (tmp_path / "pyproject.toml").write_text(MADE_UP.replace("someone", "OWNER"))
    assert address.repository(tmp_path) is None and address.site(tmp_path) is None


def test_an_address_is_read(root):
    assert address.repository(root) == "https://github.com/someone/digits"
    assert address.site(root) == "https://someone.example/digits/"
    assert (address.branch(root), address.copies_branch(root)) == ("stable", "copies")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("repository", "https://github.com/someone/digits", "https://github.com/someone/digits.git"),
        ("repository", "https://github.com/someone/digits", "https://github.com/someone/digits/"),
        ("repository", "https://github.com/someone/digits", "github.com/someone/digits"),
        ("repository", '"https://github.com/someone/digits"', "3"),
        ("branch", "stable", "sta ble"),
        ("site", "https://someone.example/digits/", "https://someone.example/digits"),
        ("site", "https://someone.example/digits/", "someone.example/"),
    ],
)
def test_a_wrong_address_is_named_with_its_cure(root, name, old, new):
    (root / "pyproject.toml").write_text(MADE_UP.replace(old, new))
    with pytest.raises(address.AddressError, match=rf"{name}.*\[tool.digits\]"):
        getattr(address, name)(root)


def test_the_books_own_setting_is_in_order():
    for name in ("repository", "branch", "copies_branch", "site"):
        getattr(address, name)()
    assert (address.repository() is None) == (address.site() is None), "set both, or none"


# ---------------------------------------------------------------- what follows from it


def test_readme_and_chapters_are_what_the_address_says():
    assert badges.main(["--check"]) == 0
    assert setup_cell.main(["--check"]) == 0


def test_a_stale_chapter_and_a_stale_readme_are_noticed(tmp_path, monkeypatch, capsys):
    chapter = tmp_path / "toy.ipynb"
    chapter.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])))
    assert setup_cell.main(["--check", str(chapter)]) == 1 and "toy.ipynb" in capsys.readouterr().err
    assert setup_cell.main([str(chapter)]) == 0 and setup_cell.main(["--check", str(chapter)]) == 0
    (tmp_path / "README.md").write_text(f"# Book\n\n{badges.START}old\n{badges.END}\nMore.\n")
    monkeypatch.setattr(badges, "ROOT", tmp_path)
    assert badges.main(["--check"]) == 1 and "make address" in capsys.readouterr().err
    assert badges.main([]) == 0 and badges.main(["--check"]) == 0
    assert (tmp_path / "README.md").read_text().endswith("More.\n")


def test_a_readme_without_its_place_for_buttons_is_an_error():
    with pytest.raises(badges.BadgesError, match="put them back"):
        badges.with_badges("# Book\n")


def test_without_an_address_there_is_no_button_and_the_cell_says_what_to_do(tmp_path):
    assert "](http" not in badges.badges(tmp_path)
    assert site.colab_address("x.ipynb", tmp_path) is None and badges.binder_address(tmp_path) is None
    code = setup_cell.setup_code(tmp_path)
    assert "git+" not in code and 'wheels or [""]' in code and setup_cell.CURE in code


def test_with_an_address_all_agree(root):
    shown = badges.badges(root)
    assert (
        "(https://mybinder.org/v2/gh/someone/digits/stable?urlpath=lab/tree/chapters/before_you_start.ipynb)" in shown
    )
    colab = "https://colab.research.google.com/github/someone/digits/blob/copies/before_you_start.ipynb"
    assert f"({colab})" in shown and site.colab_address("before_you_start.ipynb", root) == colab
    assert '["git+https://github.com/someone/digits@stable"]' in setup_cell.setup_code(root)
    config = SimpleNamespace(html_theme_options={"show_navbar_depth": 1})
    site.use_address(SimpleNamespace(srcdir=root), config)
    assert config.html_theme_options["repository_url"] == "https://github.com/someone/digits"
    assert config.html_theme_options["repository_branch"] == "stable"


def test_a_book_with_an_address_shows_its_buttons_and_one_without_shows_none(book):
    def hosts(name):
        soup = BeautifulSoup(book.page(name), "html.parser")
        return {
            link["href"]
            for link in soup.select("a[href^=http]")
            if re.search("github.com|colab|mybinder", link["href"])
        }

    assert not {link for link in hosts("chapters/one") if "someone" in link or "colab" in link or "mybinder" in link}
    book.write("pyproject.toml", MADE_UP)
    done = book.build()
    assert done.returncode == 0, done.stdout + done.stderr
    found = hosts("chapters/one")
    assert "https://colab.research.google.com/github/someone/digits/blob/copies/one.ipynb" in found
    assert "https://mybinder.org/v2/gh/someone/digits/stable?urlpath=lab/tree/chapters/one.ipynb" in found
    assert "https://github.com/someone/digits" in found
    assert any(link.startswith("https://github.com/someone/digits/issues/new") for link in found)


# ---------------------------------------------------------------- the cell itself


def test_the_cell_is_idle_where_the_helpers_are(tmp_path):
    code = setup_cell.setup_code(tmp_path)
    timed = "import time, importlib.util\nstart = time.perf_counter()\n" + code + "\nprint(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", timed], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert float(done.stdout) < 0.2, "it should take milliseconds"


def test_the_cell_is_short_and_stands_in_every_chapter_alike():
    chapters = sorted((ROOT / "chapters").glob("*.ipynb"))
    cells = {
        next("".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code")
        for path in chapters
    }
    assert len(chapters) >= 6 and cells == {setup_cell.setup_code()}
    assert len(setup_cell.setup_code().splitlines()) <= 20
