"""The ledger of the test set and the code agree, in both directions; misuse planted in the chapters is noticed."""

import numpy as np
import pytest

from helpers.data import assert_disjoint, load_mnist, prepare
from tools.guards import ledger, looks

ENTRIES = ledger.read_ledger()


@pytest.fixture(scope="module")
def units():
    return ledger.read_units()


def planted(unit, *changes, entries=ENTRIES):
    """What the ledger says of a chapter after (old, new) changes of its code, each of one place; new code may stand alone."""
    cells = ledger.chapter_cells(ledger.ROOT / "chapters" / f"{unit}.ipynb")
    for old, new in changes:
        hits = [i for i, (_, source) in enumerate(cells) if old in source]
        assert len(hits) == 1, f"{old!r} stands in {len(hits)} cells"
        cells[hits[0]] = (cells[hits[0]][0], cells[hits[0]][1].replace(old, new))
    _, records = RECORDS
    touches = looks.chapter_touches(cells, records, roots=ledger.disjoint_roots(cells))
    units = {unit: (cells, touches)}
    return [
        *ledger.complaints([one for one in entries if one.unit == unit], units),
        *ledger.part_complaints(units),
    ]


RECORDS = looks.experiments()


def test_the_ledger_and_the_code_agree(units):
    wrong = list(ledger.complaints(ENTRIES, units))
    assert not wrong, "\n\n".join(wrong)


def test_every_chapter_asserts_that_its_parts_share_no_image(units):
    wrong = list(ledger.part_complaints(units))
    assert not wrong, "\n\n".join(wrong)


def test_the_page_is_what_the_ledger_makes(units):
    written = (ledger.ROOT / ledger.PAGE).read_text(encoding="utf-8")
    assert written == ledger.page(ENTRIES, units), "the page is stale: make ledger"


def test_the_command_writes_the_page(tmp_path, monkeypatch, units, capsys):
    monkeypatch.setattr(ledger, "ROOT", tmp_path)
    monkeypatch.setattr(ledger, "read_units", lambda: units)
    monkeypatch.setattr(ledger, "read_ledger", lambda: ENTRIES)
    monkeypatch.setattr(ledger, "chapters_in_order", lambda root: [name for name in units if name != "experiments"])
    assert ledger.main([]) == 0 and f"{len(ENTRIES)} looks" in capsys.readouterr().out
    assert (tmp_path / ledger.PAGE).read_text(encoding="utf-8").startswith("# How often")
    monkeypatch.setattr(ledger, "read_ledger", lambda: ENTRIES[1:])
    assert ledger.main([]) == 1 and "is not in the ledger" in capsys.readouterr().err
    assert ledger.main(["--draft"]) == 0 and '[[look]]\nreason = ""' in capsys.readouterr().out


# ---------------------------------------------------------------- misuse in the chapters themselves

