"""helpers.plots: the style, grids of digits, and bands of several runs."""

import matplotlib

matplotlib.use("Agg")

import colorsys
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers import plots


@pytest.fixture(autouse=True)
def fresh():
    with matplotlib.rc_context():
        yield
    plt.close("all")


def luminance(colour):
    """How light a colour is to the eye (WCAG 2), 0 to 1."""
    channels = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_style_tells_lines_apart_without_colour():
    plots.book_style()
    fig, ax = plt.subplots()
    lines = [ax.plot([0, 1])[0] for _ in plots.COLOURS]
    assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in lines}) == len(plots.COLOURS)
    assert [line.get_color() for line in lines] == plots.COLOURS
    assert len(plots.COLOURS) == len(plots.LINESTYLES) == len(plots.MARKERS) == len(set(plots.MARKERS))
    assert fig.get_facecolor() == (1.0, 1.0, 1.0, 1.0)  # opaque: in dark mode it stands as a white card


def test_colours_stand_out_from_the_ground_and_from_each_other():
    assert all((1.05) / (luminance(colour) + 0.05) >= 2 for colour in plots.COLOURS)  # on white
    assert all(1.05 / (luminance(colour) + 0.05) >= 3 for colour in plots.COLOURS[:4])  # WCAG's minimum for graphics
    hues = [colorsys.rgb_to_hsv(*matplotlib.colors.to_rgb(colour)) for colour in plots.COLOURS]
    assert len({tuple(np.round(hue, 2)) for hue in hues}) == len(plots.COLOURS)


@pytest.mark.parametrize(("n", "columns", "rows"), [(1, 10, 1), (10, 10, 1), (11, 10, 2), (6, 3, 2), (7, 3, 3)])
def test_a_grid_shows_every_image_once(n, columns, rows):
    images = np.random.default_rng(0).integers(0, 256, (n, 28, 28), dtype=np.uint8)
    fig = plots.show_digits(images, columns=columns)
    assert len(fig.axes) == rows * columns
    drawn = [ax.images[0].get_array() for ax in fig.axes if ax.images]
    assert len(drawn) == n
    for image, shown in zip(images, drawn, strict=True):
        np.testing.assert_array_equal(image, shown)
    assert not any(ax.axison for ax in fig.axes)


def test_flat_images_are_put_back_into_rows():
    images = np.random.default_rng(0).random((3, 784)).astype(np.float32)
    fig = plots.show_digits(images)
    np.testing.assert_array_equal(fig.axes[1].images[0].get_array(), images[1].reshape(28, 28))


def test_titles_stand_over_their_images():
    fig = plots.show_digits(np.zeros((3, 28, 28)), titles=[7, "a", np.int64(2)], columns=4)
    assert [ax.get_title() for ax in fig.axes] == ["7", "a", "2", ""]


@pytest.mark.parametrize(
    ("images", "limits", "expected"),
    [
        (np.full((2, 784), 0.5), None, (0, 0.5)),
        (np.stack([np.full(784, 100), np.full(784, 200)]).astype(np.uint8), None, (0, 200)),
        (np.full((2, 784), -2.0), None, (-2, 2)),
        (np.zeros((2, 784)), None, (0, 1)),
        (np.full((2, 784), 0.5), (-1, 3), (-1, 3)),
    ],
)
def test_the_ends_of_the_colour_map(images, limits, expected):
    fig = plots.show_digits(images, limits=limits)
    assert fig.axes[0].images[0].get_clim() == expected


def test_ink_is_dark():
    fig = plots.show_digits(np.full((1, 28, 28), 255, np.uint8))
    image = fig.axes[0].images[0]
    assert image.cmap(image.norm(255))[:3] == (0, 0, 0) and image.cmap(image.norm(0))[:3] == (1, 1, 1)


