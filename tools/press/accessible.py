"""What the writers leave to be desired for readers who listen to a page or use it by keyboard.

Tables of pandas get scopes and lose empty header cells; the list of references gets roles that are not out of date.
"""

import re

from docutils import nodes

EMPTY_HEADER = re.compile(r"<th\b([^>]*)>(?:\s|&nbsp;)*</th>")
HEADER = re.compile(r"<th\b(?![^>]*\bscope=)([^>]*)>")
SECTION = re.compile(r"(<thead\b.*?</thead>|<tbody\b.*?</tbody>)", re.S)


def mend_table(html):
    """Return a table of pandas with empty header cells as plain cells, and with a scope for every other header cell."""
    html = EMPTY_HEADER.sub(r"<td\1></td>", html).replace('<table border="1"', "<table")

    def scoped(part):
        scope = "col" if part[0].startswith("<thead") else "row"
        return HEADER.sub(rf'<th scope="{scope}"\1>', part[0])

    return SECTION.sub(scoped, html)


def mend_outputs(app, doctree, docname):
    """Mend the tables that cells put out."""
    for node in doctree.findall(nodes.raw):
        if "html" in node.get("format", "").split() and "<table" in node.astext():
            text = mend_table(node.astext())
            node.rawsource, node.children = text, [nodes.Text(text)]


def visit_citation(writer, node):
    """Open an entry of the references as an item of its list; docutils' own role for it, doc-biblioentry, is out of date."""
    type(writer).visit_citation(writer, node)
    writer.body[-1] = writer.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')


def depart_citation(writer, node):
    """Close the entry."""
    type(writer).depart_citation(writer, node)
