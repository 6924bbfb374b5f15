"""A day's share of the recorded runs is made again; runs that disagree are not stored; what chapters repeat is fixed."""

import ast
import contextlib

import notebook_rules as rules
import pytest
from experiments.bench import again, declare
from helpers.measurements import MeasurementError, measurement
from planted import DECLARED
from toys import PARTS, edited


@pytest.fixture
def daily(recorded):
    """The toy with a recording in both editions, and no data."""
    recorded.monkeypatch.setattr(declare, "load_all", list)
    recorded.monkeypatch.setattr("helpers.data.load_mnist", lambda quiet: None)
    recorded.monkeypatch.setattr(again, "current_edition", lambda: "sample")
    recorded.log.unlink()
    return recorded


def exchanged(first, second):
    """A fault: two runs' results are exchanged, and the digest made to fit."""

    def change(content):
        runs = content["editions"]["sample"]["runs"]
        runs[first]["result"], runs[second]["result"] = runs[second]["result"], runs[first]["result"]

    return edited(change, stamp=True)


def test_a_day_makes_its_runs_and_says_which(daily, capsys):
    assert again.main(["--day", "0"]) == 0
    said = capsys.readouterr().out
    assert len(daily.runs_made()) == 8 and "8 runs, 0 of them other than recorded" in said
    assert "toy (sample edition, size [1, 2], seed 0): as recorded, to the last digit" in said


@pytest.mark.parametrize(("first", "second"), [(0, 2), (0, 1)])
def test_exchanged_seeds_and_settings_are_noticed(daily, capsys, first, second):
    exchanged(first, second)(daily.path)
    measurement("toy", "sample")  # the digest fits
    assert again.main(["--day", "0"]) == 1
    said = capsys.readouterr()
    assert "2 of them other than recorded" in said.out and " recorded, " in said.out
    assert "Restore them from git" in said.err and "make measurements" in said.err


def test_what_close_allows_is_no_fault_and_what_it_does_not_is(daily, capsys):
    for size, status in ((10.001, 0), (10.1, 1)):
        daily.write(
            parts=PARTS.replace("SCALE = 10", f"SCALE = {size}"),
            edit=lambda code: code.replace("seeds=4", 'seeds=4, close={"total": 0.01}'),
        )
        assert again.main(["--day", "0"]) == status
        assert ("give or take rounding" in capsys.readouterr().out) == (status == 0)


def test_the_day_is_the_dates_or_the_variables(daily, capsys):
    daily.monkeypatch.setattr(again.days_of, "__defaults__", (5.0,))  # seconds a day: two runs
    days = again.days_of(again.all_tasks(declare.EXPERIMENTS.values(), ("sample",))[0])
    assert [len(tasks) for tasks in days] == [2, 2, 2, 2]
    for day in range(4):
        daily.monkeypatch.setenv("DIGITS_REPEAT_DAY", str(day))
        assert again.main([]) == 0
        assert f"day {day} of a round of 4" in capsys.readouterr().out
    assert sorted(daily.runs_made()) == sorted(f"{size} {seed}" for seed in range(4) for size in ([1, 2], [3]))
    assert [line[-1] for line in daily.runs_made()] == list("00112233")  # seeds in order
    assert again.main(["--list"]) == 0
    said = capsys.readouterr().out
    assert (
        "4 days make a round; each of 2 settings had its turn after 1 days" in said
        and "more than 62 s each: nothing" in said
    )


def test_what_takes_too_long_is_left_out_and_named(daily):
    def slow(content):
        content["editions"]["sample"]["runs"][5]["seconds"] = 100

    edited(slow, stamp=True)(daily.path)
    tasks, too_long = again.all_tasks(declare.EXPERIMENTS.values(), ("sample",))
    assert len(tasks) == 7 and [str(task) for task in too_long] == ["toy (sample edition, size [3], seed 2)"]
    assert "toy (sample edition, size [3], seed 2)" in list(again.told(again.days_of(tasks), too_long))[-1]


def test_no_run_is_begun_that_would_end_too_late(daily, capsys):
    tasks, _ = again.all_tasks(declare.EXPERIMENTS.values(), ("sample",))
    assert again.again(tasks, limit=0) == 0
    assert len(daily.runs_made()) == 1 and "no time for 7 more" in capsys.readouterr().out


def test_shifted_seeds_are_refused(daily, capsys):
    daily.monkeypatch.setenv("DIGITS_SEED_OFFSET", "5")
    assert again.main(["--day", "0"]) == 1 and "unset it" in capsys.readouterr().err and daily.runs_made() == []


def test_a_training_is_stopped_after_an_epoch_and_only_there():
    import keras
    import numpy as np

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    x, t = np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)
    with again.one_epoch():
        assert len(model.fit(x, t, epochs=3, verbose=0).history["loss"]) == 1
    assert len(model.fit(x, t, epochs=3, verbose=0).history["loss"]) == 3


# ---------------------------------------------------------------- what is stored


