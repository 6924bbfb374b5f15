"""Recorded experiments of the chapter on classical methods: choices made on validation, growth with n, the final table.

All of them are deterministic, so every variant runs once. The choices are recorded first; what follows needs them: it reads what
they chose on full MNIST, in both editions, and keeps it with its results. The validation images are
always the last rows of the training images, as many as ``validation_rows`` says; the test images serve ``svm_growth``
and ``baseline_table`` alone.
"""

import itertools
import pickle
import tempfile
import time
from pathlib import Path

import numpy as np

from experiments.bench.declare import experiment
from helpers.baselines import deskewed
from helpers.data import prepare
from helpers.measurements import measurement

CHOICES = {"logistic regression": (0.01, 0.1, 1), "random forest": (14, 28, 56)}
PICTURES = {"raw": prepare, "deskewed": deskewed}


def votes_for_each_k(neighbour_labels):
    """Return what k-NN predicts for every k at once, the smallest digit winning a tied vote.

    Parameters
    ----------
    neighbour_labels : int (n, k_max)
        Labels of each query's neighbours, the nearest first.

    Returns
    -------
    int (k_max, n)
        Row k - 1 holds the predictions with k neighbours.
    """
    votes = np.cumsum(np.eye(10, dtype=np.int16)[np.asarray(neighbour_labels)], axis=1)
    return votes.argmax(axis=2).T


def fast_svc(**options):
    """Return scikit-learn's SVC from scikit-learn-intelex where that is installed, from scikit-learn itself elsewhere.

    The two solve the same problem and have the same interface.

    Returns
    -------
    model, library : an unfitted SVC, and the name of the package it comes from
    """
    try:
        from sklearnex.svm import SVC

        library = "scikit-learn-intelex"
    except ImportError:
        from sklearn.svm import SVC

        library = "scikit-learn"
    return SVC(**options), library


def rbf_predict(model, x, block=1000):
    """Predict with a fitted RBF-SVM from its support vectors: one score and one vote for each pair of classes.

    This is what ``SVC.predict`` does in scikit-learn, as one matrix product, which is several times faster. The
    extension's own ``predict`` (scikit-learn-intelex 2026.2) strays from it on a few images in a thousand, so the book
    does not use that.

    Parameters
    ----------
    model : fitted SVC with ``kernel="rbf"`` and a number for ``gamma``
    x : float (n, d)
    block : int
        Rows at a time, so that the kernel matrix stays small.

    Returns
    -------
    array (n,) of the model's classes; the first class wins a tied vote
    """
    from sklearn.metrics.pairwise import rbf_kernel

    pairs = list(itertools.combinations(range(len(model.classes_)), 2))
    ends = np.concatenate([[0], np.cumsum(model.n_support_)])
    weights = np.zeros((ends[-1], len(pairs)), x.dtype)
    for column, (i, j) in enumerate(pairs):
        one, other = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
        weights[one, column] = model.dual_coef_[j - 1, one]
        weights[other, column] = model.dual_coef_[i, other]
    # With two classes scikit-learn turns the signs round; here they are as for more classes.
    sign = -1 if len(model.classes_) == 2 else 1
    first, second = np.array(pairs).T
    predicted = []
    for start in range(0, len(x), block):
        similarity = rbf_kernel(x[start : start + block], model.support_vectors_, gamma=model.gamma)
        for_first = sign * (similarity @ weights + model.intercept_) > 0
        votes = for_first @ np.eye(len(model.classes_))[first] + ~for_first @ np.eye(len(model.classes_))[second]
        predicted.append(votes.argmax(axis=1))
    return model.classes_[np.concatenate(predicted)]


def timed(function, *arguments):
    """Call a function; return its result and the seconds it took."""
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def stored_bytes(model):
    """Return how many bytes a model takes on disk.

    A Keras model: its ``.keras`` file, without the optimiser. An SVM: what ``rbf_predict`` needs, pickled, for the
    libraries keep different things beside it. Any other model: pickled as it is.
    """
    if hasattr(model, "layers"):
        import keras

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers]).save(path)
            return path.stat().st_size
    if hasattr(model, "support_vectors_"):
        arrays = [np.asarray(a, np.float32) for a in (model.support_vectors_, model.dual_coef_, model.intercept_)]
        return len(pickle.dumps([*arrays, model.n_support_, model.classes_, model.gamma], protocol=5))
    return len(pickle.dumps(model, protocol=5))


