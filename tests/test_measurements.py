"""Recordings: reading and repeating them, hashing code, and recording so that a kill or a full disk costs nothing."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import experiments
import numpy as np
import pytest
from experiments import __main__ as recorder
from experiments.bench.code import Code, code_hash, makes_no_results
from helpers import measurements
from helpers.measurements import MeasurementError, digest, measurement
from notebook_rules import ROOT

TOY = '''
"""A toy experiment."""

import os

import numpy as np

from experiments.{name}_parts import SCALE, noise
from helpers.measurements import experiment


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
        monkeypatch.setattr(measurements, "EXPERIMENTS", {})
        monkeypatch.setattr(recorder, "EXPERIMENTS", measurements.EXPERIMENTS)
        self.log = folder / "log"
        monkeypatch.setenv("TOY_LOG", str(self.log))

    def write(self, name="toy", slow="", parts=PARTS, edit=lambda code: code):
        """Write (again) and import the toy; return its function."""
        for module, code in ((f"{name}_parts", parts), (name, edit(TOY.format(name=name, slow=slow)))):
            path = self.folder / "toys" / f"{module}.py"
            path.write_text(code)
            os.utime(path, (time.time() + next(TICKS),) * 2)  # so that no compiled copy of before is taken
            sys.modules.pop(f"experiments.{module}", None)
        measurements.EXPERIMENTS.clear()
        __import__(f"experiments.{name}")
        return getattr(sys.modules[f"experiments.{name}"], name)

    def record(self, *arguments, name="toy", edition="sample"):
        """Record in this process."""
        self.monkeypatch.setattr(recorder.pkgutil, "iter_modules", lambda path: [])
        return recorder.main([name, "--edition", edition, *arguments])

    def child(self, before=""):
        """Record the sample edition in a process of its own, which runs the code ``before`` first."""
        code = f"""
            import pkgutil
            import experiments
            import helpers.data
            helpers.data.load_mnist = lambda quiet: None  # the toy needs no digits
            experiments.__path__.append({str(self.folder / "toys")!r})
            pkgutil.iter_modules = lambda path: [pkgutil.ModuleInfo(None, "toy", False)]
            from experiments.__main__ import main
            raise SystemExit(main(["--edition", "sample"]))
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


# ---------------------------------------------------------------- reading


def test_values_mean_and_standard_deviation(recorded):
    one = measurement("toy")
    assert one.name == "toy" and one.edition == "full" and len(one.runs) == 8
    totals = one.values("total", size=(1, 2))  # a tuple here, a list in the file
    assert totals.shape == (4,) and totals.dtype == float
    noise = [0.01 * np.random.default_rng(seed).normal() for seed in range(4)]
    np.testing.assert_allclose(totals, 30 + np.array(noise))
    np.testing.assert_array_equal(totals, one.values("total", size=[1, 2]))
    assert one.mean("total", size=(1, 2)) == pytest.approx(30 + np.mean(noise)) and isinstance(
        one.mean("total", size=(1, 2)), float
    )
    assert one.std("total", size=(1, 2)) == pytest.approx(np.std(noise, ddof=1)) and isinstance(
        one.std("total", size=(1, 2)), float
    )
    assert one.values("parts", size=(1, 2)).shape == (4, 2)
    np.testing.assert_array_equal(one.mean("parts", size=(1, 2)), [1, 2])
    np.testing.assert_array_equal(one.std("parts", size=(1, 2)), [0, 0])
    assert [run["total"] for run in one.select(seed=2)] == pytest.approx([30 + noise[2], 30 + noise[2]])
    assert len(one.values("total")) == 8
    assert measurement("toy", "sample").edition == "sample"


@pytest.mark.parametrize("settings", [{"size": (9,)}, {"seed": 99}, {"colour": None}])
def test_runs_that_were_not_recorded(recorded, settings):
    with pytest.raises(MeasurementError, match=r"toy\.json: no run with"):
        measurement("toy").values("total", **settings)


def test_provenance_says_where_it_comes_from(recorded, capsys):
    said = []
    recorded.monkeypatch.setattr(measurements, "say", said.append)
    measurement("toy").provenance()
    about = json.loads(recorded.path.read_text())["editions"]["full"]
    (line,) = said
    for part in (
        about["date"],
        "8 runs",
        "full MNIST",
        about["processor"],
        f"{os.cpu_count()} cores",
        "Python 3.",
        "keras",
        "numpy",
        "make measurements NAME=toy",
    ):
        assert part in line
    measurement("toy", "sample").provenance()
    assert "the sample edition" in said[1]


