"""The experiments of the training chapter do what they and the chapter say: schedule, steps, batches, what is measured when."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny_digits import cell_with, tiny

from experiments import training
from helpers.data import prepare
from helpers.models import REPORT_CODE, build_mlp
from helpers.training import fit_as_report, set_seed

import keras  # isort: skip  (after helpers.quiet)
import tensorflow as tf  # isort: skip

DIGITS = tiny()


@pytest.fixture(autouse=True)
def as_seeded(monkeypatch):
    monkeypatch.delenv("DIGITS_SEED_OFFSET", raising=False)


@pytest.fixture
def fits(monkeypatch):
    """Every call of fit: the network, its weights then, what it got; with ``fits.history`` set, nothing is trained."""
    found = SimpleNamespace(calls=[], history=None)
    real = keras.Sequential.fit

    def fit(model, *given, **options):
        found.calls.append(SimpleNamespace(model=model, start=model.get_weights(), given=given, options=options))
        return SimpleNamespace(history=found.history) if found.history else real(model, *given, **options)

    monkeypatch.setattr(keras.Sequential, "fit", fit)
    return found


def same(ours, theirs):
    """Are two lists of arrays equal, to the last bit?"""
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


# ---------------------------------------------------------------- the faster training


@pytest.mark.parametrize(("n", "epochs"), [(60_000, 5), (60_000, 3), (4000, 5), (20_000, 8)])
def test_the_rate_climbs_for_a_tenth_of_the_steps_then_falls_along_a_cosine(fits, n, epochs):
    """Step by step, from the docstring alone: batches of 512, a tenth, a cosine; the first rate and the peak are read off."""
    fits.history = {"loss": [1.0]}
    training.fit_faster(np.broadcast_to(np.float32(0), (n, 784)), np.zeros(n, int), seed=0, epochs=epochs)
    (call,) = fits.calls
    an_epoch = int(np.ceil(n * 4 / 5 / 512))
    total = epochs * an_epoch
    tenth = total // 10
    rate = call.model.optimizer._learning_rate
    found = np.array([float(rate(step)) for step in range(total + 1)])
    peak = found.max()
    assert tenth > 0 and found.argmax() == tenth and found[0] == pytest.approx(peak / 10, rel=1e-4)
    expected = np.where(
        np.arange(total + 1) < tenth,
        found[0] + (peak - found[0]) * np.arange(total + 1) / tenth,
        peak / 2 * (1 + np.cos(np.pi * (np.arange(total + 1) - tenth) / (total - tenth))),
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-8)
    assert found[-1] < 1e-8  # at the last step, and not before it
    assert found[-2] > 1e-8
    assert (call.options["batch_size"], call.options["epochs"], call.options["validation_split"]) == (512, epochs, 0.2)
    assert call.model.steps_per_execution == an_epoch  # one call of TensorFlow per epoch


def test_the_faster_training_starts_from_the_reports_network_and_holds_out_its_images(fits):
    x = prepare(DIGITS.x_train)
    _, ours, seconds = training.fit_faster(x, DIGITS.y_train, seed=3)
    _, theirs, _ = fit_as_report(x, DIGITS.y_train, seed=3)
    faster, report = fits.calls
    assert same(faster.start, report.start) and isinstance(faster.model.optimizer, keras.optimizers.Adam)
    assert all(np.array_equal(a, b) for a, b in zip(faster.given, report.given, strict=True))
    assert faster.options["validation_split"] == report.options["validation_split"]
    assert faster.options["epochs"] == report.options["epochs"]
    assert set(ours) == set(theirs) and all(len(values) == 5 for values in ours.values()) and seconds > 0


def test_the_chapters_faster_training_is_the_recorded_one():
    """What the chapter shows, run on few images, gives to the last digit what the experiment gives."""
    digits = tiny(3200)
    x, t = prepare(digits.x_train), np.eye(10)[digits.y_train]
    names = {"x_train": x, "t_train": t, "x_fit": x[:2560], "keras": keras, "time": training.time}
    names |= {"build_mlp": build_mlp, "set_seed": set_seed}
    exec(cell_with("training", "BATCH, EPOCHS, PEAK ="), names)
    exec(cell_with("training", "faster = build_mlp("), names)
    _, history, _ = training.fit_faster(x, digits.y_train, seed=0)
    for name, values in names["faster_history"].items():
        np.testing.assert_allclose(history[name], values, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize(("kind", "whose"), [("report", "fit_as_report"), ("faster", "fit_faster")])
def test_faster_training_runs_the_training_it_is_asked_for(monkeypatch, kind, whose):
    kept, real = [], getattr(training, whose)
    monkeypatch.setattr(training, "fit_as_report", None)
    monkeypatch.setattr(training, "fit_faster", None)
    monkeypatch.setattr(training, whose, lambda *given: kept.append((given, real(*given))) or kept[0][1])
    result = training.faster_training(DIGITS, training=kind, seed=5)
    ((x, y, seed), (model, history, seconds)) = kept[0]
    assert np.array_equal(x, prepare(DIGITS.x_train)) and np.array_equal(y, DIGITS.y_train) and seed == 5
    right = np.asarray(model(prepare(DIGITS.x_test))).argmax(axis=1) == DIGITS.y_test
    assert result["right"] == right.sum() and result["test_accuracy"] == pytest.approx(right.mean())
    assert result["val_accuracy"] == history["val_accuracy"][-1] and result["seconds"] == round(seconds, 3)


# ---------------------------------------------------------------- the report's training


def test_report_training_tells_of_the_network_that_the_report_trains(monkeypatch):
    kept = []

    def fit(x, y, seed, hidden, **options):
        assert not options and np.array_equal(x, prepare(DIGITS.x_train)) and np.array_equal(y, DIGITS.y_train)
        kept.append((seed, hidden, fit_as_report(x, y, seed, hidden)))
        return kept[0][2]

    monkeypatch.setattr(training, "fit_as_report", fit)
    result = training.report_training(DIGITS, hidden=[9, 7], seed=4)
    ((seed, hidden, (model, history, seconds)),) = kept
    assert (seed, hidden) == (4, (9, 7))
    assert {name: result[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")} == history
    n = len(DIGITS.x_train) * 4 // 5
    learned = np.asarray(model(prepare(DIGITS.x_train[:n]))).argmax(axis=1) == DIGITS.y_train[:n]
    assert result["train_accuracy"] == pytest.approx(learned.mean())  # of the trained network, no mean over the epoch
    p = np.asarray(model(prepare(DIGITS.x_test)), np.float64)
    answers, truth = p.argmax(axis=1), DIGITS.y_test
    assert result["test_loss"] == pytest.approx(-np.log(p[np.arange(len(truth)), truth]).mean(), rel=1e-5)
    assert result["test_accuracy"] == pytest.approx((answers == truth).mean())
    table = [[int(((truth == i) & (answers == j)).sum()) for j in range(10)] for i in range(10)]
    assert result["confusion"] == table and result["seconds"] == round(seconds, 3)
    wrong = np.flatnonzero(answers != truth)
    assert len(wrong) > 5 and result["wrong"] == wrong.tolist() and result["wrong_digit"] == answers[wrong].tolist()
    np.testing.assert_allclose(result["wrong_probability"], p[wrong, answers[wrong]], atol=0.51e-4)


def test_thirty_epochs_are_the_reports_training_carried_on(fits):
    result = training.thirty_epochs(DIGITS, seed=2)
    _, theirs, _ = fit_as_report(prepare(DIGITS.x_train), DIGITS.y_train, seed=2, epochs=30)
    longer, report = fits.calls
    assert same(longer.start, report.start) and longer.model.steps_per_execution == 100
    for name, values in theirs.items():
        assert len(result[name]) == 30
        np.testing.assert_allclose(result[name], values, rtol=2e-3, atol=2e-6, err_msg=name)
    lowest = min(range(30), key=lambda epoch: result["val_loss"][epoch])
    assert result["turning_epoch"] == lowest + 1
    assert result["lowest_val_loss"] == pytest.approx(result["val_loss"][lowest], abs=1e-6)
    right = np.asarray(longer.model(prepare(DIGITS.x_test))).argmax(axis=1) == DIGITS.y_test
    assert result["test_accuracy"] == pytest.approx(right.mean(), abs=1e-6)  # after the last epoch


# ---------------------------------------------------------------- the race


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("SGD", keras.optimizers.SGD(0.02)),
        ("momentum", keras.optimizers.SGD(0.02, momentum=0.9)),
        ("AdaGrad", keras.optimizers.Adagrad(0.02)),
        ("RMSProp", keras.optimizers.RMSprop(0.02)),
        ("Adam", keras.optimizers.Adam(0.02)),
    ],
)
def test_the_books_names_are_keras_optimisers_as_they_come(name, theirs):
    ours = training.make_optimiser(name, 0.02)
    assert type(ours) is type(theirs)
    assert ours.get_config() | {"name": ""} == theirs.get_config() | {"name": ""}


def test_the_rates_to_try_are_about_a_factor_of_three_apart():
    assert set(training.RACE_RATES) == {"SGD", "momentum", "AdaGrad", "RMSProp", "Adam"}
    for rates in training.RACE_RATES.values():
        assert all(3 <= round(b / a, 6) <= 3.5 for a, b in zip(rates, rates[1:], strict=False))


def race(fits, optimiser, seed, digits):
    """The race's only call of fit, untrained, and its batches (row numbers) up to the last measurement."""
    fits.history = {"val_loss": [0.5] * 10, "val_accuracy": [0.9] * 10}
    fits.calls.clear()
    result = training.optimiser_race(digits, optimiser=optimiser, rate=0.01, seed=seed)
    (call,) = fits.calls
    steps = call.options["epochs"] * call.options["steps_per_epoch"]
    rows = {image.tobytes(): row for row, image in enumerate(prepare(digits.x_train))}
    batches = [
        ([rows[image.tobytes()] for image in np.asarray(images)], np.asarray(labels))
        for images, labels in call.given[0].take(steps)
    ]
    return call, batches, result


