"""For every pytest run, the chapters' included: settle the data once, in the first process, for all others and their kernels."""

import os


def pytest_configure(config):
    """Ask for MNIST once; workers and notebook kernels inherit the answer."""
    os.environ["DIGITS_BUILD"] = "1"  # no progress bars
    if not hasattr(config, "workerinput"):
        import pytest

        from helpers.data import DataError, settle_edition

        try:
            digits = settle_edition()
        except DataError as error:
            pytest.exit(str(error), returncode=1)
        config.digits_line = f"data: {digits.edition} edition, {digits.source}"


def pytest_report_header(config):
    """Say in the first lines of a run which edition it is."""
    return getattr(config, "digits_line", None)
