"""How the pages show a figure made for both modes: MyST-NB's renderer of its MIME type, and the node that Sphinx writes.

Pages know how to write both nodes; other builders take the PNG among the cell's outputs.
"""

import hashlib
import math
import posixpath
import re
from base64 import b64decode
from html import escape
from urllib.parse import quote

from docutils import nodes
from myst_nb.core.render import load_mime_renders
from sphinx.errors import ExtensionError

from tools.press.dark_figures import MIME_TYPE

#: Letters are never shown smaller than this, in CSS pixels: a wide figure scrolls on a narrow screen instead.
SMALLEST_TEXT = 9
#: Width of a figure on a phone, in CSS pixels: a screen of 390 without its margins.
PHONE = 358


class page_figure(nodes.image):
    """One version of a figure: an image of known size, light or dark. (docutils writes the names of nodes small.)"""


class page_figure_pair(nodes.General, nodes.Element):
    """Both versions of a figure, light first."""


class FigureRenderer:
    """MyST-NB's plugin for :data:`tools.press.dark_figures.MIME_TYPE`."""

    mime_priority_overrides = [("html", MIME_TYPE, 1)]

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Write both versions as files, named after their content, and return the node that shows them.

        Returns None for every other MIME type, which leaves it to MyST-NB.
        """
        if data.mime_type != MIME_TYPE:
            return None
        figure = data.content
        options = renderer.renderer.get_cell_level_config("render_image_options", data.cell_metadata, line=data.line)
        width, height = shown_size(figure["width"], figure["height"], options.get("width"))
        least = 0 if figure["text"] is None else math.ceil(figure["width"] * SMALLEST_TEXT / figure["text"])
        pair = page_figure_pair(least=min(least, width), label=options.get("alt", ""))
        for mode in ("light", "dark"):
            content = b64decode(figure[mode])
            name = f"{hashlib.sha256(content).hexdigest()[:20]}.webp"
            uri = renderer.write_file([name], content, overwrite=False, exists_ok=True)
            # not "width" and "height": Sphinx would wrap an image that has these in a link to itself
            pair += page_figure(uri=uri, alt=options.get("alt", ""), size=(width, height), classes=[f"only-{mode}"])
        return [pair]


def add_renderer():
    """Have MyST-NB know the renderer.

    It looks for plugins among the entry points of what is installed, and keeps the list that it found: ours is put into that
    list. An entry point of the project itself would name the tools to readers, who do not have them.
    """
    if FigureRenderer not in load_mime_renders():
        load_mime_renders().append(FigureRenderer)
    if FigureRenderer not in load_mime_renders():
        raise ExtensionError(
            "This version of MyST-NB does not keep its list of renderers, so that figures would be left out of the pages: "
            "install the version that requirements.txt names"
        )


def shown_size(width, height, wanted=None):
    """Return width and height on the page in whole CSS pixels, narrowed to what the cell asks for ("560px")."""
    asked = re.fullmatch(r"(\d+)(?:px)?", str(wanted or ""))
    if wanted and not asked:
        raise ValueError(
            f"a figure cannot be {wanted!r} wide: give pixels, as in 560px, or leave mystnb.image.width out"
        )
    if asked and int(asked[1]) < width:
        return int(asked[1]), round(height * int(asked[1]) / width)
    return width, height


def visit_pair(self, node):
    """Open the block around both versions; it scrolls, and can be reached by keyboard, where letters would get too small."""
    attributes = {"class": "page-figure"}
    if node["least"] > PHONE:
        attributes |= {"class": "page-figure wide-figure", "tabindex": "0", "role": "group"}
        attributes |= {"aria-label": "Figure; scrolls sideways on a narrow screen"}
        attributes |= {"style": f"--least-width: {node['least']}px"}
    self.body.append("<div " + " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items()) + ">")


def depart_pair(self, node):
    """Close the block."""
    self.body.append("</div>\n")


def visit_figure_image(self, node):
    """Write one version, with its size, so that the page does not jump; a version that is not shown is never fetched."""
    uri = node["uri"]
    if uri in self.builder.images:
        uri = posixpath.join(self.builder.imgpath, quote(self.builder.images[uri]))
    width, height = node["size"]
    self.body.append(
        f'<img class="{" ".join(node["classes"])}" src="{escape(uri)}" alt="{escape(node["alt"])}" '
        f'width="{width}" height="{height}" loading="lazy" decoding="async"/>'
    )


def depart_figure_image(self, node):
    """Nothing: an image is written whole."""
