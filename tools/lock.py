"""Renew the locks from the direct dependencies in pyproject.toml: ``make lock``. Needs uv, which it installs for itself.

``requirements.txt`` holds what the book needs, ``requirements-teaching.txt`` what teachers need besides (the extra
``teaching``): with the versions of the first lock wherever both name a package, so that the two install together.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = ["--universal", "--python-version", "3.11", "--no-header", "--no-emit-index-url"]
HEAD = """\
# Made by `make lock`; do not edit. Every package with its version, for Linux (x86-64, arm64), Windows (x64) and macOS (arm64),
# Python 3.11 to 3.13, from the direct dependencies in pyproject.toml:
#   uv pip compile pyproject.toml --extra book --universal --python-version 3.11 --no-header --no-emit-index-url
# No hashes: pip refuses the line that installs our own helpers where hashes stand beside it.
-e .
"""
TEACHING_HEAD = """\
# Made by `make lock`; do not edit. For teachers only: the extra `teaching` of pyproject.toml and all that it needs, for the same
# systems and Python versions as requirements.txt, and with its versions (-c) wherever both name a package. No reader of the
# book needs this file; `make coursework` installs it into .venv, beside requirements.txt:
#   uv pip compile teaching.in -c requirements.txt --universal --python-version 3.11 --no-header --no-emit-index-url
# where teaching.in holds the lines of the extra, and requirements.txt is without its line `-e .`.
"""


def compile_lock(uv, *arguments):
    """Return what ``uv pip compile`` prints; SystemExit with its message if it fails."""
    command = [uv, "pip", "compile", *arguments, *OPTIONS, "--quiet"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(result.stderr)
    return result.stdout


def book_lock(uv):
    """Return the text of requirements.txt, with the newest versions that pyproject.toml allows."""
    return HEAD + compile_lock(uv, "pyproject.toml", "--extra", "book", "--upgrade")


def teaching_lock(uv, book):
    """Return the text of requirements-teaching.txt; ``book`` is the text of requirements.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with tempfile.TemporaryDirectory() as folder:
        wanted, known = Path(folder, "teaching.in"), Path(folder, "requirements.txt")
        wanted.write_text("\n".join(project["optional-dependencies"]["teaching"]) + "\n", encoding="utf-8")
        # uv and pip both refuse a constraint that is a folder
        known.write_text(re.sub(r"^-e .*\n", "", book, flags=re.M), encoding="utf-8")
        made = compile_lock(uv, str(wanted), "-c", str(known))
    return TEACHING_HEAD + made.replace(str(known), known.name).replace(str(wanted), wanted.name)


def write(name, text):
    """Write a file of the project in one step."""
    new = ROOT / f".{name}.new"
    new.write_text(text, encoding="utf-8")
    new.replace(ROOT / name)


def main(arguments=None):
    """Write the locks; returns the exit status."""
    parser = argparse.ArgumentParser(description="renew requirements.txt and requirements-teaching.txt")
    parser.add_argument(
        "--teaching", action="store_true", help="requirements-teaching.txt alone, beside the other as it is"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        binaries = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin")
        subprocess.run([binaries / "python", "-m", "pip", "install", "--quiet", "uv"], check=True)
        uv = str(binaries / "uv")
        book = (ROOT / "requirements.txt").read_text(encoding="utf-8") if options.teaching else book_lock(uv)
        teaching = teaching_lock(uv, book)
    write("requirements.txt", book)
    write("requirements-teaching.txt", teaching)
    return 0


if __name__ == "__main__":
    sys.exit(main())
