"""Deskewing, votes and the fast SVM prediction, held to definitions and to scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from helpers.baselines import deskew, deskewed, fast_svc, rbf_predict, stored_bytes, timed, votes_for_each_k

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


def test_deskewed_gives_rows_in_unit_range():
    images = np.stack([bar(s) for s in (-0.3, 0, 0.3)]).astype(np.uint8)
    rows = deskewed(images)
    assert rows.shape == (3, 784) and rows.dtype == np.float32 and 0.8 < rows.max() <= 1
    assert np.allclose(rows[2].reshape(28, 28) * 255, deskew(images[2]), atol=1e-3)


@given(st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=1, max_size=20))
def test_votes_for_each_k_count_and_break_ties_towards_the_smaller_digit(labels):
    predicted = votes_for_each_k(labels)
    assert predicted.shape == (6, len(labels))
    for k in range(1, 7):
        for i, row in enumerate(labels):
            counts = [row[:k].count(d) for d in range(10)]
            assert predicted[k - 1, i] == counts.index(max(counts))


def test_votes_for_each_k_agree_with_scikit_learn():
    x, y = load_digits(return_X_y=True)
    x = x + np.random.default_rng(0).normal(0, 0.01, x.shape)  # no two distances are equal
    nearest = KNeighborsClassifier(6).fit(x[:900], y[:900]).kneighbors(x[900:], return_distance=False)
    for k, predicted in enumerate(votes_for_each_k(y[:900][nearest]), 1):
        assert np.array_equal(predicted, KNeighborsClassifier(k).fit(x[:900], y[:900]).predict(x[900:]))


@pytest.mark.parametrize("classes", [range(10), (3, 5, 8), (4, 9)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rbf_predict_is_scikit_learns_prediction(classes, dtype):
    x, y = load_digits(return_X_y=True)
    keep = np.isin(y, list(classes))
    x, y = (x[keep] / 16).astype(dtype), y[keep]
    half = len(x) // 2
    model = SVC(C=2, gamma=0.1).fit(x[:half], y[:half])
    for block in (7, 1000):
        assert np.array_equal(rbf_predict(model, x[half:], block=block), model.predict(x[half:]))


def test_the_fast_svc_finds_scikit_learns_machine():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    model, library = fast_svc(C=2, gamma=0.1)
    model.fit(x[:900], y[:900])
    stock = SVC(C=2, gamma=0.1).fit(x[:900], y[:900])
    assert library in ("scikit-learn", "scikit-learn-intelex")
    assert abs(len(model.support_) - len(stock.support_)) <= 5
    assert (rbf_predict(model, x[900:]) == stock.predict(x[900:])).mean() > 0.995


def test_stored_bytes_of_an_svm_is_its_support_vectors():
    x, y = load_digits(return_X_y=True)
    model = SVC(gamma=0.001).fit(x[:300], y[:300])
    n = len(model.support_)
    assert n * (64 + 9) * 4 <= stored_bytes(model) <= n * (64 + 9) * 4 + 2000
    assert stored_bytes(KNeighborsClassifier().fit(x, y)) > x.nbytes


def test_timed_returns_the_result_and_the_time():
    result, seconds = timed(sorted, [2, 1])
    assert result == [1, 2] and 0 <= seconds < 5