def validation_rows(n):
    """How many of n training images, the last ones, are kept for validation: 5,000, or a fifth of a small set."""
    return min(5000, n // 5)


def split(digits, n_fit=None, pictures="raw"):
    """Return x_fit, y_fit, x_val, y_val: the first ``n_fit`` training rows (all but the last by default), the last."""
    n_val = validation_rows(len(digits.x_train))
    n_fit = min(n_fit or len(digits.x_train), len(digits.x_train) - n_val)
    x_fit, x_val = (PICTURES[pictures](images) for images in (digits.x_train[:n_fit], digits.x_train[-n_val:]))
    return x_fit, digits.y_train[:n_fit], x_val, digits.y_train[-n_val:]


def classical_model(method, value):
    """Return an unfitted logistic regression (``value``: C) or random forest (``value``: pixels tried a split)."""
    if method == "logistic regression":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=value, max_iter=500, tol=1e-3)
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(200, max_features=value, n_jobs=-1, random_state=0)


def best_neighbours(metric, pictures):
    """Return the k that the recorded choice on full MNIST found best."""
    return 1 + int(measurement("knn_choice").values("val_accuracy", metric=metric, pictures=pictures)[0].argmax())


def best_settings(name, **which):
    """Return the settings (dict) of the best run of a recorded choice on full MNIST, among the runs with ``which``."""
    runs = [run for run in measurement(name).runs if which.items() <= run["settings"].items()]
    best = max(runs, key=lambda run: run["result"]["val_accuracy"])
    return {key: value for key, value in best["settings"].items() if key != "seed"}


@experiment(
    settings=[{"pictures": p, "metric": m} for p in ("raw", "deskewed") for m in ("euclidean", "cosine")], seeds=1
)
def knn_choice(digits, pictures, metric, seed):
    """k-NN with k from 1 to 15 on the validation images; returns the accuracy for each k."""
    from sklearn.neighbors import KNeighborsClassifier

    x_fit, y_fit, x_val, y_val = split(digits, pictures=pictures)
    model = KNeighborsClassifier(15, algorithm="brute", metric=metric).fit(x_fit, y_fit)
    predicted = votes_for_each_k(y_fit[model.kneighbors(x_val, return_distance=False)])
    return {"n_fit": len(x_fit), "n_val": len(x_val), "val_accuracy": (predicted == y_val).mean(axis=1).tolist()}


@experiment(settings=[{"C": C, "gamma": g} for C in (1, 3, 10) for g in (0.01, 0.02, 0.03, 0.05)], seeds=1)
def svm_choice(digits, C, gamma, seed):
    """An RBF-SVM on 10,000 images (fewer in the sample); returns its validation accuracy and support vectors."""
    x_fit, y_fit, x_val, y_val = split(digits, 10_000)
    model, _ = fast_svc(C=C, gamma=gamma)
    model.fit(x_fit, y_fit)
    return {"val_accuracy": float((rbf_predict(model, x_val) == y_val).mean()), "support_vectors": len(model.support_)}


@experiment(
    settings=[{"method": method, "value": value} for method, values in CHOICES.items() for value in values], seeds=1
)
def other_choices(digits, method, value, seed):
    """Logistic regression or a random forest with one setting, on 10,000 images; returns its validation accuracy."""
    x_fit, y_fit, x_val, y_val = split(digits, 10_000)
    return {"val_accuracy": float(classical_model(method, value).fit(x_fit, y_fit).score(x_val, y_val))}


def growth_settings(edition):
    """Sizes for each library: scikit-learn itself is slow, so it runs at few."""
    sizes = {
        "full": {"intelex": (1000, 2000, 5000, 10_000, 20_000, 48_000, 60_000), "stock": (1000, 5000, 10_000, 60_000)},
        "sample": {"intelex": (500, 1000, 2000, 4000), "stock": (500, 1000, 4000)},
    }[edition]
    return [{"n": n, "library": library} for library in sizes for n in sizes[library]]


