"""tools/guards/bands.py: the band of each number, from what runs printed; and what falls outside it."""

import json
import math

import numpy as np
import pytest

from tools.guards import bands
from tools.guards.kernel import without_times

RNG = np.random.default_rng(1)


def runs_of(*texts, kind="say", key="f'...'"):
    """Return runs that each said one thing."""
    return [[{"kind": kind, "key": key, "text": text}] for text in texts]


def trouble(texts, text, kind="say"):
    """Return what is wrong with a text after runs that said others."""
    made = bands.Bands("toy", {"full": bands.made(runs_of(*texts, kind=kind))})
    return made.trouble("full", kind, "f'...'", text)


@pytest.mark.parametrize(
    ("text", "words", "numbers"),
    [
        ("It gets 97.4% ± 0.12%.", "It gets # ± #.", [97.4, 0.12]),
        ("60,000 images, 784-128-10, seed 0", "# images, #-#-#, seed #", [60000, 784, 128, 10, 0]),
        ("moves by +0.29 and -0.5 points, or −1", "moves by # and # points, or #", [0.29, -0.5, -1]),
        ("within 3e-07 of 1.5e+2", "within # of #", [3e-07, 150]),
        ("x1 and F1 and v2.5 stay; nan does not", "x1 and F1 and v2.5 stay; # does not", [math.nan]),
        ("the years 1998, 1999 and 5", "the years #, # and #", [1998, 1999, 5]),
    ],
)
def test_a_sentence_is_taken_apart(text, words, numbers):
    found, made = bands.taken_apart(text)
    assert found == words
    assert [one.value for one in made] == pytest.approx(numbers, nan_ok=True)


@pytest.mark.parametrize(
    ("printed", "passes", "fails"),
    [
        ("97.41%", ("97.41%", "97.40%", "97.42%"), ("97.43%", "97.39%", "0.97%", "98%")),
        ("0.123", ("0.123", "0.124", "0.122"), ("0.125", "12.3", "-0.123")),
        ("5", ("5",), ("4", "6", "5.5")),
        ("60,000", ("60,000", "59,700"), ("48,000", "59,000", "60,700")),
        ("120", ("120", "121", "119"), ("122", "118", "12")),
        ("3e-07", ("3e-07", "1e-07", "9e-06"), ("3e-05", "1e-09", "3.0")),
        ("2.842e-16", ("2.842e-16", "0", "-1e-16"), ("1e-06", "0.1")),
        ("nan", ("nan",), ("0.5",)),
    ],
)
def test_a_number_that_is_the_same_in_every_run(printed, passes, fails):
    texts = [f"It is {printed} here."] * 20
    for value in passes:
        assert trouble(texts, f"It is {value} here.") is None, value
    for value in fails:
        assert "outside its band" in (trouble(texts, f"It is {value} here.") or ""), value


def test_a_glued_value_is_held_more_closely_than_it_is_printed():
    texts = ["0.9719"] * 20
    assert trouble(texts, "0.97192", kind="glue") is None
    for value in ("0.9705", "0.9730", "97.19", "0.0281"):
        assert "outside its band" in trouble(texts, value, kind="glue"), value


def test_a_number_that_varies_may_vary_as_runs_did_and_no_more():
    values = RNG.normal(97, 0.1, 20)
    texts = [f"It is {value:.2f}%." for value in values]
    k = bands.width(20)
    low, high = values.mean() - k * values.std(ddof=1), values.mean() + k * values.std(ddof=1)
    assert trouble(texts, f"It is {low + 0.01:.2f}%.") is None and trouble(texts, f"It is {high - 0.01:.2f}%.") is None
    assert "outside its band" in trouble(texts, f"It is {low - 0.03:.2f}%.")
    assert "outside its band" in trouble(texts, f"It is {high + 0.03:.2f}%.")


@pytest.mark.parametrize("runs", [5, 10, 20])
def test_a_band_refuses_wrongly_as_often_as_it_says(runs):
    """By simulation, at a level where it can be counted."""
    rng, trials, level = np.random.default_rng(runs), 20_000, 0.05
    drawn = rng.normal(size=(trials, runs + 1))
    before, now = drawn[:, :-1], drawn[:, -1]
    false = (abs(now - before.mean(axis=1)) > bands.width(runs, level) * before.std(axis=1, ddof=1)).mean()
    assert abs(false - level) < 4 * np.sqrt(level / trials)


def test_a_build_of_the_whole_book_gives_a_false_alarm_once_in_a_hundred():
    assert bands.FALSE_ALARMS == 0.01 and 5.6 < bands.width(20) < 6
    assert bands.width(20) == bands.width(20, bands.FALSE_ALARMS / bands.NUMBERS)


def test_what_rounding_leaves_may_vary_by_factors():
    texts = [f"They differ by {value}." for value in ("2e-07", "3e-06", "1e-07", "5e-07", "8e-07") * 4]
    assert trouble(texts, "They differ by 4e-06.") is None
    assert "outside" in trouble(texts, "They differ by 2.")
    assert trouble(texts[:2], "They differ by 4e-06.") is None  # two runs tell next to nothing, but break nothing


def test_words_that_change_are_noticed_where_they_never_did():
    texts = ["One layer is better by 2."] * 20
    assert "reads otherwise" in trouble(texts, "Two layers are better by 2.")
    assert "reads otherwise" in trouble(texts, "One layer is better.")


