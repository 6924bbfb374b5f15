"""Sentences that carry measured numbers, and what holds them.

A number that was measured is never typed into the text: a cell says it (:func:`say`), another page quotes it
(:func:`glue`). In the build and the tests each is held to the band that repeated runs gave it; what a sentence
concludes is held by a :func:`claim`.
"""

import sys

from helpers.data import current_edition

#: What the build and the tests listen with (tools/guards/kernel.py); None in a reader's own run.
listener = None


def say(text):
    """Show ``text`` (Markdown) as a sentence of the page; reads the same in JupyterLab, in Colab and in a download."""
    from IPython.display import Markdown, display

    if listener is not None:
        listener.said(text, sys._getframe(1))
    display(Markdown(text))


def claim(words, condition):
    """Hold a conclusion of the text to its condition.

    Parameters
    ----------
    words : str
        Words of the sentence, as they stand in the same section; a test finds them there.
    condition : bool
        What must be so for the sentence to be true: of everything that it speaks of, nothing adjacent.

    Raises
    ------
    AssertionError
        In the build and the tests, naming the sentence. A reader's own run goes on, with a note: who changes a cell may
        find something else than the page did.
    """
    if bool(condition):
        return
    if listener is not None:
        if listener.recording:
            return listener.noted("false", words, "", sys._getframe(1))
        raise AssertionError(f'The page says "{words}", but this run does not carry it ({current_edition()} edition)')
    say(f'*With what you changed, the sentence "{words}" is no longer true.*')


def glue(name, value):
    """Keep ``value`` under ``name`` so that other pages can quote it with a glue role.

    Numbers become Python floats or ints (a NumPy scalar does not format in a glue role). Outside the book's
    environment, in Colab say, where myst-nb is not installed, this does nothing: no page is there to quote it.
    """
    value = value.item() if hasattr(value, "item") else value
    if listener is not None:
        listener.noted("glue", name, value, sys._getframe(1))
    try:
        from myst_nb import glue as myst_glue
    except ImportError:
        return
    myst_glue(name, value, display=False)


def check(name, value, *, full=None, sample=None, runs=None):
    """Hold a value that no sentence prints to its band, as :func:`say` does for the numbers of a sentence.

    Parameters
    ----------
    name : str
        What the value is; unique in its chapter.
    value : float
    full, sample : (float, float), optional
        Smallest and largest value allowed in each edition, where they are known by reasoning; ``sample=None`` takes the same
        bounds for both. Without them the band from repeated runs alone decides (data/bands).
    runs : int
        How many runs, with different seeds, the bounds come from.

    Raises
    ------
    AssertionError
        Naming the value, the bounds and the edition.
    TypeError
        For bounds without ``runs``.
    """
    value = float(value)
    if listener is not None:
        listener.noted("check", name, value, sys._getframe(1))
        if listener.recording:
            return
    if full is None:
        return
    if runs is None:
        raise TypeError("check(): bounds need runs=, the number of runs that they come from")
    edition = current_edition()
    low, high = full if edition == "full" or sample is None else sample
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