MISUSE = {
    "temperature by bisection on test images": (
        "evaluation",
        (
            'temperature = minimize_scalar(cross_entropy, bounds=(0.1, 10), method="bounded").x',
            "cold, hot = 0.1, 10\nfor _ in range(40):\n    mid = (cold + hot) / 2\n    worse = calibration_error(cooled(probabilities, mid), y_test) > "
            "calibration_error(cooled(probabilities, mid + 0.01), y_test)\n    cold, hot = (mid, hot) if worse else (cold, mid)\ntemperature = cold",
        ),
    ),
    "a callback that stops by the test images": (
        "training",
        (
            'keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)',
            "keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: setattr(stopped, 'stop_training', stopped.evaluate(x_test)[0] > 1))",
        ),
    ),
    "metric chosen on test images": ("svm_knn_baselines", ("model.predict(x_val[:v]) == y_val[:v]\npd", "model.predict(prepare(digits.x_test[:v])) == digits.y_test[:v]\npd")),
    "temperature fitted on test images": (
        "evaluation",
        ("cooled(p_validation, temperature)[np.arange(len(y_validation)), y_validation]", "cooled(probabilities, temperature)[np.arange(n), y_test]"),
    ),
    "temperature's validation images are test images": (
        "evaluation",
        ("network.predict(prepare(digits.x_train[held_out:])", "network.predict(prepare(digits.x_test)"),
    ),
    "temperature checked against one fitted on test images": (
        "evaluation",
        ("fit_temperature(p_validation, y_validation)", "fit_temperature(probabilities, y_test)"),
    ),
    "best seed by test accuracy": (
        "evaluation",
        ("network = trained_network()", "network = max((trained_network(seed=s) for s in range(3)), key=lambda m: m.evaluate(prepare(digits.x_test), digits.y_test)[1])"),
    ),
    "best seed by recorded test accuracy": (
        "evaluation",
        ("other = trained_network(hidden=(128,))", "other = trained_network(seed=int(one_layer.argmax()), hidden=(128,))"),
    ),
    "threshold on test images": (
        "evaluation",
        ("error_90 = error_accepted[n * 9 // 10 - 1]", "threshold = np.quantile(confidence, 0.1)\nerror_90 = error_accepted[n * 9 // 10 - 1]"),
    ),
    "early stopping on test images": (
        "training",
        ("epochs=40, batch_size=128, validation_split=0.2,", "epochs=40, batch_size=128, validation_data=(x_test, keras.utils.to_categorical(digits.y_test, 10)),"),
    ),
    "trained on test images": ("training", ("x_fit, t_fit = x_train[:n_fit], t_train[:n_fit]", "x_fit, t_fit = x_test, keras.utils.to_categorical(digits.y_test, 10)")),
    "validated on test images": ("training", ("x_val, t_val, y_val = x_train[n_fit:], t_train[n_fit:], digits.y_train[n_fit:]", "x_val, t_val, y_val = x_test, keras.utils.to_categorical(digits.y_test, 10), digits.y_test")),
    "learning rate by test accuracy": (
        "training",
        ("faster_seconds = time.perf_counter() - start", "faster_seconds = time.perf_counter() - start\nPEAK = max((1e-3, 4e-3), key=lambda rate: faster.evaluate(x_test, digits.y_test)[1])"),
    ),
    "k chosen on test images": ("svm_knn_baselines", ("model.kneighbors(x_val, return_distance=False)", "model.kneighbors(prepare(digits.x_test), return_distance=False)"), ("== y_val[:, None]).mean(axis=0)", "== digits.y_test[:, None]).mean(axis=0)")),
    "validation rows are test rows": ("svm_knn_baselines", ("x_val, y_val = prepare(digits.x_train[-n_val:]), digits.y_train[-n_val:]", "x_val, y_val = prepare(digits.x_test[-n_val:]), digits.y_test[-n_val:]")),
    "gamma chosen by recorded test accuracy": ("svm_knn_baselines", ('best = fine.loc[fine["val_accuracy"].idxmax()]', 'best = fine.loc[pd.DataFrame([run["result"] for run in measurement("svm_growth").runs])["test_accuracy"].idxmax()]')),
    "k-NN stores test images": ("svm_knn_baselines", ("all_images = prepare(digits.x_train)", "all_images = np.concatenate([prepare(digits.x_train), prepare(digits.x_test)])")),
    "fitted to rows that no part holds": ("svm_knn_baselines", ("small, small_y = x_fit[:1500], y_fit[:1500]", "small, small_y = prepare(digits.x_train[-1500:]), digits.y_train[-1500:]")),
    "standardised with test rows": ("data_preprocessing", ("mean, deviation = fit_part.mean(), fit_part.std()", "mean, deviation = prepare(digits.x_test).mean(), fit_part.std()")),
    "standardised with all rows": ("data_preprocessing", ("mean, deviation = fit_part.mean(), fit_part.std()", "every = np.vstack([x, prepare(digits.x_test)])\nmean, deviation = every.mean(), every.std()")),
    "class means of all rows": ("before_you_start", ("means = np.array([X_train[digits.y_train == digit].mean(axis=0) for digit in range(10)])", "means = np.array([X_test[digits.y_test == digit].mean(axis=0) for digit in range(10)])")),
    "best start by test accuracy": ("mlp_architecture", ("table.round(3)", 'start = table["test accuracy"].idxmax()\ntable.round(3)')),
    "smallest network by test accuracy": ("mlp_architecture", ('if grid.values("val_accuracy", hidden=hidden).min() > 0.95', 'if grid.values("test_accuracy", hidden=hidden).min() > 0.95')),
    "principal components of test images": ("mlp_architecture", ("raw = digits.x_test.reshape", "axes_of_ink = np.linalg.svd(x_test - x_test.mean(axis=0))[2]\nraw = digits.x_test.reshape")),
    "another look": ("mlp_architecture", ("untrained = build_mlp(hidden=(128, 64))", "print((network.predict(x_test).argmax(axis=1) == y_test).mean())\nuntrained = build_mlp(hidden=(128, 64))")),
    "a recording's test result": ("training", ("turns = longer.values(\"turning_epoch\")", "turns = longer.values(\"turning_epoch\")\nsay(f\"{longer.mean('test_accuracy'):.2%}\")")),
}  # fmt: skip

