"""Test images are followed through code: small notebooks for each source, each way of following, each choice, each no-look."""

import pytest

from tools.guards import looks

RECORDS = {
    "calibration": (frozenset({"ece", "accuracy"}), True),
    "svm_choice": (frozenset(), False),
    "*": (frozenset({"*"}), True),
}
START = "digits = load_mnist()\nx_train, y_train = digits.x_train, digits.y_train\nx_test, y_test = digits.x_test, digits.y_test\n"
SCORED = START + "predicted = net.predict(x_test).argmax(axis=1)\nright = predicted == y_test\n"
SWEEP = SCORED + "acc = {}\nfor k in (1, 3, 5):\n    acc[k] = KNN(k).fit(x_train, y_train).score(x_test, y_test)\n"


def follow(*cells):
    """The touch of the last cell."""
    touches = looks.chapter_touches(list(enumerate(cells)), RECORDS)
    return touches[len(cells) - 1]


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("show_digits(digits.x_test[:5])", "images"),
        ("show_digits(load_mnist().x_test)", "images"),
        ("a, b = prepare(digits.x_train), prepare(digits.x_test)", "prepared"),
        ("print(y_test.mean())", "images"),
        ("for image, label in zip(x_test, y_test):\n    print(image.sum())", "images"),
        ("print(getattr(digits, 'x_test').sum())", "images"),
        ("print(vars(digits)['x_test'].sum())", "images"),
        ("from dataclasses import astuple\nparts = astuple(digits)", "images"),
        ("(a, b), (c, d) = keras.datasets.mnist.load_data()\nprint(c.sum())", "images"),
        ("print(np.load('mnist.npz')['x_test'].sum())", "images"),
        ("print(right.mean())", "result"),
        ("share = right.mean()", "result"),
        ("print(measurement('calibration').values('ece'))", "recorded"),
        ("print(measurement('calibration').mean('accuracy'))", "recorded"),
        ("print(measurement('other').values('test_accuracy'))", "recorded"),
        ("print(table['test_accuracy'])", "recorded"),
        ("run = measurement('calibration').runs[0]\nprint(run['result']['ece'])", "recorded"),
        (
            "frame = pd.DataFrame([r['settings'] | r['result'] for r in measurement('calibration').runs])\nprint(frame['ece'])",
            "recorded",
        ),
        (
            "frame = pd.DataFrame([r['result'] for r in measurement('calibration').runs])\nprint(frame.loc[3, 'ece'])",
            "recorded",
        ),
        ("for name in ('ece', 'temperature'):\n    print(measurement('calibration').values(name))", "recorded"),
        ("name = 'ece'\nprint(measurement('calibration').values(f'{name}'))", "recorded"),
        (
            "from experiments.evaluation import calibration\ncalibration.repeat(measurement('calibration'), seed=0)",
            "images",
        ),
        ("assert right.mean() > 0.9", "result"),
        ("print(f'{right.sum():,}')", "result"),
        ("print(len(np.flatnonzero(~right)))", "result"),
        ("try_it(x, lambda a: a == right.mean())", "result"),
    ],
)
def test_each_source_is_a_look(cell, kind):
    assert kind in follow(SCORED, cell).kind


@pytest.mark.parametrize(
    "cells",
    [
        ["def f():\n    return net.predict(x_test)", "print(f())"],
        ["def f(images):\n    return images.mean()", "a = f(x_test)", "print(a)"],
        ["def outer():\n    def inner():\n        return y_test\n    return inner", "print(outer()().sum())"],
        ["kept = []", "for row in x_test:\n    kept.append(row)", "print(kept[0].sum())"],
        ["d = {}", "d['a'] = right.mean()", "print(d['a'])"],
        ["d = {'a': 1, 'b': right.mean()}", "print(d['b'])"],
        ["class Box:\n    def __init__(self, x):\n        self.x = x", "box = Box(x_test)", "print(box.x.sum())"],
        ["frame = pd.DataFrame()", "frame['accuracy'] = right", "print(frame.describe())"],
        ["with open_it(x_test) as f:\n    g = f", "print(g)"],
        ["total = 0\nfor one in right:\n    total += one", "print(total)"],
        ["a, *rest = x_test, y_test, 3", "print(rest)"],
        ["pairs = [(i, r) for i, r in enumerate(right)]", "for i, r in pairs:\n    print(r)"],
        ["np.add.at(counts, (y_test, predicted), 1)", "print(counts)"],
        ["f = lambda: right.mean()", "print(f())"],
        ["if right.mean() > 0.5:\n    word = 'good'\nelse:\n    word = 'bad'", "print(word)"],
        ["a = right.mean() if True else 0", "print(a)"],
        ["from helpers.evaluation import mcnemar_test", "only_a, only_b, p = mcnemar_test(right, right)", "print(p)"],
        ["b = (a := right.mean())", "print(a)"],
        ["try:\n    a = right.mean()\nexcept ValueError:\n    a = 0", "print(a)"],
    ],
)
def test_results_are_followed(cells):
    cells = ["counts = np.zeros((10, 10))", *cells]
    assert follow(SCORED, *cells).kind


