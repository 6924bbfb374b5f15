"""A second version of each figure for dark pages: the same Matplotlib figure, drawn once more in colours for a dark ground.

Each colour keeps its hue and, on the dark ground, the contrast that it had on white; the book's palette has counterparts of its own,
because colours that differ well on white need not on black. Nothing here is needed to read a chapter: only the build of the pages asks for it.
"""

from base64 import b64encode
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from coloraide import Color
from matplotlib.backend_bases import MouseEvent
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection, QuadMesh
from matplotlib.colors import ListedColormap, to_hex, to_rgb, to_rgba, to_rgba_array
from matplotlib.contour import ContourSet
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.table import Cell
from matplotlib.text import Annotation, Text

#: The page's ground in dark mode (sphinx-book-theme's), and the lightest ink on it.
GROUND, INK = "#121212", "#EBEBEB"
#: The palette of helpers.plots and its counterparts on the dark ground: found by a search for the largest least distance between any
#: two of them (and the ink), as seen by eyes with and without red, green or blue cones, at a contrast of 4.5 or more and of similar hue.
DARK = {
    "#0072b2": "#4E81D7",
    "#d55e00": "#D26216",
    "#009e73": "#30BC70",
    "#cc79a7": "#ED96BB",
    "#56b4e9": "#08D3FE",
    "#e69f00": "#F6D112",
}
#: What a figure made for both modes is called among a cell's outputs: JSON with "light" and "dark" (WebP in base64), "width" and
#: "height" (on the page, in CSS pixels) and "text" (height of the smallest letters at that width, in CSS pixels).
MIME_TYPE = "application/vnd.digits.figure+json"
#: Pixels on the page for an inch of a figure, and pixels of the picture for each of those: sharp on a phone's screen.
PAGE_DPI, DENSITY = 100, 2


def as_seen(colour):
    """Return a colour of Matplotlib as one of ColorAide; transparency is left out."""
    return Color("srgb", to_rgb(colour))


def contrast(one, other):
    """Return the contrast of two colours of Matplotlib, 1 to 21 (WCAG 2)."""
    return as_seen(one).contrast(as_seen(other), method="wcag21")


def contrast_on_dark(on_white):
    """Return the contrast that a colour gets on the dark ground for the one that it has on white, 1 to 21.

    The same where letters need it (4.5) and below; above that, what is left up to the lightest ink is shared out.
    """
    most, kept = contrast(INK, GROUND), 5
    if on_white <= kept:
        return on_white
    return kept * (most / kept) ** (np.log(on_white / kept) / np.log(21 / kept))


def shown(lightness, tint):
    """Return a colour of OKLab, its lightness and tint (two numbers), in sRGB; one that no screen can show is paled until it can."""
    return Color("oklab", [lightness, *tint]).convert("srgb").fit(method="raytrace")


@lru_cache(maxsize=4096)
def turn(red, green, blue):
    """Return the counterpart of an opaque colour: its hue, and the contrast on the dark ground that it had on white."""
    counterpart = DARK.get(to_hex((red, green, blue)))
    if counterpart:
        return to_rgb(counterpart)
    on_white = contrast("white", (red, green, blue))
    wanted = contrast_on_dark(on_white) * (as_seen(GROUND).luminance() + 0.05) - 0.05
    tint = (
        as_seen((red, green, blue)).convert("oklab").coords()[1:]
    )  # green to red, blue to yellow: spaced as the eye sees them
    low, high = 0.0, 1.0
    for _ in range(14):
        middle = (low + high) / 2
        if shown(middle, tint).luminance() < wanted:
            low = middle
        else:
            high = middle
    return tuple(shown(high, tint).coords())


def on_dark(colour):
    """Return the counterpart of a colour on the dark ground, as RGBA: white becomes the ground, black the ink.

    Transparency stays, and so does a colour that cannot be seen.
    """
    red, green, blue, alpha = map(float, to_rgba(colour))
    return (*turn(red, green, blue), alpha) if alpha else (red, green, blue, alpha)


def starts_on_paper(cmap):
    """Say whether a colour map runs from (nearly) white to something darker: ink on paper, which has to be turned round."""
    first, last = cmap(0.0)[:3], cmap(1.0)[:3]
    return min(first) > 0.9 and min(last) < 0.9


def turned(cmap):
    """Return a colour map with each colour replaced by its counterpart on the dark ground."""
    count = min(cmap.N, 256)
    return ListedColormap([on_dark(colour) for colour in cmap(np.linspace(0, 1, count))], name=f"{cmap.name} on dark")


def change_map(artist, cmap):
    """Give an artist another colour map, and its colour bar too (which misses the news in a figure that was pickled)."""
    artist.set_cmap(cmap)
    if artist.colorbar is not None:
        artist.colorbar.update_normal(artist)


def parts(fig):
    """Return every artist of a figure, with those that Matplotlib does not count among an artist's children."""
    found = []
    for artist in fig.findobj():
        found.append(artist)
        if isinstance(artist, Cell):
            found.append(artist.get_text())
        if isinstance(artist, Annotation) and artist.arrow_patch is not None:
            found.append(artist.arrow_patch)
        if isinstance(artist, Text) and artist.get_bbox_patch() is not None:
            found.append(artist.get_bbox_patch())
    return found


