"""What a number in a sentence is: ``say(f"... {points(after - before):.1f} points ...")``.

Each function returns a plain number, so that a format like ``:.1%`` works as ever. Its name says what the number is, and the
book's tests hold the words around it to that: what comes before "points" is made by :func:`points`, what comes before
"times" by :func:`times` or :func:`count`, what follows a plus-minus by :func:`sd` or another spread named in the sentence,
and a percentage by :func:`share` or a spread. Outside the build and the tests (:data:`helpers.text.listener`) nothing is
refused: whoever changes a cell sees the number that comes out, whatever it is.
"""

from helpers import text

SETS = ("training", "validation", "test")


def _hold(condition, sentence):
    """Refuse a quantity in the build and the tests; ValueError with the sentence."""
    if text.listener is not None and not condition:
        raise ValueError(sentence)


def share(part, of=None):
    """A part of a whole, from 0 to 1, printed as a percentage.

    Parameters
    ----------
    part : float
    of : str, optional
        The images that it is a share of: "training", "validation" or "test". The sentence must name the same.
    """
    _hold(
        0 <= part <= 1,
        f"{part:.6g} is no share: it must lie from 0 to 1 (for points use points(), for a ratio times())",
    )
    _hold(of in (None, *SETS), f"share(..., of={of!r}): there are {', '.join(SETS)} images")
    return float(part)


def points(difference):
    """A difference of two shares in percentage points: 0.013 gives 1.3."""
    _hold(abs(difference) <= 1, f"{difference:.6g} is no difference of two shares: points() multiplies by 100 itself")
    return 100 * float(difference)


def times(larger, smaller=1.0):
    """How many times as large ``larger`` is as ``smaller``; must be above one, or the sentence would say the opposite."""
    ratio = float(larger) / float(smaller)
    _hold(
        ratio > 1,
        f"{larger:.6g} is {ratio:.3g} times {smaller:.6g}: not larger, so exchange them and turn the sentence round",
    )
    return ratio


def count(number):
    """A number of things: whole and not negative."""
    _hold(number == int(number) and number >= 0, f"{number!r} counts nothing: a count is whole and not negative")
    return int(number)


def sd(values):
    """The standard deviation of repeated runs, with n - 1 below: what a plus-minus means in this book."""
    import numpy as np

    values = np.asarray(values, float)
    _hold(values.ndim == 1 and len(values) > 1, f"sd() takes a list of at least two runs, not shape {values.shape}")
    return float(values.std(ddof=1))


def standard_error(values):
    """The standard deviation of a mean of repeated runs: :func:`sd` divided by the root of their number."""
    return sd(values) / len(values) ** 0.5


def half_width(low, high):
    """Half the length of an interval: what may stand after a plus-minus where the sentence says "interval"."""
    _hold(low <= high, f"the interval from {low:.6g} to {high:.6g} ends before it begins")
    return (float(high) - float(low)) / 2


class timed(float):
    """A time measured in this very run, or what follows from one (seconds, a ratio of times): it has no band, for it varies with
    the computer and with what else the computer does."""

    def __format__(self, spec):
        said = format(float(self), spec)
        if text.listener is not None:
            text.listener.timed(said)
        return said
