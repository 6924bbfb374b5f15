"""What the text promises of a function that a chapter shows is so: the function runs here, among stand-ins that write down
what it asks for."""

from types import SimpleNamespace

import helpers.quiet
import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_digits import cell_with, tiny

from helpers.data import prepare
from helpers.models import build_mlp
from helpers.training import set_seed

DIGITS = tiny(3300)
X, Y = prepare(DIGITS.x_train), DIGITS.y_train
T = np.eye(10, dtype=np.float32)[Y]


def shown(chapter, words, **names):
    """Run a chapter's cell that has these words, among these names; return all names that there are then."""
    exec(cell_with(chapter, words), names)
    return names


@pytest.fixture
def fits(monkeypatch):
    """Every call of fit of every network; nothing is trained."""
    found = []

    def fit(model, *given, **options):
        found.append(SimpleNamespace(model=model, start=model.get_weights(), given=given, options=options))
        return SimpleNamespace(history={"val_accuracy": [0.0, 0.5]})

    monkeypatch.setattr(keras.Sequential, "fit", fit)
    monkeypatch.delenv("DIGITS_SEED_OFFSET", raising=False)
    return found


# ---------------------------------------------------------------- training


def test_sgd_takes_batches_of_32_of_all_images_in_a_new_random_order_for_each_epoch():
    """An epoch is one pass through all images, in a new random order; a batch has 32; a step goes against the mean gradient."""
    batches = []
    x = np.arange(70.0)[:, None]
    weights = (np.zeros((1, 1)), np.zeros(1))

    def backward(network, activations, targets):
        rows = activations[0][:, 0].astype(int)
        batches.append(rows.tolist())
        assert np.array_equal(targets, x[rows] + 1000)  # the labels of these very images
        return [(np.full((1, 1), 2.0), np.full(1, 3.0))]

    names = shown(
        "training",
        "def train(network, epochs, rate",
        np=np,
        progress=iter,
        rng=np.random.default_rng(0),
        x_fit=x,
        t_fit=x + 1000,
        x_val=x[:4],
        t_val=None,
        y_val=np.array([0, 0, 1, 0]),
        forward=lambda network, images: [images, np.eye(2)[[0] * len(images)]],
        backward=backward,
        cross_entropy=lambda p, t: 0.25,
    )
    curve = names["train"]([weights], epochs=3, rate=0.1)
    assert [len(one) for one in batches] == [32, 32, 6] * 3
    epochs = [sum(batches[start : start + 3], []) for start in (0, 3, 6)]
    assert all(sorted(one) == list(range(70)) != one for one in epochs) and len(set(map(tuple, epochs))) == 3
    assert curve == [(0.25, 0.75)] * 3  # the validation loss and accuracy, per epoch
    np.testing.assert_allclose([weights[0][0, 0], weights[1][0]], [-9 * 0.1 * 2, -9 * 0.1 * 3])  # changed in place


@pytest.mark.parametrize("sizes", [[784, 128, 64, 10], [30, 300, 10]])
def test_the_networks_in_numpy_start_within_glorots_limit(sizes):
    network = shown("training", "def start_network(sizes, rng", np=np)["start_network"](sizes, np.random.default_rng(0))
    assert len(network) == len(sizes) - 1
    for (W, b), n_in, n_out in zip(network, sizes, sizes[1:], strict=False):
        limit = (6 / (n_in + n_out)) ** 0.5
        assert W.shape == (n_in, n_out) and b.shape == (n_out,) and not b.any() and W.dtype == b.dtype == np.float64
        few = 12 / W.size
        assert (
            limit * (1 - few) < np.abs(W).max() <= limit and abs(W.std() * 3**0.5 / limit - 1) < 5 / (5 * W.size) ** 0.5
        )
        assert all(abs(other / limit - 1) > few for other in ((6 / n_in) ** 0.5, (3 / n_in) ** 0.5, (6 / n_out) ** 0.5))
    both = [start for start, _ in network]
    assert both[0].std() != both[1].std()


