"""Experiments made for one test: what the tests of recordings share."""

import itertools
import json
import os
import subprocess
import sys
import textwrap
import time

import experiments
from experiments.bench import __main__ as recorder
from experiments.bench import declare
from helpers.measurements import digest
from notebook_rules import ROOT

TOY = '''
"""A toy experiment."""

import os

import numpy as np

from experiments.bench.declare import experiment
from experiments.{name}_parts import SCALE, noise


@experiment(settings=[{{"size": (1, 2)}}, {{"size": (3,)}}], seeds=4, compare=("total",))
def {name}(digits, size, seed):
    """Adds up, and notes each run in a file."""
    if os.environ.get("TOY_LOG"):
        with open(os.environ["TOY_LOG"], "a") as file:
            file.write(f"{{list(size)}} {{seed}}\\n")
    {slow}
    return {{"total": float(SCALE * sum(size) + noise(seed)), "parts": np.array(size) * 1.0}}
'''
PARTS = '''
"""What the toy uses."""

import numpy as np

SCALE = 10


def noise(seed):
    """Small numbers."""
    # a comment
    return 0.01 * np.random.default_rng(seed).normal()
'''


class Toys:
    """Experiments made for one test, in a folder that counts as part of the package ``experiments``."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.monkeypatch = folder, monkeypatch
        (folder / "toys").mkdir()
        (folder / "measurements").mkdir()
        monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(folder / "toys")])
        monkeypatch.setenv("DIGITS_MEASUREMENTS", str(folder / "measurements"))
        monkeypatch.setenv("DIGITS_EDITION", "sample")
        monkeypatch.setattr(declare, "EXPERIMENTS", {})
        self.log = folder / "log"
        monkeypatch.setenv("TOY_LOG", str(self.log))

    def write(self, name="toy", slow="", parts=PARTS, edit=lambda code: code):
        """Write (again) and import the toy; return the experiment."""
        for module, code in ((f"{name}_parts", parts), (name, edit(TOY.format(name=name, slow=slow)))):
            path = self.folder / "toys" / f"{module}.py"
            path.write_text(code)
            os.utime(path, (time.time() + next(TICKS),) * 2)  # so that no compiled copy of before is taken
            sys.modules.pop(f"experiments.{module}", None)
        declare.EXPERIMENTS.clear()
        __import__(f"experiments.{name}")
        return getattr(sys.modules[f"experiments.{name}"], name)

    def record(self, *arguments, name="toy", edition="sample"):
        """Record in this process."""
        self.monkeypatch.setattr(declare, "load_all", list)
        return recorder.main([name, "--edition", edition, "--serial", *arguments])

    def child(self, before=""):
        """Record the sample edition in a process of its own, which runs the code ``before`` first."""
        code = f"""
            import pkgutil
            import experiments
            import helpers.data
            helpers.data.load_mnist = lambda quiet: None  # the toy needs no digits
            experiments.__path__.append({str(self.folder / "toys")!r})
            pkgutil.iter_modules = lambda path: [pkgutil.ModuleInfo(None, "toy", False)]
            from experiments.bench.__main__ import main
            raise SystemExit(main(["--edition", "sample", "--serial"]))
        """
        return subprocess.Popen(
            [sys.executable, "-c", before + textwrap.dedent(code)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def path(self):
        """Where the recording lies."""
        return self.folder / "measurements" / "toy.json"

    def runs_made(self):
        """The runs that were made, in their order, as text."""
        return self.log.read_text().splitlines() if self.log.exists() else []


TICKS = itertools.count(1)
ALL_RUNS = [f"{size} {seed}" for seed in range(4) for size in ([1, 2], [3])]


def edited(change, stamp=False):
    """A fault: the content of the file is changed; with ``stamp`` its digests are made to fit."""

    def plant(path):
        content = json.loads(path.read_text())
        change(content)
        for edition in content["editions"] if stamp else ():
            content["editions"][edition]["digest"] = digest(content, edition)
        path.write_text(json.dumps(content))

    return plant


def wait_for(condition, process, seconds=60):
    """Wait until something has happened, while the process lives."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
