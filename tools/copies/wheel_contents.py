"""What an install of the project holds besides the readers' packages, which pyproject.toml names.

A wheel carries the recordings and the lock, so that it needs no repository: ``pip install`` of the repository's address and
``tools/copies/wheel.py`` both go through ``BuildWithRecordings``. An editable install leaves the files where they are, and
makes what only the book's own folder holds importable: the tools and the coursework, and the tools' renderer of figures.
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
# How MyST-NB finds the renderer of figures made for both modes.
RENDERER = "[myst_nb.mime_renderers]\ndigits = tools.press.page_figures:FigureRenderer\n"


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
    """setuptools' command for an editable install: adds the packages of FOR_THE_FOLDER that are there, and RENDERER with tools."""

    def run(self):
        """Add, then install as usual."""
        there = [name for name in FOR_THE_FOLDER if (ROOT / name / "__init__.py").is_file()]
        self.distribution.packages = [*self.distribution.packages, *there]
        if "tools" in there:
            self.distribution.entry_points = RENDERER
            if self.dist_info_dir:  # pip has had the metadata written before it asks for the wheel
                Path(self.dist_info_dir, "entry_points.txt").write_text(RENDERER, encoding="utf-8")
        super().run()