def edited(change):
    """A fault: the content of the file is changed."""

    def plant(path):
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return plant


def set_result(content):
    content["editions"]["full"]["runs"][3]["result"]["total"] += 0.001


def set_seed(content):
    content["editions"]["full"]["runs"][3]["settings"]["seed"] = 0


def folder_in_its_place(path):
    path.unlink()
    path.mkdir()


BAD_FILES = {
    "missing": (lambda path: path.unlink(), "is missing", "record it"),
    "empty": (lambda path: path.write_text(""), "cannot be read as a recording", "restore it from git, or record it"),
    "cut short": (
        lambda path: path.write_text(path.read_text()[:-100]),
        "cannot be read as a recording",
        "restore it from git, or record it",
    ),
    "cut in a letter": (
        lambda path: path.write_bytes(path.read_bytes()[:200] + b"\xc3"),
        "cannot be read",
        "restore it from git",
    ),
    "not JSON": (
        lambda path: path.write_text("<html>"),
        "cannot be read as a recording",
        "restore it from git, or record it",
    ),
    "a list": (lambda path: path.write_text("[1]"), "is incomplete", "record it"),
    "null": (lambda path: path.write_text("null"), "is incomplete", "record it"),
    "a folder": (folder_in_its_place, "cannot be read as a recording", "restore it from git"),
    "no full edition": (
        edited(lambda content: content["editions"].pop("full")),
        "is incomplete (no 'full')",
        "record it",
    ),
    "no runs": (
        edited(lambda content: content["editions"]["full"]["runs"].clear()),
        "is incomplete (no 'runs')",
        "record it",
    ),
    "no module": (edited(lambda content: content.pop("module")), "is incomplete (no 'module')", "record it"),
    "a run without result": (
        edited(lambda content: content["editions"]["full"]["runs"][5].pop("result")),
        "is incomplete",
        "record it",
    ),
    "an altered result": (edited(set_result), "was altered", "restore it from git, or record it"),
    "an altered setting": (edited(set_seed), "was altered", "restore it from git, or record it"),
    "a run taken away": (
        edited(lambda content: content["editions"]["full"]["runs"].pop()),
        "was altered",
        "restore it from git",
    ),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_recording_names_file_fault_and_cure(recorded, fault):
    plant, what, cure = BAD_FILES[fault]
    plant(recorded.path)
    with pytest.raises(MeasurementError) as error:
        measurement("toy")
    for part in (str(recorded.path), what, cure, "make measurements NAME=toy"):
        assert part in str(error.value)


@pytest.mark.parametrize("fault", ["empty", "cut short", "a list", "null", "an altered result", "a run without result"])
def test_the_cure_works(recorded, fault):
    BAD_FILES[fault][0](recorded.path)
    for edition in ("sample", "full"):
        recorded.monkeypatch.setattr(recorder, "load_mnist", lambda quiet: None, raising=False)
        recorded.monkeypatch.setattr("helpers.data.load_mnist", lambda quiet: None)
        assert recorded.record(edition=edition) == 0
    assert len(measurement("toy").runs) == len(measurement("toy", "sample").runs) == 8


# ---------------------------------------------------------------- repeating


def test_repeating_a_run_agrees(recorded):
    said = []
    recorded.monkeypatch.setattr(measurements, "say", said.append)
    live = measurement("toy").repeat(size=(1, 2), seed=1)
    assert live["total"] == measurement("toy", "sample").values("total", size=(1, 2))[1]
    assert (
        len(said) == 1 and "seed 1, sample edition" in said[0] and "total 30" in said[0] and "in 4 recorded" in said[0]
    )


def test_repeating_fails_when_the_function_has_changed(recorded):
    one = measurement("toy")
    recorded.write(parts=PARTS.replace("SCALE = 10", "SCALE = 11"))
    with pytest.raises(
        MeasurementError,
        match=r"toy .*seed 0: total is 33.*, but 30.* in the 4 recorded runs.*make measurements NAME=toy",
    ):
        one.repeat(size=(1, 2))


def test_repeating_fails_on_a_result_that_is_no_number(recorded):
    one = measurement("toy")
    recorded.write(parts=PARTS.replace("SCALE = 10", 'SCALE = float("nan")'))
    with pytest.raises(MeasurementError, match="total is nan"):
        one.repeat(size=(1, 2))


def test_repeating_allows_another_processors_rounding_and_no_more(recorded):
    deterministic = "    return 0.0\n"
    recorded.write(parts=PARTS[: PARTS.index("    # a comment")] + deterministic)
    recorded.record("--again")
    one = measurement("toy", "sample")
    assert one.std("total", size=(1, 2)) == 0
    for scale, agrees in ((10.005, True), (9.995, True), (10.02, False), (9.98, False)):
        recorded.write(
            parts=PARTS.replace("SCALE = 10", f"SCALE = {scale}")[: -len(PARTS.split("# a comment")[1]) - 15]
            + deterministic
        )
        if agrees:
            one.repeat(size=(1, 2))
        else:
            with pytest.raises(MeasurementError):
                one.repeat(size=(1, 2))


def test_repeating_needs_the_current_edition_recorded(recorded):
    edited(lambda content: content["editions"].pop("sample"))(recorded.path)
    with pytest.raises(MeasurementError, match="holds no sample edition: run make measurements NAME=toy"):
        measurement("toy").repeat(size=(1, 2))


# ---------------------------------------------------------------- the hash of the code

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


def test_two_experiments_of_one_name_are_refused(toys):
    toys.write()
    (toys.folder / "toys" / "toy_again.py").write_text(TOY.format(name="toy", slow=""))
    with pytest.raises(ValueError, match="two experiments are called toy"):
        __import__("experiments.toy_again")


# ---------------------------------------------------------------- recording


def test_a_recording_holds_every_run_and_where_it_comes_from(toys):
    function = toys.write()
    assert toys.record() == 0
    content = json.loads(toys.path.read_text())
    assert (
        content["name"] == "toy" and content["module"] == "experiments.toy" and list(content["editions"]) == ["sample"]
    )
    about = content["editions"]["sample"]
    assert about["code"] == code_hash(function) and about["digest"] == digest(about["runs"])
    assert (
        about["processor"]
        and about["cores"] == os.cpu_count()
        and {"Python", "keras", "numpy"} <= about["versions"].keys()
    )
    assert [run["settings"] for run in about["runs"]] == [
        {"size": size, "seed": seed} for seed in range(4) for size in ([1, 2], [3])
    ]
    assert all(run["seconds"] >= 0 and run["result"]["parts"] == run["settings"]["size"] for run in about["runs"])
    assert toys.runs_made() == ALL_RUNS
    assert [path.name for path in toys.path.parent.iterdir()] == ["toy.json"]


def test_what_is_up_to_date_is_not_recorded_again(toys):
    toys.write()
    toys.record()
    before = toys.path.read_bytes()
    toys.record()
    assert toys.runs_made() == ALL_RUNS and toys.path.read_bytes() == before
    toys.record("--again")
    assert toys.runs_made() == ALL_RUNS * 2


def test_changed_code_is_recorded_again(toys):
    toys.write()
    toys.record()
    toys.write(parts=PARTS.replace("SCALE = 10", "SCALE = 11"))
    toys.record()
    assert toys.runs_made() == ALL_RUNS * 2
    assert measurement("toy", "sample").mean("total", size=(3,)) == pytest.approx(33, abs=0.1)


def test_more_seeds_add_runs_and_keep_the_others(toys):
    toys.write()
    toys.record()
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=5"))
    toys.record()
    assert toys.runs_made() == ALL_RUNS + ["[1, 2] 4", "[3] 4"]
    assert len(measurement("toy", "sample").runs) == 10
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=2"))
    toys.record()
    assert len(toys.runs_made()) == 10 and len(measurement("toy", "sample").runs) == 4


def test_runs_of_another_machine_are_not_mixed_with_new_ones(toys):
    toys.write()
    toys.record()
    edited(lambda content: content["editions"]["sample"].update(processor="another one"))(toys.path)
    toys.record()
    assert toys.runs_made() == ALL_RUNS  # up to date all the same
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=5"))
    toys.record()
    assert len(toys.runs_made()) == 8 + 10


def test_editions_are_recorded_side_by_side(recorded):
    full = json.loads(recorded.path.read_text())["editions"]["full"]
    recorded.record("--again")
    assert json.loads(recorded.path.read_text())["editions"]["full"] == full


def wait_for(condition, process, seconds=60):
    """Wait until something has happened, while the process lives."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_killed_recording_goes_on_where_it_stopped(toys):
    toys.write(slow='__import__("time").sleep(0.15)')
    process = toys.child()
    wait_for(lambda: len(toys.runs_made()) == 4, process)  # the fourth run is under way
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert not toys.path.exists()
    (partial,) = toys.path.parent.iterdir()
    finished = partial.read_text().splitlines()
    assert len(finished) == 3
    process = toys.child()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert toys.runs_made() == ALL_RUNS[:4] + ALL_RUNS[3:]  # the run that was under way was made again, no other
    runs = measurement("toy", "sample").runs
    assert len(runs) == 8
    assert [run["seconds"] for run in runs[:3]] == [json.loads(line)["seconds"] for line in finished]
    assert [path.name for path in toys.path.parent.iterdir()] == ["toy.json"]


def test_a_line_cut_short_costs_that_run_only(toys):
    """A kill in the middle of writing a line: later runs are kept on lines of their own, and survive a second kill."""
    toys.write()
    partial = toys.path.with_name("toy.sample.partial")
    toys.write(
        edit=lambda code: code.replace(
            "    return {", "    if seed == 1:\n        raise KeyboardInterrupt\n    return {"
        )
    )
    with pytest.raises(KeyboardInterrupt):
        toys.record()
    lines = partial.read_text().splitlines()
    assert len(lines) == 2
    partial.write_text(lines[0] + "\n" + lines[1][:40])  # no end of line
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            toys.record()
    # [3] 0 was made again, once; its line stood alone, so the third attempt found both.
    assert toys.runs_made() == ["[1, 2] 0", "[3] 0", "[1, 2] 1", "[3] 0", "[1, 2] 1", "[1, 2] 1"]


def test_finished_runs_of_other_code_do_not_count(toys):
    toys.write(
        edit=lambda code: code.replace(
            "    return {", "    if seed == 1:\n        raise KeyboardInterrupt\n    return {"
        )
    )
    with pytest.raises(KeyboardInterrupt):
        toys.record()
    toys.log.unlink()
    toys.write()
    toys.record()
    assert toys.runs_made() == ALL_RUNS


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on a file's size")
def test_a_full_disk_leaves_the_old_recording_whole(toys):
    toys.write()
    toys.record()
    before = toys.path.read_bytes()
    toys.write(parts=PARTS.replace("SCALE = 10", "SCALE = 11"))
    limited = textwrap.dedent("""
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
    """)
    for size in (100, len(before) - 50):
        process = toys.child(limited.format(size=size))
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1 and "File too large" in err, err
        assert toys.path.read_bytes() == before
        assert not [path for path in toys.path.parent.iterdir() if path.name.startswith(".")]
    process = toys.child()
    assert process.communicate(timeout=60) and process.returncode == 0
    assert measurement("toy", "sample").mean("total", size=(3,)) == pytest.approx(33, abs=0.1)


def test_lists_of_numbers_stand_on_one_line_and_nothing_is_changed(tmp_path):
    content = {
        "a": [1, 2.5, -3],
        "b": [[1, 2], [3, 4]],
        "c": "[ 1,\n 2 ]",
        "d": ["x [ y ]", " ]"],
        "e": [],
        "f": {"g": [1]},
    }
    path = tmp_path / "x.json"
    recorder.write_whole(path, content)
    assert json.loads(path.read_text()) == content
    assert '"a": [1, 2.5, -3]' in path.read_text() and "[1, 2]" in path.read_text()


def test_a_result_that_json_cannot_keep_is_named(toys):
    toys.write(edit=lambda code: code.replace('"parts": np.array(size) * 1.0', '"parts": {1, 2}'))
    with pytest.raises(TypeError, match="a result holds a set"):
        toys.record()


def test_unknown_names_and_the_list(toys, capsys):
    toys.write()
    toys.monkeypatch.setattr(recorder.pkgutil, "iter_modules", lambda path: [])
    assert recorder.main(["no_such"]) == 2
    assert "no experiment is called no_such; there are: toy" in capsys.readouterr().err
    assert recorder.main(["--list"]) == 0
    assert capsys.readouterr().out == "toy: 8 runs (full), 8 (sample)\n"


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
