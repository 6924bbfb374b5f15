"""Which edition is asked for, and where the data lie: what the environment variables and the project's folder say."""

from __future__ import annotations

import os
from pathlib import Path

from helpers.files import DataError


def wanted_edition() -> str:
    """What DIGITS_EDITION asks for: "auto", "full" or "sample". DataError for anything else."""
    edition = os.environ.get("DIGITS_EDITION") or "auto"
    if edition not in ("auto", "full", "sample"):
        raise DataError(f"The environment variable DIGITS_EDITION is {edition!r}. Set it to auto, full or sample.")
    return edition


def data_folder() -> Path:
    """``data/`` of the project that this file or else the current folder is in; without one, a cache of the user's.

    So an installed wheel writes to the cache (``~/.cache/digits-book`` on Linux) and never beside its own modules.
    """
    for start in (Path(__file__).resolve(), Path.cwd() / "here"):
        for folder in start.parents:
            if (folder / "pyproject.toml").is_file() and (folder / "helpers" / "data.py").is_file():
                return folder / "data"
    import pooch

    return pooch.os_cache("digits-book")


def keras_folder() -> Path:
    """Where Keras keeps the data sets that it downloads: ``~/.keras/datasets``, or below KERAS_HOME."""
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME") or "~/.keras"), "datasets")


def current_settings() -> tuple:
    """All settings that decide what load_mnist() gives, as they are now."""
    names = ("DIGITS_EDITION", "DIGITS_DATA", "DIGITS_MIRRORS")
    return (*map(os.environ.get, names), data_folder(), keras_folder())
