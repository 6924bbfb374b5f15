"""The experiments on the architecture do what they say: settings of the training, images, what is counted."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny_digits import cell_with, tiny

from experiments import mlp_architecture as architecture
from helpers.data import prepare
from helpers.models import build_mlp
from helpers.training import set_seed

import keras  # isort: skip  (after helpers.quiet)

DIGITS = tiny()
X, Y = prepare(DIGITS.x_train), DIGITS.y_train


@pytest.fixture(autouse=True)
def as_seeded(monkeypatch):
    monkeypatch.delenv("DIGITS_SEED_OFFSET", raising=False)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_five_epochs_in_batches_of_128_on_the_first_four_fifths(activation):
    model, history = architecture.fit_quickly(DIGITS, (9, 6), activation, seed=3)
    set_seed(3)
    theirs = build_mlp((9, 6), activation)
    t = keras.utils.to_categorical(Y, 10)
    expected = theirs.fit(X[:320], t[:320], batch_size=128, epochs=5, validation_data=(X[320:], t[320:]), verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 5 * 3
    assert [layer.activation.__name__ for layer in model.layers] == [activation, activation, "softmax"]
    for name, values in expected.history.items():
        assert len(history[name]) == 5 and type(history[name][0]) is float
        np.testing.assert_allclose(history[name], values, rtol=1e-5, err_msg=name)
    for ours, their in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(ours, their, atol=1e-5)


def test_outputs_of_hidden_layers_and_wrong_images():
    set_seed(0)
    model = build_mlp((9, 6), "tanh")
    W1, b1, W2, b2, _, _ = model.get_weights()
    outputs = architecture.hidden_outputs(model, X[:50])
    first = np.tanh(X[:50] @ W1 + b1)
    assert len(outputs) == 2 and all(one.dtype == np.float32 for one in outputs)  # not the last layer's
    np.testing.assert_allclose(outputs[0], first, atol=1e-5)
    np.testing.assert_allclose(outputs[1], np.tanh(first @ W2 + b2), atol=1e-5)
    answers = model.predict(X, verbose=0).argmax(axis=1)
    assert architecture.wrong_images(model, X, Y) == [i for i in range(len(Y)) if answers[i] != Y[i]]


def test_the_chapters_outputs_of_hidden_layers_are_the_experiments():
    names = {"np": np, "untrained": build_mlp((9, 6)), "network": build_mlp((5,)), "x_test": X[:20]}
    exec(cell_with("mlp_architecture", "def hidden_outputs(net, X):"), names)
    ours, theirs = names["hidden_outputs"](names["network"], X), architecture.hidden_outputs(names["network"], X)
    assert len(ours) == len(theirs) == 1 and np.array_equal(ours[0], theirs[0])


@pytest.fixture
def asked(monkeypatch):
    """What fit_quickly was asked for; it gives an untrained network and a history that grows."""
    found = SimpleNamespace(given=[], model=None)

    def fit_quickly(digits, hidden, activation, seed):
        assert digits is DIGITS
        found.given.append((list(hidden), activation, seed))
        set_seed(seed)
        found.model = build_mlp(hidden, activation)
        names = ("accuracy", "val_accuracy", "loss", "val_loss")
        return found.model, {name: [i + 0.1 * epoch for epoch in range(1, 6)] for i, name in enumerate(names)}

    monkeypatch.setattr(architecture, "fit_quickly", fit_quickly)
    return found


def mistakes(model):
    """The test images that a network gets wrong."""
    return np.flatnonzero(model.predict(prepare(DIGITS.x_test), verbose=0).argmax(axis=1) != DIGITS.y_test).tolist()


def test_activation_and_sparsity_trains_128_and_64_and_counts_exact_zeros(asked):
    result = architecture.activation_and_sparsity(DIGITS, activation="relu", seed=2)
    assert asked.given == [([128, 64], "relu", 2)]
    # Keras's running mean over the last epoch, as the chapter says
    assert (result["train_accuracy"], result["val_accuracy"]) == (0.5, 1.5)
    W1, b1, W2, b2, _, _ = asked.model.get_weights()
    first = np.maximum(0, prepare(DIGITS.x_test) @ W1 + b1)
    second = np.maximum(0, first @ W2 + b2)
    np.testing.assert_allclose(result["zeros"], [(first == 0).mean(), (second == 0).mean()], atol=1e-3)
    wrong = mistakes(asked.model)
    assert result["wrong"] == wrong and result["test_accuracy"] == pytest.approx(1 - len(wrong) / 60)


def test_depth_and_activation_trains_layers_of_64(asked):
    result = architecture.depth_and_activation(DIGITS, activation="sigmoid", depth=5, seed=1)
    assert asked.given == [([64] * 5, "sigmoid", 1)]
    assert result["loss"] == [2.1, 2.2, 2.3, 2.4, 2.5] and result["val_loss"] == [3.1, 3.2, 3.3, 3.4, 3.5]
    assert result["val_accuracy"] == [1.1, 1.2, 1.3, 1.4, 1.5] and result["val_accuracy_last"] == 1.5


def test_width_and_depth_trains_the_hidden_layers_it_is_asked_for(asked):
    result = architecture.width_and_depth(DIGITS, hidden=[16, 16], seed=1)
    assert asked.given == [([16, 16], "relu", 1)]
    assert (result["train_accuracy"], result["val_accuracy"]) == (0.5, 1.5)
    assert result["test_accuracy"] == pytest.approx(1 - len(mistakes(asked.model)) / 60)
