"""Distorted digits: copies of the training images that are turned, sheared, stretched, bent, thinner or thicker.

The networks of the drawing page were trained on them (tools/draw/networks.py).
"""

import numpy as np

from helpers.drawing import BOX, SIDE

FINE = 2 * SIDE  # distortions are computed on a grid twice as fine

AUGMENTED = {
    "seed": 0,
    "rounds": 9,  # each makes a new distorted copy of every training image
    "epochs_per_round": 3,
    "batch_size": 128,
    "first_rate": 0.002,  # Adam's learning rate falls to zero along half a cosine
    "label_smoothing": 0.0,
    "validation": 6000,  # the last images of the training set
    "untouched": 0.25,  # share of images that are not distorted
    "turn_degrees": 8.0,
    "shear": 0.12,
    "stretch": 0.18,
    "elastic_pixels": 1.0,
    "thinned": 0.5,  # shares of images with thinner and thicker strokes
    "thickened": 0.2,
    "darkened": 2.4,
}


def smooth_fields(rng, n, size):
    """Smooth random fields, float32 (n, size, size): noise on 5 x 5 points, interpolated; standard deviation near 1."""
    knots = np.linspace(0, size - 1, 5)
    weights = np.maximum(0, 1 - np.abs(np.arange(size)[:, None] - knots) / (knots[1] - knots[0])).astype(np.float32)
    noise = rng.standard_normal((n, 5, 5), np.float32)
    return 1.2 * (weights @ noise @ weights.T)


def sample_at(images, y, x):
    """Values of images (n, h, w) at fractional positions y, x (n, a, b), bilinear; outside is paper, to a thousandth of the last row or
    column. float32 (n, a, b)."""
    n, h, w = images.shape
    padded = np.zeros((n, h + 2, w + 2), np.float32)
    padded[:, 1:-1, 1:-1] = images
    y = np.clip(y + 1, 0, h + np.float32(0.999))
    x = np.clip(x + 1, 0, w + np.float32(0.999))
    y0, x0 = y.astype(np.int32), x.astype(np.int32)
    fy, fx = y - y0.astype(np.float32), x - x0.astype(np.float32)
    base = (np.arange(n, dtype=np.int32) * ((h + 2) * (w + 2)))[:, None, None] + y0 * (w + 2) + x0
    flat = padded.ravel()
    top = flat[base] * (1 - fx) + flat[base + 1] * fx
    bottom = flat[base + w + 2] * (1 - fx) + flat[base + w + 3] * fx
    return top * (1 - fy) + bottom * fy


def neighbours(images, choose):
    """Each pixel's minimum or maximum (``choose``) with its four neighbours, the border's missing ones left out."""
    result = images.copy()
    choose(result[:, 1:], images[:, :-1], out=result[:, 1:])
    choose(result[:, :-1], images[:, 1:], out=result[:, :-1])
    choose(result[:, :, 1:], images[:, :, :-1], out=result[:, :, 1:])
    choose(result[:, :, :-1], images[:, :, 1:], out=result[:, :, :-1])
    return result


def thinner(images):
    """Erosion that breaks no line: where a stroke is too thin to survive, what erosion would lose is put back."""
    eroded = neighbours(images, np.minimum)
    return np.maximum(eroded, images - neighbours(eroded, np.maximum))


def prepared_again(images):
    """MNIST's preparation of many images at once, as ``prepare_drawing`` does it; float32 (n, 784)."""
    n, size, _ = images.shape
    result = np.zeros((n, SIDE, SIDE), np.float32)
    has_ink = images > 0.05
    images = np.where(has_ink, images, 0)
    weights, places = [], []
    for axis in (1, 2):
        any_ink = has_ink.any(axis=3 - axis)
        places.append((any_ink.argmax(axis=1), size - any_ink[:, ::-1].argmax(axis=1)))
    side = np.maximum(places[0][1] - places[0][0], places[1][1] - places[1][0])
    for low, high in places:
        step = (side / BOX)[:, None, None]
        left = ((low + high - side) / 2)[:, None, None] + step * np.arange(BOX)[None, :, None]
        pixel = np.arange(size)[None, None, :]
        overlap = np.minimum(left + step, pixel + 1) - np.maximum(left, pixel)
        weights.append((np.clip(overlap, 0, None) / step).astype(np.float32))
    boxes = weights[0] @ images @ weights[1].transpose(0, 2, 1)
    boxes /= np.maximum(boxes.max(axis=(1, 2), keepdims=True), 1e-6)
    middle = np.arange(BOX) + 0.5
    mass = np.maximum(boxes.sum(axis=(1, 2)), 1e-6)
    top = np.clip(SIDE // 2 - np.floor(boxes.sum(axis=2) @ middle / mass), 0, SIDE - BOX).astype(int)
    left = np.clip(SIDE // 2 - np.floor(boxes.sum(axis=1) @ middle / mass), 0, SIDE - BOX).astype(int)
    for i in range(n):
        result[i, top[i] : top[i] + BOX, left[i] : left[i] + BOX] = boxes[i]
    return result.reshape(n, SIDE * SIDE)


def distorted(images, rng, settings):
    """Distorted copies of images, prepared as MNIST's are.

    Turned, sheared, stretched, bent, their strokes thinned or thickened. Shift and size need no distortion of their
    own: the preparation undoes both.

    Parameters
    ----------
    images : float32 (n, 28, 28), in 0..1
    rng : numpy.random.Generator
    settings : dict
        As ``AUGMENTED``.

    Returns
    -------
    float32 (n, 784), in 0..1
    """
    n = len(images)
    angle = np.radians(np.clip(rng.normal(0, settings["turn_degrees"] / 2, n), -2 * settings["turn_degrees"], None))
    shear = rng.uniform(-settings["shear"], settings["shear"], n)
    stretch = np.exp(rng.uniform(-settings["stretch"], settings["stretch"], n))
    cos, sin = np.cos(angle), np.sin(angle)
    # rows of the matrix that leads from the new image back to the old one
    ay, by = cos / stretch, -sin * stretch
    ax, bx = sin / stretch + shear * ay, cos * stretch + shear * by
    grid = ((np.arange(FINE) + 0.5) / FINE - 0.5).astype(np.float32) * (SIDE + 8)  # room for what grows
    v, u = grid[None, :, None], grid[None, None, :]
    middle = np.float32(SIDE / 2 - 0.5)
    amount = settings["elastic_pixels"] * rng.uniform(0, 1, (n, 1, 1)).astype(np.float32)
    column = [value.astype(np.float32)[:, None, None] for value in (ay, by, ax, bx)]
    y = column[0] * v + column[1] * u + middle + amount * smooth_fields(rng, n, FINE)
    x = column[2] * v + column[3] * u + middle + amount * smooth_fields(rng, n, FINE)
    fine = sample_at(images, y, x)
    kind = rng.uniform(0, 1, n)
    once, twice = kind < settings["thinned"], kind < settings["thinned"] / 2
    fine[once] = thinner(fine[once])
    fine[twice] = thinner(fine[twice])
    thick = kind > 1 - settings["thickened"]
    fine[thick] = neighbours(fine[thick], np.maximum)
    # Thinning leaves grey lines; a thin pen's are dark.
    gain = np.where(once, rng.uniform(1, settings["darkened"], n), 1).astype(np.float32)
    fine = np.minimum(fine * gain[:, None, None], 1)
    result = prepared_again(fine)
    same = rng.uniform(0, 1, n) < settings["untouched"]
    result[same] = images[same].reshape(-1, SIDE * SIDE)
    return result
