"""Votes and the fast SVM prediction of the chapter on classical methods, held to definitions and to scikit-learn."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from tiny_digits import tiny, without_test

from experiments import svm_knn_baselines as baselines
from experiments.svm_knn_baselines import fast_svc, rbf_predict, stored_bytes, timed, votes_for_each_k
from helpers import training
from helpers.baselines import deskewed
from helpers.data import prepare
from helpers.models import build_mlp


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


# ---------------------------------------------------------------- rows, models, choices


@pytest.mark.parametrize(("n", "kept"), [(60_000, 5000), (25_001, 5000), (4000, 800), (99, 19)])
def test_the_last_rows_are_for_validation_5000_or_a_fifth(n, kept):
    assert baselines.validation_rows(n) == kept


@pytest.mark.parametrize("pictures", ["raw", "deskewed"])
def test_split_fits_on_the_first_rows_and_validates_on_the_last(pictures):
    digits = without_test(tiny())
    as_rows = {"raw": prepare, "deskewed": deskewed}[pictures](digits.x_train)
    for asked, used in ((None, 320), (100, 100), (10_000, 320)):
        x_fit, y_fit, x_val, y_val = baselines.split(digits, asked, pictures)
        assert np.array_equal(x_fit, as_rows[:used]) and np.array_equal(y_fit, digits.y_train[:used])
        assert np.array_equal(x_val, as_rows[320:]) and np.array_equal(y_val, digits.y_train[320:])


def test_the_classical_models():
    one = baselines.classical_model("logistic regression", 0.25)
    assert type(one).__name__ == "LogisticRegression" and one.C == 0.25
    other = baselines.classical_model("random forest", 9)
    assert type(other).__name__ == "RandomForestClassifier"
    assert (other.n_estimators, other.max_features, other.random_state) == (200, 9, 0)


def test_without_the_extension_the_svm_is_scikit_learns(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearnex.svm", None)
    monkeypatch.setitem(sys.modules, "sklearnex", None)
    model, library = fast_svc(C=7, gamma=0.3)
    assert type(model) is SVC and library == "scikit-learn" and (model.C, model.gamma) == (7, 0.3)


@pytest.fixture
def recordings(monkeypatch):
    """Recorded choices, as one says: recordings["svm_choice"] = list of (settings, result)."""
    found = {}

    class Recording:
        def __init__(self, name):
            self.runs = [{"settings": {**given, "seed": 0}, "result": result} for given, result in found[name]]

        def values(self, result, **which):
            return np.array([r["result"][result] for r in self.runs if which.items() <= r["settings"].items()])

    monkeypatch.setattr(baselines, "measurement", Recording)
    return found


def test_the_best_of_a_recorded_choice(recordings):
    recordings["svm_choice"] = [
        ({"C": C, "gamma": gamma}, {"val_accuracy": 1 - abs(C - 3) / 9 - abs(gamma - 0.02), "support_vectors": 100 * C})
        for C in (1, 3, 10)
        for gamma in (0.01, 0.02, 0.05)
    ]
    assert baselines.best_settings("svm_choice") == {"C": 3, "gamma": 0.02}
    assert baselines.best_settings("svm_choice", C=10) == {"C": 10, "gamma": 0.02}
    recordings["knn_choice"] = [
        ({"pictures": p, "metric": m}, {"val_accuracy": np.eye(15)[k - 1].tolist()})
        for (p, m), k in {("raw", "euclidean"): 4, ("raw", "cosine"): 6, ("deskewed", "euclidean"): 1}.items()
    ]
    chosen = [
        baselines.best_neighbours(*which)
        for which in (("euclidean", "raw"), ("cosine", "raw"), ("euclidean", "deskewed"))
    ]
    assert chosen == [4, 6, 1]


# ---------------------------------------------------------------- the choices look at no test image


def test_knn_choice_is_the_accuracy_for_each_k_on_the_validation_images():
    digits = without_test(tiny(noise=256))
    x_fit, y_fit, x_val, y_val = baselines.split(digits, pictures="deskewed")
    result = baselines.knn_choice(digits, pictures="deskewed", metric="cosine", seed=0)
    expected = [
        KNeighborsClassifier(k, algorithm="brute", metric="cosine").fit(x_fit, y_fit).score(x_val, y_val)
        for k in range(1, 16)
    ]
    assert (result["n_fit"], result["n_val"]) == (320, 80) and len(set(expected)) > 3
    np.testing.assert_allclose(result["val_accuracy"], expected)


@pytest.fixture
def asked(monkeypatch):
    """How many images the choices ask to fit on."""
    found, real = [], baselines.split
    monkeypatch.setattr(
        baselines, "split", lambda digits, n_fit=None, **more: found.append(n_fit) or real(digits, n_fit, **more)
    )
    return found


def test_svm_choice_is_an_rbf_svm_on_10000_images(asked):
    digits = without_test(tiny())
    x_fit, y_fit, x_val, y_val = baselines.split(digits)
    asked.clear()
    result = baselines.svm_choice(digits, C=2, gamma=0.02, seed=0)
    model = SVC(C=2, gamma=0.02).fit(x_fit, y_fit)
    assert asked == [10_000]
    assert result["val_accuracy"] == pytest.approx(model.score(x_val, y_val), abs=1.1 / 80)
    assert abs(result["support_vectors"] - len(model.support_)) <= 2
    others = {len(SVC(C=2, gamma=gamma).fit(x_fit, y_fit).support_) for gamma in (0.002, "scale")}
    assert min(abs(other - result["support_vectors"]) for other in others) > 2


@pytest.mark.parametrize(("method", "value"), [("logistic regression", 0.1), ("random forest", 14)])
def test_other_choices_are_scored_on_the_validation_images(asked, method, value):
    digits = without_test(tiny())
    x_fit, y_fit, x_val, y_val = baselines.split(digits)
    asked.clear()
    result = baselines.other_choices(digits, method=method, value=value, seed=0)
    assert asked == [10_000]
    assert result["val_accuracy"] == baselines.classical_model(method, value).fit(x_fit, y_fit).score(x_val, y_val)


# ---------------------------------------------------------------- what validation chose is what is fitted


@pytest.fixture
def chosen(monkeypatch):
    """Odd choices, which nobody would type."""

    def best_settings(name, **which):
        return {"svm_choice": {"C": 2.5, "gamma": 0.0137}, "other_choices": OTHERS.get(which.get("method"))}[name]

    monkeypatch.setattr(baselines, "best_settings", best_settings)
    monkeypatch.setattr(baselines, "best_neighbours", lambda metric, pictures: CHOSEN_K[metric, pictures])


OTHERS = {
    "logistic regression": {"method": "logistic regression", "value": 0.07},
    "random forest": {"method": "random forest", "value": 11},
}
CHOSEN_K = {("euclidean", "raw"): 4, ("cosine", "raw"): 6, ("euclidean", "deskewed"): 7}
WANTED = {
    "logistic regression": {"C": 0.07},
    "random forest": {"max_features": 11, "n_estimators": 200},
    "RBF-SVM": {"C": 2.5, "gamma": 0.0137, "kernel": "rbf"},
    ("k-NN", "raw"): {"n_neighbors": 4, "metric": "euclidean"},
    ("k-NN, cosine", "raw"): {"n_neighbors": 6, "metric": "cosine"},
    ("k-NN", "deskewed"): {"n_neighbors": 7, "metric": "euclidean"},
}
CLASSICAL = [tuple(one.values()) for one in baselines.TABLE if not one["method"].startswith("MLP")]


@pytest.mark.parametrize(("method", "pictures"), CLASSICAL)
def test_each_method_of_the_table_is_fitted_with_what_was_chosen(chosen, method, pictures):
    digits = tiny(200)
    x = baselines.PICTURES[pictures](digits.x_train)
    model, predict, seconds, settings = baselines.fitted(method, x, digits.y_train, pictures)
    used = model.get_params()
    wanted = WANTED.get(method) or WANTED[method, pictures]
    assert {name: used[name] for name in wanted} == wanted
    assert settings == baselines.chosen_for(method, pictures) and 0 <= seconds < 30
    assert np.array_equal(predict(x[:50]), model.predict(x[:50]))
    assert (predict(x) == digits.y_train).mean() > 0.5


@pytest.mark.parametrize(("method", "hidden"), [("MLP 128", (128,)), ("MLP 128-64", (128, 64))])
def test_the_tables_networks_are_trained_as_the_report_does(monkeypatch, method, hidden):
    digits, kept, real = tiny(), [], training.fit_as_report
    monkeypatch.setattr(training, "fit_as_report", lambda *given: kept.append(given) or real(*given))
    x = prepare(digits.x_train)
    model, predict, _, settings = baselines.fitted(method, x, digits.y_train, "raw")
    ((images, labels, seed, widths),) = kept
    assert images is x and labels is digits.y_train and (seed, widths, settings) == (0, hidden, {})
    assert [layer.units for layer in model.layers] == [*hidden, 10]
    assert np.array_equal(predict(x[:70]), np.asarray(model(x[:70])).argmax(axis=1))


@pytest.mark.parametrize("library", ["stock", "intelex"])
def test_svm_growth_fits_what_was_chosen_on_the_first_n_and_tests_on_all(chosen, library):
    digits = tiny(n_test=150)
    result = baselines.svm_growth(digits, n=250, library=library, seed=0)
    model = SVC(C=2.5, gamma=0.0137).fit(prepare(digits.x_train[:250]), digits.y_train[:250])
    answers = model.predict(prepare(digits.x_test))
    assert (result["C"], result["gamma"]) == (2.5, 0.0137)
    assert len(set(result["wrong"]) ^ set(np.flatnonzero(answers != digits.y_test).tolist())) <= 1
    assert result["test_accuracy"] == pytest.approx(1 - len(result["wrong"]) / 150)
    assert abs(result["support_vectors"] - len(model.support_)) <= 2
    if library == "stock":
        assert result["package"] == "scikit-learn" and result["own_predict_differs"] == 0
        assert result["bytes"] == stored_bytes(model)


@pytest.mark.parametrize(("method", "pictures"), [("k-NN, cosine", "raw"), ("k-NN", "deskewed")])
def test_the_table_is_fitted_on_all_training_images_and_tested_on_all_test_images(chosen, method, pictures):
    digits = tiny(n_test=150)
    result = baselines.baseline_table(digits, method=method, pictures=pictures, seed=0)
    wanted, as_rows = WANTED[method, pictures], baselines.PICTURES[pictures]
    model = KNeighborsClassifier(algorithm="brute", **wanted).fit(as_rows(digits.x_train), digits.y_train)
    wrong = np.flatnonzero(model.predict(as_rows(digits.x_test)) != digits.y_test)
    assert result["settings"] == wanted and result["wrong"] == wrong.tolist()
    assert result["test_accuracy"] == pytest.approx(1 - len(wrong) / 150) and result["bytes"] == stored_bytes(model)


def test_a_network_is_stored_without_its_optimiser():
    digits = tiny(200)
    model = build_mlp((30,))
    before = stored_bytes(model)
    model.fit(prepare(digits.x_train), np.eye(10)[digits.y_train], verbose=0)
    weights = 4 * model.count_params()  # Adam would keep two more numbers for each
    assert weights < stored_bytes(model) < weights + 25_000 and abs(stored_bytes(model) - before) < 200
