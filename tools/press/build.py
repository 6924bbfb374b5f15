"""A build settles the data once, keeps every page fresh, and says on each page which edition it is.

It works the same under ``make book`` and under a plain ``jupyter-book build .``.
"""

import json
import os
from pathlib import Path

from tools.guards import kernel as guards
from tools.press import freshness, kernel
from tools.press.state import kept

BANNER = (
    "Sample edition: this build had no access to all of MNIST and was made from 5,000 of its images. "
    "Recorded results on the full data are marked as such."
)


def settle(build, app, config):
    """Decide on the data before any chapter runs, so that one build asks the network at most once."""
    from helpers.data import data_fingerprint, settle_edition

    os.environ["DIGITS_BUILD"] = "1"  # no progress bars on a page
    profile = guards.write_profile(
        Path(app.outdir).parent / "ipython", "tools.press.kernel"
    )  # bands; figures for dark pages
    os.environ["IPYTHONDIR"] = str(profile)
    digits = settle_edition()
    code = freshness.project_code(Path(app.srcdir))
    build.edition, build.data = digits.edition, f"{data_fingerprint()} {kernel.digest(code)} {guards.digest(code)}"
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
    code = freshness.project_code(root)
    now = {doc: freshness.fingerprint(root, path, build.data, code) for doc, path in notebooks(env).items()}
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
