"""Pictures of five pages in both modes and two widths, for people to look at: _build/screenshots."""

import pytest
from PIL import Image
from site_pages import BUILD, PAGES

SHOWN = ["intro", "chapters/training", "chapters/svm_knn_baselines", "glossary"] + (
    ["draw"] if "draw" in PAGES else ["search"]
)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_is_taken(visit, name, mode, width):
    page = visit(name, mode=mode, width=width, height=1400).page
    page.wait_for_timeout(500)
    file = BUILD / "screenshots" / f"{name.split('/')[-1]}-{mode}-{width}.png"
    file.parent.mkdir(exist_ok=True)
    page.screenshot(path=file)
    with Image.open(file) as picture:
        grey = picture.convert("L")
        assert picture.size == (width, 1400) and len(grey.getcolors(256)) > 20, "an empty page"
        corner = grey.getpixel((width - 3, 700))
    assert (corner > 200) == (mode == "light"), f"the {mode} page has a ground of {corner}"
