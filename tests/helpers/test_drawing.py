"""Preparing drawings: MNIST's own images come out as they are, awkward drawings behave, and the page's script agrees."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import load_mnist
from helpers.drawing import BOX, SIDE, box_weights, prepare_drawing
from tools.draw.pen import CANVAS, rasterise
from tools.press.node_tools import find_node

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "_static" / "draw" / "prepare.js"


def centre_of_mass(image):
    """(y, x) in pixels from the top left corner."""
    middle = np.arange(len(image)) + 0.5
    return image.sum(axis=1) @ middle / image.sum(), image.sum(axis=0) @ middle / image.sum()


def some_drawings(seed=0):
    """Random lines on canvases of several shapes, as uint8 and as float32; blank and tiny ones among them."""
    rng = np.random.default_rng(seed)
    found = [np.zeros((40, 30), np.uint8), np.eye(1, dtype=np.float32), np.full((9, 9), 255, np.uint8)]
    dot = np.zeros((280, 280), np.uint8)
    dot[0, 279] = 1
    found.append(dot)
    for height, width in [(280, 280), (28, 28), (20, 20), (7, 150), (133, 41)] * 4:
        ink = np.zeros((height, width), np.float32)
        y, x = rng.uniform(0, height), rng.uniform(0, width)
        for _ in range(rng.integers(5, 400)):
            y, x = np.clip(y + rng.normal(0, 2), 0, height - 1), np.clip(x + rng.normal(0, 2), 0, width - 1)
            ink[int(y) : int(y) + 3, int(x) : int(x) + 3] = rng.uniform(0.2, 1)
        found += [ink, (ink * 255).astype(np.uint8)]
    return found


def test_mnists_own_images_come_out_as_they_are():
    """The strongest evidence that the preparation is MNIST's: four in five of its images do not change at all."""
    images = load_mnist(quiet=True).x_train[:1000]
    change = np.array([np.abs(prepare_drawing(image) - image / 255).max() for image in images])
    assert (change < 0.005).mean() > 0.7
    # The others' shorter side is an odd number of pixels; the middle of the box then lies within a pixel, not between two.
    odd = [(np.ptp(np.flatnonzero(i.any(1))) + 1) % 2 or (np.ptp(np.flatnonzero(i.any(0))) + 1) % 2 for i in images]
    assert not (change[np.array(odd) == 0] > 0.005).mean() > 0.01
    moved = [prepare_drawing(image) for image in images]
    far = [np.subtract(centre_of_mass(a), centre_of_mass(b)) for a, b in zip(moved, images, strict=True)]
    assert np.abs(far).max() < 1.01


def test_the_centre_of_mass_lies_in_the_middle_pixel_and_the_box_is_20_wide():
    for drawing in json.loads((ROOT / "data" / "drawings" / "development.json").read_text())["drawings"][::10]:
        image = prepare_drawing(rasterise(drawing["strokes"], drawing["pen"]))
        assert image.shape == (SIDE, SIDE) and image.dtype == np.float32
        for value in centre_of_mass(image):
            assert 14 - 1e-4 <= value <= 15 + 1e-4
        y, x = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert max(np.ptp(y), np.ptp(x)) + 1 == BOX and image.max() == 1


def test_place_and_size_do_not_matter():
    """A drawing moved or drawn three times as large is the same image; with centre=False it is not."""
    rng = np.random.default_rng(3)
    small = np.zeros((40, 40))
    small[8:30, 12:25] = rng.uniform(0, 1, (22, 13))
    moved, large = np.roll(small, (7, -9), (0, 1)), np.kron(small, np.ones((3, 3)))
    expected = prepare_drawing(small)
    np.testing.assert_allclose(prepare_drawing(moved), expected, atol=1e-6)
    np.testing.assert_allclose(prepare_drawing(large), expected, atol=1e-6)
    assert np.abs(prepare_drawing(small, centre=False) - prepare_drawing(moved, centre=False)).max() > 0.1


def test_proportions_are_kept():
    bar = np.zeros((100, 100))
    bar[10:90, 40:48] = 1  # 80 x 8: becomes 20 x 2
    image = prepare_drawing(bar)
    assert (image > 0).sum(axis=0).max() == 20 and (image > 0).sum(axis=1).max() == 2


def test_a_known_average():
    """45 rows become 20: each part is 2.25 rows, with exact shares."""
    weights = box_weights(45, 0, 45, 20)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights[0, :4] * 2.25, [1, 1, 0.25, 0])
    np.testing.assert_allclose(weights[1, :6] * 2.25, [0, 0, 0.75, 1, 0.5, 0])


