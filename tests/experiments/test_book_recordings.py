"""Every experiment has a recording, made by its present code, complete, in both editions; every recording is used."""

import ast
import copy
import datetime
import json

import notebook_rules as rules
import pytest
from experiments.bench.code import code_hash
from experiments.bench.declare import EXPERIMENTS, Experiment, digest_of_need, load_all
from experiments.bench.store import key
from helpers.measurements import MeasurementError, digest

FOLDER = rules.ROOT / "data" / "measurements"
load_all()
DECLARED = list(EXPERIMENTS.values())
EVERY_EXPERIMENT = pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in DECLARED])
USED = {
    call.args[0].value
    for chapter in rules.book_chapters()
    for cell in chapter.code
    for call in cell.calls("measurement")
    if call.args and isinstance(call.args[0], ast.Constant)
}


def faults(one, path):
    """What is wrong with the recording of an experiment at ``path``, as sentences; each ends with the cure."""
    cure = f"make measurements NAME={one.name}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        editions = dict(content["editions"])
    except FileNotFoundError:
        yield f"{path.name} is missing: {cure}"
        return
    except (ValueError, KeyError, TypeError) as error:
        yield f"{path.name} cannot be read ({error}): {cure}"
        return
    if (content.get("name"), content.get("module")) != (one.name, one.__module__):
        yield f"{path.name} is the recording of {content.get('module')}.{content.get('name')}: {cure}"
    for edition in ("full", "sample"):
        found = list(edition_faults(one, edition, editions.get(edition)))
        if editions.get(edition) and editions[edition].get("digest") != digest(content, edition):
            found.append("it was altered since (its digest differs): restore it from git, or record it")
        yield from (f"{path.name}, {edition} edition: {fault}: {cure}" for fault in found)


def edition_faults(one, edition, about):
    """What is wrong with one edition of a recording."""
    if not about:
        yield "is missing"
        return
    if about.get("code") != code_hash(one):
        yield "the code has changed since it was recorded"
    yield from need_faults(one, about)
    runs = about.get("runs", [])
    if [key(run.get("settings")) for run in runs] != [key(settings) for settings in one.runs(edition)]:
        yield f"its {len(runs)} runs are not the {len(one.runs(edition))} that the experiment lists now"
    for run in runs:
        result = run.get("result") or {}
        if not result or "seconds" not in run:
            yield f"the run {run.get('settings')} has no result or no time"
        for name in one.compare:
            if not isinstance(result.get(name), (int, float)) or result[name] != result[name]:
                yield f"{name}, which repeated runs are compared by, is no number in the run {run.get('settings')}"
    for machine in about.get("machines") or [{}]:
        yield from machine_faults(machine)
    if {run.get("machine") for run in runs} != set(range(len(about.get("machines", [])))):
        yield "its machines are not those of its runs"
    if one.timed and len({key({**machine, "date": None}) for machine in about.get("machines", [])}) > 1:
        yield "its times come from machines that differ"


def need_faults(one, about):
    """What has changed of that which an experiment needs, since it was recorded."""
    try:
        needs = {name: digest_of_need(name) for name in one.needs}
    except MeasurementError as error:
        yield f"what it needs is not there ({error})"
        return
    for name in sorted(needs.keys() | about.get("needs", {}).keys()):
        if needs.get(name) != about.get("needs", {}).get(name):
            yield f"{name}, which it needs, has changed since it was recorded"


def machine_faults(machine):
    """What is missing from the description of a machine."""
    try:
        datetime.date.fromisoformat(str(machine.get("date")))
    except ValueError:
        yield f"its date is {machine.get('date')!r}"
    if not machine.get("processor") or not machine.get("cores") or not machine.get("threads"):
        yield "the processor or its number of cores or threads is missing"
    lacking = {"Python", "keras", "numpy", "scikit-learn"} - set(machine.get("versions", {}))
    if lacking or not any(name.startswith("tensorflow") for name in machine.get("versions", {})):
        yield f"versions are missing: {', '.join(sorted(lacking)) or 'tensorflow'}"


# ---------------------------------------------------------------- the check bites


def toy(digits, size, seed):
    """Stands for an experiment."""
    return {"total": size + seed}


TOY = Experiment(toy, [{"size": (1, 2)}, {"size": (3,)}], 2, ("total",))
RUNS = [
    {"settings": {"size": size, "seed": seed}, "result": {"total": sum(size) + seed}, "seconds": 0.1, "machine": 0}
    for seed in range(2)
    for size in ([1, 2], [3])
]
MACHINE = {
    "processor": "a processor",
    "cores": 2,
    "threads": 2,
    "versions": {"Python": "3.12", "tensorflow-cpu": "2", "keras": "3", "numpy": "2", "scikit-learn": "1"},
    "date": "2026-01-31",
}
ABOUT = {"code": code_hash(toy), "needs": {}, "machines": [MACHINE], "runs": RUNS}


