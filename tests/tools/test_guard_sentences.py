"""tools/guards/sentences.py: words and quantities that disagree are noticed, those that agree are not."""

import pytest

from tools.guards import sentences

RIGHT = [
    'say(f"It gets {share(right.mean()):.1%} right.")',
    "say(f\"It gets {share(a, of='test'):.1%} of the test images right, {share(val_accuracy, of='validation'):.1%} on validation images.\")",
    "say(f\"Its validation accuracy is {share(v, of='validation'):.1%}, its test accuracy {share(t, of='test'):.1%}.\")",
    'say(f"It rises by {points(a - b):.1f} points, or {points(c):+.2f} percentage points.")',
    'say(f"From {points(low):.1f} to {points(high):.1f} points.")',
    'say(f"It is {times(slow, fast):.1f} times as fast, {timed(times(a, b)):.0f} times just now.")',
    'say(f"It shrinks by a factor of {times(a, b):.0f}. It was run {count(n)} times.")',
    'say(f"{share(x.mean()):.2%} ± {sd(x):.2%} over {len(x)} seeds")',
    'say(f"{points(gap.mean()):.1f} ± {points(sd(gap)):.1f} points")',
    'say(f"The difference is known to ± {half_width(low, high):.2%} (95% interval).")',
    'say(f"{points(d):.2f} ± {points(standard_error(x)):.2f} points (mean ± standard error)")',
    'say(f"With {n:,} images, loss {loss:.3f}, p = {p:.2g}, {0.9**5:.0%} of them.")',
    'text = f"It gets {share(a):.1%}."\nsay(text)',
    'say(f"{n} images: " + (f"{share(a):.1%}" if a > b else f"{share(b):.1%}"))',
    'say("| a | b |\\n|---|---|\\n" + "\\n".join(f"| {name} | {share(x.mean()):.1%} ± {sd(x):.1%} |" for name, x in rows))',
]
WRONG = [
    ('say(f"It gets {right.mean():.1%} right.")', "printed as a percentage"),
    ('say(f"It rises by {100 * (a - b):.1f} points.")', "stands before 'points'"),
    ('say(f"It rises by {a - b:.1f} percentage points.")', "stands before 'points'"),
    ('say(f"It rises by {share(a - b):.1f} points.")', "stands before 'points'"),
    ('say(f"It rises by {points(a - b):.1%}.")', "does not say so"),
    ('say(f"It rises by {points(a - b):.1%} points.")', "100 twice"),
    ('say(f"It is {slow / fast:.1f} times as fast.")', "stands before 'times'"),
    ('say(f"It is **{slow / fast:.1f}** times as fast.")', "stands before 'times'"),
    ('say(f"It takes {times(slow, fast):.1f} seconds.")', "does not say 'times'"),
    ('say(f"It is {share(x.mean()):.2%} ± {x.std(ddof=1):.2%}.")', "follows a plus-minus"),
    ('say(f"It is {share(x.mean()):.2%} ± {share(x.std()):.2%}.")', "follows a plus-minus"),
    ('say(f"It is {points(d):.2f} ± {points(standard_error(x)):.2f} points.")', "does not name"),
    ('say(f"The mean is {share(m):.1%}, with a standard error of {sd(x):.2%}.")', "no number of it is one"),
    ('say(f"The mean is {share(m):.1%}, with a standard deviation of {standard_error(x):.2%}.")', "does not name"),
    ('say(f"It is known to ± {half_width(low, high):.2%}.")', "does not name"),
    ('say(f"It gets {share(val_accuracy):.1%}.")', "of validation images by its names"),
    ("say(f\"It gets {share(val_accuracy, of='test'):.1%}.\")", "its names speak of validation"),
    ("say(f\"Its test accuracy is {share(a, of='validation'):.1%}.\")", "the words beside it say 'test'"),
    ("say(f\"{share(a, of='validation'):.1%} of the test images are right.\")", "the words beside it say 'test'"),
    (
        "say(f\"{share(a, of='test'):.1%} of the 5,000 validation digits are right.\")",
        "the words beside it say 'validation'",
    ),
    ('say(f"Its training accuracy reaches {share(a):.1%}.")', "stands beside 'training'"),
    (
        'tests = report.values("test_accuracy")\nsay(f"They reach {share(tests.mean()):.1%}.")',
        "of test images by its names",
    ),
    ('x = run["val_accuracy"]\nsay(f"They reach {share(x, of=\'test\'):.1%}.")', "its names speak of validation"),
    ('text = f"It gets {a:.1%}."\ntext += "More."\nsay(text)', "printed as a percentage"),
    ('say(f"{n}: " + (f"{share(a):.1%}" if a > b else f"{b:.1%}"))', "printed as a percentage"),
    ('say("\\n".join(f"| {x.mean():.1%} |" for x in rows))', "printed as a percentage"),
]


@pytest.mark.parametrize("source", RIGHT)
def test_what_agrees_is_left_alone(source):
    assert list(sentences.complaints(source)) == []


@pytest.mark.parametrize(("source", "told"), WRONG)
def test_what_disagrees_is_noticed(source, told):
    found = list(sentences.complaints(source))
    assert any(told in trouble for _, trouble in found), found


def test_a_complaint_shows_the_sentence_as_it_is_written():
    ((sentence, _),) = sentences.complaints('say(f"All is well. It gets {a:.1%} right.")')
    assert sentence == "It gets {a} right."
