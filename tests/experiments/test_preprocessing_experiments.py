"""The experiments on preparing the data do what they say: scales, the report's way of training, one shuffle for all images."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny_digits import tiny, without_test

from experiments import data_preprocessing as preprocessing
from helpers.data import prepare
from helpers.training import fit_as_report

DIGITS = tiny()
X, Y = prepare(DIGITS.x_train), DIGITS.y_train


@pytest.fixture(autouse=True)
def as_seeded(monkeypatch):
    monkeypatch.delenv("DIGITS_SEED_OFFSET", raising=False)


def test_the_three_scales():
    before = X.copy()
    assert np.array_equal(preprocessing.rescaled(X, "0 to 1", 320), X)
    raw = preprocessing.rescaled(X, "0 to 255", 320)
    assert raw.dtype == np.float32 and np.array_equal(np.rint(raw), DIGITS.x_train.reshape(-1, 784))
    np.testing.assert_allclose(raw, DIGITS.x_train.reshape(-1, 784), atol=1e-4)
    assert np.array_equal(X, before)


def test_standardised_by_the_mean_and_deviation_of_the_first_part_alone():
    shifted = X.copy()
    shifted[100:] += 0.7  # the rest has another mean
    found = preprocessing.rescaled(shifted, "standardised", 100)
    part = shifted[:100].astype(np.float64)
    assert found.dtype == np.float32 and found.shape == X.shape
    np.testing.assert_allclose(found, (shifted - part.mean()) / part.std(), atol=2e-4)  # one mean for all pixels
    assert abs(found[:100].mean()) < 1e-4 and abs(found[:100].std() - 1) < 1e-4


def test_the_reports_network_is_trained_in_the_reports_way_on_the_first_part():
    result = preprocessing.fit_report_network(X, Y, 320, seed=3)
    untrained, _, _ = fit_as_report(X, Y, seed=3, epochs=0)
    _, history, _ = fit_as_report(X, Y, seed=3)
    assert len(result["loss"]) == len(result["val_accuracy"]) == 5 and len(result["val_loss"]) == 6
    np.testing.assert_allclose(result["loss"], history["loss"], rtol=1e-4)
    np.testing.assert_allclose(result["val_loss"][1:], history["val_loss"], rtol=1e-4)
    np.testing.assert_allclose(result["val_accuracy"], history["val_accuracy"], atol=1e-6)
    p = np.asarray(untrained(X[320:]), np.float64)
    before = -np.log(p[np.arange(80), Y[320:]]).mean()
    assert result["val_loss"][0] == pytest.approx(before, rel=1e-4)  # before training
    assert result["val_loss_first"] == result["val_loss"][1]
    assert result["val_accuracy_last"] == result["val_accuracy"][-1]


@pytest.fixture
def trained(monkeypatch):
    """What fit_report_network was handed."""
    found = []
    keys = ("x", "y", "part", "seed")
    monkeypatch.setattr(
        preprocessing,
        "fit_report_network",
        lambda *given: found.append(SimpleNamespace(**dict(zip(keys, given, strict=True)))),
    )
    return found


@pytest.mark.parametrize("pixels", ["0 to 255", "0 to 1", "standardised"])
def test_pixel_scale_holds_out_the_last_fifth_and_takes_no_statistics_from_it(trained, pixels):
    preprocessing.pixel_scale(without_test(DIGITS), pixels=pixels, seed=4)
    (one,) = trained
    assert one.part == 320 and one.seed == 4 and np.array_equal(one.y, Y)
    assert np.array_equal(one.x, preprocessing.rescaled(X, pixels, 320))


def test_pixel_order_shuffles_all_images_alike_and_each_seed_otherwise(trained):
    for seed in (0, 1, 0):
        preprocessing.pixel_order(without_test(DIGITS), seed=seed)
    orders = []
    for one in trained:
        assert one.part == 320 and np.array_equal(one.y, Y)
        # where each pixel came from: the columns of these images are all different
        columns = {column.tobytes(): place for place, column in enumerate(X.T.copy())}
        orders.append([columns[column.tobytes()] for column in np.ascontiguousarray(one.x.T)])
    assert all(sorted(order) == list(range(784)) and order != sorted(order) for order in orders)
    assert orders[0] == orders[2] != orders[1]
    assert sum(a == b for a, b in zip(orders[0], range(784), strict=True)) < 20
