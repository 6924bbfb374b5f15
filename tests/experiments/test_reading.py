"""Reading a recording: its values, where it comes from, and what is wrong with a bad one."""

import json
import os

import numpy as np
import pytest
from helpers import measurements
from helpers.measurements import MeasurementError, measurement
from toys import edited


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
        f"Recorded on {about['machines'][0]['date']}: 8 runs on full MNIST, {about['machines'][0]['processor']}",
        f"{os.cpu_count()} cores",
        "Python 3.",
        "keras",
        "numpy",
        "make measurements NAME=toy",
    ):
        assert part in line
    measurement("toy", "sample").provenance()
    assert "the sample edition" in said[1]


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
    "no machines": (
        edited(lambda content: content["editions"]["full"].pop("machines")),
        "is incomplete (no 'machines')",
        "record it",
    ),
    "a run on a machine that is not there": (
        edited(lambda content: content["editions"]["full"]["runs"][5].update(machine=1)),
        "is incomplete",
        "record it",
    ),
    "no digest": (
        edited(lambda content: content["editions"]["full"].pop("digest")),
        "was altered",
        "restore it from git",
    ),
    "an altered machine": (
        edited(lambda content: content["editions"]["full"]["machines"][0].update(cores=64)),
        "was altered",
        "restore it from git",
    ),
    "another hash of the code": (
        edited(lambda content: content["editions"]["full"].update(code="0" * 64)),
        "was altered",
        "restore it from git",
    ),
    "the other edition's runs": (
        edited(lambda content: content["editions"].update(full=content["editions"]["sample"])),
        "was altered",
        "restore it from git",
    ),
    "another recording's file": (
        edited(lambda content: content.update(name="other"), stamp=True),
        "was altered",
        "restore it from git",
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
        recorded.monkeypatch.setattr("helpers.data.load_mnist", lambda quiet: None)
        assert recorded.record(edition=edition) == 0
    assert len(measurement("toy").runs) == len(measurement("toy", "sample").runs) == 8


def test_provenance_of_several_machines_dates_and_versions(recorded):
    def elsewhere(content):
        about = content["editions"]["full"]
        about["machines"][0].update(
            date="2026-02-10", processor="one", cores=2, versions={"keras": "3.9.1", "numpy": "2.4"}
        )
        other = {"date": "2026-02-09", "processor": "two", "cores": 64, "versions": {"keras": "3.10.0", "numpy": "2.4"}}
        about["machines"] += [other, other | {"date": "2026-02-11"}]
        for i, run in enumerate(about["runs"]):
            run["machine"] = [0, 0, 0, 1, 1, 2, 2, 2][i]

    edited(elsewhere, stamp=True)(recorded.path)
    said = []
    recorded.monkeypatch.setattr(measurements, "say", said.append)
    measurement("toy").provenance()
    assert said == [
        "*Recorded from 2026-02-09 to 2026-02-11: 8 runs on full MNIST, 5 of them on two, 64 cores; 3 of them on one, 2 cores, "
        "keras 3.9.1 to 3.10.0, numpy 2.4. `make measurements NAME=toy` records it again.*"
    ]