@experiment(settings=growth_settings, seeds=1, compare=("test_accuracy",), needs=("svm_choice",), timed=True)
def svm_growth(digits, n, library, seed):
    """The RBF-SVM that validation chose, fitted on the first n training images and tested on all test images.

    ``library`` is "stock" for scikit-learn itself, "intelex" for scikit-learn-intelex where there is one.
    ``own_predict_...`` tell how the extension's own ``predict`` compares with ``rbf_predict``; for scikit-learn itself
    the two are one (and its is slow).
    """
    from sklearn.svm import SVC

    settings = best_settings("svm_choice")
    model, package = fast_svc(**settings) if library == "intelex" else (SVC(**settings), "scikit-learn")
    x = prepare(digits.x_train[:n])
    _, fit_seconds = timed(model.fit, x, digits.y_train[:n])
    predicted, predict_seconds = timed(rbf_predict, model, prepare(digits.x_test))
    wrong = np.flatnonzero(predicted != digits.y_test)
    own = model.predict(prepare(digits.x_test)) if library == "intelex" else predicted
    return {
        "package": package,
        **settings,
        "own_predict_differs": int((own != predicted).sum()),
        "own_predict_accuracy": float((own == digits.y_test).mean()),
        "test_accuracy": 1 - len(wrong) / len(predicted),
        "wrong": wrong.tolist(),
        "support_vectors": len(model.support_),
        "fit_seconds": fit_seconds,
        "predict_seconds": predict_seconds,
        "bytes": stored_bytes(model),
    }


TABLE = [
    {"method": "logistic regression", "pictures": "raw"},
    {"method": "logistic regression", "pictures": "deskewed"},
    {"method": "k-NN", "pictures": "raw"},
    {"method": "k-NN, cosine", "pictures": "raw"},
    {"method": "k-NN", "pictures": "deskewed"},
    {"method": "random forest", "pictures": "raw"},
    {"method": "RBF-SVM", "pictures": "deskewed"},
    {"method": "MLP 128", "pictures": "raw"},
    {"method": "MLP 128-64", "pictures": "raw"},
]


def fitted(method, x, y, pictures):
    """Fit one method of the table; return the model, a function that predicts with it, seconds to fit, its settings."""
    if method.startswith("MLP"):
        from helpers.training import fit_as_report

        model, _, seconds = fit_as_report(x, y, 0, tuple(int(width) for width in method[4:].split("-")))
        return model, lambda images: model.predict(images, batch_size=1000, verbose=0).argmax(axis=1), seconds, {}
    if method == "RBF-SVM":
        settings = best_settings("svm_choice")
        model, _ = fast_svc(**settings)
        _, seconds = timed(model.fit, x, y)
        return model, lambda images: rbf_predict(model, images), seconds, settings
    if method.startswith("k-NN"):
        from sklearn.neighbors import KNeighborsClassifier

        metric = "cosine" if method.endswith("cosine") else "euclidean"
        settings = {"n_neighbors": best_neighbours(metric, pictures), "metric": metric}
        model = KNeighborsClassifier(algorithm="brute", **settings)
    else:
        settings = best_settings("other_choices", method=method)
        model = classical_model(**settings)
    _, seconds = timed(model.fit, x, y)
    return model, model.predict, seconds, settings


@experiment(
    settings=TABLE,
    seeds=1,
    compare=("test_accuracy",),
    needs=("knn_choice", "other_choices", "svm_choice"),
    timed=True,
)
def baseline_table(digits, method, pictures, seed):
    """One method fitted on all training images and tested on all test images: what it gets wrong, seconds, bytes."""
    x, x_test = PICTURES[pictures](digits.x_train), PICTURES[pictures](digits.x_test)
    model, predict, fit_seconds, settings = fitted(method, x, digits.y_train, pictures)
    predict(x_test[:1000])  # Keras builds its function at the first call
    predicted, predict_seconds = timed(predict, x_test)
    wrong = np.flatnonzero(predicted != digits.y_test)
    return {
        "settings": settings,
        "test_accuracy": 1 - len(wrong) / len(predicted),
        "wrong": wrong.tolist(),
        "fit_seconds": fit_seconds,
        "predict_seconds": predict_seconds,
        "bytes": stored_bytes(model),
    }
