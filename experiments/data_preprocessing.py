"""Recorded experiments of the chapter on preparing the data: the scale of the pixels, and their order."""

import helpers.quiet
import keras
import numpy as np

from experiments.bench.declare import experiment
from helpers.data import prepare
from helpers.models import CLASSES, PIXELS, build_mlp
from helpers.training import REPORT_BATCH_SIZE, REPORT_EPOCHS, REPORT_VALIDATION_SPLIT, seed_offset, set_seed


def rescaled(x, pixels, part):
    """Put pixels on one of three scales.

    Parameters
    ----------
    x : float32 (n, 784), in 0..1
    pixels : "0 to 255", "0 to 1" or "standardised"
        Standardised: minus the mean, divided by the standard deviation of all pixels of the first ``part`` images.
    part : int

    Returns
    -------
    float32 (n, 784)
    """
    if pixels == "0 to 255":
        return x * np.float32(255)
    if pixels == "standardised":
        return (x - x[:part].mean()) / x[:part].std()
    return x


def fit_report_network(x, y, part, seed):
    """Train the report's network on the first ``part`` rows in the report's way, and validate it on the rest.

    Parameters
    ----------
    x : float32 (n, 784)
    y : int (n,)
    part, seed : int

    Returns
    -------
    dict
        val_loss: six values, before training and after each of five epochs. loss, val_accuracy: five, one per epoch.
        val_loss_first, val_accuracy_last: after the first and after the last epoch.
    """
    set_seed(seed)
    model = build_mlp(steps_per_execution=50)  # 50 steps for one call from Python: the same steps, in half the time
    t = keras.utils.to_categorical(y, CLASSES)
    held_out = (x[part:], t[part:])
    before = model.evaluate(*held_out, batch_size=1000, verbose=0)[0]
    options = {"epochs": REPORT_EPOCHS, "batch_size": REPORT_BATCH_SIZE, "validation_batch_size": 1000, "verbose": 0}
    history = model.fit(x[:part], t[:part], validation_data=held_out, **options).history
    return {
        "loss": [float(v) for v in history["loss"]],
        "val_loss": [float(before)] + [float(v) for v in history["val_loss"]],
        "val_accuracy": [float(v) for v in history["val_accuracy"]],
        "val_loss_first": float(history["val_loss"][0]),
        "val_accuracy_last": float(history["val_accuracy"][-1]),
    }


def report_network_holds(run):
    """What agrees in a run of ``fit_report_network``."""
    run.has("loss", "val_loss", "val_accuracy", "val_loss_first", "val_accuracy_last")
    run.losses("loss", length=REPORT_EPOCHS)
    run.losses("val_loss", length=REPORT_EPOCHS + 1)
    run.shares("val_accuracy", of=run.held_out(REPORT_VALIDATION_SPLIT), length=REPORT_EPOCHS)
    run.floor(run["val_loss"][1:], run["val_accuracy"])
    run.equal("val_loss_first", run["val_loss"][1])
    run.equal("val_accuracy_last", run["val_accuracy"][-1])


def pixel_scale_holds(run):
    """Pixels from 0 to 1 are the report's training."""
    report_network_holds(run)
    if run.settings["pixels"] == "0 to 1":
        after = ("val_loss", slice(1, None))
        pairs = [("loss", "loss"), ("val_accuracy", "val_accuracy"), (after, "val_loss")]
        run.agrees("report_training", pairs, within=2e-6, hidden=[128, 64])  # validated in batches of another size


CURVES = ("loss", "val_loss", "val_accuracy")
#: val_loss begins before training, where processors hardly differ; pixels from 0 to 255 make training erratic.
CLOSE = {
    "loss": (0.003, 0.1),
    "val_loss": (0.002, 0.15),
    "val_accuracy": (0.02, 0.03),
    "val_loss_first": 0.08,
    "val_accuracy_last": 0.03,
}


@experiment(
    settings=[{"pixels": pixels} for pixels in ("0 to 255", "0 to 1", "standardised")],
    seeds=6,
    compare=("val_accuracy_last",),
    holds=pixel_scale_holds,
    distinct=CURVES,
    curves=CURVES,
    close=CLOSE,
)
def pixel_scale(digits, pixels, seed):
    """Train the report's network on pixels of one scale."""
    part = int(len(digits.x_train) * (1 - REPORT_VALIDATION_SPLIT))
    x = rescaled(prepare(digits.x_train), pixels, part)
    return fit_report_network(x, digits.y_train, part, seed)


@experiment(
    seeds=6,
    compare=("val_accuracy_last",),
    holds=report_network_holds,
    distinct=CURVES,
    curves=CURVES,
    close=CLOSE,
)
def pixel_order(digits, seed):
    """Train the report's network on images whose pixels are all shuffled in the same way, another way for each seed."""
    part = int(len(digits.x_train) * (1 - REPORT_VALIDATION_SPLIT))
    order = np.random.default_rng(seed + seed_offset()).permutation(PIXELS)
    return fit_report_network(prepare(digits.x_train)[:, order], digits.y_train, part, seed)
