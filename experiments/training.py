"""Experiments of the training chapter; ``report_training`` serves other chapters too."""

import time

import helpers.quiet
import keras
import numpy as np
import tensorflow as tf

from experiments.bench.agree import Along, Mistakes
from experiments.bench.declare import experiment
from helpers.data import prepare
from helpers.models import CLASSES, REPORT_CODE, build_mlp
from helpers.training import REPORT_BATCH_SIZE, REPORT_EPOCHS, REPORT_VALIDATION_SPLIT, fit_as_report, set_seed


CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


def report_training_holds(run):
    """The matrix holds the mistakes, these make the accuracy, and a loss is not smaller than they allow."""
    more = (
        "train_accuracy",
        "test_loss",
        "test_accuracy",
        "seconds",
        "confusion",
        "wrong",
        "wrong_digit",
        "wrong_probability",
    )
    run.has(*CURVES, *more)
    held_out = run.held_out(REPORT_VALIDATION_SPLIT)
    run.losses("loss", "val_loss", length=REPORT_EPOCHS)
    run.shares("accuracy", of=run.train - held_out, length=REPORT_EPOCHS)
    run.shares("val_accuracy", of=held_out, length=REPORT_EPOCHS)
    run.shares("train_accuracy", of=run.train - held_out, exact=True)
    run.losses("test_loss")
    run.near(run["val_accuracy"][-1], run["test_accuracy"], held_out, run.test)
    run.floor(run["val_loss"] + [run["test_loss"]], run["val_accuracy"] + [run["test_accuracy"]])
    run.mistakes("wrong", "test_accuracy")
    run.confusion("confusion", "wrong", "wrong_digit")
    given = np.array(run.numbers("wrong_probability", len(run["wrong"])))
    run.between(0.1, 1, "wrong_probability", length=len(given))
    run.must((given.round(4) == given).all(), "wrong_probability has more than four digits")
    # What a wrong digit was given, the right one was not, and it got the largest of all.
    least = -np.log(np.clip(np.minimum(given, 1 - given) + 5e-5, 1e-7, 1)).sum() / run.test
    run.between(least, 10, "test_loss")
    run.elapsed("seconds")


@experiment(
    settings=[{"hidden": [128, 64]}, {"hidden": [128]}],
    seeds=10,
    compare=("test_accuracy",),
    holds=report_training_holds,
    distinct=(*CURVES, "test_loss", "confusion", "wrong", "wrong_digit", "wrong_probability"),
    curves=CURVES,
    close={
        "loss": (0.001, 0.01),
        "accuracy": (0.001, 0.004),
        "val_loss": (0.01, 0.03),
        "val_accuracy": (0.004, 0.01),
        "train_accuracy": 0.008,
        "test_loss": 0.03,
        "test_accuracy": 0.008,
        "confusion": 40,
        "wrong": Mistakes(180),
        "wrong_digit": Along("wrong", 0),
        "wrong_probability": Along("wrong", 0.1),
    },
)
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


def race_close(settings):
    """The two highest rates of an optimiser make its training erratic, SGD's from the start: rounding decides where it goes."""
    if settings["rate"] < RACE_RATES[settings["optimiser"]][-2]:
        loss, accuracy = (0.01, 0.03), (0.006, 0.012)
    elif settings["optimiser"] == "SGD":
        loss, accuracy = (1.0, 1.0), (0.4, 0.3)
    else:
        loss, accuracy = (0.1, 1.0), (0.03, 0.3)
    return {"val_loss": loss, "val_accuracy": accuracy, "final_val_loss": loss[1], "final_val_accuracy": accuracy[1]}


