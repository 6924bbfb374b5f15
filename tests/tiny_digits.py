"""Digits small enough to train on in a moment, and test images that nothing may look at."""

import json

import notebook_rules as rules
import numpy as np
from helpers.data import Digits


def tiny(n=400, n_test=60, seed=0, noise=90):
    """Digits of n training and n_test test images: an image of class i has a bright row 2i, among noise (the largest value, less one)."""
    generator = np.random.default_rng(seed)

    def images(labels):
        made = generator.integers(0, noise, (len(labels), 28, 28), dtype=np.uint8)
        made[np.arange(len(labels)), 2 * labels] = generator.integers(60, 256, (len(labels), 28), dtype=np.uint8)
        return made

    y_train, y_test = generator.integers(0, 10, n), generator.integers(0, 10, n_test)
    return Digits(images(y_train), y_train, images(y_test), y_test, "sample", "a test")


class Untouchable:
    """Stands where test images stand: whoever looks at it fails."""

    def __getattribute__(self, name):
        raise AssertionError(f"looks at the test images ({name})")

    def __len__(self):
        raise AssertionError("counts the test images")

    def __getitem__(self, key):
        raise AssertionError("reads test images")

    def __array__(self, *_, **__):
        raise AssertionError("reads test images")

    __iter__ = __eq__ = __getitem__


def without_test(digits):
    """The same digits, of which no test image may be looked at."""
    return Digits(digits.x_train, digits.y_train, Untouchable(), Untouchable(), digits.edition, digits.source)


def cell_with(chapter, words):
    """The source of a chapter's one code cell that has these words."""
    notebook = json.loads((rules.ROOT / "chapters" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    (found,) = [source for source in sources if words in source]
    return found
