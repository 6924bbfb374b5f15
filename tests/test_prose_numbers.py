"""No measured number is typed into the prose; prose_rules.py says what counts, prose_numbers.toml what may be."""

import ast

import prose_rules as rules
import pytest
from notebook_rules import Cell, Chapter

LIST = rules.rules.ROOT / "tests" / "prose_numbers.toml"
PAGES = rules.book_pages()

TYPED = [
    ("The network reaches 97.4% on the test set.", "97.4%"),
    ("The network reaches 97 %.", "97 %"),
    ("It gets 97 per cent right.", "97 per cent"),
    ("That is 1.5 percentage points more.", "1.5 percentage points"),
    ("That is 2 points better.", "2 points"),
    ("The loss falls to 0.08 after five epochs.", "0.08"),
    ("The loss falls to 1.5e-3.", "1.5e-3"),
    ("It takes 1,234.5 seconds.", "1,234.5"),
    ("It is 20 times as fast.", "20 times as"),
    ("It is five times faster.", "five times faster"),
    ("It trains 6.5 times faster.", "6.5 times faster"),
    ("It needs twice as many steps.", "twice as"),
    ("Half as many would do.", "Half as"),
    ("A tenfold gain.", "tenfold"),
    ("The gain is 10-fold.", "10-fold"),
    ("It is 97.4%, a wide interval.", "97.4%"),
    ("They differ: p = 0.05.", "0.05"),
    ("They differ, p < 0.03.", "0.03"),
    ("## Why 97.4% is not enough", "97.4%"),
    ("- one\n- two: 0.97 of them", "0.97"),
    ("| model | accuracy |\n|---|---|\n| k-NN | 97.1% |", "97.1%"),
    ("```{exercise}\n:label: ex-a\nWhy is it 97.4%?\n```", "97.4%"),
    (":::{note}\nIt is 97.4%.\n:::", "97.4%"),
    ("```{figure} a.png\n:alt: A bar that reaches 97.4%\n:width: 50%\n```", "97.4%"),
    ("It reaches $97.4\\%$.", "97.4%"),
    ("It reaches $0.974$.", "0.974"),
    ("It reaches `97.4%`.", "97.4%"),
    ("It reaches **97.4%**, *really*.", "97.4%"),
    ("It reaches [97.4%](https://example.org/1.5).", "97.4%"),
    ("The report is {cite}`report`. We get 97.4%.", "97.4%"),
    ("We get 97.4%. The report {cite}`report` is there too.", "97.4%"),
    ("We get 97.4%\n\nThe report {cite}`report`.", "97.4%"),
    ("| a | 97.4% |\n| b | {cite}`report` |", "97.4%"),
    ("{term}`Accuracy 0.97 <accuracy>` it is.", "0.97"),
]

NOT_TYPED = [
    "The network reaches {glue:text}`/chapters/training.ipynb::training_accuracy:.1%` there.",
    "The report says 97.4% {cite}`report`.",
    "The report says {cite}`report` that it is 97.4%, five times faster, and 0.08.",
    "MNIST has 60,000 images of 28 x 28 = 784 pixels, 10 classes.",
    "Run it five times. Three times out of ten it fails.",
    "See section 5.4 and sections 4.1 and 4.2, table 2.1, figure 3.2.",
    "Python 3.11 to 3.13, TensorFlow 2.20, jupyter-book 1.0.4.post1, version 0.1, CC BY 4.0.",
    "Set `validation_split=0.2` or `0.5`; ``0.25`` too.",
    "With $\\eta = 0.001$ and $$p = 0.5 \\cdot 20\\%$$ (eq-p) it works.",
    "```python\nx = 0.974  # 97.4%\n```",
    "```{code-block} python\nx = 0.974\n```",
    "```{math}\n0.974\n```",
    '<!-- 97.4% --> <img width="50%">',
    "```{image} a.png\n:alt: A line that climbs\n:width: 50%\n```",
    "[a link](https://example.org/v1.5/97.4%25) and <https://example.org/1.5> and https://example.org/1.5",
    "Five-fold cross-validation, 10-fold cross-validation.",
    "The points lie close, at most 3 of them. It took 20 seconds.",
    "The 95% interval, the 95% Wilson interval, a 99% confidence interval, two 95% intervals.",
    "They differ with p < 0.05, not p > 0.01. A thick and a thin 3 point in the same direction.",
    "---\ntitle: 97.4%\n---\nText.",
    "x1.5 and 1.5.2",
]


