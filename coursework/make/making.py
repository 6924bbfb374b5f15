"""Make the assignments of a course from their sources: ``make coursework SEED=...`` runs this.

From ``coursework/source`` and the seed of the course come, in ``_build/coursework``:

- ``students/<name>.zip`` and ``students/all.zip``: what students get,
- ``course/``: a course folder of nbgrader, with solutions, hidden tests, rubrics and the gradebook,
- ``teacher.zip``: the same folder as one file.

All of it is made in a folder beside, looked through for leaks, and takes the old result's place in one step: whatever
goes wrong before, a full disk or a kill included, leaves the old result as it was. The seed is kept in the course folder only.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import ctypes
import errno
import hashlib
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import nbformat
import numpy as np
import psutil
from tqdm import tqdm

from coursework import MB, OUTPUT, ROOT, SEED, SOURCES
from coursework.make import leaks
from coursework.make.notebooks import (
    KEPT_BACK,
    NAMES,
    STUB,
    SourceError,
    load_module,
    read_source,
    source_path,
    tasks,
    with_constants,
)
from coursework.make.validation import name_of, validate

COURSE_ID = "digits"
RECORD = "course.json"  # in the course folder: the seed, and what was made from what
MADE = "made.json"  # beside it: how large the zips are, and how long the solutions took
EPOCH = (2020, 1, 1, 0, 0, 0)  # the date of every file in a zip: the same content gives the same bytes
CELL_TIMEOUT = 120  # seconds
LICENCES = ("LICENSE", "LICENSE-TEXT")
# How a package is called where it is installed, by the name that a notebook imports.
PACKAGES = {"sklearn": "scikit-learn", "PIL": "pillow", "keras": "keras", "tensorflow": "tensorflow"}
# What a change of makes a present result out of date, beside the sources.
SETTINGS = Path(__file__).with_name("nbgrader_config.py")  # what a course folder's begins with
MADE_BY = ("making.py", "notebooks.py", "validation.py", "leaks.py")


class MakeError(Exception):
    """The coursework could not be made. The message says what, why, and what to do."""


# ---------------------------------------------------------------- what students get


def title_of(notebook):
    """Return the title of an assignment."""
    return notebook.cells[0].source.splitlines()[0].removeprefix("#").strip()


def helpers_of(name, sources=SOURCES):
    """Return the paths of the Python files that travel to students with an assignment."""
    return sorted(one for one in Path(sources, name).glob("*.py") if one.name not in KEPT_BACK)


def imports_of(name, sources=SOURCES):
    """Return the names of the packages that an assignment and its helpers import, without the standard library."""
    code = [cell.source for cell in read_source(name, sources).cells if cell.cell_type == "code"]
    helpers = helpers_of(name, sources)
    code += [one.read_text(encoding="utf-8") for one in helpers]
    found = set()
    for node in ast.walk(ast.parse("\n".join(code))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {one.stem for one in helpers}


def requirements(names, sources=SOURCES):
    """Return the text of a requirements.txt for these assignments, with the lower bounds of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = {}
    for line in project["dependencies"]:
        plain = line.split(";")[0].strip()
        bounds[re.match(r"[\w.-]+", plain)[0]] = plain
    imported = {PACKAGES.get(one, one) for name in names for one in imports_of(name, sources)}
    if "keras" in imported:
        imported.add("tensorflow")
    lines = sorted(bounds.get(one, one) for one in imported)
    return "\n".join(["# What this notebook imports, and JupyterLab to open it with", *lines, "jupyterlab>=4", ""])


