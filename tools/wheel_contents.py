"""What a wheel of the helpers carries besides the code: the recordings and the lock, so that it needs no repository.

pyproject.toml names the class below as setuptools' ``build_py`` command; ``pip install`` of the repository's address
and ``tools/portable.py`` both go through it. An editable install leaves the files where they are.
"""

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent.parent
# from the project: (pattern) -> the folder inside the package helpers
CARRIED = {"data/measurements/*.json": "recordings", "data/page_models/*": "page_models", "requirements.txt": "."}


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
