"""Recorded experiments on the architecture: activations, depth and width, each over several seeds."""

import helpers.quiet
import keras
import numpy as np

from experiments.bench.agree import Mistakes
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


def quick_shares(run, *of_training):
    """Accuracies of ``fit_quickly``, on training and validation images, as Keras gives them."""
    held_out = run.held_out(0.2)
    run.shares(*of_training, of=run.train - held_out)
    run.shares("val_accuracy", of=held_out)


def activation_and_sparsity_holds(run):
    """ReLU alone gives zeros in numbers; GELU's and tanh's are numbers too small to be told from zero."""
    run.has("train_accuracy", "val_accuracy", "test_accuracy", "zeros", "wrong")
    quick_shares(run, "train_accuracy")
    run.mistakes("wrong", "test_accuracy")
    run.near(run["val_accuracy"], run["test_accuracy"], run.held_out(0.2), run.test)
    for share, units in zip(run.numbers("zeros", 2), (128, 64), strict=True):
        nearest = round(share * run.test * units) / (run.test * units)
        run.must(abs(share - nearest) < 1e-12, f"zeros has {share}, no whole number of {run.test} x {units} outputs")
    run.between(*((0.1, 0.9) if run.settings["activation"] == "relu" else (0, 0.001)), "zeros", length=2)


@experiment(
    settings=[{"activation": a} for a in ("relu", "leaky_relu", "gelu", "tanh")],
    seeds=5,
    compare=("test_accuracy",),
    holds=activation_and_sparsity_holds,
    distinct=("wrong",),
    close={
        "train_accuracy": 0.001,
        "val_accuracy": 0.002,
        "test_accuracy": 0.002,
        "zeros": 0.01,
        "wrong": Mistakes(60),
    },
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


def depth_and_activation_holds(run):
    """Two hidden layers of 64 are also a network of ``width_and_depth``."""
    run.has("loss", "val_loss", "val_accuracy", "val_accuracy_last")
    run.losses("loss", "val_loss", length=EPOCHS)
    run.shares("val_accuracy", of=run.held_out(0.2), length=EPOCHS)
    run.floor(run["val_loss"], run["val_accuracy"])
    run.equal("val_accuracy_last", run["val_accuracy"][-1])
    if (run.settings["activation"], run.settings["depth"]) == ("relu", 2):
        run.agrees("width_and_depth", [("val_accuracy_last", "val_accuracy")], hidden=[64, 64])


@experiment(
    settings=[{"activation": a, "depth": d} for d in (2, 5, 10) for a in ("sigmoid", "tanh", "relu")],
    seeds=3,
    compare=("val_accuracy_last",),
    holds=depth_and_activation_holds,
    distinct=("loss", "val_loss"),
    curves=("loss", "val_loss", "val_accuracy"),
    # The first epoch's loss, a mean over all its steps, is nearly the same everywhere; with ten layers the end is not.
    close={"loss": (0.001, 0.2), "val_loss": (0.02, 0.2), "val_accuracy": (0.02, 0.15), "val_accuracy_last": 0.15},
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


def width_and_depth_holds(run):
    """Two hidden layers of 64 are also a network of ``depth_and_activation``."""
    run.has("train_accuracy", "val_accuracy", "test_accuracy")
    quick_shares(run, "train_accuracy")
    run.shares("test_accuracy", of=run.test, exact=True)
    run.near(run["val_accuracy"], run["test_accuracy"], run.held_out(0.2), run.test)
    if run.settings["hidden"] == [64, 64]:
        run.agrees("depth_and_activation", [("val_accuracy", "val_accuracy_last")], activation="relu", depth=2)


@experiment(
    settings=[{"hidden": [w] * d} for d in (1, 2) for w in (16, 32, 64, 128, 512)] + [{"hidden": []}],
    seeds=3,
    compare=("val_accuracy",),
    holds=width_and_depth_holds,
    close={"train_accuracy": 0.0015, "val_accuracy": 0.0025, "test_accuracy": 0.003},
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
