"""Recording in one process, so that a kill or a full disk costs nothing."""

import json
import os
import signal
import textwrap
from pathlib import Path

import pytest
from experiments.bench import __main__ as recorder
from experiments.bench import declare, store
from experiments.bench.code import code_hash
from helpers.measurements import digest, measurement
from toys import ALL_RUNS, PARTS, edited, wait_for

MERGE, UNLINK = store.Recording.merge, Path.unlink


def test_a_recording_holds_every_run_and_where_it_comes_from(toys):
    function = toys.write()
    assert toys.record() == 0
    content = json.loads(toys.path.read_text())
    assert (
        content["name"] == "toy" and content["module"] == "experiments.toy" and list(content["editions"]) == ["sample"]
    )
    about = content["editions"]["sample"]
    assert about["code"] == code_hash(function) and about["digest"] == digest(content, "sample")
    (machine,) = about["machines"]
    assert machine["processor"] and machine["cores"] == machine["threads"] == os.cpu_count()
    assert {"Python", "keras", "numpy"} <= machine["versions"].keys() and machine["date"] and about["needs"] == {}
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


def another_machine(content):
    """An edit: the recording comes from another processor."""
    content["editions"]["sample"]["machines"][0].update(processor="another one")


def test_runs_of_several_machines_stand_in_one_recording(toys):
    toys.write()
    toys.record()
    edited(another_machine, stamp=True)(toys.path)
    toys.record()
    assert toys.runs_made() == ALL_RUNS  # up to date all the same
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=5"))
    toys.record()
    assert toys.runs_made() == ALL_RUNS + ["[1, 2] 4", "[3] 4"]
    about = json.loads(toys.path.read_text())["editions"]["sample"]
    assert [machine["processor"] == "another one" for machine in about["machines"]] == [True, False]
    assert [run["machine"] for run in about["runs"]] == [0] * 8 + [1] * 2


def test_runs_of_another_machine_are_not_mixed_with_new_ones_where_times_are_results(toys):
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=4, timed=True"))
    toys.record()
    edited(another_machine, stamp=True)(toys.path)
    toys.record()
    assert toys.runs_made() == ALL_RUNS  # up to date all the same
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=5, timed=True"))
    toys.record()
    assert len(toys.runs_made()) == 8 + 10


def test_a_timed_recording_keeps_the_runs_of_this_machine_on_another_day(toys):
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=4, timed=True"))
    toys.record()
    edited(lambda content: content["editions"]["sample"]["machines"][0].update(date="2001-01-01"), stamp=True)(
        toys.path
    )
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=5, timed=True"))
    toys.record()
    assert len(toys.runs_made()) == 8 + 2


def test_some_seeds_now_and_the_others_later(toys, capsys):
    toys.write()
    assert toys.record("--seeds", "0,2-3") == 0
    assert toys.runs_made() == [run for run in ALL_RUNS if not run.endswith(" 1")] and not toys.path.exists()
    assert capsys.readouterr().out == (
        "toy (sample edition): 2 of 8 runs are still missing, of seeds 1; until they are made, toy.json stays as it is\n"
    )
    assert toys.record("--seeds", "1") == 0
    assert sorted(toys.runs_made()) == sorted(ALL_RUNS) and capsys.readouterr().out == ""
    assert [run["settings"]["seed"] for run in measurement("toy", "sample").runs] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert toys.record("--seeds", "9") == 2
    assert "no run of toy has one of these seeds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", {3}), ("0-4,7", {0, 1, 2, 3, 4, 7}), (" 1 , 3 - 4 ", {1, 3, 4}), ("2-2", {2})]
)
def test_lists_of_seeds(text, seeds):
    assert recorder.seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["", "x", "4-0", "1,", "-1", "1-", "1.5"])
def test_what_is_no_list_of_seeds(text, capsys):
    with pytest.raises(SystemExit):
        recorder.main([f"--seeds={text}"])
    assert "is no list of seeds like 3 or 0-4,7" in capsys.readouterr().err


def test_a_kill_between_writing_the_recording_and_deleting_the_finished_runs(toys):
    toys.write()
    toys.monkeypatch.setattr("pathlib.Path.unlink", lambda path, missing_ok=False: None)
    toys.record()
    partial = toys.path.with_name("toy.sample.partial")
    assert toys.path.exists() and partial.exists()
    toys.monkeypatch.setattr("pathlib.Path.unlink", UNLINK)
    toys.record()
    assert toys.runs_made() == ALL_RUNS and not partial.exists()
    toys.record("--again")
    assert toys.runs_made() == ALL_RUNS * 2


