"""Fixtures: experiments made for one test, and their recording."""

import sys

import pytest
from toys import Toys, edited


@pytest.fixture
def toys(tmp_path, monkeypatch):
    before = {name for name in sys.modules if name.startswith("experiments.")}
    yield Toys(tmp_path, monkeypatch)
    for name in {name for name in sys.modules if name.startswith("experiments.")} - before:
        del sys.modules[name]


@pytest.fixture
def recorded(toys):
    """Toys with a recording of both editions; the full one is the sample's, renamed."""
    toys.write()
    assert toys.record() == 0
    edited(lambda content: content["editions"].update(full=dict(content["editions"]["sample"])), stamp=True)(toys.path)
    return toys
