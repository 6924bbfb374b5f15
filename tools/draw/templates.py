"""The drawings that the drawing page is tested with: made here, kept in ``data/drawings``, never used for training.

    python -m tools.draw.templates            # writes data/drawings/development.json, test.json, fresh.json and final.json
    python -m tools.draw.templates --check    # only compares: exit status 1 if a file differs
    python -m tools.draw.templates --sheet a.png    # a picture of all test drawings, to be read by a person
    python -m tools.draw.templates --sheet a.png --set final

Each drawing is the path of a pen: a few strokes, each a list of points on a canvas of 280 x 280. It comes from a
template, the way in which one of nine writers forms that digit, and from random distortion: control points, smooth
wobble, slant, rotation, proportions, size, place, and the pen's speed.

The threshold of "unsure" is chosen with ``make_development``'s 3,000 drawings (at first with ``development.json``); the
other sets are for measurements alone, and each has a writer who is in no other set. ``test.json`` was made before the
first network for the page was trained, but the networks were adjusted once after its first results. ``fresh.json`` was
made after that; after its result the threshold was chosen again. ``final.json`` was made after that, and before any
network had read one of its drawings. Templates are changed when a person cannot read a drawing, never because of what a
network made of it.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "drawings"
SIDE = 280
PENS = ("thick", "thin")
MANY = "abcdef"  # the writers who are in every set
# For each set: its seed, the drawings that each writer makes of each digit, and the writer who is kept apart.
SETS = {
    "development": {"seed": 1998, "repeats": dict.fromkeys(MANY, 5), "unseen": "g"},
    "test": {"seed": 2026, "repeats": dict.fromkeys(MANY + "g", 4), "unseen": "g"},
    "fresh": {"seed": 2027, "repeats": dict.fromkeys(MANY, 5) | {"h": 4}, "unseen": "h"},
    "final": {"seed": 2028, "repeats": dict.fromkeys(MANY, 5) | {"i": 4}, "unseen": "i"},
}
# The drawings that choose the threshold of "unsure": too many for a file, and quickly made.
DEVELOPMENT = {"seed": 1999, "repeats": dict.fromkeys(MANY, 50)}


def arc(x, y, rx, ry, start, end, points=14):
    """Points of an elliptic arc as text. Degrees: 0 is right, 90 down; from start to end, so clockwise if it grows."""
    angles = np.radians(np.linspace(start, end, points))
    return " ".join(f"{x + rx * math.cos(a):.2f},{y + ry * math.sin(a):.2f}" for a in angles)


# How digits are formed, in percent of a box (x to the right, y down; a digit is 100 high). A stroke is a text of
# points with a smooth line through them; at "|" the pen turns a corner.
ZERO_WIDE = [arc(50, 50, 40, 50, -90, -452)]
ZERO_NARROW = [arc(50, 50, 25, 50, -80, -446)]
ZERO_OVERLAPPING = [arc(50, 50, 33, 50, -65, -330) + " 71,20 62,6 44,3 36,6"]
ZERO_CLOCKWISE = [arc(50, 50, 36, 48, -130, 236)]
ZERO_EGG = ["58,1 30,12 17,48 26,84 50,100 74,84 82,48 72,14 56,1"]

ONE_PLAIN = ["50,0 50,100"]
ONE_LEANING = ["60,0 42,100"]
ONE_FLAG = ["28,27 54,0 | 54,0 54,100"]
ONE_FLAG_AND_FOOT = ["27,25 52,1 | 52,1 52,100", "24,100 80,100"]
ONE_SHORT_FLAG = ["38,16 46,10 54,0 | 54,0 52,100"]

TWO_FLAT_FOOT = ["17,26 28,6 52,0 74,13 73,37 48,69 15,100 | 15,100 84,99"]
TWO_LOOP = ["18,22 36,2 62,2 75,22 65,50 40,78 22,93 13,88 20,77 38,82 58,94 88,92"]
TWO_SWAN = ["20,18 42,0 70,8 74,32 52,62 18,96 | 18,96 34,89 58,98 86,92"]
TWO_HIGH_NECK = ["22,14 50,0 76,14 70,40 42,72 18,99 | 18,99 82,99"]
TWO_SMALL_LOOP = ["22,20 44,0 72,10 72,34 46,70 24,97 15,94 22,85 42,92 62,99 84,93"]

THREE_ROUND = ["20,13 46,0 73,11 71,34 42,47 | 42,47 76,55 80,82 48,100 16,87"]
THREE_FLAT_TOP = ["18,3 76,3 | 76,3 42,42 | 42,42 74,49 82,74 62,98 34,99 15,88"]
THREE_LOOP = ["22,10 48,0 71,13 66,35 44,47 37,43 44,40 70,54 77,78 50,100 18,90"]
THREE_SMOOTH = ["24,8 54,1 70,20 58,41 46,46 | 46,46 74,56 74,86 44,100 20,93"]

FOUR_OPEN = ["27,2 17,57 | 17,57 84,57", "64,24 62,100"]
FOUR_CLOSED = ["60,100 60,0 | 60,0 12,66 | 12,66 88,66"]
FOUR_CLOSED_TWO_STROKES = ["60,0 13,64 | 13,64 88,63", "61,0 60,100"]
FOUR_CUP = ["24,4 19,34 27,53 48,56 74,47", "76,3 74,50 70,100"]
FOUR_OPEN_SLANTED = ["38,0 14,55 | 14,55 84,52", "72,14 56,100"]

FIVE_TWO_STROKES = ["27,4 23,44 | 23,44 48,36 75,50 77,78 54,98 18,93", "27,3 80,3"]
FIVE_ONE_STROKE = ["80,2 30,3 | 30,3 24,45 | 24,45 50,36 77,52 77,80 50,100 17,90"]
FIVE_ROUND = ["79,4 52,3 32,6 | 32,6 25,42 | 25,42 50,38 74,52 74,82 46,100 19,91"]
FIVE_WIDE = ["28,2 24,40 | 24,40 54,36 80,58 72,90 40,100 14,86", "28,2 54,4 82,1"]

SIX_CURVED = ["68,2 40,20 20,62 30,94 56,99 76,78 64,56 40,57 21,76"]
SIX_STRAIGHT = ["62,0 34,38 20,72 32,97 58,98 74,78 60,58 36,60 21,76"]
SIX_HOOKED = ["76,12 60,0 38,14 20,50 22,84 46,100 74,88 75,62 52,50 24,66"]
SIX_TALL = ["54,0 32,32 22,70 34,97 58,97 69,80 58,65 38,68 24,82"]

EIGHT_ONE_STROKE = ["72,13 50,0 27,15 36,38 62,56 77,78 50,100 23,80 36,58 62,38 74,16"]
EIGHT_TWO_CIRCLES = [arc(50, 24, 25, 24, -90, -456), arc(50, 74, 31, 26, -90, 276)]
EIGHT_FROM_THE_MIDDLE = ["50,47 26,28 34,4 62,2 74,22 50,47 22,72 34,97 64,98 78,74 52,48"]
EIGHT_SLENDER = ["66,10 48,0 33,16 42,38 60,58 68,80 49,100 31,80 42,58 60,38 68,14"]

NINE_STRAIGHT = ["73,14 48,0 23,18 27,42 52,48 74,26 | 74,16 72,100"]
NINE_CURLED = ["75,16 50,0 25,16 28,42 54,47 75,20 | 75,20 77,58 62,95 38,99 22,88"]
NINE_LEANING = ["72,16 50,0 25,20 30,43 54,44 73,16 | 73,16 66,56 50,100"]
NINE_TWO_STROKES = [arc(48, 24, 26, 24, -20, -384), "75,4 74,100"]
NINE_ROUND_BACK = ["70,12 48,0 22,20 34,46 62,40 73,14 | 73,14 74,50 58,100"]

SEVEN_PLAIN = ["16,4 84,4 | 84,4 42,100"]
SEVEN_BAR = ["16,4 83,4 | 83,4 42,100", "36,51 82,49"]
SEVEN_CURVED = ["12,5 84,5 | 84,5 56,44 36,100"]
SEVEN_TICK = ["17,20 18,4 | 18,4 84,4 | 84,4 44,100"]
SEVEN_CURVED_BAR = ["14,8 36,2 84,5 | 84,5 58,48 46,100", "34,54 74,48"]

# A writer: the ten digits, how much everything leans to the right (share of the height), and how wide it is.
WRITERS = {
    "a": {
        "lean": 0.0,
        "width": 0.72,
        "digits": [
            ZERO_WIDE,
            ONE_FLAG,
            TWO_FLAT_FOOT,
            THREE_ROUND,
            FOUR_OPEN,
            FIVE_TWO_STROKES,
            SIX_CURVED,
            SEVEN_PLAIN,
            EIGHT_ONE_STROKE,
            NINE_STRAIGHT,
        ],
    },
    "b": {
        "lean": 0.12,
        "width": 0.68,
        "digits": [
            ZERO_NARROW,
            ONE_PLAIN,
            TWO_LOOP,
            THREE_LOOP,
            FOUR_CLOSED,
            FIVE_ONE_STROKE,
            SIX_STRAIGHT,
            SEVEN_CURVED,
            EIGHT_FROM_THE_MIDDLE,
            NINE_LEANING,
        ],
    },
    "c": {
        "lean": 0.04,
        "width": 0.75,
        "digits": [
            ZERO_OVERLAPPING,
            ONE_FLAG_AND_FOOT,
            TWO_SWAN,
            THREE_FLAT_TOP,
            FOUR_CUP,
            FIVE_ROUND,
            SIX_HOOKED,
            SEVEN_BAR,
            EIGHT_TWO_CIRCLES,
            NINE_CURLED,
        ],
    },
    "d": {
        "lean": 0.2,
        "width": 0.7,
        "digits": [
            ZERO_EGG,
            ONE_SHORT_FLAG,
            TWO_SMALL_LOOP,
            THREE_SMOOTH,
            FOUR_OPEN_SLANTED,
            FIVE_TWO_STROKES,
            SIX_TALL,
            SEVEN_CURVED_BAR,
            EIGHT_SLENDER,
            NINE_ROUND_BACK,
        ],
    },
    "e": {
        "lean": -0.06,
        "width": 0.8,
        "digits": [
            ZERO_CLOCKWISE,
            ONE_PLAIN,
            TWO_HIGH_NECK,
            THREE_ROUND,
            FOUR_CLOSED_TWO_STROKES,
            FIVE_WIDE,
            SIX_HOOKED,
            SEVEN_TICK,
            EIGHT_TWO_CIRCLES,
            NINE_TWO_STROKES,
        ],
    },
    "f": {
        "lean": 0.08,
        "width": 0.66,
        "digits": [
            ZERO_WIDE,
            ONE_LEANING,
            TWO_SWAN,
            THREE_SMOOTH,
            FOUR_CUP,
            FIVE_ROUND,
            SIX_STRAIGHT,
            SEVEN_CURVED,
            EIGHT_ONE_STROKE,
            NINE_CURLED,
        ],
    },
    # No template of these three is used by another writer.
    "g": {
        "lean": 0.05,
        "width": 0.74,
        "digits": [
            ["47,2 26,22 24,62 38,94 58,98 76,74 77,30 60,3 40,8"],
            ["34,24 56,2 | 56,2 50,100"],
            ["19,30 24,8 50,0 72,10 70,34 50,60 14,98 | 14,98 52,95 86,99"],
            ["19,8 48,1 71,12 66,33 38,46 | 38,46 66,48 80,66 68,92 42,100 15,92"],
            ["30,0 22,30 16,60 | 16,60 50,58 86,60", "66,34 65,66 62,100"],
            ["76,6 54,2 30,2 | 30,2 28,24 25,46 | 25,46 46,38 70,46 78,68 64,92 40,99 20,96"],
            ["72,6 48,8 26,40 21,72 36,98 62,96 74,76 62,60 42,60 24,80"],
            ["14,12 18,3 | 18,3 48,7 84,3 | 84,3 62,40 50,68 44,100"],
            ["74,20 58,2 34,4 28,24 44,42 66,58 76,78 58,99 32,96 22,78 36,58 58,42 73,22"],
            ["70,8 44,1 23,18 28,40 50,45 70,30 74,10 | 74,10 73,44 70,76 66,100"],
        ],
    },
    "h": {
        "lean": 0.1,
        "width": 0.71,
        "digits": [
            ["62,5 44,0 28,14 20,46 26,80 44,99 62,94 76,70 78,36 68,12 52,2"],
            ["30,26 44,14 56,1 | 56,1 55,50 53,100"],
            ["16,24 30,4 56,0 74,18 70,40 50,64 17,97 | 17,97 32,92 52,97 86,94"],
            ["22,7 50,0 72,14 64,36 40,46 | 40,46 70,54 80,74 66,94 40,100 17,90"],
            ["48,3 34,30 13,62 | 13,62 50,63 88,60", "70,8 68,55 66,100"],
            ["30,4 27,24 24,44 | 24,44 42,37 66,42 78,64 68,88 44,100 18,92", "30,5 52,5 79,1"],
            ["64,0 44,16 26,44 20,72 30,94 52,100 72,88 74,68 58,56 38,60 23,74"],
            ["17,3 50,5 84,3 | 84,3 64,42 44,100", "38,50 76,46"],
            ["48,46 70,32 72,12 52,0 30,10 30,32 52,48 76,66 74,90 50,100 26,90 24,68 46,47"],
            ["72,22 62,4 42,0 26,16 28,36 46,46 64,38 73,16 | 73,16 72,50 62,80 42,99"],
        ],
    },
    "i": {
        "lean": 0.03,
        "width": 0.73,
        "digits": [
            ["38,3 22,24 21,60 34,93 54,100 75,82 79,48 68,14 46,0 32,7"],
            ["36,20 48,10 55,2 | 55,2 55,52 57,100"],
            ["21,20 34,3 56,2 72,16 68,36 46,66 19,96 | 19,96 48,100 83,97"],
            ["24,5 52,0 70,10 68,30 45,45 | 45,45 68,50 79,70 70,92 45,100 20,94"],
            ["34,2 26,32 18,54 | 18,54 48,56 82,52", "66,20 68,60 65,100"],
            ["28,3 27,26 24,46 | 24,46 44,40 66,46 76,66 66,90 40,100 18,94", "28,4 54,2 78,4"],
            ["66,4 44,14 27,38 21,68 32,94 54,99 73,86 72,66 54,57 34,64 23,78"],
            ["15,6 48,2 83,5 | 83,5 70,30 54,66 46,100"],
            ["70,16 56,1 36,4 30,22 46,42 64,58 74,80 56,99 34,95 25,78 38,56 60,40 71,18"],
            ["72,18 58,1 34,4 24,24 38,44 60,40 73,18 | 73,18 71,52 68,78 64,100"],
        ],
    },
}


def between(p, q, start, end, t):
    """The point at ``t`` of the straight line that is at ``p`` at ``start`` and at ``q`` at ``end``."""
    return p + (q - p) * (t - start) / (end - start)


def smooth(points, spacing):
    """Points of a centripetal Catmull-Rom curve through ``points`` (n, 2), about ``spacing`` apart."""
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    curve = [points[0]]
    for p0, p1, p2, p3 in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        lengths = [max(float(np.hypot(*(q - p))), 1e-6) for p, q in ((p0, p1), (p1, p2), (p2, p3))]
        t0, t1, t2, t3 = np.cumsum([0.0] + [length**0.5 for length in lengths])
        for t in np.linspace(t1, t2, max(1, round(lengths[1] / spacing)) + 1)[1:]:
            a1, a2, a3 = between(p0, p1, t0, t1, t), between(p1, p2, t1, t2, t), between(p2, p3, t2, t3, t)
            b1, b2 = between(a1, a2, t0, t2, t), between(a2, a3, t1, t3, t)
            curve.append(between(b1, b2, t1, t2, t))
    return np.array(curve)


def drawing(rng, writer, digit, pen):
    """One drawing: dict with writer, digit, pen and strokes, each a list of [x, y] on the canvas, to one decimal."""
    template = [
        [np.array([[float(v) for v in p.split(",")] for p in part.split()]) for part in stroke.split("|")]
        for stroke in WRITERS[writer]["digits"][digit]
    ]
    height = rng.uniform(115, 225)
    shift, spacing = rng.uniform(-2.0, 2.0, 2), rng.uniform(4, 11) / height * 100
    waves = [(rng.uniform(0.5, 1.6, 2), rng.uniform(0, 2 * math.pi), rng.normal(0, 1.1, 2)) for _ in range(3)]
    strokes = []
    for stroke in template:
        offset = rng.normal(0, 1.3, 2)  # where the pen is set down again
        line, joint = [], None
        for part in stroke:
            points = part + offset + rng.normal(0, 1.4, part.shape)
            if joint is not None:
                points[0] = joint
            joint = points[-1]
            piece = smooth(points, spacing)
            line += list(piece if not line else piece[1:])
        line = np.array(line)
        for frequency, phase, amplitude in waves:
            line = line + np.sin(2 * math.pi * (line / 100) @ frequency + phase)[:, None] * amplitude
        strokes.append(line + shift)
    slant = WRITERS[writer]["lean"] + rng.uniform(-0.1, 0.1)
    angle = math.radians(float(np.clip(rng.normal(0, 3.5), -8, 8)))
    aspect = WRITERS[writer]["width"] / 0.72 * rng.uniform(0.86, 1.16)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shape = turn @ np.array([[aspect, -slant], [0, 1]]) * height / 100
    strokes = [(line - 50) @ shape.T for line in strokes]
    everything = np.vstack(strokes)
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = 13.0  # half a thick pen, and a little
    room = SIDE - 2 * margin
    if (high - low).max() > room:
        strokes = [line * room / (high - low).max() for line in strokes]
        low, high = low * room / (high - low).max(), high * room / (high - low).max()
    place = margin - low + rng.uniform(0, 1, 2) * (room - (high - low))
    return {
        "writer": writer,
        "digit": digit,
        "pen": pen,
        "strokes": [np.round(line + place, 1).tolist() for line in strokes],
    }


def make(name):
    """The drawings of one set, a list of dicts."""
    return made_from(SETS[name]["seed"], SETS[name]["repeats"])


def make_development():
    """The 3,000 drawings with which the threshold of "unsure" is chosen, a list of dicts; they are in no file.

    The writers are those of every set; what a writer kept apart draws is for measurements alone.
    """
    return made_from(DEVELOPMENT["seed"], DEVELOPMENT["repeats"])


def made_from(seed, repeats):
    """Drawings of every digit, a list of dicts; ``repeats``: how many each writer makes of each digit."""
    drawings = []
    for number, writer in enumerate(WRITERS):
        for digit in range(10):
            for repeat in range(repeats.get(writer, 0)):
                rng = np.random.default_rng([seed, number, digit, repeat])
                drawings.append(drawing(rng, writer, digit, PENS[(repeat + digit) % 2]))
    return drawings


def as_text(name):
    """The whole file of one set: one drawing to a line."""
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in make(name))
    return f'{{"canvas":{SIDE},"set":"{name}","unseen":"{SETS[name]["unseen"]}","drawings":[\n{lines}\n]}}\n'


def sheet(path, name):
    """Save a picture with every drawing of a set."""
    from PIL import Image, ImageDraw

    drawings, columns, cell = make(name), 20, 70
    picture = Image.new("L", (columns * cell, -(-len(drawings) // columns) * cell), 255)
    brush = ImageDraw.Draw(picture)
    for i, one in enumerate(drawings):
        x, y = i % columns * cell, i // columns * cell
        brush.rectangle((x, y, x + cell, y + cell), outline=200)
        width = {"thick": 22, "thin": 10}[one["pen"]] * cell / SIDE
        for stroke in one["strokes"]:
            points = [(x + p * cell / SIDE, y + q * cell / SIDE) for p, q in stroke]
            brush.line(points, fill=0, width=round(width), joint="curve")
    picture.save(path)


def main(arguments=None):
    """Run as described above; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make the drawings that the drawing page is tested with.")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--sheet", metavar="PNG", help="write only a picture of the drawings")
    parser.add_argument("--set", default="test", choices=SETS, help="which set the picture shows")
    options = parser.parse_args(arguments)
    if options.sheet:
        sheet(options.sheet, options.set)
        return 0
    status = 0
    for name in SETS:
        path, text = FOLDER / f"{name}.json", as_text(name)
        if options.check:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                print(f"{path} is not what tools/draw/templates.py makes: run make drawings", file=sys.stderr)
                status = 1
            continue
        FOLDER.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
