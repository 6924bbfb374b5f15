"""The recorded networks of the drawing page: up to date, small, exactly rounded, as accurate as they say."""

import base64
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.data_augmentation import AUGMENTED, distorted, prepared_again, thinner
from experiments.evaluation import with_temperature
from helpers.data import load_mnist, prepare
from helpers.drawing import SIDE, prepare_drawing
from helpers.models import array_of, network_of
from tools.draw import networks
from tools.draw.networks import (
    NETWORKS,
    code_of,
    lowest_threshold,
    read_record,
    rounded,
    text_of,
)
from tools.draw.page import networks_script, write_networks
from tools.press.node_tools import find_node

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def record(request):
    """The record of each network."""
    return read_record(request.param)


@pytest.fixture(scope="module")
def digits():
    """MNIST or the sample of it."""
    return load_mnist(quiet=True)


# ---------------------------------------------------------------- the records


def test_the_record_was_made_by_the_code_of_now(record):
    assert record["code"] == code_of(record["name"]), f"run make page-models NAME={record['name']}"


def test_the_record_tells_how_the_network_was_made(record):
    assert {"date", "processor", "cores", "versions"} <= set(record) and "keras" in record["versions"]
    training = record["training"]
    assert training["settings"] == NETWORKS[record["name"]]["settings"] and training["seconds"] > 0
    losses = training["history"]["loss"]
    assert len(losses) == training["settings"].get("rounds", training["settings"].get("epochs"))
    assert losses[-1] < losses[0]


def test_rounding_costs_next_to_nothing(record):
    assert abs(record["accuracy"] - record["accuracy_unrounded"]) <= 0.0005


def test_the_rounded_network_is_as_accurate_as_recorded(record, digits):
    """On the test images of MNIST, to the last one; the sample's are among MNIST's training images, so there it may
    be better, but hardly worse."""
    p = network_of(record).predict(prepare(digits.x_test), verbose=0)
    accuracy = (p.argmax(axis=1) == digits.y_test).mean()
    if digits.edition == "full":
        assert accuracy == pytest.approx(record["accuracy"], abs=1.5e-4)  # one image of 10,000: other processors
    else:
        assert record["accuracy"] - 0.01 <= accuracy <= 1


def test_the_augmented_network_is_the_more_accurate():
    assert read_record("augmented")["accuracy"] > read_record("report")["accuracy"] > 0.965


def test_the_architecture_is_the_reports(record):
    sizes = [(layer["inputs"], layer["outputs"], layer["activation"]) for layer in record["layers"]]
    assert sizes == [(784, 128, "relu"), (128, 64, "relu"), (64, 10, "softmax")]


def test_weights_are_bytes_and_the_largest_of_each_neuron_is_127(record):
    for layer in record["layers"]:
        levels = array_of(layer["weights"], np.int8, (layer["inputs"], layer["outputs"]))
        assert (np.abs(levels.astype(int)).max(axis=0) == 127).all()


def test_the_record_is_small(record):
    assert len((networks.FOLDER / f"{record['name']}.json").read_bytes()) <= 300_000


def test_the_temperature_and_the_threshold_are_usable(record, digits):
    assert 0.3 < record["temperature"] < 3 and 0.5 <= record["threshold"] < 1
    p = with_temperature(network_of(record).predict(prepare(digits.x_test), verbose=0), record["temperature"])
    assert 0.75 < (p.max(axis=1) >= record["threshold"]).mean() <= 1  # most test images are read surely


def test_the_rule_for_unsure_was_kept_on_the_development_drawings(record):
    """Counted again here from the rounded weights; one step below the threshold the rule must be broken somewhere."""
    images, labels, writers = networks.as_a_network_sees(networks.make_development())
    p = with_temperature(network_of(record).predict(images, verbose=0), record["temperature"])
    right, confidence = p.argmax(axis=1) == labels, p.max(axis=1)
    sure = confidence >= record["threshold"]
    found = record["development"]
    assert found["drawings"] == len(labels) == 3000
    for name, these in (
        ("right", right),
        ("right_and_sure", right & sure),
        ("wrong_and_sure", ~right & sure),
        ("unsure", ~sure),
    ):
        assert abs(found[name] - these.sum()) <= 3, name  # a processor may round one at the very edge differently
    by_writer = found["wrong_and_sure_by_writer"]
    assert "".join(by_writer) == "abcdef" and sum(by_writer.values()) == found["wrong_and_sure"]
    assert max(by_writer.values()) <= networks.WRONG_AND_SURE["writer"] * 500
    if record["name"] == "augmented":
        assert found["unsure"] <= 0.05 * found["drawings"]
        below = ~right & (confidence >= record["threshold"] - 0.01)
        assert max(below[writers == w].sum() for w in "abcdef") > networks.WRONG_AND_SURE["writer"] * 500