@pytest.mark.parametrize(
    "cell",
    [
        "print(len(digits.x_test), len(y_test))",
        "print(x_test.shape, x_test.dtype, digits.x_test.ndim, x_test[:5].size)",
        "n = len(x_test)\nprint(n / 2)",
        "print(digits)",
        "print(len(predicted))",
        "x_test = x_train[-100:]\nprint(x_test.mean())",
        "print(measurement('calibration').values('temperature'))",
        "print(measurement('svm_choice').values('val_accuracy').argmax())",
        "measurement('calibration').provenance()",
        "d = {'a': right, 'b': 3}\nk = 1",
        "best = max(measurement('svm_choice').runs, key=lambda run: run['result']['val_accuracy'])",
        "assert_disjoint(fit=x_train, test=x_test)",
        "from experiments.svm_knn_baselines import svm_choice\nsvm_choice.repeat(measurement('svm_choice'), seed=0)",
    ],
)
def test_what_is_no_look(cell):
    touch = follow(SCORED, cell)
    assert touch.kind in ([], ["result"] if "'a': right" in cell else []) and not touch.choices


def test_a_name_is_clean_after_it_was_assigned_something_clean():
    assert follow(SCORED, "a = right.mean()", "a = 3", "print(a)").kind == []


def test_a_function_that_nobody_calls_is_followed_all_the_same():
    assert follow(START, "@hook\ndef f():\n    return net.predict(x_test).mean()").kind == ["images"]


PICKS = [
    "best = max(acc, key=acc.get)",
    "best = min(acc, key=lambda k: -acc[k])",
    "best = max((a, k) for k, a in acc.items())",
    "best = max(zip(acc.values(), acc))",
    "best = sorted(acc, key=acc.get)[-1]",
    "best = [1, 3, 5][np.argmax(list(acc.values()))]",
    "best = np.array([1, 3, 5])[np.array(list(acc.values())).argmax()]",
    "best = pd.Series(acc).idxmax()",
    "best = pd.Series(acc).nlargest(1).index[0]",
    "best = pd.Series(acc).sort_values().index[-1]",
    "best, top = 1, 0\nfor k in acc:\n    if acc[k] > top:\n        best, top = k, acc[k]",
    "for k in (1, 3):\n    if acc[k] > 0.97:\n        break",
    "while right.mean() < 0.9:\n    k = k + 1",
    "best = next(k for k in (1, 3, 5) if acc[k] > 0.9)",
    "good = [k for k in (1, 3, 5) if acc[k] > 0.9]",
    "best = 1 if acc[1] > acc[3] else 3",
    "best = list(acc)[list(acc.values()).index(max(acc.values()))]",
    "best = np.array([1, 3, 5])[np.flatnonzero(np.array(list(acc.values())) > 0.9)][0]",
    "threshold = np.quantile(net.predict(x_test).max(axis=1), 0.1)",
    "threshold = np.sort(net.predict(x_test).max(axis=1))[100]",
    "mean = x_test.mean()",
    "deviation = np.std(x_test, axis=0)",
    "best = measurement('calibration').values('ece').argmin()",
    "best = max(measurement('calibration').runs, key=lambda run: run['result']['accuracy'])",
    "match acc[1] > 0.9:\n    case True:\n        k = 1",
]
FITS = [
    "KNN(3).fit(x_test, y_test)",
    "scaler.fit(np.concatenate([x_train, x_test]))",
    "z = scaler.fit_transform(x_test)",
    "net.fit(x_train, y_train, validation_data=(x_test, y_test))",
    "net.fit(x_train, y_train, callbacks=[Stop(x_test)])",
    "net.fit(x_train, y_train, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda e, l: net.evaluate(x_test, y_test))])",
    "class Stop(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        self.seen = self.model.evaluate(x_test, y_test)\n\n"
    "net.fit(x_train, y_train, callbacks=[Stop()])",
    "t = minimize_scalar(lambda t: -np.log(net.predict(x_test) / t).mean()).x",
    "def loss(t):\n    return ((net.predict(x_test) / t).argmax(axis=1) == y_test).mean()\n\nt = minimize(loss, 1.0).x",
    "from experiments.evaluation import fit_temperature\nt = fit_temperature(net.predict(x_test), y_test)",
    "a, b = np.polyfit(right, right, 1)",
    "GridSearchCV(KNN(), grid).fit(x_test, y_test)",
    "from sklearn.neighbors import KNeighborsClassifier\nmodel = KNeighborsClassifier(max(acc, key=acc.get))",
    "from helpers.models import build_mlp\nmodel = build_mlp([int(100 * right.mean())])",
    "net.set_weights([np.asarray(right)])",
    "norm.adapt(x_test)",
    "x = np.concatenate([x_train, x_test])",
    "x_train = x_train - x_test[0]",
    "u, s, v = np.linalg.svd(x_test)",
    "W = np.zeros(3)\nfor _ in range(5):\n    W -= 0.1 * (x_test.T @ right)",
    "W = np.zeros(3)\nW = W - 0.1 * (x_test.T @ right)",
    "a, b = train_test_split(x_test)",
    "with tf.GradientTape() as tape:\n    loss = crossentropy(y_test, net(x_test))\ngrads = tape.gradient(loss, net.weights)",
    "study.optimize(lambda trial: net.evaluate(x_test, y_test), n_trials=9)",
]


