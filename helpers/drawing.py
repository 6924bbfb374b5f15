"""From a drawing to what a network sees: MNIST's own preparation, defined once and repeated in
``_static/draw/prepare.js``, which tests hold to this definition.

LeCun et al. (1998, section III.A) say what was done to each digit of MNIST: fitted into a box of 20 x 20 pixels with
its proportions kept, anti-aliased, and moved so that its centre of mass lies at the centre of 28 x 28 pixels. The
original program is lost (Yadav and Bottou 2019). What the text leaves open was read off the 60,000 training images:

* the centre of mass lies anywhere within pixel 14 (counted from 0), so digits were moved by whole pixels;
* the longer side is 20 pixels, and the shorter side mostly an even number of them: the digit lay in the middle of its
  square box;
* the brightest pixel of every image is 254 or 255 of 255, so the ink was scaled up to full black.
"""

import numpy as np

SIDE = 28
BOX = 20

#: A symmetrical drawing has its centre of mass exactly between two pixels; this keeps rounding errors, which differ
#: between machines, from deciding which one it goes to.
NUDGE = 1e-6


def box_weights(pixels, start, length, targets):
    """Weights (targets, pixels) that average ``pixels`` pixels over ``targets`` equal parts of start..start + length.

    A pixel that lies partly in a part counts with that share; beyond the pixels is paper.
    """
    step = length / targets
    left = start + step * np.arange(targets)[:, None]
    j = np.arange(pixels)[None, :]
    return np.clip(np.minimum(left + step, j + 1) - np.maximum(left, j), 0, None) / step


def prepare_drawing(ink, centre=True):
    """Make a 28 x 28 image of a drawing, as MNIST's images were made.

    1. The bounding box of all pixels with any ink, and the square in whose middle it lies.
    2. That square, averaged over 20 x 20 equal parts (with exact shares of pixels), divided by its largest value.
    3. Moved by whole pixels into 28 x 28 so that its centre of mass lies within pixel (14, 14), counted from 0; but
       never so far that ink would be lost.

    Parameters
    ----------
    ink : (h, w), uint8 in 0..255 or float in 0..1
        0 is paper. Any size; a drawing at the border counts as if paper lay beyond.
    centre : bool
        False: no preparation, the whole canvas (in the middle of a square) averaged over 28 x 28 parts. A network
        trained on MNIST then errs often, which the drawing page shows.

    Returns
    -------
    float32 (28, 28), in 0..1; all 0 if there is no ink

    Raises
    ------
    ValueError
        For another shape or dtype, and for values that are not numbers within 0..1.
    """
    ink = np.asarray(ink)
    if ink.ndim != 2 or not ink.size:
        raise ValueError(f"a drawing has the shape (height, width), not {ink.shape}: pass one drawing, without colours")
    if ink.dtype != np.uint8 and not np.issubdtype(ink.dtype, np.floating):
        raise ValueError(f"a drawing holds uint8 from 0 to 255 or floats from 0 to 1, not {ink.dtype}: convert it")
    ink = ink.astype(np.float64) / (255 if ink.dtype == np.uint8 else 1)
    if not (np.isfinite(ink).all() and ink.min() >= 0 and ink.max() <= 1):
        raise ValueError("a drawing of floats holds numbers from 0 (paper) to 1 (ink): divide by 255, remove NaN")
    height, width = ink.shape
    if not centre:
        side = max(height, width)
        rows = box_weights(height, (height - side) / 2, side, SIDE)
        columns = box_weights(width, (width - side) / 2, side, SIDE)
        return np.clip(rows @ ink @ columns.T, 0, 1).astype(np.float32)

    image = np.zeros((SIDE, SIDE), np.float32)
    if not ink.any():
        return image
    y, x = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    top, bottom, left, right = y[0], y[-1] + 1, x[0], x[-1] + 1
    side = max(bottom - top, right - left)
    rows = box_weights(height, (top + bottom - side) / 2, side, BOX)
    columns = box_weights(width, (left + right - side) / 2, side, BOX)
    box = rows @ ink @ columns.T
    box /= box.max()
    place = []
    for axis in (0, 1):
        along = box.sum(axis=1 - axis)
        centre_of_mass = (along @ (np.arange(BOX) + 0.5)) / along.sum()
        place.append(int(np.clip(SIDE // 2 - np.floor(centre_of_mass + NUDGE), 0, SIDE - BOX)))
    image[place[0] : place[0] + BOX, place[1] : place[1] + BOX] = np.minimum(box, 1)
    return image
