"""tools/guards/figures.py: what a figure says, so that a figure that says something else is noticed."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers.plots import show_digits

from tools.guards.figures import facts

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


CHANGED = {
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
