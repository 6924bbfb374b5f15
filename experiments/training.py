"""Experiments of the training chapter; ``report_training`` serves other chapters too."""

import time

import helpers.quiet
import keras
import numpy as np
import tensorflow as tf

from experiments.bench.declare import experiment
from helpers.data import prepare
from helpers.models import CLASSES, REPORT_CODE, build_mlp
from helpers.training import REPORT_BATCH_SIZE, REPORT_EPOCHS, REPORT_VALIDATION_SPLIT, fit_as_report, set_seed


@experiment(settings=[{"hidden": [128, 64]}, {"hidden": [128]}], seeds=10, compare=("test_accuracy",))
def report_training(digits, hidden, seed):
    """The report's network trained exactly as the report does (``helpers.training.fit_as_report``), then tested.

    Parameters
    ----------
    digits : helpers.data.Digits
    hidden : list of int
        [128, 64] is what the report's code builds, [128] what its section 4 describes.
    seed : int

    Returns
    -------
    dict
        loss, accuracy, val_loss, val_accuracy: lists, one value per epoch, as ``model.fit`` gives them.
        train_accuracy: of the trained network on the images it learned from (the last ``accuracy`` is a mean over
        the last epoch, while the weights still moved).
        test_loss, test_accuracy: on all test images. seconds: wall time of ``fit``.
        confusion: 10 rows (true digit) of 10 counts (predicted digit).
        wrong, wrong_digit, wrong_probability: the test images got wrong (indices), what the network took
        them for, and the probability it gave to that, rounded to four digits.
    """
    model, history, seconds = fit_as_report(prepare(digits.x_train), digits.y_train, seed, tuple(hidden))
    n = int(len(digits.x_train) * (1 - REPORT_VALIDATION_SPLIT))
    learned = model.predict(prepare(digits.x_train[:n]), batch_size=1000, verbose=0).argmax(axis=1)
    probabilities = model.predict(prepare(digits.x_test), batch_size=1000, verbose=0)
    truth = np.asarray(digits.y_test)
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((CLASSES, CLASSES), int)
    np.add.at(confusion, (truth, predicted), 1)
    wrong = np.flatnonzero(predicted != truth)
    given_to_truth = probabilities[np.arange(len(truth)), truth]
    return {
        **history,
        "train_accuracy": float((learned == digits.y_train[:n]).mean()),
        "test_loss": float(-np.log(np.maximum(given_to_truth, 1e-7)).mean()),
        "test_accuracy": float((predicted == truth).mean()),
        "seconds": round(seconds, 3),
        "confusion": confusion.tolist(),
        "wrong": wrong.tolist(),
        "wrong_digit": predicted[wrong].tolist(),
        "wrong_probability": [round(float(p), 4) for p in probabilities[wrong].max(axis=1)],
    }


#: Learning rates to try for each optimiser, about a factor of three apart; the best one must not lie at an end.
RACE_RATES = {
    "SGD": (0.03, 0.1, 0.3, 1.0, 3.0),
    "momentum": (0.003, 0.01, 0.03, 0.1, 0.3),
    "AdaGrad": (0.01, 0.03, 0.1, 0.3, 1.0),
    "RMSProp": (0.0001, 0.0003, 0.001, 0.003, 0.01),
    "Adam": (0.0003, 0.001, 0.003, 0.01, 0.03),
}
RACE_BATCH_SIZE = 128
RACE_EPOCHS = 2
RACE_MEASUREMENTS = 10


def make_optimiser(name, rate):
    """Return Keras's optimiser of this name in the book ("SGD", "momentum", "AdaGrad", "RMSProp", "Adam")."""
    if name == "momentum":
        return keras.optimizers.SGD(rate, momentum=0.9)
    keras_name = {"AdaGrad": "Adagrad", "RMSProp": "RMSprop"}.get(name, name)
    return getattr(keras.optimizers, keras_name)(rate)