HARMLESS = {
    "a size": ("training", ("n_fit = int(0.8 * len(x_train))", "n_fit = int(0.8 * len(x_train))\nprint(len(digits.x_test), x_test.shape)")),
    "a validation score": ("training", ("report_seconds = time.perf_counter() - start", "report_seconds = time.perf_counter() - start\nprint(model.evaluate(x_val, t_val))")),
    "a comment": ("evaluation", ("correct = predicted == y_test", "correct = predicted == y_test  # argmax of x_test")),
    "a loop over scores that only shows them": ("mlp_architecture", ("table.round(3)", 'for name in table.index:\n    print(name, table["validation accuracy"][name])')),
    "another figure size": ("evaluation", ("fig, ax = plt.subplots(figsize=(6.4, 2.6))", "fig, ax = plt.subplots(figsize=(6.4, 3))")),
    "a better check": ("evaluation", ("abs(all_right - accuracy**5) < 0.006", "abs(all_right - accuracy**5) < 0.005 and max(all_right, accuracy) < 1")),
    "best k by validation, twice": ("svm_knn_baselines", ("knn_choice = measurement", "best_k = int(ks[by_k.argmax()])\nknn_choice = measurement")),
    "a recorded validation result": ("training", ("turns = longer.values(\"turning_epoch\")", "turns = longer.values(\"turning_epoch\")\nsay(f\"{longer.values('val_accuracy').max():.2%}\")")),
    "fewer images to fit": ("svm_knn_baselines", ("small, small_y = x_fit[:1500], y_fit[:1500]", "small, small_y = x_fit[:1200], y_fit[:1200]")),
    "a shown extreme": ("evaluation", ("{share(two_layers.max(), of=", "{share(max(two_layers), of=")),
}  # fmt: skip


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_in_a_chapter_is_noticed(name):
    """Not only because a line that the ledger quotes has changed."""
    about_quotes = ("the quote ", "where its cells choose nothing")
    assert [one for one in planted(*MISUSE[name]) if not any(text in one for text in about_quotes)]


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_edit_passes(name):
    assert planted(*HARMLESS[name]) == []


def test_overlapping_parts_break_the_hidden_cell():
    x = prepare(load_mnist(quiet=True).x_train[:100])
    assert_disjoint(fit=x[:80], validation=x[80:])
    assert_disjoint(fit=load_mnist(quiet=True).x_train, test=load_mnist(quiet=True).x_test)
    with pytest.raises(AssertionError, match="image 0 of validation is also in fit"):
        assert_disjoint(fit=x[:81], validation=x[80:])
    with pytest.raises(
        AssertionError, match="image 3 of test is also in fit"
    ):  # bytes and floats of one image are one image
        assert_disjoint(fit=x[5:6], test=load_mnist(quiet=True).x_train[2:9])
    with pytest.raises(ValueError, match="validation holds neither"):
        assert_disjoint(fit=x[:80], validation=(x[80:] - np.float32(0.1)) / np.float32(0.3))


# ---------------------------------------------------------------- the ledger by itself, on a chapter of four cells

CELLS = [
    (0, "digits = load_mnist()\nx_train = digits.x_train\nx_test, y_test = digits.x_test, digits.y_test"),
    (1, "acc = {k: KNN(k).fit(x_train, y).score(x_test, y_test) for k in (1, 3)}"),
    (2, "assert_disjoint(fit=x_train, test=x_test)"),
    (3, "best = max(acc, key=acc.get)\nprint(best)"),
]
GOOD = """
[[look]]
reason = "Shows what the best of many tries on test images is worth."
prepared = ["x_test, y_test = digits.x_test"]
images = ["acc = {"]
result = ["best = max(acc"]
[look.demonstration]
"best = max(acc, key=acc.get)" = "The winner's luck is what this section measures."
"""


def said(text=GOOD, cells=CELLS):
    touches = looks.chapter_touches(cells, RECORDS[1], roots=ledger.disjoint_roots(cells))
    units = {"toy": (cells, touches)}
    return [*ledger.complaints(ledger.read_entries("toy", text), units), *ledger.part_complaints(units)]


