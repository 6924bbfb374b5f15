"""Recordings agree with themselves, and a number or a run that was changed by hand does not, even with a digest that fits.

What is planted here, and the share of it that is noticed, stands in ``SHARES``; what redundancies cannot notice is
left to the runs that CI makes again (``experiments/bench/again.py``), which ``test_a_run_that_is_made_again_...``
holds to what they can tell apart.
"""

import copy
import functools
import itertools
import json
import random

import pytest
from experiments.bench import again, agree
from experiments.bench.agree import Along, Mistakes, Run, faults_between, run_faults
from experiments.bench.code import results_code
from experiments.bench.declare import Experiment
from helpers.data import load_mnist, sample_edition
from planted import DECLARED, EDITIONS, Library, book, get_leaf, leaves, set_leaf, typed_over

EVERY_EXPERIMENT = pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in DECLARED])
EVERY_EDITION = pytest.mark.parametrize("edition", EDITIONS)


@functools.cache
def truth(edition):
    """The labels of an edition's test images, or None where they are not at hand: full MNIST in the sample edition."""
    if edition == "sample":
        return sample_edition("a test").y_test
    digits = load_mnist(quiet=True)
    return digits.y_test if digits.edition == edition else None


# ---------------------------------------------------------------- the book's own


@EVERY_EDITION
@EVERY_EXPERIMENT
def test_the_recording_agrees_with_itself_and_with_the_others(one, edition):
    found = Library().faults(one.name, edition, truth(edition))
    assert not found, "\n".join(found)


@EVERY_EXPERIMENT
def test_the_experiment_says_what_agrees_and_how_close_a_repetition_comes(one):
    assert one.holds and one.holds.__doc__, (
        f"{one.name}: declare holds=..., a function that says what agrees in its runs"
    )
    assert one.alike is None or one.alike.__doc__, (
        f"{one.name}: the docstring of alike says why results may be the same"
    )
    for edition in EDITIONS:
        for run in book()[one.name, edition]["runs"]:
            names = set(agree.raw(run["result"]))
            assert set(one.distinct) <= names and set(one.curves) <= names
            assert set(one.close(run["settings"])) <= names, f"{one.name}: close names a result that there is not"


@EVERY_EXPERIMENT
def test_no_training_that_is_stopped_early_is_kept_for_others(one):
    """A network that ``trained_network`` keeps would be found by the chapters, trained for one epoch."""
    used = {name for _, _, name in results_code().reached(f"{one.__module__}:{one.name}")}
    assert not (one.curves and "trained_network" in used)


# ---------------------------------------------------------------- planted: one number

#: The share of numbers, with one of their first four digits typed over, that redundancies notice: at least, of each
#: recording, full MNIST without its labels and the sample. What is low has no second place: counts of k-NN and SVMs,
#: curves between their ends.
SHARES = {
    "activation_and_sparsity": (0.60, 0.60),
    "baseline_table": (0.65, 0.65),
    "calibration": (0.35, 0.30),
    "depth_and_activation": (0.93, 0.88),
    "faster_training": (0.95, 0.95),
    "knn_choice": (0.50, 0.75),
    "optimiser_race": (0.48, 0.48),
    "other_choices": (0.05, 0.20),
    "pixel_order": (0.93, 0.90),
    "pixel_scale": (0.93, 0.90),
    "report_training": (0.55, 0.65),
    "svm_choice": (0.05, 0.20),
    "svm_growth": (0.60, 0.60),
    "thirty_epochs": (0.35, 0.45),
    "width_and_depth": (0.68, 0.68),
}
PLANTED = 300


@pytest.fixture(scope="module")
def asked():
    """Which runs are held against which others: (name, edition, settings) -> those that ask for it."""
    library = Library()
    assert library.all_faults() == []
    return library.asked


def noticed(name, edition, place, asked, plant):
    """Does a change of one run's result disagree with anything in the run itself, or in those held against it?"""
    library = Library()
    runs = book()[name, edition]["runs"]
    run = copy.deepcopy(runs[place])
    plant(run["result"])
    library.changed[name, edition] = [*runs[:place], run, *runs[place + 1 :]]
    if library.run_faults(name, edition, run["settings"], truth(edition)):
        return True
    others = asked.get((name, edition, agree.as_text(run["settings"])), ())
    return any(library.run_faults(*other, json.loads(settings)) for *other, settings in others)


