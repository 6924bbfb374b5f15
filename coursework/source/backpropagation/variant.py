"""What the seed of a course changes in the assignment ``backpropagation``."""

import numpy as np

HIDDEN = 12  # neurons of the small network whose every gradient entry is measured


def _rng(seed, part):
    return np.random.default_rng([seed, 3, part])


def constants(seed):
    """Return the constants of a course, plain Python numbers."""
    rng = _rng(seed, 0)
    return {
        "SLOPE": float(rng.choice([0.05, 0.1, 0.15, 0.2, 0.25, 0.3])),
        "PENALTY": float(rng.choice([0.02, 0.03, 0.04, 0.05])),
        "LIMIT": float(rng.choice([0.5, 1.0, 1.5, 2.0])),
        "BATCH": int(rng.choice([24, 32, 40, 48])),
        "FRICTION": float(rng.choice([0.8, 0.85, 0.9])),
        "PATIENCE": int(rng.choice([3, 4, 5])),
        "MIN_DELTA": float(rng.choice([0.001, 0.002, 0.003])),
        "HIDDEN_SEED": int(rng.integers(10**6)),
    }


def data(seed):
    """Return the arrays that travel beside the notebook.

    ``images_train``, ``images_val``: uint8 (n, 28, 28), with their labels. ``start_*`` and ``measured_*``: a small
    network and the gradient of its penalised loss on the first 20 training images, measured by finite differences.
    ``val_losses``: validation losses of four overfitting trainings. ``accuracy_*``: validation accuracy of trainings
    with a right and with a wrong gradient, one row a run. ``steps``, ``error_one_sided``, ``error_two_sided``: how far
    a measured slope is off, for steps of different sizes.
    """
    from helpers.data import load_mnist

    constant = constants(seed)
    slope, penalty = constant["SLOPE"], constant["PENALTY"]
    digits = load_mnist(quiet=True)
    rng = _rng(seed, 1)
    chosen = rng.permutation(min(len(digits.x_train), 4000))[: 1000 + int(rng.integers(1, 20))]
    images, labels = digits.x_train[chosen], digits.y_train[chosen].astype(np.uint8)
    arrays = {
        "images_train": images[:-400],
        "labels_train": labels[:-400],
        "images_val": images[-400:],
        "labels_val": labels[-400:],
    }
    X, T = _rows(arrays["images_train"]), np.eye(10)[arrays["labels_train"]]
    X_val, T_val = _rows(arrays["images_val"]), np.eye(10)[arrays["labels_val"]]

    start = _network(_rng(seed, 2), HIDDEN)
    arrays |= {f"start_{name}": array for name, array in start.items()}
    arrays |= {f"measured_{name}": a for name, a in _measured(start, X[:20], T[:20], slope, penalty).items()}

    few = slice(0, 200)
    arrays["val_losses"] = np.array(
        [_training(_rng(seed, 10 + run), X[few], T[few], X_val, T_val, slope, 0.0, 40, 0.4)[0] for run in range(4)]
    )
    for kind, wrong in (("right", False), ("wrong", True)):
        arrays[f"accuracy_{kind}"] = np.array(
            [_training(_rng(seed, 20 + run), X, T, X_val, T_val, slope, 0.001, 24, 0.03, wrong)[1] for run in range(5)]
        )
    return arrays | _errors_of_measuring(_rng(seed, 3), X[:20], T[:20])


def _rows(images):
    """Images uint8 (n, 28, 28) as rows float64 (n, 196): the mean of each 2 by 2 pixels, from 0 to 1."""
    return images.reshape(len(images), 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(images), 196) / 255


def _network(rng, hidden):
    """A network 196-hidden-10 with small biases other than 0, so that a fault in their gradient can show."""
    return {
        "W1": rng.normal(0, 0.1, (196, hidden)),
        "b1": rng.normal(0, 0.1, hidden),
        "W2": rng.normal(0, 0.4, (hidden, 10)),
        "b2": rng.normal(0, 0.1, 10),
    }


def _forward(network, X, slope):
    Z = X @ network["W1"] + network["b1"]
    H = np.where(Z > 0, Z, slope * Z)
    logits = H @ network["W2"] + network["b2"]
    E = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Z, H, E / E.sum(axis=1, keepdims=True)


def _loss(network, X, T, slope, penalty):
    P = _forward(network, X, slope)[2]
    squares = (network["W1"] ** 2).sum() + (network["W2"] ** 2).sum()
    return -np.log(np.maximum(P[T == 1], 1e-300)).mean() + penalty / 2 * squares


def _measured(network, X, T, slope, penalty, h=1e-5):
    """The gradient by finite differences, entry by entry."""
    network = {name: array.copy() for name, array in network.items()}
    measured = {}
    for name, array in network.items():
        measured[name] = np.empty_like(array)
        for place in np.ndindex(array.shape):
            value, losses = array[place], []
            for array[place] in (value + h, value - h):
                losses.append(_loss(network, X, T, slope, penalty))
            array[place] = value
            measured[name][place] = (losses[0] - losses[1]) / (2 * h)
    return measured


def _training(rng, X, T, X_val, T_val, slope, penalty, epochs, rate, wrong=False):
    """Validation loss and accuracy after each epoch of plain SGD; ``wrong`` plants the faults of the hasty colleague."""
    network = _network(rng, 30)
    losses, accuracies = [], []
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for at in range(0, len(X), 20):
            rows = order[at : at + 20]
            Z, H, P = _forward(network, X[rows], slope)
            delta = (P - T[rows]) / len(rows)
            back = (delta @ network["W2"].T) * np.where(Z > 0, 1, 0 if wrong else slope)
            network["W2"] -= rate * (H.T @ delta + penalty * network["W2"])
            network["b2"] -= rate * (delta.mean(axis=0) if wrong else delta.sum(axis=0))
            network["W1"] -= rate * (X[rows].T @ back + (0 if wrong else penalty) * network["W1"])
            network["b1"] -= rate * back.sum(axis=0)
        losses.append(_loss(network, X_val, T_val, slope, 0))
        accuracies.append((_forward(network, X_val, slope)[2].argmax(axis=1) == T_val.argmax(axis=1)).mean())
    return losses, accuracies


def _errors_of_measuring(rng, X, T):
    """How far measured slopes of a softmax regression are off, largest of 20 random directions, per step size."""
    W, n = rng.normal(0, 0.3, (196, 10)), len(X)

    def loss(W):
        return _loss({"W1": np.eye(196), "b1": 0, "W2": W, "b2": 0}, X, T, 1.0, 0.0)

    exact = X.T @ (_forward({"W1": np.eye(196), "b1": 0, "W2": W, "b2": 0}, X, 1.0)[2] - T) / n
    directions = rng.normal(size=(20, 196, 10))
    slopes = np.array([(exact * direction).sum() for direction in directions])
    steps = 10.0 ** -np.arange(0, 13.5, 0.5)
    one, two = np.empty((2, len(steps), 20))
    for i, h in enumerate(steps):
        for j, direction in enumerate(directions):
            up, here, down = loss(W + h * direction), loss(W), loss(W - h * direction)
            one[i, j], two[i, j] = (up - here) / h, (up - down) / (2 * h)
    size = np.abs(slopes).max()
    return {
        "steps": steps,
        "error_one_sided": np.abs(one - slopes).max(axis=1) / size,
        "error_two_sided": np.abs(two - slopes).max(axis=1) / size,
    }
