"""Finish the site: one small style sheet and one script for all pages, no icon set, and nothing left that no page uses.

The templates (_templates) have each page load ``_static/site.css``, ``_static/math.css`` where formulas
are, and ``_static/site.js``; when Sphinx has written all pages, ``finish`` makes these files from what the theme and the extensions
brought, leaves out what no page and no script names, and deletes the originals, which Sphinx brings again at its next build.
``python -m tools.press.finish_site [_build/html]`` does the last step by itself; done twice, it changes nothing.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging

from tools.press import node_tools

logger = logging.getLogger(__name__)
PLAN = "site_parts.json"  # beside the site: what the theme and the extensions load on every page
THEME_STYLES = ["styles/theme.css", "styles/pydata-sphinx-theme.css"]  # named in the theme's templates, not registered
MADE = ("site.css", "math.css", "site.js")
# Not loaded: code cells that run on a server elsewhere; a script for formulas that are there already.
UNWANTED = re.compile(r"thebe|mathjax", re.I)


class UnfinishedError(Exception):
    """The site cannot be finished; the message names the file, the fault and the cure."""


def _code(asset):
    """Return what a registered script or style sheet is: its file's name below _static, or the code itself."""
    return str(asset.filename or "").removeprefix("_static/") or str(asset.attributes.get("body", ""))


def note_parts(build, app, pagename, templatename, context, doctree):
    """Note what every page loads, before a handler adds something to one page."""
    if app.builder.format != "html" or build.parts:
        return
    styles = sorted(dict.fromkeys(context["css_files"]), key=lambda asset: asset.priority)
    scripts = sorted(dict.fromkeys(context["script_files"]), key=lambda asset: asset.priority)
    build.parts = {
        "styles": THEME_STYLES + list(dict.fromkeys(_code(asset) for asset in styles)),
        "scripts": [
            {"path": name} if file else {"body": name}
            for name, file in dict.fromkeys((_code(asset), bool(asset.filename)) for asset in scripts)
        ],
    }
    # Lines of settings come before the scripts that read them: these do so at once, where the page is complete already.
    build.parts["scripts"].sort(key=lambda part: "path" in part and part["path"] != "documentation_options.js")
    for kind in build.parts:
        build.parts[kind] = [part for part in build.parts[kind] if not UNWANTED.search(str(part))]
    build.shared = {_code(asset) for asset in [*styles, *scripts]}


def choose_parts(build, app, pagename, templatename, context, doctree):
    """Leave to a page what it alone loads; the rest is in site.css and site.js."""
    if app.builder.format != "html":
        return
    for kind in ("css_files", "script_files"):
        own = [asset for asset in dict.fromkeys(context[kind]) if _code(asset) not in build.shared]
        # The theme adds the page's name and a switch for a search as one types, in code that would run before site.js.
        own = [asset for asset in own if not _code(asset).startswith("DOCUMENTATION_OPTIONS.")]
        own = [asset for asset in own if not UNWANTED.search(_code(asset))]
        for asset in own:
            if asset.filename and re.match(r"(?:[a-z]+:)?//", str(asset.filename)):
                logger.warning(
                    "%s loads %s from another host. Serve the file from _static instead.", pagename, asset.filename
                )
        context[kind] = own
    context["has_formulas"] = 'class="katex' in context.get("body", "")


def _read(path):
    return path.read_text(encoding="utf-8")


def _local_file(static, name):
    path = static / name
    if not path.is_file():
        raise UnfinishedError(
            f"The pages load _static/{name}, which does not exist: put it into _static, or take its name out of html_css_files or "
            "html_js_files in _config.yml."
        )
    return str(path)


def bundle(html, parts):
    """Write site.css, math.css and site.js into ``html/_static`` from ``parts``, as ``note_parts`` makes them.

    Raises UnfinishedError where a file is missing, NodeError where Node.js or npm fails.
    """
    static = html / "_static"
    modules = node_tools.install()
    used = {part["path"] for part in parts["scripts"] if "path" in part}
    loaded = set()
    for page in html.rglob("*.html"):
        loaded |= set(re.findall(r'src="[^"]*?_static/([^"?]+\.js)', _read(page)))
    loaded |= {path.relative_to(static).as_posix() for path in static.rglob("*.js") if "styles" not in path.parts}
    # The theme's file of Bootstrap names every class that Bootstrap has; its icon script every icon.
    loaded -= {"site.js", "scripts/bootstrap.js", "scripts/fontawesome.js", "sphinx-thebe.js"}
    files = [_local_file(static, part["path"]) if "path" in part else None for part in parts["scripts"]]
    script = [
        {"path": file} if file else {"body": part["body"]} for file, part in zip(files, parts["scripts"], strict=True)
    ]
    script += [
        {"bundle": str(node_tools.SITE / "start.js")},
        {"path": _local_file(static, "scripts/pydata-sphinx-theme.js")},
    ]
    answer = node_tools.run(
        "bundle.cjs",
        {
            "pages": sorted(str(page) for page in html.rglob("*.html")),
            "scripts": sorted(str(static / name) for name in loaded | used if (static / name).is_file()),
            "styles": {
                "site.css": [_local_file(static, name) for name in parts["styles"]],
                "math.css": [str(modules / "katex" / "dist" / "katex.min.css")],
            },
            "script": script,
            "folder": str(static),
        },
    )
    for name, text in {**answer["styles"], "site.js": answer["script"]}.items():
        (static / name).write_text(text, encoding="utf-8")