@EVERY_EDITION
@EVERY_EXPERIMENT
def test_most_numbers_cannot_be_typed_over_unnoticed(one, edition, asked, record_property):
    rng = random.Random(one.name)
    runs = book()[one.name, edition]["runs"]
    places = [(place, path) for place, run in enumerate(runs) for path in leaves(run["result"])]
    places = rng.choices(places, k=PLANTED)

    def typed(path):
        return lambda result: set_leaf(result, path, typed_over(get_leaf(result, path), rng))

    seen = sum(noticed(one.name, edition, place, asked, typed(path)) for place, path in places)
    share = seen / len(places)
    record_property("share noticed", share)
    print(f"{one.name}, {edition}: {share:.0%} of {len(places)} numbers typed over are noticed")
    assert share >= SHARES[one.name][EDITIONS.index(edition)]


# ---------------------------------------------------------------- planted: whole runs


def pairs(one, edition, most=400):
    """Pairs of places of runs with the same settings and other seeds; pairs of other settings and the same seed. At most so many."""
    runs = book()[one.name, edition]["runs"]
    settings = [{name: value for name, value in run["settings"].items() if name != "seed"} for run in runs]
    seeds = [run["settings"]["seed"] for run in runs]
    every = list(itertools.combinations(range(len(runs)), 2))
    same_settings = [(a, b) for a, b in every if settings[a] == settings[b]]
    other_settings = [(a, b) for a, b in every if settings[a] != settings[b] and seeds[a] == seeds[b]]
    rng = random.Random(one.name)
    return [rng.sample(found, min(most, len(found))) for found in (same_settings, other_settings)]


@EVERY_EDITION
@EVERY_EXPERIMENT
def test_a_result_copied_over_another_is_noticed(one, edition):
    same_settings, other_settings = pairs(one, edition, most=12)
    for a, b in same_settings + other_settings:
        runs = list(book()[one.name, edition]["runs"])
        if one.alike and one.alike(runs[a]["settings"], runs[b]["settings"]):
            continue
        runs[b] = {**runs[b], "result": runs[a]["result"]}
        assert list(faults_between(one, runs))


@EVERY_EDITION
@EVERY_EXPERIMENT
def test_one_curve_or_list_copied_over_anothers_is_noticed(one, edition):
    for name in one.distinct:
        for a, b in pairs(one, edition, most=6)[0]:
            runs = list(book()[one.name, edition]["runs"])
            runs[b] = {**runs[b], "result": {**runs[b]["result"], name: runs[a]["result"][name]}}
            assert list(faults_between(one, runs))


#: The share of exchanged pairs, (seeds, settings), that is noticed when one of the two is made again, on any
#: processor, at least; with curves, when only its first epoch is. Counts that are the same in two runs cannot be told
#: apart; the highest rates of the race and the last bits of short trainings depend on rounding.
TOLD_APART = {
    "calibration": (0.9, 1),
    "activation_and_sparsity": (0.9, 0.98),
    "depth_and_activation": (0.9, 0.97),
    "faster_training": (0.6, 0.7),
    "optimiser_race": (0.55, 0.8),
    "other_choices": (1, 0.8),
    "report_training": (0.9, 1),
    "svm_choice": (1, 0.9),
    "width_and_depth": (0.45, 0.95),
}


def stopped(one, result):
    """A result as it is when its training is stopped after an epoch."""
    shorter = {name: result[name][: len(result[name]) - len(result[one.curves[0]]) + 1] for name in one.curves}
    return {**result, **shorter}


@EVERY_EDITION
@EVERY_EXPERIMENT
def test_a_run_that_is_made_again_could_not_be_another(one, edition):
    """What ``close`` allows is smaller than what lies between recorded runs."""
    runs = book()[one.name, edition]["runs"]
    for kind, found, least in zip(
        ("seeds", "settings"), pairs(one, edition), TOLD_APART.get(one.name, (1, 1)), strict=True
    ):
        told = 0
        for a, b in found:
            both = runs[a]["settings"], runs[b]["result"], runs[a]["result"]  # b's result stands where a's did
            first = [list(again.differences(one, both[0], both[1], stopped(one, both[2]), True))] if one.curves else []
            whole = list(again.differences(one, *both))
            told += all(map(bool, first or [whole])) and bool(whole)
        print(f"{one.name}, {edition}: {told} of {len(found)} exchanged {kind} are told apart")
        assert told >= least * len(found)


@EVERY_EDITION
@EVERY_EXPERIMENT
def test_a_run_that_is_made_again_may_be_itself(one, edition):
    for run in book()[one.name, edition]["runs"]:
        assert list(again.differences(one, run["settings"], run["result"], run["result"])) == []
        if one.curves:
            live = stopped(one, run["result"])
            assert list(again.differences(one, run["settings"], run["result"], live, only_first=True, exact=True)) == []


