"""The chapters' copies for Jupyter and Colab, as the built site offers them: plain, complete, and each runs on its own."""

import ast
import re
import time
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from elsewhere import Elsewhere
from site_pages import THOROUGH

from tools.copies.markdown import SPAN
from tools.copies.notebook import needed_of_checks
from tools.copies.setup_cell import is_setup_cell
from tools.copies.wheel import ARCHIVE
from tools.press.check_site import pages_of_toc

ROOT = Path(__file__).resolve().parents[2]

HTML = ROOT / "_build" / "html"
COPIES = HTML / "notebooks"
NAMES = [name for name in pages_of_toc(ROOT) if (ROOT / f"{name}.ipynb").is_file()]
FENCE = re.compile(r"^\s*(`{3,}|:{3,})\s*\{[\w:+.-]+\}|^\([\w-]+\)=\s*$|\$\$\s*\([\w:-]+\)\s*$|\{\{\s*\w+\s*\}\}", re.M)


def raw_markup(text):
    """What only the book understands in a Markdown text: roles, directives, labels. Code blocks do not count."""
    text = re.sub(r"^(`{3,})(?!\s*\{)[^\n`]*\n.*?^\1`*\s*$", "", text, flags=re.M | re.S)
    return [span[0] for span in SPAN.finditer(text) if span["role"]] + [found[0] for found in FENCE.finditer(text)]


def copy_of(name):
    """A chapter's copy."""
    return nbformat.read(COPIES / f"{Path(name).name}.ipynb", as_version=4)


@pytest.mark.parametrize(
    "text",
    [
        "{term}`x`",
        "```{note}\nx\n```",
        ":::{tip}\n:::",
        "(label)=\n# A",
        "$$x$$ (eq)",
        "{{ value }}",
        "`a` {cite:t}`b`",
    ],
)
def test_raw_markup_is_noticed(text):
    assert raw_markup(text)


@pytest.mark.parametrize("text", ["`{term}` x", "```python\n{term}`x`\n```", "$$\nx\n$$", "f(x)= 1", "`` {a}`b` ``"])
def test_plain_markdown_is_no_fault(text):
    assert not raw_markup(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_holds_no_raw_markup_and_all_of_the_chapter(name):
    copy, chapter = copy_of(name), nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
    nbformat.validate(copy)
    raw = [
        (cell["id"], found) for cell in copy.cells if cell.cell_type == "markdown" for found in raw_markup(cell.source)
    ]
    raw += [(c["id"], c.source) for c in copy.cells if c.cell_type == "code" and re.search(r"\{\w+\}{1,2}`", c.source)]
    assert raw == []
    shown = [
        cell
        for cell in chapter.cells
        if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", [])
    ]
    carried = needed_of_checks(chapter.cells)  # what checks compute and shown cells use
    assert (
        len([cell for cell in copy.cells if cell.cell_type == "code"]) == len(shown) + len(carried) + 1
    )  # and Colab's
    text = "\n".join(cell.source for cell in copy.cells if cell.cell_type == "markdown")
    figures = [cell for cell in shown if "figure" in cell.metadata.get("mystnb", {})]
    assert len(re.findall(r"^\*\*Fig\. \d+\.\*\* ", text, re.M)) == len(figures) > 0
    source = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    for pattern in (r"^## (?!References)", r"^### Exercise \d+"):
        wanted = (
            source
            if pattern.startswith("^## ")
            else re.sub(r"^[`:]{3,}\{exercise(?:-start)?\}", "### Exercise 1", source, flags=re.M)
        )
        assert len(re.findall(pattern, text, re.M)) == len(re.findall(pattern, wanted, re.M)) > 0
    assert text.count("#### Solution to exercise") == len(re.findall(r"^### Exercise", text, re.M))
    assert re.search(r"^## References\n\n- \S", text, re.M)


@pytest.mark.parametrize("name", NAMES)
def test_the_pages_button_leads_to_the_copy(name):
    page = HTML / f"{name}.html"
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    links = {
        (page.parent / urlsplit(link["href"]).path).resolve()
        for link in soup.select("a[href$='.ipynb'], a[href$='.zip']")
    }
    assert {(COPIES / f"{page.stem}.ipynb").resolve(), (COPIES / ARCHIVE).resolve()} <= links
    assert all(path.is_file() for path in links) and not [path for path in links if "_sources" in path.parts]


def test_the_archive_holds_everything_you_need():
    wheel = next(COPIES.glob("digits_book-*.whl"))
    with zipfile.ZipFile(COPIES / ARCHIVE) as archive:
        names = {Path(name).name for name in archive.namelist()}
        read_me = archive.read("digits-notebooks/README.md").decode()
    assert names == {"README.md", wheel.name} | {f"{Path(name).name}.ipynb" for name in NAMES}
    title = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"]
    assert wheel.name in read_me and title in read_me


def own_imports(notebook):
    """The names of ours that a notebook imports, [(module, name or None)]."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and not is_setup_cell(cell):
            lines = [line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!"))]
            for node in ast.walk(ast.parse("\n".join(lines))):
                if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("helpers", "experiments"):
                    found += [(node.module, alias.name) for alias in node.names]
                elif isinstance(node, ast.Import):
                    found += [
                        (one.name, None) for one in node.names if one.name.split(".")[0] in ("helpers", "experiments")
                    ]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_a_copy_imports_is_in_the_wheel(name):
    """Every copy, without running it: a module or a name that the wheel lacks stops a reader at the first cell."""
    with zipfile.ZipFile(next(COPIES.glob("digits_book-*.whl"))) as wheel:
        for module, wanted in own_imports(copy_of(name)):
            path = module.replace(".", "/")
            file = next(one for one in (f"{path}.py", f"{path}/__init__.py") if one in wheel.namelist())
            bound = {
                getattr(node, "name", None) or getattr(node, "id", None)
                for node in ast.walk(ast.parse(wheel.read(file)))
            }
            inside = f"{path}/{wanted}.py" in wheel.namelist()
            assert wanted is None or wanted in bound or inside, f"{module} in the wheel has no {wanted}"


# Run are the copy that imports least and the one that imports most of ours; make test-site ALL=yes runs every copy.
SORTED = sorted(NAMES, key=lambda name: len(own_imports(nbformat.read(ROOT / f"{name}.ipynb", as_version=4))))
RUN = NAMES if THOROUGH else [SORTED[0], SORTED[-1]]


@pytest.mark.timeout(1800 if THOROUGH else 900)
def test_copies_run_in_an_empty_folder_with_the_wheel_beside_them(tmp_path):
    """As a reader has it who unpacked the archive, or put the files into Colab: no repository, the helpers from the wheel,
    the module that only Colab has, the sample edition.
    """
    there = Elsewhere(tmp_path)
    with zipfile.ZipFile(COPIES / ARCHIVE) as archive:
        archive.extractall(there.content)
    there.content = there.content / "digits-notebooks"
    failed = {}
    for name in RUN:
        start = time.time()
        done = there.execute(f"{Path(name).name}.ipynb", colab=True)
        print(f"{Path(name).name}: {time.time() - start:.0f} s")
        if done.returncode:
            failed[name] = done.stderr[-3000:]
    assert not failed, "\n".join(f"{name}: {error}" for name, error in failed.items())
    new = {entry for entry in there.listing() - there.before if not entry.endswith((".dist-info", "__pycache__"))}
    assert new == {"helpers", "experiments"}, "something else was written into site-packages"
    assert not (there.content / "data").exists()