def optimiser_race_holds(run):
    """Measurements are evenly spaced; the last ones stand there once more, with all their digits."""
    run.has("steps", "val_loss", "val_accuracy", "final_val_loss", "final_val_accuracy")
    held_out = run.held_out(REPORT_VALIDATION_SPLIT)
    apart = RACE_EPOCHS * (run.train - held_out) // RACE_BATCH_SIZE // RACE_MEASUREMENTS
    expected = [apart * (i + 1) for i in range(RACE_MEASUREMENTS)]
    run.must(run["steps"] == expected, f"steps is {run['steps']}, not {expected}")
    run.losses("val_loss", length=RACE_MEASUREMENTS, digits=5)
    run.shares("val_accuracy", of=held_out, length=RACE_MEASUREMENTS, digits=5)
    run.between(0, 10, "val_loss", length=RACE_MEASUREMENTS)
    run.losses("final_val_loss")
    run.shares("final_val_accuracy", of=held_out)
    run.floor(run["val_loss"], run["val_accuracy"])
    run.equal("final_val_loss", run["val_loss"][-1], within=0.51e-5)
    run.equal("final_val_accuracy", run["val_accuracy"][-1], within=0.51e-5)


@experiment(
    settings=[{"optimiser": name, "rate": rate} for name, rates in RACE_RATES.items() for rate in rates],
    seeds=3,
    compare=("final_val_accuracy",),
    holds=optimiser_race_holds,
    distinct=("val_loss", "final_val_loss"),
    curves=("val_loss", "val_accuracy"),
    close=race_close,
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


def thirty_epochs_holds(run):
    """The curve's lowest point is where it is said to be; the first epochs are the report's."""
    run.has(*CURVES, "turning_epoch", "lowest_val_loss", "test_accuracy")
    held_out = run.held_out(REPORT_VALIDATION_SPLIT)
    run.losses("loss", "val_loss", length=30, digits=6)
    run.shares("accuracy", of=run.train - held_out, length=30, digits=6)
    run.shares("val_accuracy", of=held_out, length=30, digits=6)
    run.floor(run["val_loss"], run["val_accuracy"])
    for name, step in (("loss", 0.04), ("accuracy", 0.02), ("val_loss", 0.12), ("val_accuracy", 0.03)):
        run.steady(name, 30, step, after=5)
    run.whole(1, 30, "turning_epoch")
    run.equal("turning_epoch", 1 + int(np.argmin(run["val_loss"])))
    run.losses("lowest_val_loss")
    run.equal("lowest_val_loss", min(run["val_loss"]), within=0.51e-6)
    run.shares("test_accuracy", of=run.test)
    run.near(run["val_accuracy"][-1], run["test_accuracy"], held_out, run.test)
    pairs = [((name, slice(REPORT_EPOCHS)), name) for name in CURVES]
    run.agrees("report_training", pairs, within=2e-6, hidden=[128, 64])


@experiment(
    seeds=3,
    compare=("lowest_val_loss",),
    holds=thirty_epochs_holds,
    distinct=CURVES,
    curves=CURVES,
    close={
        "loss": (0.001, 0.02),
        "accuracy": (0.001, 0.01),
        "val_loss": (0.01, 0.1),
        "val_accuracy": (0.004, 0.02),
        "turning_epoch": 3,
        "lowest_val_loss": 0.01,
        "test_accuracy": 0.008,
    },
)
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


def faster_training_holds(run):
    """The share of right images is their number; the slow training is the report's."""
    run.has("seconds", "val_accuracy", "test_accuracy", "right")
    run.shares("val_accuracy", of=run.held_out(REPORT_VALIDATION_SPLIT))
    run.whole(0, run.test, "right")
    run.equal("test_accuracy", run["right"] / run.test, within=1e-12)
    run.near(run["val_accuracy"], run["test_accuracy"], run.held_out(REPORT_VALIDATION_SPLIT), run.test)
    run.elapsed("seconds")
    if run.settings["training"] == "report":
        pairs = [("val_accuracy", ("val_accuracy", -1)), ("test_accuracy", "test_accuracy")]
        run.agrees("report_training", pairs, hidden=[128, 64])


@experiment(
    settings=[{"training": "report"}, {"training": "faster"}],
    seeds=10,
    compare=("test_accuracy",),
    timed=True,
    holds=faster_training_holds,
    close={"val_accuracy": 0.0013, "test_accuracy": 0.0012, "right": 12},
)
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
