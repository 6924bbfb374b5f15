"""Calibration and temperature, held against formulas written by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_digits import tiny

from experiments import evaluation
from experiments.evaluation import expected_calibration_error, fit_temperature, with_temperature
from helpers.data import prepare

untimed = settings(deadline=None)


@st.composite
def predictions(draw):
    """Probabilities (n, 4) and labels (n,)."""
    n = draw(st.integers(1, 40))
    logits = draw(st.lists(st.lists(st.floats(-20, 20), min_size=4, max_size=4), min_size=n, max_size=n))
    labels = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    e = np.exp(np.array(logits) - np.max(logits, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True), np.array(labels)


@untimed
@given(predictions(), st.integers(1, 30))
def test_calibration_error_by_hand(case, bins):
    """Bin by bin in plain Python."""
    probabilities, labels = case
    gaps = {}
    for p, label in zip(probabilities, labels, strict=True):
        b = min(int(p.max() * bins), bins - 1)
        gaps[b] = gaps.get(b, 0.0) + p.max() - (p.argmax() == label)
    by_hand = sum(abs(gap) for gap in gaps.values()) / len(labels)
    result = expected_calibration_error(probabilities, labels, bins)
    assert result == pytest.approx(by_hand, abs=1e-12)
    assert 0 <= result <= 1


def test_calibration_error_known_values():
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    assert expected_calibration_error(p, [0, 0, 1, 0], bins=2) == pytest.approx(0.0)
    assert expected_calibration_error(p, [0, 1, 1, 0], bins=2) == pytest.approx(0.25)
    assert expected_calibration_error(np.eye(3), [0, 1, 2]) == 0  # a confidence of exactly 1 has a bin
    assert expected_calibration_error(np.eye(3), [1, 2, 0]) == 1


@untimed
@given(predictions(), st.floats(0.2, 5))
def test_temperature_changes_no_answer(case, temperature):
    probabilities, _ = case
    changed = with_temperature(probabilities, temperature)
    assert np.allclose(changed.sum(axis=1), 1)
    chosen = changed[np.arange(len(changed)), probabilities.argmax(axis=1)]
    assert np.allclose(chosen, changed.max(axis=1))


@untimed
@given(predictions())
def test_temperature_one_changes_nothing_and_heat_flattens(case):
    probabilities, _ = case
    assert np.allclose(with_temperature(probabilities, 1), probabilities)
    assert np.all(with_temperature(probabilities, 2).max(axis=1) <= probabilities.max(axis=1) + 1e-12)


def test_temperature_takes_a_probability_of_zero():
    changed = with_temperature(np.array([[1.0, 0.0], [0.5, 0.5]], dtype=np.float32), 2.0)
    assert np.isfinite(changed).all() and changed[0, 0] > 0.999


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 3), st.integers(0, 1000))
def test_the_fitted_temperature_undoes_a_known_one(temperature, seed):
    """Labels drawn from p; a network that claims p sharpened by T is mended by dividing its logits by T."""
    rng = np.random.default_rng(seed)
    honest = with_temperature(rng.dirichlet(np.ones(10), size=20_000), 0.7)
    labels = (rng.random(len(honest))[:, None] > honest.cumsum(axis=1)).sum(axis=1).clip(max=9)
    sharpened = with_temperature(honest, 1 / temperature)
    fitted = fit_temperature(sharpened, labels)
    assert fitted == pytest.approx(temperature, rel=0.06)
    if temperature > 1.3:
        mended = expected_calibration_error(with_temperature(sharpened, fitted), labels)
        assert mended < expected_calibration_error(sharpened, labels)


@pytest.mark.parametrize("function", [expected_calibration_error, fit_temperature])
def test_refuses_what_does_not_fit(function):
    p = np.full((4, 10), 0.1)
    for labels in (np.zeros(3, int), np.zeros((4, 1), int), np.zeros((4, 10))):
        with pytest.raises(ValueError, match="probabilities"):
            function(p, labels)
    with pytest.raises(ValueError, match="logits"):
        function(p * 3, np.zeros(4, int))
    with pytest.raises(ValueError, match="logits"):
        function(p - 0.2, np.zeros(4, int))


@pytest.mark.parametrize("temperature", [0, -1, math.nan])
def test_refuses_a_temperature_that_is_not_positive(temperature):
    with pytest.raises(ValueError, match="positive"):
        with_temperature(np.full((1, 2), 0.5), temperature)


def test_fifteen_bins_unless_said_otherwise():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), 500)
    labels = np.where(rng.random(500) < 0.6, p.argmax(axis=1), 0)
    errors = {bins: expected_calibration_error(p, labels, bins) for bins in (10, 14, 15, 16, 20)}
    assert expected_calibration_error(p, labels) == errors[15] and len(set(errors.values())) == 5


def test_a_temperature_lies_from_a_tenth_to_ten():
    p = with_temperature(np.random.default_rng(0).dirichlet(np.ones(5), 400), 0.5)
    assert fit_temperature(p, p.argmax(axis=1)) == pytest.approx(0.1, rel=1e-3)
    assert fit_temperature(p, p.argmin(axis=1)) == pytest.approx(10, rel=1e-3)


def test_calibration_fits_on_the_last_fifth_and_measures_on_the_test_images(monkeypatch):
    digits, given, seeds = tiny(), [], []
    rng = np.random.default_rng(1)
    answers = {80: rng.dirichlet(np.full(10, 0.1), 80), 60: rng.dirichlet(np.full(10, 0.1), 60)}

    class Network:
        def predict(self, x, **_):
            given.append(x)
            return answers[len(x)]

    monkeypatch.setattr(evaluation, "trained_network", lambda seed: seeds.append(seed) or Network())
    result = evaluation.calibration(digits, seed=6)
    assert seeds == [6] and len(given) == 2
    assert np.array_equal(given[0], prepare(digits.x_train[320:])) and np.array_equal(given[1], prepare(digits.x_test))
    temperature = fit_temperature(answers[80], digits.y_train[320:])
    scaled = with_temperature(answers[60], temperature)
    assert result == {
        "accuracy": (answers[60].argmax(axis=1) == digits.y_test).mean(),
        "confidence": answers[60].max(axis=1).mean(),
        "temperature": temperature,
        "confidence_scaled": scaled.max(axis=1).mean(),
        "ece": expected_calibration_error(answers[60], digits.y_test, 15),
        "ece_scaled": expected_calibration_error(scaled, digits.y_test, 15),
    }
