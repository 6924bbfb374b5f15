"""helpers.text: sentences, quotations, checks, exercises that check themselves; helpers.progress."""

import subprocess
import sys

import numpy as np
import pytest
from helpers import progress, text
from hypothesis import given
from hypothesis import strategies as st
from notebook_rules import ROOT


@pytest.fixture
def said(monkeypatch):
    """What is said, as a list of Markdown texts."""
    heard = []
    monkeypatch.setattr(text, "say", heard.append)
    return heard


@pytest.fixture
def edition(monkeypatch):
    """Set the edition: edition("full")."""
    return lambda name: monkeypatch.setattr(text, "current_edition", lambda: name)


def test_say_shows_markdown(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    text.say("It is **right**.")
    assert [one.data for one in shown] == ["It is **right**."]
    assert type(shown[0]).__name__ == "Markdown"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.int64(3), 3),
        (0.25, 0.25),
        (7, 7),
        ("text", "text"),
        (np.array(2.5), 2.5),
    ],
)
def test_glue_keeps_python_values(monkeypatch, value, kept):
    glued = {}
    monkeypatch.setattr("myst_nb.glue", lambda name, value, display: glued.update({name: (value, display)}))
    text.glue("toy_x", value)
    assert glued == {"toy_x": (kept, False)} and type(glued["toy_x"][0]) is type(kept)


def test_glue_does_nothing_where_no_book_is_built(monkeypatch):
    monkeypatch.setitem(sys.modules, "myst_nb", None)  # what "import myst_nb" meets in Colab
    assert text.glue("toy_x", 1.0) is None


# ---------------------------------------------------------------- check


@pytest.mark.parametrize(
    ("name", "value", "sample", "passes"),
    [
        ("full", 0.97, (0.8, 0.9), True),
        ("full", 0.96, (0.8, 0.9), True),
        ("full", 0.98, (0.8, 0.9), True),
        ("full", 0.9599, (0.8, 0.9), False),
        ("full", 0.9801, (0.8, 0.9), False),
        ("full", 0.85, (0.8, 0.9), False),
        ("sample", 0.85, (0.8, 0.9), True),
        ("sample", 0.97, (0.8, 0.9), False),
        ("sample", 0.97, None, True),
        ("sample", 0.85, None, False),
        ("full", float("nan"), None, False),
        ("full", float("inf"), None, False),
        ("full", np.float32(0.97), None, True),
    ],
)
def test_check_holds_a_value_to_the_bounds_of_its_edition(edition, name, value, sample, passes):
    edition(name)
    if passes:
        text.check("accuracy", value, full=(0.96, 0.98), sample=sample, runs=10)
        return
    with pytest.raises(AssertionError) as error:
        text.check("accuracy", value, full=(0.96, 0.98), sample=sample, runs=10)
    for part in ("accuracy is ", "outside", "10 runs", f"{name} edition"):
        assert part in str(error.value)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_check_passes_exactly_what_lies_within(value, low, high):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "current_edition", lambda: "full")
        try:
            text.check("x", value, full=(low, high), runs=5)
            passed = True
        except AssertionError:
            passed = False
    assert passed == (low <= value <= high)


def test_check_needs_to_be_told_how_many_runs():
    with pytest.raises(TypeError, match="runs"):
        text.check("x", 1, full=(0, 2))


class Listener:
    """Hears what the guards of a build hear."""

    def __init__(self, recording):
        self.recording, self.heard = recording, []

    def said(self, said, frame):
        self.heard.append(("say", said, frame.f_code.co_name))

    def noted(self, kind, name, value, frame):
        self.heard.append((kind, name, value))


@pytest.fixture(params=[False, True], ids=["comparing", "recording"])
def listener(request, monkeypatch):
    """What listens in the build and the tests, and while bands are recorded."""
    monkeypatch.setattr(text, "listener", Listener(request.param))
    return text.listener


def test_a_listener_hears_sentences_glued_and_checked_values(edition, listener, monkeypatch):
    edition("sample")
    monkeypatch.setattr("IPython.display.display", lambda shown: None)
    monkeypatch.setattr("myst_nb.glue", lambda *_, **__: None)
    text.say("It is 5.")
    text.glue("toy_x", np.float32(0.5))
    text.check("x", np.int64(5))
    text.claim("five is five", True)
    here = "test_a_listener_hears_sentences_glued_and_checked_values"
    assert listener.heard == [("say", "It is 5.", here), ("glue", "toy_x", 0.5), ("check", "x", 5.0)]


def test_bounds_stop_no_recording(edition, listener):
    edition("sample")
    if listener.recording:
        assert text.check("x", 5, full=(0, 1), runs=5) is None
    else:
        with pytest.raises(AssertionError, match="x is 5, outside 0 to 1"):
            text.check("x", 5, full=(0, 1), runs=5)


# ---------------------------------------------------------------- claims


