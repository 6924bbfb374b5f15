"""An environment with the book's packages, but without the book: what Google Colab or a reader's own Python looks like.

The packages are those of the environment that runs the tests, linked one by one, so nothing is downloaded. Left out are the
book's own editable install and what a test wants to be missing.
"""

import os
import shutil
import subprocess
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Elsewhere:
    """A virtual environment ``python`` in ``folder``, and an empty working folder ``content`` beside it."""

    def __init__(self, folder, without=()):
        self.folder, self.content, self.home = folder, folder / "content", folder / "home"
        for one in (self.content, self.home):
            one.mkdir(parents=True)
        venv.create(folder / "env", with_pip=False, symlinks=True)
        self.python = folder / "env" / "bin" / "python"
        self.packages = next((folder / "env" / "lib").glob("python*/site-packages"))
        left_out = {f"digits_book-{metadata.version('digits-book')}.dist-info"}
        for name in without:
            left_out |= {Path(file).parts[0] for file in metadata.files(name)}
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if entry.name not in left_out and not entry.name.startswith("__editable__"):
                (self.packages / entry.name).symlink_to(entry)
        self.before = self.listing()

    def listing(self):
        """The names in site-packages."""
        return {entry.name for entry in self.packages.iterdir()}

    def environment(self, colab=False, **more):
        """The variables of a process there: no path of the project, a home of its own, no network."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DIGITS_", "PYTHON", "PIP_"))}
        kept |= {"HOME": str(self.home), "DIGITS_EDITION": "sample", "PIP_NO_INDEX": "1", "XDG_CACHE_HOME": ""}
        kept |= {"PIP_ROOT_USER_ACTION": "ignore", "IPYTHONDIR": str(self.home / ".ipython")}
        if colab:
            stand_in = self.folder / "colab" / "google" / "colab"
            stand_in.mkdir(parents=True, exist_ok=True)
            (stand_in / "__init__.py").write_text('"""Stands in for the module that only Google Colab has."""\n')
            kept["PYTHONPATH"] = str(self.folder / "colab")
        return kept | more

    def run(self, *arguments, **environment):
        """Run this environment's Python in the empty folder; returns the finished process."""
        return subprocess.run(
            [str(self.python), *map(str, arguments)],
            cwd=self.content,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=400,
        )

    def execute(self, name, **environment):
        """Execute a notebook that lies in the empty folder; returns the finished process."""
        options = ("--to", "notebook", "--inplace", "--ExecutePreprocessor.timeout=300", "--log-level=WARN")
        return self.run("-m", "nbconvert", "--execute", *options, name, **environment)


def repacked(name, folder):
    """Write a wheel of an installed distribution, so that pip can install it without the network; return its path."""
    distribution = metadata.distribution(name)
    stem = f"{name.replace('-', '_')}-{distribution.version}"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in distribution.files:
            if ".." not in file.parts and file.suffix != ".pyc" and file.name not in ("INSTALLER", "direct_url.json"):
                archive.write(file.locate(), str(file))
    return path


def project_copy(folder, changes=()):
    """A git repository (branch main) with what is in this project's checkout now; ``changes``: (file, old, new)."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)  # its permissions too
    for name, old, new in changes:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text, (name, old)
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "All of it"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder
