"""What the drawing page computes, in a real browser: images, probabilities, and answers to drawings drawn by a pointer."""

import asyncio
import functools
import json
import statistics
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import async_playwright

from experiments.evaluation import with_temperature
from helpers.data import load_mnist, prepare
from helpers.drawing import prepare_drawing
from helpers.models import network_of
from tools.draw.networks import NETWORKS, read_record
from tools.draw.pen import CANVAS, rasterise

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
]
# The set that decides is "final", made after networks and threshold were: something was changed after the first results on
# each of the other two. "final" and "test" are drawn by a pointer; "fresh" is read from Python's raster, to save time.
SETS = {
    name: json.loads((ROOT / "data" / "drawings" / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("final", "test", "fresh")
}
DRAWN = ("final", "test")
DRAWINGS = {name: one["drawings"] for name, one in SETS.items()}


@pytest.fixture(scope="module")
def page(browser, html):
    """The drawing page, opened from disk."""
    opened = browser.new_page(viewport={"width": 1280, "height": 1000})
    opened.goto((html / "draw.html").as_uri())
    opened.wait_for_selector("#draw-canvas")
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


def test_the_page_prepares_drawings_as_python_does(page):
    drawings = [rasterise(one["strokes"], one["pen"]) for one in DRAWINGS["test"][::25]]
    drawings += [np.zeros((CANVAS, CANVAS), np.float32), np.eye(31, 17, dtype=np.float32)]
    for ink in drawings:
        data = (ink * 255).round().astype(np.uint8)
        for centre in (True, False):
            found = page.evaluate(
                "([ink, w, h, centre]) => Array.from(window.DigitsPrepare.prepare(Uint8ClampedArray.from(ink), w, h, {centre}))",
                [data.ravel().tolist(), *data.shape[::-1], centre],
            )
            np.testing.assert_allclose(found, prepare_drawing(data, centre).ravel(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_thousand_predictions_agree_with_keras_and_are_quick(page, name):
    """The bounds: probabilities to 1e-4, half of all predictions within 5 ms."""
    images = prepare(load_mnist(quiet=True).x_test[:1000])
    found = page.evaluate(
        """([name, images]) => {
            const network = window.DigitsNetwork.decode(window.DigitsNetworks[name]);
            return images.map((bytes) => {
                const image = Float32Array.from(bytes, (value) => Math.fround(value / 255));
                const start = performance.now();
                for (let i = 0; i < 5; i++) network.predict(image);  // a browser's clock is coarse
                const milliseconds = (performance.now() - start) / 5;
                return {p: Array.from(network.predict(image).probabilities), milliseconds};
            });
        }""",
        [name, (images * 255).round().astype(int).tolist()],
    )
    expected = network_of(read_record(name)).predict(images, verbose=0)
    difference = np.abs(np.array([one["p"] for one in found]) - expected).max()
    median = statistics.median(one["milliseconds"] for one in found)
    print(f"{name}: largest difference {difference:.1e}, median {median:.3f} ms")
    assert len(found) == 1000 and difference < 1e-4
    assert median < 5


async def draw(browser, address, drawings, network):
    """Draw each drawing with the mouse; return a list of dicts with digit, confidence and unsure as the page has them.

    The browser gets real pointer events through its own input path: a press, a move for each point, a release. The
    moves of a stroke are handed over without waiting for each to be answered, so the browser may join some of them into
    one event with several "coalesced" ones, as it does when a hand is quick.
    """
    page = await browser.new_page(viewport={"width": 1280, "height": 1000})
    await page.goto(address)
    inside = await page.evaluate("name => window.DigitsNetworks[name]", network)
    kept = read_record(network)
    assert inside == {key: kept[key] for key in inside}, f"the page has another network {network!r}: run make book"
    await page.select_option("#draw-network", network)
    canvas = page.locator("#draw-canvas")
    await canvas.scroll_into_view_if_needed()
    box = await canvas.bounding_box()
    scale = box["width"] / CANVAS
    answers, pen = [], None
    for one in drawings:
        await page.evaluate("document.getElementById('draw-clear').click()")
        if one["pen"] != pen:
            pen = one["pen"]
            await page.select_option("#draw-pen", pen)
        for stroke in one["strokes"]:
            points = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
            await page.mouse.move(*points[0])
            await page.mouse.down()
            await asyncio.gather(*(page.mouse.move(*point) for point in points[1:]))
            await page.mouse.up()
        answers.append(await page.evaluate("({...document.getElementById('draw-answer').dataset})"))
    await page.close()
    return answers


def drawn_by(chromium, address, drawings, network):
    """What ``draw`` returns, and the seconds it took: with a browser of its own, in a thread of its own, because only
    Playwright's asynchronous form can hand over moves together, and the other tests use the other form."""
    result = {}

    async def run():
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            start = time.perf_counter()
            result["answers"] = await draw(browser, address, drawings, network)
            result["seconds"] = time.perf_counter() - start
            await browser.close()

    def in_thread():
        try:
            asyncio.run(run())
        except BaseException as error:  # shown by the test, not by the thread
            result["error"] = error

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    if "error" in result:
        raise result["error"]
    return result["answers"], result["seconds"]


def scores(answers, drawings):
    """Counts over the answers: right, right and sure, wrong and sure, unsure."""
    right = np.array([one["digit"] == str(drawn["digit"]) for one, drawn in zip(answers, drawings, strict=True)])
    unsure = np.array([one["unsure"] == "true" for one in answers])
    assert {one["unsure"] for one in answers} <= {"true", "false"}
    return {
        "drawings": len(answers),
        "right": int(right.sum()),
        "right_and_sure": int((right & ~unsure).sum()),
        "wrong_and_sure": int((~right & ~unsure).sum()),
        "unsure": int(unsure.sum()),
    }


def keep(name, found):
    """Print the figures, and keep them beside the site for the report of a run."""
    file = ROOT / "_build" / "drawing_test.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    file.write_text(json.dumps(known | {name: found}, indent=1) + "\n", encoding="utf-8")
    print(name, found)


@pytest.fixture(scope="module")
def drawn(chromium, html):
    """``drawn(name, network)`` draws one set, once in a run: the page's answers, and the seconds that it took."""

    @functools.cache
    def once(name, network="augmented"):
        return drawn_by(chromium, (html / "draw.html").as_uri(), DRAWINGS[name], network)

    return once


def hold(found):
    """The bounds that the page is held to: at least 95% read right, at most 1% wrong and not marked unsure, at most 8% unsure."""
    n = found["drawings"]
    assert n >= 240
    assert found["right"] >= 0.95 * n
    assert found["wrong_and_sure"] <= 0.01 * n
    assert found["unsure"] <= 0.08 * n


@pytest.mark.parametrize("name", DRAWN)
def test_drawings_by_a_pointer_are_read(drawn, name):
    """The bounds in the page itself, on the set that decides and on the first one."""
    answers, seconds = drawn(name)
    found = scores(answers, DRAWINGS[name])
    keep(f"{name}: augmented", found | {"seconds": round(seconds, 1)})
    hold(found)


def from_raster(name):
    """Answers of the augmented network to a set as Python rasterises it, a list of dicts as ``draw`` gives them."""
    record = read_record("augmented")
    images = [prepare_drawing(rasterise(one["strokes"], one["pen"])).ravel() for one in DRAWINGS[name]]
    p = with_temperature(network_of(record).predict(np.array(images), verbose=0), record["temperature"])
    return [{"digit": str(one.argmax()), "unsure": "true" if one.max() < record["threshold"] else "false"} for one in p]


def test_the_fresh_drawings_are_read_from_pythons_raster():
    """The set on which the page missed a bound with its earlier threshold: 5 of 340 drawings were wrong and sure."""
    answers = from_raster("fresh")
    found = scores(answers, DRAWINGS["fresh"])
    keep("fresh: augmented, from Python's raster", found)
    hold(found)


@pytest.mark.parametrize("name", DRAWN)
def test_the_writer_kept_apart_is_read(drawn, name):
    """Forty drawings by the writer who is in this set alone: one drawing is 2.5%, so the bounds are wider."""
    chosen = [i for i, one in enumerate(DRAWINGS[name]) if one["writer"] == SETS[name]["unseen"]]
    answers, _ = drawn(name)
    found = scores([answers[i] for i in chosen], [DRAWINGS[name][i] for i in chosen])
    keep(f"{name}: augmented, writer {SETS[name]['unseen']}", found)
    assert found["drawings"] == 40
    assert found["right"] >= 37 and found["wrong_and_sure"] <= 1 and found["unsure"] <= 5


@pytest.mark.parametrize("name", DRAWN)
def test_the_pointer_draws_what_python_rasterises(drawn, name):
    """The page's answers agree with those that Python computes from its own raster, but for a few drawings at the edge."""
    answers, _ = drawn(name)
    same = np.mean([one["digit"] == other["digit"] for one, other in zip(answers, from_raster(name), strict=True)])
    keep(f"{name}: answers as from Python's raster", float(same))
    assert same > 0.97


def test_the_reports_network_is_less_often_right_and_sure(drawn):
    """It reads about as many of the drawings right, but it calls itself unsure far more often."""
    found = scores(drawn("test", "report")[0], DRAWINGS["test"])
    keep("test: report", found)
    other = scores(drawn("test")[0], DRAWINGS["test"])
    assert found["right_and_sure"] < other["right_and_sure"]
    assert found["unsure"] > other["unsure"]
    assert found["right"] >= 0.95 * found["drawings"]