def test_a_good_ledger_is_accepted():
    assert said() == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Shows what the best of many tries on test images is worth.", "", "say in a sentence why"),
        ("Shows what the best of many tries on test images is worth.", "look", "say in a sentence why"),
        ("The winner's luck is what this section measures.", "", "lacks its reason"),
        ('images = ["acc = {"]', "", "is not in the ledger"),
        ('images = ["acc = {"]', 'images = "acc = {"', "each quote"),
        (
            "[look.demonstration]",
            "[[look]]\nreason = 'A look of no cell at all.'\n[look.demonstration]",
            "it names no cell",
        ),
        ('images = ["acc = {"]', 'recorded = ["acc = {"]', "is in the ledger as recorded, but its code is images"),
        ('images = ["acc = {"]', 'images = ["acc = {", "nowhere"]', "fits none"),
        ('images = ["acc = {"]', 'images = ["acc"]', "fits several"),
        ('images = ["acc = {"]', 'images = ["acc = {", "assert_disjoint(fit"]', "looks at no test image"),
        ('images = ["acc = {"]', 'images = ["acc = {", "KNN(k)"]', "already"),
        ("[look.demonstration]", "[look.selects]", None),
        ('"best = max(acc, key=acc.get)"', '"best = max(acc"', "chooses by the test set"),
        ('"best = max(acc, key=acc.get)"', '"best = max(acc"', "where its cells choose nothing"),
    ],
)
def test_each_fault_of_the_ledger_is_told(old, new, message):
    assert old in GOOD
    try:
        found = said(GOOD.replace(old, new))
    except ledger.LedgerError as error:
        found = [str(error)]
    assert (found == []) if message is None else any(message in one for one in found), found


def test_a_missing_cell_is_told_with_its_entry():
    (message,) = [
        one for one in said(GOOD.replace('result = ["best = max(acc"]\n', "")) if "is not in the ledger" in one
    ]
    entry = message[message.index("[[look]]") :]
    made = ledger.read_entries("toy", entry)[0]
    assert made.cells == [("result", "best = max(acc, key=acc.get)")] and made.marks["selects"] == {
        "best = max(acc, key=acc.get)": ""
    }
    assert any("say in a sentence why" in one for one in said(GOOD + entry))


def test_no_reason_makes_a_fit_harmless():
    cells = [*CELLS, (4, "scaler.fit(x_test)")]
    entry = '\n[[look]]\nreason = "Fits a scaler, to show that."\nimages = ["scaler.fit"]\n[look.{}]\n"scaler.fit(x_test)" = "It is only a scaler, no harm done."\n'
    assert any("no reason makes that harmless" in one for one in said(GOOD + entry.format("selects"), cells))
    assert said(GOOD + entry.format("demonstration"), cells) == []


@pytest.mark.parametrize(
    "text", ["[[look]", "[other]\nx = 1", "[[look]]\nreasons = 'x'", "[[look]]\nimages = [1]", "[[look]]\nreason = 3"]
)
def test_a_ledger_that_says_nothing_readable_is_refused(text):
    with pytest.raises(ledger.LedgerError, match="data/ledger/toy.toml"):
        ledger.read_entries("toy", text)


def test_a_ledger_of_no_chapter_is_told():
    entries = ledger.read_entries("gone", GOOD)
    assert any("there is no chapter gone" in one for one in ledger.complaints(entries, {}))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([*CELLS[:2], CELLS[3]], "uses test images: assert in a hidden cell"),
        ([*CELLS[:2], (2, "assert_disjoint(fit=x_train, test=x_train)"), CELLS[3]], "what is not that part"),
        ([*CELLS[:2], (2, "assert_disjoint(fit=x_test, test=x_test)"), CELLS[3]], "what is not that part"),
        ([*CELLS, (4, "KNN(3).fit(digits.x_train[:50], y)")], "trains on digits.x_train"),
        ([*CELLS, (4, "KNN(3).fit(x_train, y).score(digits.x_train[50:], y)")], "is asked about digits.x_train"),
    ],
)
def test_parts_that_nothing_compares_are_told(cells, message):
    assert any(message in one for one in said(cells=cells)), said(cells=cells)


def test_the_pages_headings_are_the_chapters_titles():
    headings = [
        line
        for line in (ledger.ROOT / "test_set.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
    ]
    assert "## Nearest neighbours and support vector machines" in headings
    assert not [line for line in headings if "chapters/" in line or "_" in line]