@experiment(
    settings=[{"optimiser": name, "rate": rate} for name, rates in RACE_RATES.items() for rate in rates],
    seeds=3,
    compare=("final_val_accuracy",),
)
def optimiser_race(digits, optimiser, rate, seed):
    """Two epochs of the report's network in batches of 128 with one optimiser at one learning rate, measured ten times.

    With one seed, all optimisers start from the same weights and see the same batches.

    Parameters
    ----------
    digits : helpers.data.Digits
    optimiser : str
        A key of RACE_RATES.
    rate : float
    seed : int

    Returns
    -------
    dict
        steps: how many steps had been taken at each measurement. val_loss, val_accuracy: measured then, lists.
        final_val_loss, final_val_accuracy: their last values. A loss that is not finite, or above 10, stands as 10.
    """
    x, t = prepare(digits.x_train), keras.utils.to_categorical(digits.y_train, CLASSES)
    n = int(len(x) * (1 - REPORT_VALIDATION_SPLIT))
    steps = RACE_EPOCHS * n // RACE_BATCH_SIZE // RACE_MEASUREMENTS
    set_seed(seed)
    model = build_mlp(REPORT_CODE, optimizer=make_optimiser(optimiser, rate), steps_per_execution=steps)
    images, labels = tf.constant(x[:n]), tf.constant(t[:n])
    batches = tf.data.Dataset.range(n).shuffle(n, seed=seed).repeat().batch(RACE_BATCH_SIZE)
    batches = batches.map(lambda rows: (tf.gather(images, rows), tf.gather(labels, rows))).prefetch(4)
    history = model.fit(
        batches,
        shuffle=False,  # the data set shuffles
        epochs=RACE_MEASUREMENTS,
        steps_per_epoch=steps,
        verbose=0,
        validation_data=(x[n:], t[n:]),
        validation_batch_size=len(x) - n,
    ).history
    val_loss = np.minimum(np.nan_to_num(history["val_loss"], nan=10, posinf=10), 10)
    return {
        "steps": [steps * (i + 1) for i in range(RACE_MEASUREMENTS)],
        "val_loss": [round(float(v), 5) for v in val_loss],
        "val_accuracy": [round(float(v), 5) for v in history["val_accuracy"]],
        "final_val_loss": float(val_loss[-1]),
        "final_val_accuracy": float(history["val_accuracy"][-1]),
    }


@experiment(seeds=3, compare=("lowest_val_loss",))
def thirty_epochs(digits, seed):
    """The report's training carried on to 30 epochs: the same steps, of which Keras runs a hundred in one go.

    Returns
    -------
    dict
        loss, accuracy, val_loss, val_accuracy: lists, one value per epoch.
        turning_epoch: the epoch (from 1) with the lowest validation loss. lowest_val_loss: that loss.
        test_accuracy: after the last epoch.
    """
    x, t = prepare(digits.x_train), keras.utils.to_categorical(digits.y_train, CLASSES)
    set_seed(seed)
    model = build_mlp(REPORT_CODE, steps_per_execution=100)
    history = model.fit(
        x,
        t,
        epochs=30,
        batch_size=REPORT_BATCH_SIZE,
        validation_split=REPORT_VALIDATION_SPLIT,
        verbose=0,
        validation_batch_size=1000,
    ).history
    t_test = keras.utils.to_categorical(digits.y_test, CLASSES)
    return {
        **{name: [round(float(v), 6) for v in values] for name, values in history.items()},
        "turning_epoch": int(np.argmin(history["val_loss"])) + 1,
        "lowest_val_loss": float(min(history["val_loss"])),
        "test_accuracy": float(model.evaluate(prepare(digits.x_test), t_test, batch_size=1000, verbose=0)[1]),
    }


def fit_faster(x_train, y_train, seed, hidden=REPORT_CODE, epochs=REPORT_EPOCHS):
    """Train the same network on the same images as ``helpers.training.fit_as_report``, in a fraction of the time.

    Batches of 512, a learning rate that climbs for a tenth of the steps and then falls along a cosine, and one call of
    TensorFlow per epoch.

    Parameters and returns are those of ``fit_as_report``; ``seconds`` holds all of ``fit``, tracing included.
    """
    t_train = keras.utils.to_categorical(y_train, CLASSES)
    batch_size = 512
    steps = -(-int(len(x_train) * (1 - REPORT_VALIDATION_SPLIT)) // batch_size)
    climb = epochs * steps // 10
    schedule = keras.optimizers.schedules.CosineDecay(
        4e-4, epochs * steps - climb, warmup_target=4e-3, warmup_steps=climb
    )
    set_seed(seed)
    model = build_mlp(hidden, optimizer=keras.optimizers.Adam(schedule), steps_per_execution=steps)
    start = time.perf_counter()
    history = model.fit(
        x_train,
        t_train,
        batch_size=batch_size,
        epochs=epochs,
        verbose=0,
        validation_split=REPORT_VALIDATION_SPLIT,
        validation_batch_size=4000,
    )
    seconds = time.perf_counter() - start
    return model, {name: [float(v) for v in values] for name, values in history.history.items()}, seconds


@experiment(settings=[{"training": "report"}, {"training": "faster"}], seeds=10, compare=("test_accuracy",), timed=True)
def faster_training(digits, training, seed):
    """The report's training and the faster one, turn by turn: every seed runs the one, then the other.

    Returns
    -------
    dict
        seconds: wall time of ``fit``, with its tracing. val_accuracy, test_accuracy: after the last epoch.
        right: how many test images are right.
    """
    fit = {"report": fit_as_report, "faster": fit_faster}[training]
    model, history, seconds = fit(prepare(digits.x_train), digits.y_train, seed)
    predicted = model.predict(prepare(digits.x_test), batch_size=1000, verbose=0).argmax(axis=1)
    right = predicted == np.asarray(digits.y_test)
    return {
        "seconds": round(seconds, 3),
        "val_accuracy": history["val_accuracy"][-1],
        "test_accuracy": float(right.mean()),
        "right": int(right.sum()),
    }
