"""Renew the locks from the direct dependencies in pyproject.toml: ``make lock``. Needs uv, which it installs for itself.

``requirements.txt`` holds what the book needs; ``requirements-teaching.txt`` what teachers need besides (the extra
``teaching``) and ``requirements-cluster.txt`` what recording on many processes needs (the extra ``cluster``): with the
versions of the first lock wherever both name a package, so that they install together. ``--keep`` changes no version that
a lock has already, for a dependency that was added or dropped.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ["--universal", "--python-version", "3.11", "--no-header", "--no-emit-index-url"]
HEAD = """\
# Made by `make lock`; do not edit. Every package with its version, for Linux (x86-64, arm64), Windows (x64) and macOS (arm64),
# Python 3.11 to 3.13, from the direct dependencies in pyproject.toml:
#   uv pip compile pyproject.toml --extra book --universal --python-version 3.11 --no-header --no-emit-index-url
# No hashes: pip refuses the line that installs our own helpers where hashes stand beside it.
-e .
"""
EXTRA_HEAD = """\
# Made by `make lock`; do not edit. {whom}: the extra `{extra}` of pyproject.toml
# and all that it needs, for the same systems and Python versions as requirements.txt, and with its versions (-c) wherever
# both name a package. No reader of the book needs this file; `{command}` installs it into .venv, beside requirements.txt:
#   uv pip compile {extra}.in -c requirements.txt --universal --python-version 3.11 --no-header --no-emit-index-url
# where {extra}.in holds the lines of the extra, and requirements.txt is without its line `-e .`.
"""
# the extras that have a lock of their own: for whom, and the command that installs it
EXTRAS = {
    "teaching": ("For teachers only", "make coursework"),
    "cluster": ("For recording measurements on many processes", "make measurements"),
}


def compile_lock(uv, *arguments, known=""):
    """Return the lock that ``uv pip compile`` makes, with the versions that the text ``known`` has; SystemExit if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "lock.txt")
        out.write_text(known, encoding="utf-8")
        command = [uv, "pip", "compile", *arguments, *OPTIONS, "--quiet", "-o", str(out)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return out.read_text(encoding="utf-8")


def without_project(text):
    """Return a lock's text without the line that installs the project: uv and pip both refuse a constraint that is a folder."""
    return re.sub(r"^-e .*\n", "", text, flags=re.M)


def kept(name, keep):
    """Return the text of a lock whose versions are to stay; empty if they may be renewed."""
    path = ROOT / name
    return without_project(path.read_text(encoding="utf-8")) if keep and path.is_file() else ""


def book_lock(uv, keep=False):
    """Return the text of requirements.txt, with the newest versions that pyproject.toml allows; ``keep``: those that it has."""
    return HEAD + compile_lock(uv, "pyproject.toml", "--extra", "book", known=kept("requirements.txt", keep))


def extra_lock(uv, extra, book, keep=False):
    """Return the text of the lock of an extra; ``book`` is the text of requirements.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with tempfile.TemporaryDirectory() as folder:
        wanted, known = Path(folder, f"{extra}.in"), Path(folder, "requirements.txt")
        wanted.write_text("\n".join(project["optional-dependencies"][extra]) + "\n", encoding="utf-8")
        known.write_text(without_project(book), encoding="utf-8")
        made = compile_lock(uv, str(wanted), "-c", str(known), known=kept(f"requirements-{extra}.txt", keep))
    whom, command = EXTRAS[extra]
    head = EXTRA_HEAD.format(whom=whom, extra=extra, command=command)
    return head + made.replace(str(known), known.name).replace(str(wanted), wanted.name)


def write(name, text):
    """Write a file of the project in one step."""
    new = ROOT / f".{name}.new"
    new.write_text(text, encoding="utf-8")
    new.replace(ROOT / name)


def main(arguments=None):
    """Write the locks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=EXTRAS, help="the lock of this extra alone, beside requirements.txt as it is")
    parser.add_argument("--keep", action="store_true", help="keep every version that a lock has already")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        binaries = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin")
        subprocess.run([binaries / "python", "-m", "pip", "install", "--quiet", "uv"], check=True)
        uv = str(binaries / "uv")
        book = (ROOT / "requirements.txt").read_text(encoding="utf-8") if options.only else book_lock(uv, options.keep)
        locks = {
            f"requirements-{extra}.txt": extra_lock(uv, extra, book, options.keep)
            for extra in ([options.only] if options.only else EXTRAS)
        }
    for name, text in {"requirements.txt": book, **locks}.items():
        write(name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
