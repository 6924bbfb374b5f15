"""The parts of the distortions, held to definitions and to SciPy."""

import numpy as np
import pytest
from scipy import ndimage

from experiments.data_augmentation import AUGMENTED, distorted, neighbours, sample_at, smooth_fields


def test_smooth_fields_are_noise_on_five_by_five_points_interpolated():
    size = 56
    fields = smooth_fields(np.random.default_rng(0), 3000, size)
    assert fields.shape == (3000, size, size) and fields.dtype == np.float32
    noise = 1.2 * np.random.default_rng(0).standard_normal((3000, 5, 5), np.float32)
    knots = np.linspace(0, size - 1, 5)
    y, x = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    places = [np.interp(axis, knots, range(5)) for axis in (y, x)]
    for field, points in zip(fields[:5], noise[:5], strict=True):
        np.testing.assert_allclose(field, ndimage.map_coordinates(points, places, order=1), atol=1e-4)
    assert abs(fields.mean()) < 0.02 and 0.75 < fields.std() < 1.25  # near 1, and not the noise's alone
    assert np.abs(np.diff(fields, axis=2)).mean() < 0.15


def test_values_between_pixels_are_bilinear_and_beyond_them_is_paper():
    rng = np.random.default_rng(1)
    images = rng.random((4, 9, 7), np.float32)
    y, x = (rng.uniform(-4, size + 4, (4, 11, 13)).astype(np.float32) for size in (9, 7))
    found = sample_at(images, y, x)
    assert found.shape == (4, 11, 13) and found.dtype == np.float32
    for image, rows, columns, values in zip(images, y, x, found, strict=True):
        padded = np.pad(image, 8)
        expected = ndimage.map_coordinates(padded, [rows + 8, columns + 8], order=1)
        np.testing.assert_allclose(values, expected, atol=1.01e-3)  # a thousandth of the last row may reach beyond it
        inside = (rows >= 0) & (rows <= 8) & (columns >= 0) & (columns <= 6)
        assert inside.sum() > 20
        np.testing.assert_allclose(values[inside], expected[inside], atol=1e-5)
    at = np.arange(7, dtype=np.float32)[None, None]
    np.testing.assert_allclose(sample_at(images[:1], 0 * at + 2, at)[0, 0], images[0, 2], atol=1e-6)


@pytest.mark.parametrize(
    ("choose", "filtered"), [(np.minimum, ndimage.minimum_filter), (np.maximum, ndimage.maximum_filter)]
)
def test_a_pixel_and_its_four_neighbours(choose, filtered):
    images = np.random.default_rng(2).random((3, 8, 6)).astype(np.float32)
    before = images.copy()
    cross = ndimage.generate_binary_structure(2, 1)
    edge = "nearest"  # repeats the border, so that its missing neighbours add nothing
    expected = [filtered(image, footprint=cross, mode=edge) for image in images]
    np.testing.assert_array_equal(neighbours(images, choose), expected)
    np.testing.assert_array_equal(images, before)


def test_without_any_distortion_nothing_is_distorted():
    """Each setting distorts: all at nothing, images of MNIST's preparation come back."""
    images = np.zeros((5, 28, 28), np.float32)
    images[:, 4:24, 10:18] = 1
    still = dict.fromkeys(AUGMENTED, 0.0) | {"darkened": 1.0}
    copies = distorted(images, np.random.default_rng(0), still)
    np.testing.assert_allclose(copies.reshape(-1, 28, 28), images, atol=0.6)  # prepared from a finer grid: edges soften
    assert (np.abs(copies.reshape(-1, 28, 28) - images).mean(axis=(1, 2)) < 0.05).all()
    assert np.ptp(copies, axis=0).max() == 0  # all five alike
    moves = {"turn_degrees": 20, "shear": 0.5, "stretch": 0.4, "elastic_pixels": 3, "thinned": 1, "thickened": 1}
    for name, amount in moves.items():
        moved = distorted(images, np.random.default_rng(0), still | {name: amount})
        assert np.abs(moved - copies).max(axis=1).min() > 0.1, name


def test_the_share_of_untouched_images_is_the_settings():
    images = np.random.default_rng(3).random((2000, 28, 28), np.float32)
    before = images.copy()
    for share in (0.0, 0.25, 1.0):
        copies = distorted(images, np.random.default_rng(4), AUGMENTED | {"untouched": share})
        same = (copies == images.reshape(-1, 784)).all(axis=1).mean()
        assert same == pytest.approx(share, abs=0.03)
    np.testing.assert_array_equal(images, before)
