"""The wheel of what readers need: what it holds, and what it never does."""

import json
import zipfile

import pytest
from notebook_rules import ROOT

from tools.copies.wheel import build_wheel, wheel_digest


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The helpers' wheel, built without network."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_code_recordings_and_lock_and_nothing_else(wheel):
    """What readers need: helpers and experiments with their rooms (experiments/bench), and the recordings; no tools, no coursework."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        about = {name.split(".dist-info/")[1] for name in archive.namelist() if ".dist-info/" in name}
        metadata = archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
        recording = json.loads(archive.read("helpers/recordings/report_training.json"))
    expected = {
        f"{path.relative_to(ROOT)}" for folder in ("helpers", "experiments") for path in (ROOT / folder).rglob("*.py")
    }
    expected |= {f"helpers/recordings/{path.name}" for path in (ROOT / "data" / "measurements").glob("*.json")}
    models = {name for name in names if name.startswith("helpers/page_models/")}
    assert names - models == expected | {"helpers/requirements.txt"}
    assert {name.split("/")[0] for name in names} == {"helpers", "experiments"}
    assert "entry_points.txt" not in about, "an entry point would name tools that readers do not have"
    assert about >= {"METADATA", "RECORD", "WHEEL"}
    assert recording["name"] == "report_training"
    needs = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert any("mlxtend" in line for line in needs) and not any("jupyter-book" in line for line in needs)


def test_the_same_files_give_the_same_wheel(wheel, tmp_path):
    assert build_wheel(ROOT, tmp_path).read_bytes() == wheel.read_bytes()


def test_building_the_wheel_leaves_nothing_in_the_project(wheel):
    assert not (ROOT / "build").exists()


def test_a_change_of_a_recording_changes_the_wheels_digest(tmp_path):
    for name in ("helpers", "data/measurements"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "helpers" / "a.py").write_text("x = 1")
    (tmp_path / "data" / "measurements" / "b.json").write_text("{}")
    before = wheel_digest(tmp_path)
    (tmp_path / "data" / "measurements" / "b.json").write_text("{ }")
    assert wheel_digest(tmp_path) != before
