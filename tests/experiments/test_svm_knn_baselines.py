"""Votes and the fast SVM prediction of the chapter on classical methods, held to definitions and to scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from experiments.svm_knn_baselines import fast_svc, rbf_predict, stored_bytes, timed, votes_for_each_k


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
