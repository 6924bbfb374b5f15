"""The pens of the drawing page, for tests and for choosing how sure is sure enough: from strokes to ink, without a browser."""

import numpy as np

CANVAS = 280  # the drawing page's canvas, in pixels  # the drawing page's canvas, in pixels
PENS = {
    "thick": 22,
    "thin": 10,
}  # widths of its pens, in pixels of the canvas  # widths of its pens, in pixels of the canvas


def rasterise(strokes, pen, fineness=4):
    """Ink of a drawing, as the page's canvas would hold it: round ends and joints, anti-aliased.

    Drawn ``fineness`` times as large by Pillow and averaged; a browser computes coverage in its own way. The two
    differ by a few hundredths at the edges of a line.

    Parameters
    ----------
    strokes : list of lists of [x, y], in pixels of the canvas
    pen : "thick" or "thin"

    Returns
    -------
    float32 (280, 280), in 0..1
    """
    from PIL import Image, ImageDraw

    if pen not in PENS:
        raise ValueError(f"there is no pen {pen!r}: choose from {', '.join(PENS)}")
    picture = Image.new("L", (CANVAS * fineness, CANVAS * fineness), 0)
    brush, width = ImageDraw.Draw(picture), PENS[pen] * fineness
    for stroke in strokes:
        points = [(x * fineness, y * fineness) for x, y in stroke]
        if len(points) > 1:
            brush.line(points, fill=255, width=width)
        for x, y in points:
            brush.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return np.asarray(picture.reduce(fineness), np.float32) / np.float32(255)
