"""The wheel of what readers install beside a copy, and the zip file of all copies with the wheel.

The wheel needs nothing of the repository: tools/copies/wheel_contents.py says what it holds.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ARCHIVE = "digits-notebooks.zip"
WHEEL_INPUTS = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "LICENSE-TEXT",
    "requirements.txt",
    "tools/copies/wheel_contents.py",
)
WHEEL_FOLDERS = ("helpers", "experiments", "data/measurements", "data/page_models")
EPOCH = (2020, 1, 1, 0, 0, 0)  # the date of every file in an archive: the same content gives the same bytes


class WheelError(Exception):
    """The wheel could not be built. The message holds what setuptools said."""


def has_wheel(root):
    """Does the project hold what a wheel is made of?"""
    path = Path(root, "pyproject.toml")
    return path.is_file() and "project" in tomllib.loads(path.read_text(encoding="utf-8"))


def wheel_digest(root):
    """A digest over all that the wheel is made from."""
    digest = hashlib.sha256()
    for file in wheel_files(root):
        digest.update(f"{file.relative_to(root)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def wheel_files(root):
    """The files that the wheel is made from."""
    found = [root / name for name in WHEEL_INPUTS]
    for folder in WHEEL_FOLDERS:
        found += [file for file in sorted((root / folder).rglob("*")) if file.suffix in (".py", ".json", ".npz", ".js")]
    return [file for file in found if file.is_file()]


def build_wheel(root, folder):
    """Build the helpers' wheel into ``folder`` and return its path. Needs setuptools, but neither network nor pip.

    It is built from a copy of what goes into it, so that it holds nothing else and leaves nothing behind in the project.
    Raises WheelError where setuptools fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary, "book")
        for file in wheel_files(root):
            target = stage / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        code = "import sys; from setuptools import build_meta; print('\\n' + build_meta.build_wheel(sys.argv[1]))"
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder.resolve())],
            cwd=stage,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1577836800", "PYTHONPATH": ""},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise WheelError(f"the wheel of the helpers could not be built:\n{done.stdout}{done.stderr}")
        return folder / done.stdout.strip().splitlines()[-1]


READ_ME = """\
# {title}: the chapters as notebooks

Each notebook stands alone. You need Python 3.11, 3.12 or 3.13. In this folder, type once:

    python -m venv .venv
    .venv/bin/python -m pip install {wheel} jupyterlab

(on Windows `.venv\\Scripts\\python` in place of `.venv/bin/python`), and then, each time:

    .venv/bin/python -m jupyterlab

In Google Colab, upload a notebook and the wheel, {wheel}; the notebook's first code cell installs it.

MNIST (11 MB) is downloaded at the first run, into your user's cache folder. Without network the notebooks use 5,000 images
that come with one of the packages. The variable DIGITS_DATA may name a folder that holds your own copy, mnist.npz.

In this order:

{contents}
"""


def write_archive(folder, names, facts, wheel):
    """Put the copies, the wheel and a README into one zip file in ``folder``, where they lie.

    names: {docname: the copy's file name}, in the book's order. facts: the book's title and those of its pages, as
    :class:`tools.copies.markdown.Facts` has them. wheel: the wheel's path.
    """
    contents = "\n".join(f"{i}. {name}: {facts.titles.get(doc, '')}" for i, (doc, name) in enumerate(names.items(), 1))
    text = READ_ME.format(title=facts.book, wheel=wheel.name, contents=contents)
    half = folder / f".{ARCHIVE}"
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [
            ("README.md", text.encode()),
            *[(file.name, file.read_bytes()) for file in [*(folder / name for name in names.values()), wheel]],
        ]:
            archive.writestr(zipfile.ZipInfo(f"digits-notebooks/{name}", EPOCH), content, zipfile.ZIP_DEFLATED)
    half.replace(folder / ARCHIVE)
