"""tools/guards/claims.py: sentences that compare, and claims that hold them or hold nothing."""

import pytest

from tools.guards import claims

COMPARE = [
    "The SVM beats the network.",
    "So the RBF kernel is better, by a little.",
    "Nothing is lost: accuracy never falls.",
    "There is no difference between them.",
    "It is *always* right.",
    "The second is as good as the first.",
    "The curves lie close together.",
    "- Larger batches train faster",
    "The {term}`ReLU <activation>` is the fastest.",
]
DO_NOT = [
    "Is the SVM better?",
    "An image has 784 pixels.",
    "Choose $k$ on validation images.",
    "The network names digits.",
    "The mistakes are in {numref}`fig-evaluation-worst`.",
    "That is a matter of taste.",
]


@pytest.mark.parametrize("sentence", COMPARE)
def test_a_sentence_that_compares_wants_a_claim(sentence):
    assert list(claims.unclaimed([], [sentence], [])) == [sentence]
    held = claims.Claim("toy", 1, claims.plain(sentence).strip("-. "))
    assert list(claims.unclaimed([held], [sentence], [])) == []
    assert list(claims.unclaimed([], [sentence], [sentence])) == []


def test_the_words_of_a_claim_hold_what_compares():
    """Otherwise the sentence could be turned round under it."""
    page = ["Of the kernels tried the curved ones do better, by a few points, and cost more than the straight one."]
    beside, half, whole = (
        claims.Claim("toy", 1, words)
        for words in ("of the kernels tried", "the curved ones do better", "and cost more than the straight one")
    )
    assert list(claims.unclaimed([beside, half], page, [])) == page
    assert list(claims.unclaimed([half, whole], page, [])) == []
    assert list(claims.unclaimed([half], page, ["cost more than the straight one"])) == []
    said = ["With # the curved ones do better."]  # its words are held by its bands
    assert list(claims.unclaimed([claims.Claim("toy", 1, "With # the curved")], said, [])) == []


@pytest.mark.parametrize("sentence", DO_NOT)
def test_one_that_does_not_wants_none(sentence):
    assert list(claims.unclaimed([], [sentence], [])) == []


def test_a_claim_holds_the_sentence_it_quotes_and_no_other():
    held = claims.Claim("toy", 1, "the SVM beats the network")
    page = ["So the **SVM** beats\nthe network.", "The SVM beats the forest."]
    assert list(claims.unclaimed([held], page, [])) == [page[1]]


def test_sentences_are_found_in_text_captions_and_say():
    cells = [
        (
            "markdown",
            "## Is it better?\n\nIt is better. `x` is worse.\n\n```python\nbetter = 1\n```\n\n- best of all: three",
            {},
        ),
        ("code", "x = 1  # better", {"mystnb": {"figure": {"caption": "Lower is better."}}}),
        ("code", 'say(f"With {n} it is faster, " + ("and better" if n else "and worse") + ".")', {}),
        ("markdown", "```{note}\n:class: better\nA note is worse.\n```\n$$\nbest\n$$", {}),
    ]
    found = [one for one in claims.texts(cells) if claims.compares(one)]
    assert found[:3] == ["It is better.", "`x` is worse.", "- best of all:"]
    assert found[3] == "Lower is better." and found[-1] == "A note is worse."
    assert any("With # it is faster" in one for one in found) and any("and worse" in one for one in found)
    assert len(found) == 7


@pytest.mark.parametrize(
    ("markdown", "sentences"),
    [
        ("```{exercise-start}\n:label: ex\n```\n\nIt is better.\n\n```{exercise-end}\n```", ["It is better."]),
        (
            "```{solution-start} ex\n:class: dropdown\n```\nOne.\n```{solution-end}\n```\n\n```python\nx = 1\n```\nTwo.",
            ["One.", "Two."],
        ),
        (":::{note}\nIt is worse.\n:::", ["It is worse."]),
        ("````{tip}\nOne.\n```python\nbetter\n```\nTwo.\n````", ["One.", "Two."]),
        ("```{math}\nbest\n```\n```\nworst\n```", []),
        ("# Better\nText.", ["Text."]),
    ],
)
def test_fences_are_told_apart(markdown, sentences):
    assert list(claims.prose(markdown)) == sentences


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('claim("the SVM beats the network", True)', ""),
        ('claim("the SVM beats the forest", True)', "no sentence reads"),
        ('claim("the SVM", True)', "at least three words"),
        ('words = "the SVM beats the network"\nclaim(words, True)', "at least three words"),
    ],
)
def test_a_claim_quotes_what_stands_there(source, told):
    found = list(claims.claims("toy", [(3, source)]))
    complaints = list(claims.lost_words(found, ["So the **SVM** beats the network."]))
    assert [told in one for one in complaints] == ([True] if told else [])


def test_an_exception_that_nothing_needs_is_told():
    assert list(claims.idle(["it is better", "it is blue"], ["It is better.", "It is blue."])) == ["it is blue"]
