"""The book's one Sphinx extension: every node, renderer, style and event is registered here, and nowhere else.

The modules that it names keep functions only. What they have to tell one another goes through ``tools.press.state``.
"""

from functools import partial

from docutils import nodes
from pybtex.plugin import register_plugin

from tools.copies import site
from tools.draw import page
from tools.press import (
    accessible,
    bibliography_labels,
    build,
    build_time_math,
    finish_site,
    page_figures,
    page_meta,
    state,
)

# A row is an event, the priority among other extensions' handlers (500 is Sphinx's own default; lower comes first), and our
# handlers in the order in which they are called. Those in NEED_STATE get the build's state as their first argument.
EVENTS = (
    # Before Sphinx, at 800, checks the static folders and turns the names of styles and scripts into its own form.
    ("config-inited", 500, (page.write, page.write_networks, build_time_math.choose)),
    # When the contents are known. The edition first: the footer names it, and its banner is an option of the theme, to which
    # the others add.
    ("config-inited", 900, (build.settle, page_meta.describe_build, site.use_address)),
    # Before anything runs for minutes: what fails without network fails now. Formulas need the packages.
    ("builder-inited", 100, (finish_site.install_packages, build_time_math.begin)),
    # Each says by itself which pages are read again. The first leaves the fingerprints that build.stamp reads.
    ("env-get-outdated", 500, (build.outdated, page.outdated)),
    # Before anybody parses the notebook: jupyter-cache counts what is stamped into its key.
    ("source-read", 100, (build.stamp,)),
    # After sphinx-thebe, at 500, has put in what is dropped here.
    ("doctree-resolved", 900, (accessible.mend_outputs, finish_site.drop_thebe)),
    # First of all: what is there now is on every page; what comes later is for one page.
    ("html-page-context", 1, (finish_site.note_parts,)),
    # Before sphinxext-opengraph, at 500, reads what a page says of itself.
    ("html-page-context", 400, (page_meta.add_head,)),
    ("html-page-context", 500, (page.bring,)),
    # After the theme has made its buttons (501), and after everybody has added scripts and styles.
    ("html-page-context", 900, (page_meta.finish_head, site.point_buttons, finish_site.choose_parts)),
    # Node.js is ended whatever happened. Last the site is finished, when everybody's pages and files are there.
    (
        "build-finished",
        900,
        (
            build_time_math.end,
            build.record_times,
            page_meta.write_files,
            site.write_copies,
            finish_site.finish_build,
        ),
    ),
)
NEED_STATE = {
    build.settle,
    build.outdated,
    build.record_times,
    page_meta.describe_build,
    build_time_math.begin,
    build_time_math.end,
    finish_site.note_parts,
    finish_site.choose_parts,
    finish_site.finish_build,
}


def connect(app, known, modules=None):
    """Connect the handlers of EVENTS (only those of the named ``modules``, if given) with the build's state ``known``."""
    for event, priority, handlers in EVENTS:
        for handler in handlers:
            if modules is None or handler.__module__ in modules:
                # Sphinx calls handlers of one priority in the order in which they were connected.
                app.connect(event, partial(handler, known) if handler in NEED_STATE else handler, priority=priority)


def add_renderers(app, known):
    """Register what writes pages: formulas, figures for both modes, entries of the references."""
    visits = (build_time_math.visit_inline, build_time_math.visit_display)
    app.add_html_math_renderer("build_time", *((partial(visit, known), None) for visit in visits))
    page_figures.add_renderer()
    app.add_node(page_figures.page_figure_pair, html=(page_figures.visit_pair, page_figures.depart_pair))
    app.add_node(page_figures.page_figure, html=(page_figures.visit_figure_image, page_figures.depart_figure_image))
    app.add_node(nodes.citation, override=True, html=(accessible.visit_citation, accessible.depart_citation))
    register_plugin("pybtex.style.formatting", "author_year_list", bibliography_labels.AuthorYearList)


def setup(app):
    """Register with Sphinx."""
    known = state.Build()
    add_renderers(app, known)
    connect(app, known)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False, "parallel_write_safe": False}
