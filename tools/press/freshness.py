"""What a page rests on, as short fingerprints: an edit that changes nothing on it makes no work, any other does.

jupyter-cache looks at a notebook's code alone, so an edit in a helper, other data or another TensorFlow would leave old results on
the page. A chapter's fingerprint covers the rest: the code of ours that it uses, down to single functions (experiments/bench/code.py
says what counts as the same code), the recordings that it reads, the bands of its numbers, the edition of the data, the locked packages and
the Python version.
"""

import ast
import hashlib
import json
import os
import platform
import re
from pathlib import Path

import yaml

from experiments.bench.code import Code
from tools.guards import bands

QUOTED_PAGE = re.compile(r"glue:\w+\}`+/?([\w./-]+?)(?:\.ipynb|\.md)?::")
# What every page is dressed in, besides the code of the extensions. Node's packages are named by the lock in tools/press/node.
DRESS = ("_static", "_templates", "tools/press/node")


def module_file(root, name):
    """Return the file of one of our modules ("helpers.data") in a project's folder, or None."""
    base = root.joinpath(*name.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def project_code(root):
    """Return the :class:`Code` of the project in a folder, as its files are now."""
    return Code(find=lambda name: module_file(root, name))


def notebook_code(path, guards=True):
    """Return the code of a notebook's cells, IPython's magics left out; without ``guards`` also its asserts and claims."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    code = "\n".join(
        line for source in sources for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))
    )
    return code if guards else ast.unparse(_WithoutGuards().visit(ast.parse(code)))


class _WithoutGuards(ast.NodeTransformer):
    """Leaves out what compares and says nothing: asserts, and statements that only claim."""

    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)

    def visit_Expr(self, node):
        claims = isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "claim"
        return ast.copy_location(ast.Pass(), node) if claims else node


def words(code, keys):
    """Return every string in the code of some units: among them are the names of the recordings that they read."""
    nodes = (node for key in keys for statement in code.unit(key)[2] for node in ast.walk(statement))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def recordings_read(root, code, keys):
    """Return name -> digest of the recordings that are named in the code; what they were made by does not count here."""
    folder = Path(os.environ.get("DIGITS_MEASUREMENTS") or root / "data" / "measurements")
    found, named = {}, words(code, keys)
    for path in sorted(folder.glob("*.json")):
        if path.stem in named:
            content = path.read_text(encoding="utf-8", errors="replace")
            found[path.stem] = hashlib.sha256(re.sub(r'"code": *"\w+"', "", content).encode()).hexdigest()
    return found


def bands_of(root, chapter):
    """Return the text of the bands that a chapter's numbers are held to; empty if it has none."""
    path = bands.path_of(root, chapter)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def locked_packages(root):
    """Return the lines of requirements.txt that name a package and its version."""
    path = root / "requirements.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def fingerprint(root, notebook, data, code=None, guards=True):
    """Return the fingerprint (16 hexadecimal digits) of what a notebook's results rest on.

    Parameters
    ----------
    root, notebook : Path
    data : str
        Identifies the data: the edition and its digest.
    code : Code, optional
        Of the project; a build hands on one for all its chapters, so that each file is read once.
    guards : bool
        Whether that counts which holds its results and makes none of them: its bands, asserts and claims.
    """
    code = code or project_code(root)
    code.add(notebook.name, notebook_code(notebook, guards))
    parts = [
        data,
        platform.python_version(),
        os.environ.get("DIGITS_SEED_OFFSET", "0"),
        locked_packages(root),
        code.digest(notebook.name),
        recordings_read(root, code, code.reached(notebook.name)),
        bands_of(root, notebook.stem) if guards else "",
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def quoting_pages(sources, changed):
    """Return the pages among ``sources`` (docname -> text) that quote a glued number of a page in ``changed``."""
    changed = set(changed)
    return {
        page for page, text in sources.items() if changed & {target.lstrip("/") for target in QUOTED_PAGE.findall(text)}
    }


def own_extensions(root):
    """Return the Sphinx extensions of ours that _config.yml names."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return [name for name in config["sphinx"]["extra_extensions"] if name.startswith("tools.")]


def look_fingerprint(root):
    """Return the fingerprint of what every page is dressed in: styles, scripts, pictures, templates, and the code of the extensions.

    Sphinx copies static files only when it writes a page, so an edit of a style sheet alone would not reach the site. A tool
    that the build does not use counts for nothing.
    """
    digest = hashlib.sha256(project_code(root).digest(*own_extensions(root)).encode())
    for folder in DRESS:
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and "node_modules" not in str(file.relative_to(root)):
                digest.update(file.relative_to(root).as_posix().encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
