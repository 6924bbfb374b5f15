"""helpers.quantities: what a number in a sentence is, and what is refused in the build and the tests."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import quantities as q
from helpers import text

RUNS = [0.97, 0.975, 0.971]


@pytest.fixture
def guarded(monkeypatch):
    """As in the build and the tests: something listens."""
    times = []
    monkeypatch.setattr(text, "listener", SimpleNamespace(timed=times.append, recording=False))
    return times


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (lambda: q.share(0.974), 0.974),
        (lambda: q.share(np.float32(0.5), of="test"), 0.5),
        (lambda: q.share(0), 0),
        (lambda: q.share(1), 1),
        (lambda: q.points(0.013), 1.3),
        (lambda: q.points(-0.013), -1.3),
        (lambda: q.times(6, 3), 2),
        (lambda: q.times(1.5), 1.5),
        (lambda: q.count(7), 7),
        (lambda: q.count(np.int64(7)), 7),
        (lambda: q.sd(RUNS), np.std(RUNS, ddof=1)),
        (lambda: q.standard_error(RUNS), np.std(RUNS, ddof=1) / 3**0.5),
        (lambda: q.half_width(0.96, 0.98), 0.01),
    ],
)
def test_each_gives_its_number(guarded, number, value):
    assert number() == pytest.approx(value)
    assert type(number()) in (int, float)


REFUSED = {
    "a share in percent": (lambda: q.share(97.4), "no share"),
    "a negative share": (lambda: q.share(-0.01), "no share"),
    "a share that is no number": (lambda: q.share(float("nan")), "no share"),
    "images that there are none of": (lambda: q.share(0.5, of="training images"), "there are training"),
    "points of points": (lambda: q.points(1.3), "multiplies by 100 itself"),
    "a ratio upside down": (lambda: q.times(3, 6), "exchange them"),
    "equal ones": (lambda: q.times(3, 3), "exchange them"),
    "half a thing": (lambda: q.count(0.5), "whole"),
    "fewer than none": (lambda: q.count(-1), "not negative"),
    "one run": (lambda: q.sd([0.97]), "at least two runs"),
    "a table of runs": (lambda: q.sd([[0.9, 0.8], [0.9, 0.8]]), "at least two runs"),
    "an interval backwards": (lambda: q.half_width(0.98, 0.96), "ends before it begins"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_is_not_is_refused_in_a_build(guarded, name):
    number, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        number()


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "one run"])
@pytest.mark.filterwarnings("ignore")
def test_a_reader_sees_the_number_whatever_it_is(name):
    REFUSED[name][0]()


def test_a_time_prints_as_a_number_and_is_told_to_the_listener(guarded):
    seconds = q.timed(q.times(6.04, 3))
    assert f"{seconds:.1f} times, {seconds:.0f}" == "2.0 times, 2" and guarded == ["2.0", "2"]


def test_a_time_without_a_listener():
    assert f"{q.timed(2.04):.1f}" == "2.0"
