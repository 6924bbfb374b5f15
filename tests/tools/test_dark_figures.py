"""tools.press.dark_figures and tools.press.page_figures: the second version of each figure, and how the pages show both."""

import matplotlib

matplotlib.use("Agg")

import ast
import io
import itertools
import json
import os
import re
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sphinx.errors import ExtensionError
import seaborn as sns
from coloraide import Color
from matplotlib.colors import to_hex, to_rgba
from PIL import Image

from helpers import plots
from tools.guards.kernel import write_profile
from tools.press import dark_figures, page_figures
from tools.press.dark_figures import GROUND, INK, contrast, dark, on_dark

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def fresh():
    with matplotlib.rc_context():
        plots.book_style()
        yield
    plt.close("all")


def pixels(fig):
    """Return what a figure looks like, (height, width, 4) uint8."""
    file = io.BytesIO()
    fig.savefig(file, dpi=50, facecolor="auto")
    return np.array(Image.open(file).convert("RGBA"))


def everything():
    """Return a figure with every kind of artist that a chapter may draw, at rest: its layout does not change any more."""
    numbers = np.random.default_rng(0)
    fig, axes = plt.subplots(3, 3, figsize=(12, 10))
    lines, bars, picture, digit, kept, contours, heat, table, network = axes.flat
    for i in range(7):
        plots.plot_spread(lines, numbers.random((3, 6)) + i, f"run {i}")
    lines.legend(title="legend", frameon=True)
    lines.axhline(1, color="grey")
    bars.bar(range(5), range(1, 6), color="#A6C8E0", edgecolor="k", hatch="///", yerr=0.5)
    bars.annotate("a note", (2, 3), (0, 4.5), arrowprops={"arrowstyle": "->"}, bbox={"fc": "white", "ec": "k"})
    fig.colorbar(picture.imshow(numbers.random((5, 5)), cmap="Blues"), ax=picture)
    picture.text(2, 2, "in a cell")
    plots.show_digits(numbers.random((1, 784)), axes=[digit], titles=["digit"])
    kept.imshow(numbers.random((5, 5)), cmap="viridis")
    kept.text(1, 1, "as it is", color="black")
    across, up = np.meshgrid(range(10), range(10))
    contours.clabel(contours.contour(across, up, across * up, colors="black", levels=[5, 20, 40]))
    contours.scatter([1, 5], [2, 3], s=90, facecolors="none", edgecolors="black", label="ring")
    contours.scatter([3, 6], [3, 5], c=[1, 2])
    contours.vlines([2, 3], 0, 5, color="black")
    sns.heatmap(
        numbers.random((6, 6)), annot=True, fmt=".1f", cmap="Blues", linecolor="#DDDDDD", linewidths=0.5, ax=heat
    )
    table.table([["1", "2"], ["3", "4"]], colLabels=["a", "b"], loc="center")
    table.axis("off")
    plots.draw_network(network, [784, 128, 10], ["a", "b", "c"])
    fig.suptitle("everything")
    fig.canvas.draw()
    fig.set_layout_engine("none")
    return fig


@pytest.mark.parametrize("colour", plots.COLOURS)
def test_every_colour_of_the_palette_stands_out_from_the_dark_ground(colour):
    assert contrast(on_dark(colour), GROUND) >= 4.5  # WCAG's minimum for letters; lines need 3