def test_the_race_is_two_epochs_in_batches_of_128_measured_ten_times(fits):
    digits = tiny(1600)  # 1,280 to learn from: ten steps an epoch
    call, batches, result = race(fits, "Adam", 1, digits)
    assert result["steps"] == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20] and call.options["epochs"] == 10
    assert [layer.units for layer in call.model.layers] == [*REPORT_CODE, 10]
    assert len(batches) == 20 and all(len(rows) == 128 for rows, _ in batches)
    for epoch in (batches[:10], batches[10:]):  # every image but the last fifth, once, in a random order
        rows = [row for one, _ in epoch for row in one]
        assert sorted(rows) == list(range(1280)) and rows != sorted(rows)
    assert all(np.array_equal(t.argmax(axis=1), digits.y_train[rows]) for rows, t in batches)
    x, t = call.options["validation_data"]
    assert np.array_equal(x, prepare(digits.x_train)[1280:])
    assert np.array_equal(t.argmax(axis=1), digits.y_train[1280:])


def test_with_one_seed_all_optimisers_start_alike_and_see_the_same_batches(fits):
    digits = tiny(1600)
    calls = {name: race(fits, name, 1, digits) for name in training.RACE_RATES}
    first, batches, _ = calls["SGD"]
    for name, (call, theirs, _) in calls.items():
        assert same(call.start, first.start), name
        assert [rows for rows, _ in theirs] == [rows for rows, _ in batches], name
        assert float(tf.convert_to_tensor(call.model.optimizer.learning_rate)) == pytest.approx(0.01)
    other, others, _ = race(fits, "SGD", 2, digits)
    assert not same(other.start, first.start) and [rows for rows, _ in others] != [rows for rows, _ in batches]


def test_a_loss_that_is_not_finite_or_above_ten_stands_as_ten(fits):
    fits.history = {"val_loss": [2.3, 9.99, 10.01, 1e30, np.inf, np.nan, 0.123456789, 3, 2, np.nan]}
    fits.history["val_accuracy"] = [0.1] * 9 + [0.123456789]
    result = training.optimiser_race(tiny(1600), optimiser="SGD", rate=3.0, seed=0)
    assert result["val_loss"] == [2.3, 9.99, 10, 10, 10, 10, 0.12346, 3, 2, 10] and result["final_val_loss"] == 10
    assert result["val_accuracy"][-1] == 0.12346 and result["final_val_accuracy"] == 0.123456789
