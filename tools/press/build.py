"""A build settles the data once, keeps every page fresh, and says on each page which edition it is.

It works the same under ``make book`` and under a plain ``jupyter-book build .``.
"""

import json
import os
from pathlib import Path

from myst_nb.core.render import load_mime_renders
from sphinx.errors import ExtensionError

from tools.press import freshness, kernel
from tools.press.state import kept

BANNER = (
    "Sample edition: this build had no access to all of MNIST and was made from 5,000 of its images. "
    "Recorded results on the full data are marked as such."
)


def require_renderer():
    """Stop with the cure where the environment is older than pyproject.toml: figures would be left out of the pages."""
    if not any(getattr(plugin, "__name__", "") == "FigureRenderer" for plugin in load_mime_renders()):
        raise ExtensionError(
            "MyST-NB does not know the book's renderer of figures (an entry point of the project's editable install): "
            "install the book again, with `make env` or `pip install -e .`"
        )


def settle(build, app, config):
    """Decide on the data before any chapter runs, so that one build asks the network at most once."""
    from helpers.data import data_fingerprint, settle_edition

    require_renderer()
    os.environ["DIGITS_BUILD"] = "1"  # no progress bars on a page
    os.environ["IPYTHONDIR"] = str(kernel.write_profile(Path(app.outdir).parent / "ipython"))  # figures for dark pages
    digits = settle_edition()
    build.edition, build.data = digits.edition, f"{data_fingerprint()} {kernel.digest()}"
    if digits.edition == "sample":
        config.html_theme_options = {**config.html_theme_options, "announcement": BANNER}


def notebooks(env):
    """Return docname -> path of every notebook of the book."""
    paths = {doc: Path(env.doc2path(doc)) for doc in env.found_docs}
    return {doc: path for doc, path in paths.items() if path.suffix == ".ipynb"}


def outdated(build, app, env, added, changed, removed):
    """Have read again what an edit elsewhere could change: chapters by their fingerprint, pages that quote them, and all pages
    when their look changed."""
    root = Path(app.srcdir)
    look = freshness.look_fingerprint(root)
    dressed = kept(env).get("look") == look
    now = {doc: freshness.fingerprint(root, path, build.data) for doc, path in notebooks(env).items()}
    before = kept(env).get("fingerprints", {})
    stale = {doc for doc, value in now.items() if before.get(doc) != value}
    kept(env).update(look=look, fingerprints=now)
    sources = {doc: Path(env.doc2path(doc)).read_text(encoding="utf-8") for doc in env.found_docs}
    again = stale | set(changed)
    if not dressed:
        return sorted(set(env.found_docs) - set(added) - set(changed))
    return sorted((stale | freshness.quoting_pages(sources, again | set(added))) - set(added) - set(changed))


def stamp(app, docname, source):
    """Put the fingerprint into the notebook's kernelspec, which jupyter-cache counts into its key."""
    value = kept(app.env).get("fingerprints", {}).get(docname)
    if value:
        notebook = json.loads(source[0])
        notebook["metadata"].setdefault("kernelspec", {"name": "python3", "display_name": "Python 3"})[
            "fingerprint"
        ] = value
        source[0] = json.dumps(notebook)


def record_times(build, app, exception):
    """Leave the edition and each chapter's running time beside the site, for the report that make book prints."""
    if exception is not None or app.builder.name != "html":
        return
    from myst_nb.sphinx_ import NbMetadataCollector

    times = {}
    for doc in notebooks(app.env):
        data = NbMetadataCollector.get_exec_data(app.env, doc)
        times[doc] = data["runtime"] if data else None
    content = {"edition": build.edition, "seconds": times}
    (Path(app.outdir).parent / "chapters.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