STUDENT_README = """\
# {title}

{what}

## In JupyterLab, on your computer

You need Python 3.11 or later. In this folder, type once:

    python -m venv .venv
    .venv/bin/python -m pip install -r requirements.txt

(on Windows `.venv\\Scripts\\python` in place of `.venv/bin/python`), and then, each time:

    .venv/bin/python -m jupyterlab

## In Google Colab

Upload the notebook (*File*, *Upload notebook*), open the folder on the left edge, and upload the other files of its folder
there: {files}. Colab forgets them when you close it; download your notebook before you do.

## Work

Write where `# YOUR CODE HERE` and `YOUR ANSWER HERE` stand; the line `raise NotImplementedError(...)` goes. Run the test below each task:
its messages say what is wrong. It holds fewer tests than the one that grades you. Do not rename the notebook, and neither
delete nor copy its cells. Before you hand it in: *Restart Kernel and Run All Cells*, and save.

## Licences

The code is under the BSD 3-Clause licence (LICENSE), the text under CC BY 4.0 (LICENSE-TEXT). The digits come from MNIST, by Yann LeCun,
Corinna Cortes and Christopher J. C. Burges, which is not part of the book.
"""


def student_readme(names, titles, files):
    """Return the README of a student zip with the assignments ``names``; ``files``: what lies beside their notebooks."""
    if len(names) == 1:
        title, what = titles[names[0]], f"One assignment: the notebook `{names[0]}.ipynb` and what it needs."
    else:
        title = "Coursework"
        what = "The assignments, each in its folder with what it needs:\n\n" + "\n".join(
            f"{number}. `{name}/{name}.ipynb`: {titles[name]}" for number, name in enumerate(names, 1)
        )
    return STUDENT_README.format(title=title, what=what, files=", ".join(f"`{one}`" for one in files))


# ---------------------------------------------------------------- rendering


@contextlib.contextmanager
def environment(**values):
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def render(name, seed, folder, sources=SOURCES):
    """Write an assignment for the course of this seed into ``folder``: notebook with solutions, data, helpers."""
    variant = load_module(name, "variant.py", sources)
    folder.mkdir(parents=True)
    with environment(DIGITS_EDITION="sample"):  # the same images everywhere, and no network
        try:
            constants, arrays = variant.constants(seed), variant.data(seed)
        except Exception as error:
            path = Path(sources, name, "variant.py")
            raise SourceError(f"{path} fails for seed {seed}: {type(error).__name__}: {error}") from error
    notebook = with_constants(read_source(name, sources), constants)
    (folder / f"{name}.ipynb").write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    np.savez_compressed(folder / f"{name}_data.npz", **arrays)
    for helper in helpers_of(name, sources):
        shutil.copyfile(helper, folder / helper.name)