def test_drawing_into_axes_that_are_there():
    fig, axes = plt.subplots(1, 4)
    assert plots.show_digits(np.zeros((3, 784)), axes=axes) is fig
    assert [len(ax.images) for ax in axes] == [1, 1, 1, 0]
    fig, ax = plt.subplots()
    plots.show_digits(np.zeros((1, 784)), axes=ax)
    assert len(ax.images) == 1


def test_too_few_axes_are_refused_rather_than_images_left_out():
    _, axes = plt.subplots(1, 2)
    with pytest.raises(ValueError, match="3 images do not fit into 2 axes"):
        plots.show_digits(np.zeros((3, 784)), axes=axes)


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="no images"):
        plots.show_digits(np.zeros((0, 784)))


def test_a_band_runs_from_smallest_to_largest_around_the_mean():
    runs = [[1, 2, 3], [3, 2, 7]]
    _, ax = plt.subplots()
    plots.plot_spread(ax, runs, "one")
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [2, 2, 5])
    outline = ax.collections[0].get_paths()[0].vertices
    assert {tuple(point) for point in [(1, 1), (1, 3), (3, 3), (3, 7)]} <= {tuple(point) for point in outline}
    assert ax.lines[0].get_label() == "one"


def test_the_next_band_gets_the_next_colour_dash_and_marker():
    _, ax = plt.subplots()
    for label in "abcdefgh":
        plots.plot_spread(ax, np.random.default_rng(0).random((3, 4)), label, x=[0, 1, 2, 5])
    assert [line.get_color() for line in ax.lines] == [*plots.COLOURS, plots.COLOURS[0]]
    assert [line.get_marker() for line in ax.lines] == [*plots.MARKERS, plots.MARKERS[0]]
    assert list(ax.lines[0].get_xdata()) == [0, 1, 2, 5]
    plots.plot_spread(ax, np.ones((1, 4)), "i", index=2)
    assert ax.lines[-1].get_color() == plots.COLOURS[2]


def test_nothing_here_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.book_style()
        _, ax = plt.subplots()
        plots.plot_spread(ax, np.ones((2, 3)), "a")
        plots.show_digits(np.zeros((2, 784))).canvas.draw()


def test_weights_are_drawn_each_to_its_own_largest_and_others_to_the_largest_of_all():
    signed = np.stack([np.full(784, 0.5), np.full(784, -2.0), np.full(784, 1.5)])
    drawn = [ax.images[0].get_clim() for ax in plots.show_digits(signed, columns=3).axes]
    assert drawn == [(-0.5, 0.5), (-2, 2), (-1.5, 1.5)]
    drawn = [ax.images[0].get_clim() for ax in plots.show_digits(abs(signed), columns=3).axes]
    assert drawn == [(0, 2)] * 3


def test_size_is_inches_per_image():
    for columns, size in ((4, 0.58), (3, 1.6)):
        fig = plots.show_digits(np.zeros((2 * columns, 784)), columns=columns, size=size)
        np.testing.assert_allclose(fig.get_size_inches(), [columns * size, 2 * size])


def test_a_drawn_network_has_a_line_for_each_weight_between_circles_shown():
    _, ax = plt.subplots()
    plots.draw_network(ax, [784, 10, 3], ["pixels", "ten", "three"])
    circles = [one.get_offsets() for one in ax.collections]
    # 784: nine places, of which the middle one holds three dots; ten and three are drawn in full
    assert [len(one) for one in circles] == [8, 3, 10, 3]
    assert [sorted({x for x, _ in one}) for one in circles] == [[0], [0], [1], [2]]
    ends = sorted(tuple(zip(line.get_xdata(), line.get_ydata(), strict=True)) for line in ax.lines)
    drawn = [[tuple(map(float, place)) for place in one] for one in (circles[0], circles[2], circles[3])]
    wanted = sorted((a, b) for left, right in zip(drawn, drawn[1:], strict=False) for a in left for b in right)
    assert len(ends) == 8 * 10 + 10 * 3
    np.testing.assert_allclose(np.array(ends, float), np.array(wanted, float), atol=1e-9)
    assert [text.get_text() for text in ax.texts] == ["pixels", "ten", "three"]
