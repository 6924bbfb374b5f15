"""What an install of the project holds besides the readers' packages, which pyproject.toml names.

A wheel carries the recordings and the lock, so that it needs no repository: ``pip install`` of the repository's address and
``tools/copies/wheel.py`` both go through ``BuildWithRecordings``. An editable install leaves the files where they are, and
makes what only the book's own folder holds importable: the tools and the coursework.
pyproject.toml names both classes as setuptools' commands.
"""

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).resolve().parents[2]
# from the project: (pattern) -> the folder inside the package helpers
CARRIED = {"data/measurements/*.json": "recordings", "data/page_models/*": "page_models", "requirements.txt": "."}
FOR_THE_FOLDER = ("tools", "coursework")


class BuildWithRecordings(build_py):
    """setuptools' command that collects the modules, and the files in CARRIED after them."""

    def run(self):
        """Collect; copies nothing in an editable install."""
        super().run()
        if self.editable_mode:
            return
        for pattern, folder in CARRIED.items():
            for file in sorted(ROOT.glob(pattern)):
                target = Path(self.build_lib, "helpers", folder, file.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)


class EditableWithTools(editable_wheel):
    """setuptools' command for an editable install: adds the packages of FOR_THE_FOLDER that are there."""

    def run(self):
        """Add, then install as usual."""
        there = [name for name in FOR_THE_FOLDER if (ROOT / name / "__init__.py").is_file()]
        self.distribution.packages = [*self.distribution.packages, *there]
        super().run()
