"""What the seed of a course changes in the assignment ``evaluation``."""

import numpy as np


def _rng(seed, part):
    return np.random.default_rng([seed, 4, part])


def constants(seed):
    """Return the constants of a course, plain Python values."""
    rng = _rng(seed, 0)
    return {
        "DIGIT": int(rng.choice([2, 3, 4, 5, 7, 8, 9])),
        "ONE_IN": int(rng.choice([100, 150, 200, 250, 300])),
        "LEVEL": float(rng.choice([0.8, 0.9, 0.95])),
        "TOLERANCE": int(rng.choice([2, 3, 4, 5])),
        "WANTED": float(rng.choice([0.01, 0.02, 0.03])),
        "RUNS": int(rng.choice([12, 15, 20, 25, 30])),
        "HIDDEN_SEED": int(rng.integers(10**6)),
    }


def data(seed):
    """Return the arrays that travel beside the notebook.

    ``images_test`` (n, 28, 28) uint8 with ``labels_test``; ``answers_a`` and ``answers_b``, what two readers say of
    them; ``confidence_val``, ``right_val``, ``confidence_test``, ``right_test``: how sure reader B is, and whether it is
    right; ``part_train``, ``part_test`` with labels: a part of a data set some of whose test images are in training, too.
    """
    from helpers.data import load_mnist

    constant = constants(seed)
    digits = load_mnist(quiet=True)
    rng = _rng(seed, 1)
    images, labels = digits.x_train[:4000], digits.y_train[:4000]
    order = rng.permutation(4000)
    train, val, test, rest = np.split(order, [1400, 2400, 3400 - int(rng.integers(60))])

    X = _rows(images)
    a = _softmax_regression(_rng(seed, 2), X[train], labels[train])(X)
    b = _small_network(_rng(seed, 3), X[train], labels[train])(X)
    right, confidence = b.argmax(axis=1) == labels, b.max(axis=1).astype(np.float32)

    leaks, tolerance = int(rng.integers(20, 41)), constant["TOLERANCE"]
    part_test, others = rest[:200], rest[200 : 600 - leaks]
    copied = rng.choice(part_test, leaks, replace=False)
    noise = rng.integers(-tolerance, tolerance + 1, (leaks, 28, 28))
    copies = np.clip(images[copied].astype(int) + noise, 0, 255).astype(np.uint8)
    mixed = rng.permutation(400)
    return {
        "images_test": images[test],
        "labels_test": labels[test].astype(np.uint8),
        "answers_a": a[test].argmax(axis=1).astype(np.uint8),
        "answers_b": b[test].argmax(axis=1).astype(np.uint8),
        "confidence_val": confidence[val],
        "right_val": right[val],
        "confidence_test": confidence[test],
        "right_test": right[test],
        "part_train": np.concatenate([images[others], copies])[mixed],
        "part_train_labels": np.concatenate([labels[others], labels[copied]])[mixed].astype(np.uint8),
        "part_test": images[part_test],
        "part_test_labels": labels[part_test].astype(np.uint8),
    }


def _rows(images):
    """Images uint8 (n, 28, 28) as rows float64 (n, 196): the mean of each 2 by 2 pixels, from 0 to 1."""
    return images.reshape(len(images), 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(images), 196) / 255


def _softmax(logits):
    E = np.exp(logits - logits.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def _softmax_regression(rng, X, y, epochs=40, rate=0.05):
    """Train a reader without hidden layer; returns a function from rows to probabilities."""
    W, b, T = np.zeros((196, 10)), np.zeros(10), np.eye(10)[y]
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for at in range(0, len(X), 20):
            rows = order[at : at + 20]
            delta = (_softmax(X[rows] @ W + b) - T[rows]) / len(rows)
            W -= rate * X[rows].T @ delta
            b -= rate * delta.sum(axis=0)
    return lambda rows: _softmax(rows @ W + b)


def _small_network(rng, X, y, hidden=16, epochs=40, rate=0.1):
    """Train a reader with one small hidden layer; returns a function from rows to probabilities."""
    V, c = rng.normal(0, 0.1, (196, hidden)), np.zeros(hidden)
    W, b, T = rng.normal(0, 0.3, (hidden, 10)), np.zeros(10), np.eye(10)[y]
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for at in range(0, len(X), 20):
            rows = order[at : at + 20]
            H = np.maximum(0, X[rows] @ V + c)
            delta = (_softmax(H @ W + b) - T[rows]) / len(rows)
            back = (delta @ W.T) * (H > 0)
            W -= rate * H.T @ delta
            b -= rate * delta.sum(axis=0)
            V -= rate * X[rows].T @ back
            c -= rate * back.sum(axis=0)
    return lambda rows: _softmax(np.maximum(0, rows @ V + c) @ W + b)