def stamp(html):
    """Put a hash of each made file behind its name in the pages, so that a browser fetches it again when it changed."""
    for name in MADE:
        value = hashlib.sha256((html / "_static" / name).read_bytes()).hexdigest()[:8]
        link = re.compile(rf'(_static/{re.escape(name)})(?:\?v=[0-9a-f]+)?"')
        for page in html.rglob("*.html"):
            text = _read(page)
            stamped = link.sub(rf'\1?v={value}"', text)
            if stamped != text:
                page.write_text(stamped, encoding="utf-8")


def drop_unused(html, own):
    """Delete from ``html/_static`` what no page, script or style sheet names; ``own`` are the book's own files, which stay.

    Returns the deleted paths, relative to ``html/_static``.
    """
    static = html / "_static"
    texts = [_read(page) for page in html.rglob("*.html") if static not in page.parents]
    texts += [_read(static / name) for name in MADE if name.endswith(".css")]
    texts += [_read(static / name) for name in own if name.endswith((".css", ".js")) and (static / name).is_file()]
    named = set(re.findall(r"[/\"'(]([\w.@-]+\.[a-z0-9]+)(?=[\"'?#)])", "\n".join(texts)))
    gone = []
    for path in sorted(static.rglob("*"), reverse=True):
        name = path.relative_to(static).as_posix()
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif name not in own and path.name not in MADE and path.name not in named:
            path.unlink()
            gone.append(name)
    return gone


def finish(html, parts, own=()):
    """Finish the site in the folder ``html``; ``own`` are paths below _static that stay as they are.

    ``parts`` is what ``note_parts`` found: {"styles": [names], "scripts": [{"path": name} or {"body": code}]}. Does nothing when the
    originals are gone, which means that this was done. Raises UnfinishedError or NodeError.
    """
    html = Path(html).resolve()
    static = html / "_static"
    if all((static / name).is_file() for name in MADE) and not (static / THEME_STYLES[-1]).is_file():
        return
    bundle(html, parts)
    stamp(html)
    # What stands in the made files is not needed beside them, the book's own style sheets included.
    drop_unused(html, set(own) - set(parts["styles"]) - {part.get("path") for part in parts["scripts"]})


def drop_thebe(app, doctree, docname):
    """Take out of a page what sphinx-thebe, which Jupyter Book always loads, puts there for cells that run on a server elsewhere."""
    for node in list(doctree.findall(nodes.raw)):
        if "text/x-thebe-config" in node.astext() or node.astext().startswith("<script>kernelName ="):
            node.parent.remove(node)


def install_packages(app):
    """Fetch the packages from npm now: a chapter takes minutes to run, and a fault here should show before."""
    if app.builder.format == "html":
        try:
            node_tools.install()
        except node_tools.NodeError as error:
            raise ExtensionError(str(error)) from error


def finish_build(build, app, exception):
    """Finish what Sphinx has written."""
    if exception is not None or app.builder.format != "html" or not build.parts:
        return
    source = Path(app.srcdir) / "_static"
    own = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
    plan = Path(app.outdir).parent / PLAN
    plan.write_text(json.dumps({**build.parts, "own": own}), encoding="utf-8")
    try:
        finish(app.outdir, build.parts, own)
    except (UnfinishedError, node_tools.NodeError) as error:
        raise ExtensionError(f"The site was not finished. {error}") from error


def main(arguments):
    """Finish the site of the last build again; returns the exit status."""
    html = Path(arguments[0] if arguments else Path(__file__).resolve().parents[2] / "_build" / "html")
    try:
        plan = json.loads(_read(html.parent / PLAN))
        finish(html, plan, plan.pop("own"))
    except (OSError, ValueError):
        print(f"{html.parent / PLAN} is missing or damaged: build the book first (make book)", file=sys.stderr)
        return 1
    except (UnfinishedError, node_tools.NodeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