def test_a_kill_after_the_last_run_and_before_the_recording_is_written(toys):
    toys.write()
    toys.monkeypatch.setattr(store.Recording, "merge", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        toys.record()
    toys.monkeypatch.setattr(store.Recording, "merge", MERGE)
    toys.record()
    assert toys.runs_made() == ALL_RUNS and len(measurement("toy", "sample").runs) == 8


# ---------------------------------------------------------------- what a recording needs

NEEDY = """
'''Another toy, which reads what the first one found.'''

from experiments.bench.declare import experiment
from helpers.measurements import measurement


@experiment(needs=("toy",), seeds=1)
def needy(digits, seed):
    return {"total": measurement("toy").mean("total")}
"""


@pytest.fixture
def needing(toys):
    """The toy and another one, which needs it."""
    toys.write()
    (toys.folder / "toys" / "needy.py").write_text(NEEDY)
    __import__("experiments.needy")
    toys.monkeypatch.setattr("helpers.data.load_mnist", lambda quiet: None)
    return toys


def both(toys, *arguments):
    """Record all experiments in both editions."""
    toys.monkeypatch.setattr(declare, "load_all", list)
    return recorder.main(["--serial", *arguments])


def test_what_is_needed_is_recorded_first_and_counts_with_the_code(needing):
    declare.EXPERIMENTS["needy"], declare.EXPERIMENTS["toy"] = (
        declare.EXPERIMENTS.pop("needy"),
        declare.EXPERIMENTS.pop("toy"),
    )
    assert list(declare.EXPERIMENTS) == ["needy", "toy"] and both(needing) == 0
    content = json.loads((needing.path.parent / "needy.json").read_text())
    digest_now = declare.digest_of_need("toy")
    assert [about["needs"] for about in content["editions"].values()] == [{"toy": digest_now}] * 2
    before = (needing.path.parent / "needy.json").read_bytes()
    both(needing)
    assert (needing.path.parent / "needy.json").read_bytes() == before
    # Times and machines of what is needed do not count, results do.
    slower = edited(lambda content: [run.update(seconds=9) for run in content["editions"]["full"]["runs"]], stamp=True)
    slower(needing.path)
    assert declare.digest_of_need("toy") == digest_now
    other = edited(lambda content: content["editions"]["full"]["runs"][0]["result"].update(total=5000.0), stamp=True)
    other(needing.path)
    assert declare.digest_of_need("toy") != digest_now
    both(needing, "needy")
    after = json.loads((needing.path.parent / "needy.json").read_text())["editions"]["full"]
    assert after["needs"] == {"toy": declare.digest_of_need("toy")} and after["runs"][0]["result"]["total"] > 600


def test_what_is_needed_and_not_there_is_named(needing, capsys):
    assert both(needing, "needy") == 1
    assert "toy.json is missing; record it: make measurements NAME=toy" in capsys.readouterr().err
    assert not (needing.path.parent / "needy.json").exists()


def test_the_sample_edition_does_not_wait_for_what_is_needed_on_full_mnist(needing):
    wanted = [(one, edition) for edition in ("sample", "full") for one in declare.EXPERIMENTS.values()]
    names = [[(one.name, edition) for one, edition in wave] for wave in recorder.waves(wanted)]
    assert names == [[("toy", "sample"), ("toy", "full")], [("needy", "sample"), ("needy", "full")]]
    only = [(declare.EXPERIMENTS["needy"], "sample")]
    assert list(recorder.waves(only)) == [only]


def test_a_circle_of_needs_is_named(needing):
    declare.EXPERIMENTS["toy"].needs = ("needy",)
    with pytest.raises(store.RecordingError, match="in a circle: needy, toy"):
        list(recorder.waves([(one, "full") for one in declare.EXPERIMENTS.values()]))


def test_a_data_set_counts_by_the_digest_that_its_function_gives(toys):
    toys.monkeypatch.setattr(declare, "DATA_SETS", {"letters": lambda: "one"})
    toys.write(edit=lambda code: code.replace("seeds=4", 'seeds=4, needs=("letters",)'))
    toys.record()
    assert json.loads(toys.path.read_text())["editions"]["sample"]["needs"] == {"letters": "one"}
    toys.record()
    assert toys.runs_made() == ALL_RUNS
    declare.DATA_SETS["letters"] = lambda: "two"
    toys.record()
    assert toys.runs_made() == ALL_RUNS * 2


# ---------------------------------------------------------------- two programs at once


def test_a_second_program_is_refused_and_a_killed_one_holds_nothing(toys, capsys):
    toys.write(slow='__import__("time").sleep(0.3)')
    process = toys.child()
    wait_for(lambda: toys.runs_made(), process)
    assert toys.record() == 1
    said = capsys.readouterr().err
    assert f"another program is recording into {toys.path.parent} (process {process.pid} on " in said
    process.kill()
    process.communicate(timeout=20)
    assert (toys.path.parent / "recording.lock").exists()
    assert toys.record() == 0
    assert [path.name for path in toys.path.parent.iterdir()] == ["toy.json"]


def test_editions_are_recorded_side_by_side(recorded):
    full = json.loads(recorded.path.read_text())["editions"]["full"]
    recorded.record("--again")
    assert json.loads(recorded.path.read_text())["editions"]["full"] == full


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_killed_recording_goes_on_where_it_stopped(toys):
    toys.write(slow='__import__("time").sleep(0.15)')
    process = toys.child()
    wait_for(lambda: len(toys.runs_made()) == 4, process)  # the fourth run is under way
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert not toys.path.exists()
    (partial,) = toys.path.parent.glob("*.partial")
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
    store.write_whole(path, content)
    assert json.loads(path.read_text()) == content
    assert '"a": [1, 2.5, -3]' in path.read_text() and "[1, 2]" in path.read_text()


def test_a_result_that_json_cannot_keep_is_named(toys):
    toys.write(edit=lambda code: code.replace('"parts": np.array(size) * 1.0', '"parts": {1, 2}'))
    with pytest.raises(TypeError, match="a result holds a set"):
        toys.record()


def test_unknown_names_and_the_list(toys, capsys):
    toys.write()
    toys.monkeypatch.setattr(declare, "load_all", list)
    assert recorder.main(["no_such"]) == 2
    assert "no experiment is called no_such; there are: toy" in capsys.readouterr().err
    assert recorder.main(["--list"]) == 0
    assert capsys.readouterr().out == "toy: 8 runs (full), 8 (sample)\n"
