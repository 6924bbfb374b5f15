"""Recorded experiments on the architecture: activations, depth and width, each over several seeds."""

import helpers.quiet
import keras
import numpy as np

from experiments.bench.declare import experiment
from helpers.data import prepare
from helpers.models import CLASSES, build_mlp
from helpers.training import set_seed

BATCH_SIZE = 128
EPOCHS = 5


def fit_quickly(digits, hidden, activation, seed):
    """Train a network as the course report does, but in batches of 128, which takes a quarter of the steps.

    Parameters
    ----------
    digits : helpers.data.Digits
    hidden : sequence of int
    activation : str
    seed : int

    Returns
    -------
    model : keras.Sequential, trained for five epochs on the first 80% of the training images
    history : dict of lists of float, one value per epoch
    """
    set_seed(seed)
    model = build_mlp(hidden, activation, steps_per_execution=25)
    x, t = prepare(digits.x_train), keras.utils.to_categorical(digits.y_train, CLASSES)
    history = model.fit(x, t, batch_size=BATCH_SIZE, epochs=EPOCHS, validation_split=0.2, verbose=0)
    return model, {name: [float(v) for v in values] for name, values in history.history.items()}


def hidden_outputs(model, x):
    """Return the outputs of each hidden layer, a list of float32 arrays (n, units)."""
    outputs = []
    for layer in model.layers[:-1]:
        x = np.asarray(layer(x))
        outputs.append(x)
    return outputs


def wrong_images(model, x, y):
    """Return the indices of the images that the model gets wrong, a list of int."""
    return np.flatnonzero(np.argmax(np.asarray(model(x)), axis=1) != y).tolist()


@experiment(
    settings=[{"activation": a} for a in ("relu", "leaky_relu", "gelu", "tanh")],
    seeds=5,
    compare=("test_accuracy",),
)
def activation_and_sparsity(digits, activation, seed):
    """Train 784-128-64-10 with one activation; return accuracies and the shares of hidden outputs that are zero."""
    model, history = fit_quickly(digits, (128, 64), activation, seed)
    x_test = prepare(digits.x_test)
    wrong = wrong_images(model, x_test, digits.y_test)
    return {
        "train_accuracy": history["accuracy"][-1],
        "val_accuracy": history["val_accuracy"][-1],
        "test_accuracy": 1 - len(wrong) / len(x_test),
        "zeros": [float((a == 0).mean()) for a in hidden_outputs(model, x_test)],
        "wrong": wrong,
    }


@experiment(
    settings=[{"activation": a, "depth": d} for d in (2, 5, 10) for a in ("sigmoid", "tanh", "relu")],
    seeds=3,
    compare=("val_accuracy_last",),
)
def depth_and_activation(digits, activation, depth, seed):
    """Train a network of ``depth`` hidden layers of 64; return its losses and validation accuracies, epoch by epoch."""
    _, history = fit_quickly(digits, (64,) * depth, activation, seed)
    return {
        "loss": history["loss"],
        "val_loss": history["val_loss"],
        "val_accuracy": history["val_accuracy"],
        "val_accuracy_last": history["val_accuracy"][-1],
    }


@experiment(
    settings=[{"hidden": [w] * d} for d in (1, 2) for w in (16, 32, 64, 128, 512)] + [{"hidden": []}],
    seeds=3,
    compare=("val_accuracy",),
)
def width_and_depth(digits, hidden, seed):
    """Train a network of the given hidden layers; return its accuracies on validation and test images."""
    model, history = fit_quickly(digits, hidden, "relu", seed)
    x_test = prepare(digits.x_test)
    return {
        "train_accuracy": history["accuracy"][-1],
        "val_accuracy": history["val_accuracy"][-1],
        "test_accuracy": 1 - len(wrong_images(model, x_test, digits.y_test)) / len(x_test),
    }