def release(name, course):
    """Have nbgrader write the students' version of source/<name> into release/<name> and the gradebook."""
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.course_id = COURSE_ID
    config.ClearSolutions.code_stub = {"python": "\n".join(STUB)}
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # nbgrader starts the command alembic, which lies beside Python, by its name alone
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with (
        environment(PATH=path),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        made = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment(name)
    if not made["success"]:
        if re.search("disk I/O error|disk is full|No space left|File too large", f"{made}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(course))
        told = [line for line in f"{made.get('log', '')}\n{made.get('error', '')}".splitlines() if "Error" in line]
        raise SourceError(
            f"{name}: nbgrader could not make the students' version: "
            + (told[-1].strip() if told else made.get("error") or made.get("log", ""))
        )


def execute(name, source, target):
    """Run the notebook in ``source`` with its solutions, in a kernel of its own, and write it with outputs to ``target``.

    SourceError, which names the cells, if any raises: then a solution does not pass its own tests.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    notebook = nbformat.read(source / f"{name}.ipynb", as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        allow_errors=True,
        record_timing=False,
        resources={"metadata": {"path": str(source)}},
    )
    try:
        client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except CellTimeoutError as error:
        raise SourceError(f"{name}: a cell runs for more than {CELL_TIMEOUT} s; make it shorter") from error
    except DeadKernelError as error:
        raise SourceError(
            f"{name}: the kernel died while the solutions ran; does a cell need too much memory?"
        ) from error
    broken = []
    for place, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                broken.append(
                    f"{name}.ipynb, {name_of(cell, place)}: with the solutions in place it raises "
                    f"{output.ename}: {output.evalue}; correct the solution or the test"
                )
    if broken:
        raise SourceError("\n".join(broken))
    shutil.rmtree(source / "__pycache__", ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


# ---------------------------------------------------------------- bundles


def write_zip(path, files):
    """Write ``files``, {name in the zip: path or text}, into a zip whose bytes depend on their content alone."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            data = content.encode() if isinstance(content, str) else Path(content).read_bytes()
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)


def files_below(folder):
    """Return {relative path: path} of all files in a folder."""
    return {one.relative_to(folder).as_posix(): one for one in sorted(folder.rglob("*")) if one.is_file()}


def write_student_zips(stage, names, titles, sources=SOURCES):
    """Write students/<name>.zip and students/all.zip from release/."""
    students = stage / "students"
    students.mkdir()
    licences = {one: ROOT / one for one in LICENCES}
    everything, beside = {}, []
    for name in names:
        files = files_below(stage / "course" / "release" / name)
        here = sorted(one for one in files if not one.endswith(".ipynb"))
        beside += [one for one in here if one not in beside]
        everything |= {f"{name}/{one}": path for one, path in files.items()}
        files |= licences | {
            "README.md": student_readme([name], titles, here),
            "requirements.txt": requirements([name], sources),
        }
        write_zip(students / f"{name}.zip", {f"{name}/{one}": content for one, content in files.items()})
    everything |= licences | {
        "README.md": student_readme(names, titles, beside),
        "requirements.txt": requirements(names, sources),
    }
    write_zip(students / "all.zip", {f"digits-coursework/{one}": content for one, content in everything.items()})


CONFIGURATION = """\

# What stands in place of a solution in the students' version
c.ClearSolutions.code_stub = {{"python": {stub!r}}}
"""

TEACHER_README = """\
# The teacher's bundle

A course folder of nbgrader, ready for use. **It holds solutions and hidden tests: keep it where students cannot read.**

| here | what it is |
|---|---|
| `source/` | the assignments with solutions and hidden tests |
| `release/` | what students get (the zip files in `students/` hold the same) |
| `solutions/` | the solutions, executed: the notebooks with all outputs |
| `rubrics/` | how the written tasks are graded: criteria, points, sample answers with their marks |
| `gradebook.db` | nbgrader's gradebook, with tasks and points and no students yet |
| `nbgrader_config.py` | nbgrader's settings |
| `course.json` | the seed of this course: with it, `make coursework SEED=...` makes the same assignments again |

{table}

## To grade

In the book's repository, `make grade NAME=ASSIGNMENT SUBMISSIONS=FOLDER` collects what students handed in, runs each notebook in a sandbox,
and writes gradebook, feedback and marks into this folder; `.venv/bin/python -m coursework grade --help` there says more, also how to grade in another
place. `make coursework` never replaces a folder that holds submissions.

With nbgrader itself, put each submission into `submitted/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb`, set DIGITS_BOOK to the folder of the repository (its
sandbox runs the submissions, and nothing runs without it), and type in this folder

    nbgrader autograde ASSIGNMENT
    nbgrader generate_feedback ASSIGNMENT
    nbgrader export

and grade the written tasks by the rubric in nbgrader's formgrader, in JupyterLab.

## On JupyterHub

Copy this folder to the account of the course, run `nbgrader release_assignment ASSIGNMENT`, and see `coursework/hub` in the
repository for a configuration.
"""


def teacher_readme(names, titles, course):
    """Return the README of the teacher's bundle; ``course`` is its folder."""
    rows = ["| assignment | title | tasks | points, of which written |", "|---|---|---|---|"]
    for name in names:
        found = tasks(nbformat.read(course / "source" / name / f"{name}.ipynb", as_version=4))
        points, written = sum(one.points for one in found), sum(one.points for one in found if one.written)
        rows.append(f"| `{name}` | {titles[name]} | {len(found)} | {points}, {written} |")
    return TEACHER_README.format(table="\n".join(rows))


# ---------------------------------------------------------------- one course


def digest_of(names, seed, sources=SOURCES):
    """Return a digest over all that the coursework is made from."""
    digest = hashlib.sha256(f"{seed} {list(names)} {sys.version_info[:2]}".encode())
    for package in ("nbgrader", "numpy", "nbformat"):
        digest.update(f"{package} {version(package)}".encode())
    files = [SETTINGS, *(Path(__file__).with_name(one) for one in MADE_BY)] + [
        ROOT / one for one in (*LICENCES, "pyproject.toml")
    ]
    files += [ROOT / "helpers" / name for name in ("data.py", "edition.py", "files.py")]  # where the images come from
    for name in names:
        files += [one for one in sorted(Path(sources, name).iterdir()) if one.is_file()]
    for file in files:
        digest.update(f"{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def sizes_of(folder):
    """Return {relative path: bytes} of the zips in a result, by which a damaged one is noticed."""
    found = [*sorted((folder / "students").glob("*.zip")), folder / "teacher.zip"]
    return {one.relative_to(folder).as_posix(): one.stat().st_size for one in found}


def record_of(output):
    """Return what the present result says of itself, or None if there is no complete one."""
    try:
        record = json.loads((output / "course" / RECORD).read_text(encoding="utf-8"))
        made = json.loads((output / MADE).read_text(encoding="utf-8"))
        return record if made["bytes"] == sizes_of(output) else None
    except (OSError, ValueError, KeyError):
        return None


def keep_submissions(output):
    """MakeError if the present result holds students' work, which a new one must not replace."""
    course = output / "course"
    submitted = [one for one in (course / "submitted").glob("*/*") if one.is_dir()]
    students = 0
    if (course / "gradebook.db").is_file():
        import sqlite3

        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(course / "gradebook.db")) as book:
            students = book.execute("SELECT COUNT(*) FROM submitted_assignment").fetchone()[0]
    if submitted or students:
        raise MakeError(
            f"{course} holds {max(len(submitted), students)} submissions of students, which are not replaced; "
            "move the folder to where you grade, and make the coursework again"
        )


def swap(new, old):
    """Put the folder ``new`` in the place of ``old``; ``new`` then names what stood there, if anything did.

    One step where the system can exchange two folders (Linux), two elsewhere; `tidy` mends what a kill leaves between them.
    """
    if not old.exists():
        new.rename(old)
        return
    with contextlib.suppress(OSError, AttributeError):
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
        here, both = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
        if exchange(here, os.fsencode(new), here, os.fsencode(old), both) == 0:
            return
    aside = new.with_name(f".{old.name}-old-{os.getpid()}")
    old.rename(aside)
    new.rename(old)
    aside.rename(new)


def tidy(output):
    """Clean up after runs that were killed: put back a result that was moved aside, delete halves."""
    for left in output.parent.glob(f".{output.name}-*-*"):
        kind, pid = left.name.rsplit("-", 2)[1:]
        if not pid.isdigit() or (psutil.pid_exists(int(pid)) and int(pid) != os.getpid()):
            continue
        if kind == "old" and not output.exists():
            left.rename(output)
        else:
            shutil.rmtree(left, ignore_errors=True)


def make(names=NAMES, seed=SEED, output=OUTPUT, sources=SOURCES, solutions=True, quiet=False):
    """Make the coursework of a course; returns the output folder.

    Parameters
    ----------
    names : sequence of str
        The assignments, in their order.
    seed : int
        The course's seed.
    output, sources : Path
    solutions : bool
        Execute the solutions, for the teacher's bundle and to see that they pass; without, both are left out.
    quiet : bool
        No progress bar.

    Raises
    ------
    SourceError
        A source is not in order, or a student zip would tell a solution or a hidden test.
    MakeError
        The present result holds submissions, or the files cannot be written.
    """
    output, sources, names = Path(output).resolve(), Path(sources), list(names)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        tidy(output)
        keep_submissions(output)
        faults = []
        for name in names:
            try:
                validate(name, sources)
            except SourceError as error:
                faults.append(str(error))
        if faults:
            raise SourceError("\n".join(faults))
        stage = output.with_name(f".{output.name}-new-{os.getpid()}")
        shutil.rmtree(stage, ignore_errors=True)
        try:
            fill(stage, names, seed, sources, solutions, quiet)
            swap(stage, output)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise MakeError(
            f"the coursework could not be written to {output} ({error.strerror or error}"
            f"{f': {error.filename}' if error.filename else ''}); free space or change the permissions, and make it again. "
            "What was there before is unchanged"
        ) from error
    return output


def fill(stage, names, seed, sources, solutions, quiet):
    """Write the whole result into the empty folder ``stage``; parameters as in `make`."""
    course = stage / "course"
    course.mkdir(parents=True)
    titles = {name: title_of(read_source(name, sources)) for name in names}
    seconds = {}
    steps = [(name, step) for name in names for step in ("render", "release", "run")]
    with tqdm(steps, unit="step", disable=True if quiet else None, leave=False) as bar:
        for name, step in bar:
            bar.set_description(f"{name}: {step}")
            source = course / "source" / name
            if step == "render":
                render(name, seed, source, sources)
                (course / "rubrics").mkdir(exist_ok=True)
                constants = load_module(name, "variant.py", sources).constants(seed)
                rubric = (Path(sources, name) / "rubric.md").read_text(encoding="utf-8")
                (course / "rubrics" / f"{name}.md").write_text(leaks.fill_in(rubric, constants), encoding="utf-8")
            elif step == "release":
                release(name, course)
            elif solutions:
                started = time.perf_counter()
                execute(name, source, course / "solutions" / f"{name}.ipynb")
                seconds[name] = round(time.perf_counter() - started, 1)
    settings = SETTINGS.read_text(encoding="utf-8")
    settings += CONFIGURATION.format(stub="\n".join(STUB))
    (course / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    (course / "README.md").write_text(teacher_readme(names, titles, course), encoding="utf-8")
    for one in LICENCES:
        shutil.copyfile(ROOT / one, course / one)
    record = {
        "course": COURSE_ID,
        "seed": seed,
        "assignments": names,
        "solutions": solutions,
        "made_from": digest_of(names, seed, sources),
    }
    (course / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_student_zips(stage, names, titles, sources)
    found = leaks.look(stage / "students", leaks.secrets(names, seed, sources), seed=seed)
    if found:
        raise SourceError(
            "the student zips would tell what they must not, so nothing was made:\n"
            + "\n".join(f"  {one}" for one in found[:20])
        )
    write_zip(stage / "teacher.zip", {f"digits-course/{one}": path for one, path in files_below(course).items()})
    made = {"bytes": sizes_of(stage), "seconds": seconds}
    (stage / MADE).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def report(output, names, seconds=None):
    """Print what lies where."""
    for path in [*(output / "students" / f"{name}.zip" for name in [*names, "all"]), output / "teacher.zip"]:
        print(f"  {path.relative_to(output).as_posix():40s} {path.stat().st_size / MB:6.2f} MB")
    print(f"  {'course/':40s} the course folder of nbgrader, with solutions: for teachers only")
    print(f"{'Made' if seconds is not None else 'Up to date'}{f' in {seconds:.0f} s' if seconds else ''}: {output}")


def main(arguments=None):
    """Make the coursework and say what lies where; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m coursework make", description="make student zips and teacher's bundle"
    )
    parser.add_argument("names", nargs="*", help="these assignments alone (default: all)")
    parser.add_argument("--seed", type=int, default=SEED, help="the course's seed (default: %(default)s)")
    parser.add_argument("--to", type=Path, default=OUTPUT, help="the folder to make (default: _build/coursework)")
    parser.add_argument("--sources", type=Path, default=SOURCES, help=argparse.SUPPRESS)
    parser.add_argument("--again", action="store_true", help="also if the present result is up to date")
    options = parser.parse_args(arguments)
    names = options.names or NAMES
    started = time.time()
    try:
        for name in names:
            source_path(name, options.sources)
        known = record_of(options.to)
        if known and known["made_from"] == digest_of(names, options.seed, options.sources) and not options.again:
            report(options.to, names)
            return 0
        output = make(names, options.seed, options.to, options.sources)
    except (SourceError, MakeError) as error:
        print(error, file=sys.stderr)
        return 1
    report(output, names, time.time() - started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