def test_the_loss_in_numpy_is_keras_mean_cross_entropy():
    cell = shown("training", "def cross_entropy(P, T):", np=np)
    p = np.random.default_rng(0).dirichlet(np.ones(10), 50)
    theirs = keras.losses.categorical_crossentropy(T[:50], p.astype(np.float32))
    assert cell["cross_entropy"](p, T[:50]) == pytest.approx(float(tf.reduce_mean(theirs)), rel=1e-4)


# ---------------------------------------------------------------- data_preprocessing


def test_fit_in_order_trains_two_epochs_in_batches_of_32_and_holds_out_the_last_fifth(fits):
    rows = np.random.default_rng(0).permutation(300)
    evaluated = []

    def build():
        model = build_mlp()
        model.evaluate = lambda x, t, **_: evaluated.append((x, t)) or (0.0, 0.25)
        return model

    names = shown(
        "data_preprocessing",
        "def fit_in_order(rows):",
        np=np,
        set_seed=set_seed,
        SEED=0,
        build_mlp=build,
        x=X,
        t_train=T,
        y_train=Y,
        rng=np.random.default_rng(0),
    )
    fits.clear()
    evaluated.clear()
    assert names["fit_in_order"](rows) == (0.25, 0.5)
    ((call),), ((x, t),) = fits, evaluated
    assert call.options == {"epochs": 2, "batch_size": 32, "validation_split": 0.2, "verbose": 0}
    assert np.array_equal(call.given[0], X[rows]) and np.array_equal(call.given[1], T[rows])
    assert np.array_equal(x, X[rows[:240]]) and np.array_equal(t, T[rows[:240]])  # the rows that were trained on


def test_losses_are_of_each_batch_in_turn_before_its_step():
    losses_of = shown("data_preprocessing", "def losses_of(model, x, y", np=np)["losses_of"]
    set_seed(0)
    ours, theirs = build_mlp((6,)), build_mlp((6,))
    theirs.set_weights(ours.get_weights())
    found = losses_of(ours, X, T, steps=4)
    for step, loss in enumerate(found):
        batch = slice(32 * step, 32 * step + 32)
        assert loss == pytest.approx(theirs.evaluate(X[batch], T[batch], verbose=0)[0], rel=1e-4)
        theirs.train_on_batch(X[batch], T[batch])
    assert len(found) == 4 and len(losses_of(ours, X, T)) == 100


# ---------------------------------------------------------------- mlp_architecture


@pytest.mark.parametrize("start", ["zeros", "glorot_uniform", keras.initializers.Constant(0.01)])
def test_a_hundred_steps_of_784_128_10_from_a_start(fits, start):
    names = shown(
        "mlp_architecture",
        "def train_from(start):",
        np=np,
        keras=keras,
        set_seed=set_seed,
        x_train=np.concatenate([X, X[:700]]),
        y_train=np.concatenate([Y, Y[:700]]),
    )
    names["train_from"](start)
    (call,) = fits
    steps = call.options["epochs"] * len(call.given[0]) / call.options["batch_size"]
    assert steps == 100 and call.options["batch_size"] == 32 and len(call.given[0]) <= names["n_fit"]
    assert [one.shape for one in call.start] == [(784, 128), (128,), (128, 10), (10,)]
    assert [layer.activation.__name__ for layer in call.model.layers] == ["relu", "softmax"]
    wanted = keras.initializers.get(start)
    for layer in call.model.layers:  # both layers start so, not the first alone
        assert type(layer.kernel_initializer) is type(wanted) and not layer.bias.numpy().any()
    if start != "glorot_uniform":
        value = 0 if start == "zeros" else 0.01
        assert all(np.allclose(one, value) for one in call.start[::2])


