"""For every pytest run, the chapters' included: settle the data once, in the first process, for all others and their kernels."""

import os
import tempfile


def pytest_configure(config):
    """Ask for MNIST once; workers and notebook kernels inherit the answer."""
    os.environ["DIGITS_BUILD"] = "1"  # no progress bars
    if not hasattr(config, "workerinput"):
        if config.getoption("nbval", False) or config.getoption("nbval_lax", False):
            hold_chapters_to_their_bands(config)
        import pytest

        from helpers.data import DataError, settle_edition

        try:
            digits = settle_edition()
        except DataError as error:
            pytest.exit(str(error), returncode=1)
        config.digits_line = f"data: {digits.edition} edition, {digits.source}"


def hold_chapters_to_their_bands(config):
    """Give the notebooks' kernels the profile in which every sentence is held to its band (tools/guards)."""
    from tools.guards.kernel import write_profile

    folder = tempfile.TemporaryDirectory(prefix="ipython-")
    config.add_cleanup(folder.cleanup)
    os.environ["IPYTHONDIR"] = str(write_profile(folder.name))


def pytest_report_header(config):
    """Say in the first lines of a run which edition it is."""
    return getattr(config, "digits_line", None)
