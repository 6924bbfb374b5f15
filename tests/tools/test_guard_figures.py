"""tools/guards/figures.py: what a figure says, so that a figure that says something else is noticed."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers.plots import show_digits

from tools.guards.figures import facts, numbers_told, untrue_numbers

X, A, B = np.arange(5), np.array([0.1, 0.4, 0.6, 0.7, 0.75]), np.array([0.9, 0.5, 0.3, 0.2, 0.1])
MATRIX = np.arange(12).reshape(3, 4)
PICTURES = np.random.default_rng(0).integers(0, 255, (6, 28, 28)).astype(float)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def curves(a=A, b=B, labels=("ours", "theirs"), xlabel="epoch", ylabel="accuracy", order=1, **look):
    fig, ax = plt.subplots()
    for values, label in ((a, labels[0]), (b, labels[1]))[::order]:
        ax.plot(X, values, label=label, **look)
    ax.legend()
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return facts(fig)


def bars(heights=(3, 5, 4), turned=False, **look):
    fig, ax = plt.subplots()
    ax.bar(range(len(heights)), heights, **look)
    if turned:
        ax.invert_yaxis()
    return facts(fig)


def matrix(values=MATRIX, xlabel="predicted", ylabel="true", words=True):
    fig, ax = plt.subplots()
    ax.imshow(values)
    for (row, column), value in np.ndenumerate(values if words else values.T):
        ax.text(column, row, str(value))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return facts(fig)


def pictures(images=PICTURES, titles=(7, 2, 1, 0, 4, 1)):
    show_digits(images.reshape(-1, 784), titles)
    return facts(plt.gcf())


def scatter(x=A, y=B, scale="linear"):
    fig, ax = plt.subplots()
    ax.scatter(x, y, label="runs")
    ax.fill_between(A, B - 0.1, B + 0.1)
    ax.set_yscale(scale)
    return facts(fig)


def histogram(values=A, title="ours"):
    fig, ax = plt.subplots()
    ax.hist(values, bins=X / 4, histtype="stepfilled")
    ax.set_title(title, loc="left")
    return facts(fig)


def grid(order=1, ticks=range(4)):
    fig, ax = plt.subplots()
    for row, column in np.ndindex(3, 4):
        ax.text(*(column, row)[::order], "0")
    ax.set_xticks(range(4), labels=ticks)
    return facts(fig)


def one_colour(dashed="theirs"):
    fig, ax = plt.subplots()
    for values, label in ((A, "ours"), (B, "theirs")):
        ax.plot(X, values, color="grey", linestyle="--" if label == dashed else "-")
    ax.legend(ax.lines[:: 1 if dashed == "theirs" else -1], ["drawn through", "dashed"])
    return facts(fig)


CHANGED = {
    "an outline of other values": lambda: (histogram(), histogram(1 - A)),
    "a title at the side": lambda: (histogram(), histogram(title="theirs")),
    "words at other places": lambda: (grid(), grid(-1)),
    "numbers under the ticks": lambda: (grid(), grid(ticks=(1, 0, 2, 3))),
    "another line dashed": lambda: (one_colour(), one_colour("ours")),
    "labels exchanged": lambda: (curves(), curves(labels=("theirs", "ours"))),
    "curves exchanged": lambda: (curves(), curves(a=B, b=A)),
    "a curve reversed": lambda: (curves(), curves(a=A[::-1])),
    "another array": lambda: (curves(), curves(a=A + 0.01)),
    "drawn in another order": lambda: (curves(), curves(order=-1)),
    "labels of the axes exchanged": lambda: (curves(), curves(xlabel="accuracy", ylabel="epoch")),
    "another bar": lambda: (bars(), bars((3, 5, 4.1))),
    "bars in another order": lambda: (bars(), bars((4, 5, 3))),
    "an axis turned round": lambda: (bars(), bars(turned=True)),
    "a matrix transposed": lambda: (matrix(), matrix(MATRIX.T)),
    "a square matrix transposed": lambda: (matrix(MATRIX[:, :3]), matrix(MATRIX[:, :3].T)),
    "a matrix's labels exchanged": lambda: (matrix(), matrix(xlabel="true", ylabel="predicted")),
    "pictures in another order": lambda: (pictures(), pictures(PICTURES[::-1])),
    "titles in another order": lambda: (pictures(), pictures(titles=(2, 7, 1, 0, 4, 1))),
    "a picture transposed": lambda: (pictures(), pictures(PICTURES.transpose(0, 2, 1))),
    "a picture more": lambda: (pictures(), pictures(PICTURES[:5], (7, 2, 1, 0, 4))),
    "a cloud's axes exchanged": lambda: (scatter(), scatter(B, A)),
    "another scale": lambda: (scatter(), scatter(scale="log")),
}


@pytest.mark.parametrize("name", CHANGED)
def test_another_figure_says_something_else(name):
    before, after = CHANGED[name]()
    assert before != after


def test_how_a_figure_looks_is_its_own_affair():
    assert curves() == curves(linewidth=5, alpha=0.5)
    assert bars() == bars(alpha=0.3, edgecolor="black")
    assert pictures() == pictures()


def test_colours_swapped_for_both_say_the_same_but_a_legend_that_lies_does_not():
    def lying(order):
        fig, ax = plt.subplots()
        lines = [ax.plot(X, A, color="red")[0], ax.plot(X, B, color="blue")[0]]
        ax.legend(lines[::order], ["ours", "theirs"])
        return facts(fig)

    assert lying(1) != lying(-1)


@pytest.mark.parametrize(
    ("words", "untrue"),
    [
        ("Two lines over an axis from 0 to 4.", []),
        ("Three lines over an axis from 0 to 4.", ["Three"]),
        ("Two lines over an axis from 1 to 6.", ["6"]),
        ("Lines of 5 points each; the first ends at 0.75.", []),
        ("The first ends at 0.76.", ["0.76"]),
        ("The lines fall from minus 4.", ["minus 4"]),
        ("The line of the two of us ends above.", []),
        ("Accuracy after two epochs over these.", []),
        ("The line of the seven of us ends above.", ["seven"]),
        ("One of them rises; someone's twofold gain.", []),
    ],
)
def test_numbers_of_an_alternative_text_are_the_figures(words, untrue):
    assert (
        untrue_numbers(
            words, curves(labels=("the two of us", "theirs"), ylabel="accuracy after two epochs").split("\n")
        )
        == untrue
    )


def test_rows_of_pictures_are_counted():
    lines = pictures().split("\n")
    assert untrue_numbers("Two rows of three pictures, each 28 by 28.", lines) == []
    assert untrue_numbers("Three rows of five pictures, each 27 by 28.", lines) == ["Three", "five", "27"]
    assert numbers_told("Ten bars, 1,000 each, minus two and 3.5.") == [
        ("Ten", 10, True), ("1,000", 1000, False), ("minus two", -2, True), ("3.5", 3.5, False)]  # fmt: skip
