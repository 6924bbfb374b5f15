"""Recorded for the chapter on evaluation. Most of what it needs is in ``report_training`` (experiments/training.py)."""

import numpy as np

from experiments.bench.declare import experiment
from helpers.data import prepare
from helpers.training import REPORT_VALIDATION_SPLIT, trained_network


def _probabilities_and_labels(probabilities, labels):
    """Return both as arrays (float64 and int), or raise ValueError where they do not fit together."""
    probabilities, labels = np.asarray(probabilities, np.float64), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise ValueError(f"needs probabilities (n, K) and labels (n,), not {probabilities.shape} and {labels.shape}")
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-4) or probabilities.min() < 0:
        raise ValueError("each row of probabilities must be non-negative and sum to 1: are these logits?")
    return probabilities, labels.astype(int)


def expected_calibration_error(probabilities, labels, bins=15):
    """Expected calibration error: how far confidence and accuracy lie apart (Guo et al. 2017).

    The images are sorted into bins of equal width by the largest probability of each row. Returned is the mean, over
    the images, of their bin's absolute difference between mean confidence and share of right answers.

    Parameters
    ----------
    probabilities : float (n, K), rows sum to 1
    labels : int (n,)
    bins : int

    Returns
    -------
    float, in 0..1

    Raises
    ------
    ValueError
        If the shapes do not fit, or the rows are no probabilities.
    """
    probabilities, labels = _probabilities_and_labels(probabilities, labels)
    confidence = probabilities.max(axis=1)
    excess = confidence - (probabilities.argmax(axis=1) == labels)
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(which, weights=excess, minlength=bins)).sum() / len(labels))


def with_temperature(probabilities, temperature):
    """Divide the logits by a temperature and apply softmax again; above 1 it makes confident answers less so.

    The logits are recovered as the logarithms of the probabilities, which differ from them by a constant per row:
    softmax does not see it.

    Parameters
    ----------
    probabilities : float (n, K)
    temperature : float, positive

    Returns
    -------
    float64 (n, K), rows sum to 1
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is positive, not {temperature}")
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-38)) / temperature
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def fit_temperature(probabilities, labels):
    """Return the temperature in 0.1..10 that gives ``labels`` the smallest cross-entropy (Guo et al. 2017).

    Fit it on validation images, never on those that the network was trained or is tested on.

    Parameters
    ----------
    probabilities : float (n, K), rows sum to 1
    labels : int (n,)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, or the rows are no probabilities.
    """
    from scipy.optimize import minimize_scalar

    probabilities, labels = _probabilities_and_labels(probabilities, labels)

    def cross_entropy(log_temperature):
        p = with_temperature(probabilities, np.exp(log_temperature))[np.arange(len(labels)), labels]
        return -np.log(np.maximum(p, 1e-300)).mean()

    return float(np.exp(minimize_scalar(cross_entropy, bounds=(np.log(0.1), np.log(10)), method="bounded").x))


def calibration_holds(run):
    """The network is the report's; no bins show a smaller error than confidence and accuracy of all images do."""
    run.has("accuracy", "confidence", "temperature", "confidence_scaled", "ece", "ece_scaled")
    run.shares("accuracy", of=run.test, exact=True)
    run.float32("confidence")
    run.between(0.1, 1, "confidence", "confidence_scaled")
    run.between(0.1, 10, "temperature")
    for error, confidence in (("ece", "confidence"), ("ece_scaled", "confidence_scaled")):
        run.between(abs(run[confidence] - run["accuracy"]) - 1e-6, 1, error)
    cooler = run["confidence_scaled"] < run["confidence"]
    run.must((run["temperature"] > 1) == cooler, "its temperature does not fit what it does to confidence")
    run.near(
        run["confidence_scaled"], run["accuracy"], run.held_out(REPORT_VALIDATION_SPLIT), run.test
    )  # what scaling is for
    run.agrees("report_training", [("accuracy", "test_accuracy")], hidden=[128, 64])


@experiment(
    seeds=10,
    compare=("accuracy", "confidence", "temperature", "ece", "ece_scaled"),
    holds=calibration_holds,
    distinct=("confidence", "temperature", "confidence_scaled", "ece", "ece_scaled"),
    close={
        "accuracy": 0.002,
        "confidence": 0.001,
        "temperature": 0.02,
        "confidence_scaled": 0.0015,
        "ece": 0.0015,
        "ece_scaled": 0.0015,
    },
)
def calibration(digits, seed):
    """Measure the calibration of the report's network on the test images, before and after temperature scaling.

    The network is trained as the course report does, or read if it was so trained before. The temperature is fitted on
    the last 20% of the training images, which that training held out.

    Parameters
    ----------
    digits : helpers.data.Digits
    seed : int

    Returns
    -------
    dict of floats
        accuracy and confidence (the mean of the largest probability) on the test images; temperature; the expected
        calibration error ece; confidence_scaled and ece_scaled after scaling.
    """
    network = trained_network(seed)
    held_out = int(len(digits.x_train) * (1 - REPORT_VALIDATION_SPLIT))
    p_validation = network.predict(prepare(digits.x_train[held_out:]), verbose=0)
    p_test = network.predict(prepare(digits.x_test), verbose=0)
    temperature = fit_temperature(p_validation, digits.y_train[held_out:])
    scaled = with_temperature(p_test, temperature)
    return {
        "accuracy": float((p_test.argmax(axis=1) == digits.y_test).mean()),
        "confidence": float(p_test.max(axis=1).mean()),
        "temperature": temperature,
        "confidence_scaled": float(scaled.max(axis=1).mean()),
        "ece": expected_calibration_error(p_test, digits.y_test),
        "ece_scaled": expected_calibration_error(scaled, digits.y_test),
    }
