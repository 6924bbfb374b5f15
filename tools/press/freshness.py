"""What a chapter's results depend on, as one short fingerprint.

jupyter-cache looks at a notebook's code alone, so an edit in a helper, other data or another TensorFlow would leave old results on
the page. The fingerprint covers the rest: our modules that the chapter imports (and those that these import), the recordings it
reads and the experiments it repeats, the edition of the data, requirements.txt and the Python version.
"""

import ast
import hashlib
import json
import os
import platform
import re
from pathlib import Path

OURS = ("helpers", "experiments")
MEASUREMENT = re.compile(r"""\bmeasurement\(\s*["'](\w+)["']""")
QUOTED_PAGE = re.compile(r"glue:\w+\}`+/?([\w./-]+?)(?:\.ipynb|\.md)?::")


def module_file(root, name):
    """Return the file of one of our modules ("helpers.data"), or None."""
    base = root.joinpath(*name.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def imported_modules(code):
    """Return the names of our modules that Python ``code`` imports anywhere, packages included."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in found:
            if name.split(".")[0] in OURS:
                names.update({name, name.split(".")[0]})
    return names


def module_closure(root, code):
    """Return the files of all our modules that ``code`` imports, directly or through one another."""
    files, pending = set(), imported_modules(code)
    while pending:
        file = module_file(root, pending.pop())
        if file is None or file in files:
            continue
        files.add(file)
        pending |= imported_modules(file.read_text(encoding="utf-8"))
    return files


def notebook_code(path):
    """Return the code of a notebook's cells, IPython's magics left out."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return "\n".join(
        line for source in sources for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))
    )


def dependencies(root, notebook):
    """Return every file of the project that the notebook's results depend on, sorted."""
    code = notebook_code(notebook)
    files = module_closure(root, code)
    recordings = Path(os.environ.get("DIGITS_MEASUREMENTS") or root / "data" / "measurements")
    texts = [code] + [file.read_text(encoding="utf-8") for file in files]
    for name in {name for text in texts for name in MEASUREMENT.findall(text)}:
        recording = recordings / f"{name}.json"
        if recording.is_file():
            files.add(recording)
            module = re.search(r'"module":\s*"([\w.]+)"', recording.read_text(encoding="utf-8"))
            if module:
                files |= module_closure(root, f"import {module[1]}")
    if (root / "requirements.txt").is_file():
        files.add(root / "requirements.txt")
    return sorted(files)


def fingerprint(root, notebook, data):
    """Return the fingerprint (16 hexadecimal digits) of a notebook's surroundings.

    Parameters
    ----------
    root, notebook : Path
    data : str
        Identifies the data: the edition and its digest.
    """
    digest = hashlib.sha256(f"{data} {platform.python_version()} {os.environ.get('DIGITS_SEED_OFFSET', '0')}".encode())
    for file in dependencies(root, notebook):
        digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def quoting_pages(sources, changed):
    """Return the pages among ``sources`` (docname -> text) that quote a glued number of a page in ``changed``."""
    changed = set(changed)
    return {
        page for page, text in sources.items() if changed & {target.lstrip("/") for target in QUOTED_PAGE.findall(text)}
    }


def look_fingerprint(root):
    """Return the fingerprint of what every page is dressed in: styles, scripts, pictures, templates, and the tools that build.

    Sphinx copies static files only when it writes a page, so an edit of a style sheet alone would not reach the site.
    """
    digest = hashlib.sha256()
    for folder in ("_static", "_templates", "tools"):
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and not {"node_modules", "__pycache__"} & set(file.relative_to(root).parts):
                digest.update(file.relative_to(root).as_posix().encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
