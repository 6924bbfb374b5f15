"""Fixtures: experiments made for one test, and their recording."""

import json
import sys

import pytest
from toys import Toys


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
    content = json.loads(toys.path.read_text())
    content["editions"]["full"] = content["editions"]["sample"]
    toys.path.write_text(json.dumps(content))
    return toys
