"""What a figure says, as text: kind and order of what it draws, its labels, scales and a few of its values.

The text is held to bands as a sentence is (tools/guards/bands.py): words exactly, numbers as runs allow. So a swapped legend, a
reversed axis, a transposed matrix or another array is noticed, while colours and sizes may be changed at will; only which of two
series has which colour is told, since a legend means nothing without it.
"""

from __future__ import annotations

import re

import numpy as np

PLACES = 4  # of a series: values told, evenly from the first to the last
IMAGES = 12  # told one by one; of more, the first ones


def facts(figure):
    """Return what a Matplotlib figure says: a line for each axes, and one for each thing drawn in it."""
    axes = [one for one in figure.axes if one.get_visible()]
    lines = [f"title {figure.get_suptitle()!r}"] if figure.get_suptitle() else []
    if len(axes) > 1 and all(_is_picture(one) for one in axes):
        lines.append(f"{len(axes)} pictures")
        lines += [f"picture {one.get_title()!r} {_image(one.images[0])}" for one in axes[:IMAGES]]
        lines.append(f"titles {[one.get_title() for one in axes]}")
        return "\n".join(lines)
    for one in axes:
        lines += _axes(one)
    return "\n".join(lines)


def _is_picture(axes):
    return len(axes.images) == 1 and not (axes.lines or axes.patches or axes.collections) and not axes.axison


def _axes(axes):
    """Yield the lines on one axes: what is written on it, then what is drawn in it, in the order of drawing."""
    about = [
        f"axes {axes.get_title()!r}",
        f"x {axes.get_xlabel()!r} {axes.get_xscale()}",
        f"y {axes.get_ylabel()!r} {axes.get_yscale()}",
    ]
    about += [f"{name} turned round" for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)) if axis.get_inverted()]
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        words = [tick.get_text() for tick in axis.get_ticklabels() if not _is_number(tick.get_text())]
        if any(words):
            about.append(f"{name} ticks {words}")
    yield ", ".join(about)
    colours = {}
    legend = axes.get_legend()
    if legend is not None:
        handles = [_colour(colours, one) for one in legend.legend_handles]
        yield f"legend {list(zip(handles, (text.get_text() for text in legend.get_texts()), strict=True))}"
    for line in axes.lines:
        x, y = (np.asarray(values, float).ravel() for values in line.get_data(orig=False))
        yield f"line {_label(line)} {_colour(colours, line)}: {len(x)} points, x {_some(x)}, y {_some(y)}"
    patches = [one for one in axes.patches if hasattr(one, "get_height")]
    if patches:
        boxes = np.array([(p.get_x() + p.get_width() / 2, p.get_y(), p.get_width(), p.get_height()) for p in patches])
        yield f"{len(boxes)} boxes: at {_some(boxes[:, 0])}, from {_some(boxes[:, 1])}, wide {_some(boxes[:, 2])}, high {_some(boxes[:, 3])}"
    for one in axes.collections:
        places = np.asarray(np.ma.filled(np.ma.asarray(one.get_offsets(), float), np.nan))
        array = one.get_array()
        if len(places) > 1 or (len(places) and array is None and not one.get_paths()):
            yield f"{type(one).__name__} {_label(one)} {_colour(colours, one)}: {len(places)} points, x {_some(places[:, 0])}, y {_some(places[:, 1])}"
        elif array is not None:
            yield f"{type(one).__name__}: {_matrix(np.asarray(array, float))}"
        elif one.get_paths():
            corners = np.concatenate([path.vertices for path in one.get_paths()])
            yield f"{type(one).__name__} {_label(one)} {_colour(colours, one)}: x {_some(corners[:, 0])}, y {_some(corners[:, 1])}"
    for image in axes.images:
        yield f"image {_image(image)}"
    texts = [text.get_text() for text in axes.texts if text.get_text()]
    if texts:
        yield f"texts {texts[:60]}"


def _label(artist):
    label = str(artist.get_label())
    return "" if label.startswith("_") else repr(label)


def _colour(colours, artist):
    """Return a name for an artist's colour: the first that the legend shows is A, and so on."""
    from matplotlib.colors import to_hex

    for name in ("get_color", "get_facecolor", "get_edgecolor"):
        if hasattr(artist, name):
            colour = np.asarray(getattr(artist, name)(), dtype=object)
            try:
                shade = to_hex(colour[0] if colour.ndim > 1 else (colour.item() if colour.ndim == 0 else tuple(colour)))
            except (ValueError, IndexError, TypeError):
                continue
            return colours.setdefault(shade, chr(ord("A") + len(colours)))
    return "?"


def _is_number(text):
    return re.fullmatch(r"(?:\$|\\mathdefault|\\times|[{}\s.,^%×−-]|\d)*", text) is not None


def _some(values):
    """Return a few values of a series, evenly from the first to the last; of a long one also its mean."""
    values = np.asarray(values, float).ravel()
    if not len(values):
        return "none"
    at = np.unique(np.linspace(0, len(values) - 1, min(PLACES, len(values))).round().astype(int))
    told = [f"{values[place]:.4g}" for place in at]
    if len(values) > PLACES:
        told.append(f"mean {np.nanmean(values):.4g}" if np.isfinite(values).any() else "mean nan")
    return " ".join(told)


def _matrix(values):
    """Return size and the means of both halves each way of a matrix: a transposed or turned one has others."""
    values = np.asarray(values, float)
    values = values.reshape(len(values), -1) if values.ndim != 2 else values
    rows, columns = (max(1, size // 2) for size in values.shape)
    halves = values[:rows].mean(), values[rows:].mean() if len(values) > rows else 0.0, values[:, :columns].mean()
    right = values[:, columns:].mean() if values.shape[1] > columns else 0.0
    return "{} x {}, top {:.4g}, bottom {:.4g}, left {:.4g}, right {:.4g}".format(*values.shape, *halves, right)


def _image(image):
    data = np.asarray(np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan))
    turned = " upside down" if image.origin == "lower" else ""
    return _matrix(data.mean(axis=2) if data.ndim == 3 else data) + turned
