"""What the seed of a course changes in the assignment on neighbours and margins: the digits drawn, the pair, C, k."""

import functools
import os
from unittest import mock

import numpy as np

#: pairs of digits that people confuse, too
PAIRS = [(3, 5), (3, 8), (4, 9), (5, 8), (7, 9)]
STORED, QUERIES, PER_DIGIT = 400, 60, 80


def constants(seed):
    """Return the constants of the notebook for a course: a dict of name to plain Python value."""
    rng = np.random.default_rng([seed, 5])
    first, second = PAIRS[rng.integers(len(PAIRS))]
    return {
        "FIRST": first,
        "SECOND": second,
        "PRICE": round(float(rng.uniform(0.01, 0.03)), 3),
        "K": int(rng.choice([4, 5, 6, 7])),
        "HIDDEN_SEED": int(rng.integers(10_000, 1_000_000)),
    }


def data(seed):
    """Return what students get: labelled images, query images, images of the pair, and the multipliers of a machine."""
    from sklearn.svm import SVC

    settings = constants(seed)
    images, labels = _sample()
    rng = np.random.default_rng([seed, 55])
    rows = rng.permutation(len(images))[: STORED + QUERIES]
    pair = np.concatenate(
        [rng.choice(np.flatnonzero(labels == settings[name]), PER_DIGIT, replace=False) for name in ("FIRST", "SECOND")]
    )
    pair = rng.permutation(pair)
    x = images[pair].reshape(-1, 784) / 255
    y = np.where(labels[pair] == settings["SECOND"], 1, -1)
    machine = SVC(kernel="linear", C=settings["PRICE"], tol=1e-8).fit(x, y)
    multipliers = np.zeros(len(x))
    multipliers[machine.support_] = np.abs(machine.dual_coef_[0])
    # A solver stops when it is close enough: what should be 0 or C is so only up to a rounding error.
    noise = rng.uniform(0, 1e-9, len(x)) * settings["PRICE"]
    multipliers = np.where(multipliers > settings["PRICE"] / 2, multipliers - noise, multipliers + noise)
    return {
        "images": images[rows[:STORED]],
        "labels": labels[rows[:STORED]],
        "queries": images[rows[STORED:]],
        "query_labels": labels[rows[STORED:]],
        "pair_images": images[pair],
        "pair_labels": labels[pair],
        "multipliers": multipliers,
    }


@functools.cache
def _sample():
    """All 5,000 images of the sample edition, uint8 (5000, 28, 28), and their labels, whichever edition is set."""
    from helpers.data import load_mnist

    with mock.patch.dict(os.environ, DIGITS_EDITION="sample"):
        digits = load_mnist(quiet=True)
    return np.concatenate([digits.x_train, digits.x_test]), np.concatenate([digits.y_train, digits.y_test])
