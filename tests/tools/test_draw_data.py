"""What the build computes for the drawing page: tools/draw/page.py."""

import base64
import json
import zlib

import numpy as np
import pytest

from helpers.data import sample_edition
from tools.draw import page as draw_page


def bar(width=3, shear=0.0, right=0, down=0):
    """An upright bar of 20 rows, (1, 28, 28), its middle in the image's, perhaps sheared and moved."""
    image = np.zeros((28, 28))
    for row in range(4, 24):
        left = 14 - width / 2 - shear * (row - 13.5)
        edges = np.clip(np.arange(29) - left, 0, width)
        image[row] = np.diff(edges)
    return np.roll(image, (down, right), (0, 1))[None]


def test_an_upright_bar_measures_what_it_is():
    found = draw_page.measure(bar(width=4))
    assert found["right"] == pytest.approx(0) and found["down"] == pytest.approx(0)
    assert found["size"] == 20 and found["slant"] == pytest.approx(0, abs=1e-9)
    assert found["stroke"] == pytest.approx(2 * 4 * 20 / (2 * 4 + 2 * 20), rel=0.03)  # twice the area over the outline


def test_each_fault_of_a_drawing_moves_its_own_measure():
    moved = draw_page.measure(bar(right=3, down=-2))
    assert moved["right"] == pytest.approx(3) and moved["down"] == pytest.approx(-2)
    assert draw_page.measure(bar(width=6))["stroke"] > 1.5 * draw_page.measure(bar(width=3))["stroke"]
    for shear in (0.3, -0.3):
        assert draw_page.measure(bar(shear=shear))["slant"] == pytest.approx(np.degrees(np.arctan(shear)), abs=1)


def test_an_image_without_ink_is_an_error():
    with pytest.raises(ValueError, match="image 1 holds no ink"):
        draw_page.measure(np.concatenate([bar(), np.zeros((1, 28, 28)), bar()]))


def test_the_typical_values_hold_nine_in_ten():
    digits = sample_edition("")
    images = digits.x_train / 255
    found = draw_page.typical(images, digits.y_train)
    assert found["images"] == 4000 and set(found["measures"]) == {"right", "down", "size", "stroke", "slant"}
    for name, values in draw_page.measure(images).items():
        for digit, (low, middle, high) in enumerate(found["measures"][name]):
            ours = values[digits.y_train == digit]
            assert low <= middle <= high
            assert 0.85 <= np.mean((ours >= low - 0.01) & (ours <= high + 0.01)) <= 1
    # What MNIST's makers did, measured: the longer side 20 pixels, the centre of mass in the middle.
    assert [one[1] for one in found["measures"]["size"]] == [20] * 10
    assert all(abs(one[1]) < 0.6 for name in ("right", "down") for one in found["measures"][name])


def test_the_packed_digits_unpack_to_what_they_were():
    digits = sample_edition("")
    scripts = draw_page.generated(digits)
    text = scripts["digits.js"]
    content = json.loads(text.partition("window.DigitsSample = ")[2].rstrip(";\n"))
    assert len(text) < 1_000_000 and (content["train"], content["test"]) == (4000, 1000)
    assert content["labels"] == "".join(map(str, [*digits.y_train, *digits.y_test]))
    packed = np.frombuffer(zlib.decompress(base64.b64decode(content["images"])), np.uint8)
    shades = np.stack([packed // 16, packed % 16], 1).reshape(5000, 28, 28)
    images = np.concatenate([digits.x_train, digits.x_test])
    assert np.abs(shades * 17.0 - images).max() <= 8.5
    assert json.loads(scripts["typical.js"].partition("window.DigitsTypical = ")[2].rstrip(";\n"))["images"] == 5000
