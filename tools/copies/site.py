"""Handlers of Sphinx's events: every build writes the chapters' copies, their wheel and their archive into ``_build/html/notebooks/``.

The pages' download buttons lead to the copies, and their launch buttons to the repository, once it has an address.
"""

import json
from pathlib import Path

import nbformat

from tools.copies.markdown import Facts
from tools.copies.notebook import portable
from tools.copies.wheel import ARCHIVE, build_wheel, has_wheel, wheel_digest, write_archive
from tools.press import address

FOLDER = "notebooks"  # within the site


def facts_of(app):
    """Gather from Sphinx's environment what the copies say."""
    from docutils.nodes import make_id
    from pybtex.database import parse_file

    env, root, facts = app.env, Path(app.srcdir), Facts()
    standard, numbers = env.get_domain("std"), {}
    for tables in env.toc_fignumbers.values():
        for kind, table in tables.items():
            numbers |= {(kind, anchor): ".".join(map(str, number)) for anchor, number in table.items()}
    # A label is what the source says; its anchor is what docutils makes of it (fig_one: fig-one).
    for label, (_doc, anchor) in standard.anonlabels.items():
        for kind, table in (("figure", facts.figures), ("exercise", facts.exercises)):
            if (kind, anchor) in numbers:
                table[label] = numbers[kind, anchor]
    for label in env.get_domain("math").equations:
        facts.equations[label] = numbers["displaymath", f"equation-{make_id(label)}"]
    facts.titles = {doc: title.astext() for doc, title in env.titles.items()}
    facts.terms = {name.lower(): place for (kind, name), place in standard.objects.items() if kind == "term"}
    facts.labels = {label: (doc, anchor, str(title)) for label, (doc, anchor, title) in standard.labels.items()}
    for doc in env.titles:
        glued = Path(env.mystnb_config.output_folder, *doc.split("/")).with_suffix(".glue.json")
        if glued.is_file():
            content = json.loads(glued.read_text(encoding="utf-8"))
            facts.quoted[doc] = {name: plain_value(one["data"].get("text/plain", "")) for name, one in content.items()}
    for name in app.config.bibtex_bibfiles:
        if (root / name).is_file():
            facts.entries |= dict(parse_file(str(root / name)).entries)
    facts.site, facts.book, facts.root = address.site(root), app.config.html_title, root
    return facts


def plain_value(text):
    """The number that a glued text stands for, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text.strip("'\"")


def chapters_of(env):
    """{docname: the copy's file name} of the notebooks, in the order of the table of contents."""
    from tools.press.check_site import pages_of_toc

    docs = [doc for doc in pages_of_toc(Path(env.srcdir)) if str(env.doc2path(doc)).endswith(".ipynb")]
    return {doc: f"{doc.rsplit('/', 1)[-1]}.ipynb" for doc in docs}


def write_copies(app, exception):
    """At the end of a build: the copies, the wheel (if the project has what it takes) and the archive."""
    if exception is not None or app.builder.name != "html":
        return
    folder, root, names, facts = Path(app.outdir, FOLDER), Path(app.srcdir), chapters_of(app.env), facts_of(app)
    folder.mkdir(parents=True, exist_ok=True)
    for doc, name in names.items():
        notebook = nbformat.read(app.env.doc2path(doc), as_version=4)
        (folder / name).write_text(nbformat.writes(portable(notebook, facts, doc)) + "\n", encoding="utf-8")
    for stale in set(folder.glob("*.ipynb")) - {folder / name for name in names.values()}:
        stale.unlink()
    if not has_wheel(root):
        return
    stamp, now = Path(app.doctreedir, "wheel.digest"), wheel_digest(root)
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1 or not stamp.is_file() or stamp.read_text() != now:
        for stale in wheels:
            stale.unlink()
        wheels = [build_wheel(root, folder)]
        stamp.write_text(now)
    write_archive(folder, names, facts, wheels[0])


def point_buttons(app, pagename, templatename, context, doctree):
    """The download button of a chapter's page leads to its copy, the Colab button to the copy on the copies' branch."""
    name = chapters_of(app.env).get(pagename) if doctree is not None else None
    if not name:
        return
    for group in context.get("header_buttons", []):
        buttons = group.get("buttons", [])
        for button in buttons:
            if button.get("label") == "download-source-button":
                button.update(
                    url=context["pathto"](f"{FOLDER}/{name}", 1), tooltip="Download this chapter as a notebook"
                )
                if has_wheel(app.srcdir):
                    archive = {
                        "type": "link",
                        "url": context["pathto"](f"{FOLDER}/{ARCHIVE}", 1),
                        "text": "all (.zip)",
                        "icon": "fas fa-file-archive",
                        "tooltip": "Download all chapters as notebooks, with what they need",
                        "label": "download-all-button",
                    }
                    buttons.insert(buttons.index(button) + 1, archive)
                break
        for button in buttons:
            if button.get("text") == "Colab":
                button["url"] = colab_address(name, app.srcdir)


def colab_address(name, root=None):
    """The address that opens a chapter's copy (its file name) in Google Colab; None without an address."""
    repository = address.repository(root)
    if not repository:
        return None
    path = repository.removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{path}/blob/{address.copies_branch(root)}/{name}"


def use_address(app, config):
    """Give the theme the repository's address, if there is one: repository, issue and launch buttons follow from it."""
    repository = address.repository(app.srcdir)
    if repository:
        config.html_theme_options = {
            **config.html_theme_options,
            "repository_url": repository,
            "repository_branch": address.branch(app.srcdir),
            "use_repository_button": True,
            "use_issues_button": True,
            "launch_buttons": {
                "colab_url": "https://colab.research.google.com",
                "binderhub_url": "https://mybinder.org",
                "notebook_interface": "jupyterlab",
            },
        }
