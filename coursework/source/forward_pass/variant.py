"""What a course's seed changes in the assignment on the forward pass: a trained network, the images, and a few numbers."""

import numpy as np

BRANCH = 12  # keeps this assignment's random numbers apart from the others' of the same course


def constants(seed):
    """Return the constants of the course with this seed: a dict of name to plain Python value."""
    rng = np.random.default_rng([seed, BRANCH])
    budget = int(rng.choice([40_000, 60_000, 75_000, 120_000, 150_000]))
    return {
        "BUDGET": budget,
        "BUDGET_IN_WORDS": f"{budget:,}",
        "TEMPERATURE": float(rng.choice([2.0, 3.0, 4.0, 5.0])),
        "COLUMN": int(rng.integers(13, 16)),
        "SLACK": int(rng.integers(4, 13)),
        "HIDDEN_SEED": int(rng.integers(1_000_000)),
    }


def data(seed):
    """Return what students load: a dict of arrays.

    images, labels: 400 images that the network was not trained on, uint8 (400, 28, 28), and their digits. W1, b1 to W4,
    b4: a trained network's weights, float32, each matrix of shape (neurons, inputs). logits: float32 (400, 10), what
    that network gives for the images. pixel_mean, pixel_deviation: float64 (784,), of pixels from 0 to 1.
    """
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng([seed, BRANCH, 1])
    pool, pool_labels = _sample()
    rows = rng.permutation(len(pool))
    images, labels = pool[rows[:400]], pool_labels[rows[:400]]
    x, y = pool[rows[400:]].reshape(-1, 784) / np.float32(255), pool_labels[rows[400:]]
    width = int(rng.choice([16, 20, 24]))
    sizes = [784, int(rng.choice([32, 40, 48])), width, width, 10]  # one matrix is square: its shape gives nothing away
    with threadpool_limits(1):  # the matrices are so small that several threads would only wait for each other
        layers = _train(x, y, sizes, rng)
    logits = _outputs(images.reshape(-1, 784) / np.float32(255), layers)[-1]
    weights = {}
    for number, (weight, bias) in enumerate(layers, start=1):
        weights[f"W{number}"], weights[f"b{number}"] = np.ascontiguousarray(weight.T), bias
    return {
        "images": images,
        "labels": labels,
        **weights,
        "logits": logits,
        "pixel_mean": x.mean(axis=0, dtype=np.float64),
        "pixel_deviation": np.maximum(x.std(axis=0, dtype=np.float64), 0.05),  # some pixels never change
    }


def _sample():
    """All 5,000 images of the sample edition, uint8 (5000, 28, 28), and their labels, whichever edition is set."""
    import os
    from unittest import mock

    from helpers.data import load_mnist

    with mock.patch.dict(os.environ, DIGITS_EDITION="sample"):
        sample = load_mnist(quiet=True)
    return np.concatenate([sample.x_train, sample.x_test]), np.concatenate([sample.y_train, sample.y_test])


def _outputs(x, layers):
    """What each layer gives, hidden ones after their ReLU, as a list of arrays (n, neurons); weights (inputs, neurons)."""
    outputs = []
    for place, (weight, bias) in enumerate(layers):
        x = x @ weight + bias
        if place < len(layers) - 1:
            x = np.maximum(x, 0)
        outputs.append(x)
    return outputs


def _train(x, y, sizes, rng, epochs=6, batch=40, rate=0.05, momentum=0.9):
    """Train a ReLU network on x, float32 (n, inputs), and labels y: its layers as a list of (weights, biases)."""
    layers = [
        [rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32), np.zeros(b, np.float32)]
        for a, b in zip(sizes, sizes[1:], strict=False)
    ]
    speeds = [[np.zeros_like(part) for part in layer] for layer in layers]
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), len(x) // batch):
            outputs = [x[rows], *_outputs(x[rows], layers)]
            e = np.exp(outputs[-1] - outputs[-1].max(axis=1, keepdims=True))
            delta = e / e.sum(axis=1, keepdims=True)
            delta[np.arange(len(rows)), y[rows]] -= 1
            delta /= len(rows)
            for place in reversed(range(len(layers))):
                gradients = outputs[place].T @ delta, delta.sum(axis=0)
                delta = (delta @ layers[place][0].T) * (outputs[place] > 0)
                for part, speed, gradient in zip(layers[place], speeds[place], gradients, strict=True):
                    speed *= momentum
                    speed -= rate * gradient
                    part += speed
    return layers
