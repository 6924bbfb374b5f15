"""Pictures in the book's style: readable in light and dark mode, in greyscale and without colour vision."""

import matplotlib.pyplot as plt
import numpy as np

#: Okabe and Ito's palette (2008) without its yellow, darkest first, so that lines differ in greyscale too.
COLOURS = ["#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"]
#: Lines differ by dash and marker as well as by colour.
LINESTYLES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]


def book_style():
    """Set Matplotlib to the book's style; call once in a chapter's first cell.

    Figures have an opaque white ground, on which every colour here was chosen; the pages show a second version of each in
    dark mode, which the build makes from the first.
    """
    cycle = plt.cycler(color=COLOURS) + plt.cycler(linestyle=LINESTYLES)
    plt.rcParams.update(
        {
            "axes.prop_cycle": cycle,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#DDDDDD",
            "grid.linestyle": "-",
            "axes.axisbelow": True,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.figsize": (6.4, 3.8),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "font.size": 12,  # 9 pixels on a phone in a figure of the usual width
            "legend.frameon": False,
            "image.cmap": "gray_r",
            "lines.linewidth": 1.8,
        }
    )


def show_digits(images, titles=None, columns=10, size=0.58, cmap="gray_r", limits=None, axes=None):
    """Draw images in a grid, ink dark on white.

    Parameters
    ----------
    images : (n, 28, 28) or (n, 784)
        uint8 or float; flattened rows are put back into 28 rows of 28.
    titles : sequence of n str, optional
    columns : int
    size : float
        Inches per image.
    limits : (float, float), optional
        Values drawn as the two ends of the colour map; each image's own smallest and largest by default for floats with
        negative values (weights), and 0 to the largest of all otherwise.
    axes : array of Axes, optional
        Draw into these instead of a new figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    images = np.asarray(images)
    if len(images) == 0:
        raise ValueError("there are no images to show")
    images = images.reshape(len(images), 28, 28)
    rows = -(-len(images) // columns)
    if axes is None:
        lines = max((str(title).count("\n") + 1 for title in titles), default=0) if titles is not None else 0
        extra = 0.08 + 0.2 * lines if lines else 0.0
        fig, axes = plt.subplots(rows, columns, figsize=(columns * size, rows * (size + extra)), squeeze=False)
    axes = np.asarray(axes)
    if axes.size < len(images):
        raise ValueError(f"{len(images)} images do not fit into {axes.size} axes")
    signed = images.min() < 0
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if i >= len(images):
            continue
        if limits is not None:
            low, high = limits
        elif signed:
            high = float(np.abs(images[i]).max()) or 1.0
            low = -high
        else:
            low, high = 0.0, float(images.max()) or 1.0
        ax.imshow(images[i], cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
        if titles is not None:
            ax.set_title(str(titles[i]), fontsize=11, pad=2)
    return axes.flat[0].figure


def plot_spread(ax, runs, label, x=None, index=None):
    """Draw the mean of several runs as a line and the range from smallest to largest as a band.

    Parameters
    ----------
    ax : matplotlib Axes
    runs : (runs, steps)
        One row a run.
    label : str
    x : (steps,), optional
        1, 2, 3, ... (epochs) by default.
    index : int, optional
        Which colour, dash and marker of the book's; the next one of this Axes by default.
    """
    runs = np.asarray(runs, float)
    x = np.arange(1, runs.shape[1] + 1) if x is None else np.asarray(x)
    index = len(ax.lines) if index is None else index
    colour = COLOURS[index % len(COLOURS)]
    ax.plot(
        x,
        runs.mean(axis=0),
        color=colour,
        linestyle=LINESTYLES[index % len(LINESTYLES)],
        marker=MARKERS[index % len(MARKERS)],
        markersize=4,
        label=label,
    )
    ax.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=colour, alpha=0.18, linewidth=0)


def draw_network(ax, sizes, labels, shown=9):
    """Draw a network of dense layers: a column of circles for each layer, a line for each weight between those shown.

    Parameters
    ----------
    ax : matplotlib Axes
    sizes : sequence of int
        Neurons of each layer, inputs first.
    labels : sequence of str
        What to write under each layer.
    shown : int, odd
        Places in the column of a layer with more than shown + 1 neurons: one circle fewer, and three dots in its middle for the others.
    """
    columns = []
    for size in sizes:
        places = np.arange(min(size, shown + 1)) if size <= shown + 1 else np.delete(np.arange(shown), shown // 2)
        columns.append(places - places.mean())
    for i, (left, right) in enumerate(zip(columns, columns[1:], strict=False)):
        for a in left:
            for b in right:
                ax.plot([i, i + 1], [a, b], color="#999999", linestyle="-", linewidth=0.35, zorder=1)
    for i, (size, places) in enumerate(zip(sizes, columns, strict=True)):
        ax.scatter(
            np.full(len(places), i), places, s=75, color="white", edgecolors=COLOURS[1], linewidths=1.5, zorder=2
        )
        if size > len(places):
            ax.scatter([i] * 3, [-0.32, 0, 0.32], s=5, color=COLOURS[0], zorder=3)
        ax.text(i, -shown / 2 - 0.6, labels[i], ha="center", va="top", fontsize=12)
    ax.set(xlim=(-0.5, len(sizes) - 0.5), ylim=(-shown / 2 - 2.6, shown / 2 + 0.6))
    ax.axis("off")