def test_exchanged_seeds_of_the_reports_training_are_noticed_by_other_recordings():
    """Its runs are also those of calibration, faster_training, pixel_scale, thirty_epochs and the table."""
    for edition in EDITIONS:
        library = Library()
        runs = library.runs("report_training", edition)
        a, b = (
            place
            for place, run in enumerate(runs)
            if run["settings"] in ({"hidden": [128, 64], "seed": s} for s in (3, 8))
        )
        runs[a]["result"], runs[b]["result"] = runs[b]["result"], runs[a]["result"]
        found = library.all_faults()
        assert any("report_training measured of the same run" in fault for fault in found)


# ---------------------------------------------------------------- each thing that can be said of a run


def faults_of(said, edition="sample", seconds=None, find=None, truth=None, **result):
    """What a run with these results is found to be wrong in, by one statement."""
    run = Run({"seed": 0}, result, edition, seconds, find, truth)
    said(run)
    return run.faults


GOOD_AND_BAD = {
    "names": (lambda run: run.has("a"), {"a": 1}, [{"a": 1, "b": 1}, {}]),
    "a number": (lambda run: run.numbers("a"), {"a": 1.5}, [{"a": "1.5"}, {"a": [1.5]}, {"a": None}, {"a": True}]),
    "finite": (lambda run: run.numbers("a"), {"a": 1.5}, [{"a": float("nan")}, {"a": float("inf")}]),
    "a list": (lambda run: run.numbers("a", 2), {"a": [1, 2]}, [{"a": [1]}, {"a": 1}, {"a": [1, "2"]}]),
    "equal": (lambda run: run.equal("a", 1.0, within=0.1), {"a": 1.05}, [{"a": 1.2}, {"a": 0.8}]),
    "between": (lambda run: run.between(0, 1, "a"), {"a": 1}, [{"a": 1.01}, {"a": -0.01}]),
    "whole": (lambda run: run.whole(1, 9, "a"), {"a": 3}, [{"a": 3.0}, {"a": 10}, {"a": 2.5}]),
    "32 bits": (lambda run: run.float32("a"), {"a": 0.9711666703224182}, [{"a": 0.9711}, {"a": 0.9711666703224181}]),
    "a loss": (lambda run: run.losses("a"), {"a": 0.125}, [{"a": -0.125}, {"a": 0.13}]),
    "a rounded loss": (lambda run: run.losses("a", digits=3), {"a": 0.125}, [{"a": 0.1253}]),
    "an exact share": (lambda run: run.shares("a", of=1000, exact=True), {"a": 0.941}, [{"a": 0.9415}, {"a": 1.001}]),
    "Keras's share": (lambda run: run.shares("a", of=800), {"a": 0.8887500166893005}, [{"a": 0.88875}, {"a": 0.889}]),
    "a rounded share": (lambda run: run.shares("a", of=800, digits=4), {"a": 0.8888}, [{"a": 0.8889}, {"a": 0.88875}]),
    "a loss that fits": (lambda run: run.floor(run["a"], [0.5]), {"a": [0.4]}, [{"a": [0.3]}]),
    "mistakes": (
        lambda run: run.mistakes("a", "b"),
        {"a": [3, 7], "b": 0.998},
        [{"a": [3, 7], "b": 0.997}, {"a": [7, 3], "b": 0.998}, {"a": [3, 3], "b": 0.998}, {"a": [3, 1000], "b": 0.998}],
    ),
    "accuracies": (lambda run: run.near(run["a"], 0.9, 800, 1000), {"a": 0.92}, [{"a": 0.72}, {"a": 1.2}]),
    "steady": (lambda run: run.steady("a", 3, 0.1, after=1), {"a": [9, 1, 1.05]}, [{"a": [9, 1, 1.2]}]),
    "times": (lambda run: run.elapsed("a"), {"a": 0.5}, [{"a": 0}, {"a": 2.5}]),
}


@pytest.mark.parametrize("what", GOOD_AND_BAD)
def test_what_is_said_of_a_run_is_noticed_where_it_is_not_so(what):
    said, good, bad = GOOD_AND_BAD[what]
    assert faults_of(said, seconds=2.0, **good) == []
    for result in bad:
        assert faults_of(said, seconds=2.0, **result), result


