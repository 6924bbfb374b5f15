"""The hash of the code: what voids a recording, and what does not."""

import os
import shutil
import subprocess
import sys
import time

import experiments
import pytest
from experiments.bench.code import Code, code_hash, makes_no_results, parsed, results_code
from notebook_rules import ROOT
from toys import PARTS, TICKS, TOY

HARMLESS = {
    "nothing": lambda code: code,
    "a comment": lambda code: code.replace("# a comment", "# another comment"),
    "a docstring": lambda code: code.replace("Small numbers.", "Numbers that are small.\n\n    Very."),
    "layout": lambda code: code.replace("0.01 * np", "(\n        0.01\n        * np").replace(
        ".normal()", ".normal()\n    )"
    ),
    "something it does not use": lambda code: code + "\n\nOTHER = 5\n\n\ndef other():\n    return 5\n",
}
HARMFUL = {
    "a number": lambda code: code.replace("0.01", "0.02"),
    "a call": lambda code: code.replace("normal()", "uniform()"),
    "a constant": lambda code: code.replace("SCALE = 10", "SCALE = 11"),
    "a type": lambda code: code.replace("SCALE = 10", "SCALE = 10.0"),
    "what it calls in turn": lambda code: (
        code.replace("return 0.01", "return small()") + "\n\ndef small():\n    return 0.02\n"
    ),
}


@pytest.mark.parametrize("change", HARMLESS)
def test_the_hash_stays_when_nothing_that_matters_changed(toys, change):
    before = code_hash(toys.write())
    assert code_hash(toys.write(parts=HARMLESS[change](PARTS))) == before


@pytest.mark.parametrize("change", HARMFUL)
def test_the_hash_changes_with_a_called_helpers_code(toys, change):
    before = code_hash(toys.write())
    assert HARMFUL[change](PARTS) != PARTS
    assert code_hash(toys.write(parts=HARMFUL[change](PARTS))) != before


def test_the_hash_changes_with_the_experiment_and_not_with_its_list_of_runs(toys):
    before = code_hash(toys.write())
    assert code_hash(toys.write(edit=lambda code: code.replace("float(SCALE", "int(SCALE"))) != before
    assert code_hash(toys.write(edit=lambda code: code.replace("Adds up", "Sums up"))) == before
    assert code_hash(toys.write(edit=lambda code: code.replace("seeds=4", "seeds=5"))) == before


MOVED = """
'''Where noise stands now.'''

import numpy as np


def noise(seed):
    return 0.01 * np.random.default_rng(seed).normal()
"""
TWO_DOWN = """
import numpy as np

SCALE = 10
SIZE = 0.01


def small(value):
    return SIZE * value


def noise(seed):
    return small(np.random.default_rng(seed).normal())
"""
ALIASES = {
    "the package's": lambda code: code.replace("import numpy as np", "import numpy as numbers").replace(
        "np.", "numbers."
    ),
    "a function's": lambda code: code.replace("import SCALE, noise", "import SCALE, noise as loud").replace(
        "noise(seed)", "loud(seed)"
    ),
    "a constant's": lambda code: code.replace("import SCALE,", "import SCALE as TEN,").replace(
        "SCALE * sum", "TEN * sum"
    ),
}


def test_a_function_moved_to_another_file_voids_no_recording(toys):
    toys.write()
    toys.record()
    (toys.folder / "toys" / "toy_moved.py").write_text(MOVED)
    toys.write(parts="from experiments.toy_moved import noise\n\nSCALE = 10\n")
    toys.record()
    assert len(toys.runs_made()) == 8
    # ... and it is still the function that counts, where it stands now.
    (toys.folder / "toys" / "toy_moved.py").write_text(MOVED.replace("0.01", "0.02"))
    sys.modules.pop("experiments.toy_moved")
    toys.write(parts="from experiments.toy_moved import noise\n\nSCALE = 10\n")
    toys.record()
    assert len(toys.runs_made()) == 16


def test_a_changed_constant_two_calls_down_voids_a_recording(toys):
    toys.write(parts=TWO_DOWN)
    toys.record()
    toys.write(parts=TWO_DOWN)
    toys.record()
    assert len(toys.runs_made()) == 8
    toys.write(parts=TWO_DOWN.replace("SIZE = 0.01", "SIZE = 0.02"))
    toys.record()
    assert len(toys.runs_made()) == 16


@pytest.mark.parametrize("whose", ALIASES)
def test_another_name_for_what_is_imported_voids_nothing(toys, whose):
    before = code_hash(toys.write())
    assert ALIASES[whose](TOY) != TOY
    assert code_hash(toys.write(edit=ALIASES[whose])) == before


def test_what_importing_a_module_does_counts(toys):
    before = code_hash(toys.write())
    effect = "\n\nnp.random.seed({})\n"
    changed = code_hash(toys.write(parts=PARTS + effect.format(1)))
    assert changed != before
    assert code_hash(toys.write(parts=PARTS + effect.format(2))) not in (before, changed)


def test_an_experiment_and_its_function_have_one_hash(toys):
    one = toys.write()
    assert code_hash(one) == code_hash(one.function)