def test_without_centring_the_whole_canvas_is_averaged():
    ink = np.zeros((280, 280), np.uint8)
    ink[:15, 270:] = 255
    image = prepare_drawing(ink, centre=False)
    assert image[0, 27] == 1 and image[1, 27] == 0.5 and image.sum() == 1.5


def test_nothing_drawn_gives_paper():
    for centre in (True, False):
        assert not prepare_drawing(np.zeros((280, 280), np.uint8), centre).any()


@pytest.mark.parametrize("place", [(0, 0), (279, 279), (140, 3)])
def test_a_single_dot_fills_the_box_in_the_middle(place):
    ink = np.zeros((280, 280), np.uint8)
    ink[place] = 40
    image = prepare_drawing(ink)
    assert (image[4:24, 4:24] == 1).all() and image.sum() == 400


def test_ink_at_the_border_is_not_lost():
    ink = np.zeros((50, 50))
    ink[:, 0] = 1
    ink[49, :] = 0.1
    assert prepare_drawing(ink).max() == 1 and prepare_drawing(ink)[:, :].sum() > 10


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_every_drawing_gives_an_image_in_range(height, width, seed):
    rng = np.random.default_rng(seed)
    ink = rng.uniform(0, 1, (height, width)) * (rng.uniform(0, 1, (height, width)) < rng.uniform(0, 1))
    for centre in (True, False):
        image = prepare_drawing(ink, centre)
        assert np.isfinite(image).all() and image.min() >= 0 and image.max() <= 1


@pytest.mark.parametrize(
    ("ink", "message"),
    [
        (np.zeros((28, 28, 3), np.uint8), "shape"),
        (np.zeros(784, np.uint8), "shape"),
        (np.zeros((0, 5), np.uint8), "shape"),
        (np.zeros((28, 28), int), "int64"),
        (np.zeros((28, 28), bool), "bool"),
        (np.full((28, 28), np.nan), "NaN"),
        (np.full((28, 28), 255.0), "divide by 255"),
        (np.full((28, 28), -0.1), "from 0"),
    ],
)
def test_what_is_no_drawing_is_refused(ink, message):
    with pytest.raises(ValueError, match=message):
        prepare_drawing(ink)


def test_rasterised_lines_have_the_pens_width():
    ink = rasterise([[[50, 100], [230, 100]]], "thick")
    assert ink.shape == (CANVAS, CANVAS) and ink[:, 140].sum() == pytest.approx(22, abs=0.6)
    assert ink[100].sum() == pytest.approx(180 + 22, abs=1.5)  # round ends
    assert rasterise([[[50, 100]]], "thin").sum() == pytest.approx(np.pi * 25, rel=0.1)
    with pytest.raises(ValueError, match="thick, thin"):
        rasterise([], "medium")


def test_the_pages_script_agrees(tmp_path):
    """In Node.js; tests/site repeats it in a browser."""
    cases = []
    for ink in some_drawings():
        for centre in (True, False):
            cases.append({"ink": ink.ravel().tolist(), "bytes": ink.dtype == np.uint8, "shape": ink.shape, "c": centre})
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    program = f"""
        require({json.dumps(str(SCRIPT))});
        const cases = JSON.parse(require('fs').readFileSync({json.dumps(str(tmp_path / "cases.json"))}));
        console.log(JSON.stringify(cases.map(one => Array.from(DigitsPrepare.prepare(
            one.bytes ? Uint8ClampedArray.from(one.ink) : Float32Array.from(one.ink),
            one.shape[1], one.shape[0], {{centre: one.c}})))));
    """
    done = subprocess.run([find_node()[0], "-e", program], capture_output=True, text=True, check=True)
    found = np.array(json.loads(done.stdout))
    expected = [prepare_drawing(ink, centre).ravel() for ink in some_drawings() for centre in (True, False)]
    assert len(found) == 2 * len(some_drawings()) > 80
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_pages_script_refuses_what_is_no_drawing():
    program = f"""
        require({json.dumps(str(SCRIPT))});
        const tries = [
            [new Float32Array(5), 2, 2], [[0, 0, 0, 0], 2, 2], [new Float32Array([0, 0, 0, NaN]), 2, 2],
            [new Float32Array([0, 0, 0, 255]), 2, 2], [new Float32Array(4), 2.5, 2], [null, 2, 2],
        ];
        console.log(JSON.stringify(tries.map(one => {{ try {{ DigitsPrepare.prepare(...one); return ''; }}
                                                      catch (error) {{ return error.message; }} }})));
    """
    done = subprocess.run([find_node()[0], "-e", program], capture_output=True, text=True, check=True)
    wanted = ["has 4 values, not 5", "Float32Array", "not NaN", "not 255", "whole pixels", "has 4 values"]
    for wants, message in zip(wanted, json.loads(done.stdout), strict=True):
        assert wants in message