@pytest.mark.parametrize("condition", [True, np.True_, 1])
def test_a_claim_that_holds_says_nothing(said, condition):
    assert text.claim("the SVM beats the network", condition) is None and said == []


def test_a_claim_that_fails_stops_the_build_and_names_the_sentence(edition, listener, said):
    edition("full")
    if listener.recording:
        text.claim("the SVM beats the network", np.False_)
        assert listener.heard == [("false", "the SVM beats the network", "")]
        return
    with pytest.raises(AssertionError, match=r'"the SVM beats the network".*\(full edition\)'):
        text.claim("the SVM beats the network", np.False_)


def test_a_claim_that_fails_tells_a_reader_and_stops_nothing(said):
    text.claim("the SVM beats the network", False)
    assert len(said) == 1 and '"the SVM beats the network" is no longer true' in said[0]


def test_an_array_is_no_condition():
    with pytest.raises(ValueError, match="ambiguous"):
        text.claim("all of them are larger", np.array([True, False]))


# ---------------------------------------------------------------- exercises

RIGHT = [
    (784, 784),
    (0.1 + 0.2, 0.3),
    (np.float32(0.5), 0.5),
    ([1, 2], [1, 2]),
    ((1, 2), [1, 2]),
    (np.arange(3), [0, 1, 2]),
    ("yes", "yes"),
    (True, True),
    (["a", "b"], ["a", "b"]),
    (5, lambda answer: answer > 4),
    (lambda x: x + 1, lambda f: f(1) == 2),
    (np.eye(2), np.eye(2)),
    (1, lambda answer: np.True_),
]
WRONG = [
    (783, 784),
    (0.31, 0.3),
    ([1, 2, 3], [1, 2]),
    (1, [1]),
    (np.zeros((1, 3)), np.zeros(3)),
    ("no", "yes"),
    (5, "5"),
    (False, True),
    (["a", "c"], ["a", "b"]),
    (3, lambda answer: answer > 4),
    (float("nan"), 1.0),
    (np.array(["yes", "no"]), "yes"),
    (np.eye(2), np.ones((2, 2))),
]
TROUBLE = [
    ("text", 784, ""),
    ([1, "a"], [1, 2], ""),
    ([[1], [1, 2]], [1, 2], ""),
    (1, lambda answer: 1 / 0, "ZeroDivisionError"),
    (1, lambda answer: np.array([True, False]), "ValueError"),
    (print, lambda f: f.missing, "AttributeError"),
    (object(), 1.0, ""),
    ({}, [1], ""),
]


@pytest.mark.parametrize(("answer", "expected"), RIGHT)
def test_a_right_answer(said, answer, expected):
    text.try_it(answer, expected, hint="Think.")
    assert said == ["**Right.**"]


@pytest.mark.parametrize(("answer", "expected"), WRONG)
def test_a_wrong_answer_gets_the_hint(said, answer, expected):
    text.try_it(answer, expected, hint="Think again.")
    assert said == ["**Not yet**. Think again."]


@pytest.mark.parametrize(("answer", "expected", "words"), TROUBLE)
def test_an_answer_that_cannot_be_compared_raises_nothing(said, answer, expected, words):
    text.try_it(answer, expected, hint="Think again.")
    assert said[0].startswith("**Not yet**") and said[0].endswith("Think again.") and words in said[0]


@pytest.mark.parametrize("answer", [..., None])
def test_an_exercise_left_open(said, answer):
    text.try_it(answer, lambda answer: 1 / 0)
    assert len(said) == 1 and said[0].startswith("*Not tried yet")


def test_without_a_hint_no_blank_is_left(said):
    text.try_it(1, 2)
    assert said == ["**Not yet**."]


@given(
    st.one_of(
        st.none(),
        st.integers(),
        st.floats(),
        st.text(),
        st.lists(st.integers()),
        st.dictionaries(st.text(), st.integers()),
    ),
    st.one_of(st.integers(), st.floats(), st.text(), st.lists(st.floats())),
)
def test_nothing_a_reader_types_raises(answer, expected):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "say", lambda sentence: None)
        text.try_it(answer, expected)


# ---------------------------------------------------------------- progress


def test_a_bar_is_drawn_for_watchers_only(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    monkeypatch.delitem(sys.modules, "ipykernel")
    for build, watched in (("1", True), ("", False)):
        monkeypatch.setenv("DIGITS_BUILD", build)
        monkeypatch.setattr(sys.stderr, "isatty", lambda watched=watched: watched, raising=False)
        assert list(progress.progress(range(3))) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_bar_shows_in_a_terminal():
    code = (
        "import os, sys; os.environ.pop('DIGITS_BUILD', None); sys.stderr.isatty = lambda: True; "
        "from helpers.progress import progress; print(list(progress(range(3), desc='three')))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[0, 1, 2]\n" and "three" in result.stderr