def mapped(artist):
    """Say whether an artist gets its colours from numbers through a colour map."""
    return isinstance(artist, ScalarMappable) and artist.get_array() is not None


def recolour(artist):
    """Give one artist its colours for the dark ground; what a colour map colours is left to it."""
    if isinstance(artist, Text):
        artist.set_color(on_dark(artist.get_color()))
    elif isinstance(artist, Line2D):
        colours = {
            name: getattr(artist, f"get_{name}")()
            for name in ("color", "markerfacecolor", "markeredgecolor", "markerfacecoloralt", "gapcolor")
        }
        for name, colour in colours.items():
            if colour is not None:
                getattr(artist, f"set_{name}")(on_dark(colour))
    elif isinstance(artist, Patch):
        colours = {name: getattr(artist, f"get_{name}")() for name in ("facecolor", "edgecolor", "hatchcolor")}
        for name, colour in colours.items():
            getattr(artist, f"set_{name}")(on_dark(colour))
    elif isinstance(artist, Collection):
        names = ("edgecolor", "hatchcolor") if mapped(artist) else ("facecolor", "edgecolor", "hatchcolor")
        if mapped(artist) and not np.any(artist.get_facecolor()[..., 3:]):
            names = ()  # lines of a contour plot: their edges come from the colour map
        colours = {name: to_rgba_array(getattr(artist, f"get_{name}")()) for name in names}
        for name, values in colours.items():
            if len(values):
                getattr(artist, f"set_{name}")([on_dark(value) for value in values])


def letters_on(picture):
    """Yield each text on a picture that has been turned round whose colour does not stand out from what is behind it, and one
    that does."""
    fig = picture.get_figure(root=True)
    for text in picture.axes.texts:
        x, y = text.get_transform().transform(text.get_unitless_position())
        value = picture.get_cursor_data(MouseEvent("motion_notify_event", fig.canvas, x, y))
        if value is not None and np.size(value) == 1:
            behind = picture.to_rgba(np.ravel(value))[0]
            if contrast(text.get_color(), behind) < 4.5:
                yield text, max((GROUND, INK), key=lambda ink: contrast(ink, behind))


@contextmanager
def dark(fig):
    """Inside this context a figure that has been drawn has its colours for the dark ground; afterwards its own again."""
    # Matplotlib's setters put new values in place of old ones, so that a shallow copy of the attributes brings the old ones back.
    saved = [(artist, dict(vars(artist))) for artist in parts(fig)]
    pictures = [artist for artist in parts(fig) if mapped(artist)]
    bars = {artist.colorbar.solids for artist in pictures if artist.colorbar is not None}
    maps, stay = [], set()
    for artist in pictures:
        if artist in bars:
            continue
        if isinstance(artist, ContourSet) and artist.colors is not None:
            maps.append((artist, artist.cmap))
            if getattr(artist, "labelMappable", None) is artist:
                stay.update(artist.labelTexts)  # they follow the lines
        elif starts_on_paper(artist.cmap):
            maps.append((artist, artist.cmap))
        elif isinstance(artist, AxesImage | QuadMesh):
            stay.update(artist.axes.texts)  # chosen for the colours of a picture that stays as it is
    try:
        for artist, cmap in maps:
            change_map(artist, turned(cmap))
        fig.set_layout_engine("none")  # both versions agree to the pixel
        for artist in parts(fig):
            if artist not in stay:
                recolour(artist)
        for artist, _ in maps:
            if isinstance(artist, AxesImage | QuadMesh):
                for text, ink in letters_on(artist):
                    text.set_color(ink)
        yield fig
    finally:
        for artist, cmap in maps:
            change_map(artist, cmap)
        for artist, attributes in saved:
            vars(artist).clear()
            vars(artist).update(attributes)


def smallest_text(fig):
    """Return the size in points of the smallest letters that a figure shows (infinite where it shows none)."""
    texts = [artist for artist in parts(fig) if isinstance(artist, Text) and artist.get_visible()]
    return min((text.get_fontsize() for text in texts if text.get_text().strip()), default=float("inf"))


def both_versions(fig):
    """Return a figure's outputs for the pages: ``{MIME_TYPE: {"light": ..., "dark": ..., "width": ..., ...}}``.

    A figure without axes gives nothing, as it does in a notebook.
    """
    from io import BytesIO

    from IPython.core.pylabtools import print_figure
    from PIL import Image

    def picture():
        return print_figure(fig, fmt="webp", dpi=PAGE_DPI * DENSITY, pil_kwargs={"lossless": True, "method": 4})

    light = picture()
    if light is None:
        return {}
    with dark(fig):
        dimmed = picture()
    width, height = (round(pixels / DENSITY) for pixels in Image.open(BytesIO(light)).size)
    text = smallest_text(fig) * PAGE_DPI / 72
    content = {"light": b64encode(light).decode(), "dark": b64encode(dimmed).decode(), "width": width, "height": height}
    return {MIME_TYPE: content | {"text": round(text, 2) if np.isfinite(text) else None}}
