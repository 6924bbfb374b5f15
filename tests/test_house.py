"""The house: who may import whom, what readers have to read, and that every import is a real one."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import notebook_rules as rules
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("helpers", "experiments", "tools", "coursework")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LONGEST_HELPERS = 1750  # lines: what can be read in one sitting; 2,000 with all chapters
MOST_NAMES = 45  # of helpers that chapters import
# Where a module is found by a name in a string, or a path is pushed, and why that is needed.
BY_NAME = {
    "experiments/bench/declare.py": "a command and a worker find an experiment by its module's name",
    "coursework/sandbox/inside.py": "a submission imports files that lie beside it",
    "coursework/make/check.py": "answers are run with the assignment's own files beside them",
    "coursework/make/notebooks.py": "an assignment's cases and variants lie beside its notebook, in no package",
    "coursework/make/nbgrader_config.py": "handed out: it finds the book that it was made from",
}
PUSHES = {"import_module", "__import__", "runpy", "spec_from_file_location", "SourceFileLoader", "addsitedir"}


def pushes(path):
    """Does a file change where modules come from, or import one by a name in a string?"""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = {getattr(node, "id", None), getattr(node, "attr", None)}
        names |= {alias.name.split(".")[-1] for alias in getattr(node, "names", ()) if isinstance(alias, ast.alias)}
        if names & PUSHES or (isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path"):
            return True
    return False


def modules(*packages):
    """The Python files of the packages, without the assignments' sources."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).parts
            if "node_modules" not in parts and parts[:2] != ("coursework", "source"):
                yield path


def imports(path):
    """The full names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "." * node.level


def lint(folder):
    """What import-linter says of the project in a folder: {contract's name: whether it is kept}."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "NO_COLOR": "1", "COLUMNS": "400"},
        capture_output=True,
        text=True,
    )
    found = dict(re.findall(r"^(.+?)\s+(KEPT|BROKEN)", done.stdout, re.M))
    assert set(found) == {one["name"] for one in CONTRACTS}, done.stdout + done.stderr
    return {name: verdict == "KEPT" for name, verdict in found.items()}, done.stdout


def test_every_contract_is_kept():
    kept, told = lint(ROOT)
    assert all(kept.values()), told


# For each contract a file and a line that break it.
BREACHES = {
    "floors": ("helpers/plots.py", "import experiments.bench"),
    "coursework-apart": ("coursework/make/pages.py", "import experiments.training"),
    "helpers-for-readers": ("helpers/text.py", "import nbgrader"),
    "dask-in-two-files": ("experiments/bench/store.py", "import distributed"),
    "experiments-light": ("experiments/training.py", "import sphinx.errors"),
    "bench-below-chapters": ("experiments/bench/store.py", "import experiments.training"),
    "sandbox-at-the-bottom": ("coursework/sandbox/outside.py", "import coursework.grade.collecting"),
    "rooms-of-the-tools": ("tools/press/address.py", "import tools.copies.badges"),
    "no-circles": ("helpers/quiet.py", "import helpers.models"),
}


def test_every_contract_notices_its_breach(tmp_path):
    assert set(BREACHES) == {one["id"] for one in CONTRACTS}
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "node_modules*")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, line in BREACHES.values():
        path = tmp_path / name
        path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    kept, told = lint(tmp_path)
    assert not any(kept.values()), told


def test_modules_are_imported_by_name_and_paths_pushed_in_named_places_only():
    found = {path.relative_to(ROOT).as_posix() for path in modules(*PACKAGES) if pushes(path)}
    assert found - set(BY_NAME) == set(), "import it, or name the file in BY_NAME with a reason"
    assert set(BY_NAME) - found == set(), "these need it no more: take them out of BY_NAME"


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nsys.path.insert(0, 'x')",
        "import sys\nsys.path[:0] = ['x']",
        "import importlib\nimportlib.import_module('x')",
        "from importlib import import_module as bring",
        "x = __import__('x')",
        "import runpy",
        "import importlib.util\nimportlib.util.spec_from_file_location('x', 'x.py')",
    ],
)
def test_a_pushed_path_is_noticed(code, tmp_path):
    (tmp_path / "one.py").write_text(code)
    assert pushes(tmp_path / "one.py")


def test_nothing_imports_tests():
    names = {"tests"} | {path.stem for path in (ROOT / "tests").rglob("*.py")}
    own = {path.stem for path in modules(*PACKAGES)}
    for path in modules(*PACKAGES):
        assert not {name.split(".")[0] for name in imports(path)} & (names - own - set(PACKAGES)), path


def test_the_inner_half_of_the_sandbox_needs_next_to_nothing():
    allowed = set(sys.stdlib_module_names) | {"IPython", "numpy"}
    used = {name.split(".")[0] for name in imports(ROOT / "coursework" / "sandbox" / "inside.py")}
    assert used <= allowed, used - allowed


def test_helpers_can_be_read_in_one_sitting():
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in modules("helpers")}
    assert sum(lines.values()) <= LONGEST_HELPERS, lines


def chapter_imports(chapter):
    """(module, name or None) of everything of ours that a chapter imports."""
    for cell in chapter.code:
        if rules.is_setup_cell(cell):
            continue
        for node in ast.walk(cell.tree):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in PACKAGES:
                yield from ((node.module, alias.name) for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from ((a.name, None) for a in node.names if a.name.split(".")[0] in PACKAGES)


def test_chapters_import_helpers_and_their_own_experiments_alone():
    for chapter in rules.book_chapters():
        allowed = ("helpers.", f"experiments.{chapter.name}")
        for module, _ in chapter_imports(chapter):
            assert module.startswith(allowed[0]) or module == allowed[1], f"{chapter.name} imports {module}"


def test_chapters_import_few_names():
    names = {
        (m, n)
        for chapter in rules.book_chapters()
        for m, n in chapter_imports(chapter)
        if m.startswith("helpers.") and n
    }
    assert len(names) <= MOST_NAMES, sorted(names)


def test_what_only_one_chapter_imports_is_not_in_helpers():
    """A name enters helpers when a second chapter imports it; what others of ours need there stands with its reason."""
    by_name = {}
    for chapter in rules.book_chapters():
        for module, name in chapter_imports(chapter):
            if module.startswith("helpers.") and name:
                by_name.setdefault(f"{module}.{name}", set()).add(chapter.name)
    alone = {name for name, chapters in by_name.items() if len(chapters) == 1}
    assert alone <= set(KEPT_FOR_LATER), sorted(alone - set(KEPT_FOR_LATER))


# One chapter imports these now; why they are in helpers all the same.
KEPT_FOR_LATER = {
    "helpers.baselines.deskewed": "three chapters to come use it",
    "helpers.plots.draw_network": "small networks are drawn by hand in chapters to come",
    "helpers.progress.progress": "every chapter with a long loop uses it; so far there is one",
}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_are_there(package):
    assert (ROOT / package / "__init__.py").is_file()


def test_the_bench_is_kept_from_every_chapters_experiments():
    (listed,) = [one["forbidden_modules"] for one in CONTRACTS if one["id"] == "bench-below-chapters"]
    there = {f"experiments.{path.stem}" for path in (ROOT / "experiments").glob("*.py")} - {"experiments.__init__"}
    assert set(listed) == there, "a new module of experiments goes into that contract of pyproject.toml"
