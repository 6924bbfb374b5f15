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

from experiments.bench.agree import Mistakes
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


def knn_choice_holds(run):
    """Each share is one of the validation images."""
    run.has("n_fit", "n_val", "val_accuracy")
    run.equal("n_val", validation_rows(run.train))
    run.equal("n_fit", run.train - validation_rows(run.train))
    run.shares("val_accuracy", of=validation_rows(run.train), length=15, exact=True)
    run.steady("val_accuracy", 15, 0.012 if run.edition == "full" else 0.025)


@experiment(
    settings=[{"pictures": p, "metric": m} for p in ("raw", "deskewed") for m in ("euclidean", "cosine")],
    seeds=1,
    holds=knn_choice_holds,
    distinct=("val_accuracy",),
    close={"val_accuracy": 0.0015},
)
def knn_choice(digits, pictures, metric, seed):
    """k-NN with k from 1 to 15 on the validation images; returns the accuracy for each k."""
    from sklearn.neighbors import KNeighborsClassifier

    x_fit, y_fit, x_val, y_val = split(digits, pictures=pictures)
    model = KNeighborsClassifier(15, algorithm="brute", metric=metric).fit(x_fit, y_fit)
    predicted = votes_for_each_k(y_fit[model.kneighbors(x_val, return_distance=False)])
    return {"n_fit": len(x_fit), "n_val": len(x_val), "val_accuracy": (predicted == y_val).mean(axis=1).tolist()}


def svm_choice_holds(run):
    """No more support vectors than images to fit."""
    run.has("val_accuracy", "support_vectors")
    n_val = validation_rows(run.train)
    run.shares("val_accuracy", of=n_val, exact=True)
    run.whole(10, min(10_000, run.train - n_val), "support_vectors")


def large_penalties(one, other):
    """From C = 3 on hardly any vector reaches the bound, so that C changes next to nothing."""
    return one["gamma"] == other["gamma"] and min(one["C"], other["C"]) >= 3


@experiment(
    settings=[{"C": C, "gamma": g} for C in (1, 3, 10) for g in (0.01, 0.02, 0.03, 0.05)],
    seeds=1,
    holds=svm_choice_holds,
    alike=large_penalties,
    close={"val_accuracy": 0.0015, "support_vectors": 8},
)
def svm_choice(digits, C, gamma, seed):
    """An RBF-SVM on 10,000 images (fewer in the sample); returns its validation accuracy and support vectors."""
    x_fit, y_fit, x_val, y_val = split(digits, 10_000)
    model, _ = fast_svc(C=C, gamma=gamma)
    model.fit(x_fit, y_fit)
    return {"val_accuracy": float((rbf_predict(model, x_val) == y_val).mean()), "support_vectors": len(model.support_)}


def other_choices_holds(run):
    """The share is one of the validation images."""
    run.has("val_accuracy")
    run.shares("val_accuracy", of=validation_rows(run.train), exact=True)


def same_count(one, other):
    """The result is a count of some validation images and no more: two settings of a method may get it alike."""
    return one["method"] == other["method"]