def test_a_process_is_judged_by_the_code_that_it_has_loaded(toys):
    """A worker that lives on while files are edited: what it has read once is not read again."""
    loaded, one = results_code(), toys.write()
    before = code_hash(one, loaded)
    one = toys.write(parts=PARTS.replace("SCALE = 10", "SCALE = 11"))
    assert code_hash(one, loaded) == before != code_hash(one)


FOLLOWED = {
    "imported inside the function": "from experiments.toy_deep import deep\n    return deep(seed)",
    "imported inside under another name": "from experiments.toy_deep import deep as d\n    return d(seed)",
    "a module imported inside": "import experiments.toy_deep\n    return experiments.toy_deep.deep(seed)",
    "a module from the package": "from experiments import toy_deep\n    return toy_deep.deep(seed)",
    "a table of functions": "return TABLE['deep'](seed)",
    "a partial function": "return PART(seed)",
    "a wrapped function": "return WRAPPED(seed)",
    "a class's method": "return Deep().method(seed)",
    "a lambda": "return LAMBDA(seed)",
}
DEEP = """
import functools


def deep(seed):
    return 1


class Deep:
    def method(self, seed):
        return 1


TABLE = {"deep": deep}
PART = functools.partial(deep)
WRAPPED = functools.cache(deep)
LAMBDA = lambda seed: 1
"""


@pytest.mark.parametrize("way", FOLLOWED)
def test_the_hash_follows(toys, way):
    parts = (
        "from experiments.toy_deep import LAMBDA, PART, TABLE, WRAPPED, Deep\n\nSCALE = 1\n\n\ndef "
        f"noise(seed):\n    {FOLLOWED[way]}\n"
    )

    def hashed(deep):
        path = toys.folder / "toys" / "toy_deep.py"
        path.write_text(deep)
        os.utime(path, (time.time() + next(TICKS),) * 2)
        sys.modules.pop("experiments.toy_deep", None)
        vars(experiments).pop("toy_deep", None)
        return code_hash(toys.write(parts=parts))

    before = hashed(DEEP)
    assert hashed(DEEP) == before
    assert hashed(DEEP.replace("return 1", "return 2").replace("seed: 1", "seed: 2")) != before


def test_the_hash_counts_prepare_but_not_reading(toys):
    use = (
        "from helpers.data import load_mnist, prepare\n\nSCALE = 1\n\n\ndef noise(seed):\n    return "
        "prepare(load_mnist().x_train)\n"
    )
    toys.write(parts=use)
    counted = {name for _, module, name in Code(left_out=makes_no_results).reached("experiments.toy_parts:noise")}
    assert "prepare" in counted and "load_mnist" not in counted


def test_the_hash_is_the_same_in_every_process_and_python(toys):
    """A set's order and an object's address differ between processes; ast.dump differs between Python versions."""
    parts = (
        'NAMES = {"a", "b", "c", "d"}\nSCALE = 1\n\n\ndef noise(seed):\n    return len(NAMES), '
        'f"{seed:.{SCALE}f} {seed!r}", None, ...\n'
    )
    here = code_hash(toys.write(parts=parts))
    code = (
        f"import experiments; experiments.__path__.append({str(toys.folder / 'toys')!r}); from "
        "experiments.toy import toy; "
        "from experiments.bench.code import code_hash; print(code_hash(toy))"
    )
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        result = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert result.stdout.strip() == here


def test_the_hash_does_not_depend_on_where_the_project_lies(tmp_path):
    code = "from experiments.evaluation import calibration\nfrom experiments.bench.code import code_hash\nprint(code_hash(calibration))"
    for name in ("helpers", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    hashes = set()
    for place in (ROOT, tmp_path):
        settings = {**os.environ, "PYTHONPATH": str(place)}
        done = subprocess.run([sys.executable, "-c", code], cwd=place, env=settings, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        hashes.add(done.stdout)
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("line", "cure"),
    [("from helpers.plots import *", "name what is imported"), ("from .training import x", "full names")],
)
def test_an_import_that_hides_what_is_used_is_refused(line, cure):
    with pytest.raises(ValueError, match=cure):
        parsed(line)


def test_a_module_that_is_handed_on_counts_as_a_whole():
    """getattr(module, name) may use any name of the module."""
    files = {
        "helpers.one": "A = 1\nB = 2\n",
        "helpers.two": "from helpers import one\n\n\ndef get(name):\n    return getattr(one, name)\n",
    }

    def digest(files):
        code = Code(find=lambda name: None)
        code.files = {name: parsed(text) for name, text in files.items()} | {"helpers": parsed("")}
        return code.digest("helpers.two:get")

    assert digest(files) == digest(files | {"helpers.one": "A = 1\n# a comment\nB = 2\n"})
    assert digest(files) != digest(files | {"helpers.one": "A = 1\nB = 3\n"})


def test_two_functions_that_call_each_other_have_a_digest():
    text = (
        "def odd(n):\n    return n and even(n - 1)\n\n\ndef even(n):\n    return not n or odd(n - STEP)\n\n\nSTEP = 1\n"
    )

    def digest(text):
        code = Code(find=lambda name: None)
        code.files = {"helpers.one": parsed(text), "helpers": parsed("")}
        return code.digest("helpers.one:odd")

    assert digest(text) == digest(text) != digest(text.replace("STEP = 1", "STEP = 2"))
