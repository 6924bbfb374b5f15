"""The chapters away from the book's folder: in Google Colab, or as a copy with the wheel beside it.

The first code cell of each chapter installs the wheel alone, then calls :func:`bring_packages`.
"""

import importlib
import importlib.util
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

# name of the distribution: the module that shows it is there
NEEDED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "scikit-learn": "sklearn",
    "statsmodels": "statsmodels",
    "matplotlib": "matplotlib",
    "seaborn": "seaborn",
    "tensorflow": "tensorflow",
    "tensorflow-cpu": "tensorflow",
    "keras": "keras",
    "mlxtend": "mlxtend",
    "pooch": "pooch",
    "tqdm": "tqdm",
    "ipywidgets": "ipywidgets",
    "scikit-learn-intelex": "sklearnex",
}


class PackagesError(Exception):
    """Packages that the chapters need are missing and could not be installed. The message says what to do."""


def lock():
    """Return the text of requirements.txt: from the wheel, or from the project's folder."""
    here = Path(__file__).resolve().parent
    for path in (here / "requirements.txt", here.parent / "requirements.txt"):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise PackagesError(f"{here / 'requirements.txt'} is missing; install the book's wheel again")


def missing_packages():
    """Return what of NEEDED cannot be imported, as requirements with the lock's version ("mlxtend==0.25.0").

    A line of the lock that holds for other systems only ("; sys_platform == ...") is left out.
    """
    from packaging.requirements import Requirement

    found = []
    for line in lock().splitlines():
        if not re.match(r"[\w.-]+==", line):
            continue
        wanted = Requirement(line)
        module = NEEDED.get(wanted.name)
        if module and (wanted.marker is None or wanted.marker.evaluate()) and not importlib.util.find_spec(module):
            found.append(f"{wanted.name}{wanted.specifier}")
    return found


def bring_packages(*options):
    """Install what is missing, in the lock's versions, and leave every package that is there as it is.

    ``options`` go to pip. Raises PackagesError, with what pip said, if that fails; the environment is then as before.
    """
    missing = missing_packages()
    if not missing:
        return
    # A constraint for each package that is there keeps pip from replacing it: Colab's TensorFlow and NumPy above all.
    here = {one.metadata["Name"]: one.version for one in metadata.distributions() if one.metadata["Name"]}
    fixed = [f"{name}=={version}" for name, version in sorted(here.items()) if re.fullmatch(r"[\w.-]+", name)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    done = _with_constraints([*command, *options, *missing], fixed)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise PackagesError(f"pip could not install {', '.join(missing)}: {said}. Go online, then run this cell again.")
    importlib.invalidate_caches()


def _with_constraints(command, fixed):
    """Run pip with the constraints in a temporary file."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("\n".join(fixed), encoding="utf-8")
        return subprocess.run([*command, "--constraint", str(constraints)], capture_output=True, text=True)
