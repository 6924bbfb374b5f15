"""The drawings that test the drawing page: made from their seeds, balanced, on the canvas, one writer kept apart."""

import collections
import json
from pathlib import Path

import numpy as np
import pytest

from tools.draw import templates

ROOT = Path(__file__).resolve().parents[2]


def kept(name):
    """The set of drawings that is in the repository."""
    return json.loads((ROOT / "data" / "drawings" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", templates.SETS)
def test_the_kept_drawings_are_what_the_command_makes(name):
    assert (ROOT / "data" / "drawings" / f"{name}.json").read_text(encoding="utf-8") == templates.as_text(name)


def test_check_notices_an_altered_and_a_missing_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(templates, "FOLDER", tmp_path)
    assert templates.main([]) == 0 and templates.main(["--check"]) == 0
    (tmp_path / "test.json").write_text((tmp_path / "test.json").read_text().replace("thin", "thick", 1))
    (tmp_path / "development.json").unlink()
    assert templates.main(["--check"]) == 1
    assert capsys.readouterr().err.count("make drawings") == 2


def test_the_test_set_is_large_and_balanced():
    found = kept("test")["drawings"]
    counts = collections.Counter((one["writer"], one["digit"]) for one in found)
    assert len(found) >= 240 and len({writer for writer, _ in counts}) >= 6 and len(set(counts.values())) == 1
    assert set(collections.Counter((one["digit"], one["pen"]) for one in found).values()) == {len(found) // 20}


@pytest.mark.parametrize("name", ["fresh", "final"])
def test_a_later_set_is_larger_and_has_every_digit_of_every_writer(name):
    found, apart = kept(name)["drawings"], kept(name)["unseen"]
    counts = collections.Counter((one["writer"], one["digit"]) for one in found)
    assert counts == {(w, d): 4 if w == apart else 5 for w in "abcdef" + apart for d in range(10)}
    assert set(collections.Counter(one["pen"] for one in found).values()) == {len(found) // 2}


def test_the_drawings_that_choose_the_threshold_are_many_and_by_no_writer_kept_apart():
    made = templates.make_development()
    assert collections.Counter(one["writer"] for one in made) == dict.fromkeys("abcdef", 500)
    apart = {one["unseen"] for one in templates.SETS.values()}
    assert apart == set("ghi") and not apart & {one["writer"] for one in made}
    elsewhere = {json.dumps(one["strokes"]) for name in templates.SETS for one in kept(name)["drawings"]}
    assert not elsewhere & {json.dumps(one["strokes"]) for one in made}


@pytest.mark.parametrize("name", ["test", "fresh", "final"])
def test_one_writer_is_in_this_set_alone_and_shares_no_template(name):
    apart = kept(name)["unseen"]
    elsewhere = {one["writer"] for other in templates.SETS if other != name for one in kept(other)["drawings"]}
    assert {one["writer"] for one in kept(name)["drawings"]} - elsewhere == {apart}
    others = [digit for writer, one in templates.WRITERS.items() if writer != apart for digit in one["digits"]]
    assert not [one for one in templates.WRITERS[apart]["digits"] if one in others]


def test_no_two_drawings_are_the_same():
    texts = [json.dumps(one["strokes"]) for name in templates.SETS for one in kept(name)["drawings"]]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", templates.SETS)
def test_drawings_lie_on_the_canvas_and_vary(name):
    heights, places = [], []
    for one in kept(name)["drawings"]:
        points = np.vstack([np.array(stroke) for stroke in one["strokes"]])
        assert points.min() >= 11 and points.max() <= templates.SIDE - 11  # half a thick pen from the border
        heights.append(np.ptp(points[:, 1]))
        places.append(points.mean(axis=0))
    assert np.ptp(heights) > 90 and np.ptp(places, axis=0).min() > 100