@pytest.mark.parametrize("cell", PICKS)
def test_each_pick_is_noticed(cell):
    assert follow(SWEEP, cell).choices


@pytest.mark.parametrize("cell", FITS)
def test_each_fit_is_noticed_and_is_none_that_a_reason_makes_harmless(cell):
    assert any(not choice.picks for choice in follow(SWEEP, cell).choices), follow(SWEEP, cell)


@pytest.mark.parametrize(
    "cell",
    [
        one.replace("x_test", "x_val").replace("y_test", "y_val")
        for one in FITS
        if "right" not in one and "acc" not in one
    ],
)
def test_the_same_on_validation_images_is_free(cell):
    start = START + "x_val, y_val = x_train[-100:], y_train[-100:]\n"
    assert not follow(start, cell).choices


@pytest.mark.parametrize(
    "cell",
    [
        "say(f'The best is {max(acc, key=acc.get)}.')",
        "assert max(acc, key=acc.get) == 3",
        "ax.plot(sorted(acc.values()))",
        "predicted = net.predict(x_test).argmax(axis=1)",
        "two = np.argsort(net.predict(x_test), axis=1)[:, -2:]",
        "if right.mean() > 0.9:\n    say('Well.')\nelse:\n    say('Not so well.')",
        "text = 'more' if acc[1] > acc[3] else 'less'",
        "total = 0\nfor one in right:\n    if one:\n        total += 1",
        "knn = KNN(3).fit(x_train, y_train)\nshare = knn.score(x_test, y_test)",
        "ink = x_test.mean(axis=(1, 2))",
        "by_digit = [right[y_test == digit].mean() for digit in range(10)]",
        "p = net.predict(x_test)\np = p - p.max(axis=1, keepdims=True)",
        "nearest = y_train[np.argsort(cdist(x_test, x_train), axis=1)[:, :3]]",
    ],
)
def test_what_is_no_choice(cell):
    assert not follow(SWEEP, cell).choices, follow(SWEEP, cell).choices


def test_a_choice_inside_a_function_stands_at_the_line_that_calls_it():
    (choice,) = follow(SWEEP, "def pick():\n    return max(acc, key=acc.get)", "k = 1\nbest = pick()").choices
    assert choice.line == 2 and choice.text == "best = pick()"


def test_the_experiments_of_the_book_tell_which_results_are_of_test_images():
    touches, records = looks.experiments()
    assert "ece" in records["calibration"][0] and "temperature" not in records["calibration"][0]
    assert {"wrong", "confusion", "test_accuracy"} <= records["report_training"][0]
    assert not {"val_accuracy", "loss", "seconds"} & records["report_training"][0]
    assert records["svm_choice"] == (frozenset(), False)
    assert not any(touch.choices for _, touch in touches.values())


def test_a_temperature_fitted_on_test_images_in_an_experiment_is_noticed(tmp_path):
    def read(name):
        text = looks.read_module(name)
        return text.replace(
            "fit_temperature(p_validation, digits.y_train[held_out:])", "fit_temperature(p_test, digits.y_test)"
        )

    touches, _ = looks.experiments(read=read)
    assert any(not choice.picks for choice in touches["calibration"][1].choices)
