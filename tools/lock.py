"""Renew requirements.txt from the direct dependencies in pyproject.toml: ``make lock``. Needs uv, which it installs for itself."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# Made by `make lock`; do not edit. Every package with its version, for Linux (x86-64, arm64), Windows (x64) and macOS (arm64),
# Python 3.11 to 3.13, from the direct dependencies in pyproject.toml:
#   uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --no-header --no-emit-index-url
# No hashes: pip refuses the line that installs our own helpers where hashes stand beside it.
-e .
"""


def main():
    """Write the lock in one step; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        binaries = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin")
        subprocess.run([binaries / "python", "-m", "pip", "install", "--quiet", "uv"], check=True)
        result = subprocess.run(
            [
                binaries / "uv",
                "pip",
                "compile",
                "pyproject.toml",
                "--all-extras",
                "--universal",
                "--python-version",
                "3.11",
                "--no-header",
                "--no-emit-index-url",
                "--quiet",
                "--upgrade",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    if result.returncode:
        print(result.stderr, file=sys.stderr)
        return result.returncode
    new = ROOT / ".requirements.txt.new"
    new.write_text(HEAD + result.stdout, encoding="utf-8")
    new.replace(ROOT / "requirements.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