@pytest.mark.parametrize(("text", "number"), TYPED)
def test_a_typed_number_is_noticed(text, number):
    found = [one.number for one in rules.typed_numbers("a.md", text) if not one.cited]
    assert found == [number]
    assert len(list(rules.complaints({"a.md": text}, []))) == 1


@pytest.mark.parametrize("text", NOT_TYPED)
def test_what_is_no_typed_measurement_passes(text):
    assert list(rules.complaints({"a.md": text}, [])) == []


def chapter(source, **metadata):
    """A chapter of one code cell."""
    one = Chapter("toy", {"cells": []})
    one.cells = [Cell(0, "code", source, metadata)]
    return one


@pytest.mark.parametrize(
    ("source", "numbers"),
    [
        ('say("It reaches 97.4%.")', ["97.4%"]),
        ('say(f"It reaches {x:.1%}, not 97.4%, and {y:8.3f}.")', ["97.4%"]),
        ('say(f"It reaches {x:.1%}" f" and 0.5")', ["0.5"]),
        ('say("yes" if x > 0.5 else "97.4% no")', ["97.4%"]),
        ('say(f"The report says 97.4% {{cite}}`report`; we get {x:.1%}.")', []),
        ('say(f"{x:.1%} against {y:.1f} times as many")', []),
        ('print("97.4%")', []),
    ],
)
def test_what_a_cell_says_is_prose_too(source, numbers):
    found = [one.number for one in rules.typed_numbers("a", rules.pages_of(chapter(source))) if not one.cited]
    assert found == numbers


def test_captions_and_alternative_texts_are_prose_too():
    about = {"image": {"alt": "It reaches 97.4%."}, "figure": {"caption": "It takes 0.5."}}
    assert [one.number for one in rules.typed_numbers("a", rules.pages_of(chapter("plot()", mystnb=about)))] == [
        "0.5",
        "97.4%",
    ]


def test_the_list_allows_what_is_on_it_and_only_there():
    text = {"a.md": "The last 20% are held out. We get 97.4%.", "b.md": "20% of them."}
    entry = {"page": "a.md", "number": "20%", "reason": "validation_split=0.2, a setting"}
    assert [one.split(" ")[1] for one in rules.complaints(text, [entry])] == ["'97.4%'", "'20%'"]
    assert [one.split(" ")[1] for one in rules.complaints(text, [entry | {"page": "*"}])] == ["'97.4%'"]
    assert len(list(rules.complaints(text, [entry | {"sentence": "held out"}]))) == 2
    assert any("allows nothing" in one for one in rules.complaints(text, [entry | {"sentence": "left out"}]))


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"page": "a.md", "number": "30%", "reason": "validation_split=0.3, a setting"}, "allows nothing"),
        ({"page": "c.md", "number": "20%", "reason": "validation_split=0.2, a setting"}, "allows nothing"),
        ({"page": "a.md", "number": "20%", "reason": "because"}, "lacks"),
        ({"page": "a.md", "number": "20%"}, "lacks"),
        ({"number": "20%", "reason": "validation_split=0.2, a setting"}, "lacks"),
    ],
)
def test_a_useless_entry_of_the_list_is_noticed(entry, complaint):
    assert any(complaint in one for one in rules.complaints({"a.md": "The last 20% are held out."}, [entry]))


def test_the_placeholder_of_a_value_does_not_hide_what_is_typed():
    call = ast.parse('say(f"{x}0.5 and {y:.2f}%")').body[0].value
    assert rules.said(call) == f"{rules.SPACE}0.5 and {rules.SPACE}%"


@pytest.mark.parametrize("page", PAGES)
def test_no_measured_number_is_typed(page):
    allowed = [entry for entry in rules.read_list(LIST) if entry.get("page") in (page, "*")]
    found = [one for one in rules.complaints({page: PAGES[page]}, allowed) if not one.startswith("the entry")]
    assert not found, "\n".join(found)


def test_the_list_is_short_and_every_entry_is_needed():
    allowed = rules.read_list(LIST)
    assert len(allowed) <= 40
    assert [one for one in rules.complaints(PAGES, allowed) if one.startswith("the entry")] == []
