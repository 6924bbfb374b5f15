"""Deskewing, held to its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.baselines import deskew, deskewed

ROWS, COLUMNS = np.mgrid[:28, :28]


def bar(slant, row=13.5, column=13.5, half=8.0):
    """A soft bar through (row, column) that moves ``slant`` columns to the right with each row down."""
    ink = np.exp(-(((COLUMNS - column) - slant * (ROWS - row)) ** 2) / 2)
    return np.where(abs(ROWS - row) <= half, 255 * ink, 0).astype(np.float32)


def moments(image):
    """Return the centre's row and column, and the slant."""
    ink = image.sum()
    r, c = (ROWS * image).sum() / ink, (COLUMNS * image).sum() / ink
    return r, c, ((ROWS - r) * (COLUMNS - c) * image).sum() / ((ROWS - r) ** 2 * image).sum()


@given(slant=st.floats(-0.6, 0.6), row=st.floats(12, 15), column=st.floats(11, 16))
@settings(max_examples=40, deadline=None)
def test_deskew_makes_a_slanted_bar_upright_and_central(slant, row, column):
    image = bar(slant, row, column)
    assert moments(image)[2] == pytest.approx(slant, abs=0.05)
    r, c, left = moments(deskew(image))
    assert abs(left) < 0.03 and abs(r - 13.5) < 0.1 and abs(c - 13.5) < 0.1


def test_deskew_leaves_an_upright_central_image_nearly_alone():
    image = bar(0)
    assert np.abs(deskew(image) - image).max() < 2


def test_deskew_keeps_shape_range_and_ink():
    image = bar(0.4)
    out = deskew(image.astype(np.uint8))
    assert out.shape == (28, 28) and out.dtype == np.float32 and out.min() >= 0 and out.max() <= 255
    assert out.sum() == pytest.approx(image.sum(), rel=0.02)


@pytest.mark.parametrize("image", [np.zeros((28, 28), np.uint8), np.eye(28, dtype=np.uint8)[[13] * 28] * (ROWS == 5)])
def test_deskew_survives_images_without_ink_and_without_height(image):
    assert np.isfinite(deskew(image)).all() and deskew(image).sum() == pytest.approx(image.sum(), abs=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_an_image_without_ink_comes_back_as_it_is(dtype):
    blank = deskew(np.zeros((28, 28), dtype))
    assert blank.shape == (28, 28) and blank.dtype == np.float32 and not blank.any()


def test_deskewed_gives_rows_in_unit_range():
    images = np.stack([bar(s) for s in (-0.3, 0, 0.3)]).astype(np.uint8)
    before = images.copy()
    rows = deskewed(images)
    np.testing.assert_array_equal(images, before)
    assert rows.shape == (3, 784) and rows.dtype == np.float32 and 0.8 < rows.max() <= 1
    assert np.allclose(rows[2].reshape(28, 28) * 255, deskew(images[2]), atol=1e-3)