def test_words_that_depend_on_the_run_have_bands_of_their_own():
    texts = ["ReLU wins by 5 here."] * 10 + ["ReLU loses by 7 here."] * 8 + ["Nobody wins: 0."] * 2
    assert trouble(texts, "ReLU wins by 5 here.") is None
    assert "outside" in trouble(texts, "ReLU wins by 7 here.")
    assert "outside" in trouble(texts, "ReLU loses by 5 here.")
    assert trouble(texts, "Nobody wins: 3.") is None  # seen twice: too seldom to know
    assert trouble(texts, "It is a draw, 1 to 1.") is None


def test_a_sentence_without_a_band_asks_for_one_and_names_the_cure():
    made = bands.Bands("toy", {"full": bands.made(runs_of("It is 5."))})
    for kind, words in (("say", "the sentence other"), ("glue", "glued value"), ("check", "checked value")):
        told = made.trouble("full", kind, "other", "It is 5.")
        assert words in told and "make bounds NAME=toy" in told
    assert made.trouble("sample", "say", "other", "It is 5.") is None  # an edition that has no bands yet


def test_times_have_no_band():
    assert without_times("2.0 s, then 2.0 and 3 times", ["2.0", "3"]) == "⏱ s, then 2.0 and ⏱ times"
    assert without_times("13,000 images, 0.3 of 3.5, in 3 s.", ["3"]) == "13,000 images, 0.3 of 3.5, in ⏱ s."
    assert without_times("It took 3.", ["3"]) == "It took ⏱." and without_times("3.1", ["3"]) == "3.1"
    texts = ["It took ⏱ s for 5 images: slower."] * 20
    assert trouble(texts, "It took ⏱ s for 5 images: slower.") is None
    assert trouble(texts, "It took ⏱ s for 5 images: faster.") is None  # its words may depend on the time
    assert "outside" in trouble(texts, "It took ⏱ s for 6 images: slower.")


def test_the_file_holds_all_of_it():
    texts = ["It is 5, 97.4% here."] * 4 + ["It is 5, 97.6% here."]
    made = bands.Bands("toy", {"full": bands.made(runs_of(*texts)), "sample": bands.made(runs_of("It was 3."))})
    text = bands.dumps(made)
    again = bands.loads("toy", text)
    assert again.editions == made.editions and bands.dumps(again) == text
    assert json.loads(text)["editions"]["full"]["runs"] == 5
    assert max(map(len, text.splitlines())) < 200


def test_a_sentence_said_twice_is_held_each_time():
    runs = [[{"kind": "say", "key": "k", "text": f"Row {row}: {row * 10}"} for row in (1, 2)] for _ in range(5)]
    made = bands.Bands("toy", {"full": bands.made(runs)})
    assert made.trouble("full", "say", "k", "Row 1: 10") is None
    assert "outside" in made.trouble("full", "say", "k", "Row 1: 90")


def figure(*lines):
    """Return runs that each drew some lines of one figure."""
    return [[{"kind": "figure", "key": f"fig-toy, {at}", "text": one} for at, one in enumerate(run)] for run in lines]


def drawn(runs, at, text):
    return bands.Bands("toy", {"full": bands.made(runs)}).trouble("full", "figure", f"fig-toy, {at}", text)


def test_small_probabilities_in_a_figure_vary_by_factors():
    values = np.exp(RNG.normal(-6, 1, 20))
    runs = figure(*([f"1 boxes: high {value:.4g}"] for value in values))
    assert drawn(runs, 0, "1 boxes: high 0.08") is None and drawn(runs, 0, "1 boxes: high 0.00005") is None
    assert "outside" in drawn(runs, 0, "1 boxes: high 9.9")
    assert "outside" in trouble(
        [f"It is {value:.4g}." for value in values], "It is 0.08."
    )  # said, it is held more closely


def test_pictures_that_depend_on_the_run_may_take_each_others_place():
    places = [f"picture '3' top {value}" for value in (10, 20, 40)]
    steady = figure(*[places] * 20)
    loose = figure(*[places] * 19, [places[0], places[2], places[1]])
    for at, text in enumerate(places[::-1]):
        assert drawn(loose, at, text) is None
        assert drawn(steady, at, text) is None if at == 1 else "outside" in drawn(steady, at, text)
    assert "outside" in drawn(loose, 0, "picture '3' top 80")
    assert "draws something else" in drawn(loose, 0, "picture 'a' top 10")
    curves = [f"line 'h = {h}' A: 3 points, y {y}" for h, y in ((1.2, 10), (0.5, 20))]
    loose = figure(*[curves] * 19, [one.replace("y 20", "y 21").replace("y 10", "y 11") for one in curves])
    assert "outside" in drawn(loose, 0, "line 'h = 1.2' A: 3 points, y 20"), "curves do not take each other's place"
    alone = figure(*[["line top 10", "picture top 20"]] * 19, ["line top 10", "picture top 21"])
    assert "outside" in drawn(alone, 0, "line top 20"), "things of another kind are held as before"


def test_a_wording_seen_too_seldom_has_no_band():
    made = bands.made(runs_of(*["It is 5."] * 18, "Is it 6?", "Is it 7?"))
    assert ["band" in one.numbers[0] for one in made[0].variants] == [True, False]
    assert trouble(["It is 5."] * 18 + ["Is it 6?"] * 2, "Is it 100?") is None