def test_a_run_that_disagrees_with_itself_is_not_stored(toys, capsys):
    holds = 'seeds=4, holds=lambda run: run.equal("total", sum(run["parts"]) * 10, within=0.1)'
    toys.write(edit=lambda code: code.replace("seeds=4", holds))
    assert toys.record() == 0
    before = toys.path.read_bytes()
    toys.write(parts=PARTS.replace("SCALE = 10", "SCALE = 11"), edit=lambda code: code.replace("seeds=4", holds))
    assert toys.record() == 1
    said = capsys.readouterr().err
    assert "toy.json, sample edition: the run size [1, 2], seed 0: total is 33." in said and "It is not stored" in said
    assert toys.path.read_bytes() == before and not list(toys.path.parent.glob("*.partial"))


def test_an_experiment_that_ignores_its_seed_is_not_stored(toys, capsys):
    toys.write(parts=PARTS.replace("default_rng(seed)", "default_rng(0)"))
    assert toys.record() == 1 and not toys.path.exists()
    assert "have the same result: does the run use its settings and its seed?" in capsys.readouterr().err


# ---------------------------------------------------------------- what chapters repeat


def repetitions():
    """(chapter, call) of each recorded run that a chapter repeats."""
    names = {one.name for one in DECLARED}
    for chapter in rules.book_chapters():
        for cell in chapter.code:
            for node in ast.walk(cell.tree):
                of = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
                if getattr(of, "id", "") in names and node.func.attr == "repeat":
                    yield chapter, node


def constants(chapter):
    """Names of a chapter that stand for one number, or for one in each edition."""
    found = {}
    for cell in chapter.code:
        for node in ast.walk(cell.tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found.setdefault(node.targets[0].id, []).append(node.value)
    return {name for name, values in found.items() if len(values) == 1 and is_fixed(values[0])}


def is_fixed(node, names=()):
    """Is an expression a constant, or one of two by the edition?"""
    if isinstance(node, ast.IfExp):
        return ast.unparse(node.test) == "digits.edition == 'full'" and is_fixed(node.body) and is_fixed(node.orelse)
    if isinstance(node, (ast.List, ast.Tuple)):
        return all(is_fixed(one, names) for one in node.elts)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in names)


def test_the_run_that_a_chapter_repeats_is_fixed():
    """If a recording decided which of its runs is made again, whoever changes it would decide that, too."""
    found = list(repetitions())
    assert found
    for chapter, call in found:
        names = constants(chapter)
        for keyword in call.keywords:
            assert is_fixed(keyword.value, names), f"{chapter}: {ast.unparse(call)}: {keyword.arg} is not fixed"


def test_which_runs_are_fixed():
    for code, fixed in (("1", True), ("[32, N]", True), ("best['Adam']", False), ("M", False), ("race.runs[0]", False)):
        assert is_fixed(ast.parse(code, mode="eval").body, {"N"}) == fixed
    assert is_fixed(ast.parse("1 if digits.edition == 'full' else 2", mode="eval").body)
    assert not is_fixed(ast.parse("1 if accuracy > 0.5 else 2", mode="eval").body)


#: Experiments whose compared results are alike in all settings, which is what their chapter shows. Other results tell
#: them apart, when the run is made again (``close``).
ALIKE = {"activation_and_sparsity"}


def test_a_chapters_repetition_allows_less_than_lies_between_settings():
    """Of the settings of a recording, at least half have means that the repetition of this one would not accept."""
    alike = set()
    for chapter, call in repetitions():
        one = next(one for one in DECLARED if one.name == call.func.value.id)
        options = {}
        for word in call.keywords:
            with contextlib.suppress(ValueError):  # the size that depends on the edition
                options[word.arg] = ast.literal_eval(word.value)
        for edition in ("full", "sample"):
            recorded = measurement(one.name, edition)
            settings = [{**run["settings"]} for run in recorded.runs if run["settings"]["seed"] == 0]
            for one_setting in settings:
                del one_setting["seed"]
            here = [s for s in settings if all(s[name] == value for name, value in options.items() if name in s)]
            assert here, f"{chapter.name}: {ast.unparse(call)}: no such run in the {edition} edition"
            for mine in here:
                told = [s for s in settings if s != mine and not accepted(one, recorded, options, mine, s)]
                if len(told) < (len(settings) - 1) / 2:
                    alike.add(one.name)
    assert alike == ALIKE


def accepted(one, recorded, options, mine, other):
    """Would the mean of other settings pass for these, in ``Experiment.repeat``?"""
    for key in one.compare:
        values = recorded.values(key, **mine)
        spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        allowed = max(options.get("tolerance", 4.0) * spread, abs(values.mean()) * options.get("rounding", 1e-3), 1e-9)
        if abs(recorded.values(key, **other).mean() - values.mean()) > allowed:
            return False
    return True


def test_a_recording_that_is_missing_is_an_error(daily, capsys):
    daily.path.unlink()
    assert again.main(["--day", "0"]) == 1
    assert "toy.json is missing" in capsys.readouterr().err
    with pytest.raises(MeasurementError):
        measurement("toy")
