"""Progress bars, where somebody watches."""

import os
import sys


def somebody_watches():
    """Say whether a progress bar is seen: in JupyterLab and in a terminal, but neither on a built page nor in a test."""
    return not os.environ.get("DIGITS_BUILD") and ("ipykernel" in sys.modules or sys.stderr.isatty())


def progress(iterable, **options):
    """Go through ``iterable`` with a bar of tqdm's where somebody watches; ``options`` go to tqdm."""
    from tqdm import tqdm

    return tqdm(iterable, disable=not somebody_watches(), leave=False, **options)