def test_no_kept_drawing_is_read_for_training_or_tuning():
    code = (ROOT / "tools" / "draw" / "networks.py").read_text(encoding="utf-8").partition('"""')[2].partition('"""')[2]
    assert "data/drawings" not in code and '"drawings" /' not in code and "make(" not in code


def test_a_changed_rule_trains_nothing_and_changed_training_trains(monkeypatch, tmp_path, digits):
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    monkeypatch.setattr("helpers.data.load_mnist", lambda quiet: digits)
    monkeypatch.setenv("DIGITS_EDITION", "full")  # which main sets: so that it is put back
    kept = json.loads((ROOT / "data" / "page_models" / "report.json").read_text(encoding="utf-8"))
    path = tmp_path / "report.json"

    def no_training(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(networks, "trained", no_training)
    path.write_text(json.dumps(kept | {"code": kept["code"] | {"rule": "another"}, "threshold": 0.1}), encoding="utf-8")
    assert networks.main(["report"]) == 0
    again = read_record("report")
    assert again["code"] == kept["code"] and again["threshold"] > 0.5
    assert all(again[key] == kept[key] for key in ("layers", "training", "date", "accuracy"))
    path.write_text(json.dumps(kept | {"code": kept["code"] | {"training": "another"}}), encoding="utf-8")
    with pytest.raises(AssertionError, match="trained again"):
        networks.main(["report"])


# ---------------------------------------------------------------- rounding


def test_rounding_keeps_every_weight_to_half_a_step():
    weights = np.random.default_rng(0).normal(0, 1, (50, 7)).astype(np.float32) * np.logspace(-3, 3, 7)
    levels, scales = rounded(weights)
    assert levels.dtype == np.int8 and (np.abs(levels * scales - weights) <= scales * 0.5001).all()


def test_a_neuron_without_weights_stays_without():
    levels, scales = rounded(np.zeros((4, 2), np.float32))
    assert not levels.any() and np.isfinite(scales).all()


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.float32])
def test_arrays_survive_as_text(dtype):
    array = (np.arange(24).reshape(4, 6) - 12).astype(dtype)
    text = text_of(array)
    assert (array_of(text, dtype, (4, 6)) == array).all()
    assert base64.b64decode(text_of(np.array([1], np.int16))) == b"\x01\x00"  # little-endian everywhere


def test_a_layer_of_an_unknown_type_is_refused():
    with pytest.raises(ValueError, match="conv2d"):
        network_of({"name": "cnn", "layers": [{"type": "conv2d"}]})


def test_a_missing_record_says_how_to_make_it(monkeypatch, tmp_path):
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="make page-models"):
        read_record("report")


# ---------------------------------------------------------------- unsure


def test_the_threshold_is_the_lowest_that_keeps_the_rule():
    labels = np.zeros(100, int)
    p = np.zeros((100, 10))
    p[:, 0] = 0.97
    p[:, 1] = 0.03
    p[:3] = 0
    p[:3, 1] = (0.60, 0.70, 0.80)  # three wrong answers
    p[:3, 2] = 1 - p[:3, 1]
    assert lowest_threshold([(p, labels, 0)]) == 0.81
    assert lowest_threshold([(p, labels, 0.01)]) == 0.71
    assert lowest_threshold([(p, labels, 0.03)]) == 0.5
    assert lowest_threshold([(p, labels, 0.03), (np.eye(10)[[1] * 5], np.zeros(5, int), 0)]) == 0.99


# ---------------------------------------------------------------- distortions


def test_many_images_are_prepared_as_one_is(digits):
    images = digits.x_train[:60].astype(np.float32) / 255
    images[images <= 0.06] = 0
    wide = np.zeros((60, 56, 56), np.float32)
    wide[:, 5:33, 20:48] = images
    expected = [prepare_drawing(image).ravel() for image in wide]
    np.testing.assert_allclose(prepared_again(wide), expected, atol=1e-5)


def test_thinning_thins_but_breaks_no_line():
    image = np.zeros((1, 30, 30), np.float32)
    image[0, 5:25, 10:15] = 1
    image[0, 27, 3:25] = 1
    thin = thinner(image)
    assert (thin[0, 15] > 0).sum() == 3 and (thin[0, 27, 4:24] == 1).all()
    assert thin.sum() < image.sum()