def recording(**changes):
    """A good recording of the toy, and changes of its sample edition, with digests that fit them."""
    content = {"name": "toy", "module": toy.__module__}
    content["editions"] = {"full": copy.deepcopy(ABOUT), "sample": copy.deepcopy(ABOUT) | changes}
    for edition, about in content["editions"].items():
        about.setdefault("digest", digest(content, edition))
    return content


def without_result(runs):
    """The runs, the last without its result."""
    return [*runs[:-1], {name: value for name, value in runs[-1].items() if name != "result"}]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (recording(code="0" * 64), "the code has changed"),
        (recording(runs=RUNS[:-1]), "3 runs are not the 4"),
        (recording(runs=[*RUNS, RUNS[0]]), "5 runs are not the 4"),
        (recording(runs=RUNS[::-1]), "4 runs are not the 4"),
        (recording(runs=[]), "0 runs are not the 4"),
        (recording(digest="0" * 64), "altered"),
        (recording(runs=without_result(RUNS)), "has no result"),
        (recording(runs=[*RUNS[:-1], RUNS[-1] | {"result": {"total": float("nan")}}]), "is no number"),
        (recording(runs=[*RUNS[:-1], RUNS[-1] | {"result": {"total": [1, 2]}}]), "is no number"),
        (recording(machines=[MACHINE | {"date": "yesterday"}]), "its date"),
        (recording(machines=[MACHINE | {"processor": ""}]), "processor"),
        (recording(machines=[MACHINE | {"cores": None}]), "cores"),
        (
            recording(machines=[MACHINE | {"versions": {"Python": "3.12"}}]),
            "versions are missing: keras, numpy, scikit-learn",
        ),
        (recording(machines=[MACHINE | {"threads": None}]), "threads"),
        (recording(machines=[]), "its machines are not those of its runs"),
        (recording(machines=[MACHINE, MACHINE | {"cores": 4}]), "its machines are not those of its runs"),
        (recording(needs={"svm_choice": "0" * 64}), "svm_choice, which it needs, has changed"),
        ({"name": "toy", "module": toy.__module__, "editions": {"full": ABOUT}}, "sample edition: is missing"),
        (recording() | {"name": "other"}, "is the recording of"),
        ([1], "cannot be read"),
    ],
)
def test_a_bad_recording_is_noticed(content, fault, tmp_path):
    (tmp_path / "toy.json").write_text(json.dumps(content))
    found = list(faults(TOY, tmp_path / "toy.json"))
    assert any(fault in one for one in found), found
    assert all(one.endswith("make measurements NAME=toy") for one in found)


def test_times_of_machines_that_differ_are_noticed(tmp_path):
    timed = Experiment(toy, [{"size": (1, 2)}, {"size": (3,)}], 2, ("total",), timed=True)
    runs = [run | {"machine": i % 2} for i, run in enumerate(RUNS)]
    for change, fault in (({"cores": 4}, True), ({"date": "2026-02-01"}, False)):
        content = recording(runs=runs, machines=[MACHINE, MACHINE | change])
        (tmp_path / "toy.json").write_text(json.dumps(content))
        assert list(faults(TOY, tmp_path / "toy.json")) == []
        found = list(faults(timed, tmp_path / "toy.json"))
        assert [one for one in found if "its times come from machines that differ" in one] == found
        assert bool(found) == fault


def test_a_good_recording_has_no_fault_and_a_missing_one_has(tmp_path):
    assert list(faults(TOY, tmp_path / "toy.json")) == ["toy.json is missing: make measurements NAME=toy"]
    (tmp_path / "toy.json").write_text(json.dumps(recording()))
    assert list(faults(TOY, tmp_path / "toy.json")) == []
    (tmp_path / "toy.json").write_text(json.dumps(recording())[:-5])
    assert any("cannot be read" in one for one in faults(TOY, tmp_path / "toy.json"))


# ---------------------------------------------------------------- the book's own


def test_there_are_experiments():
    assert DECLARED


@EVERY_EXPERIMENT
def test_the_recording_fits_the_code(one):
    found = list(faults(one, FOLDER / f"{one.name}.json"))
    assert not found, "\n".join(found)


@EVERY_EXPERIMENT
def test_the_experiment_says_what_it_measures_and_what_is_compared(one):
    assert (one.__doc__ or "").strip()
    assert isinstance(one.compare, tuple)
    for edition in ("full", "sample"):
        runs = [key(settings) for settings in one.runs(edition)]
        assert runs and len(runs) == len(set(runs))


@EVERY_EXPERIMENT
def test_the_experiment_is_used_by_a_chapter(one):
    assert one.name in USED


@pytest.mark.parametrize("name", sorted(USED))
def test_what_a_chapter_reads_is_an_experiment(name):
    assert name in EXPERIMENTS


def test_no_recording_is_left_over():
    names = {path.stem for path in FOLDER.glob("*.json")}
    assert names <= {one.name for one in DECLARED}
