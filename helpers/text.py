"""Sentences that carry measured numbers, and the checks that hold them.

A number that was measured is never typed into the text: a cell says it (:func:`say`), another page quotes it
(:func:`glue`), and a hidden cell holds it to bounds (:func:`check`).
"""

import json
import os
from pathlib import Path

from helpers.data import current_edition


def say(text):
    """Show ``text`` (Markdown) as a sentence of the page; reads the same in JupyterLab, in Colab and in a download."""
    from IPython.display import Markdown, display

    display(Markdown(text))


def glue(name, value):
    """Keep ``value`` under ``name`` so that other pages can quote it with a glue role.

    Numbers become Python floats or ints (a NumPy scalar does not format in a glue role). Outside the book's
    environment, in Colab say, where myst-nb is not installed, this does nothing: no page is there to quote it.
    """
    try:
        from myst_nb import glue as myst_glue
    except ImportError:
        return
    myst_glue(name, value.item() if hasattr(value, "item") else value, display=False)


def check(name, value, *, full, sample=None, runs):
    """Assert that ``value`` lies within bounds measured by repeated runs.

    Parameters
    ----------
    name : str
        What the value is; unique in its chapter.
    value : float
    full, sample : (float, float)
        Smallest and largest value allowed in each edition; ``sample=None`` takes the same bounds for both.
    runs : int
        How many runs, with different seeds, the bounds come from.

    Raises
    ------
    AssertionError
        Naming the value, the bounds and the edition.

    Notes
    -----
    With DIGITS_CHECK_LOG set to a file, the value is appended there and nothing is asserted:
    ``tools/upkeep/measure_bounds.py`` uses this to measure bounds again.
    """
    edition = current_edition()
    low, high = full if edition == "full" or sample is None else sample
    value = float(value)
    log = os.environ.get("DIGITS_CHECK_LOG")
    if log:
        with Path(log).open("a") as file:
            file.write(json.dumps({"name": name, "edition": edition, "value": value, "bounds": [low, high]}) + "\n")
        return
    assert low <= value <= high, (
        f"{name} is {value:.6g}, outside {low:.6g} to {high:.6g}, the range allowed from {runs} runs "
        f"({edition} edition)"
    )


def try_it(answer, expected, hint=""):
    """Tell a reader whether an exercise's answer is right. Never raises: an exercise left open must not stop a
    notebook.

    Parameters
    ----------
    answer : anything
        ``...`` (or None) counts as not yet tried.
    expected : value, array or callable
        A callable gets the answer and returns True or False; anything else is compared, arrays and floats to six
        digits.
    hint : str
        Shown when the answer is wrong.
    """
    if answer is ... or answer is None:
        say("*Not tried yet: replace the `...` and run the cell again.*")
        return
    try:
        right = bool(expected(answer)) if callable(expected) else _same(answer, expected)
        trouble = ""
    except Exception as error:  # whatever the reader typed, tell them, and go on
        right, trouble = False, f" (checking it raised {type(error).__name__}: {error})"
    say("**Right.**" if right else f"**Not yet**{trouble}. {hint}".strip())


def _same(answer, expected):
    """Are they of one shape and equal, numbers to six digits?"""
    import numpy as np

    answer, expected = np.asarray(answer), np.asarray(expected)
    if answer.shape != expected.shape:
        return False
    if answer.dtype.kind in "biufc" and expected.dtype.kind in "biufc":
        return np.allclose(answer, expected, rtol=1e-6, atol=1e-9)
    return answer.dtype.kind == expected.dtype.kind and bool((answer == expected).all())