def test_distorted_images_vary_and_are_prepared(digits):
    images = prepare(digits.x_train[:200]).reshape(-1, SIDE, SIDE)
    copies = distorted(images, np.random.default_rng(1), AUGMENTED)
    again = distorted(images, np.random.default_rng(1), AUGMENTED)
    assert copies.shape == (200, SIDE * SIDE) and copies.dtype == np.float32 and (copies == again).all()
    assert copies.min() >= 0 and copies.max() <= 1 and np.isfinite(copies).all()
    change = np.abs(copies - images.reshape(200, -1)).max(axis=1)
    assert 0.05 < (change == 0).mean() < 0.3  # those left untouched
    ink = copies.sum(axis=1) / images.sum(axis=(1, 2))
    assert (ink < 0.75).mean() > 0.15 and (ink > 1.15).mean() > 0.05  # thinner and thicker strokes


# ---------------------------------------------------------------- the page's script


def test_the_script_of_records_holds_every_network(tmp_path):
    script = tmp_path / "networks.js"
    script.write_text(networks_script(networks.FOLDER), encoding="utf-8")
    program = f"globalThis.window = globalThis; require({json.dumps(str(script))}); console.log(JSON.stringify(DigitsNetworks))"
    found = json.loads(
        subprocess.run([find_node()[0], "-e", program], capture_output=True, text=True, check=True).stdout
    )
    assert list(found) == ["report", *sorted(set(NETWORKS) - {"report"})]
    for name, record in found.items():
        kept = read_record(name)
        assert record == {key: value for key, value in kept.items() if key not in ("code", "training")}


def test_the_build_brings_the_script_and_a_book_without_networks_none(tmp_path):
    app = SimpleNamespace(outdir=str(tmp_path / "_build" / "html"), srcdir=str(ROOT))
    config = SimpleNamespace(html_static_path=["_static"])
    write_networks(app, config)
    assert config.html_static_path[0] == "_static" and len(config.html_static_path) == 2
    script = Path(config.html_static_path[1]) / "draw" / "networks.js"
    assert script.read_text(encoding="utf-8") == networks_script(networks.FOLDER)
    before = script.stat().st_mtime_ns
    write_networks(app, SimpleNamespace(html_static_path=[]))
    assert script.stat().st_mtime_ns == before  # unchanged: Sphinx copies and the cache need not notice
    other = SimpleNamespace(html_static_path=[])
    write_networks(SimpleNamespace(outdir=str(tmp_path / "x"), srcdir=str(tmp_path)), other)
    assert other.html_static_path == []


def test_a_folder_without_networks_or_with_a_damaged_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="make page-models"):
        networks_script(tmp_path)
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(ValueError, match=r"report\.json"):
        networks_script(tmp_path)


def test_the_script_of_networks_agrees_with_keras(record, digits, tmp_path):
    images = prepare(digits.x_test[:100])
    model = network_of(record)
    (tmp_path / "case.json").write_text(json.dumps({"record": record, "images": images.tolist()}))
    program = f"""
        require({json.dumps(str(ROOT / "_static" / "draw" / "network.js"))});
        const found = JSON.parse(require('fs').readFileSync({json.dumps(str(tmp_path / "case.json"))}));
        const network = DigitsNetwork.decode(found.record);
        console.log(JSON.stringify(found.images.map(image => {{
            const one = network.predict(Float32Array.from(image));
            return {{...one, probabilities: Array.from(one.probabilities), logits: Array.from(one.logits),
                     hidden: one.hidden.map(h => Array.from(h))}};
        }})));
    """
    answers = json.loads(
        subprocess.run([find_node()[0], "-e", program], capture_output=True, text=True, check=True).stdout
    )
    p = model.predict(images, verbose=0)
    np.testing.assert_allclose([one["probabilities"] for one in answers], p, atol=1e-5)
    calibrated = with_temperature(p, record["temperature"]).max(axis=1)
    np.testing.assert_allclose([one["confidence"] for one in answers], calibrated, atol=1e-4)
    assert [one["digit"] for one in answers] == p.argmax(axis=1).tolist()
    assert [one["unsure"] for one in answers] == [one["confidence"] < record["threshold"] for one in answers]
    outputs = images
    for layer, kept in zip(model.layers[:2], zip(*[one["hidden"] for one in answers], strict=True), strict=True):
        outputs = np.asarray(layer(outputs))
        np.testing.assert_allclose(kept, outputs, atol=1e-4)