def test_the_dark_palette_can_be_told_apart_with_every_kind_of_eye():
    """No two of its colours come closer than the closest two of the palette on white (Machado's matrices of 2009)."""
    eyes = {
        "all": np.eye(3),
        "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    }

    def least(colours, eye):
        rgb = np.array([to_rgba(colour)[:3] for colour in colours])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        seen = [
            Color("srgb-linear", list(cones)).convert("oklab") for cones in np.clip(linear @ np.transpose(eye), 0, 1)
        ]
        return min(one.distance(other, space="oklab") for one, other in itertools.combinations(seen, 2))

    for name, eye in eyes.items():
        light, turned = least(plots.COLOURS, eye), least([on_dark(colour) for colour in plots.COLOURS], eye)
        assert turned >= light, f"{name}: {turned:.3f}, on white {light:.3f}"


def test_the_palette_of_plots_is_the_one_that_has_counterparts():
    assert set(dark_figures.DARK) == {colour.lower() for colour in plots.COLOURS} - {"#000000"}


def chapters_colours():
    """Return every colour that the code of a chapter or of helpers.plots names as #RRGGBB or grey."""
    sources = [(ROOT / "helpers/plots.py").read_text(encoding="utf-8")]
    for chapter in (ROOT / "chapters").glob("*.ipynb"):
        cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
        sources += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    found = set()
    for source in sources:
        tree = ast.parse(re.sub(r"(?m)^[%!].*$", "", source))
        strings = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        found |= {text for text in strings if re.fullmatch(r"#[0-9A-Fa-f]{6}|grey|gray|black|white", text)}
    return sorted(found)


@pytest.mark.parametrize("colour", chapters_colours())
def test_every_colour_in_a_chapter_keeps_its_contrast(colour):
    """At 3 and above it stays at 3 and above, at 4.5 at 4.5; what was faint on white stays faint."""
    on_white, now = contrast("white", colour), contrast(on_dark(colour), GROUND)
    for level in (3, 4.5):
        if on_white >= level:
            assert now >= level - 0.02
    if on_white < 1.5:
        assert now < 1.5


def test_white_becomes_the_ground_and_black_the_ink():
    assert to_hex(on_dark("white")) == GROUND.lower()
    assert contrast(on_dark("black"), INK) < 1.02
    assert on_dark("none") == (0, 0, 0, 0)
    assert on_dark((0, 0, 0, 0.25))[3] == 0.25


def test_a_colour_keeps_its_hue():
    for colour in ("#A6C8E0", "#7F0000", "darkgreen"):
        before, after = (np.array(tint(value)) for value in (to_rgba(colour), on_dark(colour)))
        assert before @ after / np.linalg.norm(before) / np.linalg.norm(after) > 0.98


def tint(colour):
    """Return how green or red, and how blue or yellow a colour is (OKLab)."""
    return Color("srgb", colour[:3]).convert("oklab").coords()[1:]


def test_colours_of_all_kinds_get_the_contrast_that_they_should_and_no_screen_has_to_guess():
    """On the dark ground: the contrast on white as far as the ink allows, the hue kept, and nothing outside 0 to 1."""
    for rgb in np.random.default_rng(0).random((200, 3)):
        now = dark_figures.turn(*map(float, rgb))
        assert min(now) >= 0 and max(now) <= 1
        wanted = dark_figures.contrast_on_dark(contrast("white", rgb))
        assert contrast(now, GROUND) == pytest.approx(wanted, abs=0.01)
        before, after = np.array(tint(rgb)), np.array(tint(now))
        assert np.linalg.norm(after) < 0.02 or before @ after / np.linalg.norm(before) / np.linalg.norm(after) > 0.995


def test_contrast_is_that_of_wcag():
    """Known values: the ends of the scale, and the grey that WCAG's own pages give as the lightest for letters on white."""
    assert contrast("white", "black") == pytest.approx(21, abs=1e-3)
    assert contrast("black", "white") == contrast("white", "black")
    assert contrast("#767676", "white") == pytest.approx(4.54, abs=0.01)
    assert contrast("red", "red") == 1


def test_a_figure_gets_its_own_colours_back_to_the_pixel():
    fig = everything()
    before = pixels(fig)
    with dark(fig):
        inside = pixels(fig)
    assert inside.shape == before.shape
    assert (inside != before).any(axis=-1).mean() > 0.5
    np.testing.assert_array_equal(pixels(fig), before)


def test_a_figure_gets_its_colours_back_after_an_error():
    fig = everything()
    before = pixels(fig)
    with pytest.raises(RuntimeError), dark(fig):
        raise RuntimeError
    np.testing.assert_array_equal(pixels(fig), before)


def test_a_figure_can_be_darkened_twice():
    fig = everything()
    pictures = []
    for _ in range(2):
        with dark(fig):
            pictures.append(pixels(fig))
    np.testing.assert_array_equal(*pictures)


def faint(fig):
    """Return the artists of a figure whose colour hardly differs from the dark ground, where they stand on it."""
    found = []
    on_pictures = {text for ax in fig.axes if ax.images or ax.collections for text in ax.texts}
    for artist in dark_figures.parts(fig):
        if isinstance(artist, matplotlib.text.Text) and artist not in on_pictures and artist.get_text().strip():
            found += [artist] if contrast(artist.get_color(), GROUND) < 4.5 else []
        elif isinstance(artist, matplotlib.lines.Line2D) and artist.get_linestyle() != "None":
            grid = to_hex(artist.get_color()) == to_hex(on_dark(plt.rcParams["grid.color"]))
            found += [artist] if contrast(artist.get_color(), GROUND) < 2.5 and not grid else []
        elif isinstance(artist, matplotlib.spines.Spine | matplotlib.patches.FancyArrowPatch):
            found += [artist] if contrast(artist.get_edgecolor(), GROUND) < 4.5 else []
        elif isinstance(artist, matplotlib.collections.LineCollection | matplotlib.collections.PathCollection):
            edges = [colour for colour in artist.get_edgecolor() if colour[3]]
            found += [artist] if edges and max(contrast(colour, GROUND) for colour in edges) < 2 else []
    return found


def test_nothing_dark_is_left_on_the_dark_ground():
    fig = everything()
    assert faint(fig), "the light version must be found dark, or this test would notice nothing"
    with dark(fig):
        assert faint(fig) == []
        assert to_hex(fig.get_facecolor()) == GROUND.lower()
        assert all(to_hex(ax.get_facecolor()) == GROUND.lower() for ax in fig.axes)


@pytest.mark.parametrize("kind", ["Text", "Line2D", "Patch", "Collection"])
def test_one_kind_of_artist_forgotten_is_noticed(monkeypatch, kind):
    real = dark_figures.recolour
    forgotten = getattr(dark_figures, kind)
    monkeypatch.setattr(
        dark_figures, "recolour", lambda artist: None if isinstance(artist, forgotten) else real(artist)
    )
    fig = everything()
    with dark(fig):
        assert faint(fig) or to_hex(fig.get_facecolor()) != GROUND.lower()


def test_letters_stand_out_from_the_cells_of_a_heat_map():
    cells = np.linspace(0, 1, 36).reshape(6, 6)
    for cmap in ("Blues", "Greys", "gray_r"):
        fig, ax = plt.subplots()
        sns.heatmap(cells, annot=True, cmap=cmap, cbar=False, ax=ax)
        fig.canvas.draw()
        with dark(fig):
            fig.canvas.draw()
            cell = ax.collections[0].get_facecolor()
            ratios = [contrast(text.get_color(), colour) for text, colour in zip(ax.texts, cell, strict=True)]
        assert len(ratios) == 36 and min(ratios) >= 4, f"{cmap}: {min(ratios):.1f}"


def test_ink_is_light_on_a_dark_page_and_other_pictures_stay_as_they_are():
    fig = plots.show_digits(np.full((1, 28, 28), 255, np.uint8))
    image = fig.axes[0].images[0]
    with dark(fig):
        assert contrast(image.cmap(image.norm(255)), INK) < 1.02
        assert to_hex(image.cmap(image.norm(0))) == GROUND.lower()
    assert image.cmap.name == "gray_r"
    for name in ("viridis", "gray"):
        fig = plots.show_digits(np.full((1, 28, 28), 255, np.uint8), cmap=name)
        with dark(fig):
            assert fig.axes[0].images[0].cmap.name == name


def test_both_versions_have_one_size_and_say_it():
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    ax.set_title("small", fontsize=9)
    bundle = dark_figures.both_versions(fig)
    assert list(bundle) == [dark_figures.MIME_TYPE]
    figure = json.loads(json.dumps(bundle))[dark_figures.MIME_TYPE]
    light, turned = (Image.open(io.BytesIO(b64decode(figure[mode]))) for mode in ("light", "dark"))
    assert light.format == turned.format == "WEBP" and light.size == turned.size
    assert abs(light.size[0] - 2 * figure["width"]) <= 1 and abs(light.size[1] - 2 * figure["height"]) <= 1
    assert figure["text"] == pytest.approx(9 * 100 / 72, abs=0.01)
    assert np.mean(light.convert("L")) > 200 > 80 > np.mean(turned.convert("L"))


def test_a_figure_without_axes_gives_nothing():
    assert dark_figures.both_versions(plt.figure()) == {}


SHOWN = {"at the end of the cell": "", "by plt.show()": "plt.show()", "by display()": "display(plt.gcf()); plt.close()"}


def executed(environment, *sources):
    """Execute cells in a kernel of their own, since IPython keeps what is registered; return the outputs of each cell."""
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    NotebookClient(notebook, resources={"metadata": {"path": str(ROOT / "chapters")}}).execute(env=environment)
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.parametrize("build", [True, False])
def test_only_the_build_of_the_pages_gets_both(tmp_path, build):
    """However a figure is shown, and whether or not the notebook asked for the book's style."""
    folder = write_profile(tmp_path, "tools.press.kernel") if build else tmp_path
    draw = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    styled = f"from helpers.plots import book_style\nbook_style()\n{draw}"
    sources = [draw, *(f"{styled}\n{how}" for how in SHOWN.values())]
    types = {"image/png", dark_figures.MIME_TYPE} if build else {"image/png"}
    for outputs in executed(os.environ | {"IPYTHONDIR": str(folder)}, *sources):
        (output,) = outputs
        assert set(output["data"]) - {"text/plain"} == types


def test_a_kernel_of_the_build_that_draws_nothing_imports_nothing_for_it(tmp_path):
    code = "import sys\nprint('tools.press.kernel' in sys.modules, {'matplotlib', 'numpy', 'PIL', 'coloraide'} & set(sys.modules))"
    ((output,),) = executed(os.environ | {"IPYTHONDIR": str(write_profile(tmp_path, "tools.press.kernel"))}, code)
    assert output["text"] == "True set()\n"


def shown(content, **options):
    """Return the node that the pages get for one figure."""
    files = {}

    def write_file(path, data, **_):
        files[path[0]] = data
        return f"/{path[0]}"

    renderer = SimpleNamespace(
        write_file=write_file, renderer=SimpleNamespace(get_cell_level_config=lambda *_, **__: options)
    )
    data = SimpleNamespace(mime_type=dark_figures.MIME_TYPE, content=content, cell_metadata={}, line=1)
    (pair,) = page_figures.FigureRenderer.handle_mime(renderer, data, False)
    return pair, files


CONTENT = {"light": "bGlnaHQ=", "dark": "ZGFyaw==", "width": 650, "height": 400, "text": 16.0}


def test_the_page_gets_both_files_with_their_size_and_one_description():
    pair, files = shown(CONTENT, alt="a line")
    assert sorted(files.values()) == [b"dark", b"light"]
    assert [image["classes"] for image in pair] == [["only-light"], ["only-dark"]]
    assert {image["alt"] for image in pair} == {"a line"} and {image["size"] for image in pair} == {(650, 400)}
    assert pair["least"] == 366  # 650 * 9 / 16, rounded up


def test_a_figure_is_narrowed_to_what_its_cell_asks_for():
    assert page_figures.shown_size(650, 400, "325px") == (325, 200)
    assert page_figures.shown_size(650, 400, "900") == (650, 400)
    assert page_figures.shown_size(650, 400) == (650, 400)
    with pytest.raises(ValueError, match="cannot be '80%' wide: give pixels"):
        page_figures.shown_size(650, 400, "80%")


@pytest.mark.parametrize(("text", "scrolls"), [(16.6, False), (12.5, True), (None, False)])
def test_a_figure_with_small_letters_scrolls_on_a_narrow_screen_and_can_be_reached_by_keyboard(text, scrolls):
    pair, _ = shown(CONTENT | {"text": text}, alt="a line")
    writer = SimpleNamespace(body=[])
    page_figures.visit_pair(writer, pair)
    assert ('tabindex="0"' in writer.body[0]) == ('role="group"' in writer.body[0]) == scrolls
    assert ("--least-width: 468px" in writer.body[0]) == scrolls


def test_other_mime_types_are_left_to_the_book():
    assert page_figures.FigureRenderer.handle_mime(None, SimpleNamespace(mime_type="image/png"), False) is None


def test_a_myst_nb_that_keeps_no_list_of_renderers_is_refused(monkeypatch):
    page_figures.add_renderer()
    assert page_figures.FigureRenderer in page_figures.load_mime_renders()
    monkeypatch.setattr(page_figures, "load_mime_renders", lambda: [])
    with pytest.raises(ExtensionError, match="keep its list of renderers"):
        page_figures.add_renderer()