@experiment(
    settings=[{"method": method, "value": value} for method, values in CHOICES.items() for value in values],
    seeds=1,
    holds=other_choices_holds,
    alike=same_count,
    close={"val_accuracy": 0.0008},
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


BYTES_OF_A_VECTOR = (784 + 9) * 4  # its pixels, and its weight in the decisions between ten classes


def svm_bytes(vectors):
    """Return the fewest and the most bytes of ``stored_bytes`` for an SVM of so many support vectors and ten classes."""
    return vectors * BYTES_OF_A_VECTOR + 600, vectors * BYTES_OF_A_VECTOR + 680


def svm_growth_holds(run):
    """The two libraries find the same SVM, which grows with the images; what it takes on disk are its vectors."""
    chosen = best_settings("svm_choice")
    given = ("package", "own_predict_differs", "own_predict_accuracy", "test_accuracy", "wrong", "support_vectors")
    run.has(*chosen, *given, "fit_seconds", "predict_seconds", "bytes")
    for name, value in chosen.items():
        run.equal(name, value)
    n, library = run.settings["n"], run.settings["library"]
    packages = ("scikit-learn",) if library == "stock" else ("scikit-learn-intelex", "scikit-learn")
    run.must(run["package"] in packages, f"package is {run['package']}")
    run.mistakes("wrong", "test_accuracy")
    run.shares("own_predict_accuracy", of=run.test, exact=True)
    run.whole(0, run.test if library == "intelex" else 0, "own_predict_differs")
    difference = abs(run["own_predict_accuracy"] - run["test_accuracy"])
    run.must(
        difference <= run["own_predict_differs"] / run.test + 1e-12,
        "own_predict_accuracy is too far from test_accuracy",
    )
    run.whole(10, n, "support_vectors")
    run.between(*svm_bytes(run["support_vectors"]), "bytes")
    run.elapsed("fit_seconds", "predict_seconds")
    for size, one in (
        (size, run.other("svm_growth", n=size, library=library)) for size in (500, 1000, 2000, 5000, 10_000, 20_000)
    ):
        if one and size != n:
            more = (run["support_vectors"] > one["support_vectors"]) == (n > size)
            run.must(more, f"of {n} and {size} images, the fewer give the more support vectors")
    if twin := run.other("svm_growth", n=n, library="stock" if library == "intelex" else "intelex"):
        run.equal("support_vectors", twin["support_vectors"], within=5)
        apart = len(set(run["wrong"]) ^ set(twin["wrong"]))
        run.must(apart <= 5, f"the two libraries differ on {apart} images")
    if n == 10_000 and (one := run.other("svm_choice", **chosen)) and run.edition == "full":
        run.equal("support_vectors", one["support_vectors"], within=5)


@experiment(
    settings=growth_settings,
    seeds=1,
    compare=("test_accuracy",),
    needs=("svm_choice",),
    timed=True,
    holds=svm_growth_holds,
    close={
        "package": 0,
        "own_predict_differs": 200,
        "own_predict_accuracy": 0.02,
        "test_accuracy": 0.001,
        "wrong": Mistakes(15),
        "support_vectors": 8,
        "bytes": 8 * 3172 + 80,
    },
)
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


def chosen_for(method, pictures):
    """Return the settings (dict) that the recorded choices give a method of the table."""
    if method.startswith("MLP"):
        return {}
    if method == "RBF-SVM":
        return best_settings("svm_choice")
    if method.startswith("k-NN"):
        metric = "cosine" if method.endswith("cosine") else "euclidean"
        return {"n_neighbors": best_neighbours(metric, pictures), "metric": metric}
    return best_settings("other_choices", method=method)


def baseline_table_holds(run):
    """Settings are those that were chosen, sizes those of the numbers that a model keeps, networks the report's."""
    run.has("settings", "test_accuracy", "wrong", "fit_seconds", "predict_seconds", "bytes")
    method, pictures = run.settings["method"], run.settings["pictures"]
    run.must(run["settings"] == chosen_for(method, pictures), f"its settings {run['settings']} are not those chosen")
    run.mistakes("wrong", "test_accuracy")
    run.elapsed("fit_seconds", "predict_seconds")
    run.whole(10_000, 10**9, "bytes")
    if method == "logistic regression":
        run.between(10 * 785 * 4, 10 * 785 * 4 + 1500, "bytes")
    elif method.startswith("k-NN"):  # every image in 32 bits, every label in 64
        run.between(run.train * (784 * 4 + 8), run.train * (784 * 4 + 8) + 1500, "bytes")
    elif method == "RBF-SVM":
        run.between(*svm_bytes(run["bytes"] // BYTES_OF_A_VECTOR), "bytes")
    elif method.startswith("MLP"):
        hidden = [int(width) for width in method[4:].split("-")]
        widths = [784, *hidden, 10]
        numbers = sum((a + 1) * b for a, b in itertools.pairwise(widths))
        run.between(numbers * 4, numbers * 4 + 25_000, "bytes")
        run.agrees("report_training", [("wrong", "wrong")], hidden=hidden)
    other = "sample" if run.edition == "full" else "full"
    if method.startswith(("logistic", "MLP")) and (same := run.other("baseline_table", other, **run.settings)):
        run.equal("bytes", same["bytes"], within=16)


@experiment(
    settings=TABLE,
    seeds=1,
    compare=("test_accuracy",),
    needs=("knn_choice", "other_choices", "svm_choice"),
    timed=True,
    holds=baseline_table_holds,
    distinct=("wrong",),
    close={"test_accuracy": 0.004, "wrong": Mistakes(80), "bytes": 60_000},
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