def test_a_confusion_matrix_holds_the_mistakes_and_the_digits():
    labels = sample_edition("a test").y_test
    image = int((labels == 3).argmax())
    matrix = [[100 * (row == column) for column in range(10)] for row in range(10)]
    matrix[3][3], matrix[3][5] = 99, 1

    def found(truth=labels, change=lambda matrix: None, wrong=image, digit=5):
        changed = json.loads(json.dumps(matrix))
        change(changed)
        given = {"matrix": changed, "wrong": [wrong], "digit": [digit]}
        return faults_of(lambda run: run.confusion("matrix", "wrong", "digit"), truth=truth, **given)

    def move(matrix):
        matrix[3][3], matrix[4][4] = 100, 99

    def transposed(matrix):
        matrix[3][5], matrix[3][8] = 0, 1

    assert found() == []
    assert any("rows" in fault for fault in found(change=move))
    assert any("columns" in fault for fault in found(change=transposed))
    assert any("columns" in fault for fault in found(digit=8))
    other = int((labels == 4).argmax())
    assert found(truth=None, wrong=other) == [] and any("labels" in fault for fault in found(wrong=other))


def test_another_recording_of_the_same_run():
    other = {("b", "sample", 0): {"curve": [1.0, 2.0]}}

    def find(name, edition, settings):
        return other.get((name, edition, settings["seed"]))

    assert faults_of(lambda run: run.agrees("b", [("a", "curve")]), find=find, a=[1.0, 2.0]) == []
    assert faults_of(lambda run: run.agrees("b", [("a", ("curve", -1))]), find=find, a=2.0) == []
    assert faults_of(lambda run: run.agrees("b", [("a", "curve")]), find=find, a=[1.0, 2.1])
    assert faults_of(lambda run: run.agrees("b", [("a", "curve")]), find=find, a=[1.0])
    assert faults_of(lambda run: run.agrees("b", [("a", "curve")], within=0.2), find=find, a=[1.0, 2.1]) == []
    assert faults_of(lambda run: run.agrees("nobody", [("a", "curve")]), find=find, a=[1.0]) == []


def toy(digits, size, seed):
    """Stands for an experiment."""


def toy_holds(run):
    """The total is twice the half."""
    run.equal("total", 2 * run["half"])


def toy_runs():
    """The runs of the toy."""
    return [
        {
            "settings": {"size": size, "seed": seed},
            "result": {"total": 2 * (size + seed / 7), "half": size + seed / 7, "seconds": 1},
        }
        for seed in range(2)
        for size in (1, 2)
    ]


def test_runs_that_are_the_same_are_noticed():
    one = Experiment(toy, [{"size": 1}, {"size": 2}], 2, holds=toy_holds, distinct=("half",))
    assert list(faults_between(one, toy_runs())) == []
    runs = toy_runs()
    runs[2]["result"] = {**runs[0]["result"], "seconds": 9}
    (whole, half) = faults_between(one, runs)
    assert '"seed": 0, "size": 1' in whole and '"seed": 1, "size": 1' in whole and "the same result" in whole
    assert "the same half" in half
    runs[2]["result"]["total"] += 1
    assert [("the same half" in fault) for fault in faults_between(one, runs)] == [True]
    runs[2]["settings"] = runs[0]["settings"]
    assert any("two runs have the settings" in fault for fault in faults_between(one, runs))
    one.alike = lambda first, other: first["size"] == other["size"]
    assert not [
        fault for fault in faults_between(one, toy_runs()[:1] + [{**toy_runs()[2], "result": toy_runs()[0]["result"]}])
    ]


def test_a_run_whose_results_cannot_be_read_is_a_fault_and_no_crash():
    one = Experiment(toy, [{"size": 1}], 2, holds=toy_holds)
    for result in ({"total": 2}, {"total": 2, "half": "1"}, {"total": None, "half": [1]}):
        (*_, fault) = run_faults(one, {"size": 1, "seed": 0}, result, "sample")
        assert fault.startswith("the run size 1, seed 0: ")
    assert list(run_faults(one, {"size": 1, "seed": 0}, {"total": 2, "half": 1}, "sample")) == []
    assert list(run_faults(one, {"size": 1, "seed": 0}, {"total": 2, "half": 1}, "sample", seconds=-1))


def test_how_far_lists_of_mistakes_may_lie_apart():
    def differ(allowed, live, name="wrong"):
        recorded = {"wrong": [1, 2, 3], "digit": [7, 7, 7]}
        one = Experiment(toy, close={"wrong": Mistakes(2), "digit": Mistakes(9), name: allowed})
        return [fault.partition(":")[0] for fault in again.differences(one, {}, recorded, live)]

    assert differ(Mistakes(2), {"wrong": [1, 2, 4], "digit": [7, 7, 7]}) == []
    assert differ(Mistakes(2), {"wrong": [1, 4, 5], "digit": [7, 7, 7]}) == ["wrong"]
    assert differ(Along("wrong", 0), {"wrong": [1, 2, 4], "digit": [7, 7, 8]}, "digit") == []
    assert differ(Along("wrong", 0), {"wrong": [1, 2, 3], "digit": [7, 8, 8]}, "digit") == ["digit"]
