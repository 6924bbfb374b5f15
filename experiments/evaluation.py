"""Recorded for the chapter on evaluation. Most of what it needs is in ``report_training`` (experiments/training.py)."""

from experiments.bench.declare import experiment
from helpers.data import prepare
from helpers.evaluation import expected_calibration_error, fit_temperature, with_temperature
from helpers.training import REPORT_VALIDATION_SPLIT, trained_network


@experiment(seeds=10, compare=("accuracy", "confidence", "temperature", "ece", "ece_scaled"))
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
