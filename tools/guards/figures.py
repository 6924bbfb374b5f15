"""What a figure says, as text: kind and order of what it draws, its labels, scales and a few of its values.

The text is held to bands as a sentence is (tools/guards/bands.py): words exactly, numbers as runs allow. So a swapped legend, a
reversed axis, a transposed matrix or another array is noticed, while colours and sizes may be changed at will; only which of two
series has which colour is told, since a legend means nothing without it.
"""

from __future__ import annotations

import functools
import itertools
import re

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter

PLACES = 4  # of a series: values told, evenly from the first to the last
TEXTS = 120  # told word for word
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
        f"axes {' | '.join(filter(None, (axes.get_title(loc=at) for at in ('left', 'center', 'right'))))!r}",
        f"x {axes.get_xlabel()!r} {axes.get_xscale()}",
        f"y {axes.get_ylabel()!r} {axes.get_yscale()}",
    ]
    about += [f"{name} turned round" for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)) if axis.get_inverted()]
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        by_hand = _labels_given(axis.get_major_formatter())  # then numbers are words, too
        words = [tick.get_text() for tick in axis.get_ticklabels() if by_hand or not _is_number(tick.get_text())]
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
    for one in axes.patches:
        if not hasattr(one, "get_height"):  # the outline of a histogram, an arrow
            corners = one.get_path().vertices
            yield f"{type(one).__name__} {_label(one)} {_colour(colours, one)}: x {_some(corners[:, 0])}, y {_some(corners[:, 1])}"
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
        spots = np.array([text.get_position() for text in axes.texts if text.get_text()], float)
        yield f"texts {texts[:TEXTS]} at x {_some(spots[:, 0])}, y {_some(spots[:, 1])}"


def _labels_given(formatter):
    """Whether somebody gave the labels of an axis one by one (``set_xticks(places, labels=...)``)."""
    return isinstance(formatter, FixedFormatter) or isinstance(getattr(formatter, "func", None), functools.partial)


def _label(artist):
    label = str(artist.get_label())
    return "" if label.startswith("_") else repr(label)


def _colour(colours, artist):
    """Return a name for what a line looks like, or for another artist's colour: the first in the legend is A, and so on."""
    from matplotlib.colors import to_hex

    for name in ("get_color", "get_facecolor", "get_edgecolor"):
        if hasattr(artist, name):
            colour = np.asarray(getattr(artist, name)(), dtype=object)
            try:
                shade = to_hex(colour[0] if colour.ndim > 1 else (colour.item() if colour.ndim == 0 else tuple(colour)))
            except (ValueError, IndexError, TypeError):
                continue
            style = (artist.get_linestyle(), artist.get_marker()) if isinstance(artist, Line2D) else ()
            return colours.setdefault((shade, *style), chr(ord("A") + len(colours)))
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


# ---------------------------------------------------------------- alternative texts

WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000,
}  # fmt: skip
OTHERS = re.compile(r"\bother (?:two|three)\b")
DIGITS = re.compile(r"\bdigits?(?: from)? 0 to 9\b")  # ten of them
TOLD = re.compile(rf"(?<![\w.])(?:(?:minus |−|-)?(?:\d[\d,]*(?:\.\d+)?|{'|'.join(WORDS)}))(?![\w.]*\d|\w)", re.I)


def numbers_told(words):
    """Return (text, value, whether it is written out) of the numbers in a figure's alternative text."""
    found = []
    for one in TOLD.findall(OTHERS.sub("", DIGITS.sub("ten", words))):
        digits = re.sub(r"^(?:minus |−|-)", "", one.lower())
        value = WORDS[digits] if digits in WORDS else float(digits.replace(",", ""))
        found.append((one, value if digits == one.lower() else -value, digits in WORDS))
    return found


def things_counted(lines):
    """Return how many there are of each thing in a figure, from its facts (a list of lines)."""
    kinds = [line.split()[0] for line in lines]
    starts = [place for place, kind in enumerate(kinds) if kind == "axes"]
    found = {kinds.count(kind) for kind in kinds}
    for start, stop in itertools.pairwise([*starts, len(kinds)]):
        found |= {kinds[start:stop].count(kind) for kind in kinds}
    for line in lines:
        found |= {int(one) for one in re.findall(r"(\d+) (?:points|boxes|pictures)", line)}
        for rows, columns in re.findall(r"(\d+) x (\d+), top", line):
            found |= {int(rows), int(columns), int(rows) * int(columns)}
        for listed in re.findall(r"\[.*?\]", line):
            words = re.findall(r"'(?:[^'\\]|\\.)*'", listed)
            words = words[1::2] if line.startswith("legend") else words
            found |= {len(words), len(set(words))}
    return found - {0}


def untrue_numbers(words, lines):
    """Return the numbers of an alternative text that its figure's facts (a list of lines) do not carry: those written out count
    something, those in digits may be values as well. "Four rows of ten" is true of forty."""
    from tools.guards.bands import NUMBER, Number

    labels = [one for line in lines for one in re.findall(r"'((?:[^'\\]|\\.)*)'", line)]
    for label in filter(lambda one: len(one) > 3, labels):  # words that stand in the figure
        words = re.sub(re.escape(label), "", words, flags=re.I)
    counts = things_counted(lines)
    values = counts | {Number(one).value for line in lines for one in NUMBER.findall(line)}
    told = numbers_told(words)
    held = {value for _, value, in_words in told if value in (counts if in_words and value > 0 else values)}
    for (_, one, _), (_, two, _) in zip(told, told[1:], strict=False):
        if one * two in counts:
            held |= {one, two}
    return [text for text, value, _ in told if value not in held]