@pytest.mark.parametrize(("activation", "depth"), [("sigmoid", 2), ("relu", 5)])
def test_gradients_are_of_untrained_networks_with_layers_of_64(activation, depth):
    built = []

    def build(*given, **more):
        built.append(build_mlp(*given, **more))
        return built[-1]

    names = shown(
        "mlp_architecture",
        "def gradient_norms(activation, depth, seed):",
        np=np,
        keras=keras,
        tf=tf,
        set_seed=set_seed,
        build_mlp=build,
        x_train=X,
        y_train=Y,
    )
    assert set(names["norms"]) == {(f, d) for f in ("sigmoid", "tanh", "relu") for d in (2, 5, 10)}
    assert all(one.shape == (3, d) and len({tuple(row) for row in one}) == 3 for (_, d), one in names["norms"].items())
    found = names["gradient_norms"](activation, depth, seed=1)
    np.testing.assert_allclose(found, names["norms"][activation, depth][1], rtol=1e-4)  # seeds 0, 1 and 2
    net = built[-1]
    assert [layer.units for layer in net.layers] == [64] * depth + [10]
    assert [layer.activation.__name__ for layer in net.layers] == [activation] * depth + ["softmax"]
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log(tf.reduce_sum(net(X[:256]) * T[:256], axis=1)))
    gradients = tape.gradient(loss, [layer.kernel for layer in net.layers[:-1]])
    np.testing.assert_allclose(found, [np.sqrt((np.asarray(g, float) ** 2).sum()) for g in gradients], rtol=1e-3)


def test_the_signal_passes_ten_layers_of_256_whose_weights_have_the_rules_deviation():
    drawn = []

    class Generator:
        def normal(self, mean, deviation, size):
            drawn.append((mean, deviation, size))
            return np.random.default_rng(len(drawn)).normal(mean, deviation, size)

    names = shown(
        "mlp_architecture",
        "def sizes_through_layers(deviation",
        np=np,
        rng=Generator(),
        relu=lambda z: np.maximum(0, z),
        x_test=X[:600],
    )
    rules = {
        "one hundredth": lambda n_in, n_out: 0.01,
        "Glorot": lambda n_in, n_out: (2 / (n_in + n_out)) ** 0.5,
        "He": lambda n_in, n_out: (2 / n_in) ** 0.5,
        "two tenths": lambda n_in, n_out: 0.2,
    }
    assert list(names["signal"]) == list(rules) and len(drawn) == 40
    for number, (mean, deviation, size) in enumerate(drawn):
        rule, n_in = list(rules.values())[number // 10], 784 if number % 10 == 0 else 256
        assert mean == 0 and size == (n_in, 256) and deviation == pytest.approx(rule(n_in, 256))
    drawn.clear()
    sizes = names["sizes_through_layers"](rules["He"])
    a = X[:500].astype(float)  # 500 test images
    for number, size in enumerate(sizes):
        a = np.maximum(0, a @ np.random.default_rng(number + 1).normal(0, drawn[number][1], drawn[number][2]))
        assert size == pytest.approx((a**2).mean() ** 0.5, rel=1e-5)  # the root of their mean square


# ---------------------------------------------------------------- svm_knn_baselines


def test_k_nn_is_scikit_learns_for_every_k():
    from sklearn.neighbors import KNeighborsClassifier

    names = shown("svm_knn_baselines", "def squared_distances(a, b):", np=np)
    names = shown("svm_knn_baselines", "def knn_predict(distances, labels, k):", **names)
    x = DIGITS.x_train.reshape(-1, 784).astype(float)
    distances = names["squared_distances"](x[600:640], x[:600])
    assert np.array_equal(distances, [[((a - b) ** 2).sum() for b in x[:600]] for a in x[600:640]])
    for k in (1, 2, 5, 9):
        theirs = KNeighborsClassifier(k, algorithm="brute").fit(x[:600], Y[:600]).predict(x[600:640])
        assert np.array_equal(names["knn_predict"](distances, Y[:600], k), theirs)
