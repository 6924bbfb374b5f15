"""helpers.models, training and quiet: the report's network, its training, and a network that is trained once."""

import os
import random
import subprocess
import sys
import types

import dataclasses

import numpy as np
import pytest
from rights import without_roots_rights
from helpers import models, training
from helpers.data import Digits
from helpers.models import REPORT_CODE, REPORT_SECTION_4, build_mlp
from notebook_rules import ROOT

import keras  # isort: skip  (after helpers.quiet)


def tiny(seed=0, n=60):
    """Digits small enough to train on in a moment: class i is a bright row i."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    images = generator.integers(0, 60, (n, 28, 28), dtype=np.uint8)
    images[np.arange(n), 2 * labels] = 255
    return Digits(images, labels, images[:10], labels[:10], "sample", "this test")


@pytest.fixture
def digits(monkeypatch):
    """The tiny digits, in place of MNIST."""
    one = tiny()
    monkeypatch.setattr(training, "load_mnist", lambda quiet=True: one)
    monkeypatch.delenv("DIGITS_SEED_OFFSET", raising=False)
    return one


# ---------------------------------------------------------------- the network


@pytest.mark.parametrize(
    ("hidden", "parameters"), [(REPORT_SECTION_4, 101_770), (REPORT_CODE, 109_386), ((), 7_850), ((5, 4, 3), 4_004)]
)
def test_the_networks_have_as_many_parameters_as_counted_by_hand(hidden, parameters):
    sizes = [784, *hidden, 10]
    assert sum((a + 1) * b for a, b in zip(sizes, sizes[1:], strict=False)) == parameters
    model = build_mlp(hidden)
    assert model.count_params() == parameters
    assert [layer.kernel.shape for layer in model.layers] == list(zip(sizes, sizes[1:], strict=False))
    assert model.input_shape == (None, 784) and model.output_shape == (None, 10)


def test_the_network_is_the_reports():
    model = build_mlp()
    assert [layer.activation.__name__ for layer in model.layers] == ["relu", "relu", "softmax"]
    assert isinstance(model.optimizer, keras.optimizers.Adam) and float(model.optimizer.learning_rate) == pytest.approx(
        0.001
    )
    assert model.loss == "categorical_crossentropy"
    assert build_mlp(one_hot=False).loss == "sparse_categorical_crossentropy"
    assert build_mlp((3,), activation="tanh").layers[0].activation.__name__ == "tanh"
    chosen = build_mlp((3,), optimizer=keras.optimizers.SGD(0.5)).optimizer
    assert isinstance(chosen, keras.optimizers.SGD) and float(chosen.learning_rate) == 0.5


def test_it_gives_probabilities():
    training.set_seed(0)
    probabilities = np.asarray(build_mlp((8,))(np.random.default_rng(0).random((7, 784)).astype(np.float32)))
    assert probabilities.shape == (7, 10) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_same_seed_draws_the_same_weights(monkeypatch):
    monkeypatch.delenv("DIGITS_SEED_OFFSET", raising=False)

    def weights(seed):
        training.set_seed(seed)
        return build_mlp((4,)).layers[0].kernel.numpy()

    np.testing.assert_array_equal(weights(3), weights(3))
    assert not np.array_equal(weights(3), weights(4))
    shifted = weights(1003)
    monkeypatch.setenv("DIGITS_SEED_OFFSET", "1000")
    assert training.seed_offset() == 1000
    np.testing.assert_array_equal(weights(3), shifted)


#: Half the width of the even draw, or the deviation of the normal one, of each way to start that Keras names.
STARTS = {
    "Glorot uniform": lambda n_in, n_out: (6 / (n_in + n_out)) ** 0.5,
    "He uniform": lambda n_in, n_out: (6 / n_in) ** 0.5,
    "LeCun uniform": lambda n_in, n_out: (3 / n_in) ** 0.5,
    "by outputs": lambda n_in, n_out: (6 / n_out) ** 0.5,
    "a twentieth": lambda n_in, n_out: 0.05,
}


@pytest.mark.parametrize("hidden", [REPORT_CODE, REPORT_SECTION_4, (), (300, 20)])
def test_weights_are_drawn_by_keras_defaults_from_its_global_generator(hidden):
    """Evenly within Glorot's limit, which no other rule's would fit; biases 0."""
    training.set_seed(0)
    model = build_mlp(hidden)
    for layer in model.layers:
        weights, biases = layer.get_weights()
        n_in, n_out = weights.shape
        limit = STARTS["Glorot uniform"](n_in, n_out)
        few = 3 / weights.size  # how far the largest of so many even draws may stay below the limit
        assert limit * (1 - 4 * few) < np.abs(weights).max() <= limit * (1 + 1e-6)
        assert weights.min() < -limit * (1 - 8 * few)
        spread, error = limit / 3**0.5, 1 / (5 * weights.size) ** 0.5  # the relative error of a spread of even draws
        assert abs(weights.std() / spread - 1) < 5 * error and abs(weights.mean()) < 5 * spread / weights.size**0.5
        # even, so normal draws cut off at the limit are told from it: each tenth of the range has its share
        share = np.histogram(weights, 10, (-limit, limit))[0] / weights.size
        assert np.abs(share - 0.1).max() < 5 * (0.09 / weights.size) ** 0.5
        assert not biases.any()
        for rule, other in STARTS.items():
            if rule != "Glorot uniform":
                assert abs(other(n_in, n_out) / limit - 1) > 4 * few, rule
    training.set_seed(0)  # from the global generator: the same seed, the same weights
    for ours, theirs in zip(build_mlp(hidden).get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_compile_is_given_reaches_it():
    model = build_mlp((3,), steps_per_execution=7, jit_compile=False)
    assert model.steps_per_execution == 7 and build_mlp((3,)).steps_per_execution == 1
    given = np.eye(10, dtype=np.float32)[[3, 3, 1]]
    assert set(model.evaluate(np.zeros((3, 784)), given, verbose=0, return_dict=True)) == {"loss", "accuracy"}


def test_a_seed_is_pythons_numpys_and_keras(monkeypatch):
    def draws(seed):
        training.set_seed(seed)
        return [random.random(), np.random.random(), float(keras.random.uniform(()))]

    monkeypatch.delenv("DIGITS_SEED_OFFSET", raising=False)
    first = draws(5)
    assert draws(5) == first and all(a != b for a, b in zip(draws(6), first, strict=True))
    keras.utils.set_random_seed(5)
    assert [random.random(), np.random.random(), float(keras.random.uniform(()))] == first
    monkeypatch.setenv("DIGITS_SEED_OFFSET", "4")
    assert draws(1) == first


# ---------------------------------------------------------------- training as the report does


def test_fit_as_report_takes_the_reports_settings(monkeypatch):
    given = {}

    class Network:
        def fit(self, x, t, **options):
            given.update(options, x=x, t=t)
            return types.SimpleNamespace(history={"loss": [np.float32(1)]})

    monkeypatch.setattr(training, "build_mlp", lambda hidden: given.update(hidden=hidden) or Network())
    labels = np.array([3, 0, 9])
    _, history, seconds = training.fit_as_report(np.zeros((3, 784), np.float32), labels, seed=0)
    assert (given["epochs"], given["batch_size"], given["validation_split"], given["hidden"]) == (5, 32, 0.2, (128, 64))
    np.testing.assert_array_equal(given["t"], np.eye(10)[labels])
    assert history == {"loss": [1.0]} and type(history["loss"][0]) is float and seconds >= 0
    training.fit_as_report(
        np.zeros((3, 784), np.float32), labels, seed=0, hidden=(7,), epochs=2, batch_size=1, callbacks=["a"]
    )
    assert (given["epochs"], given["batch_size"], given["callbacks"], given["hidden"]) == (2, 1, ["a"], (7,))


def test_fit_as_report_is_adam_in_batches_of_32_on_the_first_four_fifths(digits):
    """The same steps, written out: another optimiser, rate, batch, division or order of draws gives other weights."""
    x = digits.x_train.reshape(-1, 784).astype(np.float32) / 255
    model, history, _ = training.fit_as_report(x, digits.y_train, seed=2)
    keras.utils.set_random_seed(2)
    layers = [keras.layers.Dense(128, "relu"), keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax")]
    theirs = keras.Sequential([keras.Input((784,)), *layers])
    theirs.compile(keras.optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"])
    t = np.eye(10, dtype=np.float32)[digits.y_train]
    more = {"epochs": 5, "batch_size": 32, "validation_data": (x[48:], t[48:]), "verbose": 0}
    expected = theirs.fit(x[:48], t[:48], **more).history
    assert set(history) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-5, err_msg=name)
    for ours, their in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(ours, their, atol=1e-5)


def test_fit_as_report_learns_and_repeats(digits):
    x = digits.x_train.reshape(-1, 784).astype(np.float32) / 255
    model, history, seconds = training.fit_as_report(x, digits.y_train, seed=1, hidden=(16,), epochs=3)
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"} and all(
        len(values) == 3 for values in history.values()
    )
    assert history["loss"][-1] < history["loss"][0] and seconds > 0
    _, again, _ = training.fit_as_report(x, digits.y_train, seed=1, hidden=(16,), epochs=3)
    assert again == history
    _, other, _ = training.fit_as_report(x, digits.y_train, seed=2, hidden=(16,), epochs=3)
    assert other != history


# ---------------------------------------------------------------- trained once, then read


@pytest.fixture
def trainings(digits, monkeypatch):
    """The seeds of all trainings that ran; to be quick, they leave the network as it was drawn."""
    seeds = []

    def fit(x, y, seed, hidden):
        assert x.shape == (60, 784) and x.dtype == np.float32 and x.max() == 1 and y.shape == (60,)
        seeds.append(seed)
        training.set_seed(seed)
        model = build_mlp(hidden)
        model.optimizer.build(model.trainable_variables)
        return model, {}, 0.0

    monkeypatch.setattr(training, "fit_as_report", fit)
    return seeds


def outputs(model):
    """What a network says of a fixed image."""
    return np.asarray(model(np.full((1, 784), 0.5, np.float32)))


def test_a_network_is_trained_once_then_read(trainings, tmp_path):
    first = training.trained_network(hidden=(6,), folder=tmp_path / "models")
    assert trainings == [0]
    second = training.trained_network(hidden=(6,), folder=tmp_path / "models")
    assert trainings == [0]
    np.testing.assert_array_equal(outputs(first), outputs(second))
    assert second.metrics_names and second.loss == "categorical_crossentropy"
    assert [path.suffix for path in (tmp_path / "models").iterdir()] == [".keras"]


@pytest.mark.parametrize("change", ["seed", "hidden", "offset", "data"])
def test_another_setting_is_another_network(trainings, tmp_path, monkeypatch, change):
    training.trained_network(hidden=(6,), folder=tmp_path)
    settings = {"seed": 0, "hidden": (6,)}
    if change == "seed":
        settings["seed"] = 1
    elif change == "hidden":
        settings["hidden"] = (6, 5)
    elif change == "offset":
        monkeypatch.setenv("DIGITS_SEED_OFFSET", "1000")
    else:  # other training images; the test images stay
        one = tiny()
        other = dataclasses.replace(one, x_train=one.x_train[::-1].copy())
        monkeypatch.setattr(training, "load_mnist", lambda quiet=True: other)
    training.trained_network(**settings, folder=tmp_path)
    assert len(trainings) == 2 and len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["empty", "cut short", "one byte altered", "HTML", "no weights", "a folder"])
def test_a_damaged_file_is_trained_again(trainings, tmp_path, damage):
    first = training.trained_network(hidden=(6,), folder=tmp_path)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    if damage == "a folder":
        path.unlink()
        path.mkdir()
    elif damage == "no weights":
        import zipfile

        with zipfile.ZipFile(path) as archive:
            kept = {name: archive.read(name) for name in archive.namelist() if "weights" not in name}
        with zipfile.ZipFile(path, "w") as archive:
            for name, part in kept.items():
                archive.writestr(name, part)
    else:
        middle = len(content) // 2
        path.write_bytes(
            {
                "empty": b"",
                "cut short": content[:-200],
                "one byte altered": content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :],
                "HTML": b"<html>Not found</html>",
            }[damage]
        )
    again = training.trained_network(hidden=(6,), folder=tmp_path)
    assert trainings == [0, 0]
    np.testing.assert_array_equal(outputs(first), outputs(again))
    if damage != "a folder":
        training.trained_network(hidden=(6,), folder=tmp_path)
        assert trainings == [0, 0]  # the file is good again


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes to take writing away")
@pytest.mark.parametrize("damaged", [False, True])
def test_a_read_only_folder_costs_the_copy_not_the_result(trainings, tmp_path, damaged):
    folder = tmp_path / "models"
    folder.mkdir()
    if damaged:
        training.trained_network(hidden=(6,), folder=folder)
        (path,) = folder.iterdir()
        path.write_bytes(b"damaged")
    before = [path.read_bytes() for path in folder.iterdir()]
    folder.chmod(0o555)
    trainings.clear()
    with without_roots_rights():
        assert not os.access(folder, os.W_OK, effective_ids=True)
        assert outputs(training.trained_network(hidden=(6,), folder=folder)).shape == (1, 10)
    assert trainings == [0] and [path.read_bytes() for path in folder.iterdir()] == before
    folder.chmod(0o755)


def test_a_full_disk_costs_the_copy_not_the_result(trainings, tmp_path, monkeypatch):
    def full(self, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Sequential, "save", full)
    model = training.trained_network(hidden=(6,), folder=tmp_path)
    assert outputs(model).shape == (1, 10) and list(tmp_path.iterdir()) == []


def test_models_and_training_agree_on_the_classes():
    assert models.CLASSES == 10 and models.PIXELS == 784


# ---------------------------------------------------------------- quiet


def child(code):
    """Run code in a fresh interpreter whose environment does not quieten TensorFlow."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_"))}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_importing_tensorflow_after_quiet_writes_nothing():
    result = child(
        "import helpers.quiet\nimport keras\nimport tensorflow as tf\n"
        "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n"
        "model.compile(loss='mse')\nmodel.fit(tf.ones((8, 3)), tf.ones((8, 2)), verbose=0)"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


# Stand-ins for Keras and TensorFlow that write to the error stream as TensorFlow does.
NOISY = """
import os, sys, types
sys.modules["keras"] = types.ModuleType("keras")
sys.modules["tensorflow"] = tensorflow = types.ModuleType("tensorflow")
tensorflow.constant = lambda value: os.write(2, b"oneDNN ") and value
tensorflow.get_logger = __import__("logging").getLogger
import helpers.quiet
"""


def test_quiet_holds_back_what_cpp_writes_and_nothing_later():
    result = child(NOISY + "os.write(2, b'shown')")
    assert (result.returncode, result.stderr) == (0, "shown")


def test_an_error_is_not_kept_quiet():
    held = (
        "with helpers.quiet.error_stream_held_back():\n    os.write(2, b'from C++ ')\n    raise "
        "OSError('no such thing')"
    )
    result = child(NOISY + held)
    assert result.returncode == 1 and "from C++ " in result.stderr and "no such thing" in result.stderr
    assert "oneDNN" not in result.stderr


# ---------------------------------------------------------------- the code that a kept network was trained by

TRAINING = '''
RATE = 0.5
LAYERS = {"one", "two", "three"}


def fit(x, epochs=5):
    """Train."""
    # slowly
    return [step(x) for _ in range(epochs)] + [1 for _ in x] + [3 for _ in x]


def step(x):
    return x * RATE if "one" in LAYERS else 0


def other(x):
    return x
'''


def what_fit_runs(code=TRAINING, moved=""):
    """What ``what_runs`` says of the function fit in this code, whose functions in ``moved`` stand in another module."""
    namespaces = [{"__name__": "helpers.toy"}, {"__name__": "helpers.toy_parts"}]
    exec(compile(moved, "toy_parts.py", "exec"), namespaces[1])
    namespaces[0].update({name: value for name, value in namespaces[1].items() if not name.startswith("__")})
    exec(compile(code, "toy.py", "exec"), namespaces[0])
    return training.what_runs(namespaces[0]["fit"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# slowly", "# fast"),
        ('"""Train."""', '"""Train it,\n\n    and well."""'),
        ("return x * RATE if", "return (\n        x\n        * RATE) if"),
        ("def other(x):\n    return x", "def other(x):\n    return 2 * x"),
    ],
)
def test_a_harmless_edit_trains_no_network_again(old, new):
    assert old in TRAINING and what_fit_runs(TRAINING.replace(old, new)) == what_fit_runs()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RATE = 0.5", "RATE = 0.25"),
        ("epochs=5", "epochs=6"),
        ("x * RATE", "x + RATE"),
        ("step(x) for", "step(2 * x) for"),
        ('{"one", "two", "three"}', '{"one", "two", "four"}'),
        ("[1 for", "[2 for"),
        ("[3 for", "[4 for"),
    ],
)
def test_any_other_edit_trains_it_again(old, new):
    assert old in TRAINING and what_fit_runs(TRAINING.replace(old, new)) != what_fit_runs()


def test_moving_a_function_to_another_file_trains_no_network_again():
    step = TRAINING[TRAINING.index("def step") : TRAINING.index("def other")]
    constants = TRAINING[: TRAINING.index("def fit")]
    assert what_fit_runs(TRAINING.replace(step, ""), moved=constants + step) == what_fit_runs()


def test_the_networks_name_is_the_same_in_every_process():
    code = "import json; from helpers.training import fit_as_report, what_runs; print(json.dumps(what_runs(fit_as_report)))"
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1] and "build_mlp" in told[0] and "set_seed" in told[0] and "seed_offset" in told[0]
