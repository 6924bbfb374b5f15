"""MNIST's files: read, checked to the last byte, downloaded.

Two rules keep wrong data out. A file that is there but wrong is a ``DataError``, never a reason to look elsewhere.
And what counts is the arrays: they are compared with MNIST's known digests, whichever file they came in. A download
becomes ``mnist.npz`` in one step, after that check, so a broken one is never seen by anybody.
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
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from helpers.download import DownloadError, fetch

# name of the array: its shape, and the SHA-256 of its IDX form (see digest_of)
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


class Fault(Exception):
    """What is wrong with the file at ``path``, said of it ("is empty"): the caller knows the cure."""

    def __init__(self, path: Path, fault: str):
        super().__init__(fault)
        self.path = path


# ---------------------------------------------------------------- reading and checking


def from_folder(folder: Path, cure: str, idx: bool = True) -> dict[str, np.ndarray] | None:
    """The four arrays from a folder, None if it has no MNIST; DataError, with the cure, if it has a wrong one."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise DataError(f"{folder} is not a folder. {cure}.")
    try:
        return read_folder(folder, idx)
    except Fault as fault:
        raise DataError(f"{fault.path} {fault}. {cure}.") from None


def read_folder(folder: Path, idx: bool = True) -> dict[str, np.ndarray] | None:
    """The four arrays from mnist.npz or else from the IDX files, checked; None if there are none, Fault if wrong."""
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
        raise Fault(next(iter(found.values())), f"is not enough: {', '.join(missing)} should be beside it")
    return {name: _read_idx(name, found[name]) for name in EXPECTED}


def _is_there(path: Path) -> bool:
    """Is there a file at ``path``? Fault if something else is, such as a link to nowhere."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise Fault(path, "is a link that leads nowhere") from None
        return False
    except OSError as error:
        raise Fault(path, f"cannot be reached ({error.strerror})") from None
    if not stat.S_ISREG(mode):
        raise Fault(path, "is a folder, not a file" if stat.S_ISDIR(mode) else "is not an ordinary file")
    return True


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Fault(path, f"cannot be read ({error.strerror})") from None
    if not content:
        raise Fault(path, "is empty")
    return content


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    content = _read_bytes(path)
    if not content.startswith(b"PK"):
        raise Fault(path, "is not an npz archive")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:  # a pickle could run any program
            arrays = {name: np.ascontiguousarray(archive[name]) for name in EXPECTED if name in archive.files}
    except Exception as error:  # a damaged archive fails in a dozen ways, and none may pass
        fault = f"is damaged or cut short, or holds pickled objects ({type(error).__name__}: {error})"
        raise Fault(path, fault) from None
    if missing := [name for name in EXPECTED if name not in arrays]:
        raise Fault(path, f"has no array named {', '.join(missing)}")
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
            raise Fault(path, f"is damaged or cut short ({error})") from None
    shape, _ = EXPECTED[name]
    header, size = idx_header(shape), math.prod(shape)
    if not header.startswith(content[: len(header)]):
        raise Fault(path, f"does not begin as an IDX file of uint8 and shape {shape} does")
    if len(content) != len(header) + size:
        fault = "is cut short" if len(content) < len(header) + size else "is too long"
        raise Fault(path, f"{fault}: {len(header) + size:,} bytes belong in it, {len(content):,} are there")
    array = np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)
    _check(name, array, path)
    return array


def _check(name: str, array: np.ndarray, path: Path) -> None:
    """Fault unless ``array`` is MNIST's array of that name, to the last byte and in MNIST's order."""
    shape, digest = EXPECTED[name]
    if array.shape != shape or array.dtype != np.uint8:
        raise Fault(path, f"has {name} of shape {array.shape} and {array.dtype}, where {shape} and uint8 belong")
    if digest_of(array) != digest:
        raise Fault(path, f"has been altered: its {name} is not MNIST's")


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Two zero bytes, 8 for uint8, the number of dimensions, and their sizes as big-endian uint32."""
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


def digest_of(array: np.ndarray) -> str:
    """SHA-256 of a uint8 array in its IDX form, which is the same for every container it can come in."""
    return hashlib.sha256(idx_header(array.shape) + array.tobytes()).hexdigest()


# ---------------------------------------------------------------- downloading


def download_mnist(folder: Path) -> tuple[dict[str, np.ndarray], str]:
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
        arrays = _read_npz(temporary / file) if file else read_folder(temporary)
    except Fault as fault:
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
